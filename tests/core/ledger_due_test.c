#include "core/ledger_rig.h"

#include "support/test.h"

#include <stdlib.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static struct nx_want call(int gate)
{
    return want(NX_LANE_API, gate);
}

static struct nx_want token(int gate)
{
    return want(NX_LANE_TOKEN, gate);
}

/* Two slots: one that was answered cools until START + 5 s, one that was given up until START + 62 s. */
static int make_cooling(struct nx_ledger *ledger)
{
    const int gate = make_gate(ledger, 1, 2);
    const int64_t lost_us = START + 62 * SECOND - LOST;
    const int64_t answered_us = START + 5 * SECOND - COOLS;
    const uint32_t one = ask_now(ledger, call(gate), START - 70 * SECOND);
    const uint32_t other = ask_now(ledger, call(gate), START - 70 * SECOND);

    end_as(ledger, other, NX_END_GIVEN_UP, lost_us);
    end_as(ledger, one, NX_END_ANSWERED, answered_us);
    return gate;
}

/* The n-th who waits gets the n-th slot, and after both are used, the first again when it has cooled. */
static void who_cannot_have_a_turn_in_time_is_told_when(void **state)
{
    static const int64_t EARLIEST_US[] = {5 * SECOND, 5 * SECOND + COOLS, 5 * SECOND + 2 * COOLS};
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 1);

    (void)state;
    end_as(ledger, ask_now(ledger, call(gate), START), NX_END_ANSWERED, START + 5 * SECOND - COOLS);
    for (size_t i = 0; i < COUNT(EARLIEST_US); i++) {
        const int64_t at_us = START + EARLIEST_US[i];

        assert_int_equal(ask_never(ledger, until(at_us, call(gate)), START + 4 * SECOND), at_us);
        ask_waits(ledger, until(at_us + 1, call(gate)), START + 4 * SECOND);
    }
    free(ledger);
}

/* The slot of the answered one comes round again before the other is free. */
static void who_waits_need_not_wait_for_a_slot_that_was_given_up(void **state)
{
    static const int64_t EARLIEST_US[] = {5 * SECOND, 5 * SECOND + COOLS};
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_cooling(ledger);
    const int64_t now_us = START + 4 * SECOND;

    (void)state;
    for (size_t i = 0; i < COUNT(EARLIEST_US); i++) {
        assert_int_equal(ask_never(ledger, until(START, call(gate)), now_us), START + EARLIEST_US[i]);
        ask_waits(ledger, call(gate), now_us);
    }
    assert_int_equal(ask_never(ledger, until(START, call(gate)), now_us), START + 5 * SECOND + COOLS);
    free(ledger);
}

static void who_waits_for_what_was_given_up_waits_as_long(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 2);
    const uint32_t one = ask_now(ledger, call(gate), START);
    const uint32_t other = ask_now(ledger, call(gate), START);

    (void)state;
    end_as(ledger, one, NX_END_GIVEN_UP, START);
    end_as(ledger, other, NX_END_GIVEN_UP, START + 5);
    assert_int_equal(ask_never(ledger, until(START, call(gate)), START + 5), START + LOST);
    ask_waits(ledger, call(gate), START + 5);
    assert_int_equal(ask_never(ledger, until(START, call(gate)), START + 5), START + 5 + LOST);
    ask_waits(ledger, call(gate), START + 5);
    assert_int_equal(ask_never(ledger, until(START, call(gate)), START + 5), START + LOST + COOLS);
    free(ledger);
}

static void what_is_out_may_come_back_at_once(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 2);

    (void)state;
    ask_now(ledger, call(gate), START);
    end_as(ledger, ask_now(ledger, call(gate), START), NX_END_ANSWERED, START);
    ask_waits(ledger, until(START + 2, call(gate)), START + 1);
    assert_int_equal(ask_never(ledger, until(START + 2, call(gate)), START + 1), START + COOLS);
    free(ledger);
}

static void half_of_a_gate_is_free_when_it_is_whole(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = nx_ledger_gate(ledger, 1, 4, 100 * SECOND, START + 9 * SECOND, START);

    (void)state;
    spend(ledger, gate, 2, START);
    assert_int_equal(ask_never(ledger, until(START + 1, call(gate)), START), START + 9 * SECOND);
    ask_waits(ledger, call(gate), START);
    assert_int_equal(nx_ledger_due(ledger, 0, START), START + 9 * SECOND);
    free(ledger);
}

static void the_last_of_all_gates_and_holds_says_when(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_cooling(ledger);
    const int held = make_gate(ledger, 2, 0);
    const int64_t now_us = START + 4 * SECOND;

    (void)state;
    end_refused(ledger, ask_now(ledger, call(held), now_us), held, now_us);
    assert_int_equal(ask_never(ledger, until(START, call(held)), now_us), now_us + 10 * SECOND);
    assert_int_equal(ask_never(ledger, until(START, want_both(NX_LANE_API, held, gate)), now_us), now_us + 10 * SECOND);
    ask_waits(ledger, want_both(NX_LANE_API, held, gate), now_us);
    assert_int_equal(nx_ledger_due(ledger, 0, now_us), now_us + 10 * SECOND);
    free(ledger);
}

/* Three tokens for each call, as long as there are tokens. */
static void an_api_call_reckons_with_the_tokens_before_it(void **state)
{
    static const struct {
        int tokens, calls;
        int64_t turns;
    } CASES[] = {{0, 0, 1}, {1, 0, 2}, {3, 0, 4}, {9, 0, 4}, {9, 1, 8}, {4, 1, 6}};

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_ledger *ledger = make_ledger();
        const int gate = make_gate(ledger, 1, 1);
        const int64_t first_us = START + COOLS;

        spend(ledger, gate, 1, START);
        for (int j = 0; j < CASES[i].tokens; j++)
            ask_waits(ledger, token(gate), START);
        for (int j = 0; j < CASES[i].calls; j++)
            ask_waits(ledger, call(gate), START);
        assert_int_equal(ask_never(ledger, until(START, call(gate)), START), first_us + (CASES[i].turns - 1) * COOLS);
        assert_int_equal(ask_never(ledger, until(START, token(gate)), START), first_us + CASES[i].tokens * COOLS);
        free(ledger);
    }
}

static void who_could_go_now_may_even_at_its_deadline(void **state)
{
    struct nx_ledger *ledger = make_ledger();

    (void)state;
    ask_now(ledger, until(START, call(make_gate(ledger, 1, 1))), START);
    free(ledger);
}

static void a_deadline_that_passes_is_told(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 5);
    const int64_t deadlines[] = {START + 40, START + 20, START + 30, START + 10, START + 50};
    uint32_t waiting[COUNT(deadlines)];

    (void)state;
    for (size_t i = 0; i < COUNT(deadlines); i++)
        ask_now(ledger, call(gate), START);
    for (size_t i = 0; i < COUNT(deadlines); i++)
        waiting[i] = ask_waits(ledger, until(deadlines[i], call(gate)), START);
    nx_ledger_cancel(ledger, waiting[1], START);
    assert_int_equal(nx_ledger_due(ledger, 0, START), START + 10);
    assert_int_equal(next_of(ledger, 0, START + 9), NOBODY);
    assert_int_equal(next_late(ledger, 0, START + 10), waiting[3]);
    assert_int_equal(nx_ledger_due(ledger, 0, START + 10), START + 30);
    assert_int_equal(next_late(ledger, 0, START + 45), waiting[2]);
    assert_int_equal(next_late(ledger, 0, START + 45), waiting[0]);
    assert_int_equal(next_of(ledger, 0, START + 45), NOBODY);
    assert_int_equal(figures_of(ledger, gate, START + 45).waiting_calls, 1);
    free(ledger);
}

/* Many, asked in an order that is none; those that went or left are told nothing. */
static void deadlines_are_told_by_time(void **state)
{
    void *memory = calloc(1, nx_ledger_size(2000, 997));
    struct nx_ledger *ledger = nx_ledger_init(memory, 2000, 997);
    const int gate = make_gate(ledger, 1, 997);
    uint32_t waiting[997];

    (void)state;
    for (int64_t i = 0; i < 997; i++)
        ask_now(ledger, call(gate), START);
    for (int64_t i = 0; i < 997; i++)
        waiting[i] = ask_waits(ledger, until(START + 1 + i * 619 % 997, call(gate)), START);
    for (size_t i = 0; i < 997; i += 2)
        nx_ledger_cancel(ledger, waiting[i], START);
    for (int64_t at = 0; at < 997; at++) {
        const uint32_t late = next_late(ledger, 0, START + 1 + at);

        for (size_t i = 0; i < 997; i++) {
            if ((int64_t)i * 619 % 997 == at)
                assert_int_equal(late, i % 2 ? waiting[i] : NOBODY);
        }
    }
    free(memory);
}

static void a_hold_makes_late_who_cannot_wait_for_its_end(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 2);
    const uint32_t out = ask_now(ledger, call(gate), START);
    uint32_t early, patient;

    (void)state;
    ask_now(ledger, call(gate), START);
    early = ask_waits(ledger, until(START + 10 * SECOND, call(gate)), START);
    patient = ask_waits(ledger, until(START + 10 * SECOND + 1, call(gate)), START);
    end_refused(ledger, out, gate, START);
    assert_int_equal(nx_ledger_due(ledger, 0, START), START);
    assert_int_equal(next_late(ledger, 0, START), early);
    assert_int_equal(next_of(ledger, 0, START), NOBODY);
    assert_int_equal(next_late(ledger, 0, START + 10 * SECOND + 1), patient);
    free(ledger);
}

static void who_waits_looks_again_when_a_slot_is_free(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_cooling(ledger);
    const int open = make_gate(ledger, 2, 1);
    uint32_t waiting;

    (void)state;
    assert_int_equal(nx_ledger_due(ledger, 0, START + 4 * SECOND), INT64_MAX);
    waiting = ask_waits(ledger, want_both(NX_LANE_API, gate, open), START + 4 * SECOND);
    assert_int_equal(nx_ledger_due(ledger, 0, START + 4 * SECOND), START + 5 * SECOND);
    assert_int_equal(nx_ledger_due(ledger, 1, START + 4 * SECOND), INT64_MAX);
    assert_int_equal(nx_ledger_due(ledger, 0, START + 5 * SECOND), START + 5 * SECOND);
    ask_waits(ledger, by(1, call(open)), START + 4 * SECOND);
    assert_int_equal(nx_ledger_due(ledger, 1, START + 4 * SECOND), START + 5 * SECOND);
    assert_int_equal(next_of(ledger, 0, START + 5 * SECOND), waiting);
    assert_int_equal(nx_ledger_due(ledger, 0, START + 5 * SECOND), INT64_MAX);
    assert_int_equal(nx_ledger_due(ledger, 1, START + 5 * SECOND), INT64_MAX);
    free(ledger);
}

/* No time that passes lets it go. */
static void who_waits_for_a_probe_waits_for_its_end(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 5);
    const int other = make_gate(ledger, 2, 1);
    const int64_t now_us = START + 10 * SECOND;

    (void)state;
    end_refused(ledger, ask_now(ledger, call(gate), START), gate, START);
    ask_now(ledger, call(gate), now_us);
    spend(ledger, other, 1, now_us);
    ask_waits(ledger, by(1, call(other)), now_us);
    ask_waits(ledger, call(gate), now_us);
    assert_int_equal(nx_ledger_due(ledger, 0, now_us), INT64_MAX);
    assert_int_equal(nx_ledger_due(ledger, 1, now_us), now_us + COOLS);
    free(ledger);
}

/* In whichever of its gates that is. */
static void the_soonest_turn_is_that_with_nobody_before(void **state)
{
    (void)state;
    for (int swapped = 0; swapped < 2; swapped++) {
        struct nx_ledger *ledger = make_ledger();
        const int gates[] = {make_gate(ledger, 1, 1), make_gate(ledger, 2, 1)};
        const struct nx_want both = want_both(NX_LANE_API, gates[0], gates[1]);
        uint32_t waiting;

        spend(ledger, gates[swapped], 1, START);
        ask_waits(ledger, both, START);
        waiting = ask_waits(ledger, both, START);
        assert_true(nx_ledger_soonest(ledger, waiting, START) == START + COOLS);
        assert_true(nx_ledger_soonest(ledger, waiting, START + 2 * COOLS) == START + 2 * COOLS);
        free(ledger);
    }
}

/* Though not if it were the next but one. */
static void nobody_is_late_whose_turn_is_before_its_deadline(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 1);
    uint32_t waiting;

    (void)state;
    spend(ledger, gate, 1, START);
    waiting = ask_waits(ledger, until(START + COOLS + 1, call(gate)), START);
    assert_int_equal(next_of(ledger, 0, START), NOBODY);
    assert_int_equal(next_of(ledger, 0, START + COOLS), waiting);
    free(ledger);
}

/* Neither those who were refused a turn nor those who were too late keep a ticket. */
static void who_gets_no_turn_keeps_no_ticket(void **state)
{
    enum { MORE_THAN_TICKETS = 100 };
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 1);

    (void)state;
    ask_now(ledger, call(gate), START);
    for (int i = 0; i < MORE_THAN_TICKETS; i++)
        ask_never(ledger, until(START, call(gate)), START);
    for (int i = 0; i < MORE_THAN_TICKETS; i++) {
        const uint32_t waiting = ask_waits(ledger, until(START + i + 1, call(gate)), START + i);

        assert_int_equal(next_late(ledger, 0, START + i + 1), waiting);
    }
    free(ledger);
}

/* It is gone, and another one of the same owner waits elsewhere. */
static void who_withdrew_is_not_looked_for(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gates[] = {make_gate(ledger, 1, 1), make_gate(ledger, 2, 1)};

    (void)state;
    spend(ledger, gates[0], 1, START);
    spend(ledger, gates[1], 1, START + 5);
    ask_waits(ledger, call(gates[1]), START + 5);
    nx_ledger_cancel(ledger, ask_waits(ledger, call(gates[0]), START + 5), START + 5);
    assert_true(nx_ledger_due(ledger, 0, START + 5) == START + 5 + COOLS);
    free(ledger);
}

/* Of those that end at different times the first are out still, and each of the others is answered or given up, by
 * bits: all orders in which their slots can be free. */
static void cool_in_order(uint32_t out, uint32_t given_up)
{
    enum { ALLOWED = 6 };
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, ALLOWED);
    uint32_t tickets[ALLOWED];

    for (uint32_t i = 0; i < ALLOWED; i++)
        tickets[i] = ask_now(ledger, call(gate), START - LOST);
    for (uint32_t i = out; i < ALLOWED; i++) {
        if (given_up >> i & 1)
            end_as(ledger, tickets[i], NX_END_GIVEN_UP, START + i - LOST);
    }
    for (uint32_t i = out; i < ALLOWED; i++) {
        if (!(given_up >> i & 1))
            end_as(ledger, tickets[i], NX_END_ANSWERED, START + i - COOLS);
    }
    for (uint32_t i = 0; i < 2 * ALLOWED; i++) {
        const int64_t now_us = START - SECOND / 2;
        const int64_t free_us = i % ALLOWED < out ? now_us : START + i % ALLOWED;

        assert_true(ask_never(ledger, until(0, call(gate)), now_us) == free_us + i / ALLOWED * COOLS);
        ask_waits(ledger, call(gate), now_us);
        assert_true(nx_ledger_due(ledger, 0, now_us) == (out < ALLOWED ? START + out : INT64_MAX));
    }
    free(ledger);
}

static void each_who_waits_has_the_slot_that_is_free_next(void **state)
{
    (void)state;
    for (uint32_t out = 0; out <= 6; out++) {
        for (uint32_t given_up = 0; given_up < 1 << 6; given_up++)
            cool_in_order(out, given_up);
    }
}

/* One slot is free, which comes round again before the one that was given up. */
static void a_free_slot_comes_round_before_one_that_was_given_up(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 2);
    const int full = make_gate(ledger, 2, 1);

    (void)state;
    end_as(ledger, ask_now(ledger, call(gate), START), NX_END_GIVEN_UP, START);
    ask_now(ledger, call(full), START);
    ask_waits(ledger, want_both(NX_LANE_API, gate, full), START);
    assert_true(ask_never(ledger, until(START, want_both(NX_LANE_API, gate, full)), START) == START + COOLS);
    free(ledger);
}

/* To the last time that there is. */
static void turns_are_told_to_the_end_of_time(void **state)
{
    const int64_t busy_us = (INT64_MAX - 1) / 2;
    const int64_t window_us = busy_us - busy_us / 1001;
    struct nx_ledger *ledger = make_ledger();
    const int gate = nx_ledger_gate(ledger, 1, 1, window_us, 0, 0);

    (void)state;
    assert_true(window_us + window_us / 1000 == busy_us);
    ask_now(ledger, call(gate), 0);
    ask_waits(ledger, call(gate), 0);
    ask_waits(ledger, call(gate), 0);
    assert_true(ask_never(ledger, until(0, call(gate)), 0) == INT64_MAX - 1);
    free(ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_cannot_have_a_turn_in_time_is_told_when),
        cmocka_unit_test(who_waits_need_not_wait_for_a_slot_that_was_given_up),
        cmocka_unit_test(who_waits_for_what_was_given_up_waits_as_long),
        cmocka_unit_test(what_is_out_may_come_back_at_once),
        cmocka_unit_test(half_of_a_gate_is_free_when_it_is_whole),
        cmocka_unit_test(the_last_of_all_gates_and_holds_says_when),
        cmocka_unit_test(an_api_call_reckons_with_the_tokens_before_it),
        cmocka_unit_test(who_could_go_now_may_even_at_its_deadline),
        cmocka_unit_test(a_deadline_that_passes_is_told),
        cmocka_unit_test(deadlines_are_told_by_time),
        cmocka_unit_test(a_hold_makes_late_who_cannot_wait_for_its_end),
        cmocka_unit_test(who_waits_looks_again_when_a_slot_is_free),
        cmocka_unit_test(who_waits_for_a_probe_waits_for_its_end),
        cmocka_unit_test(the_soonest_turn_is_that_with_nobody_before),
        cmocka_unit_test(nobody_is_late_whose_turn_is_before_its_deadline),
        cmocka_unit_test(who_gets_no_turn_keeps_no_ticket),
        cmocka_unit_test(who_withdrew_is_not_looked_for),
        cmocka_unit_test(each_who_waits_has_the_slot_that_is_free_next),
        cmocka_unit_test(a_free_slot_comes_round_before_one_that_was_given_up),
        cmocka_unit_test(turns_are_told_to_the_end_of_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
