/* The rate ledger before each request: who waits, who is told that it is no use, and what holds a service's door. */
#include "support/test.h"

#include "session/session.h"
#include "support/door.h"
#include "support/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SOURCES = 8 };

#define ORIGIN "https://nexcloud.io"

struct world {
    struct fixture fixture;
    struct door door;
    nexauth_source *sources[SOURCES];
};

/* Sources of different controllers, so that no failure of one is held against another. */
static nexauth_source *new_controller(struct world *world, int number)
{
    struct nexauth_nex_controller_options options = fixture_controller;
    nexauth_source *source = NULL;
    char id[16];

    snprintf(id, sizeof id, "c-%d", number);
    options.controller_id = id;
    assert_int_equal(nexauth_source_new_nex_controller(world->fixture.session, &options, &source, NULL), NEXAUTH_OK);
    return source;
}

/* At most `requests` a second at NEX. */
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
    for (int i = 0; i < SOURCES; i++)
        world->sources[i] = new_controller(world, i);
    return world;
}

static void finish(struct world *world)
{
    for (int i = 0; i < SOURCES; i++)
        nexauth_source_free(world->sources[i]);
    nexauth_session_free(world->fixture.session);
    door_release(&world->door);
    script_release(&world->fixture.script);
    free(world);
}

static nexauth_status get(struct world *world, int which, int64_t timeout_ms, struct nexauth_error *error)
{
    const struct nexauth_get_options options = {.timeout_ms = timeout_ms};
    nexauth_token *token = NULL;
    const nexauth_status status = nexauth_source_get_token(world->sources[which], &options, &token, error);

    nexauth_token_unref(token);
    return status;
}

static void answer(struct world *world, const char *lifetime_s)
{
    fixture_answer_token(&world->fixture, "token", lifetime_s);
}

static void who_finds_no_free_slot_waits_for_one(void **state)
{
    struct world *world = begin(2);
    const int64_t begun_ms = world->fixture.script.boot_ms;
    struct nexauth_error error = {0};

    (void)state;
    for (int i = 0; i < 3; i++)
        answer(world, "3600");
    for (int i = 0; i < 3; i++)
        assert_int_equal(get(world, i, 30000, &error), NEXAUTH_OK);
    /* Answered after 100 ms; busy until a second and a thousandth after that; and 100 ms more. */
    assert_int_equal(world->fixture.script.boot_ms - begun_ms, 100 + 1001 + 100);
    finish(world);
}

static void who_cannot_have_a_turn_in_time_is_told_at_once(void **state)
{
    struct world *world = begin(1);
    struct nexauth_error error = {0};

    (void)state;
    answer(world, "3600");
    assert_int_equal(get(world, 0, 30000, &error), NEXAUTH_OK);
    assert_int_equal(get(world, 1, 500, &error), NEXAUTH_THROTTLED);
    assert_int_equal(error.retry_after_ms, 1001);
    assert_int_equal(error.http_status, 0);
    assert_int_equal(world->fixture.script.begun, 1);
    /* It is not remembered as a failure: when the time has come, the request leaves. */
    script_pass_ms(&world->fixture.script, 1001);
    answer(world, "3600");
    assert_int_equal(get(world, 1, 500, &error), NEXAUTH_OK);
    finish(world);
}

static void a_good_token_is_handed_out_while_its_renewal_has_no_turn(void **state)
{
    struct world *world = begin(1);
    struct nexauth_error error = {0};

    (void)state;
    answer(world, "100");
    assert_int_equal(get(world, 0, 30000, &error), NEXAUTH_OK);
    script_pass_ms(&world->fixture.script, 91000); /* late */
    answer(world, "3600");
    assert_int_equal(get(world, 1, 30000, &error), NEXAUTH_OK);
    assert_int_equal(get(world, 0, 500, &error), NEXAUTH_OK);
    assert_int_equal(world->fixture.script.begun, 2);
    finish(world);
}

static void a_request_that_did_not_leave_gives_its_slot_back(void **state)
{
    struct world *world = begin(1);
    struct nexauth_error error = {0};

    (void)state;
    script_answer(&world->fixture.script, (struct script_answer){.loss = NX_LOSS_TLS, .unsent = true});
    answer(world, "3600");
    assert_int_equal(get(world, 0, 30000, &error), NEXAUTH_NETWORK);
    assert_int_equal(get(world, 1, 500, &error), NEXAUTH_OK);
    finish(world);
}

static void a_request_that_was_lost_keeps_its_slot_for_the_grace(void **state)
{
    struct world *world = begin(1);
    struct nexauth_error error = {0};

    (void)state;
    script_answer(&world->fixture.script, (struct script_answer){.loss = NX_LOSS_GARBLED});
    assert_int_equal(get(world, 0, 30000, &error), NEXAUTH_PROTOCOL);
    assert_int_equal(get(world, 1, 30000, &error), NEXAUTH_THROTTLED);
    assert_int_equal(error.retry_after_ms, 61001);
    finish(world);
}

static void a_gateway_that_answers_for_the_service_says_nothing_of_the_count(void **state)
{
    struct world *world = begin(1);
    struct nexauth_error error = {0};

    (void)state;
    script_answer(&world->fixture.script, (struct script_answer){.status = 502});
    assert_int_equal(get(world, 0, 30000, &error), NEXAUTH_UNAVAILABLE);
    assert_int_equal(get(world, 1, 30000, &error), NEXAUTH_THROTTLED);
    finish(world);
}

static void a_refusal_holds_the_door_for_all(void **state)
{
    struct world *world = begin(100);
    struct nexauth_error error = {0};
    const int64_t begun_ms = world->fixture.script.boot_ms;

    (void)state;
    script_answer(&world->fixture.script, (struct script_answer){.status = 429, .retry_after = "20"});
    answer(world, "3600");
    assert_int_equal(get(world, 0, 30000, &error), NEXAUTH_THROTTLED);
    assert_int_equal(get(world, 1, 5000, &error), NEXAUTH_THROTTLED);
    assert_in_range(error.retry_after_ms, 20000, 24001);
    assert_int_equal(get(world, 1, 60000, &error), NEXAUTH_OK);
    assert_in_range(world->fixture.script.boot_ms - begun_ms, 20000, 24200);
    finish(world);
}

struct ends {
    int tokens, canceled, throttled, others;
};

static void count(void *context, nexauth_token *token, const struct nexauth_error *error)
{
    struct ends *ends = context;

    if (token)
        ends->tokens++;
    else if (error->status == NEXAUTH_CANCELED)
        ends->canceled++;
    else if (error->status == NEXAUTH_THROTTLED)
        ends->throttled++;
    else
        ends->others++;
}

static void start(struct world *world, int which, int64_t timeout_ms, struct ends *ends, nexauth_call **call)
{
    const struct nexauth_get_options options = {.timeout_ms = timeout_ms};

    assert_int_equal(nexauth_source_start(world->sources[which], &options, count, ends, call, NULL), NEXAUTH_OK);
}

static void polled_calls_wait_for_their_turns_alike(void **state)
{
    struct world *world = begin(2);
    const int64_t begun_ms = world->fixture.script.boot_ms;
    struct ends ends = {0};

    (void)state;
    for (int i = 0; i < 6; i++) {
        answer(world, "3600");
        start(world, i, 30000, &ends, NULL);
    }
    while (ends.tokens < 6)
        assert_int_equal(nexauth_session_poll(world->fixture.session, 10000, NULL), NEXAUTH_OK);
    assert_int_equal(world->fixture.script.boot_ms - begun_ms, 100 + 1001 + 100 + 1001 + 100);
    finish(world);
}

static void one_who_leaves_the_queue_makes_room_for_the_next(void **state)
{
    struct world *world = begin(1);
    const int64_t begun_ms = world->fixture.script.boot_ms;
    struct ends ends = {0};

    (void)state;
    answer(world, "3600");
    answer(world, "3600");
    for (int i = 0; i < 3; i++)
        start(world, i, 30000, &ends, NULL);
    assert_int_equal(nexauth_session_poll(world->fixture.session, 0, NULL), NEXAUTH_OK);
    nexauth_source_free(world->sources[1]); /* which waits for its turn */
    world->sources[1] = NULL;
    while (ends.tokens < 2)
        assert_int_equal(nexauth_session_poll(world->fixture.session, 10000, NULL), NEXAUTH_OK);
    assert_int_equal(ends.canceled, 1);
    assert_int_equal(world->fixture.script.boot_ms - begun_ms, 100 + 1001 + 100);
    finish(world);
}

static void a_session_may_end_while_flights_wait_for_their_turns(void **state)
{
    struct world *world = begin(1);
    struct ends ends = {0};

    (void)state;
    for (int i = 0; i < 4; i++)
        start(world, i, 30000, &ends, NULL);
    assert_int_equal(nexauth_session_poll(world->fixture.session, 0, NULL), NEXAUTH_OK);
    nexauth_session_free(world->fixture.session);
    world->fixture.session = NULL;
    assert_int_equal(ends.canceled, 4);
    finish(world);
}

static void who_joins_with_more_time_keeps_the_flight_in_the_queue(void **state)
{
    struct world *world = begin(1);
    struct ends ends = {0};

    (void)state;
    answer(world, "3600");
    answer(world, "3600");
    start(world, 0, 30000, &ends, NULL);
    assert_int_equal(nexauth_session_poll(world->fixture.session, 0, NULL), NEXAUTH_OK);
    start(world, 1, 1050, &ends, NULL); /* its turn may come in time, as far as is known now, and does not */
    assert_int_equal(nexauth_session_poll(world->fixture.session, 0, NULL), NEXAUTH_OK);
    start(world, 1, 30000, &ends, NULL);
    while (ends.tokens < 2)
        assert_int_equal(nexauth_session_poll(world->fixture.session, 10000, NULL), NEXAUTH_OK);
    assert_int_equal(ends.throttled + ends.others, 1);
    finish(world);
}

static void who_joins_with_too_little_time_is_told_at_once(void **state)
{
    struct world *world = begin(1);
    struct nexauth_error error = {0};
    struct ends ends = {0};

    (void)state;
    answer(world, "3600");
    answer(world, "3600");
    assert_int_equal(get(world, 0, 30000, &error), NEXAUTH_OK);
    start(world, 1, 30000, &ends, NULL);
    assert_int_equal(nexauth_session_poll(world->fixture.session, 0, NULL), NEXAUTH_OK);
    assert_int_equal(get(world, 1, 500, &error), NEXAUTH_THROTTLED);
    assert_int_equal(error.retry_after_ms, 1001);
    while (ends.tokens < 1)
        assert_int_equal(nexauth_session_poll(world->fixture.session, 10000, NULL), NEXAUTH_OK);
    finish(world);
}

static void in_its_first_window_a_process_takes_half(void **state)
{
    struct world *world = begin(4);
    const int64_t begun_ms = world->fixture.script.boot_ms;
    struct nexauth_error error = {0};

    (void)state;
    world->door.keeper.begun_us = begun_ms * 1000;
    for (int i = 0; i < 3; i++) {
        answer(world, "3600");
        assert_int_equal(get(world, i, 30000, &error), NEXAUTH_OK);
    }
    assert_int_equal(world->fixture.script.boot_ms - begun_ms, 100 + 900 + 100);
    finish(world);
}

static void without_a_ledger_nothing_leaves(void **state)
{
    struct world *world = begin(1);
    struct nexauth_error error = {0};

    (void)state;
    world->door.gone = true;
    assert_int_equal(get(world, 0, 30000, &error), NEXAUTH_THROTTLED);
    assert_true(error.retry_after_ms > 0);
    assert_int_equal(world->fixture.script.begun, 0);
    finish(world);
}

static void limits_that_cannot_be_are_refused(void **state)
{
    static const struct nexauth_limit limits[] = {
        {.origin = ORIGIN, .name = NULL},
        {.origin = ORIGIN "/path", .name = "requests"},
        {.origin = "nexcloud.io", .name = "requests"},
        {.origin = ORIGIN, .name = "requests", .requests = -1},
        {.origin = ORIGIN, .name = "requests", .requests = 100001},
        {.origin = ORIGIN, .name = "requests", .window_ms = -1},
        {.origin = ORIGIN, .name = "requests", .window_ms = 86400001},
    };
    struct nexauth_session_options options = {.limits_count = 1};
    nexauth_session *session = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        options.limits = &limits[i];
        assert_int_equal(nexauth_session_new(&options, &session, NULL), NEXAUTH_INVALID);
    }
    options.limits = NULL;
    assert_int_equal(nexauth_session_new(&options, &session, NULL), NEXAUTH_INVALID);
    options.limits_count = 65;
    assert_int_equal(nexauth_session_new(&options, &session, NULL), NEXAUTH_INVALID);
    assert_null(session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_finds_no_free_slot_waits_for_one),
        cmocka_unit_test(who_cannot_have_a_turn_in_time_is_told_at_once),
        cmocka_unit_test(a_good_token_is_handed_out_while_its_renewal_has_no_turn),
        cmocka_unit_test(a_request_that_did_not_leave_gives_its_slot_back),
        cmocka_unit_test(a_request_that_was_lost_keeps_its_slot_for_the_grace),
        cmocka_unit_test(a_gateway_that_answers_for_the_service_says_nothing_of_the_count),
        cmocka_unit_test(a_refusal_holds_the_door_for_all),
        cmocka_unit_test(polled_calls_wait_for_their_turns_alike),
        cmocka_unit_test(one_who_leaves_the_queue_makes_room_for_the_next),
        cmocka_unit_test(a_session_may_end_while_flights_wait_for_their_turns),
        cmocka_unit_test(who_joins_with_more_time_keeps_the_flight_in_the_queue),
        cmocka_unit_test(who_joins_with_too_little_time_is_told_at_once),
        cmocka_unit_test(in_its_first_window_a_process_takes_half),
        cmocka_unit_test(without_a_ledger_nothing_leaves),
        cmocka_unit_test(limits_that_cannot_be_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
