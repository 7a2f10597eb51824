/*
 * A flight: one acquisition of a token, as a state machine without I/O. It says what it needs next; its driver gets it
 * and tells the flight, until the flight ends in PUBLISH or FAIL. Time, randomness and the network come in as arguments
 * only, so that every course that a flight can take is tested with no server and no clock.
 *
 *     begin -> { XSPE | STATE | SEND | WAIT } ... -> SAVE -> PUBLISH | FAIL
 *
 * The courses: a code at hand is exchanged; else a refresh token is used; else the library connects where it may, and
 * exchanges the code that comes; else long-lived credentials are sent. One-time values leave once. A refresh ends in
 * one of four ways: unspent (nothing left, or the service said so without looking: the token is kept), refused
 * (connect, else REAUTH), success, or in doubt (never sent again: connect, else REAUTH). A flight connects once at the
 * most. Credentials that got no answer leave once more, after a second.
 */
#ifndef NX_FLIGHT_H
#define NX_FLIGHT_H

#include "core/classify.h"
#include "core/history.h"
#include "core/options.h"
#include "core/provider.h"
#include "core/transport.h"

enum nx_need {
    NX_NEED_XSPE,    /* call the source's supplier, then nx_flight_take_xspe() */
    NX_NEED_STATE,   /* 16 random bytes, to nx_flight_take_random() */
    NX_NEED_SEND,    /* send exchange->request, then nx_flight_take_exchange() */
    NX_NEED_WAIT,    /* wait about a second, if there is time for that, then nx_flight_take_wait() */
    NX_NEED_SAVE,    /* `issue` holds a token that came: let it be saved, then nx_flight_take_saved() */
    NX_NEED_PUBLISH, /* the end: `issue` held the token, or holds it when it needed no request */
    NX_NEED_FAIL     /* the end: `error` says why */
};

enum { NX_STATE_BYTES = 16, NX_HELD_TOKENS = 2 };

struct nx_flight {
    const struct nx_provider *provider;
    const struct nx_identity *identity;
    struct nx_grant *grant;       /* the source's; the flight's alone while it lasts. NULL: none is needed */
    struct nx_exchange *exchange; /* the driver's */
    enum nx_need need;
    enum nx_step step;
    bool connected; /* in this flight */
    bool again;     /* the request leaves for the second time */
    size_t bound;   /* of an answer */
    struct nx_issue issue;
    struct nx_text spent;   /* a refresh token that was given up: no answer of this flight is to name it */
    nexauth_status verdict; /* what the last exchange meant */
    enum nx_ban ban;        /* whether it showed one */
    struct nexauth_error error;
    const char *held[NX_HELD_TOKENS]; /* access tokens of earlier flights, or NULL: secrets. The driver's */
};

/* Begins: `need` is set from here on. `bound`: the size cap of an answer. */
void nx_flight_begin(struct nx_flight *flight, const struct nx_provider *provider, const struct nx_identity *identity,
                     struct nx_grant *grant, struct nx_exchange *exchange, size_t bound);

/* What came of the supplier: an error, or, when its status is OK, `xspe`, which is moved from. */
void nx_flight_take_xspe(struct nx_flight *flight, const struct nexauth_error *error, struct nx_text *xspe);

/* `bytes`: NX_STATE_BYTES from the system's generator; NULL when it failed. */
void nx_flight_take_random(struct nx_flight *flight, const unsigned char *bytes);

/* The exchange has ended. `history`: of the endpoint; `who`: the identity's hash. */
void nx_flight_take_exchange(struct nx_flight *flight, struct nx_history *history, uint64_t who);

/* Whether the driver waited; false: there is no time for it, and the flight fails with what it has. */
void nx_flight_take_wait(struct nx_flight *flight, bool waited);

/* The request of NX_NEED_SEND does not leave: the flight fails with this error. */
void nx_flight_refuse(struct nx_flight *flight, const struct nexauth_error *error);

/* What came was saved, or nobody wanted to. */
void nx_flight_take_saved(struct nx_flight *flight);

/* Wipes what the flight holds. */
void nx_flight_release(struct nx_flight *flight);

#endif
