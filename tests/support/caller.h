/* A caller that blocks, in a thread of its own. */
#ifndef NX_TEST_CALLER_H
#define NX_TEST_CALLER_H

#include "nexauth/nexauth.h"

#include <pthread.h>

/* Begin it with source and timeout_ms (0: the library's). The rest is to be looked at when its thread was joined. */
struct caller {
    nexauth_source *source;
    int64_t timeout_ms;
    nexauth_status status;
    struct nexauth_error error;
    char token[64]; /* "" when none came */
    pthread_t thread;
};

/* Asks for a token, and drops it. */
void caller_start(struct caller *caller);

#endif
