/* Every grant, taken over TLS from the emulator through the public API. */
#include "support/test.h"

#include "live.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CODE_GRANT "nexusguard /oauth/access_token"
#define REFRESH    "nexusguard /oauth/refresh_token"

static const struct grant {
    const char *name;
    struct live_who who;
    const char *prefix; /* of the access token */
    const char *scope;
    int64_t lifetime_s;
    bool by_query;  /* how the token is presented */
    bool refreshes; /* a refresh token comes with it */
    int requests;
} grants[] = {
    {"NEX user", {.kind = LIVE_NEX_USER}, "nex-", "user", 1209600, false, false, 1},
    {"NEX controller", {.kind = LIVE_NEX_CONTROLLER}, "nex-", "controller", 1209600, false, false, 1},
#ifdef NEXAUTH_XML
    {"NEX user by XML", {.kind = LIVE_NEX_USER, .mode = NEXAUTH_ACCEPT_XML}, "nex-", "user", 1209600, false, false, 1},
    {"NEX controller by XML",
     {.kind = LIVE_NEX_CONTROLLER, .mode = NEXAUTH_ACCEPT_XML},
     "nex-",
     "controller",
     1209600,
     false,
     false,
     1},
#endif
    {"Quantoz test", {.kind = LIVE_QUANTOZ_TEST}, "quantoz-", "api1", 3600, false, false, 1},
    {"Quantoz test by Basic",
     {.kind = LIVE_QUANTOZ_TEST, .mode = NEXAUTH_CLIENT_AUTH_BASIC},
     "quantoz-",
     "api1",
     3600,
     false,
     false,
     1},
    {"Quantoz test by raw Basic",
     {.kind = LIVE_QUANTOZ_TEST, .mode = NEXAUTH_CLIENT_AUTH_BASIC_RAW},
     "quantoz-",
     "api1",
     3600,
     false,
     false,
     1},
    {"Quantoz test for two scopes",
     {.kind = LIVE_QUANTOZ_TEST, .scope = "api1 sanctionlist"},
     "quantoz-",
     "api1 sanctionlist",
     3600,
     false,
     false,
     1},
    {"Quantoz production", {.kind = LIVE_QUANTOZ_PRODUCTION}, "quantoz-", "api1", 3600, false, false, 1},
    {"Quantoz production by Basic",
     {.kind = LIVE_QUANTOZ_PRODUCTION, .mode = NEXAUTH_CLIENT_AUTH_BASIC},
     "quantoz-",
     "api1",
     3600,
     false,
     false,
     1},
    {"Nexusguard app", {.kind = LIVE_NEXUSGUARD_APP}, "nexusguard-", NULL, 7200, true, false, 1},
    {"Nexusguard user", {.kind = LIVE_NEXUSGUARD_USER}, "nexusguard-", "install_login", 7200, true, true, 2},
};

static void check_presentation(const nexauth_token *token, bool by_query)
{
    const char *presented = by_query ? nexauth_token_query(token) : nexauth_token_header(token);
    const char *intro = by_query ? "access_token=" : "Authorization: Bearer ";

    assert_non_null(presented);
    assert_null(by_query ? nexauth_token_header(token) : nexauth_token_query(token));
    assert_memory_equal(presented, intro, strlen(intro));
    assert_string_equal(presented + strlen(intro), nexauth_token_access_token(token));
}

static void check_token(const nexauth_token *token, const struct grant *grant, int64_t before, int64_t after)
{
    const char *scope = nexauth_token_scope(token);

    assert_memory_equal(nexauth_token_access_token(token), grant->prefix, strlen(grant->prefix));
    check_presentation(token, grant->by_query);
    assert_int_equal(nexauth_token_lifetime_s(token), grant->lifetime_s);
    assert_int_equal(nexauth_token_stated_lifetime_s(token), grant->lifetime_s);
    assert_true(nexauth_token_obtained_at(token) >= before && nexauth_token_obtained_at(token) <= after);
    assert_int_equal(nexauth_token_expires_at(token), nexauth_token_obtained_at(token) + grant->lifetime_s);
    assert_int_equal(nexauth_token_refresh_token(token) != NULL, grant->refreshes);
    assert_int_equal(scope != NULL, grant->scope != NULL);
    if (scope)
        assert_string_equal(scope, grant->scope);
}

/* Not time(): it may lag behind the clock that the library reads. */
static int64_t now_s(void)
{
    struct timespec now = {0};

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec;
}

static void each_grant_brings_a_token_that_is_then_at_hand(void **state)
{
    for (size_t i = 0; i < sizeof grants / sizeof *grants; i++) {
        const struct grant *grant = &grants[i];
        nexauth_source *source = live_new_source(*state, &grant->who);

        print_message("           %s\n", grant->name);
        assert_int_equal(emulator_reset(&live_emulator), 0);
        const int64_t before = now_s();
        nexauth_token *token = live_get(source);
        check_token(token, grant, before, now_s());
        assert_int_equal(live_requests(), grant->requests);
        nexauth_token *again = live_get(source);
        assert_ptr_equal(again, token);
        assert_int_equal(live_requests(), grant->requests);
        nexauth_token_unref(again);
        nexauth_source_free(source);
        assert_memory_equal(nexauth_token_access_token(token), grant->prefix, strlen(grant->prefix));
        nexauth_token_unref(token);
    }
}

static void a_saved_refresh_token_brings_a_token_and_its_successor(void **state)
{
    char *saved = live_connect_and_save(*state);

    for (int i = 1; i <= 3; i++) {
        const struct live_who who = {.kind = LIVE_NEXUSGUARD_SAVED, .other = saved};
        nexauth_source *source = live_new_source(*state, &who);
        nexauth_token *token = live_get(source);

        check_presentation(token, true);
        assert_string_equal(nexauth_token_scope(token), "install_login");
        assert_string_not_equal(nexauth_token_refresh_token(token), saved);
        assert_int_equal(live_requests_at(REFRESH), i);
        free(saved);
        saved = strdup(nexauth_token_refresh_token(token));
        nexauth_token_unref(token);
        nexauth_source_free(source);
    }
    assert_int_equal(live_requests(), 5);
    assert_int_equal(emulator_total_reused(&live_emulator, "refresh_tokens_reused"), 0);
    free(saved);
}

/* The redirect reaches the web handler whole, or from its path on. */
static void a_web_handler_brings_the_code(void **state)
{
    const struct live_who who = {.kind = LIVE_NEXUSGUARD_WEB};
    static const size_t skipped[] = {0, sizeof "https://app.example.com" - 1};

    for (size_t i = 0; i < sizeof skipped / sizeof *skipped; i++) {
        nexauth_source *source = live_new_source(*state, &who);
        nexauth_authorization *authorization = NULL;
        struct nexauth_error error = {0};

        assert_int_equal(emulator_reset(&live_emulator), 0);
        assert_int_equal(live_get_status(source, &error), NEXAUTH_REAUTH);
        assert_int_equal(nexauth_source_authorize(source, &authorization, &error), NEXAUTH_OK);
        assert_int_equal(live_requests(), 0);
        char *redirect = live_browse(nexauth_authorization_url(authorization));
        assert_int_equal(nexauth_source_accept_redirect(source, redirect + skipped[i],
                                                        nexauth_authorization_state(authorization), &error),
                         NEXAUTH_OK);
        assert_int_equal(live_requests(), 1); /* the browser's */
        nexauth_token *token = live_get(source);
        check_presentation(token, true);
        assert_non_null(nexauth_token_refresh_token(token));
        assert_int_equal(live_requests_at(CODE_GRANT), 1);
        assert_int_equal(live_requests(), 2);
        free(redirect);
        nexauth_token_unref(token);
        nexauth_authorization_free(authorization);
        nexauth_source_free(source);
    }
}

/* On a slow machine a token may have expired when it comes. */
static nexauth_token *get_brief(nexauth_source *source)
{
    nexauth_token *token = NULL;
    nexauth_status status;

    do
        status = nexauth_source_get_token(source, NULL, &token, NULL);
    while (status == NEXAUTH_UNAVAILABLE);
    assert_int_equal(status, NEXAUTH_OK);
    return token;
}

/* Asks until the token is another one: how long that takes is of no importance. */
static nexauth_token *get_successor(nexauth_source *source, const nexauth_token *first)
{
    const struct timespec moment = {.tv_nsec = 20000000};
    nexauth_token *token = get_brief(source);

    while (token == first) {
        nexauth_token_unref(token);
        nanosleep(&moment, NULL);
        token = get_brief(source);
    }
    return token;
}

static void tokens_that_expire_are_replaced_by_a_refresh(void **state)
{
    static const char *const arguments[] = {"--lifetime", "2", NULL};
    struct emulator own;

    (void)state;
    assert_int_equal(emulator_start(&own, arguments), 0);
    const struct nexauth_session_options options = {.ca_file = own.ca_file};
    const struct live_who who = {.kind = LIVE_NEXUSGUARD_USER, .origin = own.nexusguard_https};
    nexauth_session *session = live_new_session(&options);
    nexauth_source *source = live_new_source(session, &who);
    nexauth_token *first = get_brief(source);
    nexauth_token *second = get_successor(source, first);

    assert_string_not_equal(nexauth_token_access_token(first), nexauth_token_access_token(second));
    assert_string_not_equal(nexauth_token_refresh_token(first), nexauth_token_refresh_token(second));
    assert_int_equal(emulator_count(&own, "nexusguard /oauth/connect"), 1);
    assert_int_equal(emulator_count(&own, CODE_GRANT), 1);
    assert_true(emulator_count(&own, REFRESH) >= 1);
    assert_int_equal(emulator_total_reused(&own, "refresh_tokens_reused"), 0);
    nexauth_token_unref(first);
    nexauth_token_unref(second);
    nexauth_source_free(source);
    nexauth_session_free(session);
    assert_int_equal(emulator_stop(&own), 0);
}

static void a_static_token_needs_nobody(void **state)
{
    const struct nexauth_static_options options = {.access_token = "api-key", .scope = "all"};
    nexauth_source *source = NULL;

    assert_int_equal(nexauth_source_new_static(*state, &options, &source, NULL), NEXAUTH_OK);
    nexauth_token *token = live_get(source);
    check_presentation(token, false);
    assert_string_equal(nexauth_token_scope(token), "all");
    assert_int_equal(nexauth_token_expires_at(token), 0);
    assert_int_equal(live_requests(), 0);
    nexauth_token_unref(token);
    nexauth_source_free(source);
}

/* The certificate is for 127.0.0.1, ::1 and localhost. */
static void an_origin_may_be_a_name_in_any_case(void **state)
{
    char origin[64];
    const struct live_who who = {.kind = LIVE_NEX_USER, .origin = origin};

    assert_memory_equal(live_emulator.nex_https, "https://127.0.0.1:", 18);
    snprintf(origin, sizeof origin, "HTTPS://LOCALHOST:%.32s", live_emulator.nex_https + 18);
    nexauth_source *source = live_new_source(*state, &who);
    nexauth_token *token = live_get(source);
    assert_int_equal(live_requests(), 1);
    nexauth_token_unref(token);
    nexauth_source_free(source);
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, live_set_up, live_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(each_grant_brings_a_token_that_is_then_at_hand),
        LIVE(a_saved_refresh_token_brings_a_token_and_its_successor),
        LIVE(a_web_handler_brings_the_code),
        LIVE(tokens_that_expire_are_replaced_by_a_refresh),
        LIVE(a_static_token_needs_nobody),
        LIVE(an_origin_may_be_a_name_in_any_case),
    };

    return cmocka_run_group_tests(tests, live_start, live_stop);
}
