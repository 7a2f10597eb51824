#include "core/ledger_rig.h"

#include "core/ledger_parts.h"
#include "support/test.h"

#include <limits.h>
#include <stdlib.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void as_many_as_allowed_go_at_once(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 3);

    (void)state;
    for (int i = 0; i < 3; i++)
        ask_now(ledger, want(NX_LANE_API, gate), START);
    ask_waits(ledger, want(NX_LANE_API, gate), START);
    assert_int_equal(next_of(ledger, 0, START + 1000 * SECOND), NOBODY);
    free(ledger);
}

static void a_slot_is_busy_for_as_long_as_its_end_says(void **state)
{
    static const struct {
        enum nx_end end;
        int64_t busy_us;
    } CASES[] = {{NX_END_UNSENT, 0}, {NX_END_ANSWERED, COOLS}, {NX_END_GIVEN_UP, LOST}};

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_ledger *ledger = make_ledger();
        const int gate = make_gate(ledger, 1, 1);
        const uint32_t first = ask_now(ledger, want(NX_LANE_API, gate), START);
        const uint32_t second = ask_waits(ledger, want(NX_LANE_API, gate), START);

        end_as(ledger, first, CASES[i].end, START + 5);
        if (CASES[i].busy_us)
            assert_int_equal(next_of(ledger, 0, START + 5 + CASES[i].busy_us - 1), NOBODY);
        assert_int_equal(next_of(ledger, 0, START + 5 + CASES[i].busy_us), second);
        free(ledger);
    }
}

/* What was answered later may be free sooner than what was given up before. */
static void the_answered_and_the_given_up_cool_side_by_side(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 2);
    const uint32_t lost = ask_now(ledger, want(NX_LANE_API, gate), START);
    const uint32_t answered = ask_now(ledger, want(NX_LANE_API, gate), START);

    (void)state;
    end_as(ledger, lost, NX_END_GIVEN_UP, START);
    end_as(ledger, answered, NX_END_ANSWERED, START + SECOND);
    assert_int_equal(figures_of(ledger, gate, START + SECOND + COOLS - 1).cooling, 2);
    assert_int_equal(figures_of(ledger, gate, START + SECOND + COOLS).cooling, 1);
    ask_now(ledger, want(NX_LANE_API, gate), START + SECOND + COOLS);
    ask_waits(ledger, want(NX_LANE_API, gate), START + LOST - 1);
    assert_int_not_equal(next_of(ledger, 0, START + LOST), NOBODY);
    free(ledger);
}

static void slots_are_used_over_and_over(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 3);

    (void)state;
    for (int64_t i = 0; i < 1000; i++) {
        const int64_t now_us = START + i * COOLS;

        for (int j = 0; j < 3; j++)
            end_as(ledger, ask_now(ledger, want(NX_LANE_API, gate), now_us),
                   (i + j) % 2 ? NX_END_ANSWERED : NX_END_UNSENT, now_us);
        assert_int_equal(figures_of(ledger, gate, now_us + COOLS).cooling, 0);
    }
    free(ledger);
}

static void all_gates_are_passed_or_none(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int wide = make_gate(ledger, 1, 5);
    const int narrow = make_gate(ledger, 2, 1);

    (void)state;
    ask_now(ledger, want_both(NX_LANE_API, wide, narrow), START);
    assert_int_equal(figures_of(ledger, wide, START).out, 1);
    assert_int_equal(figures_of(ledger, narrow, START).out, 1);
    ask_waits(ledger, want_both(NX_LANE_API, narrow, wide), START);
    assert_int_equal(figures_of(ledger, wide, START).out, 1);
    assert_int_equal(figures_of(ledger, wide, START).waiting_calls, 1);
    free(ledger);
}

static void a_gate_that_counts_none_lets_all_pass(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 0);

    (void)state;
    spend(ledger, gate, 5000, START);
    assert_int_equal(figures_of(ledger, gate, START).cooling, 0);
    assert_int_equal(figures_of(ledger, gate, START).free_at_us, 0);
    free(ledger);
}

static void the_strictest_wins(void **state)
{
    static const struct {
        uint32_t allowed;
        int64_t window_us;
    } ASKERS[][2] = {{{5, SECOND}, {2, 9 * SECOND}}, {{2, 9 * SECOND}, {5, SECOND}}, {{2, SECOND}, {5, 9 * SECOND}},
                     {{0, 0}, {2, 9 * SECOND}},      {{2, 9 * SECOND}, {0, 0}},      {{5, 9 * SECOND}, {2, SECOND}}};

    (void)state;
    for (size_t i = 0; i < COUNT(ASKERS); i++) {
        struct nx_ledger *ledger = make_ledger();
        int gate = -1;

        for (size_t j = 0; j < 2; j++)
            gate = nx_ledger_gate(ledger, 7, ASKERS[i][j].allowed, ASKERS[i][j].window_us, 0, START);
        assert_int_equal(nx_ledger_find(ledger, 7), gate);
        assert_int_equal(figures_of(ledger, gate, START).allowed, 2);
        assert_int_equal(figures_of(ledger, gate, START).window_us, 9 * SECOND);
        spend(ledger, gate, 2, START);
        ask_waits(ledger, want(NX_LANE_API, gate), START + 9 * SECOND + 8999);
        assert_int_not_equal(next_of(ledger, 0, START + 9 * SECOND + 9000), NOBODY);
        free(ledger);
    }
}

/* More are out than a stricter asker allows; then the latest of them count. */
static void a_stricter_asker_counts_what_is_out_already(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 0);
    uint32_t out[5];

    (void)state;
    for (size_t i = 0; i < COUNT(out); i++)
        out[i] = ask_now(ledger, want(NX_LANE_API, gate), START);
    assert_int_equal(make_gate(ledger, 1, 2), gate);
    ask_waits(ledger, want(NX_LANE_API, gate), START);
    for (size_t i = 0; i < COUNT(out); i++)
        end_as(ledger, out[i], NX_END_ANSWERED, START + (int64_t)i);
    assert_int_equal(next_of(ledger, 0, START + COOLS + 2), NOBODY);
    assert_int_not_equal(next_of(ledger, 0, START + COOLS + 3), NOBODY);
    free(ledger);
}

static void a_new_gate_uses_half_at_first(void **state)
{
    static const struct {
        uint32_t allowed, half;
    } CASES[] = {{10, 5}, {5, 2}, {2, 1}, {1, 1}};

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_ledger *ledger = make_ledger();
        const int gate = nx_ledger_gate(ledger, 1, CASES[i].allowed, SECOND, START, 0);

        assert_int_equal(nx_ledger_gate(ledger, 1, CASES[i].allowed, SECOND, START + 50 * SECOND, 0), gate);
        assert_int_equal(figures_of(ledger, gate, START - 1).allowed, CASES[i].half);
        for (uint32_t j = 0; j < CASES[i].half; j++)
            ask_now(ledger, want(NX_LANE_API, gate), START - 1);
        ask_waits(ledger, want(NX_LANE_API, gate), START - 1);
        assert_int_equal(next_of(ledger, 0, START - 1), NOBODY);
        assert_int_equal(figures_of(ledger, gate, START).allowed, CASES[i].allowed);
        assert_int_equal(next_of(ledger, 0, START) != NOBODY, CASES[i].allowed > 1);
        free(ledger);
    }
}

static void a_resend_takes_one_more_slot(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 3);
    const int other = make_gate(ledger, 2, 2);
    const uint32_t ticket = ask_now(ledger, want_both(NX_LANE_API, gate, other), START);

    (void)state;
    assert_true(nx_ledger_again(ledger, ticket, START + SECOND));
    assert_false(nx_ledger_again(ledger, ticket, START + SECOND));
    assert_int_equal(figures_of(ledger, gate, START + SECOND).out, 1);
    assert_int_equal(figures_of(ledger, gate, START + SECOND).cooling, 1);
    end_as(ledger, ticket, NX_END_ANSWERED, START + 2 * SECOND);
    assert_int_equal(figures_of(ledger, gate, START + 2 * SECOND + COOLS).cooling, 1);
    assert_int_equal(figures_of(ledger, gate, START + SECOND + LOST - 1).cooling, 1);
    assert_int_equal(figures_of(ledger, gate, START + SECOND + LOST).cooling, 0);
    free(ledger);
}

static void a_held_gate_allows_no_resend(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 9);
    const uint32_t ticket = ask_now(ledger, want(NX_LANE_API, gate), START);

    (void)state;
    end_refused(ledger, ask_now(ledger, want(NX_LANE_API, gate), START), gate, START);
    assert_false(nx_ledger_again(ledger, ticket, START + 10 * SECOND - 1));
    assert_true(nx_ledger_again(ledger, ticket, START + 10 * SECOND));
    free(ledger);
}

static void room_ends(void **state)
{
    void *memory = calloc(1, nx_ledger_size(2, 10));
    struct nx_ledger *ledger = nx_ledger_init(memory, 2, 10);
    const int gate = nx_ledger_gate(ledger, 1, 8, SECOND, 0, START);

    (void)state;
    assert_int_equal(nx_ledger_gate(ledger, 2, 3, SECOND, 0, START), -1);
    assert_int_equal(nx_ledger_find(ledger, 2), -1);
    assert_true(nx_ledger_gate(ledger, 3, 2, SECOND, 0, START) >= 0);
    ask_now(ledger, want(NX_LANE_API, gate), START);
    ask_now(ledger, want(NX_LANE_API, gate), START);
    assert_int_equal(ask_never(ledger, want(NX_LANE_API, gate), START), START);
    for (uint64_t key = 4; key < NX_LEDGER_GATES + 2; key++)
        assert_true(nx_ledger_gate(ledger, key, 0, 0, 0, START) >= 0);
    assert_int_equal(nx_ledger_gate(ledger, 9999, 0, 0, 0, START), -1);
    free(memory);
}

static void a_gate_says_when_it_is_free(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 2);
    const uint32_t first = ask_now(ledger, want(NX_LANE_API, gate), START);
    const uint32_t second = ask_now(ledger, want(NX_LANE_API, gate), START);
    struct nx_gate_figures none;

    (void)state;
    assert_int_equal(figures_of(ledger, gate, START).free_at_us, START + COOLS);
    end_as(ledger, second, NX_END_GIVEN_UP, START + 1);
    assert_int_equal(figures_of(ledger, gate, START + 1).free_at_us, START + 1 + COOLS);
    end_as(ledger, first, NX_END_ANSWERED, START + 2);
    assert_int_equal(figures_of(ledger, gate, START + 3).free_at_us, START + 2 + COOLS);
    assert_int_equal(figures_of(ledger, gate, START + 2 + COOLS).free_at_us, 0);
    assert_int_equal(figures_of(ledger, gate, START).key, 1);
    assert_false(nx_ledger_figures(ledger, gate + 1, START, &none));
    assert_false(nx_ledger_figures(ledger, -1, START, &none));
    assert_false(nx_ledger_figures(ledger, INT_MAX, START, &none));
    free(ledger);
}

static void a_clock_that_was_read_earlier_frees_nothing_earlier(void **state)
{
    struct nx_ledger *ledger = make_ledger();
    const int gate = make_gate(ledger, 1, 2);
    const uint32_t first = ask_now(ledger, want(NX_LANE_API, gate), START);
    const uint32_t second = ask_now(ledger, want(NX_LANE_API, gate), START + 9);

    (void)state;
    end_as(ledger, second, NX_END_ANSWERED, START + 5);
    end_as(ledger, first, NX_END_ANSWERED, START + 9);
    assert_int_equal(figures_of(ledger, gate, START + 9 + COOLS - 1).cooling, 2);
    assert_int_equal(figures_of(ledger, gate, START + 9 + COOLS).cooling, 0);
    free(ledger);
}

static void the_ends_of_time_are_times_like_others(void **state)
{
    static const int64_t TIMES[] = {0, 1, INT64_MAX - 1, INT64_MAX};
    static const int64_t WINDOWS[] = {1, SECOND, INT64_MAX};

    (void)state;
    for (size_t i = 0; i < COUNT(TIMES) * COUNT(WINDOWS); i++) {
        struct nx_ledger *ledger = make_ledger();
        const int64_t now_us = TIMES[i % COUNT(TIMES)];
        const int gate = nx_ledger_gate(ledger, 1, 2, WINDOWS[i / COUNT(TIMES)], now_us, 0);
        const uint32_t first = ask_now(ledger, want(NX_LANE_API, gate), now_us);
        const uint32_t second = ask_now(ledger, want(NX_LANE_TOKEN, gate), now_us);
        const struct nx_want more = want(NX_LANE_API, gate);
        uint32_t third = NOBODY;
        int64_t at_us = 0;

        assert_int_equal(nx_ledger_ask(ledger, &more, now_us, &third, &at_us) == NX_TURN_WAITS, now_us < INT64_MAX);
        assert_true(nx_ledger_due(ledger, 0, now_us) == INT64_MAX);
        end_as(ledger, second, NX_END_GIVEN_UP, now_us);
        end_refused(ledger, first, gate, now_us);
        at_us = figures_of(ledger, gate, now_us).free_at_us;
        assert_true(at_us > now_us || (at_us == 0 && now_us == INT64_MAX));
        assert_true(nx_ledger_due(ledger, 0, now_us) >= now_us);
        free(ledger);
    }
}

/* Each where it can be read, none within another, and no more room than they need. */
static void the_parts_lie_side_by_side(void **state)
{
    (void)state;
    for (uint32_t tickets = 1; tickets < 40; tickets++) {
        for (uint32_t slots = 0; slots < 9; slots++) {
            const uint64_t size = nx_ledger_size(tickets, slots);
            struct nx_ledger *ledger = calloc(1, size);
            const uint64_t row = tickets * sizeof(uint32_t);

            assert_non_null(ledger);
            nx_ledger_init(ledger, tickets, slots);
            assert_in_range(ledger->tickets_at, sizeof *ledger, sizeof *ledger + NX_LEDGER_LINE - 1);
            assert_int_equal(ledger->tickets_at % NX_LEDGER_LINE, 0);
            assert_int_equal(ledger->queues_at, ledger->tickets_at + tickets * sizeof(struct nx_ticket));
            assert_int_equal(ledger->order_at, ledger->queues_at + tickets * sizeof(struct nx_queue));
            assert_in_range(ledger->scratch_at, ledger->order_at + row, ledger->order_at + row + sizeof(int64_t) - 1);
            assert_in_range(ledger->slots_at, ledger->scratch_at + row, ledger->scratch_at + row + sizeof(int64_t) - 1);
            assert_int_equal(ledger->slots_at % sizeof(int64_t), 0);
            assert_int_equal(size, ledger->slots_at + slots * NX_RINGS * sizeof(int64_t));
            free(ledger);
        }
    }
}

enum teller { BY_ASK, BY_NEXT, BY_SOONEST, BY_CANCEL, BY_AGAIN, BY_END, BY_GATE, BY_FLEETING_GATE, BY_REPAIR, TELLERS };

static void tell(struct nx_ledger *ledger, enum teller teller, uint32_t waiting, uint32_t out, int64_t now_us)
{
    if (teller == BY_ASK)
        ask_waits(ledger, want(NX_LANE_API, 0), now_us);
    if (teller == BY_NEXT)
        assert_int_equal(next_of(ledger, 1, now_us), NOBODY);
    if (teller == BY_SOONEST)
        assert_true(nx_ledger_soonest(ledger, waiting, now_us) == now_us);
    if (teller == BY_CANCEL)
        nx_ledger_cancel(ledger, waiting, now_us);
    if (teller == BY_AGAIN)
        assert_true(nx_ledger_again(ledger, out, now_us));
    if (teller == BY_END)
        end_as(ledger, out, NX_END_UNSENT, now_us);
    if (teller == BY_GATE)
        assert_true(nx_ledger_gate(ledger, 9, 1, SECOND, 0, now_us) >= 0);
    if (teller == BY_FLEETING_GATE)
        assert_true(nx_ledger_fleeting_gate(ledger, 9, now_us) >= 0);
    if (teller == BY_REPAIR)
        nx_ledger_repair(ledger, now_us);
}

static void who_has_read_an_earlier_clock_is_at_the_latest_time_that_was_told(void **state)
{
    (void)state;
    for (enum teller teller = 0; teller < TELLERS; teller++) {
        struct nx_ledger *ledger = make_ledger();
        const int gate = make_gate(ledger, 1, 1);
        const uint32_t first = ask_now(ledger, want(NX_LANE_API, gate), START);
        const uint32_t out = ask_now(ledger, want(NX_LANE_API, make_gate(ledger, 2, 2)), START);
        const uint32_t waiting = ask_waits(ledger, want(NX_LANE_API, gate), START);

        tell(ledger, teller, waiting, out, START + 9);
        end_as(ledger, first, NX_END_ANSWERED, START);
        assert_int_equal(figures_of(ledger, gate, START + 9 + COOLS - 1).cooling, 1);
        assert_int_equal(figures_of(ledger, gate, START + 9 + COOLS).cooling, 0);
        free(ledger);
    }
}

/* Wherever their times lie in what is kept of them. */
static void each_slot_is_free_at_its_own_time(void **state)
{
    enum { ALLOWED = 3 };
    static const enum nx_end ENDS[] = {NX_END_ANSWERED, NX_END_GIVEN_UP};
    static const int64_t BUSY_US[] = {COOLS, LOST};

    (void)state;
    for (uint32_t i = 0; i < 4 * ALLOWED * COUNT(ENDS); i++) {
        const size_t kind = i % COUNT(ENDS);
        struct nx_ledger *ledger = make_ledger();
        const int gate = make_gate(ledger, 1, ALLOWED);
        int64_t now_us = START;

        for (uint32_t j = 0; j < i / COUNT(ENDS); j++, now_us += LOST)
            end_as(ledger, ask_now(ledger, want(NX_LANE_API, gate), now_us), ENDS[kind], now_us);
        for (uint32_t j = 0; j < ALLOWED; j++)
            end_as(ledger, ask_now(ledger, want(NX_LANE_API, gate), now_us + j), ENDS[kind], now_us + j);
        for (uint32_t j = 0; j < ALLOWED; j++) {
            assert_int_equal(figures_of(ledger, gate, now_us + BUSY_US[kind] + j - 1).cooling, ALLOWED - j);
            assert_int_equal(figures_of(ledger, gate, now_us + BUSY_US[kind] + j).cooling, ALLOWED - j - 1);
        }
        free(ledger);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_as_allowed_go_at_once),
        cmocka_unit_test(a_slot_is_busy_for_as_long_as_its_end_says),
        cmocka_unit_test(the_answered_and_the_given_up_cool_side_by_side),
        cmocka_unit_test(slots_are_used_over_and_over),
        cmocka_unit_test(all_gates_are_passed_or_none),
        cmocka_unit_test(a_gate_that_counts_none_lets_all_pass),
        cmocka_unit_test(the_strictest_wins),
        cmocka_unit_test(a_stricter_asker_counts_what_is_out_already),
        cmocka_unit_test(a_new_gate_uses_half_at_first),
        cmocka_unit_test(a_resend_takes_one_more_slot),
        cmocka_unit_test(a_held_gate_allows_no_resend),
        cmocka_unit_test(room_ends),
        cmocka_unit_test(a_gate_says_when_it_is_free),
        cmocka_unit_test(a_clock_that_was_read_earlier_frees_nothing_earlier),
        cmocka_unit_test(the_ends_of_time_are_times_like_others),
        cmocka_unit_test(the_parts_lie_side_by_side),
        cmocka_unit_test(who_has_read_an_earlier_clock_is_at_the_latest_time_that_was_told),
        cmocka_unit_test(each_slot_is_free_at_its_own_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
