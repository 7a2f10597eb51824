/*
 * What each service answers to a single request, over https. A row is a request and what its answer has to have; what a
 * row does not say is as in a good request to that service.
 */
#include "support/test.h"

#include "exchange.h"

#include <stdio.h>
#include <string.h>

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

/* NULL and 0: as in the good request of the service. */
struct row {
    const char *name;
    const char *method;
    const char *path;
    const char *type;
    const char *header;
    const char *body;
    long status;
    const char *in_head;
    const char *in_body;
};

struct good {
    const char *origin;
    struct row row;
};

static const char *or_else(const char *text, const char *otherwise)
{
    return text ? text : otherwise;
}

static int check(const struct good *good, const struct row *row)
{
    const char *method = or_else(row->method, good->row.method);
    const char *headers[] = {or_else(row->type, good->row.type), row->header, NULL};
    const char *body = strcmp(method, "GET") == 0 ? row->body : or_else(row->body, good->row.body);
    struct response response;
    CURLcode code = exchange(good->origin, method, or_else(row->path, good->row.path), headers, body, &response);

    if (code == CURLE_OK && response.status == (row->status ? row->status : good->row.status) &&
        strstr(response.head, or_else(row->in_head, "Date: ")) && strstr(response.body, or_else(row->in_body, "")))
        return 0;
    print_error("%s: %s\n%s%s\n", row->name, curl_easy_strerror(code), response.head, response.body);
    return 1;
}

static void check_all(const struct good *good, const struct row *rows, size_t count)
{
    int wrong = 0;

    for (size_t i = 0; i < count; i++)
        wrong += check(good, &rows[i]);
    assert_int_equal(wrong, 0);
}

#define CHECK_ALL(good, rows) check_all(good, rows, sizeof(rows) / sizeof((rows)[0]))

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

#define NEX_FAULT "{\"service\":\"nex\",\"path\":\"/v1.0/Token\","

static const struct row control_rows[] = {
    {"no service", .in_body = "service is not one of nex, quantoz_test, quantoz_production and nexusguard."},
    {"no JSON", .body = "x", .in_body = "not a JSON object"},
    {"an unknown path", .body = "{\"service\":\"nex\",\"path\":\"/x\"}", .in_body = "path is not one of"},
    {"an unknown member", .body = NEX_FAULT "\"x\":1}", .in_body = "not known"},
    {"a negative number of times", .body = NEX_FAULT "\"times\":-1}", .in_body = "times is not"},
    {"half a time", .body = NEX_FAULT "\"times\":1.5}", .in_body = "times is not"},
    {"a negative delay", .body = NEX_FAULT "\"delay_ms\":-1}", .in_body = "delay_ms is not"},
    {"drop that is no moment", .body = NEX_FAULT "\"drop\":1}", .in_body = "drop is neither"},
    {"a drop at no moment", .body = NEX_FAULT "\"drop\":\"later\"}", .in_body = "drop is neither"},
    {"process that is no flag", .body = NEX_FAULT "\"process\":1}", .in_body = "process is neither"},
    {"status 100", .body = NEX_FAULT "\"answer\":{\"status\":100}}", .in_body = "answer.status is not"},
    {"an answer that is no object", .body = NEX_FAULT "\"answer\":200}", .in_body = "answer is not"},
    {"a body that is no string", .body = NEX_FAULT "\"answer\":{\"body\":{}}}", .in_body = "answer.body is not"},
    {"headers that are no object", .body = NEX_FAULT "\"answer\":{\"headers\":[]}}",
     .in_body = "answer.headers is not"},
    {"a header that cannot be sent", .body = NEX_FAULT "\"answer\":{\"headers\":{\"A\":\"b\\r\\nC: d\"}}}",
     .in_body = "answer.headers has a member"},
    {"a length of one's own", .body = NEX_FAULT "\"answer\":{\"headers\":{\"content-length\":\"1\"}}}",
     .in_body = "answer.headers has a member"},
    {"a redirect that cannot be sent", .body = NEX_FAULT "\"connect\":{\"redirect\":\"a\\nb\"}}",
     .in_body = "connect has a member"},
    {"a drip that is no time", .body = NEX_FAULT "\"drip_ms\":\"1\"}", .in_body = "drip_ms is neither"},
    {"a negative delay of reading", .body = NEX_FAULT "\"read_delay_ms\":-1}", .in_body = "read_delay_ms is not"},
    {"a time of nothing", .body = NEX_FAULT "\"for_ms\":0}", .in_body = "for_ms is not"},
    {"a path that is no string", .body = "{\"service\":\"nex\",\"path\":1}", .in_body = "path is not one of"},
    {"an answer that nobody gives", .body = NEX_FAULT "\"answer\":\"x\"}", .in_body = "GET /answers lists them"},
    {"another vendor's answer", .body = NEX_FAULT "\"answer\":\"app-token\"}", .in_body = "GET /answers lists them"},
    {"a named answer with a body", .body = NEX_FAULT "\"answer\":{\"name\":\"html-200\",\"body\":\"\"}}",
     .in_body = "answer is not a name"},
    {"headers for a token", .body = NEX_FAULT "\"answer\":{\"name\":\"json\",\"headers\":{}}}",
     .in_body = "answer.headers cannot be given"},
    {"a file that is not there", .body = NEX_FAULT "\"answer\":{\"file\":\"/nonexistent\"}}",
     .in_body = "cannot be read"},
    {"a file that is a device", .body = NEX_FAULT "\"answer\":{\"file\":\"/dev/null\"}}",
     .in_body = "is no ordinary file"},
    {"an unknown ban", .body = "{\"service\":\"nex\",\"ban\":\"x\"}", .in_body = "ban is not one of"},
    {"a ban of a path", .body = NEX_FAULT "\"ban\":\"close\"}", .in_body = "ban goes with"},
    {"a ban with an answer", .body = "{\"service\":\"nex\",\"ban\":\"close\",\"answer\":\"json\"}",
     .in_body = "ban goes with"},
    {"no manner", .path = "/tokens", .body = "[]", .in_body = "not a JSON object"},
    {"a manner that is not known", .path = "/tokens", .body = "{\"x\":1}", .in_body = "not known"},
    {"a manner of nobody", .path = "/tokens", .body = "{\"service\":\"x\"}", .in_body = "service is not one of"},
    {"rotation that is no flag", .path = "/tokens", .body = "{\"rotation\":1}", .in_body = "neither true nor false"},
    {"a lifetime that is no number", .path = "/tokens", .body = "{\"lifetime_s\":\"1\"}", .in_body = "lifetime_s, "},
    {"no token", .path = "/introspect", .in_body = "token, a string"},
    {"time that goes back", .path = "/clock", .body = "{\"advance_ms\":-1}", .in_body = "advance_ms"},
    {"no time", .path = "/clock", .in_body = "advance_ms"},
    {"a window of nothing", .method = "GET", .path = "/counts?window_ms=0", .in_body = "window_ms"},
    {"a window without a number", .method = "GET", .path = "/counts?window_ms=1s", .in_body = "window_ms"},
    {"an unknown query", .method = "GET", .path = "/counts?x=1", .in_body = "window_ms"},
    {"connect that is no object", .body = NEX_FAULT "\"connect\":1}", .in_body = "connect is not"},
    {"to revoke nothing", .path = "/revoke", .in_body = "either refresh_token"},
    {"to revoke one and all", .path = "/revoke", .body = "{\"refresh_token\":\"x\",\"all_refresh_tokens\":true}",
     .in_body = "either refresh_token"},
    {"to revoke what was not issued", .path = "/revoke", .body = "{\"refresh_token\":\"x\"}", .in_body = "not issued"},
    {"another method", .path = "/faults", .method = "PUT", .status = 405, .in_head = "Allow: GET, POST, DELETE\r\n"},
    {"another path", .path = "/fault", .status = 404, .in_body = "There is GET /counts"},
};

static const struct row shown_rows[] = {
    {"nothing goes wrong", .path = "/faults", .in_body = "[]"},
    {"answers by their groups", .path = "/answers", .in_body = "{\"any\":{\"html-200\":\"a page"},
    {"counts by their paths", .path = "/counts",
     .in_body = "{\"nex /v1.0/Token\":{\"requests\":0,\"in_flight\":0,\"unread\":0,\"connections\":0,"
                "\"largest_in_window\":0}"},
    {"a fault is queued", .method = "POST", .path = "/faults", .body = NEX_FAULT "\"delay_ms\":1,\"times\":2}",
     .status = 204},
    {"it is shown", .path = "/faults",
     .in_body = "[{\"service\":\"nex\",\"path\":\"/v1.0/Token\",\"delay_ms\":1,\"times\":2}]"},
    {"all is forgotten", .method = "POST", .path = "/reset", .body = "", .status = 204},
    {"nothing goes wrong any more", .path = "/faults", .in_body = "[]"},
};

static void the_control_endpoint_shows_what_it_knows(void **state)
{
    static const struct good good = {emulator.control, {.method = "GET", .type = JSON_TYPE, .status = 200}};

    (void)state;
    assert_int_equal(emulator_reset(&emulator), 0);
    CHECK_ALL(&good, shown_rows);
}

static void the_control_endpoint_refuses_what_it_does_not_understand(void **state)
{
    static const struct good good = {
        emulator.control, {.method = "POST", .path = "/faults", .type = JSON_TYPE, .body = "{}", .status = 400}};

    (void)state;
    CHECK_ALL(&good, control_rows);
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
        cmocka_unit_test(the_control_endpoint_shows_what_it_knows),
        cmocka_unit_test(the_control_endpoint_refuses_what_it_does_not_understand),
    };

    curl_global_init(CURL_GLOBAL_DEFAULT);
    int failed = cmocka_run_group_tests(tests, start, stop);
    curl_global_cleanup();
    return failed;
}
