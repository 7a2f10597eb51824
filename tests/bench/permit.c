/*
 * A permit of the rate ledger: taken, and returned with an answer. The ledger is the process's own, which forked
 * children would share. The floor is what one process alone needs at least: a ring of the times at which slots come
 * back, behind a lock, by the same clock. The limit is so large that nobody ever waits.
 */
#include "bench/bench.h"
#include "bench/second.h"
#include "io/tree_permits.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

enum { KEY = 77, REQUESTS = 100000, WINDOW_MS = 1, WINDOW_US = WINDOW_MS * 1000 };

static struct nx_permits *permits;

/* The floor's own. Those out and those that cool are the limit's at most. */
static struct {
    pthread_mutex_t lock;
    uint32_t out, head, count;
    int64_t ended_us[REQUESTS];
} bare = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool pass(size_t times)
{
    static const struct nx_outcome FINE = {.end = NX_END_ANSWERED, .word = NX_WORD_FINE};
    const struct nx_permit_wish wish = {
        .doors = {{KEY, REQUESTS, WINDOW_MS, false}}, .count = 1, .lane = NX_LANE_TOKEN, .patience_ms = 1000};
    struct nx_permit permit = {0};
    int64_t wait_ms;

    for (size_t i = 0; i < times; i++) {
        if (permits->verbs->enter(permits, &permit, &wish, &wait_ms) != NX_TURN_NOW)
            return false;
        permits->verbs->end(permits, &permit, &FINE);
    }
    return true;
}

static int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_RAW, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static bool take_bare(void)
{
    int64_t now;
    bool taken;

    pthread_mutex_lock(&bare.lock);
    now = now_us();
    while (bare.count && bare.ended_us[bare.head] + WINDOW_US <= now) {
        bare.head = (bare.head + 1) % REQUESTS;
        bare.count--;
    }
    taken = bare.out + bare.count < REQUESTS;
    bare.out += taken;
    pthread_mutex_unlock(&bare.lock);
    return taken;
}

static void return_bare(void)
{
    pthread_mutex_lock(&bare.lock);
    bare.out--;
    bare.ended_us[(bare.head + bare.count++) % REQUESTS] = now_us();
    pthread_mutex_unlock(&bare.lock);
}

static bool pass_bare(size_t times)
{
    for (size_t i = 0; i < times; i++) {
        if (!take_bare())
            return false;
        return_bare();
    }
    return true;
}

/* The first window of a process has half, which suffices too. */
static bool prepare(void)
{
    permits = nx_tree_permits();
    return permits != NULL;
}

static void finish(void)
{
    permits = NULL;
}

static bool prepare_two(void)
{
    return prepare() && second_start();
}

static void finish_two(void)
{
    second_end();
    finish();
}

static bool pass_twice(size_t times)
{
    return second_with(pass, times);
}

static bool pass_bare_twice(size_t times)
{
    return second_with(pass_bare, times);
}

const struct bench bench_permit = {
    .name = "permit",
    .what = "a permit taken and returned",
    .floor = "a mutexed ring buffer with the same clock",
    .time_bar = 1.5,
    .prepare = prepare,
    .finish = finish,
    .run = pass,
    .run_floor = pass_bare,
};

const struct bench bench_permit_two = {
    .name = "permit-two",
    .what = "the same by two threads at one door, each",
    .floor = "the same by two threads at one ring, each",
    .time_bar = 1.5,
    .least = 20000,
    .rounds = 31,
    .prepare = prepare_two,
    .finish = finish_two,
    .run = pass_twice,
    .run_floor = pass_bare_twice,
};
