/* Handles that serve one request after another: each as strictly as a new one, and with nothing left of the last. */
#include "support/test.h"

#include "io/curl_pool.h"
#include "io/system.h"
#include "support/listener.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CAP = 4096 };

struct handles {
    struct listener *listener;
    struct nx_curl_sockets sockets; /* opened and closed, not watched */
    struct nx_curl_common common;
    struct nx_curl_pool pool;
    struct nx_exchange exchange;
};

static int set_up(void **state)
{
    struct handles *handles = calloc(1, sizeof *handles);

    *state = handles;
    if (!handles)
        return -1;
    handles->listener = listener_start("127.0.0.1");
    handles->pool.most = 2;
    handles->sockets = (struct nx_curl_sockets){.set = -1, .event = -1};
    handles->common = (struct nx_curl_common){
        .settings = {.connect_timeout_ms = 60000, .max_connections = 8, .max_answer_bytes = CAP},
        .clock = nx_system_clock,
        .share = curl_share_init(),
        .sockets = &handles->sockets};
    nx_exchange_init(&handles->exchange, CAP);
    return handles->listener && handles->common.share ? 0 : -1;
}

static int tear_down(void **state)
{
    struct handles *handles = *state;

    nx_curl_pool_release(&handles->pool);
    curl_share_cleanup(handles->common.share);
    nx_curl_sockets_release(&handles->sockets);
    nx_exchange_release(&handles->exchange);
    listener_stop(handles->listener);
    free(handles);
    return 0;
}

static const struct listener_answer plain_answer = {.text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"};

static struct nx_request *word(struct handles *handles, enum nx_carrier carrier, const char *path)
{
    struct nx_request *request = &handles->exchange.request;

    nx_exchange_reset(&handles->exchange);
    nx_request_begin(request, carrier, listener_origin(handles->listener), path);
    return request;
}

/* The handle performs by itself, without the transport's multi. */
static CURLcode perform(struct nx_curl_exchange *curl)
{
    const CURLcode result = curl_easy_perform(curl->easy);

    nx_curl_exchange_conclude(curl, result);
    return result;
}

/* Sends what is worded by a handle of the pool, which is told to be there again afterwards or not. */
static void serve(struct handles *handles, size_t idle_after)
{
    struct nx_curl_exchange *curl;

    assert_int_equal(nx_request_end(&handles->exchange.request), NEXAUTH_OK);
    curl = nx_curl_pool_take(&handles->pool, &handles->common, &handles->exchange);
    assert_non_null(curl);
    perform(curl);
    nx_curl_pool_return(&handles->pool, curl);
    assert_int_equal(handles->pool.count, idle_after);
}

static void check_request(struct handles *handles, int number, const char *first, const char *rest)
{
    char whole[1024];

    snprintf(whole, sizeof whole, "%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: */*\r\n%s", first,
             listener_port(handles->listener), rest);
    assert_string_equal(listener_request(handles->listener, number), whole);
}

static void the_next_request_has_nothing_of_the_last(void **state)
{
    struct handles *handles = *state;
    struct nx_request *request;

    for (int i = 0; i < 3; i++)
        listener_answer(handles->listener, plain_answer);
    request = word(handles, NX_CARRIER_JSON, "/long");
    nx_request_header(request, "Authorization", "Basic c2VjcmV0");
    nx_request_parameter(request, "client_secret", "a secret that is long");
    serve(handles, 1);
    request = word(handles, NX_CARRIER_FORM, "/a/../b/./c;x=%2e%2E//");
    nx_request_parameter(request, "x", "y");
    serve(handles, 1);
    word(handles, NX_CARRIER_QUERY, "/get");
    serve(handles, 0);
    check_request(handles, 0, "POST /long",
                  "Content-Type: application/json\r\nAuthorization: Basic c2VjcmV0\r\nContent-Length: 41\r\n\r\n"
                  "{\"client_secret\":\"a secret that is long\"}");
    check_request(handles, 1, "POST /a/../b/./c;x=%2e%2E//",
                  "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\nx=y");
    check_request(handles, 2, "GET /get", "\r\n");
    assert_int_equal(listener_connections(handles->listener), 1);
}

static size_t swallow(char *bytes, size_t size, size_t items, void *context)
{
    (void)bytes;
    (void)context;
    return size * items;
}

/* What an idle handle would send if it were told to: its URL's path, and neither body nor headers. */
static void an_idle_handle_holds_no_secret(void **state)
{
    struct handles *handles = *state;
    struct nx_request *request = word(handles, NX_CARRIER_FORM, "/token");
    char url[128];
    char *effective = NULL;

    listener_answer(handles->listener, plain_answer);
    listener_answer(handles->listener, plain_answer);
    nx_request_header(request, "Authorization", "Basic c2VjcmV0");
    nx_request_parameter(request, "client_secret", "abc123");
    serve(handles, 1);
    nx_request_release(request);
    curl_easy_getinfo(handles->pool.idle->easy, CURLINFO_EFFECTIVE_URL, &effective);
    snprintf(url, sizeof url, "%s/token", listener_origin(handles->listener));
    if (effective && *effective)
        assert_string_equal(effective, url);
    assert_null(handles->pool.idle->exchange);
    curl_easy_setopt(handles->pool.idle->easy, CURLOPT_PREREQFUNCTION, NULL);
    curl_easy_setopt(handles->pool.idle->easy, CURLOPT_HEADERFUNCTION, swallow);
    curl_easy_setopt(handles->pool.idle->easy, CURLOPT_WRITEFUNCTION, swallow);
    curl_easy_setopt(handles->pool.idle->easy, CURLOPT_HTTPGET, 1L);
    assert_int_equal(curl_easy_perform(handles->pool.idle->easy), CURLE_OK);
    check_request(handles, 1, "GET /token", "\r\n");
}

static void a_handle_whose_url_held_a_secret_is_not_kept(void **state)
{
    struct handles *handles = *state;

    for (int i = 0; i < 3; i++)
        listener_answer(handles->listener, plain_answer);
    word(handles, NX_CARRIER_FORM, "/token");
    serve(handles, 1);
    nx_request_parameter(word(handles, NX_CARRIER_QUERY, "/connect"), "xspe", "secret");
    serve(handles, 0);
    word(handles, NX_CARRIER_FORM, "/token");
    serve(handles, 1);
    assert_int_equal(listener_requests(handles->listener), 3);
}

static void what_a_server_asked_of_the_last_request_is_forgotten(void **state)
{
    struct handles *handles = *state;

    listener_answer(handles->listener, plain_answer);
    listener_answer(handles->listener, plain_answer);
    word(handles, NX_CARRIER_FORM, "/token");
    serve(handles, 1);
    handles->pool.idle->asked = 0x0303;
    handles->pool.idle->lowered = true;
    word(handles, NX_CARRIER_FORM, "/token");
    serve(handles, 1);
    assert_int_equal(handles->pool.idle->asked, 0);
    assert_false(handles->pool.idle->lowered);
}

static void a_handle_that_lost_its_answer_is_not_kept(void **state)
{
    struct handles *handles = *state;

    listener_answer(handles->listener, plain_answer);
    listener_answer(handles->listener,
                    (struct listener_answer){.text = "HTTP/1.1 200 OK\r\nX: y\r\n", .then = LISTENER_CLOSE});
    word(handles, NX_CARRIER_FORM, "/token");
    serve(handles, 1);
    word(handles, NX_CARRIER_FORM, "/token");
    serve(handles, 0);
    assert_int_equal(handles->exchange.loss, NX_LOSS_CUT);
}

static void what_is_sent_once_leaves_its_manner_to_nobody(void **state)
{
    static const bool one_time[] = {false, true, false, true, true, false};
    struct handles *handles = *state;
    const struct nx_curl_exchange *first = NULL;

    for (size_t i = 0; i < sizeof one_time / sizeof *one_time; i++) {
        listener_answer(handles->listener, plain_answer);
        word(handles, NX_CARRIER_FORM, "/token")->one_time = one_time[i];
        serve(handles, 1);
        first = first ? first : handles->pool.idle;
        assert_ptr_equal(handles->pool.idle, first);
        assert_int_equal(handles->exchange.sendings, 1);
    }
    assert_int_equal(listener_connections(handles->listener), 4); /* one for the three ordinary ones */
}

/* Also when its connection dies: the second sending is refused to a handle that has served others. */
static void what_is_sent_once_leaves_once_by_a_used_handle(void **state)
{
    struct handles *handles = *state;

    listener_answer(handles->listener, plain_answer);
    listener_answer(handles->listener, (struct listener_answer){.then = LISTENER_CLOSE});
    listener_answer(handles->listener, plain_answer);
    word(handles, NX_CARRIER_FORM, "/token");
    serve(handles, 1);
    word(handles, NX_CARRIER_FORM, "/token")->one_time = true;
    serve(handles, 0);
    assert_int_equal(handles->exchange.loss, NX_LOSS_CUT);
    assert_int_equal(listener_requests(handles->listener), 2);
}

static void serve_what_is_left(struct handles *handles)
{
    word(handles, NX_CARRIER_FORM, "/token");
    serve(handles, 1);
}

struct asked {
    bool may;
    int times;
};

static bool ask(struct nx_exchange *exchange, void *context)
{
    struct asked *asked = context;

    assert_int_equal(exchange->sendings, 1);
    asked->times++;
    return asked->may;
}

/* A kept connection dies before the answer: libcurl would send any request once more, by itself. */
static void whoever_sent_a_request_is_asked_before_it_leaves_again(void **state)
{
    struct handles *handles = *state;

    for (int may = 0; may < 2; may++) {
        struct asked asked = {.may = may};
        struct nx_curl_exchange *curl = NULL;
        const int before = listener_requests(handles->listener);

        listener_answer(handles->listener, plain_answer);
        listener_answer(handles->listener, (struct listener_answer){.then = LISTENER_CLOSE});
        listener_answer(handles->listener, plain_answer);
        word(handles, NX_CARRIER_FORM, "/token");
        serve(handles, 1);
        word(handles, NX_CARRIER_FORM, "/token");
        handles->exchange.again = ask;
        handles->exchange.context = &asked;
        assert_int_equal(nx_request_end(&handles->exchange.request), NEXAUTH_OK);
        curl = nx_curl_pool_take(&handles->pool, &handles->common, &handles->exchange);
        assert_non_null(curl);
        perform(curl);
        nx_curl_pool_return(&handles->pool, curl);
        handles->exchange.again = NULL;
        assert_int_equal(asked.times, 1);
        assert_int_equal(handles->exchange.loss, may ? NX_LOSS_NONE : NX_LOSS_CUT);
        assert_int_equal(listener_requests(handles->listener) - before, may ? 3 : 2);
        if (!may) /* the answer that nobody asked for */
            serve_what_is_left(handles);
    }
}

static void a_used_handle_follows_no_redirect_and_takes_no_other_scheme(void **state)
{
    static const char *const urls[] = {"file:///etc/hostname",   "ftp://127.0.0.1/x",       "gopher://127.0.0.1/x",
                                       "http://user@127.0.0.1/", "http://127.0.0.1:99999/", "nonsense://"};
    static char redirect[128]; /* outlives the listener, which may still have it in hand */
    struct handles *handles = *state;

    listener_answer(handles->listener, plain_answer);
    snprintf(redirect, sizeof redirect, "HTTP/1.1 307 x\r\nLocation: %s/else\r\nContent-Length: 0\r\n\r\n",
             listener_origin(handles->listener));
    listener_answer(handles->listener, (struct listener_answer){.text = redirect});
    word(handles, NX_CARRIER_FORM, "/token");
    serve(handles, 1);
    word(handles, NX_CARRIER_FORM, "/token");
    serve(handles, 1);
    assert_int_equal(handles->exchange.response.http_status, 307);
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        nx_exchange_reset(&handles->exchange);
        nx_request_begin(&handles->exchange.request, NX_CARRIER_FORM, urls[i], "");
        serve(handles, 0);
        assert_int_equal(handles->exchange.loss, NX_LOSS_CONNECT);
        assert_int_equal(handles->exchange.sendings, 0);
        assert_string_not_equal(handles->exchange.reason, "");
    }
    assert_int_equal(listener_requests(handles->listener), 2);
}

/* The answer's state is the exchange's own: nothing that was read before counts. */
static void a_used_handle_reads_anew(void **state)
{
    struct handles *handles = *state;

    listener_answer(handles->listener,
                    (struct listener_answer){.text = "HTTP/1.1 302 x\r\nLocation: /1\r\nContent-Length: 3\r\n\r\none"});
    listener_answer(handles->listener, plain_answer);
    word(handles, NX_CARRIER_FORM, "/token");
    serve(handles, 1);
    word(handles, NX_CARRIER_FORM, "/token");
    serve(handles, 1);
    assert_string_equal(nx_text_string(&handles->exchange.response.body), "ok");
    assert_string_equal(nx_text_string(&handles->exchange.response.location), "");
    assert_int_equal(handles->exchange.response.http_status, 200);
}

/* libcurl would give up: it counts over all that a handle has served. */
static void a_connection_that_dies_each_time_it_is_used_again_stops_nobody(void **state)
{
    struct handles *handles = *state;
    struct nx_transport *transport = nx_curl_transport_new(&handles->common.settings, &nx_system_clock);

    assert_non_null(transport);
    listener_answer(handles->listener, plain_answer);
    for (int i = 0; i < 10; i++) {
        struct nx_exchange *finished = NULL;

        if (i > 0)
            listener_answer(handles->listener, (struct listener_answer){.then = LISTENER_CLOSE});
        listener_answer(handles->listener, plain_answer);
        word(handles, NX_CARRIER_FORM, "/token");
        transport->verbs->begin(transport, &handles->exchange);
        while (!finished)
            finished = transport->verbs->turn(transport, 1000);
        assert_string_equal(handles->exchange.reason, "");
        assert_int_equal(handles->exchange.response.http_status, 200);
    }
    transport->verbs->free(transport);
}

static void a_pool_keeps_no_more_than_its_most(void **state)
{
    struct handles *handles = *state;
    struct nx_exchange exchanges[4];
    struct nx_curl_exchange *taken[4];
    struct nx_curl_exchange *same;

    for (size_t i = 0; i < 4; i++) {
        char path[8];

        snprintf(path, sizeof path, "/%zu", i);
        nx_exchange_init(&exchanges[i], CAP);
        nx_request_begin(&exchanges[i].request, NX_CARRIER_FORM, listener_origin(handles->listener), path);
        taken[i] = nx_curl_pool_take(&handles->pool, &handles->common, &exchanges[i]);
        assert_non_null(taken[i]);
    }
    for (size_t i = 0; i < 4; i++) {
        listener_answer(handles->listener, plain_answer);
        perform(taken[i]);
        nx_curl_pool_return(&handles->pool, taken[i]);
    }
    assert_int_equal(handles->pool.count, 2);
    same = nx_curl_pool_take(&handles->pool, &handles->common, &exchanges[0]);
    assert_ptr_equal(same, taken[0]); /* it knows the URL, though another was used later */
    nx_curl_exchange_free(same);
    for (size_t i = 0; i < 4; i++)
        nx_exchange_release(&exchanges[i]);
}

#define WITH_HANDLES(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_HANDLES(the_next_request_has_nothing_of_the_last),
        WITH_HANDLES(an_idle_handle_holds_no_secret),
        WITH_HANDLES(a_handle_whose_url_held_a_secret_is_not_kept),
        WITH_HANDLES(what_a_server_asked_of_the_last_request_is_forgotten),
        WITH_HANDLES(a_handle_that_lost_its_answer_is_not_kept),
        WITH_HANDLES(what_is_sent_once_leaves_its_manner_to_nobody),
        WITH_HANDLES(what_is_sent_once_leaves_once_by_a_used_handle),
        WITH_HANDLES(a_used_handle_follows_no_redirect_and_takes_no_other_scheme),
        WITH_HANDLES(a_used_handle_reads_anew),
        WITH_HANDLES(whoever_sent_a_request_is_asked_before_it_leaves_again),
        WITH_HANDLES(a_connection_that_dies_each_time_it_is_used_again_stops_nobody),
        WITH_HANDLES(a_pool_keeps_no_more_than_its_most),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
