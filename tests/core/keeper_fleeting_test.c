/* Doors that the ledger knows only while they are held, and until their probes have passed. */
#include "core/keeper_rig.h"

#include "support/test.h"

enum { TICKETS = 16, SLOTS = 64, KEY = 5, OTHER_KEY = 6 };

/* The permit that was told last. */
static struct nx_permit *told;

static void granted(struct nx_permit *permit)
{
    told = permit;
}

static enum nx_turn enter(struct yard *yard, struct nx_permit *permit, const struct nx_permit_wish *wish)
{
    int64_t wait_ms;

    *permit = (struct nx_permit){.granted = granted};
    return yard->permits->verbs->enter(yard->permits, permit, wish, &wait_ms);
}

static void end(struct yard *yard, struct nx_permit *permit, const struct nx_outcome *outcome)
{
    yard->permits->verbs->end(yard->permits, permit, outcome);
}

static void turn(struct yard *yard)
{
    yard->permits->verbs->turn(yard->permits);
}

static void pass(struct yard *yard, int64_t us)
{
    atomic_fetch_add(&yard->now_us, us);
}

static void a_fleeting_door_is_known_once_it_was_refused_and_until_its_probes_have_passed(void **state)
{
    const struct nx_permit_wish wish = {
        .doors = {{KEY, 9, 1000, false}, {.key = OTHER_KEY, .fleeting = true}}, .count = 2, .patience_ms = INT64_MAX};
    const struct nx_outcome refused = {
        .end = NX_END_ANSWERED, .word = NX_WORD_REFUSED, .held = 1, .retry_after_us = 5 * SECOND};
    struct nx_gate_figures figures;
    struct nx_permit first, second;
    struct yard yard;
    int64_t now_us;

    (void)state;
    yard_init(&yard, TICKETS, SLOTS);
    assert_int_equal(enter(&yard, &first, &wish), NX_TURN_NOW);
    assert_false(yard.permits->verbs->figures(yard.permits, OTHER_KEY, &figures, &now_us));
    end(&yard, &first, &refused);
    assert_true(yard_figures(&yard, OTHER_KEY).held_until_us == START + 5 * SECOND);
    assert_true(yard_figures(&yard, KEY).held_until_us == 0);
    assert_int_equal(enter(&yard, &first, &wish), NX_TURN_WAITS);
    pass(&yard, 5 * SECOND);
    turn(&yard);
    assert_ptr_equal(told, &first);
    assert_int_equal(enter(&yard, &second, &wish), NX_TURN_WAITS); /* the first one is the probe */
    end(&yard, &first, &(struct nx_outcome){.end = NX_END_ANSWERED, .word = NX_WORD_FINE});
    turn(&yard);
    assert_ptr_equal(told, &second);
    yard_release(&yard);
}

static void any_number_of_fleeting_doors_may_be_passed(void **state)
{
    struct nx_permit_wish wish = {
        .doors = {{KEY, 9, 1000, false}, {.fleeting = true}}, .count = 2, .patience_ms = INT64_MAX};
    struct nx_permit permit;
    struct yard yard;

    (void)state;
    yard_init(&yard, TICKETS, SLOTS);
    for (uint64_t i = 0; i < 2 * NX_LEDGER_GATES; i++) {
        wish.doors[1].key = 1000 + i;
        assert_int_equal(enter(&yard, &permit, &wish), NX_TURN_NOW);
        end(&yard, &permit, &(struct nx_outcome){.end = NX_END_UNSENT});
    }
    yard_release(&yard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fleeting_door_is_known_once_it_was_refused_and_until_its_probes_have_passed),
        cmocka_unit_test(any_number_of_fleeting_doors_may_be_passed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
