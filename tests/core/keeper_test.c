/* One permit after the other: what the keeper makes of the ledger's times and numbers. */
#include "core/keeper_rig.h"

#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

enum { TICKETS = 16, SLOTS = 64, KEY = 5, OTHER_KEY = 6, NO_LEDGER_MS = 1000, DAY_MS = 86400000 };

static const struct nx_outcome UNSENT = {.end = NX_END_UNSENT};
static const struct nx_outcome GIVEN_UP = {.end = NX_END_GIVEN_UP};
static const struct nx_outcome FINE = {.end = NX_END_ANSWERED, .word = NX_WORD_FINE};

/* The permit that was told last, and how many were. */
static struct nx_permit *told;
static int told_count;

static void granted(struct nx_permit *permit)
{
    told = permit;
    told_count++;
}

static void begin(struct yard *yard)
{
    yard_init(yard, TICKETS, SLOTS);
    told = NULL;
    told_count = 0;
}

static struct nx_permit_wish wish_for(uint32_t requests, int64_t window_ms)
{
    return (struct nx_permit_wish){
        .doors = {{KEY, requests, window_ms, false}}, .count = 1, .lane = NX_LANE_API, .patience_ms = INT64_MAX};
}

static enum nx_turn enter_with(struct yard *yard, struct nx_permit *permit, const struct nx_permit_wish *wish,
                               int64_t *wait_ms)
{
    *permit = (struct nx_permit){.granted = granted};
    *wait_ms = -1;
    return yard->permits->verbs->enter(yard->permits, permit, wish, wait_ms);
}

static enum nx_turn enter(struct yard *yard, struct nx_permit *permit, const struct nx_permit_wish *wish)
{
    int64_t wait_ms;

    return enter_with(yard, permit, wish, &wait_ms);
}

static void end(struct yard *yard, struct nx_permit *permit, const struct nx_outcome *outcome)
{
    yard->permits->verbs->end(yard->permits, permit, outcome);
    assert_int_equal(permit->state, NX_PERMIT_NONE);
}

static bool leave(struct yard *yard, struct nx_permit *permit)
{
    return yard->permits->verbs->leave(yard->permits, permit);
}

static int64_t turn(struct yard *yard)
{
    return yard->permits->verbs->turn(yard->permits);
}

static bool again(struct yard *yard, struct nx_permit *permit)
{
    return yard->permits->verbs->again(yard->permits, permit);
}

static void pass(struct yard *yard, int64_t us)
{
    atomic_fetch_add(&yard->now_us, us);
}

static void keys_are_hashed_with_the_keepers_own(void **state)
{
    struct yard yard;

    (void)state;
    begin(&yard);
    assert_ptr_equal(yard.permits->verbs->key(yard.permits), &yard.keeper.key);
    yard_release(&yard);
}

static void half_of_a_limit_is_all_in_its_first_window(void **state)
{
    static const int64_t WINDOWS_MS[] = {100, 1000, DAY_MS};
    struct nx_permit permits[6];
    struct yard yard;

    (void)state;
    for (size_t i = 0; i < COUNT(WINDOWS_MS); i++) {
        const struct nx_permit_wish wish = wish_for(10, WINDOWS_MS[i]);

        begin(&yard);
        yard.keeper.begun_us = START - 10;
        for (size_t j = 0; j < 6; j++)
            assert_int_equal(enter(&yard, &permits[j], &wish), j < 5 ? NX_TURN_NOW : NX_TURN_WAITS);
        pass(&yard, WINDOWS_MS[i] * 1000 - 11);
        assert_int_equal(turn(&yard), 1);
        assert_int_equal(told_count, 0);
        pass(&yard, 1);
        turn(&yard);
        assert_ptr_equal(told, &permits[5]);
        assert_int_equal(permits[5].state, NX_PERMIT_OUT);
        yard_release(&yard);
    }
}

static void who_cannot_have_a_turn_in_time_is_told_when_there_is_one(void **state)
{
    static const struct {
        int64_t after_us, patience_ms, wait_ms;
        enum nx_end end;
        enum nx_turn turn;
    } CASES[] = {
        {0, 1001, 1001, NX_END_ANSWERED, NX_TURN_NEVER},      {0, 1002, -1, NX_END_ANSWERED, NX_TURN_WAITS},
        {0, 0, 1001, NX_END_ANSWERED, NX_TURN_NEVER},         {500, 1000, 1001, NX_END_ANSWERED, NX_TURN_NEVER},
        {1000, 500, 1000, NX_END_ANSWERED, NX_TURN_NEVER},    {1000999, 0, 1, NX_END_ANSWERED, NX_TURN_NEVER},
        {0, 61001, 61001, NX_END_GIVEN_UP, NX_TURN_NEVER},    {0, INT64_MAX, -1, NX_END_GIVEN_UP, NX_TURN_WAITS},
        {60000000, 30, 1001, NX_END_GIVEN_UP, NX_TURN_NEVER}, {1001000, 1, -1, NX_END_ANSWERED, NX_TURN_NOW},
    };
    struct nx_permit first, second;
    struct yard yard;

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_permit_wish wish = wish_for(1, 1000);
        int64_t wait_ms;

        begin(&yard);
        assert_int_equal(enter(&yard, &first, &wish), NX_TURN_NOW);
        end(&yard, &first, &(struct nx_outcome){.end = CASES[i].end});
        pass(&yard, CASES[i].after_us);
        wish.patience_ms = CASES[i].patience_ms;
        assert_int_equal(enter_with(&yard, &second, &wish, &wait_ms), CASES[i].turn);
        if (CASES[i].turn == NX_TURN_NEVER) {
            assert_int_equal(wait_ms, CASES[i].wait_ms);
            assert_int_equal(second.state, NX_PERMIT_NONE);
        }
        yard_release(&yard);
    }
}

static void who_can_have_none_in_time_any_more_is_told_so_once(void **state)
{
    struct nx_permit_wish wish = wish_for(1, 1000);
    struct nx_permit first, second;
    struct yard yard;

    (void)state;
    begin(&yard);
    assert_int_equal(enter(&yard, &first, &wish), NX_TURN_NOW);
    wish.patience_ms = 500;
    assert_int_equal(enter(&yard, &second, &wish), NX_TURN_WAITS);
    end(&yard, &first, &FINE);
    assert_true(turn(&yard) == INT64_MAX);
    assert_ptr_equal(told, &second);
    assert_int_equal(second.state, NX_PERMIT_NONE);
    turn(&yard);
    assert_int_equal(told_count, 1);
    assert_false(leave(&yard, &second));
    yard_release(&yard);
}

static void a_turn_says_when_the_next_one_is_to_be(void **state)
{
    const struct nx_permit_wish wish = wish_for(1, 1000);
    struct nx_permit first, second;
    struct yard yard;

    (void)state;
    begin(&yard);
    assert_true(turn(&yard) == INT64_MAX);
    assert_int_equal(enter(&yard, &first, &wish), NX_TURN_NOW);
    assert_true(turn(&yard) == INT64_MAX);
    assert_int_equal(enter(&yard, &second, &wish), NX_TURN_WAITS);
    assert_true(turn(&yard) == INT64_MAX);
    end(&yard, &first, &FINE);
    assert_int_equal(turn(&yard), 1001);
    pass(&yard, 1);
    assert_int_equal(turn(&yard), 1001);
    pass(&yard, SECOND);
    assert_int_equal(turn(&yard), 1);
    assert_int_equal(told_count, 0);
    pass(&yard, 1000);
    assert_true(turn(&yard) == INT64_MAX);
    assert_int_equal(told_count, 1);
    yard_release(&yard);
}

static void without_a_ledger_nothing_leaves(void **state)
{
    const struct nx_permit_wish wish = wish_for(1, 1000);
    struct nx_gate_figures figures;
    struct nx_permit out, waiting, new;
    struct yard yard;
    int64_t value;

    (void)state;
    begin(&yard);
    assert_int_equal(enter(&yard, &out, &wish), NX_TURN_NOW);
    assert_int_equal(enter(&yard, &waiting, &wish), NX_TURN_WAITS);
    yard.gone = true;
    assert_int_equal(enter_with(&yard, &new, &wish, &value), NX_TURN_NEVER);
    assert_int_equal(value, NO_LEDGER_MS);
    assert_int_equal(new.state, NX_PERMIT_NONE);
    assert_false(again(&yard, &out));
    end(&yard, &out, &FINE);
    assert_true(leave(&yard, &waiting));
    assert_false(leave(&yard, &waiting));
    assert_int_equal(turn(&yard), NO_LEDGER_MS);
    assert_false(yard.permits->verbs->figures(yard.permits, KEY, &figures, &value));
    assert_int_equal(told_count, 0);
    yard_release(&yard);
}

/* Behind the owners stands the first ticket, which somebody has. */
static void a_process_too_many_is_told_never_and_harms_nothing(void **state)
{
    static const uint32_t OWNERS[] = {NX_LEDGER_OWNERS, UINT32_MAX};
    const size_t size = nx_ledger_size(TICKETS, SLOTS);
    const struct nx_permit_wish wish = wish_for(1, 1000);
    void *before = malloc(size);
    struct nx_permit out, permit;
    struct yard yard;
    int64_t wait_ms;

    (void)state;
    assert_non_null(before);
    for (size_t i = 0; i < COUNT(OWNERS); i++) {
        begin(&yard);
        assert_int_equal(enter(&yard, &out, &wish), NX_TURN_NOW);
        memcpy(before, yard.memory, size);
        pass(&yard, 1);
        yard.owner = OWNERS[i];
        assert_int_equal(enter_with(&yard, &permit, &wish, &wait_ms), NX_TURN_NEVER);
        assert_int_equal(wait_ms, NO_LEDGER_MS);
        assert_int_equal(permit.state, NX_PERMIT_NONE);
        assert_true(turn(&yard) == INT64_MAX);
        assert_int_equal(told_count, 0);
        assert_memory_equal(yard.memory, before, size);
        yard_release(&yard);
    }
    free(before);
}

static void where_there_is_no_room_for_a_door_nothing_is_taken(void **state)
{
    const struct nx_permit_wish wish = {
        .doors = {{KEY, 1, 1000, false}, {OTHER_KEY, SLOTS, 1000, false}}, .count = 2, .patience_ms = INT64_MAX};
    struct nx_gate_figures figures;
    struct nx_permit permit;
    struct yard yard;
    int64_t value;

    (void)state;
    begin(&yard);
    assert_int_equal(enter_with(&yard, &permit, &wish, &value), NX_TURN_NEVER);
    assert_int_equal(value, NO_LEDGER_MS);
    assert_int_equal(permit.state, NX_PERMIT_NONE);
    assert_int_equal(yard_figures(&yard, KEY).out, 0);
    assert_false(yard.permits->verbs->figures(yard.permits, OTHER_KEY, &figures, &value));
    yard_release(&yard);
}

/* Each gate is idle, but those that were asked for at this moment. */
static void the_doors_of_a_wish_are_not_taken_for_one_another(void **state)
{
    const struct nx_permit_wish wish = {
        .doors = {{KEY, SLOTS, 1000, false}, {OTHER_KEY, 1, 1000, false}}, .count = 2, .patience_ms = INT64_MAX};
    struct nx_permit_wish one = wish_for(1, 1000);
    struct nx_permit permit;
    struct yard yard;

    (void)state;
    begin(&yard);
    assert_int_equal(enter(&yard, &permit, &wish), NX_TURN_NEVER);
    pass(&yard, SECOND);
    assert_int_equal(enter(&yard, &permit, &wish), NX_TURN_NEVER);
    pass(&yard, SECOND);
    one.doors[0].key = OTHER_KEY;
    assert_int_equal(enter(&yard, &permit, &one), NX_TURN_NOW);
    yard_release(&yard);
}

static void who_leaves_the_queue_is_not_told(void **state)
{
    const struct nx_permit_wish wish = wish_for(1, 1000);
    struct nx_permit out, waiting, next;
    struct yard yard;

    (void)state;
    begin(&yard);
    assert_int_equal(enter(&yard, &out, &wish), NX_TURN_NOW);
    assert_int_equal(enter(&yard, &waiting, &wish), NX_TURN_WAITS);
    assert_int_equal(enter(&yard, &next, &wish), NX_TURN_WAITS);
    assert_false(leave(&yard, &out));
    assert_int_equal(out.state, NX_PERMIT_OUT);
    assert_true(leave(&yard, &waiting));
    assert_false(leave(&yard, &waiting));
    assert_int_equal(waiting.state, NX_PERMIT_NONE);
    end(&yard, &out, &UNSENT);
    turn(&yard);
    assert_ptr_equal(told, &next);
    assert_false(leave(&yard, &next));
    assert_int_equal(told_count, 1);
    yard_release(&yard);
}

static void a_resend_needs_a_slot_of_its_own(void **state)
{
    const struct nx_permit_wish wish = wish_for(2, 1000);
    struct nx_permit permit;
    struct yard yard;

    (void)state;
    begin(&yard);
    assert_int_equal(enter(&yard, &permit, &wish), NX_TURN_NOW);
    assert_true(again(&yard, &permit));
    assert_false(again(&yard, &permit));
    assert_int_equal(yard_figures(&yard, KEY).out, 1);
    end(&yard, &permit, &FINE);
    assert_false(again(&yard, &permit));
    assert_int_equal(yard_figures(&yard, KEY).cooling, 2);
    pass(&yard, 1001000);
    assert_int_equal(yard_figures(&yard, KEY).cooling, 1);
    assert_false(again(&yard, &permit));
    yard_release(&yard);
}

/* Reading it takes as long as the rest; nobody waits at the lock for who does. */
static void where_there_is_room_the_clock_is_read_once_and_without_the_lock(void **state)
{
    const struct nx_permit_wish wish = {
        .doors = {{KEY, 3, 1000, false}, {OTHER_KEY, 0, 0, false}}, .count = 2, .patience_ms = INT64_MAX};
    const struct nx_permit_wish stricter = wish_for(2, 1000);
    struct nx_permit permits[4];
    struct yard yard;

    (void)state;
    begin(&yard);
    assert_int_equal(enter(&yard, &permits[0], &wish), NX_TURN_NOW);
    atomic_store(&yard.looks_when_busy, 0);
    for (int i = 1; i < 3; i++)
        assert_int_equal(enter(&yard, &permits[i], &wish), NX_TURN_NOW);
    end(&yard, &permits[0], &FINE);
    assert_int_equal(atomic_load(&yard.looks), 1);
    assert_int_equal(atomic_load(&yard.looks_when_busy), 0);
    assert_int_equal(yard_figures(&yard, KEY).out, 2);
    end(&yard, &permits[1], &UNSENT);
    end(&yard, &permits[2], &UNSENT);
    assert_int_equal(enter(&yard, &permits[1], &stricter), NX_TURN_NOW);
    assert_int_equal(enter(&yard, &permits[2], &wish), NX_TURN_WAITS);
    yard_release(&yard);
}

/* Its ticket may be another's by then. */
static void what_has_ended_does_not_end_twice(void **state)
{
    const struct nx_permit_wish wish = wish_for(2, 1000);
    struct nx_permit first, second;
    struct yard yard;

    (void)state;
    begin(&yard);
    assert_int_equal(enter(&yard, &first, &wish), NX_TURN_NOW);
    end(&yard, &first, &UNSENT);
    assert_int_equal(enter(&yard, &second, &wish), NX_TURN_NOW);
    end(&yard, &first, &GIVEN_UP);
    assert_int_equal(yard_figures(&yard, KEY).out, 1);
    assert_int_equal(yard_figures(&yard, KEY).cooling, 0);
    yard_release(&yard);
}

static void a_refusal_holds_the_door_that_it_names(void **state)
{
    const struct nx_permit_wish wish = {
        .doors = {{OTHER_KEY, 0, 0, false}, {KEY, 9, 1000, false}}, .count = 2, .patience_ms = INT64_MAX};
    struct nx_permit_wish one = wish_for(9, 1000);
    struct nx_permit permit;

    (void)state;
    for (int held = 0; held < 2; held++) {
        const struct nx_outcome refused = {
            .end = NX_END_ANSWERED, .word = NX_WORD_REFUSED, .held = held, .retry_after_us = 5 * SECOND};
        struct yard yard;

        begin(&yard);
        /* So that the gates' numbers are others than the doors' places. */
        assert_int_equal(enter(&yard, &permit, &one), NX_TURN_NOW);
        assert_int_equal(enter(&yard, &permit, &wish), NX_TURN_NOW);
        end(&yard, &permit, &refused);
        assert_true(yard_figures(&yard, wish.doors[held].key).held_until_us == START + 5 * SECOND);
        assert_true(yard_figures(&yard, wish.doors[1 - held].key).held_until_us == 0);
        yard_release(&yard);
    }
}

/* Figures that nobody reaches, and that may be said. Nothing overflows, which the sanitizer sees. */
static void times_may_lie_near_the_ends_of_their_range(void **state)
{
    static const struct {
        int64_t now_us, begun_us, window_ms, patience_ms;
    } CASES[] = {
        {0, 0, 1000, INT64_MAX},
        {0, 0, 0, INT64_MAX / 1000},
        {START, INT64_MAX, DAY_MS, INT64_MAX},
        {INT64_MAX - 5, INT64_MAX - 5, DAY_MS, INT64_MAX},
        {INT64_MAX - 5, 0, DAY_MS, INT64_MAX - 1},
        {INT64_MAX, INT64_MAX, 1, 1},
        {INT64_MAX, 0, 1, INT64_MAX / 1000},
        {INT64_MAX - DAY_MS * INT64_C(1000), START, DAY_MS, INT64_MAX / 1000},
        {START, START, INT64_MAX, INT64_MAX},
        {START, START, INT64_MAX / 1000 + 1, 1},
    };
    struct yard yard;

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        const struct nx_permit_wish wish = {
            .doors = {{KEY, 4, CASES[i].window_ms, false}}, .count = 1, .patience_ms = CASES[i].patience_ms};
        struct nx_permit permits[6];

        begin(&yard);
        yard.keeper.begun_us = CASES[i].begun_us;
        atomic_store(&yard.now_us, CASES[i].now_us);
        for (size_t j = 0; j < COUNT(permits); j++)
            enter(&yard, &permits[j], &wish);
        assert_true(turn(&yard) >= 0);
        again(&yard, &permits[0]);
        end(&yard, &permits[0], &GIVEN_UP);
        end(&yard, &permits[1], &FINE);
        assert_true(turn(&yard) >= 0);
        assert_in_range(yard_figures(&yard, KEY).allowed, 2, 4);
        leave(&yard, &permits[5]);
        yard_release(&yard);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_hashed_with_the_keepers_own),
        cmocka_unit_test(half_of_a_limit_is_all_in_its_first_window),
        cmocka_unit_test(who_cannot_have_a_turn_in_time_is_told_when_there_is_one),
        cmocka_unit_test(who_can_have_none_in_time_any_more_is_told_so_once),
        cmocka_unit_test(a_turn_says_when_the_next_one_is_to_be),
        cmocka_unit_test(without_a_ledger_nothing_leaves),
        cmocka_unit_test(a_process_too_many_is_told_never_and_harms_nothing),
        cmocka_unit_test(where_there_is_no_room_for_a_door_nothing_is_taken),
        cmocka_unit_test(the_doors_of_a_wish_are_not_taken_for_one_another),
        cmocka_unit_test(who_leaves_the_queue_is_not_told),
        cmocka_unit_test(a_resend_needs_a_slot_of_its_own),
        cmocka_unit_test(where_there_is_room_the_clock_is_read_once_and_without_the_lock),
        cmocka_unit_test(what_has_ended_does_not_end_twice),
        cmocka_unit_test(a_refusal_holds_the_door_that_it_names),
        cmocka_unit_test(times_may_lie_near_the_ends_of_their_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
