#include "session/slot.h"

#include "session/session.h"

enum { COPY_TRIES = 4 };

_Static_assert(sizeof(struct nx_lanes) <= NX_RECORD_SIZE, "lanes fit a record");

static struct nx_lanes *lanes_of(const struct nx_slot *slot)
{
    return atomic_load_explicit(&slot->lanes, memory_order_acquire);
}

void nx_slot_init(struct nx_slot *slot)
{
    atomic_init(&slot->word, 0);
    for (int i = 0; i < NX_SLOT_CELLS; i++)
        atomic_init(&slot->cells[i], 0);
    atomic_init(&slot->hits, 0);
    atomic_init(&slot->held, NX_SLOT_BY_OWNER);
    atomic_init(&slot->lanes, NULL);
    atomic_init(&slot->folders, 0);
    slot->fold_at = NX_SLOT_FOLD_AT;
    atomic_init(&slot->sequence, 0);
    atomic_init(&slot->block, NULL);
    atomic_init(&slot->length, 0);
    atomic_init(&slot->until_ns, INT64_MIN);
    atomic_init(&slot->skew_ns, 0);
}

int nx_slot_lend(struct nx_slot *slot)
{
    for (int i = 0; i < NX_SLOT_CELLS; i++) {
        const uint16_t bit = (uint16_t)(1U << i);

        if (!(atomic_fetch_or_explicit(&slot->held, bit, memory_order_acq_rel) & bit))
            return i;
    }
    return -1;
}

void nx_slot_let_go(struct nx_slot *slot, uint32_t by, struct nx_arena *arena)
{
    if (by == NX_SLOT_BY_OWNER)
        nx_arena_give_record(arena, lanes_of(slot));
    if (atomic_fetch_and_explicit(&slot->held, (uint16_t)~by, memory_order_acq_rel) == by)
        nx_arena_give_record(arena, slot);
}

/* The word for a token of which nothing is counted; 0 when it can have none. */
static uint64_t word_of(const nexauth_token *token)
{
    const uint64_t address = (uintptr_t)token;

    if (ATOMIC_LLONG_LOCK_FREE != 2 || address >> (64 - NX_SLOT_COUNT_BITS))
        return 0;
    return address << NX_SLOT_COUNT_BITS;
}

/* The new text before the new word: who is told of a token finds its text. */
static void show(struct nx_slot *slot, const nexauth_token *token)
{
    const uint32_t sequence = atomic_load_explicit(&slot->sequence, memory_order_relaxed);

    atomic_store_explicit(&slot->sequence, sequence + 1, memory_order_relaxed);
    atomic_store_explicit(&slot->block, token ? token->block : NULL, memory_order_release);
    atomic_store_explicit(&slot->length, token ? token->presented_length : 0, memory_order_release);
    atomic_store_explicit(&slot->sequence, sequence + 2, memory_order_release);
}

/* Of the lanes, when it has some: then the slot itself is never fresh. */
static void set_until(struct nx_slot *slot, int64_t until_ns)
{
    struct nx_lanes *lanes = lanes_of(slot);

    atomic_store_explicit(lanes ? &lanes->until_ns : &slot->until_ns, until_ns, memory_order_release);
}

/* Puts a new word in all places of the old one, and counts what these had counted. */
static nexauth_token *exchange_all(struct nx_slot *slot, uint64_t word, uint64_t *count)
{
    struct nx_lanes *lanes = lanes_of(slot);
    const uint64_t old = atomic_exchange_explicit(&slot->word, word, memory_order_acq_rel);

    *count = old & NX_SLOT_COUNT_MASK;
    for (int i = 0; lanes && i < NX_SLOT_LANES; i++)
        *count += atomic_exchange_explicit(&lanes->lane[i].word, word, memory_order_acq_rel) & NX_SLOT_COUNT_MASK;
    return nx_slot_token_in(old);
}

bool nx_slot_put(struct nx_slot *slot, nexauth_token *token)
{
    const uint64_t word = word_of(token);
    nexauth_token *old;
    uint64_t count;

    set_until(slot, INT64_MIN);
    if (word)
        atomic_fetch_add_explicit(token->references, NX_SLOT_BIAS, memory_order_relaxed);
    show(slot, word ? token : NULL);
    old = exchange_all(slot, word, &count);
    if (old) {
        atomic_fetch_add_explicit(&slot->hits, count, memory_order_release);
        atomic_fetch_add_explicit(old->references, count + 1 - NX_SLOT_BIAS, memory_order_relaxed);
        nexauth_token_unref(old);
    }
    return word || !token;
}

void nx_slot_set_fresh(struct nx_slot *slot, int64_t until_ns, int64_t skew_ns)
{
    if (!nx_slot_token_in(atomic_load_explicit(&slot->word, memory_order_relaxed)))
        return;
    set_until(slot, until_ns);
    atomic_store_explicit(&slot->skew_ns, skew_ns, memory_order_release);
}

void nx_slot_widen(struct nx_slot *slot, struct nx_arena *arena)
{
    const uint64_t word = atomic_load_explicit(&slot->word, memory_order_relaxed);
    struct nx_lanes *lanes;

    if (lanes_of(slot) || atomic_load_explicit(&slot->folders, memory_order_relaxed) != NX_SLOT_SHARED)
        return;
    atomic_store_explicit(&slot->folders, 0, memory_order_relaxed);
    lanes = nx_arena_take_record(arena);
    if (!lanes)
        return;
    atomic_init(&lanes->until_ns, INT64_MIN);
    atomic_init(&lanes->next, 0);
    for (int i = 0; i < NX_SLOT_LANES; i++) {
        atomic_init(&lanes->owners[i], 0);
        atomic_init(&lanes->lane[i].word, word & ~(uint64_t)NX_SLOT_COUNT_MASK);
    }
    atomic_store_explicit(&slot->until_ns, INT64_MIN, memory_order_release);
    atomic_store_explicit(&slot->lanes, lanes, memory_order_release);
}

/* -1: it has none. */
static int own_lane(const struct nx_lanes *lanes)
{
    const uintptr_t thread = nx_this_thread();

    for (int lane = 0; lane < NX_SLOT_LANES; lane++) {
        if (atomic_load_explicit(&lanes->owners[lane], memory_order_relaxed) == thread)
            return lane;
    }
    return -1;
}

nexauth_token *nx_slot_ref_in_lane(struct nx_slot *slot, struct nx_moment now)
{
    struct nx_lanes *lanes = lanes_of(slot);

    if (!lanes || !nx_slot_is_fresh(slot, &lanes->until_ns, now))
        return NULL;
    return nx_slot_take(slot, lanes, own_lane(lanes));
}

/* Who folds is one that asks often, most likely. Two threads may come to own the same lane, one after the other, and
 * nothing but time is lost. */
static void claim_lane(struct nx_lanes *lanes)
{
    uint32_t lane = 0;

    while (lane < NX_SLOT_LANES && atomic_load_explicit(&lanes->owners[lane], memory_order_relaxed))
        lane++;
    if (lane == NX_SLOT_LANES)
        lane = atomic_fetch_add_explicit(&lanes->next, 1, memory_order_relaxed) % NX_SLOT_LANES;
    atomic_store_explicit(&lanes->owners[lane], nx_this_thread(), memory_order_relaxed);
}

/* A thread in 16 bits, neither 0 nor all of them. Two that are the same by that are not seen to share a slot. */
static uint32_t mark_of_thread(void)
{
    return (uint32_t)((nx_this_thread() * UINT64_C(0x9e3779b97f4a7c15)) >> 48) % 0xfffe + 1;
}

/* When two threads fold by turns, the slot is closed, so that the next caller takes the lock, and widens it. */
static void note_folder(struct nx_slot *slot)
{
    const uint32_t folders = atomic_load_explicit(&slot->folders, memory_order_relaxed);
    const uint32_t mark = mark_of_thread();
    const bool shared = folders == NX_SLOT_SHARED || folders >> 16 == mark;

    if ((folders & 0xffff) == mark)
        return;
    atomic_store_explicit(&slot->folders, shared ? NX_SLOT_SHARED : folders << 16 | mark, memory_order_relaxed);
    if (shared)
        atomic_store_explicit(&slot->until_ns, INT64_MIN, memory_order_release);
}

/*
 * Counted in the token first, and only then off the word: in between the token has too many references, never too few.
 * What turns out to be too many is taken back, which cannot end the token, as the caller has one.
 */
void nx_slot_fold(struct nx_slot *slot, int lane, uint64_t word)
{
    struct nx_lanes *lanes = lanes_of(slot);
    _Atomic uint64_t *there = nx_slot_word_of(slot, lanes, lane);
    nexauth_token *token = nx_slot_token_in(word);
    uint64_t added = 0;

    if (!lanes)
        note_folder(slot);
    else if (lane < 0 && own_lane(lanes) < 0)
        claim_lane(lanes);
    while (token && nx_slot_token_in(word) == token && (word & NX_SLOT_COUNT_MASK) >= slot->fold_at) {
        const uint64_t count = word & NX_SLOT_COUNT_MASK;

        atomic_fetch_add_explicit(token->references, count - added, memory_order_relaxed);
        added = count;
        if (atomic_compare_exchange_weak_explicit(there, &word, word - count, memory_order_acq_rel,
                                                  memory_order_acquire)) {
            atomic_fetch_add_explicit(&slot->hits, count, memory_order_release);
            return;
        }
    }
    if (added)
        atomic_fetch_sub_explicit(token->references, added, memory_order_relaxed);
}

static uint64_t counted_in(const _Atomic uint64_t *there)
{
    const uint64_t word = atomic_load_explicit(there, memory_order_acquire);

    return nx_slot_token_in(word) ? word & NX_SLOT_COUNT_MASK : 0;
}

/* What is folded meanwhile is missing, and not counted twice. */
uint64_t nx_slot_hits(const struct nx_slot *slot)
{
    uint64_t hits = atomic_load_explicit(&slot->hits, memory_order_acquire);
    const struct nx_lanes *lanes = lanes_of(slot);

    hits += counted_in(&slot->word);
    for (int i = 0; lanes && i < NX_SLOT_LANES; i++)
        hits += counted_in(&lanes->lane[i].word);
    return hits;
}

/* Whether there is a fresh token, for whoever takes no reference. */
static bool shows(const struct nx_slot *slot, struct nx_moment now)
{
    const struct nx_lanes *lanes = lanes_of(slot);

    return nx_slot_is_fresh(slot, lanes ? &lanes->until_ns : &slot->until_ns, now);
}

/* Whether what was read since `sequence` was, each with acquire, belongs together. */
static bool is_unchanged(const struct nx_slot *slot, uint32_t sequence)
{
    return sequence % 2 == 0 && atomic_load_explicit(&slot->sequence, memory_order_relaxed) == sequence;
}

/* Looks twice: before the block is touched, and after it was copied. What was copied of something else is wiped. */
enum nx_slot_copied nx_slot_copy(const struct nx_slot *slot, struct nx_moment now, char *buffer, size_t size,
                                 size_t *length)
{
    for (int i = 0; i < COPY_TRIES && shows(slot, now); i++) {
        const uint32_t sequence = atomic_load_explicit(&slot->sequence, memory_order_acquire);
        const struct nx_block *block = atomic_load_explicit(&slot->block, memory_order_acquire);
        const size_t there = atomic_load_explicit(&slot->length, memory_order_acquire);

        if (!is_unchanged(slot, sequence))
            continue;
        if (!block)
            break;
        if (there < size)
            nx_block_copy(block, 0, buffer, there + 1);
        if (is_unchanged(slot, sequence)) {
            *length = there;
            return there < size ? NX_SLOT_COPIED : NX_SLOT_TOO_SMALL;
        }
        if (there < size)
            nx_wipe(buffer, there + 1);
    }
    return NX_SLOT_NOT_FRESH;
}
