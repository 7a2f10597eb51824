/* A good token whose renewal brought nothing new is served on, and asked for again only after a while. */
#include "support/test.h"

#include "support/life.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* The bounds of the hold after an early renewal that failed when so much remained. */
static int64_t hold_ms(int64_t remaining_ms, unsigned char draw)
{
    const int64_t quarter_ms = remaining_ms / 4;
    const int64_t most_ms = quarter_ms < 300000 ? quarter_ms : 300000;
    const int64_t drawn_ms = draw == LIFE_LOWEST ? most_ms / 2 : most_ms;
    const int64_t least_ms = quarter_ms < 30000 ? quarter_ms : 30000;

    if (drawn_ms < least_ms)
        return least_ms > 1000 ? least_ms : 1000;
    return drawn_ms > 1000 ? drawn_ms : 1000;
}

static void after_a_failed_early_renewal_the_token_is_served_and_held(void **state)
{
    for (size_t i = 0; i < (size_t)2 * LIFE_COUNT; i++) {
        const unsigned char draw = i % 2 ? LIFE_HIGHEST : LIFE_LOWEST;
        struct life life = life_begin(*state, life_lifetimes_s[i / 2], LIFE_LOWEST);
        const int64_t remaining_ms = life.early_ms * 4 / 5;
        const int64_t held_ms = hold_ms(remaining_ms, draw);

        if (held_ms >= remaining_ms) { /* to its end */
            life_end(&life);
            continue;
        }
        life_go_to(&life, remaining_ms);
        life.fixture->script.next_byte = draw;
        life_answer_failure(*state, 0);
        assert_int_equal(life_get(&life, "old"), 0);
        life_check_requests(&life, 1);
        life_check_at_hand(&life, "old", 1);
        life_go_to(&life, remaining_ms - (held_ms - held_ms / 100 - 1));
        life_check_at_hand(&life, "old", 1);
        life_answer_token(*state, "new", life_lifetimes_s[i / 2], 0);
        life_go_to(&life, remaining_ms - (held_ms + held_ms / 100));
        life_check_at_hand(&life, "new", 2);
        life_end(&life);
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
        struct life life = life_begin(*state, 3600, LIFE_LOWEST);

        life_go_to(&life, 720000);
        for (size_t times = 0; times < CASES[i].requests; times++)
            script_answer(&life.fixture->script, CASES[i].answer);
        script_answer_always(&life.fixture->script, CASES[i].answer);
        life_get(&life, "old");
        for (int64_t ms = 0; ms < CASES[i].takes_at_most_ms + hold_ms(680000, LIFE_LOWEST) - 3000; ms += 20) {
            life_get(&life, "old");
            script_pass_ms(&life.fixture->script, 20);
        }
        life_check_requests(&life, CASES[i].requests);
        life_end(&life);
        life.fixture->script.stands = false;
    }
}

static void a_service_that_says_when_to_come_back_is_not_asked_before(void **state)
{
    static const struct {
        int64_t lifetime_s;
        const char *retry_after;
        int64_t held_ms;
    } CASES[] = {{10, "1", 1000},
                 {60, "7", 7000},
                 {300, "20", 20000},
                 {3600, "400", 400000},
                 {7200, "400", 400000},
                 {1209600, "2000", 2000000},
                 {LIFE_YEAR_S, "401", 401000}};

    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct life life = life_begin(*state, CASES[i].lifetime_s, LIFE_LOWEST);
        const int64_t remaining_ms = life.early_ms * 4 / 5;

        life_go_to(&life, remaining_ms);
        life.fixture->script.next_byte = LIFE_LOWEST;
        script_answer(&life.fixture->script,
                      (struct script_answer){.status = 429, .retry_after = CASES[i].retry_after});
        life_check_at_hand(&life, "old", 1);
        life_go_to(&life, remaining_ms - CASES[i].held_ms + 1);
        life_check_at_hand(&life, "old", 1);
        life_answer_token(*state, "new", CASES[i].lifetime_s, 0);
        life_go_to(&life, remaining_ms - CASES[i].held_ms);
        life_check_at_hand(&life, "new", 2);
        life_end(&life);
    }
}

static void a_hold_beyond_the_end_of_a_token_serves_it_to_its_end_only(void **state)
{
    struct life life = life_begin(*state, 60, LIFE_LOWEST);
    struct nexauth_error error = {0};

    life_go_to(&life, 12000);
    script_answer(&life.fixture->script, (struct script_answer){.status = 429, .retry_after = "400"});
    life_check_at_hand(&life, "old", 1);
    life_go_to(&life, 1);
    life_check_at_hand(&life, "old", 1);
    life_go_to(&life, 0);
    assert_int_equal(life_get_with(&life, NULL, NULL, &error), 0);
    assert_int_equal(error.status, NEXAUTH_THROTTLED);
    assert_int_equal(error.retry_after_ms, 388000);
    life_check_requests(&life, 1);
    life_answer_token(*state, "new", 60, 0);
    life_go_to(&life, -388000);
    life_check_at_hand(&life, "new", 2);
    life_end(&life);
}

static void a_token_that_comes_back_is_not_asked_for_before_half_of_what_remains(void **state)
{
    for (size_t i = 0; i < LIFE_COUNT; i++) {
        struct life life = life_begin(*state, life_lifetimes_s[i], LIFE_LOWEST);
        const int64_t remaining_ms = life.early_ms * 4 / 5;

        life_go_to(&life, remaining_ms);
        life_answer_token(*state, "old", life_lifetimes_s[i], 0); /* as if it had just been made */
        life_check_at_hand(&life, "old", 1);
        life_go_to(&life, remaining_ms / 2 + 1);
        life_check_at_hand(&life, "old", 1);
        life_go_to(&life, remaining_ms / 2);
        life_answer_failure(*state, 0);
        life_check_at_hand(&life, "old", 2);
        life_go_to(&life, 0);
        life_answer_failure(*state, 0);
        life_get(&life, NULL); /* the sooner end counts */
        life_check_requests(&life, 3);
        life_end(&life);
    }
}

static void a_token_that_comes_back_with_less_to_live_is_over_sooner(void **state)
{
    struct life life = life_begin(*state, 3600, LIFE_LOWEST);

    life_go_to(&life, 720000);
    life_answer_token(*state, "old", 300, 0);
    life_check_at_hand(&life, "old", 1);
    life_go_to(&life, 720000 - 149999);
    life_check_at_hand(&life, "old", 1);
    life_go_to(&life, 720000 - 300000);
    life_answer_failure(*state, 0);
    life_get(&life, NULL);
    life_check_requests(&life, 2);
    life_end(&life);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(after_a_failed_early_renewal_the_token_is_served_and_held),
        IN_A_WORLD(a_slow_failure_holds_too),
        IN_A_WORLD(a_service_that_says_when_to_come_back_is_not_asked_before),
        IN_A_WORLD(a_hold_beyond_the_end_of_a_token_serves_it_to_its_end_only),
        IN_A_WORLD(a_token_that_comes_back_is_not_asked_for_before_half_of_what_remains),
        IN_A_WORLD(a_token_that_comes_back_with_less_to_live_is_over_sooner),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
