/*
 * Benchmarks: what the library does, each beside its floor, the least that anybody could do with the same parts. A new
 * one is a struct bench of its own file and a line in bench.c.
 */
#ifndef NX_BENCH_H
#define NX_BENCH_H

#include "nexauth/nexauth.h"

#include <stdbool.h>
#include <stddef.h>

struct bench {
    const char *name; /* on the command line */
    const char *what; /* in the table */
    const char *floor;
    double bar;      /* instructions, ours by the floor's, must not exceed it; 0: they are not counted */
    double time_bar; /* the same of time, which is not judged; 0: there is none */
    bool served;     /* needs the server that tests/bench/run starts */
    bool cpu;        /* the time is what the process worked, not what passed */
    int rounds;      /* 0: as many as there are by default */
    size_t least;    /* the work is done so many times at once, at least */

    /* Readies for the two below; what it made goes with finish. False when it cannot. */
    bool (*prepare)(void);
    void (*finish)(void);

    /* Do the work so many times. False when it went wrong, which no figure survives. */
    bool (*run)(size_t times);
    bool (*run_floor)(size_t times);
};

/* Within a run: what comes between the two shows in no time. */
void bench_stop_watch(void);
void bench_start_watch(void);

/* For the sessions of the rows: the ledger's work is done, and nobody waits for a turn. */
extern const struct nexauth_limit bench_limit;

/* The first token of a process, for the row "first": nexauth-bench first ours|floor. */
bool bench_first(const char *side);

/* What so many sources cost, each with a token, for the line below the table: nexauth-bench sources N. */
bool bench_sources(size_t count);

extern const struct bench bench_json;
extern const struct bench bench_json_escaped;
#ifdef NEXAUTH_XML
extern const struct bench bench_xml;
#endif
extern const struct bench bench_get;
extern const struct bench bench_get_two;
extern const struct bench bench_copy;
extern const struct bench bench_copy_two;
extern const struct bench bench_permit;
extern const struct bench bench_permit_two;
extern const struct bench bench_http;
extern const struct bench bench_https;
extern const struct bench bench_dropped;
extern const struct bench bench_first_token;
extern const struct bench bench_flood_http;
extern const struct bench bench_flood_https;
extern const struct bench bench_flood_h2;
extern const struct bench bench_call;

#endif
