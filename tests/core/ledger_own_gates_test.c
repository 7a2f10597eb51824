/*
 * A ticket has to do with its own gates, with each of them and with no other. So that what reaches beyond them is seen,
 * all places are taken, the keys are like hashes, and nothing can go through the gate whose number is that of the most
 * gates of a ticket.
 */
#include "core/ledger_rig.h"

#include "core/ledger_parts.h"
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

enum { ALLOWED = 2, JAMMED = NX_LEDGER_WANTS, OWNER = 4, JAMMER = 30 };

/* As positive as times are. */
static uint64_t key_of(int gate)
{
    return ((uint64_t)gate + 1) * 0x9e3779b97f4a7c15 >> 1;
}

static struct nx_want call(int gate)
{
    return want(NX_LANE_API, gate);
}

/* The first so many gates, each time in another order, and something else where no gates are. */
static struct nx_want want_first(enum nx_lane lane, uint32_t count)
{
    static uint32_t turn;
    struct nx_want want = {.count = count, .lane = lane, .deadline_us = START + 100 * LOST};

    turn++;
    for (uint32_t i = 0; i < NX_LEDGER_WANTS; i++) {
        const uint32_t gate = (turn + i) % count;

        want.gates[i] = (int)(i >= count ? turn : turn / count % 2 ? gate : count - 1 - gate);
    }
    return want;
}

/* One is out, others wait, and it is held. */
static void jam(struct nx_ledger *ledger)
{
    struct nx_outcome refusal = {
        .end = NX_END_UNSENT, .word = NX_WORD_REFUSED, .held = JAMMED, .retry_after_us = 3600 * SECOND};

    ask_now(ledger, by(JAMMER, call(JAMMED)), START);
    nx_ledger_end(ledger, ask_now(ledger, by(JAMMER, call(JAMMED + 1)), START), &refusal, START);
    ask_waits(ledger, by(JAMMER, call(JAMMED)), START);
    ask_waits(ledger, by(JAMMER, want(NX_LANE_TOKEN, JAMMED)), START);
}

static struct nx_ledger *make_full_ledger(void)
{
    struct nx_ledger *ledger = make_ledger();

    for (int i = 0; i < NX_LEDGER_GATES; i++)
        assert_int_equal(nx_ledger_gate(ledger, key_of(i),
                                        i == JAMMED  ? 1
                                        : i < JAMMED ? ALLOWED
                                                     : 0,
                                        SECOND, 0, START),
                         i);
    jam(ledger);
    return ledger;
}

/* What is looked at: a ledger, how it was, and how many gates the tickets have. */
struct view {
    struct nx_ledger *ledger, *before;
    uint32_t count;
};

static void assert_alike(struct nx_gate_figures one, struct nx_gate_figures other)
{
    assert_int_equal(one.out, other.out);
    assert_int_equal(one.cooling, other.cooling);
    assert_int_equal(one.waiting_tokens, other.waiting_tokens);
    assert_int_equal(one.waiting_calls, other.waiting_calls);
    assert_true(one.free_at_us == other.free_at_us);
}

/* The gates of the tickets are alike, and all others are as they were. */
static void look(const struct view *view)
{
    const struct nx_gate_figures first = figures_of(view->ledger, 0, START);

    for (int i = 0; i < NX_LEDGER_GATES; i++) {
        assert_int_equal(nx_ledger_find(view->ledger, key_of(i)), i);
        if (i < (int)view->count)
            assert_alike(figures_of(view->ledger, i, START), first);
        else
            assert_memory_equal(&view->ledger->gates[i], &view->before->gates[i], sizeof *view->ledger->gates);
    }
}

static struct nx_ledger *copy(const struct nx_ledger *ledger)
{
    const size_t size = nx_ledger_size(ledger->tickets, ledger->slots);
    struct nx_ledger *made = malloc(size);

    assert_non_null(made);
    memcpy(made, ledger, size);
    return made;
}

static uint32_t waiting_at(const struct nx_ledger *ledger, enum nx_lane lane)
{
    const struct nx_gate_figures figures = figures_of(ledger, 0, START);

    return lane == NX_LANE_TOKEN ? figures.waiting_tokens : figures.waiting_calls;
}

/* Waits, is offered, is passed over, and goes. */
static void wait_and_go(const struct view *view, enum nx_lane lane)
{
    struct nx_ledger *ledger = view->ledger;
    const int64_t over_us = START + NX_LEDGER_OFFER_US;
    const uint32_t out = ask_now(ledger, want_first(lane, view->count), START);
    uint32_t waiting;

    ask_now(ledger, want_first(lane, view->count), START);
    assert_true(ask_never(ledger, until(START, want_first(lane, view->count)), START) == START);
    waiting = ask_waits(ledger, by(OWNER, want_first(lane, view->count)), START);
    assert_true(nx_ledger_soonest(ledger, waiting, START) == START);
    assert_true(nx_ledger_due(ledger, OWNER, START) == START + 100 * LOST);
    look(view);
    end_as(ledger, out, NX_END_UNSENT, START);
    assert_int_equal(next_of(ledger, 0, START), NOBODY);
    assert_int_equal(figures_of(ledger, 0, START).cooling, 1);
    assert_int_equal(waiting_at(ledger, lane), 1);
    look(view);
    assert_int_equal(next_of(ledger, 0, over_us), NOBODY);
    assert_int_equal(figures_of(ledger, 0, START).cooling, 0);
    look(view);
    assert_int_equal(next_of(ledger, OWNER, over_us), waiting);
    look(view);
    nx_ledger_bury(ledger, 0, over_us);
    nx_ledger_bury(ledger, OWNER, over_us);
    look(view);
}

/* Declines an offer. */
static void wait_and_leave(const struct view *view, enum nx_lane lane)
{
    struct nx_ledger *ledger = view->ledger;
    const int64_t now_us = START + 2 * LOST;
    uint32_t out, waiting;

    ask_now(ledger, want_first(lane, view->count), now_us);
    out = ask_now(ledger, want_first(lane, view->count), now_us);
    waiting = ask_waits(ledger, by(OWNER, want_first(lane, view->count)), now_us);
    end_as(ledger, out, NX_END_UNSENT, now_us);
    assert_int_equal(next_of(ledger, 0, now_us), NOBODY);
    look(view);
    nx_ledger_cancel(ledger, waiting, now_us);
    assert_int_equal(figures_of(ledger, 0, now_us).cooling, 0);
    look(view);
    nx_ledger_bury(ledger, 0, now_us);
    look(view);
}

/* Goes without a clock and leaves again; who waited meanwhile goes when a slot is free. */
static void leave_again(const struct view *view, enum nx_lane lane)
{
    struct nx_ledger *ledger = view->ledger;
    const struct nx_want want = want_first(lane, view->count);
    const int64_t now_us = START + 4 * LOST;
    uint32_t ticket;

    assert_int_equal(next_of(ledger, 0, now_us), NOBODY);
    assert_true(nx_ledger_go(ledger, &want, &ticket));
    look(view);
    assert_true(nx_ledger_again(ledger, ticket, now_us));
    look(view);
    ask_waits(ledger, want, now_us);
    assert_true(nx_ledger_due(ledger, 0, now_us) == now_us + LOST);
    end_fine(ledger, ticket, now_us);
    look(view);
    assert_true(nx_ledger_due(ledger, 0, now_us) == now_us + COOLS);
    ticket = next_of(ledger, 0, now_us + COOLS);
    assert_int_not_equal(ticket, NOBODY);
    end_as(ledger, ticket, NX_END_ANSWERED, now_us + COOLS);
    look(view);
}

/* Three tokens, a call, and a token: whatever else waits elsewhere. */
static void take_turns(const struct view *view)
{
    static const size_t ORDER[] = {1, 2, 3, 0, 4};
    struct nx_ledger *ledger = view->ledger;
    const int64_t now_us = START + 6 * LOST;
    uint32_t waiting[5], out;

    ask_now(ledger, want_first(NX_LANE_API, view->count), now_us);
    out = ask_now(ledger, want_first(NX_LANE_API, view->count), now_us);
    for (int i = 0; i < 5; i++)
        waiting[i] = ask_waits(ledger, want_first(i ? NX_LANE_TOKEN : NX_LANE_API, view->count), now_us);
    assert_true(ask_never(ledger, until(START, want_first(NX_LANE_API, view->count)), now_us) == now_us + 2 * COOLS);
    for (int i = 0; i < 5; i++) {
        end_as(ledger, out, NX_END_UNSENT, now_us);
        out = next_of(ledger, 0, now_us);
        assert_int_equal(out, waiting[ORDER[i]]);
        look(view);
    }
    nx_ledger_bury(ledger, 0, now_us);
}

static void what_happens_to_a_ticket_happens_to_all_its_gates_and_no_other(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 2 * NX_LEDGER_WANTS; i++) {
        struct nx_ledger *ledger = make_full_ledger();
        struct view view = {.ledger = ledger, .before = copy(ledger), .count = 1 + i / 2};

        wait_and_go(&view, i % 2);
        wait_and_leave(&view, i % 2);
        leave_again(&view, i % 2);
        take_turns(&view);
        free(view.before);
        free(ledger);
    }
}

/* An offer for the first `count` gates stands when one of them is held, or the one behind them. */
static void hold_while_offered(uint32_t count, enum nx_lane lane, int held)
{
    struct nx_ledger *ledger = make_full_ledger();
    const uint32_t out = ask_now(ledger, want_first(lane, count), START);
    uint32_t other, owner;

    ask_now(ledger, want_first(lane, count), START);
    other = ask_now(ledger, call(JAMMED + 1), START);
    ask_waits(ledger, by(OWNER, want_first(lane, count)), START);
    end_as(ledger, out, NX_END_UNSENT, START);
    assert_int_equal(next_of(ledger, 0, START), NOBODY);
    end_refused(ledger, other, held, START);
    assert_int_equal(nx_ledger_wake(ledger, &owner), held >= (int)count);
    free(ledger);
}

static void an_offer_goes_back_when_any_of_its_gates_is_held(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 2 * NX_LEDGER_WANTS; i++) {
        for (int held = 0; held <= NX_LEDGER_WANTS; held++)
            hold_while_offered(1 + i / 2, i % 2, held);
    }
}

/* The gate is full: who waits for it and others goes when it is not, and keeps a slot in each of the others. */
static void stop_by_a_full_gate(uint32_t count, int full)
{
    struct nx_ledger *ledger = make_full_ledger();
    const uint32_t out = ask_now(ledger, call(full), START);
    uint32_t waiting;

    ask_now(ledger, call(full), START);
    waiting = ask_waits(ledger, want_first(NX_LANE_API, count), START);
    assert_int_equal(next_of(ledger, 0, START), NOBODY);
    for (int i = 0; i < (int)count; i++) {
        if (i != full) {
            ask_now(ledger, call(i), START);
            ask_waits(ledger, until(START + SECOND, call(i)), START);
        }
    }
    end_as(ledger, out, NX_END_UNSENT, START);
    assert_int_equal(next_of(ledger, 0, START), waiting);
    free(ledger);
}

/* Who waits for its end keeps no slot in the other gates, and is late at once when it has no time for that. */
static void stop_by_a_held_gate(uint32_t count, int held)
{
    struct nx_ledger *ledger = make_full_ledger();
    const uint32_t out = ask_now(ledger, call(held), START);
    uint32_t late;

    ask_now(ledger, call(held), START);
    ask_waits(ledger, want_first(NX_LANE_API, count), START);
    late = ask_waits(ledger, until(START + SECOND, want_first(NX_LANE_TOKEN, count)), START);
    end_refused(ledger, out, held, START);
    assert_int_equal(next_late(ledger, 0, START), late);
    assert_int_equal(next_of(ledger, 0, START), NOBODY);
    for (int i = 0; i < (int)count; i++) {
        for (int j = 0; j < ALLOWED && i != held; j++)
            ask_now(ledger, call(i), START);
    }
    free(ledger);
}

/* Two wait that could go, of which one needs several gates: a new one of the other kind waits behind. */
static void stop_by_an_older_one(uint32_t count, int shared, bool several_first)
{
    struct nx_ledger *ledger = make_full_ledger();
    const struct nx_want one = call(shared), several = want_first(NX_LANE_API, count);
    const uint32_t out[] = {ask_now(ledger, call(shared), START), ask_now(ledger, call(shared), START)};
    uint32_t older, newer;

    older = ask_waits(ledger, several_first ? several : one, START);
    end_as(ledger, out[0], NX_END_UNSENT, START);
    end_as(ledger, out[1], NX_END_UNSENT, START);
    newer = ask_waits(ledger, several_first ? one : several, START);
    assert_int_equal(next_of(ledger, 0, START), older);
    assert_int_equal(next_of(ledger, 0, START), newer);
    free(ledger);
}

static void each_of_its_gates_may_stop_a_ticket(void **state)
{
    (void)state;
    for (uint32_t count = 1; count <= NX_LEDGER_WANTS; count++) {
        for (int gate = 0; gate < (int)count; gate++) {
            stop_by_a_full_gate(count, gate);
            stop_by_a_held_gate(count, gate);
            stop_by_an_older_one(count, gate, false);
            stop_by_an_older_one(count, gate, true);
        }
    }
}

/* At the gates of the new one somebody waits for another gate; elsewhere somebody waits that could go. */
static void ask_next_to_one_that_could_go(const struct nx_want *older, const struct nx_want *newer, uint32_t gates)
{
    struct nx_ledger *ledger = make_ledger();
    const int full = (int)gates;
    uint32_t out[ALLOWED];

    for (uint32_t gate = 0; gate <= gates; gate++)
        make_gate(ledger, gate, gate == gates ? 1 : ALLOWED);
    ask_now(ledger, call(full), START);
    ask_waits(ledger, want_both(NX_LANE_TOKEN, newer->gates[0], full), START);
    for (int i = 0; i < ALLOWED; i++)
        out[i] = ask_now(ledger, *older, START);
    ask_waits(ledger, *older, START);
    for (int i = 0; i < ALLOWED; i++)
        end_as(ledger, out[i], NX_END_UNSENT, START);
    ask_now(ledger, *newer, START);
    free(ledger);
}

static void no_other_gate_stops_a_ticket(void **state)
{
    (void)state;
    for (uint32_t count = 1; count <= NX_LEDGER_WANTS; count++) {
        const struct nx_want one = want(NX_LANE_TOKEN, (int)count), several = want_first(NX_LANE_TOKEN, count);

        ask_next_to_one_that_could_go(&one, &several, count + 1);
        ask_next_to_one_that_could_go(&several, &one, count + 1);
    }
}

/* They are found to want the same: each reckons with those before it. What a ticket was before is forgotten. */
static void the_order_in_which_gates_are_named_is_nothing(void **state)
{
    struct nx_ledger *ledger = make_full_ledger();

    (void)state;
    for (int i = 0; i < 24; i++)
        ask_waits(ledger, want_both(NX_LANE_API, JAMMED, JAMMED + 1 + i), START);
    nx_ledger_bury(ledger, 0, START);
    for (uint32_t count = 1; count <= NX_LEDGER_WANTS; count++) {
        const uint32_t out[] = {ask_now(ledger, want_first(NX_LANE_API, count), START),
                                ask_now(ledger, want_first(NX_LANE_API, count), START)};

        for (int i = 0; i < 24; i++) {
            assert_true(ask_never(ledger, until(START, want_first(NX_LANE_API, count)), START) ==
                        START + i / ALLOWED * COOLS);
            ask_waits(ledger, want_first(NX_LANE_API, count), START);
        }
        end_as(ledger, out[0], NX_END_UNSENT, START);
        end_as(ledger, out[1], NX_END_UNSENT, START);
        nx_ledger_bury(ledger, 0, START);
    }
    free(ledger);
}

enum { OWNERS = 12, WIDE = JAMMED + 2, NO_OWNER = 99 };

/* An offer for each owner that is one of these (by bits). */
static void offer_to(struct nx_ledger *ledger, uint32_t owners, int64_t now_us, uint32_t *tickets)
{
    uint32_t out[OWNERS];

    assert_int_equal(nx_ledger_gate(ledger, key_of(WIDE), OWNERS, SECOND, 0, now_us), WIDE);
    for (int i = 0; i < OWNERS; i++)
        out[i] = ask_now(ledger, by(NO_OWNER, call(WIDE)), now_us);
    for (uint32_t i = 0; i < OWNERS; i++)
        tickets[i] = owners >> i & 1 ? ask_waits(ledger, by(i, call(WIDE)), now_us) : NOBODY;
    for (int i = 0; i < OWNERS; i++)
        end_as(ledger, out[i], NX_END_UNSENT, now_us);
    assert_int_equal(next_of(ledger, NO_OWNER, now_us), NOBODY);
}

/* What follows the gates in memory are owners. */
static void no_gate_is_behind_the_last_one(void **state)
{
    static const uint32_t CASES[] = {0xfff, 1 << OWNER, 0};

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct nx_ledger *ledger = make_full_ledger();
        uint32_t tickets[OWNERS], owner, woken = 0;
        struct nx_gate_figures none;
        int made;

        end_refused(ledger, ask_now(ledger, call(WIDE + 1), START), NX_LEDGER_GATES, START);
        offer_to(ledger, CASES[i], START, tickets);
        assert_int_equal(nx_ledger_find(ledger, SECOND), -1);
        assert_false(nx_ledger_figures(ledger, NX_LEDGER_GATES, START, &none));
        while (nx_ledger_wake(ledger, &owner))
            woken |= UINT32_C(1) << owner;
        assert_int_equal(woken, CASES[i]);
        assert_int_equal(next_of(ledger, NO_OWNER, START), NOBODY);
        made = nx_ledger_gate(ledger, SECOND, 0, SECOND, 0, START + 1);
        assert_in_range(made, 0, NX_LEDGER_GATES - 1);
        assert_int_equal(nx_ledger_find(ledger, SECOND), made);
        for (owner = 0; owner < OWNERS; owner++) {
            assert_int_equal(next_of(ledger, owner, START + 10000 * SECOND), tickets[owner]);
            assert_true(nx_ledger_due(ledger, owner, START + 10000 * SECOND) == INT64_MAX);
        }
        free(ledger);
    }
}

/* One owner sleeps and another has an offer, but neither is a gate that makes one too many. */
static void no_fleeting_gate_is_behind_the_last_one(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int64_t over_us = START + NX_LEDGER_OFFER_US;
    uint32_t tickets[OWNERS];

    (void)state;
    for (int i = 0; i < NX_LEDGER_GATES; i++)
        assert_int_equal(i <= NX_LEDGER_FLEETING ? nx_ledger_gate(ledger, key_of(i), 0, SECOND, 0, START)
                                                 : nx_ledger_fleeting_gate(ledger, key_of(i), START),
                         i);
    offer_to(ledger, 1 << (OWNERS - 2), START, tickets);
    assert_int_equal(next_of(ledger, NO_OWNER, over_us), NOBODY);
    offer_to(ledger, 1 << OWNER, over_us, tickets);
    assert_in_range(nx_ledger_fleeting_gate(ledger, SECOND, over_us), 0, NX_LEDGER_FLEETING);
    for (int i = NX_LEDGER_FLEETING + 1; i < NX_LEDGER_GATES; i++)
        assert_int_equal(nx_ledger_find(ledger, key_of(i)), i);
    free(ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_happens_to_a_ticket_happens_to_all_its_gates_and_no_other),
        cmocka_unit_test(an_offer_goes_back_when_any_of_its_gates_is_held),
        cmocka_unit_test(each_of_its_gates_may_stop_a_ticket),
        cmocka_unit_test(no_other_gate_stops_a_ticket),
        cmocka_unit_test(the_order_in_which_gates_are_named_is_nothing),
        cmocka_unit_test(no_gate_is_behind_the_last_one),
        cmocka_unit_test(no_fleeting_gate_is_behind_the_last_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
