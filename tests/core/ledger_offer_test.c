#include "core/ledger_rig.h"

#include "core/ledger_parts.h"
#include "support/test.h"

#include <limits.h>
#include <stdlib.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static struct nx_want call(uint32_t owner, int gate)
{
    return by(owner, want(NX_LANE_API, gate));
}

/* A gate of one slot, which is busy until START. */
static int make_busy(struct nx_ledger *ledger)
{
    const int gate = make_gate(ledger, 1, 1);

    end_as(ledger, ask_now(ledger, call(0, gate), START - COOLS), NX_END_ANSWERED, START - COOLS);
    return gate;
}

static void a_slot_is_offered_to_its_owner(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_busy(ledger);
    const uint32_t first = ask_waits(ledger, call(1, gate), START - 1);
    const uint32_t second = ask_waits(ledger, call(0, gate), START - 1);
    struct nx_gate_figures figures;

    (void)state;
    assert_int_equal(next_of(ledger, 0, START), NOBODY);
    figures = figures_of(ledger, gate, START);
    assert_int_equal(figures.out, 0);
    assert_int_equal(figures.cooling, 1);
    assert_int_equal(figures.waiting_calls, 2);
    assert_int_equal(nx_ledger_due(ledger, 1, START), START);
    assert_int_equal(nx_ledger_due(ledger, 0, START), START + NX_LEDGER_OFFER_US);
    assert_int_equal(next_of(ledger, 1, START + NX_LEDGER_OFFER_US), first);
    assert_int_equal(figures_of(ledger, gate, START).out, 1);
    end_as(ledger, first, NX_END_UNSENT, START + NX_LEDGER_OFFER_US);
    assert_int_equal(next_of(ledger, 0, START + NX_LEDGER_OFFER_US), second);
    free(ledger);
}

static void a_single_owner_gets_no_offers(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_busy(ledger);
    uint32_t owner;

    (void)state;
    ask_waits(ledger, call(0, gate), START - 1);
    assert_int_not_equal(next_of(ledger, 0, START), NOBODY);
    assert_false(nx_ledger_wake(ledger, &owner));
    assert_int_equal(figures_of(ledger, gate, START).out, 1);
    free(ledger);
}

static void each_owner_with_offers_is_woken_once(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 6);
    uint32_t owner = NOBODY;

    (void)state;
    spend(ledger, gate, 6, START - COOLS);
    for (uint32_t i = 0; i < 6; i++)
        ask_waits(ledger, call(1 + i % 2, gate), START - 1);
    assert_false(nx_ledger_wake(ledger, &owner));
    assert_int_equal(next_of(ledger, 0, START), NOBODY);
    assert_true(nx_ledger_wake(ledger, &owner));
    assert_int_equal(owner, 1);
    assert_true(nx_ledger_wake(ledger, &owner));
    assert_int_equal(owner, 2);
    assert_false(nx_ledger_wake(ledger, &owner));
    for (int i = 0; i < 3; i++)
        end_as(ledger, next_of(ledger, 2, START), NX_END_UNSENT, START);
    ask_now(ledger, call(0, gate), START);
    ask_now(ledger, call(0, gate), START);
    ask_now(ledger, call(0, gate), START);
    assert_false(nx_ledger_wake(ledger, &owner));
    free(ledger);
}

static void an_offer_that_is_not_taken_goes_to_the_next(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_busy(ledger);
    const int64_t over_us = START + NX_LEDGER_OFFER_US;
    const uint32_t first = ask_waits(ledger, call(1, gate), START - 1);
    const uint32_t second = ask_waits(ledger, call(0, gate), START - 1);
    const uint32_t third = ask_waits(ledger, call(1, gate), START - 1);

    (void)state;
    assert_int_equal(next_of(ledger, 0, START), NOBODY);
    assert_int_equal(next_of(ledger, 0, over_us - 1), NOBODY);
    assert_int_equal(next_of(ledger, 0, over_us), second);
    ask_waits(ledger, call(0, gate), over_us);
    end_as(ledger, second, NX_END_UNSENT, over_us);
    assert_int_equal(next_of(ledger, 1, over_us), first);
    end_as(ledger, first, NX_END_UNSENT, over_us);
    assert_int_equal(next_of(ledger, 1, over_us), third);
    free(ledger);
}

/* Not one offer's time for each of its tickets. */
static void an_owner_that_sleeps_is_passed_over_until_it_calls(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_busy(ledger);
    const int other = make_gate(ledger, 2, 1);
    const int64_t over_us = START + NX_LEDGER_OFFER_US;
    uint32_t sleeper[5];

    (void)state;
    for (size_t i = 0; i < COUNT(sleeper); i++)
        sleeper[i] = ask_waits(ledger, call(1, gate), START - 1);
    ask_waits(ledger, by(1, want_both(NX_LANE_API, gate, other)), START - 1);
    assert_int_equal(next_of(ledger, 0, START), NOBODY);
    for (int i = 0; i < 9; i++)
        end_as(ledger, ask_now(ledger, call(0, gate), over_us + i), NX_END_UNSENT, over_us + i);
    ask_now(ledger, call(0, other), over_us + 9);
    for (size_t i = 0; i < COUNT(sleeper); i++) {
        assert_int_equal(nx_ledger_due(ledger, 1, over_us + 9), over_us + 9);
        assert_int_equal(next_of(ledger, 1, over_us + 9), sleeper[i]);
        end_as(ledger, sleeper[i], NX_END_UNSENT, over_us + 9);
    }
    free(ledger);
}

static void offers_go_back_to_their_places(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 4);
    const int64_t over_us = START + NX_LEDGER_OFFER_US;
    uint32_t waiting[8];

    (void)state;
    spend(ledger, gate, 4, START - COOLS);
    for (size_t i = 0; i < COUNT(waiting); i++)
        waiting[i] = ask_waits(ledger, call(1 + (i % 4 == 1), gate), START - 1);
    assert_int_equal(next_of(ledger, 0, START), NOBODY);
    assert_int_equal(next_of(ledger, 0, over_us), NOBODY);
    assert_int_equal(figures_of(ledger, gate, over_us).cooling, 0);
    assert_int_equal(next_of(ledger, 1, over_us), waiting[0]);
    assert_int_equal(next_of(ledger, 1, over_us), waiting[2]);
    assert_int_equal(next_of(ledger, 2, over_us), waiting[1]);
    assert_int_equal(next_of(ledger, 2, over_us), NOBODY);
    assert_int_equal(next_of(ledger, 1, over_us), waiting[3]);
    free(ledger);
}

/* Before those of other owners that came later. */
static void a_sleeper_that_calls_is_the_oldest_again(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_busy(ledger);
    const int64_t over_us = START + NX_LEDGER_OFFER_US;
    const uint32_t first = ask_waits(ledger, call(1, gate), START - 1);
    const uint32_t second = ask_waits(ledger, call(2, gate), START - 1);

    (void)state;
    ask_waits(ledger, call(3, gate), START - 1);
    assert_int_equal(next_of(ledger, 0, START), NOBODY);
    assert_int_equal(next_of(ledger, 0, over_us), NOBODY);
    assert_int_equal(next_of(ledger, 2, over_us), second);
    assert_int_equal(next_of(ledger, 1, over_us), NOBODY);
    end_as(ledger, second, NX_END_UNSENT, over_us);
    assert_int_equal(next_of(ledger, 1, over_us), first);
    free(ledger);
}

static void the_younger_offers_of_a_sleeper_go_back_too(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_busy(ledger);
    const int other = make_gate(ledger, 2, 1);
    const uint32_t out = ask_now(ledger, call(0, other), START - 1);
    const int64_t over_us = START + NX_LEDGER_OFFER_US;
    uint32_t mine;

    (void)state;
    ask_waits(ledger, call(1, gate), START - 1);
    ask_waits(ledger, call(1, other), START - 1);
    mine = ask_waits(ledger, call(0, other), START - 1);
    assert_int_equal(next_of(ledger, 0, START), NOBODY);
    end_as(ledger, out, NX_END_UNSENT, over_us - 1);
    assert_int_equal(next_of(ledger, 0, over_us - 1), NOBODY);
    assert_int_equal(next_of(ledger, 0, over_us), mine);
    free(ledger);
}

/* As it may not call again. */
static void nobody_reckons_with_sleepers(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_busy(ledger);
    const int64_t over_us = START + NX_LEDGER_OFFER_US;

    (void)state;
    for (int i = 0; i < 5; i++)
        ask_waits(ledger, call(1, gate), START - 1);
    assert_int_equal(next_of(ledger, 0, START), NOBODY);
    end_as(ledger, ask_now(ledger, call(0, gate), over_us), NX_END_ANSWERED, over_us);
    assert_int_equal(ask_never(ledger, until(over_us, call(0, gate)), over_us), over_us + COOLS);
    free(ledger);
}

static void an_offer_can_be_declined(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_busy(ledger);
    const uint32_t first = ask_waits(ledger, call(1, gate), START - 1);
    const uint32_t second = ask_waits(ledger, call(0, gate), START - 1);
    uint32_t owner;

    (void)state;
    assert_int_equal(next_of(ledger, 0, START), NOBODY);
    nx_ledger_cancel(ledger, first, START);
    assert_false(nx_ledger_wake(ledger, &owner));
    assert_int_equal(next_of(ledger, 0, START), second);
    assert_int_equal(figures_of(ledger, gate, START).waiting_calls, 0);
    free(ledger);
}

static void an_offer_after_the_deadline_is_late(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_busy(ledger);
    const uint32_t first = ask_waits(ledger, until(START + 5, call(1, gate)), START - 1);
    const uint32_t second = ask_waits(ledger, call(0, gate), START - 1);

    (void)state;
    assert_int_equal(next_of(ledger, 0, START), NOBODY);
    assert_int_equal(next_late(ledger, 1, START + 5), first);
    assert_int_equal(next_of(ledger, 0, START + 5), second);
    free(ledger);
}

static void a_refusal_takes_back_the_offers_of_its_gate_alone(void **state)
{
    enum { ONE, TWO, REFUSED, GATES };

    (void)state;
    for (int offered = 0; offered < GATES; offered++) {
        struct nx_ledger *ledger = make_ledger();
        const int gates[] = {make_gate(ledger, 1, 2), make_gate(ledger, 2, 2), make_gate(ledger, 3, 2)};
        const struct nx_want both = by(1, want_both(NX_LANE_API, gates[ONE], gates[offered == ONE ? TWO : offered]));
        uint32_t owner = NOBODY;
        uint32_t out;

        for (int i = 0; i < GATES; i++)
            end_as(ledger, ask_now(ledger, call(0, gates[i]), START - COOLS), NX_END_ANSWERED, START - COOLS);
        out = ask_now(ledger, call(0, gates[REFUSED]), START - 1);
        end_as(ledger, ask_now(ledger, call(0, gates[ONE]), START - COOLS), NX_END_ANSWERED, START - COOLS);
        ask_waits(ledger, both, START - 1);
        assert_int_equal(next_of(ledger, 0, START), NOBODY);
        end_refused(ledger, out, gates[REFUSED], START);
        assert_int_equal(nx_ledger_wake(ledger, &owner), offered != REFUSED);
        free(ledger);
    }
}

static void the_end_of_what_only_waits_changes_nothing(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_busy(ledger);
    const uint32_t first = ask_waits(ledger, call(0, gate), START - 1);

    (void)state;
    end_fine(ledger, first, START - 1);
    assert_int_equal(figures_of(ledger, gate, START - 1).waiting_calls, 1);
    assert_int_equal(next_of(ledger, 0, START), first);
    free(ledger);
}

static void a_refusal_by_no_gate_holds_none(void **state)
{
    static const int none[] = {-1, NX_LEDGER_GATES, INT_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        struct nx_ledger *ledger = make_ledger();
        const int gate = make_gate(ledger, 7, 1);

        end_refused(ledger, ask_now(ledger, call(0, gate), START), none[i], START);
        assert_int_equal(figures_of(ledger, gate, START).held_until_us, 0);
        assert_int_equal(figures_of(ledger, gate, START).out, 0);
        free(ledger);
    }
}

/* The next offer finds it awake: it was named, and did not call yet. */
static void an_owner_that_was_woken_is_not_woken_for_the_next_offer(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 2);
    const uint32_t out[] = {ask_now(ledger, call(0, gate), START), ask_now(ledger, call(0, gate), START)};
    uint32_t owner = NOBODY;

    (void)state;
    ask_waits(ledger, call(1, gate), START);
    ask_waits(ledger, call(1, gate), START);
    for (int i = 0; i < 2; i++) {
        end_as(ledger, out[i], NX_END_UNSENT, START);
        assert_int_equal(next_of(ledger, 0, START), NOBODY);
        assert_int_equal(nx_ledger_wake(ledger, &owner), i == 0);
    }
    free(ledger);
}

/* So that nobody is looked for in vain. */
static void it_is_counted_how_many_owners_are_to_be_woken(void **state)
{
    enum { OFFERS = 6, OWNERS = 3 };
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, OFFERS);
    uint32_t owner;

    (void)state;
    spend(ledger, gate, OFFERS, START - COOLS);
    for (uint32_t i = 0; i < OFFERS; i++)
        ask_waits(ledger, call(1 + i % OWNERS, gate), START - 1);
    assert_int_equal(next_of(ledger, 0, START), NOBODY);
    for (uint32_t left = OWNERS; left > 0; left--) {
        assert_int_equal(ledger->untold, left);
        assert_true(nx_ledger_wake(ledger, &owner));
    }
    assert_int_equal(ledger->untold, 0);
    free(ledger);
}

static void it_is_quiet_when_nobody_waits_or_has_an_offer(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_busy(ledger);
    uint32_t waiting;

    (void)state;
    assert_true(nx_ledger_is_quiet(ledger));
    waiting = ask_waits(ledger, call(1, gate), START - 1);
    assert_false(nx_ledger_is_quiet(ledger));
    assert_int_equal(next_of(ledger, 0, START), NOBODY);
    assert_false(nx_ledger_is_quiet(ledger));
    assert_int_equal(next_of(ledger, 1, START), waiting);
    assert_true(nx_ledger_is_quiet(ledger));
    free(ledger);
}

/* Though it waited once, and others have offers. */
static void who_has_nobody_waiting_need_not_look_again(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_busy(ledger);
    const int other = make_gate(ledger, 2, 1);
    uint32_t waiting;

    (void)state;
    ask_now(ledger, call(0, other), START - 1);
    ask_waits(ledger, call(1, gate), START - 1);
    waiting = ask_waits(ledger, call(0, other), START - 1);
    assert_int_equal(next_of(ledger, 2, START), NOBODY);
    nx_ledger_cancel(ledger, waiting, START);
    assert_true(nx_ledger_due(ledger, 0, START) == INT64_MAX);
    assert_true(nx_ledger_due(ledger, 2, START) == INT64_MAX);
    free(ledger);
}

/* Also where the others wait in vain. */
static void who_has_nobody_waiting_is_not_told_when_others_look(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_busy(ledger);
    const int full = make_gate(ledger, 2, 1);

    (void)state;
    ask_now(ledger, call(0, full), START - 1);
    ask_waits(ledger, call(1, gate), START - 1);
    ask_waits(ledger, call(3, full), START - 1);
    assert_int_equal(next_of(ledger, 2, START), NOBODY);
    assert_true(nx_ledger_due(ledger, 2, START) == INT64_MAX);
    assert_true(nx_ledger_due(ledger, 3, START) == START + NX_LEDGER_OFFER_US);
    free(ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slot_is_offered_to_its_owner),
        cmocka_unit_test(a_single_owner_gets_no_offers),
        cmocka_unit_test(each_owner_with_offers_is_woken_once),
        cmocka_unit_test(an_offer_that_is_not_taken_goes_to_the_next),
        cmocka_unit_test(an_owner_that_sleeps_is_passed_over_until_it_calls),
        cmocka_unit_test(offers_go_back_to_their_places),
        cmocka_unit_test(a_sleeper_that_calls_is_the_oldest_again),
        cmocka_unit_test(the_younger_offers_of_a_sleeper_go_back_too),
        cmocka_unit_test(nobody_reckons_with_sleepers),
        cmocka_unit_test(an_offer_can_be_declined),
        cmocka_unit_test(an_offer_after_the_deadline_is_late),
        cmocka_unit_test(a_refusal_takes_back_the_offers_of_its_gate_alone),
        cmocka_unit_test(the_end_of_what_only_waits_changes_nothing),
        cmocka_unit_test(a_refusal_by_no_gate_holds_none),
        cmocka_unit_test(an_owner_that_was_woken_is_not_woken_for_the_next_offer),
        cmocka_unit_test(it_is_counted_how_many_owners_are_to_be_woken),
        cmocka_unit_test(it_is_quiet_when_nobody_waits_or_has_an_offer),
        cmocka_unit_test(who_has_nobody_waiting_need_not_look_again),
        cmocka_unit_test(who_has_nobody_waiting_is_not_told_when_others_look),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
