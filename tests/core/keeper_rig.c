#include "core/keeper_rig.h"

#include "support/test.h"

#include <stdlib.h>
#include <string.h>

static struct nx_ledger *lock(void *context)
{
    struct yard *yard = context;

    if (yard->gone)
        return NULL;
    pthread_mutex_lock(&yard->mutex);
    atomic_store(&yard->busy, 1);
    return yard->ledger;
}

static void unlock(void *context)
{
    struct yard *yard = context;

    atomic_store(&yard->busy, 0);
    pthread_mutex_unlock(&yard->mutex);
}

static int64_t now_us(void *context)
{
    struct yard *yard = context;

    atomic_fetch_add(atomic_load(&yard->busy) ? &yard->looks_when_busy : &yard->looks, 1);
    return atomic_load(&yard->now_us);
}

static uint32_t owner(void *context)
{
    struct yard *yard = context;

    return yard->owner;
}

void yard_init(struct yard *yard, uint32_t tickets, uint32_t slots)
{
    memset(yard, 0, sizeof *yard);
    atomic_store(&yard->now_us, START);
    pthread_mutex_init(&yard->mutex, NULL);
    yard->memory = calloc(1, nx_ledger_size(tickets, slots));
    assert_non_null(yard->memory);
    yard->ledger = nx_ledger_init(yard->memory, tickets, slots);
    yard->keeper = (struct nx_keeper){
        .lock = lock, .unlock = unlock, .now_us = now_us, .owner = owner, .key = {1, 2}, .context = yard};
    nx_keeper_init(&yard->keeper);
    yard->permits = &yard->keeper.base;
}

void yard_release(struct yard *yard)
{
    free(yard->memory);
    pthread_mutex_destroy(&yard->mutex);
}

struct nx_gate_figures yard_figures(struct yard *yard, uint64_t key)
{
    struct nx_gate_figures figures = {0};
    int64_t at_us = -1;

    assert_true(yard->permits->verbs->figures(yard->permits, key, &figures, &at_us));
    assert_true(at_us == atomic_load(&yard->now_us));
    assert_true(figures.key == key);
    return figures;
}
