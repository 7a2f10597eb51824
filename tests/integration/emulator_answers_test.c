/*
 * Each answer that the emulator has a name for, and what the library makes of it. A row is an endpoint, an answer and a
 * status; with OK goes a token, which has to be one that the emulator issued. A row that was forgotten is found.
 *
 * Over plain http, because each row needs a session of its own: what an endpoint answered once is remembered there.
 */
#include "support/test.h"

#include "live.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum place { NEX, QUANTOZ, APP, CONNECT, CODE, REFRESH };

static const struct endpoint {
    enum live_kind kind;
    const char *service;
    const char *path;
    const char *origin;
} endpoints[] = {
    [NEX] = {LIVE_NEX_USER, "nex", "/v1.0/Token", live_emulator.nex_http},
    [QUANTOZ] = {LIVE_QUANTOZ_TEST, "quantoz_test", "/connect/token", live_emulator.quantoz_test_http},
    [APP] = {LIVE_NEXUSGUARD_APP, "nexusguard", "/oauth/credit/token", live_emulator.nexusguard_http},
    [CONNECT] = {LIVE_NEXUSGUARD_USER, "nexusguard", "/oauth/connect", live_emulator.nexusguard_http},
    [CODE] = {LIVE_NEXUSGUARD_USER, "nexusguard", "/oauth/access_token", live_emulator.nexusguard_http},
    [REFRESH] = {LIVE_NEXUSGUARD_SAVED, "nexusguard", "/oauth/refresh_token", live_emulator.nexusguard_http},
};

struct row {
    const char *answer;
    enum place place;
    nexauth_status status;
    int64_t lifetime_s;     /* of the token; 0: the emulator's */
    int64_t retry_after_ms; /* as the service states it; 0: it does not */
};

#define OK          NEXAUTH_OK
#define CONFIG      NEXAUTH_CONFIG
#define DENIED      NEXAUTH_DENIED
#define REAUTH      NEXAUTH_REAUTH
#define THROTTLED   NEXAUTH_THROTTLED
#define BLOCKED     NEXAUTH_BLOCKED
#define UNAVAILABLE NEXAUTH_UNAVAILABLE
#define PROTOCOL    NEXAUTH_PROTOCOL

/* At the token endpoint of each vendor. */
static const struct row any_rows[] = {
    {"html-200", NEX, PROTOCOL, 0, 0},
    {"html-400", NEX, CONFIG, 0, 0},
    {"html-401", NEX, DENIED, 0, 0},
    {"html-403", NEX, BLOCKED, 0, 60000},
    {"html-404", NEX, CONFIG, 0, 0},
    {"html-429", NEX, THROTTLED, 0, 17000},
    {"html-500", NEX, UNAVAILABLE, 0, 0},
    {"html-502", NEX, UNAVAILABLE, 0, 0},
    {"html-503", NEX, THROTTLED, 0, 10000},
    {"html-504", NEX, UNAVAILABLE, 0, 0},
    {"empty-200", NEX, PROTOCOL, 0, 0},
    {"empty-204", NEX, PROTOCOL, 0, 0},
    {"empty-401", NEX, DENIED, 0, 0},
    {"empty-403", NEX, DENIED, 0, 0},
    {"empty-404", NEX, CONFIG, 0, 0},
    {"empty-408", NEX, UNAVAILABLE, 0, 0},
    {"empty-425", NEX, UNAVAILABLE, 0, 0},
    {"empty-500", NEX, UNAVAILABLE, 0, 0},
    {"empty-503", NEX, THROTTLED, 0, 10000},
    {"retry-503", NEX, THROTTLED, 0, 120000},
    {"throttled", NEX, THROTTLED, 0, 17000},
    {"throttled-unsaid", NEX, THROTTLED, 0, 10000},
    {"throttled-date", NEX, THROTTLED, 0, 17000},
    {"throttled-zero", NEX, THROTTLED, 0, 1000},
    {"throttled-negative", NEX, THROTTLED, 0, 1000},
    {"throttled-for-ever", NEX, THROTTLED, 0, 3600000},
    {"throttled-garbage", NEX, THROTTLED, 0, 10000},
    {"redirect-301", NEX, CONFIG, 0, 0},
    {"redirect-302", NEX, CONFIG, 0, 0},
    {"redirect-307", NEX, CONFIG, 0, 0},
    {"redirect-308", NEX, CONFIG, 0, 0},
    {"garbage", NEX, PROTOCOL, 0, 0},
    {"json-array", NEX, PROTOCOL, 0, 0},
    {"json-empty", NEX, PROTOCOL, 0, 0},
    {"json-null", NEX, PROTOCOL, 0, 0},
    {"json-cut", NEX, PROTOCOL, 0, 0},
    {"json-deep", NEX, PROTOCOL, 0, 0},
    {"too-large", NEX, PROTOCOL, 0, 0},
    {"too-large-500", NEX, UNAVAILABLE, 0, 0},
};

static const struct row rows[] = {
    /* NEX */
    {"json", NEX, OK, 1209600, 0},
    {"json-documented-lifetime", NEX, OK, 1209600, 0},
    {"json-number-lifetime", NEX, OK, 1209600, 0},
    {"json-float-lifetime", NEX, OK, 1209600, 0},
    {"json-no-lifetime", NEX, OK, 300, 0},
    {"json-zero-lifetime", NEX, OK, 300, 0},
    {"json-no-scope", NEX, OK, 0, 0},
    {"json-null-scope", NEX, OK, 0, 0},
    {"json-other-scope", NEX, OK, 0, 0},
    {"json-no-type", NEX, OK, 0, 0},
    {"json-lower-case-type", NEX, OK, 0, 0},
    {"json-other-type", NEX, PROTOCOL, 0, 0},
    {"json-extra", NEX, OK, 0, 0},
    {"json-indented", NEX, OK, 0, 0},
    {"json-bom", NEX, OK, 0, 0},
    {"json-escaped", NEX, OK, 0, 0},
    {"json-labelled-xml", NEX, OK, 0, 0},
    {"json-labelled-text", NEX, OK, 0, 0},
    {"json-no-token", NEX, PROTOCOL, 0, 0},
    {"json-empty-token", NEX, PROTOCOL, 0, 0},
    {"json-blank-in-token", NEX, PROTOCOL, 0, 0},
    {"json-nul-in-token", NEX, PROTOCOL, 0, 0},
    {"json-token-twice", NEX, PROTOCOL, 0, 0},
    {"json-trailing", NEX, PROTOCOL, 0, 0},
    {"json-string", NEX, PROTOCOL, 0, 0},
    {"error-in-200", NEX, DENIED, 0, 0},
    {"invalid-grant", NEX, DENIED, 0, 0},
    {"invalid-grant-401", NEX, DENIED, 0, 0},
    {"invalid-client", NEX, DENIED, 0, 0},
    {"invalid-scope", NEX, CONFIG, 0, 0},
    {"unsupported-grant-type", NEX, CONFIG, 0, 0},
    {"message-invalid", NEX, DENIED, 0, 0},
    {"model-state", NEX, DENIED, 0, 0},
    {"message-denied", NEX, DENIED, 0, 0},
    {"message-no-route", NEX, CONFIG, 0, 0},
    {"message-method", NEX, CONFIG, 0, 0},
    {"message-media-type", NEX, CONFIG, 0, 0},
    {"message-fault", NEX, UNAVAILABLE, 0, 0},
    {"message-fault-details", NEX, UNAVAILABLE, 0, 0},
    {"message-camel-case", NEX, DENIED, 0, 0},
    {"string-400", NEX, CONFIG, 0, 0},
    {"string-401", NEX, DENIED, 0, 0},
    {"throttled-string", NEX, THROTTLED, 0, 17000},
    {"throttled-string-negative", NEX, THROTTLED, 0, 1000},
    {"xml-datacontract", NEX, OK, 1209600, 0},
    {"xml-datacontract-escaped", NEX, OK, 0, 0},
    {"xml-datacontract-nil", NEX, OK, 0, 0},
    {"xml-backing-fields", NEX, OK, 1209600, 0},
    {"xml-no-namespace", NEX, OK, 0, 0},
    {"xml-dictionary", NEX, OK, 1209600, 0},
    {"xml-serializer", NEX, OK, 0, 0},
    {"xml-serializer-no-scope", NEX, OK, 0, 0},
    {"xml-serializer-swapped", NEX, OK, 0, 0},
    {"xml-short-names", NEX, PROTOCOL, 0, 0},
    {"xml-utf-16", NEX, OK, 1209600, 0},
    {"xml-utf-16be", NEX, OK, 1209600, 0},
    {"xml-serializer-utf-16", NEX, OK, 1209600, 0},
    {"xml-bom", NEX, OK, 0, 0},
    {"xml-declared", NEX, OK, 0, 0},
    {"xml-indented", NEX, OK, 1209600, 0},
    {"xml-prefixed", NEX, OK, 0, 0},
    {"xml-attributes", NEX, OK, 0, 0},
    {"xml-commented", NEX, OK, 1209600, 0},
    {"xml-references", NEX, OK, 0, 0},
    {"xml-string", NEX, PROTOCOL, 0, 0},
    {"xml-cut", NEX, PROTOCOL, 0, 0},
    {"xml-doctype", NEX, PROTOCOL, 0, 0},
    {"xml-entity", NEX, PROTOCOL, 0, 0},
    {"xml-deep", NEX, PROTOCOL, 0, 0},
    {"xml-invalid-grant", NEX, DENIED, 0, 0},
    {"xml-serializer-invalid-grant", NEX, DENIED, 0, 0},
    {"xml-invalid-client", NEX, DENIED, 0, 0},
    {"xml-message-invalid", NEX, DENIED, 0, 0},
    {"xml-model-state", NEX, DENIED, 0, 0},
    {"xml-message-denied", NEX, DENIED, 0, 0},
    {"xml-message-no-route", NEX, CONFIG, 0, 0},
    {"xml-message-method", NEX, CONFIG, 0, 0},
    {"xml-message-media-type", NEX, CONFIG, 0, 0},
    {"xml-message-fault", NEX, UNAVAILABLE, 0, 0},
    {"xml-message-fault-details", NEX, UNAVAILABLE, 0, 0},
    {"xml-string-400", NEX, CONFIG, 0, 0},
    {"xml-string-401", NEX, DENIED, 0, 0},
    {"xml-throttled-string", NEX, THROTTLED, 0, 17000},
    /* Quantoz */
    {"json", QUANTOZ, OK, 3600, 0},
    {"json-no-scope", QUANTOZ, OK, 0, 0},
    {"json-no-type", QUANTOZ, OK, 0, 0},
    {"json-lower-case-type", QUANTOZ, OK, 0, 0},
    {"json-other-type", QUANTOZ, PROTOCOL, 0, 0},
    {"json-extra", QUANTOZ, OK, 0, 0},
    {"json-escaped", QUANTOZ, OK, 0, 0},
    {"json-bom", QUANTOZ, OK, 0, 0},
    {"json-long-token", QUANTOZ, OK, 0, 0},
    {"json-no-token", QUANTOZ, PROTOCOL, 0, 0},
    {"openiddict", QUANTOZ, OK, 3600, 0},
    {"expires-missing", QUANTOZ, OK, 300, 0},
    {"expires-null", QUANTOZ, OK, 300, 0},
    {"expires-zero", QUANTOZ, OK, 300, 0},
    {"expires-negative", QUANTOZ, OK, 300, 0},
    {"expires-string", QUANTOZ, OK, 3600, 0},
    {"expires-float", QUANTOZ, OK, 3600, 0},
    {"expires-exponent", QUANTOZ, OK, 1000, 0},
    {"expires-overflow", QUANTOZ, OK, 31536000, 0},
    {"expires-text", QUANTOZ, OK, 300, 0},
    {"invalid-client", QUANTOZ, DENIED, 0, 0},
    {"invalid-scope", QUANTOZ, CONFIG, 0, 0},
    {"invalid-request", QUANTOZ, CONFIG, 0, 0},
    {"invalid-grant", QUANTOZ, DENIED, 0, 0},
    {"invalid-target", QUANTOZ, CONFIG, 0, 0},
    {"unauthorized-client", QUANTOZ, DENIED, 0, 0},
    {"unsupported-grant-type", QUANTOZ, CONFIG, 0, 0},
    {"temporarily-unavailable", QUANTOZ, UNAVAILABLE, 0, 0},
    {"error-in-200", QUANTOZ, DENIED, 0, 0},
    {"openiddict-invalid-client", QUANTOZ, DENIED, 0, 0},
    {"openiddict-server-error", QUANTOZ, UNAVAILABLE, 0, 0},
    {"throttled-text", QUANTOZ, THROTTLED, 0, 17000},
    {"problem-400", QUANTOZ, CONFIG, 0, 0},
    {"problem-404", QUANTOZ, CONFIG, 0, 0},
    {"problem-500", QUANTOZ, UNAVAILABLE, 0, 0},
    {"nexus-message-400", QUANTOZ, DENIED, 0, 0},
    {"nexus-message-401", QUANTOZ, DENIED, 0, 0},
    /* Nexusguard: app tokens */
    {"app-token", APP, OK, 7200, 0},
    {"app-token-wire", APP, OK, 7200, 0},
    {"app-token-localised", APP, OK, 0, 0},
    {"app-token-string-code", APP, OK, 0, 0},
    {"app-token-string-lifetime", APP, OK, 7200, 0},
    {"app-token-no-lifetime", APP, OK, 300, 0},
    {"app-token-expire-in", APP, OK, 300, 0},
    {"app-token-type", APP, OK, 0, 0},
    {"app-token-other-type", APP, PROTOCOL, 0, 0},
    {"app-token-errno", APP, OK, 7200, 0},
    {"app-token-errcode", APP, OK, 7200, 0},
    {"app-token-order", APP, OK, 7200, 0},
    {"app-token-text", APP, OK, 0, 0},
    {"app-token-html-label", APP, OK, 0, 0},
    {"app-token-escaped", APP, OK, 0, 0},
    {"app-token-bom", APP, OK, 0, 0},
    {"app-token-indented", APP, OK, 0, 0},
    {"no-code", APP, PROTOCOL, 0, 0},
    {"no-envelope", APP, PROTOCOL, 0, 0},
    {"no-token", APP, PROTOCOL, 0, 0},
    {"result-null", APP, PROTOCOL, 0, 0},
    {"result-list", APP, PROTOCOL, 0, 0},
    {"result-text", APP, PROTOCOL, 0, 0},
    {"code-text", APP, PROTOCOL, 0, 0},
    {"php-warning", APP, PROTOCOL, 0, 0},
    {"busy", APP, UNAVAILABLE, 0, 0},
    {"wrong-app", APP, DENIED, 0, 0},
    {"ip-not-listed", APP, DENIED, 0, 0},
    {"quota", APP, DENIED, 0, 0},
    {"refused-null", APP, DENIED, 0, 0},
    {"refused-text", APP, DENIED, 0, 0},
    {"refused-object", APP, DENIED, 0, 0},
    {"refused-no-result", APP, DENIED, 0, 0},
    {"refused-string-code", APP, DENIED, 0, 0},
    {"refused-success", APP, DENIED, 0, 0},
    {"refused-localised", APP, DENIED, 0, 0},
    {"refused-errno", APP, DENIED, 0, 0},
    {"refused-errcode", APP, DENIED, 0, 0},
    {"refused-400", APP, CONFIG, 0, 0},
    {"refused-401", APP, DENIED, 0, 0},
    {"refused-403", APP, DENIED, 0, 0},
    {"refused-500", APP, UNAVAILABLE, 0, 0},
    {"error-member", APP, DENIED, 0, 0},
    {"error-member-grant", APP, DENIED, 0, 0},
    /* Nexusguard: users */
    {"user-token", CODE, OK, 7200, 0},
    {"user-token-wire", CODE, OK, 0, 0},
    {"user-token-no-refresh", CODE, OK, 0, 0},
    {"user-token-null-refresh", CODE, OK, 0, 0},
    {"user-token", REFRESH, REAUTH, 0, 0}, /* the refresh token is nobody's: the service's own answer is given */
    {"busy", CODE, UNAVAILABLE, 0, 0},
    {"busy", REFRESH, UNAVAILABLE, 0, 0},
    {"wrong-app", CODE, REAUTH, 0, 0},
    {"wrong-code", CODE, REAUTH, 0, 0},
    {"wrong-refresh-token", REFRESH, REAUTH, 0, 0},
    {"error-member-grant", REFRESH, REAUTH, 0, 0},
    {"connect", CONNECT, OK, 0, 0},
    {"connect-order", CONNECT, OK, 0, 0},
    {"connect-no-state", CONNECT, PROTOCOL, 0, 0},
    {"connect-no-code", CONNECT, PROTOCOL, 0, 0},
    {"connect-other-state", CONNECT, PROTOCOL, 0, 0},
    {"connect-two-states", CONNECT, PROTOCOL, 0, 0},
    {"connect-two-codes", CONNECT, PROTOCOL, 0, 0},
    {"connect-elsewhere", CONNECT, PROTOCOL, 0, 0},
    {"connect-denied", CONNECT, DENIED, 0, 0},
    {"connect-error", CONNECT, CONFIG, 0, 0},
    {"connect-no-location", CONNECT, PROTOCOL, 0, 0},
    {"connect-login", CONNECT, PROTOCOL, 0, 0},
    {"wrong-app", CONNECT, DENIED, 0, 0},
};

static bool can_be_read(const char *answer)
{
#ifdef NEXAUTH_XML
    (void)answer;
    return true;
#else
    return strncmp(answer, "xml-", 4) != 0;
#endif
}

static int64_t own_lifetime(const struct endpoint *endpoint)
{
    if (endpoint->kind == LIVE_NEX_USER)
        return 1209600;
    return endpoint->kind == LIVE_QUANTOZ_TEST ? 3600 : 7200;
}

/* A token that goes with OK, and with nothing else. */
static bool is_right_token(const struct row *row, const struct endpoint *endpoint, const nexauth_token *token)
{
    if (!token)
        return row->status != OK;
    return row->status == OK && emulator_is_alive(&live_emulator, nexauth_token_access_token(token)) == 1 &&
           nexauth_token_lifetime_s(token) == (row->lifetime_s ? row->lifetime_s : own_lifetime(endpoint));
}

static int run_row(const struct row *row, const struct endpoint *endpoint)
{
    const struct nexauth_session_options options = {.loopback_http = 1};
    const struct live_who who = {.kind = endpoint->kind, .origin = endpoint->origin};
    nexauth_session *session = live_new_session(&options);
    nexauth_source *source = live_new_source(session, &who);
    nexauth_token *token = NULL;
    struct nexauth_error error = {0};
    char fault[256];

    assert_int_equal(emulator_reset(&live_emulator), 0);
    snprintf(fault, sizeof fault, "{\"service\":\"%s\",\"path\":\"%s\",\"answer\":\"%s\"}", endpoint->service,
             endpoint->path, row->answer);
    live_fault(fault);
    const nexauth_status status = nexauth_source_get_token(source, NULL, &token, &error);
    const bool right = status == row->status && is_right_token(row, endpoint, token) &&
                       live_is_held(&error, row->retry_after_ms);
    if (!right)
        print_error("%s %s: %s instead of %s, lifetime %lld, after %lld ms: %s\n", endpoint->path, row->answer,
                    nexauth_status_name(status), nexauth_status_name(row->status),
                    token ? (long long)nexauth_token_lifetime_s(token) : -1, (long long)error.retry_after_ms,
                    error.message);
    nexauth_token_unref(token);
    nexauth_source_free(source);
    nexauth_session_free(session);
    return !right;
}

static void an_answer_of_a_vendor_has_its_status(void **state)
{
    int wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (can_be_read(rows[i].answer))
            wrong += run_row(&rows[i], &endpoints[rows[i].place]);
    }
    assert_int_equal(wrong, 0);
}

static void an_answer_of_any_door_has_its_status_at_each(void **state)
{
    static const enum place places[] = {NEX, QUANTOZ, APP};
    int wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof any_rows / sizeof *any_rows; i++) {
        for (size_t k = 0; k < sizeof places / sizeof *places; k++)
            wrong += run_row(&any_rows[i], &endpoints[places[k]]);
    }
    assert_int_equal(wrong, 0);
}

static bool has_row(const char *group, const char *answer)
{
    for (size_t i = 0; i < sizeof any_rows / sizeof *any_rows; i++) {
        if (strcmp(group, "any") == 0 && strcmp(answer, any_rows[i].answer) == 0)
            return true;
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *service = endpoints[rows[i].place].service;
        if (strncmp(service, group, strlen(group)) == 0 && strcmp(answer, rows[i].answer) == 0)
            return true;
    }
    return false;
}

static void no_answer_of_the_emulator_is_left_out(void **state)
{
    char *text = emulator_show(&live_emulator, "/answers");
    cJSON *groups = cJSON_Parse(text);
    const cJSON *group = NULL;
    const cJSON *answer = NULL;
    int count = 0;

    (void)state;
    cJSON_ArrayForEach(group, groups)
    {
        cJSON_ArrayForEach(answer, group)
        {
            count++;
            if (!has_row(group->string, answer->string))
                fail_msg("%s %s has no row", group->string, answer->string);
        }
    }
    assert_true(count > 200);
    cJSON_Delete(groups);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_of_a_vendor_has_its_status),
        cmocka_unit_test(an_answer_of_any_door_has_its_status_at_each),
        cmocka_unit_test(no_answer_of_the_emulator_is_left_out),
    };

    return cmocka_run_group_tests(tests, live_start, live_stop);
}
