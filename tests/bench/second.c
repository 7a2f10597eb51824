#include "bench/second.h"

#include <pthread.h>

static struct {
    pthread_t thread;
    pthread_barrier_t barrier;
    bool (*work)(size_t times);
    size_t times;
    bool done;
} second;

static void *follow(void *context)
{
    (void)context;
    for (;;) {
        pthread_barrier_wait(&second.barrier);
        if (!second.work)
            return NULL;
        second.done = second.work(second.times);
        pthread_barrier_wait(&second.barrier);
    }
}

bool second_start(void)
{
    return pthread_barrier_init(&second.barrier, NULL, 2) == 0 &&
           pthread_create(&second.thread, NULL, follow, NULL) == 0;
}

bool second_with(bool (*work)(size_t times), size_t times)
{
    bool done;

    second.work = work;
    second.times = times;
    pthread_barrier_wait(&second.barrier);
    done = work(times);
    pthread_barrier_wait(&second.barrier);
    return done && second.done;
}

void second_end(void)
{
    second.work = NULL;
    pthread_barrier_wait(&second.barrier);
    pthread_join(second.thread, NULL);
    pthread_barrier_destroy(&second.barrier);
}
