/* How the emulator hands out tokens when it is told to, as the library meets it. Time passes when the test says so. */
#include "support/test.h"

#include "live.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static nexauth_token *get(nexauth_session *session, enum live_kind kind)
{
    const struct live_who who = {.kind = kind};
    nexauth_source *source = live_new_source(session, &who);
    nexauth_token *token = live_get(source);

    nexauth_source_free(source);
    return token;
}

static bool is_alive(const nexauth_token *token)
{
    const int alive = emulator_is_alive(&live_emulator, nexauth_token_access_token(token));

    assert_true(alive >= 0);
    return alive == 1;
}

static void tell(const char *json)
{
    assert_int_equal(emulator_tokens(&live_emulator, json), 0);
}

static void advance_s(long seconds)
{
    assert_int_equal(emulator_advance(&live_emulator, seconds * 1000), 0);
}

static void a_lifetime_is_one_service_s_or_all_services(void **state)
{
    static const struct {
        const char *manner;
        int64_t nex;
        int64_t quantoz;
    } rows[] = {{"{\"service\":\"nex\",\"lifetime_s\":60}", 60, 3600},
                {"{\"lifetime_s\":90}", 90, 90},
                {"{\"service\":\"quantoz_test\",\"lifetime_s\":0}", 90, 3600}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        tell(rows[i].manner);
        nexauth_token *nex = get(*state, LIVE_NEX_USER);
        nexauth_token *quantoz = get(*state, LIVE_QUANTOZ_TEST);
        assert_int_equal(nexauth_token_lifetime_s(nex), rows[i].nex);
        assert_int_equal(nexauth_token_lifetime_s(quantoz), rows[i].quantoz);
        nexauth_token_unref(nex);
        nexauth_token_unref(quantoz);
    }
}

static void a_token_dies_at_its_end(void **state)
{
    nexauth_token *token = get(*state, LIVE_QUANTOZ_TEST);

    assert_true(is_alive(token));
    advance_s(3600);
    assert_false(is_alive(token));
    assert_int_equal(emulator_is_alive(&live_emulator, "a-token-of-nobody"), 0);
    nexauth_token_unref(token);
}

static void the_same_token_is_given_again_until_near_its_end(void **state)
{
    tell("{\"service\":\"nexusguard\",\"same_token\":true,\"near_end_s\":600}");
    nexauth_token *first = get(*state, LIVE_NEXUSGUARD_APP);
    advance_s(6000);
    nexauth_token *again = get(*state, LIVE_NEXUSGUARD_APP);
    advance_s(1000);
    nexauth_token *next = get(*state, LIVE_NEXUSGUARD_APP);

    assert_string_equal(nexauth_token_access_token(first), nexauth_token_access_token(again));
    assert_true(nexauth_token_stated_lifetime_s(again) <= 1200);
    assert_string_not_equal(nexauth_token_access_token(first), nexauth_token_access_token(next));
    assert_int_equal(nexauth_token_stated_lifetime_s(next), 7200);
    assert_true(is_alive(first));
    nexauth_token_unref(first);
    nexauth_token_unref(again);
    nexauth_token_unref(next);
}

static void a_revoked_token_is_dead_and_is_not_given_again(void **state)
{
    static const bool all[] = {false, true};

    tell("{\"same_token\":true}");
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        nexauth_token *first = get(*state, LIVE_NEXUSGUARD_APP);
        nexauth_token *other = get(*state, LIVE_QUANTOZ_TEST);
        const char *text = nexauth_token_access_token(first);
        assert_int_equal(emulator_revoke_access(&live_emulator, all[i] ? NULL : text), 0);
        nexauth_token *next = get(*state, LIVE_NEXUSGUARD_APP);

        assert_false(is_alive(first));
        assert_int_equal(is_alive(other), !all[i]);
        assert_string_not_equal(text, nexauth_token_access_token(next));
        assert_true(is_alive(next));
        nexauth_token_unref(first);
        nexauth_token_unref(other);
        nexauth_token_unref(next);
    }
}

static void a_new_token_kills_the_older_one_of_the_same_owner(void **state)
{
    tell("{\"service\":\"nexusguard\",\"kills_older\":true}");
    nexauth_token *user = get(*state, LIVE_NEXUSGUARD_USER);
    nexauth_token *first = get(*state, LIVE_NEXUSGUARD_APP);
    nexauth_token *second = get(*state, LIVE_NEXUSGUARD_APP);

    assert_false(is_alive(first));
    assert_true(is_alive(second));
    assert_true(is_alive(user));
    nexauth_token_unref(user);
    nexauth_token_unref(first);
    nexauth_token_unref(second);
}

static void an_older_token_may_live_on_for_a_grace(void **state)
{
    tell("{\"service\":\"nexusguard\",\"kills_older\":true,\"grace_ms\":300000}");
    nexauth_token *first = get(*state, LIVE_NEXUSGUARD_APP);
    nexauth_token *second = get(*state, LIVE_NEXUSGUARD_APP);

    assert_true(is_alive(first));
    advance_s(300);
    assert_false(is_alive(first));
    assert_true(is_alive(second));
    nexauth_token_unref(first);
    nexauth_token_unref(second);
}

/* The status of a refresh with that token, which may be the answer's afterwards. */
static nexauth_status refresh(nexauth_session *session, char *refresh_token, size_t size)
{
    const struct live_who who = {.kind = LIVE_NEXUSGUARD_SAVED, .other = refresh_token};
    nexauth_source *source = live_new_source(session, &who);
    nexauth_token *token = NULL;
    const nexauth_status status = nexauth_source_get_token(source, NULL, &token, NULL);

    if (token)
        snprintf(refresh_token, size, "%s", nexauth_token_refresh_token(token));
    nexauth_token_unref(token);
    nexauth_source_free(source);
    return status;
}

static void a_refresh_token_is_replaced_or_serves_for_ever(void **state)
{
    char kept[128];
    char given[128];

    for (int rotation = 0; rotation < 2; rotation++) {
        assert_int_equal(emulator_reset(&live_emulator), 0);
        tell(rotation ? "{\"rotation\":true}" : "{\"rotation\":false}");
        nexauth_token *token = get(*state, LIVE_NEXUSGUARD_USER);
        snprintf(kept, sizeof kept, "%s", nexauth_token_refresh_token(token));
        snprintf(given, sizeof given, "%s", kept);
        nexauth_token_unref(token);
        assert_int_equal(refresh(*state, given, sizeof given), NEXAUTH_OK);
        assert_int_equal(strcmp(kept, given) != 0, rotation);
        assert_int_equal(refresh(*state, kept, sizeof kept), rotation ? NEXAUTH_REAUTH : NEXAUTH_OK);
        assert_int_equal(emulator_total_reused(&live_emulator, "refresh_tokens_reused"), rotation);
    }
}

static void the_largest_count_in_a_window_is_told(void **state)
{
    static const int requests[] = {2, 3, 1};

    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        for (int k = 0; k < requests[i]; k++)
            nexauth_token_unref(get(*state, i == 2 ? LIVE_NEX_CONTROLLER : LIVE_NEX_USER));
        advance_s(86400);
    }
    assert_int_equal(emulator_count_member(&live_emulator, "nex *", "largest_in_window", 43200000), 3);
    assert_int_equal(emulator_count_member(&live_emulator, "nex /v1.0/Token", "largest_in_window", 129600000), 5);
    assert_int_equal(emulator_count_member(&live_emulator, "nex *", "largest_in_window", 864000000), 6);
    assert_int_equal(emulator_count_member(&live_emulator, "quantoz_test *", "largest_in_window", 864000000), 0);
}

static void the_command_line_tells_it_too_and_a_reset_goes_back_to_that(void **state)
{
    static const char *const arguments[] = {"--tokens", "{\"service\":\"nex\",\"lifetime_s\":61}", NULL};
    struct emulator own;

    (void)state;
    assert_int_equal(emulator_start(&own, arguments), 0);
    const struct nexauth_session_options options = {.ca_file = own.ca_file};
    const struct live_who who = {.kind = LIVE_NEX_USER, .origin = own.nex_https};
    nexauth_session *session = live_new_session(&options);
    for (int i = 0; i < 2; i++) {
        nexauth_source *source = live_new_source(session, &who);
        nexauth_token *token = live_get(source);
        assert_int_equal(nexauth_token_lifetime_s(token), 61);
        nexauth_token_unref(token);
        nexauth_source_free(source);
        assert_int_equal(emulator_tokens(&own, "{\"lifetime_s\":5}"), 0);
        assert_int_equal(emulator_reset(&own), 0);
    }
    nexauth_session_free(session);
    assert_int_equal(emulator_stop(&own), 0);
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, live_set_up, live_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(a_lifetime_is_one_service_s_or_all_services),
        LIVE(a_token_dies_at_its_end),
        LIVE(the_same_token_is_given_again_until_near_its_end),
        LIVE(a_revoked_token_is_dead_and_is_not_given_again),
        LIVE(a_new_token_kills_the_older_one_of_the_same_owner),
        LIVE(an_older_token_may_live_on_for_a_grace),
        LIVE(a_refresh_token_is_replaced_or_serves_for_ever),
        LIVE(the_largest_count_in_a_window_is_told),
        LIVE(the_command_line_tells_it_too_and_a_reset_goes_back_to_that),
    };

    return cmocka_run_group_tests(tests, live_start, live_stop);
}
