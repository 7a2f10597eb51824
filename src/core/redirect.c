#include "core/redirect.h"

#include "core/encode.h"
#include "core/url.h"

#include <stdbool.h>
#include <string.h>

/* A parameter that may occur once. */
struct parameter {
    const char *name;
    int seen;
    struct nx_text *value;
};

/* A web server hands its handlers the URL from the path on: splits it as if it were at the place of `redirect_uri`. */
static bool split_path(const char *url, const struct nx_url *expected, struct nx_url *parts)
{
    const size_t size = strcspn(url, "#");
    const char *question = memchr(url, '?', size);

    *parts = *expected;
    parts->path = (struct nx_span){url, question ? (size_t)(question - url) : size};
    parts->query = (struct nx_span){NULL, 0};
    if (question)
        parts->query = (struct nx_span){question + 1, size - (size_t)(question + 1 - url)};
    return nx_is_visible(url);
}

/* Takes redirect_uri's own query off the front of the redirect's. */
static bool take_own_query(struct nx_span *query, const struct nx_span *own)
{
    if (!own->size)
        return true;
    if (!query->start || query->size < own->size || memcmp(query->start, own->start, own->size) != 0)
        return false;
    if (query->size > own->size && query->start[own->size] != '&')
        return false;
    query->start += own->size;
    query->size -= own->size;
    return true;
}

static void collect(struct nx_span query, struct parameter *parameters, size_t count)
{
    struct nx_span name;
    struct nx_span value;

    while (nx_query_next(&query, &name, &value)) {
        for (size_t i = 0; i < count; i++) {
            if (!nx_span_equals(name, parameters[i].name))
                continue;
            if (parameters[i].seen++ == 0)
                nx_add_percent_decoded(parameters[i].value, value.start, value.size, true);
        }
    }
}

static enum nx_redirect judge(const struct parameter *code, const struct parameter *state,
                              const struct parameter *error, const char *expected)
{
    const bool state_is_right = state->seen == 1 && !nx_text_failed(state->value) &&
                                nx_equal_secret(nx_text_string(state->value), expected);

    if (code->value->status == NEXAUTH_NO_MEMORY || state->value->status == NEXAUTH_NO_MEMORY ||
        error->value->status == NEXAUTH_NO_MEMORY)
        return NX_REDIRECT_NO_MEMORY;
    if (error->seen == 1 && code->seen == 0 && (state->seen == 0 || state_is_right))
        return strcmp(nx_text_string(error->value), "access_denied") == 0 ? NX_REDIRECT_DENIED : NX_REDIRECT_ERROR;
    if (error->seen || code->seen != 1 || !state_is_right || !nx_is_visible(nx_text_string(code->value)))
        return NX_REDIRECT_WRONG;
    return NX_REDIRECT_RIGHT;
}

enum nx_redirect nx_redirect_read(const char *url, bool from_path, const char *redirect_uri, const char *state,
                                  struct nx_text *code, struct nx_text *error)
{
    struct nx_url expected;
    struct nx_url parts;
    struct nx_text got_state = {0};
    enum nx_redirect redirect;

    if (!nx_url_split(redirect_uri, &expected))
        return NX_REDIRECT_WRONG;
    if (!(from_path && url[0] == '/' ? split_path(url, &expected, &parts) : nx_url_split(url, &parts)))
        return NX_REDIRECT_WRONG;
    if (!nx_url_same_place(&parts, &expected) || !take_own_query(&parts.query, &expected.query))
        return NX_REDIRECT_WRONG;

    nx_text_init(&got_state, strlen(url));
    struct parameter parameters[] = {{"code", 0, code}, {"state", 0, &got_state}, {"error", 0, error}};

    collect(parts.query, parameters, sizeof parameters / sizeof *parameters);
    redirect = judge(&parameters[0], &parameters[1], &parameters[2], state);
    nx_text_release(&got_state);
    return redirect;
}
