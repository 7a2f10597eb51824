/* A wall clock that jumps, and a machine that sleeps: the boot clock alone says how long a token is good. */
#include "support/test.h"

#include "support/fixture.h"

#include <stdio.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

enum { DAY_S = 86400, LIFETIME_MS = 3600000 };

static const int64_t JUMPS_S[] = {DAY_S, -DAY_S, (int64_t)50 * 365 * DAY_S, (int64_t)-50 * 365 * DAY_S};

/* Before the end of a token of an hour: fresh, early (whatever was drawn), late, and at the last moment. */
static const int64_t PHASES_MS[] = {3000000, 700000, 30000, 1};

#define UNAVAILABLE                                                                                                    \
    {                                                                                                                  \
        .status = 500                                                                                                  \
    }
#define NEW_TOKEN                                                                                                      \
    {                                                                                                                  \
        .status = 200, .body = "{\"access_token\":\"new\",\"expires_in\":3600}"                                        \
    }

static const struct script_answer unavailable = UNAVAILABLE;
static const struct script_answer another = NEW_TOKEN;

static void jump(struct fixture *fixture, int64_t seconds)
{
    fixture->script.wall_s += seconds;
}

static void sleep_for(struct fixture *fixture, int64_t ms)
{
    script_pass_ms(&fixture->script, ms);
    fixture->script.asleep_ms += ms;
}

static nexauth_source *new_source(struct fixture *fixture)
{
    static int number;
    char controller_id[16];
    struct nexauth_nex_controller_options options = fixture_controller;
    nexauth_source *source = NULL;

    snprintf(controller_id, sizeof controller_id, "%d", number++);
    options.controller_id = controller_id;
    assert_int_equal(nexauth_source_new_nex_controller(fixture->session, &options, &source, NULL), NEXAUTH_OK);
    return source;
}

/* A source that holds the token "old", which has just been made. */
static nexauth_source *begin_life(struct fixture *fixture, const char *lifetime_s)
{
    nexauth_source *source = new_source(fixture);
    struct nexauth_error error = {0};

    fixture_answer_token(fixture, "old", lifetime_s);
    fixture->script.answers[fixture->script.answer_count - 1].takes_ms = 0;
    fixture_get(source, "old", &error);
    return source;
}

/* Both verbs, which have paths of their own. */
static const char *ask(nexauth_source *source, bool copies, char *text, size_t size)
{
    static const char scheme[] = "Authorization: Bearer ";
    nexauth_token *token = NULL;
    size_t length;

    if (copies)
        return nexauth_source_copy_token(source, NULL, text, size, &length, NULL) ? NULL : text + strlen(scheme);
    if (nexauth_source_get_token(source, NULL, &token, NULL))
        return NULL;
    snprintf(text, size, "%s", nexauth_token_access_token(token));
    nexauth_token_unref(token);
    return text;
}

/* Asks both ways, the one that `copies` says first. */
static void check_gets(nexauth_source *source, bool copies, const char *expected)
{
    for (int i = 0; i < 2; i++) {
        char text[64];
        const char *given = ask(source, copies != (i > 0), text, sizeof text);

        if (!expected)
            assert_null(given);
        else if (!given)
            fail_msg("no token");
        else
            assert_string_equal(given, expected);
    }
}

static void no_jump_makes_a_token_live_longer(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < 2 * COUNT(PHASES_MS) * COUNT(JUMPS_S); i++) {
        const int64_t left_ms = PHASES_MS[i / 2 / COUNT(JUMPS_S)];
        nexauth_source *source = begin_life(fixture, "3600");

        script_pass_ms(&fixture->script, LIFETIME_MS - left_ms);
        for (int times = 0; times < 4; times++)
            script_answer(&fixture->script, unavailable);
        check_gets(source, i % 2, "old");
        jump(fixture, JUMPS_S[i / 2 % COUNT(JUMPS_S)]);
        check_gets(source, i % 2, "old");
        script_pass_ms(&fixture->script, left_ms);
        check_gets(source, i % 2, NULL);
        fixture->script.answer_count = fixture->script.begun;
        nexauth_source_free(source);
    }
}

static void no_jump_brings_an_expired_token_back(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < 2 * COUNT(JUMPS_S); i++) {
        nexauth_source *source = begin_life(fixture, "3600");

        check_gets(source, i % 2, "old");
        script_pass_ms(&fixture->script, LIFETIME_MS);
        jump(fixture, JUMPS_S[i / 2]);
        script_answer(&fixture->script, unavailable);
        check_gets(source, i % 2, NULL);
        nexauth_source_free(source);
    }
}

static void a_jump_back_causes_no_request(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < COUNT(JUMPS_S); i++) {
        nexauth_source *source = begin_life(fixture, "3600");
        const size_t requests = fixture->script.begun;

        jump(fixture, JUMPS_S[i] < 0 ? JUMPS_S[i] : -JUMPS_S[i]);
        check_gets(source, i % 2, "old");
        script_pass_ms(&fixture->script, 2600000);
        check_gets(source, i % 2, "old");
        assert_int_equal(fixture->script.begun, requests);
        nexauth_source_free(source);
    }
}

static void a_token_past_its_time_by_the_wall_clock_alone_is_renewed_early(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < COUNT(JUMPS_S); i += 2) {
        nexauth_source *source = begin_life(fixture, "3600");
        const size_t requests = fixture->script.begun;
        const int64_t begun_ms = fixture->script.boot_ms;

        fixture_answer_token(fixture, "new", "3600");
        fixture->script.answers[requests].takes_ms = 2400;
        jump(fixture, JUMPS_S[i]);
        check_gets(source, false, "old");
        assert_int_equal(fixture->script.boot_ms - begun_ms, 2000);
        check_gets(source, true, "old");
        assert_int_equal(fixture->script.boot_ms - begun_ms, 2000);
        script_pass_ms(&fixture->script, 420);
        check_gets(source, true, "new");
        assert_int_equal(fixture->script.begun, requests + 1);
        nexauth_source_free(source);
    }
}

static uint64_t requests_of(nexauth_source *source)
{
    struct nexauth_stats stats = {0};

    assert_int_equal(nexauth_source_stats(source, &stats, NULL), NEXAUTH_OK);
    return stats.requests;
}

enum { MANY = 100 };

/* Asks all again and again for two minutes, in which no token ends. */
static void ask_all(struct fixture *fixture, nexauth_source **sources)
{
    char text[64];

    for (size_t i = 0; i < (size_t)24 * MANY; i++) {
        assert_non_null(ask(sources[i % MANY], i / MANY % 2, text, sizeof text));
        if (i % MANY == MANY - 1)
            script_pass_ms(&fixture->script, 5000);
    }
}

static void a_jump_causes_one_request_of_each_source_at_most(void **state)
{
    static const struct script_answer answers[] = {UNAVAILABLE, NEW_TOKEN};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < COUNT(answers) * COUNT(JUMPS_S); i++) {
        const int64_t jump_s = JUMPS_S[i / COUNT(answers)];
        nexauth_source *sources[MANY];

        script_answer_always(&fixture->script, another);
        for (size_t j = 0; j < MANY; j++)
            sources[j] = new_source(fixture);
        ask_all(fixture, sources);
        script_answer_always(&fixture->script, answers[i % COUNT(answers)]);
        jump(fixture, jump_s);
        ask_all(fixture, sources);
        for (size_t j = 0; j < MANY; j++)
            assert_int_equal(requests_of(sources[j]), jump_s > 0 ? 2 : 1);
        jump(fixture, -jump_s);
        ask_all(fixture, sources);
        for (size_t j = 0; j < MANY; j++) {
            assert_int_equal(requests_of(sources[j]), jump_s > 0 ? 2 : 1); /* the wall clock is right again */
            nexauth_source_free(sources[j]);
        }
    }
}

static void a_jump_does_not_end_the_hold_of_a_failed_renewal(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = begin_life(fixture, "3600");

    script_answer_always(&fixture->script, unavailable);
    for (size_t i = 0; i < COUNT(JUMPS_S); i++) {
        jump(fixture, DAY_S);
        check_gets(source, i % 2, "old");
    }
    assert_int_equal(requests_of(source), 2);
    nexauth_source_free(source);
}

/* Some are shorter than what the coarse clocks let pass. */
static void what_expired_while_the_machine_slept_is_not_handed_out(void **state)
{
    static const struct {
        const char *lifetime_s;
        int64_t age_ms, slept_ms;
    } CASES[] = {{"3600", 0, 3600000},   {"3600", 1000, 3599000}, {"3600", 2699999, 900001},
                 {"3600", 0, 864000000}, {"10", 0, 10000},        {"10", 7499, 2501},
                 {"5", 3999, 1001},      {"4", 2999, 1001},       {"4", 3000, 1000},
                 {"3", 2249, 751},       {"2", 1499, 501},        {"2", 1499, 1000},
                 {"1", 0, 1000},         {"1", 749, 251},         {"1", 749, 500}};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < 2 * COUNT(CASES); i++) {
        nexauth_source *source = begin_life(fixture, CASES[i / 2].lifetime_s);

        for (int times = 0; times < 4; times++)
            script_answer(&fixture->script, unavailable);
        script_pass_ms(&fixture->script, CASES[i / 2].age_ms);
        check_gets(source, i % 2, "old");
        sleep_for(fixture, CASES[i / 2].slept_ms);
        check_gets(source, i % 2, NULL);
        fixture->script.answer_count = fixture->script.begun;
        nexauth_source_free(source);
    }
}

static void a_jump_back_does_not_hide_a_sleep(void **state)
{
    struct fixture *fixture = *state;

    for (int i = 0; i < 2; i++) {
        nexauth_source *source = begin_life(fixture, "3600");

        sleep_for(fixture, LIFETIME_MS);
        jump(fixture, -DAY_S);
        script_answer(&fixture->script, unavailable);
        check_gets(source, i, NULL);
        nexauth_source_free(source);
    }
}

/* Its renewal has failed, and is not tried again: it is handed out to its end. */
static void what_is_held_and_expired_while_the_machine_slept_is_not_handed_out(void **state)
{
    struct fixture *fixture = *state;

    for (int64_t slept_ms = 1; slept_ms <= 10000; slept_ms *= 10) {
        nexauth_source *source = begin_life(fixture, "60");

        script_pass_ms(&fixture->script, 48000);
        script_answer(&fixture->script, (struct script_answer){.status = 429, .retry_after = "40"});
        check_gets(source, false, "old");
        script_pass_ms(&fixture->script, 12000 - slept_ms);
        check_gets(source, slept_ms % 3 == 0, "old");
        sleep_for(fixture, slept_ms);
        check_gets(source, slept_ms % 3 != 0, NULL);
        nexauth_source_free(source);
    }
}

/* A machine that dozes, a little each time. */
static void many_short_sleeps_count_too(void **state)
{
    struct fixture *fixture = *state;

    for (int i = 0; i < 2; i++) {
        nexauth_source *source = begin_life(fixture, "60");

        for (int ms = 900; ms < 45000; ms += 900) {
            sleep_for(fixture, 900);
            check_gets(source, i, "old");
        }
        script_answer(&fixture->script, unavailable);
        check_gets(source, i, "old");
        for (int times = 0; times < 20; times++)
            sleep_for(fixture, 900);
        script_answer(&fixture->script, unavailable);
        check_gets(source, i, NULL);
        fixture->script.answer_count = fixture->script.begun;
        nexauth_source_free(source);
    }
}

static void a_sleep_that_a_token_outlives_causes_no_request(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = begin_life(fixture, "3600");

    for (int i = 0; i < 20; i++) {
        sleep_for(fixture, 100000);
        check_gets(source, i % 2, "old");
    }
    assert_int_equal(fixture->script.begun, 1);
    nexauth_source_free(source);
}

/* Only the wall clock knows when such a token ends. A box without a battery clock looks first, and then sets it. */
static void a_static_token_ends_by_the_wall_clock_whatever_that_said_before(void **state)
{
    const struct nexauth_static_options options = {.access_token = "key", .expires_at = 2000003600};
    struct fixture *fixture = *state;
    nexauth_source *source = NULL;

    for (int copies = 0; copies < 2; copies++) {
        fixture->script.wall_s = 1000;
        assert_int_equal(nexauth_source_new_static(fixture->session, &options, &source, NULL), NEXAUTH_OK);
        check_gets(source, copies > 0, "key");
        jump(fixture, 2000000000 - 1000);
        check_gets(source, copies > 0, "key");
        script_pass_ms(&fixture->script, 3599000);
        check_gets(source, copies > 0, "key");
        script_pass_ms(&fixture->script, 1000);
        check_gets(source, copies > 0, NULL);
        script_pass_ms(&fixture->script, (int64_t)DAY_S * 1000);
        check_gets(source, copies > 0, NULL);
        nexauth_source_free(source);
    }
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(no_jump_makes_a_token_live_longer),
        IN_A_WORLD(no_jump_brings_an_expired_token_back),
        IN_A_WORLD(a_jump_back_causes_no_request),
        IN_A_WORLD(a_token_past_its_time_by_the_wall_clock_alone_is_renewed_early),
        IN_A_WORLD(a_jump_causes_one_request_of_each_source_at_most),
        IN_A_WORLD(a_jump_does_not_end_the_hold_of_a_failed_renewal),
        IN_A_WORLD(a_jump_back_does_not_hide_a_sleep),
        IN_A_WORLD(what_expired_while_the_machine_slept_is_not_handed_out),
        IN_A_WORLD(what_is_held_and_expired_while_the_machine_slept_is_not_handed_out),
        IN_A_WORLD(many_short_sleeps_count_too),
        IN_A_WORLD(a_sleep_that_a_token_outlives_causes_no_request),
        IN_A_WORLD(a_static_token_ends_by_the_wall_clock_whatever_that_said_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
