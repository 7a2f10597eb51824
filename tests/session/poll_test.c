/* Polling: when it returns, what callbacks may do, and how polled callers share with those that block. */
#include "support/test.h"

#include "support/caller.h"
#include "support/fixture.h"
#include "support/outcome.h"

#include <sched.h>
#include <stdio.h>

static const struct script_answer never = {.takes_ms = INT64_MAX};

static void a_poll_returns_when_its_time_is_over(void **state)
{
    struct fixture *fixture = *state;
    const int64_t waits[] = {0, 1, 500, 86400000};

    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        const int64_t before = fixture->script.boot_ms;

        outcome_poll(fixture->session, waits[i]);
        assert_int_equal(fixture->script.boot_ms - before, waits[i]);
    }
}

static void a_poll_returns_when_a_callback_has_run(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);
    const int64_t before = fixture->script.boot_ms;
    struct outcome outcome = {0};

    fixture_answer_token(fixture, "one", "3600"); /* takes 100 ms */
    outcome_start(source, NULL, &outcome);
    outcome_poll(fixture->session, 60000);
    outcome_assert_token(&outcome, "one");
    assert_int_equal(fixture->script.boot_ms - before, 100);
    nexauth_source_free(source);
}

static void a_wakeup_ends_the_next_wait_and_that_alone(void **state)
{
    struct fixture *fixture = *state;
    const int64_t before = fixture->script.boot_ms;

    nexauth_session_wakeup(fixture->session);
    nexauth_session_wakeup(fixture->session);
    outcome_poll(fixture->session, 60000);
    assert_int_equal(fixture->script.boot_ms - before, 0);
    outcome_poll(fixture->session, 60000);
    assert_int_equal(fixture->script.boot_ms - before, 60000);
    nexauth_session_wakeup(NULL);
}

struct poller {
    nexauth_session *session;
    nexauth_status status;
    pthread_t thread;
};

static void *poll_long(void *context)
{
    struct poller *poller = context;

    do
        poller->status = nexauth_session_poll(poller->session, 86400000, NULL);
    while (poller->status == NEXAUTH_INVALID); /* the test looked whether this thread polls already */
    return NULL;
}

/* Returns when the poll has begun. */
static void start_polling(struct poller *poller, nexauth_session *session)
{
    poller->session = session;
    assert_int_equal(pthread_create(&poller->thread, NULL, poll_long, poller), 0);
    while (nexauth_session_poll(session, 0, NULL) == NEXAUTH_OK)
        sched_yield();
}

static void a_second_thread_may_not_poll_but_wake_the_first(void **state)
{
    struct fixture *fixture = *state;
    struct nexauth_error error = {0};
    struct poller poller;

    fixture->script.blocks = true;
    start_polling(&poller, fixture->session);
    assert_int_equal(nexauth_session_poll(fixture->session, 60000, &error), NEXAUTH_INVALID);
    assert_string_equal(error.message, "another thread polls, or a callback of this one does");
    nexauth_session_wakeup(fixture->session);
    pthread_join(poller.thread, NULL);
    assert_int_equal(poller.status, NEXAUTH_OK);
    nexauth_session_wakeup(fixture->session);
    outcome_poll(fixture->session, 60000);
}

static void a_poll_whose_session_is_freed_is_canceled(void **state)
{
    struct fixture *fixture = *state;
    struct poller poller;

    fixture->script.blocks = true;
    start_polling(&poller, fixture->session);
    nexauth_session_free(fixture->session);
    fixture->session = NULL;
    pthread_join(poller.thread, NULL);
    assert_int_equal(poller.status, NEXAUTH_CANCELED);
}

static void pollers_that_are_wrong_are_told_so(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(nexauth_session_poll(NULL, 0, NULL), NEXAUTH_INVALID);
    assert_int_equal(nexauth_session_poll(fixture->session, -1, NULL), NEXAUTH_INVALID);
    assert_int_equal(nexauth_session_poll(fixture->session, 86400001, NULL), NEXAUTH_INVALID);
}

/* What the deeds of a callback work on. */
struct scene {
    struct fixture *fixture;
    nexauth_source *own;
    nexauth_source *other;
    nexauth_call *call;
    nexauth_call *waiting;
    struct outcome outcome; /* of `call` */
    struct outcome further; /* of what the deed starts or ends */
};

static bool start_another(void *context)
{
    struct scene *scene = context;

    return nexauth_source_start(scene->own, NULL, outcome_note, &scene->further, NULL, NULL) == NEXAUTH_OK &&
           scene->further.runs == 0;
}

static bool cancel_itself_and_another(void *context)
{
    struct scene *scene = context;

    nexauth_call_cancel(scene->call);
    nexauth_call_cancel(scene->waiting);
    return scene->further.runs == 0;
}

static bool free_its_source(void *context)
{
    struct scene *scene = context;

    nexauth_source_free(scene->own);
    scene->own = NULL;
    return true;
}

static bool free_another_source(void *context)
{
    struct scene *scene = context;

    nexauth_source_free(scene->other);
    scene->other = NULL;
    return scene->further.runs == 0;
}

static bool reject_and_wait_for_another_token(void *context)
{
    struct scene *scene = context;
    nexauth_token *token = NULL;
    bool well = nexauth_source_get_token(scene->own, NULL, &token, NULL) == NEXAUTH_OK &&
                nexauth_source_reject_token(scene->own, token, NULL) == NEXAUTH_OK;

    nexauth_token_unref(token);
    fixture_answer_token(scene->fixture, "new", "3600");
    token = NULL;
    well = well && nexauth_source_get_token(scene->own, NULL, &token, NULL) == NEXAUTH_OK;
    well = well && scene->fixture->script.begun == 3;
    nexauth_token_unref(token);
    return well;
}

static bool poll_again(void *context)
{
    struct scene *scene = context;
    const struct nexauth_error nothing = {0};
    struct nexauth_error error = nothing;

    nexauth_session_wakeup(scene->fixture->session); /* for whoever polls next */
    return nexauth_session_poll(scene->fixture->session, 0, &error) == NEXAUTH_INVALID && error.message[0];
}

/* The call of `own` comes to its end; one of `other` waits, unless the deed starts the further call. */
static void play(struct scene *scene, bool starts)
{
    struct fixture *fixture = scene->fixture;

    scene->own = fixture_new_controller(fixture);
    scene->other = fixture_new_controller(fixture);
    if (!starts) {
        script_answer(&fixture->script, never);
        assert_int_equal(nexauth_source_start(scene->other, NULL, outcome_note, &scene->further, &scene->waiting, NULL),
                         NEXAUTH_OK);
    }
    fixture_answer_token(fixture, "own", "3600");
    assert_int_equal(nexauth_source_start(scene->own, NULL, outcome_note, &scene->outcome, &scene->call, NULL),
                     NEXAUTH_OK);
    outcome_poll(fixture->session, 1000);
    outcome_assert_token(&scene->outcome, "own");
    assert_int_equal(scene->further.runs, 0);
    outcome_poll(fixture->session, 0);
    assert_int_equal(scene->outcome.runs, 1);
}

static void strike(struct scene *scene)
{
    nexauth_call_unref(scene->call);
    nexauth_call_unref(scene->waiting);
    nexauth_source_free(scene->own);
    nexauth_source_free(scene->other);
}

static void a_callback_may_do_all_but_poll(void **state)
{
    const struct {
        bool (*deed)(void *scene);
        bool starts;
        int runs;               /* of the further call's callback, by the next poll */
        nexauth_status further; /* what it is told */
    } cases[] = {{start_another, true, 1, NEXAUTH_OK},
                 {cancel_itself_and_another, false, 1, NEXAUTH_CANCELED},
                 {free_its_source, false, 0, NEXAUTH_OK},
                 {free_another_source, false, 1, NEXAUTH_CANCELED},
                 {reject_and_wait_for_another_token, false, 0, NEXAUTH_OK},
                 {poll_again, false, 0, NEXAUTH_OK}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct scene scene = {.outcome = {.then = cases[i].deed, .context = &scene}};

        assert_int_equal(fixture_set_up(state), 0);
        scene.fixture = *state;
        play(&scene, cases[i].starts);
        assert_int_equal(scene.further.runs, cases[i].runs);
        assert_int_equal(scene.further.error.status, cases[i].further);
        strike(&scene);
        fixture_tear_down(state);
    }
}

static nexauth_status poll_while_saving(void *context, nexauth_token *token)
{
    struct nexauth_error error = {0};

    (void)token;
    return nexauth_session_poll(context, 1000, &error) == NEXAUTH_INVALID ? NEXAUTH_OK : NEXAUTH_INVALID;
}

/* In whichever way its thread came to run it. */
static void no_callback_of_the_session_may_poll(void **state)
{
    struct fixture *fixture = *state;

    for (int polled = 0; polled <= 1; polled++) {
        nexauth_source *source = fixture_new_controller(fixture);
        struct outcome outcome = {0};
        const int64_t before = fixture->script.boot_ms;

        assert_int_equal(nexauth_source_set_save(source, poll_while_saving, fixture->session, NULL), NEXAUTH_OK);
        fixture_answer_token(fixture, "one", "3600");
        if (polled)
            outcome_start(source, NULL, &outcome);
        else
            assert_int_equal(fixture_get(source, "one", NULL), NEXAUTH_OK);
        outcome_poll(fixture->session, polled ? 1000 : 0);
        assert_int_equal(outcome.runs, polled);
        assert_int_equal(fixture->script.boot_ms - before, 100);
        nexauth_source_free(source);
    }
}

/* A callback that starts the next call each time. */
struct chain {
    struct fixture *fixture;
    nexauth_source *source; /* NULL: a new static one each time */
    struct outcome outcome;
};

static bool start_next(void *context)
{
    const struct nexauth_static_options options = {.access_token = "static"};
    struct chain *chain = context;
    nexauth_source *source = chain->source;
    bool well = true;

    if (!source)
        well = nexauth_source_new_static(chain->fixture->session, &options, &source, NULL) == NEXAUTH_OK;
    well = well && nexauth_source_start(source, NULL, outcome_note, &chain->outcome, NULL, NULL) == NEXAUTH_OK;
    if (!chain->source)
        nexauth_source_free(source);
    return well;
}

static void calls_that_are_always_at_hand_do_not_keep_others_waiting(void **state)
{
    struct fixture *fixture = *state;
    const struct nexauth_static_options options = {.access_token = "static"};

    for (int kept = 0; kept <= 1; kept++) {
        struct chain chain = {.fixture = fixture, .outcome = {.then = start_next, .context = &chain}};
        nexauth_source *source = fixture_new_controller(fixture);
        struct outcome outcome = {0};

        if (kept)
            assert_int_equal(nexauth_source_new_static(fixture->session, &options, &chain.source, NULL), NEXAUTH_OK);
        fixture_answer_token(fixture, "one", "3600");
        assert_true(start_next(&chain));
        outcome_start(source, NULL, &outcome);
        for (int i = 0; i < 10; i++) {
            outcome_poll(fixture->session, 60000);
            assert_int_equal(chain.outcome.runs, i + 1);
            script_pass_ms(&fixture->script, 50);
        }
        outcome_assert_token(&outcome, "one");
        assert_false(chain.outcome.wrong);
        chain.outcome.then = NULL;
        outcome_poll(fixture->session, 0);
        nexauth_source_free(chain.source);
        nexauth_source_free(source);
    }
}

static void who_blocks_joins_the_flight_of_a_call_and_takes_it_along(void **state)
{
    struct fixture *fixture = *state;

    for (int polled_before = 0; polled_before <= 1; polled_before++) {
        nexauth_source *source = fixture_new_controller(fixture);
        struct outcome outcome = {0};
        struct nexauth_stats stats = {0};

        fixture_answer_token(fixture, "shared", "3600");
        outcome_start(source, NULL, &outcome);
        if (polled_before)
            outcome_poll(fixture->session, 1);
        assert_int_equal(fixture_get(source, "shared", NULL), NEXAUTH_OK);
        assert_int_equal(outcome.runs, 0); /* only a poll runs callbacks */
        outcome_poll(fixture->session, 0);
        outcome_assert_token(&outcome, "shared");
        assert_int_equal(fixture->script.begun, polled_before + 1);
        assert_int_equal(nexauth_source_stats(source, &stats, NULL), NEXAUTH_OK);
        assert_int_equal(stats.joins, 1);
        nexauth_source_free(source);
    }
}

/* Who leads waits for less time than the answer takes, until the test lets that pass. */
static void a_call_joins_the_flight_of_who_blocks(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);
    struct caller blocked = {.source = source, .timeout_ms = 10000};
    struct outcome outcome = {0};
    struct nexauth_stats stats = {0};

    script_answer(&fixture->script,
                  (struct script_answer){
                      .status = 200, .takes_ms = 20000, .body = "{\"access_token\":\"shared\",\"expires_in\":3600}"});
    fixture->script.blocks = true;
    caller_start(&blocked);
    while (!script_sleeps(&fixture->script)) /* it leads */
        sched_yield();
    outcome_start(source, NULL, &outcome);
    script_pass_ms(&fixture->script, 20000);
    script_rouse(&fixture->script);
    outcome_poll(fixture->session, 60000);
    outcome_assert_token(&outcome, "shared");
    pthread_join(blocked.thread, NULL);
    assert_int_equal(blocked.status, NEXAUTH_OK);
    assert_string_equal(blocked.token, "shared");
    assert_int_equal(fixture->script.begun, 1);
    assert_int_equal(nexauth_source_stats(source, &stats, NULL), NEXAUTH_OK);
    assert_int_equal(stats.joins, 1);
    nexauth_source_free(source);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(a_poll_returns_when_its_time_is_over),
        IN_A_WORLD(a_poll_returns_when_a_callback_has_run),
        IN_A_WORLD(a_wakeup_ends_the_next_wait_and_that_alone),
        IN_A_WORLD(a_second_thread_may_not_poll_but_wake_the_first),
        IN_A_WORLD(a_poll_whose_session_is_freed_is_canceled),
        IN_A_WORLD(pollers_that_are_wrong_are_told_so),
        cmocka_unit_test(a_callback_may_do_all_but_poll),
        IN_A_WORLD(no_callback_of_the_session_may_poll),
        IN_A_WORLD(calls_that_are_always_at_hand_do_not_keep_others_waiting),
        IN_A_WORLD(who_blocks_joins_the_flight_of_a_call_and_takes_it_along),
        IN_A_WORLD(a_call_joins_the_flight_of_who_blocks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
