/*
 * Nexusguard: app tokens and user tokens (its page "Authorize Your Client").
 *
 * Answers are envelopes {"code", "msg", "result"} with status 200, refusals too; code 0 is success. No list of the
 * other codes is public: those here are the emulator's own, in the manner of the services that this API resembles. On a
 * refusal `result` is [], which is how PHP writes an empty object.
 *
 * A code serves one app, once, for five minutes. A refresh token serves one app, once: its answer holds the next one.
 */
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

enum {
    SUCCESS = 0,
    WRONG_APP = 40001,
    WRONG_PARAMETER = 40013,
    WRONG_CODE = 40029,
    WRONG_REFRESH_TOKEN = 40030,
    NOT_ACCEPTED = 40035,
};

static const char *message_of(int code)
{
    switch (code) {
    case SUCCESS:
        return "success";
    case WRONG_APP:
        return "invalid app_id or secret";
    case WRONG_CODE:
        return "code is invalid or was used";
    case WRONG_REFRESH_TOKEN:
        return "refresh_token is invalid or was used";
    case NOT_ACCEPTED:
        return "redirect_uri, customer_id or xspe is not accepted";
    default:
        return "invalid parameter";
    }
}

static void answer_envelope(int code, cJSON *result, struct emu_answer *answer)
{
    cJSON *envelope = cJSON_CreateObject();

    cJSON_AddNumberToObject(envelope, "code", code);
    cJSON_AddStringToObject(envelope, "msg", message_of(code));
    cJSON_AddItemToObject(envelope, "result", result);
    emu_answer_set(answer, 200, "application/json", emu_json_print(envelope));
}

static void answer_refusal(int code, struct emu_answer *answer)
{
    answer_envelope(code, cJSON_CreateArray(), answer);
}

/* refresh_token: NULL for an app token. */
static void answer_token(const struct emu *emu, const char *refresh_token, struct emu_answer *answer)
{
    char *token = emu_random_text("nexusguard-");
    cJSON *result = cJSON_CreateObject();

    cJSON_AddStringToObject(result, "access_token", token);
    cJSON_AddNumberToObject(result, "expires_in", (double)(emu->lifetime_s ? emu->lifetime_s : LIFETIME_S));
    if (refresh_token) {
        cJSON_AddStringToObject(result, "refresh_token", refresh_token);
        cJSON_AddStringToObject(result, "scope", USER_SCOPE);
    }
    answer_envelope(SUCCESS, result, answer);
    free(token);
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

    if (!read_post(request, names, COUNT(names), "client_credential", &form))
        answer_refusal(WRONG_PARAMETER, answer);
    else if (!find_app_with_secret(emu, &form))
        answer_refusal(WRONG_APP, answer);
    else
        answer_token(emu, NULL, answer);
    emu_form_release(&form);
}

static void user_token(struct emu *emu, const cJSON *app, struct emu_answer *answer)
{
    answer_token(emu, emu_issued_add(&emu->issued, EMU_REFRESH_TOKEN, app, -1), answer);
}

static void access_token(struct emu *emu, const struct emu_request *request, struct emu_answer *answer)
{
    static const char *const names[] = {"app_id", "secret", "code", "grant_type"};
    struct emu_form form = {0};
    bool readable = read_post(request, names, COUNT(names), "authorization_code", &form);
    const cJSON *app = readable ? find_app_with_secret(emu, &form) : NULL;

    if (!readable)
        answer_refusal(WRONG_PARAMETER, answer);
    else if (!app)
        answer_refusal(WRONG_APP, answer);
    else if (!emu_issued_spend(&emu->issued, EMU_CODE, app, emu_form_value(&form, "code")))
        answer_refusal(WRONG_CODE, answer);
    else
        user_token(emu, app, answer);
    emu_form_release(&form);
}

static void refresh_token(struct emu *emu, const struct emu_request *request, struct emu_answer *answer)
{
    static const char *const names[] = {"app_id", "refresh_token", "grant_type"};
    struct emu_form form = {0};
    bool readable = read_post(request, names, COUNT(names), "refresh_code", &form);
    const cJSON *app = readable ? find_app(emu, &form) : NULL;

    if (!readable)
        answer_refusal(WRONG_PARAMETER, answer);
    else if (!app)
        answer_refusal(WRONG_APP, answer);
    else if (!emu_issued_spend(&emu->issued, EMU_REFRESH_TOKEN, app, emu_form_value(&form, "refresh_token")))
        answer_refusal(WRONG_REFRESH_TOKEN, answer);
    else
        user_token(emu, app, answer);
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

static bool is_customer_of(const cJSON *app, const struct emu_form *form)
{
    const cJSON *customers = cJSON_GetObjectItemCaseSensitive(app, "customers");
    const cJSON *customer = emu_json_find(customers, "customer_id", emu_form_value(form, "customer_id"));

    return emu_json_equals(customer, "xspe", emu_form_value(form, "xspe"));
}

static const char *issue_code(struct emu *emu, const cJSON *app)
{
    const cJSON *lifetime = cJSON_GetObjectItemCaseSensitive(app, "code_lifetime");

    return emu_issued_add(&emu->issued, EMU_CODE, app, lifetime ? (int64_t)lifetime->valuedouble : CODE_LIFETIME_S);
}

/* {redirect_uri}?code=...&state=..., as a fault wants it when there is one. */
static void answer_redirect(struct emu *emu, const cJSON *fault, const struct emu_form *form, struct emu_answer *answer)
{
    const char *redirect = emu_json_string(fault, "redirect");
    const char *state = emu_json_string(fault, "state");
    const char *error = emu_json_string(fault, "error");

    if (!redirect)
        redirect = emu_form_value(form, "redirect_uri");
    char *encoded_state = emu_form_encode(state ? state : emu_form_value(form, "state"));
    char *encoded_value = emu_form_encode(error ? error : issue_code(emu, find_app(emu, form)));
    char *location = emu_format("%s%c%s=%s&state=%s", redirect, strchr(redirect, '?') ? '&' : '?',
                                error ? "error" : "code", encoded_value, encoded_state);

    emu_answer_set(answer, 302, NULL, NULL);
    emu_answer_header(answer, "Location", location);
    free(location);
    free(encoded_value);
    free(encoded_state);
}

static void connect_app(struct emu *emu, const cJSON *fault, const struct emu_form *form, struct emu_answer *answer)
{
    const cJSON *app = find_app(emu, form);

    if (!app)
        answer_refusal(WRONG_APP, answer);
    else if (!is_redirect_of(app, emu_form_value(form, "redirect_uri")) || !is_customer_of(app, form))
        answer_refusal(NOT_ACCEPTED, answer);
    else
        answer_redirect(emu, fault, form, answer);
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
        answer_refusal(WRONG_PARAMETER, answer);
    else
        connect_app(emu, request->connect, &form, answer);
    emu_form_release(&form);
}

static void refuse(const struct emu_request *request, unsigned int status, struct emu_answer *answer)
{
    (void)request;
    if (status == 400)
        answer_refusal(WRONG_PARAMETER, answer);
    else
        emu_answer_set(answer, status, NULL, NULL);
}

static const struct emu_route routes[] = {
    {.path = "/oauth/credit/token", .method = "POST", .handler = app_token},
    {.path = "/oauth/connect", .method = "GET", .handler = connect_user},
    {.path = "/oauth/access_token", .method = "POST", .handler = access_token},
    {.path = "/oauth/refresh_token", .method = "POST", .handler = refresh_token},
};

const struct emu_service emu_nexusguard = {
    .name = "nexusguard",
    .id = EMU_NEXUSGUARD,
    .routes = routes,
    .route_count = COUNT(routes),
    .refuse = refuse,
};
