/* Gates that are there only to be held: they leave room for all others. */
#include "core/ledger_rig.h"

#include "core/ledger_parts.h"
#include "support/test.h"

#include <stdlib.h>

enum { OTHERS = 1000, ONE_MORE = 5000 };

/* The gates 0, 1, 2, ..., each held for a second longer than the one before. */
static void fill(struct nx_ledger *ledger)
{
    const int counting = make_gate(ledger, OTHERS, NX_LEDGER_FLEETING);

    for (int i = 0; i < NX_LEDGER_FLEETING; i++) {
        const uint32_t ticket = ask_now(ledger, want(NX_LANE_API, counting), START);
        const struct nx_outcome refused = {.end = NX_END_UNSENT,
                                           .word = NX_WORD_REFUSED,
                                           .held = nx_ledger_fleeting_gate(ledger, (uint64_t)i, START),
                                           .retry_after_us = (i + 1) * SECOND};

        assert_true(refused.held >= 0);
        nx_ledger_end(ledger, ticket, &refused, START);
    }
}

static void one_that_is_there_is_found(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = nx_ledger_fleeting_gate(ledger, 7, START);

    (void)state;
    assert_int_equal(nx_ledger_fleeting_gate(ledger, 7, START), gate);
    assert_int_equal(nx_ledger_find(ledger, 7), gate);
    assert_int_equal(nx_ledger_gate(ledger, 8, 0, 0, 0, START), gate + 1);
    assert_int_equal(nx_ledger_fleeting_gate(ledger, 8, START), gate + 1);
    free(ledger);
}

static void however_many_are_held_others_have_room(void **state)
{
    struct nx_ledger *ledger = make_ledger();

    (void)state;
    fill(ledger);
    for (int i = 0; i < NX_LEDGER_GATES; i++)
        assert_true(nx_ledger_fleeting_gate(ledger, ONE_MORE + (uint64_t)i, START) >= 0);
    for (int i = 1; i < NX_LEDGER_GATES - NX_LEDGER_FLEETING; i++)
        assert_true(nx_ledger_gate(ledger, OTHERS + (uint64_t)i, 1, SECOND, 0, START) >= 0);
    assert_int_equal(nx_ledger_gate(ledger, ONE_MORE - 1, 1, SECOND, 0, START), -1);
    free(ledger);
}

static void the_one_whose_hold_ends_first_makes_room(void **state)
{
    struct nx_ledger *ledger = make_ledger();

    (void)state;
    fill(ledger);
    assert_int_equal(nx_ledger_fleeting_gate(ledger, NX_LEDGER_FLEETING - 1, START),
                     nx_ledger_find(ledger, NX_LEDGER_FLEETING - 1)); /* which makes none */
    assert_true(nx_ledger_find(ledger, 0) >= 0);
    assert_true(nx_ledger_fleeting_gate(ledger, ONE_MORE, START) >= 0);
    assert_int_equal(nx_ledger_find(ledger, 0), -1);
    for (int i = 1; i < NX_LEDGER_FLEETING; i++)
        assert_true(nx_ledger_find(ledger, (uint64_t)i) >= 0);
    assert_true(nx_ledger_find(ledger, OTHERS) >= 0);
    free(ledger);
}

static void one_at_which_somebody_waits_or_is_out_stays(void **state)
{
    struct nx_ledger *ledger = make_ledger();

    (void)state;
    fill(ledger);
    ask_now(ledger, want(NX_LANE_API, nx_ledger_find(ledger, 0)), START + 2 * SECOND);
    ask_waits(ledger, want(NX_LANE_API, nx_ledger_find(ledger, 2)), START + 2 * SECOND);
    ask_waits(ledger, want(NX_LANE_TOKEN, nx_ledger_find(ledger, 3)), START + 2 * SECOND);
    for (int i = 0; i < 48; i++) { /* there is room for 64 tickets */
        const int gate = nx_ledger_fleeting_gate(ledger, ONE_MORE + (uint64_t)i, START + 2 * SECOND);

        assert_true(gate >= 0);
        ask_now(ledger, want(NX_LANE_API, gate), START + 2 * SECOND);
    }
    assert_true(nx_ledger_find(ledger, 0) >= 0);
    assert_int_equal(nx_ledger_find(ledger, 1), -1);
    assert_true(nx_ledger_find(ledger, 2) >= 0);
    assert_true(nx_ledger_find(ledger, 3) >= 0);
    assert_int_equal(nx_ledger_find(ledger, 4), -1);
    free(ledger);
}

static void there_may_be_no_room_at_all(void **state)
{
    struct nx_ledger *ledger = make_ledger();

    (void)state;
    for (int i = 0; i < NX_LEDGER_GATES; i++)
        assert_true(nx_ledger_gate(ledger, OTHERS + (uint64_t)i, 0, SECOND, 0, START) >= 0);
    assert_int_equal(nx_ledger_fleeting_gate(ledger, 0, START), -1);
    assert_true(nx_ledger_fleeting_gate(ledger, 0, START + 1) >= 0);
    free(ledger);
}

static void there_are_never_more_than_the_most(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    int there = 0;

    (void)state;
    for (uint64_t key = 0; key < NX_LEDGER_GATES; key++)
        assert_true(nx_ledger_fleeting_gate(ledger, key, START) >= 0);
    for (uint64_t key = 0; key < NX_LEDGER_GATES; key++)
        there += nx_ledger_find(ledger, key) >= 0;
    assert_int_equal(there, NX_LEDGER_FLEETING);
    free(ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_is_there_is_found),
        cmocka_unit_test(however_many_are_held_others_have_room),
        cmocka_unit_test(the_one_whose_hold_ends_first_makes_room),
        cmocka_unit_test(one_at_which_somebody_waits_or_is_out_stays),
        cmocka_unit_test(there_may_be_no_room_at_all),
        cmocka_unit_test(there_are_never_more_than_the_most),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
