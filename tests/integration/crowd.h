/* A crowd of callers, in several processes, that all ask at one door for tokens of identities of their own. */
#ifndef NX_TEST_CROWD_H
#define NX_TEST_CROWD_H

#include <stdbool.h>
#include <stdint.h>

struct crowd {
    const char *origin;  /* of NEX */
    const char *ca_file; /* NULL: plain http to this machine */
    int64_t requests;    /* the limit: so many in any */
    int64_t window_ms;
    int sources;     /* each is asked for one token, by one caller; their users are user-0, user-1, ... */
    int workers;     /* processes, forked when the first session is there */
    int threads;     /* in each of them; 0: each turns its session by polling */
    int patience_ms; /* from the first question: nobody waits for longer, and nobody asks later */
};

/* How the questions ended, of all workers. */
struct crowd_outcome {
    int tokens;
    int put_off;   /* no turn came in time: THROTTLED by no answer of the service's, or TIMEOUT */
    int other;     /* the service's refusals among them */
    char why[320]; /* the status and message of one of `other` */
};

#define CROWD_CLIENT   "mycompany"
#define CROWD_SECRET   "abc123"
#define CROWD_PASSWORD "xyz456"

/* The tree of processes is one of its own, so that it shares nothing with another crowd's. Fails the test when a worker
 * does not come to a good end. */
struct crowd_outcome crowd_ask(const struct crowd *crowd);

#endif
