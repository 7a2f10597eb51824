/* Freeing in every order, with callers waiting, exchanges parked and callbacks running. */
#include "support/test.h"

#include "session/session.h"
#include "support/caller.h"
#include "support/fixture.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct script_answer right_redirect = {
    .status = 302, .location = "https://app.example.com/callback?code=the-code&state={state}"};

static void start(struct caller *caller, nexauth_source *source)
{
    *caller = (struct caller){.source = source};
    caller_start(caller);
}

static void wait_for_requests(struct fixture *fixture, size_t count)
{
    while (script_begun(&fixture->script) < count)
        sched_yield();
}

/* A world whose turns wait for each other in real time. */
static struct fixture *new_blocking(void **state)
{
    struct fixture *fixture;

    assert_int_equal(fixture_set_up(state), 0);
    fixture = *state;
    fixture->script.blocks = true;
    return fixture;
}

static void a_freed_source_cancels_who_waits_for_it(void **state)
{
    struct fixture *fixture = new_blocking(state);
    nexauth_source *source = fixture_new_controller(fixture);
    struct caller caller;

    start(&caller, source);
    wait_for_requests(fixture, 1);
    nexauth_source_free(source);
    pthread_join(caller.thread, NULL);
    assert_int_equal(caller.status, NEXAUTH_CANCELED);
    assert_string_equal(caller.error.message, "the source was freed while its token was waited for");
    fixture_tear_down(state);
}

static void a_freed_session_cancels_all_who_wait(void **state)
{
    enum { CALLERS = 16 };
    struct fixture *fixture = new_blocking(state);
    nexauth_source *sources[CALLERS / 2];
    struct caller callers[CALLERS];

    for (size_t i = 0; i < CALLERS / 2; i++)
        sources[i] = fixture_new_controller(fixture);
    for (size_t i = 0; i < CALLERS; i++)
        start(&callers[i], sources[i / 2]);
    wait_for_requests(fixture, CALLERS / 2);
    nexauth_session_free(fixture->session);
    fixture->session = NULL;
    assert_true(fixture->script.freed);
    for (size_t i = 0; i < CALLERS; i++) {
        pthread_join(callers[i].thread, NULL);
        if (callers[i].status != NEXAUTH_CANCELED && callers[i].status != NEXAUTH_INVALID)
            fail_msg("%s", nexauth_status_name(callers[i].status)); /* INVALID: it had not begun to wait */
    }
    for (size_t i = 0; i < CALLERS / 2; i++)
        nexauth_source_free(sources[i]);
    fixture_tear_down(state);
}

static void every_verb_of_a_source_without_its_session_is_invalid(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);
    nexauth_source *customer = fixture_new_customer(fixture, &fixture_customer);
    nexauth_authorization *authorization = NULL;
    nexauth_authorization *early = NULL;
    nexauth_source *late = NULL;
    nexauth_token *token = NULL;
    char url[256];

    fixture_answer_token(fixture, "one", "3600");
    assert_int_equal(nexauth_source_get_token(source, NULL, &token, NULL), NEXAUTH_OK);
    assert_int_equal(nexauth_source_authorize(customer, &early, NULL), NEXAUTH_OK);
    nexauth_session_free(fixture->session);
    fixture->session = NULL;
    assert_string_equal(nexauth_token_access_token(token), "one");
    nexauth_token_unref(token);
    token = NULL;
    assert_int_equal(nexauth_source_get_token(source, NULL, &token, NULL), NEXAUTH_INVALID);
    assert_int_equal(nexauth_source_authorize(customer, &authorization, NULL), NEXAUTH_INVALID);
    snprintf(url, sizeof url, "/callback?code=c&state=%s", nexauth_authorization_state(early));
    assert_int_equal(nexauth_source_accept_redirect(customer, url, nexauth_authorization_state(early), NULL),
                     NEXAUTH_INVALID);
    assert_int_equal(nexauth_source_new_nex_controller(source->session, &fixture_controller, &late, NULL),
                     NEXAUTH_INVALID);
    assert_null(late);
    nexauth_authorization_free(early);
    nexauth_source_free(source);
    nexauth_source_free(customer);
}

static void a_parked_exchange_is_given_up_with_its_session(void **state)
{
    struct fixture *fixture = *state;
    const struct nexauth_get_options impatient = {.timeout_ms = 1000};
    nexauth_source *source = fixture_new_controller(fixture);
    nexauth_token *token = NULL;
    int64_t before;

    assert_int_equal(nexauth_source_get_token(source, &impatient, &token, NULL), NEXAUTH_TIMEOUT);
    nexauth_source_free(source);
    before = fixture->script.boot_ms;
    nexauth_session_free(fixture->session);
    fixture->session = NULL;
    assert_int_equal(fixture->script.given_up, 1);
    assert_int_equal(fixture->script.boot_ms, before);
}

static void a_parked_one_time_exchange_is_awaited_by_the_end_of_its_session(void **state)
{
    struct fixture *fixture = *state;
    const struct nexauth_get_options impatient = {.timeout_ms = 1000};
    nexauth_source *source = fixture_new_customer(fixture, &fixture_customer);
    nexauth_token *token = NULL;
    int64_t before;

    script_answer(&fixture->script, right_redirect);
    script_answer(&fixture->script,
                  (struct script_answer){
                      .status = 200, .takes_ms = 20000, .body = "{\"code\":0,\"result\":{\"access_token\":\"one\"}}"});
    assert_int_equal(nexauth_source_get_token(source, &impatient, &token, NULL), NEXAUTH_TIMEOUT);
    before = fixture->script.boot_ms;
    nexauth_session_free(fixture->session);
    fixture->session = NULL;
    assert_int_equal(fixture->script.given_up, 0);
    assert_int_equal(fixture->script.boot_ms - before, 19000);
    nexauth_source_free(source);
}

static void a_parked_one_time_exchange_is_awaited_until_its_deadline_only(void **state)
{
    struct fixture *fixture = *state;
    const struct nexauth_get_options impatient = {.timeout_ms = 1000};
    nexauth_source *source = fixture_new_customer(fixture, &fixture_customer);
    nexauth_token *token = NULL;
    int64_t before;

    script_answer(&fixture->script, right_redirect);
    assert_int_equal(nexauth_source_get_token(source, &impatient, &token, NULL), NEXAUTH_TIMEOUT);
    before = fixture->script.boot_ms;
    nexauth_session_free(fixture->session);
    fixture->session = NULL;
    assert_int_equal(fixture->script.boot_ms - before, 29000);
    nexauth_source_free(source);
}

static void a_source_freed_with_its_exchange_parked_is_no_burden(void **state)
{
    struct fixture *fixture = *state;
    const struct nexauth_get_options impatient = {.timeout_ms = 1000};
    nexauth_source *source = fixture_new_controller(fixture);
    nexauth_source *other = fixture_new_controller(fixture);
    nexauth_token *token = NULL;

    script_answer(&fixture->script, (struct script_answer){.takes_ms = INT64_MAX});
    fixture_answer_token(fixture, "other", "3600");
    assert_int_equal(nexauth_source_get_token(source, &impatient, &token, NULL), NEXAUTH_TIMEOUT);
    nexauth_source_free(source);
    assert_int_equal(nexauth_source_get_token(other, NULL, &token, NULL), NEXAUTH_OK);
    assert_int_equal(fixture->script.given_up, 1); /* by the other's turn */
    nexauth_token_unref(token);
    nexauth_source_free(other);
}

struct held {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool running;
    bool may_return;
};

/* Runs until it is told to return. */
static nexauth_status hold(void *context, char *xspe, size_t size)
{
    struct held *held = context;

    pthread_mutex_lock(&held->mutex);
    held->running = true;
    pthread_cond_broadcast(&held->changed);
    while (!held->may_return)
        pthread_cond_wait(&held->changed, &held->mutex);
    pthread_mutex_unlock(&held->mutex);
    snprintf(xspe, size, "fresh");
    return NEXAUTH_OK;
}

static void *free_session(void *session)
{
    nexauth_session_free(session);
    return NULL;
}

static bool is_closed(nexauth_session *session)
{
    bool closed;

    nx_engine_lock(session->engine);
    closed = session->closed;
    nx_engine_unlock(session->engine);
    return closed;
}

static void the_end_of_a_session_waits_for_a_callback_that_runs(void **state)
{
    struct fixture *fixture = new_blocking(state);
    struct held held = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    const struct nexauth_nexusguard_user_options options = fixture_with_callback(hold, &held);
    nexauth_source *source = fixture_new_customer(fixture, &options);
    struct caller caller;
    pthread_t ender;

    start(&caller, source);
    pthread_mutex_lock(&held.mutex);
    while (!held.running)
        pthread_cond_wait(&held.changed, &held.mutex);
    pthread_mutex_unlock(&held.mutex);
    assert_int_equal(pthread_create(&ender, NULL, free_session, fixture->session), 0);
    while (!is_closed(fixture->session))
        sched_yield();
    fixture->session = NULL;
    pthread_mutex_lock(&held.mutex);
    held.may_return = true;
    pthread_cond_broadcast(&held.changed);
    pthread_mutex_unlock(&held.mutex);
    pthread_join(ender, NULL);
    pthread_join(caller.thread, NULL);
    assert_int_equal(caller.status, NEXAUTH_CANCELED);
    assert_int_equal(fixture->script.begun, 0);
    nexauth_source_free(source);
    fixture_tear_down(state);
}

static void sources_may_be_freed_before_and_after_their_session(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *before = fixture_new_controller(fixture);
    nexauth_source *after = fixture_new_controller(fixture);

    nexauth_source_free(before);
    nexauth_session_free(fixture->session);
    fixture->session = NULL;
    nexauth_source_free(after);
}

static void freeing_nothing_does_nothing(void **state)
{
    (void)state;
    nexauth_session_free(NULL);
    nexauth_source_free(NULL);
    nexauth_authorization_free(NULL);
    nexauth_token_unref(NULL);
}

static void *churn(void *context)
{
    struct fixture *fixture = context;

    for (int i = 0; i < 50; i++) {
        const struct nexauth_get_options options = {.timeout_ms = 1 + i % 3};
        nexauth_source *source = NULL;
        nexauth_token *token = NULL;

        nexauth_source_new_nex_controller(fixture->session, &fixture_controller, &source, NULL);
        nexauth_source_get_token(source, &options, &token, NULL);
        nexauth_token_unref(token);
        nexauth_source_free(source);
    }
    return NULL;
}

/* Sources come, are asked and go in four threads; nobody checks more than that nothing breaks. */
static void sources_may_come_and_go_in_many_threads(void **state)
{
    struct fixture *fixture = *state;
    pthread_t threads[4];

    for (size_t i = 0; i < SCRIPT_ANSWERS; i++)
        fixture_answer_token(fixture, "any", "3600");
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, churn, fixture), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_freed_source_cancels_who_waits_for_it),
        cmocka_unit_test(a_freed_session_cancels_all_who_wait),
        IN_A_WORLD(every_verb_of_a_source_without_its_session_is_invalid),
        IN_A_WORLD(a_parked_exchange_is_given_up_with_its_session),
        IN_A_WORLD(a_parked_one_time_exchange_is_awaited_by_the_end_of_its_session),
        IN_A_WORLD(a_parked_one_time_exchange_is_awaited_until_its_deadline_only),
        IN_A_WORLD(a_source_freed_with_its_exchange_parked_is_no_burden),
        cmocka_unit_test(the_end_of_a_session_waits_for_a_callback_that_runs),
        IN_A_WORLD(sources_may_be_freed_before_and_after_their_session),
        cmocka_unit_test(freeing_nothing_does_nothing),
        IN_A_WORLD(sources_may_come_and_go_in_many_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
