/* A transport, and a service whose every byte is the test's. */
#ifndef NX_TEST_WIRE_RIG_H
#define NX_TEST_WIRE_RIG_H

#include "core/transport.h"
#include "support/listener.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WIRE_CAP = 65536, WIRE_FOR_EVER_MS = 3600000 };

struct wire {
    struct listener *listener;
    struct nx_transport *transport;
    struct nx_exchange exchange;
};

extern const struct listener_answer wire_answer; /* 200, and the connection stays */

/* For a test: *state is the wire. */
int wire_set_up(void **state);
int wire_set_up_with(void **state, size_t max_answer_bytes);
int wire_tear_down(void **state);

/* Begins the wire's exchange with its own service, or another. */
void wire_begin(struct wire *wire);
void wire_begin_at(struct wire *wire, const char *origin);

struct nx_exchange *wire_turn(struct wire *wire, int64_t wait_ms);
int64_t wire_patience(struct wire *wire);

/* Whether the descriptor is readable within the time. */
bool wire_polls(struct wire *wire, int wait_ms);

/* Turns without waiting until so many requests have come; what libcurl's timers bring on the way is done. */
void wire_await_request(struct wire *wire, int requests);

#endif
