#include "tokens.h"

#include "issued.h"
#include "json.h"
#include "shapes.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SECOND       ((int64_t)1000000)

enum { LONGEST_S = 1000000000, NEAR_END_S = 300 };

struct emu_token {
    struct emu_token *older;
    const struct emu_service *service;
    const cJSON *account;
    char *scope;
    char *text;
    int64_t expires_us;
    int64_t dies_us;
};

void emu_tokens_init(struct emu_tokens *tokens)
{
    *tokens = (struct emu_tokens){0};
    for (size_t i = 0; i < EMU_VENDORS; i++)
        tokens->of[i] = (struct emu_manner){.rotation = true, .near_end_s = NEAR_END_S};
}

static const char *read_manner(const cJSON *description, struct emu_manner *manner)
{
    static const char *const flags[] = {"rotation", "same_token", "kills_older"};

    for (size_t i = 0; i < COUNT(flags); i++) {
        if (!emu_json_is_flag(description, flags[i]))
            return "rotation, same_token or kills_older is neither true nor false.";
    }
    manner->rotation = emu_json_flag(description, "rotation", manner->rotation);
    manner->same_token = emu_json_flag(description, "same_token", manner->same_token);
    manner->kills_older = emu_json_flag(description, "kills_older", manner->kills_older);
    manner->lifetime_s = emu_json_whole(description, "lifetime_s", 0, LONGEST_S, manner->lifetime_s);
    manner->near_end_s = emu_json_whole(description, "near_end_s", 0, LONGEST_S, manner->near_end_s);
    manner->grace_ms = emu_json_whole(description, "grace_ms", 0, LONGEST_S, manner->grace_ms);
    if (manner->lifetime_s < 0 || manner->near_end_s < 0 || manner->grace_ms < 0)
        return "lifetime_s, near_end_s or grace_ms is not a whole number between 0 and 1000000000.";
    return NULL;
}

const char *emu_tokens_tell(struct emu_tokens *tokens, const cJSON *description)
{
    static const char *const names[] = {"service",    "lifetime_s",  "rotation", "same_token",
                                        "near_end_s", "kills_older", "grace_ms"};
    struct emu_manner manners[EMU_VENDORS];
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(description, "service");
    const struct emu_service *service = cJSON_IsString(name) ? emu_service_by_name(name->valuestring) : NULL;
    const char *problem = NULL;

    if (!emu_json_only(description, names, COUNT(names)))
        return "The manner is not a JSON object, or has a member that is not known or twice there.";
    if (name && (!service || service->issuer))
        return "service is not one of " EMU_ISSUER_NAMES ".";
    memcpy(manners, tokens->of, sizeof(manners));
    for (size_t i = 0; i < EMU_VENDORS && !problem; i++) {
        if (!service || service->id == i)
            problem = read_manner(description, &manners[i]);
    }
    if (!problem)
        memcpy(tokens->of, manners, sizeof(manners));
    return problem;
}

static bool is_alive(const struct emu_token *token, int64_t now_us)
{
    return now_us < token->expires_us && now_us < token->dies_us;
}

static bool is_owned(const struct emu_token *token, const struct emu_owner *owner)
{
    return token->service == owner->service && token->account == owner->account &&
           strcmp(token->scope, owner->scope) == 0;
}

static struct emu_token *find_newest(const struct emu_tokens *tokens, const struct emu_owner *owner)
{
    struct emu_token *token = tokens->newest;

    while (token && !is_owned(token, owner))
        token = token->older;
    return token;
}

/* The token to hand out again, or NULL. */
static struct emu_token *find_same(const struct emu_tokens *tokens, const struct emu_owner *owner, long lifetime_s,
                                   int64_t now_us)
{
    const struct emu_manner *manner = &tokens->of[owner->service->id];
    struct emu_token *token = manner->same_token ? find_newest(tokens, owner) : NULL;
    long near_s = manner->near_end_s < lifetime_s / 2 ? manner->near_end_s : lifetime_s / 2;

    return token && is_alive(token, now_us) && token->expires_us - now_us > near_s * SECOND ? token : NULL;
}

static void kill_older(struct emu_tokens *tokens, const struct emu_owner *owner, int64_t now_us)
{
    const struct emu_manner *manner = &tokens->of[owner->service->id];
    int64_t dies_us = now_us + (int64_t)manner->grace_ms * 1000;

    for (struct emu_token *token = manner->kills_older ? tokens->newest : NULL; token; token = token->older) {
        if (is_owned(token, owner) && token->dies_us > dies_us)
            token->dies_us = dies_us;
    }
}

/* As long, and with such an end, as the shape wants it. */
static char *make_text(const struct emu_service *service, const struct emu_shape *shape)
{
    const char *end = shape && shape->token_end ? shape->token_end : "";
    size_t length = shape ? shape->token_length : 0;
    char *prefix = emu_format("%.*s-", (int)strcspn(service->name, "_"), service->name);
    char *text = emu_random_text(prefix);

    free(prefix);
    size_t missing = length > strlen(text) + strlen(end) ? length - strlen(text) - strlen(end) : 0;
    char *filling = emu_allocate(missing + 1);
    memset(filling, 'f', missing);
    char *whole = emu_format("%s%s%s", text, filling, end);
    free(filling);
    free(text);
    return whole;
}

static struct emu_token *add(struct emu_tokens *tokens, const struct emu_owner *owner, char *text, int64_t expires_us)
{
    struct emu_token *token = emu_allocate(sizeof(*token));

    *token = (struct emu_token){
        .older = tokens->newest,
        .service = owner->service,
        .account = owner->account,
        .scope = emu_copy(owner->scope, strlen(owner->scope)),
        .text = text,
        .expires_us = expires_us,
        .dies_us = INT64_MAX,
    };
    tokens->newest = token;
    return token;
}

static void note(const struct emu_token *token, const struct emu_shape *shape, int64_t now_us,
                 struct emu_answer *answer)
{
    size_t end = shape && shape->token_end ? strlen(shape->token_end) : 0;
    char *stem = emu_copy(token->text, strlen(token->text) - end);
    char *expires_in = emu_format("%lld", (long long)((token->expires_us - now_us) / SECOND));

    emu_answer_grant(answer, "token", token->text);
    emu_answer_grant(answer, "stem", stem);
    emu_answer_grant(answer, "expires_in", expires_in);
    emu_answer_grant(answer, "scope", token->scope);
    free(expires_in);
    free(stem);
}

void emu_tokens_grant(struct emu_tokens *tokens, const struct emu_owner *owner, const struct emu_shape *shape,
                      long own_lifetime_s, int64_t now_us, struct emu_answer *answer)
{
    bool special = shape && (shape->token_end || shape->token_length); /* no older token looks like that */
    long lifetime_s = tokens->of[owner->service->id].lifetime_s;

    if (lifetime_s == 0)
        lifetime_s = own_lifetime_s;
    struct emu_token *token = special ? NULL : find_same(tokens, owner, lifetime_s, now_us);
    if (!token) {
        kill_older(tokens, owner, now_us);
        token = add(tokens, owner, make_text(owner->service, shape), now_us + lifetime_s * SECOND);
    }
    note(token, shape, now_us, answer);
}

static struct emu_token *find(const struct emu_tokens *tokens, const char *text)
{
    struct emu_token *token = tokens->newest;

    while (token && strcmp(token->text, text) != 0)
        token = token->older;
    return token;
}

cJSON *emu_tokens_introspect(const struct emu_tokens *tokens, const char *text, int64_t now_us)
{
    const struct emu_token *token = find(tokens, text);
    cJSON *report = cJSON_CreateObject();
    bool active = token && is_alive(token, now_us);
    cJSON_AddBoolToObject(report, "active", active);
    if (!active)
        return report;
    int64_t ends_us = token->dies_us < token->expires_us ? token->dies_us : token->expires_us;
    int64_t remaining_s = (ends_us - now_us) / SECOND;
    cJSON_AddStringToObject(report, "service", token->service->name);
    cJSON_AddStringToObject(report, "scope", token->scope);
    cJSON_AddNumberToObject(report, "expires_in", (double)remaining_s);
    return report;
}

const cJSON *emu_tokens_account(const struct emu_tokens *tokens, const struct emu_service *service, const char *text,
                                int64_t now_us)
{
    const struct emu_service *issuer = service->issuer ? service->issuer : service;
    const struct emu_token *token = text ? find(tokens, text) : NULL;

    return token && token->service == issuer && is_alive(token, now_us) ? token->account : NULL;
}

bool emu_tokens_revoke(struct emu_tokens *tokens, const char *text, int64_t now_us)
{
    struct emu_token *only = text ? find(tokens, text) : NULL;

    for (struct emu_token *token = tokens->newest; token; token = token->older) {
        if ((!text || token == only) && token->dies_us > now_us)
            token->dies_us = now_us;
    }
    return !text || only;
}

void emu_tokens_clear(struct emu_tokens *tokens)
{
    while (tokens->newest) {
        struct emu_token *token = tokens->newest;
        tokens->newest = token->older;
        free(token->scope);
        free(token->text);
        free(token);
    }
}
