/* What is done after a process died: its burial, and a repair, which leaves what is whole as it is. */
#include "core/ledger_rig.h"

#include "core/ledger_parts.h"
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void who_is_gone_is_buried(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 3);
    const uint32_t out = ask_now(ledger, by(1, want(NX_LANE_API, gate)), START);
    const uint32_t other = ask_now(ledger, by(2, want(NX_LANE_API, gate)), START);
    uint32_t waiting;

    (void)state;
    end_as(ledger, ask_now(ledger, by(2, want(NX_LANE_API, gate)), START), NX_END_ANSWERED, START);
    ask_waits(ledger, by(1, want(NX_LANE_API, gate)), START);
    ask_waits(ledger, by(1, want(NX_LANE_API, gate)), START);
    waiting = ask_waits(ledger, by(2, want(NX_LANE_API, gate)), START);
    assert_int_equal(next_of(ledger, 0, START + COOLS), NOBODY);
    nx_ledger_bury(ledger, 1, START + COOLS);
    assert_int_equal(figures_of(ledger, gate, START + COOLS).waiting_calls, 1);
    assert_int_equal(figures_of(ledger, gate, START + COOLS).out, 1);
    assert_int_equal(figures_of(ledger, gate, START + COOLS).cooling, 1);
    assert_int_equal(next_of(ledger, 2, START + COOLS), waiting);
    end_as(ledger, waiting, NX_END_UNSENT, START + COOLS);
    end_as(ledger, other, NX_END_UNSENT, START + COOLS);
    assert_int_equal(figures_of(ledger, gate, START + COOLS + LOST - 1).cooling, 1);
    assert_int_equal(figures_of(ledger, gate, START + COOLS + LOST).cooling, 0);
    nx_ledger_cancel(ledger, out, START + COOLS);
    free(ledger);
}

static void who_has_the_number_of_one_that_is_gone_is_not_asleep(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 1);
    const struct nx_want mine = want(NX_LANE_API, gate), others = by(1, mine);
    uint32_t out = ask_now(ledger, mine, START);
    uint32_t waiting, owner;

    (void)state;
    ask_waits(ledger, others, START);
    end_as(ledger, out, NX_END_UNSENT, START);
    assert_int_equal(next_of(ledger, 0, START), NOBODY);
    assert_int_equal(next_of(ledger, 0, START + NX_LEDGER_OFFER_US), NOBODY);
    assert_true(ledger->owners[1].asleep);
    nx_ledger_bury(ledger, 1, START + NX_LEDGER_OFFER_US);
    out = ask_now(ledger, mine, START + NX_LEDGER_OFFER_US);
    waiting = ask_waits(ledger, others, START + NX_LEDGER_OFFER_US);
    end_as(ledger, out, NX_END_UNSENT, START + NX_LEDGER_OFFER_US);
    assert_int_equal(next_of(ledger, 0, START + NX_LEDGER_OFFER_US), NOBODY);
    assert_true(nx_ledger_wake(ledger, &owner));
    assert_int_equal(owner, 1);
    assert_int_equal(next_of(ledger, 1, START + NX_LEDGER_OFFER_US), waiting);
    free(ledger);
}

/* Of two queues, so that what lies behind the last ticket looks like one of owner 0. */
static void a_burial_of_who_had_nothing_changes_nothing(void **state)
{
    enum { TICKETS = 12, SLOTS = 1 };
    const size_t size = nx_ledger_size(TICKETS, SLOTS);
    void *memory = calloc(1, size), *before = malloc(size);
    struct nx_ledger *ledger = nx_ledger_init(memory, TICKETS, SLOTS);
    const int gate = make_gate(ledger, 1, 1);

    (void)state;
    assert_non_null(before);
    ask_now(ledger, by(1, want(NX_LANE_API, gate)), START);
    for (uint32_t i = 1; i < TICKETS; i++)
        ask_waits(ledger, by(1, want(i % 2 ? NX_LANE_API : NX_LANE_TOKEN, gate)), START);
    memcpy(before, memory, size);
    nx_ledger_bury(ledger, 0, START);
    assert_memory_equal(memory, before, size);
    free(before);
    free(memory);
}

/* In a ledger with as many gates as there may be, the first owners have an offer each, and the one behind sleeps. */
static void a_repair_takes_all_offers_back_and_nobodys_sleep(void **state)
{
    enum { SLEEPER = 9, CALLER };
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, SLEEPER);
    uint32_t out[SLEEPER];

    (void)state;
    for (uint64_t key = 2; key <= NX_LEDGER_GATES; key++)
        make_gate(ledger, key, 0);
    for (uint32_t i = 0; i < SLEEPER; i++)
        out[i] = ask_now(ledger, want(NX_LANE_API, gate), START);
    for (uint32_t owner = CALLER; owner-- > 0;)
        ask_waits(ledger, by(owner, want(NX_LANE_API, gate)), START);
    end_as(ledger, out[0], NX_END_UNSENT, START);
    assert_int_equal(next_of(ledger, CALLER, START), NOBODY);
    for (uint32_t i = 1; i < SLEEPER; i++)
        end_as(ledger, out[i], NX_END_UNSENT, START);
    assert_int_equal(next_of(ledger, CALLER, START + NX_LEDGER_OFFER_US), NOBODY);
    assert_int_equal(ledger->untold, SLEEPER + 1);
    nx_ledger_repair(ledger, START + NX_LEDGER_OFFER_US);
    assert_int_equal(ledger->untold, 0);
    for (uint32_t owner = 0; owner < NX_LEDGER_OWNERS; owner++) {
        assert_int_equal(ledger->owners[owner].offers, 0);
        assert_int_equal(ledger->owners[owner].untold, 0);
        assert_int_equal(ledger->owners[owner].asleep, owner == SLEEPER);
    }
    free(ledger);
}

/* The fourth grant is that of API calls, whatever happens before it. */
static void a_repair_keeps_whose_turn_it_is(void **state)
{
    static const enum nx_lane LANES[] = {NX_LANE_TOKEN, NX_LANE_TOKEN, NX_LANE_TOKEN, NX_LANE_API, NX_LANE_TOKEN};
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 1);
    uint32_t out = ask_now(ledger, want(NX_LANE_API, gate), START);

    (void)state;
    ask_waits(ledger, want(NX_LANE_API, gate), START);
    for (size_t i = 0; i < COUNT(LANES); i++)
        ask_waits(ledger, want(NX_LANE_TOKEN, gate), START);
    for (size_t i = 0; i < COUNT(LANES); i++) {
        end_as(ledger, out, NX_END_UNSENT, START);
        nx_ledger_repair(ledger, START);
        out = next_of(ledger, 0, START);
        assert_int_equal(nx_ledger_ticket(ledger, out)->lane, LANES[i]);
    }
    free(ledger);
}

/* Where tickets lie says nothing of their arrival. The room to sort in shows by which order they were added: out of
 * order each would be searched a place for, which takes long when many wait. */
static void check_order(uint32_t count)
{
    enum { MOST = 40, STEP = 41 };
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 1);
    uint32_t out[MOST], waiting[MOST];

    for (uint32_t i = 0; i < count; i++)
        out[i] = ask_now(ledger, want(NX_LANE_API, make_gate(ledger, 2, 0)), START);
    for (uint32_t i = 0; i < count; i++)
        end_as(ledger, out[i * STEP % count], NX_END_UNSENT, START);
    out[0] = ask_now(ledger, want(NX_LANE_API, gate), START);
    for (uint32_t i = 0; i < count; i++)
        waiting[i] = ask_waits(ledger, want(NX_LANE_API, gate), START);
    nx_ledger_repair(ledger, START);
    assert_memory_equal(nx_ledger_scratch(ledger), waiting, count * sizeof *waiting);
    ask_waits(ledger, want(NX_LANE_API, gate), START);
    for (uint32_t i = 0; i < count; i++) {
        end_as(ledger, out[0], NX_END_UNSENT, START);
        out[0] = next_of(ledger, 0, START);
        assert_int_equal(out[0], waiting[i]);
    }
    free(ledger);
}

static void a_repair_keeps_the_order(void **state)
{
    (void)state;
    for (uint32_t count = 1; count <= 40; count++)
        check_order(count);
}

/* Nobody is taken for who stands behind the last owner, where the first ticket begins. */
static void a_repair_leaves_wishes_as_they_are(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 1);
    const uint32_t out = ask_now(ledger, want(NX_LANE_API, gate), START);
    uint32_t waiting;

    (void)state;
    end_as(ledger, out, NX_END_ANSWERED, START);
    waiting = ask_waits(ledger, until(START + COOLS + 1, want(NX_LANE_API, gate)), START);
    assert_int_equal(waiting, 0);
    nx_ledger_repair(ledger, START);
    assert_int_equal(next_of(ledger, 0, START), NOBODY);
    assert_int_equal(next_of(ledger, 0, START + COOLS), waiting);
    free(ledger);
}

/* Requests are out that need one of them, and as many as one may. */
static void a_repair_counts_who_is_out_at_their_own_gates_alone(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    struct nx_want most = {.count = NX_LEDGER_WANTS, .lane = NX_LANE_TOKEN, .deadline_us = INT64_MAX};

    (void)state;
    for (int i = 0; i < NX_LEDGER_GATES; i++)
        assert_int_equal(make_gate(ledger, (uint64_t)i + 1, 1), i);
    for (uint32_t i = 0; i < most.count; i++)
        most.gates[i] = (int)i;
    ask_now(ledger, most, START);
    ask_now(ledger, want(NX_LANE_API, NX_LEDGER_GATES - 1), START);
    nx_ledger_repair(ledger, START);
    for (int i = 0; i < NX_LEDGER_GATES; i++) {
        assert_int_equal(nx_ledger_find(ledger, (uint64_t)i + 1), i);
        assert_int_equal(figures_of(ledger, i, START).out, i < NX_LEDGER_WANTS || i == NX_LEDGER_GATES - 1);
    }
    free(ledger);
}

/* Of what a refusal changes nothing says what is written first. */
static void a_repair_has_a_held_gate_probed_by_one(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 5);
    int64_t held_until_us;

    (void)state;
    end_refused(ledger, ask_now(ledger, want(NX_LANE_API, gate), START), gate, START);
    ledger->gates[gate].width = 0;
    nx_ledger_repair(ledger, START);
    held_until_us = figures_of(ledger, gate, START).held_until_us;
    assert_true(held_until_us > START);
    ask_now(ledger, want(NX_LANE_API, gate), held_until_us);
    ask_waits(ledger, want(NX_LANE_API, gate), held_until_us);
    free(ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_gone_is_buried),
        cmocka_unit_test(who_has_the_number_of_one_that_is_gone_is_not_asleep),
        cmocka_unit_test(a_burial_of_who_had_nothing_changes_nothing),
        cmocka_unit_test(a_repair_takes_all_offers_back_and_nobodys_sleep),
        cmocka_unit_test(a_repair_keeps_whose_turn_it_is),
        cmocka_unit_test(a_repair_keeps_the_order),
        cmocka_unit_test(a_repair_leaves_wishes_as_they_are),
        cmocka_unit_test(a_repair_counts_who_is_out_at_their_own_gates_alone),
        cmocka_unit_test(a_repair_has_a_held_gate_probed_by_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
