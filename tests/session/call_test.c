/* Calls: how a token comes to callers that do not block, and how their calls end. */
#include "support/test.h"

#include "support/fixture.h"
#include "support/outcome.h"

#include <stdio.h>
#include <string.h>

static const struct script_answer never = {.takes_ms = INT64_MAX};

static void a_token_at_hand_comes_by_the_next_poll_and_not_before(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);
    struct outcome outcome = {0};

    fixture_answer_token(fixture, "one", "3600");
    assert_int_equal(fixture_get(source, "one", NULL), NEXAUTH_OK);
    outcome_start(source, NULL, &outcome);
    assert_int_equal(fixture_get(source, "one", NULL), NEXAUTH_OK);
    assert_int_equal(outcome.runs, 0);
    outcome_poll(fixture->session, 0);
    outcome_assert_token(&outcome, "one");
    outcome_poll(fixture->session, 1000);
    assert_int_equal(outcome.runs, 1);
    assert_int_equal(fixture->script.begun, 1);
    nexauth_source_free(source);
}

static void nothing_is_sent_before_somebody_polls(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);
    struct outcome outcome = {0};

    fixture_answer_token(fixture, "one", "3600");
    outcome_start(source, NULL, &outcome);
    assert_int_equal(fixture->script.begun, 0);
    outcome_poll(fixture->session, 1000);
    outcome_assert_token(&outcome, "one");
    assert_int_equal(fixture->script.begun, 1);
    nexauth_source_free(source);
}

static void a_failure_is_told_by_an_error_alone(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);
    struct outcome outcome = {0};

    script_answer(&fixture->script, (struct script_answer){.status = 401, .body = "{\"Message\":\"No.\"}"});
    outcome_start(source, NULL, &outcome);
    outcome_poll(fixture->session, 1000);
    outcome_assert_status(&outcome, NEXAUTH_DENIED);
    assert_int_equal(outcome.error.http_status, 401);
    assert_in_range(outcome.error.retry_after_ms, 5000, 6000);
    nexauth_source_free(source);
}

static void a_call_ends_when_its_time_is_over(void **state)
{
    struct fixture *fixture = *state;
    const struct nexauth_get_options brief = {.timeout_ms = 5000};
    nexauth_source *source = fixture_new_controller(fixture);
    struct outcome outcome = {0};
    struct outcome patient = {0};
    const int64_t before = fixture->script.boot_ms;

    script_answer(&fixture->script, (struct script_answer){.takes_ms = 9000, .status = 429});
    outcome_start(source, &brief, &outcome);
    outcome_start(source, NULL, &patient);
    outcome_poll(fixture->session, 4999);
    assert_int_equal(outcome.runs, 0);
    outcome_poll(fixture->session, 60000);
    outcome_assert_status(&outcome, NEXAUTH_TIMEOUT);
    assert_int_equal(fixture->script.boot_ms - before, 5000);
    outcome_poll(fixture->session, 60000);
    outcome_assert_status(&patient, NEXAUTH_THROTTLED); /* one's deadline is not the others' */
    nexauth_source_free(source);
}

/* As on a machine that slept before its event loop came to poll. */
static void a_token_that_is_over_by_the_poll_is_not_handed_out(void **state)
{
    struct fixture *fixture = *state;
    const struct nexauth_get_options patient = {.timeout_ms = 3600000};
    nexauth_source *source = fixture_new_controller(fixture);
    struct outcome brief_outcome = {0};
    struct outcome patient_outcome = {0};

    fixture_answer_token(fixture, "one", "600");
    fixture_answer_token(fixture, "two", "600");
    assert_int_equal(fixture_get(source, "one", NULL), NEXAUTH_OK);
    outcome_start(source, NULL, &brief_outcome);
    outcome_start(source, &patient, &patient_outcome);
    script_pass_ms(&fixture->script, 600000);
    outcome_poll(fixture->session, 0);
    outcome_assert_status(&brief_outcome, NEXAUTH_TIMEOUT);
    assert_int_equal(patient_outcome.runs, 0);
    outcome_poll(fixture->session, 1000);
    outcome_assert_token(&patient_outcome, "two");
    assert_int_equal(fixture->script.begun, 2);
    nexauth_source_free(source);
}

static void a_token_that_is_over_by_the_end_of_the_session_is_not_handed_out(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);
    struct outcome outcome = {0};

    fixture_answer_token(fixture, "one", "600");
    assert_int_equal(fixture_get(source, "one", NULL), NEXAUTH_OK);
    outcome_start(source, NULL, &outcome);
    script_pass_ms(&fixture->script, 600000);
    nexauth_session_free(fixture->session);
    fixture->session = NULL;
    outcome_assert_status(&outcome, NEXAUTH_CANCELED);
    nexauth_source_free(source);
}

/* However much else there is to do first: `others` flights are at their beginning. */
static void an_answer_that_lies_in_the_socket_counts_at_a_deadline(void **state)
{
    struct fixture *fixture = *state;
    const struct nexauth_get_options brief = {.timeout_ms = 5000};

    for (int others = 0; others < 3; others++) {
        nexauth_source *source = fixture_new_controller(fixture);
        nexauth_source *other[2] = {fixture_new_controller(fixture), fixture_new_controller(fixture)};
        struct outcome outcome = {0};
        struct outcome rest[2] = {{0}, {0}};

        fixture_answer_token(fixture, "prompt", "3600");
        script_answer(&fixture->script, never);
        script_answer(&fixture->script, never);
        outcome_start(source, &brief, &outcome);
        outcome_poll(fixture->session, 1);
        for (int i = 0; i < others; i++)
            outcome_start(other[i], NULL, &rest[i]);
        script_pass_ms(&fixture->script, 6000);
        outcome_poll(fixture->session, 0);
        outcome_assert_token(&outcome, "prompt");
        for (int i = 0; i < 2; i++)
            nexauth_source_free(other[i]);
        nexauth_source_free(source);
        outcome_poll(fixture->session, 0);
        fixture->script.answer_count = fixture->script.begun;
    }
}

/* When a call is canceled, and what its callback is told. */
static void a_call_may_be_canceled_at_any_time(void **state)
{
    struct fixture *fixture = *state;
    const struct {
        bool polled_before;
        bool ready;
        bool over;
        nexauth_status status;
    } cases[] = {{false, false, false, NEXAUTH_CANCELED},
                 {true, false, false, NEXAUTH_CANCELED},
                 {true, true, false, NEXAUTH_OK},
                 {true, true, true, NEXAUTH_OK}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nexauth_source *source = fixture_new_controller(fixture);
        struct outcome outcome = {0};
        nexauth_call *call = NULL;

        fixture_answer_token(fixture, "one", "3600");
        assert_int_equal(nexauth_source_start(source, NULL, outcome_note, &outcome, &call, NULL), NEXAUTH_OK);
        if (cases[i].polled_before)
            outcome_poll(fixture->session, 1);
        if (cases[i].ready)
            assert_int_equal(fixture_get(source, "one", NULL), NEXAUTH_OK);
        if (cases[i].over)
            outcome_poll(fixture->session, 0);
        nexauth_call_cancel(call);
        nexauth_call_cancel(call);
        assert_int_equal(outcome.runs, cases[i].over);
        outcome_poll(fixture->session, 0);
        if (cases[i].status)
            outcome_assert_status(&outcome, cases[i].status);
        else
            outcome_assert_token(&outcome, "one");
        assert_int_equal(fixture_get(source, "one", NULL), NEXAUTH_OK); /* what was sent goes on */
        outcome_poll(fixture->session, 0);
        assert_int_equal(outcome.runs, 1);
        assert_int_equal(fixture->script.begun, i + 1);
        nexauth_call_unref(call);
        nexauth_source_free(source);
    }
}

static void *cancel(void *call)
{
    nexauth_call_cancel(call);
    return NULL;
}

static void a_call_may_be_canceled_by_another_thread_while_one_polls(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);
    struct outcome outcome = {0};
    nexauth_call *call = NULL;
    pthread_t thread;

    script_answer(&fixture->script, never);
    fixture->script.blocks = true; /* the poll waits until something happens, for ever if need be */
    assert_int_equal(nexauth_source_start(source, NULL, outcome_note, &outcome, &call, NULL), NEXAUTH_OK);
    assert_int_equal(pthread_create(&thread, NULL, cancel, call), 0);
    outcome_poll(fixture->session, 60000);
    pthread_join(thread, NULL);
    outcome_assert_status(&outcome, NEXAUTH_CANCELED);
    nexauth_call_unref(call);
    nexauth_source_free(source);
}

static void a_call_needs_no_reference_of_the_application(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);
    struct outcome kept = {0};
    struct outcome dropped = {0};
    nexauth_call *call = NULL;
    nexauth_call *other = NULL;

    fixture_answer_token(fixture, "one", "3600");
    assert_int_equal(nexauth_source_start(source, NULL, outcome_note, &kept, &call, NULL), NEXAUTH_OK);
    assert_int_equal(nexauth_source_start(source, NULL, outcome_note, &dropped, &other, NULL), NEXAUTH_OK);
    nexauth_call_unref(other);
    assert_ptr_equal(nexauth_call_ref(call), call);
    nexauth_call_unref(call);
    outcome_poll(fixture->session, 1000);
    outcome_assert_token(&kept, "one");
    outcome_assert_token(&dropped, "one");
    nexauth_call_unref(call);
    nexauth_source_free(source);
}

static void a_call_may_be_held_longer_than_its_source_and_session(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);
    struct outcome outcome = {0};
    nexauth_call *call = NULL;

    script_answer(&fixture->script, never);
    assert_int_equal(nexauth_source_start(source, NULL, outcome_note, &outcome, &call, NULL), NEXAUTH_OK);
    nexauth_source_free(source);
    nexauth_session_free(fixture->session);
    fixture->session = NULL;
    outcome_assert_status(&outcome, NEXAUTH_CANCELED);
    nexauth_call_cancel(call);
    assert_ptr_equal(nexauth_call_ref(call), call);
    nexauth_call_unref(call);
    nexauth_call_unref(call);
    assert_int_equal(outcome.runs, 1);
}

static void a_freed_source_cancels_its_calls_at_the_next_poll(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);
    struct outcome ready = {0};
    struct outcome waiting = {0};
    const struct nexauth_get_options long_lived = {.min_validity_s = 1700};

    fixture_answer_token(fixture, "one", "3600");
    script_answer(&fixture->script, never);
    assert_int_equal(fixture_get(source, "one", NULL), NEXAUTH_OK);
    script_pass_ms(&fixture->script, 2000000);
    outcome_start(source, NULL, &ready);
    outcome_start(source, &long_lived, &waiting);
    nexauth_source_free(source);
    assert_int_equal(ready.runs + waiting.runs, 0);
    outcome_poll(fixture->session, 60000);
    outcome_assert_token(&ready, "one");
    outcome_assert_status(&waiting, NEXAUTH_CANCELED);
    assert_string_equal(waiting.error.message, "the source was freed while its token was waited for");
}

/* One call is ready, one waits for a request that was sent, one for a request that was not. */
static void a_freed_session_ends_each_call_once_before_it_returns(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *sources[3];
    struct outcome outcomes[3] = {{0}, {0}, {0}};

    for (size_t i = 0; i < 3; i++)
        sources[i] = fixture_new_controller(fixture);
    fixture_answer_token(fixture, "one", "3600");
    script_answer(&fixture->script, never);
    assert_int_equal(fixture_get(sources[0], "one", NULL), NEXAUTH_OK);
    outcome_start(sources[1], NULL, &outcomes[1]);
    outcome_poll(fixture->session, 1);
    outcome_start(sources[0], NULL, &outcomes[0]);
    outcome_start(sources[2], NULL, &outcomes[2]);
    nexauth_session_free(fixture->session);
    fixture->session = NULL;
    outcome_assert_token(&outcomes[0], "one");
    outcome_assert_status(&outcomes[1], NEXAUTH_CANCELED);
    outcome_assert_status(&outcomes[2], NEXAUTH_CANCELED);
    assert_string_equal(outcomes[1].error.message, "the session was freed while its token was waited for");
    assert_int_equal(fixture->script.begun, 2);
    for (size_t i = 0; i < 3; i++)
        nexauth_source_free(sources[i]);
}

static nexauth_status keep_text(void *context, nexauth_token *token)
{
    snprintf(context, 64, "%s", nexauth_token_refresh_token(token));
    return NEXAUTH_OK;
}

/* Its code was sent: the call is canceled, but the refresh token that comes of it is saved. */
static void what_a_call_has_sent_once_and_for_all_is_awaited_by_the_end_of_the_session(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_customer(fixture, &fixture_customer);
    struct script_answer slow = fixture_first_token;
    struct outcome outcome = {0};
    char saved[64] = "";

    slow.takes_ms = 20000;
    assert_int_equal(nexauth_source_set_save(source, keep_text, saved, NULL), NEXAUTH_OK);
    script_answer(&fixture->script, fixture_right_redirect);
    script_answer(&fixture->script, slow);
    outcome_start(source, NULL, &outcome);
    outcome_poll(fixture->session, 1000);
    assert_int_equal(fixture->script.begun, 2);
    nexauth_source_free(source);
    nexauth_session_free(fixture->session);
    fixture->session = NULL;
    outcome_assert_status(&outcome, NEXAUTH_CANCELED);
    assert_string_equal(saved, "refresh-one");
    assert_int_equal(fixture->script.given_up, 0);
}

static nexauth_status supply(void *context, char *xspe, size_t size)
{
    ++*(int *)context;
    memcpy(xspe, "fresh", size < 6 ? size : 6);
    return NEXAUTH_OK;
}

static void nothing_is_supplied_for_a_source_that_was_freed_before_anybody_polled(void **state)
{
    struct fixture *fixture = *state;
    int supplied = 0;
    const struct nexauth_nexusguard_user_options options = fixture_with_callback(supply, &supplied);
    nexauth_source *source = fixture_new_customer(fixture, &options);
    struct outcome outcome = {0};

    outcome_start(source, NULL, &outcome);
    nexauth_source_free(source);
    outcome_poll(fixture->session, 1000);
    outcome_assert_status(&outcome, NEXAUTH_CANCELED);
    outcome_poll(fixture->session, 1000);
    assert_int_equal(supplied, 0);
    assert_int_equal(fixture->script.begun, 0);
}

static void callers_that_are_wrong_are_told_so(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);
    const struct nexauth_get_options wrong[] = {{.timeout_ms = -1},
                                                {.timeout_ms = 3600001},
                                                {.min_validity_s = -1},
                                                {.min_validity_s = 31536001},
                                                {.reserved = {1}}};
    struct outcome outcome = {0};
    nexauth_call *call = (nexauth_call *)&outcome;
    struct nexauth_error error = {0};

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(nexauth_source_start(source, &wrong[i], outcome_note, &outcome, &call, NULL), NEXAUTH_INVALID);
    assert_int_equal(nexauth_source_start(NULL, NULL, outcome_note, &outcome, &call, NULL), NEXAUTH_INVALID);
    assert_int_equal(nexauth_source_start(source, NULL, NULL, &outcome, &call, &error), NEXAUTH_INVALID);
    assert_string_equal(error.message, "source and callback are required");
    assert_ptr_equal(call, &outcome); /* out is written only on success */
    outcome_poll(fixture->session, 1000);
    assert_int_equal(outcome.runs, 0);
    nexauth_session_free(fixture->session);
    fixture->session = NULL;
    assert_int_equal(nexauth_source_start(source, NULL, outcome_note, &outcome, &call, NULL), NEXAUTH_INVALID);
    assert_int_equal(outcome.runs, 0);
    nexauth_source_free(source);
}

static void the_verbs_of_a_call_accept_null(void **state)
{
    (void)state;
    assert_null(nexauth_call_ref(NULL));
    nexauth_call_unref(NULL);
    nexauth_call_cancel(NULL);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(a_token_at_hand_comes_by_the_next_poll_and_not_before),
        IN_A_WORLD(nothing_is_sent_before_somebody_polls),
        IN_A_WORLD(a_failure_is_told_by_an_error_alone),
        IN_A_WORLD(a_call_ends_when_its_time_is_over),
        IN_A_WORLD(a_token_that_is_over_by_the_poll_is_not_handed_out),
        IN_A_WORLD(a_token_that_is_over_by_the_end_of_the_session_is_not_handed_out),
        IN_A_WORLD(an_answer_that_lies_in_the_socket_counts_at_a_deadline),
        IN_A_WORLD(a_call_may_be_canceled_at_any_time),
        IN_A_WORLD(a_call_may_be_canceled_by_another_thread_while_one_polls),
        IN_A_WORLD(a_call_needs_no_reference_of_the_application),
        IN_A_WORLD(a_call_may_be_held_longer_than_its_source_and_session),
        IN_A_WORLD(a_freed_source_cancels_its_calls_at_the_next_poll),
        IN_A_WORLD(a_freed_session_ends_each_call_once_before_it_returns),
        IN_A_WORLD(what_a_call_has_sent_once_and_for_all_is_awaited_by_the_end_of_the_session),
        IN_A_WORLD(nothing_is_supplied_for_a_source_that_was_freed_before_anybody_polled),
        IN_A_WORLD(callers_that_are_wrong_are_told_so),
        cmocka_unit_test(the_verbs_of_a_call_accept_null),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
