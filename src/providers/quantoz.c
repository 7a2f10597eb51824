/*
 * Quantoz Nexus: form-encoded client credentials, answers as RFC 6749 section 5 has them. docs.quantoz.com,
 * "Authentication".
 */
#include "core/encode.h"
#include "core/error.h"
#include "providers/providers.h"

#include <string.h>

/* Form encoding makes three bytes of one at the most. */
static const size_t PAIR_LONGEST = (size_t)2 * 3 * NX_OPTION_LONGEST + 1;

typedef struct nexauth_quantoz_options quantoz_options;

static const struct nx_option table[] = {
    {"client_id", offsetof(quantoz_options, client_id), NX_OPTION_TEXT, NX_REQUIRED | NX_WHO, NULL, 0, 0},
    {"client_secret", offsetof(quantoz_options, client_secret), NX_OPTION_TEXT, NX_REQUIRED | NX_SECRET, NULL, 0, 0},
    {"scope", offsetof(quantoz_options, scope), NX_OPTION_TEXT, NX_WHO | NX_MAY_BE_EMPTY, "api1", 0, 0},
    {"origin", offsetof(quantoz_options, origin), NX_OPTION_ORIGIN, 0, NULL, 0, 0},
    {"token_path", offsetof(quantoz_options, token_path), NX_OPTION_PATH, 0, "/connect/token", 0, 0},
    {"api_origins", offsetof(quantoz_options, api_origins), NX_OPTION_ORIGINS, 0, NULL, 0, 0},
    {"environment", offsetof(quantoz_options, environment), NX_OPTION_CHOICE, 0, NULL, NEXAUTH_QUANTOZ_TEST,
     NEXAUTH_QUANTOZ_PRODUCTION},
    {"client_auth", offsetof(quantoz_options, client_auth), NX_OPTION_CHOICE, 0, NULL, NEXAUTH_CLIENT_AUTH_BODY,
     NEXAUTH_CLIENT_AUTH_BASIC_RAW},
};

static nexauth_status check(void *options, struct nexauth_error *error)
{
    quantoz_options *quantoz = options;
    const bool test = quantoz->environment == NEXAUTH_QUANTOZ_TEST;

    if (!quantoz->origin)
        quantoz->origin = test ? "https://testidentity.quantoz.com" : "https://identity.quantoz.com";
    if (!quantoz->api_origins)
        quantoz->api_origins = test ? NEXAUTH_QUANTOZ_TEST_API : NEXAUTH_QUANTOZ_API;
    if (quantoz->client_auth == NEXAUTH_CLIENT_AUTH_BASIC_RAW && strchr(quantoz->client_id, ':'))
        return nx_fail(error, NEXAUTH_INVALID, "client_id must not hold ':' for HTTP Basic as it is (RFC 7617)");
    return NEXAUTH_OK;
}

/* RFC 6749 section 2.3.1 has both form-encoded before they are joined; RFC 7617 as they are. */
static void add_basic(struct nx_request *request, const quantoz_options *quantoz)
{
    void (*const add)(struct nx_text *, const char *) = quantoz->client_auth == NEXAUTH_CLIENT_AUTH_BASIC ? nx_add_form
                                                                                                          : nx_text_add;
    struct nx_text pair;
    struct nx_text value;

    nx_text_init(&pair, PAIR_LONGEST);
    nx_text_init(&value, 2 * PAIR_LONGEST); /* base64 makes four of three */
    add(&pair, quantoz->client_id);
    nx_text_add_char(&pair, ':');
    add(&pair, quantoz->client_secret);
    nx_text_add(&value, "Basic ");
    nx_add_base64(&value, nx_text_string(&pair), pair.length);
    nx_request_header(request, "Authorization", nx_text_string(&value));
    if (nx_text_failed(&pair) || nx_text_failed(&value))
        nx_text_fail(&request->body, NEXAUTH_NO_MEMORY);
    nx_text_release(&pair);
    nx_text_release(&value);
}

static void word(const void *options, enum nx_step step, const struct nx_grant *grant, struct nx_request *request)
{
    const quantoz_options *quantoz = options;

    (void)step;
    (void)grant;
    nx_request_begin(request, NX_CARRIER_FORM, quantoz->origin, quantoz->token_path);
    nx_request_header(request, "Accept", "application/json");
    if (quantoz->client_auth == NEXAUTH_CLIENT_AUTH_BODY) {
        nx_request_parameter(request, "client_id", quantoz->client_id);
        nx_request_parameter(request, "client_secret", quantoz->client_secret);
    } else {
        add_basic(request, quantoz);
    }
    nx_request_parameter(request, "scope", quantoz->scope);
    nx_request_parameter(request, "grant_type", "client_credentials");
}

static const char *api_origins(const void *options)
{
    return ((const quantoz_options *)options)->api_origins;
}

const struct nx_provider nx_quantoz = {
    .service = "Quantoz",
    .limit = {.name = "token", .requests = 60, .window_ms = 60000},
    .api = {.name = "api", .window_ms = NX_UNCOUNTED_WINDOW_MS},
    .options = {.size = sizeof(quantoz_options), .options = table, .count = sizeof table / sizeof *table},
    .check = check,
    .word = word,
    .api_origins = api_origins,
    .syntaxes = NX_SYNTAX_JSON,
    .presentation = NEXAUTH_PRESENT_HEADER,
};
