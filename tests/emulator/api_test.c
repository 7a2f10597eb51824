/*
 * The vendors' APIs: what a token is good for, and how a call is refused without one. In a row's texts a @ stands for a
 * token.
 */
#include "support/test.h"

#include "exchange.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BEARER "Authorization: Bearer @"
#define XML    "Accept: application/xml"

/* What grants a token. */
struct issuer {
    const char *origin;
    const char *path;
    const char *type;
    const char *body;
};

static const struct issuer nex_user = {emulator.nex_https, "/v1.0/Token", JSON_TYPE, NEX_USER};
static const struct issuer nex_controller = {
    emulator.nex_https, "/v1.0/Token", JSON_TYPE,
    "{\"grant_type\":\"client_credentials\",\"client_id\":\"5a5b\",\"client_secret\":\"abc123\",\"controller_id\":"
    "\"111aa\",\"controller_secret\":\"456\",\"scope\":\"controller\"}"};
static const struct issuer quantoz_test = {
    emulator.quantoz_test_https, "/connect/token", FORM_TYPE,
    "grant_type=client_credentials&scope=api1&client_id=nexus-test-client&client_secret=p%26ss+w%2Brd%25%3D1"};

static const struct issuer quantoz_production = {
    emulator.quantoz_production_https, "/connect/token", FORM_TYPE,
    "grant_type=client_credentials&scope=api1&client_id=nexus-production-client&client_secret=Pr0duct%21on+s3cret"};

/* A call, and what its answer has to have. A NULL `header` is no header. */
struct call {
    const char *name;
    const char *method; /* NULL: GET */
    const char *path;
    const char *header;
    const char *other_header;
    const char *body;
    long status;
    const char *in_head;
    const char *in_body;
};

static void take_token(const struct issuer *issuer, char *token, size_t size)
{
    const char *const headers[] = {issuer->type, NULL};
    static const char before[] = "\"access_token\":\"";
    struct response response;

    assert_int_equal(exchange(issuer->origin, "POST", issuer->path, headers, issuer->body, &response), CURLE_OK);
    const char *found = strstr(response.body, before);
    assert_non_null(found);
    found += strlen(before);
    snprintf(token, size, "%.*s", (int)strcspn(found, "\""), found);
}

/* The text with the token in the place of the @. */
static const char *fill(const char *text, const char *token, char *filled, size_t size)
{
    const char *mark = text ? strchr(text, '@') : NULL;

    if (!mark)
        return text;
    snprintf(filled, size, "%.*s%s%s", (int)(mark - text), text, token, mark + 1);
    return filled;
}

static void make(const char *origin, const struct call *call, const char *token, struct response *response)
{
    char path[512];
    char header[512];
    const char *headers[] = {fill(call->header, token, header, sizeof(header)), call->other_header, NULL};

    if (!headers[0]) {
        headers[0] = headers[1];
        headers[1] = NULL;
    }
    assert_int_equal(exchange(origin, call->method ? call->method : "GET", fill(call->path, token, path, sizeof(path)),
                              headers, call->body, response),
                     CURLE_OK);
}

static int check(const char *origin, const struct call *call, const char *token)
{
    struct response response;

    make(origin, call, token, &response);
    if (response.status == call->status && strstr(response.head, call->in_head ? call->in_head : "Date: ") &&
        strstr(response.body, call->in_body ? call->in_body : ""))
        return 0;
    print_error("%s:\n%s%s\n", call->name, response.head, response.body);
    return 1;
}

static void check_all(const char *origin, const struct issuer *issuer, const struct call *calls, size_t count)
{
    char token[256];
    int wrong = 0;

    take_token(issuer, token, sizeof(token));
    for (size_t i = 0; i < count; i++)
        wrong += check(origin, &calls[i], token);
    assert_int_equal(wrong, 0);
}

#define CHECK_ALL(origin, issuer, calls) check_all(origin, issuer, calls, sizeof(calls) / sizeof((calls)[0]))

#define DENIED    "{\"Message\":\"Authorization has been denied for this request.\"}"
#define CHALLENGE "WWW-Authenticate: Bearer\r\n"
#define CONTROLLER(id)                                                                                                 \
    "{\"ControllerID\":\"" id "\",\"Name\":\"Controller " id "\",\"Brand\":\"NEX\",\"Model\":\"DMS4080\","             \
    "\"ActivationDate\":\"2017-04-26T23:28:15+00:00\"}"

static const struct call nex_calls[] = {
    {"the client's controllers", .path = "/v1.0/Controller", .header = BEARER, .status = 200,
     .in_head = "Content-Type: application/json",
     .in_body = "[" CONTROLLER("111aa") "," CONTROLLER("222bb") "," CONTROLLER("333cc") "]"},
    {"paths ignore case", .path = "/V1.0/controller", .header = BEARER, .status = 200, .in_body = "[{\"ControllerID\""},
    {"so do schemes", .path = "/v1.0/Controller", .header = "authorization: bearer  @", .status = 200},
    {"a query does no harm", .path = "/v1.0/Controller?x=y", .header = BEARER, .status = 200},
    {"XML when asked for, in alphabetical order", .path = "/v1.0/Controller", .header = BEARER, .other_header = XML,
     .status = 200, .in_head = "Content-Type: application/xml",
     .in_body = "<ArrayOfController xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" "
                "xmlns=\"http://schemas.datacontract.org/2004/07/NEX.API.Models\"><Controller><ActivationDate>"
                "2017-04-26T23:28:15+00:00</ActivationDate><Brand>NEX</Brand><ControllerID>111aa</ControllerID>"
                "<Model>DMS4080</Model><Name>Controller 111aa</Name></Controller><Controller>"},
    {"no token", .path = "/v1.0/Controller", .status = 401, .in_head = CHALLENGE, .in_body = DENIED},
    {"no token, in XML", .path = "/v1.0/Controller", .other_header = XML, .status = 401, .in_head = CHALLENGE,
     .in_body = "<Error><Message>Authorization has been denied for this request.</Message></Error>"},
    {"an unknown token", .path = "/v1.0/Controller", .header = BEARER "x", .status = 401, .in_head = CHALLENGE,
     .in_body = DENIED},
    {"an empty token", .path = "/v1.0/Controller", .header = "Authorization: Bearer ", .status = 401},
    {"a token of another scheme", .path = "/v1.0/Controller", .header = "Authorization: Basic @", .status = 401},
    {"a token in the query", .path = "/v1.0/Controller?access_token=@", .status = 401},
    {"two tokens", .path = "/v1.0/Controller", .header = BEARER, .other_header = "Authorization: Bearer x",
     .status = 400},
    {"another method", .method = "POST", .path = "/v1.0/Controller", .header = BEARER, .body = "{}", .status = 405,
     .in_head = "Allow: GET\r\n"},
    {"a reading", .method = "POST", .path = "/v1.0/Stream", .header = BEARER, .other_header = JSON_TYPE,
     .body = "{\"Type\":1}", .status = 200, .in_head = "Content-Type: application/json", .in_body = "{\"Bytes\":10}"},
    {"a reading elsewhere", .method = "POST", .path = "/V1.0/STREAM", .header = BEARER, .other_header = JSON_TYPE,
     .body = "{}", .status = 200, .in_body = "{\"Bytes\":2}"},
    {"a reading without a token", .method = "POST", .path = "/v1.0/Stream", .other_header = JSON_TYPE, .body = "{}",
     .status = 401, .in_head = CHALLENGE, .in_body = DENIED},
    {"XML without a token", .method = "POST", .path = "/v1.0/Stream", .other_header = "Content-Type: application/xml",
     .body = "<a/>", .status = 401},
    {"a reading in XML", .method = "POST", .path = "/v1.0/Stream", .header = BEARER,
     .other_header = "Content-Type: application/xml", .body = "<a/>", .status = 415,
     .in_body = "media type 'application/xml' is not supported"},
    {"a reading that is no JSON", .method = "POST", .path = "/v1.0/Stream", .header = BEARER, .other_header = JSON_TYPE,
     .body = "{", .status = 400, .in_body = "The request is invalid."},
    {"a reading that is no object", .method = "POST", .path = "/v1.0/Stream", .header = BEARER,
     .other_header = JSON_TYPE, .body = "[]", .status = 400, .in_body = "The request is invalid."},
};

static void nex_shows_controllers_and_takes_readings(void **state)
{
    (void)state;
    CHECK_ALL(emulator.nex_https, &nex_controller, nex_calls);
}

static void nex_shows_the_controllers_of_the_token_s_client(void **state)
{
    static const struct call call = {"none", .path = "/v1.0/Controller", .header = BEARER, .status = 200};
    struct response response;
    char token[256];

    (void)state;
    take_token(&nex_user, token, sizeof(token));
    make(emulator.nex_https, &call, token, &response);
    assert_int_equal(response.status, 200);
    assert_string_equal(response.body, "[]");
}

static void nex_takes_a_large_upload(void **state)
{
    enum { LENGTH = 700 * 1024 };
    struct response response;
    char token[256];
    char *body = malloc(LENGTH + 1);

    (void)state;
    assert_non_null(body);
    memset(body, ' ', LENGTH);
    memcpy(body, "{\"Type\":1}", 10);
    body[LENGTH] = '\0';
    take_token(&nex_user, token, sizeof(token));
    const struct call call = {"large",          .method = "POST",          .path = "/v1.0/Stream",
                              .header = BEARER, .other_header = JSON_TYPE, .body = body};
    make(emulator.nex_https, &call, token, &response);
    free(body);
    assert_int_equal(response.status, 200);
    assert_string_equal(response.body, "{\"Bytes\":716800}");
}

#define ISO8601 "request_iso8601: true"
#define INVALID "WWW-Authenticate: Bearer error=\"invalid_token\"\r\n"

static const struct call quantoz_calls[] = {
    {"the customers", .path = "/customer", .header = BEARER, .status = 200, .in_head = "Content-Type: application/json",
     .in_body = "{\"message\":null,\"errors\":null,\"values\":{\"page\":1,\"total\":2,\"totalPages\":1,"
                "\"filteringParameters\":{},\"records\":[{\"customerCode\":\"CUSTOMER-1\","},
    {"dates as they come", .path = "/customer", .header = BEARER, .status = 200,
     .in_body = "\"created\":\"2023-05-04T11:08:07.1234567+02:00\"}"},
    {"dates as they were asked for", .path = "/customer", .header = BEARER, .other_header = ISO8601, .status = 200,
     .in_body = "\"created\":\"2023-05-04T09:08:07Z\"}"},
    {"dates as they were not asked for", .path = "/customer", .header = BEARER,
     .other_header = "request_iso8601: false", .status = 200, .in_body = "2023-05-04T11:08:07.1234567+02:00\"}"},
    {"a query does no harm", .path = "/customer?page=1", .header = BEARER, .status = 200},
    {"no token", .path = "/customer", .status = 401, .in_head = CHALLENGE},
    {"an unknown token", .path = "/customer", .header = BEARER "x", .status = 401, .in_head = INVALID},
    {"a token of another scheme", .path = "/customer", .header = "Authorization: Basic @", .status = 401,
     .in_head = CHALLENGE},
    {"a token in the query", .path = "/customer?access_token=@", .status = 401, .in_head = CHALLENGE},
    {"two tokens", .path = "/customer", .header = BEARER, .other_header = "Authorization: Bearer x", .status = 400},
    {"another method", .method = "POST", .path = "/customer", .header = BEARER, .body = "{}", .status = 405,
     .in_head = "Allow: GET\r\n"},
    {"no token endpoint", .method = "POST", .path = "/connect/token", .header = FORM_TYPE, .body = "", .status = 404},
};

static void quantoz_shows_customers_with_the_dates_that_are_asked_for(void **state)
{
    (void)state;
    CHECK_ALL(emulator.quantoz_test_api_https, &quantoz_test, quantoz_calls);
    CHECK_ALL(emulator.quantoz_test_api_http, &quantoz_test, quantoz_calls);
    CHECK_ALL(emulator.quantoz_production_api_https, &quantoz_production, quantoz_calls);
    CHECK_ALL(emulator.quantoz_production_api_http, &quantoz_production, quantoz_calls);
}

static void the_environments_of_quantoz_do_not_honour_each_other_s_tokens(void **state)
{
    static const struct call call = {.path = "/customer", .header = BEARER};
    struct response response;
    char test[256];
    char production[256];

    (void)state;
    take_token(&quantoz_test, test, sizeof(test));
    take_token(&quantoz_production, production, sizeof(production));
    make(emulator.quantoz_test_api_https, &call, production, &response);
    assert_int_equal(response.status, 401);
    assert_non_null(strstr(response.head, INVALID));
    assert_string_equal(response.body, "");
    make(emulator.quantoz_production_api_https, &call, test, &response);
    assert_int_equal(response.status, 401);
    assert_non_null(strstr(response.head, INVALID));
    assert_string_equal(response.body, "");
}

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
    {.issuer = &nex_user,
     .service = "nex",
     .origin = emulator.nex_https,
     .call = {.path = "/v1.0/Controller", .header = BEARER},
     .key = "nex /v1.0/Controller",
     .denied = 401,
     .in_denial = DENIED},
    {.issuer = &nex_user,
     .service = "nex",
     .origin = emulator.nex_http,
     .call = {.method = "POST", .path = "/v1.0/Stream", .header = BEARER, .other_header = JSON_TYPE, .body = "{}"},
     .key = "nex /v1.0/Stream",
     .denied = 401,
     .in_denial = DENIED},
    {.issuer = &quantoz_test,
     .service = "quantoz_test_api",
     .origin = emulator.quantoz_test_api_https,
     .call = {.path = "/customer", .header = BEARER},
     .key = "quantoz_test_api /customer",
     .denied = 401,
     .in_denial = ""},
    {.issuer = &quantoz_production,
     .service = "quantoz_production_api",
     .origin = emulator.quantoz_production_api_https,
     .call = {.path = "/customer", .header = BEARER},
     .key = "quantoz_production_api /customer",
     .denied = 401,
     .in_denial = ""},
};

#define PLACES (sizeof(places) / sizeof(places[0]))

static void is_denied(const struct place *place, const char *token)
{
    struct response response;

    make(place->origin, &place->call, token, &response);
    if (response.status != place->denied || !strstr(response.body, place->in_denial))
        fail_msg("%s:\n%s%s", place->key, response.head, response.body);
}

static void is_taken(const struct place *place, const char *token)
{
    struct response response;

    make(place->origin, &place->call, token, &response);
    if (response.status != 200 || strstr(response.body, "\"code\":4"))
        fail_msg("%s:\n%s%s", place->key, response.head, response.body);
}

static void a_token_is_refused_when_it_has_expired(void **state)
{
    (void)state;
    assert_int_equal(emulator_tokens(&emulator, "{\"lifetime_s\":60}"), 0);
    for (size_t i = 0; i < PLACES; i++) {
        char token[256];
        take_token(places[i].issuer, token, sizeof(token));
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
        take_token(place->issuer, token, sizeof(token));
        is_taken(place, token);
        assert_int_equal(emulator_revoke_access(&emulator, all[i % 2] ? NULL : token), 0);
        is_denied(place, token);
        assert_int_equal(emulator_is_alive(&emulator, token), 0);
        take_token(place->issuer, token, sizeof(token));
        is_taken(place, token);
    }
}

static void a_token_of_another_vendor_is_refused(void **state)
{
    char token[256];

    (void)state;
    for (size_t i = 0; i < PLACES; i++) {
        take_token(places[i].issuer == &quantoz_test ? &nex_user : &quantoz_test, token, sizeof(token));
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
        take_token(place->issuer, token, sizeof(token));
        snprintf(fault, sizeof(fault), "{\"service\":\"%s\",\"path\":\"%.*s\",%s}", place->service,
                 (int)strcspn(place->call.path, "?"), place->call.path, faults[i % 2]);
        snprintf(ban, sizeof(ban), "{\"service\":\"%s\",\"ban\":\"html-403\",\"times\":1}", place->service);
        assert_int_equal(emulator_fault(&emulator, fault), 0);
        make(place->origin, &place->call, token, &response);
        assert_int_equal(response.status, 429);
        assert_int_equal(emulator_fault(&emulator, ban), 0);
        make(place->origin, &place->call, token, &response);
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
        cmocka_unit_test_setup(nex_shows_controllers_and_takes_readings, reset),
        cmocka_unit_test_setup(nex_shows_the_controllers_of_the_token_s_client, reset),
        cmocka_unit_test_setup(nex_takes_a_large_upload, reset),
        cmocka_unit_test_setup(quantoz_shows_customers_with_the_dates_that_are_asked_for, reset),
        cmocka_unit_test_setup(the_environments_of_quantoz_do_not_honour_each_other_s_tokens, reset),
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
