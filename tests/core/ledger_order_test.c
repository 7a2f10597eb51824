#include "core/ledger_rig.h"

#include "core/ledger_parts.h"
#include "support/test.h"

#include <stdlib.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static struct nx_want token(int gate)
{
    return want(NX_LANE_TOKEN, gate);
}

static struct nx_want call(int gate)
{
    return want(NX_LANE_API, gate);
}

/* A gate of one slot, which is out: what waits for it then goes one by one. */
static uint32_t block(struct nx_ledger *ledger, int gate)
{
    return ask_now(ledger, call(gate), START);
}

static void who_came_first_goes_first(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 1);
    const int other = make_gate(ledger, 2, 9);
    uint32_t out = block(ledger, gate);
    uint32_t waiting[12];

    (void)state;
    for (size_t i = 0; i < COUNT(waiting); i++)
        waiting[i] = ask_waits(ledger, i % 3 ? call(gate) : want_both(NX_LANE_API, other, gate), START);
    for (size_t i = 0; i < COUNT(waiting); i++) {
        end_as(ledger, out, NX_END_UNSENT, START);
        out = next_of(ledger, 0, START);
        assert_int_equal(out, waiting[i]);
    }
    free(ledger);
}

static void who_withdraws_is_passed_over(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 1);
    static const size_t left[] = {1, 2, 4, 5};
    uint32_t waiting[7];

    (void)state;
    end_as(ledger, block(ledger, gate), NX_END_ANSWERED, START);
    for (size_t i = 0; i < COUNT(waiting); i++)
        waiting[i] = ask_waits(ledger, call(gate), START);
    nx_ledger_cancel(ledger, waiting[0], START);
    nx_ledger_cancel(ledger, waiting[3], START);
    nx_ledger_cancel(ledger, waiting[6], START);
    assert_int_equal(figures_of(ledger, gate, START).waiting_calls, 4);
    for (size_t i = 0; i < COUNT(left); i++) {
        assert_int_equal(next_of(ledger, 0, START + COOLS), waiting[left[i]]);
        end_as(ledger, waiting[left[i]], NX_END_UNSENT, START + COOLS);
    }
    assert_int_equal(nx_ledger_due(ledger, 0, START + COOLS), INT64_MAX);
    free(ledger);
}

static void a_new_one_does_not_pass_who_could_go(void **state)
{
    static const enum nx_lane LANES[][2] = {
        {NX_LANE_API, NX_LANE_API}, {NX_LANE_TOKEN, NX_LANE_TOKEN}, {NX_LANE_TOKEN, NX_LANE_API}};

    (void)state;
    for (size_t i = 0; i < COUNT(LANES); i++) {
        struct nx_ledger *ledger = make_ledger();
        const int gate = make_gate(ledger, 1, 2);
        const uint32_t out = block(ledger, gate);
        const uint32_t second = block(ledger, gate);
        const uint32_t old = ask_waits(ledger, want(LANES[i][0], gate), START);
        uint32_t new;

        end_as(ledger, out, NX_END_UNSENT, START);
        end_as(ledger, second, NX_END_UNSENT, START);
        new = ask_waits(ledger, want(LANES[i][1], gate), START);
        assert_int_equal(nx_ledger_due(ledger, 0, START), START);
        assert_int_equal(next_of(ledger, 0, START), old);
        assert_int_equal(next_of(ledger, 0, START), new);
        free(ledger);
    }
}

static void the_oldest_keeps_one_slot_in_each_gate(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int full = make_gate(ledger, 1, 1);
    const int two = make_gate(ledger, 2, 2);
    const uint32_t out = block(ledger, full);
    const uint32_t oldest = ask_waits(ledger, want_both(NX_LANE_API, full, two), START);
    uint32_t young;

    (void)state;
    ask_waits(ledger, want_both(NX_LANE_API, full, two), START);
    ask_now(ledger, call(two), START);
    young = ask_waits(ledger, call(two), START);
    assert_int_equal(next_of(ledger, 0, START), NOBODY);
    assert_int_equal(nx_ledger_due(ledger, 0, START), INT64_MAX);
    end_as(ledger, out, NX_END_UNSENT, START);
    assert_int_equal(next_of(ledger, 0, START), oldest);
    end_as(ledger, oldest, NX_END_UNSENT, START);
    nx_ledger_cancel(ledger, young, START);
    assert_int_not_equal(next_of(ledger, 0, START), NOBODY);
    free(ledger);
}

/* One service's jam is none for another's. */
static void each_gates_oldest_keeps_a_slot(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    int full[2], one[2];

    (void)state;
    for (uint64_t i = 0; i < 2; i++) {
        full[i] = make_gate(ledger, 2 * i, 1);
        one[i] = make_gate(ledger, 2 * i + 1, 1);
        block(ledger, full[i]);
        ask_waits(ledger, want_both(NX_LANE_API, full[i], one[i]), START);
    }
    ask_waits(ledger, call(one[1]), START);
    ask_waits(ledger, token(full[0]), START);
    ask_now(ledger, call(make_gate(ledger, 9, 1)), START);
    free(ledger);
}

static void who_could_go_elsewhere_holds_nobody_up(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int full = make_gate(ledger, 1, 1);
    const int two = make_gate(ledger, 2, 2);
    const int other = make_gate(ledger, 3, 1);
    const uint32_t out = block(ledger, other);

    (void)state;
    block(ledger, full);
    ask_waits(ledger, call(other), START);
    ask_waits(ledger, want_both(NX_LANE_API, full, two), START);
    end_as(ledger, out, NX_END_UNSENT, START);
    ask_now(ledger, call(two), START);
    free(ledger);
}

static void token_requests_go_first_but_for_one_in_four(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 1);
    const int side = make_gate(ledger, 2, 0);
    uint32_t out = block(ledger, gate);
    uint32_t calls[5], tokens[13];
    size_t called = 0, granted = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(calls); i++)
        calls[i] = ask_waits(ledger, i % 2 ? call(gate) : want_both(NX_LANE_API, gate, side), START);
    for (size_t i = 0; i < COUNT(tokens); i++)
        tokens[i] = ask_waits(ledger, token(gate), START);
    for (size_t i = 0; i < COUNT(calls) + COUNT(tokens); i++) {
        end_as(ledger, out, NX_END_UNSENT, START);
        out = next_of(ledger, 0, START);
        assert_int_equal(out, i % 4 == 3 || i == 17 ? calls[called++] : tokens[granted++]);
    }
    free(ledger);
}

/* What went while no API call waited is no debt to those that come later. */
static void a_call_that_comes_later_has_no_claim(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 1);
    uint32_t out = block(ledger, gate);
    uint32_t tokens[9];

    (void)state;
    nx_ledger_cancel(ledger, ask_waits(ledger, call(gate), START), START);
    for (size_t i = 0; i < COUNT(tokens); i++)
        tokens[i] = ask_waits(ledger, token(gate), START);
    for (size_t i = 0; i < 6; i++) {
        const uint32_t gone = i == 3 ? ask_waits(ledger, call(gate), START) : NOBODY;

        end_as(ledger, out, NX_END_UNSENT, START);
        out = next_of(ledger, 0, START);
        assert_int_equal(out, tokens[i]);
        if (i == 3)
            nx_ledger_cancel(ledger, gone, START);
    }
    ask_waits(ledger, call(gate), START);
    for (size_t i = 6; i < 9; i++) {
        end_as(ledger, out, NX_END_UNSENT, START);
        out = next_of(ledger, 0, START);
        assert_int_equal(out, tokens[i]);
    }
    free(ledger);
}

/* Token requests of a slow gate, and of a quick one whose count runs ahead. */
static void a_quick_gate_carries_no_calls_past_a_slow_ones_tokens(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int quick = make_gate(ledger, 1, 40);
    const int slow = make_gate(ledger, 2, 1);
    const uint32_t out = block(ledger, slow);
    uint32_t waiting;

    (void)state;
    ask_waits(ledger, want_both(NX_LANE_API, quick, slow), START);
    waiting = ask_waits(ledger, token(slow), START);
    for (int i = 0; i < 8; i++)
        ask_now(ledger, token(quick), START);
    end_as(ledger, out, NX_END_UNSENT, START);
    assert_int_equal(next_of(ledger, 0, START), waiting);
    free(ledger);
}

/* The oldest call needs its turn in two gates; those that need one of them only would take each when it comes. */
static void a_call_of_two_gates_gets_its_turn(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gates[] = {make_gate(ledger, 1, 1), make_gate(ledger, 2, 1)};
    uint32_t out[] = {block(ledger, gates[0]), block(ledger, gates[1])};
    const uint32_t both = ask_waits(ledger, want_both(NX_LANE_API, gates[0], gates[1]), START);
    bool gone = false;

    (void)state;
    for (size_t i = 0; i < 8; i++)
        ask_waits(ledger, call(gates[i % 2]), START);
    for (size_t i = 0; i < 24; i++)
        ask_waits(ledger, token(gates[i % 2]), START);
    for (size_t i = 0; i < 20 && !gone; i++) {
        end_as(ledger, out[i % 2], NX_END_UNSENT, START);
        out[i % 2] = next_of(ledger, 0, START);
        if (i == 3) {
            end_as(ledger, out[0], NX_END_UNSENT, START);
            out[0] = next_of(ledger, 0, START);
        }
        gone = out[i % 2] == both || out[i % 2] == NOBODY;
        if (out[i % 2] == NOBODY) {
            end_as(ledger, out[(i + 1) % 2], NX_END_UNSENT, START);
            assert_int_equal(next_of(ledger, 0, START), both);
        }
    }
    assert_true(gone);
    free(ledger);
}

/* Token requests and calls in the same number, which could go: who is new waits behind them. */
static void a_new_one_passes_neither_tokens_nor_calls(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 2);
    const uint32_t out[] = {block(ledger, gate), block(ledger, gate)};

    (void)state;
    ask_waits(ledger, token(gate), START);
    ask_waits(ledger, call(gate), START);
    end_as(ledger, out[0], NX_END_UNSENT, START);
    end_as(ledger, out[1], NX_END_UNSENT, START);
    ask_waits(ledger, token(gate), START);
    ask_waits(ledger, call(gate), START);
    free(ledger);
}

/* It is not the call's turn, as a token request waits, though for another gate. */
static void a_new_token_request_passes_a_call_that_could_go(void **state)
{
    (void)state;
    for (enum nx_lane lane = NX_LANE_TOKEN; lane <= NX_LANE_API; lane++) {
        struct nx_ledger *ledger = make_ledger();
        const int gate = make_gate(ledger, 1, 3);
        const int full = make_gate(ledger, 2, 1);
        const uint32_t out[] = {block(ledger, gate), block(ledger, gate)};

        block(ledger, gate);
        block(ledger, full);
        ask_waits(ledger, want_both(NX_LANE_TOKEN, gate, full), START);
        ask_waits(ledger, call(gate), START);
        end_as(ledger, out[0], NX_END_UNSENT, START);
        end_as(ledger, out[1], NX_END_UNSENT, START);
        if (lane == NX_LANE_TOKEN)
            ask_now(ledger, token(gate), START);
        else
            ask_waits(ledger, call(gate), START);
        free(ledger);
    }
}

/* A call for a gate and another one, which is full, waits while so many token requests go through the first. */
static void let_tokens_go(struct nx_ledger *ledger, int gate, int full, int tokens)
{
    uint32_t out = block(ledger, gate);

    block(ledger, full);
    ask_waits(ledger, want_both(NX_LANE_API, gate, full), START);
    for (int i = 0; i < tokens; i++)
        ask_waits(ledger, token(gate), START);
    for (int i = 0; i < tokens; i++) {
        end_as(ledger, out, NX_END_UNSENT, START);
        out = next_of(ledger, 0, START);
        assert_int_not_equal(out, NOBODY);
    }
}

/* When a call's turn comes if it asks now, in windows from now on. */
static int64_t turn_of(struct nx_ledger *ledger, struct nx_want call)
{
    return (ask_never(ledger, until(START, call), START) - START) / COOLS;
}

/* Three token requests at most are before the first call: less those that went since the last one. */
static void a_call_reckons_with_the_tokens_that_went(void **state)
{
    static const int64_t TURNS[] = {3, 2, 1, 0, 0, 0};

    (void)state;
    for (int tokens = 0; tokens < (int)COUNT(TURNS); tokens++) {
        for (int swapped = 0; swapped < 2; swapped++) {
            struct nx_ledger *ledger = make_ledger();
            const int gates[] = {make_gate(ledger, 1, 2), make_gate(ledger, 2, 2)};
            const int gate = gates[swapped], other = gates[1 - swapped];

            let_tokens_go(ledger, gate, make_gate(ledger, 3, 1), tokens);
            block(ledger, other);
            assert_int_equal(make_gate(ledger, 1, 1), gates[0]);
            assert_int_equal(make_gate(ledger, 2, 1), gates[1]);
            for (int i = 0; i < 5; i++)
                ask_waits(ledger, want_both(NX_LANE_TOKEN, gate, other), START);
            assert_int_equal(turn_of(ledger, want_both(NX_LANE_API, gate, other)), TURNS[tokens]);
            free(ledger);
        }
    }
}

/* Which is not taken from the calls: it is their turn as soon as without it. */
static void a_call_that_goes_where_no_token_can_is_no_turn(void **state)
{
    (void)state;
    for (int waits = 0; waits < 2; waits++) {
        struct nx_ledger *ledger = make_ledger();
        const int gate = make_gate(ledger, 1, 3);
        const int full = make_gate(ledger, 2, 1);
        const uint32_t out[] = {block(ledger, gate), block(ledger, gate)};
        uint32_t waiting = NOBODY;

        let_tokens_go(ledger, gate, full, 2);
        ask_waits(ledger, want_both(NX_LANE_TOKEN, gate, full), START);
        if (waits)
            waiting = ask_waits(ledger, call(gate), START);
        end_as(ledger, out[0], NX_END_UNSENT, START);
        end_as(ledger, out[1], NX_END_UNSENT, START);
        if (waits)
            assert_int_equal(next_of(ledger, 0, START), waiting);
        else
            ask_now(ledger, call(gate), START);
        assert_int_equal(make_gate(ledger, 1, 1), gate);
        for (int i = 0; i < 5; i++)
            ask_waits(ledger, token(gate), START);
        assert_int_equal(turn_of(ledger, call(gate)), 1);
        free(ledger);
    }
}

/* The oldest comes back to the first place when others were asked after it, and wait elsewhere and here. */
static void what_a_hold_takes_back_is_the_oldest_again(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 1);
    const uint32_t out = block(ledger, gate);
    const uint32_t other = block(ledger, make_gate(ledger, 2, 1));
    uint32_t oldest, owner = NOBODY;

    (void)state;
    oldest = ask_waits(ledger, by(1, call(gate)), START);
    ask_waits(ledger, by(2, call(gate)), START);
    end_as(ledger, out, NX_END_UNSENT, START);
    assert_int_equal(next_of(ledger, 0, START), NOBODY);
    end_refused(ledger, other, gate, START);
    assert_int_equal(next_of(ledger, 0, START + 10 * SECOND), NOBODY);
    assert_true(nx_ledger_wake(ledger, &owner));
    assert_int_equal(owner, 1);
    assert_int_equal(next_of(ledger, 1, START + 10 * SECOND), oldest);
    free(ledger);
}

/* So that only their first is ever looked at. */
static void those_that_want_the_same_stand_in_one_queue(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gates[] = {make_gate(ledger, 1, 1), make_gate(ledger, 2, 1)};

    (void)state;
    for (int i = 0; i < 2; i++)
        block(ledger, gates[i]);
    for (uint32_t i = 0; i < 16; i++)
        ask_waits(ledger, by(i / 2 % 2, want(i / 4 % 2, gates[i % 2])), START);
    assert_int_equal(ledger->queue_count, 8);
    free(ledger);
}

/* It came before, and can go; but it wants it no more. */
static void who_left_is_not_asked_again(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gates[] = {make_gate(ledger, 1, 1), make_gate(ledger, 2, 1)};
    const uint32_t out = block(ledger, gates[0]);

    (void)state;
    block(ledger, gates[1]);
    nx_ledger_cancel(ledger, ask_waits(ledger, call(gates[0]), START), START);
    ask_waits(ledger, call(gates[1]), START);
    nx_ledger_cancel(ledger, ask_waits(ledger, call(gates[0]), START), START);
    end_as(ledger, out, NX_END_UNSENT, START);
    assert_int_equal(next_of(ledger, 0, START), NOBODY);
    assert_true(nx_ledger_due(ledger, 0, START) == INT64_MAX);
    free(ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_came_first_goes_first),
        cmocka_unit_test(who_withdraws_is_passed_over),
        cmocka_unit_test(a_new_one_does_not_pass_who_could_go),
        cmocka_unit_test(the_oldest_keeps_one_slot_in_each_gate),
        cmocka_unit_test(each_gates_oldest_keeps_a_slot),
        cmocka_unit_test(who_could_go_elsewhere_holds_nobody_up),
        cmocka_unit_test(token_requests_go_first_but_for_one_in_four),
        cmocka_unit_test(a_call_that_comes_later_has_no_claim),
        cmocka_unit_test(a_quick_gate_carries_no_calls_past_a_slow_ones_tokens),
        cmocka_unit_test(a_call_of_two_gates_gets_its_turn),
        cmocka_unit_test(a_new_one_passes_neither_tokens_nor_calls),
        cmocka_unit_test(a_new_token_request_passes_a_call_that_could_go),
        cmocka_unit_test(a_call_reckons_with_the_tokens_that_went),
        cmocka_unit_test(a_call_that_goes_where_no_token_can_is_no_turn),
        cmocka_unit_test(what_a_hold_takes_back_is_the_oldest_again),
        cmocka_unit_test(those_that_want_the_same_stand_in_one_queue),
        cmocka_unit_test(who_left_is_not_asked_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
