/*
 * The contract with whoever keeps the rate ledger: a request asks for a permit before it leaves, and gives it back with
 * what came of it. In production the processes of a tree share one ledger (io/tree.h); a store that unrelated processes
 * and hosts share would fulfil the same contract; the tests bring a ledger with a clock that they move.
 *
 * A permit is a request's place in the order of core/ledger.h. It lies within what asks, and does not move meanwhile.
 *
 *     enter -> OUT ------------------------------------------------------> end -> NONE
 *          \-> WAITING -> granted: OUT ----------------------------------> end -> NONE
 *                     \-> granted: NONE, as its time is over; or leave: NONE
 */
#ifndef NX_PERMITS_H
#define NX_PERMITS_H

#include "core/ledger.h"
#include "core/siphash.h"

/*
 * A limit at a service's door: so many requests in any window_ms at what `key` names, a hash of origin and name.
 * Requests 0: none are counted, but it may be held. Fleeting: it is known to the ledger only while it is held and until
 * its probes have passed, so that there may be any number of them. Who waits already when it is first held does not
 * learn of it: who was granted a turn after waiting asks for its figures.
 */
struct nx_door {
    uint64_t key;
    uint32_t requests;
    int64_t window_ms;
    bool fleeting;
};

struct nx_permit_wish {
    struct nx_door doors[NX_LEDGER_WANTS];
    uint32_t count;
    enum nx_lane lane;
    int64_t patience_ms; /* for so long a permit is of use */
};

enum nx_permit_state { NX_PERMIT_NONE, NX_PERMIT_WAITING, NX_PERMIT_OUT };

struct nx_permit {
    enum nx_permit_state state; /* changes with the keeper's lock */
    uint32_t ticket;
    uint64_t keys[NX_LEDGER_WANTS]; /* in the order of the doors */

    /* A waiting permit waits no longer. Called once, by whatever thread of the process turns the permits, with no lock
     * held. */
    void (*granted)(struct nx_permit *permit);
};

struct nx_permits {
    const struct nx_permits_verbs *verbs;
};

/* Each may be called from any thread, with the session's lock held too, but for turn. */
struct nx_permits_verbs {
    /* What keys are hashed with: the same for all who share the ledger. */
    const struct nx_siphash_key *(*key)(struct nx_permits *permits);

    /* Asks for a permit. NX_TURN_NEVER: there is none to be had in time; *wait_ms: nor before this long from now. */
    enum nx_turn (*enter)(struct nx_permits *permits, struct nx_permit *permit, const struct nx_permit_wish *wish,
                          int64_t *wait_ms);

    /* How long at the least until the turn of a waiting permit comes: ms; 0 for one that waits no longer. */
    int64_t (*soonest_ms)(struct nx_permits *permits, const struct nx_permit *permit);

    /* A permit that may be waiting is wanted no more. False: it waits no longer, and `granted` is called, or was. */
    bool (*leave)(struct nx_permits *permits, struct nx_permit *permit);

    /* The request of a permit that is out is about to leave once more; false: it may not. */
    bool (*again)(struct nx_permits *permits, struct nx_permit *permit);

    /* The request of a permit that is out has ended. outcome->held is an index of the permit's doors here. False:
     * nobody waits for a turn, and `turn` need not be called. */
    bool (*end)(struct nx_permits *permits, struct nx_permit *permit, const struct nx_outcome *outcome);

    /* Calls `granted` of all whose time of waiting is over. To be called after enter, leave and end, and whenever the
     * time that it returns has passed: ms from now; INT64_MAX: nobody of this process waits. With no lock held. */
    int64_t (*turn)(struct nx_permits *permits);

    /* Figures of a door, and the time for which they are; false: nobody has asked at it lately. */
    bool (*figures)(struct nx_permits *permits, uint64_t key, struct nx_gate_figures *figures, int64_t *now_us);
};

#endif
