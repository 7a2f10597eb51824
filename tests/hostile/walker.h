/*
 * A caller that does anything that the headers allow, in any order: an application of one thread with a few handles of
 * each kind. What it does follows from its seed alone. It ends the program, saying which walker it was, when a verb
 * breaks its contract.
 */
#ifndef NX_TEST_WALKER_H
#define NX_TEST_WALKER_H

#include "nexauth/nexauth.h"
#include "support/script.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { WALKER_SOURCES = 6, WALKER_TOKENS = 5, WALKER_CALLS = 5, WALKER_PERMITS = 4 };

struct walker {
    nexauth_session *session;
    struct script *script;
    uint64_t seed; /* of this walk, for a message */
    uint64_t bits; /* of its generator */
    int depth;     /* verbs within callbacks of verbs */
    int supplying; /* xspe callbacks under way */
    bool closed;   /* the session was freed */
    size_t lent;   /* sources, the first ones, that others use too: neither made nor freed while it walks */
    bool shares;   /* its session with another walker, which may run its callbacks: these do nothing then */
    size_t started;
    atomic_size_t ended;     /* calls */
    atomic_size_t went_well; /* tokens and permits that came */
    nexauth_source *sources[WALKER_SOURCES];
    nexauth_token *tokens[WALKER_TOKENS];
    nexauth_call *calls[WALKER_CALLS];
    nexauth_permit *permits[WALKER_PERMITS];
    bool permit_ended[WALKER_PERMITS];
    nexauth_authorization *authorization;
};

void walker_init(struct walker *walker, nexauth_session *session, struct script *script, uint64_t seed);

/* Before they walk: two walkers of one session share it, and some of the first one's sources. */
void walker_share(struct walker *first, struct walker *second);

/* So many verbs. */
void walker_walk(struct walker *walker, size_t steps);

/* Frees the session, by one of several walkers that share it. */
void walker_close(struct walker *walker);

/* Frees all that it still has. Of walkers that share a session, once it is freed. */
void walker_end(struct walker *walker);

/* The event callback of a session whose only walker is the context. */
void walker_note_event(void *walker, const struct nexauth_event *event);

#endif
