#include "core/ledger_parts.h"

#include <string.h>

struct places {
    uint64_t tickets, queues, order, scratch, slots, end;
};

/* Where the parts of a ledger lie, each aligned for int64_t. */
static struct places find_places(uint32_t tickets, uint32_t slots)
{
    const uint64_t row = ((uint64_t)tickets * sizeof(uint32_t) + 7) / 8 * 8;
    struct places places;

    places.tickets = (sizeof(struct nx_ledger) + NX_LEDGER_LINE - 1) / NX_LEDGER_LINE * NX_LEDGER_LINE;
    places.queues = places.tickets + (uint64_t)tickets * sizeof(struct nx_ticket);
    places.order = places.queues + (uint64_t)tickets * sizeof(struct nx_queue);
    places.scratch = places.order + row;
    places.slots = places.scratch + row;
    places.end = places.slots + (uint64_t)slots * NX_RINGS * sizeof(int64_t);
    return places;
}

size_t nx_ledger_size(uint32_t tickets, uint32_t slots)
{
    return (size_t)find_places(tickets, slots).end;
}

struct nx_ledger *nx_ledger_init(void *memory, uint32_t tickets, uint32_t slots)
{
    const struct places places = find_places(tickets, slots);
    struct nx_ledger *ledger = memory;

    ledger->tickets_at = places.tickets;
    ledger->queues_at = places.queues;
    ledger->order_at = places.order;
    ledger->scratch_at = places.scratch;
    ledger->slots_at = places.slots;
    ledger->tickets = tickets;
    ledger->slots = slots;
    ledger->free_ticket = ledger->free_queue = NX_LEDGER_NONE;
    ledger->first_offer = ledger->last_offer = NX_LEDGER_NONE;
    return ledger;
}

/* Whoever got the lock later may have read the clock earlier. */
static int64_t advance(struct nx_ledger *ledger, int64_t now_us)
{
    ledger->latest_us = nx_ledger_later(ledger->latest_us, now_us);
    return ledger->latest_us;
}

static void sort_gates(struct nx_ticket *ticket)
{
    for (uint32_t i = 1; i < ticket->count; i++) {
        const int32_t gate = ticket->gates[i];
        uint32_t place = i;

        for (; place > 0 && ticket->gates[place - 1] > gate; place--)
            ticket->gates[place] = ticket->gates[place - 1];
        ticket->gates[place] = gate;
    }
}

static inline void fill(struct nx_ticket *ticket, const struct nx_want *want)
{
    ticket->deadline_us = want->deadline_us;
    ticket->context = want->context;
    ticket->count = (uint16_t)want->count;
    ticket->lane = (uint16_t)want->lane;
    ticket->owner = want->owner;
    memset(ticket->gates, 0xff, sizeof ticket->gates); /* -1 each */
    for (uint32_t i = 0; i < want->count; i++)
        ticket->gates[i] = want->gates[i];
    if (ticket->count > 1)
        sort_gates(ticket);
}

static void settle(struct nx_ledger *ledger, const struct nx_ticket *ticket, int64_t now_us)
{
    for (uint32_t i = 0; i < ticket->count; i++)
        nx_gate_settle(ledger, &ledger->gates[ticket->gates[i]], now_us);
}

/* A ticket that was granted is out from now on. */
static void let_go(const struct nx_ledger *ledger, uint32_t i, int64_t now_us)
{
    struct nx_ticket *ticket = nx_ledger_ticket(ledger, i);

    ticket->since_us = now_us;
    nx_ticket_become(ticket, NX_TICKET_OUT);
}

enum nx_turn nx_ledger_ask(struct nx_ledger *ledger, const struct nx_want *want, int64_t now_us, uint32_t *ticket,
                           int64_t *at_us)
{
    const uint32_t i = nx_ticket_new(ledger);
    struct nx_ticket spare;
    struct nx_ticket *new = i != NX_LEDGER_NONE ? nx_ledger_ticket(ledger, i) : &spare;
    bool passes;

    now_us = advance(ledger, now_us);
    fill(new, want);
    settle(ledger, new, now_us);
    nx_offer_expire(ledger, now_us);
    passes = i != NX_LEDGER_NONE && nx_order_passes(ledger, new, now_us);
    if (!passes) {
        const int64_t turn_us = nx_order_turn(ledger, new, now_us);

        if (i == NX_LEDGER_NONE || turn_us >= want->deadline_us) {
            if (i != NX_LEDGER_NONE)
                nx_ticket_free(ledger, i);
            *at_us = turn_us;
            return NX_TURN_NEVER;
        }
    }
    new->arrival = ledger->arrivals++;
    *ticket = i;
    if (!passes) {
        nx_queue_add(ledger, i);
        return NX_TURN_WAITS;
    }
    nx_order_granted(ledger, new, false);
    let_go(ledger, i, now_us);
    return NX_TURN_NOW;
}

/* A slot that was busy when the time was last told counts as busy: it can only be freer now. */
static bool is_open(const struct nx_ledger *ledger, const struct nx_gate *gate)
{
    if (gate->width || gate->held_until_us > ledger->latest_us || gate->waiting[NX_LANE_TOKEN] ||
        gate->waiting[NX_LANE_API])
        return false;
    return !gate->allowed || gate->taken + nx_gate_ended(gate) < nx_gate_limit(gate, ledger->latest_us);
}

/* It left no earlier than it says, and later than any hold of its gates began: a hold that is over began before. */
bool nx_ledger_go(struct nx_ledger *ledger, const struct nx_want *want, uint32_t *ticket)
{
    uint32_t i;

    if (ledger->first_offer != NX_LEDGER_NONE)
        return false;
    for (uint32_t j = 0; j < want->count; j++) {
        if (!is_open(ledger, &ledger->gates[want->gates[j]]))
            return false;
    }
    i = nx_ticket_new(ledger);
    if (i == NX_LEDGER_NONE)
        return false;
    fill(nx_ledger_ticket(ledger, i), want);
    nx_ledger_ticket(ledger, i)->arrival = ledger->arrivals++;
    for (uint32_t j = 0; j < want->count; j++)
        ledger->gates[want->gates[j]].taken++;
    let_go(ledger, i, ledger->latest_us);
    *ticket = i;
    return true;
}

int64_t nx_ledger_soonest(struct nx_ledger *ledger, uint32_t ticket, int64_t now_us)
{
    const struct nx_ticket *waiting = nx_ledger_ticket(ledger, ticket);
    int64_t turn_us = advance(ledger, now_us);

    settle(ledger, waiting, turn_us);
    now_us = turn_us;
    for (uint32_t i = 0; i < waiting->count; i++)
        turn_us = nx_ledger_later(turn_us, nx_gate_turn(ledger, &ledger->gates[waiting->gates[i]], 1, now_us));
    return turn_us;
}

/* Whether the first of a queue's deadlines comes before its turn can. */
static bool is_late(const struct nx_ledger *ledger, const struct nx_queue *queue, int64_t now_us)
{
    int64_t turn_us = now_us;

    for (uint32_t i = 0; i < queue->count; i++)
        turn_us = nx_ledger_later(turn_us, nx_gate_turn(ledger, &ledger->gates[queue->gates[i]], 1, now_us));
    return nx_ledger_ticket(ledger, queue->soonest)->deadline_us <= turn_us;
}

static uint32_t find_late(const struct nx_ledger *ledger, uint32_t owner, int64_t now_us)
{
    for (uint32_t place = 0; place < ledger->queue_count; place++) {
        const struct nx_queue *queue = nx_ledger_queue(ledger, nx_ledger_order(ledger)[place]);

        if (queue->owner == owner && is_late(ledger, queue, now_us))
            return queue->soonest;
    }
    return NX_LEDGER_NONE;
}

/* Goes through the grants of now: offers to others, until the owner has one itself. */
static uint32_t grant(struct nx_ledger *ledger, uint32_t owner, int64_t now_us)
{
    bool due;
    uint32_t queue;

    while ((queue = nx_order_first(ledger, owner, now_us, &due)) != NX_LEDGER_NONE) {
        const uint32_t i = nx_ledger_queue(ledger, queue)->head;
        const struct nx_ticket *ticket = nx_ledger_ticket(ledger, i);

        nx_order_granted(ledger, ticket, due);
        nx_queue_remove(ledger, i);
        if (ticket->owner == owner) {
            let_go(ledger, i, now_us);
            return i;
        }
        nx_offer_make(ledger, i, now_us);
    }
    return NX_LEDGER_NONE;
}

/* One of the owner's offers, out from now on, unless nobody has a use for it any more. */
static uint32_t take(struct nx_ledger *ledger, uint32_t owner, int64_t now_us, bool *late)
{
    const uint32_t i = nx_offer_first(ledger, owner);

    if (i == NX_LEDGER_NONE)
        return NX_LEDGER_NONE;
    *late = nx_ledger_ticket(ledger, i)->deadline_us <= now_us;
    if (*late) {
        nx_offer_withdraw(ledger, i);
    } else {
        nx_offer_remove(ledger, i);
        let_go(ledger, i, now_us);
    }
    return i;
}

static uint32_t drop_late(struct nx_ledger *ledger, uint32_t owner, int64_t now_us)
{
    const uint32_t i = find_late(ledger, owner, now_us);

    if (i != NX_LEDGER_NONE)
        nx_queue_remove(ledger, i);
    return i;
}

bool nx_ledger_is_quiet(const struct nx_ledger *ledger)
{
    return !ledger->queue_count && ledger->first_offer == NX_LEDGER_NONE;
}

bool nx_ledger_next(struct nx_ledger *ledger, uint32_t owner, int64_t now_us, uint32_t *ticket, uint64_t *context,
                    bool *late)
{
    bool gone = false;
    uint32_t i;

    now_us = advance(ledger, now_us);
    ledger->owners[owner].asleep = false;
    for (uint32_t gate = 0; gate < ledger->gate_count; gate++) {
        if (ledger->gates[gate].live)
            nx_gate_settle(ledger, &ledger->gates[gate], now_us);
    }
    i = take(ledger, owner, now_us, &gone);
    if (i == NX_LEDGER_NONE) {
        i = drop_late(ledger, owner, now_us);
        gone = i != NX_LEDGER_NONE;
    }
    if (i == NX_LEDGER_NONE) {
        nx_offer_expire(ledger, now_us);
        i = grant(ledger, owner, now_us);
    }
    if (i == NX_LEDGER_NONE)
        return false;
    *ticket = i;
    *context = nx_ledger_ticket(ledger, i)->context;
    *late = gone;
    if (gone)
        nx_ticket_free(ledger, i);
    return true;
}

/* When the head of a queue might go if only time passes. */
static int64_t queue_due(const struct nx_ledger *ledger, const struct nx_queue *queue, int64_t now_us)
{
    int64_t at_us = now_us;

    for (uint32_t i = 0; i < queue->count; i++)
        at_us = nx_ledger_later(at_us, nx_gate_due(ledger, &ledger->gates[queue->gates[i]], now_us));
    return at_us;
}

/* For an owner with somebody waiting. Who could go but for what others reserve waits for when those may get on. */
static int64_t waiting_due(const struct nx_ledger *ledger, uint32_t owner, int64_t now_us)
{
    int64_t mine_us = INT64_MAX, others_us = INT64_MAX;
    bool reserved = false;

    for (uint32_t place = 0; place < ledger->queue_count; place++) {
        const struct nx_queue *queue = nx_ledger_queue(ledger, nx_ledger_order(ledger)[place]);
        const int64_t at_us = queue_due(ledger, queue, now_us);

        if (at_us > now_us)
            others_us = nx_ledger_sooner(others_us, at_us);
        if (queue->owner != owner)
            continue;
        if (is_late(ledger, queue, now_us))
            return now_us;
        mine_us = nx_ledger_sooner(mine_us, nx_ledger_ticket(ledger, queue->soonest)->deadline_us);
        reserved = reserved || at_us <= now_us;
        mine_us = at_us > now_us ? nx_ledger_sooner(mine_us, at_us) : mine_us;
    }
    return reserved ? nx_ledger_sooner(mine_us, others_us) : mine_us;
}

static bool has_waiting(const struct nx_ledger *ledger, uint32_t owner)
{
    for (uint32_t place = 0; place < ledger->queue_count; place++) {
        if (nx_ledger_queue(ledger, nx_ledger_order(ledger)[place])->owner == owner)
            return true;
    }
    return false;
}

int64_t nx_ledger_due(const struct nx_ledger *ledger, uint32_t owner, int64_t now_us)
{
    bool due;

    now_us = nx_ledger_later(now_us, ledger->latest_us);
    if (ledger->owners[owner].offers)
        return now_us;
    if (!has_waiting(ledger, owner))
        return INT64_MAX;
    if (nx_order_first(ledger, owner, now_us, &due) != NX_LEDGER_NONE)
        return now_us;
    return nx_ledger_later(now_us, nx_ledger_sooner(nx_offer_expiry(ledger), waiting_due(ledger, owner, now_us)));
}

void nx_ledger_cancel(struct nx_ledger *ledger, uint32_t i, int64_t now_us)
{
    const enum nx_ticket_state state = nx_ticket_state(nx_ledger_ticket(ledger, i));

    advance(ledger, now_us);
    if (state == NX_TICKET_WAITING)
        nx_queue_remove(ledger, i);
    else if (state == NX_TICKET_OFFERED)
        nx_offer_withdraw(ledger, i);
    else
        return;
    nx_ticket_free(ledger, i);
}

bool nx_ledger_again(struct nx_ledger *ledger, uint32_t i, int64_t now_us)
{
    struct nx_ticket *ticket = nx_ledger_ticket(ledger, i);

    now_us = advance(ledger, now_us);
    settle(ledger, ticket, now_us);
    for (uint32_t j = 0; j < ticket->count; j++) {
        const struct nx_gate *gate = &ledger->gates[ticket->gates[j]];

        if (nx_gate_held(gate, now_us) || nx_gate_free(ledger, gate, now_us) <= 0)
            return false;
    }
    for (uint32_t j = 0; j < ticket->count; j++)
        nx_gate_end(ledger, &ledger->gates[ticket->gates[j]], NX_RING_GIVEN_UP, now_us);
    ticket->since_us = now_us;
    return true;
}

static void refuse(struct nx_ledger *ledger, const struct nx_ticket *ticket, const struct nx_outcome *outcome,
                   int64_t now_us)
{
    if (outcome->held < 0 || (uint32_t)outcome->held >= ledger->gate_count)
        return;
    nx_gate_refuse(&ledger->gates[outcome->held], outcome, ticket->since_us, now_us);
    nx_offer_recall(ledger, outcome->held);
}

void nx_ledger_end(struct nx_ledger *ledger, uint32_t i, const struct nx_outcome *outcome, int64_t now_us)
{
    const struct nx_ticket *ticket = nx_ledger_ticket(ledger, i);
    const enum nx_ring_kind kind = outcome->end == NX_END_ANSWERED ? NX_RING_ANSWERED : NX_RING_GIVEN_UP;

    if (nx_ticket_state(ticket) != NX_TICKET_OUT)
        return;
    now_us = advance(ledger, now_us);
    if (outcome->word == NX_WORD_REFUSED)
        refuse(ledger, ticket, outcome, now_us);
    for (uint32_t j = 0; j < ticket->count; j++) {
        struct nx_gate *gate = &ledger->gates[ticket->gates[j]];

        if (outcome->word == NX_WORD_FINE && (gate->refusals || gate->width))
            nx_gate_approve(gate, ticket->since_us);
        if (outcome->end != NX_END_UNSENT)
            nx_gate_end(ledger, gate, kind, now_us);
        gate->used_us = now_us;
        gate->taken--;
    }
    nx_ticket_free(ledger, i);
}
