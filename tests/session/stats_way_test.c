/* How the last token of a source came, and why it was asked for. */
#include "support/test.h"

#include "support/fixture.h"

#include <stdio.h>

static const struct script_answer one = {.status = 200, .body = "{\"access_token\":\"one\",\"expires_in\":100}"};
static const struct script_answer two = {.status = 200, .body = "{\"access_token\":\"two\",\"expires_in\":100}"};

static struct nexauth_stats stats_of(nexauth_source *source)
{
    struct nexauth_stats stats = {0};
    struct nexauth_error error = {0};

    if (nexauth_source_stats(source, &stats, &error) != NEXAUTH_OK)
        fail_msg("%s", error.message);
    return stats;
}

/* The answers that count from the next request on. */
static void answer(struct fixture *fixture, const struct script_answer *first, const struct script_answer *second)
{
    fixture->script.answer_count = fixture->script.begun;
    if (first)
        script_answer(&fixture->script, *first);
    if (second)
        script_answer(&fixture->script, *second);
}

static nexauth_source *new_with(struct fixture *fixture, const struct script_answer *first)
{
    nexauth_source *source = fixture_new_controller(fixture);

    answer(fixture, first, NULL);
    assert_int_equal(fixture_get(source, NULL, NULL), NEXAUTH_OK);
    return source;
}

static void ignore(void *context, nexauth_token *token, const struct nexauth_error *error)
{
    (void)context;
    (void)token;
    (void)error;
}

/* How the last token came, and why. */
static void expect_way(nexauth_source *source, int way, int reason)
{
    const struct nexauth_stats stats = stats_of(source);

    assert_int_equal(stats.way, way);
    assert_int_equal(stats.reason, reason);
}

static void the_reason_of_the_last_token_is_told(void **state)
{
    struct fixture *fixture = *state;
    const struct {
        int64_t age_ms, min_validity_s;
        int reason;
    } cases[] = {
        {0, 0, NEXAUTH_REASON_FIRST},         {70000, 0, NEXAUTH_REASON_FIRST},
        {82000, 0, NEXAUTH_REASON_EARLY},     {95000, 0, NEXAUTH_REASON_LATE},
        {95000, 20, NEXAUTH_REASON_LATE},     {100000, 0, NEXAUTH_REASON_EXPIRED},
        {50000, 60, NEXAUTH_REASON_VALIDITY}, {82000, 60, NEXAUTH_REASON_VALIDITY},
        {100000, 60, NEXAUTH_REASON_EXPIRED},
    };

    for (size_t polls = 0; polls < 2; polls++) {
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            const struct nexauth_get_options options = {.min_validity_s = cases[i].min_validity_s};
            nexauth_source *source = new_with(fixture, &one);
            nexauth_token *token = NULL;

            script_pass_ms(&fixture->script, cases[i].age_ms);
            answer(fixture, &two, NULL);
            if (polls) {
                assert_int_equal(nexauth_source_start(source, &options, ignore, NULL, NULL, NULL), NEXAUTH_OK);
                assert_int_equal(nexauth_session_poll(fixture->session, 1000, NULL), NEXAUTH_OK);
                assert_int_equal(nexauth_session_poll(fixture->session, 1000, NULL), NEXAUTH_OK);
            } else {
                assert_int_equal(nexauth_source_get_token(source, &options, &token, NULL), NEXAUTH_OK);
            }
            expect_way(source, NEXAUTH_WAY_CREDENTIALS, cases[i].reason);
            nexauth_token_unref(token);
            nexauth_source_free(source);
        }
    }
}

static void a_token_in_place_of_a_rejected_one_is_told_as_such(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = new_with(fixture, &one);

    answer(fixture, &two, NULL);
    assert_int_equal(nexauth_source_reject_copy(source, "Authorization: Bearer one", NULL), NEXAUTH_OK);
    expect_way(source, NEXAUTH_WAY_CREDENTIALS, NEXAUTH_REASON_FIRST);
    assert_int_equal(fixture_get(source, "two", NULL), NEXAUTH_OK);
    expect_way(source, NEXAUTH_WAY_CREDENTIALS, NEXAUTH_REASON_REJECTED);
    nexauth_source_free(source);
}

/* Sends the user through the web handler. */
static void bring_code(nexauth_source *source)
{
    nexauth_authorization *authorization = NULL;
    char url[128];

    assert_int_equal(nexauth_source_authorize(source, &authorization, NULL), NEXAUTH_OK);
    snprintf(url, sizeof url, "/callback?code=c&state=%s", nexauth_authorization_state(authorization));
    assert_int_equal(nexauth_source_accept_redirect(source, url, nexauth_authorization_state(authorization), NULL),
                     NEXAUTH_OK);
    nexauth_authorization_free(authorization);
}

static void the_way_of_the_last_token_is_told(void **state)
{
    struct fixture *fixture = *state;
    const struct nexauth_saved_token saved = {
        .access_token = "saved", .obtained_at = 2000000000, .expires_at = 2000000100, .lifetime_s = 100};
    nexauth_source *customer = fixture_new_customer(fixture, &fixture_customer);
    nexauth_source *restored = fixture_new_controller(fixture);

    assert_int_equal(nexauth_source_restore_token(restored, &saved, NULL), NEXAUTH_OK);
    expect_way(restored, NEXAUTH_WAY_RESTORED, NEXAUTH_REASON_FIRST);
    expect_way(customer, NEXAUTH_WAY_NONE, NEXAUTH_REASON_NONE);
    answer(fixture, &fixture_right_redirect, &fixture_first_token);
    assert_int_equal(fixture_get(customer, "one", NULL), NEXAUTH_OK);
    expect_way(customer, NEXAUTH_WAY_CODE, NEXAUTH_REASON_FIRST);
    fixture_expire(fixture);
    answer(fixture, &fixture_second_token, NULL);
    assert_int_equal(fixture_get(customer, "two", NULL), NEXAUTH_OK);
    expect_way(customer, NEXAUTH_WAY_REFRESH, NEXAUTH_REASON_EXPIRED);
    bring_code(customer);
    answer(fixture, &fixture_first_token, NULL);
    assert_int_equal(fixture_get(customer, "one", NULL), NEXAUTH_OK);
    expect_way(customer, NEXAUTH_WAY_CODE, NEXAUTH_REASON_CODE);
    nexauth_source_free(customer);
    nexauth_source_free(restored);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(the_reason_of_the_last_token_is_told),
        IN_A_WORLD(a_token_in_place_of_a_rejected_one_is_told_as_such),
        IN_A_WORLD(the_way_of_the_last_token_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
