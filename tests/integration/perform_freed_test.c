/* Whoever waits in nexauth_perform() when its source or session is freed: for a token, for its turn, for an answer. */
#include "support/test.h"

#include "live.h"
#include "stage.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define CONTROLLER "/v1.0/Controller"
#define NEX_TOKEN  "nex /v1.0/Token"
#define OK_KEEP    "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody"

static const struct live_who nex = {.kind = LIVE_NEX_CONTROLLER};

/* A thread that calls. */
struct caller {
    pthread_t thread;
    nexauth_source *source;
    char url[128];
    struct performer performer;
    nexauth_status status;
};

static void *call(void *context)
{
    struct caller *caller = context;

    caller->status = performer_perform(&caller->performer, caller->source, caller->url, NULL);
    return NULL;
}

static void start(struct caller *caller, nexauth_source *source, const char *url)
{
    memset(caller, 0, sizeof *caller);
    caller->source = source;
    snprintf(caller->url, sizeof caller->url, "%s", url);
    performer_begin(&caller->performer);
    caller->performer.options.timeout_ms = 3600000;
    assert_int_equal(pthread_create(&caller->thread, NULL, call, caller), 0);
}

static nexauth_status join(struct caller *caller)
{
    pthread_join(caller->thread, NULL);
    performer_end(&caller->performer);
    return caller->status;
}

static void await_in_flight(const char *key, int requests)
{
    const struct timespec moment = {.tv_nsec = 5000000};

    while (emulator_in_flight(&live_emulator, key) < requests)
        nanosleep(&moment, NULL);
}

static void who_waits_for_a_token_is_canceled_when_its_source_or_session_is_freed(void **state)
{
    const struct nexauth_session_options options = {.exchange_timeout_ms = 600000};

    (void)state;
    for (int freed_session = 0; freed_session < 2; freed_session++) {
        const int base = emulator_in_flight(&live_emulator, NEX_TOKEN);
        nexauth_session *session = live_new_session(&options);
        nexauth_source *source = live_new_source(session, &nex);
        struct caller caller;

        live_fault("{\"service\":\"nex\",\"path\":\"/v1.0/Token\",\"delay_ms\":600000}");
        start(&caller, source, performer_url(live_emulator.nex_https, CONTROLLER));
        await_in_flight(NEX_TOKEN, base + 1);
        if (freed_session)
            nexauth_session_free(session);
        nexauth_source_free(source);
        assert_int_equal(join(&caller), NEXAUTH_CANCELED);
        if (!freed_session)
            nexauth_session_free(session);
    }
    assert_int_equal(live_requests_at("nex " CONTROLLER), 0);
}

static void await_waiting(nexauth_session *session)
{
    const struct timespec moment = {.tv_nsec = 5000000};
    struct nexauth_limit_state limit = {0};
    size_t count = 0;

    do {
        nanosleep(&moment, NULL);
        assert_int_equal(nexauth_session_limits(session, &limit, 1, &count, NULL), NEXAUTH_OK);
    } while (count == 0 || limit.waiting == 0);
}

static void who_waits_for_its_turn_is_canceled_when_its_source_or_session_is_freed(void **state)
{
    (void)state;
    for (int freed_session = 0; freed_session < 2; freed_session++) {
        struct stage stage;
        struct caller caller;

        stage_begin(&stage, 2);
        listener_answer(stage.listener, (struct listener_answer){.text = OK_KEEP});
        performer_assert(&stage.performer, stage.source, stage_url(&stage), 200);
        start(&caller, stage.source, stage_url(&stage));
        await_waiting(stage.session);
        if (freed_session) {
            nexauth_session_free(stage.session);
            stage.session = NULL;
        } else {
            nexauth_source_free(stage.source);
            stage.source = NULL;
        }
        assert_int_equal(join(&caller), NEXAUTH_CANCELED);
        assert_int_equal(listener_requests(stage.listener), 1);
        stage_end(&stage);
    }
}

/* What has left is answered all the same. */
static void a_transfer_outlives_its_source_and_session(void **state)
{
    struct stage stage;
    struct caller caller;

    (void)state;
    stage_begin(&stage, 2);
    listener_answer(stage.listener, (struct listener_answer){.text = OK_KEEP, .held = true});
    start(&caller, stage.source, stage_url(&stage));
    listener_await(stage.listener, 1);
    nexauth_source_free(stage.source);
    nexauth_session_free(stage.session);
    stage.source = NULL;
    stage.session = NULL;
    listener_release(stage.listener);
    assert_int_equal(join(&caller), NEXAUTH_OK);
    assert_string_equal(caller.performer.body, "body");
    stage_end(&stage);
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, live_set_up, live_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(who_waits_for_a_token_is_canceled_when_its_source_or_session_is_freed),
        LIVE(who_waits_for_its_turn_is_canceled_when_its_source_or_session_is_freed),
        LIVE(a_transfer_outlives_its_source_and_session),
    };

    return cmocka_run_group_tests(tests, live_start, live_stop);
}
