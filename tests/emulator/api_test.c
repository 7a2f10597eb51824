/*
 * The vendors' APIs: what each one answers to a call, with a token and without.
 */
#include "support/test.h"

#include "calls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XML "Accept: application/xml"
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
    {"a token in the query", .path = "/v1.0/Controller?access_token=@", .status = 200},
    {"it twice", .path = "/v1.0/Controller?access_token=@&access_token=@", .status = 401},
    {"it beside another header", .path = "/v1.0/Controller?access_token=@",
     .header = "Authorization: Basic eA==", .status = 401},
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
    CHECK_CALLS(emulator.nex_https, &issuer_nex_controller, nex_calls);
}

static void nex_shows_the_controllers_of_the_token_s_client(void **state)
{
    static const struct call call = {"none", .path = "/v1.0/Controller", .header = BEARER, .status = 200};
    struct response response;
    char token[256];

    (void)state;
    token_take(&issuer_nex_user, token, sizeof(token));
    call_make(emulator.nex_https, &call, token, &response);
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
    token_take(&issuer_nex_user, token, sizeof(token));
    const struct call call = {"large",          .method = "POST",          .path = "/v1.0/Stream",
                              .header = BEARER, .other_header = JSON_TYPE, .body = body};
    call_make(emulator.nex_https, &call, token, &response);
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
    CHECK_CALLS(emulator.quantoz_test_api_https, &issuer_quantoz_test, quantoz_calls);
    CHECK_CALLS(emulator.quantoz_test_api_http, &issuer_quantoz_test, quantoz_calls);
    CHECK_CALLS(emulator.quantoz_production_api_https, &issuer_quantoz_production, quantoz_calls);
    CHECK_CALLS(emulator.quantoz_production_api_http, &issuer_quantoz_production, quantoz_calls);
}

static void the_environments_of_quantoz_do_not_honour_each_other_s_tokens(void **state)
{
    static const struct call call = {.path = "/customer", .header = BEARER};
    struct response response;
    char test[256];
    char production[256];

    (void)state;
    token_take(&issuer_quantoz_test, test, sizeof(test));
    token_take(&issuer_quantoz_production, production, sizeof(production));
    call_make(emulator.quantoz_test_api_https, &call, production, &response);
    assert_int_equal(response.status, 401);
    assert_non_null(strstr(response.head, INVALID));
    assert_string_equal(response.body, "");
    call_make(emulator.quantoz_production_api_https, &call, test, &response);
    assert_int_equal(response.status, 401);
    assert_non_null(strstr(response.head, INVALID));
    assert_string_equal(response.body, "");
}

static const struct call nexusguard_calls[] = {
    {"the app's customers", .path = CUSTOMERS "?access_token=@", .status = 200,
     .in_head = "Content-Type: application/json",
     .in_body = "{\"code\":0,\"msg\":\"success\",\"result\":[{\"customer_id\":\"C-1001\",\"xspe\":\"spe-portal\"},"
                "{\"customer_id\":\"C-1002\",\"xspe\":\"spe-portal\"}]}"},
    {"other parameters do no harm", .path = CUSTOMERS "?page=1&access_token=@&size=2", .status = 200,
     .in_body = "{\"code\":0,"},
    {"no token", .path = CUSTOMERS, .status = 200, .in_body = REFUSED("40013")},
    {"a token in a header", .path = CUSTOMERS, .header = BEARER, .status = 200, .in_body = REFUSED("40013")},
    {"a wrong token and a right one in a header", .path = CUSTOMERS "?access_token=x", .header = BEARER, .status = 200,
     .in_body = REFUSED("40031") "\"msg\":\"access_token is invalid or has expired\",\"result\":[]}"},
    {"an unknown token", .path = CUSTOMERS "?access_token=@x", .status = 200, .in_body = REFUSED("40031")},
    {"an empty token", .path = CUSTOMERS "?access_token=", .status = 200, .in_body = REFUSED("40031")},
    {"a token and another one", .path = CUSTOMERS "?access_token=@&access_token=x", .status = 200,
     .in_body = REFUSED("40013")},
    {"a token and a body", .path = CUSTOMERS "?access_token=@", .header = FORM_TYPE, .body = "x=y", .status = 200,
     .in_body = REFUSED("40013")},
    {"a token that is not well encoded", .path = CUSTOMERS "?access_token=@%2", .status = 200,
     .in_body = REFUSED("40013")},
    {"another method", .method = "POST", .path = CUSTOMERS "?access_token=@", .header = FORM_TYPE, .body = "",
     .status = 405, .in_head = "Allow: GET\r\n"},
};

static void nexusguard_shows_the_app_s_customers(void **state)
{
    (void)state;
    CHECK_CALLS(emulator.nexusguard_https, &issuer_nexusguard, nexusguard_calls);
    CHECK_CALLS(emulator.nexusguard_http, &issuer_nexusguard, nexusguard_calls);
}

static void nexusguard_shows_a_user_s_customer_alone(void **state)
{
    static const char *const headers[] = {FORM_TYPE, NULL};
    static const struct call call = {.path = CUSTOMERS "?access_token=@"};
    char body[512];
    char token[256];
    struct response response;

    (void)state;
    assert_int_equal(
        exchange(emulator.nexusguard_https, "GET", CONNECT CUSTOMER "&state=s1&" REDIRECT, NULL, NULL, &response),
        CURLE_OK);
    const char *code = strstr(response.head, "?code=");
    assert_non_null(code);
    snprintf(body, sizeof(body), APP "&" SECRET "&grant_type=authorization_code&code=%.*s",
             (int)strcspn(code + 6, "&\r"), code + 6);
    assert_int_equal(exchange(emulator.nexusguard_https, "POST", "/oauth/access_token", headers, body, &response),
                     CURLE_OK);
    token_find(&response, token, sizeof(token));
    call_make(emulator.nexusguard_https, &call, token, &response);
    assert_non_null(strstr(response.body, "\"result\":[{\"customer_id\":\"C-1001\",\"xspe\":\"spe-portal\"}]}"));
}

/* Writes each byte of the text as %XX. */
static void encode(const char *text, char *encoded, size_t size)
{
    for (*encoded = '\0'; *text && size > 3; text++, encoded += 3, size -= 3)
        snprintf(encoded, size, "%%%02X", (unsigned char)*text);
}

static void nexusguard_decodes_the_token_once(void **state)
{
    static const struct call call = {.path = CUSTOMERS "?access_token=@"};
    struct response response;
    char token[256];
    char once[1024];
    char twice[4096];

    (void)state;
    token_take(&issuer_nexusguard, token, sizeof(token));
    encode(token, once, sizeof(once));
    encode(once, twice, sizeof(twice));
    call_make(emulator.nexusguard_https, &call, once, &response);
    assert_non_null(strstr(response.body, "{\"code\":0,"));
    call_make(emulator.nexusguard_https, &call, twice, &response);
    assert_non_null(strstr(response.body, REFUSED("40031")));
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
        cmocka_unit_test_setup(nexusguard_shows_the_app_s_customers, reset),
        cmocka_unit_test_setup(nexusguard_shows_a_user_s_customer_alone, reset),
        cmocka_unit_test_setup(nexusguard_decodes_the_token_once, reset),
    };

    curl_global_init(CURL_GLOBAL_DEFAULT);
    int failed = cmocka_run_group_tests(tests, start, stop);
    curl_global_cleanup();
    return failed;
}
