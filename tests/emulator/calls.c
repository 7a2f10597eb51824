#include "support/test.h"

#include "calls.h"

#include <stdio.h>
#include <string.h>

const struct issuer issuer_nex_user = {emulator.nex_https, "/v1.0/Token", JSON_TYPE, NEX_USER};
const struct issuer issuer_nex_controller = {
    emulator.nex_https, "/v1.0/Token", JSON_TYPE,
    "{\"grant_type\":\"client_credentials\",\"client_id\":\"5a5b\",\"client_secret\":\"abc123\",\"controller_id\":"
    "\"111aa\",\"controller_secret\":\"456\",\"scope\":\"controller\"}"};
const struct issuer issuer_quantoz_test = {
    emulator.quantoz_test_https, "/connect/token", FORM_TYPE,
    "grant_type=client_credentials&scope=api1&client_id=nexus-test-client&client_secret=p%26ss+w%2Brd%25%3D1"};

const struct issuer issuer_quantoz_production = {
    emulator.quantoz_production_https, "/connect/token", FORM_TYPE,
    "grant_type=client_credentials&scope=api1&client_id=nexus-production-client&client_secret=Pr0duct%21on+s3cret"};

const struct issuer issuer_nexusguard = {emulator.nexusguard_https, "/oauth/credit/token", FORM_TYPE,
                                         APP "&" SECRET "&grant_type=client_credential"};

void token_find(const struct response *response, char *token, size_t size)
{
    static const char before[] = "\"access_token\":\"";
    const char *found = strstr(response->body, before);

    assert_non_null(found);
    found += strlen(before);
    snprintf(token, size, "%.*s", (int)strcspn(found, "\""), found);
}

void token_take(const struct issuer *issuer, char *token, size_t size)
{
    const char *const headers[] = {issuer->type, NULL};
    struct response response;

    assert_int_equal(exchange(issuer->origin, "POST", issuer->path, headers, issuer->body, &response), CURLE_OK);
    token_find(&response, token, size);
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

void call_make(const char *origin, const struct call *call, const char *token, struct response *response)
{
    char path[8192];
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

    call_make(origin, call, token, &response);
    if (response.status == call->status && strstr(response.head, call->in_head ? call->in_head : "Date: ") &&
        strstr(response.body, call->in_body ? call->in_body : ""))
        return 0;
    print_error("%s:\n%s%s\n", call->name, response.head, response.body);
    return 1;
}

void calls_check(const char *origin, const struct issuer *issuer, const struct call *calls, size_t count)
{
    char token[256];
    int wrong = 0;

    token_take(issuer, token, sizeof(token));
    for (size_t i = 0; i < count; i++)
        wrong += check(origin, &calls[i], token);
    assert_int_equal(wrong, 0);
}
