/* io/lock.h for threads of the search. Stands in for src/io/lock.c. */
#include "io/lock.h"

#include "schedule.h"

#include <string.h>

enum { ALIVE = 0x6c6f636b };

/* What a lock or a condition holds in place of the system's. */
struct cell {
    int alive;
    int owner; /* of a lock: the thread's number and one; 0: none */
    bool awaited, signalled;
};

_Static_assert(sizeof(struct cell) <= sizeof(pthread_mutex_t), "a cell fits a lock");
_Static_assert(sizeof(struct cell) <= sizeof(pthread_cond_t), "a cell fits a condition");

static struct cell *in(void *place)
{
    struct cell *cell = place;

    if (cell->alive != ALIVE)
        schedule_fail("a lock or condition is used that is not there (any more)");
    return cell;
}

static bool init(void *place)
{
    *(struct cell *)place = (struct cell){.alive = ALIVE};
    return true;
}

static void destroy(void *place)
{
    if (in(place)->owner || in(place)->awaited)
        schedule_fail("a lock or condition ends in use");
    *(struct cell *)place = (struct cell){0};
}

bool nx_lock_init(struct nx_lock *lock)
{
    return init(lock);
}

void nx_lock_destroy(struct nx_lock *lock)
{
    destroy(lock);
}

static bool is_free(void *context)
{
    return !in(context)->owner;
}

static void take(struct nx_lock *lock)
{
    while (in(lock)->owner)
        schedule_wait("waits for a lock", is_free, lock, INT64_MAX, false);
    in(lock)->owner = schedule_self() + 1;
}

void nx_lock_take(struct nx_lock *lock)
{
    if (in(lock)->owner == schedule_self() + 1)
        schedule_fail("a lock is taken by who has it");
    schedule_point("takes a lock");
    take(lock);
}

void nx_lock_give(struct nx_lock *lock)
{
    if (in(lock)->owner != schedule_self() + 1)
        schedule_fail("a lock is given by who does not have it");
    in(lock)->owner = 0;
}

bool nx_condition_init(struct nx_condition *condition)
{
    return init(condition);
}

void nx_condition_destroy(struct nx_condition *condition)
{
    destroy(condition);
}

void nx_condition_signal(struct nx_condition *condition)
{
    struct cell *cell = in(condition);

    cell->signalled = cell->awaited;
}

static bool is_signalled(void *context)
{
    return in(context)->signalled;
}

void nx_condition_wait(struct nx_condition *condition, struct nx_lock *lock, int64_t wait_ms)
{
    struct cell *cell = in(condition);

    cell->awaited = true;
    cell->signalled = false;
    nx_lock_give(lock);
    schedule_wait("sleeps", is_signalled, condition, wait_ms, true);
    cell->awaited = false;
    take(lock);
}

struct nx_thread nx_thread_self(void)
{
    return (struct nx_thread){(pthread_t)schedule_self() + 1};
}

bool nx_thread_is_self(const struct nx_thread *thread)
{
    return thread->id == (pthread_t)schedule_self() + 1;
}
