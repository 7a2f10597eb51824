/* Freeing in every order: with a thread and a call that wait, a parked exchange, and a callback that runs. */
#include "support/test.h"

#include "support/fixture.h"
#include "support/outcome.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>

struct scene {
    struct fixture *fixture;
    const char *order;
    nexauth_source *awaited, *parked, *running;
    nexauth_source *last; /* freed after all of these */
    nexauth_call *call;
    struct outcome waiting, canceled, held; /* of calls of these sources */
    atomic_bool callback_runs, callback_may_end, callback_has_ended;
    bool awaited_callback; /* when the session was free */
    nexauth_status got;    /* by the thread that waits */
    nexauth_status polled; /* by the thread that runs the callback */
    pthread_t waiter, poller, ender;
};

static bool hold(void *context)
{
    struct scene *scene = context;

    scene->callback_runs = true;
    while (!scene->callback_may_end)
        sched_yield();
    scene->callback_has_ended = true;
    return true;
}

static void *get(void *context)
{
    struct scene *scene = context;
    nexauth_token *token = NULL;

    scene->got = nexauth_source_get_token(scene->awaited, NULL, &token, NULL);
    nexauth_token_unref(token);
    return NULL;
}

static void *poll_once(void *context)
{
    struct scene *scene = context;

    scene->polled = nexauth_session_poll(scene->fixture->session, 86400000, NULL);
    return NULL;
}

static void *end(void *context)
{
    struct scene *scene = context;

    for (const char *next = scene->order; *next; next++) {
        if (*next == 'w')
            nexauth_source_free(scene->awaited);
        if (*next == 'p')
            nexauth_source_free(scene->parked);
        if (*next == 'r')
            nexauth_source_free(scene->running);
        if (*next == 'c')
            nexauth_call_unref(scene->call);
        if (*next == 's') {
            nexauth_session_free(scene->fixture->session);
            scene->awaited_callback = scene->callback_has_ended;
        }
    }
    return NULL;
}

static void await(const atomic_bool *flag)
{
    while (!*flag)
        sched_yield();
}

static void await_requests(struct scene *scene, size_t count)
{
    while (script_begun(&scene->fixture->script) < count)
        sched_yield();
}

static nexauth_call *start(nexauth_source *source, struct outcome *outcome)
{
    nexauth_call *call = NULL;

    assert_int_equal(nexauth_source_start(source, NULL, outcome_note, outcome, &call, NULL), NEXAUTH_OK);
    return call;
}

static void set(struct scene *scene)
{
    const struct script_answer never = {.takes_ms = INT64_MAX};
    struct script *script = &scene->fixture->script;
    nexauth_call *call;

    scene->awaited = fixture_new_controller(scene->fixture);
    scene->parked = fixture_new_controller(scene->fixture);
    scene->running = fixture_new_controller(scene->fixture);
    scene->last = fixture_new_controller(scene->fixture);
    fixture_answer_token(scene->fixture, "one", "3600");
    assert_int_equal(fixture_get(scene->running, "one", NULL), NEXAUTH_OK);
    script->blocks = true;
    script_answer_always(script, never);
    scene->held = (struct outcome){.then = hold, .context = scene};
    nexauth_call_unref(start(scene->running, &scene->held));
    assert_int_equal(pthread_create(&scene->poller, NULL, poll_once, scene), 0);
    await(&scene->callback_runs);
    assert_int_equal(pthread_create(&scene->waiter, NULL, get, scene), 0);
    await_requests(scene, 2);
    scene->call = start(scene->awaited, &scene->waiting);
    call = start(scene->parked, &scene->canceled);
    await_requests(scene, 3);
    nexauth_call_cancel(call);
    nexauth_call_unref(call);
}

/* Every verb of a source is invalid as soon as the end of the session has begun. */
static void await_end_of_session(struct scene *scene)
{
    struct nexauth_stats stats;

    while (nexauth_source_stats(scene->last, &stats, NULL) == NEXAUTH_OK)
        sched_yield();
    for (int i = 0; i < 100; i++)
        sched_yield(); /* an end that did not wait for the callback would be over by now */
}

/* Another thread frees, and this one lets the callback end when that has come to the session: it has to wait. */
static void strike(struct scene *scene)
{
    assert_int_equal(pthread_create(&scene->ender, NULL, end, scene), 0);
    await_end_of_session(scene);
    scene->callback_may_end = true;
    pthread_join(scene->ender, NULL);
    assert_true(scene->awaited_callback);
    assert_true(scene->fixture->script.freed);
    pthread_join(scene->waiter, NULL);
    pthread_join(scene->poller, NULL);
    scene->fixture->session = NULL;
    nexauth_source_free(scene->last);
}

static void play(void **state, const char *order)
{
    struct scene scene = {.order = order};

    assert_int_equal(fixture_set_up(state), 0);
    scene.fixture = *state;
    set(&scene);
    strike(&scene);
    outcome_assert_token(&scene.held, "one");
    outcome_assert_status(&scene.waiting, NEXAUTH_CANCELED);
    outcome_assert_status(&scene.canceled, NEXAUTH_CANCELED);
    assert_int_equal(scene.got, NEXAUTH_CANCELED);
    assert_true(scene.polled == NEXAUTH_CANCELED || scene.polled == NEXAUTH_OK);
    fixture_tear_down(state);
}

/* All orders that begin with the first `fixed` letters of `order`. */
static void play_orders(void **state, char *order, size_t fixed)
{
    const size_t count = strlen(order);

    if (fixed == count)
        play(state, order);
    for (size_t i = fixed; i < count; i++) {
        const char letter = order[i];

        order[i] = order[fixed];
        order[fixed] = letter;
        play_orders(state, order, fixed + 1);
        order[fixed] = order[i];
        order[i] = letter;
    }
}

static void objects_may_be_freed_in_every_order(void **state)
{
    char order[] = "wprcs"; /* sources waited for, parked and running; the call that waits; the session */

    play_orders(state, order, 0);
}

/* The blocked thread leads. Whoever frees the source or the session, the other callers' flights go on or end. */
static void a_leader_whose_source_is_freed_leaves_the_others_served(void **state)
{
    struct fixture *fixture = *state;
    struct scene scene = {.fixture = fixture, .awaited = fixture_new_controller(fixture)};
    nexauth_source *other = fixture_new_controller(fixture);
    struct outcome outcome = {0};

    fixture->script.blocks = true;
    script_answer(&fixture->script, (struct script_answer){.takes_ms = INT64_MAX});
    script_answer(&fixture->script, (struct script_answer){.status = 200,
                                                           .takes_ms = 40000,
                                                           .body = "{\"access_token\":\"one\",\"expires_in\":3600}"});
    assert_int_equal(pthread_create(&scene.waiter, NULL, get, &scene), 0);
    await_requests(&scene, 1);
    outcome_start(other, NULL, &outcome);
    await_requests(&scene, 2);
    nexauth_source_free(scene.awaited);
    pthread_join(scene.waiter, NULL);
    assert_int_equal(scene.got, NEXAUTH_CANCELED);
    script_pass_ms(&fixture->script, 40000);
    outcome_poll(fixture->session, 0);
    outcome_assert_token(&outcome, "one");
    nexauth_source_free(other);
}

struct last_poll {
    nexauth_session *session;
    struct nexauth_error error;
};

static bool poll_for_the_last_time(void *context)
{
    struct last_poll *poll = context;

    return nexauth_session_poll(poll->session, 0, &poll->error) == NEXAUTH_INVALID;
}

static void a_callback_at_the_end_of_a_session_is_told_of_it_when_it_polls(void **state)
{
    struct fixture *fixture = *state;
    struct last_poll poll = {.session = fixture->session};
    struct outcome outcome = {.then = poll_for_the_last_time, .context = &poll};
    nexauth_source *source = fixture_new_controller(fixture);

    outcome_start(source, NULL, &outcome);
    nexauth_session_free(fixture->session);
    fixture->session = NULL;
    outcome_assert_status(&outcome, NEXAUTH_CANCELED);
    assert_string_equal(poll.error.message, "the session was freed");
    nexauth_source_free(source);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_may_be_freed_in_every_order),
        IN_A_WORLD(a_leader_whose_source_is_freed_leaves_the_others_served),
        IN_A_WORLD(a_callback_at_the_end_of_a_session_is_told_of_it_when_it_polls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
