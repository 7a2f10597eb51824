/*
 * Every allocation on the way of an answer that is large, slow or a refusal fails: once, and once and for ever from
 * there. No crash, no leak, a true status, never half a token; and the source works afterwards.
 */
#include "support/test.h"

#include "support/failing.h"
#include "support/fixture.h"
#include "support/torture.h"

#include <stdio.h>
#include <string.h>

enum { MEMBERS = 300, BODY = 65000, LONG_TOKEN = 8000 };

static char large_json[BODY], large_envelope[BODY], large_xml[BODY], long_token[LONG_TOKEN + 1];

static size_t add_members(char *text, size_t used, const char *form)
{
    for (int i = 0; i < MEMBERS; i++)
        used += (size_t)snprintf(text + used, BODY - used, form, i, i, i);
    return used;
}

/* A token of 8,000 bytes behind hundreds of members that nobody knows. */
static void write_answers(void)
{
    size_t used;

    memset(long_token, 'a', LONG_TOKEN);
    used = add_members(large_json, (size_t)snprintf(large_json, BODY, "{"), "\"m%d\":[{\"\\u0061\":%d}, \"%d\"],");
    snprintf(large_json + used, BODY - used, "\"access_token\":\"%s\",\"expires_in\":3600.0}", long_token);
    used = (size_t)snprintf(large_envelope, BODY, "{\"code\":0,\"msg\":\"success\",\"result\":{");
    used = add_members(large_envelope, used, "\"m%d\":[{\"\\u0061\":%d}, \"%d\"],");
    snprintf(large_envelope + used, BODY - used,
             "\"access_token\":\"%s\",\"expires_in\":3.6e3,\"refresh_token\":\"r\",\"scope\":\"s\"}}", long_token);
    used = add_members(large_xml, (size_t)snprintf(large_xml, BODY, "<TokenResponse>"), "<m a=\"%d\">%d<n>%d</n></m>");
    snprintf(large_xml + used, BODY - used,
             "<access_token>%s</access_token><expires_in>3600</expires_in></TokenResponse>", long_token);
}

static nexauth_source *new_controller(struct fixture *fixture)
{
    return fixture_new_controller(fixture);
}

static nexauth_source *new_app(struct fixture *fixture)
{
    const struct nexauth_nexusguard_app_options options = {.app_id = "app", .secret = "app-secret"};
    nexauth_source *source = NULL;

    assert_int_equal(nexauth_source_new_nexusguard_app(fixture->session, &options, &source, NULL), NEXAUTH_OK);
    return source;
}

/* A code that the web handler brought, for the exchange to come. */
static nexauth_source *new_web_user(struct fixture *fixture)
{
    struct nexauth_nexusguard_user_options options = fixture_customer;
    nexauth_authorization *authorization = NULL;
    nexauth_source *source;
    char url[128];

    options.web_handler = 1;
    source = fixture_new_customer(fixture, &options);
    assert_int_equal(nexauth_source_authorize(source, &authorization, NULL), NEXAUTH_OK);
    snprintf(url, sizeof url, "/callback?code=c&state=%s", nexauth_authorization_state(authorization));
    assert_int_equal(nexauth_source_accept_redirect(source, url, nexauth_authorization_state(authorization), NULL),
                     NEXAUTH_OK);
    nexauth_authorization_free(authorization);
    return source;
}

static const struct scenario {
    const char *name;
    nexauth_source *(*make)(struct fixture *fixture);
    struct script_answer answer;
    nexauth_status status; /* when no allocation fails */
    bool one_time;         /* what was sent does not serve again: the user begins anew */
} scenarios[] = {
    {"a large answer in JSON", new_controller, {.status = 200, .body = large_json}, NEXAUTH_OK, false},
#ifdef NEXAUTH_XML
    {"a large answer in XML", new_controller, {.status = 200, .body = large_xml}, NEXAUTH_OK, false},
#endif
    {"a large envelope", new_app, {.status = 200, .body = large_envelope}, NEXAUTH_OK, false},
    {"a web handler's code", new_web_user, {.status = 200, .body = large_envelope}, NEXAUTH_OK, true},
    {"throttled", new_controller, {.status = 429, .retry_after = "5"}, NEXAUTH_THROTTLED, false},
    {"throttled by a date",
     new_app,
     {.status = 429, .retry_after = "Wed, 18 May 2033 03:33:30 GMT"},
     NEXAUTH_THROTTLED,
     false},
    {"unavailable", new_controller, {.status = 500, .body = "<html>broken</html>"}, NEXAUTH_UNAVAILABLE, false},
    {"half an answer", new_controller, {.status = 200, .body = "{\"access_token\":\"aaaa"}, NEXAUTH_PROTOCOL, false},
    {"no answer in time", new_controller, {.takes_ms = INT64_MAX}, NEXAUTH_TIMEOUT, false},
};

static void assert_whole(const nexauth_token *token, nexauth_status status)
{
    assert_int_equal(token != NULL, status == NEXAUTH_OK);
    if (!token)
        return;
    assert_string_equal(nexauth_token_access_token(token), long_token);
    assert_string_equal(
        nexauth_token_header(token) ? nexauth_token_header(token) + 22 : nexauth_token_query(token) + 13, long_token);
    assert_true(nexauth_token_lifetime_s(token) > 0);
}

static nexauth_status get(nexauth_source *source, struct nexauth_error *error)
{
    const struct nexauth_get_options options = {.timeout_ms = 40000};
    nexauth_token *token = NULL;
    const nexauth_status status = nexauth_source_get_token(source, &options, &token, error);

    assert_whole(token, status);
    nexauth_token_unref(token);
    return status;
}

/* With memory at hand; what is held against nobody any more. A code that was lost is brought anew. */
static void assert_works_again(struct fixture *fixture, const struct scenario *scenario, nexauth_source *source)
{
    struct nexauth_error error = {0};
    const bool json = scenario->make == new_controller;

    fixture_forget(fixture);
    script_answer_always(&fixture->script,
                         (struct script_answer){.status = 200, .body = json ? large_json : large_envelope});
    if (scenario->one_time) {
        nexauth_source_free(source);
        source = new_web_user(fixture);
    }
    if (get(source, &error) != NEXAUTH_OK)
        fail_msg("%s, afterwards: %s: %s", scenario->name, nexauth_status_name(error.status), error.message);
    nexauth_source_free(source);
}

/* One run with one failing allocation. False when it was beyond the last. */
static bool run(const void *context, size_t failing, bool for_ever)
{
    const struct scenario *scenario = context;
    void *state = NULL;
    struct nexauth_error error = {0};
    struct fixture *fixture;
    nexauth_source *source;
    nexauth_status status;
    size_t allocations;

    assert_int_equal(fixture_set_up(&state), 0);
    fixture = state;
    source = scenario->make(fixture);
    script_answer_always(&fixture->script, scenario->answer);
    failing_arm(failing, for_ever);
    status = get(source, &error);
    allocations = failing_disarm();
    if (status != scenario->status && status != NEXAUTH_NO_MEMORY && !(scenario->one_time && status == NEXAUTH_REAUTH))
        fail_msg("%s: %s: %s", scenario->name, nexauth_status_name(status), error.message);
    if (failing > allocations)
        assert_int_equal(status, scenario->status);
    assert_works_again(fixture, scenario, source);
    fixture_tear_down(&state);
    return failing <= allocations;
}

static void every_allocation_may_fail(void **state)
{
    torture(run, *state, 4);
}

int main(void)
{
    enum { SCENARIOS = sizeof scenarios / sizeof *scenarios };
    struct CMUnitTest tests[SCENARIOS];

    write_answers();
    failing_hook_dependencies();
    for (size_t i = 0; i < SCENARIOS; i++)
        tests[i] = (struct CMUnitTest){
            .name = scenarios[i].name, .test_func = every_allocation_may_fail, .initial_state = (void *)&scenarios[i]};
    return cmocka_run_group_tests_name("every allocation may fail", tests, NULL, NULL);
}
