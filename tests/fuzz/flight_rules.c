#include "fuzz/flight.h"

#include "core/encode.h"

#include <stdlib.h>
#include <string.h>

enum { LONGEST_WAIT_MS = 86400000, YEAR_S = 31536000 };

static void check_text(const struct flight *flight, const char *text, size_t size)
{
    HOLDS(memchr(text, '\0', size) != NULL);
    HOLDS(nx_is_utf8(text) && nx_is_free_of_controls(text));
    for (int i = 0; i < FLIGHT_SECRETS; i++) {
        for (int form = 0; form < FLIGHT_FORMS; form++)
            HOLDS(strstr(text, flight->secrets[i][form]) == NULL);
    }
}

void flight_check_error(const struct flight *flight, const struct nexauth_error *error)
{
    HOLDS(error->status > NEXAUTH_OK && error->status <= NEXAUTH_CANCELED);
    HOLDS(error->message[0] != '\0');
    HOLDS(error->retry_after_ms >= 0 && error->retry_after_ms <= LONGEST_WAIT_MS);
    HOLDS(error->http_status == 0 || (error->http_status >= 100 && error->http_status <= 999));
    check_text(flight, error->message, sizeof error->message);
    check_text(flight, error->code, sizeof error->code);
}

static void check_presented(const nexauth_token *token)
{
    static const char scheme[] = "Authorization: Bearer ";
    static const char name[] = "access_token=";
    const char *access_token = nexauth_token_access_token(token);
    const char *header = nexauth_token_header(token);
    const char *query = nexauth_token_query(token);

    HOLDS((header == NULL) != (query == NULL));
    if (header)
        HOLDS(strncmp(header, scheme, sizeof scheme - 1) == 0 && strcmp(header + sizeof scheme - 1, access_token) == 0);
    else
        HOLDS(strncmp(query, name, sizeof name - 1) == 0 && strpbrk(query + sizeof name - 1, "&#+= ") == NULL);
}

/* The life of a static one is the application's, and has no bounds. */
static void check_lifetime(const struct flight *flight, const nexauth_token *token)
{
    const int64_t lifetime_s = nexauth_token_lifetime_s(token);

    HOLDS(nexauth_token_stated_lifetime_s(token) >= -1);
    if (flight->kind == FLIGHT_STATIC)
        return;
    HOLDS(lifetime_s > 0 && lifetime_s <= YEAR_S);
    HOLDS(nexauth_token_expires_at(token) == nexauth_token_obtained_at(token) + lifetime_s);
}

void flight_check_saved(const struct flight *flight, const nexauth_token *token)
{
    const char *refresh_token = nexauth_token_refresh_token(token);
    const char *scope = nexauth_token_scope(token);

    HOLDS(nx_is_visible(nexauth_token_access_token(token)));
    HOLDS(!refresh_token || nx_is_visible(refresh_token));
    HOLDS(!scope || nx_is_utf8(scope));
    check_presented(token);
    check_lifetime(flight, token);
}

void flight_check_token(const struct flight *flight, const nexauth_token *token)
{
    const int64_t expires_at = nexauth_token_expires_at(token);

    flight_check_saved(flight, token);
    if (expires_at && !flight->clock_jumped)
        HOLDS(flight->script.wall_s <= expires_at);
}

void flight_check_time(const struct flight *flight, int64_t begun_ms, int64_t timeout_ms)
{
    HOLDS(flight->script.boot_ms >= begun_ms && flight->script.boot_ms - begun_ms <= timeout_ms);
}

/* ---- One-time values --------------------------------------------------------------------------------------------- */

/* The value of a parameter in a form, decoded; "" when there is none. */
static void find_parameter(const char *form, const char *name, struct nx_text *value)
{
    const char *found = strstr(form, name);

    nx_text_init(value, strlen(form));
    if (found) {
        found += strlen(name);
        nx_add_percent_decoded(value, found, strcspn(found, "&"), true);
    }
}

static bool is_refresh(const struct script_request *request)
{
    return request->one_time && strstr(request->body, "&refresh_token=");
}

/* Its answer said nothing of what the service has made of it. One that comes as its time ends may be read still. */
static bool was_lost(const struct script *script, size_t request)
{
    const struct script_answer *answer = &script->answers[request];

    if (request < script->answer_count && answer->unsent)
        return false;
    if (!script->requests[request].answered || answer->loss)
        return true;
    return answer->status >= 500 && answer->status != 503;
}

static bool was_handed_out(const struct flight *flight, const char *value, size_t after, size_t until)
{
    for (size_t i = 0; i < flight->handout_count; i++) {
        const struct flight_handout *handout = &flight->handouts[i];

        if (handout->begun > after && handout->begun <= until && strcmp(handout->refresh_token, value) == 0)
            return true;
    }
    return false;
}

/* A refresh token was handed out before it leaves, and since it was lost. */
static void check_refresh(const struct flight *flight, size_t request)
{
    const struct script *script = &flight->script;
    bool came = false;
    struct nx_text value;
    struct nx_text before;

    find_parameter(script->requests[request].body, "&refresh_token=", &value);
    for (size_t i = 0; i < flight->handout_count; i++)
        came = came || (flight->handouts[i].begun <= request &&
                        strcmp(flight->handouts[i].refresh_token, nx_text_string(&value)) == 0);
    HOLDS(came);
    for (size_t i = 0; i < request; i++) {
        if (!is_refresh(&script->requests[i]) || !was_lost(script, i))
            continue;
        find_parameter(script->requests[i].body, "&refresh_token=", &before);
        if (strcmp(nx_text_string(&before), nx_text_string(&value)) == 0)
            HOLDS(was_handed_out(flight, nx_text_string(&value), i, request));
        nx_text_release(&before);
    }
    nx_text_release(&value);
}

void flight_check_one_time(const struct flight *flight)
{
    const struct script *script = &flight->script;
    size_t codes = 0;
    size_t connects = 0;

    HOLDS(script->begun <= SCRIPT_ANSWERS);
    for (size_t i = 0; i < script->begun; i++) {
        const struct script_request *request = &script->requests[i];

        connects += strcmp(request->method, "GET") == 0;
        if (is_refresh(request))
            check_refresh(flight, i);
        else if (request->one_time && !(i < script->answer_count && script->answers[i].unsent))
            codes++;
        HOLDS(request->one_time == (strstr(request->body, "&refresh_token=") || strstr(request->body, "&code=")));
        HOLDS(strncmp(request->url, "https://", 8) == 0);
    }
    HOLDS(codes <= connects + flight->accepted);
}

void flight_check_last_request(const struct flight *flight, const struct nexauth_error *error)
{
    static const char *const names[] = {"&refresh_token=", "&code=", "&xspe="};
    const struct script_request *request = &flight->script.requests[flight->script.begun - 1];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct nx_text value;

        find_parameter(i < 2 ? request->body : request->url, names[i], &value);
        if (value.length >= 8 && strstr(nx_text_string(&value), "Hush"))
            HOLDS(!strstr(error->message, nx_text_string(&value)) && !strstr(error->code, nx_text_string(&value)));
        nx_text_release(&value);
    }
}

void flight_note_handout(struct flight *flight, const char *refresh_token)
{
    struct flight_handout *handout = &flight->handouts[flight->handout_count];
    size_t size = refresh_token ? strlen(refresh_token) : 0;

    if (!refresh_token)
        return;
    HOLDS(flight->handout_count < FLIGHT_HANDOUTS);
    handout->refresh_token = target_copy((const uint8_t *)refresh_token, size);
    handout->begun = flight->script.begun;
    flight->handout_count++;
}

void flight_release_handouts(struct flight *flight)
{
    for (size_t i = 0; i < flight->handout_count; i++)
        free(flight->handouts[i].refresh_token);
    flight->handout_count = 0;
}
