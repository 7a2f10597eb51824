/*
 * The contract with the network: an exchange is one request and what came back. io/ fulfils it with libcurl, the tests
 * with a script.
 */
#ifndef NX_TRANSPORT_H
#define NX_TRANSPORT_H

#include "core/heap.h"
#include "core/request.h"
#include "core/text.h"

#include <stdbool.h>
#include <stdint.h>

/* Why no answer was read. */
enum nx_loss {
    NX_LOSS_NONE,
    NX_LOSS_CONNECT,  /* no connection: name look-up or TCP failed. Nothing of the request left */
    NX_LOSS_TLS,      /* no TLS: the handshake or the certificate failed. Nothing of the request left, or was read */
    NX_LOSS_CLOSED,   /* a fresh TLS connection was closed after the whole request had left */
    NX_LOSS_CUT,      /* any other end of the connection once it stood */
    NX_LOSS_GARBLED,  /* what came is no HTTP */
    NX_LOSS_TIMEOUT,  /* the exchange's deadline passed */
    NX_LOSS_CANCELED, /* nobody wants the answer any more */
    NX_LOSS_MEMORY    /* memory ran out */
};

/* An answer, headers and body within the size cap. */
struct nx_response {
    int http_status;         /* of the final status line */
    bool over_cap;           /* it was larger: only the status counts */
    struct nx_text location; /* the headers that are read; the last of each name counts */
    struct nx_text retry_after;
    struct nx_text date;
    struct nx_text body;
};

struct nx_exchange {
    struct nx_request request;
    struct nx_response response;
    enum nx_loss loss;
    char reason[128];     /* of a loss, in the transport's own words */
    int sendings;         /* how often the request may have left: 0 means that nothing of it did */
    int64_t sent_boot_ms; /* when it first did */
    int64_t sent_wall_s;
    int64_t latest_ms;                 /* the deadline is not later than this; 0: no such limit */
    int64_t deadline_ms;               /* the engine's own, by the boot clock */
    void *handle;                      /* the transport's own */
    struct nx_exchange *next;          /* in a list of submitted or finished ones */
    struct nx_exchange *newer, *older; /* the engine's own: among those begun */
    struct nx_heap_node timer;         /* the engine's own: of those that are to be begun later */
    bool later;                        /* the engine's own: among those */
    bool unwanted;                     /* the engine's own: to be given up */

    /* Asked before a request leaves once more, by the transport's own doing; false: it does not, and is lost. NULL: it
     * may, unless it is one-time. By the thread that turns the transport. */
    bool (*again)(struct nx_exchange *exchange, void *context);

    /* Called exactly once for each submitted exchange, in whichever thread waits or polls, with no lock held. */
    void (*done)(struct nx_exchange *exchange, void *context);
    void *context;
};

/*
 * A transport. All but wakeup are called by one thread at a time. Whatever fails in `begin` is told by a loss, at a
 * later turn.
 */
struct nx_transport {
    const struct nx_transport_verbs *verbs;
};

struct nx_transport_verbs {
    /* Takes the exchange on; it stays where it is until it is finished or given up. */
    void (*begin)(struct nx_transport *transport, struct nx_exchange *exchange);

    /* Waits for something to happen, wait_ms at most, and returns the exchanges that have finished, as a list by
     * `next`. */
    struct nx_exchange *(*turn)(struct nx_transport *transport, int64_t wait_ms);

    /* Ends an exchange that has not finished, at once; its answer is not read. */
    void (*give_up)(struct nx_transport *transport, struct nx_exchange *exchange);

    /* From any thread: ends a turn's wait, or the next one's. */
    void (*wakeup)(struct nx_transport *transport);

    /* A descriptor that polls readable whenever a turn has something to do, besides what time alone brings; it stays
     * the same for the transport's life. -1 when there is none. */
    int (*descriptor)(struct nx_transport *transport);

    /* How many ms it takes until time alone gives a turn something to do: 0 when there is something now, -1 for never.
     * Holds until the next of the calls above. */
    int64_t (*patience)(struct nx_transport *transport);

    /* All exchanges have ended. */
    void (*free)(struct nx_transport *transport);
};

void nx_exchange_init(struct nx_exchange *exchange, size_t answer_bound);
void nx_exchange_release(struct nx_exchange *exchange);

/* Forgets (and wipes) what came back, for the next request of the same flight. */
void nx_exchange_reset(struct nx_exchange *exchange);

#endif
