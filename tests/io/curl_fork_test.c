/* A transport in children that make it their own late, or cannot. */
#include "io/curl_transport.h"
#include "io/system.h"
#include "support/child.h"
#include "support/listener.h"
#include "support/test.h"

#include <sys/resource.h>
#include <unistd.h>

enum { CAP = 65536, FOR_EVER_MS = 3600000 };

struct wire {
    struct listener *listener;
    struct nx_transport *transport;
};

static enum nx_loss send_request(struct wire *wire)
{
    struct nx_exchange exchange;
    struct nx_exchange *finished = NULL;
    enum nx_loss loss;

    nx_exchange_init(&exchange, CAP);
    nx_request_begin(&exchange.request, NX_CARRIER_FORM, listener_origin(wire->listener), "/token");
    nx_request_parameter(&exchange.request, "secret", "abc123");
    nx_request_end(&exchange.request);
    wire->transport->verbs->begin(wire->transport, &exchange);
    while (!finished)
        finished = wire->transport->verbs->turn(wire->transport, FOR_EVER_MS);
    loss = exchange.loss;
    if (!loss && exchange.response.http_status != 200)
        loss = NX_LOSS_GARBLED;
    nx_exchange_release(&exchange);
    return loss;
}

/* A transport that has worked: it has a connection that is kept. */
static void begin(struct wire *wire, int answers)
{
    const struct nx_curl_settings settings = {
        .connect_timeout_ms = 60000, .max_connections = 8, .max_answer_bytes = CAP};

    wire->listener = listener_start("127.0.0.1");
    wire->transport = nx_curl_transport_new(&settings, &nx_system_clock);
    assert_non_null(wire->listener);
    assert_non_null(wire->transport);
    for (int i = 0; i < answers; i++)
        listener_answer(wire->listener,
                        (struct listener_answer){.text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"});
    assert_int_equal(send_request(wire), NX_LOSS_NONE);
}

/* The parent's connection is the parent's still. */
static void end(struct wire *wire, int connections)
{
    assert_int_equal(send_request(wire), NX_LOSS_NONE);
    assert_int_equal(listener_connections(wire->listener), connections);
    wire->transport->verbs->free(wire->transport);
    listener_stop(wire->listener);
}

static bool have_ones_own(const struct child *me, void *wire)
{
    (void)me;
    return send_request(wire) == NX_LOSS_NONE && send_request(wire) == NX_LOSS_NONE;
}

static bool fork_at_once(const struct child *me, void *wire)
{
    (void)me;
    return child_run(have_ones_own, wire) == 0 && send_request(wire) == NX_LOSS_NONE;
}

static void a_child_of_a_child_that_has_not_used_it_has_its_own(void **state)
{
    struct wire wire;

    (void)state;
    begin(&wire, 5);
    assert_int_equal(child_run(fork_at_once, &wire), 0);
    end(&wire, 3);
}

static bool lack_descriptors(const struct child *me, void *context)
{
    struct wire *wire = context;
    const int lowest = dup(STDERR_FILENO);
    struct rlimit limit;
    rlim_t before;
    enum nx_loss loss;

    (void)me;
    if (lowest < 0 || close(lowest) || getrlimit(RLIMIT_NOFILE, &limit))
        return false;
    before = limit.rlim_cur;
    limit.rlim_cur = (rlim_t)lowest;
    setrlimit(RLIMIT_NOFILE, &limit);
    loss = send_request(wire);
    limit.rlim_cur = before;
    setrlimit(RLIMIT_NOFILE, &limit);
    return loss == NX_LOSS_MEMORY && send_request(wire) == NX_LOSS_NONE;
}

static void a_child_without_descriptors_is_told_so_until_it_has_some(void **state)
{
    struct wire wire;

    (void)state;
    begin(&wire, 3);
    assert_int_equal(child_run(lack_descriptors, &wire), 0);
    end(&wire, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_of_a_child_that_has_not_used_it_has_its_own),
        cmocka_unit_test(a_child_without_descriptors_is_told_so_until_it_has_some),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
