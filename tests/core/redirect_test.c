#include "support/test.h"

#include "core/redirect.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* What the session's tests cannot ask for, as its states are never empty. */
static void a_state_that_cannot_be_read_is_wrong_whatever_is_expected(void **state)
{
    static const struct {
        const char *url, *expected;
        enum nx_redirect redirect;
    } CASES[] = {
        {"https://h/cb?code=c&state=s", "s", NX_REDIRECT_RIGHT},
        {"https://h/cb?code=c&state=%73", "s", NX_REDIRECT_RIGHT},
        {"https://h/cb?code=c&state=%00", "", NX_REDIRECT_WRONG},
        {"https://h/cb?code=c&state=s%00", "s", NX_REDIRECT_WRONG},
        {"https://h/cb?error=x&state=%00", "", NX_REDIRECT_WRONG},
        {"https://h/cb?code=%00&state=s", "s", NX_REDIRECT_WRONG},
        {"https://h/cb?code=c", "", NX_REDIRECT_WRONG},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_text code;
        struct nx_text error;

        nx_text_init(&code, 100);
        nx_text_init(&error, 100);
        assert_int_equal(nx_redirect_read(CASES[i].url, false, "https://h/cb", CASES[i].expected, &code, &error),
                         CASES[i].redirect);
        nx_text_release(&code);
        nx_text_release(&error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_state_that_cannot_be_read_is_wrong_whatever_is_expected),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
