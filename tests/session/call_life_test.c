/* What calls get in each phase of a token's life, and after failures. */
#include "support/test.h"

#include "support/fixture.h"
#include "support/outcome.h"

#include <stdio.h>

/* A source whose token "one" has lived for age_ms of its hour. */
static nexauth_source *aged(struct fixture *fixture, int64_t age_ms)
{
    nexauth_source *source = fixture_new_controller(fixture);

    fixture_answer_token(fixture, "one", "3600");
    assert_int_equal(fixture_get(source, "one", NULL), NEXAUTH_OK);
    script_pass_ms(&fixture->script, age_ms);
    return source;
}

static void a_token_in_its_early_window_is_given_at_once_and_renewed_by_later_polls(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = aged(fixture, 3000000);
    const int64_t before = fixture->script.boot_ms;
    struct outcome outcomes[3] = {{0}, {0}, {0}};

    fixture_answer_token(fixture, "two", "3600"); /* takes 100 ms */
    outcome_start(source, NULL, &outcomes[0]);
    outcome_start(source, NULL, &outcomes[1]);
    outcome_poll(fixture->session, 60000);
    outcome_assert_token(&outcomes[0], "one");
    outcome_assert_token(&outcomes[1], "one");
    assert_int_equal(fixture->script.boot_ms, before);
    outcome_poll(fixture->session, 1000);
    outcome_start(source, NULL, &outcomes[2]);
    outcome_poll(fixture->session, 0);
    outcome_assert_token(&outcomes[2], "two");
    assert_int_equal(fixture->script.begun, 2);
    nexauth_source_free(source);
}

/* Each call takes the good token, and none of them waits for the renewal that fails in the background. */
static void a_renewal_in_the_background_that_fails_is_not_tried_again_soon(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = aged(fixture, 3000000);
    struct nexauth_stats stats = {0};

    script_answer_always(&fixture->script, (struct script_answer){.loss = NX_LOSS_CUT, .takes_ms = 100});
    for (int i = 0; i < 20; i++) {
        struct outcome outcome = {0};

        outcome_start(source, NULL, &outcome);
        outcome_poll(fixture->session, 0);
        outcome_assert_token(&outcome, "one");
        outcome_poll(fixture->session, 500);
    }
    assert_int_equal(fixture->script.begun, 3); /* the first token, and the renewal with its second attempt */
    assert_int_equal(nexauth_source_stats(source, &stats, NULL), NEXAUTH_OK);
    assert_int_equal(stats.failures, 1);
    assert_int_equal(stats.joins, 0);
    nexauth_source_free(source);
}

/* The renewal fails, or does not come to its end in the caller's time. */
static void a_token_in_its_late_window_is_given_when_it_is_not_renewed(void **state)
{
    struct fixture *fixture = *state;
    const struct nexauth_get_options options = {.timeout_ms = 700};
    const struct script_answer answers[] = {{.status = 500, .takes_ms = 700}, {.takes_ms = INT64_MAX}};

    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        nexauth_source *source = aged(fixture, 3590000);
        struct outcome outcome = {0};

        script_answer(&fixture->script, answers[i]);
        outcome_start(source, &options, &outcome);
        outcome_poll(fixture->session, 699);
        assert_int_equal(outcome.runs, 0);
        outcome_poll(fixture->session, 60000);
        outcome_assert_token(&outcome, "one");
        nexauth_source_free(source);
    }
}

static void a_call_may_ask_for_validity(void **state)
{
    struct fixture *fixture = *state;
    const struct nexauth_get_options options = {.min_validity_s = 1700};
    const struct {
        int status; /* of the answer; 200: token "two" */
        nexauth_status expected;
    } cases[] = {{200, NEXAUTH_OK}, {500, NEXAUTH_UNAVAILABLE}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nexauth_source *source = aged(fixture, 2000000);
        struct outcome outcome = {0};
        struct outcome held = {0};
        struct outcome content = {0};

        if (cases[i].status == 200)
            fixture_answer_token(fixture, "two", "3600");
        else
            script_answer(&fixture->script, (struct script_answer){.status = cases[i].status});
        outcome_start(source, &options, &outcome);
        outcome_poll(fixture->session, 60000);
        outcome_start(source, &options, &held);
        outcome_start(source, NULL, &content);
        outcome_poll(fixture->session, 0);
        if (cases[i].expected) {
            outcome_assert_status(&outcome, cases[i].expected);
            outcome_assert_status(&held, cases[i].expected);
            outcome_assert_token(&content, "one");
        } else {
            outcome_assert_token(&outcome, "two");
            outcome_assert_token(&held, "two");
        }
        assert_int_equal(fixture->script.begun, 2 * (i + 1));
        nexauth_source_free(source);
    }
}

static void a_failure_is_remembered_for_calls_too(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);
    nexauth_source *twin = fixture_new_controller(fixture);
    struct outcome outcomes[3] = {{0}, {0}, {0}};

    script_answer(&fixture->script, (struct script_answer){.status = 401, .body = "{\"Message\":\"No.\"}"});
    fixture_answer_token(fixture, "one", "3600");
    outcome_start(source, NULL, &outcomes[0]);
    outcome_poll(fixture->session, 1000);
    script_pass_ms(&fixture->script, 2000);
    outcome_start(twin, NULL, &outcomes[1]);
    outcome_poll(fixture->session, 0);
    outcome_assert_status(&outcomes[1], NEXAUTH_DENIED);
    assert_string_equal(outcomes[1].error.message, outcomes[0].error.message);
    assert_int_equal(outcomes[1].error.retry_after_ms, outcomes[0].error.retry_after_ms - 2000);
    assert_int_equal(fixture->script.begun, 1);
    script_pass_ms(&fixture->script, outcomes[1].error.retry_after_ms);
    outcome_start(source, NULL, &outcomes[2]);
    outcome_poll(fixture->session, 1000);
    outcome_assert_token(&outcomes[2], "one");
    nexauth_source_free(source);
    nexauth_source_free(twin);
}

static void a_good_token_is_given_while_the_failure_of_another_source_is_remembered(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = aged(fixture, 3590000);
    nexauth_source *twin = fixture_new_controller(fixture);
    struct outcome denied = {0};
    struct outcome outcome = {0};

    script_answer(&fixture->script, (struct script_answer){.status = 401, .body = "{\"Message\":\"No.\"}"});
    outcome_start(twin, NULL, &denied);
    outcome_poll(fixture->session, 1000);
    outcome_assert_status(&denied, NEXAUTH_DENIED);
    outcome_start(source, NULL, &outcome);
    outcome_poll(fixture->session, 1000);
    outcome_assert_token(&outcome, "one");
    assert_int_equal(fixture->script.begun, 2);
    nexauth_source_free(source);
    nexauth_source_free(twin);
}

/* Callers whose time is shorter than that of a flight come one after the other; blocking ones, and calls. */
static void the_impatient_are_refused_like_all_others_while_a_failure_is_remembered(void **state)
{
    struct fixture *fixture = *state;
    const struct nexauth_get_options impatient = {.timeout_ms = 300};
    nexauth_source *source = fixture_new_controller(fixture);
    nexauth_token *token = NULL;
    const int64_t before = fixture->script.boot_ms;

    script_answer_always(&fixture->script, (struct script_answer){.loss = NX_LOSS_CUT, .takes_ms = 100});
    for (int i = 0; fixture->script.boot_ms < before + 60000; i++) {
        struct outcome outcome = {0};

        if (i % 2)
            outcome_start(source, &impatient, &outcome);
        else
            assert_int_not_equal(nexauth_source_get_token(source, &impatient, &token, NULL), NEXAUTH_OK);
        outcome_poll(fixture->session, 300);
        assert_int_equal(outcome.runs, i % 2);
        script_pass_ms(&fixture->script, 100);
    }
    assert_in_range(fixture->script.begun, 8, 12); /* two in each flight; holds of 1, 2, 4, 8, 16, 32 s */
    nexauth_source_free(source);
}

/* As the web handler does. */
static void bring_code(nexauth_source *source)
{
    nexauth_authorization *authorization = NULL;
    char url[128];

    assert_int_equal(nexauth_source_authorize(source, &authorization, NULL), NEXAUTH_OK);
    snprintf(url, sizeof url, "/callback?code=the-code&state=%s", nexauth_authorization_state(authorization));
    assert_int_equal(nexauth_source_accept_redirect(source, url, nexauth_authorization_state(authorization), NULL),
                     NEXAUTH_OK);
    nexauth_authorization_free(authorization);
}

/* While there is none, while a token is good, and while a failure is remembered. */
static void a_call_uses_the_code_that_a_web_handler_has_brought(void **state)
{
    struct fixture *fixture = *state;
    struct nexauth_nexusguard_user_options options = fixture_customer;
    const struct {
        struct script_answer answer;
        const char *token;
    } cases[] = {{fixture_first_token, "one"}, {fixture_refusal, NULL}, {fixture_second_token, "two"}};
    nexauth_source *source;
    struct outcome early = {0};

    options.web_handler = 1;
    source = fixture_new_customer(fixture, &options);
    outcome_start(source, NULL, &early);
    outcome_poll(fixture->session, 1000);
    outcome_assert_status(&early, NEXAUTH_REAUTH);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct outcome outcome = {0};

        script_answer(&fixture->script, cases[i].answer);
        bring_code(source);
        outcome_start(source, NULL, &outcome);
        outcome_poll(fixture->session, 1000);
        if (cases[i].token)
            outcome_assert_token(&outcome, cases[i].token);
        else
            outcome_assert_status(&outcome, NEXAUTH_REAUTH);
        assert_int_equal(fixture->script.begun, i + 1);
    }
    nexauth_source_free(source);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(a_token_in_its_early_window_is_given_at_once_and_renewed_by_later_polls),
        IN_A_WORLD(a_renewal_in_the_background_that_fails_is_not_tried_again_soon),
        IN_A_WORLD(a_token_in_its_late_window_is_given_when_it_is_not_renewed),
        IN_A_WORLD(a_call_may_ask_for_validity),
        IN_A_WORLD(a_failure_is_remembered_for_calls_too),
        IN_A_WORLD(a_good_token_is_given_while_the_failure_of_another_source_is_remembered),
        IN_A_WORLD(the_impatient_are_refused_like_all_others_while_a_failure_is_remembered),
        IN_A_WORLD(a_call_uses_the_code_that_a_web_handler_has_brought),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
