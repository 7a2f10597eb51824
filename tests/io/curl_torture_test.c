/*
 * Every allocation of the transport's own fails, from its making to an answer: once, and once and for ever from there.
 * The answer comes whole, or it is said that memory ran out; and the next request of the same transport goes as ever.
 */
#include "io/curl_transport.h"
#include "io/system.h"
#include "support/failing.h"
#include "support/listener.h"
#include "support/test.h"
#include "support/torture.h"

#include <string.h>

enum { CAP = 65536, FOR_EVER_MS = 3600000, RUNS = 256 };

/* One for each run, until the end: what its thread has made does not count. */
static struct listener *listeners[RUNS];
static int runs;

static const struct listener_answer answer = {
    .text =
        "HTTP/1.1 200 OK\r\nLocation: https://else\r\nRetry-After: 17\r\nDate: today\r\nContent-Length: 2\r\n\r\nok"};

static void perform(struct nx_transport *transport, struct nx_exchange *exchange)
{
    struct nx_exchange *finished = NULL;

    transport->verbs->begin(transport, exchange);
    while (!finished)
        finished = transport->verbs->turn(transport, FOR_EVER_MS);
    assert_ptr_equal(finished, exchange);
}

static void word(struct nx_exchange *exchange, const struct listener *listener)
{
    nx_exchange_init(exchange, CAP);
    nx_request_begin(&exchange->request, NX_CARRIER_FORM, listener_origin(listener), "/token");
    nx_request_parameter(&exchange->request, "secret", "abc123");
    assert_int_equal(nx_request_end(&exchange->request), NEXAUTH_OK);
}

static void assert_whole(const struct nx_exchange *exchange)
{
    const struct nx_response *response = &exchange->response;

    assert_int_equal(response->http_status, 200);
    assert_string_equal(nx_text_string(&response->body), "ok");
    assert_string_equal(nx_text_string(&response->location), "https://else");
    assert_string_equal(nx_text_string(&response->retry_after), "17");
    assert_string_equal(nx_text_string(&response->date), "today");
}

/* With memory at hand. */
static void assert_works_again(struct nx_transport *transport, struct listener *listener)
{
    struct nx_exchange exchange;

    listener_answer(listener, answer); /* or the one before, if nothing took it */
    word(&exchange, listener);
    perform(transport, &exchange);
    assert_int_equal(exchange.loss, NX_LOSS_NONE);
    assert_whole(&exchange);
    nx_exchange_release(&exchange);
}

/* One run with one failing allocation. False when it was beyond the last. */
static bool run(const void *context, size_t failing, bool for_ever)
{
    const struct nx_curl_settings settings = {.ca_file = NEXAUTH_TEST_DATA "/tls/ca.pem",
                                              .pinned_key = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
                                              .connect_timeout_ms = 60000,
                                              .max_connections = 8,
                                              .max_answer_bytes = CAP};
    struct listener *listener;
    struct nx_exchange exchange;
    struct nx_transport *transport;
    size_t made_by;
    size_t allocations;

    (void)context;
    assert_in_range(runs, 0, RUNS - 1);
    listener = listeners[runs++];
    listener_answer(listener, answer);
    word(&exchange, listener);
    failing_arm(failing, for_ever);
    transport = nx_curl_transport_new(&settings, &nx_system_clock);
    made_by = allocations = failing_disarm();
    assert_true(!transport == (failing <= made_by));
    if (transport) {
        failing_arm(failing - made_by, for_ever);
        perform(transport, &exchange);
        allocations += failing_disarm();
        if (exchange.loss == NX_LOSS_NONE)
            assert_whole(&exchange);
        else
            assert_true(failing <= allocations);
    }
    if (transport && exchange.loss)
        assert_int_equal(exchange.loss, NX_LOSS_MEMORY);
    if (transport) {
        assert_works_again(transport, listener);
        transport->verbs->free(transport);
    }
    nx_exchange_release(&exchange);
    return failing <= allocations;
}

static void an_answer_comes_whole_or_memory_ran_out(void **state)
{
    (void)state;
    for (int i = 0; i < RUNS; i++) {
        listeners[i] = listener_start("127.0.0.1");
        assert_non_null(listeners[i]);
    }
    torture(run, NULL, 8);
    for (int i = 0; i < RUNS; i++)
        listener_stop(listeners[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_comes_whole_or_memory_ran_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
