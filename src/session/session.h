/* The objects behind the public handles. The session's engine has the one lock; "with the lock" means it. */
#ifndef NX_SESSION_H
#define NX_SESSION_H

#include "core/flight.h"
#include "core/history.h"
#include "core/provider.h"
#include "core/siphash.h"
#include "core/world.h"
#include "io/arena.h"
#include "io/engine.h"
#include "io/lock.h"

#include <stdatomic.h>

/* What an endpoint has answered, for all sources that use it. */
struct nx_endpoint {
    struct nx_history history;
    char *url; /* without query */
    struct nx_endpoint *next;
};

struct nexauth_session {
    struct nx_world world;
    struct nx_engine *engine;
    struct nx_arena *arena; /* counted: the text of tokens */
    struct nx_siphash_key hash_key;
    size_t answer_bound;
    bool loopback_http;
    struct nx_lock reading; /* guards the endpoints: answers are read one at a time */
    struct nx_endpoint *endpoints;
    /* With the lock: */
    int references; /* the application's, and one of each source */
    bool closed;
    struct nx_acquisition *acquisitions; /* under way */
};

/* A thread that runs the source's callback. It lives on that thread's stack. */
struct nx_supply {
    struct nx_thread thread;
    struct nx_supply *next;
};

struct nexauth_source {
    nexauth_session *session;
    const struct nx_provider *provider;
    struct nx_identity identity;
    uint64_t who;          /* the identity's hash */
    struct nx_grant grant; /* the acquisition's alone while there is one */
    /* With the lock: */
    int references; /* the application's, and one of each call and acquisition under way */
    bool freed;
    nexauth_token *token; /* the current one, or NULL */
    struct nx_text code;  /* brought by a web handler, for the next acquisition */
    struct nx_acquisition *acquisition;
    struct nx_supply *supplies; /* under way */
};

/* A flight with its driver: counted by those who wait for it and by the flight itself. */
struct nx_acquisition {
    nexauth_source *source;
    struct nx_flight flight;
    struct nx_exchange exchange;
    /* With the lock: */
    int references;
    bool done; /* the outcome stands: a token, or an error */
    nexauth_token *token;
    struct nexauth_error error;
    struct nx_acquisition *next, *previous; /* in the session */
};

/* Its text lies in one block: as it is presented, and behind that what is not a part of it, each ended by NUL. */
struct nexauth_token {
    _Atomic uint64_t references;
    struct nx_arena *arena; /* counted */
    struct nx_block *block;
    uint32_t size;             /* of the block */
    uint32_t presented_length; /* the presented text stands first */
    uint32_t access_token;     /* offsets; 0 where there is no such text */
    uint32_t refresh_token;
    uint32_t scope;
    int presentation; /* an enum nexauth_presentation */
    int64_t obtained_at;
    int64_t expires_at;      /* 0: never */
    int64_t expires_boot_ms; /* INT64_MAX: never */
    int64_t lifetime_s;      /* 0: no lifetime, expires_at counts */
    int64_t stated_s;        /* -1: none readable */
};

/* A session in a world of the caller's own; owns world->transport from here on, on failure too. Limits in `options` are
 * taken as checked. */
nexauth_status nx_session_new_in(const struct nx_world *world, const struct nexauth_session_options *options,
                                 nexauth_session **out, struct nexauth_error *error);

/* With the lock, which is then given. Frees the session with its last reference. */
void nx_session_unref_unlock(nexauth_session *session);

/* Reads an exchange's answer into the flight, with the history of its endpoint. */
void nx_session_read_answer(nexauth_session *session, struct nx_acquisition *acquisition);

nexauth_status nx_source_new(nexauth_session *session, const struct nx_provider *provider, const void *options,
                             nexauth_source **out, struct nexauth_error *error);

/* With the lock, which is then given. Frees the source with its last reference, and its session with that's. */
void nx_source_unref_unlock(nexauth_source *source);

/* Calls the source's callback for a fresh xspe, without a lock, and judges what it gives. `xspe` is initialised in any
 * case. */
nexauth_status nx_source_supply(nexauth_source *source, struct nx_text *xspe, struct nexauth_error *error);

/* A token of what was issued to a request sent at these times. Takes the texts out of `issue`, on failure too. NULL
 * when memory ran out. */
nexauth_token *nx_token_new(struct nx_arena *arena, struct nx_issue *issue, int64_t sent_wall_s, int64_t sent_boot_ms);

/* Begins an acquisition. With the lock. NULL when memory ran out. The caller gets one reference, and then calls
 * nx_acquisition_go(). */
struct nx_acquisition *nx_acquisition_new(nexauth_source *source);

/* Drives the flight as far as it goes without waiting. Without the lock, with the engine held. */
void nx_acquisition_go(struct nx_acquisition *acquisition);

/* Ends the waiting for an acquisition that nobody wants any more: with CANCELED. With the lock. */
void nx_acquisition_cancel(struct nx_acquisition *acquisition, const char *why);

/* With the lock. */
void nx_acquisition_unref(struct nx_acquisition *acquisition);

#endif
