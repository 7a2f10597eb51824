/*
 * NEX's API, as far as it shows what a token is good for: GET /v1.0/Controller (its page "Data Retrieval Flow") and
 * POST /v1.0/Stream (its page "Sending Data", which takes JSON alone).
 *
 * The members are those of the page "Example Messages", but for the ControllerID, which is the account's: text, not a
 * number. That the list holds what belongs to the token's client is inferred from "what Controllers are available on
 * your Account". So is how a token is refused: as ASP.NET Web API's [Authorize] does it, before it looks at anything
 * else. What Stream answers is not documented: the number of bytes is the emulator's own.
 *
 * The token is taken from `Authorization: Bearer` or, without that header, from the query. NEX's pages speak of a
 * token_type Bearer and of a key that is attached to each request; the examples of "Controller Flow" and "Retrieving
 * Data" have it in the query, as access_token.
 */
#include "emulator.h"
#include "form.h"
#include "json.h"
#include "nex.h"
#include "text.h"

#include <stdlib.h>

#define ACTIVATED "2017-04-26T23:28:15+00:00"

/* The account of whoever asks; NULL after a refusal. */
static const cJSON *authorize(struct emu *emu, const struct emu_request *request, struct emu_answer *answer)
{
    struct emu_form query = {0};
    const char *token = request->authorization ? emu_bearer_token(request->authorization)
                                               : emu_query_token(request->query, &query);
    const cJSON *account = emu_tokens_account(&emu->tokens, request->service, token, emu_now_us(emu));

    emu_form_release(&query);
    if (account)
        return account;
    emu_nex_message(request, 401, "Authorization has been denied for this request.", answer);
    emu_answer_header(answer, "WWW-Authenticate", "Bearer");
    return NULL;
}

static bool is_in(const cJSON *list, const cJSON *account)
{
    const cJSON *member = NULL;

    cJSON_ArrayForEach(member, list)
    {
        if (member == account)
            return true;
    }
    return false;
}

/* The client that a user or controller belongs to. */
static const cJSON *find_client(const struct emu *emu, const cJSON *account)
{
    const cJSON *client = NULL;

    cJSON_ArrayForEach(client, cJSON_GetObjectItemCaseSensitive(emu->accounts, emu_nex.name))
    {
        if (is_in(cJSON_GetObjectItemCaseSensitive(client, "users"), account) ||
            is_in(cJSON_GetObjectItemCaseSensitive(client, "controllers"), account))
            return client;
    }
    return NULL;
}

static cJSON *describe(const char *id)
{
    cJSON *controller = cJSON_CreateObject();
    char *name = emu_format("Controller %s", id);

    cJSON_AddStringToObject(controller, "ControllerID", id);
    cJSON_AddStringToObject(controller, "Name", name);
    cJSON_AddStringToObject(controller, "Brand", "NEX");
    cJSON_AddStringToObject(controller, "Model", "DMS4080");
    cJSON_AddStringToObject(controller, "ActivationDate", ACTIVATED);
    free(name);
    return controller;
}

/* The list, longer by one, of which the shorter one is released. Members are in alphabetical order. */
static char *extend_xml(char *list, const char *id)
{
    char *escaped = emu_xml_escape(id);
    char *longer = emu_format("%s<Controller><ActivationDate>" ACTIVATED "</ActivationDate><Brand>NEX</Brand>"
                              "<ControllerID>%s</ControllerID><Model>DMS4080</Model><Name>Controller %s</Name>"
                              "</Controller>",
                              list, escaped, escaped);

    free(escaped);
    free(list);
    return longer;
}

void emu_nex_controllers(struct emu *emu, const struct emu_request *request, struct emu_answer *answer)
{
    const cJSON *account = authorize(emu, request, answer);
    const cJSON *controller = NULL;

    if (!account)
        return;
    cJSON *json = cJSON_CreateArray();
    char *members = emu_copy("", 0);
    cJSON_ArrayForEach(controller, cJSON_GetObjectItemCaseSensitive(find_client(emu, account), "controllers"))
    {
        const char *id = emu_json_string(controller, "controller_id");
        cJSON_AddItemToArray(json, describe(id));
        members = extend_xml(members, id);
    }
    char *xml = emu_format("<ArrayOfController " EMU_NEX_INSTANCE " " EMU_NEX_MODELS ">%s</ArrayOfController>",
                           members);
    emu_nex_either(request, 200, json, xml, answer);
    free(members);
}

void emu_nex_stream(struct emu *emu, const struct emu_request *request, struct emu_answer *answer)
{
    if (!authorize(emu, request, answer))
        return;
    if (!emu_media_type_is(request->content_type, "application/json")) {
        emu_nex_refuse_media_type(request, answer);
        return;
    }
    cJSON *body = emu_json_parse(request->body, request->length);
    if (cJSON_IsObject(body))
        emu_answer_set(answer, 200, "application/json; charset=utf-8", emu_format("{\"Bytes\":%zu}", request->length));
    else
        emu_nex_message(request, 400, "The request is invalid.", answer);
    cJSON_Delete(body);
}
