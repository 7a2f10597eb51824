/* The server that tests/bench/run starts: it answers every POST with one token, at several origins. */
#ifndef NX_BENCH_SERVER_H
#define NX_BENCH_SERVER_H

struct bench_server {
    const char *http;
    const char *https;    /* HTTP/1.1 */
    const char *h2;       /* HTTP/2 */
    const char *dropping; /* https; an idle connection is closed after a moment */
    const char *ca_file;
    const char *ca_path; /* a folder like the system's, of its CAs and the server's */
};

enum { BENCH_DROPPED_MS = 12 }; /* by then an idle connection of `dropping` is closed, surely */

/* As the environment has it. What it lacks is "": nothing is there. */
struct bench_server bench_server(void);

#endif
