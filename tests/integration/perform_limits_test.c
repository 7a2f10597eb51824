/*
 * Calls with nexauth_perform() in the process's own rate ledger: what counts, and what an answer does to those who come
 * after. The ledger remembers from one test to the next: each has an origin of its own.
 */
#include "support/test.h"

#include "live.h"
#include "stage.h"

#include <stdio.h>
#include <string.h>

#define CONTROLLER     "/v1.0/Controller"
#define NEX_TOKEN      "nex /v1.0/Token"
#define NEX_CONTROLLER "nex /v1.0/Controller"
#define OK_KEEP        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody"
#define HOUR_MS        3600000
#define FOR_AN_HOUR    "\"answer\":{\"name\":\"throttled\",\"headers\":{\"Retry-After\":\"3600\"}}}"
#define BUSY           "\"answer\":{\"status\":503,\"headers\":{\"Retry-After\":\"3600\"},\"body\":\"busy\"}}"

#define PAGE                                                                                                           \
    "\"answer\":{\"status\":403,\"headers\":{\"Content-Type\":\"text/"                                                 \
    "html\",\"Retry-After\":\"3600\"},\"body\":\"<p>\"}}"

static int64_t used(const struct stage *stage)
{
    struct nexauth_limit_state limit = {0};
    size_t count = 0;

    assert_int_equal(nexauth_session_limits(stage->session, &limit, 1, &count, NULL), NEXAUTH_OK);
    assert_int_equal(count, 1);
    assert_string_equal(limit.name, "api");
    return limit.used;
}

/* Held by an answer that said for how long, and a little longer, and no request was sent. */
static void assert_held(nexauth_status status, const struct nexauth_error *error)
{
    assert_int_equal(status, NEXAUTH_THROTTLED);
    assert_int_equal(error->http_status, 0);
    assert_in_range(error->retry_after_ms, HOUR_MS, 2 * HOUR_MS);
}

static void assert_call_is_held(struct performer *performer, nexauth_source *source, const char *url)
{
    struct nexauth_error error = {0};
    const nexauth_status status = performer_perform(performer, source, url, &error);

    assert_held(status, &error);
}

static void a_429_at_nex_holds_calls_and_tokens(void **state)
{
    const struct live_who user = {.kind = LIVE_NEX_USER};
    const struct live_who controller = {.kind = LIVE_NEX_CONTROLLER};
    nexauth_source *first = live_new_source(*state, &controller);
    nexauth_source *second = live_new_source(*state, &user);
    struct nexauth_error error = {0};
    struct performer performer;

    performer_begin(&performer);
    live_fault("{\"service\":\"nex\",\"path\":\"/v1.0/Controller\"," FOR_AN_HOUR);
    assert_int_equal(performer_perform(&performer, first, performer_url(live_emulator.nex_https, CONTROLLER), &error),
                     NEXAUTH_THROTTLED);
    assert_int_equal(error.http_status, 429);
    assert_in_range(error.retry_after_ms, HOUR_MS, 2 * HOUR_MS);
    assert_call_is_held(&performer, first, performer_url(live_emulator.nex_https, "/v1.0/Other"));
    assert_held(live_get_status(second, &error), &error);
    assert_int_equal(live_requests_at(NEX_TOKEN), 1);
    assert_int_equal(live_requests_at("nex *"), 2);
    performer_end(&performer);
    nexauth_source_free(first);
    nexauth_source_free(second);
}

static void a_429_of_quantozs_api_holds_no_tokens(void **state)
{
    const struct live_who who = {.kind = LIVE_QUANTOZ_TEST};
    const struct live_who other = {.kind = LIVE_QUANTOZ_TEST, .scope = "sanctionlist"};
    nexauth_source *first = live_new_source(*state, &who);
    nexauth_source *second = live_new_source(*state, &other);
    struct nexauth_error error = {0};
    struct performer performer;

    performer_begin(&performer);
    live_fault("{\"service\":\"quantoz_test_api\",\"path\":\"/customer\"," FOR_AN_HOUR);
    assert_int_equal(
        performer_perform(&performer, first, performer_url(live_emulator.quantoz_test_api_https, "/customer"), &error),
        NEXAUTH_THROTTLED);
    assert_int_equal(error.http_status, 429);
    assert_int_equal(live_get_status(second, &error), NEXAUTH_OK);
    assert_call_is_held(&performer, second, performer_url(live_emulator.quantoz_test_api_https, "/customer"));
    assert_int_equal(live_requests_at("quantoz_test_api *"), 1);
    performer_end(&performer);
    nexauth_source_free(first);
    nexauth_source_free(second);
}

/* At another origin of the same service: "localhost". */
static void a_503_holds_its_path_alone(void **state)
{
    char origin[64];
    struct nexauth_error error = {0};
    struct performer performer;

    snprintf(origin, sizeof origin, "https://localhost%s", strrchr(live_emulator.nex_https, ':'));
    const struct live_who user = {.kind = LIVE_NEX_USER, .origin = origin};
    const struct live_who controller = {.kind = LIVE_NEX_CONTROLLER, .origin = origin};
    nexauth_source *first = live_new_source(*state, &controller);
    nexauth_source *second = live_new_source(*state, &user);

    performer_begin(&performer);
    live_fault("{\"service\":\"nex\",\"path\":\"/v1.0/Controller\"," BUSY);
    assert_int_equal(performer_perform(&performer, first, performer_url(origin, CONTROLLER), &error),
                     NEXAUTH_UNAVAILABLE);
    assert_int_equal(error.http_status, 503);
    assert_in_range(error.retry_after_ms, HOUR_MS, 2 * HOUR_MS);
    assert_string_equal(performer.body, "busy");
    assert_call_is_held(&performer, first, performer_url(origin, CONTROLLER "?a=b"));
    assert_int_equal(live_get_status(second, &error), NEXAUTH_OK);
    performer_assert(&performer, second, performer_url(origin, "/v1.0/Other"), 404);
    assert_call_is_held(&performer, second, performer_url(origin, CONTROLLER));
    assert_int_equal(live_requests_at(NEX_CONTROLLER), 1);
    performer_end(&performer);
    nexauth_source_free(first);
    nexauth_source_free(second);
}

/* The pages are the application's until the third. */
static void three_pages_in_a_row_are_a_ban(void **state)
{
    const struct live_who who = {.kind = LIVE_QUANTOZ_PRODUCTION};
    nexauth_source *source = live_new_source(*state, &who);
    const char *url = performer_url(live_emulator.quantoz_production_api_https, "/customer");
    struct nexauth_error error = {0};
    struct performer performer;

    performer_begin(&performer);
    live_fault("{\"service\":\"quantoz_production_api\",\"path\":\"/customer\",\"times\":0," PAGE);
    performer_assert(&performer, source, url, 403);
    performer_assert(&performer, source, url, 403);
    assert_int_equal(performer_perform(&performer, source, url, &error), NEXAUTH_BLOCKED);
    assert_int_equal(error.http_status, 403);
    assert_int_equal(error.code[0], '\0');
    assert_call_is_held(&performer, source, performer_url(live_emulator.quantoz_production_api_https, "/other"));
    assert_int_equal(live_requests_at("quantoz_production_api *"), 3);
    performer_end(&performer);
    nexauth_source_free(source);
}

static void three_fresh_connections_closed_without_an_answer_are_a_ban(void **state)
{
    static const nexauth_status statuses[] = {NEXAUTH_NETWORK, NEXAUTH_NETWORK, NEXAUTH_BLOCKED};
    const struct nexauth_static_options fixed = {.access_token = "one",
                                                 .api_origins = live_emulator.tls_closes_after_request};
    nexauth_source *source = NULL;
    struct performer performer;

    performer_begin(&performer);
    assert_int_equal(nexauth_source_new_static(*state, &fixed, &source, NULL), NEXAUTH_OK);
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        struct nexauth_error error = {0};

        assert_int_equal(
            performer_perform(&performer, source, performer_url(live_emulator.tls_closes_after_request, "/a"), &error),
            statuses[i]);
        assert_int_equal(error.http_status, 0);
        assert_int_equal(error.retry_after_ms > 0, statuses[i] == NEXAUTH_BLOCKED);
    }
    performer_end(&performer);
    nexauth_source_free(source);
}

static void who_gets_no_turn_in_time_is_told_at_once(void **state)
{
    struct stage stage;
    struct nexauth_error error = {0};

    (void)state;
    stage_begin(&stage, 2);
    stage_answer(&stage, OK_KEEP, LISTENER_KEEP);
    performer_assert(&stage.performer, stage.source, stage_url(&stage), 200);
    assert_int_equal(performer_perform(&stage.performer, stage.source, stage_url(&stage), &error), NEXAUTH_THROTTLED);
    assert_int_equal(error.http_status, 0);
    assert_true(error.retry_after_ms > 0);
    assert_int_equal(listener_requests(stage.listener), 1);
    stage_end(&stage);
}

/* A date is relative to the answer's own, whatever the time is here. */
static void a_date_in_retry_after_counts_from_the_answers_own(void **state)
{
    static const char busy[] = "HTTP/1.1 429 Too Many\r\nDate: Tue, 01 Jan 2019 00:00:00 GMT\r\n"
                               "Retry-After: Tue, 01 Jan 2019 01:00:00 GMT\r\nContent-Length: 0\r\n\r\n";
    struct stage stage;
    struct nexauth_error error = {0};

    (void)state;
    stage_begin(&stage, 4);
    stage_answer(&stage, busy, LISTENER_KEEP);
    assert_int_equal(performer_perform(&stage.performer, stage.source, stage_url(&stage), &error), NEXAUTH_THROTTLED);
    assert_in_range(error.retry_after_ms, HOUR_MS, 2 * HOUR_MS);
    stage_end(&stage);
}

/* A kept connection turns out to be dead: the first sending may have been counted as well. */
static void a_request_that_leaves_once_more_takes_a_slot_more(void **state)
{
    struct stage stage;

    (void)state;
    stage_begin(&stage, 6);
    stage_answer(&stage, OK_KEEP, LISTENER_KEEP);
    stage_answer(&stage, NULL, LISTENER_CLOSE);
    stage_answer(&stage, OK_KEEP, LISTENER_KEEP);
    performer_assert(&stage.performer, stage.source, stage_url(&stage), 200);
    assert_int_equal(used(&stage), 1);
    performer_assert(&stage.performer, stage.source, stage_url(&stage), 200);
    assert_int_equal(used(&stage), 3);
    assert_int_equal(listener_requests(stage.listener), 3);
    stage_end(&stage);
}

static void without_a_slot_it_does_not_leave_once_more(void **state)
{
    struct stage stage;
    struct nexauth_error error = {0};

    (void)state;
    stage_begin(&stage, 4);
    stage_answer(&stage, OK_KEEP, LISTENER_KEEP);
    stage_answer(&stage, NULL, LISTENER_CLOSE);
    stage_answer(&stage, OK_KEEP, LISTENER_KEEP);
    performer_assert(&stage.performer, stage.source, stage_url(&stage), 200);
    assert_int_equal(performer_perform(&stage.performer, stage.source, stage_url(&stage), &error), NEXAUTH_NETWORK);
    assert_non_null(strstr(error.message, "no slot"));
    assert_int_equal(used(&stage), 2);
    assert_int_equal(listener_requests(stage.listener), 2);
    stage_end(&stage);
}

static void what_never_left_takes_no_slot(void **state)
{
    struct stage stage;
    char url[128];

    (void)state;
    stage_begin(&stage, 2);
    snprintf(url, sizeof url, "%s/a", listener_origin(stage.listener));
    listener_stop(stage.listener);
    stage.listener = NULL;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(performer_perform(&stage.performer, stage.source, url, NULL), NEXAUTH_NETWORK);
        assert_int_equal(used(&stage), 0);
    }
    stage_end(&stage);
}

/* It may yet be counted. */
static void what_may_have_left_takes_its_slot(void **state)
{
    struct stage stage;

    (void)state;
    stage_begin(&stage, 4);
    curl_easy_setopt(stage.performer.easy, CURLOPT_TIMEOUT_MS, 300L);
    stage_answer(&stage, NULL, LISTENER_STALL);
    assert_int_equal(performer_perform(&stage.performer, stage.source, stage_url(&stage), NULL), NEXAUTH_TIMEOUT);
    assert_int_equal(used(&stage), 1);
    stage_end(&stage);
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, live_set_up, live_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(a_429_at_nex_holds_calls_and_tokens),
        LIVE(a_429_of_quantozs_api_holds_no_tokens),
        LIVE(a_503_holds_its_path_alone),
        LIVE(three_pages_in_a_row_are_a_ban),
        LIVE(three_fresh_connections_closed_without_an_answer_are_a_ban),
        LIVE(who_gets_no_turn_in_time_is_told_at_once),
        LIVE(a_date_in_retry_after_counts_from_the_answers_own),
        LIVE(a_request_that_leaves_once_more_takes_a_slot_more),
        LIVE(without_a_slot_it_does_not_leave_once_more),
        LIVE(what_never_left_takes_no_slot),
        LIVE(what_may_have_left_takes_its_slot),
    };

    return cmocka_run_group_tests(tests, live_start, live_stop);
}
