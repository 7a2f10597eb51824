/* What the callback of a call was told, and how often. */
#ifndef NX_TEST_OUTCOME_H
#define NX_TEST_OUTCOME_H

#include "nexauth/nexauth.h"

#include <stdbool.h>

/* Start it as {0}. To be looked at by the thread that polls. */
struct outcome {
    int runs;
    bool wrong; /* a token and an error, or neither */
    char token[64];
    struct nexauth_error error;
    bool (*then)(void *context); /* NULL, or what the callback does next; false: something was wrong */
    void *context;
};

/* The callback; its context is the struct outcome. */
void outcome_note(void *outcome, nexauth_token *token, const struct nexauth_error *error);

/* Starts a call, which must go well, and drops it. */
void outcome_start(nexauth_source *source, const struct nexauth_get_options *options, struct outcome *outcome);

/* Polls, which must go well. */
void outcome_poll(nexauth_session *session, int64_t wait_ms);

/* The callback has run once, with this token; or with this error. */
void outcome_assert_token(const struct outcome *outcome, const char *token);
void outcome_assert_status(const struct outcome *outcome, nexauth_status status);

#endif
