/* Locks and the waiting of threads. A thin layer: it knows pthread so that nobody else has to. */
#ifndef NX_LOCK_H
#define NX_LOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct nx_lock {
    pthread_mutex_t mutex;
};

#define NX_LOCK_INITIALIZER                                                                                            \
    {                                                                                                                  \
        PTHREAD_MUTEX_INITIALIZER                                                                                      \
    }

struct nx_condition {
    pthread_cond_t cond;
};

struct nx_thread {
    pthread_t id;
};

/* False when the system lacks resources. */
bool nx_lock_init(struct nx_lock *lock);
void nx_lock_destroy(struct nx_lock *lock);
void nx_lock_take(struct nx_lock *lock);
void nx_lock_give(struct nx_lock *lock);

bool nx_condition_init(struct nx_condition *condition);
void nx_condition_destroy(struct nx_condition *condition);
void nx_condition_signal(struct nx_condition *condition);

/* Waits for a signal, wait_ms at most (never longer than a day). May return without either. */
void nx_condition_wait(struct nx_condition *condition, struct nx_lock *lock, int64_t wait_ms);

/* The thread that calls, and whether a thread is the one that calls. */
struct nx_thread nx_thread_self(void);
bool nx_thread_is_self(const struct nx_thread *thread);

#endif
