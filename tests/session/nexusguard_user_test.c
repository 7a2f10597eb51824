/* The courses of a source whose user authorizes: connect, code, refresh, and what becomes of one-time values. */
#include "support/test.h"

#include "core/provider.h"
#include "support/fixture.h"

#include <stdio.h>
#include <string.h>

static void assert_path(const struct fixture *fixture, size_t request, const char *path)
{
    const char *url = fixture->script.requests[request].url;

    assert_true(fixture->script.begun > request);
    assert_memory_equal(url, "https://api.nexusguard.com", 26);
    assert_memory_equal(url + 26, path, strlen(path));
}

static void the_library_connects_exchanges_and_refreshes(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_customer(fixture, &fixture_customer);
    struct nexauth_error error = {0};

    script_answer(&fixture->script, fixture_right_redirect);
    script_answer(&fixture->script, fixture_first_token);
    script_answer(&fixture->script, fixture_second_token);
    fixture_get(source, "one", &error);
    assert_path(fixture, 0, "/oauth/connect?app_id=app&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcallback&");
    assert_path(fixture, 1, "/oauth/access_token");
    assert_string_equal(fixture->script.requests[1].body,
                        "app_id=app&secret=app-secret&code=the-code&grant_type=authorization_code");
    fixture_expire(fixture);
    fixture_get(source, "two", &error);
    assert_path(fixture, 2, "/oauth/refresh_token");
    assert_string_equal(fixture->script.requests[2].body,
                        "app_id=app&refresh_token=refresh-one&grant_type=refresh_code");
    assert_false(fixture->script.requests[0].one_time);
    assert_true(fixture->script.requests[1].one_time);
    assert_true(fixture->script.requests[2].one_time);
    nexauth_source_free(source);
}

static void each_connect_has_a_state_of_its_own(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_customer(fixture, &fixture_customer);
    struct nexauth_error error = {0};
    const char *first;
    const char *second;

    script_answer(&fixture->script, (struct script_answer){.status = 500});
    script_answer(&fixture->script, (struct script_answer){.status = 500});
    assert_int_equal(fixture_get(source, NULL, &error), NEXAUTH_UNAVAILABLE);
    fixture_forget(fixture);
    assert_int_equal(fixture_get(source, NULL, &error), NEXAUTH_UNAVAILABLE);
    first = strstr(fixture->script.requests[0].url, "&state=");
    second = strstr(fixture->script.requests[1].url, "&state=");
    assert_non_null(first);
    assert_non_null(second);
    assert_int_equal(strspn(first + 7, "0123456789abcdef"), 32);
    assert_memory_not_equal(first + 7, second + 7, 32);
    nexauth_source_free(source);
}

static void a_rotated_refresh_token_replaces_the_old_one(void **state)
{
    struct fixture *fixture = *state;
    struct nexauth_nexusguard_user_options options = {.app_id = "app", .refresh_token = "saved"};
    nexauth_source *source = fixture_new_customer(fixture, &options);
    struct nexauth_error error = {0};

    script_answer(&fixture->script, fixture_first_token);
    script_answer(&fixture->script, fixture_second_token);
    fixture_get(source, "one", &error);
    assert_string_equal(fixture->script.requests[0].body, "app_id=app&refresh_token=saved&grant_type=refresh_code");
    fixture_expire(fixture);
    fixture_get(source, "two", &error);
    assert_string_equal(fixture->script.requests[1].body,
                        "app_id=app&refresh_token=refresh-one&grant_type=refresh_code");
    nexauth_source_free(source);
}

static void a_refresh_without_a_new_refresh_token_keeps_the_old_one(void **state)
{
    struct fixture *fixture = *state;
    struct nexauth_nexusguard_user_options options = {.app_id = "app", .refresh_token = "saved"};
    nexauth_source *source = fixture_new_customer(fixture, &options);
    const struct script_answer answer = {
        .status = 200, .body = "{\"code\":0,\"result\":{\"access_token\":\"one\",\"expires_in\":100}}"};
    nexauth_token *token = NULL;
    struct nexauth_error error = {0};

    script_answer(&fixture->script, answer);
    script_answer(&fixture->script, fixture_second_token);
    assert_int_equal(nexauth_source_get_token(source, NULL, &token, NULL), NEXAUTH_OK);
    assert_string_equal(nexauth_token_refresh_token(token), "saved");
    nexauth_token_unref(token);
    fixture_expire(fixture);
    fixture_get(source, "two", &error);
    assert_string_equal(fixture->script.requests[1].body, "app_id=app&refresh_token=saved&grant_type=refresh_code");
    nexauth_source_free(source);
}

static const struct script_answer one_without_refresh_token = {
    .status = 200, .body = "{\"code\":0,\"result\":{\"access_token\":\"one\",\"expires_in\":100}}"};

static void expect_kept(struct fixture *fixture, nexauth_source *source, const char *refresh_token)
{
    for (int renewal = 0; renewal < 3; renewal++) {
        nexauth_token *token = NULL;
        struct nexauth_error error = {0};

        if (nexauth_source_get_token(source, NULL, &token, &error) != NEXAUTH_OK)
            fail_msg("%s: %s", nexauth_status_name(error.status), error.message);
        assert_string_equal(nexauth_token_refresh_token(token), refresh_token);
        nexauth_token_unref(token);
        fixture_expire(fixture);
    }
}

static int set_up_for_small_answers(void **state)
{
    return fixture_set_up_for_answers_of(state, 1024);
}

/* The bound of answers is none for what came in none, such as a restored one. */
static void a_kept_refresh_token_may_be_longer_than_an_answer(void **state)
{
    struct fixture *fixture = *state;
    const struct nexauth_nexusguard_user_options options = {.app_id = "app", .refresh_token = "saved"};
    static char long_one[4001], longest[NX_GRANT_LONGEST + 1];
    char *const kept[] = {long_one, longest};

    memset(long_one, 'l', sizeof long_one - 1);
    memset(longest, 'L', sizeof longest - 1);
    script_answer_always(&fixture->script, one_without_refresh_token);
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        const struct nexauth_saved_token saved = {.refresh_token = kept[i]};
        nexauth_source *source = fixture_new_customer(fixture, &options);

        assert_int_equal(nexauth_source_restore_token(source, &saved, NULL), NEXAUTH_OK);
        expect_kept(fixture, source, kept[i]);
        nexauth_source_free(source);
    }
}

static int set_up_for_large_answers(void **state)
{
    return fixture_set_up_for_answers_of(state, 1048576);
}

/* What an answer had room for is kept, however long a grant may be that came in none. */
static void a_refresh_token_of_a_large_answer_is_kept(void **state)
{
    struct fixture *fixture = *state;
    const struct nexauth_nexusguard_user_options options = {.app_id = "app", .refresh_token = "saved"};
    nexauth_source *source = fixture_new_customer(fixture, &options);
    static char refresh_token[2 * NX_GRANT_LONGEST], body[sizeof refresh_token + 128];

    memset(refresh_token, 'r', sizeof refresh_token - 1);
    snprintf(body, sizeof body,
             "{\"code\":0,\"result\":{\"access_token\":\"one\",\"expires_in\":100,\"refresh_token\":\"%s\"}}",
             refresh_token);
    script_answer(&fixture->script, (struct script_answer){.status = 200, .body = body});
    script_answer_always(&fixture->script, one_without_refresh_token);
    expect_kept(fixture, source, refresh_token);
    nexauth_source_free(source);
}

/* How a refresh can fail, and whether the refresh token may go out again. */
static void a_failed_refresh_ends_as_the_answer_allows(void **state)
{
    struct fixture *fixture = *state;
    const struct {
        struct script_answer answer;
        nexauth_status status; /* of the refresh */
        bool kept;
    } cases[] = {
        {{.loss = NX_LOSS_CONNECT, .unsent = true}, NEXAUTH_NETWORK, true},
        {{.loss = NX_LOSS_TIMEOUT, .unsent = true}, NEXAUTH_TIMEOUT, true},
        {{.status = 429}, NEXAUTH_THROTTLED, true},
        {{.status = 503}, NEXAUTH_THROTTLED, true},
        {{.status = 400, .body = "{\"code\":1,\"error\":\"x\"}"}, NEXAUTH_CONFIG, true},
        {{.status = 200, .body = "{\"code\":-1,\"msg\":\"system busy\"}"}, NEXAUTH_UNAVAILABLE, true},
        {{.status = 200, .body = "{\"code\":40030,\"msg\":\"no\",\"result\":[]}"}, NEXAUTH_REAUTH, false},
        {{.loss = NX_LOSS_CUT}, NEXAUTH_REAUTH, false},
        {{.loss = NX_LOSS_CLOSED}, NEXAUTH_REAUTH, false},
        {{.loss = NX_LOSS_TIMEOUT}, NEXAUTH_REAUTH, false},
        {{.status = 200, .body = "nonsense"}, NEXAUTH_REAUTH, false},
        {{.status = 500}, NEXAUTH_REAUTH, false},
        {{.status = 502}, NEXAUTH_REAUTH, false},
        {{.status = 408}, NEXAUTH_REAUTH, false},
        {{.status = 400, .body = "{\"error\":\"server_error\"}"}, NEXAUTH_REAUTH, false},
        {{.status = 400, .body = "{\"error\":\"temporarily_unavailable\"}"}, NEXAUTH_UNAVAILABLE, true},
        {{.status = 302}, NEXAUTH_CONFIG, true},
        {{.status = 404, .body = "{}"}, NEXAUTH_CONFIG, true},
        {{.status = 401, .body = "{}"}, NEXAUTH_DENIED, true},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct nexauth_nexusguard_user_options options = {.app_id = "app", .refresh_token = "saved"};
        nexauth_source *source = fixture_new_customer(fixture, &options);
        const size_t before = fixture->script.begun;
        struct nexauth_error error = {0};

        script_answer(&fixture->script, cases[i].answer);
        if (cases[i].kept)
            script_answer(&fixture->script, fixture_second_token);
        assert_int_equal(fixture_get(source, NULL, &error), cases[i].status);
        fixture_forget(fixture);
        if (cases[i].kept)
            fixture_get(source, "two", &error);
        else
            assert_int_equal(fixture_get(source, NULL, &error), NEXAUTH_REAUTH);
        assert_int_equal(fixture->script.begun - before, cases[i].kept ? 2 : 1);
        fixture_forget(fixture);
        nexauth_source_free(source);
    }
}

static void an_empty_refresh_token_is_none(void **state)
{
    struct fixture *fixture = *state;
    struct nexauth_nexusguard_user_options options = {.app_id = "app", .refresh_token = "saved"};
    nexauth_source *source = fixture_new_customer(fixture, &options);
    const struct script_answer answer = {
        .status = 200,
        .body = "{\"code\":0,\"result\":{\"access_token\":\"one\",\"expires_in\":100,\"refresh_token\":\"\"}}"};
    struct nexauth_error error = {0};

    script_answer(&fixture->script, answer);
    script_answer(&fixture->script, fixture_second_token);
    fixture_get(source, "one", &error);
    fixture_expire(fixture);
    fixture_get(source, "two", &error);
    assert_string_equal(fixture->script.requests[1].body, "app_id=app&refresh_token=saved&grant_type=refresh_code");
    nexauth_source_free(source);
}

static void a_refresh_in_doubt_is_told_as_such(void **state)
{
    struct fixture *fixture = *state;
    struct nexauth_nexusguard_user_options options = {.app_id = "app", .refresh_token = "saved"};
    nexauth_source *source = fixture_new_customer(fixture, &options);
    struct nexauth_error error = {0};

    script_answer(&fixture->script, (struct script_answer){.loss = NX_LOSS_CUT});
    assert_int_equal(fixture_get(source, NULL, &error), NEXAUTH_REAUTH);
    assert_non_null(strstr(error.message, "what came of it is unknown"));
    assert_non_null(strstr(error.message, "before the connection ended"));
    fixture_forget(fixture);
    assert_int_equal(fixture_get(source, NULL, &error), NEXAUTH_REAUTH);
    assert_non_null(strstr(error.message, "was lost"));
    nexauth_source_free(source);
}

static nexauth_status supply_numbered(void *context, char *xspe, size_t size)
{
    int *number = context;

    snprintf(xspe, size, "fresh-%d", ++*number);
    return NEXAUTH_OK;
}

static void a_refused_refresh_connects_again_with_a_fresh_xspe(void **state)
{
    struct fixture *fixture = *state;
    int supplied = 0;
    const struct nexauth_nexusguard_user_options options = fixture_with_callback(supply_numbered, &supplied);
    nexauth_source *source = fixture_new_customer(fixture, &options);
    struct nexauth_error error = {0};

    script_answer(&fixture->script, fixture_right_redirect);
    script_answer(&fixture->script, fixture_first_token);
    script_answer(&fixture->script, fixture_refusal);
    script_answer(&fixture->script, fixture_right_redirect);
    script_answer(&fixture->script, fixture_second_token);
    fixture_get(source, "one", &error);
    fixture_expire(fixture);
    fixture_get(source, "two", &error);
    assert_int_equal(supplied, 2);
    assert_non_null(strstr(fixture->script.requests[0].url, "&xspe=fresh-1&"));
    assert_non_null(strstr(fixture->script.requests[3].url, "&xspe=fresh-2&"));
    nexauth_source_free(source);
}

static void a_flight_connects_only_once(void **state)
{
    struct fixture *fixture = *state;
    int supplied = 0;
    const struct nexauth_nexusguard_user_options options = fixture_with_callback(supply_numbered, &supplied);
    nexauth_source *source = fixture_new_customer(fixture, &options);
    struct nexauth_error error = {0};

    script_answer(&fixture->script, fixture_right_redirect);
    script_answer(&fixture->script, (struct script_answer){.loss = NX_LOSS_CUT});
    assert_int_equal(fixture_get(source, NULL, &error), NEXAUTH_NETWORK);
    assert_int_equal(fixture->script.begun, 2);
    nexauth_source_free(source);
}

static void an_xspe_among_the_options_serves_until_one_connect_has_succeeded(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_customer(fixture, &fixture_customer);
    struct nexauth_error error = {0};

    script_answer(&fixture->script, (struct script_answer){.status = 500});
    script_answer(&fixture->script, fixture_right_redirect);
    script_answer(&fixture->script, fixture_first_token);
    script_answer(&fixture->script, fixture_refusal);
    assert_int_equal(fixture_get(source, NULL, &error), NEXAUTH_UNAVAILABLE);
    fixture_forget(fixture);
    fixture_get(source, "one", &error);
    fixture_expire(fixture);
    assert_int_equal(fixture_get(source, NULL, &error), NEXAUTH_REAUTH);
    assert_string_equal(error.code, "40030");
    assert_int_equal(fixture_get(source, NULL, &error), NEXAUTH_REAUTH);
    assert_int_equal(fixture->script.begun, 4);
    nexauth_source_free(source);
}

static void a_refused_identity_at_a_refresh_connects_where_it_can(void **state)
{
    struct fixture *fixture = *state;
    struct nexauth_nexusguard_user_options options = fixture_customer;
    nexauth_source *source;
    struct nexauth_error error = {0};

    options.refresh_token = "saved";
    source = fixture_new_customer(fixture, &options);
    script_answer(&fixture->script, (struct script_answer){.status = 401});
    script_answer(&fixture->script, fixture_right_redirect);
    script_answer(&fixture->script, fixture_first_token);
    fixture_get(source, "one", &error);
    nexauth_source_free(source);
}

static void words_that_hold_a_token_of_the_same_answer_are_withheld(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_customer(fixture, &fixture_customer);
    struct nexauth_error error = {0};

    script_answer(&fixture->script, fixture_right_redirect);
    script_answer(&fixture->script,
                  (struct script_answer){.status = 200,
                                         .body = "{\"code\":40001,\"msg\":\"token TOKENsecret123 exists\","
                                                 "\"result\":{\"access_token\":\"TOKENsecret123\"}}"});
    assert_int_equal(fixture_get(source, NULL, &error), NEXAUTH_REAUTH);
    assert_null(strstr(error.message, "TOKENsecret123"));
    nexauth_source_free(source);
}

static void without_randomness_nothing_is_sent(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_customer(fixture, &fixture_customer);
    struct nexauth_error error = {0};

    fixture->script.entropy_fails = true;
    assert_int_equal(fixture_get(source, NULL, &error), NEXAUTH_UNAVAILABLE);
    assert_int_equal(fixture->script.begun, 0);
    nexauth_source_free(source);
}

static void a_code_that_did_not_leave_goes_out_with_the_next_call(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_customer(fixture, &fixture_customer);
    struct nexauth_error error = {0};

    script_answer(&fixture->script, fixture_right_redirect);
    script_answer(&fixture->script, (struct script_answer){.loss = NX_LOSS_CONNECT, .unsent = true});
    script_answer(&fixture->script, fixture_first_token);
    assert_int_equal(fixture_get(source, NULL, &error), NEXAUTH_NETWORK);
    fixture_forget(fixture);
    fixture_get(source, "one", &error);
    assert_path(fixture, 2, "/oauth/access_token");
    nexauth_source_free(source);
}

static void a_meaning_that_the_caller_gave_decides(void **state)
{
    struct fixture *fixture = *state;
    const struct nexauth_code_meaning meanings[] = {{45009, NEXAUTH_THROTTLED}, {40164, NEXAUTH_BLOCKED}};
    const struct nexauth_nexusguard_app_options options = {
        .app_id = "app", .secret = "app-secret", .meanings = meanings, .meanings_count = 2};
    nexauth_source *source = NULL;
    struct nexauth_error error = {0};

    assert_int_equal(nexauth_source_new_nexusguard_app(fixture->session, &options, &source, NULL), NEXAUTH_OK);
    script_answer(&fixture->script,
                  (struct script_answer){.status = 200, .body = "{\"code\":45009,\"msg\":\"quota\"}"});
    script_answer(&fixture->script,
                  (struct script_answer){.status = 200, .body = "{\"code\":40164,\"msg\":\"address\"}"});
    script_answer(&fixture->script,
                  (struct script_answer){.status = 200, .body = "{\"code\":40001,\"msg\":\"secret\"}"});
    assert_int_equal(fixture_get(source, NULL, &error), NEXAUTH_THROTTLED);
    assert_int_equal(error.retry_after_ms, 10000);
    fixture_forget(fixture);
    assert_int_equal(fixture_get(source, NULL, &error), NEXAUTH_BLOCKED);
    fixture_forget(fixture);
    assert_int_equal(fixture_get(source, NULL, &error), NEXAUTH_DENIED);
    assert_string_equal(error.code, "40001");
    nexauth_source_free(source);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(the_library_connects_exchanges_and_refreshes),
        IN_A_WORLD(each_connect_has_a_state_of_its_own),
        IN_A_WORLD(a_rotated_refresh_token_replaces_the_old_one),
        IN_A_WORLD(a_refresh_without_a_new_refresh_token_keeps_the_old_one),
        cmocka_unit_test_setup_teardown(a_kept_refresh_token_may_be_longer_than_an_answer, set_up_for_small_answers,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(a_refresh_token_of_a_large_answer_is_kept, set_up_for_large_answers,
                                        fixture_tear_down),
        IN_A_WORLD(a_failed_refresh_ends_as_the_answer_allows),
        IN_A_WORLD(an_empty_refresh_token_is_none),
        IN_A_WORLD(a_refresh_in_doubt_is_told_as_such),
        IN_A_WORLD(a_refused_refresh_connects_again_with_a_fresh_xspe),
        IN_A_WORLD(a_flight_connects_only_once),
        IN_A_WORLD(an_xspe_among_the_options_serves_until_one_connect_has_succeeded),
        IN_A_WORLD(a_refused_identity_at_a_refresh_connects_where_it_can),
        IN_A_WORLD(words_that_hold_a_token_of_the_same_answer_are_withheld),
        IN_A_WORLD(without_randomness_nothing_is_sent),
        IN_A_WORLD(a_code_that_did_not_leave_goes_out_with_the_next_call),
        IN_A_WORLD(a_meaning_that_the_caller_gave_decides),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
