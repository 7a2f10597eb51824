/* What the tests of the keeper share: one with a ledger of its own, a clock that is moved, and a plain lock. */
#ifndef NX_TEST_KEEPER_RIG_H
#define NX_TEST_KEEPER_RIG_H

#include "core/keeper.h"

#include <pthread.h>
#include <stdatomic.h>

#define SECOND INT64_C(1000000)
#define START  (1000 * SECOND)

struct yard {
    struct nx_keeper keeper; /* begun long before the start, so that no limit is halved */
    struct nx_permits *permits;
    pthread_mutex_t mutex;
    void *memory;
    struct nx_ledger *ledger;
    _Atomic int64_t now_us;
    atomic_int busy, looks, looks_when_busy; /* whether somebody has the lock; how often the clock was read */
    uint32_t owner;
    bool gone; /* there is no ledger to be had */
};

/* A ledger with room for so much. */
void yard_init(struct yard *yard, uint32_t tickets, uint32_t slots);
void yard_release(struct yard *yard);

/* The figures of a door, which must be known. */
struct nx_gate_figures yard_figures(struct yard *yard, uint64_t key);

#endif
