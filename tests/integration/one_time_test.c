/* Codes and refresh tokens leave once, whatever happens to them, and a redirect that is not ours brings none. */
#include "support/test.h"

#include "live.h"
#include "support/listener.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CODE    "nexusguard /oauth/access_token"
#define REFRESH "nexusguard /oauth/refresh_token"
#define BROKEN  "{\"service\":\"nexusguard\",\"path\":\"/oauth/refresh_token\","

static const struct live_who web = {.kind = LIVE_NEXUSGUARD_WEB};

/* A redirect that the emulator made, and the state that it is for. */
struct visit {
    nexauth_authorization *authorization;
    const char *state;
    char *redirect;
};

static struct visit visit(nexauth_source *source)
{
    struct visit visit = {0};

    assert_int_equal(nexauth_source_authorize(source, &visit.authorization, NULL), NEXAUTH_OK);
    visit.state = nexauth_authorization_state(visit.authorization);
    visit.redirect = live_browse(nexauth_authorization_url(visit.authorization));
    return visit;
}

static void visit_end(struct visit *visit)
{
    nexauth_authorization_free(visit->authorization);
    free(visit->redirect);
}

static void a_code_that_another_source_has_used_is_refused(void **state)
{
    nexauth_source *first = live_new_source(*state, &web);
    nexauth_source *second = live_new_source(*state, &web);
    struct visit seen = visit(first);
    struct nexauth_error error;

    assert_int_equal(nexauth_source_accept_redirect(first, seen.redirect, seen.state, NULL), NEXAUTH_OK);
    assert_int_equal(nexauth_source_accept_redirect(second, seen.redirect, seen.state, NULL), NEXAUTH_OK);
    assert_int_equal(live_get_status(first, &error), NEXAUTH_OK);
    assert_int_equal(live_get_status(second, &error), NEXAUTH_REAUTH);
    assert_string_equal(error.code, "40029");
    assert_int_equal(live_requests_at(CODE), 2);
    assert_int_equal(emulator_total_reused(&live_emulator, "codes_reused"), 1);
    assert_int_equal(live_get_status(second, &error), NEXAUTH_REAUTH); /* the code is gone: nothing to send */
    assert_int_equal(live_requests_at(CODE), 2);
    visit_end(&seen);
    nexauth_source_free(first);
    nexauth_source_free(second);
}

/* A browser that loads the page again costs the user nothing: the token at hand stays. */
static void a_redirect_that_comes_twice_is_refused_and_the_token_stays(void **state)
{
    nexauth_source *source = live_new_source(*state, &web);
    struct visit seen = visit(source);
    struct nexauth_error error;

    assert_int_equal(nexauth_source_accept_redirect(source, seen.redirect, seen.state, NULL), NEXAUTH_OK);
    nexauth_token *first = live_get(source);
    assert_int_equal(nexauth_source_accept_redirect(source, seen.redirect, seen.state, NULL), NEXAUTH_OK);
    assert_int_equal(live_get_status(source, &error), NEXAUTH_REAUTH);
    assert_int_equal(emulator_total_reused(&live_emulator, "codes_reused"), 1);
    nexauth_token *second = live_get(source);
    assert_ptr_equal(first, second);
    assert_int_equal(live_requests_at(CODE), 2);
    nexauth_token_unref(first);
    nexauth_token_unref(second);
    visit_end(&seen);
    nexauth_source_free(source);
}

static void a_redirect_that_is_not_ours_brings_no_code(void **state)
{
    static const struct {
        const char *url;
        nexauth_status status;
    } cases[] = {
        {"https://evil.example.com/nexusguard/callback?code=c&state=%s", NEXAUTH_PROTOCOL},
        {"http://app.example.com/nexusguard/callback?code=c&state=%s", NEXAUTH_PROTOCOL},
        {LIVE_REDIRECT "?code=c&state=%.31s0", NEXAUTH_PROTOCOL},
        {LIVE_REDIRECT "?code=c&code=d&state=%s", NEXAUTH_PROTOCOL},
        {LIVE_REDIRECT "?state=%s", NEXAUTH_PROTOCOL},
        {LIVE_REDIRECT "?error=access_denied&state=%s", NEXAUTH_DENIED},
        {LIVE_REDIRECT "?error=server_error&state=%s", NEXAUTH_CONFIG},
    };
    nexauth_source *source = live_new_source(*state, &web);
    nexauth_authorization *authorization = NULL;
    struct nexauth_error error;

    assert_int_equal(nexauth_source_authorize(source, &authorization, NULL), NEXAUTH_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *right = nexauth_authorization_state(authorization);
        char expected[33];
        char url[256];

        /* One that does not end in the 0 of the forged one. */
        snprintf(expected, sizeof expected, "%.31s1", right);
        snprintf(url, sizeof url, cases[i].url, expected); /* NOLINT(clang-diagnostic-format-nonliteral) */
        if (nexauth_source_accept_redirect(source, url, expected, NULL) != cases[i].status)
            fail_msg("%s", url);
        assert_int_equal(live_get_status(source, &error), NEXAUTH_REAUTH);
    }
    assert_int_equal(live_requests(), 0);
    nexauth_authorization_free(authorization);
    nexauth_source_free(source);
}

static void a_revoked_refresh_token_is_refused_and_sent_no_more(void **state)
{
    char *saved = live_connect_and_save(*state);
    const struct live_who who = {.kind = LIVE_NEXUSGUARD_SAVED, .other = saved};
    nexauth_source *source = live_new_source(*state, &who);
    struct nexauth_error error;

    assert_int_equal(emulator_revoke(&live_emulator, saved), 0);
    assert_int_equal(live_get_status(source, &error), NEXAUTH_REAUTH);
    assert_string_equal(error.code, "40030");
    assert_null(strstr(error.message, saved));
    assert_int_equal(live_get_status(source, &error), NEXAUTH_REAUTH);
    assert_int_equal(live_requests_at(REFRESH), 1);
    nexauth_source_free(source);
    free(saved);
}

static void a_refresh_token_that_was_used_elsewhere_is_refused(void **state)
{
    char *saved = live_connect_and_save(*state);
    const struct live_who who = {.kind = LIVE_NEXUSGUARD_SAVED, .other = saved};
    nexauth_source *first = live_new_source(*state, &who);
    nexauth_source *second = live_new_source(*state, &who);
    struct nexauth_error error;

    assert_int_equal(live_get_status(first, &error), NEXAUTH_OK);
    assert_int_equal(live_get_status(second, &error), NEXAUTH_REAUTH);
    assert_int_equal(live_get_status(second, &error), NEXAUTH_REAUTH);
    assert_int_equal(live_requests_at(REFRESH), 2);
    assert_int_equal(emulator_total_reused(&live_emulator, "refresh_tokens_reused"), 1);
    nexauth_source_free(first);
    nexauth_source_free(second);
    free(saved);
}

/* What becomes of a refresh token by what its first request meets, when it is asked for twice; and what another session
 * makes of one that is said to be unspent. */
static void a_refresh_token_in_doubt_is_not_sent_again(void **state)
{
    static const struct {
        const char *fault;
        nexauth_status status;
        bool unspent;
    } cases[] = {
        {BROKEN "\"drop\":true}", NEXAUTH_REAUTH, false},
        {BROKEN "\"drop\":true,\"process\":false}", NEXAUTH_REAUTH, false},
        {BROKEN "\"answer\":{\"status\":500}}", NEXAUTH_REAUTH, false},
        {BROKEN "\"answer\":{\"status\":502},\"process\":true}", NEXAUTH_REAUTH, false},
        {BROKEN "\"answer\":{\"body\":\"{}\"}}", NEXAUTH_REAUTH, false},
        {BROKEN "\"answer\":{\"status\":429}}", NEXAUTH_THROTTLED, true},
        {BROKEN "\"answer\":{\"status\":503}}", NEXAUTH_THROTTLED, true},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(emulator_reset(&live_emulator), 0);
        char *saved = live_connect_and_save(*state);
        const struct live_who who = {.kind = LIVE_NEXUSGUARD_SAVED, .other = saved};
        nexauth_source *source = live_new_source(*state, &who);
        struct nexauth_error error;

        live_fault(cases[i].fault);
        for (int j = 0; j < 2; j++) {
            if (live_get_status(source, &error) != cases[i].status)
                fail_msg("%s: %s", cases[i].fault, error.message);
        }
        assert_int_equal(live_requests_at(REFRESH), 1);
        if (cases[i].unspent) {
            nexauth_session *other = live_new_session(NULL);
            assert_int_equal(live_ask(other, &who, &error), NEXAUTH_OK);
            nexauth_session_free(other);
        }
        assert_int_equal(emulator_total_reused(&live_emulator, "refresh_tokens_reused"), 0);
        nexauth_source_free(source);
        free(saved);
    }
}

/* By the socket's own count: not even libcurl repeats it, though the connection before was good for more. */
static void a_refresh_whose_connection_dies_arrives_once(void **state)
{
    static const enum listener_end ends[] = {LISTENER_CLOSE, LISTENER_RESET};
    const struct nexauth_session_options options = {.loopback_http = 1};

    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct listener *listener = listener_start("127.0.0.1");
        assert_non_null(listener);
        const struct live_who app = {.kind = LIVE_NEXUSGUARD_APP, .origin = listener_origin(listener)};
        const struct live_who saved = {.kind = LIVE_NEXUSGUARD_SAVED, .origin = listener_origin(listener)};
        nexauth_session *session = live_new_session(&options);
        nexauth_source *first = live_new_source(session, &app);
        nexauth_source *second = live_new_source(session, &saved);
        struct nexauth_error error;

        listener_answer(listener,
                        (struct listener_answer){.text = "HTTP/1.1 200 OK\r\nContent-Length: 42\r\n\r\n"
                                                         "{\"code\":0,\"result\":{\"access_token\":\"one\"}}"});
        listener_answer(listener, (struct listener_answer){.then = ends[i]});
        assert_int_equal(live_get_status(first, &error), NEXAUTH_OK);
        assert_int_equal(live_get_status(second, &error), NEXAUTH_REAUTH);
        assert_int_equal(listener_requests(listener), 2);
        assert_int_equal(listener_connections(listener), 2);
        nexauth_source_free(first);
        nexauth_source_free(second);
        nexauth_session_free(session);
        listener_stop(listener);
    }
}

/* A source that can connect does so when its refresh token is refused or in doubt: no user is asked. */
static void a_source_that_can_connect_needs_nobody(void **state)
{
    static const char *const faults[] = {NULL, BROKEN "\"drop\":true}", BROKEN "\"answer\":{\"status\":500}}"};

    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        const struct nexauth_nexusguard_user_options options = {.app_id = LIVE_APP,
                                                                .secret = LIVE_SECRET,
                                                                .redirect_uri = LIVE_REDIRECT,
                                                                .customer_id = "C-1001",
                                                                .xspe = "spe-portal",
                                                                .refresh_token = "refresh-of-nobody",
                                                                .origin = live_emulator.nexusguard_https};
        nexauth_source *source = NULL;

        assert_int_equal(emulator_reset(&live_emulator), 0);
        if (faults[i])
            live_fault(faults[i]);
        assert_int_equal(nexauth_source_new_nexusguard_user(*state, &options, &source, NULL), NEXAUTH_OK);
        nexauth_token_unref(live_get(source));
        assert_int_equal(live_requests_at(REFRESH), 1);
        assert_int_equal(live_requests_at("nexusguard /oauth/connect"), 1);
        assert_int_equal(live_requests_at(CODE), 1);
        nexauth_source_free(source);
    }
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, live_set_up, live_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(a_code_that_another_source_has_used_is_refused),
        LIVE(a_redirect_that_comes_twice_is_refused_and_the_token_stays),
        LIVE(a_redirect_that_is_not_ours_brings_no_code),
        LIVE(a_revoked_refresh_token_is_refused_and_sent_no_more),
        LIVE(a_refresh_token_that_was_used_elsewhere_is_refused),
        LIVE(a_refresh_token_in_doubt_is_not_sent_again),
        LIVE(a_refresh_whose_connection_dies_arrives_once),
        LIVE(a_source_that_can_connect_needs_nobody),
    };

    return cmocka_run_group_tests(tests, live_start, live_stop);
}
