/* An application's loop that only watches the descriptor learns of all that it has to do, whoever else waits. */
#include "support/test.h"

#include "support/fixture.h"

#include <poll.h>
#include <stdbool.h>

static bool is_readable(nexauth_session *session)
{
    struct pollfd watched = {.events = POLLIN};

    assert_int_equal(nexauth_session_descriptor(session, &watched.fd, NULL), NEXAUTH_OK);
    return poll(&watched, 1, 0) == 1;
}

static void note_status(void *context, nexauth_token *token, const struct nexauth_error *error)
{
    nexauth_status *status = context;

    *status = token ? NEXAUTH_OK : error->status;
}

static nexauth_source *new_controller(struct fixture *fixture, const char *id)
{
    struct nexauth_nex_controller_options who = fixture_controller;
    nexauth_source *source = NULL;

    who.controller_id = id;
    assert_int_equal(nexauth_source_new_nex_controller(fixture->session, &who, &source, NULL), NEXAUTH_OK);
    return source;
}

/* Polls until there is nothing to do but to wait. */
static void settle(nexauth_session *session)
{
    while (is_readable(session) || nexauth_session_timeout_ms(session) == 0)
        assert_int_equal(nexauth_session_poll(session, 0, NULL), NEXAUTH_OK);
}

/* What the loop does when nothing becomes readable. */
static void wait_and_poll(struct fixture *fixture)
{
    const int64_t wait_ms = nexauth_session_timeout_ms(fixture->session);

    assert_in_range(wait_ms, 1, 5000); /* no call of a test is over so soon */
    script_pass_ms(&fixture->script, wait_ms);
    settle(fixture->session);
}

/*
 * A thread that blocks does what is due in its time, and the loop, which asks meanwhile how long it may sleep, hears of
 * its own calls alone. When the thread leaves, the loop has to ask anew.
 */
static void a_caller_that_blocked_leaves_what_is_due_later_to_the_loop(void **state)
{
    static const struct nexauth_get_options hasty = {.timeout_ms = 100};
    struct fixture *fixture = *state;
    nexauth_source *polled = new_controller(fixture, "polled");
    nexauth_source *blocked = new_controller(fixture, "blocked");
    nexauth_status status = NEXAUTH_INVALID;
    nexauth_token *token = NULL;

    assert_false(is_readable(fixture->session));
    script_answer(&fixture->script, (struct script_answer){.loss = NX_LOSS_CUT, .takes_ms = 50});
    script_answer(&fixture->script, (struct script_answer){.takes_ms = INT64_MAX});
    fixture_answer_token(fixture, "one", "100");
    assert_int_equal(nexauth_source_start(polled, NULL, note_status, &status, NULL, NULL), NEXAUTH_OK);
    settle(fixture->session);
    assert_int_equal(nexauth_source_get_token(blocked, &hasty, &token, NULL), NEXAUTH_TIMEOUT);
    assert_true(is_readable(fixture->session));
    settle(fixture->session);
    assert_int_equal(status, NEXAUTH_INVALID);
    wait_and_poll(fixture); /* the second attempt */
    wait_and_poll(fixture); /* its answer */
    assert_int_equal(fixture->script.begun, 3);
    assert_int_equal(status, NEXAUTH_OK);
    nexauth_source_free(polled);
    nexauth_source_free(blocked);
}

/* The loop's own thread. */
static void *go_on(void *fixture)
{
    wait_and_poll(fixture); /* the second attempt */
    wait_and_poll(fixture); /* its answer */
    return NULL;
}

static nexauth_status save_slowly(void *context, nexauth_token *token)
{
    struct fixture *fixture = context;
    pthread_t loop;

    (void)token;
    if (is_readable(fixture->session) && pthread_create(&loop, NULL, go_on, fixture) == 0)
        pthread_join(loop, NULL);
    return NEXAUTH_OK;
}

/* The thread that blocked led, so that the loop may sleep for ever. While it runs a callback, nobody leads. */
static void a_caller_that_runs_a_callback_leaves_the_rest_to_the_loop(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *polled = new_controller(fixture, "polled");
    nexauth_source *blocked = new_controller(fixture, "blocked");
    nexauth_status status = NEXAUTH_INVALID;
    nexauth_token *token = NULL;

    assert_false(is_readable(fixture->session));
    assert_int_equal(nexauth_source_set_save(blocked, save_slowly, fixture, NULL), NEXAUTH_OK);
    script_answer(&fixture->script, (struct script_answer){.loss = NX_LOSS_CUT, .takes_ms = 50});
    fixture_answer_token(fixture, "blocked", "100");
    fixture_answer_token(fixture, "polled", "100");
    assert_int_equal(nexauth_source_start(polled, NULL, note_status, &status, NULL, NULL), NEXAUTH_OK);
    settle(fixture->session);
    assert_int_equal(nexauth_source_get_token(blocked, NULL, &token, NULL), NEXAUTH_OK);
    assert_int_equal(status, NEXAUTH_OK);
    nexauth_token_unref(token);
    nexauth_source_free(polled);
    nexauth_source_free(blocked);
}

#define IN_FIXTURE(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FIXTURE(a_caller_that_blocked_leaves_what_is_due_later_to_the_loop),
        IN_FIXTURE(a_caller_that_runs_a_callback_leaves_the_rest_to_the_loop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
