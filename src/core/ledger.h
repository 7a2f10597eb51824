/*
 * The rate ledger: when a request may leave so that a service never counts more than N in any W at its door, whatever
 * the network does in between.
 *
 *     A slot is busy from the moment that a request may be sent until W after its answer's final status line was read;
 *     or, if it was given up, until W + grace after that. A request may be sent only into a free slot.
 *
 * A ledger lies in one block of memory without pointers, so that processes may share it at different addresses (see
 * io/shared.h for the lock, which is held around every call here). It reads no clock: times are microseconds of one
 * that neither jumps nor is slewed, the same in all processes.
 *
 * A request passes several gates, all at once or not at all. A gate has N slots, or none to count (then it is only
 * there to be held), and may be held: by a refusal's Retry-After, or a ban. Who has to wait has a ticket:
 *
 *     ask -> waiting -> offered -> (take) out -> end
 *         \_________________________/
 *
 * Order: the oldest waiter reserves one free slot in each gate that it needs; others may pass with the rest. (Of each
 * gate, the first in line who cannot go; who waits for the end of a hold reserves nothing.) Token requests go before
 * API calls; but while both wait, one grant in four goes to API calls. An offer that is not taken within 50 ms goes to
 * the next; who was passed over keeps its place. Its owner gets no offers, and stands in nobody's way, until it calls
 * again.
 *
 * Times are not negative. One that is earlier than what an earlier call said counts as that.
 */
#ifndef NX_LEDGER_H
#define NX_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NX_LEDGER_GATES = 256,     /* of all services */
    NX_LEDGER_FLEETING = 128,  /* of these, those that are there only to be held */
    NX_LEDGER_WANTS = 4,       /* gates of one request */
    NX_LEDGER_OWNERS = 1024,   /* processes */
    NX_LEDGER_OFFER_US = 50000 /* how long an offer stands */
};

#define NX_LEDGER_GRACE_US  INT64_C(60000000)   /* nothing given up is counted later than this after it */
#define NX_LEDGER_PROBED_US INT64_C(3600000000) /* a gate that nobody asks for is probed so long after its hold */

struct nx_ledger;

/* How much memory a ledger needs for so many tickets (waiting and out) and slots (of all gates together). */
size_t nx_ledger_size(uint32_t tickets, uint32_t slots);

/* Makes a ledger of memory that is zero and aligned for int64_t. */
struct nx_ledger *nx_ledger_init(void *memory, uint32_t tickets, uint32_t slots);

/*
 * The gate of this key (a hash of origin and name, or of origin, or of a path): found, or made. `allowed` requests in
 * any window_us; allowed 0: it counts none. When askers disagree the fewer requests and the longer window win. A new
 * counting gate uses at most half of its slots (one at least) until half_until_us. -1: there is no room.
 *
 * A gate is idle when nothing is out, cools or waits, and it is neither held nor probed, unless nobody has asked for it
 * for NX_LEDGER_PROBED_US since: nothing is lost with it but what askers said of its limit. Where there is no room, the
 * one that is idle longest makes some. So the number is good for as long as one of the caller's tickets has it, and for
 * asks at now_us; then it is to be asked for again.
 */
int nx_ledger_gate(struct nx_ledger *ledger, uint64_t key, uint32_t allowed, int64_t window_us, int64_t half_until_us,
                   int64_t now_us);

/*
 * The gate of this key, which counts none: found, or made, to be held at once. There are NX_LEDGER_FLEETING such gates
 * at most, so that whatever is held leaves room for the others. Where they are too many, the one whose hold ends first
 * makes room, be it probed or held still; but not one at which somebody is out or waits. -1: there is no room.
 */
int nx_ledger_fleeting_gate(struct nx_ledger *ledger, uint64_t key, int64_t now_us);

/* The gate of this key if there is one; -1: there is none. */
int nx_ledger_find(const struct nx_ledger *ledger, uint64_t key);

/* The same, if nx_ledger_gate() would learn nothing of its limit; else -1. */
int nx_ledger_known(const struct nx_ledger *ledger, uint64_t key, uint32_t allowed, int64_t window_us);

enum nx_lane { NX_LANE_TOKEN, NX_LANE_API };

struct nx_want {
    int gates[NX_LEDGER_WANTS]; /* different ones */
    uint32_t count;
    uint32_t lane;       /* an enum nx_lane */
    uint32_t owner;      /* the process */
    uint64_t context;    /* the owner's own */
    int64_t deadline_us; /* when the asker has no use for it any more */
};

enum nx_turn {
    NX_TURN_NOW,   /* the ticket is out: send */
    NX_TURN_WAITS, /* the ticket waits */
    NX_TURN_NEVER  /* not before the deadline, or there is no room: there is no ticket */
};

/*
 * Asks for a turn: *ticket, or *at_us if there will be none: the earliest time of one, if nobody ahead withdraws and
 * all that is out came back unsent (so it is before the deadline when only room for a ticket was missing). A ticket
 * that could go now waits when one before it could too: nx_ledger_next() has them in order.
 */
enum nx_turn nx_ledger_ask(struct nx_ledger *ledger, const struct nx_want *want, int64_t now_us, uint32_t *ticket,
                           int64_t *at_us);

/*
 * Asks for a turn that is certain whatever the time is: slots are free that were free when the ledger was last told the
 * time, nobody waits at these gates, no hold or probing is left and no offer stands. True: the ticket is out. False:
 * nothing was changed, and nx_ledger_ask() may give a turn yet. The ticket's gates must be good for asks now.
 */
bool nx_ledger_go(struct nx_ledger *ledger, const struct nx_want *want, uint32_t *ticket);

/*
 * The next of the owner's tickets whose turn has come, and which is out from now on; false: there is none now. For
 * other owners it leaves offers. A waiting ticket whose turn can no longer come before its deadline is told so by
 * *late: it is gone then. To be asked until it says false, after whatever may give somebody a turn: a ticket that
 * waits, a cancel, an end, a burial, a repair, a time that was due.
 */
bool nx_ledger_next(struct nx_ledger *ledger, uint32_t owner, int64_t now_us, uint32_t *ticket, uint64_t *context,
                    bool *late);

/* Whether nobody waits, at whatever gate: then nx_ledger_next() has nothing to say to anybody. */
bool nx_ledger_is_quiet(const struct nx_ledger *ledger);

/* An owner that has offers and was not named by this yet: it is to be woken, so that it calls nx_ledger_next(). To be
 * asked until it says false, after every call that may leave offers. */
bool nx_ledger_wake(struct nx_ledger *ledger, uint32_t *owner);

/* When the owner is to look again, if nothing happens before; INT64_MAX: it has nobody waiting. */
int64_t nx_ledger_due(const struct nx_ledger *ledger, uint32_t owner, int64_t now_us);

/* When the turn of a waiting ticket comes at the earliest: as if nobody were before it. */
int64_t nx_ledger_soonest(struct nx_ledger *ledger, uint32_t ticket, int64_t now_us);

/* A waiting ticket, or one with an offer, is wanted no more. */
void nx_ledger_cancel(struct nx_ledger *ledger, uint32_t ticket, int64_t now_us);

/* The request of a ticket that is out is about to leave once more: takes one more free slot in each of its gates, and
 * counts the one before as given up now; false, and nothing taken, when one has none or is held. */
bool nx_ledger_again(struct nx_ledger *ledger, uint32_t ticket, int64_t now_us);

enum nx_end {
    NX_END_UNSENT,   /* nothing left: the slots come back at once */
    NX_END_ANSWERED, /* a final status line was read */
    NX_END_GIVEN_UP  /* it left, and no final status line was read (1xx, 502 and 504 count as none) */
};

/* What the answer says of the rate. */
enum nx_word {
    NX_WORD_NONE,   /* nothing: lost, unsent */
    NX_WORD_FINE,   /* any answer that refuses nothing: ends the probing of its gates */
    NX_WORD_REFUSED /* 429, 503, a ban: holds `held` */
};

struct nx_outcome {
    enum nx_end end;
    enum nx_word word;
    int held;               /* the gate that a refusal holds: one of the ticket's, or another whose number is good */
    int64_t retry_after_us; /* as the service said; 0: it did not (then 10 s). Clamped to 1 s..1 h */
    bool grows;             /* each further refusal doubles the hold, to an hour; else it is as stated. Further: of a
                             * request that left after the last hold began. A fine answer to one ends the growth */
    uint32_t draw;          /* for the jitter: +0..20 % */
};

/*
 * A ticket that is out has ended. After a hold one request goes alone through its gate; when it is answered and not
 * refused, 1, 2, 4, ... may be out at once, until that is no limit any more. A probe that vanishes passes its role on.
 */
void nx_ledger_end(struct nx_ledger *ledger, uint32_t ticket, const struct nx_outcome *outcome, int64_t now_us);

/* A process is gone: what it had out counts as given up now, its waiting tickets are dropped. */
void nx_ledger_bury(struct nx_ledger *ledger, uint32_t owner, int64_t now_us);

/* After a process died while it held the lock: puts everything in order again that it may have left half done, erring
 * on the side of too many slots taken. */
void nx_ledger_repair(struct nx_ledger *ledger, int64_t now_us);

/* What a gate allows, has used, who waits, until when it is held (0: it is not). */
struct nx_gate_figures {
    uint64_t key;
    uint32_t allowed; /* now: half at first */
    uint32_t out;     /* tickets that are out */
    uint32_t cooling; /* slots that are busy although nothing is out: of what has ended, and of offers */
    uint32_t waiting_tokens, waiting_calls; /* those with an offer too */
    int64_t window_us;                      /* as asked for */
    int64_t held_until_us;
    int64_t free_at_us; /* when a slot is free at the earliest, if what is out is answered now; 0: now */
};

bool nx_ledger_figures(const struct nx_ledger *ledger, int gate, int64_t now_us, struct nx_gate_figures *figures);

#endif
