#include "support/test.h"

#include "core/damping.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

enum { START_MS = 5000000 };

/* The token is rejected and another arrives, both at once. */
static void replace(struct nx_damping *damping, int64_t now_ms)
{
    assert_int_equal(nx_damping_reject(damping, now_ms), 0);
    nx_damping_arrived(damping, now_ms);
}

static void the_first_rejection_is_honoured_at_any_time(void **state)
{
    static const int64_t TIMES_MS[] = {0, 1, 29999, START_MS, INT64_MAX};

    (void)state;
    for (size_t i = 0; i < COUNT(TIMES_MS); i++) {
        struct nx_damping unused = {0};
        struct nx_damping served = {0};

        assert_int_equal(nx_damping_reject(&unused, TIMES_MS[i]), 0);
        nx_damping_arrived(&served, TIMES_MS[i]);
        assert_int_equal(nx_damping_reject(&served, TIMES_MS[i]), 0);
    }
}

static void of_ten_rejections_one_is_honoured(void **state)
{
    struct nx_damping damping = {0};
    int honoured = 0;

    (void)state;
    for (int i = 0; i < 10; i++) {
        if (nx_damping_reject(&damping, START_MS + i) == 0) {
            nx_damping_arrived(&damping, START_MS + i);
            honoured++;
        }
    }
    assert_int_equal(honoured, 1);
}

static void a_rejection_says_how_long_until_it_would_be_honoured(void **state)
{
    static const struct {
        int64_t age_ms, wait_ms;
    } CASES[] = {{0, 30000}, {1, 29999}, {29999, 1}, {30000, 0}, {30001, 0}, {86400000, 0}};

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_damping damping = {0};

        replace(&damping, START_MS);
        assert_int_equal(nx_damping_reject(&damping, START_MS + CASES[i].age_ms), CASES[i].wait_ms);
    }
}

static void the_token_is_kept_from_its_arrival_on(void **state)
{
    struct nx_damping damping = {0};

    (void)state;
    assert_int_equal(nx_damping_reject(&damping, START_MS), 0);
    nx_damping_arrived(&damping, START_MS + 20000);
    assert_int_equal(nx_damping_reject(&damping, START_MS + 30000), 20000);
}

static void each_replacement_in_a_row_is_kept_for_twice_as_long(void **state)
{
    static const int64_t WINDOWS_MS[] = {30000, 60000, 120000, 240000, 480000, 600000, 600000, 600000};
    struct nx_damping damping = {0};
    int64_t now_ms = START_MS;

    (void)state;
    for (size_t i = 0; i < COUNT(WINDOWS_MS); i++) {
        replace(&damping, now_ms);
        assert_int_equal(nx_damping_reject(&damping, now_ms), WINDOWS_MS[i]);
        now_ms += WINDOWS_MS[i];
        assert_int_equal(nx_damping_reject(&damping, now_ms - 1), 1);
    }
}

/* At 0, 30, 90, 210, 450, 930 and each 600 s after: 1530, 2130, 2730, 3330. */
static void a_rejection_each_second_is_honoured_ten_times_in_an_hour(void **state)
{
    struct nx_damping damping = {0};
    int honoured = 0;

    (void)state;
    for (int64_t now_ms = START_MS; now_ms < START_MS + 3600000; now_ms += 1000) {
        if (nx_damping_reject(&damping, now_ms) == 0) {
            nx_damping_arrived(&damping, now_ms);
            honoured++;
        }
    }
    assert_int_equal(honoured, 10);
}

static void a_token_that_an_api_took_is_kept_for_the_shortest_time_again(void **state)
{
    struct nx_damping damping = {0};

    (void)state;
    replace(&damping, START_MS);
    replace(&damping, START_MS + 30000);
    assert_int_equal(nx_damping_reject(&damping, START_MS + 60000), 30000);
    nx_damping_approve(&damping);
    replace(&damping, START_MS + 60000);
    assert_int_equal(nx_damping_reject(&damping, START_MS + 60000), 30000);
}

/* One endpoint accepts every token, another rejects every token. */
static void an_api_that_takes_what_another_rejects_causes_no_storm(void **state)
{
    struct nx_damping damping = {0};
    int honoured = 0;

    (void)state;
    for (int64_t now_ms = START_MS; now_ms < START_MS + 600000; now_ms += 1000) {
        nx_damping_approve(&damping);
        if (nx_damping_reject(&damping, now_ms) == 0) {
            nx_damping_arrived(&damping, now_ms);
            honoured++;
        }
    }
    assert_int_equal(honoured, 20);
}

static void an_ordinary_renewal_ends_the_row(void **state)
{
    struct nx_damping damping = {0};

    (void)state;
    replace(&damping, START_MS);
    nx_damping_arrived(&damping, START_MS + 10000);
    replace(&damping, START_MS + 10001);
    assert_int_equal(nx_damping_reject(&damping, START_MS + 10001), 30000);
}

static void a_rejection_that_is_not_honoured_does_not_count(void **state)
{
    struct nx_damping damping = {0};

    (void)state;
    replace(&damping, START_MS);
    assert_int_equal(nx_damping_reject(&damping, START_MS + 10000), 20000);
    nx_damping_arrived(&damping, START_MS + 10000);
    assert_int_equal(nx_damping_reject(&damping, START_MS + 10000), 0);
}

static void a_rejection_said_twice_before_a_token_arrives_counts_once(void **state)
{
    struct nx_damping damping = {0};

    (void)state;
    assert_int_equal(nx_damping_reject(&damping, START_MS), 0);
    replace(&damping, START_MS + 1);
    assert_int_equal(nx_damping_reject(&damping, START_MS + 1), 30000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_rejection_is_honoured_at_any_time),
        cmocka_unit_test(of_ten_rejections_one_is_honoured),
        cmocka_unit_test(a_rejection_says_how_long_until_it_would_be_honoured),
        cmocka_unit_test(the_token_is_kept_from_its_arrival_on),
        cmocka_unit_test(each_replacement_in_a_row_is_kept_for_twice_as_long),
        cmocka_unit_test(a_rejection_each_second_is_honoured_ten_times_in_an_hour),
        cmocka_unit_test(a_token_that_an_api_took_is_kept_for_the_shortest_time_again),
        cmocka_unit_test(an_api_that_takes_what_another_rejects_causes_no_storm),
        cmocka_unit_test(an_ordinary_renewal_ends_the_row),
        cmocka_unit_test(a_rejection_that_is_not_honoured_does_not_count),
        cmocka_unit_test(a_rejection_said_twice_before_a_token_arrives_counts_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
