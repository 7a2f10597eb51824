/*
 * The token that is at hand: taken by reference, and copied, by one thread and by two on one source. The floors do what
 * cannot be spared: the clocks that tell whether it is fresh, and a count up and down, or a copy that is known to be
 * whole.
 */
#include "bench/bench.h"
#include "bench/second.h"
#include "bench/token.h"
#include "nexauth/nexauth.h"

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

enum { COPY_SIZE = 2048 };

static nexauth_session *session;
static nexauth_source *source;

/* The floor's own: on lines of their own, as the library's are. */
static struct {
    _Alignas(64) _Atomic uint64_t count;
    _Alignas(64) _Atomic uint32_t sequence;
    _Atomic int64_t until_ms;
    size_t length;
    char text[COPY_SIZE];
} bare;

static int64_t coarse_ms(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool get(size_t times)
{
    nexauth_token *token;

    for (size_t i = 0; i < times; i++) {
        if (nexauth_source_get_token(source, NULL, &token, NULL))
            return false;
        nexauth_token_unref(token);
    }
    return true;
}

static bool count(size_t times)
{
    for (size_t i = 0; i < times; i++) {
        if (coarse_ms(CLOCK_MONOTONIC_COARSE) > coarse_ms(CLOCK_REALTIME_COARSE))
            return false;
        atomic_fetch_add_explicit(&bare.count, 1, memory_order_acquire);
        atomic_fetch_sub_explicit(&bare.count, 1, memory_order_acq_rel);
    }
    return true;
}

static bool copy(size_t times)
{
    char buffer[COPY_SIZE];
    size_t length = 0;

    for (size_t i = 0; i < times; i++) {
        if (nexauth_source_copy_token(source, NULL, buffer, sizeof buffer, &length, NULL))
            return false;
    }
    return length == bare.length;
}

static bool copy_bare(size_t times)
{
    char buffer[COPY_SIZE];

    for (size_t i = 0; i < times; i++) {
        const uint32_t sequence = atomic_load_explicit(&bare.sequence, memory_order_acquire);

        if (coarse_ms(CLOCK_MONOTONIC_COARSE) >= atomic_load_explicit(&bare.until_ms, memory_order_relaxed))
            return false;
        memcpy(buffer, bare.text, bare.length + 1);
        __asm__ volatile("" : : "r"(buffer) : "memory");
        atomic_thread_fence(memory_order_acquire);
        if (atomic_load_explicit(&bare.sequence, memory_order_relaxed) != sequence)
            return false;
    }
    return true;
}

static bool prepare(void)
{
    const int64_t now = (int64_t)time(NULL);
    const struct nexauth_nex_controller_options who = {
        .client_id = "5a5b", .client_secret = "abc123", .controller_id = "111aa", .controller_secret = "456def"};
    struct nexauth_saved_token saved = {.obtained_at = now, .expires_at = now + 86400, .lifetime_s = 86400};
    nexauth_token *first = NULL;
    struct nx_text token;
    bool ready;

    nx_text_init(&token, COPY_SIZE);
    bench_add_token(&token, "+");
    saved.access_token = nx_text_string(&token);
    ready = nexauth_session_new(NULL, &session, NULL) == NEXAUTH_OK &&
            nexauth_source_new_nex_controller(session, &who, &source, NULL) == NEXAUTH_OK &&
            nexauth_source_restore_token(source, &saved, NULL) == NEXAUTH_OK &&
            nexauth_source_get_token(source, NULL, &first, NULL) == NEXAUTH_OK;
    nx_text_release(&token);
    if (!ready)
        return false;
    bare.length = strlen(nexauth_token_header(first));
    memcpy(bare.text, nexauth_token_header(first), bare.length + 1);
    atomic_store(&bare.until_ms, INT64_MAX);
    nexauth_token_unref(first);
    return true;
}

static void finish(void)
{
    nexauth_source_free(source);
    nexauth_session_free(session);
    source = NULL;
    session = NULL;
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

static bool get_twice(size_t times)
{
    return second_with(get, times);
}

static bool count_twice(size_t times)
{
    return second_with(count, times);
}

static bool copy_twice(size_t times)
{
    return second_with(copy, times);
}

static bool copy_bare_twice(size_t times)
{
    return second_with(copy_bare, times);
}

const struct bench bench_get = {
    .name = "get",
    .what = "a cached token: get and unref",
    .floor = "two coarse clocks, an atomic count up and down",
    .time_bar = 1.3,
    .prepare = prepare,
    .finish = finish,
    .run = get,
    .run_floor = count,
};

const struct bench bench_get_two = {
    .name = "get-two",
    .what = "the same by two threads on one source, each",
    .floor = "the same by two threads on one count, each",
    .time_bar = 1.3,
    .least = 100000,
    .rounds = 31,
    .prepare = prepare_two,
    .finish = finish_two,
    .run = get_twice,
    .run_floor = count_twice,
};

const struct bench bench_copy = {
    .name = "copy",
    .what = "a cached token copied into a buffer",
    .floor = "a coarse clock, a sequence count, a copy",
    .prepare = prepare,
    .finish = finish,
    .run = copy,
    .run_floor = copy_bare,
};

const struct bench bench_copy_two = {
    .name = "copy-two",
    .what = "the same by two threads on one source, each",
    .floor = "the same by two threads, each",
    .least = 100000,
    .rounds = 31,
    .prepare = prepare_two,
    .finish = finish_two,
    .run = copy_twice,
    .run_floor = copy_bare_twice,
};
