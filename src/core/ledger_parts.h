/*
 * The parts of a ledger, for its own files and for tests that look inside.
 *
 * One block: gates and owners, then tickets, queues, the queues' order, room to sort in, and the times of the slots.
 * The states of the tickets and the times in the rings are the truth: a state is written last in each transition, and a
 * slot's end before the ticket lets go of it. All the rest (lists, counts, order) can be made anew from them.
 */
#ifndef NX_LEDGER_PARTS_H
#define NX_LEDGER_PARTS_H

#include "core/ledger.h"

#include <stdatomic.h>

#define NX_LEDGER_NONE UINT32_MAX

enum nx_ticket_state { NX_TICKET_FREE, NX_TICKET_WAITING, NX_TICKET_OFFERED, NX_TICKET_OUT };

/* Whose turn is certain needs the first line of the cache. */
struct nx_ticket {
    int64_t deadline_us;
    int64_t since_us; /* when it was offered, or went out (the last time) */
    uint64_t context;
    uint64_t arrival;
    int32_t gates[NX_LEDGER_WANTS]; /* rising, then -1 */
    uint16_t count;
    uint16_t lane;
    uint32_t owner;
    _Atomic uint32_t state;
    uint32_t next, previous;        /* in its queue, among the offers, or among the free */
    uint32_t queue;                 /* while it waits */
    uint32_t child, sibling, above; /* in its queue's heap of deadlines, as in core/heap.h */
    uint32_t spare[11];
};

/* The waiting tickets of one owner, lane and set of gates, by arrival: only the head is ever looked at. */
struct nx_queue {
    uint64_t arrival; /* of the head */
    int32_t gates[NX_LEDGER_WANTS];
    uint32_t count;
    uint32_t lane;
    uint32_t owner;
    uint32_t head, tail;
    uint32_t soonest; /* the root of the heap of deadlines */
    uint32_t length;
    uint32_t place; /* in the order; among the free, the next one */
};

/* When requests ended, in the order of time. Positions run to twice the capacity, so that full is not empty. */
struct nx_ring {
    uint32_t head, tail;
};

enum nx_ring_kind { NX_RING_ANSWERED, NX_RING_GIVEN_UP, NX_RINGS };

/* One line of the cache for what seldom changes, and one for what changes with each ticket. */
struct nx_gate {
    int64_t window_us;         /* as asked for */
    int64_t busy_us[NX_RINGS]; /* how long a slot stays busy after its end */
    int64_t half_until_us;
    int64_t held_since_us, held_until_us; /* until 0: never held */
    uint32_t live;                        /* 0: all else here means nothing, and another may be made here */
    uint32_t allowed;                     /* 0: counts none */
    uint32_t capacity, first;             /* of each ring, and where they begin among the slots */
    int64_t used_us;                      /* when it was last asked for, or a request of it ended */
    struct nx_ring rings[NX_RINGS];
    uint32_t taken;                  /* slots of tickets that are out or offered */
    uint32_t waiting[2], offered[2]; /* tickets, by lane */
    uint32_t run;                    /* grants to token requests while API calls waited, since it was the turn of one */
    uint32_t refusals;               /* since the last fine answer */
    uint32_t width, fine;            /* probing: how many may be out (0: as many as like), fine answers of this round */
    uint32_t fleeting;               /* there only to be held */
};

struct nx_owner {
    uint32_t offers;
    uint32_t asleep; /* left an offer standing; passed over until it calls */
    uint32_t untold; /* has offers that it was not woken for */
};

/* It begins with what changes with each ticket. In memory that is aligned for it, that and each gate and ticket begin a
 * line of the cache: processors that share the ledger wait for few. */
struct nx_ledger {
    uint64_t arrivals;
    int64_t latest_us;
    uint64_t tickets_at, slots_at;      /* bytes from here */
    uint32_t free_ticket, fresh_ticket; /* a list of those used before; the first that never was */
    uint32_t first_offer, last_offer;   /* by age */
    uint32_t gate_count;                /* above it none was ever made */
    uint32_t queue_count;               /* that are not empty, by the arrivals of their heads */
    uint32_t tickets, slots;
    uint64_t queues_at, order_at, scratch_at; /* bytes from here */
    uint32_t free_queue, fresh_queue;
    uint32_t untold; /* owners */
    uint32_t spare[7];
    uint64_t keys[NX_LEDGER_GATES];
    struct nx_gate gates[NX_LEDGER_GATES];
    struct nx_owner owners[NX_LEDGER_OWNERS];
};

enum { NX_LEDGER_LINE = 64 };

_Static_assert(sizeof(struct nx_ticket) % NX_LEDGER_LINE == 0 && sizeof(struct nx_gate) % NX_LEDGER_LINE == 0 &&
                   offsetof(struct nx_ledger, gates) % NX_LEDGER_LINE == 0 &&
                   offsetof(struct nx_gate, used_us) % NX_LEDGER_LINE == 0,
               "each begins a line of the cache");

static inline struct nx_ticket *nx_ledger_ticket(const struct nx_ledger *ledger, uint32_t i)
{
    return (struct nx_ticket *)(void *)((char *)ledger + ledger->tickets_at) + i;
}

static inline struct nx_queue *nx_ledger_queue(const struct nx_ledger *ledger, uint32_t i)
{
    return (struct nx_queue *)(void *)((char *)ledger + ledger->queues_at) + i;
}

static inline uint32_t *nx_ledger_order(const struct nx_ledger *ledger)
{
    return (uint32_t *)(void *)((char *)ledger + ledger->order_at);
}

static inline uint32_t *nx_ledger_scratch(const struct nx_ledger *ledger)
{
    return (uint32_t *)(void *)((char *)ledger + ledger->scratch_at);
}

static inline int64_t *nx_ledger_slots(const struct nx_ledger *ledger)
{
    return (int64_t *)(void *)((char *)ledger + ledger->slots_at);
}

/* a + b, b not negative; INT64_MAX when that is too much. */
static inline int64_t nx_ledger_add(int64_t a, int64_t b)
{
    return a > INT64_MAX - b ? INT64_MAX : a + b;
}

static inline int64_t nx_ledger_later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static inline int64_t nx_ledger_sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Tickets. A new one is free until its state is written; NX_LEDGER_NONE: there is none. */
static inline uint32_t nx_ticket_new(struct nx_ledger *ledger)
{
    const uint32_t i = ledger->free_ticket;

    if (i != NX_LEDGER_NONE) {
        ledger->free_ticket = nx_ledger_ticket(ledger, i)->next;
        return i;
    }
    return ledger->fresh_ticket < ledger->tickets ? ledger->fresh_ticket++ : NX_LEDGER_NONE;
}

static inline enum nx_ticket_state nx_ticket_state(const struct nx_ticket *ticket)
{
    return (enum nx_ticket_state)atomic_load_explicit(&ticket->state, memory_order_relaxed);
}

static inline void nx_ticket_become(struct nx_ticket *ticket, enum nx_ticket_state state)
{
    atomic_store_explicit(&ticket->state, (uint32_t)state, memory_order_release);
}

static inline void nx_ticket_free(struct nx_ledger *ledger, uint32_t i)
{
    struct nx_ticket *ticket = nx_ledger_ticket(ledger, i);

    nx_ticket_become(ticket, NX_TICKET_FREE);
    ticket->next = ledger->free_ticket;
    ledger->free_ticket = i;
}

/* Gates: ledger_gate.c. */

/* Makes the window as long as this if it is shorter. */
void nx_gate_widen(struct nx_gate *gate, int64_t window_us);

/* Forgets what is over by now. */
void nx_gate_settle(const struct nx_ledger *ledger, struct nx_gate *gate, int64_t now_us);

/* How many slots are free; INT32_MAX where none are counted. */
int32_t nx_gate_free(const struct nx_ledger *ledger, const struct nx_gate *gate, int64_t now_us);

/* How many tickets may go now, by slots, holds and probing. */
int32_t nx_gate_room(const struct nx_ledger *ledger, const struct nx_gate *gate, int64_t now_us);

static inline bool nx_gate_held(const struct nx_gate *gate, int64_t now_us)
{
    return now_us < gate->held_until_us;
}

/* How many are in a ring. */
static inline uint32_t nx_gate_length(const struct nx_gate *gate, enum nx_ring_kind kind)
{
    const struct nx_ring *ring = &gate->rings[kind];

    return ring->tail >= ring->head ? ring->tail - ring->head : 2 * gate->capacity - ring->head + ring->tail;
}

static inline uint32_t nx_gate_ended(const struct nx_gate *gate)
{
    return nx_gate_length(gate, NX_RING_ANSWERED) + nx_gate_length(gate, NX_RING_GIVEN_UP);
}

/* The position after another, and where the time of one is. */
static inline uint32_t nx_gate_after(const struct nx_gate *gate, uint32_t position)
{
    return position + 1 == 2 * gate->capacity ? 0 : position + 1;
}

static inline int64_t *nx_gate_slot(const struct nx_ledger *ledger, const struct nx_gate *gate, enum nx_ring_kind kind,
                                    uint32_t position)
{
    const uint32_t folded = position >= gate->capacity ? position - gate->capacity : position;

    return &nx_ledger_slots(ledger)[gate->first + (uint32_t)kind * gate->capacity + folded];
}

/* How many may be busy at once. */
static inline uint32_t nx_gate_limit(const struct nx_gate *gate, int64_t now_us)
{
    return now_us < gate->half_until_us && gate->allowed > 1 ? gate->allowed / 2 : gate->allowed;
}

/* A slot's request has ended. Where more than the capacity have, the latest of them tell when a slot is free: the
 * oldest is dropped. */
static inline void nx_gate_end(const struct nx_ledger *ledger, struct nx_gate *gate, enum nx_ring_kind kind,
                               int64_t now_us)
{
    struct nx_ring *ring = &gate->rings[kind];

    if (!gate->allowed)
        return;
    if (nx_gate_length(gate, kind) == gate->capacity)
        ring->head = nx_gate_after(gate, ring->head);
    *nx_gate_slot(ledger, gate, kind, ring->tail) = now_us;
    atomic_signal_fence(memory_order_release);
    ring->tail = nx_gate_after(gate, ring->tail);
}

/* When the count-th from now on can go at the earliest, if all that is out came back at once. */
int64_t nx_gate_turn(const struct nx_ledger *ledger, const struct nx_gate *gate, uint64_t count, int64_t now_us);

/* When one can go if nothing comes back; INT64_MAX: not at all. */
int64_t nx_gate_due(const struct nx_ledger *ledger, const struct nx_gate *gate, int64_t now_us);

/* Holds: ledger_hold.c. The ticket left at sent_us. */
void nx_gate_refuse(struct nx_gate *gate, const struct nx_outcome *outcome, int64_t sent_us, int64_t now_us);
void nx_gate_approve(struct nx_gate *gate, int64_t sent_us);

/* Queues: ledger_queue.c. */

/* Puts a ticket where its arrival belongs, waiting from now on; takes one out, whose state stays as it is. */
void nx_queue_add(struct nx_ledger *ledger, uint32_t ticket);
void nx_queue_remove(struct nx_ledger *ledger, uint32_t ticket);

/* How many of the gates of a ticket like this wait in a lane, of all owners but those asleep. */
uint64_t nx_queue_length(const struct nx_ledger *ledger, const struct nx_ticket *like, uint32_t lane);

/* Who is next: ledger_order.c. */

/* The queue whose head is to go now, all but sleepers considered (the caller is none); NX_LEDGER_NONE: none. *due: it
 * is the turn of API calls. */
uint32_t nx_order_first(const struct nx_ledger *ledger, uint32_t caller, int64_t now_us, bool *due);

/* Whether a new ticket like this may go now. */
bool nx_order_passes(const struct nx_ledger *ledger, const struct nx_ticket *like, int64_t now_us);

/* When a new ticket like this can go at the earliest, if nobody ahead of it withdraws. */
int64_t nx_order_turn(const struct nx_ledger *ledger, const struct nx_ticket *like, int64_t now_us);

/* Takes a slot in each gate of a ticket that goes, while it still waits if it did. */
void nx_order_granted(struct nx_ledger *ledger, const struct nx_ticket *ticket, bool due);

/* Offers: ledger_offer.c. */

/* The ticket, which was granted and is in no queue, is offered. */
void nx_offer_make(struct nx_ledger *ledger, uint32_t ticket, int64_t now_us);

/* It is no offer any more; withdrawn, its slots come back. The state stays as it is. */
void nx_offer_remove(struct nx_ledger *ledger, uint32_t ticket);
void nx_offer_withdraw(struct nx_ledger *ledger, uint32_t ticket);

/* The owner's first; NX_LEDGER_NONE: it has none. */
uint32_t nx_offer_first(const struct nx_ledger *ledger, uint32_t owner);

/* Takes back what has stood too long; and when the first one will have, INT64_MAX: there is none. */
void nx_offer_expire(struct nx_ledger *ledger, int64_t now_us);
int64_t nx_offer_expiry(const struct nx_ledger *ledger);

/* All offers that go through this gate go back: it is held. */
void nx_offer_recall(struct nx_ledger *ledger, int gate);

#endif
