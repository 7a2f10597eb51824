/*
 * Options that no caller should give to a constructor: strings that are empty, too long or hold control characters,
 * choices out of range, `reserved` that is not zero. Each is refused by its name.
 */
#include "support/test.h"

#include "providers/providers.h"
#include "session/session.h"
#include "support/fixture.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { TOO_LONG = NX_OPTION_LONGEST + 1, HUGE_LENGTH = 3 * 1048576 };

static char too_long[TOO_LONG + 1];
static char huge[HUGE_LENGTH + 1];

static const struct nexauth_nex_user_options user = {
    .client_id = "a", .client_secret = "b", .username = "c", .password = "d"};
static const struct nexauth_quantoz_options client = {
    .client_id = "a", .client_secret = "b", .environment = NEXAUTH_QUANTOZ_TEST};
static const struct nexauth_nexusguard_app_options app = {.app_id = "a", .secret = "b"};
static const struct nexauth_static_options fixed = {.access_token = "a"};

/* A vendor, and options that are right: what each option is changed from. */
static const struct vendor {
    const struct nx_provider *provider;
    const void *options;
} vendors[] = {
    {&nx_nex_user, &user},  {&nx_nex_controller, &fixture_controller},
    {&nx_quantoz, &client}, {&nx_nexusguard_app, &app},
    {&nx_static, &fixed},   {&nx_nexusguard_user, &fixture_customer},
};

static nexauth_status make(struct fixture *fixture, const struct vendor *vendor, const void *options,
                           struct nexauth_error *error)
{
    nexauth_source *source = NULL;
    const nexauth_status status = nx_source_new(fixture->session, vendor->provider, options, &source, error);

    assert_int_equal(source != NULL, status == NEXAUTH_OK);
    if (status != NEXAUTH_OK && status != NEXAUTH_INVALID)
        fail_msg("%s", nexauth_status_name(status));
    nexauth_source_free(source);
    return status;
}

static void try_string(struct fixture *fixture, const struct vendor *vendor, const struct nx_option *option,
                       const char *value, bool taken)
{
    char options[512];
    struct nexauth_error error = {0};
    nexauth_status status;

    assert_in_range(vendor->provider->options.size, 1, sizeof options);
    memcpy(options, vendor->options, vendor->provider->options.size);
    memcpy(options + option->offset, (const void *)&value, sizeof value);
    status = make(fixture, vendor, options, &error);
    if (taken != (status == NEXAUTH_OK))
        fail_msg("%s of %s as \"%.20s\": %s", option->name, vendor->provider->service, value, error.message);
    if (!taken && !strstr(error.message, option->name))
        fail_msg("%s of %s: says \"%s\"", option->name, vendor->provider->service, error.message);
}

static void a_constructor_refuses_such_strings(void **state)
{
    static const char *const strange[] = {"\n", "a\r\nb", "\x01", "a\x1f", "\x7f", "/\t"};

    for (size_t i = 0; i < sizeof vendors / sizeof *vendors; i++) {
        const struct nx_option_table *table = &vendors[i].provider->options;

        for (size_t j = 0; j < table->count; j++) {
            const struct nx_option *option = &table->options[j];

            if (option->kind == NX_OPTION_CHOICE)
                continue;
            try_string(*state, &vendors[i], option, "", option->flags & NX_MAY_BE_EMPTY);
            try_string(*state, &vendors[i], option, too_long, false);
            try_string(*state, &vendors[i], option, huge, false);
            for (size_t k = 0; k < sizeof strange / sizeof *strange; k++)
                try_string(*state, &vendors[i], option, strange[k], false);
        }
    }
}

static void a_constructor_refuses_such_choices(void **state)
{
    static const int numbers[] = {INT_MIN, -1, 7, INT_MAX};

    for (size_t i = 0; i < sizeof vendors / sizeof *vendors; i++) {
        const struct nx_option_table *table = &vendors[i].provider->options;

        for (size_t j = 0; j < table->count * 4; j++) {
            const struct nx_option *option = &table->options[j / 4];
            char options[512];

            if (option->kind != NX_OPTION_CHOICE)
                continue;
            memcpy(options, vendors[i].options, table->size);
            memcpy(options + option->offset, &numbers[j % 4], sizeof numbers[0]);
            assert_int_equal(make(*state, &vendors[i], options, NULL), NEXAUTH_INVALID);
        }
    }
}

static void a_constructor_refuses_what_is_reserved(void **state)
{
    for (size_t i = 0; i < sizeof vendors / sizeof *vendors; i++) {
        const size_t size = vendors[i].provider->options.size;
        char options[512];

        for (size_t j = 1; j <= 8; j++) {
            memcpy(options, vendors[i].options, size);
            options[size - j * sizeof(uintptr_t)] = 1;
            assert_int_equal(make(*state, &vendors[i], options, NULL), NEXAUTH_INVALID);
        }
    }
}

static void a_constructor_refuses_such_meanings(void **state)
{
    static const int no_meanings[] = {-1, NEXAUTH_OK, NEXAUTH_INVALID, NEXAUTH_CANCELED, INT_MAX};
    const struct vendor *vendor = &vendors[3];
    struct nexauth_nexusguard_app_options options = app;
    struct nexauth_code_meaning *meanings = calloc(257, sizeof *meanings);

    assert_non_null(meanings);
    for (size_t i = 0; i < 257; i++)
        meanings[i] = (struct nexauth_code_meaning){(int64_t)i, NEXAUTH_DENIED};
    options.meanings = meanings;
    options.meanings_count = 256;
    assert_int_equal(make(*state, vendor, &options, NULL), NEXAUTH_OK);
    options.meanings_count = 257;
    assert_int_equal(make(*state, vendor, &options, NULL), NEXAUTH_INVALID);
    options.meanings_count = SIZE_MAX;
    assert_int_equal(make(*state, vendor, &options, NULL), NEXAUTH_INVALID);
    options.meanings_count = 1;
    for (size_t i = 0; i < sizeof no_meanings / sizeof *no_meanings; i++) {
        meanings[0].status = no_meanings[i];
        assert_int_equal(make(*state, vendor, &options, NULL), NEXAUTH_INVALID);
    }
    free(meanings);
}

static int set_up(void **state)
{
    memset(too_long, 'a', TOO_LONG);
    memset(huge, 'a', HUGE_LENGTH);
    return fixture_set_up(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_constructor_refuses_such_strings),
        TEST(a_constructor_refuses_such_choices),
        TEST(a_constructor_refuses_what_is_reserved),
        TEST(a_constructor_refuses_such_meanings),
    };

    return cmocka_run_group_tests_name("options that are wrong", tests, NULL, NULL);
}
