/*
 * What holds for the calls of all vendors' APIs: tokens end, faults and bans meet calls, and calls are counted.
 */
#include "support/test.h"

#include "calls.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* A call that is right, so that only its token can be refused. */
struct place {
    const struct issuer *issuer;
    const char *service;
    const char *origin;
    struct call call;
    const char *key; /* in the counts */
    long denied;
    const char *in_denial;
};

static const struct place places[] = {
    {.issuer = &issuer_nex_user,
     .service = "nex",
     .origin = emulator.nex_https,
     .call = {.path = "/v1.0/Controller", .header = BEARER},
     .key = "nex /v1.0/Controller",
     .denied = 401,
     .in_denial = DENIED},
    {.issuer = &issuer_nex_user,
     .service = "nex",
     .origin = emulator.nex_http,
     .call = {.method = "POST", .path = "/v1.0/Stream", .header = BEARER, .other_header = JSON_TYPE, .body = "{}"},
     .key = "nex /v1.0/Stream",
     .denied = 401,
     .in_denial = DENIED},
    {.issuer = &issuer_quantoz_test,
     .service = "quantoz_test_api",
     .origin = emulator.quantoz_test_api_https,
     .call = {.path = "/customer", .header = BEARER},
     .key = "quantoz_test_api /customer",
     .denied = 401,
     .in_denial = ""},
    {.issuer = &issuer_quantoz_production,
     .service = "quantoz_production_api",
     .origin = emulator.quantoz_production_api_https,
     .call = {.path = "/customer", .header = BEARER},
     .key = "quantoz_production_api /customer",
     .denied = 401,
     .in_denial = ""},
    {.issuer = &issuer_nexusguard,
     .service = "nexusguard",
     .origin = emulator.nexusguard_http,
     .call = {.path = CUSTOMERS "?access_token=@"},
     .key = "nexusguard " CUSTOMERS,
     .denied = 200,
     .in_denial = REFUSED("40031")},
};

#define PLACES (sizeof(places) / sizeof(places[0]))

static void is_denied(const struct place *place, const char *token)
{
    struct response response;

    call_make(place->origin, &place->call, token, &response);
    if (response.status != place->denied || !strstr(response.body, place->in_denial))
        fail_msg("%s:\n%s%s", place->key, response.head, response.body);
}

static void is_taken(const struct place *place, const char *token)
{
    struct response response;

    call_make(place->origin, &place->call, token, &response);
    if (response.status != 200 || strstr(response.body, "\"code\":4"))
        fail_msg("%s:\n%s%s", place->key, response.head, response.body);
}

static void a_token_is_refused_when_it_has_expired(void **state)
{
    (void)state;
    assert_int_equal(emulator_tokens(&emulator, "{\"lifetime_s\":60}"), 0);
    for (size_t i = 0; i < PLACES; i++) {
        char token[256];
        token_take(places[i].issuer, token, sizeof(token));
        assert_int_equal(emulator_advance(&emulator, 59000), 0);
        is_taken(&places[i], token);
        assert_int_equal(emulator_advance(&emulator, 1000), 0);
        is_denied(&places[i], token);
    }
}

static void a_token_is_refused_when_it_is_revoked_and_the_next_one_is_not(void **state)
{
    static const bool all[] = {false, true};

    (void)state;
    assert_int_equal(emulator_tokens(&emulator, "{\"same_token\":true}"), 0);
    for (size_t i = 0; i < PLACES * 2; i++) {
        const struct place *place = &places[i / 2];
        char token[256];
        token_take(place->issuer, token, sizeof(token));
        is_taken(place, token);
        assert_int_equal(emulator_revoke_access(&emulator, all[i % 2] ? NULL : token), 0);
        is_denied(place, token);
        assert_int_equal(emulator_is_alive(&emulator, token), 0);
        token_take(place->issuer, token, sizeof(token));
        is_taken(place, token);
    }
}

static void a_token_of_another_vendor_is_refused(void **state)
{
    char token[256];

    (void)state;
    for (size_t i = 0; i < PLACES; i++) {
        token_take(places[i].issuer == &issuer_quantoz_test ? &issuer_nex_user : &issuer_quantoz_test, token,
                   sizeof(token));
        is_denied(&places[i], token);
    }
}

static void faults_and_bans_meet_calls_and_calls_are_counted(void **state)
{
    static const char *const faults[] = {"\"delay_ms\":1,\"answer\":\"throttled\"", "\"answer\":{\"status\":429}"};

    (void)state;
    for (size_t i = 0; i < PLACES * 2; i++) {
        const struct place *place = &places[i / 2];
        struct response response;
        char token[256];
        char fault[256];
        char ban[128];
        assert_int_equal(emulator_reset(&emulator), 0);
        token_take(place->issuer, token, sizeof(token));
        snprintf(fault, sizeof(fault), "{\"service\":\"%s\",\"path\":\"%.*s\",%s}", place->service,
                 (int)strcspn(place->call.path, "?"), place->call.path, faults[i % 2]);
        snprintf(ban, sizeof(ban), "{\"service\":\"%s\",\"ban\":\"html-403\",\"times\":1}", place->service);
        assert_int_equal(emulator_fault(&emulator, fault), 0);
        call_make(place->origin, &place->call, token, &response);
        assert_int_equal(response.status, 429);
        assert_int_equal(emulator_fault(&emulator, ban), 0);
        call_make(place->origin, &place->call, token, &response);
        assert_int_equal(response.status, 403);
        is_taken(place, token);
        assert_int_equal(emulator_count(&emulator, place->key), 3);
        assert_int_equal(emulator_connections(&emulator, place->key), 3);
    }
}

static int start(void **state)
{
    (void)state;
    return emulator_start(&emulator, NULL);
}

static int stop(void **state)
{
    (void)state;
    return emulator_stop(&emulator);
}

static int reset(void **state)
{
    (void)state;
    return emulator_reset(&emulator) || emulator_stop_clock(&emulator) ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_token_is_refused_when_it_has_expired, reset),
        cmocka_unit_test_setup(a_token_is_refused_when_it_is_revoked_and_the_next_one_is_not, reset),
        cmocka_unit_test_setup(a_token_of_another_vendor_is_refused, reset),
        cmocka_unit_test_setup(faults_and_bans_meet_calls_and_calls_are_counted, reset),
    };

    curl_global_init(CURL_GLOBAL_DEFAULT);
    int failed = cmocka_run_group_tests(tests, start, stop);
    curl_global_cleanup();
    return failed;
}
