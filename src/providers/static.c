/* A token obtained elsewhere, such as a Quantoz API key (docs.quantoznexus.com: shown once in the portal, with an
 * expiry date). */
#include "core/lifetime.h"
#include "providers/providers.h"

typedef struct nexauth_static_options static_options;

static const struct nx_option table[] = {
    {"access_token", offsetof(static_options, access_token), NX_OPTION_TOKEN, NX_REQUIRED | NX_SECRET, NULL, 0, 0},
    {"scope", offsetof(static_options, scope), NX_OPTION_TEXT, NX_MAY_BE_EMPTY, NULL, 0, 0},
    {"presentation", offsetof(static_options, presentation), NX_OPTION_CHOICE, 0, NULL, NEXAUTH_PRESENT_HEADER,
     NEXAUTH_PRESENT_QUERY},
    {"api_origins", offsetof(static_options, api_origins), NX_OPTION_ORIGINS, 0, NULL, 0, 0},
};

static void give(const void *options, struct nx_issue *issue)
{
    const static_options *fixed = options;

    nx_text_add(&issue->access_token, fixed->access_token);
    if (fixed->scope)
        nx_text_add(&issue->scope, fixed->scope);
    issue->expires_at = fixed->expires_at;
    issue->presentation = fixed->presentation;
}

static const char *api_origins(const void *options)
{
    return ((const static_options *)options)->api_origins;
}

const struct nx_provider nx_static = {
    .service = "the static token",
    .api = {.name = "api", .window_ms = NX_UNCOUNTED_WINDOW_MS},
    .options = {.size = sizeof(static_options), .options = table, .count = sizeof table / sizeof *table},
    .api_origins = api_origins,
    .give = give,
};
