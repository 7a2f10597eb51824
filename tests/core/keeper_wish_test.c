/* What may be wished of the keeper, and what it says to those who wait. */
#include "core/keeper_rig.h"

#include "support/test.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

enum { TICKETS = 16, SLOTS = 64, KEY = 5, OTHER_KEY = 6 };

static const struct nx_outcome UNSENT = {.end = NX_END_UNSENT};
static const struct nx_outcome FINE = {.end = NX_END_ANSWERED, .word = NX_WORD_FINE};

/* The permit that was told last. */
static struct nx_permit *told;

static void granted(struct nx_permit *permit)
{
    told = permit;
}

static int set_up(void **state)
{
    static struct yard yard;

    yard_init(&yard, TICKETS, SLOTS);
    told = NULL;
    *state = &yard;
    return 0;
}

static int tear_down(void **state)
{
    yard_release(*state);
    return 0;
}

static struct nx_permit_wish wish_for(uint32_t requests, int64_t window_ms)
{
    return (struct nx_permit_wish){
        .doors = {{KEY, requests, window_ms, false}}, .count = 1, .lane = NX_LANE_API, .patience_ms = INT64_MAX};
}

static enum nx_turn enter(struct yard *yard, struct nx_permit *permit, const struct nx_permit_wish *wish)
{
    int64_t wait_ms;

    *permit = (struct nx_permit){.granted = granted};
    return yard->permits->verbs->enter(yard->permits, permit, wish, &wait_ms);
}

static bool end(struct yard *yard, struct nx_permit *permit, const struct nx_outcome *outcome)
{
    return yard->permits->verbs->end(yard->permits, permit, outcome);
}

static int64_t soonest_ms(struct yard *yard, const struct nx_permit *permit)
{
    return yard->permits->verbs->soonest_ms(yard->permits, permit);
}

static void pass(struct yard *yard, int64_t us)
{
    atomic_fetch_add(&yard->now_us, us);
}

static bool is_known(struct yard *yard, uint64_t key)
{
    struct nx_gate_figures figures;
    int64_t now_us;

    return yard->permits->verbs->figures(yard->permits, key, &figures, &now_us);
}

/* Beyond the doors that are counted stands what is no door. */
static void only_the_doors_that_a_wish_counts_are_asked_at(void **state)
{
    struct nx_permit_wish wish = wish_for(1, 1000);
    struct nx_permit permit;

    wish.doors[1] = (struct nx_door){OTHER_KEY, 1, 1000, false};
    assert_int_equal(enter(*state, &permit, &wish), NX_TURN_NOW);
    assert_true(is_known(*state, KEY));
    assert_false(is_known(*state, OTHER_KEY));
}

static void who_waits_at_as_many_doors_as_there_may_be_is_told(void **state)
{
    struct nx_permit_wish wish = {.count = NX_LEDGER_WANTS, .lane = NX_LANE_API, .patience_ms = INT64_MAX};
    struct nx_permit first, second;
    struct yard *yard = *state;

    for (uint32_t i = 0; i < wish.count; i++)
        wish.doors[i] = (struct nx_door){KEY + i, 1, 1000, false};
    assert_int_equal(enter(yard, &first, &wish), NX_TURN_NOW);
    assert_int_equal(enter(yard, &second, &wish), NX_TURN_WAITS);
    assert_true(end(yard, &first, &UNSENT));
    yard->permits->verbs->turn(yard->permits);
    assert_ptr_equal(told, &second);
    for (uint32_t i = 0; i < wish.count; i++)
        assert_int_equal(yard_figures(yard, KEY + i).out, 1);
}

static void a_window_too_long_to_be_counted_never_ends(void **state)
{
    static const struct {
        int64_t window_ms, window_us;
    } CASES[] = {{1, 1000}, {INT64_MAX / 1000, INT64_MAX / 1000 * 1000}, {INT64_MAX / 1000 + 1, INT64_MAX}};

    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_permit_wish wish = wish_for(1, CASES[i].window_ms);
        struct nx_permit permit;

        wish.doors[0].key = KEY + i;
        assert_int_equal(enter(*state, &permit, &wish), NX_TURN_NOW);
        assert_true(yard_figures(*state, KEY + i).window_us == CASES[i].window_us);
    }
}

static void who_waits_is_told_how_long_at_the_least(void **state)
{
    static const struct {
        int64_t after_us, soonest_ms;
    } CASES[] = {{0, 1001}, {1, 1001}, {999, 1001}, {1000, 1000}, {1000999, 1}, {1001000, 0}, {2000000, 0}};
    const struct nx_permit_wish wish = wish_for(1, 1000);
    struct yard *yard = *state;
    struct nx_permit first, second;
    int64_t begun_us;

    assert_int_equal(enter(yard, &first, &wish), NX_TURN_NOW);
    assert_int_equal(enter(yard, &second, &wish), NX_TURN_WAITS);
    assert_int_equal(soonest_ms(yard, &first), 0);
    begun_us = atomic_load(&yard->now_us);
    assert_true(end(yard, &first, &FINE));
    for (size_t i = 0; i < COUNT(CASES); i++) {
        atomic_store(&yard->now_us, begun_us + CASES[i].after_us);
        assert_int_equal(soonest_ms(yard, &second), CASES[i].soonest_ms);
    }
    yard->gone = true;
    assert_int_equal(soonest_ms(yard, &second), 0);
}

static void an_end_says_whether_somebody_may_have_a_turn_by_it(void **state)
{
    const struct nx_permit_wish wish = wish_for(1, 1000);
    struct yard *yard = *state;
    struct nx_permit first, second;

    assert_int_equal(enter(yard, &first, &wish), NX_TURN_NOW);
    assert_false(end(yard, &first, &UNSENT));
    assert_int_equal(enter(yard, &first, &wish), NX_TURN_NOW);
    assert_int_equal(enter(yard, &second, &wish), NX_TURN_WAITS);
    assert_true(end(yard, &first, &UNSENT));
    yard->permits->verbs->turn(yard->permits);
    yard->gone = true;
    assert_true(end(yard, &second, &UNSENT)); /* nobody knows */
}

/* The numbers of gates begin with 0. */
static void a_fleeting_door_is_held_at_the_ledgers_first_gate_too(void **state)
{
    const struct nx_permit_wish wish = {
        .doors = {{.key = KEY, .fleeting = true}}, .count = 1, .patience_ms = INT64_MAX};
    const struct nx_outcome refused = {.end = NX_END_ANSWERED, .word = NX_WORD_REFUSED, .retry_after_us = 5 * SECOND};
    struct yard *yard = *state;
    struct nx_permit first, second;

    assert_int_equal(enter(yard, &first, &wish), NX_TURN_NOW);
    end(yard, &first, &refused);
    assert_int_equal(enter(yard, &first, &wish), NX_TURN_WAITS);
    pass(yard, 5 * SECOND);
    yard->permits->verbs->turn(yard->permits);
    assert_ptr_equal(told, &first);
    assert_int_equal(enter(yard, &second, &wish), NX_TURN_WAITS);
}

#define IN_A_YARD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_YARD(only_the_doors_that_a_wish_counts_are_asked_at),
        IN_A_YARD(who_waits_at_as_many_doors_as_there_may_be_is_told),
        IN_A_YARD(a_window_too_long_to_be_counted_never_ends),
        IN_A_YARD(who_waits_is_told_how_long_at_the_least),
        IN_A_YARD(an_end_says_whether_somebody_may_have_a_turn_by_it),
        IN_A_YARD(a_fleeting_door_is_held_at_the_ledgers_first_gate_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
