/*
 * Which acquisitions failed lately: who asks again gets the same error at once, until the hold is over. Kept by a keyed
 * hash of service and credentials, so that a new source with the same ones does not evade it.
 */
#ifndef NX_FAILURES_H
#define NX_FAILURES_H

#include "nexauth/nexauth.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NX_FAILURES_FIRST_MS = 1000,        /* the hold after the first failure */
    NX_FAILURES_FIRST_DENIED_MS = 5000, /* the same where only a person can help: DENIED, CONFIG */
    NX_FAILURES_LONGEST_MS = 60000,     /* before the draw, which adds a fifth at the most */
    NX_FAILURES_KEPT_MS = 600000        /* after a hold: a key that fails later than that is new */
};

/* Open addressing, over entries of their own. A zeroed one is empty. */
struct nx_failures {
    struct nx_failure **entries; /* NULL is an empty place */
    size_t count, places;
};

/*
 * Remembers a failure of `key`, and returns how long it is held: twice as long as the one before it, with a jitter, and
 * at least error->retry_after_ms. A longer hold that lasts already goes on, with its own error. Without memory nothing
 * is remembered.
 */
int64_t nx_failures_note(struct nx_failures *failures, uint64_t key, const struct nexauth_error *error, int64_t now_ms,
                         uint32_t draw);

/* True while the hold of `key` lasts: then `error`, unless it is NULL, is the one noted, and its retry_after_ms what
 * remains of the hold. */
bool nx_failures_recall(const struct nx_failures *failures, uint64_t key, int64_t now_ms, struct nexauth_error *error);

/* `key` has succeeded: its next failure is its first. */
void nx_failures_forget(struct nx_failures *failures, uint64_t key);

void nx_failures_release(struct nx_failures *failures);

#endif
