/* Permits of API calls: who gets one, when, and what the answer does to those who come after. */
#include "support/test.h"

#include "session/session.h"
#include "support/door.h"
#include "support/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ORIGIN "https://nexcloud.io"
#define URL    ORIGIN "/v1.0/Controller"

struct world {
    struct fixture fixture;
    struct door door;
    nexauth_source *source;
};

/* At most `requests` a second at NEX; a token is at hand. */
static struct world *begin(int64_t requests)
{
    const struct nexauth_limit limit = {.origin = ORIGIN, .name = "requests", .requests = requests, .window_ms = 1000};
    const struct nexauth_session_options options = {
        .exchange_timeout_ms = 30000, .max_answer_bytes = 65536, .limits = &limit, .limits_count = 1};
    struct world *world = calloc(1, sizeof *world);
    struct nx_world in;

    assert_non_null(world);
    script_init(&world->fixture.script);
    door_init(&world->door, &world->fixture.script);
    in = script_world(&world->fixture.script);
    in.permits = &world->door.keeper.base;
    assert_int_equal(nx_session_new_in(&in, &options, &world->fixture.session, NULL), NEXAUTH_OK);
    world->source = fixture_new_controller(&world->fixture);
    fixture_answer_token(&world->fixture, "one", "3600");
    assert_int_equal(fixture_get(world->source, "one", NULL), NEXAUTH_OK);
    script_pass_ms(&world->fixture.script, 2000); /* its slot is free again */
    return world;
}

static void finish(struct world *world)
{
    nexauth_source_free(world->source);
    nexauth_session_free(world->fixture.session);
    door_release(&world->door);
    script_release(&world->fixture.script);
    free(world);
}

static nexauth_status take(struct world *world, const char *url, int64_t timeout_ms, nexauth_permit **permit,
                           struct nexauth_error *error)
{
    const struct nexauth_permit_options options = {.url = url, .timeout_ms = timeout_ms};

    return nexauth_permit_begin(world->source, &options, permit, error);
}

static nexauth_status answer(nexauth_permit *permit, int http_status, struct nexauth_error *error)
{
    const struct nexauth_answer answer = {.http_status = http_status};
    const nexauth_status status = nexauth_permit_end(permit, &answer, error);

    nexauth_permit_free(permit);
    return status;
}

static void a_permit_has_the_url_and_the_token(void **state)
{
    struct world *world = begin(10);
    nexauth_permit *permit = NULL;

    (void)state;
    assert_int_equal(take(world, URL "?a=b#c", 0, &permit, NULL), NEXAUTH_OK);
    assert_string_equal(nexauth_permit_url(permit), URL "?a=b");
    assert_string_equal(nexauth_permit_header(permit), "Authorization: Bearer one");
    assert_int_equal(answer(permit, 200, NULL), NEXAUTH_OK);
    finish(world);
}

static void who_finds_no_free_slot_waits_for_one(void **state)
{
    struct world *world = begin(1);
    nexauth_permit *permit = NULL;
    int64_t begun_ms;

    (void)state;
    assert_int_equal(take(world, URL, 0, &permit, NULL), NEXAUTH_OK);
    assert_int_equal(answer(permit, 200, NULL), NEXAUTH_OK);
    begun_ms = world->fixture.script.boot_ms;
    assert_int_equal(take(world, URL, 0, &permit, NULL), NEXAUTH_OK);
    assert_int_equal(world->fixture.script.boot_ms - begun_ms, 1001);
    nexauth_permit_free(permit);
    finish(world);
}

static void a_token_of_nex_may_go_into_the_url(void **state)
{
    struct nexauth_nex_controller_options options = fixture_controller;
    struct world *world = begin(10);
    nexauth_permit *permit = NULL;

    (void)state;
    nexauth_source_free(world->source);
    options.presentation = NEXAUTH_PRESENT_QUERY;
    assert_int_equal(nexauth_source_new_nex_controller(world->fixture.session, &options, &world->source, NULL),
                     NEXAUTH_OK);
    fixture_answer_token(&world->fixture, "two+2", "3600");
    assert_int_equal(take(world, URL, 0, &permit, NULL), NEXAUTH_OK);
    assert_string_equal(nexauth_permit_url(permit), URL "?access_token=two%2B2");
    assert_null(nexauth_permit_header(permit));
    nexauth_permit_free(permit);
    finish(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_permit_has_the_url_and_the_token),
        cmocka_unit_test(who_finds_no_free_slot_waits_for_one),
        cmocka_unit_test(a_token_of_nex_may_go_into_the_url),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
