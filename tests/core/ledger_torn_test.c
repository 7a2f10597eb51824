/* Ledgers as no whole transition leaves them: what is put in order, and what finds its place all the same. */
#include "core/ledger_rig.h"

#include "core/ledger_parts.h"
#include "support/test.h"

#include <stdlib.h>

enum { ALLOWED = 4 };

static struct nx_want call(int gate)
{
    return want(NX_LANE_API, gate);
}

/* The process that noted the refusal died before it had narrowed the gate: the compiler orders its stores. */
static void who_comes_after_a_hold_that_was_half_noted_is_a_probe(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, ALLOWED);
    const int other = make_gate(ledger, 2, ALLOWED);
    int64_t now_us = START;
    uint32_t probe;

    (void)state;
    end_refused(ledger, ask_now(ledger, call(gate), now_us), gate, now_us);
    ledger->gates[gate].width = 0;
    nx_ledger_repair(ledger, now_us);
    now_us = figures_of(ledger, gate, now_us).held_until_us;
    probe = ask_now(ledger, call(gate), now_us);
    ask_waits(ledger, call(gate), now_us);
    assert_int_equal(next_of(ledger, 0, now_us), NOBODY);
    end_fine(ledger, probe, now_us);
    assert_int_not_equal(next_of(ledger, 0, now_us), NOBODY);
    for (int i = 0; i < ALLOWED; i++) /* nothing was refused there */
        ask_now(ledger, call(other), now_us);
    free(ledger);
}

/* Whichever leaves its queue and comes back, and whoever stands there. */
static void a_ticket_that_comes_back_has_the_place_of_its_arrival(void **state)
{
    enum { WAITING = 4 };

    (void)state;
    for (int back = 0; back < WAITING; back++) {
        struct nx_ledger *ledger = make_ledger();
        const int gate = make_gate(ledger, 1, 1);
        uint32_t waiting[WAITING];
        uint32_t out = ask_now(ledger, call(gate), START);
        int64_t now_us = START;

        for (int i = 0; i < WAITING; i++)
            waiting[i] = ask_waits(ledger, call(gate), START);
        nx_queue_remove(ledger, waiting[back]);
        nx_queue_add(ledger, waiting[back]);
        for (int i = 0; i < WAITING; i++) {
            end_fine(ledger, out, now_us);
            now_us += COOLS;
            out = next_of(ledger, 0, now_us);
            assert_int_equal(out, waiting[i]);
        }
        free(ledger);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_comes_after_a_hold_that_was_half_noted_is_a_probe),
        cmocka_unit_test(a_ticket_that_comes_back_has_the_place_of_its_arrival),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
