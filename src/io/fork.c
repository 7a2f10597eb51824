#include "io/fork.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static struct nx_fork_guard *guards; /* in the order of their ranks */
static atomic_uint generation;

static void prepare(void)
{
    pthread_mutex_lock(&list_lock);
    for (struct nx_fork_guard *guard = guards; guard; guard = guard->next)
        nx_lock_take(guard->lock);
}

static void give_all(void)
{
    for (struct nx_fork_guard *guard = guards; guard; guard = guard->next)
        nx_lock_give(guard->lock);
    pthread_mutex_unlock(&list_lock);
}

static void begin_child(void)
{
    atomic_fetch_add_explicit(&generation, 1, memory_order_relaxed);
    for (struct nx_fork_guard *guard = guards; guard; guard = guard->next) {
        if (guard->inherited)
            guard->inherited(guard->context);
    }
    give_all();
}

static atomic_bool registered;

static void register_handlers(void)
{
    atomic_store_explicit(&registered, pthread_atfork(prepare, give_all, begin_child) == 0, memory_order_release);
}

static bool is_registered(void)
{
    return atomic_load_explicit(&registered, memory_order_acquire);
}

/* What once failed may go well later: it was memory that ran out. First by pthread_once(), which a fork in its middle
 * does not leave under way for ever in the child, as it would a lock. */
bool nx_fork_watch(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, register_handlers);
    if (!is_registered()) {
        pthread_mutex_lock(&list_lock);
        if (!is_registered())
            register_handlers();
        pthread_mutex_unlock(&list_lock);
    }
    return is_registered();
}

static void enter(struct nx_fork_guard *guard)
{
    struct nx_fork_guard **at = &guards;

    pthread_mutex_lock(&list_lock);
    while (*at && (*at)->rank < guard->rank) {
        guard->previous = *at;
        at = &(*at)->next;
    }
    guard->next = *at;
    if (guard->next)
        guard->next->previous = guard;
    *at = guard;
    pthread_mutex_unlock(&list_lock);
}

bool nx_fork_guard_init(struct nx_fork_guard *guard, struct nx_lock *lock, enum nx_fork_rank rank,
                        void (*inherited)(void *context), void *context)
{
    *guard = (struct nx_fork_guard){.rank = rank, .inherited = inherited, .context = context};
    if (!nx_fork_watch() || !nx_lock_init(lock))
        return false;
    guard->lock = lock;
    enter(guard);
    return true;
}

void nx_fork_guard_destroy(struct nx_fork_guard *guard)
{
    if (!guard->lock)
        return;
    pthread_mutex_lock(&list_lock);
    *(guard->previous ? &guard->previous->next : &guards) = guard->next;
    if (guard->next)
        guard->next->previous = guard->previous;
    pthread_mutex_unlock(&list_lock);
    nx_lock_destroy(guard->lock);
    *guard = (struct nx_fork_guard){0};
}

uint32_t nx_fork_generation(void)
{
    return atomic_load_explicit(&generation, memory_order_relaxed);
}
