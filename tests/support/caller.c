#include "support/caller.h"

#include "support/test.h"

#include <stdio.h>

static void *get(void *context)
{
    struct caller *caller = context;
    const struct nexauth_get_options options = {.timeout_ms = caller->timeout_ms};
    nexauth_token *token = NULL;

    caller->status = nexauth_source_get_token(caller->source, &options, &token, &caller->error);
    if (token)
        snprintf(caller->token, sizeof caller->token, "%s", nexauth_token_access_token(token));
    nexauth_token_unref(token);
    return NULL;
}

void caller_start(struct caller *caller)
{
    assert_int_equal(pthread_create(&caller->thread, NULL, get, caller), 0);
}
