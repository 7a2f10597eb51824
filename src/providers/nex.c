/*
 * NEX: JSON requests, JSON or XML answers, long-lived credentials only ("Tokens must be requested and renewed using
 * your specific credentials": there is no refresh token). nexcloud.io, "Authentication" and "Controller
 * Authentication".
 */
#include "core/error.h"
#include "providers/providers.h"

enum { TWO_WEEKS_S = 1209600 }; /* "the maximum period you'll ever see" */

#define WHO(type, member)                                                                                              \
    {                                                                                                                  \
#member, offsetof(type, member), NX_OPTION_TEXT, NX_REQUIRED | NX_UTF8 | NX_WHO, NULL, 0, 0                    \
    }
#define SECRET(type, member)                                                                                           \
    {                                                                                                                  \
#member, offsetof(type, member), NX_OPTION_TEXT, NX_REQUIRED | NX_UTF8 | NX_SECRET, NULL, 0, 0                 \
    }
#define PLACE(type)                                                                                                    \
    {"origin", offsetof(type, origin), NX_OPTION_ORIGIN, 0, "https://nexcloud.io", 0, 0},                              \
        {"api_origins", offsetof(type, api_origins), NX_OPTION_ORIGINS, 0, NULL, 0, 0},                                \
    {                                                                                                                  \
        "token_path", offsetof(type, token_path), NX_OPTION_PATH, 0, "/v1.0/Token", 0, 0                               \
    }
#define MANNER(type)                                                                                                   \
    {"accept", offsetof(type, accept), NX_OPTION_CHOICE, 0, NULL, NEXAUTH_ACCEPT_JSON, NEXAUTH_ACCEPT_XML},            \
    {                                                                                                                  \
        "presentation", offsetof(type, presentation), NX_OPTION_CHOICE, 0, NULL, NEXAUTH_PRESENT_HEADER,               \
            NEXAUTH_PRESENT_QUERY                                                                                      \
    }
#define SCOPE(type, fallback)                                                                                          \
    {                                                                                                                  \
        "scope", offsetof(type, scope), NX_OPTION_TEXT, NX_UTF8 | NX_WHO | NX_MAY_BE_EMPTY, fallback, 0, 0             \
    }

typedef struct nexauth_nex_user_options user_options;
typedef struct nexauth_nex_controller_options controller_options;

static const struct nx_option user_table[] = {
    WHO(user_options, client_id),   SECRET(user_options, client_secret), WHO(user_options, username),
    SECRET(user_options, password), SCOPE(user_options, "user"),         PLACE(user_options),
    MANNER(user_options),
};

static const struct nx_option controller_table[] = {
    WHO(controller_options, client_id),
    SECRET(controller_options, client_secret),
    WHO(controller_options, controller_id),
    SECRET(controller_options, controller_secret),
    SCOPE(controller_options, "controller"),
    PLACE(controller_options),
    MANNER(controller_options),
};

static nexauth_status check_accept(int accept, struct nexauth_error *error)
{
#ifdef NEXAUTH_XML
    (void)accept;
    (void)error;
#else
    if (accept == NEXAUTH_ACCEPT_XML)
        return nx_fail(error, NEXAUTH_INVALID, "accept: this library was built without XML");
#endif
    return NEXAUTH_OK;
}

static void begin(struct nx_request *request, const char *origin, const char *path, int accept)
{
    nx_request_begin(request, NX_CARRIER_JSON, origin, path);
    nx_request_header(request, "Accept", accept == NEXAUTH_ACCEPT_XML ? "application/xml" : "application/json");
}

static nexauth_status check_user(void *options, struct nexauth_error *error)
{
    return check_accept(((const user_options *)options)->accept, error);
}

static void word_user(const void *options, enum nx_step step, const struct nx_grant *grant, struct nx_request *request)
{
    const user_options *user = options;

    (void)step;
    (void)grant;
    begin(request, user->origin, user->token_path, user->accept);
    nx_request_parameter(request, "grant_type", "password");
    nx_request_parameter(request, "client_id", user->client_id);
    nx_request_parameter(request, "client_secret", user->client_secret);
    nx_request_parameter(request, "username", user->username);
    nx_request_parameter(request, "password", user->password);
    nx_request_parameter(request, "scope", user->scope);
}

static nexauth_status check_controller(void *options, struct nexauth_error *error)
{
    return check_accept(((const controller_options *)options)->accept, error);
}

static void word_controller(const void *options, enum nx_step step, const struct nx_grant *grant,
                            struct nx_request *request)
{
    const controller_options *controller = options;

    (void)step;
    (void)grant;
    begin(request, controller->origin, controller->token_path, controller->accept);
    nx_request_parameter(request, "grant_type", "client_credentials");
    nx_request_parameter(request, "client_id", controller->client_id);
    nx_request_parameter(request, "client_secret", controller->client_secret);
    nx_request_parameter(request, "controller_id", controller->controller_id);
    nx_request_parameter(request, "controller_secret", controller->controller_secret);
    nx_request_parameter(request, "scope", controller->scope);
}

/* The API is where the tokens come from. */
static const char *user_api_origins(const void *options)
{
    const user_options *user = options;

    return user->api_origins ? user->api_origins : user->origin;
}

static const char *controller_api_origins(const void *options)
{
    const controller_options *controller = options;

    return controller->api_origins ? controller->api_origins : controller->origin;
}

static int user_presents(const void *options)
{
    return ((const user_options *)options)->presentation;
}

static int controller_presents(const void *options)
{
    return ((const controller_options *)options)->presentation;
}

/* "600 requests a minute", whatever they ask for. */
#define REQUESTS                                                                                                       \
    {                                                                                                                  \
        .name = "requests", .requests = 600, .window_ms = 60000                                                        \
    }

const struct nx_provider nx_nex_user = {
    .service = "NEX",
    .limit = REQUESTS,
    .api = REQUESTS,
    .options = {.size = sizeof(user_options), .options = user_table, .count = sizeof user_table / sizeof *user_table},
    .check = check_user,
    .word = word_user,
    .api_origins = user_api_origins,
    .syntaxes = NX_SYNTAX_JSON | NX_SYNTAX_XML,
    .presents = user_presents,
    .longest_lifetime_s = TWO_WEEKS_S,
};

const struct nx_provider nx_nex_controller = {
    .service = "NEX",
    .limit = REQUESTS,
    .api = REQUESTS,
    .options = {.size = sizeof(controller_options),
                .options = controller_table,
                .count = sizeof controller_table / sizeof *controller_table},
    .check = check_controller,
    .word = word_controller,
    .api_origins = controller_api_origins,
    .syntaxes = NX_SYNTAX_JSON | NX_SYNTAX_XML,
    .presents = controller_presents,
    .longest_lifetime_s = TWO_WEEKS_S,
};
