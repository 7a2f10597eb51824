/* A turn that is certain whatever the time is: who has it needs no clock. */
#include "core/ledger_rig.h"

#include "core/ledger_parts.h"
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

enum { TICKETS = 64, SLOTS = 4096, ALLOWED = 2 };

/* Asked without a time. NOBODY: not certain, and nothing was changed. */
static uint32_t go(struct nx_ledger *ledger, struct nx_want want)
{
    const size_t size = nx_ledger_size(TICKETS, SLOTS);
    void *before = malloc(size);
    uint32_t ticket = NOBODY;
    bool gone;

    assert_non_null(before);
    memcpy(before, ledger, size);
    gone = nx_ledger_go(ledger, &want, &ticket);
    assert_int_equal(gone, ticket != NOBODY);
    if (!gone)
        assert_memory_equal(before, ledger, size);
    free(before);
    return ticket;
}

enum need {
    NOTHING,
    ONE_OUT,
    ALL_OUT,
    ANSWERED,
    GIVEN_UP,
    BOTH_ENDED,
    WAITS,
    CALL_WAITS,
    OFFERED_ELSEWHERE,
    HELD,
    PROBED,
    HALVED,
    NO_TICKETS
};

static void spend_tickets(struct nx_ledger *ledger, int gate)
{
    for (int i = 0; i < TICKETS; i++)
        ask_now(ledger, want(NX_LANE_API, gate), START);
}

/* Somebody waits at the gate for the other's only slot. */
static void line_up(struct nx_ledger *ledger, enum nx_lane lane, int gate)
{
    const int other = make_gate(ledger, 3, 1);

    ask_now(ledger, want(NX_LANE_API, other), START);
    ask_waits(ledger, want_both(lane, gate, other), START);
}

static void offer_elsewhere(struct nx_ledger *ledger)
{
    const int other = make_gate(ledger, 3, 1);
    const uint32_t ticket = ask_now(ledger, want(NX_LANE_API, other), START);

    ask_waits(ledger, by(2, want(NX_LANE_API, other)), START);
    end_as(ledger, ticket, NX_END_UNSENT, START);
    assert_int_equal(next_of(ledger, 1, START), NOBODY);
}

static void hold(struct nx_ledger *ledger, int gate, bool over)
{
    end_refused(ledger, ask_now(ledger, want(NX_LANE_API, gate), START), gate, START);
    if (over)
        assert_int_equal(next_of(ledger, 0, START + 100 * SECOND), NOBODY);
}

static void end_one(struct nx_ledger *ledger, int gate, enum nx_end end)
{
    end_as(ledger, ask_now(ledger, want(NX_LANE_API, gate), START), end, START);
}

/* A gate at which something is so. */
static int prepare(struct nx_ledger *ledger, enum need what)
{
    const int gate = nx_ledger_gate(ledger, 1, what == PROBED ? SLOTS / 4 : ALLOWED, SECOND,
                                    what == HALVED ? START + 1 : 0, START);

    if (what == ONE_OUT || what == ALL_OUT || what == HALVED)
        ask_now(ledger, want(NX_LANE_API, gate), START);
    if (what == ALL_OUT)
        ask_now(ledger, want(NX_LANE_API, gate), START);
    if (what == ANSWERED || what == BOTH_ENDED)
        end_one(ledger, gate, NX_END_ANSWERED);
    if (what == GIVEN_UP || what == BOTH_ENDED)
        end_one(ledger, gate, NX_END_GIVEN_UP);
    if (what == WAITS || what == CALL_WAITS)
        line_up(ledger, what == WAITS ? NX_LANE_TOKEN : NX_LANE_API, gate);
    if (what == OFFERED_ELSEWHERE)
        offer_elsewhere(ledger);
    if (what == HELD || what == PROBED)
        hold(ledger, gate, what == PROBED);
    if (what == HELD)
        ledger->gates[gate].width = 0;
    if (what == NO_TICKETS)
        spend_tickets(ledger, make_gate(ledger, 3, 0));
    return gate;
}

static void who_is_certain_of_a_turn_goes_without_a_clock(void **state)
{
    static const struct {
        enum need need;
        bool goes;
    } CASES[] = {
        {NOTHING, true},     {ONE_OUT, true},     {ALL_OUT, false},           {ANSWERED, true}, {GIVEN_UP, true},
        {BOTH_ENDED, false}, {WAITS, false},      {CALL_WAITS, false},        {HELD, false},    {PROBED, false},
        {HALVED, false},     {NO_TICKETS, false}, {OFFERED_ELSEWHERE, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        for (unsigned j = 0; j < 4; j++) {
            struct nx_ledger *ledger = make_ledger();
            const int free_gate = make_gate(ledger, 2, 1);
            const int gate = prepare(ledger, CASES[i].need);
            const uint32_t ticket = go(ledger,
                                       j / 2 ? want_both(j % 2, gate, free_gate) : want_both(j % 2, free_gate, gate));

            assert_int_equal(ticket != NOBODY, CASES[i].goes);
            assert_int_equal(figures_of(ledger, free_gate, START).out, CASES[i].goes);
            free(ledger);
        }
    }
}

/* A slot that came back since the ledger was told a time may be free by now, which who asks with a time finds out. */
static void what_came_back_since_is_not_certain(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 1);
    const int other = make_gate(ledger, 2, 1);

    (void)state;
    spend(ledger, gate, 1, START);
    assert_int_equal(go(ledger, want(NX_LANE_API, gate)), NOBODY);
    end_as(ledger, ask_now(ledger, want(NX_LANE_API, gate), START + COOLS), NX_END_UNSENT, START + COOLS);
    ask_now(ledger, want(NX_LANE_API, other), START + COOLS);
    assert_int_not_equal(go(ledger, want(NX_LANE_API, gate)), NOBODY);
    free(ledger);
}

static void who_went_without_a_clock_is_a_ticket_like_others(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int high = make_gate(ledger, 1, 1), low = make_gate(ledger, 2, 0);
    uint32_t ticket;

    (void)state;
    ticket = go(ledger, by(1, want_both(NX_LANE_API, low, high)));
    assert_int_not_equal(ticket, NOBODY);
    assert_true(nx_ledger_ticket(ledger, ticket)->gates[0] == high);
    assert_true(nx_ledger_ticket(ledger, ticket)->gates[1] == low);
    ask_waits(ledger, want(NX_LANE_API, high), START);
    nx_ledger_bury(ledger, 1, START);
    assert_int_equal(figures_of(ledger, low, START).out, 0);
    assert_int_equal(figures_of(ledger, high, START).cooling, 1);
    free(ledger);
}

/* It left after the hold that is over, and before one that begins now. */
static void who_went_without_a_clock_left_between_the_holds_that_it_did(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, ALLOWED + 1);
    const int64_t now_us = START + 100 * SECOND;
    uint32_t first, second;

    (void)state;
    hold(ledger, gate, true);
    ledger->gates[gate].width = ledger->gates[gate].refusals = 0;
    first = go(ledger, want(NX_LANE_API, gate));
    second = go(ledger, want(NX_LANE_TOKEN, gate));
    assert_true(first != NOBODY && second != NOBODY);
    end_refused(ledger, first, gate, now_us + 1);
    assert_int_equal(ledger->gates[gate].refusals, 1);
    end_refused(ledger, second, gate, now_us + 2);
    assert_int_equal(ledger->gates[gate].refusals, 1);
    assert_true(ledger->gates[gate].held_since_us == now_us + 1);
    free(ledger);
}

static void a_gate_is_known_when_nothing_new_is_said_of_it(void **state)
{
    static const struct {
        uint64_t key;
        int64_t window_us;
        uint32_t allowed;
        bool known;
    } CASES[] = {
        {1, SECOND, 5, true},       {1, SECOND - 1, 6, true}, {1, SECOND, 4, false}, {1, SECOND + 1, 5, false},
        {1, 100 * SECOND, 0, true}, {2, SECOND, 0, true},     {2, SECOND, 5, false}, {2, 0, 5, false},
        {3, SECOND, 5, false},      {3, 0, 0, false},
    };
    struct nx_ledger *ledger = make_ledger();

    (void)state;
    assert_int_equal(nx_ledger_known(ledger, 0, 0, 0), -1);
    assert_int_equal(make_gate(ledger, 1, 5), 0);
    assert_int_equal(make_gate(ledger, 2, 0), 1);
    for (size_t i = 0; i < COUNT(CASES); i++)
        assert_int_equal(nx_ledger_known(ledger, CASES[i].key, CASES[i].allowed, CASES[i].window_us),
                         CASES[i].known ? (int)CASES[i].key - 1 : -1);
    free(ledger);
}

enum teller { ASK, AGAIN, SOONEST, NEXT, TELLERS };

/* Tells the time by a ticket of both gates that is out or waits. */
static void tell(struct nx_ledger *ledger, enum teller teller, uint32_t ticket, struct nx_want both, int64_t now_us)
{
    if (teller == ASK)
        end_as(ledger, ask_now(ledger, both, now_us), NX_END_UNSENT, now_us);
    if (teller == AGAIN)
        assert_true(nx_ledger_again(ledger, ticket, now_us));
    if (teller == SOONEST)
        assert_true(nx_ledger_soonest(ledger, ticket, now_us) == now_us);
    if (teller == NEXT)
        assert_int_equal(next_of(ledger, 1, now_us), NOBODY);
    if (teller == SOONEST)
        nx_ledger_cancel(ledger, ticket, now_us);
}

/* Whoever told the ledger the time, and whether the slots were busy after an answer or were given up. */
static void what_had_come_back_when_the_time_was_told_is_certain(void **state)
{
    static const enum nx_end ENDS[] = {NX_END_ANSWERED, NX_END_GIVEN_UP};

    (void)state;
    for (unsigned i = 0; i < TELLERS * COUNT(ENDS); i++) {
        const enum teller teller = i / COUNT(ENDS);
        struct nx_ledger *ledger = make_ledger();
        const int gates[] = {make_gate(ledger, 1, 3), make_gate(ledger, 2, 3)};
        const struct nx_want both = want_both(NX_LANE_API, gates[0], gates[1]);
        const uint32_t out = ask_now(ledger, both, START);
        uint32_t waiting;

        for (int j = 0; j < 2; j++)
            end_as(ledger, ask_now(ledger, both, START), ENDS[i % COUNT(ENDS)], START);
        waiting = teller == SOONEST ? ask_waits(ledger, both, START) : out;
        tell(ledger, teller, waiting, both, START + LOST);
        assert_int_not_equal(go(ledger, want(NX_LANE_API, gates[0])), NOBODY);
        assert_int_not_equal(go(ledger, want(NX_LANE_API, gates[1])), NOBODY);
        free(ledger);
    }
}

/* It came after those who wait, and before those who come later. */
static void who_went_without_a_clock_is_before_nobody(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 1);
    const int open = make_gate(ledger, 2, ALLOWED);
    const uint32_t out = ask_now(ledger, want(NX_LANE_API, gate), START);
    const uint32_t first = ask_waits(ledger, want(NX_LANE_API, gate), START);

    (void)state;
    assert_int_not_equal(go(ledger, want(NX_LANE_API, open)), NOBODY);
    assert_int_not_equal(go(ledger, want(NX_LANE_API, open)), NOBODY);
    ask_waits(ledger, want_both(NX_LANE_API, gate, open), START);
    end_as(ledger, out, NX_END_UNSENT, START);
    assert_int_equal(next_of(ledger, 0, START), first);
    free(ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_certain_of_a_turn_goes_without_a_clock),
        cmocka_unit_test(what_came_back_since_is_not_certain),
        cmocka_unit_test(who_went_without_a_clock_is_a_ticket_like_others),
        cmocka_unit_test(who_went_without_a_clock_left_between_the_holds_that_it_did),
        cmocka_unit_test(a_gate_is_known_when_nothing_new_is_said_of_it),
        cmocka_unit_test(what_had_come_back_when_the_time_was_told_is_certain),
        cmocka_unit_test(who_went_without_a_clock_is_before_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
