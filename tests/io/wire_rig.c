#include "support/test.h"

#include "io/wire_rig.h"

#include "io/curl_transport.h"
#include "io/system.h"

#include <poll.h>
#include <stdlib.h>

int wire_set_up_with(void **state, size_t max_answer_bytes)
{
    const struct nx_curl_settings settings = {
        .connect_timeout_ms = 60000, .max_connections = 8, .max_answer_bytes = (int64_t)max_answer_bytes};
    struct wire *wire = calloc(1, sizeof *wire);

    *state = wire;
    if (!wire)
        return -1;
    wire->listener = listener_start("127.0.0.1");
    wire->transport = nx_curl_transport_new(&settings, &nx_system_clock);
    nx_exchange_init(&wire->exchange, max_answer_bytes);
    return wire->listener && wire->transport ? 0 : -1;
}

int wire_set_up(void **state)
{
    return wire_set_up_with(state, WIRE_CAP);
}

int wire_tear_down(void **state)
{
    struct wire *wire = *state;

    nx_exchange_release(&wire->exchange);
    wire->transport->verbs->free(wire->transport);
    listener_stop(wire->listener);
    free(wire);
    return 0;
}

const struct listener_answer wire_answer = {.text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"};

void wire_begin_at(struct wire *wire, const char *origin)
{
    nx_exchange_reset(&wire->exchange);
    nx_request_begin(&wire->exchange.request, NX_CARRIER_FORM, origin, "/token");
    nx_request_parameter(&wire->exchange.request, "secret", "abc123");
    assert_int_equal(nx_request_end(&wire->exchange.request), NEXAUTH_OK);
    wire->transport->verbs->begin(wire->transport, &wire->exchange);
}

void wire_begin(struct wire *wire)
{
    wire_begin_at(wire, listener_origin(wire->listener));
}

struct nx_exchange *wire_turn(struct wire *wire, int64_t wait_ms)
{
    return wire->transport->verbs->turn(wire->transport, wait_ms);
}

int64_t wire_patience(struct wire *wire)
{
    return wire->transport->verbs->patience(wire->transport);
}

bool wire_polls(struct wire *wire, int wait_ms)
{
    struct pollfd watched = {.fd = wire->transport->verbs->descriptor(wire->transport), .events = POLLIN};

    assert_true(watched.fd >= 0);
    return poll(&watched, 1, wait_ms) == 1;
}

void wire_await_request(struct wire *wire, int requests)
{
    while (listener_requests(wire->listener) < requests) {
        assert_null(wire_turn(wire, 0));
        wire_polls(wire, 10);
    }
}
