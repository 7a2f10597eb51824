/* Gates that nobody needs any more make room for others. */
#include "core/ledger_rig.h"

#include "core/ledger_parts.h"
#include "support/test.h"

#include <stdlib.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

enum { SLOTS = 4096, MANY = 3 * SLOTS, OTHERS = 1000, STILL_OTHERS = 2000, ONE_MORE = 3000 };

static const int64_t LATER = START + 2 * LOST;

static int gate_at(struct nx_ledger *ledger, uint64_t key, uint32_t allowed, int64_t now_us)
{
    return nx_ledger_gate(ledger, key, allowed, SECOND, 0, now_us);
}

/* All other places are taken at this moment, so that nobody there is idle. */
static void fill_with_others(struct nx_ledger *ledger, int64_t now_us)
{
    for (uint64_t key = OTHERS; ledger->gate_count < NX_LEDGER_GATES; key++)
        assert_true(gate_at(ledger, key, 0, now_us) >= 0);
}

static void the_one_that_is_idle_longest_makes_room(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    uint32_t ticket;

    (void)state;
    for (int i = 0; i < NX_LEDGER_GATES; i++)
        assert_int_equal(gate_at(ledger, (uint64_t)i, 2, START + i), i);
    ticket = ask_now(ledger, want(NX_LANE_API, 1), START + 500);
    gate_at(ledger, 0, 2, START + 1000);
    end_as(ledger, ticket, NX_END_UNSENT, START + 2000);
    for (int i = 2; i < NX_LEDGER_GATES; i++) {
        assert_int_equal(gate_at(ledger, OTHERS + (uint64_t)i, 2, LATER + i), i);
        assert_int_equal(nx_ledger_find(ledger, (uint64_t)i), -1);
        assert_int_equal(nx_ledger_find(ledger, OTHERS + (uint64_t)i), i);
    }
    assert_int_equal(nx_ledger_find(ledger, 0), 0);
    assert_int_equal(nx_ledger_find(ledger, 1), 1);
    assert_int_equal(gate_at(ledger, OTHERS, 2, LATER + OTHERS), 0);
    assert_int_equal(gate_at(ledger, OTHERS + 1, 2, LATER + OTHERS), 1);
    free(ledger);
}

static void an_earlier_time_counts_as_the_latest(void **state)
{
    struct nx_ledger *ledger = make_ledger();

    (void)state;
    assert_int_equal(gate_at(ledger, 1, 0, START + 10), 0);
    assert_int_equal(gate_at(ledger, 2, 0, START), 1);
    fill_with_others(ledger, START + 10);
    assert_int_equal(gate_at(ledger, 3, 0, START), -1);
    assert_int_equal(gate_at(ledger, 3, 0, START + 11), 0);
    free(ledger);
}

/* One waits at the gate, or has an offer. */
static void line_up(struct nx_ledger *ledger, int gate, enum nx_lane lane, bool offered)
{
    const int other = gate_at(ledger, 2, 1, START);
    const uint32_t ticket = ask_now(ledger, by(1, want(NX_LANE_API, other)), START);

    ask_waits(ledger, by(2, want_both(lane, gate, other)), START);
    if (!offered)
        return;
    end_as(ledger, ticket, NX_END_UNSENT, START);
    assert_int_equal(next_of(ledger, 1, START), NOBODY);
}

static void end_two(struct nx_ledger *ledger, int gate, enum nx_end end)
{
    const uint32_t first = ask_now(ledger, want(NX_LANE_API, gate), START);
    const uint32_t second = ask_now(ledger, want(NX_LANE_API, gate), START);

    end_as(ledger, first, end, START);
    end_as(ledger, second, end, START + 9);
}

/* While one probes, another that had left before is refused: what the probe brings ends the probing, not the hold. */
static void hold_unprobed(struct nx_ledger *ledger, int gate)
{
    const struct nx_outcome refused = {
        .end = NX_END_ANSWERED, .word = NX_WORD_REFUSED, .held = gate, .retry_after_us = 3600 * SECOND};
    const uint32_t early = ask_now(ledger, want(NX_LANE_API, gate), START);
    const uint32_t probe = ask_now(ledger, want(NX_LANE_API, gate), START);

    end_refused(ledger, ask_now(ledger, want(NX_LANE_API, gate), START), gate, START);
    assert_true(nx_ledger_again(ledger, probe, START + 10 * SECOND));
    nx_ledger_end(ledger, early, &refused, START + 10 * SECOND);
    gate_at(ledger, 1, 1, START + 10 * SECOND);
    end_fine(ledger, probe, START + 10 * SECOND);
    assert_int_equal(ledger->gates[gate].width, 0);
}

enum need { NONE, IS_OUT, WAITS, CALL_WAITS, OFFERED, ANSWERED, GIVEN_UP, PROBED, PROBED_LATER, HELD };

/* A gate that is needed by something. */
static int need(struct nx_ledger *ledger, enum need what)
{
    const int gate = gate_at(ledger, 1, 5, START);

    if (what == WAITS || what == CALL_WAITS || what == OFFERED)
        line_up(ledger, gate, what == CALL_WAITS ? NX_LANE_API : NX_LANE_TOKEN, what == OFFERED);
    if (what == IS_OUT)
        ask_now(ledger, want(NX_LANE_API, gate), START);
    if (what == ANSWERED || what == GIVEN_UP)
        end_two(ledger, gate, what == ANSWERED ? NX_END_ANSWERED : NX_END_GIVEN_UP);
    if (what == PROBED || what == PROBED_LATER)
        end_refused(ledger, ask_now(ledger, want(NX_LANE_API, gate), START), gate, START);
    if (what == PROBED_LATER)
        gate_at(ledger, 1, 5, START + 100 * SECOND);
    if (what == HELD)
        hold_unprobed(ledger, gate);
    return gate;
}

static void what_is_needed_stays(void **state)
{
    static const struct {
        int64_t now_us;
        enum need need;
        bool stays;
    } CASES[] = {
        {START, NONE, true},
        {START - SECOND, NONE, true},
        {START + 1, NONE, false},
        {START + 9 * LOST, IS_OUT, true},
        {START + 9 * LOST, WAITS, true},
        {START + 9 * LOST, CALL_WAITS, true},
        {START + 9 * LOST, OFFERED, true},
        {START + COOLS + 8, ANSWERED, true},
        {START + COOLS + 9, ANSWERED, false},
        {START + LOST + 8, GIVEN_UP, true},
        {START + LOST + 9, GIVEN_UP, false},
        {START + 3609 * SECOND, HELD, true},
        {START + 9 * LOST, PROBED, true},
        {START + 3610 * SECOND - 1, PROBED, true},
        {START + 3610 * SECOND, PROBED, false},
        {START + 3699 * SECOND, PROBED_LATER, true},
        {START + 3700 * SECOND, PROBED_LATER, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_ledger *ledger = make_ledger();
        const int gate = need(ledger, CASES[i].need);

        fill_with_others(ledger, CASES[i].now_us);
        assert_int_equal(gate_at(ledger, 3, 0, CASES[i].now_us), CASES[i].stays ? -1 : gate);
        assert_int_equal(nx_ledger_find(ledger, 1), CASES[i].stays ? gate : -1);
        free(ledger);
    }
}

/* What is out there leaves no trace in slots. */
static void a_gate_that_counts_none_is_needed_too(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = gate_at(ledger, 1, 0, START);
    const uint32_t ticket = ask_now(ledger, want(NX_LANE_API, gate), START);

    (void)state;
    fill_with_others(ledger, START);
    for (uint64_t key = 0; key < NX_LEDGER_GATES - 1; key++)
        assert_true(gate_at(ledger, STILL_OTHERS + key, 0, START + SECOND) >= 0);
    assert_int_equal(gate_at(ledger, ONE_MORE, 0, START + SECOND), -1);
    assert_int_equal(nx_ledger_find(ledger, 1), gate);
    end_as(ledger, ticket, NX_END_UNSENT, START + SECOND);
    assert_int_equal(gate_at(ledger, ONE_MORE, 0, START + SECOND), -1);
    assert_true(gate_at(ledger, ONE_MORE, 0, START + SECOND + 1) >= 0);
    free(ledger);
}

static void one_that_was_made_anew_remembers_nothing(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = nx_ledger_gate(ledger, 1, 3, 9 * SECOND, LATER + SECOND, START);
    struct nx_gate_figures figures;

    (void)state;
    spend(ledger, gate, 1, START);
    fill_with_others(ledger, LATER);
    assert_int_equal(gate_at(ledger, 2, 9, LATER), 0);
    assert_int_equal(gate_at(ledger, 1, 5, LATER + 1), 0);
    figures = figures_of(ledger, 0, LATER + 1);
    assert_true(figures.key == 1);
    assert_int_equal(figures.allowed, 5);
    assert_true(figures.window_us == SECOND);
    assert_int_equal(figures.cooling, 0);
    spend(ledger, 0, 5, LATER + 1);
    ask_waits(ledger, want(NX_LANE_API, 0), LATER + 1);
    free(ledger);
}

/* Its place was given up for slots alone. */
static void one_that_is_none_any_more_has_no_figures(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int one = gate_at(ledger, 1, SLOTS / 2, START);
    const int other = gate_at(ledger, 2, SLOTS / 2, START + 1);
    struct nx_gate_figures figures;

    (void)state;
    assert_int_equal(gate_at(ledger, 3, SLOTS, START + 2), 2);
    assert_false(nx_ledger_figures(ledger, one, START + 2, &figures));
    assert_false(nx_ledger_figures(ledger, other, START + 2, &figures));
    assert_int_equal(nx_ledger_find(ledger, 1), -1);
    assert_int_equal(next_of(ledger, 0, START + 2), NOBODY);
    nx_ledger_repair(ledger, START + 2);
    assert_false(nx_ledger_figures(ledger, one, START + 2, &figures));
    assert_int_equal(gate_at(ledger, 4, 0, START + 2), one);
    free(ledger);
}

static void a_limit_larger_than_all_room_drives_nobody_out(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = gate_at(ledger, 1, 5, START);

    (void)state;
    assert_int_equal(gate_at(ledger, 2, SLOTS + 1, LATER), -1);
    assert_int_equal(nx_ledger_find(ledger, 1), gate);
    assert_int_equal(gate_at(ledger, 3, SLOTS, LATER), 1);
    assert_int_equal(nx_ledger_find(ledger, 1), -1);
    free(ledger);
}

/* Services one after the other, each with a gate that counts and one that does not. */
static void who_goes_from_one_to_the_next_never_runs_out(void **state)
{
    static const uint32_t MOST[] = {600, SLOTS};
    uint32_t seed = 1;

    (void)state;
    for (size_t i = 0; i < COUNT(MOST); i++) {
        struct nx_ledger *ledger = make_ledger();

        for (uint64_t key = 0; key < MANY; key++) {
            const int64_t now_us = START + (int64_t)key * COOLS;
            const uint32_t allowed = i ? 1 + (seed = seed * 1664525 + 1013904223) % MOST[i] : MOST[i];
            const int origin = gate_at(ledger, 2 * key, 0, now_us);
            const int gate = gate_at(ledger, 2 * key + 1, allowed, now_us);

            assert_true(origin >= 0 && gate >= 0 && origin != gate);
            end_fine(ledger, ask_now(ledger, want_both(NX_LANE_API, origin, gate), now_us), now_us);
            assert_int_equal(figures_of(ledger, gate, now_us).cooling, 1);
        }
        free(ledger);
    }
}

struct held {
    uint32_t ticket, allowed;
    int gate;
};

static void no_two_count_by_the_same_slots(const struct nx_ledger *ledger)
{
    static bool taken[SLOTS];

    for (uint32_t i = 0; i < SLOTS; i++)
        taken[i] = false;
    for (uint32_t i = 0; i < ledger->gate_count; i++) {
        const struct nx_gate *gate = &ledger->gates[i];

        for (uint32_t j = 0; gate->live && gate->allowed && j < gate->capacity; j++) {
            assert_in_range(gate->first / 2 + j, 0, SLOTS - 1);
            assert_false(taken[gate->first / 2 + j]);
            taken[gate->first / 2 + j] = true;
        }
    }
}

/* Some stay out for long, so that room lies here and there between them. */
static void each_has_slots_of_its_own_however_they_come_and_go(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    struct held held[8] = {{0}};
    uint32_t seed = 3;

    (void)state;
    for (uint64_t key = 0; key < 2000; key++) {
        const int64_t now_us = START + (int64_t)key * COOLS;
        struct held *one = &held[(seed = seed * 1664525 + 1013904223) >> 29];
        const uint32_t allowed = 1 + (seed >> 8) % 400;

        if (one->allowed)
            end_fine(ledger, one->ticket, now_us);
        *one = (struct held){.allowed = allowed, .gate = gate_at(ledger, key, allowed, now_us)};
        assert_true(one->gate >= 0);
        one->ticket = ask_now(ledger, want(NX_LANE_API, one->gate), now_us);
        for (size_t i = 0; i < COUNT(held); i++) {
            if (held[i].allowed)
                assert_int_equal(figures_of(ledger, held[i].gate, now_us).out, 1);
        }
        no_two_count_by_the_same_slots(ledger);
    }
    free(ledger);
}

/* Between two that stay. */
static void slots_that_suffice_are_found_between_others(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int before = gate_at(ledger, 1, 100, START);
    const int between = gate_at(ledger, 2, 50, START);
    const int behind = gate_at(ledger, 3, SLOTS - 150, START);

    (void)state;
    ask_now(ledger, want(NX_LANE_API, before), LATER);
    ask_now(ledger, want(NX_LANE_API, behind), LATER);
    assert_int_equal(gate_at(ledger, 4, 51, LATER), -1);
    assert_int_equal(nx_ledger_find(ledger, 2), -1);
    assert_int_equal(gate_at(ledger, 5, 50, LATER), between);
    free(ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_one_that_is_idle_longest_makes_room),
        cmocka_unit_test(an_earlier_time_counts_as_the_latest),
        cmocka_unit_test(what_is_needed_stays),
        cmocka_unit_test(a_gate_that_counts_none_is_needed_too),
        cmocka_unit_test(one_that_was_made_anew_remembers_nothing),
        cmocka_unit_test(one_that_is_none_any_more_has_no_figures),
        cmocka_unit_test(a_limit_larger_than_all_room_drives_nobody_out),
        cmocka_unit_test(who_goes_from_one_to_the_next_never_runs_out),
        cmocka_unit_test(each_has_slots_of_its_own_however_they_come_and_go),
        cmocka_unit_test(slots_that_suffice_are_found_between_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
