#include "session/slot.h"

#include "session/session.h"

enum { COPY_TRIES = 4 };

void nx_slot_init(struct nx_slot *slot)
{
    atomic_init(&slot->word, 0);
    for (int i = 0; i < NX_SLOT_CELLS; i++)
        atomic_init(&slot->cells[i], 0);
    atomic_init(&slot->hits, 0);
    atomic_init(&slot->held, NX_SLOT_BY_OWNER);
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
        const uint32_t bit = UINT32_C(1) << i;

        if (!(atomic_fetch_or_explicit(&slot->held, bit, memory_order_acq_rel) & bit))
            return i;
    }
    return -1;
}

void nx_slot_let_go(struct nx_slot *slot, uint32_t by, struct nx_arena *arena)
{
    if (atomic_fetch_and_explicit(&slot->held, ~by, memory_order_acq_rel) == by)
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

/* Drops the token of a word that was taken out of the slot. */
static void drop(struct nx_slot *slot, uint64_t word)
{
    const uint64_t count = word & NX_SLOT_COUNT_MASK;
    nexauth_token *token = nx_slot_token_in(word);

    if (!token)
        return;
    atomic_fetch_add_explicit(&slot->hits, count, memory_order_relaxed);
    atomic_fetch_add_explicit(token->references, count + 1 - NX_SLOT_BIAS, memory_order_relaxed);
    nexauth_token_unref(token);
}

bool nx_slot_put(struct nx_slot *slot, nexauth_token *token)
{
    const uint64_t word = word_of(token);

    atomic_store_explicit(&slot->until_ns, INT64_MIN, memory_order_release);
    if (word)
        atomic_fetch_add_explicit(token->references, NX_SLOT_BIAS, memory_order_relaxed);
    show(slot, word ? token : NULL);
    drop(slot, atomic_exchange_explicit(&slot->word, word, memory_order_acq_rel));
    return word || !token;
}

void nx_slot_set_fresh(struct nx_slot *slot, int64_t until_ns, int64_t skew_ns)
{
    if (!nx_slot_token_in(atomic_load_explicit(&slot->word, memory_order_relaxed)))
        return;
    atomic_store_explicit(&slot->until_ns, until_ns, memory_order_release);
    atomic_store_explicit(&slot->skew_ns, skew_ns, memory_order_release);
}

/*
 * Counted in the token first, and only then off the word: in between the token has too many references, never too few.
 * What turns out to be too many is taken back, which cannot end the token, as the caller has one.
 */
void nx_slot_fold(struct nx_slot *slot, uint64_t word)
{
    nexauth_token *token = nx_slot_token_in(word);
    uint64_t added = 0;

    while (token && nx_slot_token_in(word) == token && (word & NX_SLOT_COUNT_MASK) >= slot->fold_at) {
        const uint64_t count = word & NX_SLOT_COUNT_MASK;

        atomic_fetch_add_explicit(token->references, count - added, memory_order_relaxed);
        added = count;
        if (atomic_compare_exchange_weak_explicit(&slot->word, &word, word - count, memory_order_acq_rel,
                                                  memory_order_acquire)) {
            atomic_fetch_add_explicit(&slot->hits, count, memory_order_relaxed);
            return;
        }
    }
    if (added)
        atomic_fetch_sub_explicit(token->references, added, memory_order_relaxed);
}

uint64_t nx_slot_hits(const struct nx_slot *slot)
{
    const uint64_t word = atomic_load_explicit(&slot->word, memory_order_acquire);
    const uint64_t counted = nx_slot_token_in(word) ? word & NX_SLOT_COUNT_MASK : 0;

    return counted + atomic_load_explicit(&slot->hits, memory_order_relaxed);
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
    for (int i = 0; i < COPY_TRIES && nx_slot_is_fresh(slot, now); i++) {
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
