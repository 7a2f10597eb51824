/* The life of a token, row by row: when it is renewed, who waits for that, and what is handed out meanwhile. */
#include "support/test.h"

#include "support/life.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void a_fresh_token_is_handed_out_without_a_request(void **state)
{
    for (size_t i = 0; i < LIFE_COUNT; i++) {
        struct life life = life_begin(*state, life_lifetimes_s[i], LIFE_LOWEST);

        life_check_at_hand(&life, "old", 0);
        life_go_to(&life, life_lifetimes_s[i] * 500);
        life_check_at_hand(&life, "old", 0);
        life_go_to(&life, life.early_ms + 1);
        life_check_at_hand(&life, "old", 0);
        life_end(&life);
    }
}

/* A thousandth for what the counting generator's draws lack. */
static void the_early_window_begins_a_quarter_before_the_end_less_a_drawn_fifth(void **state)
{
    for (size_t i = 0; i < (size_t)2 * LIFE_COUNT; i++) {
        const unsigned char draw = i % 2 ? LIFE_HIGHEST : LIFE_LOWEST;
        struct life life = life_begin(*state, life_lifetimes_s[i / 2], draw);
        const int64_t window_ms = draw == LIFE_LOWEST ? life.early_ms : life.early_ms * 4 / 5;

        life_go_to(&life, window_ms + window_ms / 1000 + 2);
        life_check_at_hand(&life, "old", 0);
        life_answer_token(*state, "new", life_lifetimes_s[i / 2], 0);
        life_go_to(&life, window_ms - window_ms / 1000);
        assert_int_equal(life_get(&life, "new"), 0);
        life_check_requests(&life, 1);
        life_check_at_hand(&life, "new", 1);
        life_end(&life);
    }
}

static void one_caller_renews_early_and_waits_2_s_and_the_others_do_not_wait(void **state)
{
    for (size_t i = LIFE_FIRST_LONG; i < LIFE_COUNT; i++) {
        struct fixture *fixture = *state;
        struct life life = life_begin(fixture, life_lifetimes_s[i], LIFE_LOWEST);

        life_answer_token(fixture, "new", life_lifetimes_s[i], 2400);
        life_go_to(&life, life.early_ms * 9 / 10);
        assert_int_equal(life_get(&life, "old"), 2000);
        life_check_at_hand(&life, "old", 1);
        life_check_at_hand(&life, "old", 1);
        script_pass_ms(&fixture->script, 399);
        life_check_at_hand(&life, "old", 1);
        script_pass_ms(&fixture->script, 20); /* parked, it is looked for now and then */
        life_check_at_hand(&life, "new", 1);
        life_check_at_hand(&life, "new", 1);
        life_end(&life);
    }
}

static void a_caller_that_renews_early_waits_no_longer_than_it_said(void **state)
{
    const struct nexauth_get_options impatient = {.timeout_ms = 5};
    struct life life = life_begin(*state, 3600, LIFE_LOWEST);
    struct nexauth_error error = {0};

    life_answer_token(*state, "new", 3600, 1000);
    life_go_to(&life, life.early_ms / 2);
    assert_int_equal(life_get_with(&life, &impatient, "old", &error), 5);
    life_check_requests(&life, 1);
    life_end(&life);
}

static void an_early_renewal_that_comes_within_2_s_is_handed_out(void **state)
{
    for (size_t i = LIFE_FIRST_LONG; i < LIFE_COUNT; i++) {
        struct life life = life_begin(*state, life_lifetimes_s[i], LIFE_LOWEST);

        life_answer_token(*state, "new", life_lifetimes_s[i], 1999);
        life_go_to(&life, life.early_ms * 9 / 10);
        assert_int_equal(life_get(&life, "new"), 1999);
        life_check_requests(&life, 1);
        life_end(&life);
    }
}

/* The windows of brief tokens are shorter than the 2 s. */
static void a_token_that_ends_while_it_is_renewed_early_is_waited_for(void **state)
{
    struct life life = life_begin(*state, 2, LIFE_LOWEST);

    life_answer_token(*state, "new", 10, 2400);
    life_go_to(&life, 450);
    assert_int_equal(life_get(&life, "new"), 2400);
    life_check_requests(&life, 1);
    life_end(&life);
}

static void before_the_late_window_nobody_waits_for_another(void **state)
{
    const struct nexauth_get_options impatient = {.timeout_ms = 1};

    for (size_t i = 0; i < LIFE_COUNT; i++) {
        struct life life = life_begin(*state, life_lifetimes_s[i], LIFE_LOWEST);
        struct nexauth_error error = {0};

        life_answer_token(*state, "new", life_lifetimes_s[i], life.late_ms / 2);
        life_go_to(&life, life.late_ms + 2);
        assert_int_equal(life_get_with(&life, &impatient, "old", &error), 1);
        life_check_at_hand(&life, "old", 1);
        life_end(&life);
    }
}

static void from_the_late_window_on_all_wait(void **state)
{
    const struct nexauth_get_options impatient = {.timeout_ms = 1};

    for (size_t i = 0; i < LIFE_COUNT; i++) {
        struct life life = life_begin(*state, life_lifetimes_s[i], LIFE_LOWEST);
        nexauth_token *token = NULL;

        life_answer_token(*state, "new", life_lifetimes_s[i], life.late_ms / 2);
        life_go_to(&life, life.late_ms);
        nexauth_source_get_token(life.source, &impatient, &token, NULL);
        nexauth_token_unref(token);
        assert_int_equal(life_get(&life, "new"), life.late_ms / 2 - 1);
        life_check_requests(&life, 1);
        life_end(&life);
    }
}

static void a_good_token_is_handed_out_when_a_late_renewal_fails(void **state)
{
    for (size_t i = 0; i < LIFE_COUNT; i++) {
        struct life life = life_begin(*state, life_lifetimes_s[i], LIFE_LOWEST);

        const int64_t waited_ms = life.late_ms < 20000 ? life.late_ms : 20000;

        life_answer_failure(*state, waited_ms - 1);
        life_go_to(&life, waited_ms);
        assert_int_equal(life_get(&life, "old"), waited_ms - 1);
        life_check_requests(&life, 1);
        life_end(&life);
    }
}

static void who_asked_for_more_than_the_token_has_gets_the_error_of_a_late_renewal(void **state)
{
    for (size_t i = 0; i < LIFE_COUNT; i++) {
        struct life life = life_begin(*state, life_lifetimes_s[i], LIFE_LOWEST);
        const struct nexauth_get_options demanding = {.min_validity_s = life.late_ms / 1000 + 1};
        const struct nexauth_get_options modest = {.min_validity_s = life.late_ms / 4000};
        struct nexauth_error error = {0};

        life_answer_failure(*state, life.late_ms / 2);
        life_go_to(&life, life.late_ms);
        assert_int_equal(life_get_with(&life, &demanding, NULL, &error), life.late_ms / 2);
        assert_int_equal(error.status, NEXAUTH_UNAVAILABLE);
        assert_int_equal(error.http_status, 500);
        assert_in_range(error.retry_after_ms, 1, life.late_ms / 2);
        assert_int_equal(life_get_with(&life, &demanding, NULL, &error), 0);
        assert_int_equal(error.status, NEXAUTH_UNAVAILABLE);
        assert_int_equal(life_get_with(&life, &modest, "old", &error), 0);
        life_check_at_hand(&life, "old", 1);
        life_end(&life);
    }
}

static void what_is_over_is_never_handed_out_whatever_fails(void **state)
{
    static const struct script_answer failures[] = {{.status = 500},       {.status = 429},
                                                    {.status = 401},       {.status = 200, .body = "{"},
                                                    {.loss = NX_LOSS_TLS}, {.loss = NX_LOSS_CUT}};

    for (size_t i = 0; i < (size_t)2 * LIFE_COUNT * COUNT(failures); i++) {
        const bool flew_late = i % 2;
        struct life life = life_begin(*state, life_lifetimes_s[i / 2 / COUNT(failures)], LIFE_LOWEST);
        struct script_answer failure = failures[i / 2 % COUNT(failures)];

        failure.takes_ms = !flew_late ? 0 : life.late_ms < 10000 ? life.late_ms : 10000;
        life_go_to(&life, failure.takes_ms);
        script_answer(&life.fixture->script, failure);
        if (failure.loss == NX_LOSS_CUT)
            script_answer(&life.fixture->script, failure);
        life_get(&life, NULL);
        life_get(&life, NULL);
        life_check_requests(&life, failure.loss == NX_LOSS_CUT ? 2 : 1);
        life_end(&life);
    }
}

static void a_token_with_less_than_a_caller_needs_is_renewed(void **state)
{
    for (size_t i = 0; i < LIFE_COUNT; i++) {
        struct life life = life_begin(*state, life_lifetimes_s[i], LIFE_LOWEST);
        const struct nexauth_get_options demanding = {.min_validity_s = life_lifetimes_s[i] / 2};
        struct nexauth_error error = {0};

        life_go_to(&life, life_lifetimes_s[i] * 500);
        life_get_with(&life, &demanding, "old", &error);
        life_check_requests(&life, 0);
        life_go_to(&life, life_lifetimes_s[i] * 500 - 1);
        life_check_at_hand(&life, "old", 0);
        life_answer_token(*state, "new", life_lifetimes_s[i], 10);
        assert_int_equal(life_get_with(&life, &demanding, "new", &error), 10);
        life_check_requests(&life, 1);
        life_end(&life);
    }
}

static void asking_for_more_than_tokens_live_causes_no_storm(void **state)
{
    const struct nexauth_get_options insatiable = {.min_validity_s = LIFE_YEAR_S};

    for (size_t i = 0; i < LIFE_COUNT; i++) {
        struct life life = life_begin(*state, life_lifetimes_s[i], LIFE_LOWEST);
        struct nexauth_error error = {0};

        life_go_to(&life, life_lifetimes_s[i] * 500);
        for (int times = 0; times < 10; times++)
            life_get_with(&life, &insatiable, "old", &error);
        life_check_requests(&life, 0);
        life_answer_token(*state, "new", life_lifetimes_s[i], 0);
        life_go_to(&life, life_lifetimes_s[i] * 500 - 1);
        for (int times = 0; times < 10; times++)
            life_get_with(&life, &insatiable, "new", &error);
        life_check_requests(&life, 1);
        life_end(&life);
    }
}

static void a_token_that_has_just_come_is_given_whatever_was_asked_for(void **state)
{
    static const int64_t VALIDITIES_S[] = {1, 5, 9, 10, LIFE_YEAR_S};

    for (size_t i = 0; i < COUNT(VALIDITIES_S); i++) {
        const struct nexauth_get_options demanding = {.min_validity_s = VALIDITIES_S[i]};
        struct life life = {.fixture = *state, .source = life_new_source(*state)};
        struct nexauth_error error = {0};

        life_answer_token(*state, "brief", 10, 9999);
        assert_int_equal(life_get_with(&life, &demanding, "brief", &error), 9999);
        life_end(&life);
    }
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(a_fresh_token_is_handed_out_without_a_request),
        IN_A_WORLD(the_early_window_begins_a_quarter_before_the_end_less_a_drawn_fifth),
        IN_A_WORLD(one_caller_renews_early_and_waits_2_s_and_the_others_do_not_wait),
        IN_A_WORLD(a_caller_that_renews_early_waits_no_longer_than_it_said),
        IN_A_WORLD(an_early_renewal_that_comes_within_2_s_is_handed_out),
        IN_A_WORLD(a_token_that_ends_while_it_is_renewed_early_is_waited_for),
        IN_A_WORLD(before_the_late_window_nobody_waits_for_another),
        IN_A_WORLD(from_the_late_window_on_all_wait),
        IN_A_WORLD(a_good_token_is_handed_out_when_a_late_renewal_fails),
        IN_A_WORLD(who_asked_for_more_than_the_token_has_gets_the_error_of_a_late_renewal),
        IN_A_WORLD(what_is_over_is_never_handed_out_whatever_fails),
        IN_A_WORLD(a_token_with_less_than_a_caller_needs_is_renewed),
        IN_A_WORLD(asking_for_more_than_tokens_live_causes_no_storm),
        IN_A_WORLD(a_token_that_has_just_come_is_given_whatever_was_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
