/* What the tests of slots share: an arena, tokens of one letter for slots in it, and moments. */
#ifndef NX_TEST_SLOT_RIG_H
#define NX_TEST_SLOT_RIG_H

#include "session/session.h"
#include "session/slot.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SLOT_LETTERS = 26, SLOT_MONO_MS = 5000, SLOT_WALL_MS = 90000, SLOT_ALWAYS_MS = 1000000 };

extern struct nx_arena *slot_arena;

/* For cmocka: makes and ends the arena. */
int slot_set_up(void **state);
int slot_tear_down(void **state);

struct nx_moment slot_at(int64_t mono_ms, int64_t wall_ms);

/* SLOT_MONO_MS and SLOT_WALL_MS. */
struct nx_moment slot_now(void);

/* nx_slot_set_fresh() with milliseconds; INT64_MAX and INT64_MIN are what they are there. */
void slot_set_fresh(struct nx_slot *slot, int64_t until_ms, int64_t skew_ms);

/* Says that its token is fresh for long after slot_now(). */
void slot_open(struct nx_slot *slot);

/* Puts the token in, and opens the slot. */
void slot_fill(struct nx_slot *slot, nexauth_token *token);

/* A token of one repeated letter, whose length goes with the letter. `slot` may be NULL. */
nexauth_token *slot_new_token(struct nx_slot *slot, int letter);

/* Of the presented text. */
size_t slot_token_size(int letter);

/* Whether this is the text of one such token, from its beginning to its end. */
bool slot_is_whole(const char *presented, size_t length);

/* Until when a token is fresh that was put in at slot_now(), and whether it is at a moment. */
struct slot_time {
    int64_t until_ms, mono_ms, wall_ms;
    bool fresh;
};

extern const struct slot_time slot_times[];
extern const size_t slot_times_count;

/* Whether the slot gives its token of this letter at that moment, by reference and as a copy, or, when it is not
 * `fresh`, neither. */
bool slot_gives(struct nx_slot *slot, struct nx_moment moment, int letter, bool fresh);

uint64_t slot_references(const nexauth_token *token);

#endif
