/* What becomes of a request when libcurl refuses something that it is told: nothing of it leaves. */
#include "support/test.h"

#include "io/curl_transport.h"
#include "io/system.h"
#include "support/listener.h"

#include <curl/curl.h>
#include <stdarg.h>
#include <stdlib.h>

enum { CAP = 65536, FOR_EVER_MS = 3600000 };

/* ---- A libcurl that may refuse options --------------------------------------------------------------------------- */

static int options; /* seen since the last reset */
static int refused; /* which of them is refused, from 1; 0: none */

CURLcode __real_curl_easy_setopt(CURL *easy, CURLoption option, ...); /* NOLINT(bugprone-reserved-identifier) */
CURLcode __wrap_curl_easy_setopt(CURL *easy, CURLoption option, ...); /* NOLINT(bugprone-reserved-identifier) */

CURLcode __wrap_curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
    CURLcode result;
    va_list value;

    options++;
    if (options == refused)
        return CURLE_UNKNOWN_OPTION;
    va_start(value, option);
    if (option < CURLOPTTYPE_OBJECTPOINT)
        /* long and curl_off_t are one type on some systems only. NOLINTNEXTLINE(bugprone-branch-clone) */
        result = __real_curl_easy_setopt(easy, option, va_arg(value, long));
    else if (option < CURLOPTTYPE_OFF_T)
        result = __real_curl_easy_setopt(easy, option, va_arg(value, void *));
    else
        result = __real_curl_easy_setopt(easy, option, va_arg(value, curl_off_t));
    va_end(value);
    return result;
}

/* ---- Requests ---------------------------------------------------------------------------------------------------- */

struct sender {
    struct listener *listener;
    struct nx_transport *transport;
    struct nx_exchange exchange;
};

static bool open_sender(struct sender *sender, const char *ca_file)
{
    const struct nx_curl_settings settings = {
        .ca_file = ca_file, .connect_timeout_ms = 60000, .max_connections = 8, .max_answer_bytes = CAP};

    sender->listener = listener_start("127.0.0.1");
    sender->transport = nx_curl_transport_new(&settings, &nx_system_clock);
    nx_exchange_init(&sender->exchange, CAP);
    return sender->listener && sender->transport;
}

static void close_sender(struct sender *sender)
{
    refused = 0;
    nx_exchange_release(&sender->exchange);
    sender->transport->verbs->free(sender->transport);
    listener_stop(sender->listener);
}

static void perform(struct sender *sender, enum nx_carrier carrier)
{
    struct nx_request *request = &sender->exchange.request;
    struct nx_exchange *finished = NULL;

    listener_answer(sender->listener,
                    (struct listener_answer){.text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"});
    nx_exchange_reset(&sender->exchange);
    nx_request_begin(request, carrier, listener_origin(sender->listener), "/token");
    nx_request_header(request, "Authorization", "Basic c2VjcmV0");
    nx_request_parameter(request, "secret", "abc123");
    assert_int_equal(nx_request_end(request), NEXAUTH_OK);
    sender->transport->verbs->begin(sender->transport, &sender->exchange);
    while (!finished)
        finished = sender->transport->verbs->turn(sender->transport, FOR_EVER_MS);
}

struct row {
    const char *ca_file;
    enum nx_carrier carrier;
};

static const struct row rows[] = {{NULL, NX_CARRIER_FORM}, {NULL, NX_CARRIER_QUERY}, {"ca.pem", NX_CARRIER_JSON}};

static int count_options(const struct row *row)
{
    struct sender sender;

    assert_true(open_sender(&sender, row->ca_file));
    options = 0;
    perform(&sender, row->carrier);
    assert_int_equal(listener_requests(sender.listener), 1);
    close_sender(&sender);
    return options;
}

/* After the request was sent nothing is refused that matters to it: that is told to the handle for the next one. */
static int try_without(const struct row *row, int number)
{
    struct sender sender;
    int requests;

    assert_true(open_sender(&sender, row->ca_file));
    options = 0;
    refused = number;
    perform(&sender, row->carrier);
    requests = listener_requests(sender.listener);
    assert_int_equal(sender.exchange.loss, requests ? NX_LOSS_NONE : NX_LOSS_MEMORY);
    assert_int_equal(sender.exchange.sendings, requests);
    refused = 0;
    perform(&sender, row->carrier);
    assert_int_equal(sender.exchange.loss, NX_LOSS_NONE);
    assert_int_equal(listener_requests(sender.listener), requests + 1);
    close_sender(&sender);
    return requests;
}

static void no_request_leaves_without_all_its_options(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const int last = count_options(&rows[i]);
        int sent = 0;

        assert_true(last > 30);
        for (int number = 1; number <= last; number++)
            sent += try_without(&rows[i], number);
        assert_in_range(sent, 1, 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_request_leaves_without_all_its_options),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
