/*
 * A world made for a test: a clock that only the script moves, a generator that counts, and a transport that answers
 * from a list. Time passes when the engine waits: by just as much as the next answer takes.
 */
#ifndef NX_TEST_SCRIPT_H
#define NX_TEST_SCRIPT_H

#include "core/world.h"

#include <pthread.h>

enum { SCRIPT_ANSWERS = 256 };

/* What comes back for one request. `location` may hold {state}, which is replaced by that of the request's URL. */
struct script_answer {
    enum nx_loss loss;
    bool unsent; /* of a loss: nothing of the request left */
    int status;
    int64_t takes_ms; /* INT64_MAX: for ever */
    const char *body;
    size_t body_size; /* 0: the body ends at its NUL */
    const char *location;
    const char *retry_after;
};

struct script_request {
    char method[8];
    const char *url; /* among the script's texts, as is the body */
    const char *body;
    bool one_time;
    bool answered; /* not given up, nor awaited still */
};

struct script {
    struct nx_transport base;
    pthread_mutex_t mutex;
    pthread_cond_t roused;
    int64_t boot_ms;
    int64_t wall_s;
    int64_t asleep_ms; /* boot minus monotonic */
    bool wakeup;
    int roused_event; /* readable from a wakeup to the turn that takes it up */
    bool blocks;      /* a turn without anything due waits in real time, until it is roused or stops blocking */
    size_t asleep;    /* threads that wait so */
    bool entropy_fails;
    unsigned char next_byte;
    struct script_answer answers[SCRIPT_ANSWERS];
    size_t answer_count;
    struct script_answer standing; /* for what the list has no answer to */
    bool stands;
    size_t begun;
    size_t given_up;
    bool freed;
    struct script_request requests[SCRIPT_ANSWERS]; /* the first ones */
    char *texts;                                    /* not from malloc(), which some tests let fail or count */
    size_t texts_size;
    struct nx_exchange *under_way[SCRIPT_ANSWERS]; /* each in a place of its own, free again after its end */
    struct script_answer coming[SCRIPT_ANSWERS];
    size_t number[SCRIPT_ANSWERS]; /* of the request, in the order of all */
    int64_t due_ms[SCRIPT_ANSWERS];
    size_t places; /* above them none was used yet */
};

/* Starts at boot time 1,000,000 ms and wall time 2,000,000,000 s. */
void script_init(struct script *script);
void script_release(struct script *script);

/* The world of this script, for nx_session_new_in(). */
struct nx_world script_world(struct script *script);

/* The next requests get these answers, one each, in order; without one, a request is answered never. */
void script_answer(struct script *script, struct script_answer answer);

/* From now on, whatever the list has no answer to gets this one. Any number of requests then, SCRIPT_ANSWERS of them at
 * a time. */
void script_answer_always(struct script *script, struct script_answer answer);

void script_pass_ms(struct script *script, int64_t ms);

/* How many requests have been begun. Safe from any thread. */
size_t script_begun(struct script *script);

/* Whether a thread waits in a blocked turn. Safe from any thread. */
bool script_sleeps(struct script *script);

/* Lets blocked turns look again, from any thread. */
void script_rouse(struct script *script);

#endif
