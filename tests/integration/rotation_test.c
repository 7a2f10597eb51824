/*
 * Values that serve once, over networks that lose requests and answers: each leaves once, whoever asks; what came of
 * it is never guessed; and a refresh token that reached us is saved before anybody knows of its access token.
 */
#include "support/test.h"

#include "customer.h"
#include "live.h"
#include "passing.h"

#include <stdlib.h>

#define UNKNOWN "what came of it is unknown"

/* What a one-time request meets, and what a caller hears who has a way to connect later on, but not now. */
static const struct mishap {
    const char *fault;
    nexauth_status status;
} mishaps[] = {
    {"\"drop\":\"before_reading\"", NEXAUTH_NETWORK},
    {"\"drop\":\"after_reading\"", NEXAUTH_NETWORK},
    {"\"drop\":\"after_reading\",\"process\":false", NEXAUTH_NETWORK},
    {"\"drop\":\"in_answer\"", NEXAUTH_NETWORK},
    {"\"answer\":{\"status\":502},\"process\":true", NEXAUTH_UNAVAILABLE},
    {"\"answer\":{\"body\":\"{}\"},\"process\":true", NEXAUTH_PROTOCOL},
};

enum { MISHAPS = sizeof mishaps / sizeof *mishaps };

static void a_refresh_token_that_was_lost_is_said_to_be_and_not_presented_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < MISHAPS * CUSTOMER_CALLERS; i++) {
        const struct mishap *mishap = &mishaps[i / CUSTOMER_CALLERS];
        struct customer_start start = customer_begin();
        struct customer_journal journal = {0};
        nexauth_source *source = customer_new_source(start.session, &customer_by_nothing, start.saved, &journal);

        customer_befall(CUSTOMER_REFRESH, mishap->fault);
        struct customer_outcome outcome = customer_askers[i % CUSTOMER_CALLERS](start.session, source);
        customer_assert_outcome(&outcome, NEXAUTH_REAUTH, UNKNOWN, mishap->fault);
        for (int again = 0; again < 2; again++) {
            passing_let_s(CUSTOMER_FORGOTTEN_S);
            outcome = customer_askers[again](start.session, source);
            customer_assert_outcome(&outcome, NEXAUTH_REAUTH, "", mishap->fault);
        }
        assert_int_equal(customer_presented(CUSTOMER_REFRESH), 1);
        assert_int_equal(journal.saves, 0);
        customer_assert_nothing_twice();
        nexauth_source_free(source);
        customer_end(&start);
    }
}

static void a_source_that_can_connect_makes_up_for_a_lost_refresh_token(void **state)
{
    (void)state;
    for (size_t i = 0; i < MISHAPS * CUSTOMER_CALLERS; i++) {
        struct customer_start start = customer_begin();
        struct customer_journal journal = {0};
        nexauth_source *source = customer_new_source(
            start.session, i % 4 < 2 ? &customer_by_xspe : &customer_by_callback, start.saved, &journal);

        customer_befall(CUSTOMER_REFRESH, mishaps[i / CUSTOMER_CALLERS].fault);
        const struct customer_outcome outcome = customer_askers[i % CUSTOMER_CALLERS](start.session, source);
        customer_assert_outcome(&outcome, NEXAUTH_OK, "", mishaps[i / CUSTOMER_CALLERS].fault);
        assert_int_equal(customer_presented(CUSTOMER_REFRESH), 1);
        assert_int_equal(customer_presented(CUSTOMER_CONNECT), 2); /* one was for the token that got lost */
        assert_int_equal(customer_presented(CUSTOMER_CODE), 2);
        assert_int_equal(journal.saves, 1);
        assert_string_equal(journal.newest, outcome.refresh_token);
        nexauth_source_free(source);
        customer_end(&start);
        customer_assert_good(journal.newest);
    }
}

/* The browser's part of an authorization. */
static void bring_code(nexauth_source *source)
{
    nexauth_authorization *authorization = NULL;

    assert_int_equal(nexauth_source_authorize(source, &authorization, NULL), NEXAUTH_OK);
    char *redirect = live_browse(nexauth_authorization_url(authorization));
    assert_int_equal(nexauth_source_accept_redirect(source, redirect, nexauth_authorization_state(authorization), NULL),
                     NEXAUTH_OK);
    free(redirect);
    nexauth_authorization_free(authorization);
}

static void a_code_that_was_lost_is_said_to_be_and_not_presented_again(void **state)
{
    static const struct nexauth_nexusguard_user_options *const whose[] = {&customer_by_web, &customer_by_xspe};

    (void)state;
    for (size_t i = 0; i < MISHAPS * CUSTOMER_CALLERS * 2; i++) {
        const struct mishap *mishap = &mishaps[i / CUSTOMER_CALLERS / 2];
        struct customer_start start = customer_begin();
        struct customer_journal journal = {0};
        nexauth_source *source = customer_new_source(start.session, whose[i / CUSTOMER_CALLERS % 2], NULL, &journal);

        customer_befall(CUSTOMER_CODE, mishap->fault);
        if (whose[i / CUSTOMER_CALLERS % 2] == &customer_by_web)
            bring_code(source);
        struct customer_outcome outcome = customer_askers[i % CUSTOMER_CALLERS](start.session, source);
        customer_assert_outcome(&outcome, NEXAUTH_REAUTH, UNKNOWN, mishap->fault);
        passing_let_s(CUSTOMER_FORGOTTEN_S);
        outcome = customer_askers[i % CUSTOMER_CALLERS](start.session, source);
        customer_assert_outcome(&outcome, NEXAUTH_REAUTH, "", mishap->fault);
        assert_int_equal(customer_presented(CUSTOMER_CODE), 2); /* the first was for the saved refresh token */
        assert_int_equal(customer_presented(CUSTOMER_CONNECT), 2);
        customer_assert_nothing_twice();
        nexauth_source_free(source);
        customer_end(&start);
    }
}

static void a_lost_code_is_followed_by_another_connect_where_the_source_can(void **state)
{
    (void)state;
    for (size_t i = 0; i < MISHAPS * CUSTOMER_CALLERS; i++) {
        const struct mishap *mishap = &mishaps[i / CUSTOMER_CALLERS];
        struct customer_start start = customer_begin();
        struct customer_journal journal = {0};
        nexauth_source *source = customer_new_source(start.session, &customer_by_callback, NULL, &journal);

        customer_befall(CUSTOMER_CODE, mishap->fault);
        struct customer_outcome outcome = customer_askers[i % CUSTOMER_CALLERS](start.session, source);
        customer_assert_outcome(&outcome, mishap->status, "", mishap->fault);
        passing_let_s(CUSTOMER_FORGOTTEN_S);
        outcome = customer_askers[i % CUSTOMER_CALLERS](start.session, source);
        customer_assert_outcome(&outcome, NEXAUTH_OK, "", mishap->fault);
        assert_int_equal(customer_presented(CUSTOMER_CODE), 3);
        assert_int_equal(customer_presented(CUSTOMER_CONNECT), 3);
        assert_string_equal(journal.newest, outcome.refresh_token);
        nexauth_source_free(source);
        customer_end(&start);
        customer_assert_good(journal.newest);
    }
}

/* From life to life of one source, each refresh meeting something else. */
static void a_long_life_presents_each_value_once(void **state)
{
    static const struct {
        const char *path, *fault;
        nexauth_status status;
    } lives[] = {
        {NULL, NULL, NEXAUTH_OK},
        {CUSTOMER_REFRESH, "\"drop\":\"after_reading\"", NEXAUTH_OK},
        {CUSTOMER_REFRESH, "\"answer\":{\"status\":429}", NEXAUTH_THROTTLED},
        {NULL, NULL, NEXAUTH_OK},
        {CUSTOMER_REFRESH, "\"drop\":\"in_answer\"", NEXAUTH_OK},
        {NULL, NULL, NEXAUTH_OK},
        {CUSTOMER_REFRESH, "\"drop\":\"before_reading\"", NEXAUTH_OK},
        {CUSTOMER_REFRESH, "\"answer\":{\"status\":503}", NEXAUTH_THROTTLED},
        {CUSTOMER_REFRESH, "\"answer\":\"wrong-refresh-token\"", NEXAUTH_OK},
        {CUSTOMER_REFRESH, "\"answer\":{\"status\":500},\"process\":true", NEXAUTH_OK},
    };
    struct customer_start start = customer_begin();
    struct customer_journal journal = {0};
    nexauth_source *source = customer_new_source(start.session, &customer_by_callback, start.saved, &journal);
    int saves = 0;

    (void)state;
    for (size_t i = 0; i < 2 * sizeof lives / sizeof *lives; i++) {
        const size_t life = i % (sizeof lives / sizeof *lives);

        if (lives[life].path)
            customer_befall(lives[life].path, lives[life].fault);
        const struct customer_outcome outcome = customer_askers[i / 3 % CUSTOMER_CALLERS](start.session, source);
        customer_assert_outcome(&outcome, lives[life].status, "", lives[life].fault ? lives[life].fault : "nothing");
        saves += outcome.status == NEXAUTH_OK;
        assert_int_equal(journal.saves, saves);
        if (!outcome.status)
            assert_string_equal(journal.newest, outcome.refresh_token);
        customer_assert_nothing_twice();
        assert_int_equal(emulator_advance(&live_emulator, CUSTOMER_LIFE_S * 1000L), 0);
        passing_let_s(CUSTOMER_LIFE_S);
    }
    nexauth_source_free(source);
    customer_end(&start);
    customer_assert_good(journal.newest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refresh_token_that_was_lost_is_said_to_be_and_not_presented_again),
        cmocka_unit_test(a_source_that_can_connect_makes_up_for_a_lost_refresh_token),
        cmocka_unit_test(a_code_that_was_lost_is_said_to_be_and_not_presented_again),
        cmocka_unit_test(a_lost_code_is_followed_by_another_connect_where_the_source_can),
        cmocka_unit_test(a_long_life_presents_each_value_once),
    };

    return cmocka_run_group_tests(tests, live_start, live_stop);
}
