#include "support/test.h"

#include "core/lifetime.h"

#include <float.h>
#include <math.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void a_stated_number_counts_when_it_is_whole(void **state)
{
    static const struct {
        double number;
        int64_t stated;
    } CASES[] = {
        {0, 0},
        {-0.0, 0},
        {1, 1},
        {3600, 3600},
        {12096000, 12096000},
        {9007199254740992.0, 9007199254740992},
        {9223372036854774784.0, 9223372036854774784},
        {9223372036854775808.0, INT64_MAX},
        {1e20, INT64_MAX},
        {1e308, INT64_MAX},
        {DBL_MAX, INT64_MAX},
        {-1, -1},
        {-1e300, -1},
        {3600.5, -1},
        {0.1, -1},
        {(double)NAN, -1},
        {(double)INFINITY, -1},
        {-(double)INFINITY, -1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        const struct nx_value value = {.kind = NX_KIND_NUMBER, .number = CASES[i].number};

        assert_int_equal(nx_lifetime_stated(&value), CASES[i].stated);
    }
}

static void a_stated_string_counts_when_it_says_a_whole_number(void **state)
{
    static const struct {
        const char *string;
        int64_t stated;
    } CASES[] = {
        {"0", 0},
        {"3600", 3600},
        {" \t\r\n3600\n ", 3600},
        {"003600", 3600},
        {"3600.0", 3600},
        {"3600.000 ", 3600},
        {"9223372036854775805", INT64_MAX - 2},
        {"9223372036854775807", INT64_MAX},
        {"9223372036854775808", INT64_MAX},
        {"99999999999999999999999999.0", INT64_MAX},
        {"", -1},
        {"  ", -1},
        {"-1", -1},
        {"+1", -1},
        {"1e3", -1},
        {"3600.", -1},
        {"3600.5", -1},
        {"3600.05", -1},
        {".0", -1},
        {"0x10", -1},
        {"36 00", -1},
        {"3600s", -1},
        {"NaN", -1},
        {"\v3600", -1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_value value = {.kind = NX_KIND_STRING};

        nx_text_init(&value.text, 100);
        nx_text_add(&value.text, CASES[i].string);
        assert_int_equal(nx_lifetime_stated(&value), CASES[i].stated);
        nx_text_release(&value.text);
    }
}

static void no_lifetime_is_stated_by_anything_else(void **state)
{
    const struct nx_value absent = {.kind = NX_KIND_ABSENT, .number = 3600};
    const struct nx_value other = {.kind = NX_KIND_OTHER, .number = 3600};

    (void)state;
    assert_int_equal(nx_lifetime_stated(&absent), -1);
    assert_int_equal(nx_lifetime_stated(&other), -1);
}

static void the_lifetime_that_counts_keeps_to_its_limits(void **state)
{
    static const struct {
        int64_t stated, longest, counted;
    } CASES[] = {
        {-1, 0, 300},
        {0, 0, 300},
        {0, 1209600, 300},
        {1, 0, 1},
        {3600, 0, 3600},
        {3600, 1209600, 3600},
        {12096000, 1209600, 1209600},
        {1209600, 1209600, 1209600},
        {31536000, 0, 31536000},
        {31536001, 0, 31536000},
        {INT64_MAX, 0, 31536000},
        {INT64_MAX, INT64_MAX, 31536000},
        {INT64_MAX, 7200, 7200},
        {INT64_MAX, 1, 1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++)
        assert_int_equal(nx_lifetime_counted(CASES[i].stated, CASES[i].longest), CASES[i].counted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stated_number_counts_when_it_is_whole),
        cmocka_unit_test(a_stated_string_counts_when_it_says_a_whole_number),
        cmocka_unit_test(no_lifetime_is_stated_by_anything_else),
        cmocka_unit_test(the_lifetime_that_counts_keeps_to_its_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
