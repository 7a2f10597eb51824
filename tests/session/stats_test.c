/* The figures of a source. */
#include "support/test.h"

#include "support/fixture.h"

#include <stdio.h>

enum { CALLERS = 8, TIMES = 2000 };

static const struct script_answer broken = {.status = 500};
static const struct script_answer one = {.status = 200, .body = "{\"access_token\":\"one\",\"expires_in\":100}"};
static const struct script_answer two = {.status = 200, .body = "{\"access_token\":\"two\",\"expires_in\":100}"};
static const struct script_answer lasting = {.status = 200, .body = "{\"access_token\":\"one\",\"expires_in\":86400}"};

static struct nexauth_stats stats_of(nexauth_source *source)
{
    struct nexauth_stats stats = {0};
    struct nexauth_error error = {0};

    if (nexauth_source_stats(source, &stats, &error) != NEXAUTH_OK)
        fail_msg("%s", error.message);
    return stats;
}

/* The answers that count from the next request on. */
static void answer(struct fixture *fixture, const struct script_answer *first, const struct script_answer *second)
{
    fixture->script.answer_count = fixture->script.begun;
    if (first)
        script_answer(&fixture->script, *first);
    if (second)
        script_answer(&fixture->script, *second);
}

static nexauth_source *new_with(struct fixture *fixture, const struct script_answer *first)
{
    nexauth_source *source = fixture_new_controller(fixture);

    answer(fixture, first, NULL);
    assert_int_equal(fixture_get(source, NULL, NULL), NEXAUTH_OK);
    return source;
}

static nexauth_status copy(nexauth_source *source)
{
    char buffer[64];
    size_t length;

    return nexauth_source_copy_token(source, NULL, buffer, sizeof buffer, &length, NULL);
}

static void ignore(void *context, nexauth_token *token, const struct nexauth_error *error)
{
    (void)context;
    (void)token;
    (void)error;
}

static void start_and_poll(struct fixture *fixture, nexauth_source *source)
{
    assert_int_equal(nexauth_source_start(source, NULL, ignore, NULL, NULL, NULL), NEXAUTH_OK);
    assert_int_equal(nexauth_session_poll(fixture->session, 60000, NULL), NEXAUTH_OK);
}

static void a_source_that_did_nothing_has_no_figures(void **state)
{
    struct fixture *fixture = *state;
    const struct nexauth_stats none = {0};
    nexauth_source *source = fixture_new_controller(fixture);
    struct nexauth_stats stats = stats_of(source);

    assert_memory_equal(&stats, &none, sizeof none);
    nexauth_source_free(source);
}

static void hits_are_callers_that_found_a_good_token(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = new_with(fixture, &one);

    assert_int_equal(stats_of(source).hits, 0); /* it waited */
    assert_int_equal(fixture_get(source, NULL, NULL), NEXAUTH_OK);
    assert_int_equal(fixture_get(source, NULL, NULL), NEXAUTH_OK);
    assert_int_equal(stats_of(source).hits, 2);
    start_and_poll(fixture, source);
    assert_int_equal(stats_of(source).hits, 3);
    script_pass_ms(&fixture->script, 100000);
    answer(fixture, &two, NULL);
    assert_int_equal(fixture_get(source, NULL, NULL), NEXAUTH_OK);
    assert_int_equal(stats_of(source).hits, 3); /* kept over the end of their token */
    assert_int_equal(fixture_get(source, NULL, NULL), NEXAUTH_OK);
    assert_int_equal(stats_of(source).hits, 4);
    script_pass_ms(&fixture->script, 100000);
    answer(fixture, &broken, NULL);
    assert_int_equal(fixture_get(source, NULL, NULL), NEXAUTH_UNAVAILABLE);
    assert_int_equal(fixture_get(source, NULL, NULL), NEXAUTH_UNAVAILABLE);
    assert_int_equal(stats_of(source).hits, 4);
    nexauth_source_free(source);
}

/* Neither those that need no lock nor those that do. */
static void copies_are_no_hits(void **state)
{
    struct fixture *fixture = *state;
    const int64_t ages_ms[] = {0, 82000, 95000};

    for (size_t i = 0; i < sizeof ages_ms / sizeof *ages_ms; i++) {
        nexauth_source *source = new_with(fixture, &one);

        script_pass_ms(&fixture->script, ages_ms[i]);
        answer(fixture, &broken, NULL);
        assert_int_equal(copy(source), NEXAUTH_OK);
        assert_int_equal(copy(source), NEXAUTH_OK);
        assert_int_equal(stats_of(source).hits, 0);
        nexauth_source_free(source);
        fixture_forget(fixture);
    }
}

static void *get_many_times(void *source)
{
    for (int i = 0; i < TIMES; i++) {
        nexauth_token *token = NULL;

        nexauth_source_get_token(source, NULL, &token, NULL);
        nexauth_token_unref(token);
        copy(source);
    }
    return NULL;
}

static void hits_of_many_threads_are_all_counted(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = new_with(fixture, &lasting);
    pthread_t threads[CALLERS];

    for (size_t i = 0; i < CALLERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, get_many_times, source), 0);
    for (size_t i = 0; i < CALLERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(stats_of(source).hits, CALLERS * TIMES);
    assert_int_equal(stats_of(source).requests, 1);
    nexauth_source_free(source);
}

static void requests_are_all_that_was_sent_or_tried(void **state)
{
    struct fixture *fixture = *state;
    const struct script_answer closed = {.loss = NX_LOSS_CLOSED};
    const struct script_answer unsent = {.loss = NX_LOSS_TLS, .unsent = true};
    nexauth_source *source = fixture_new_controller(fixture);
    nexauth_source *customer = fixture_new_customer(fixture, &fixture_customer);

    answer(fixture, &closed, &one); /* sent once more */
    assert_int_equal(fixture_get(source, NULL, NULL), NEXAUTH_OK);
    assert_int_equal(stats_of(source).requests, 2);
    assert_int_equal(stats_of(source).failures, 0);
    script_pass_ms(&fixture->script, 100000);
    answer(fixture, &unsent, NULL);
    assert_int_equal(fixture_get(source, NULL, NULL), NEXAUTH_NETWORK);
    assert_int_equal(stats_of(source).requests, 3);
    assert_int_equal(fixture_get(source, NULL, NULL), NEXAUTH_NETWORK); /* remembered */
    assert_int_equal(stats_of(source).requests, 3);
    answer(fixture, &fixture_right_redirect, &fixture_first_token);
    assert_int_equal(fixture_get(customer, NULL, NULL), NEXAUTH_OK);
    assert_int_equal(stats_of(customer).requests, 2);
    nexauth_source_free(customer);
    nexauth_source_free(source);
}

static void a_caller_that_waits_for_what_is_under_way_joins_it(void **state)
{
    struct fixture *fixture = *state;
    const struct nexauth_get_options impatient = {.timeout_ms = 1000};
    nexauth_source *source = fixture_new_controller(fixture);
    nexauth_token *token = NULL;

    for (int i = 0; i < 3; i++)
        assert_int_equal(nexauth_source_get_token(source, &impatient, &token, NULL), NEXAUTH_TIMEOUT);
    assert_int_equal(stats_of(source).joins, 2);
    assert_int_equal(nexauth_source_start(source, &impatient, ignore, NULL, NULL, NULL), NEXAUTH_OK);
    assert_int_equal(stats_of(source).joins, 3);
    assert_int_equal(nexauth_session_poll(fixture->session, 60000, NULL), NEXAUTH_OK);
    assert_int_equal(stats_of(source).requests, 1);
    nexauth_source_free(source);
}

/* The renewal is under way for 5 s; the first caller waits 2 s for it, and the rest not at all. */
static void a_caller_that_finds_a_good_token_joins_nothing(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = new_with(fixture, &one);
    struct script_answer slow = two;

    slow.takes_ms = 5000;
    answer(fixture, &slow, NULL);
    script_pass_ms(&fixture->script, 82000);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(fixture_get(source, NULL, NULL), NEXAUTH_OK);
        assert_int_equal(nexauth_source_start(source, NULL, ignore, NULL, NULL, NULL), NEXAUTH_OK);
        script_pass_ms(&fixture->script, 100);
    }
    assert_int_equal(stats_of(source).requests, 2);
    assert_int_equal(stats_of(source).joins, 0);
    assert_int_equal(stats_of(source).hits, 10);
    nexauth_source_free(source);
}

static void the_last_failure_is_kept(void **state)
{
    struct fixture *fixture = *state;
    const struct script_answer denied = {.status = 400, .body = "{\"error\":\"invalid_client\"}"};
    nexauth_source *source = fixture_new_controller(fixture);
    struct nexauth_error error = {0};
    struct nexauth_stats stats;

    answer(fixture, &denied, NULL);
    assert_int_equal(fixture_get(source, NULL, &error), NEXAUTH_DENIED);
    stats = stats_of(source);
    assert_int_equal(stats.failures, 1);
    assert_memory_equal(&stats.last_error, &error, sizeof error);
    assert_int_equal(fixture_get(source, NULL, NULL), NEXAUTH_DENIED);
    assert_int_equal(stats_of(source).failures, 1); /* no further acquisition */
    fixture_forget(fixture);
    answer(fixture, &broken, NULL);
    assert_int_equal(fixture_get(source, NULL, NULL), NEXAUTH_UNAVAILABLE);
    assert_int_equal(stats_of(source).failures, 2);
    assert_int_equal(stats_of(source).last_error.status, NEXAUTH_UNAVAILABLE);
    fixture_forget(fixture);
    answer(fixture, &one, NULL);
    assert_int_equal(fixture_get(source, "one", NULL), NEXAUTH_OK);
    assert_int_equal(stats_of(source).last_error.status, NEXAUTH_UNAVAILABLE); /* of the last that failed */
    script_pass_ms(&fixture->script, 82000);
    answer(fixture, &broken, NULL);
    assert_int_equal(fixture_get(source, "one", NULL), NEXAUTH_OK);
    assert_int_equal(stats_of(source).failures, 3); /* though nobody saw it */
    nexauth_source_free(source);
}

static void the_times_of_the_token_are_told(void **state)
{
    struct fixture *fixture = *state;
    const struct {
        const char *lifetime_s;
        int64_t lifetime, early_first, early_last, late;
    } cases[] = {
        {"100", 100, 75, 80, 90},
        {"3600", 3600, 2700, 2880, 3540},
        {"1209600", 1209600, 1206000, 1206720, 1209540},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nexauth_source *source = fixture_new_controller(fixture);
        const int64_t now = fixture->script.wall_s;
        struct nexauth_stats stats;
        char body[128];

        snprintf(body, sizeof body, "{\"access_token\":\"a\",\"expires_in\":%s}", cases[i].lifetime_s);
        answer(fixture, &(struct script_answer){.status = 200, .body = body}, NULL);
        assert_int_equal(fixture_get(source, "a", NULL), NEXAUTH_OK);
        stats = stats_of(source);
        assert_int_equal(stats.obtained_at, now);
        assert_int_equal(stats.expires_at, now + cases[i].lifetime);
        assert_int_equal(stats.late_at, now + cases[i].late);
        assert_in_range(stats.early_at, now + cases[i].early_first, now + cases[i].early_last);
        assert_int_equal(stats.held_for_ms, 0);
        script_pass_ms(&fixture->script, 60000);
        assert_int_equal(stats_of(source).expires_at, stats.expires_at); /* as time passes */
        assert_int_equal(stats_of(source).early_at, stats.early_at);
        nexauth_source_free(source);
    }
}

static void a_source_without_a_token_tells_no_times(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = new_with(fixture, &one);
    struct nexauth_stats stats;

    assert_int_equal(nexauth_source_reject_copy(source, "Authorization: Bearer one", NULL), NEXAUTH_OK);
    stats = stats_of(source);
    assert_int_equal(stats.obtained_at, 0);
    assert_int_equal(stats.early_at, 0);
    assert_int_equal(stats.late_at, 0);
    assert_int_equal(stats.expires_at, 0);
    assert_int_equal(stats.way, NEXAUTH_WAY_CREDENTIALS); /* of the last one */
    nexauth_source_free(source);
}

static void a_static_token_has_no_windows(void **state)
{
    struct fixture *fixture = *state;
    const int64_t ends[] = {0, 2000000100};

    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        const struct nexauth_static_options options = {.access_token = "api-key", .expires_at = ends[i]};
        nexauth_source *source = NULL;
        struct nexauth_stats stats;

        assert_int_equal(nexauth_source_new_static(fixture->session, &options, &source, NULL), NEXAUTH_OK);
        assert_int_equal(fixture_get(source, "api-key", NULL), NEXAUTH_OK);
        stats = stats_of(source);
        assert_int_equal(stats.obtained_at, 2000000000);
        assert_int_equal(stats.expires_at, ends[i]);
        assert_int_equal(stats.early_at, 0);
        assert_int_equal(stats.late_at, 0);
        assert_int_equal(stats.requests, 0);
        assert_int_equal(stats.way, NEXAUTH_WAY_STATIC);
        nexauth_source_free(source);
    }
}

/* No request for the time that is told, and one when it is over. */
static void expect_held(struct fixture *fixture, nexauth_source *source)
{
    const int64_t held_ms = stats_of(source).held_for_ms;
    const size_t before = fixture->script.begun;

    assert_true(held_ms > 1);
    answer(fixture, &two, NULL);
    script_pass_ms(&fixture->script, held_ms - 1);
    assert_int_equal(stats_of(source).held_for_ms, 1);
    fixture_get(source, NULL, NULL);
    assert_int_equal(fixture->script.begun, before);
    script_pass_ms(&fixture->script, 1);
    assert_int_equal(stats_of(source).held_for_ms, 0);
    script_pass_ms(&fixture->script, 10); /* who was served a moment ago without a renewal may be served as long */
    assert_int_equal(fixture_get(source, "two", NULL), NEXAUTH_OK);
    assert_int_equal(fixture->script.begun, before + 1);
}

static void the_time_is_told_for_which_no_request_is_sent(void **state)
{
    struct fixture *fixture = *state;
    const struct script_answer throttled = {.status = 429, .retry_after = "7"};
    const struct {
        int64_t age_ms;
        const struct script_answer *answer;
    } cases[] = {
        {82000, &broken},     /* a good token is served on */
        {82000, &one},        /* the service has no better one */
        {82000, &throttled},  /* the service says for how long */
        {100000, &broken},    /* the token is over: nothing is served */
        {100000, &throttled}, /* the same */
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nexauth_source *source = new_with(fixture, &one);

        script_pass_ms(&fixture->script, cases[i].age_ms);
        answer(fixture, cases[i].answer, NULL);
        fixture_get(source, NULL, NULL);
        expect_held(fixture, source);
        nexauth_source_free(source);
        fixture_forget(fixture);
    }
}

static void what_fails_for_one_source_holds_all_with_its_credentials(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *renewing = new_with(fixture, &one);
    nexauth_source *failing = fixture_new_controller(fixture);
    nexauth_source *fresh = fixture_new_controller(fixture);

    script_pass_ms(&fixture->script, 82000);
    answer(fixture, &broken, NULL);
    assert_int_equal(fixture_get(failing, NULL, NULL), NEXAUTH_UNAVAILABLE);
    assert_in_range(stats_of(failing).held_for_ms, 1000, 1200);
    assert_int_equal(stats_of(fresh).held_for_ms, stats_of(failing).held_for_ms);
    assert_int_equal(stats_of(renewing).held_for_ms, stats_of(failing).held_for_ms);
    expect_held(fixture, renewing);
    nexauth_source_free(renewing);
    nexauth_source_free(failing);
    nexauth_source_free(fresh);
}

static void figures_that_cannot_be_told_are_refused(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);
    struct nexauth_stats stats = {.hits = 42};
    struct nexauth_error error = {0};

    assert_int_equal(nexauth_source_stats(NULL, &stats, &error), NEXAUTH_INVALID);
    assert_int_equal(error.status, NEXAUTH_INVALID);
    assert_int_equal(nexauth_source_stats(source, NULL, NULL), NEXAUTH_INVALID);
    nexauth_session_free(fixture->session);
    fixture->session = NULL;
    assert_int_equal(nexauth_source_stats(source, &stats, &error), NEXAUTH_INVALID);
    assert_string_equal(error.message, "the session was freed");
    assert_int_equal(stats.hits, 42);
    nexauth_source_free(source);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(a_source_that_did_nothing_has_no_figures),
        IN_A_WORLD(hits_are_callers_that_found_a_good_token),
        IN_A_WORLD(copies_are_no_hits),
        IN_A_WORLD(hits_of_many_threads_are_all_counted),
        IN_A_WORLD(requests_are_all_that_was_sent_or_tried),
        IN_A_WORLD(a_caller_that_waits_for_what_is_under_way_joins_it),
        IN_A_WORLD(a_caller_that_finds_a_good_token_joins_nothing),
        IN_A_WORLD(the_last_failure_is_kept),
        IN_A_WORLD(the_times_of_the_token_are_told),
        IN_A_WORLD(a_source_without_a_token_tells_no_times),
        IN_A_WORLD(a_static_token_has_no_windows),
        IN_A_WORLD(the_time_is_told_for_which_no_request_is_sent),
        IN_A_WORLD(what_fails_for_one_source_holds_all_with_its_credentials),
        IN_A_WORLD(figures_that_cannot_be_told_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
