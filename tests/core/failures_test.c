#include "support/test.h"

#include "core/failures.h"

#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

enum { LOWEST = 0, START_MS = 1000000, MANY = 10000 };

static const uint32_t MIDDLE = UINT32_MAX / 2 + 1;
static const uint32_t HIGHEST = UINT32_MAX;

static const struct nexauth_error NETWORK = {.status = NEXAUTH_NETWORK, .message = "the connection broke"};
static const struct nexauth_error DENIED = {
    .status = NEXAUTH_DENIED, .http_status = 401, .code = "invalid_client", .message = "rejects the credentials"};

static struct nexauth_error error_of(nexauth_status status, int64_t retry_after_ms)
{
    return (struct nexauth_error){.status = status, .retry_after_ms = retry_after_ms};
}

static void each_further_failure_is_held_for_twice_as_long(void **state)
{
    static const int64_t HOLDS_S[] = {1, 2, 4, 8, 16, 32, 60};
    static const int64_t DENIED_HOLDS_S[] = {5, 10, 20, 40, 60, 60, 60};
    static const struct {
        nexauth_status status;
        const int64_t *holds_s;
    } CASES[] = {
        {NEXAUTH_INVALID, HOLDS_S},       {NEXAUTH_NO_MEMORY, HOLDS_S},   {NEXAUTH_CONFIG, DENIED_HOLDS_S},
        {NEXAUTH_DENIED, DENIED_HOLDS_S}, {NEXAUTH_REAUTH, HOLDS_S},      {NEXAUTH_THROTTLED, HOLDS_S},
        {NEXAUTH_BLOCKED, HOLDS_S},       {NEXAUTH_UNAVAILABLE, HOLDS_S}, {NEXAUTH_NETWORK, HOLDS_S},
        {NEXAUTH_TIMEOUT, HOLDS_S},       {NEXAUTH_PROTOCOL, HOLDS_S},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        const struct nexauth_error error = error_of(CASES[i].status, 0);
        struct nx_failures failures = {0};
        int64_t now_ms = START_MS;

        for (size_t j = 0; j < 100; j++) {
            const int64_t hold_ms = nx_failures_note(&failures, i, &error, now_ms, LOWEST);

            assert_int_equal(hold_ms, CASES[i].holds_s[j < COUNT(HOLDS_S) ? j : COUNT(HOLDS_S) - 1] * 1000);
            now_ms += hold_ms;
        }
        nx_failures_release(&failures);
    }
}

static void a_draw_adds_a_fifth_at_the_most(void **state)
{
    const struct {
        uint32_t draw;
        int64_t first_ms, seventh_ms;
    } cases[] = {{LOWEST, 1000, 60000}, {MIDDLE, 1100, 66000}, {HIGHEST, 1200, 72000}};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct nx_failures failures = {0};

        assert_int_equal(nx_failures_note(&failures, 1, &NETWORK, START_MS, cases[i].draw), cases[i].first_ms);
        for (int64_t j = 1; j < 6; j++)
            nx_failures_note(&failures, 1, &NETWORK, START_MS + j * 60000, LOWEST);
        assert_int_equal(nx_failures_note(&failures, 1, &NETWORK, START_MS + 360000, cases[i].draw),
                         cases[i].seventh_ms);
        nx_failures_release(&failures);
    }
}

static void a_hold_is_at_least_what_the_service_asked_for(void **state)
{
    static const struct {
        nexauth_status status;
        int64_t retry_after_ms, hold_ms;
    } CASES[] = {
        {NEXAUTH_THROTTLED, 999, 1000},      {NEXAUTH_THROTTLED, 1001, 1001}, {NEXAUTH_THROTTLED, 17000, 17000},
        {NEXAUTH_BLOCKED, 3600000, 3600000}, {NEXAUTH_DENIED, 4999, 5000},    {NEXAUTH_DENIED, 5001, 5001},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        const struct nexauth_error error = error_of(CASES[i].status, CASES[i].retry_after_ms);
        struct nx_failures failures = {0};

        assert_int_equal(nx_failures_note(&failures, 1, &error, START_MS, LOWEST), CASES[i].hold_ms);
        assert_true(nx_failures_recall(&failures, 1, START_MS + CASES[i].hold_ms - 1, NULL));
        assert_false(nx_failures_recall(&failures, 1, START_MS + CASES[i].hold_ms, NULL));
        nx_failures_release(&failures);
    }
}

static void what_the_service_asked_for_does_not_double(void **state)
{
    const struct nexauth_error throttled = error_of(NEXAUTH_THROTTLED, 17000);
    struct nx_failures failures = {0};

    (void)state;
    assert_int_equal(nx_failures_note(&failures, 1, &throttled, START_MS, LOWEST), 17000);
    assert_int_equal(nx_failures_note(&failures, 1, &NETWORK, START_MS + 17000, LOWEST), 2000);
    nx_failures_release(&failures);
}

static void who_asks_meanwhile_gets_the_same_error(void **state)
{
    static const struct {
        int64_t age_ms, retry_after_ms;
    } CASES[] = {{0, 5000}, {1, 4999}, {4999, 1}, {5000, 0}, {5001, 0}, {600000, 0}};
    struct nx_failures failures = {0};

    (void)state;
    nx_failures_note(&failures, 1, &DENIED, START_MS, LOWEST);
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nexauth_error error = error_of(NEXAUTH_OK, -1);
        const bool held = nx_failures_recall(&failures, 1, START_MS + CASES[i].age_ms, &error);

        assert_int_equal(held, CASES[i].retry_after_ms > 0);
        assert_int_equal(error.retry_after_ms, held ? CASES[i].retry_after_ms : -1);
        assert_int_equal(error.status, held ? DENIED.status : NEXAUTH_OK);
        assert_int_equal(error.http_status, held ? 401 : 0);
        assert_string_equal(error.code, held ? DENIED.code : "");
        assert_string_equal(error.message, held ? DENIED.message : "");
    }
    nx_failures_release(&failures);
}

static void the_latest_error_is_the_one_that_is_told(void **state)
{
    struct nx_failures failures = {0};
    struct nexauth_error error;

    (void)state;
    nx_failures_note(&failures, 1, &DENIED, START_MS, LOWEST);
    assert_int_equal(nx_failures_note(&failures, 1, &NETWORK, START_MS + 5000, LOWEST), 2000);
    assert_true(nx_failures_recall(&failures, 1, START_MS + 5000, &error));
    assert_int_equal(error.status, NEXAUTH_NETWORK);
    nx_failures_release(&failures);
}

/* Two sources with the same credentials may fail at about the same time. */
static void a_longer_hold_is_not_cut_short(void **state)
{
    const struct nexauth_error blocked = error_of(NEXAUTH_BLOCKED, 60000);
    struct nx_failures failures = {0};
    struct nexauth_error error;

    (void)state;
    nx_failures_note(&failures, 1, &blocked, START_MS, LOWEST);
    assert_int_equal(nx_failures_note(&failures, 1, &NETWORK, START_MS + 100, LOWEST), 59900);
    assert_true(nx_failures_recall(&failures, 1, START_MS + 59999, &error));
    assert_int_equal(error.status, NEXAUTH_BLOCKED);
    assert_int_equal(nx_failures_note(&failures, 1, &NETWORK, START_MS + 60000, LOWEST), 4000);
    nx_failures_release(&failures);
}

static void of_holds_that_end_together_the_latest_error_is_told(void **state)
{
    const struct nexauth_error blocked = error_of(NEXAUTH_BLOCKED, 60000);
    const struct nexauth_error throttled = error_of(NEXAUTH_THROTTLED, 59900);
    struct nx_failures failures = {0};
    struct nexauth_error error;

    (void)state;
    nx_failures_note(&failures, 1, &blocked, START_MS, LOWEST);
    assert_int_equal(nx_failures_note(&failures, 1, &throttled, START_MS + 100, LOWEST), 59900);
    assert_true(nx_failures_recall(&failures, 1, START_MS + 59999, &error));
    assert_int_equal(error.status, NEXAUTH_THROTTLED);
    nx_failures_release(&failures);
}

static void a_key_is_new_ten_minutes_after_its_hold(void **state)
{
    static const struct {
        int64_t age_ms, hold_ms;
    } CASES[] = {{600000, 4000}, {600001, 1000}, {86400000, 1000}};

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_failures failures = {0};

        nx_failures_note(&failures, 1, &NETWORK, START_MS, LOWEST);
        nx_failures_note(&failures, 1, &NETWORK, START_MS + 1000, LOWEST);
        assert_int_equal(nx_failures_note(&failures, 1, &NETWORK, START_MS + 3000 + CASES[i].age_ms, LOWEST),
                         CASES[i].hold_ms);
        nx_failures_release(&failures);
    }
}

static void a_success_makes_a_key_new(void **state)
{
    struct nx_failures failures = {0};

    (void)state;
    nx_failures_forget(&failures, 1);
    assert_false(nx_failures_recall(&failures, 1, START_MS, NULL));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(nx_failures_note(&failures, 1, &NETWORK, START_MS, LOWEST), 1000);
        nx_failures_forget(&failures, 2);
        assert_true(nx_failures_recall(&failures, 1, START_MS, NULL));
        nx_failures_forget(&failures, 1);
        assert_false(nx_failures_recall(&failures, 1, START_MS, NULL));
        assert_int_equal(failures.count, 0);
    }
    nx_failures_release(&failures);
}

static void keys_do_not_know_of_each_other(void **state)
{
    static const uint64_t KEYS[] = {0, 1, 2, 16, UINT64_MAX, (uint64_t)1 << 63, (uint64_t)1 << 32};
    struct nx_failures failures = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(KEYS); i++) {
        assert_false(nx_failures_recall(&failures, KEYS[i], START_MS, NULL));
        assert_int_equal(nx_failures_note(&failures, KEYS[i], &NETWORK, START_MS, LOWEST), 1000);
        assert_true(nx_failures_recall(&failures, KEYS[i], START_MS, NULL));
    }
    nx_failures_release(&failures);
}

/* Keys that crowd into few places, at the end of the table too, come and go; `held` says which are in. */
static void forgetting_a_key_loses_no_other(void **state)
{
    enum { KEYS = 24, STEPS = 20000 };
    struct nx_failures failures = {0};
    bool held[KEYS] = {false};
    uint32_t number = 1;

    (void)state;
    for (int i = 0; i < STEPS; i++) {
        size_t key;

        number = number * 1664525 + 1013904223;
        key = number >> 16;
        key %= KEYS;
        if (held[key])
            nx_failures_forget(&failures, (key % 4 + 14) | (uint64_t)key << 32);
        else
            nx_failures_note(&failures, (key % 4 + 14) | (uint64_t)key << 32, &NETWORK, START_MS, LOWEST);
        held[key] = !held[key];
        for (size_t j = 0; j < KEYS; j++)
            assert_int_equal(nx_failures_recall(&failures, (j % 4 + 14) | (uint64_t)j << 32, START_MS, NULL), held[j]);
    }
    nx_failures_release(&failures);
}

static void what_is_past_makes_room_before_the_table_grows(void **state)
{
    struct nx_failures failures = {0};
    uint64_t key = 0;

    (void)state;
    for (int64_t hour = 0; hour < 50; hour++) {
        for (int i = 0; i < 100; i++)
            nx_failures_note(&failures, key++ * 7919, &NETWORK, START_MS + hour * 3600000, LOWEST);
    }
    assert_in_range(failures.count, 100, 256);
    assert_in_range(failures.places, 256, 512);
    nx_failures_release(&failures);
}

static void what_is_not_past_stays_when_room_is_made(void **state)
{
    struct nx_failures failures = {0};

    (void)state;
    nx_failures_note(&failures, 1, &NETWORK, START_MS, LOWEST);
    nx_failures_note(&failures, 2, &NETWORK, START_MS - 1, LOWEST);
    for (uint64_t i = 0; i < MANY; i++)
        nx_failures_note(&failures, 100 + i, &NETWORK, START_MS + 601000, LOWEST);
    assert_int_equal(failures.count, MANY + 1);
    assert_int_equal(nx_failures_note(&failures, 1, &NETWORK, START_MS + 601000, LOWEST), 2000);
    assert_in_range(failures.places, 2 * MANY, 8 * MANY);
    nx_failures_release(&failures);
}

static void room_is_made_only_when_half_of_the_places_are_taken(void **state)
{
    struct nx_failures failures = {0};
    struct nx_failure **entries;

    (void)state;
    nx_failures_note(&failures, 1, &NETWORK, START_MS, LOWEST);
    entries = failures.entries;
    for (uint64_t key = 2; key <= 8; key++)
        nx_failures_note(&failures, key, &NETWORK, START_MS, LOWEST);
    assert_ptr_equal(failures.entries, entries);
    assert_int_equal(failures.places, 16);
    nx_failures_note(&failures, 9, &NETWORK, START_MS, LOWEST);
    assert_int_equal(failures.places, 32);
    nx_failures_release(&failures);
}

/* How often a key that is asked for each second, and fails each time, is tried in ten minutes, when each hold is longer
 * by so many percent. */
static int count_attempts(int64_t percent)
{
    static const int64_t HOLDS_S[] = {1, 2, 4, 8, 16, 32, 60};
    int attempts = 0;
    size_t i = 0;

    for (int64_t now_s = 0; now_s < 600; attempts++) {
        const int64_t hold_ms = HOLDS_S[i] * (1000 + 10 * percent);

        now_s += (hold_ms + 999) / 1000;
        i += i + 1 < COUNT(HOLDS_S);
    }
    return attempts;
}

/* A third of the keys each with the lowest draws, the highest, and any. */
static void ten_thousand_keys_that_fail_are_tried_as_often_as_the_rule_has_it(void **state)
{
    static int attempts[MANY];
    struct nx_failures failures = {0};
    uint32_t number = 1;

    (void)state;
    memset(attempts, 0, sizeof attempts);
    for (int64_t now_ms = START_MS; now_ms < START_MS + 600000; now_ms += 1000) {
        for (size_t i = 0; i < MANY; i++) {
            const uint64_t key = i * 0x9e3779b97f4a7c15;

            if (nx_failures_recall(&failures, key, now_ms, NULL))
                continue;
            number = number * 1664525 + 1013904223;
            nx_failures_note(&failures, key, &NETWORK, now_ms, i % 3 == 0 ? LOWEST : i % 3 == 1 ? HIGHEST : number);
            attempts[i]++;
        }
    }
    for (size_t i = 0; i < MANY; i++) {
        assert_in_range(attempts[i], count_attempts(i % 3 == 0 ? 0 : 20), count_attempts(i % 3 == 1 ? 20 : 0));
    }
    assert_int_equal(count_attempts(0), 15);
    assert_int_equal(count_attempts(20), 14);
    assert_int_equal(failures.count, MANY);
    nx_failures_release(&failures);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_further_failure_is_held_for_twice_as_long),
        cmocka_unit_test(a_draw_adds_a_fifth_at_the_most),
        cmocka_unit_test(a_hold_is_at_least_what_the_service_asked_for),
        cmocka_unit_test(what_the_service_asked_for_does_not_double),
        cmocka_unit_test(who_asks_meanwhile_gets_the_same_error),
        cmocka_unit_test(the_latest_error_is_the_one_that_is_told),
        cmocka_unit_test(a_longer_hold_is_not_cut_short),
        cmocka_unit_test(of_holds_that_end_together_the_latest_error_is_told),
        cmocka_unit_test(a_key_is_new_ten_minutes_after_its_hold),
        cmocka_unit_test(a_success_makes_a_key_new),
        cmocka_unit_test(keys_do_not_know_of_each_other),
        cmocka_unit_test(forgetting_a_key_loses_no_other),
        cmocka_unit_test(what_is_past_makes_room_before_the_table_grows),
        cmocka_unit_test(what_is_not_past_stays_when_room_is_made),
        cmocka_unit_test(room_is_made_only_when_half_of_the_places_are_taken),
        cmocka_unit_test(ten_thousand_keys_that_fail_are_tried_as_often_as_the_rule_has_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
