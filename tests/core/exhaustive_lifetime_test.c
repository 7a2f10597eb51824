/* Lifetimes: all short strings, and all numbers where something changes, against an obvious reading. */
#include "support/test.h"

#include "core/lifetime.h"
#include "support/odometer.h"

#include <inttypes.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t stated_of(const char *string)
{
    struct nx_value value = {.kind = NX_KIND_STRING};
    int64_t stated;

    nx_text_init(&value.text, 64);
    nx_text_add(&value.text, string);
    stated = nx_lifetime_stated(&value);
    nx_text_release(&value.text);
    return stated;
}

static void assert_stated(const char *string, int64_t expected)
{
    if (stated_of(string) != expected)
        fail_msg("\"%s\": %" PRId64 " instead of %" PRId64, string, stated_of(string), expected);
}

static void every_short_string_is_read_as_the_grammar_has_it(void **state)
{
    struct odometer strings;
    regex_t grammar;
    size_t count = 0;

    (void)state;
    assert_int_equal(regcomp(&grammar, "^[ \t\r\n]*([0-9]+)(\\.0+)?[ \t\r\n]*$", REG_EXTENDED), 0);
    odometer_init(&strings, "019. \n-e", 0, 5);
    do {
        regmatch_t found[2];
        int64_t expected = -1;

        if (regexec(&grammar, strings.text, 2, found, 0) == 0)
            expected = strtoll(strings.text + found[1].rm_so, NULL, 10);
        assert_stated(strings.text, expected);
        count++;
    } while (odometer_next(&strings));
    assert_int_equal(count, 1 + 8 + 64 + 512 + 4096 + 32768);
    regfree(&grammar);
}

/* All of up to five digits, as they are written in several ways. */
static void every_small_number_is_what_it_says(void **state)
{
    static const char *const forms[] = {"%" PRId64, "0%" PRId64, " %" PRId64 ".0", "%" PRId64 "\t"};

    (void)state;
    for (int64_t number = 0; number < 100000; number++) {
        struct nx_value value = {.kind = NX_KIND_NUMBER, .number = (double)number};
        char text[32];

        snprintf(text, sizeof text, forms[number % 4], number);
        assert_stated(text, number);
        assert_int_equal(nx_lifetime_stated(&value), number);
        value.number += 0.5;
        assert_int_equal(nx_lifetime_stated(&value), -1);
        value.number = -(double)number - 1;
        assert_int_equal(nx_lifetime_stated(&value), -1);
    }
}

static void the_largest_numbers_end_at_the_largest_of_all(void **state)
{
    (void)state;
    for (uint64_t number = INT64_MAX - 2000; number < (uint64_t)INT64_MAX + 2000; number++) {
        const int64_t expected = number > INT64_MAX ? INT64_MAX : (int64_t)number;
        char text[32];

        snprintf(text, sizeof text, "%" PRIu64, number);
        assert_stated(text, expected);
        snprintf(text, sizeof text, "%" PRIu64 "0", number);
        assert_stated(text, INT64_MAX);
    }
}

static void what_counts_lies_between_one_and_the_least_of_the_bounds(void **state)
{
    static const int64_t longest[] = {0, 1, 300, 1209600, NX_LIFETIME_LONGEST_S, INT64_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof longest / sizeof *longest; i++) {
        for (int64_t stated = -1; stated < NX_LIFETIME_LONGEST_S + 100; stated += stated < 2000 ? 1 : 37) {
            const int64_t counted = nx_lifetime_counted(stated, longest[i]);
            int64_t expected = stated > 0 ? stated : 300;

            if (stated > 0 && longest[i] > 0 && expected > longest[i])
                expected = longest[i];
            if (expected > 31536000)
                expected = 31536000;
            if (counted != expected)
                fail_msg("%" PRId64 " of %" PRId64 ": %" PRId64, stated, longest[i], counted);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_short_string_is_read_as_the_grammar_has_it),
        cmocka_unit_test(every_small_number_is_what_it_says),
        cmocka_unit_test(the_largest_numbers_end_at_the_largest_of_all),
        cmocka_unit_test(what_counts_lies_between_one_and_the_least_of_the_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
