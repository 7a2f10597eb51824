#include "support/outcome.h"

#include "support/test.h"

#include <stdio.h>

void outcome_note(void *outcome, nexauth_token *token, const struct nexauth_error *error)
{
    struct outcome *self = outcome;

    self->runs++;
    self->wrong = !token == !error;
    if (token)
        snprintf(self->token, sizeof self->token, "%s", nexauth_token_access_token(token));
    if (error)
        self->error = *error;
    if (self->then && !self->then(self->context))
        self->wrong = true;
}

void outcome_start(nexauth_source *source, const struct nexauth_get_options *options, struct outcome *outcome)
{
    assert_int_equal(nexauth_source_start(source, options, outcome_note, outcome, NULL, NULL), NEXAUTH_OK);
}

void outcome_poll(nexauth_session *session, int64_t wait_ms)
{
    struct nexauth_error error = {0};

    if (nexauth_session_poll(session, wait_ms, &error) != NEXAUTH_OK)
        fail_msg("%s: %s", nexauth_status_name(error.status), error.message);
}

void outcome_assert_token(const struct outcome *outcome, const char *token)
{
    assert_int_equal(outcome->runs, 1);
    assert_false(outcome->wrong);
    assert_string_equal(outcome->error.message, "");
    assert_string_equal(outcome->token, token);
}

void outcome_assert_status(const struct outcome *outcome, nexauth_status status)
{
    assert_int_equal(outcome->runs, 1);
    assert_false(outcome->wrong);
    assert_string_equal(outcome->token, "");
    assert_string_equal(nexauth_status_name(outcome->error.status), nexauth_status_name(status));
}
