/* What goes wrong between the library and a service, what the caller is told of it, and how often the service was
 * asked. */
#include "support/test.h"

#include "live.h"
#include "support/listener.h"

#include <stdio.h>
#include <string.h>

#define NEX          "{\"service\":\"nex\",\"path\":\"/v1.0/Token\","
#define QUANTOZ      "{\"service\":\"quantoz_test\",\"path\":\"/connect/token\","
#define CONNECT      "{\"service\":\"nexusguard\",\"path\":\"/oauth/connect\","
#define CODE         "{\"service\":\"nexusguard\",\"path\":\"/oauth/access_token\","
#define REFRESH      "{\"service\":\"nexusguard\",\"path\":\"/oauth/refresh_token\","
#define ANSWER(text) "\"answer\":{" text "}}"

static const struct refusal {
    const char *name;
    struct live_who who;
    const char *fault; /* or NULL */
    nexauth_status status;
    int http_status;
    const char *code;
    int64_t retry_after_ms; /* as the service states it; 0: it does not */
    int requests;
} refusals[] = {
    /* Wrong secrets. */
    {"NEX client_secret", {.kind = LIVE_NEX_USER, .secret = "no"}, NULL, NEXAUTH_DENIED, 400, "invalid_client", 0, 1},
    {"NEX password", {.kind = LIVE_NEX_USER, .other = "no"}, NULL, NEXAUTH_DENIED, 400, "invalid_grant", 0, 1},
    {"NEX controller_secret",
     {.kind = LIVE_NEX_CONTROLLER, .other = "no"},
     NULL,
     NEXAUTH_DENIED,
     400,
     "invalid_grant",
     0,
     1},
#ifdef NEXAUTH_XML
    {"NEX password, told by XML",
     {.kind = LIVE_NEX_USER, .other = "no", .mode = NEXAUTH_ACCEPT_XML},
     NULL,
     NEXAUTH_DENIED,
     400,
     "invalid_grant",
     0,
     1},
#endif
    {"Quantoz", {.kind = LIVE_QUANTOZ_TEST, .secret = "no"}, NULL, NEXAUTH_DENIED, 400, "invalid_client", 0, 1},
    {"Quantoz by Basic",
     {.kind = LIVE_QUANTOZ_TEST, .secret = "no", .mode = NEXAUTH_CLIENT_AUTH_BASIC},
     NULL,
     NEXAUTH_DENIED,
     400,
     "invalid_client",
     0,
     1},
    {"a client of Quantoz's test at production",
     {.kind = LIVE_QUANTOZ_PRODUCTION, .id = "nexus-test-client", .secret = "p&ss w+rd%=1"},
     NULL,
     NEXAUTH_DENIED,
     400,
     "invalid_client",
     0,
     1},
    {"Nexusguard app", {.kind = LIVE_NEXUSGUARD_APP, .secret = "no"}, NULL, NEXAUTH_DENIED, 200, "40001", 0, 1},
    {"Nexusguard xspe", {.kind = LIVE_NEXUSGUARD_USER, .other = "no"}, NULL, NEXAUTH_DENIED, 200, "40035", 0, 1},
    {"Nexusguard secret with a code", /* no list of codes is public: at a code, all mean the same */
     {.kind = LIVE_NEXUSGUARD_USER, .secret = "no"},
     NULL,
     NEXAUTH_REAUTH,
     200,
     "40001",
     0,
     2},
    {"Nexusguard app_id with a refresh",
     {.kind = LIVE_NEXUSGUARD_SAVED, .id = "no"},
     NULL,
     NEXAUTH_REAUTH,
     200,
     "40001",
     0,
     1},
    /* Wrong settings. */
    {"NEX scope", {.kind = LIVE_NEX_USER, .scope = "admin"}, NULL, NEXAUTH_CONFIG, 400, "invalid_scope", 0, 1},
    {"Quantoz scope", {.kind = LIVE_QUANTOZ_TEST, .scope = "api2"}, NULL, NEXAUTH_CONFIG, 400, "invalid_scope", 0, 1},
    {"Quantoz without a scope",
     {.kind = LIVE_QUANTOZ_TEST, .scope = ""},
     NULL,
     NEXAUTH_CONFIG,
     400,
     "invalid_request",
     0,
     1},
    {"Nexusguard scope", {.kind = LIVE_NEXUSGUARD_USER, .scope = "all"}, NULL, NEXAUTH_DENIED, 200, "40013", 0, 1},
    /* The service's own. */
    {"429",
     {.kind = LIVE_NEX_USER},
     NEX ANSWER("\"status\":429,\"headers\":{\"Retry-After\":\"17\"}"),
     NEXAUTH_THROTTLED,
     429,
     "",
     17000,
     1},
    {"429 without Retry-After",
     {.kind = LIVE_NEX_USER},
     NEX ANSWER("\"status\":429"),
     NEXAUTH_THROTTLED,
     429,
     "",
     10000,
     1},
    {"503",
     {.kind = LIVE_QUANTOZ_TEST},
     QUANTOZ ANSWER("\"status\":503,\"headers\":{\"retry-after\":\"2147483647\"},\"body\":\"<html>\""),
     NEXAUTH_THROTTLED,
     503,
     "",
     3600000,
     1},
    {"500",
     {.kind = LIVE_QUANTOZ_TEST},
     QUANTOZ ANSWER("\"status\":500,\"body\":\"<html>no</html>\""),
     NEXAUTH_UNAVAILABLE,
     500,
     "",
     0,
     1},
    {"403 with HTML in the very first answer",
     {.kind = LIVE_NEX_USER},
     NEX ANSWER("\"status\":403,\"body\":\"<html><body>Forbidden</body></html>\""),
     NEXAUTH_BLOCKED,
     403,
     "",
     60000,
     1},
    {"404 with HTML for a stranger",
     {.kind = LIVE_NEX_USER},
     NEX ANSWER("\"status\":404,\"body\":\"<!DOCTYPE html><p>no\""),
     NEXAUTH_CONFIG,
     404,
     "",
     0,
     1},
    {"garbage",
     {.kind = LIVE_NEX_USER},
     NEX ANSWER("\"status\":200,\"body\":\"\\u0001garbage\""),
     NEXAUTH_PROTOCOL,
     200,
     "",
     0,
     1},
    {"a page", {.kind = LIVE_NEX_USER}, NEX ANSWER("\"body\":\"<html>hello\""), NEXAUTH_PROTOCOL, 200, "", 0, 1},
    {"nothing", {.kind = LIVE_NEX_USER}, NEX ANSWER("\"status\":204"), NEXAUTH_PROTOCOL, 204, "", 0, 1},
    {"a dropped connection, once", {.kind = LIVE_NEX_USER}, NEX "\"drop\":true}", NEXAUTH_OK, 0, "", 0, 2},
    {"a dropped connection, always",
     {.kind = LIVE_NEX_USER},
     NEX "\"drop\":true,\"times\":0}",
     NEXAUTH_NETWORK,
     0,
     "",
     0,
     2},
    {"a dropped connect", {.kind = LIVE_NEXUSGUARD_USER}, CONNECT "\"drop\":true}", NEXAUTH_NETWORK, 0, "", 0, 1},
    /* Redirects of the connect. No code leaves. */
    {"a forged state",
     {.kind = LIVE_NEXUSGUARD_USER},
     CONNECT "\"connect\":{\"state\":\"forged\"}}",
     NEXAUTH_PROTOCOL,
     302,
     "",
     0,
     1},
    {"another host",
     {.kind = LIVE_NEXUSGUARD_USER},
     CONNECT "\"connect\":{\"redirect\":\"https://evil.example.com/nexusguard/callback\"}}",
     NEXAUTH_PROTOCOL,
     302,
     "",
     0,
     1},
    {"another path",
     {.kind = LIVE_NEXUSGUARD_USER},
     CONNECT "\"connect\":{\"redirect\":\"https://app.example.com/other\"}}",
     NEXAUTH_PROTOCOL,
     302,
     "",
     0,
     1},
    {"a second code",
     {.kind = LIVE_NEXUSGUARD_USER},
     CONNECT "\"connect\":{\"redirect\":\"" LIVE_REDIRECT "?code=mine\"}}",
     NEXAUTH_PROTOCOL,
     302,
     "",
     0,
     1},
    {"access denied",
     {.kind = LIVE_NEXUSGUARD_USER},
     CONNECT "\"connect\":{\"error\":\"access_denied\"}}",
     NEXAUTH_DENIED,
     302,
     "access_denied",
     0,
     1},
    {"another error",
     {.kind = LIVE_NEXUSGUARD_USER},
     CONNECT "\"connect\":{\"error\":\"invalid_scope\"}}",
     NEXAUTH_CONFIG,
     302,
     "invalid_scope",
     0,
     1},
    {"a page instead of a redirect",
     {.kind = LIVE_NEXUSGUARD_USER},
     CONNECT ANSWER("\"body\":\"<html>log in\""),
     NEXAUTH_PROTOCOL,
     200,
     "",
     0,
     1},
    /* One-time values: in doubt, they are not sent again. */
    {"a dropped code", {.kind = LIVE_NEXUSGUARD_USER}, CODE "\"drop\":true}", NEXAUTH_REAUTH, 0, "", 0, 2},
    {"a dropped refresh", {.kind = LIVE_NEXUSGUARD_SAVED}, REFRESH "\"drop\":true}", NEXAUTH_REAUTH, 0, "", 0, 1},
    {"500 for a refresh",
     {.kind = LIVE_NEXUSGUARD_SAVED},
     REFRESH ANSWER("\"status\":500"),
     NEXAUTH_REAUTH,
     500,
     "",
     0,
     1},
    {"garbage for a refresh",
     {.kind = LIVE_NEXUSGUARD_SAVED},
     REFRESH ANSWER("\"body\":\"{\""),
     NEXAUTH_REAUTH,
     200,
     "",
     0,
     1},
    {"429 for a refresh",
     {.kind = LIVE_NEXUSGUARD_SAVED},
     REFRESH ANSWER("\"status\":429,\"headers\":{\"Retry-After\":\"3\"}"),
     NEXAUTH_THROTTLED,
     429,
     "",
     3000,
     1},
    {"-1 for a refresh",
     {.kind = LIVE_NEXUSGUARD_SAVED},
     REFRESH ANSWER("\"body\":\"{\\\"code\\\":-1,\\\"msg\\\":\\\"busy\\\",\\\"result\\\":[]}\""),
     NEXAUTH_UNAVAILABLE,
     200,
     "-1",
     0,
     1},
    {"a refresh token of nobody", {.kind = LIVE_NEXUSGUARD_SAVED}, NULL, NEXAUTH_REAUTH, 200, "40030", 0, 1},
};

/* Each with a session of its own: what an endpoint answered once is remembered there. */
static int run_refusal(const struct refusal *row)
{
    nexauth_session *session = live_new_session(NULL);
    nexauth_source *source = live_new_source(session, &row->who);
    struct nexauth_error error;
    int wrong;

    assert_int_equal(emulator_reset(&live_emulator), 0);
    if (row->fault)
        live_fault(row->fault);
    live_get_status(source, &error);
    wrong = error.status != row->status || error.http_status != row->http_status ||
            strcmp(error.code, row->code) != 0 || !live_is_held(&error, row->retry_after_ms) ||
            (error.message[0] == '\0') != (row->status == NEXAUTH_OK) || live_requests() != row->requests;
    if (wrong)
        print_error("%s: %s, HTTP %d, code \"%s\", after %lld ms, %d requests: %s\n", row->name,
                    nexauth_status_name(error.status), error.http_status, error.code, (long long)error.retry_after_ms,
                    live_requests(), error.message);
    nexauth_source_free(source);
    nexauth_session_free(session);
    return wrong;
}

static void a_refusal_has_its_status_and_costs_no_request_more(void **state)
{
    int wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        wrong += run_refusal(&refusals[i]);
    assert_int_equal(wrong, 0);
}

static void a_redirect_elsewhere_is_not_followed(void **state)
{
    (void)state;
    static const int statuses[] = {301, 302, 303, 307, 308};
    struct listener *other = listener_start("127.0.0.1");

    assert_non_null(other);
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        const struct live_who who = {.kind = LIVE_NEX_USER};
        nexauth_session *session = live_new_session(NULL);
        struct nexauth_error error;
        char fault[256];

        snprintf(fault, sizeof fault, NEX ANSWER("\"status\":%d,\"headers\":{\"Location\":\"%s/v1.0/Token\"}"),
                 statuses[i], listener_origin(other));
        live_fault(fault);
        assert_int_equal(live_ask(session, &who, &error), NEXAUTH_CONFIG);
        assert_int_equal(error.http_status, statuses[i]);
        nexauth_session_free(session);
    }
    assert_int_equal(live_requests(), 5);
    assert_int_equal(listener_connections(other), 0);
    assert_int_equal(listener_received(other), 0);
    listener_stop(other);
}

/* Of the first, both attempts count; with the third request it is a ban, which has no second attempt. */
static void three_connections_closed_in_a_row_are_a_ban(void **state)
{
    static const struct {
        struct live_who who;
        nexauth_status status;
        int64_t retry_after_ms;
        int requests;
    } cases[] = {{{.kind = LIVE_NEX_CONTROLLER, .id = "111aa", .other = "456"}, NEXAUTH_NETWORK, 0, 2},
                 {{.kind = LIVE_NEX_CONTROLLER, .id = "222bb", .other = "789"}, NEXAUTH_BLOCKED, 10000, 3}};

    live_fault(NEX "\"drop\":true,\"times\":0}");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct nexauth_error error;

        assert_int_equal(live_ask(*state, &cases[i].who, &error), cases[i].status);
        assert_int_equal(error.http_status, 0);
        assert_true(live_is_held(&error, cases[i].retry_after_ms));
        assert_int_equal(live_requests(), cases[i].requests);
    }
}

/* Over plain http a closed connection is no sign. (Connects, which have no second attempt.) */
static void closed_connections_without_tls_are_no_ban(void **state)
{
    static const char *const apps[] = {"app-1", "app-2", "app-3", "app-4"};
    const struct nexauth_session_options options = {.loopback_http = 1};
    nexauth_session *session = live_new_session(&options);
    struct nexauth_error error;

    (void)state;
    live_fault(CONNECT "\"drop\":true,\"times\":0}");
    for (int i = 0; i < 4; i++) {
        const struct live_who who = {
            .kind = LIVE_NEXUSGUARD_USER, .id = apps[i], .origin = live_emulator.nexusguard_http};

        assert_int_equal(live_ask(session, &who, &error), NEXAUTH_NETWORK);
        assert_int_equal(live_requests(), i + 1);
    }
    nexauth_session_free(session);
}

static void refused_once_served_before_is_a_ban(void **state)
{
    const struct live_who who = {.kind = LIVE_QUANTOZ_TEST};
    nexauth_source *first = live_new_source(*state, &who);
    nexauth_source *second = live_new_source(*state, &who);
    struct nexauth_error error;

    assert_int_equal(live_get_status(first, &error), NEXAUTH_OK);
    live_fault(QUANTOZ ANSWER("\"status\":401"));
    assert_int_equal(live_get_status(second, &error), NEXAUTH_BLOCKED);
    assert_int_equal(error.http_status, 401);
    assert_int_equal(live_get_status(second, &error), NEXAUTH_BLOCKED); /* remembered */
    assert_int_equal(live_get_status(first, &error), NEXAUTH_OK);       /* its token is good all the same */
    assert_int_equal(live_requests(), 2);
    nexauth_source_free(first);
    nexauth_source_free(second);
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, live_set_up, live_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(a_refusal_has_its_status_and_costs_no_request_more),
        LIVE(a_redirect_elsewhere_is_not_followed),
        LIVE(three_connections_closed_in_a_row_are_a_ban),
        LIVE(closed_connections_without_tls_are_no_ban),
        LIVE(refused_once_served_before_is_a_ban),
    };

    return cmocka_run_group_tests(tests, live_start, live_stop);
}
