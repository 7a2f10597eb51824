/* Retry-After: all short strings against an obvious reading, and every day of many years in every form of a date. */
#include "support/test.h"

#include "core/retry_after.h"
#include "support/odometer.h"

#include <inttypes.h>
#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { DAY_S = 86400, LAST_YEAR = 2300, LAST_SHORT_YEAR = 2069 };

static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
static const char *const long_days[] = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};

static int64_t within_an_hour(int64_t seconds)
{
    if (seconds < 1)
        return 1000;
    return seconds > 3600 ? 3600000 : seconds * 1000;
}

static void assert_wait(const char *value, const char *date, int64_t expected_ms)
{
    if (nx_retry_after_ms(value, date) != expected_ms)
        fail_msg("\"%s\" at \"%s\": %" PRId64 " instead of %" PRId64, value, date ? date : "",
                 nx_retry_after_ms(value, date), expected_ms);
}

static void every_short_string_is_read_as_the_grammar_has_it(void **state)
{
    struct odometer strings;
    regex_t grammar;
    size_t count = 0;

    (void)state;
    assert_int_equal(regcomp(&grammar, "^[ \t]*(-?[0-9]+)[ \t]*$", REG_EXTENDED), 0);
    odometer_init(&strings, "0369- \t.", 0, 5);
    do {
        regmatch_t found[2];
        int64_t expected_ms = 10000;

        if (regexec(&grammar, strings.text, 2, found, 0) == 0)
            expected_ms = within_an_hour(strtoll(strings.text + found[1].rm_so, NULL, 10));
        assert_wait(strings.text, NULL, expected_ms);
        assert_int_equal(nx_http_date(strings.text), -1);
        count++;
    } while (odometer_next(&strings));
    assert_int_equal(count, 1 + 8 + 64 + 512 + 4096 + 32768);
    regfree(&grammar);
}

/* Where a product or a sum might leave the range of any type. */
static void every_number_of_digits_is_read(void **state)
{
    char value[64] = "";

    (void)state;
    for (size_t digits = 1; digits < 60; digits++) {
        value[digits - 1] = '9';
        assert_wait(value, NULL, within_an_hour(digits > 4 ? 9999 : strtoll(value, NULL, 10)));
    }
    for (int64_t number = -4000; number < 8000; number++) {
        snprintf(value, sizeof value, "%" PRId64, number);
        assert_wait(value, NULL, within_an_hour(number));
    }
}

/* ---- Dates ------------------------------------------------------------------------------------------------------- */

/* A calendar that goes from day to day. */
struct day {
    int year, month, day, weekday;
    int64_t begins_s;
};

static const struct day first_day = {1970, 0, 1, 3, 0};

static int days_of_month(int year, int month)
{
    const bool leap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0);

    if (month == 1)
        return leap ? 29 : 28;
    return month == 3 || month == 5 || month == 8 || month == 10 ? 30 : 31;
}

static void go_on(struct day *day)
{
    day->begins_s += DAY_S;
    day->weekday = (day->weekday + 1) % 7;
    if (++day->day <= days_of_month(day->year, day->month))
        return;
    day->day = 1;
    day->month = (day->month + 1) % 12;
    day->year += day->month == 0;
}

static void assert_date(const char *value, int64_t expected)
{
    if (nx_http_date(value) != expected)
        fail_msg("\"%s\": %" PRId64 " instead of %" PRId64, value, nx_http_date(value), expected);
}

/* Any time of that day. */
static void assert_day(const struct day *day, int64_t expected)
{
    const int second = (int)(day->begins_s / DAY_S * 7919 % DAY_S);
    const int64_t at = expected < 0 ? -1 : expected + second;
    char clock[16];
    char value[64];

    snprintf(clock, sizeof clock, "%02d:%02d:%02d", second / 3600 % 24, second / 60 % 60, second % 60);
    snprintf(value, sizeof value, "%s, %02d %s %04d %s GMT", days[day->weekday], day->day, months[day->month],
             day->year, clock);
    assert_date(value, at);
    snprintf(value, sizeof value, "%s %s %2d %s %04d", days[day->weekday], months[day->month], day->day, clock,
             day->year);
    assert_date(value, at);
    if (day->year > LAST_SHORT_YEAR)
        return;
    snprintf(value, sizeof value, "%s, %02d-%s-%02d %s GMT", long_days[day->weekday], day->day, months[day->month],
             day->year % 100, clock);
    assert_date(value, at);
}

static void every_day_of_three_centuries_is_read(void **state)
{
    int count = 0;

    (void)state;
    for (struct day day = first_day; day.year < LAST_YEAR; go_on(&day), count++)
        assert_day(&day, day.begins_s);
    assert_int_equal(count, 330 * 365 + 80); /* 80 leap years: 82 divide by four, less 2100 and 2200 */
}

static void no_day_that_no_month_has_is_read(void **state)
{
    (void)state;
    for (int year = first_day.year; year < LAST_YEAR; year += 1) {
        for (int month = 0; month < 12; month++) {
            assert_day(&(struct day){year, month, 0, year % 7, 0}, -1);
            for (int day = days_of_month(year, month) + 1; day < 34; day++)
                assert_day(&(struct day){year, month, day, day % 7, 0}, -1);
        }
    }
}

static void every_second_of_a_day_is_read(void **state)
{
    (void)state;
    for (int hour = 0; hour < 100; hour++) {
        for (int minute = 0; minute < 100; minute++) {
            for (int second = 0; second < 100; second += hour < 24 && minute < 60 ? 1 : 9) {
                char value[64];
                int64_t expected = 951782400 + (hour * 60 + minute) * 60 + second;

                if (hour > 23 || minute > 59 || second > 60)
                    expected = -1;
                snprintf(value, sizeof value, "Tue, 29 Feb 2000 %02d:%02d:%02d GMT", hour, minute, second);
                assert_date(value, expected);
            }
        }
    }
}

static void every_time_between_two_dates_is_waited_for(void **state)
{
    static const char date[] = "Tue, 29 Feb 2000 12:00:00 GMT";

    (void)state;
    for (int64_t wait_s = -DAY_S / 2; wait_s < DAY_S / 2; wait_s += 1) {
        const int second = (int)(DAY_S / 2 + wait_s);
        char value[64];

        snprintf(value, sizeof value, "Tue, 29 Feb 2000 %02d:%02d:%02d GMT", second / 3600, second / 60 % 60,
                 second % 60);
        assert_wait(value, date, within_an_hour(wait_s));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_short_string_is_read_as_the_grammar_has_it),
        cmocka_unit_test(every_number_of_digits_is_read),
        cmocka_unit_test(every_day_of_three_centuries_is_read),
        cmocka_unit_test(no_day_that_no_month_has_is_read),
        cmocka_unit_test(every_second_of_a_day_is_read),
        cmocka_unit_test(every_time_between_two_dates_is_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
