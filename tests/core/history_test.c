/* Telling a ban from a refusal, by what an endpoint has answered so far. */
#include "support/test.h"

#include "core/history.h"

struct step {
    uint64_t who;
    enum nx_sign sign;
    enum nx_ban ban;
};

static void walk(const struct step *steps, size_t count)
{
    struct nx_history history = {0};

    for (size_t i = 0; i < count; i++) {
        if (nx_history_note(&history, steps[i].who, steps[i].sign) != steps[i].ban)
            fail_msg("step %zu", i);
    }
    nx_history_release(&history);
}

#define WALK(...)                                                                                                      \
    do {                                                                                                               \
        const struct step steps[] = {__VA_ARGS__};                                                                     \
        walk(steps, sizeof steps / sizeof *steps);                                                                     \
    } while (0)

static void one_strangers_refusal_is_no_ban(void **state)
{
    (void)state;
    WALK({1, NX_SIGN_ANSWER, NX_BAN_NONE}, {1, NX_SIGN_BARE, NX_BAN_NONE}, {1, NX_SIGN_BARE, NX_BAN_NONE},
         {1, NX_SIGN_HTML_403, NX_BAN_NONE}, {1, NX_SIGN_HTML, NX_BAN_NONE});
}

static void a_refusal_of_who_was_served_before_is_a_ban(void **state)
{
    (void)state;
    WALK({1, NX_SIGN_TOKEN, NX_BAN_NONE}, {1, NX_SIGN_HTML, NX_BAN_TOLD}, {2, NX_SIGN_BARE, NX_BAN_NONE},
         {1, NX_SIGN_BARE, NX_BAN_TOLD});
}

static void the_third_different_identity_refused_in_a_row_shows_a_ban(void **state)
{
    (void)state;
    WALK({1, NX_SIGN_ANSWER, NX_BAN_NONE}, {1, NX_SIGN_BARE, NX_BAN_NONE}, {2, NX_SIGN_HTML, NX_BAN_NONE},
         {2, NX_SIGN_HTML, NX_BAN_NONE}, {3, NX_SIGN_BARE, NX_BAN_TOLD}, {4, NX_SIGN_BARE, NX_BAN_TOLD},
         {1, NX_SIGN_BARE, NX_BAN_TOLD});
}

static void an_answer_of_the_api_ends_the_row(void **state)
{
    (void)state;
    WALK({1, NX_SIGN_ANSWER, NX_BAN_NONE}, {1, NX_SIGN_BARE, NX_BAN_NONE}, {2, NX_SIGN_BARE, NX_BAN_NONE},
         {3, NX_SIGN_ANSWER, NX_BAN_NONE}, {4, NX_SIGN_BARE, NX_BAN_NONE});
}

static void a_loss_that_says_nothing_does_not_end_the_row(void **state)
{
    (void)state;
    WALK({1, NX_SIGN_ANSWER, NX_BAN_NONE}, {1, NX_SIGN_BARE, NX_BAN_NONE}, {2, NX_SIGN_BARE, NX_BAN_NONE},
         {2, NX_SIGN_NOTHING, NX_BAN_NONE}, {3, NX_SIGN_BARE, NX_BAN_TOLD});
}

static void a_page_with_403_as_the_very_first_answer_blocks_for_a_minute(void **state)
{
    (void)state;
    WALK({1, NX_SIGN_NOTHING, NX_BAN_NONE}, {1, NX_SIGN_HTML_403, NX_BAN_FIRST}, {1, NX_SIGN_HTML_403, NX_BAN_NONE});
    WALK({1, NX_SIGN_HTML, NX_BAN_NONE});
    WALK({1, NX_SIGN_BARE, NX_BAN_NONE});
}

static void three_connections_closed_in_a_row_show_a_ban(void **state)
{
    (void)state;
    WALK({1, NX_SIGN_CLOSED, NX_BAN_NONE}, {1, NX_SIGN_CLOSED, NX_BAN_NONE}, {1, NX_SIGN_CLOSED, NX_BAN_TOLD},
         {1, NX_SIGN_CLOSED, NX_BAN_TOLD}, {1, NX_SIGN_ANSWER, NX_BAN_NONE}, {1, NX_SIGN_CLOSED, NX_BAN_NONE});
}

/* The identities' low bits are all the same: they meet in the set, which grows several times. */
static void thousands_of_identities_are_remembered(void **state)
{
    enum { MANY = 3000 };
    struct nx_history history = {0};

    (void)state;
    for (uint64_t i = 0; i < MANY; i++)
        assert_int_equal(nx_history_note(&history, i << 12, NX_SIGN_TOKEN), NX_BAN_NONE);
    for (uint64_t i = 0; i < MANY; i++) {
        assert_int_equal(nx_history_note(&history, i << 12, NX_SIGN_BARE), NX_BAN_TOLD);
        nx_history_note(&history, i << 12, NX_SIGN_TOKEN);
    }
    assert_int_equal(nx_history_note(&history, (uint64_t)MANY << 12, NX_SIGN_BARE), NX_BAN_NONE);
    nx_history_release(&history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_strangers_refusal_is_no_ban),
        cmocka_unit_test(a_refusal_of_who_was_served_before_is_a_ban),
        cmocka_unit_test(the_third_different_identity_refused_in_a_row_shows_a_ban),
        cmocka_unit_test(an_answer_of_the_api_ends_the_row),
        cmocka_unit_test(a_loss_that_says_nothing_does_not_end_the_row),
        cmocka_unit_test(a_page_with_403_as_the_very_first_answer_blocks_for_a_minute),
        cmocka_unit_test(three_connections_closed_in_a_row_show_a_ban),
        cmocka_unit_test(thousands_of_identities_are_remembered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
