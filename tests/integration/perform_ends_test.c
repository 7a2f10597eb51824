/* How a call with nexauth_perform() ends when it does not go well, and what never leaves. */
#include "support/test.h"

#include "live.h"
#include "stage.h"

#include <stdio.h>
#include <string.h>

#define CONTROLLER   "/v1.0/Controller"
#define OK_KEEP      "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody"
#define NOT_FOUND    "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nbody"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct live_who nex = {.kind = LIVE_NEX_CONTROLLER};

static void assert_end(struct stage *stage, const char *url, nexauth_status status, const char *code)
{
    struct nexauth_error error = {0};

    if (performer_perform(&stage->performer, stage->source, url, &error) != status)
        fail_msg("%s: %s: %s", url, nexauth_status_name(error.status), error.message);
    assert_int_equal(error.status, status);
    assert_string_equal(error.code, code);
    assert_null(strstr(error.message, STAGE_TOKEN));
    assert_true(error.message[0] != '\0');
}

/* One byte of an answer that never ends, or none. */
static void the_handles_timeout_ends_the_transfer(void **state)
{
    static const char *const begun[] = {NULL, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nb"};
    struct stage stage;

    (void)state;
    stage_begin(&stage, 0);
    for (size_t i = 0; i < COUNT(begun); i++) {
        struct nexauth_error error = {0};

        curl_easy_setopt(stage.performer.easy, CURLOPT_TIMEOUT_MS, 300L);
        stage_answer(&stage, begun[i], LISTENER_STALL);
        assert_int_equal(performer_perform(&stage.performer, stage.source, stage_url(&stage), &error), NEXAUTH_TIMEOUT);
        assert_string_equal(error.code, "CURLE 28");
    }
    stage_end(&stage);
}

/* Nobody judges a half of it. */
static void an_answer_that_breaks_off_is_told_with_its_status(void **state)
{
    struct stage stage;
    struct nexauth_error error = {0};

    (void)state;
    stage_begin(&stage, 0);
    stage.performer.options.judge = performer_judge;
    stage_answer(&stage, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nb", LISTENER_CLOSE);
    assert_int_equal(performer_perform(&stage.performer, stage.source, stage_url(&stage), &error), NEXAUTH_NETWORK);
    assert_string_equal(error.code, "CURLE 18");
    assert_int_equal(error.http_status, 200);
    assert_int_equal(stage.performer.judged, 0);
    stage_end(&stage);
}

static void nobody_who_listens_is_a_network_failure(void **state)
{
    struct stage stage;
    char url[128];

    (void)state;
    stage_begin(&stage, 0);
    snprintf(url, sizeof url, "%s/a", listener_origin(stage.listener));
    listener_stop(stage.listener);
    assert_end(&stage, url, NEXAUTH_NETWORK, "CURLE 7");
    stage.listener = NULL;
    stage_end(&stage);
}

static void a_peer_that_is_not_trusted_gets_nothing(void **state)
{
    const struct {
        const char *origin;
        const char *key;
    } peers[] = {
        {live_emulator.tls_expired, "tls_faults EXPIRED"},
        {live_emulator.tls_wrong_name, "tls_faults WRONG_NAME"},
        {live_emulator.tls_self_signed, "tls_faults SELF_SIGNED"},
        {live_emulator.tls_unknown_ca, "tls_faults UNKNOWN_CA"},
    };
    struct performer performer;

    performer_begin(&performer);
    for (size_t i = 0; i < COUNT(peers); i++) {
        nexauth_source *source = stage_new_source(*state, peers[i].origin);
        struct nexauth_error error = {0};

        assert_int_equal(performer_perform(&performer, source, performer_url(peers[i].origin, "/a"), &error),
                         NEXAUTH_NETWORK);
        assert_string_equal(error.code, "CURLE 60");
        assert_int_equal(emulator_count_member(&live_emulator, peers[i].key, "bytes", 1), 0);
        nexauth_source_free(source);
    }
    performer_end(&performer);
}

static size_t refuse(char *bytes, size_t size, size_t count, void *context)
{
    (void)bytes;
    (void)context;
    return size * count - 1;
}

static size_t give_up(char *bytes, size_t size, size_t count, void *context)
{
    (void)bytes;
    (void)size;
    (void)count;
    (void)context;
    return CURL_READFUNC_ABORT;
}

static int stop(void *context, curl_off_t to_read, curl_off_t read, curl_off_t to_send, curl_off_t sent)
{
    (void)context;
    (void)to_read;
    (void)read;
    (void)to_send;
    (void)sent;
    return 1;
}

static void a_callback_of_the_callers_cancels(void **state)
{
    struct stage stage;

    (void)state;
    stage_begin(&stage, 0);
    stage_answer(&stage, OK_KEEP, LISTENER_CLOSE);
    curl_easy_setopt(stage.performer.easy, CURLOPT_WRITEFUNCTION, refuse);
    assert_end(&stage, stage_url(&stage), NEXAUTH_CANCELED, "CURLE 23");
    curl_easy_setopt(stage.performer.easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(stage.performer.easy, CURLOPT_XFERINFOFUNCTION, stop);
    assert_end(&stage, stage_url(&stage), NEXAUTH_CANCELED, "CURLE 42");
    curl_easy_setopt(stage.performer.easy, CURLOPT_NOPROGRESS, 1L);
    curl_easy_setopt(stage.performer.easy, CURLOPT_POST, 1L);
    curl_easy_setopt(stage.performer.easy, CURLOPT_READFUNCTION, give_up);
    curl_easy_setopt(stage.performer.easy, CURLOPT_POSTFIELDSIZE, 4L);
    assert_end(&stage, stage_url(&stage), NEXAUTH_CANCELED, "CURLE 42");
    stage_end(&stage);
}

/* An answer is an answer, be it an error to libcurl. */
static void failing_on_errors_changes_no_status(void **state)
{
    nexauth_source *source = live_new_source(*state, &nex);
    struct stage stage;

    stage_begin(&stage, 0);
    stage_answer(&stage, NOT_FOUND, LISTENER_CLOSE);
    curl_easy_setopt(stage.performer.easy, CURLOPT_FAILONERROR, 1L);
    performer_assert(&stage.performer, stage.source, stage_url(&stage), 404);
    nexauth_token_unref(live_get(source));
    assert_int_equal(emulator_revoke_access(&live_emulator, NULL), 0);
    performer_assert(&stage.performer, source, performer_url(live_emulator.nex_https, CONTROLLER), 200);
    assert_int_equal(stage.performer.rewinds, 1);
    stage_end(&stage);
    nexauth_source_free(source);
}

static void what_libcurl_cannot_perform_is_invalid(void **state)
{
    struct stage stage;

    (void)state;
    stage_begin(&stage, 0);
    curl_easy_setopt(stage.performer.easy, CURLOPT_PROTOCOLS_STR, "https");
    assert_end(&stage, stage_url(&stage), NEXAUTH_INVALID, "CURLE 1");
    curl_easy_setopt(stage.performer.easy, CURLOPT_PROTOCOLS_STR, "http");
    curl_easy_setopt(stage.performer.easy, CURLOPT_CONNECT_ONLY, 1L);
    assert_end(&stage, stage_url(&stage), NEXAUTH_INVALID, "");
    assert_int_equal(listener_requests(stage.listener), 0);
    stage_end(&stage);
}

static void a_handle_in_a_multi_is_invalid(void **state)
{
    CURLM *multi = curl_multi_init();
    struct stage stage;

    (void)state;
    stage_begin(&stage, 0);
    curl_multi_add_handle(multi, stage.performer.easy);
    assert_int_equal(performer_perform(&stage.performer, stage.source, stage_url(&stage), NULL), NEXAUTH_INVALID);
    curl_multi_remove_handle(multi, stage.performer.easy);
    curl_multi_cleanup(multi);
    assert_int_equal(listener_requests(stage.listener), 0);
    stage_end(&stage);
}

static void a_header_that_is_the_librarys_or_no_header_is_invalid(void **state)
{
    static const char *const headers[] = {
        "Authorization: Bearer mine",
        "authorization:mine",
        "AUTHORIZATION;",
        "Authorization:",
        "Authorization : mine",
        "X-Any: a\r\nX-B: c",
        "X-Any: a\nX-B: c",
        "X-Any: a\r",
        "X-Any: a\x01",
        "X-Any\r\n: a",
        "X-Any: a\x7f",
        " folded: a",
    };
    struct stage stage;

    (void)state;
    stage_begin(&stage, 0);
    for (size_t i = 0; i < COUNT(headers); i++) {
        struct curl_slist *list = curl_slist_append(curl_slist_append(NULL, "X-First: one"), headers[i]);

        stage.performer.options.headers = list;
        if (performer_perform(&stage.performer, stage.source, stage_url(&stage), NULL) != NEXAUTH_INVALID)
            fail_msg("%s", headers[i]);
        curl_slist_free_all(list);
    }
    stage.performer.options.headers = &(struct curl_slist){0};
    assert_int_equal(performer_perform(&stage.performer, stage.source, stage_url(&stage), NULL), NEXAUTH_INVALID);
    assert_int_equal(listener_connections(stage.listener), 0);
    stage_end(&stage);
}

/* In their order, before and behind nothing of the library's own that they would repeat. */
static void the_callers_headers_are_sent(void **state)
{
    struct curl_slist *headers = NULL;
    struct stage stage;

    (void)state;
    stage_begin(&stage, 0);
    headers = curl_slist_append(headers, "X-First: one");
    headers = curl_slist_append(headers, "Authorization-Of: mine");
    headers = curl_slist_append(headers, "X-Second;");
    stage.performer.options.headers = headers;
    stage.performer.options.quantoz_iso8601 = 1;
    stage_answer(&stage, OK_KEEP, LISTENER_CLOSE);
    performer_assert(&stage.performer, stage.source, stage_url(&stage), 200);
    const char *request = listener_request(stage.listener, 0);
    assert_non_null(strstr(request, "\r\nAuthorization: Bearer " STAGE_TOKEN "\r\n"));
    assert_non_null(strstr(request, "\r\n" NEXAUTH_QUANTOZ_ISO8601 "\r\n"));
    assert_non_null(strstr(request, "\r\nX-First: one\r\nAuthorization-Of: mine\r\nX-Second:\r\n"));
    curl_slist_free_all(headers);
    stage_end(&stage);
}

/* Whatever else the handle has to say who calls. */
static void the_token_wins_over_credentials_of_the_handle(void **state)
{
    struct stage stage;

    (void)state;
    stage_begin(&stage, 0);
    curl_easy_setopt(stage.performer.easy, CURLOPT_USERPWD, "me:mine");
    curl_easy_setopt(stage.performer.easy, CURLOPT_XOAUTH2_BEARER, "mine");
    stage_answer(&stage, OK_KEEP, LISTENER_CLOSE);
    performer_assert(&stage.performer, stage.source, stage_url(&stage), 200);
    const char *authorization = strstr(listener_request(stage.listener, 0), "Authorization:");
    assert_non_null(authorization);
    assert_memory_equal(authorization, "Authorization: Bearer " STAGE_TOKEN "\r\n",
                        strlen("Authorization: Bearer " STAGE_TOKEN) + 2);
    assert_null(strstr(authorization + 1, "Authorization:"));
    stage_end(&stage);
}

static void what_is_missing_or_out_of_range_is_invalid(void **state)
{
    struct stage stage;
    char url[128];

    (void)state;
    stage_begin(&stage, 0);
    snprintf(url, sizeof url, "%s", stage_url(&stage));
    const struct nexauth_perform_options right = {.url = url};
    const struct nexauth_perform_options wrong[] = {
        {.url = NULL},
        {.url = ""},
        {.url = "/a"},
        {.url = "127.0.0.1/a"},
        {.url = "ftp://127.0.0.1/a"},
        {.url = url, .timeout_ms = -1},
        {.url = url, .timeout_ms = 3600001},
        {.url = url, .reserved = {1}},
    };

    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_int_equal(nexauth_perform(stage.source, stage.performer.easy, &wrong[i], NULL), NEXAUTH_INVALID);
    assert_int_equal(nexauth_perform(NULL, stage.performer.easy, &right, NULL), NEXAUTH_INVALID);
    assert_int_equal(nexauth_perform(stage.source, NULL, &right, NULL), NEXAUTH_INVALID);
    assert_int_equal(nexauth_perform(stage.source, stage.performer.easy, NULL, NULL), NEXAUTH_INVALID);
    nexauth_session_free(stage.session);
    stage.session = NULL;
    assert_int_equal(nexauth_perform(stage.source, stage.performer.easy, &right, NULL), NEXAUTH_INVALID);
    assert_int_equal(listener_connections(stage.listener), 0);
    stage_end(&stage);
}

static int say_what_the_context_says(void *context, int http_status)
{
    const struct performer *performer = context;

    (void)http_status;
    return performer->rewind_result;
}

static void a_judge_that_talks_nonsense_is_invalid(void **state)
{
    static const int verdicts[] = {-1, 0, 1, 199, 1000, 10200};
    struct stage stage;

    (void)state;
    stage_begin(&stage, 0);
    stage.performer.options.judge = say_what_the_context_says;
    for (size_t i = 0; i < COUNT(verdicts); i++) {
        struct nexauth_error error = {0};

        stage.performer.rewind_result = verdicts[i];
        stage_answer(&stage, OK_KEEP, LISTENER_CLOSE);
        assert_int_equal(performer_perform(&stage.performer, stage.source, stage_url(&stage), &error), NEXAUTH_INVALID);
        assert_non_null(strstr(error.message, "http_status"));
    }
    stage_end(&stage);
}

static void a_static_token_that_is_refused_has_no_second_attempt(void **state)
{
    struct stage stage;
    struct nexauth_error error = {0};

    (void)state;
    stage_begin(&stage, 0);
    stage_answer(&stage, "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", LISTENER_KEEP);
    assert_int_equal(performer_perform(&stage.performer, stage.source, stage_url(&stage), &error), NEXAUTH_REAUTH);
    assert_int_equal(error.http_status, 401);
    assert_int_equal(performer_perform(&stage.performer, stage.source, stage_url(&stage), &error), NEXAUTH_REAUTH);
    assert_int_equal(error.http_status, 0);
    assert_int_equal(stage.performer.rewinds, 0);
    assert_int_equal(listener_requests(stage.listener), 1);
    stage_end(&stage);
}

/* Without a token nothing is sent: what the caller is told is what it would be told of a token. */
static void without_a_token_there_is_no_call(void **state)
{
    const struct live_who wrong = {.kind = LIVE_NEX_CONTROLLER, .secret = "no"};
    nexauth_source *source = live_new_source(*state, &wrong);
    struct nexauth_error error = {0};
    struct performer performer;

    performer_begin(&performer);
    assert_int_equal(performer_perform(&performer, source, performer_url(live_emulator.nex_https, CONTROLLER), &error),
                     NEXAUTH_DENIED);
    assert_string_equal(error.code, "invalid_client");
    assert_int_equal(live_requests_at("nex " CONTROLLER), 0);
    performer_end(&performer);
    nexauth_source_free(source);
}

/* A 401 of the token's own service is none of the API's. */
static void a_401_to_who_asks_for_a_token_is_not_tried_again(void **state)
{
    nexauth_source *source = live_new_source(*state, &nex);
    struct nexauth_error error = {0};
    struct performer performer;

    performer_begin(&performer);
    live_fault("{\"service\":\"nex\",\"path\":\"/v1.0/Token\",\"answer\":\"invalid-grant-401\"}");
    assert_int_equal(performer_perform(&performer, source, performer_url(live_emulator.nex_https, CONTROLLER), &error),
                     NEXAUTH_DENIED);
    assert_int_equal(error.http_status, 401);
    assert_int_equal(performer.rewinds, 0);
    assert_int_equal(live_requests_at("nex *"), 1);
    performer_end(&performer);
    nexauth_source_free(source);
}

static void a_token_that_does_not_come_in_time_is_a_timeout(void **state)
{
    nexauth_source *source = live_new_source(*state, &nex);
    struct performer performer;

    performer_begin(&performer);
    performer.options.timeout_ms = 200;
    live_fault("{\"service\":\"nex\",\"path\":\"/v1.0/Token\",\"delay_ms\":600000}");
    assert_int_equal(performer_perform(&performer, source, performer_url(live_emulator.nex_https, CONTROLLER), NULL),
                     NEXAUTH_TIMEOUT);
    assert_int_equal(live_requests_at("nex " CONTROLLER), 0);
    performer_end(&performer);
    nexauth_source_free(source);
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, live_set_up, live_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(the_handles_timeout_ends_the_transfer),
        LIVE(an_answer_that_breaks_off_is_told_with_its_status),
        LIVE(nobody_who_listens_is_a_network_failure),
        LIVE(a_peer_that_is_not_trusted_gets_nothing),
        LIVE(a_callback_of_the_callers_cancels),
        LIVE(failing_on_errors_changes_no_status),
        LIVE(what_libcurl_cannot_perform_is_invalid),
        LIVE(a_handle_in_a_multi_is_invalid),
        LIVE(a_header_that_is_the_librarys_or_no_header_is_invalid),
        LIVE(the_callers_headers_are_sent),
        LIVE(the_token_wins_over_credentials_of_the_handle),
        LIVE(what_is_missing_or_out_of_range_is_invalid),
        LIVE(a_judge_that_talks_nonsense_is_invalid),
        LIVE(a_static_token_that_is_refused_has_no_second_attempt),
        LIVE(without_a_token_there_is_no_call),
        LIVE(a_401_to_who_asks_for_a_token_is_not_tried_again),
        LIVE(a_token_that_does_not_come_in_time_is_a_timeout),
    };

    return cmocka_run_group_tests(tests, live_start, live_stop);
}
