/*
 * Bounded text: every growable buffer of the library.
 *
 * A text knows its bound from birth and fails stickily: once an append does not fit or memory runs out, the text is
 * empty, stays empty, and nx_text_failed() says so, so that a chain of appends is checked once. Contents are always
 * ended by NUL (not counted). Every byte that a text gives up, by growing, clearing or release, is wiped: any text may
 * hold a secret.
 */
#ifndef NX_TEXT_H
#define NX_TEXT_H

#include "core/vault.h"
#include "nexauth/nexauth.h"

#include <stdbool.h>
#include <stddef.h>

struct nx_text {
    char *data;             /* NULL until the first append */
    size_t length;          /* without the NUL */
    size_t capacity;        /* with room for the NUL */
    size_t bound;           /* the largest length allowed */
    nexauth_status status;  /* OK, or why it failed: NO_MEMORY, INVALID (the bound) */
    struct nx_vault *vault; /* where data lies; NULL: in ordinary memory */
};

/* Overwrites memory in a way that the compiler keeps. `memory` may be NULL when size is 0. */
void nx_wipe(void *memory, size_t size);

/* An empty text of at most `bound` bytes. Allocates nothing. A zeroed nx_text is a valid text of bound 0. */
void nx_text_init(struct nx_text *text, size_t bound);

/* Wipes, frees, and makes the text empty and unfailed, keeping its bound. A zeroed struct is fine. */
void nx_text_release(struct nx_text *text);

/* Wipes the contents and keeps the memory; a failure is forgotten too. */
void nx_text_clear(struct nx_text *text);

/* Releases `to` and moves `from` into it, with bound and failure; `from` is left empty and unfailed with its bound.
 * Allocates nothing. */
void nx_text_move(struct nx_text *to, struct nx_text *from);

/* Moves the contents, for as long as they do not grow, into a vault that outlives them: they are kept for some time.
 * Where it has no room they stay in ordinary memory. */
void nx_text_lock_away(struct nx_text *text, struct nx_vault *vault);

void nx_text_add(struct nx_text *text, const char *string);
void nx_text_add_bytes(struct nx_text *text, const void *bytes, size_t size);
void nx_text_add_char(struct nx_text *text, char c);

/* Marks the text as failed for another reason (such as bytes that are no UTF-8): it is wiped, and the first cause wins.
 */
void nx_text_fail(struct nx_text *text, nexauth_status status);

bool nx_text_failed(const struct nx_text *text);

/* The contents, "" when there are none. Never NULL. Valid until the next change. */
const char *nx_text_string(const struct nx_text *text);

#endif
