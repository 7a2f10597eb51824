/*
 * Nexusguard: app tokens and user tokens (its page "Authorize Your Client"), and a small API: see nexusguard_api.c.
 *
 * Answers are envelopes {"code", "msg", "result"} with status 200, refusals too; code 0 is success. No list of the
 * other codes is public: those here are the emulator's own, in the manner of the services that this API resembles. On a
 * refusal `result` is [], which is how PHP writes an empty object.
 *
 * A code serves one app, once, for five minutes. A refresh token serves one app, once: its answer holds the next one.
 */
#include "nexusguard.h"
#include "emulator.h"
#include "form.h"
#include "json.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define USER_SCOPE   "install_login"

enum { LIFETIME_S = 7200, CODE_LIFETIME_S = 300 };

static const char *message_of(int code)
{
    switch (code) {
    case EMU_SUCCESS:
        return "success";
    case EMU_WRONG_APP:
        return "invalid app_id or secret";
    case EMU_WRONG_CODE:
        return "code is invalid or was used";
    case EMU_WRONG_REFRESH_TOKEN:
        return "refresh_token is invalid or was used";
    case EMU_WRONG_ACCESS_TOKEN:
        return "access_token is invalid or has expired";
    case EMU_NOT_ACCEPTED:
        return "redirect_uri, customer_id or xspe is not accepted";
    default:
        return "invalid parameter";
    }
}

void emu_nexusguard_answer(int code, cJSON *result, struct emu_answer *answer)
{
    cJSON *envelope = cJSON_CreateObject();

    cJSON_AddNumberToObject(envelope, "code", code);
    cJSON_AddStringToObject(envelope, "msg", message_of(code));
    cJSON_AddItemToObject(envelope, "result", result);
    emu_answer_set(answer, 200, "application/json", emu_json_print(envelope));
}

void emu_nexusguard_refuse(int code, struct emu_answer *answer)
{
    emu_nexusguard_answer(code, cJSON_CreateArray(), answer);
}

/* refresh_token: NULL for an app token. */
static void answer_token(struct emu *emu, const struct emu_request *request, const struct emu_owner *owner,
                         const char *refresh_token, struct emu_answer *answer)
{
    cJSON *result = cJSON_CreateObject();

    emu_tokens_grant(&emu->tokens, owner, request->shape, LIFETIME_S, emu_now_us(emu), answer);
    cJSON_AddStringToObject(result, "access_token", emu_answer_granted(answer, "token"));
    cJSON_AddRawToObject(result, "expires_in", emu_answer_granted(answer, "expires_in"));
    if (refresh_token) {
        emu_answer_grant(answer, "refresh_token", refresh_token);
        cJSON_AddStringToObject(result, "refresh_token", refresh_token);
        cJSON_AddStringToObject(result, "scope", owner->scope);
    }
    emu_nexusguard_answer(EMU_SUCCESS, result, answer);
}

static const cJSON *find_app(const struct emu *emu, const struct emu_form *form)
{
    const cJSON *apps = cJSON_GetObjectItemCaseSensitive(emu->accounts, emu_nexusguard.name);

    return emu_json_find(apps, "app_id", emu_form_value(form, "app_id"));
}

static const cJSON *find_app_with_secret(const struct emu *emu, const struct emu_form *form)
{
    const cJSON *app = find_app(emu, form);

    return emu_json_equals(app, "secret", emu_form_value(form, "secret")) ? app : NULL;
}

/* The form of a POST, when it has exactly these names and this grant_type. */
static bool read_post(const struct emu_request *request, const char *const names[], size_t count, const char *grant,
                      struct emu_form *form)
{
    return !request->query && emu_media_type_is(request->content_type, "application/x-www-form-urlencoded") &&
           emu_form_parse(request->body, request->length, form) && emu_form_exactly(form, names, count) &&
           emu_form_equals(form, "grant_type", grant);
}

static void app_token(struct emu *emu, const struct emu_request *request, struct emu_answer *answer)
{
    static const char *const names[] = {"app_id", "secret", "grant_type"};
    struct emu_form form = {0};
    bool readable = read_post(request, names, COUNT(names), "client_credential", &form);
    const struct emu_owner owner = {request->service, readable ? find_app_with_secret(emu, &form) : NULL, ""};

    if (!readable)
        emu_nexusguard_refuse(EMU_WRONG_PARAMETER, answer);
    else if (!owner.account)
        emu_nexusguard_refuse(EMU_WRONG_APP, answer);
    else
        answer_token(emu, request, &owner, NULL, answer);
    emu_form_release(&form);
}

/* refresh_token: the one that goes on serving; NULL: a new one. */
static void user_token(struct emu *emu, const struct emu_request *request, const struct emu_whose *whose,
                       const char *refresh_token, struct emu_answer *answer)
{
    const struct emu_owner owner = {request->service, whose->user, USER_SCOPE};

    if (!refresh_token)
        refresh_token = emu_issued_add(&emu->issued, EMU_REFRESH_TOKEN, *whose, INT64_MAX);
    answer_token(emu, request, &owner, refresh_token, answer);
}

static void access_token(struct emu *emu, const struct emu_request *request, struct emu_answer *answer)
{
    static const char *const names[] = {"app_id", "secret", "code", "grant_type"};
    struct emu_form form = {0};
    bool readable = read_post(request, names, COUNT(names), "authorization_code", &form);
    struct emu_whose whose = {.app = readable ? find_app_with_secret(emu, &form) : NULL};

    if (whose.app)
        whose.user = emu_issued_use(&emu->issued, EMU_CODE, whose.app, emu_form_value(&form, "code"), emu_now_us(emu),
                                    false);
    if (!readable)
        emu_nexusguard_refuse(EMU_WRONG_PARAMETER, answer);
    else if (!whose.user)
        emu_nexusguard_refuse(whose.app ? EMU_WRONG_CODE : EMU_WRONG_APP, answer);
    else
        user_token(emu, request, &whose, NULL, answer);
    emu_form_release(&form);
}

static void refresh_token(struct emu *emu, const struct emu_request *request, struct emu_answer *answer)
{
    static const char *const names[] = {"app_id", "refresh_token", "grant_type"};
    bool rotation = emu->tokens.of[request->service->id].rotation;
    struct emu_form form = {0};
    bool readable = read_post(request, names, COUNT(names), "refresh_code", &form);
    const char *presented = readable ? emu_form_value(&form, "refresh_token") : NULL;
    struct emu_whose whose = {.app = readable ? find_app(emu, &form) : NULL};

    if (whose.app)
        whose.user = emu_issued_use(&emu->issued, EMU_REFRESH_TOKEN, whose.app, presented, emu_now_us(emu), !rotation);
    if (!readable)
        emu_nexusguard_refuse(EMU_WRONG_PARAMETER, answer);
    else if (!whose.user)
        emu_nexusguard_refuse(whose.app ? EMU_WRONG_REFRESH_TOKEN : EMU_WRONG_APP, answer);
    else
        user_token(emu, request, &whose, rotation ? NULL : presented, answer);
    emu_form_release(&form);
}

/* The length of scheme and host, without user and port; 0 when it is not such a URL. *host_at: where the host begins.
 */
static size_t scheme_and_host(const char *url, size_t *host_at)
{
    const char *mark = strstr(url, "://");
    const char *host = mark ? mark + 3 : NULL;

    if (!host || (strncasecmp(url, "https://", 8) != 0 && strncasecmp(url, "http://", 7) != 0))
        return 0;
    size_t authority = strcspn(host, "/?#");
    size_t length = *host == '[' ? strcspn(host, "]/?#") + 1 : strcspn(host, ":/?#");
    if (length == 0 || length > authority || memchr(host, '@', authority))
        return 0;
    *host_at = (size_t)(host - url);
    return *host_at + length;
}

/* "Must share the same domain with host_url": the same scheme and host as what the app registered. */
static bool is_redirect_of(const cJSON *app, const char *redirect)
{
    const char *registered = emu_json_string(app, "redirect_uri");
    size_t own_host = 0;
    size_t host = 0;
    size_t own = scheme_and_host(registered, &own_host);
    size_t length = scheme_and_host(redirect, &host);

    for (const char *byte = redirect; *byte; byte++) {
        if (*byte <= 0x20 || *byte >= 0x7f || *byte == '#')
            return false;
    }
    return length > 0 && length == own && host == own_host && strncasecmp(registered, redirect, length) == 0;
}

static const cJSON *find_customer(const cJSON *app, const struct emu_form *form)
{
    const cJSON *customers = cJSON_GetObjectItemCaseSensitive(app, "customers");
    const cJSON *customer = emu_json_find(customers, "customer_id", emu_form_value(form, "customer_id"));

    return emu_json_equals(customer, "xspe", emu_form_value(form, "xspe")) ? customer : NULL;
}

static const char *issue_code(struct emu *emu, struct emu_whose whose)
{
    const cJSON *lifetime = cJSON_GetObjectItemCaseSensitive(whose.app, "code_lifetime");
    int64_t lifetime_s = lifetime ? (int64_t)lifetime->valuedouble : CODE_LIFETIME_S;

    return emu_issued_add(&emu->issued, EMU_CODE, whose, emu_now_us(emu) + lifetime_s * 1000000);
}

static void grant_encoded(struct emu_answer *answer, const char *name, const char *text)
{
    char *encoded = emu_form_encode(text);

    emu_answer_grant(answer, name, encoded);
    free(encoded);
}

/* {redirect_uri}?code=...&state=..., as a fault wants it when there is one. */
static void answer_redirect(struct emu *emu, const cJSON *fault, const struct emu_form *form, struct emu_whose whose,
                            struct emu_answer *answer)
{
    const char *redirect = emu_json_string(fault, "redirect");
    const char *state = emu_json_string(fault, "state");
    const char *error = emu_json_string(fault, "error");

    if (!redirect)
        redirect = emu_form_value(form, "redirect_uri");
    emu_answer_grant(answer, "redirect_uri", redirect);
    grant_encoded(answer, "state", state ? state : emu_form_value(form, "state"));
    grant_encoded(answer, "code", error ? error : issue_code(emu, whose));
    char *location = emu_format("%s%c%s=%s&state=%s", redirect, strchr(redirect, '?') ? '&' : '?',
                                error ? "error" : "code", emu_answer_granted(answer, "code"),
                                emu_answer_granted(answer, "state"));

    emu_answer_set(answer, 302, NULL, NULL);
    emu_answer_header(answer, "Location", location);
    free(location);
}

static void connect_app(struct emu *emu, const cJSON *fault, const struct emu_form *form, struct emu_answer *answer)
{
    const cJSON *app = find_app(emu, form);
    const struct emu_whose whose = {app, find_customer(app, form)};

    if (!app)
        emu_nexusguard_refuse(EMU_WRONG_APP, answer);
    else if (!is_redirect_of(app, emu_form_value(form, "redirect_uri")) || !whose.user)
        emu_nexusguard_refuse(EMU_NOT_ACCEPTED, answer);
    else
        answer_redirect(emu, fault, form, whose, answer);
}

static void connect_user(struct emu *emu, const struct emu_request *request, struct emu_answer *answer)
{
    static const char *const names[] = {"app_id", "redirect_uri", "response_type", "scope",
                                        "xspe",   "state",        "customer_id"};
    const char *query = request->query ? request->query : "";
    struct emu_form form = {0};

    if (request->length > 0 || !emu_form_parse(query, strlen(query), &form) ||
        !emu_form_exactly(&form, names, COUNT(names)) || !emu_form_equals(&form, "response_type", "code") ||
        !emu_form_equals(&form, "scope", USER_SCOPE) || emu_form_equals(&form, "state", ""))
        emu_nexusguard_refuse(EMU_WRONG_PARAMETER, answer);
    else
        connect_app(emu, request->connect, &form, answer);
    emu_form_release(&form);
}

static void refuse(const struct emu_request *request, unsigned int status, struct emu_answer *answer)
{
    (void)request;
    if (status == 400)
        emu_nexusguard_refuse(EMU_WRONG_PARAMETER, answer);
    else
        emu_answer_set(answer, status, NULL, NULL);
}

static const struct emu_route routes[] = {
    {.path = "/oauth/credit/token", .method = "POST", .handler = app_token},
    {.path = "/oauth/connect", .method = "GET", .handler = connect_user},
    {.path = "/oauth/access_token", .method = "POST", .handler = access_token},
    {.path = "/oauth/refresh_token", .method = "POST", .handler = refresh_token},
    {.path = "/api/spe/customers", .method = "GET", .handler = emu_nexusguard_customers, .unlimited = true},
};

const struct emu_service emu_nexusguard = {
    .name = "nexusguard",
    .id = EMU_NEXUSGUARD,
    .routes = routes,
    .route_count = COUNT(routes),
    .refuse = refuse,
};
