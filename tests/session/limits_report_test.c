/* What a session tells of the limits at which its requests count. */
#include "support/test.h"

#include "session/session.h"
#include "support/door.h"
#include "support/fixture.h"

#include <stdlib.h>

struct world {
    struct fixture fixture;
    struct door door;
    nexauth_source *source;
};

static int set_up(void **state)
{
    const struct nexauth_session_options options = {.exchange_timeout_ms = 30000, .max_answer_bytes = 65536};
    struct world *world = calloc(1, sizeof *world);
    struct nx_world in;

    if (!world)
        return -1;
    script_init(&world->fixture.script);
    door_init(&world->door, &world->fixture.script);
    in = script_world(&world->fixture.script);
    in.permits = &world->door.keeper.base;
    *state = world;
    if (nx_session_new_in(&in, &options, &world->fixture.session, NULL))
        return -1;
    world->source = fixture_new_controller(&world->fixture);
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    nexauth_source_free(world->source);
    nexauth_session_free(world->fixture.session);
    door_release(&world->door);
    script_release(&world->fixture.script);
    free(world);
    return 0;
}

static struct nexauth_limit_state look(struct world *world)
{
    struct nexauth_limit_state limits[2] = {{0}};
    size_t count = 0;

    assert_int_equal(nexauth_session_limits(world->fixture.session, limits, 2, &count, NULL), NEXAUTH_OK);
    assert_int_equal(count, 1);
    return limits[0];
}

static void nothing_is_told_before_a_request(void **state)
{
    struct world *world = *state;
    size_t count = 7;

    assert_int_equal(nexauth_session_limits(world->fixture.session, NULL, 0, &count, NULL), NEXAUTH_OK);
    assert_int_equal(count, 0);
}

static void a_request_is_used_until_its_window_has_passed(void **state)
{
    struct world *world = *state;
    struct nexauth_limit_state limit;

    fixture_answer_token(&world->fixture, "token", "3600");
    assert_int_equal(fixture_get(world->source, "token", NULL), NEXAUTH_OK);
    limit = look(world);
    assert_string_equal(limit.origin, "https://nexcloud.io:443");
    assert_string_equal(limit.name, "requests");
    assert_int_equal(limit.requests, 600);
    assert_int_equal(limit.window_ms, 60000);
    assert_int_equal(limit.used, 1);
    assert_int_equal(limit.waiting, 0);
    assert_int_equal(limit.free_in_ms, 0);
    assert_int_equal(limit.held_for_ms, 0);
    script_pass_ms(&world->fixture.script, 60060);
    assert_int_equal(look(world).used, 0);
}

static void a_ban_holds_all_limits_of_the_origin(void **state)
{
    struct world *world = *state;
    struct nexauth_error error = {0};

    script_answer(&world->fixture.script, (struct script_answer){.status = 403, .body = "<html>no</html>"});
    assert_int_equal(fixture_get(world->source, NULL, &error), NEXAUTH_BLOCKED);
    assert_in_range(look(world).held_for_ms, 60000, 72000);
}

/* Such as what stands there when a gate made room for others. */
static void of_a_limit_that_the_ledger_does_not_know_only_the_name_is_told(void **state)
{
    struct world *world = *state;
    struct nexauth_limit_state limit;

    fixture_answer_token(&world->fixture, "token", "3600");
    assert_int_equal(fixture_get(world->source, "token", NULL), NEXAUTH_OK);
    world->door.gone = true;
    limit = look(world);
    assert_string_equal(limit.origin, "https://nexcloud.io:443");
    assert_string_equal(limit.name, "requests");
    assert_int_equal(limit.window_ms, 60000);
    assert_int_equal(limit.requests, 0);
    assert_int_equal(limit.used, 0);
    assert_int_equal(limit.held_for_ms, 0);
}

static void what_is_missing_is_refused(void **state)
{
    struct world *world = *state;
    size_t count = 0;

    assert_int_equal(nexauth_session_limits(NULL, NULL, 0, &count, NULL), NEXAUTH_INVALID);
    assert_int_equal(nexauth_session_limits(world->fixture.session, NULL, 0, NULL, NULL), NEXAUTH_INVALID);
    assert_int_equal(nexauth_session_limits(world->fixture.session, NULL, 1, &count, NULL), NEXAUTH_INVALID);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(nothing_is_told_before_a_request),
        IN_A_WORLD(a_request_is_used_until_its_window_has_passed),
        IN_A_WORLD(a_ban_holds_all_limits_of_the_origin),
        IN_A_WORLD(of_a_limit_that_the_ledger_does_not_know_only_the_name_is_told),
        IN_A_WORLD(what_is_missing_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
