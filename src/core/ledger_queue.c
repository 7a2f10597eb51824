#include "core/ledger_parts.h"

#include <string.h>

/* The heap of deadlines: core/heap.c, with indices. */

static uint32_t merge(const struct nx_ledger *ledger, uint32_t a, uint32_t b)
{
    struct nx_ticket *sooner, *later;
    uint32_t first = a, second = b;

    if (a == NX_LEDGER_NONE || b == NX_LEDGER_NONE)
        return a == NX_LEDGER_NONE ? b : a;
    if (nx_ledger_ticket(ledger, b)->deadline_us < nx_ledger_ticket(ledger, a)->deadline_us) {
        first = b;
        second = a;
    }
    sooner = nx_ledger_ticket(ledger, first);
    later = nx_ledger_ticket(ledger, second);
    later->above = first;
    later->sibling = sooner->child;
    if (later->sibling != NX_LEDGER_NONE)
        nx_ledger_ticket(ledger, later->sibling)->above = second;
    sooner->child = second;
    return first;
}

static uint32_t merge_pairs(const struct nx_ledger *ledger, uint32_t first)
{
    uint32_t pairs = NX_LEDGER_NONE;

    while (first != NX_LEDGER_NONE) {
        const uint32_t second = nx_ledger_ticket(ledger, first)->sibling;
        const uint32_t rest = second != NX_LEDGER_NONE ? nx_ledger_ticket(ledger, second)->sibling : NX_LEDGER_NONE;
        const uint32_t pair = merge(ledger, first, second);

        nx_ledger_ticket(ledger, pair)->sibling = pairs;
        pairs = pair;
        first = rest;
    }
    return pairs;
}

static uint32_t merge_siblings(const struct nx_ledger *ledger, uint32_t first)
{
    uint32_t root = NX_LEDGER_NONE;

    for (uint32_t pair = merge_pairs(ledger, first); pair != NX_LEDGER_NONE;) {
        const uint32_t rest = nx_ledger_ticket(ledger, pair)->sibling;

        root = merge(ledger, root, pair);
        pair = rest;
    }
    return root;
}

static void heap_add(const struct nx_ledger *ledger, struct nx_queue *queue, uint32_t i)
{
    struct nx_ticket *ticket = nx_ledger_ticket(ledger, i);

    ticket->child = ticket->sibling = ticket->above = NX_LEDGER_NONE;
    queue->soonest = merge(ledger, queue->soonest, i);
}

static void heap_remove(const struct nx_ledger *ledger, struct nx_queue *queue, uint32_t i)
{
    const struct nx_ticket *ticket = nx_ledger_ticket(ledger, i);
    const uint32_t below = merge_siblings(ledger, ticket->child);
    struct nx_ticket *above;

    if (i == queue->soonest) {
        queue->soonest = below;
        return;
    }
    above = nx_ledger_ticket(ledger, ticket->above);
    if (above->child == i)
        above->child = ticket->sibling;
    else
        above->sibling = ticket->sibling;
    if (ticket->sibling != NX_LEDGER_NONE)
        nx_ledger_ticket(ledger, ticket->sibling)->above = ticket->above;
    queue->soonest = merge(ledger, queue->soonest, below);
}

/* The order of queues. */

static void put(const struct nx_ledger *ledger, uint32_t place, uint32_t queue)
{
    nx_ledger_order(ledger)[place] = queue;
    nx_ledger_queue(ledger, queue)->place = place;
}

static uint64_t arrival_at(const struct nx_ledger *ledger, uint32_t place)
{
    return nx_ledger_queue(ledger, nx_ledger_order(ledger)[place])->arrival;
}

/* Moves a queue whose head is another one to where that belongs. */
static void move(const struct nx_ledger *ledger, uint32_t i)
{
    const uint64_t arrival = nx_ledger_queue(ledger, i)->arrival;
    uint32_t place = nx_ledger_queue(ledger, i)->place;

    for (; place + 1 < ledger->queue_count && arrival_at(ledger, place + 1) < arrival; place++)
        put(ledger, place, nx_ledger_order(ledger)[place + 1]);
    for (; place > 0 && arrival_at(ledger, place - 1) > arrival; place--)
        put(ledger, place, nx_ledger_order(ledger)[place - 1]);
    put(ledger, place, i);
}

static uint32_t make_queue(struct nx_ledger *ledger, const struct nx_ticket *like)
{
    const uint32_t i = ledger->free_queue != NX_LEDGER_NONE ? ledger->free_queue : ledger->fresh_queue++;
    struct nx_queue *queue = nx_ledger_queue(ledger, i);

    if (i == ledger->free_queue)
        ledger->free_queue = queue->place;
    *queue = (struct nx_queue){.count = like->count,
                               .lane = like->lane,
                               .owner = like->owner,
                               .arrival = UINT64_MAX,
                               .head = NX_LEDGER_NONE,
                               .tail = NX_LEDGER_NONE,
                               .soonest = NX_LEDGER_NONE};
    memcpy(queue->gates, like->gates, sizeof queue->gates);
    put(ledger, ledger->queue_count++, i);
    return i;
}

static void free_queue(struct nx_ledger *ledger, uint32_t i)
{
    struct nx_queue *queue = nx_ledger_queue(ledger, i);

    queue->arrival = UINT64_MAX;
    move(ledger, i);
    ledger->queue_count--;
    queue->place = ledger->free_queue;
    ledger->free_queue = i;
}

static uint32_t find_queue(const struct nx_ledger *ledger, const struct nx_ticket *like)
{
    for (uint32_t place = 0; place < ledger->queue_count; place++) {
        const uint32_t i = nx_ledger_order(ledger)[place];
        const struct nx_queue *queue = nx_ledger_queue(ledger, i);

        if (queue->owner == like->owner && queue->lane == like->lane &&
            memcmp(queue->gates, like->gates, sizeof queue->gates) == 0)
            return i;
    }
    return NX_LEDGER_NONE;
}

uint64_t nx_queue_length(const struct nx_ledger *ledger, const struct nx_ticket *like, uint32_t lane)
{
    uint64_t length = 0;

    for (uint32_t place = 0; place < ledger->queue_count; place++) {
        const struct nx_queue *queue = nx_ledger_queue(ledger, nx_ledger_order(ledger)[place]);

        if (queue->lane == lane && !ledger->owners[queue->owner].asleep &&
            memcmp(queue->gates, like->gates, sizeof queue->gates) == 0)
            length += queue->length;
    }
    return length;
}

/* Links a ticket in behind another; NX_LEDGER_NONE: as the head. */
static void link_behind(const struct nx_ledger *ledger, struct nx_queue *queue, uint32_t before, uint32_t i)
{
    struct nx_ticket *ticket = nx_ledger_ticket(ledger, i);

    ticket->previous = before;
    ticket->next = before != NX_LEDGER_NONE ? nx_ledger_ticket(ledger, before)->next : queue->head;
    if (before != NX_LEDGER_NONE)
        nx_ledger_ticket(ledger, before)->next = i;
    else
        queue->head = i;
    if (ticket->next != NX_LEDGER_NONE)
        nx_ledger_ticket(ledger, ticket->next)->previous = i;
    else
        queue->tail = i;
}

/* The last one that arrived before. New ones are searched for from the end, those that come back from the head. */
static uint32_t find_before(const struct nx_ledger *ledger, const struct nx_queue *queue, uint64_t arrival)
{
    uint32_t before = NX_LEDGER_NONE;

    if (queue->tail != NX_LEDGER_NONE && nx_ledger_ticket(ledger, queue->tail)->arrival < arrival)
        return queue->tail;
    for (uint32_t i = queue->head; i != NX_LEDGER_NONE && nx_ledger_ticket(ledger, i)->arrival < arrival;
         i = nx_ledger_ticket(ledger, i)->next)
        before = i;
    return before;
}

static void count_waiting(struct nx_ledger *ledger, const struct nx_ticket *ticket, int change)
{
    for (uint32_t i = 0; i < ticket->count; i++) {
        struct nx_gate *gate = &ledger->gates[ticket->gates[i]];

        gate->waiting[ticket->lane] += (uint32_t)change;
        if (!gate->waiting[NX_LANE_API])
            gate->run = 0;
    }
}

void nx_queue_add(struct nx_ledger *ledger, uint32_t i)
{
    struct nx_ticket *ticket = nx_ledger_ticket(ledger, i);
    struct nx_queue *queue;

    ticket->queue = find_queue(ledger, ticket);
    if (ticket->queue == NX_LEDGER_NONE)
        ticket->queue = make_queue(ledger, ticket);
    queue = nx_ledger_queue(ledger, ticket->queue);
    link_behind(ledger, queue, find_before(ledger, queue, ticket->arrival), i);
    heap_add(ledger, queue, i);
    queue->length++;
    queue->arrival = nx_ledger_ticket(ledger, queue->head)->arrival;
    move(ledger, ticket->queue);
    count_waiting(ledger, ticket, 1);
    nx_ticket_become(ticket, NX_TICKET_WAITING);
}

void nx_queue_remove(struct nx_ledger *ledger, uint32_t i)
{
    const struct nx_ticket *ticket = nx_ledger_ticket(ledger, i);
    struct nx_queue *queue = nx_ledger_queue(ledger, ticket->queue);

    if (ticket->previous != NX_LEDGER_NONE)
        nx_ledger_ticket(ledger, ticket->previous)->next = ticket->next;
    else
        queue->head = ticket->next;
    if (ticket->next != NX_LEDGER_NONE)
        nx_ledger_ticket(ledger, ticket->next)->previous = ticket->previous;
    else
        queue->tail = ticket->previous;
    heap_remove(ledger, queue, i);
    count_waiting(ledger, ticket, -1);
    if (--queue->length == 0) {
        free_queue(ledger, ticket->queue);
    } else if (ticket->previous == NX_LEDGER_NONE) {
        queue->arrival = nx_ledger_ticket(ledger, queue->head)->arrival;
        move(ledger, ticket->queue);
    }
}
