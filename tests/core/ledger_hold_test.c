#include "core/ledger_rig.h"

#include "support/test.h"

#include <stdlib.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define UNSAID       (10 * SECOND)

static struct nx_want call(int gate)
{
    return want(NX_LANE_API, gate);
}

static int64_t held_until(const struct nx_ledger *ledger, int gate, int64_t now_us)
{
    return figures_of(ledger, gate, now_us).held_until_us;
}

static void a_refusal_holds_its_gate(void **state)
{
    static const struct {
        int64_t retry_after_us;
        uint32_t draw;
        int64_t held_us;
    } CASES[] = {
        {0, 0, UNSAID},
        {1, 0, SECOND},
        {-5, 0, SECOND},
        {INT64_MIN, 0, SECOND},
        {SECOND, 0, SECOND},
        {30 * SECOND, 0, 30 * SECOND},
        {30 * SECOND, UINT32_C(1) << 31, 33 * SECOND},
        {30 * SECOND, UINT32_MAX, 36 * SECOND - 1},
        {3600 * SECOND, 0, 3600 * SECOND},
        {2147483647 * SECOND, 0, 3600 * SECOND},
        {INT64_MAX, UINT32_MAX, 4320 * SECOND - 1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_ledger *ledger = make_ledger();
        const int gate = make_gate(ledger, 1, 0);
        const struct nx_outcome outcome = {.end = NX_END_ANSWERED,
                                           .word = NX_WORD_REFUSED,
                                           .held = gate,
                                           .retry_after_us = CASES[i].retry_after_us,
                                           .draw = CASES[i].draw};
        uint32_t waiting;

        nx_ledger_end(ledger, ask_now(ledger, call(gate), START), &outcome, START);
        assert_int_equal(held_until(ledger, gate, START), START + CASES[i].held_us);
        waiting = ask_waits(ledger, call(gate), START);
        assert_int_equal(nx_ledger_due(ledger, 0, START), START + CASES[i].held_us);
        assert_int_equal(next_of(ledger, 0, START + CASES[i].held_us - 1), NOBODY);
        assert_int_equal(next_of(ledger, 0, START + CASES[i].held_us), waiting);
        assert_int_equal(held_until(ledger, gate, START + CASES[i].held_us), 0);
        free(ledger);
    }
}

static void a_refusal_holds_another_gate_than_its_own(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int path = make_gate(ledger, 1, 0);
    const int origin = make_gate(ledger, 2, 5);

    (void)state;
    end_refused(ledger, ask_now(ledger, call(path), START), origin, START);
    ask_waits(ledger, call(origin), START);
    ask_now(ledger, call(path), START);
    free(ledger);
}

/* Each is the refusal of a probe. */
static void each_further_refusal_doubles_the_hold_to_an_hour(void **state)
{
    static const int64_t SECONDS[] = {10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600};
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 0);
    int64_t now_us = START;

    (void)state;
    for (size_t i = 0; i < COUNT(SECONDS); i++) {
        end_refused(ledger, ask_now(ledger, call(gate), now_us), gate, now_us);
        assert_int_equal(held_until(ledger, gate, now_us), now_us + SECONDS[i] * SECOND);
        now_us += SECONDS[i] * SECOND;
    }
    end_fine(ledger, ask_now(ledger, call(gate), now_us), now_us);
    end_refused(ledger, ask_now(ledger, call(gate), now_us), gate, now_us);
    assert_int_equal(held_until(ledger, gate, now_us), now_us + UNSAID);
    free(ledger);
}

static void a_hold_that_does_not_grow_is_as_stated(void **state)
{
    const struct nx_outcome refusal = {.end = NX_END_ANSWERED, .word = NX_WORD_REFUSED, .retry_after_us = 7 * SECOND};
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 0);
    int64_t now_us = START;

    (void)state;
    assert_int_equal(gate, refusal.held);
    for (int i = 0; i < 5; i++, now_us += 7 * SECOND) {
        nx_ledger_end(ledger, ask_now(ledger, call(gate), now_us), &refusal, now_us);
        assert_int_equal(held_until(ledger, gate, now_us), now_us + 7 * SECOND);
    }
    free(ledger);
}

/* Whether they come before the hold is over, or while the probe is out, or with it. */
static void refusals_of_one_burst_are_one(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 0);
    uint32_t burst[4];
    uint32_t probe;

    (void)state;
    for (size_t i = 0; i < COUNT(burst); i++)
        burst[i] = ask_now(ledger, call(gate), START);
    end_refused(ledger, burst[0], gate, START);
    end_refused(ledger, burst[1], gate, START + 1);
    end_refused(ledger, burst[2], gate, START + 2);
    assert_int_equal(held_until(ledger, gate, START + 2), START + 2 + UNSAID);
    end_as(ledger, burst[3], NX_END_GIVEN_UP, START + 3);
    probe = ask_now(ledger, call(gate), START + 2 + UNSAID);
    end_refused(ledger, probe, gate, START + 2 + UNSAID);
    assert_int_equal(held_until(ledger, gate, START + 2 + UNSAID), START + 2 + 3 * UNSAID);
    free(ledger);
}

static void a_shorter_hold_does_not_end_a_longer_one(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 0);
    const uint32_t first = ask_now(ledger, call(gate), START);
    const uint32_t second = ask_now(ledger, call(gate), START);
    struct nx_outcome refusal = {
        .end = NX_END_ANSWERED, .word = NX_WORD_REFUSED, .held = gate, .retry_after_us = 30 * SECOND};

    (void)state;
    nx_ledger_end(ledger, first, &refusal, START);
    refusal.retry_after_us = SECOND;
    nx_ledger_end(ledger, second, &refusal, START + SECOND);
    assert_int_equal(held_until(ledger, gate, START + SECOND), START + 30 * SECOND);
    free(ledger);
}

static void an_answer_to_what_left_before_the_hold_ends_nothing(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 0);
    const uint32_t old = ask_now(ledger, call(gate), START);
    uint32_t probe;

    (void)state;
    end_refused(ledger, ask_now(ledger, call(gate), START), gate, START);
    end_fine(ledger, old, START + 1);
    probe = ask_now(ledger, call(gate), START + UNSAID);
    ask_waits(ledger, call(gate), START + UNSAID);
    assert_int_equal(next_of(ledger, 0, START + UNSAID), NOBODY);
    end_refused(ledger, probe, gate, START + UNSAID);
    assert_int_equal(held_until(ledger, gate, START + UNSAID), START + 3 * UNSAID);
    free(ledger);
}

/* How many of those who wait go now. */
static uint32_t let_all_go(struct nx_ledger *ledger, uint32_t *out, int64_t now_us)
{
    uint32_t count = 0;

    while ((out[count] = next_of(ledger, 0, now_us)) != NOBODY)
        count++;
    return count;
}

static void after_a_hold_one_goes_then_two_then_four(void **state)
{
    static const struct {
        uint32_t allowed;
        uint32_t widths[7]; /* 0: all */
    } CASES[] = {{0, {1, 2, 4, 8, 16, 32, 0}}, {20, {1, 2, 4, 8, 16, 0}}, {8, {1, 2, 4, 0}}, {1, {1, 0}}};

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_ledger *ledger = make_ledger();
        const int gate = make_gate(ledger, 1, CASES[i].allowed);
        int64_t now_us = START;
        uint32_t out[64];

        end_refused(ledger, ask_now(ledger, call(gate), now_us), gate, now_us);
        now_us += UNSAID;
        for (size_t j = 0; CASES[i].widths[j]; j++, now_us += COOLS) {
            for (uint32_t k = 0; k < CASES[i].widths[j]; k++)
                out[k] = ask_now(ledger, call(gate), now_us);
            nx_ledger_cancel(ledger, ask_waits(ledger, call(gate), now_us), now_us);
            for (uint32_t k = 0; k < CASES[i].widths[j]; k++)
                end_fine(ledger, out[k], now_us);
        }
        for (uint32_t k = 0; k < (CASES[i].allowed ? CASES[i].allowed : 60); k++)
            ask_now(ledger, call(gate), now_us);
        free(ledger);
    }
}

static void a_gate_that_counts_none_probes_up_to_1024(void **state)
{
    void *memory = calloc(1, nx_ledger_size(3000, 0));
    struct nx_ledger *ledger = nx_ledger_init(memory, 3000, 0);
    const int gate = make_gate(ledger, 1, 0);
    const int64_t now_us = START + UNSAID;
    uint32_t out[512];

    (void)state;
    end_refused(ledger, ask_now(ledger, call(gate), START), gate, START);
    for (uint32_t i = 0; i < 511; i++)
        end_fine(ledger, ask_now(ledger, call(gate), now_us), now_us);
    for (uint32_t i = 0; i < 512; i++)
        out[i] = ask_now(ledger, call(gate), now_us);
    nx_ledger_cancel(ledger, ask_waits(ledger, call(gate), now_us), now_us);
    for (uint32_t i = 0; i < 512; i++)
        end_fine(ledger, out[i], now_us);
    for (uint32_t i = 0; i < 3000; i++)
        ask_now(ledger, call(gate), now_us);
    free(memory);
}

static void a_probe_that_vanishes_passes_its_role_on(void **state)
{
    static const enum nx_end ENDS[] = {NX_END_GIVEN_UP, NX_END_UNSENT, NX_END_ANSWERED};

    (void)state;
    for (size_t i = 0; i < COUNT(ENDS); i++) {
        struct nx_ledger *ledger = make_ledger();
        const int gate = make_gate(ledger, 1, 20);
        const int64_t now_us = START + UNSAID;
        uint32_t out[64], probe;

        end_refused(ledger, ask_now(ledger, call(gate), START), gate, START);
        for (int j = 0; j < 5; j++)
            ask_waits(ledger, call(gate), START);
        assert_int_equal(let_all_go(ledger, out, now_us), 1);
        end_as(ledger, out[0], ENDS[i], now_us);
        assert_int_equal(let_all_go(ledger, out, now_us), 1);
        probe = out[0];
        assert_int_equal(let_all_go(ledger, out, now_us), 0);
        end_fine(ledger, probe, now_us);
        assert_int_equal(let_all_go(ledger, out, now_us), 2);
        free(ledger);
    }
}

static void a_refusal_is_no_fine_answer_for_the_other_gates(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int origin = make_gate(ledger, 1, 0);
    const int path = make_gate(ledger, 2, 0);
    const int64_t now_us = START + UNSAID;

    (void)state;
    end_refused(ledger, ask_now(ledger, call(origin), START), origin, START);
    end_refused(ledger, ask_now(ledger, want_both(NX_LANE_API, origin, path), now_us), path, now_us);
    ask_now(ledger, call(origin), now_us);
    ask_waits(ledger, call(origin), now_us);
    free(ledger);
}

static void a_refused_probe_begins_anew(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 0);
    int64_t now_us = START + UNSAID;
    uint32_t one, other;

    (void)state;
    end_refused(ledger, ask_now(ledger, call(gate), START), gate, START);
    end_fine(ledger, ask_now(ledger, call(gate), now_us), now_us);
    one = ask_now(ledger, call(gate), now_us);
    other = ask_now(ledger, call(gate), now_us);
    end_fine(ledger, one, now_us);
    end_refused(ledger, other, gate, now_us);
    now_us += UNSAID;
    end_fine(ledger, ask_now(ledger, call(gate), now_us), now_us);
    ask_now(ledger, call(gate), now_us);
    ask_now(ledger, call(gate), now_us);
    ask_waits(ledger, call(gate), now_us);
    free(ledger);
}

/* It left again after the hold began, and so it speaks of what is now. */
static void a_resend_counts_as_sent_when_it_left_again(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 0);
    const uint32_t old = ask_now(ledger, call(gate), START);

    (void)state;
    end_refused(ledger, ask_now(ledger, call(gate), START), gate, START);
    assert_true(nx_ledger_again(ledger, old, START + UNSAID));
    end_refused(ledger, old, gate, START + UNSAID);
    assert_int_equal(held_until(ledger, gate, START + UNSAID), START + 3 * UNSAID);
    free(ledger);
}

static void who_waits_behind_a_hold_keeps_no_slot(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int path = make_gate(ledger, 1, 0);
    const int origin = make_gate(ledger, 2, 1);

    (void)state;
    end_refused(ledger, ask_now(ledger, call(path), START), path, START);
    ask_waits(ledger, want_both(NX_LANE_API, origin, path), START);
    ask_now(ledger, call(origin), START);
    free(ledger);
}

static void a_hold_takes_offers_back(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 2);
    const uint32_t one = ask_now(ledger, call(gate), START);
    const uint32_t other = ask_now(ledger, call(gate), START);
    const uint32_t waiting = ask_waits(ledger, by(1, call(gate)), START);

    (void)state;
    end_as(ledger, one, NX_END_UNSENT, START);
    assert_int_equal(next_of(ledger, 0, START), NOBODY);
    assert_int_equal(figures_of(ledger, gate, START).cooling, 1);
    end_refused(ledger, other, gate, START);
    assert_int_equal(next_of(ledger, 1, START + UNSAID - 1), NOBODY);
    assert_int_equal(next_of(ledger, 1, START + UNSAID), waiting);
    free(ledger);
}

/* Not one fine answer of two. */
static void a_round_ends_when_all_of_it_was_answered(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 0);
    const int64_t now_us = START + UNSAID;
    uint32_t out[2];

    (void)state;
    end_refused(ledger, ask_now(ledger, call(gate), START), gate, START);
    end_fine(ledger, ask_now(ledger, call(gate), now_us), now_us);
    for (size_t i = 0; i < COUNT(out); i++)
        out[i] = ask_now(ledger, call(gate), now_us);
    end_fine(ledger, out[0], now_us);
    ask_now(ledger, call(gate), now_us);
    ask_waits(ledger, call(gate), now_us);
    free(ledger);
}

/* The oldest keeps the last of those that may be out, like a slot. */
static void a_probing_gate_has_room_for_those_who_are_not_out_yet(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 0);
    const int full = make_gate(ledger, 2, 1);
    const int64_t now_us = START + UNSAID;

    (void)state;
    end_refused(ledger, ask_now(ledger, call(gate), START), gate, START);
    end_fine(ledger, ask_now(ledger, call(gate), now_us), now_us);
    ask_now(ledger, call(full), now_us);
    ask_waits(ledger, want_both(NX_LANE_API, gate, full), now_us);
    ask_now(ledger, call(gate), now_us);
    ask_waits(ledger, call(gate), now_us);
    free(ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_holds_its_gate),
        cmocka_unit_test(a_refusal_holds_another_gate_than_its_own),
        cmocka_unit_test(each_further_refusal_doubles_the_hold_to_an_hour),
        cmocka_unit_test(a_hold_that_does_not_grow_is_as_stated),
        cmocka_unit_test(refusals_of_one_burst_are_one),
        cmocka_unit_test(a_shorter_hold_does_not_end_a_longer_one),
        cmocka_unit_test(an_answer_to_what_left_before_the_hold_ends_nothing),
        cmocka_unit_test(after_a_hold_one_goes_then_two_then_four),
        cmocka_unit_test(a_gate_that_counts_none_probes_up_to_1024),
        cmocka_unit_test(a_probe_that_vanishes_passes_its_role_on),
        cmocka_unit_test(a_refusal_is_no_fine_answer_for_the_other_gates),
        cmocka_unit_test(a_refused_probe_begins_anew),
        cmocka_unit_test(a_resend_counts_as_sent_when_it_left_again),
        cmocka_unit_test(who_waits_behind_a_hold_keeps_no_slot),
        cmocka_unit_test(a_hold_takes_offers_back),
        cmocka_unit_test(a_round_ends_when_all_of_it_was_answered),
        cmocka_unit_test(a_probing_gate_has_room_for_those_who_are_not_out_yet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
