#include "support/test.h"

#include "core/retry_after.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void http_dates_are_read_in_their_three_forms(void **state)
{
    static const struct {
        const char *value;
        int64_t seconds;
    } CASES[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777}, /* RFC 9110 section 5.6.7 */
        {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777}, {"Sun Nov  6 08:49:37 1994", 784111777},
        {"Wed Nov 16 08:49:37 1994", 784975777},       {" \tSun, 06 Nov 1994 08:49:37 GMT ", 784111777},
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0},          {"Thursday, 01-Jan-70 00:00:00 GMT", 0},
        {"Fri, 31 Dec 1999 23:59:59 GMT", 946684799},  {"Tue, 29 Feb 2000 00:00:00 GMT", 951782400},
        {"Wed, 01 Mar 2000 00:00:00 GMT", 951868800},  {"Sat, 31 Dec 2016 23:59:60 GMT", 1483228800},
        {"Tue, 19 Jan 2038 03:14:08 GMT", 2147483648}, {"Tuesday, 31-Dec-69 23:59:59 GMT", 3155759999},
        {"Mon, 28 Feb 2101 12:00:00 GMT", 4139035200}, {"Fri, 31 Dec 9999 23:59:59 GMT", 253402300799},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++)
        assert_int_equal(nx_http_date(CASES[i].value), CASES[i].seconds);
}

static void every_month_and_day_has_its_name(void **state)
{
    static const struct {
        const char *value;
        int64_t day;
    } CASES[] = {
        {"Sun, 01 Jan 2023 00:00:00 GMT", 19358}, {"Wed, 01 Feb 2023 00:00:00 GMT", 19389},
        {"Wed, 01 Mar 2023 00:00:00 GMT", 19417}, {"Sat, 01 Apr 2023 00:00:00 GMT", 19448},
        {"Mon, 01 May 2023 00:00:00 GMT", 19478}, {"Thu, 01 Jun 2023 00:00:00 GMT", 19509},
        {"Sat, 01 Jul 2023 00:00:00 GMT", 19539}, {"Tue, 01 Aug 2023 00:00:00 GMT", 19570},
        {"Fri, 01 Sep 2023 00:00:00 GMT", 19601}, {"Sunday, 01-Oct-23 00:00:00 GMT", 19631},
        {"Wed Nov  1 00:00:00 2023", 19662},      {"Friday, 01-Dec-23 00:00:00 GMT", 19692},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++)
        assert_int_equal(nx_http_date(CASES[i].value), CASES[i].day * 86400);
}

static void anything_else_is_no_http_date(void **state)
{
    static const char *const CASES[] = {
        "",
        "120",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        "Sun, 06 Nov 1994 08:49:37 GMT+1",
        "sun, 06 nov 1994 08:49:37 gmt",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 06 Nob 1994 08:49:37 GMT",
        "Foo, 06 Nov 1994 08:49:37 GMT",
        "Foosday, 06-Nov-94 08:49:37 GMT",
        "Sunday, 06-Nov-9",
        "Sun Nov 6 08:49:37 1994",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Wed, 29 Feb 2023 00:00:00 GMT",
        "Mon, 29 Feb 2100 00:00:00 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Wed, 31 Dec 1969 23:59:59 GMT",
        "1994-11-06T08:49:37Z",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++)
        assert_int_equal(nx_http_date(CASES[i]), -1);
}

static void a_wait_in_seconds_keeps_to_its_limits(void **state)
{
    static const struct {
        const char *value;
        int64_t ms;
    } CASES[] = {
        {"17", 17000},
        {" 17\t", 17000},
        {"017", 17000},
        {"0", 1000},
        {"-0", 1000},
        {"-3", 1000},
        {"-99999999999999999999999", 1000},
        {"1", 1000},
        {"2", 2000},
        {"3599", 3599000},
        {"3600", 3600000},
        {"3601", 3600000},
        {"2147483647", 3600000},
        {"99999999999999999999999", 3600000},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++)
        assert_int_equal(nx_retry_after_ms(CASES[i].value, NULL), CASES[i].ms);
}

static void what_cannot_be_read_is_the_unstated_wait(void **state)
{
    static const char *const CASES[] = {"", " ", "-", "+5", "1.5", "5s", "5, 5", "soon", "--5"};

    (void)state;
    assert_int_equal(nx_retry_after_ms(NULL, NULL), 10000);
    for (size_t i = 0; i < COUNT(CASES); i++)
        assert_int_equal(nx_retry_after_ms(CASES[i], "Sun, 06 Nov 1994 08:49:37 GMT"), 10000);
}

static void a_date_counts_from_the_date_of_the_answer(void **state)
{
    static const struct {
        const char *value;
        const char *date;
        int64_t ms;
    } CASES[] = {
        {"Sun, 06 Nov 1994 08:50:07 GMT", "Sun, 06 Nov 1994 08:49:37 GMT", 30000},
        {"Sunday, 06-Nov-94 08:50:07 GMT", "Sun Nov  6 08:49:37 1994", 30000},
        {"Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT", 1000},
        {"Sun, 06 Nov 1994 08:00:00 GMT", "Sun, 06 Nov 1994 08:49:37 GMT", 1000},
        {"Fri, 31 Dec 9999 23:59:59 GMT", "Thu, 01 Jan 1970 00:00:00 GMT", 3600000},
        {"Sun, 06 Nov 1994 08:50:07 GMT", NULL, 10000},
        {"Sun, 06 Nov 1994 08:50:07 GMT", "", 10000},
        {"Sun, 06 Nov 1994 08:50:07 GMT", "yesterday", 10000},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++)
        assert_int_equal(nx_retry_after_ms(CASES[i].value, CASES[i].date), CASES[i].ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(http_dates_are_read_in_their_three_forms),
        cmocka_unit_test(every_month_and_day_has_its_name),
        cmocka_unit_test(anything_else_is_no_http_date),
        cmocka_unit_test(a_wait_in_seconds_keeps_to_its_limits),
        cmocka_unit_test(what_cannot_be_read_is_the_unstated_wait),
        cmocka_unit_test(a_date_counts_from_the_date_of_the_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
