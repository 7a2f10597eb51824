/* Tokens that are copied: into a buffer that may be too small, by callers that may be wrong. */
#include "support/fixture.h"
#include "support/test.h"

#include <string.h>

static const char text[] = "Authorization: Bearer abcdef";

struct caller {
    bool source, buffer, out;
    int64_t min_validity_s;
};

static void check_refusal(nexauth_status status, const struct nexauth_error *error, const char *message)
{
    assert_int_equal(status, NEXAUTH_INVALID);
    assert_int_equal(error->status, NEXAUTH_INVALID);
    assert_string_equal(error->message, message);
}

/* Of each size, the first time with a token that is waited for: nothing but the whole text is written. */
static void check_sizes(nexauth_source *source, const struct nexauth_get_options *options)
{
    for (size_t size = 0; size <= sizeof text; size++) {
        char buffer[sizeof text + 1];
        struct nexauth_error error = {0};
        size_t length = 99;
        nexauth_status status;

        memset(buffer, '#', sizeof buffer);
        status = nexauth_source_copy_token(source, options, buffer, size, &length, &error);
        if (size < sizeof text) {
            check_refusal(status, &error, "the buffer is too small: 29 bytes are needed");
            assert_int_equal(length, 99);
            for (size_t i = 0; i < sizeof buffer; i++)
                assert_int_equal(buffer[i], '#');
        } else {
            assert_int_equal(status, NEXAUTH_OK);
            assert_int_equal(length, sizeof text - 1);
            assert_string_equal(buffer, text);
            assert_int_equal(buffer[sizeof text], '#');
        }
    }
}

static void a_buffer_that_is_too_small_stays_as_it_is(void **state)
{
    static const struct nexauth_get_options patient = {.timeout_ms = 1000};
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);

    fixture_answer_token(fixture, "abcdef", "3600");
    check_sizes(source, NULL);
    check_sizes(source, &patient);
    assert_int_equal(fixture->script.begun, 1);
    nexauth_source_free(source);
}

static void what_a_caller_forgets_is_refused(void **state)
{
    static const struct {
        struct caller caller;
        const char *message;
    } rows[] = {
        {{false, true, true, 0}, "source, buffer and out are required"},
        {{true, false, true, 0}, "source, buffer and out are required"},
        {{true, true, false, 0}, "source, buffer and out are required"},
        {{true, true, true, -1}, "min_validity_s must be from 0 to 31536000"},
    };
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct caller *caller = &rows[i].caller;
        const struct nexauth_get_options options = {.min_validity_s = caller->min_validity_s};
        struct nexauth_error error = {0};
        char buffer[64];
        size_t length;

        check_refusal(nexauth_source_copy_token(
                          caller->source ? source : NULL, caller->min_validity_s ? &options : NULL,
                          caller->buffer ? buffer : NULL, sizeof buffer, caller->out ? &length : NULL, &error),
                      &error, rows[i].message);
    }
    assert_int_equal(fixture->script.begun, 0);
    nexauth_source_free(source);
}

#define IN_A_SCRIPT(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_SCRIPT(a_buffer_that_is_too_small_stays_as_it_is),
        IN_A_SCRIPT(what_a_caller_forgets_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
