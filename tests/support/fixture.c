#include "support/fixture.h"

#include "session/session.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>

const struct nexauth_nex_controller_options fixture_controller = {
    .client_id = "5a5b", .client_secret = "abc123", .controller_id = "111aa", .controller_secret = "456def"};

const struct nexauth_nexusguard_user_options fixture_customer = {.app_id = "app",
                                                                 .secret = "app-secret",
                                                                 .redirect_uri = "https://app.example.com/callback",
                                                                 .customer_id = "C-1001",
                                                                 .xspe = "spe-portal"};

int fixture_set_up_for_answers_of(void **state, int64_t max_answer_bytes)
{
    const struct nexauth_session_options options = {.exchange_timeout_ms = 30000, .max_answer_bytes = max_answer_bytes};
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct nx_world world;

    if (!fixture)
        return -1;
    script_init(&fixture->script);
    world = script_world(&fixture->script);
    *state = fixture;
    return nx_session_new_in(&world, &options, &fixture->session, NULL) == NEXAUTH_OK ? 0 : -1;
}

int fixture_set_up(void **state)
{
    return fixture_set_up_for_answers_of(state, 65536);
}

int fixture_tear_down(void **state)
{
    struct fixture *fixture = *state;

    nexauth_session_free(fixture->session);
    script_release(&fixture->script);
    free(fixture);
    return 0;
}

nexauth_source *fixture_new_controller(struct fixture *fixture)
{
    nexauth_source *source = NULL;

    assert_int_equal(nexauth_source_new_nex_controller(fixture->session, &fixture_controller, &source, NULL),
                     NEXAUTH_OK);
    return source;
}

nexauth_source *fixture_new_customer(struct fixture *fixture, const struct nexauth_nexusguard_user_options *options)
{
    nexauth_source *source = NULL;

    assert_int_equal(nexauth_source_new_nexusguard_user(fixture->session, options, &source, NULL), NEXAUTH_OK);
    return source;
}

void fixture_answer_token(struct fixture *fixture, const char *token, const char *lifetime_s)
{
    static char bodies[SCRIPT_ANSWERS][256];
    static size_t used;
    char *body = bodies[used++ % SCRIPT_ANSWERS];

    snprintf(body, sizeof bodies[0], "{\"access_token\":\"%s\",\"expires_in\":%s,\"token_type\":\"Bearer\"}", token,
             lifetime_s);
    script_answer(&fixture->script, (struct script_answer){.status = 200, .takes_ms = 100, .body = body});
}

#define ENVELOPE(token, refresh)                                                                                       \
    "{\"code\":0,\"msg\":\"success\",\"result\":{\"access_token\":\"" token "\",\"expires_in\":100"                    \
    ",\"refresh_token\":\"" refresh "\",\"scope\":\"install_login\"}}"

const struct script_answer fixture_right_redirect = {
    .status = 302, .location = "https://app.example.com/callback?code=the-code&state={state}"};
const struct script_answer fixture_first_token = {.status = 200, .body = ENVELOPE("one", "refresh-one")};
const struct script_answer fixture_second_token = {.status = 200, .body = ENVELOPE("two", "refresh-two")};
const struct script_answer fixture_refusal = {.status = 200, .body = "{\"code\":40030,\"msg\":\"no\",\"result\":[]}"};
const struct script_answer fixture_outspoken_refusal = {.status = 200,
                                                        .body = "{\"code\":40030,\"msg\":\"bad fresh xspe\"}"};

nexauth_status fixture_get(nexauth_source *source, const char *expected, struct nexauth_error *error)
{
    nexauth_token *token = NULL;
    const nexauth_status status = nexauth_source_get_token(source, NULL, &token, error);

    if (expected) {
        if (status != NEXAUTH_OK)
            fail_msg("%s: %s", nexauth_status_name(error->status), error->message);
        assert_string_equal(nexauth_token_access_token(token), expected);
    }
    nexauth_token_unref(token);
    return status;
}

void fixture_expire(struct fixture *fixture)
{
    script_pass_ms(&fixture->script, 100000);
}

void fixture_forget(struct fixture *fixture)
{
    script_pass_ms(&fixture->script, 3 * 3600000);
}

nexauth_status fixture_supply(void *xspe, char *out, size_t size)
{
    if (!xspe)
        return NEXAUTH_UNAVAILABLE;
    snprintf(out, size, "%s", (const char *)xspe);
    return NEXAUTH_OK;
}

struct nexauth_nexusguard_user_options fixture_with_callback(nexauth_xspe_callback callback, void *context)
{
    struct nexauth_nexusguard_user_options options = fixture_customer;

    options.xspe = NULL;
    options.xspe_callback = callback;
    options.xspe_context = context;
    return options;
}
