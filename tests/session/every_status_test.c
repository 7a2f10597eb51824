/* Every status that HTTP has room for, with right and wrong bodies: a token comes with success alone, and whatever else
 * comes has the status that the ten rules of core/classify.c give it. */
#include "support/test.h"

#include "support/fixture.h"

#include <stdbool.h>
#include <string.h>

static const struct body {
    const char *name;
    const char *text;
    nexauth_status success; /* at 2xx */
    nexauth_status error;   /* what an OAuth error means; OK: there is none */
    bool html;
    bool message; /* as ASP.NET has it */
} bodies[] = {
    {.name = "a token", .text = "{\"access_token\":\"one\",\"expires_in\":100}"},
    {.name = "an envelope", .text = "{\"code\":0,\"result\":{\"access_token\":\"one\"}}", .success = NEXAUTH_PROTOCOL},
    {.name = "half a token", .text = "{\"access_token\":\"one\",", .success = NEXAUTH_PROTOCOL},
    {.name = "a token of two lines",
     .text = "{\"access_token\":\"one\\r\\nX-Injected: 1\"}",
     .success = NEXAUTH_PROTOCOL},
    {.name = "invalid_client", .text = "{\"error\":\"invalid_client\"}", .error = NEXAUTH_DENIED},
    {.name = "server_error", .text = "{\"error\":\"server_error\"}", .error = NEXAUTH_UNAVAILABLE},
    {.name = "an error beside a token",
     .text = "{\"access_token\":\"one\",\"error\":\"invalid_scope\"}",
     .error = NEXAUTH_CONFIG},
    {.name = "a message", .text = "{\"Message\":\"no\"}", .success = NEXAUTH_PROTOCOL, .message = true},
    {.name = "a captive portal",
     .text = "<!DOCTYPE html><html><body>Welcome! Please log in.</body></html>",
     .success = NEXAUTH_PROTOCOL,
     .html = true},
    {.name = "nothing", .text = "", .success = NEXAUTH_PROTOCOL},
    {.name = "words", .text = "\x01\xff\xfe words", .success = NEXAUTH_PROTOCOL},
};

static nexauth_status expected(int http, const struct body *body)
{
    if (http >= 300 && http < 400)
        return NEXAUTH_CONFIG;
    if (http == 429 || http == 503)
        return NEXAUTH_THROTTLED;
    if (body->error)
        return body->error;
    if (http >= 200 && http < 300)
        return body->success;
    if (http >= 500 || http == 408 || http == 425)
        return NEXAUTH_UNAVAILABLE;
    if (http == 403 && body->html)
        return NEXAUTH_BLOCKED;
    return http == 401 || http == 403 || (http == 400 && body->message) ? NEXAUTH_DENIED : NEXAUTH_CONFIG;
}

/* What is told of an answer does not depend on what was answered before: each has a session of its own. */
static nexauth_status ask(nexauth_source *(*make)(struct fixture *), struct script_answer answer, size_t *requests)
{
    void *state;
    struct nexauth_error error = {0};

    assert_int_equal(fixture_set_up(&state), 0);
    struct fixture *fixture = state;
    nexauth_source *source = make(fixture);
    script_answer_always(&fixture->script, answer);
    const nexauth_status status = fixture_get(source, NULL, &error);
    assert_int_equal(error.status, status);
    assert_int_equal(error.http_status, status ? answer.status : 0);
    *requests = script_begun(&fixture->script);
    nexauth_source_free(source);
    fixture_tear_down(&state);
    return status;
}

static void credentials_bring_a_token_with_success_alone(void **state)
{
    int wrong = 0;

    (void)state;
    for (int http = 100; http < 600; http++) {
        for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
            const struct script_answer answer = {.status = http, .body = bodies[i].text};
            size_t requests;
            const nexauth_status status = ask(fixture_new_controller, answer, &requests);

            if (status != expected(http, &bodies[i]) || requests != 1) {
                print_error("%d with %s: %s\n", http, bodies[i].name, nexauth_status_name(status));
                wrong++;
            }
        }
    }
    assert_int_equal(wrong, 0);
}

static nexauth_source *new_saved(struct fixture *fixture)
{
    const struct nexauth_nexusguard_user_options options = {.app_id = "app", .refresh_token = "saved"};

    return fixture_new_customer(fixture, &options);
}

/* Where an answer does not say that the refresh token was not used up, the user has to act. */
static bool is_of_what_serves_once(int http, nexauth_status status)
{
    if (http == 429 || http == 503)
        return status == NEXAUTH_THROTTLED;
    if (http >= 300 && http < 400)
        return status == NEXAUTH_CONFIG || status == NEXAUTH_REAUTH;
    if (http >= 200 && http < 300)
        return status == NEXAUTH_REAUTH || status == NEXAUTH_UNAVAILABLE || status == NEXAUTH_CONFIG ||
               status == NEXAUTH_DENIED;
    return status != NEXAUTH_OK && status != NEXAUTH_THROTTLED && status != NEXAUTH_INVALID;
}

static void a_refresh_brings_a_token_with_success_alone(void **state)
{
    (void)state;
    for (int http = 100; http < 600; http++) {
        struct script_answer answer = fixture_first_token;
        size_t requests;

        answer.status = http;
        assert_int_equal(ask(new_saved, answer, &requests) == NEXAUTH_OK, http >= 200 && http < 300);
        assert_int_equal(requests, 1);
        for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
            const nexauth_status status = ask(new_saved, (struct script_answer){.status = http, .body = bodies[i].text},
                                              &requests);
            const bool envelope = strcmp(bodies[i].name, "an envelope") == 0 && http >= 200 && http < 300;

            if (requests != 1 || (envelope ? status != NEXAUTH_OK : !is_of_what_serves_once(http, status)))
                fail_msg("%d with %s: %s", http, bodies[i].name, nexauth_status_name(status));
        }
    }
}

static nexauth_source *new_customer(struct fixture *fixture)
{
    return fixture_new_customer(fixture, &fixture_customer);
}

/* The code goes out in a second request, and not otherwise. */
static void a_connect_brings_a_code_with_302_alone(void **state)
{
    (void)state;
    for (int http = 100; http < 600; http++) {
        struct script_answer answer = fixture_right_redirect;
        size_t requests;

        answer.status = http;
        assert_int_not_equal(ask(new_customer, answer, &requests), NEXAUTH_OK);
        assert_int_equal(requests, http == 302 ? 2 : 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credentials_bring_a_token_with_success_alone),
        cmocka_unit_test(a_refresh_brings_a_token_with_success_alone),
        cmocka_unit_test(a_connect_brings_a_code_with_302_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
