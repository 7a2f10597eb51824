/*
 * The place from which the current token of a source is handed out without a lock.
 *
 * One word holds the token's address and how many references were given out of it and are not in the token's own count
 * yet: so one atomic addition takes a counted reference. While a token is in the slot, its own count is higher by
 * NX_SLOT_BIAS: whoever drops a reference that is only counted in the word does not end the token. What the word has
 * counted is folded into the token's own count when it has reached fold_at, and when the token is taken out.
 *
 * A reference is taken by one atomic addition to the word and dropped by another to the token's own count. So that both
 * find the cache line where the first has brought it, a slot lends its tokens a cell beside the word to count in. What
 * readers only read lies on another line. The memory of a slot is held by its source and by the tokens that have a cell
 * of it: who lets it go last gives it back.
 *
 * Threads that share a source would take that line from each other twice for each token. Where a thread folds, then
 * another, then the first again, both most likely ask for thousands, and the slot is made wide: it gets lanes, words
 * that are each on a line of its own, and who folds gets one for itself. Whoever has none takes from the slot's word. A
 * wide slot is never fresh itself, so that only who shares one pays for it; its lanes are.
 *
 * Copying takes no reference and writes nothing that others read. It reads where the text lies, and the text, under a
 * sequence count: the block stays mapped whatever becomes of the token (io/arena.h).
 *
 * A reader who finds the slot not fresh takes the source's lock and sees to it. Writers hold that lock.
 */
#ifndef NX_SLOT_H
#define NX_SLOT_H

#include "core/world.h"
#include "io/arena.h"
#include "io/system.h"
#include "nexauth/nexauth.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NX_SLOT_BIAS (UINT64_C(1) << 40)

/* Of the folders: two threads fold by turns. */
#define NX_SLOT_SHARED UINT32_MAX

enum {
    NX_SLOT_COUNT_BITS = 16,
    NX_SLOT_COUNT_MASK = 0xffff,
    NX_SLOT_FOLD_AT = 0x8000,
    NX_SLOT_SKEW_MOST_MS = 1000,
    /* the current token's and the next one's; one that outlives both of its time has a count of its own */
    NX_SLOT_CELLS = 2,
    NX_SLOT_LANES = 3
};

/* Where references are taken out of a wide slot: a record of the arena. */
struct nx_lanes {
    _Atomic int64_t until_ns;                /* in place of the slot's */
    _Atomic uintptr_t owners[NX_SLOT_LANES]; /* threads, as nx_this_thread() has them; 0: nobody's yet */
    _Atomic uint32_t next;                   /* to be taken away from its owner when another needs it */
    struct {
        _Alignas(64) _Atomic uint64_t word; /* like the slot's */
    } lane[NX_SLOT_LANES];
};

struct nx_slot {
    _Atomic int64_t until_ns;         /* by the coarse monotonic clock; INT64_MIN: not fresh */
    _Atomic int64_t skew_ns;          /* wall minus monotonic when until_ns was worked out */
    _Atomic(struct nx_lanes *) lanes; /* NULL: it is not wide */
    _Atomic(struct nx_block *) block;
    _Atomic uint32_t length;   /* of the presented text, without its NUL */
    _Atomic uint32_t sequence; /* odd while block and length change */
    _Atomic uint32_t folders;  /* of a narrow one: who folded before << 16 | who did last; 0: nobody */
    uint16_t fold_at; /* to fill the rest of the count, as many threads would have to stop between adding and folding */
    _Atomic uint16_t held; /* bits: NX_SLOT_BY_OWNER, and 1 << N for the token of cell N */

    _Atomic uint64_t word; /* the token's address << 16 | references counted here; address 0: none */
    _Atomic uint64_t cells[NX_SLOT_CELLS];
    _Atomic uint64_t hits; /* references that were counted in the word and no longer are */
};

enum { NX_SLOT_BY_OWNER = 1 << NX_SLOT_CELLS };

/* Held by its owner from here on. */
void nx_slot_init(struct nx_slot *slot);

/* The number of a cell that is free, and the caller's from here on; -1 when there is none. The owner holds the slot. */
int nx_slot_lend(struct nx_slot *slot);

/* Lets go of the slot: its owner (NX_SLOT_BY_OWNER), or the token of a cell (1 << N). It is in a record of `arena`,
 * which the last gives back; its lanes the owner does. */
void nx_slot_let_go(struct nx_slot *slot, uint32_t by, struct nx_arena *arena);

/*
 * Puts a token in, with a reference of the slot's own, and drops the one that was there; NULL: leaves the slot empty.
 * It is not fresh from here on. False when this token cannot be in a slot (its address has more than 48 bits, or
 * atomics of 64 bits need a lock): the slot is empty then. With the source's lock.
 */
bool nx_slot_put(struct nx_slot *slot, nexauth_token *token);

/* Says until when the token in the slot is handed out, by both coarse clocks. Without a token it says nothing. With the
 * source's lock. */
void nx_slot_set_fresh(struct nx_slot *slot, int64_t until_ns, int64_t skew_ns);

/* Makes the slot wide, where threads that share it have closed it for that. To be called before it is said to be fresh.
 * Without memory it stays as it is. With the source's lock. */
void nx_slot_widen(struct nx_slot *slot, struct nx_arena *arena);

/* How many references have been given out. Exact when no reader is at it; else what is under way may be missing. */
uint64_t nx_slot_hits(const struct nx_slot *slot);

enum nx_slot_copied { NX_SLOT_COPIED, NX_SLOT_TOO_SMALL, NX_SLOT_NOT_FRESH };

/*
 * Copies the token as it is presented, ended by NUL. `length`, without the NUL, is written unless the slot is not
 * fresh: TOO_SMALL means that `size` is not above it. What `buffer` holds is right after COPIED only.
 */
enum nx_slot_copied nx_slot_copy(const struct nx_slot *slot, struct nx_moment now, char *buffer, size_t size,
                                 size_t *length);

/* Moves what `word`, as it was read from that lane, has counted into the token's own count. `lane` -1: the slot's own
 * word. The caller has a reference. */
void nx_slot_fold(struct nx_slot *slot, int lane, uint64_t word);

/* What nx_slot_ref() does where the slot itself is not fresh. */
nexauth_token *nx_slot_ref_in_lane(struct nx_slot *slot, struct nx_moment now);

static inline nexauth_token *nx_slot_token_in(uint64_t word)
{
    const union {
        uintptr_t address;
        nexauth_token *token;
    } in = {(uintptr_t)(word >> NX_SLOT_COUNT_BITS)};

    return in.token;
}

/* The skew first: who sees the one that counts now also sees the time that was worked out with it. A machine that
 * slept, and a wall clock that was set, show in the skew. `until`: the slot's, or its lanes'. */
static inline bool nx_slot_is_fresh(const struct nx_slot *slot, const _Atomic int64_t *until, struct nx_moment now)
{
    const int64_t skew_ns = atomic_load_explicit(&slot->skew_ns, memory_order_acquire);
    const int64_t until_ns = atomic_load_explicit(until, memory_order_acquire);
    const uint64_t moved_ns = (uint64_t)now.wall_ns - (uint64_t)now.mono_ns - (uint64_t)skew_ns; /* modulo 2^64 */
    const uint64_t most_ns = NX_SLOT_SKEW_MOST_MS * UINT64_C(1000000);

    return now.mono_ns < until_ns && moved_ns + most_ns <= 2 * most_ns;
}

/* `lane` -1: the slot's own, whatever its lanes are. */
static inline _Atomic uint64_t *nx_slot_word_of(struct nx_slot *slot, struct nx_lanes *lanes, int lane)
{
    return lane < 0 ? &slot->word : &lanes->lane[lane].word;
}

/* A reference out of that word, for who has seen that the slot is fresh. NULL: its token was taken out meanwhile. */
static inline nexauth_token *nx_slot_take(struct nx_slot *slot, struct nx_lanes *lanes, int lane)
{
    const uint64_t word = atomic_fetch_add_explicit(nx_slot_word_of(slot, lanes, lane), 1, memory_order_acquire) + 1;

    if (NX_RARELY((word & NX_SLOT_COUNT_MASK) >= slot->fold_at))
        nx_slot_fold(slot, lane, word);
    return nx_slot_token_in(word);
}

/* The token with a reference for the caller; NULL when the slot is not fresh. */
static inline nexauth_token *nx_slot_ref(struct nx_slot *slot, struct nx_moment now)
{
    return nx_slot_is_fresh(slot, &slot->until_ns, now) ? nx_slot_take(slot, NULL, -1) : nx_slot_ref_in_lane(slot, now);
}

#endif
