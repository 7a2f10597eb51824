/* Calls of the vendors' APIs with nexauth_perform(): how the token travels, and what a 401 leads to. */
#include "support/test.h"

#include "live.h"
#include "passing.h"
#include "performer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define CONTROLLER       "/v1.0/Controller"
#define NEX_TOKEN        "nex /v1.0/Token"
#define NEX_CONTROLLER   "nex /v1.0/Controller"
#define NEXUSGUARD_API   "/api/spe/customers"
#define NEXUSGUARD_TOKEN "nexusguard /oauth/credit/token"
#define NEXUSGUARD_CALLS "nexusguard /api/spe/customers"
#define ALWAYS_401       "{\"service\":\"nex\",\"path\":\"/v1.0/Controller\",\"times\":0,\"answer\":\"message-denied\"}"

enum { THREADS = 10, CALLS = 20, DAMPED_S = 31 };

static const struct live_who nex = {.kind = LIVE_NEX_CONTROLLER};
static const struct live_who app = {.kind = LIVE_NEXUSGUARD_APP};

static const char *controllers(void)
{
    return performer_url(live_emulator.nex_https, CONTROLLER);
}

static const char *customers(void)
{
    return performer_url(live_emulator.nexusguard_https, NEXUSGUARD_API);
}

static void revoke(void)
{
    assert_int_equal(emulator_revoke_access(&live_emulator, NULL), 0);
}

static void each_vendor_gets_the_token_as_it_wants_it(void **state)
{
    const struct {
        enum live_kind kind;
        const char *origin;
        const char *path;
        const char *calls;
        const char *words;
    } cases[] = {
        {LIVE_NEX_USER, live_emulator.nex_https, CONTROLLER, NEX_CONTROLLER, "["},
        {LIVE_NEX_CONTROLLER, live_emulator.nex_https, CONTROLLER "?a=b#c", NEX_CONTROLLER, "\"ControllerID\""},
        {LIVE_QUANTOZ_TEST, live_emulator.quantoz_test_api_https, "/customer", "quantoz_test_api /customer",
         "CUSTOMER-1"},
        {LIVE_QUANTOZ_PRODUCTION, live_emulator.quantoz_production_api_https, "/customer",
         "quantoz_production_api /customer", "CUSTOMER-1"},
        {LIVE_NEXUSGUARD_APP, live_emulator.nexusguard_https, NEXUSGUARD_API, NEXUSGUARD_CALLS, "\"code\":0"},
        {LIVE_NEXUSGUARD_USER, live_emulator.nexusguard_https, NEXUSGUARD_API "?a=b#c", NEXUSGUARD_CALLS, "C-1001"},
    };
    struct performer performer;

    performer_begin(&performer);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct live_who who = {.kind = cases[i].kind};
        nexauth_source *source = live_new_source(*state, &who);
        const int before = live_requests_at(cases[i].calls);

        performer_assert(&performer, source, performer_url(cases[i].origin, cases[i].path), 200);
        assert_non_null(strstr(performer.body, cases[i].words));
        assert_int_equal(live_requests_at(cases[i].calls), before + 1);
        nexauth_source_free(source);
    }
    assert_int_equal(performer.rewinds, 0);
    performer_end(&performer);
}

static void a_token_in_the_query_is_percent_encoded(void **state)
{
    nexauth_source *source = live_new_source(*state, &app);
    struct performer performer;
    nexauth_token *token;

    performer_begin(&performer);
    live_fault("{\"service\":\"nexusguard\",\"path\":\"/oauth/credit/token\",\"answer\":\"app-token-escaped\"}");
    token = live_get(source);
    assert_non_null(strstr(nexauth_token_access_token(token), "/a+b"));
    performer_assert(&performer, source, customers(), 200);
    assert_non_null(strstr(performer.body, "\"code\":0"));
    nexauth_token_unref(token);
    nexauth_source_free(source);
    performer_end(&performer);
}

static void quantoz_dates_follow_the_option(void **state)
{
    const struct live_who who = {.kind = LIVE_QUANTOZ_TEST};
    nexauth_source *source = live_new_source(*state, &who);
    struct curl_slist *headers = curl_slist_append(NULL, "Accept: application/json");
    struct performer performer;

    performer_begin(&performer);
    for (int iso8601 = 0; iso8601 < 2; iso8601++) {
        performer.options.quantoz_iso8601 = iso8601;
        performer.options.headers = headers;
        performer_assert(&performer, source, performer_url(live_emulator.quantoz_test_api_https, "/customer"), 200);
        assert_int_equal(strstr(performer.body, "2023-05-04T09:08:07Z") != NULL, iso8601);
        assert_string_equal(headers->data, "Accept: application/json");
        assert_null(headers->next);
    }
    performer_end(&performer);
    curl_slist_free_all(headers);
    nexauth_source_free(source);
}

static void a_401_heals_by_another_token(void **state)
{
    nexauth_source *source = live_new_source(*state, &nex);
    struct performer performer;

    performer_begin(&performer);
    performer_assert(&performer, source, controllers(), 200);
    revoke();
    performer_assert(&performer, source, controllers(), 200);
    assert_int_equal(performer.rewinds, 1);
    assert_non_null(strstr(performer.rewound, "Authorization has been denied"));
    assert_int_equal(performer.body[0], '[');
    assert_int_equal(live_requests_at(NEX_TOKEN), 2);
    assert_int_equal(live_requests_at(NEX_CONTROLLER), 3);
    nexauth_source_free(source);
    performer_end(&performer);
}

/* The token is rejected all the same: the next call has another. */
static void without_a_rewind_there_is_no_second_attempt(void **state)
{
    nexauth_source *source = live_new_source(*state, &nex);
    struct nexauth_error error = {0};
    struct performer performer;

    performer_begin(&performer);
    for (int refuses = 0; refuses < 2; refuses++) {
        performer_assert(&performer, source, controllers(), 200);
        revoke();
        performer.options.rewind = refuses ? performer_rewind : NULL;
        performer.rewind_result = refuses;
        assert_int_equal(performer_perform(&performer, source, controllers(), &error), NEXAUTH_DENIED);
        assert_int_equal(error.http_status, 401);
        assert_int_equal(performer_status(&performer), 401);
        assert_int_equal(performer.rewinds, refuses);
        assert_int_equal(live_requests_at(NEX_CONTROLLER), 2);
        assert_int_equal(live_requests_at(NEX_TOKEN), 1);
        assert_int_equal(error.retry_after_ms, 0);
        nexauth_source_free(source);
        assert_int_equal(emulator_reset(&live_emulator), 0);
        source = live_new_source(*state, &nex);
    }
    nexauth_source_free(source);
    performer_end(&performer);
}

static void a_rejected_token_is_not_carried_again(void **state)
{
    nexauth_source *source = live_new_source(*state, &nex);
    struct performer performer;

    performer_begin(&performer);
    performer.options.rewind = NULL;
    performer_assert(&performer, source, controllers(), 200);
    revoke();
    assert_int_equal(performer_perform(&performer, source, controllers(), NULL), NEXAUTH_DENIED);
    performer_assert(&performer, source, controllers(), 200);
    assert_int_equal(live_requests_at(NEX_TOKEN), 2);
    assert_int_equal(live_requests_at(NEX_CONTROLLER), 3);
    nexauth_source_free(source);
    performer_end(&performer);
}

/* One of ten threads that call at once. */
struct caller {
    pthread_t thread;
    pthread_barrier_t *all;
    nexauth_source *source;
    const char *url;
    struct performer performer;
    nexauth_status status;
};

static void *call(void *context)
{
    struct caller *caller = context;

    pthread_barrier_wait(caller->all);
    caller->status = performer_perform(&caller->performer, caller->source, caller->url, NULL);
    return NULL;
}

static void threads_that_meet_a_401_together_share_one_token_request(void **state)
{
    nexauth_source *source = live_new_source(*state, &nex);
    struct caller *callers = calloc(THREADS, sizeof *callers);
    const char *url = controllers();
    pthread_barrier_t all;

    assert_non_null(callers);
    assert_int_equal(pthread_barrier_init(&all, NULL, THREADS), 0);
    nexauth_token_unref(live_get(source));
    revoke();
    for (int i = 0; i < THREADS; i++) {
        callers[i] = (struct caller){.all = &all, .source = source, .url = url};
        performer_begin(&callers[i].performer);
        assert_int_equal(pthread_create(&callers[i].thread, NULL, call, &callers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(callers[i].thread, NULL);
        assert_int_equal(callers[i].status, NEXAUTH_OK);
        assert_int_equal(performer_status(&callers[i].performer), 200);
        performer_end(&callers[i].performer);
    }
    assert_int_equal(live_requests_at(NEX_TOKEN), 2);
    assert_in_range(live_requests_at(NEX_CONTROLLER), THREADS + 1, 2 * THREADS);
    pthread_barrier_destroy(&all);
    nexauth_source_free(source);
    free(callers);
}

/* Whatever is called, and however often, costs as many token requests as rejections are honoured. */
static void call_often(struct performer *performer, nexauth_source *source)
{
    struct nexauth_error error = {0};

    for (int i = 0; i < CALLS; i++) {
        assert_int_equal(performer_perform(performer, source, controllers(), &error), NEXAUTH_DENIED);
        assert_int_equal(error.http_status, 401);
        assert_true(error.retry_after_ms > 0);
    }
}

static void a_401_that_means_no_right_causes_no_storm(void **state)
{
    nexauth_session *session = passing_new_session(live_emulator.ca_file);
    nexauth_source *source = live_new_source(session, &nex);
    struct performer performer;
    int calls = 0;

    (void)state;
    performer_begin(&performer);
    live_fault(ALWAYS_401);
    for (int honoured = 1; honoured <= 3; honoured++) {
        call_often(&performer, source);
        calls += CALLS + 1;
        assert_int_equal(live_requests_at(NEX_TOKEN), honoured + 1);
        assert_int_equal(live_requests_at(NEX_CONTROLLER), calls);
        assert_int_equal(performer.rewinds, honoured);
        passing_let_s((int64_t)DAMPED_S << (honoured - 1));
    }
    performer_end(&performer);
    nexauth_source_free(source);
    nexauth_session_free(session);
}

static void a_judge_makes_a_401_of_an_envelope(void **state)
{
    nexauth_source *source = live_new_source(*state, &app);
    struct nexauth_error error = {0};
    struct performer performer;

    performer_begin(&performer);
    performer.options.judge = performer_judge;
    performer_assert(&performer, source, customers(), 200);
    assert_int_equal(performer.judged, 1);
    revoke();
    performer_assert(&performer, source, customers(), 200);
    assert_non_null(strstr(performer.rewound, "40031"));
    assert_non_null(strstr(performer.body, "\"code\":0"));
    assert_int_equal(performer.judged, 3);
    assert_int_equal(live_requests_at(NEXUSGUARD_TOKEN), 2);
    nexauth_source_free(source);
    source = live_new_source(*state, &app);
    nexauth_token_unref(live_get(source));
    revoke();
    performer.options.rewind = NULL;
    assert_int_equal(performer_perform(&performer, source, customers(), &error), NEXAUTH_DENIED);
    assert_int_equal(error.http_status, 401);
    assert_int_equal(performer_status(&performer), 200);
    nexauth_source_free(source);
    performer_end(&performer);
}

/* PHP labels what it prints as HTML unless it is told otherwise: that makes no ban of an envelope. */
static void an_envelope_that_is_judged_is_no_page_of_a_ban(void **state)
{
    nexauth_source *source = live_new_source(*state, &app);
    struct performer performer;

    performer_begin(&performer);
    performer.options.judge = performer_judge;
    live_fault("{\"service\":\"nexusguard\",\"path\":\"/api/spe/customers\",\"times\":0,\"answer\":"
               "{\"status\":200,\"headers\":{\"Content-Type\":\"text/html\"},\"body\":\"{\\\"code\\\":40031}\"}}");
    for (int i = 0; i < CALLS; i++)
        assert_int_equal(performer_perform(&performer, source, customers(), NULL), NEXAUTH_DENIED);
    assert_int_equal(live_requests_at(NEXUSGUARD_CALLS), CALLS + 1);
    assert_int_equal(live_requests_at(NEXUSGUARD_TOKEN), 2);
    nexauth_source_free(source);
    performer_end(&performer);
}

static void without_a_judge_the_body_is_the_applications(void **state)
{
    nexauth_source *source = live_new_source(*state, &app);
    struct performer performer;

    performer_begin(&performer);
    nexauth_token_unref(live_get(source));
    revoke();
    performer_assert(&performer, source, customers(), 200);
    assert_non_null(strstr(performer.body, "40031"));
    assert_int_equal(live_requests_at(NEXUSGUARD_CALLS), 1);
    nexauth_source_free(source);
    performer_end(&performer);
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, live_set_up, live_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(each_vendor_gets_the_token_as_it_wants_it),
        LIVE(a_token_in_the_query_is_percent_encoded),
        LIVE(quantoz_dates_follow_the_option),
        LIVE(a_401_heals_by_another_token),
        LIVE(without_a_rewind_there_is_no_second_attempt),
        LIVE(a_rejected_token_is_not_carried_again),
        LIVE(threads_that_meet_a_401_together_share_one_token_request),
        LIVE(a_401_that_means_no_right_causes_no_storm),
        LIVE(a_judge_makes_a_401_of_an_envelope),
        LIVE(an_envelope_that_is_judged_is_no_page_of_a_ban),
        LIVE(without_a_judge_the_body_is_the_applications),
    };

    return cmocka_run_group_tests(tests, live_start, live_stop);
}
