/*
 * Offers to other processes, by age. Who leaves one standing is asleep: its offers go back to their places, and its
 * tickets are passed over, reserving nothing, until it calls again; so that a process that hangs costs one offer's time
 * and not one for each of its tickets, and no slot goes round in circles. Who calls is considered by its old places.
 */
#include "core/ledger_parts.h"

static void count_offer(struct nx_ledger *ledger, const struct nx_ticket *ticket, int change)
{
    struct nx_owner *owner = &ledger->owners[ticket->owner];
    const bool untold = owner->untold;

    owner->untold = untold || (change > 0 && !owner->offers);
    owner->offers += (uint32_t)change;
    ledger->untold += (uint32_t)owner->untold - (uint32_t)untold;
    for (uint32_t i = 0; i < ticket->count; i++)
        ledger->gates[ticket->gates[i]].offered[ticket->lane] += (uint32_t)change;
}

void nx_offer_make(struct nx_ledger *ledger, uint32_t i, int64_t now_us)
{
    struct nx_ticket *ticket = nx_ledger_ticket(ledger, i);

    ticket->since_us = now_us;
    ticket->next = NX_LEDGER_NONE;
    ticket->previous = ledger->last_offer;
    if (ledger->last_offer != NX_LEDGER_NONE)
        nx_ledger_ticket(ledger, ledger->last_offer)->next = i;
    else
        ledger->first_offer = i;
    ledger->last_offer = i;
    count_offer(ledger, ticket, 1);
    nx_ticket_become(ticket, NX_TICKET_OFFERED);
}

void nx_offer_remove(struct nx_ledger *ledger, uint32_t i)
{
    const struct nx_ticket *ticket = nx_ledger_ticket(ledger, i);

    if (ticket->previous != NX_LEDGER_NONE)
        nx_ledger_ticket(ledger, ticket->previous)->next = ticket->next;
    else
        ledger->first_offer = ticket->next;
    if (ticket->next != NX_LEDGER_NONE)
        nx_ledger_ticket(ledger, ticket->next)->previous = ticket->previous;
    else
        ledger->last_offer = ticket->previous;
    count_offer(ledger, ticket, -1);
}

void nx_offer_withdraw(struct nx_ledger *ledger, uint32_t i)
{
    const struct nx_ticket *ticket = nx_ledger_ticket(ledger, i);

    nx_offer_remove(ledger, i);
    for (uint32_t j = 0; j < ticket->count; j++)
        ledger->gates[ticket->gates[j]].taken--;
}

uint32_t nx_offer_first(const struct nx_ledger *ledger, uint32_t owner)
{
    uint32_t i = ledger->owners[owner].offers ? ledger->first_offer : NX_LEDGER_NONE;

    while (i != NX_LEDGER_NONE && nx_ledger_ticket(ledger, i)->owner != owner)
        i = nx_ledger_ticket(ledger, i)->next;
    return i;
}

static void put_back(struct nx_ledger *ledger, uint32_t i)
{
    nx_offer_withdraw(ledger, i);
    nx_queue_add(ledger, i);
}

/* Newest first: so each one that goes back is the new head. */
static void put_all_back(struct nx_ledger *ledger, uint32_t owner)
{
    for (uint32_t i = ledger->last_offer; i != NX_LEDGER_NONE && ledger->owners[owner].offers;) {
        const uint32_t before = nx_ledger_ticket(ledger, i)->previous;

        if (nx_ledger_ticket(ledger, i)->owner == owner)
            put_back(ledger, i);
        i = before;
    }
}

void nx_offer_expire(struct nx_ledger *ledger, int64_t now_us)
{
    while (nx_offer_expiry(ledger) <= now_us && ledger->first_offer != NX_LEDGER_NONE) {
        const uint32_t owner = nx_ledger_ticket(ledger, ledger->first_offer)->owner;

        ledger->owners[owner].asleep = true;
        put_all_back(ledger, owner);
    }
}

int64_t nx_offer_expiry(const struct nx_ledger *ledger)
{
    if (ledger->first_offer == NX_LEDGER_NONE)
        return INT64_MAX;
    return nx_ledger_add(nx_ledger_ticket(ledger, ledger->first_offer)->since_us, NX_LEDGER_OFFER_US);
}

static bool needs(const struct nx_ticket *ticket, int gate)
{
    for (uint32_t i = 0; i < ticket->count; i++) {
        if (ticket->gates[i] == gate)
            return true;
    }
    return false;
}

void nx_offer_recall(struct nx_ledger *ledger, int gate)
{
    for (uint32_t i = ledger->last_offer; i != NX_LEDGER_NONE;) {
        const uint32_t before = nx_ledger_ticket(ledger, i)->previous;

        if (needs(nx_ledger_ticket(ledger, i), gate))
            put_back(ledger, i);
        i = before;
    }
}

bool nx_ledger_wake(struct nx_ledger *ledger, uint32_t *owner)
{
    uint32_t i = ledger->untold ? ledger->first_offer : NX_LEDGER_NONE;

    while (i != NX_LEDGER_NONE && !ledger->owners[nx_ledger_ticket(ledger, i)->owner].untold)
        i = nx_ledger_ticket(ledger, i)->next;
    if (i == NX_LEDGER_NONE)
        return false;
    *owner = nx_ledger_ticket(ledger, i)->owner;
    ledger->owners[*owner].untold = false;
    ledger->untold--;
    return true;
}
