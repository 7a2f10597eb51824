#include "io/lock.h"

#include <time.h>

enum { LONGEST_WAIT_MS = 86400000 };

bool nx_lock_init(struct nx_lock *lock)
{
    return pthread_mutex_init(&lock->mutex, NULL) == 0;
}

void nx_lock_destroy(struct nx_lock *lock)
{
    pthread_mutex_destroy(&lock->mutex);
}

void nx_lock_take(struct nx_lock *lock)
{
    pthread_mutex_lock(&lock->mutex);
}

void nx_lock_give(struct nx_lock *lock)
{
    pthread_mutex_unlock(&lock->mutex);
}

/* The wall clock may jump: waits are measured by the monotonic one. */
bool nx_condition_init(struct nx_condition *condition)
{
    pthread_condattr_t attributes;
    bool ready;

    if (pthread_condattr_init(&attributes) != 0)
        return false;
    ready = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
            pthread_cond_init(&condition->cond, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return ready;
}

void nx_condition_destroy(struct nx_condition *condition)
{
    pthread_cond_destroy(&condition->cond);
}

void nx_condition_signal(struct nx_condition *condition)
{
    pthread_cond_signal(&condition->cond);
}

void nx_condition_wait(struct nx_condition *condition, struct nx_lock *lock, int64_t wait_ms)
{
    struct timespec until;

    if (wait_ms > LONGEST_WAIT_MS)
        wait_ms = LONGEST_WAIT_MS;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(wait_ms / 1000);
    until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(&condition->cond, &lock->mutex, &until);
}

struct nx_thread nx_thread_self(void)
{
    return (struct nx_thread){pthread_self()};
}

bool nx_thread_is_self(const struct nx_thread *thread)
{
    return pthread_equal(thread->id, pthread_self()) != 0;
}
