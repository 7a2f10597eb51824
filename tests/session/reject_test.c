/* What becomes of a token that the API answered 401 to. */
#include "support/test.h"

#include "support/fixture.h"

#include <string.h>

enum { TIMES = 10 };

static nexauth_token *get(nexauth_source *source)
{
    nexauth_token *token = NULL;
    struct nexauth_error error = {0};

    if (nexauth_source_get_token(source, NULL, &token, &error) != NEXAUTH_OK)
        fail_msg("%s: %s", nexauth_status_name(error.status), error.message);
    return token;
}

/* Gets a token and rejects it. */
static nexauth_status get_and_reject(nexauth_source *source, struct nexauth_error *error)
{
    nexauth_token *token = get(source);
    const nexauth_status status = nexauth_source_reject_token(source, token, error);

    nexauth_token_unref(token);
    return status;
}

/* A controller whose token "one" was rejected, and that has "two" in its place now. */
static nexauth_source *new_replaced(struct fixture *fixture, const char *lifetime_s)
{
    nexauth_source *source = fixture_new_controller(fixture);
    struct nexauth_error error = {0};

    fixture_answer_token(fixture, "one", lifetime_s);
    fixture_answer_token(fixture, "two", lifetime_s);
    assert_int_equal(get_and_reject(source, &error), NEXAUTH_OK);
    assert_int_equal(fixture_get(source, "two", &error), NEXAUTH_OK);
    return source;
}

static nexauth_status reject_by_object(nexauth_source *source, const nexauth_token *token)
{
    return nexauth_source_reject_token(source, token, NULL);
}

static nexauth_status reject_by_copy(nexauth_source *source, const nexauth_token *token)
{
    return nexauth_source_reject_copy(source, nexauth_token_header(token), NULL);
}

static nexauth_status (*const ways[])(nexauth_source *, const nexauth_token *) = {reject_by_object, reject_by_copy};

static void ten_rejects_of_a_token_cause_one_request(void **state)
{
    struct fixture *fixture = *state;

    for (size_t way = 0; way < sizeof ways / sizeof *ways; way++) {
        nexauth_source *source = fixture_new_controller(fixture);
        const size_t before = fixture->script.begun;
        struct nexauth_error error = {0};
        nexauth_token *token;

        fixture_answer_token(fixture, "one", "3600");
        fixture_answer_token(fixture, "two", "3600");
        token = get(source);
        for (int i = 0; i < TIMES; i++)
            assert_int_equal(ways[way](source, token), NEXAUTH_OK);
        assert_int_equal(fixture->script.begun - before, 1); /* nobody has asked yet */
        for (int i = 0; i < TIMES; i++) {
            assert_int_equal(fixture_get(source, "two", &error), NEXAUTH_OK);
            assert_int_equal(ways[way](source, token), NEXAUTH_OK);
        }
        assert_int_equal(fixture->script.begun - before, 2);
        nexauth_token_unref(token);
        nexauth_source_free(source);
    }
}

/* A thread that was refused with a token, and asks for another. */
struct refused {
    nexauth_source *source;
    nexauth_token *token;
    nexauth_token *next;
    nexauth_status (*reject)(nexauth_source *, const nexauth_token *);
    nexauth_status status;
    pthread_t thread;
};

static void *reject_and_get(void *context)
{
    struct refused *refused = context;

    refused->status = refused->reject(refused->source, refused->token);
    if (!refused->status)
        refused->status = nexauth_source_get_token(refused->source, NULL, &refused->next, NULL);
    return NULL;
}

static void ten_threads_that_reject_a_token_cause_one_request(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);
    struct refused refused[TIMES];
    nexauth_token *token;

    fixture_answer_token(fixture, "one", "3600");
    fixture_answer_token(fixture, "two", "3600");
    token = get(source);
    fixture->script.blocks = true;
    for (size_t i = 0; i < TIMES; i++) {
        refused[i] = (struct refused){.source = source, .token = token, .reject = ways[i % 2]};
        assert_int_equal(pthread_create(&refused[i].thread, NULL, reject_and_get, &refused[i]), 0);
    }
    for (size_t i = 0; i < TIMES; i++) {
        pthread_join(refused[i].thread, NULL);
        assert_int_equal(refused[i].status, NEXAUTH_OK);
        assert_string_equal(nexauth_token_access_token(refused[i].next), "two");
        nexauth_token_unref(refused[i].next);
    }
    assert_int_equal(fixture->script.begun, 2);
    nexauth_token_unref(token);
    nexauth_source_free(source);
}

static void who_rejects_what_is_not_the_current_token_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);
    struct nexauth_error error = {0};
    nexauth_token *old;

    assert_int_equal(nexauth_source_reject_copy(source, "Authorization: Bearer one", &error), NEXAUTH_OK);
    fixture_answer_token(fixture, "one", "100");
    fixture_answer_token(fixture, "two", "100");
    old = get(source);
    fixture_expire(fixture);
    assert_int_equal(fixture_get(source, "two", &error), NEXAUTH_OK);
    assert_int_equal(nexauth_source_reject_token(source, old, &error), NEXAUTH_OK);
    assert_int_equal(nexauth_source_reject_copy(source, "Authorization: Bearer one", &error), NEXAUTH_OK);
    assert_int_equal(nexauth_source_reject_copy(source, "two", &error), NEXAUTH_OK); /* not what a copy holds */
    assert_int_equal(fixture_get(source, "two", &error), NEXAUTH_OK);
    assert_int_equal(fixture->script.begun, 2);
    nexauth_token_unref(old);
    nexauth_source_free(source);
}

/* The replacement is kept to the last millisecond, and then it is not. */
static void expect_kept_for(nexauth_source *source, struct fixture *fixture, int64_t window_ms)
{
    const size_t before = fixture->script.begun;
    struct nexauth_error error = {0};

    assert_int_equal(get_and_reject(source, NULL), NEXAUTH_THROTTLED);
    assert_int_equal(get_and_reject(source, &error), NEXAUTH_THROTTLED);
    assert_int_equal(error.status, NEXAUTH_THROTTLED);
    assert_int_equal(error.retry_after_ms, window_ms);
    assert_int_equal(error.http_status, 0);
    script_pass_ms(&fixture->script, window_ms - 1);
    assert_int_equal(get_and_reject(source, &error), NEXAUTH_THROTTLED);
    assert_int_equal(error.retry_after_ms, 1);
    assert_int_equal(fixture->script.begun, before);
    script_pass_ms(&fixture->script, 1);
    memset(&error, 0, sizeof error);
    assert_int_equal(get_and_reject(source, &error), NEXAUTH_OK);
    assert_int_equal(error.status, NEXAUTH_OK);
    assert_int_equal(fixture->script.begun, before);
}

static void what_replaces_a_rejected_token_is_kept_for_a_time_that_doubles(void **state)
{
    struct fixture *fixture = *state;
    const int64_t windows_s[] = {30, 60, 120, 240, 480, 600, 600};
    nexauth_source *source = new_replaced(fixture, "86400");
    struct nexauth_error error = {0};

    for (size_t i = 0; i < sizeof windows_s / sizeof *windows_s; i++) {
        fixture_answer_token(fixture, "next", "86400");
        expect_kept_for(source, fixture, windows_s[i] * 1000);
        assert_int_equal(fixture_get(source, "next", &error), NEXAUTH_OK);
    }
    nexauth_source_free(source);
}

static void a_rejected_copy_is_kept_for_as_long(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = new_replaced(fixture, "86400");
    struct nexauth_error error = {0};

    script_pass_ms(&fixture->script, 10000);
    assert_int_equal(nexauth_source_reject_copy(source, "Authorization: Bearer two", &error), NEXAUTH_THROTTLED);
    assert_int_equal(error.retry_after_ms, 20000);
    assert_int_equal(fixture_get(source, "two", &error), NEXAUTH_OK);
    nexauth_source_free(source);
}

static void who_approves_a_token_has_the_next_kept_for_the_shortest_time(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = new_replaced(fixture, "86400");
    struct nexauth_error error = {0};
    nexauth_token *token;

    script_pass_ms(&fixture->script, 30000);
    assert_int_equal(get_and_reject(source, &error), NEXAUTH_OK);
    fixture_answer_token(fixture, "three", "86400");
    fixture_answer_token(fixture, "four", "86400");
    token = get(source);
    nexauth_source_approve_token(source, token);
    assert_int_equal(nexauth_source_reject_token(source, token, &error), NEXAUTH_THROTTLED);
    assert_int_equal(error.retry_after_ms, 30000); /* as the first time */
    script_pass_ms(&fixture->script, 30000);
    assert_int_equal(nexauth_source_reject_token(source, token, &error), NEXAUTH_OK);
    nexauth_token_unref(token);
    assert_int_equal(get_and_reject(source, &error), NEXAUTH_THROTTLED);
    assert_int_equal(error.retry_after_ms, 30000); /* and again */
    nexauth_source_free(source);
}

static void who_approves_another_token_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);
    struct nexauth_error error = {0};
    nexauth_token *old;

    fixture_answer_token(fixture, "one", "86400");
    fixture_answer_token(fixture, "two", "86400");
    old = get(source);
    nexauth_source_approve_token(source, old);
    assert_int_equal(nexauth_source_reject_token(source, old, &error), NEXAUTH_OK);
    assert_int_equal(fixture_get(source, "two", &error), NEXAUTH_OK);
    nexauth_source_approve_token(source, old);
    assert_int_equal(get_and_reject(source, &error), NEXAUTH_THROTTLED);
    nexauth_token_unref(old);
    nexauth_source_free(source);
}

static void a_token_that_lives_to_its_renewal_makes_rejections_forgotten(void **state)
{
    struct fixture *fixture = *state;
    const int64_t ages_ms[] = {82000 /* early */, 95000 /* late */, 120000 /* over */};

    for (size_t i = 0; i < sizeof ages_ms / sizeof *ages_ms; i++) {
        nexauth_source *source = new_replaced(fixture, "100");
        struct nexauth_error error = {0};

        fixture_answer_token(fixture, "three", "100");
        fixture_answer_token(fixture, "four", "100");
        script_pass_ms(&fixture->script, ages_ms[i]);
        assert_int_equal(fixture_get(source, "three", &error), NEXAUTH_OK);
        assert_int_equal(get_and_reject(source, &error), NEXAUTH_OK);
        assert_int_equal(get_and_reject(source, &error), NEXAUTH_THROTTLED);
        assert_int_equal(error.retry_after_ms, 30000);
        nexauth_source_free(source);
    }
}

static void a_rejected_token_that_comes_back_is_kept_too(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);
    struct nexauth_error error = {0};

    fixture_answer_token(fixture, "one", "3600");
    fixture_answer_token(fixture, "one", "3600");
    assert_int_equal(get_and_reject(source, &error), NEXAUTH_OK);
    for (int i = 0; i < TIMES; i++) {
        assert_int_equal(get_and_reject(source, &error), NEXAUTH_THROTTLED);
        assert_int_equal(error.retry_after_ms, 30000);
    }
    assert_int_equal(fixture->script.begun, 2);
    nexauth_source_free(source);
}

/* What comes of a renewal that was under way when the token was rejected replaces the rejected one. */
static void a_renewal_under_way_serves_who_rejects_the_token(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);
    struct nexauth_error error = {0};
    nexauth_token *old;

    fixture_answer_token(fixture, "one", "100");
    script_answer(&fixture->script, (struct script_answer){.status = 200,
                                                           .takes_ms = 5000,
                                                           .body = "{\"access_token\":\"two\",\"expires_in\":100}"});
    old = get(source);
    script_pass_ms(&fixture->script, 82000);
    assert_int_equal(fixture_get(source, "one", &error), NEXAUTH_OK); /* renews, and takes the good one after 2 s */
    assert_int_equal(fixture->script.begun, 2);
    assert_int_equal(nexauth_source_reject_token(source, old, &error), NEXAUTH_OK);
    assert_int_equal(fixture_get(source, "two", &error), NEXAUTH_OK);
    assert_int_equal(fixture->script.begun, 2);
    assert_int_equal(get_and_reject(source, &error), NEXAUTH_THROTTLED);
    assert_int_equal(error.retry_after_ms, 30000);
    nexauth_token_unref(old);
    nexauth_source_free(source);
}

static void a_renewal_under_way_that_fails_does_not_bring_the_rejected_token_back(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);
    struct nexauth_error error = {0};
    nexauth_token *old;

    fixture_answer_token(fixture, "one", "100");
    script_answer(&fixture->script, (struct script_answer){.status = 500, .takes_ms = 5000});
    old = get(source);
    script_pass_ms(&fixture->script, 82000);
    assert_int_equal(fixture_get(source, "one", &error), NEXAUTH_OK);
    assert_int_equal(nexauth_source_reject_token(source, old, &error), NEXAUTH_OK);
    assert_int_equal(fixture_get(source, NULL, &error), NEXAUTH_UNAVAILABLE);
    nexauth_token_unref(old);
    nexauth_source_free(source);
}

static void a_static_token_that_was_rejected_is_never_given_again(void **state)
{
    struct fixture *fixture = *state;
    const struct nexauth_static_options options = {.access_token = "api-key"};
    nexauth_source *source = NULL;
    struct nexauth_error error = {0};
    nexauth_token *token;
    char copy[64];
    size_t length;

    assert_int_equal(nexauth_source_new_static(fixture->session, &options, &source, NULL), NEXAUTH_OK);
    token = get(source);
    assert_int_equal(nexauth_source_reject_token(source, token, &error), NEXAUTH_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(fixture_get(source, NULL, &error), NEXAUTH_REAUTH);
        assert_string_equal(error.message, "the static token was rejected");
        assert_int_equal(error.retry_after_ms, 0);
        assert_int_equal(nexauth_source_copy_token(source, NULL, copy, sizeof copy, &length, NULL), NEXAUTH_REAUTH);
        assert_int_equal(nexauth_source_reject_token(source, token, &error), NEXAUTH_OK);
        nexauth_source_approve_token(source, token);
        script_pass_ms(&fixture->script, (int64_t)365 * 86400 * 1000);
    }
    assert_int_equal(fixture->script.begun, 0);
    nexauth_token_unref(token);
    nexauth_source_free(source);
}

/*
 * An application calls once a second with whatever token it gets, and is told 401 each time. The tokens come at 0 and 1
 * s, and then whenever the one before has been kept for its time: at 32, 93, 214, 455, 936, 1537, 2138, 2739 and 3340
 * s.
 */
static void a_401_that_means_no_right_costs_eleven_requests_an_hour(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);
    const struct script_answer answer = {.status = 200, .body = "{\"access_token\":\"any\",\"expires_in\":86400}"};
    int throttled = 0;

    for (int i = 0; i < 100; i++)
        script_answer(&fixture->script, answer);
    for (int i = 0; i < 3600; i++) {
        throttled += get_and_reject(source, NULL) == NEXAUTH_THROTTLED;
        script_pass_ms(&fixture->script, 1000);
    }
    assert_int_equal(fixture->script.begun, 11);
    assert_int_equal(throttled, 3600 - 10);
    nexauth_source_free(source);
}

static void who_rejects_nothing_is_told_so(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = new_replaced(fixture, "3600");
    struct nexauth_error error = {0};
    nexauth_token *token = get(source);

    assert_int_equal(nexauth_source_reject_token(NULL, token, &error), NEXAUTH_INVALID);
    assert_int_equal(error.status, NEXAUTH_INVALID);
    assert_int_equal(nexauth_source_reject_token(source, NULL, &error), NEXAUTH_INVALID);
    assert_int_equal(nexauth_source_reject_copy(NULL, "two", &error), NEXAUTH_INVALID);
    assert_int_equal(nexauth_source_reject_copy(source, NULL, &error), NEXAUTH_INVALID);
    assert_int_equal(nexauth_source_reject_copy(NULL, NULL, NULL), NEXAUTH_INVALID);
    nexauth_source_approve_token(NULL, token);
    nexauth_source_approve_token(source, NULL);
    nexauth_source_approve_token(NULL, NULL);
    assert_int_equal(get_and_reject(source, &error), NEXAUTH_THROTTLED); /* nothing was approved */
    nexauth_token_unref(token);
    nexauth_source_free(source);
}

static void nothing_is_rejected_once_the_session_was_freed(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);
    struct nexauth_error error = {0};
    nexauth_token *token;

    fixture_answer_token(fixture, "one", "3600");
    token = get(source);
    nexauth_session_free(fixture->session);
    fixture->session = NULL;
    assert_int_equal(nexauth_source_reject_token(source, token, &error), NEXAUTH_INVALID);
    assert_string_equal(error.message, "the session was freed");
    assert_int_equal(nexauth_source_reject_copy(source, nexauth_token_header(token), &error), NEXAUTH_INVALID);
    nexauth_source_approve_token(source, token);
    nexauth_token_unref(token);
    nexauth_source_free(source);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(ten_rejects_of_a_token_cause_one_request),
        IN_A_WORLD(ten_threads_that_reject_a_token_cause_one_request),
        IN_A_WORLD(who_rejects_what_is_not_the_current_token_changes_nothing),
        IN_A_WORLD(what_replaces_a_rejected_token_is_kept_for_a_time_that_doubles),
        IN_A_WORLD(a_rejected_copy_is_kept_for_as_long),
        IN_A_WORLD(who_approves_a_token_has_the_next_kept_for_the_shortest_time),
        IN_A_WORLD(who_approves_another_token_changes_nothing),
        IN_A_WORLD(a_token_that_lives_to_its_renewal_makes_rejections_forgotten),
        IN_A_WORLD(a_rejected_token_that_comes_back_is_kept_too),
        IN_A_WORLD(a_renewal_under_way_serves_who_rejects_the_token),
        IN_A_WORLD(a_renewal_under_way_that_fails_does_not_bring_the_rejected_token_back),
        IN_A_WORLD(a_static_token_that_was_rejected_is_never_given_again),
        IN_A_WORLD(a_401_that_means_no_right_costs_eleven_requests_an_hour),
        IN_A_WORLD(who_rejects_nothing_is_told_so),
        IN_A_WORLD(nothing_is_rejected_once_the_session_was_freed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
