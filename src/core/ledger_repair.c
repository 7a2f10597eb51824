#include "core/ledger_parts.h"

void nx_ledger_bury(struct nx_ledger *ledger, uint32_t owner, int64_t now_us)
{
    static const struct nx_outcome LOST = {.end = NX_END_GIVEN_UP};

    for (uint32_t i = 0; i < ledger->fresh_ticket; i++) {
        const struct nx_ticket *ticket = nx_ledger_ticket(ledger, i);

        if (nx_ticket_state(ticket) == NX_TICKET_FREE || ticket->owner != owner)
            continue;
        if (nx_ticket_state(ticket) == NX_TICKET_OUT)
            nx_ledger_end(ledger, i, &LOST, now_us);
        else
            nx_ledger_cancel(ledger, i, now_us);
    }
    ledger->owners[owner].asleep = false;
}

/* Moves scratch[i] down to where it arrived before none of those below it: part of a heap sort. */
static void sift(const struct nx_ledger *ledger, uint32_t *heap, uint32_t i, uint32_t count)
{
    for (uint64_t child; (child = 2 * (uint64_t)i + 1) < count; i = (uint32_t)child) {
        const uint32_t moved = heap[i];

        if (child + 1 < count &&
            nx_ledger_ticket(ledger, heap[child])->arrival < nx_ledger_ticket(ledger, heap[child + 1])->arrival)
            child++;
        if (nx_ledger_ticket(ledger, heap[child])->arrival <= nx_ledger_ticket(ledger, moved)->arrival)
            return;
        heap[i] = heap[child];
        heap[child] = moved;
    }
}

static void sort_by_arrival(const struct nx_ledger *ledger, uint32_t *tickets, uint32_t count)
{
    for (uint32_t i = count / 2; i-- > 0;)
        sift(ledger, tickets, i, count);
    for (uint32_t last = count; last-- > 1;) {
        const uint32_t latest = tickets[0];

        tickets[0] = tickets[last];
        tickets[last] = latest;
        sift(ledger, tickets, 0, last);
    }
}

static void repair_gates(struct nx_ledger *ledger)
{
    for (uint32_t i = 0; i < ledger->gate_count; i++) {
        struct nx_gate *gate = &ledger->gates[i];

        if (!gate->live)
            continue;
        gate->taken = 0;
        nx_gate_widen(gate, 0);
        for (unsigned lane = 0; lane < 2; lane++)
            gate->waiting[lane] = gate->offered[lane] = 0;
        if (nx_gate_held(gate, ledger->latest_us) && !gate->width)
            gate->width = 1;
    }
}

static void forget_lists(struct nx_ledger *ledger)
{
    ledger->free_ticket = ledger->free_queue = NX_LEDGER_NONE;
    ledger->fresh_queue = ledger->queue_count = 0;
    ledger->first_offer = ledger->last_offer = NX_LEDGER_NONE;
    ledger->untold = 0;
    for (uint32_t i = 0; i < NX_LEDGER_OWNERS; i++)
        ledger->owners[i].offers = ledger->owners[i].untold = 0;
}

/* Who has an offer waits again: it did not leave. Sorted, as each is then added at its queue's end at once. */
void nx_ledger_repair(struct nx_ledger *ledger, int64_t now_us)
{
    uint32_t *waiting = nx_ledger_scratch(ledger);
    uint32_t count = 0;

    ledger->latest_us = nx_ledger_later(ledger->latest_us, now_us);
    repair_gates(ledger);
    forget_lists(ledger);
    for (uint32_t i = 0; i < ledger->fresh_ticket; i++) {
        const struct nx_ticket *ticket = nx_ledger_ticket(ledger, i);
        const enum nx_ticket_state state = nx_ticket_state(ticket);

        if (state == NX_TICKET_FREE)
            nx_ticket_free(ledger, i);
        else if (state != NX_TICKET_OUT)
            waiting[count++] = i;
        for (uint32_t j = 0; j < ticket->count && state == NX_TICKET_OUT; j++)
            ledger->gates[ticket->gates[j]].taken++;
    }
    sort_by_arrival(ledger, waiting, count);
    for (uint32_t i = 0; i < count; i++)
        nx_queue_add(ledger, waiting[i]);
}
