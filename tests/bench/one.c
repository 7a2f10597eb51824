/* One token after another over the network, by a source each, and the first one of a process. */
#include "bench/bare.h"
#include "bench/bench.h"
#include "bench/server.h"
#include "bench/stock.h"
#include "bench/token.h"

#include "nexauth/nexauth.h"

#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static const char FLOOR[] = "bare libcurl, a reused easy handle, and cJSON";

static struct {
    nexauth_session *session;
    struct bare bare;
    int pause_ms; /* before each */
} own;

static bool open_both(const char *origin, const char *ca_file, const char *ca_path)
{
    const struct nexauth_session_options options = {
        .ca_file = ca_file, .limits = &bench_limit, .limits_count = 1, .loopback_http = 1};

    own.pause_ms = 0;
    if (!*origin || nexauth_session_new(&options, &own.session, NULL) != NEXAUTH_OK)
        return false;
    stock_open(own.session, origin);
    return bare_open(&own.bare, origin, ca_file, ca_path);
}

static bool prepare_http(void)
{
    return open_both(bench_server().http, NULL, NULL);
}

static bool prepare_https(void)
{
    return open_both(bench_server().https, bench_server().ca_file, NULL);
}

static bool prepare_dropped(void)
{
    if (!open_both(bench_server().dropping, NULL, bench_server().ca_path))
        return false;
    own.pause_ms = BENCH_DROPPED_MS;
    return true;
}

static void finish(void)
{
    nexauth_session_free(own.session);
    stock_close();
    bare_close(&own.bare);
    own.session = NULL;
}

static bool get_one(nexauth_source *source)
{
    nexauth_token *token = NULL;
    bool good = source && nexauth_source_get_token(source, NULL, &token, NULL) == NEXAUTH_OK;

    good = good && strlen(nexauth_token_header(token)) == strlen("Authorization: Bearer ") + TOKEN_SIZE;
    nexauth_token_unref(token);
    return good;
}

static void await_end_of_connection(void)
{
    const struct timespec pause = {.tv_nsec = own.pause_ms * 1000000L};

    if (own.pause_ms == 0)
        return;
    bench_stop_watch();
    nanosleep(&pause, NULL);
    bench_start_watch();
}

static bool run(size_t times)
{
    bool good = true;

    for (size_t i = 0; good && i < times; i++) {
        nexauth_source *source = stock_take();

        await_end_of_connection();
        good = get_one(source);
        stock_put_away(source);
    }
    return good;
}

static bool run_floor(size_t times)
{
    bool good = true;

    for (size_t i = 0; good && i < times; i++) {
        await_end_of_connection();
        good = bare_get(&own.bare);
    }
    return good;
}

/* ---- The first of a process -------------------------------------------------------------------------------------- */

bool bench_first(const char *side)
{
    static struct bare bare;
    const struct bench_server server = bench_server();
    nexauth_session *session = NULL;
    nexauth_source *source;
    bool good;

    if (strcmp(side, "floor") == 0) {
        good = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK &&
               bare_open(&bare, server.https, NULL, server.ca_path) && bare_get(&bare);
        bare_close(&bare);
        return good;
    }
    if (nexauth_session_new(NULL, &session, NULL) != NEXAUTH_OK)
        return false;
    source = stock_make(session, server.https);
    good = get_one(source);
    nexauth_source_free(source);
    nexauth_session_free(session);
    return good;
}

static bool start_processes(const char *side, size_t times)
{
    char program[] = "/proc/self/exe", verb[] = "first", word[8] = {0};
    char *const arguments[] = {program, verb, word, NULL};
    bool good = true;

    snprintf(word, sizeof word, "%s", side);
    for (size_t i = 0; good && i < times; i++) {
        pid_t child;
        int status = -1;

        good = posix_spawn(&child, program, NULL, NULL, arguments, environ) == 0 &&
               waitpid(child, &status, 0) == child && status == 0;
    }
    return good;
}

static bool prepare_first(void)
{
    return *bench_server().https;
}

static void finish_first(void)
{
}

static bool run_first(size_t times)
{
    return start_processes("ours", times);
}

static bool run_first_floor(size_t times)
{
    return start_processes("floor", times);
}

const struct bench bench_http = {
    .name = "http",
    .what = "get a token over a kept http connection",
    .floor = FLOOR,
    .bar = 1.12, /* 105,000 of 93,000 */
    .served = true,
    .cpu = true,
    .prepare = prepare_http,
    .finish = finish,
    .run = run,
    .run_floor = run_floor,
};

const struct bench bench_https = {
    .name = "https",
    .what = "the same over https",
    .floor = FLOOR,
    .bar = 1.11, /* 128,000 of 115,000 */
    .time_bar = 1.10,
    .served = true,
    .cpu = true,
    .prepare = prepare_https,
    .finish = finish,
    .run = run,
    .run_floor = run_floor,
};

const struct bench bench_dropped = {
    .name = "dropped",
    .what = "the same after the server closed the idle connection",
    .floor = "the same, its TLS session resumed",
    .time_bar = 1.10,
    .served = true,
    .prepare = prepare_dropped,
    .finish = finish,
    .run = run,
    .run_floor = run_floor,
};

const struct bench bench_first_token = {
    .name = "first",
    .what = "start a process, get a token over https, and end",
    .floor = "bare libcurl and cJSON",
    .time_bar = 1.10,
    .served = true,
    .rounds = 101,
    .prepare = prepare_first,
    .finish = finish_first,
    .run = run_first,
    .run_floor = run_first_floor,
};
