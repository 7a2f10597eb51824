/*
 * NEX: POST /v1.0/Token with JSON, answered in JSON or XML, and a small API: see nex_api.c.
 *
 * The request and the token answer are those of NEX's pages "Authentication Request" and "Controller Authentication".
 * The pages do not show a refusal: refusals have the shapes of ASP.NET Web API, which NEX's mixed-case paths,
 * PascalCase members and JSON-or-XML answers point to. XML is what DataContractSerializer writes: members in
 * alphabetical order, a namespace made from the class's, i:nil for what is not there. Paths ignore case, as in IIS.
 *
 * The lifetime is a string, as documented, but of 1,209,600 seconds: the "2 week period" of the text. The 12,096,000 of
 * the pages' example are 140 days.
 */
#include "nex.h"
#include "emulator.h"
#include "json.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

#define MEMBERS 6

enum { LIFETIME_S = 1209600 };

/* A grant: what its request holds, and where the account of whoever asks is found. */
struct grant {
    const char *type;
    const char *members[MEMBERS];
    const char *accounts; /* the list in the client's account */
    const char *id;
    const char *secret;
    const char *refusal;
};

static const struct grant grants[] = {
    {
        .type = "password",
        .members = {"grant_type", "client_id", "client_secret", "username", "password", "scope"},
        .accounts = "users",
        .id = "username",
        .secret = "password",
        .refusal = "The user name or password is incorrect.",
    },
    {
        .type = "client_credentials",
        .members = {"grant_type", "client_id", "client_secret", "controller_id", "controller_secret", "scope"},
        .accounts = "controllers",
        .id = "controller_id",
        .secret = "controller_secret",
        .refusal = "The controller id or secret is incorrect.",
    },
};

static void answer_error(const struct emu_request *request, const char *error, const char *description,
                         struct emu_answer *answer)
{
    cJSON *json = cJSON_CreateObject();
    char *member = description ? emu_format("<error_description>%s</error_description>", description)
                               : emu_format("<error_description i:nil=\"true\" />");

    cJSON_AddStringToObject(json, "error", error);
    if (description)
        cJSON_AddStringToObject(json, "error_description", description);
    emu_nex_either(request, 400, json,
                   emu_format("<OAuthError " EMU_NEX_INSTANCE " " EMU_NEX_MODELS "><error>%s</error>%s</OAuthError>",
                              error, member),
                   answer);
    free(member);
}

static void answer_token(struct emu *emu, const struct emu_request *request, const struct emu_owner *owner,
                         struct emu_answer *answer)
{
    emu_tokens_grant(&emu->tokens, owner, request->shape, LIFETIME_S, emu_now_us(emu), answer);
    const char *token = emu_answer_granted(answer, "token");
    const char *lifetime = emu_answer_granted(answer, "expires_in");
    char *escaped = emu_xml_escape(owner->scope);
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "access_token", token);
    cJSON_AddStringToObject(json, "expires_in", lifetime);
    cJSON_AddStringToObject(json, "token_type", "Bearer");
    cJSON_AddStringToObject(json, "scope", owner->scope);
    char *xml = emu_format(
        "<TokenResponse " EMU_NEX_INSTANCE " " EMU_NEX_MODELS "><access_token>%s</access_token>"
        "<expires_in>%s</expires_in><scope>%s</scope><token_type>Bearer</token_type></TokenResponse>",
        token, lifetime, escaped);
    emu_nex_either(request, 200, json, xml, answer);
    free(escaped);
}

static const struct grant *find_grant(const char *type)
{
    for (size_t i = 0; i < sizeof(grants) / sizeof(grants[0]); i++) {
        if (strcmp(grants[i].type, type) == 0)
            return &grants[i];
    }
    return NULL;
}

/* Whether the body has exactly the members of the grant, all of them strings. */
static bool is_complete(const cJSON *body, const struct grant *grant)
{
    for (size_t i = 0; i < MEMBERS; i++) {
        if (!emu_json_string(body, grant->members[i]))
            return false;
    }
    return emu_json_only(body, grant->members, MEMBERS);
}

static void grant_token(struct emu *emu, const struct emu_request *request, const cJSON *body,
                        const struct grant *grant, struct emu_answer *answer)
{
    const cJSON *clients = cJSON_GetObjectItemCaseSensitive(emu->accounts, request->service->name);
    const cJSON *client = emu_json_find(clients, "client_id", emu_json_string(body, "client_id"));
    const cJSON *accounts = cJSON_GetObjectItemCaseSensitive(client, grant->accounts);
    const cJSON *account = emu_json_find(accounts, grant->id, emu_json_string(body, grant->id));
    const struct emu_owner owner = {request->service, account, emu_json_string(body, "scope")};

    if (!emu_json_equals(client, "client_secret", emu_json_string(body, "client_secret")))
        answer_error(request, "invalid_client", NULL, answer);
    else if (!emu_json_equals(account, grant->secret, emu_json_string(body, grant->secret)))
        answer_error(request, "invalid_grant", grant->refusal, answer);
    else if (!emu_json_equals(account, "scope", owner.scope))
        answer_error(request, "invalid_scope", NULL, answer);
    else
        answer_token(emu, request, &owner, answer);
}

static void read_body(struct emu *emu, const struct emu_request *request, const cJSON *body, struct emu_answer *answer)
{
    const char *type = emu_json_string(body, "grant_type");
    const struct grant *grant = type ? find_grant(type) : NULL;

    if (type && !grant)
        answer_error(request, "unsupported_grant_type", NULL, answer);
    else if (!grant || request->query || !is_complete(body, grant))
        emu_nex_message(request, 400, "The request is invalid.", answer);
    else
        grant_token(emu, request, body, grant, answer);
}

static void token(struct emu *emu, const struct emu_request *request, struct emu_answer *answer)
{
    if (!emu_media_type_is(request->content_type, "application/json")) {
        emu_nex_refuse_media_type(request, answer);
        return;
    }
    cJSON *body = emu_json_parse(request->body, request->length);
    read_body(emu, request, body, answer);
    cJSON_Delete(body);
}

static void refuse(const struct emu_request *request, unsigned int status, struct emu_answer *answer)
{
    char *message = NULL;

    if (status == 404)
        message = emu_format("No HTTP resource was found that matches the request URI '%s'.", request->target);
    else if (status == 405)
        message = emu_format("The requested resource does not support http method '%s'.", request->method);
    else
        message = emu_format("The request is invalid.");
    emu_nex_message(request, status, message, answer);
    free(message);
}

static const struct emu_route routes[] = {
    {.path = "/v1.0/Token", .method = "POST", .handler = token},
    {.path = "/v1.0/Controller", .method = "GET", .handler = emu_nex_controllers},
    {.path = "/v1.0/Stream", .method = "POST", .handler = emu_nex_stream},
};

const struct emu_service emu_nex = {
    .name = "nex",
    .id = EMU_NEX,
    .path_ignores_case = true,
    .routes = routes,
    .route_count = sizeof(routes) / sizeof(routes[0]),
    .refuse = refuse,
};
