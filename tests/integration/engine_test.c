/* One engine for all: threads that wait together, connections that are kept, and ends that come at once. */
#include "support/test.h"

#include "live.h"
#include "support/listener.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define NEX_PATH     "nex /v1.0/Token"
#define QUANTOZ_PATH "quantoz_test /connect/token"
#define NEX_SLOWLY   "{\"service\":\"nex\",\"path\":\"/v1.0/Token\",\"delay_ms\":600000}"
#define TOKEN        "HTTP/1.1 200 OK\r\nContent-Length: 42\r\n\r\n{\"access_token\":\"one\",\"expires_in\":\"3600\"}"

static const struct live_who nex = {.kind = LIVE_NEX_USER};
static const struct live_who quantoz = {.kind = LIVE_QUANTOZ_TEST};

/* Longer than the test program may run: whoever waits so long has not been woken. */
static const struct nexauth_get_options patient = {.timeout_ms = 3600000};
static const struct nexauth_session_options no_hurry = {.exchange_timeout_ms = 600000, .loopback_http = 1};

/* A thread that asks for a token. */
struct caller {
    pthread_t thread;
    nexauth_source *source;
    nexauth_token *token;
    nexauth_status status;
};

static void *call(void *context)
{
    struct caller *caller = context;

    caller->status = nexauth_source_get_token(caller->source, &patient, &caller->token, NULL);
    return NULL;
}

static void start(struct caller *caller, nexauth_source *source)
{
    *caller = (struct caller){.source = source};
    assert_int_equal(pthread_create(&caller->thread, NULL, call, caller), 0);
}

static nexauth_status end(struct caller *caller)
{
    pthread_join(caller->thread, NULL);
    nexauth_token_unref(caller->token);
    return caller->status;
}

static void await_in_flight(const char *path, int requests)
{
    const struct timespec moment = {.tv_nsec = 5000000};

    while (emulator_in_flight(&live_emulator, path) < requests)
        nanosleep(&moment, NULL);
}

/* Answers that never came in an earlier test stay in flight. */
static int base_of(const char *path)
{
    return emulator_in_flight(&live_emulator, path);
}

static void who_waits_keeps_nobody_else_waiting(void **state)
{
    const int base = base_of(NEX_PATH);
    nexauth_source *slow = live_new_source(*state, &nex);
    nexauth_source *fast = live_new_source(*state, &quantoz);
    struct caller caller;

    live_fault(NEX_SLOWLY);
    start(&caller, slow);
    await_in_flight(NEX_PATH, base + 1);
    nexauth_token_unref(live_get(fast)); /* while the other thread turns the engine */
    assert_int_equal(emulator_in_flight(&live_emulator, NEX_PATH), base + 1);
    assert_int_equal(live_requests_at(QUANTOZ_PATH), 1);
    nexauth_source_free(slow);
    assert_int_equal(end(&caller), NEXAUTH_CANCELED);
    nexauth_source_free(fast);
}

/* The one that turned the engine leaves: the one that slept must turn it from then on. */
static void who_leaves_hands_the_engine_on(void **state)
{
    const int base = base_of(NEX_PATH);
    struct listener *listener = listener_start("127.0.0.1");

    (void)state;
    assert_non_null(listener);
    const struct live_who held = {.kind = LIVE_QUANTOZ_TEST, .origin = listener_origin(listener)};
    nexauth_session *session = live_new_session(&no_hurry);
    nexauth_source *slow = live_new_source(session, &nex);
    nexauth_source *slept = live_new_source(session, &held);
    struct caller first;
    struct caller second;

    live_fault(NEX_SLOWLY);
    listener_answer(listener, (struct listener_answer){.text = TOKEN, .held = true});
    start(&first, slow);
    await_in_flight(NEX_PATH, base + 1);
    start(&second, slept);
    listener_await(listener, 1);
    nexauth_source_free(slow);
    assert_int_equal(end(&first), NEXAUTH_CANCELED);
    listener_release(listener);
    assert_int_equal(end(&second), NEXAUTH_OK);
    nexauth_source_free(slept);
    nexauth_session_free(session);
    listener_stop(listener);
}

static void many_threads_of_a_cold_source_cause_one_request(void **state)
{
    enum { CALLERS = 64 };
    struct listener *listener = listener_start("127.0.0.1");
    struct caller callers[CALLERS];

    (void)state;
    assert_non_null(listener);
    const struct live_who held = {.kind = LIVE_NEX_USER, .origin = listener_origin(listener)};
    nexauth_session *session = live_new_session(&no_hurry);
    nexauth_source *source = live_new_source(session, &held);

    listener_answer(listener, (struct listener_answer){.text = TOKEN, .held = true});
    for (size_t i = 0; i < CALLERS; i++)
        start(&callers[i], source);
    listener_await(listener, 1);
    listener_release(listener);
    for (size_t i = 0; i < CALLERS; i++)
        assert_int_equal(end(&callers[i]), NEXAUTH_OK);
    assert_int_equal(listener_requests(listener), 1);
    assert_int_equal(listener_connections(listener), 1);
    nexauth_source_free(source);
    nexauth_session_free(session);
    listener_stop(listener);
}

static void many_threads_over_tls_cause_one_request(void **state)
{
    enum { CALLERS = 64 };
    nexauth_source *source = live_new_source(*state, &nex);
    struct caller callers[CALLERS];

    for (size_t i = 0; i < CALLERS; i++)
        start(&callers[i], source);
    for (size_t i = 0; i < CALLERS; i++)
        assert_int_equal(end(&callers[i]), NEXAUTH_OK);
    assert_int_equal(live_requests(), 1);
    nexauth_source_free(source);
}

static void many_threads_share_one_failure(void **state)
{
    enum { CALLERS = 16 };
    struct listener *listener = listener_start("127.0.0.1");
    struct caller callers[CALLERS];

    (void)state;
    assert_non_null(listener);
    const struct live_who held = {.kind = LIVE_NEXUSGUARD_SAVED, .origin = listener_origin(listener)};
    nexauth_session *session = live_new_session(&no_hurry);
    nexauth_source *source = live_new_source(session, &held);

    listener_answer(listener, (struct listener_answer){.then = LISTENER_CLOSE, .held = true});
    for (size_t i = 0; i < CALLERS; i++)
        start(&callers[i], source);
    listener_await(listener, 1);
    listener_release(listener);
    for (size_t i = 0; i < CALLERS; i++) /* late ones find the refresh token gone */
        assert_int_equal(end(&callers[i]), NEXAUTH_REAUTH);
    assert_int_equal(listener_requests(listener), 1);
    nexauth_source_free(source);
    nexauth_session_free(session);
    listener_stop(listener);
}

static void one_connection_serves_many_sources_in_turn(void **state)
{
    enum { SOURCES = 12 };

    for (int i = 0; i < SOURCES; i++) {
        nexauth_source *source = live_new_source(*state, &nex);

        nexauth_token_unref(live_get(source));
        nexauth_source_free(source);
    }
    assert_int_equal(live_requests_at(NEX_PATH), SOURCES);
    assert_int_equal(emulator_connections(&live_emulator, NEX_PATH), 1);
}

static void sources_at_once_use_no_more_connections_than_allowed(void **state)
{
    enum { CALLERS = 24, CONNECTIONS = 3 };
    const struct nexauth_session_options options = {.max_connections = CONNECTIONS};
    nexauth_session *session = live_new_session(&options);
    struct caller callers[CALLERS];

    (void)state;
    for (size_t i = 0; i < CALLERS; i++)
        start(&callers[i], live_new_source(session, &nex));
    for (size_t i = 0; i < CALLERS; i++) {
        assert_int_equal(end(&callers[i]), NEXAUTH_OK);
        nexauth_source_free(callers[i].source);
    }
    assert_int_equal(live_requests_at(NEX_PATH), CALLERS);
    assert_in_range(emulator_connections(&live_emulator, NEX_PATH), 1, CONNECTIONS);
    nexauth_session_free(session);
}

/* Who comes too late to wait finds the session gone. */
static void a_freed_session_lets_all_threads_of_a_source_go(void **state)
{
    enum { CALLERS = 8 };
    const int base = base_of(NEX_PATH);
    nexauth_session *session = live_new_session(&no_hurry);
    nexauth_source *source = live_new_source(session, &nex);
    struct caller callers[CALLERS];

    (void)state;
    live_fault(NEX_SLOWLY);
    for (size_t i = 0; i < CALLERS; i++)
        start(&callers[i], source);
    await_in_flight(NEX_PATH, base + 1);
    nexauth_session_free(session);
    for (size_t i = 0; i < CALLERS; i++) {
        const nexauth_status status = end(&callers[i]);

        assert_true(status == NEXAUTH_CANCELED || status == NEXAUTH_INVALID);
    }
    assert_int_equal(live_requests_at(NEX_PATH), 1);
    nexauth_source_free(source);
}

static void a_freed_session_lets_threads_of_all_sources_go(void **state)
{
    const int base = base_of(NEX_PATH);
    struct listener *listener = listener_start("127.0.0.1");

    (void)state;
    assert_non_null(listener);
    const struct live_who held = {.kind = LIVE_QUANTOZ_TEST, .origin = listener_origin(listener)};
    nexauth_session *session = live_new_session(&no_hurry);
    nexauth_source *sources[] = {live_new_source(session, &nex), live_new_source(session, &held)};
    struct caller callers[2];

    live_fault(NEX_SLOWLY);
    start(&callers[0], sources[0]);
    start(&callers[1], sources[1]);
    await_in_flight(NEX_PATH, base + 1);
    listener_await(listener, 1);
    nexauth_session_free(session);
    for (size_t i = 0; i < 2; i++) {
        nexauth_token *token = NULL;

        assert_int_equal(end(&callers[i]), NEXAUTH_CANCELED);
        assert_int_equal(nexauth_source_get_token(sources[i], NULL, &token, NULL), NEXAUTH_INVALID);
        nexauth_source_free(sources[i]);
    }
    listener_stop(listener);
}

static void *free_session(void *session)
{
    nexauth_session_free(session);
    return NULL;
}

/* Its caller is let go at once; the exchange itself is given time, and its connection is not cut. */
static void a_refresh_that_has_left_outlives_its_caller(void **state)
{
    struct listener *listener = listener_start("127.0.0.1");
    struct caller caller;
    pthread_t closer;

    (void)state;
    assert_non_null(listener);
    const struct live_who held = {.kind = LIVE_NEXUSGUARD_SAVED, .origin = listener_origin(listener)};
    nexauth_session *session = live_new_session(&no_hurry);
    nexauth_source *source = live_new_source(session, &held);

    listener_answer(listener, (struct listener_answer){.text = TOKEN, .held = true});
    start(&caller, source);
    listener_await(listener, 1);
    assert_int_equal(pthread_create(&closer, NULL, free_session, session), 0);
    assert_int_equal(end(&caller), NEXAUTH_CANCELED);
    listener_release(listener);
    pthread_join(closer, NULL);
    assert_int_equal(listener_requests(listener), 1);
    nexauth_source_free(source);
    listener_stop(listener);
}

/* Nobody waits for it any more: the session's end takes it along without waiting for its answer. */
static void a_parked_request_for_a_token_ends_with_its_session(void **state)
{
    const struct nexauth_get_options impatient = {.timeout_ms = 20};
    struct listener *listener = listener_start("127.0.0.1");

    (void)state;
    assert_non_null(listener);
    const struct live_who held = {.kind = LIVE_NEX_USER, .origin = listener_origin(listener)};
    nexauth_session *session = live_new_session(&no_hurry);
    nexauth_source *source = live_new_source(session, &held);
    nexauth_token *token = NULL;

    do
        assert_int_equal(nexauth_source_get_token(source, &impatient, &token, NULL), NEXAUTH_TIMEOUT);
    while (listener_requests(listener) == 0);
    nexauth_session_free(session);
    nexauth_source_free(source);
    assert_int_equal(listener_requests(listener), 1);
    listener_stop(listener);
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, live_set_up, live_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(who_waits_keeps_nobody_else_waiting),
        LIVE(who_leaves_hands_the_engine_on),
        LIVE(many_threads_of_a_cold_source_cause_one_request),
        LIVE(many_threads_over_tls_cause_one_request),
        LIVE(many_threads_share_one_failure),
        LIVE(one_connection_serves_many_sources_in_turn),
        LIVE(sources_at_once_use_no_more_connections_than_allowed),
        LIVE(a_freed_session_lets_all_threads_of_a_source_go),
        LIVE(a_freed_session_lets_threads_of_all_sources_go),
        LIVE(a_refresh_that_has_left_outlives_its_caller),
        LIVE(a_parked_request_for_a_token_ends_with_its_session),
    };

    return cmocka_run_group_tests(tests, live_start, live_stop);
}
