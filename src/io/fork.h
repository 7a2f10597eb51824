/*
 * What keeps fork() safe. A lock that is taken while another thread forks would stay taken in the child for ever, and
 * what it guards would be half changed. So each lock of the library's own stands in a list: whoever forks first takes
 * them all, in the order of their ranks, and parent and child then give them back. None of them is held during a
 * callback or while anybody waits for the network, so that nobody waits long for that.
 *
 * Threads that had the library's objects in hand without a lock do not exist in the child: whoever guards such objects
 * learns of it, and the child lets them go.
 *
 * fork() is not called with one of these locks held. _Fork(), vfork() and posix_spawn() come by none of this: their
 * children call nothing of the library's.
 */
#ifndef NX_FORK_H
#define NX_FORK_H

#include "io/lock.h"

#include <stdint.h>

/* In this order they are taken; one thread may hold several locks only of rising rank. */
enum nx_fork_rank { NX_FORK_ENGINE, NX_FORK_READING, NX_FORK_TRANSPORT, NX_FORK_ARENA };

/* An entry of the list, beside its lock in what the lock guards. */
struct nx_fork_guard {
    struct nx_lock *lock;
    enum nx_fork_rank rank;
    void (*inherited)(void *context);
    void *context;
    struct nx_fork_guard *next, *previous;
};

/*
 * Makes a lock that is in the list. `inherited` is called in a child, within fork(), with all locks of the list held:
 * it may not allocate. NULL: there is nothing to do. False when resources are lacking. With no lock of the list held.
 */
bool nx_fork_guard_init(struct nx_fork_guard *guard, struct nx_lock *lock, enum nx_fork_rank rank,
                        void (*inherited)(void *context), void *context);

/* Ends the lock; one that is zeroed, or was ended, stays as it is. With no lock of the list held. */
void nx_fork_guard_destroy(struct nx_fork_guard *guard);

/* Has forks noticed from now on, as the first guard does. False when memory ran out. */
bool nx_fork_watch(void);

/* How many forks, since they are noticed, lie between the process that began with that and this one. Never changes
 * within a process. */
uint32_t nx_fork_generation(void);

#endif
