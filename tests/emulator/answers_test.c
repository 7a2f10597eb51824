/*
 * What each service answers to a single request, over https. A row is a request and what its answer has to have; what a
 * row does not say is as in a good request to that service.
 */
#include "support/test.h"

#include "rows.h"

#define XML "Accept: application/xml"
#define DCS                                                                                                            \
    " xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" "                                                          \
    "xmlns=\"http://schemas.datacontract.org/2004/07/NEX.API.Models\">"
#define CLIENT "client_id=nexus-test-client&client_secret=p%26ss+w%2Brd%25%3D1"
#define GRANT  "grant_type=client_credentials"
/* id:secret of the client above, raw and form-encoded first (RFC 6749, section 2.3.1) */
#define BASIC_RAW     "Authorization: Basic bmV4dXMtdGVzdC1jbGllbnQ6cCZzcyB3K3JkJT0x"
#define BASIC_ENCODED "Authorization: Basic bmV4dXMtdGVzdC1jbGllbnQ6cCUyNnNzK3clMkJyZCUyNSUzRDE="
#define BASIC_WRONG   "Authorization: Basic bmV4dXMtdGVzdC1jbGllbnQ6d3Jvbmc="

#define USER(grant, id, secret, name, password, scope)                                                                 \
    "{\"grant_type\":\"" grant "\",\"client_id\":\"" id "\",\"client_secret\":\"" secret "\",\"username\":\"" name     \
    "\",\"password\":\"" password "\",\"scope\":\"" scope "\"}"
#define CONTROLLER(id, secret, scope)                                                                                  \
    "{\"grant_type\":\"client_credentials\",\"client_id\":\"5a5b\",\"client_secret\":\"abc123\",\"controller_id\":"    \
    "\"" id "\",\"controller_secret\":\"" secret "\",\"scope\":\"" scope "\"}"
#define INVALID "{\"Message\":\"The request is invalid.\"}"

static const struct row nex_rows[] = {
    {"a user gets a token", .status = 200, .in_head = "Content-Type: application/json",
     .in_body = "\",\"expires_in\":\"1209600\",\"token_type\":\"Bearer\",\"scope\":\"user\"}"},
    {"a controller gets a token", .status = 200, .body = CONTROLLER("333cc", "012", "controller"),
     .in_body = "\"scope\":\"controller\"}"},
    {"paths ignore case", .path = "/V1.0/token", .status = 200, .in_body = "{\"access_token\":\"nex-"},
    {"white space and a charset do no harm", .type = JSON_TYPE " ; charset=utf-8", .status = 200,
     .body = " " NEX_USER "\r\n"},
    {"JSON is preferred when it is named first", .status = 200, .header = "Accept: application/json, application/xml",
     .in_body = "{"},
    {"XML when asked for", .status = 200, .header = XML, .in_head = "Content-Type: application/xml",
     .in_body = "<TokenResponse" DCS "<access_token>nex-"},
    {"XML has its members in alphabetical order", .status = 200, .header = "Accept: text/xml;q=0.9, */*",
     .in_body = "</access_token><expires_in>1209600</expires_in><scope>user</scope><token_type>Bearer</token_type>"
                "</TokenResponse>"},
    {"a wrong client", .body = USER("password", "x", "abc123", "myname", "xyz456", "user"),
     .in_body = "{\"error\":\"invalid_client\"}"},
    {"a wrong client secret", .body = USER("password", "mycompany", "abc124", "myname", "xyz456", "user"),
     .in_body = "{\"error\":\"invalid_client\"}"},
    {"a wrong user", .body = USER("password", "mycompany", "abc123", "nobody", "xyz456", "user"),
     .in_body = "{\"error\":\"invalid_grant\",\"error_description\":\"The user name or password is incorrect.\"}"},
    {"another client's user", .body = USER("password", "5a5b", "abc123", "myname", "xyz456", "user"),
     .in_body = "invalid_grant"},
    {"a wrong password, in XML", .header = XML, .body = USER("password", "mycompany", "abc123", "myname", "", "user"),
     .in_body = "<OAuthError" DCS "<error>invalid_grant</error><error_description>The user"},
    {"a wrong controller", .body = CONTROLLER("999", "456", "controller"), .in_body = "invalid_grant"},
    {"another controller's secret", .body = CONTROLLER("222bb", "456", "controller"), .in_body = "invalid_grant"},
    {"a wrong scope", .body = CONTROLLER("111aa", "456", "user"), .in_body = "{\"error\":\"invalid_scope\"}"},
    {"a wrong scope, in XML", .header = XML, .body = CONTROLLER("111aa", "456", "user"),
     .in_body = "<error>invalid_scope</error><error_description i:nil=\"true\" /></OAuthError>"},
    {"a wrong grant", .body = USER("passwd", "mycompany", "abc123", "myname", "xyz456", "user"),
     .in_body = "{\"error\":\"unsupported_grant_type\"}"},
    {"the members of the other grant", .body = USER("client_credentials", "mycompany", "abc123", "a", "b", "user"),
     .in_body = INVALID},
    {"a missing member", .body = "{\"grant_type\":\"password\"}", .in_body = INVALID},
    {"an unknown member", .body = USER("password", "mycompany", "abc123", "myname", "xyz456", "user\",\"x\":\"y"),
     .in_body = INVALID},
    {"a member twice",
     .body = "{\"grant_type\":\"password\",\"grant_type\":\"password\",\"client_id\":\"mycompany\","
             "\"client_secret\":\"abc123\",\"username\":\"myname\",\"password\":\"xyz456\"}",
     .in_body = INVALID},
    {"a member that is no string", .body = "{\"grant_type\":1}", .in_body = INVALID},
    {"no JSON", .body = GRANT, .in_body = INVALID},
    {"no JSON, in XML", .body = GRANT, .header = XML,
     .in_body = "<Error><Message>The request is invalid.</Message></Error>"},
    {"an empty body", .body = "", .in_body = INVALID},
    {"something behind the JSON", .body = NEX_USER "x", .in_body = INVALID},
    {"a byte order mark", .body = "\xef\xbb\xbf" NEX_USER, .in_body = INVALID},
    {"a line break inside a string", .body = USER("password", "my\ncompany", "abc123", "myname", "xyz456", "user"),
     .in_body = INVALID},
    {"bytes that are not UTF-8", .body = USER("password", "my\xff", "abc123", "myname", "xyz456", "user"),
     .in_body = INVALID},
    {"an overlong form of UTF-8", .body = USER("password", "my\xe0\x80\x80", "abc123", "myname", "xyz456", "user"),
     .in_body = INVALID},
    {"a query", .path = "/v1.0/Token?x=y", .in_body = INVALID},
    {"a form", .type = FORM_TYPE, .status = 415,
     .in_body = "{\"Message\":\"The request entity's media type 'application/x-www-form-urlencoded' is not supported"},
    {"no Content-Type", .type = "Content-Type:", .status = 415, .in_body = "{\"Message\":\"The request contains"},
    {"Content-Type twice", .header = JSON_TYPE, .in_body = INVALID},
    {"another method", .method = "GET", .status = 405, .in_head = "Allow: POST\r\n",
     .in_body = "does not support http method 'GET'"},
    {"another path", .path = "/v2.0/Token", .status = 404, .in_body = "matches the request URI '/v2.0/Token'."},
    {"another path, in XML", .path = "/a&b", .header = XML, .status = 404, .in_body = "URI '/a&amp;b'.</Message>"},
};

static void nex_answers_each_request_as_documented(void **state)
{
    static const struct good good = {emulator.nex_https,
                                     {
                                         .method = "POST",
                                         .path = "/v1.0/Token",
                                         .type = JSON_TYPE,
                                         .body = NEX_USER,
                                         .status = 400,
                                     }};

    (void)state;
    CHECK_ALL(&good, nex_rows);
}

static const struct row quantoz_rows[] = {
    {"a client gets a token", .status = 200, .in_head = "Cache-Control: no-store, no-cache, max-age=0\r\n",
     .in_body = "\",\"expires_in\":3600,\"token_type\":\"Bearer\",\"scope\":\"api1\"}"},
    {"several scopes", .status = 200, .body = CLIENT "&" GRANT "&scope=sanctionlist+api1",
     .in_body = "\"scope\":\"sanctionlist api1\"}"},
    {"HTTP Basic", .status = 200, .header = BASIC_ENCODED, .body = GRANT "&scope=api1"},
    {"HTTP Basic without form-encoding", .status = 200, .header = BASIC_RAW, .body = GRANT "&scope=api1"},
    {"a charset does no harm", .status = 200, .type = FORM_TYPE "; charset=utf-8"},
    {"HTTP Basic and the body", .header = BASIC_RAW, .in_body = "{\"error\":\"invalid_request\"}"},
    {"HTTP Basic and the id in the body", .header = BASIC_RAW, .body = GRANT "&scope=api1&client_id=nexus-test-client",
     .in_body = "{\"error\":\"invalid_request\"}"},
    {"a wrong secret by HTTP Basic", .header = BASIC_WRONG, .body = GRANT "&scope=api1",
     .in_body = "{\"error\":\"invalid_client\"}"},
    {"HTTP Basic that is not base64", .header = "Authorization: Basic bm?4", .body = GRANT "&scope=api1",
     .in_body = "invalid_client"},
    {"another scheme", .header = "Authorization: Bearer x", .body = GRANT "&scope=api1", .in_body = "invalid_client"},
    {"a wrong secret", .body = "client_id=nexus-test-client&client_secret=x&" GRANT "&scope=api1",
     .in_body = "{\"error\":\"invalid_client\"}"},
    {"the client of production",
     .body = "client_id=nexus-production-client&client_secret=Pr0duct%21on+s3cret&" GRANT "&scope=api1",
     .in_body = "invalid_client"},
    {"no client", .body = GRANT "&scope=api1", .in_body = "invalid_client"},
    {"a wrong grant", .body = CLIENT "&grant_type=password&scope=api1",
     .in_body = "{\"error\":\"unsupported_grant_type\"}"},
    {"no grant", .body = CLIENT "&scope=api1", .in_body = "unsupported_grant_type"},
    {"a wrong scope", .body = CLIENT "&" GRANT "&scope=api2", .in_body = "{\"error\":\"invalid_scope\"}"},
    {"an empty scope", .body = CLIENT "&" GRANT "&scope=", .in_body = "invalid_scope"},
    {"two spaces between scopes", .body = CLIENT "&" GRANT "&scope=api1++sanctionlist", .in_body = "invalid_scope"},
    {"no scope", .body = CLIENT "&" GRANT, .in_body = "invalid_request"},
    {"a parameter twice", .body = CLIENT "&" GRANT "&scope=api1&scope=api1", .in_body = "invalid_request"},
    {"an unknown parameter", .body = CLIENT "&" GRANT "&scope=api1&x=y", .in_body = "invalid_request"},
    {"a broken escape", .body = CLIENT "&" GRANT "&scope=api%1", .in_body = "invalid_request"},
    {"a NUL", .body = CLIENT "&" GRANT "&scope=api1%00", .in_body = "invalid_request"},
    {"a raw space", .body = CLIENT "&" GRANT "&scope=api1 sanctionlist", .in_body = "invalid_request"},
    {"a parameter without a value", .body = CLIENT "&" GRANT "&scope", .in_body = "invalid_request"},
    {"JSON", .type = JSON_TYPE, .body = "{}", .in_body = "{\"error\":\"invalid_request\"}"},
    {"a media type that only begins alike", .type = FORM_TYPE "s", .in_body = "invalid_request"},
    {"a query", .path = "/connect/token?scope=api1", .in_body = "invalid_request"},
    {"another method", .method = "GET", .status = 405, .in_head = "Allow: POST\r\n"},
    {"another path", .path = "/connect/Token", .status = 404},
};

static void quantoz_answers_each_request_as_documented(void **state)
{
    static const struct good good = {emulator.quantoz_test_https,
                                     {
                                         .method = "POST",
                                         .path = "/connect/token",
                                         .type = FORM_TYPE,
                                         .body = CLIENT "&" GRANT "&scope=api1",
                                         .status = 400,
                                     }};

    (void)state;
    CHECK_ALL(&good, quantoz_rows);
}

static const struct row quantoz_production_rows[] = {
    {"its client gets a token", .status = 200,
     .body = "client_id=nexus-production-client&client_secret=Pr0duct!on+s3cret&" GRANT "&scope=api1",
     .in_body = "{\"access_token\":\"quantoz-"},
    {"the client of the test environment", .body = CLIENT "&" GRANT "&scope=api1", .in_body = "invalid_client"},
};

static void quantoz_production_has_its_own_clients(void **state)
{
    static const struct good good = {emulator.quantoz_production_https,
                                     {.method = "POST", .path = "/connect/token", .type = FORM_TYPE, .status = 400}};

    (void)state;
    CHECK_ALL(&good, quantoz_production_rows);
}

#define STATE     "&state=a%20b"
#define TOKENS    "/oauth/credit/token"
#define APP_GRANT "&grant_type=client_credential"
#define WRONG     "{\"code\":40013,\"msg\":\"invalid parameter\",\"result\":[]}"

static const struct row nexusguard_rows[] = {
    {"an app gets a token", .in_body = "{\"code\":0,\"msg\":\"success\",\"result\":{\"access_token\":\"nexusguard-"},
    {"an app token has a number as its lifetime", .in_body = "\",\"expires_in\":7200}}"},
    {"a wrong app", .body = "app_id=x&" SECRET APP_GRANT, .in_body = "{\"code\":40001,"},
    {"a wrong secret", .body = APP "&secret=x" APP_GRANT, .in_body = "{\"code\":40001,"},
    {"a wrong grant", .body = APP "&" SECRET "&grant_type=client_credentials", .in_body = WRONG},
    {"a parameter twice", .body = APP "&" SECRET "&" SECRET APP_GRANT, .in_body = WRONG},
    {"an unknown parameter", .body = APP "&" SECRET APP_GRANT "&scope=x", .in_body = WRONG},
    {"a missing parameter", .body = APP APP_GRANT, .in_body = WRONG},
    {"JSON", .type = JSON_TYPE, .body = "{}", .in_body = WRONG},
    {"Content-Type twice", .header = FORM_TYPE, .in_body = WRONG},
    {"another method", .method = "GET", .status = 405, .in_head = "Allow: POST\r\n"},
    {"another path", .path = "/oauth/token", .status = 404},
    {"an unknown code", .path = "/oauth/access_token", .body = APP "&" SECRET "&grant_type=authorization_code&code=x",
     .in_body = "{\"code\":40029,"},
    {"a code with a wrong secret", .path = "/oauth/access_token",
     .body = APP "&secret=x&grant_type=authorization_code&code=x", .in_body = "{\"code\":40001,"},
    {"an unknown refresh token", .path = "/oauth/refresh_token", .body = APP "&grant_type=refresh_code&refresh_token=x",
     .in_body = "{\"code\":40030,"},
    {"a refresh with the secret", .path = "/oauth/refresh_token",
     .body = APP "&" SECRET "&grant_type=refresh_code&refresh_token=x", .in_body = WRONG},
    {"a refresh with RFC 6749's grant", .path = "/oauth/refresh_token",
     .body = APP "&grant_type=refresh_token&refresh_token=x", .in_body = WRONG},
    {"a refresh of an unknown app", .path = "/oauth/refresh_token",
     .body = "app_id=x&grant_type=refresh_code&refresh_token=x", .in_body = "{\"code\":40001,"},
};

static void nexusguard_answers_each_request_as_documented(void **state)
{
    static const struct good good = {
        emulator.nexusguard_https,
        {.method = "POST", .path = TOKENS, .type = FORM_TYPE, .body = APP "&" SECRET APP_GRANT, .status = 200}};

    (void)state;
    CHECK_ALL(&good, nexusguard_rows);
}

static const struct row connect_rows[] = {
    {"a redirect with code and state", .status = 302, .path = CONNECT CUSTOMER STATE "&" REDIRECT,
     .in_head = "Location: https://app.example.com/back?code=code-"},
    {"the state comes back encoded", .status = 302, .path = CONNECT CUSTOMER STATE "&" REDIRECT,
     .in_head = "&state=a%20b\r\n"},
    {"a redirect_uri with a query", .status = 302, .path = CONNECT CUSTOMER STATE "&" REDIRECT "%3Fx%3Dy",
     .in_head = "Location: https://app.example.com/back?x=y&code=code-"},
    {"the host in other letters", .status = 302,
     .path = CONNECT CUSTOMER STATE "&redirect_uri=https://APP.example.com:8443/x",
     .in_head = "Location: https://APP.example.com:8443/x?code="},
    {"another host", .path = CONNECT CUSTOMER STATE "&redirect_uri=https://evil.example/x",
     .in_body = "{\"code\":40035,"},
    {"a host that begins alike", .path = CONNECT CUSTOMER STATE "&redirect_uri=https://app.example.com.evil/x",
     .in_body = "{\"code\":40035,"},
    {"a user before the host", .path = CONNECT CUSTOMER STATE "&redirect_uri=https://app.example.com:x@evil/",
     .in_body = "{\"code\":40035,"},
    {"another scheme", .path = CONNECT CUSTOMER STATE "&redirect_uri=http://app.example.com/x",
     .in_body = "{\"code\":40035,"},
    {"a fragment", .path = CONNECT CUSTOMER STATE "&" REDIRECT "%23x", .in_body = "{\"code\":40035,"},
    {"a line break in redirect_uri", .path = CONNECT CUSTOMER STATE "&" REDIRECT "%0d%0aX:%20y",
     .in_body = "{\"code\":40035,"},
    {"an unknown customer", .path = CONNECT "&xspe=spe-portal&customer_id=C-9" STATE "&" REDIRECT,
     .in_body = "{\"code\":40035,"},
    {"another xspe", .path = CONNECT "&xspe=x&customer_id=C-1001" STATE "&" REDIRECT, .in_body = "{\"code\":40035,"},
    {"no state", .path = CONNECT CUSTOMER "&" REDIRECT, .in_body = WRONG},
    {"an empty state", .path = CONNECT CUSTOMER "&state=&" REDIRECT, .in_body = WRONG},
    {"a parameter twice", .path = CONNECT CUSTOMER STATE STATE "&" REDIRECT, .in_body = WRONG},
    {"an unknown parameter", .path = CONNECT CUSTOMER STATE "&" REDIRECT "&x=y", .in_body = WRONG},
    {"no query", .path = "/oauth/connect", .in_body = WRONG},
    {"a body", .path = CONNECT CUSTOMER STATE "&" REDIRECT, .body = "x", .in_body = WRONG},
    {"an unknown app",
     .path = "/oauth/connect?app_id=x&response_type=code&scope=install_login" CUSTOMER STATE "&" REDIRECT,
     .in_body = "{\"code\":40001,"},
    {"another response_type",
     .path = "/oauth/connect?" APP "&response_type=token&scope=install_login" CUSTOMER STATE "&" REDIRECT,
     .in_body = WRONG},
    {"another method", .method = "POST", .body = "", .path = CONNECT CUSTOMER STATE "&" REDIRECT, .status = 405,
     .in_head = "Allow: GET\r\n"},
};

static void nexusguard_connects_only_as_documented(void **state)
{
    static const struct good good = {emulator.nexusguard_https, {.method = "GET", .type = "X-Nothing:", .status = 200}};

    (void)state;
    CHECK_ALL(&good, connect_rows);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nex_answers_each_request_as_documented),
        cmocka_unit_test(quantoz_answers_each_request_as_documented),
        cmocka_unit_test(quantoz_production_has_its_own_clients),
        cmocka_unit_test(nexusguard_answers_each_request_as_documented),
        cmocka_unit_test(nexusguard_connects_only_as_documented),
    };

    curl_global_init(CURL_GLOBAL_DEFAULT);
    int failed = cmocka_run_group_tests(tests, start, stop);
    curl_global_cleanup();
    return failed;
}
