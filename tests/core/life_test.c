#include "support/test.h"

#include "core/life.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

enum { LOWEST = 0, NOW_MS = 1000000000 };

static const uint32_t MIDDLE = UINT32_MAX / 2 + 1;
static const uint32_t HIGHEST = UINT32_MAX;

/* A token of an hour that expires `remaining_ms` from now. Its windows: the last 60 s, and the last 15 minutes. */
static struct nx_life life_of_an_hour(int64_t remaining_ms)
{
    struct nx_life life;

    nx_life_begin(&life, NOW_MS + remaining_ms, 3600000, LOWEST);
    return life;
}

static void check_phases(const struct nx_life *life, int64_t late_ms, int64_t early_ms)
{
    const int64_t end_ms = life->expires_ms;

    assert_int_equal(nx_life_phase(life, 0, 0), NX_PHASE_FRESH);
    assert_int_equal(nx_life_phase(life, end_ms - early_ms - 1, 0), NX_PHASE_FRESH);
    assert_int_equal(nx_life_next_ms(life), end_ms - early_ms);
    assert_int_equal(nx_life_phase(life, end_ms - early_ms, 0), NX_PHASE_EARLY);
    assert_int_equal(nx_life_phase(life, end_ms - late_ms - 1, 0), NX_PHASE_EARLY);
    assert_int_equal(nx_life_phase(life, end_ms - late_ms, 0), NX_PHASE_LATE);
    assert_int_equal(nx_life_phase(life, end_ms - 1, 0), NX_PHASE_LATE);
    assert_int_equal(nx_life_phase(life, end_ms, 0), NX_PHASE_OVER);
    assert_int_equal(nx_life_phase(life, INT64_MAX, 0), NX_PHASE_OVER);
}

static void the_windows_follow_from_the_lifetime_and_the_draw(void **state)
{
    static const struct {
        int64_t lifetime_s, late_ms, early_at_lowest_ms, early_at_middle_ms, early_at_highest_ms;
    } CASES[] = {
        {2, 200, 500, 450, 400},
        {10, 1000, 2500, 2250, 2000},
        {60, 6000, 15000, 13500, 12000},
        {100, 10000, 25000, 22500, 20000},
        {299, 29900, 74750, 67275, 59800},
        {300, 30000, 75000, 67500, 60000},
        {600, 60000, 150000, 135000, 120000},
        {601, 60000, 150250, 135225, 120200},
        {3600, 60000, 900000, 810000, 720000},
        {7200, 60000, 1800000, 1620000, 1440000},
        {14400, 60000, 3600000, 3240000, 2880000},
        {86400, 60000, 3600000, 3240000, 2880000},
        {1209600, 60000, 3600000, 3240000, 2880000},
        {31536000, 60000, 3600000, 3240000, 2880000},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        const int64_t early_ms[] = {CASES[i].early_at_lowest_ms, CASES[i].early_at_middle_ms,
                                    CASES[i].early_at_highest_ms};
        const uint32_t draws[] = {LOWEST, MIDDLE, HIGHEST};

        for (size_t j = 0; j < COUNT(draws); j++) {
            struct nx_life life;

            nx_life_begin(&life, NOW_MS + CASES[i].lifetime_s * 1000, CASES[i].lifetime_s * 1000, draws[j]);
            check_phases(&life, CASES[i].late_ms, early_ms[j]);
        }
    }
}

static void the_windows_keep_their_order_for_any_lifetime_and_end(void **state)
{
    static const int64_t LIFETIMES_MS[] = {
        0, 1, 9, 10, 99, 1001, 59999, 14399999, 31536000000, 99999999999, INT64_MAX / 2, INT64_MAX};
    static const int64_t ENDS_MS[] = {0, 1, 5000, INT64_MAX / 2, INT64_MAX - 1, INT64_MAX};
    const uint32_t draws[] = {LOWEST, MIDDLE, HIGHEST};

    (void)state;
    for (size_t i = 0; i < COUNT(LIFETIMES_MS) * COUNT(ENDS_MS) * COUNT(draws); i++) {
        const int64_t end_ms = ENDS_MS[i / COUNT(draws) % COUNT(ENDS_MS)];
        struct nx_life life;

        nx_life_begin(&life, end_ms, LIFETIMES_MS[i / COUNT(draws) / COUNT(ENDS_MS)], draws[i % COUNT(draws)]);
        assert_int_equal(life.expires_ms, end_ms);
        assert_true(life.late_ms <= life.early_ms);
    }
    for (int64_t lifetime_ms = 1; lifetime_ms < 2000; lifetime_ms++) {
        struct nx_life life;

        nx_life_begin(&life, NOW_MS, lifetime_ms, HIGHEST);
        assert_true(life.late_ms <= life.early_ms);
    }
}

static void what_never_expires_is_always_fresh(void **state)
{
    struct nx_life life;

    (void)state;
    nx_life_begin(&life, INT64_MAX, 3600000, HIGHEST);
    assert_int_equal(nx_life_phase(&life, 0, 0), NX_PHASE_FRESH);
    assert_int_equal(nx_life_phase(&life, INT64_MAX - 1, 0), NX_PHASE_FRESH);
    assert_int_equal(nx_life_phase(&life, INT64_MAX - 1, 3599999), NX_PHASE_FRESH);
    assert_int_equal(nx_life_phase(&life, NOW_MS, INT64_MAX), NX_PHASE_FRESH);
    assert_int_equal(nx_life_next_ms(&life), INT64_MAX);
}

static void a_token_is_late_for_who_needs_it_for_longer(void **state)
{
    static const struct {
        int64_t validity_ms, remaining_ms;
        enum nx_phase phase;
    } CASES[] = {
        {0, 900001, NX_PHASE_FRESH},         {-1, 900001, NX_PHASE_FRESH},         {INT64_MIN, 900001, NX_PHASE_FRESH},
        {1000000, 1000000, NX_PHASE_FRESH},  {1000000, 999999, NX_PHASE_LATE},     {100000, 900000, NX_PHASE_EARLY},
        {100000, 100000, NX_PHASE_EARLY},    {100000, 99999, NX_PHASE_LATE},       {1000, 60000, NX_PHASE_LATE},
        {1000000, 0, NX_PHASE_OVER},         {3599999, 3599999, NX_PHASE_FRESH},   {3599999, 3599998, NX_PHASE_LATE},
        {3600000, 1800000, NX_PHASE_FRESH},  {3600000, 1799999, NX_PHASE_LATE},    {INT64_MAX, 1800000, NX_PHASE_FRESH},
        {INT64_MAX, 1799999, NX_PHASE_LATE}, {INT64_MAX, 3600000, NX_PHASE_FRESH},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        const struct nx_life life = life_of_an_hour(CASES[i].remaining_ms);

        if (nx_life_phase(&life, NOW_MS, CASES[i].validity_ms) != CASES[i].phase)
            fail_msg("case %zu", i);
    }
}

static void a_failed_renewal_holds_for_a_part_of_what_remains(void **state)
{
    static const struct {
        int64_t remaining_ms, retry_after_ms, at_lowest_ms, at_middle_ms, at_highest_ms;
    } CASES[] = {
        {3600000, 0, 150000, 225000, 300000},
        {1200000, 0, 150000, 225000, 300000},
        {600000, 0, 75000, 112500, 150000},
        {200000, 0, 30000, 37500, 50000},
        {120000, 0, 30000, 30000, 30000},
        {60000, 0, 15000, 15000, 15000},
        {4000, 0, 1000, 1000, 1000},
        {2000, 0, 1000, 1000, 1000},
        {3, 0, 3, 3, 3},
        {600000, 100000, 100000, 112500, 150000},
        {600000, 599999, 599999, 599999, 599999},
        {600000, 700000, 600000, 600000, 600000},
        {600000, INT64_MAX, 600000, 600000, 600000},
        {INT64_MAX - NOW_MS, 0, 150000, 225000, 300000},
        {INT64_MAX - NOW_MS, INT64_MAX, INT64_MAX - NOW_MS, INT64_MAX - NOW_MS, INT64_MAX - NOW_MS},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        const int64_t hold_ms[] = {CASES[i].at_lowest_ms, CASES[i].at_middle_ms, CASES[i].at_highest_ms};
        const uint32_t draws[] = {LOWEST, MIDDLE, HIGHEST};

        for (size_t j = 0; j < COUNT(draws); j++) {
            struct nx_life life = life_of_an_hour(CASES[i].remaining_ms);

            nx_life_note_failure(&life, NOW_MS, CASES[i].retry_after_ms, draws[j]);
            assert_int_equal(life.held_until_ms - NOW_MS, hold_ms[j]);
            assert_int_equal(life.held_by, NX_HOLD_FAILURE);
        }
    }
}

/* Each row: the failure or the handing out of the same token comes with so much remaining, and the question later. */
static void a_held_token_is_served_until_the_hold_ends(void **state)
{
    static const struct {
        int64_t held_at_ms, remaining_ms, validity_ms;
        enum nx_hold by;
        enum nx_phase phase;
    } CASES[] = {
        {400000, 400000, 0, NX_HOLD_NONE, NX_PHASE_EARLY},
        /* for 100 s, up to 300 s from the end: early */
        {400000, 400000, 0, NX_HOLD_FAILURE, NX_PHASE_FRESH},
        {400000, 300001, 0, NX_HOLD_FAILURE, NX_PHASE_FRESH},
        {400000, 300000, 0, NX_HOLD_FAILURE, NX_PHASE_EARLY},
        {400000, 300001, 300001, NX_HOLD_FAILURE, NX_PHASE_FRESH},
        {400000, 300001, 300002, NX_HOLD_FAILURE, NX_PHASE_HELD},
        {400000, 300000, 300001, NX_HOLD_FAILURE, NX_PHASE_LATE},
        {400000, 300001, INT64_MAX, NX_HOLD_FAILURE, NX_PHASE_HELD},
        /* for 10 s, up to 30 s from the end: late */
        {40000, 30001, 0, NX_HOLD_FAILURE, NX_PHASE_FRESH},
        {40000, 30000, 0, NX_HOLD_FAILURE, NX_PHASE_LATE},
        {40000, 0, 0, NX_HOLD_FAILURE, NX_PHASE_OVER},
        /* before the windows, where a caller needed more */
        {3000000, 2999999, 0, NX_HOLD_FAILURE, NX_PHASE_FRESH},
        {3000000, 2999999, 3000000, NX_HOLD_FAILURE, NX_PHASE_HELD},
        /* for 200 s, up to 200 s from the end */
        {400000, 200001, 0, NX_HOLD_SERVICE, NX_PHASE_FRESH},
        {400000, 200001, 1000000, NX_HOLD_SERVICE, NX_PHASE_FRESH},
        {400000, 200000, 0, NX_HOLD_SERVICE, NX_PHASE_EARLY},
        {400000, 200000, 1000000, NX_HOLD_SERVICE, NX_PHASE_LATE},
        /* for 20 s, up to 20 s from the end */
        {40000, 20001, 0, NX_HOLD_SERVICE, NX_PHASE_FRESH},
        {40000, 20000, 0, NX_HOLD_SERVICE, NX_PHASE_LATE},
        {40000, 0, 0, NX_HOLD_SERVICE, NX_PHASE_OVER},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_life life = life_of_an_hour(CASES[i].held_at_ms);

        if (CASES[i].by == NX_HOLD_FAILURE)
            nx_life_note_failure(&life, NOW_MS, 0, HIGHEST);
        if (CASES[i].by == NX_HOLD_SERVICE)
            nx_life_follow(&life, life.expires_ms, true, NOW_MS);
        assert_int_equal(life.held_by, CASES[i].by);
        if (nx_life_phase(&life, life.expires_ms - CASES[i].remaining_ms, CASES[i].validity_ms) != CASES[i].phase)
            fail_msg("case %zu", i);
    }
}

static void a_token_that_is_held_to_its_end_is_over_at_its_end(void **state)
{
    struct nx_life life = life_of_an_hour(600000);

    (void)state;
    nx_life_note_failure(&life, NOW_MS, 700000, LOWEST);
    assert_int_equal(nx_life_next_ms(&life), life.expires_ms);
    assert_int_equal(nx_life_phase(&life, life.expires_ms - 1, 0), NX_PHASE_FRESH);
    assert_int_equal(nx_life_phase(&life, life.expires_ms, 0), NX_PHASE_OVER);
}

static void the_next_time_is_when_the_token_stops_being_fresh(void **state)
{
    static const struct {
        int64_t held_at_ms, next_ms; /* before the end */
    } CASES[] = {{3000000, 900000}, {400000, 300000}, {40000, 30000}, {4, 0}};

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_life life = life_of_an_hour(CASES[i].held_at_ms);

        nx_life_note_failure(&life, NOW_MS, 0, HIGHEST);
        assert_int_equal(life.expires_ms - nx_life_next_ms(&life), CASES[i].next_ms);
        assert_int_equal(nx_life_phase(&life, nx_life_next_ms(&life) - 1, 0), NX_PHASE_FRESH);
        assert_int_not_equal(nx_life_phase(&life, nx_life_next_ms(&life), 0), NX_PHASE_FRESH);
    }
}

/* Renewed as soon as it may be, and never with success, from the early window on to a minute before the end. */
static int count_failures(uint32_t draw)
{
    struct nx_life life = life_of_an_hour(900000);
    int64_t now_ms = NOW_MS;
    int attempts = 0;

    while (now_ms < life.expires_ms - 60000 && attempts < 100) {
        nx_life_note_failure(&life, now_ms, 0, draw);
        now_ms = nx_life_next_ms(&life);
        attempts++;
    }
    return attempts;
}

static void failures_in_a_row_are_few(void **state)
{
    (void)state;
    assert_int_equal(count_failures(LOWEST), 17);
    assert_int_equal(count_failures(HIGHEST), 10);
}

static void a_service_that_has_no_better_token_is_left_alone(void **state)
{
    static const struct {
        bool same_text;
        int64_t older_ms, stated_ms; /* how long the two last from now on */
        int64_t counted_ms, held_ms;
    } CASES[] = {
        {false, 600000, 3600000, 3600000, -NOW_MS},
        {false, 600000, 600001, 600001, -NOW_MS},
        {false, 600000, 600000, 600000, 300000},
        {false, 600000, 400000, 400000, 200000},
        {true, 600000, 3600000, 600000, 300000},
        {true, 600000, 600001, 600000, 300000},
        {true, 600000, 600000, 600000, 300000},
        {true, 600000, 400000, 400000, 200000},
        {true, 1, 3600000, 1, 0},
        {true, 0, 3600000, 3600000, -NOW_MS},
        {true, -1, 3600000, 3600000, -NOW_MS},
        {true, 600000, INT64_MAX - NOW_MS, 600000, 300000},
        {false, 600000, -1000, -1000, -1000},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_life life = life_of_an_hour(CASES[i].stated_ms);
        const uint32_t late_ms = life.late_ms;
        const uint32_t early_ms = life.early_ms;

        nx_life_follow(&life, NOW_MS + CASES[i].older_ms, CASES[i].same_text, NOW_MS);
        assert_int_equal(life.expires_ms - NOW_MS, CASES[i].counted_ms);
        assert_int_equal(life.late_ms, late_ms);
        assert_int_equal(life.early_ms, early_ms);
        assert_int_equal(life.held_until_ms - NOW_MS, CASES[i].held_ms);
        assert_int_equal(life.held_by, life.held_until_ms ? NX_HOLD_SERVICE : NX_HOLD_NONE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_windows_follow_from_the_lifetime_and_the_draw),
        cmocka_unit_test(the_windows_keep_their_order_for_any_lifetime_and_end),
        cmocka_unit_test(what_never_expires_is_always_fresh),
        cmocka_unit_test(a_token_is_late_for_who_needs_it_for_longer),
        cmocka_unit_test(a_failed_renewal_holds_for_a_part_of_what_remains),
        cmocka_unit_test(a_held_token_is_served_until_the_hold_ends),
        cmocka_unit_test(a_token_that_is_held_to_its_end_is_over_at_its_end),
        cmocka_unit_test(the_next_time_is_when_the_token_stops_being_fresh),
        cmocka_unit_test(failures_in_a_row_are_few),
        cmocka_unit_test(a_service_that_has_no_better_token_is_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
