/*
 * Quantoz Nexus: POST /connect/token with a form (its page "Authentication": client_id, client_secret, scope,
 * grant_type).
 *
 * The answer is RFC 6749's, section 5; refusals are what IdentityServer, whose path and scope `api1` these are, gives:
 * always status 400 with only `error`. As there, the client may name itself in the body or by HTTP Basic (RFC 6749,
 * section 2.3.1), here never by both. Test and production are two services with their own clients. What their tokens
 * are good for is in quantoz_api.c.
 */
#include "emulator.h"
#include "form.h"
#include "json.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { LIFETIME_S = 3600 };

static void answer_json(unsigned int status, cJSON *json, struct emu_answer *answer)
{
    emu_answer_set(answer, status, "application/json; charset=UTF-8", emu_json_print(json));
    emu_answer_header(answer, "Cache-Control", "no-store, no-cache, max-age=0");
    emu_answer_header(answer, "Pragma", "no-cache");
}

static void answer_error(const char *error, struct emu_answer *answer)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "error", error);
    answer_json(400, json, answer);
}

static void answer_token(struct emu *emu, const struct emu_request *request, const struct emu_owner *owner,
                         struct emu_answer *answer)
{
    cJSON *json = cJSON_CreateObject();

    emu_tokens_grant(&emu->tokens, owner, request->shape, LIFETIME_S, emu_now_us(emu), answer);
    cJSON_AddStringToObject(json, "access_token", emu_answer_granted(answer, "token"));
    cJSON_AddRawToObject(json, "expires_in", emu_answer_granted(answer, "expires_in"));
    cJSON_AddStringToObject(json, "token_type", "Bearer");
    cJSON_AddStringToObject(json, "scope", owner->scope);
    answer_json(200, json, answer);
}

static const cJSON *find_client(const struct emu *emu, const struct emu_request *request, const char *id,
                                const char *secret)
{
    const cJSON *clients = cJSON_GetObjectItemCaseSensitive(emu->accounts, request->service->name);
    const cJSON *client = id ? emu_json_find(clients, "client_id", id) : NULL;

    return emu_json_equals(client, "client_secret", secret) ? client : NULL;
}

/* Id and secret are form-encoded before base64, but many a client sends them raw: either way is taken when it matches.
 */
static const cJSON *find_basic_client(const struct emu *emu, const struct emu_request *request)
{
    struct emu_basic basic;
    const cJSON *client = NULL;

    if (!emu_basic_parse(request->authorization, &basic))
        return NULL;
    client = find_client(emu, request, basic.decoded_id, basic.decoded_secret);
    if (!client)
        client = find_client(emu, request, basic.id, basic.secret);
    emu_basic_release(&basic);
    return client;
}

static bool is_scope_of(const cJSON *client, const char *word, size_t length)
{
    const cJSON *scope = NULL;

    cJSON_ArrayForEach(scope, cJSON_GetObjectItemCaseSensitive(client, "scopes"))
    {
        if (strlen(scope->valuestring) == length && memcmp(scope->valuestring, word, length) == 0)
            return true;
    }
    return false;
}

/* RFC 6749, section 3.3: words with one space between them; each one has to be the client's. */
static bool is_granted(const cJSON *client, const char *scope)
{
    for (;;) {
        size_t length = strcspn(scope, " ");
        if (!is_scope_of(client, scope, length))
            return false;
        if (scope[length] == '\0')
            return true;
        scope += length + 1;
    }
}

static void grant_token(struct emu *emu, const struct emu_request *request, const struct emu_form *form,
                        struct emu_answer *answer)
{
    const cJSON *client = request->authorization ? find_basic_client(emu, request)
                                                 : find_client(emu, request, emu_form_value(form, "client_id"),
                                                               emu_form_value(form, "client_secret"));
    const struct emu_owner owner = {request->service, client, emu_form_value(form, "scope")};

    if (!client)
        answer_error("invalid_client", answer);
    else if (!emu_form_equals(form, "grant_type", "client_credentials"))
        answer_error("unsupported_grant_type", answer);
    else if (!owner.scope)
        answer_error("invalid_request", answer);
    else if (!is_granted(client, owner.scope))
        answer_error("invalid_scope", answer);
    else
        answer_token(emu, request, &owner, answer);
}

static void token(struct emu *emu, const struct emu_request *request, struct emu_answer *answer)
{
    static const char *const names[] = {"scope", "grant_type", "client_id", "client_secret"};
    size_t count = request->authorization ? 2 : COUNT(names); /* the client is named in one place */
    struct emu_form form = {0};

    if (request->query || !emu_media_type_is(request->content_type, "application/x-www-form-urlencoded") ||
        !emu_form_parse(request->body, request->length, &form) || !emu_form_only(&form, names, count))
        answer_error("invalid_request", answer);
    else
        grant_token(emu, request, &form, answer);
    emu_form_release(&form);
}

static void refuse(const struct emu_request *request, unsigned int status, struct emu_answer *answer)
{
    (void)request;
    if (status == 400)
        answer_error("invalid_request", answer);
    else
        emu_answer_set(answer, status, NULL, NULL);
}

static const struct emu_route routes[] = {
    {.path = "/connect/token", .method = "POST", .handler = token},
};

const struct emu_service emu_quantoz_test = {
    .name = "quantoz_test",
    .id = EMU_QUANTOZ_TEST,
    .routes = routes,
    .route_count = COUNT(routes),
    .refuse = refuse,
};

const struct emu_service emu_quantoz_production = {
    .name = "quantoz_production",
    .id = EMU_QUANTOZ_PRODUCTION,
    .routes = routes,
    .route_count = COUNT(routes),
    .refuse = refuse,
};
