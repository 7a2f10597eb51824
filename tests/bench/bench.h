/*
 * Benchmarks: what the library does, each beside its floor, the least that anybody could do with the same parts. A new
 * one is a struct bench of its own file and a line in bench.c.
 */
#ifndef NX_BENCH_H
#define NX_BENCH_H

#include <stdbool.h>
#include <stddef.h>

struct bench {
    const char *name; /* on the command line */
    const char *what; /* in the table */
    const char *floor;
    double bar; /* instructions, ours by the floor's, must not exceed it */

    /* Readies for the two below; what it made goes with finish. False when it cannot. */
    bool (*prepare)(void);
    void (*finish)(void);

    /* Do the work so many times. False when it went wrong, which no figure survives. */
    bool (*run)(size_t times);
    bool (*run_floor)(size_t times);
};

extern const struct bench bench_json;
extern const struct bench bench_json_escaped;
#ifdef NEXAUTH_XML
extern const struct bench bench_xml;
#endif

#endif
