#include "core/ledger_rig.h"

#include "support/test.h"

#include <stdlib.h>

enum { TICKETS = 64, SLOTS = 4096 };

struct nx_ledger *make_ledger(void)
{
    void *memory = calloc(1, nx_ledger_size(TICKETS, SLOTS));

    assert_non_null(memory);
    return nx_ledger_init(memory, TICKETS, SLOTS);
}

int make_gate(struct nx_ledger *ledger, uint64_t key, uint32_t allowed)
{
    const int gate = nx_ledger_gate(ledger, key, allowed, SECOND, 0, 0);

    assert_true(gate >= 0);
    return gate;
}

struct nx_want want(enum nx_lane lane, int gate)
{
    return (struct nx_want){.gates = {gate}, .count = 1, .lane = lane, .deadline_us = INT64_MAX};
}

struct nx_want want_both(enum nx_lane lane, int one, int other)
{
    return (struct nx_want){.gates = {one, other}, .count = 2, .lane = lane, .deadline_us = INT64_MAX};
}

struct nx_want by(uint32_t owner, struct nx_want want)
{
    want.owner = owner;
    return want;
}

struct nx_want until(int64_t deadline_us, struct nx_want want)
{
    want.deadline_us = deadline_us;
    return want;
}

static uint32_t ask(struct nx_ledger *ledger, struct nx_want want, int64_t now_us, enum nx_turn expected)
{
    static uint64_t contexts;
    uint32_t ticket = NOBODY;
    int64_t at_us = 0;

    want.context = ++contexts;
    assert_int_equal(nx_ledger_ask(ledger, &want, now_us, &ticket, &at_us), expected);
    return ticket;
}

uint32_t ask_now(struct nx_ledger *ledger, struct nx_want want, int64_t now_us)
{
    return ask(ledger, want, now_us, NX_TURN_NOW);
}

uint32_t ask_waits(struct nx_ledger *ledger, struct nx_want want, int64_t now_us)
{
    return ask(ledger, want, now_us, NX_TURN_WAITS);
}

int64_t ask_never(struct nx_ledger *ledger, struct nx_want want, int64_t now_us)
{
    uint32_t ticket = NOBODY;
    int64_t at_us = -1;

    assert_int_equal(nx_ledger_ask(ledger, &want, now_us, &ticket, &at_us), NX_TURN_NEVER);
    assert_int_equal(ticket, NOBODY);
    return at_us;
}

void spend(struct nx_ledger *ledger, int gate, uint32_t count, int64_t now_us)
{
    for (uint32_t i = 0; i < count; i++)
        end_fine(ledger, ask_now(ledger, want(NX_LANE_TOKEN, gate), now_us), now_us);
}

static uint32_t next(struct nx_ledger *ledger, uint32_t owner, int64_t now_us, bool expected)
{
    uint32_t ticket;
    uint64_t context;
    bool late;

    if (!nx_ledger_next(ledger, owner, now_us, &ticket, &context, &late))
        return NOBODY;
    assert_int_equal(late, expected);
    return ticket;
}

uint32_t next_of(struct nx_ledger *ledger, uint32_t owner, int64_t now_us)
{
    return next(ledger, owner, now_us, false);
}

uint32_t next_late(struct nx_ledger *ledger, uint32_t owner, int64_t now_us)
{
    return next(ledger, owner, now_us, true);
}

void end_as(struct nx_ledger *ledger, uint32_t ticket, enum nx_end end, int64_t now_us)
{
    const struct nx_outcome outcome = {.end = end};

    nx_ledger_end(ledger, ticket, &outcome, now_us);
}

void end_fine(struct nx_ledger *ledger, uint32_t ticket, int64_t now_us)
{
    const struct nx_outcome outcome = {.end = NX_END_ANSWERED, .word = NX_WORD_FINE};

    nx_ledger_end(ledger, ticket, &outcome, now_us);
}

void end_refused(struct nx_ledger *ledger, uint32_t ticket, int held, int64_t now_us)
{
    const struct nx_outcome outcome = {.end = NX_END_ANSWERED, .word = NX_WORD_REFUSED, .held = held, .grows = true};

    nx_ledger_end(ledger, ticket, &outcome, now_us);
}

struct nx_gate_figures figures_of(const struct nx_ledger *ledger, int gate, int64_t now_us)
{
    struct nx_gate_figures figures;

    assert_true(nx_ledger_figures(ledger, gate, now_us, &figures));
    return figures;
}
