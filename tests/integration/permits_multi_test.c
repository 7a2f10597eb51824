/*
 * Permits for an application that has its own loop and curl_multi: turns are waited for by the session's descriptor,
 * transfers by libcurl, and each end is told with what the answer said.
 */
#include "support/test.h"

#include "live.h"
#include "support/listener.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONTROLLER "/v1.0/Controller"
#define NEX_TOKEN  "nex /v1.0/Token"
#define NEX_CALLS  "nex /v1.0/Controller"
#define HOUR_MS    3600000
#define HELD                                                                                                           \
    "{\"service\":\"quantoz_test_api\",\"path\":\"/customer\",\"answer\":{\"name\":\"throttled\","                     \
    "\"headers\":{\"Retry-After\":\"3600\"}}}"

enum { TRANSFERS = 12, BODY = 4096, ATTEMPTS = 2 };

/* The application: a session, a multi, and what is under way at either. */
struct loop {
    nexauth_session *session;
    CURLM *multi;
    int open; /* transfers that have not come to an end */
};

/* A call of the API: waits for its permit, then for its answer; a second time if the token was rejected. */
struct transfer {
    struct loop *loop;
    nexauth_source *source;
    const char *url;
    nexauth_permit *permit;
    CURL *easy;
    struct curl_slist *headers;
    char body[BODY];
    size_t size;
    int permits;  /* that were asked for */
    int sendings; /* by the current one */
    nexauth_status status;
    struct nexauth_error error;
};

static size_t take(char *bytes, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    const size_t room = sizeof transfer->body - 1 - transfer->size;
    const size_t taken = size * count < room ? size * count : room;

    memcpy(transfer->body + transfer->size, bytes, taken);
    transfer->size += taken;
    transfer->body[transfer->size] = '\0';
    return size * count;
}

static int before_sending(void *context, char *remote_ip, char *local_ip, int remote_port, int local_port)
{
    struct transfer *transfer = context;

    (void)remote_ip;
    (void)local_ip;
    (void)remote_port;
    (void)local_port;
    if (transfer->sendings++ == 0)
        return CURL_PREREQFUNC_OK;
    return nexauth_permit_send_again(transfer->permit, NULL) ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static void send_request(struct transfer *transfer)
{
    const char *header = nexauth_permit_header(transfer->permit);

    transfer->easy = curl_easy_init();
    assert_non_null(transfer->easy);
    if (header)
        transfer->headers = curl_slist_append(NULL, header);
    transfer->size = 0;
    transfer->sendings = 0;
    curl_easy_setopt(transfer->easy, CURLOPT_URL, nexauth_permit_url(transfer->permit));
    curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
    curl_easy_setopt(transfer->easy, CURLOPT_CAINFO, live_emulator.ca_file);
    curl_easy_setopt(transfer->easy, CURLOPT_PROXY, "");
    curl_easy_setopt(transfer->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(transfer->easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(transfer->easy, CURLOPT_PREREQFUNCTION, before_sending);
    curl_easy_setopt(transfer->easy, CURLOPT_PREREQDATA, transfer);
    curl_easy_setopt(transfer->easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(transfer->easy, CURLOPT_WRITEDATA, transfer);
    assert_int_equal(curl_multi_add_handle(transfer->loop->multi, transfer->easy), CURLM_OK);
}

/* The callback of nexauth_permit_start(). */
static void begin(void *context, nexauth_permit *permit, const struct nexauth_error *error)
{
    struct transfer *transfer = context;

    assert_int_equal(permit == NULL, error != NULL);
    transfer->permit = permit;
    if (!error) {
        send_request(transfer);
        return;
    }
    transfer->status = error->status;
    transfer->error = *error;
    transfer->loop->open--;
}

static void ask(struct transfer *transfer)
{
    const struct nexauth_permit_options options = {.url = transfer->url};

    transfer->permits++;
    assert_int_equal(nexauth_permit_start(transfer->source, &options, begin, transfer, NULL, NULL), NEXAUTH_OK);
}

static const char *header_of(CURL *easy, const char *name)
{
    struct curl_header *header = NULL;

    return curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &header) ? NULL : header->value;
}

static void tell(struct transfer *transfer, CURLcode result)
{
    struct nexauth_answer answer = {.retry_after = header_of(transfer->easy, "Retry-After"),
                                    .date = header_of(transfer->easy, "Date"),
                                    .content_type = header_of(transfer->easy, "Content-Type")};
    long status = 0;

    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    answer.http_status = result ? 0 : (int)status;
    transfer->error = (struct nexauth_error){0};
    transfer->status = nexauth_permit_end(transfer->permit, &answer, &transfer->error);
}

static void end(struct transfer *transfer, CURLcode result)
{
    tell(transfer, result);
    curl_multi_remove_handle(transfer->loop->multi, transfer->easy);
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->headers);
    transfer->headers = NULL;
    nexauth_permit_free(transfer->permit);
    if (transfer->status == NEXAUTH_DENIED && !transfer->error.retry_after_ms && transfer->permits < ATTEMPTS)
        ask(transfer);
    else
        transfer->loop->open--;
}

static void take_ends(struct loop *loop)
{
    const CURLMsg *message;
    int rest;

    while ((message = curl_multi_info_read(loop->multi, &rest))) {
        const CURLcode result = message->data.result;
        char *transfer = NULL;

        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        end((struct transfer *)(void *)transfer, result);
    }
}

/* Sleeps until the session or a transfer has something to do. */
static void wait_for_either(struct loop *loop)
{
    const int64_t wait_ms = nexauth_session_timeout_ms(loop->session);
    struct curl_waitfd watched = {.events = CURL_WAIT_POLLIN};
    int descriptor;

    assert_int_equal(nexauth_session_descriptor(loop->session, &descriptor, NULL), NEXAUTH_OK);
    watched.fd = descriptor;
    assert_int_equal(
        curl_multi_poll(loop->multi, &watched, 1, wait_ms < 0 || wait_ms > 60000 ? 60000 : (int)wait_ms, NULL),
        CURLM_OK);
}

static void run(struct loop *loop)
{
    int running;

    while (loop->open > 0) {
        assert_int_equal(nexauth_session_poll(loop->session, 0, NULL), NEXAUTH_OK);
        assert_int_equal(curl_multi_perform(loop->multi, &running), CURLM_OK);
        take_ends(loop);
        if (loop->open > 0)
            wait_for_either(loop);
    }
}

static void start(struct transfer *transfer, struct loop *loop, nexauth_source *source, const char *url)
{
    *transfer = (struct transfer){.loop = loop, .source = source, .url = url};
    loop->open++;
    ask(transfer);
}

/* Of each vendor, all under way at once. */
static void transfers_of_all_vendors_run_in_one_loop(void **state)
{
    const struct {
        enum live_kind kind;
        const char *origin;
        const char *path;
        const char *words;
    } cases[] = {
        {LIVE_NEX_CONTROLLER, live_emulator.nex_https, CONTROLLER, "111aa"},
        {LIVE_QUANTOZ_PRODUCTION, live_emulator.quantoz_production_api_https, "/customer", "CUSTOMER-1"},
        {LIVE_NEXUSGUARD_APP, live_emulator.nexusguard_https, "/api/spe/customers", "\"code\":0"},
    };
    enum { VENDORS = sizeof cases / sizeof *cases };
    struct loop loop = {.session = *state, .multi = curl_multi_init()};
    struct transfer *transfers = calloc(TRANSFERS, sizeof *transfers);
    nexauth_source *sources[VENDORS];
    char urls[VENDORS][128];

    assert_non_null(transfers);
    for (int i = 0; i < VENDORS; i++) {
        const struct live_who who = {.kind = cases[i].kind};
        sources[i] = live_new_source(*state, &who);
        snprintf(urls[i], sizeof urls[i], "%s%s", cases[i].origin, cases[i].path);
    }
    for (int i = 0; i < TRANSFERS; i++)
        start(&transfers[i], &loop, sources[i % VENDORS], urls[i % VENDORS]);
    run(&loop);
    for (int i = 0; i < TRANSFERS; i++) {
        assert_int_equal(transfers[i].status, NEXAUTH_OK);
        assert_non_null(strstr(transfers[i].body, cases[i % VENDORS].words));
    }
    assert_int_equal(live_requests_at(NEX_TOKEN), 1);
    assert_int_equal(live_requests_at(NEX_CALLS), TRANSFERS / VENDORS);
    for (int i = 0; i < VENDORS; i++)
        nexauth_source_free(sources[i]);
    curl_multi_cleanup(loop.multi);
    free(transfers);
}

static void transfers_that_meet_a_401_begin_once_more_with_one_token(void **state)
{
    const struct live_who who = {.kind = LIVE_NEX_CONTROLLER};
    struct loop loop = {.session = *state, .multi = curl_multi_init()};
    struct transfer *transfers = calloc(TRANSFERS, sizeof *transfers);
    nexauth_source *source = live_new_source(*state, &who);
    char url[128];

    assert_non_null(transfers);
    snprintf(url, sizeof url, "%s%s", live_emulator.nex_https, CONTROLLER);
    nexauth_token_unref(live_get(source));
    assert_int_equal(emulator_revoke_access(&live_emulator, NULL), 0);
    for (int i = 0; i < TRANSFERS; i++)
        start(&transfers[i], &loop, source, url);
    run(&loop);
    for (int i = 0; i < TRANSFERS; i++) {
        assert_int_equal(transfers[i].status, NEXAUTH_OK);
        assert_int_equal(transfers[i].body[0], '[');
    }
    assert_int_equal(live_requests_at(NEX_TOKEN), 2);
    assert_in_range(live_requests_at(NEX_CALLS), TRANSFERS + 1, ATTEMPTS * TRANSFERS);
    nexauth_source_free(source);
    curl_multi_cleanup(loop.multi);
    free(transfers);
}

/* The answer's Retry-After reaches the ledger: the next permit is not to be had. */
static void a_429_that_is_told_holds_the_next_permit(void **state)
{
    const struct live_who who = {.kind = LIVE_QUANTOZ_TEST};
    struct loop loop = {.session = *state, .multi = curl_multi_init()};
    nexauth_source *source = live_new_source(*state, &who);
    struct transfer transfer;
    char url[128];

    snprintf(url, sizeof url, "%s/customer", live_emulator.quantoz_test_api_https);
    live_fault(HELD);
    start(&transfer, &loop, source, url);
    run(&loop);
    assert_int_equal(transfer.status, NEXAUTH_THROTTLED);
    assert_int_equal(transfer.error.http_status, 429);
    assert_in_range(transfer.error.retry_after_ms, HOUR_MS, 2 * HOUR_MS);
    start(&transfer, &loop, source, url);
    run(&loop);
    assert_int_equal(transfer.status, NEXAUTH_THROTTLED);
    assert_int_equal(transfer.error.http_status, 0);
    assert_true(transfer.error.retry_after_ms > 0);
    assert_int_equal(live_requests_at("quantoz_test_api *"), 1);
    nexauth_source_free(source);
    curl_multi_cleanup(loop.multi);
}

/* More transfers than slots: the loop sleeps until the session says that a turn has come. */
static void who_waits_for_a_turn_is_woken_in_the_loop(void **state)
{
    const struct nexauth_limit limit = {.name = "api", .requests = 4, .window_ms = 100};
    const struct nexauth_session_options options = {.loopback_http = 1, .limits = &limit, .limits_count = 1};
    struct listener *listener = listener_start("127.0.0.1");
    struct loop loop = {.session = live_new_session(&options), .multi = curl_multi_init()};
    struct transfer *transfers = calloc(TRANSFERS, sizeof *transfers);
    nexauth_source *source = NULL;

    (void)state;
    assert_non_null(listener);
    assert_non_null(transfers);
    const struct nexauth_static_options fixed = {.access_token = "one", .api_origins = listener_origin(listener)};
    assert_int_equal(nexauth_source_new_static(loop.session, &fixed, &source, NULL), NEXAUTH_OK);
    for (int i = 0; i < TRANSFERS; i++) {
        listener_answer(listener, (struct listener_answer){
                                      .text = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody",
                                      .then = LISTENER_CLOSE});
        start(&transfers[i], &loop, source, listener_origin(listener));
    }
    run(&loop);
    for (int i = 0; i < TRANSFERS; i++) {
        assert_int_equal(transfers[i].status, NEXAUTH_OK);
        assert_string_equal(transfers[i].body, "body");
    }
    assert_int_equal(listener_requests(listener), TRANSFERS);
    nexauth_source_free(source);
    nexauth_session_free(loop.session);
    curl_multi_cleanup(loop.multi);
    listener_stop(listener);
    free(transfers);
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, live_set_up, live_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(transfers_of_all_vendors_run_in_one_loop),
        LIVE(transfers_that_meet_a_401_begin_once_more_with_one_token),
        LIVE(a_429_that_is_told_holds_the_next_permit),
        LIVE(who_waits_for_a_turn_is_woken_in_the_loop),
    };

    return cmocka_run_group_tests(tests, live_start, live_stop);
}
