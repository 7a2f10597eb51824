/* A crowd of callers, in several processes, that all ask at one door for tokens of identities of their own, or call its
 * API. */
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
    int api_threads; /* besides threads, in each of them: they call the API over and over with a token that they have */
    int patience_ms; /* from the first question: nobody waits for longer, and nobody asks later */
};

/* How the questions ended, of all workers. */
struct crowd_outcome {
    int tokens;    /* beside those of the API's callers */
    int calls;     /* of the API that were answered with 200 */
    int put_off;   /* no turn came in time: THROTTLED by no answer of the service's, or TIMEOUT */
    int other;     /* the service's refusals among them */
    char why[320]; /* the status and message of one of `other` */
};

#define CROWD_CLIENT   "mycompany"
#define CROWD_SECRET   "abc123"
#define CROWD_PASSWORD "xyz456"

#define CROWD_ACCOUNTS "/tmp/crowd-XXXXXX"

/* An account for each of so many sources, in a file that an emulator takes; `path` is CROWD_ACCOUNTS, and becomes the
 * file's. */
void crowd_write_accounts(char *path, int sources);

/* The tree of processes is one of its own, so that it shares nothing with another crowd's. Fails the test when a worker
 * does not come to a good end. */
struct crowd_outcome crowd_ask(const struct crowd *crowd);

#endif
