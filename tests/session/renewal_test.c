/* The life of a token, row by row: when it is renewed, who waits for that, and what is handed out meanwhile. */
#include "support/test.h"

#include "support/fixture.h"

#include <stdio.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* The first byte of a draw: the lowest and the highest that the counting generator has. */
enum { LOWEST = 0xfd, HIGHEST = 0xfc };

enum { YEAR_S = 31536000 };

static const int64_t LIFETIMES_S[] = {2, 10, 60, 300, 3600, 7200, 1209600, YEAR_S};
enum { FIRST_LONG = 2 }; /* from here on, the early window leaves more than the 2 s that a caller waits */

static const struct script_answer unavailable = {.status = 500};

/* A source that holds the token "old". */
struct life {
    struct fixture *fixture;
    nexauth_source *source;
    int64_t end_ms;
    int64_t early_ms, late_ms; /* the windows at their longest, counted from the end */
    size_t requests;           /* begun when the life began */
};

/* Credentials of its own: what fails for one is not held against another. The service is one that does not clamp. */
static nexauth_source *new_source(struct fixture *fixture)
{
    static int number;
    char client_id[16];
    const struct nexauth_quantoz_options options = {
        .client_id = client_id, .client_secret = "hidden", .environment = NEXAUTH_QUANTOZ_TEST};
    nexauth_source *source = NULL;

    snprintf(client_id, sizeof client_id, "client-%d", number++);
    assert_int_equal(nexauth_source_new_quantoz(fixture->session, &options, &source, NULL), NEXAUTH_OK);
    return source;
}

static void answer_token(struct fixture *fixture, const char *token, int64_t lifetime_s, int64_t takes_ms)
{
    char lifetime[24];

    snprintf(lifetime, sizeof lifetime, "%lld", (long long)lifetime_s);
    fixture_answer_token(fixture, token, lifetime);
    fixture->script.answers[fixture->script.answer_count - 1].takes_ms = takes_ms;
}

static void answer_failure(struct fixture *fixture, int64_t takes_ms)
{
    struct script_answer answer = unavailable;

    answer.takes_ms = takes_ms;
    script_answer(&fixture->script, answer);
}

static struct life begin_life(struct fixture *fixture, int64_t lifetime_s, unsigned char draw)
{
    const int64_t lifetime_ms = lifetime_s * 1000;
    struct nexauth_error error = {0};
    struct life life = {.fixture = fixture,
                        .source = new_source(fixture),
                        .end_ms = fixture->script.boot_ms + lifetime_ms,
                        .early_ms = lifetime_ms / 4 < 3600000 ? lifetime_ms / 4 : 3600000,
                        .late_ms = lifetime_ms / 10 < 60000 ? lifetime_ms / 10 : 60000};

    answer_token(fixture, "old", lifetime_s, 0);
    fixture->script.next_byte = draw;
    fixture_get(life.source, "old", &error);
    life.requests = fixture->script.begun;
    return life;
}

static void end_life(struct life *life)
{
    nexauth_source_free(life->source);
}

static void go_to(struct life *life, int64_t before_end_ms)
{
    script_pass_ms(&life->fixture->script, life->end_ms - before_end_ms - life->fixture->script.boot_ms);
}

static void check_requests(const struct life *life, size_t expected)
{
    if (life->fixture->script.begun - life->requests != expected)
        fail_msg("%zu requests instead of %zu, %lld ms before the end", life->fixture->script.begun - life->requests,
                 expected, (long long)(life->end_ms - life->fixture->script.boot_ms));
}

/* Gets a token (NULL: an error), and says how long that took. */
static int64_t get_with(struct life *life, const struct nexauth_get_options *options, const char *expected,
                        struct nexauth_error *error)
{
    const int64_t begun_ms = life->fixture->script.boot_ms;
    nexauth_token *token = NULL;

    nexauth_source_get_token(life->source, options, &token, error);
    if (!expected)
        assert_null(token);
    else if (!token)
        fail_msg("%s: %s", nexauth_status_name(error->status), error->message);
    else
        assert_string_equal(nexauth_token_access_token(token), expected);
    nexauth_token_unref(token);
    return life->fixture->script.boot_ms - begun_ms;
}

static int64_t get(struct life *life, const char *expected)
{
    struct nexauth_error error = {0};

    return get_with(life, NULL, expected, &error);
}

/* The token is had at once, and nothing is sent. */
static void check_at_hand(struct life *life, const char *expected, size_t requests)
{
    assert_int_equal(get(life, expected), 0);
    check_requests(life, requests);
}

static void a_fresh_token_is_handed_out_without_a_request(void **state)
{
    for (size_t i = 0; i < COUNT(LIFETIMES_S); i++) {
        struct life life = begin_life(*state, LIFETIMES_S[i], LOWEST);

        check_at_hand(&life, "old", 0);
        go_to(&life, LIFETIMES_S[i] * 500);
        check_at_hand(&life, "old", 0);
        go_to(&life, life.early_ms + 1);
        check_at_hand(&life, "old", 0);
        end_life(&life);
    }
}

/* A thousandth for what the counting generator's draws lack. */
static void the_early_window_begins_a_quarter_before_the_end_less_a_drawn_fifth(void **state)
{
    for (size_t i = 0; i < 2 * COUNT(LIFETIMES_S); i++) {
        const unsigned char draw = i % 2 ? HIGHEST : LOWEST;
        struct life life = begin_life(*state, LIFETIMES_S[i / 2], draw);
        const int64_t window_ms = draw == LOWEST ? life.early_ms : life.early_ms * 4 / 5;

        go_to(&life, window_ms + window_ms / 1000 + 2);
        check_at_hand(&life, "old", 0);
        answer_token(*state, "new", LIFETIMES_S[i / 2], 0);
        go_to(&life, window_ms - window_ms / 1000);
        assert_int_equal(get(&life, "new"), 0);
        check_requests(&life, 1);
        check_at_hand(&life, "new", 1);
        end_life(&life);
    }
}

static void one_caller_renews_early_and_waits_2_s_and_the_others_do_not_wait(void **state)
{
    for (size_t i = FIRST_LONG; i < COUNT(LIFETIMES_S); i++) {
        struct fixture *fixture = *state;
        struct life life = begin_life(fixture, LIFETIMES_S[i], LOWEST);

        answer_token(fixture, "new", LIFETIMES_S[i], 2400);
        go_to(&life, life.early_ms * 9 / 10);
        assert_int_equal(get(&life, "old"), 2000);
        check_at_hand(&life, "old", 1);
        check_at_hand(&life, "old", 1);
        script_pass_ms(&fixture->script, 399);
        check_at_hand(&life, "old", 1);
        script_pass_ms(&fixture->script, 20); /* parked, it is looked for now and then */
        check_at_hand(&life, "new", 1);
        check_at_hand(&life, "new", 1);
        end_life(&life);
    }
}

static void a_caller_that_renews_early_waits_no_longer_than_it_said(void **state)
{
    const struct nexauth_get_options impatient = {.timeout_ms = 5};
    struct life life = begin_life(*state, 3600, LOWEST);
    struct nexauth_error error = {0};

    answer_token(*state, "new", 3600, 1000);
    go_to(&life, life.early_ms / 2);
    assert_int_equal(get_with(&life, &impatient, "old", &error), 5);
    check_requests(&life, 1);
    end_life(&life);
}

static void an_early_renewal_that_comes_within_2_s_is_handed_out(void **state)
{
    for (size_t i = FIRST_LONG; i < COUNT(LIFETIMES_S); i++) {
        struct life life = begin_life(*state, LIFETIMES_S[i], LOWEST);

        answer_token(*state, "new", LIFETIMES_S[i], 1999);
        go_to(&life, life.early_ms * 9 / 10);
        assert_int_equal(get(&life, "new"), 1999);
        check_requests(&life, 1);
        end_life(&life);
    }
}

/* The windows of brief tokens are shorter than the 2 s. */
static void a_token_that_ends_while_it_is_renewed_early_is_waited_for(void **state)
{
    struct life life = begin_life(*state, 2, LOWEST);

    answer_token(*state, "new", 2, 1000);
    go_to(&life, 450);
    assert_int_equal(get(&life, "new"), 1000);
    check_requests(&life, 1);
    end_life(&life);
}

static void before_the_late_window_nobody_waits_for_another(void **state)
{
    const struct nexauth_get_options impatient = {.timeout_ms = 1};

    for (size_t i = 0; i < COUNT(LIFETIMES_S); i++) {
        struct life life = begin_life(*state, LIFETIMES_S[i], LOWEST);
        struct nexauth_error error = {0};

        answer_token(*state, "new", LIFETIMES_S[i], life.late_ms / 2);
        go_to(&life, life.late_ms + 2);
        assert_int_equal(get_with(&life, &impatient, "old", &error), 1);
        check_at_hand(&life, "old", 1);
        end_life(&life);
    }
}

static void from_the_late_window_on_all_wait(void **state)
{
    const struct nexauth_get_options impatient = {.timeout_ms = 1};

    for (size_t i = 0; i < COUNT(LIFETIMES_S); i++) {
        struct life life = begin_life(*state, LIFETIMES_S[i], LOWEST);
        nexauth_token *token = NULL;

        answer_token(*state, "new", LIFETIMES_S[i], life.late_ms / 2);
        go_to(&life, life.late_ms);
        nexauth_source_get_token(life.source, &impatient, &token, NULL);
        nexauth_token_unref(token);
        assert_int_equal(get(&life, "new"), life.late_ms / 2 - 1);
        check_requests(&life, 1);
        end_life(&life);
    }
}

static void a_good_token_is_handed_out_when_a_late_renewal_fails(void **state)
{
    for (size_t i = 0; i < COUNT(LIFETIMES_S); i++) {
        struct life life = begin_life(*state, LIFETIMES_S[i], LOWEST);

        const int64_t waited_ms = life.late_ms < 20000 ? life.late_ms : 20000;

        answer_failure(*state, waited_ms - 1);
        go_to(&life, waited_ms);
        assert_int_equal(get(&life, "old"), waited_ms - 1);
        check_requests(&life, 1);
        end_life(&life);
    }
}

static void who_asked_for_more_than_the_token_has_gets_the_error_of_a_late_renewal(void **state)
{
    for (size_t i = 0; i < COUNT(LIFETIMES_S); i++) {
        struct life life = begin_life(*state, LIFETIMES_S[i], LOWEST);
        const struct nexauth_get_options demanding = {.min_validity_s = life.late_ms / 1000 + 1};
        const struct nexauth_get_options modest = {.min_validity_s = life.late_ms / 4000};
        struct nexauth_error error = {0};

        answer_failure(*state, life.late_ms / 2);
        go_to(&life, life.late_ms);
        assert_int_equal(get_with(&life, &demanding, NULL, &error), life.late_ms / 2);
        assert_int_equal(error.status, NEXAUTH_UNAVAILABLE);
        assert_int_equal(error.http_status, 500);
        assert_in_range(error.retry_after_ms, 1, life.late_ms / 2);
        assert_int_equal(get_with(&life, &demanding, NULL, &error), 0);
        assert_int_equal(error.status, NEXAUTH_UNAVAILABLE);
        assert_int_equal(get_with(&life, &modest, "old", &error), 0);
        check_at_hand(&life, "old", 1);
        end_life(&life);
    }
}

static void what_is_over_is_never_handed_out_whatever_fails(void **state)
{
    static const struct script_answer failures[] = {{.status = 500},       {.status = 429},
                                                    {.status = 401},       {.status = 200, .body = "{"},
                                                    {.loss = NX_LOSS_TLS}, {.loss = NX_LOSS_CUT}};

    for (size_t i = 0; i < 2 * COUNT(LIFETIMES_S) * COUNT(failures); i++) {
        const bool flew_late = i % 2;
        struct life life = begin_life(*state, LIFETIMES_S[i / 2 / COUNT(failures)], LOWEST);
        struct script_answer failure = failures[i / 2 % COUNT(failures)];

        failure.takes_ms = !flew_late ? 0 : life.late_ms < 10000 ? life.late_ms : 10000;
        go_to(&life, failure.takes_ms);
        script_answer(&life.fixture->script, failure);
        if (failure.loss == NX_LOSS_CUT)
            script_answer(&life.fixture->script, failure);
        get(&life, NULL);
        get(&life, NULL);
        check_requests(&life, failure.loss == NX_LOSS_CUT ? 2 : 1);
        end_life(&life);
    }
}

/* The bounds of the hold after an early renewal that failed when so much remained. */
static int64_t hold_ms(int64_t remaining_ms, unsigned char draw)
{
    const int64_t quarter_ms = remaining_ms / 4;
    const int64_t most_ms = quarter_ms < 300000 ? quarter_ms : 300000;
    const int64_t drawn_ms = draw == LOWEST ? most_ms / 2 : most_ms;
    const int64_t least_ms = quarter_ms < 30000 ? quarter_ms : 30000;
    const int64_t held_ms = drawn_ms > least_ms ? drawn_ms : least_ms;

    return held_ms > 1000 ? held_ms : 1000;
}

static void after_a_failed_early_renewal_the_token_is_served_and_held(void **state)
{
    for (size_t i = 0; i < 2 * COUNT(LIFETIMES_S); i++) {
        const unsigned char draw = i % 2 ? HIGHEST : LOWEST;
        struct life life = begin_life(*state, LIFETIMES_S[i / 2], LOWEST);
        const int64_t remaining_ms = life.early_ms * 4 / 5;
        const int64_t held_ms = hold_ms(remaining_ms, draw);

        if (held_ms >= remaining_ms) {
            end_life(&life);
            continue;
        }
        go_to(&life, remaining_ms);
        life.fixture->script.next_byte = draw;
        answer_failure(*state, 0);
        assert_int_equal(get(&life, "old"), 0);
        check_requests(&life, 1);
        check_at_hand(&life, "old", 1);
        go_to(&life, remaining_ms - (held_ms - held_ms / 100 - 1));
        check_at_hand(&life, "old", 1);
        answer_token(*state, "new", LIFETIMES_S[i / 2], 0);
        go_to(&life, remaining_ms - (held_ms + held_ms / 100));
        check_at_hand(&life, "new", 2);
        end_life(&life);
    }
}

/* Asked every 20 ms, while what one caller began is left to whoever comes along. */
static void a_slow_failure_holds_too(void **state)
{
    static const struct {
        struct script_answer answer;
        int64_t takes_at_most_ms;
        size_t requests;
    } CASES[] = {{{.status = 500, .takes_ms = 3000}, 3000, 1},
                 {{.loss = NX_LOSS_TLS, .takes_ms = 9000}, 9000, 1},
                 {{.loss = NX_LOSS_CUT, .takes_ms = 3000}, 7250, 2},
                 {{.takes_ms = INT64_MAX}, 30000, 1}};

    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct life life = begin_life(*state, 3600, LOWEST);

        go_to(&life, 720000);
        for (size_t times = 0; times < CASES[i].requests; times++)
            script_answer(&life.fixture->script, CASES[i].answer);
        script_answer_always(&life.fixture->script, CASES[i].answer);
        get(&life, "old");
        for (int64_t ms = 0; ms < CASES[i].takes_at_most_ms + hold_ms(680000, LOWEST) - 3000; ms += 20) {
            get(&life, "old");
            script_pass_ms(&life.fixture->script, 20);
        }
        check_requests(&life, CASES[i].requests);
        end_life(&life);
        life.fixture->script.stands = false;
    }
}

static void a_service_that_says_when_to_come_back_is_not_asked_before(void **state)
{
    static const struct {
        int64_t lifetime_s;
        const char *retry_after;
        int64_t held_ms;
    } CASES[] = {{10, "1", 1000},        {60, "7", 7000},       {300, "20", 20000},
                 {3600, "400", 400000},  {7200, "400", 400000}, {1209600, "2000", 2000000},
                 {YEAR_S, "401", 401000}};

    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct life life = begin_life(*state, CASES[i].lifetime_s, LOWEST);
        const int64_t remaining_ms = life.early_ms * 4 / 5;

        go_to(&life, remaining_ms);
        life.fixture->script.next_byte = LOWEST;
        script_answer(&life.fixture->script,
                      (struct script_answer){.status = 429, .retry_after = CASES[i].retry_after});
        check_at_hand(&life, "old", 1);
        go_to(&life, remaining_ms - CASES[i].held_ms + 1);
        check_at_hand(&life, "old", 1);
        answer_token(*state, "new", CASES[i].lifetime_s, 0);
        go_to(&life, remaining_ms - CASES[i].held_ms);
        check_at_hand(&life, "new", 2);
        end_life(&life);
    }
}

static void a_hold_beyond_the_end_of_a_token_serves_it_to_its_end_only(void **state)
{
    struct life life = begin_life(*state, 60, LOWEST);
    struct nexauth_error error = {0};

    go_to(&life, 12000);
    script_answer(&life.fixture->script, (struct script_answer){.status = 429, .retry_after = "400"});
    check_at_hand(&life, "old", 1);
    go_to(&life, 1);
    check_at_hand(&life, "old", 1);
    go_to(&life, 0);
    assert_int_equal(get_with(&life, NULL, NULL, &error), 0);
    assert_int_equal(error.status, NEXAUTH_THROTTLED);
    assert_int_equal(error.retry_after_ms, 388000);
    check_requests(&life, 1);
    answer_token(*state, "new", 60, 0);
    go_to(&life, -388000);
    check_at_hand(&life, "new", 2);
    end_life(&life);
}

static void a_token_that_comes_back_is_not_asked_for_before_half_of_what_remains(void **state)
{
    for (size_t i = 0; i < COUNT(LIFETIMES_S); i++) {
        struct life life = begin_life(*state, LIFETIMES_S[i], LOWEST);
        const int64_t remaining_ms = life.early_ms * 4 / 5;

        go_to(&life, remaining_ms);
        answer_token(*state, "old", LIFETIMES_S[i], 0); /* as if it had just been made */
        check_at_hand(&life, "old", 1);
        go_to(&life, remaining_ms / 2 + 1);
        check_at_hand(&life, "old", 1);
        go_to(&life, remaining_ms / 2);
        answer_failure(*state, 0);
        check_at_hand(&life, "old", 2);
        go_to(&life, 0);
        answer_failure(*state, 0);
        get(&life, NULL); /* the sooner end counts */
        check_requests(&life, 3);
        end_life(&life);
    }
}

static void a_token_that_comes_back_with_less_to_live_is_over_sooner(void **state)
{
    struct life life = begin_life(*state, 3600, LOWEST);

    go_to(&life, 720000);
    answer_token(*state, "old", 300, 0);
    check_at_hand(&life, "old", 1);
    go_to(&life, 720000 - 149999);
    check_at_hand(&life, "old", 1);
    go_to(&life, 720000 - 300000);
    answer_failure(*state, 0);
    get(&life, NULL);
    check_requests(&life, 2);
    end_life(&life);
}

static void a_token_with_less_than_a_caller_needs_is_renewed(void **state)
{
    for (size_t i = 0; i < COUNT(LIFETIMES_S); i++) {
        struct life life = begin_life(*state, LIFETIMES_S[i], LOWEST);
        const struct nexauth_get_options demanding = {.min_validity_s = LIFETIMES_S[i] / 2};
        struct nexauth_error error = {0};

        go_to(&life, LIFETIMES_S[i] * 500);
        get_with(&life, &demanding, "old", &error);
        check_requests(&life, 0);
        go_to(&life, LIFETIMES_S[i] * 500 - 1);
        check_at_hand(&life, "old", 0);
        answer_token(*state, "new", LIFETIMES_S[i], 10);
        assert_int_equal(get_with(&life, &demanding, "new", &error), 10);
        check_requests(&life, 1);
        end_life(&life);
    }
}

static void asking_for_more_than_tokens_live_causes_no_storm(void **state)
{
    const struct nexauth_get_options insatiable = {.min_validity_s = YEAR_S};

    for (size_t i = 0; i < COUNT(LIFETIMES_S); i++) {
        struct life life = begin_life(*state, LIFETIMES_S[i], LOWEST);
        struct nexauth_error error = {0};

        go_to(&life, LIFETIMES_S[i] * 500);
        for (int times = 0; times < 10; times++)
            get_with(&life, &insatiable, "old", &error);
        check_requests(&life, 0);
        answer_token(*state, "new", LIFETIMES_S[i], 0);
        go_to(&life, LIFETIMES_S[i] * 500 - 1);
        for (int times = 0; times < 10; times++)
            get_with(&life, &insatiable, "new", &error);
        check_requests(&life, 1);
        end_life(&life);
    }
}

static void a_token_that_has_just_come_is_given_whatever_was_asked_for(void **state)
{
    static const int64_t VALIDITIES_S[] = {1, 5, 9, 10, YEAR_S};

    for (size_t i = 0; i < COUNT(VALIDITIES_S); i++) {
        const struct nexauth_get_options demanding = {.min_validity_s = VALIDITIES_S[i]};
        struct life life = {.fixture = *state, .source = new_source(*state)};
        struct nexauth_error error = {0};

        answer_token(*state, "brief", 10, 9999);
        assert_int_equal(get_with(&life, &demanding, "brief", &error), 9999);
        end_life(&life);
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
        IN_A_WORLD(after_a_failed_early_renewal_the_token_is_served_and_held),
        IN_A_WORLD(a_slow_failure_holds_too),
        IN_A_WORLD(a_service_that_says_when_to_come_back_is_not_asked_before),
        IN_A_WORLD(a_hold_beyond_the_end_of_a_token_serves_it_to_its_end_only),
        IN_A_WORLD(a_token_that_comes_back_is_not_asked_for_before_half_of_what_remains),
        IN_A_WORLD(a_token_that_comes_back_with_less_to_live_is_over_sooner),
        IN_A_WORLD(a_token_with_less_than_a_caller_needs_is_renewed),
        IN_A_WORLD(asking_for_more_than_tokens_live_causes_no_storm),
        IN_A_WORLD(a_token_that_has_just_come_is_given_whatever_was_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
