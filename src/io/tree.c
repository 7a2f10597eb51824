#include "io/tree.h"

#include "io/census.h"
#include "io/fork.h"
#include "io/system.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>

/*
 * Memory that nobody has touched costs nothing, so there is room for many. LOCKS: when one cannot be put right again,
 * all go on to the next. LOOK: how many processes are looked at closely, each time. SPINS, PAUSES: how often a taken
 * lock is tried before its holder is slept for, and how long between: some microseconds in all.
 */
enum {
    TICKETS = 65536,
    SLOTS = 262144,
    LOCKS = 4,
    LOOK = 16,
    LOOK_EVERY_MS = 1000,
    NS_IN_MS = 1000000,
    SPINS = 16,
    PAUSES = 16
};

/* An entry whose `taken` is 0 is free. It is written last, and cleared last. */
struct entry {
    struct nx_process process;
    uint32_t taken;
};

/* The start of the memory; the ledger follows. */
struct nx_tree {
    pthread_mutex_t locks[LOCKS];
    struct nx_siphash_key key;
    int64_t begun_us;
    /* With the lock: */
    int64_t looked_ms;    /* when it was last looked for processes that are gone */
    uint32_t look_next;   /* where to look closely the next time */
    uint32_t entry_count; /* above it no entry was ever taken */
    struct entry entries[NX_LEDGER_OWNERS];
};

/* These are the process's own. A child has a copy, in which another generation stands. */
static _Atomic(struct nx_tree *) the_tree;
static atomic_uint lock_in_use;
static uint32_t own_index;      /* with the lock */
static uint32_t own_generation; /* 1 + the one that own_index is of; 0: none yet */
static struct nx_process self;  /* with the lock */

int64_t nx_tree_now_us(void)
{
    return nx_read_ns(CLOCK_MONOTONIC_RAW) / 1000;
}

static size_t head_size(void)
{
    return (sizeof(struct nx_tree) + 63) / 64 * 64;
}

static struct nx_ledger *ledger_of(struct nx_tree *tree)
{
    return (struct nx_ledger *)(void *)((char *)tree + head_size());
}

static size_t whole_size(void)
{
    return head_size() + nx_ledger_size(TICKETS, SLOTS);
}

static bool make_locks(struct nx_tree *tree)
{
    pthread_mutexattr_t attributes;
    bool made;

    if (pthread_mutexattr_init(&attributes) != 0)
        return false;
    made = pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) == 0 &&
           pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0;
    for (int i = 0; i < LOCKS && made; i++)
        made = pthread_mutex_init(&tree->locks[i], &attributes) == 0;
    pthread_mutexattr_destroy(&attributes);
    return made;
}

static struct nx_tree *make(void)
{
    struct nx_tree *tree = mmap(NULL, whole_size(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE,
                                -1, 0);

    if (tree == MAP_FAILED)
        return NULL;
    if (!make_locks(tree) || !nx_system_entropy(NULL, &tree->key, sizeof tree->key)) {
        munmap(tree, whole_size());
        return NULL;
    }
    tree->begun_us = nx_tree_now_us();
    nx_ledger_init(ledger_of(tree), TICKETS, SLOTS);
    return tree;
}

/* Of several threads that make one, the first one's stays. */
struct nx_tree *nx_tree_get(void)
{
    struct nx_tree *there = atomic_load_explicit(&the_tree, memory_order_acquire);
    struct nx_tree *made = there || !nx_fork_watch() ? NULL : make();

    if (!made)
        return there;
    if (atomic_compare_exchange_strong_explicit(&the_tree, &there, made, memory_order_acq_rel, memory_order_acquire))
        return made;
    munmap(made, whole_size());
    return there;
}

int64_t nx_tree_begun_us(const struct nx_tree *tree)
{
    return tree->begun_us;
}

const struct nx_siphash_key *nx_tree_key(const struct nx_tree *tree)
{
    return &tree->key;
}

static void bury_if_gone(struct nx_tree *tree, uint32_t i, bool thorough)
{
    struct entry *entry = &tree->entries[i];

    if (!entry->taken || !nx_process_is_gone(&entry->process, &self, thorough))
        return;
    nx_ledger_bury(ledger_of(tree), i, nx_tree_now_us());
    entry->taken = 0;
}

/* A child finds out for itself who it is. */
static void know_oneself(void)
{
    const uint32_t generation = nx_fork_generation() + 1;

    if (own_generation == generation)
        return;
    self = nx_process_self();
    own_index = NX_TREE_NO_OWNER;
    own_generation = generation;
}

/* Once a second all are looked at, a few of them closely. */
static void look_around(struct nx_tree *tree)
{
    const int64_t now_ms = nx_read_ns(NX_MONOTONIC) / NS_IN_MS;

    if (now_ms - tree->looked_ms < LOOK_EVERY_MS)
        return;
    know_oneself();
    tree->looked_ms = now_ms;
    for (uint32_t i = 0; i < tree->entry_count; i++)
        bury_if_gone(tree, i, (i + tree->entry_count - tree->look_next) % tree->entry_count < LOOK);
    tree->look_next = (tree->look_next + LOOK) % tree->entry_count;
}

/* Whoever dies while the ledger is put in order leaves that to the next. */
static void take_over(struct nx_tree *tree, pthread_mutex_t *lock)
{
    nx_ledger_repair(ledger_of(tree), nx_tree_now_us());
    pthread_mutex_consistent(lock);
}

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* It is held for moments: whoever finds it taken looks again some times before it sleeps. */
static int wait_for(pthread_mutex_t *lock)
{
    int result = EBUSY;

    for (int i = 0; i < SPINS && result == EBUSY; i++) {
        for (int j = 0; j < PAUSES; j++)
            relax();
        result = pthread_mutex_trylock(lock);
    }
    return result == EBUSY ? pthread_mutex_lock(lock) : result;
}

static int take(pthread_mutex_t *lock)
{
    const int result = pthread_mutex_trylock(lock);

    return result == EBUSY ? wait_for(lock) : result;
}

/* A lock that cannot be put right is nobody's, and never will be again: the processes meet at the next one. `result`:
 * what taking this one came to. */
static bool take_damaged(struct nx_tree *tree, unsigned i, int result)
{
    while (result == ENOTRECOVERABLE && i < LOCKS) {
        if (++i < LOCKS)
            result = take(&tree->locks[i]);
    }
    atomic_store_explicit(&lock_in_use, i, memory_order_relaxed);
    if (result != 0 && result != EOWNERDEAD)
        return false;
    take_over(tree, &tree->locks[i]);
    return true;
}

struct nx_ledger *nx_tree_lock(struct nx_tree *tree)
{
    const unsigned i = atomic_load_explicit(&lock_in_use, memory_order_relaxed);
    const int result = i < LOCKS ? take(&tree->locks[i]) : ENOTRECOVERABLE;

    if (result != 0 && !take_damaged(tree, i, result))
        return NULL;
    if (tree->entry_count > 1) /* who is alone need not look, nor ask what time it is */
        look_around(tree);
    return ledger_of(tree);
}

void nx_tree_unlock(struct nx_tree *tree)
{
    pthread_mutex_unlock(&tree->locks[atomic_load_explicit(&lock_in_use, memory_order_relaxed)]);
}

static uint32_t free_entry(const struct nx_tree *tree)
{
    uint32_t i = 0;

    while (i < tree->entry_count && tree->entries[i].taken)
        i++;
    return i;
}

/* Where there is no room, those that are gone make some. */
static uint32_t take_entry(struct nx_tree *tree)
{
    uint32_t i = free_entry(tree);

    if (i == NX_LEDGER_OWNERS) {
        for (uint32_t gone = 0; gone < tree->entry_count; gone++)
            bury_if_gone(tree, gone, false);
        i = free_entry(tree);
    }
    if (i == NX_LEDGER_OWNERS)
        return NX_TREE_NO_OWNER;
    tree->entries[i].process = self;
    tree->entries[i].taken = 1;
    if (i == tree->entry_count)
        tree->entry_count++;
    return i;
}

uint32_t nx_tree_owner(struct nx_tree *tree)
{
    know_oneself();
    if (own_index == NX_TREE_NO_OWNER)
        own_index = take_entry(tree);
    return own_index;
}
