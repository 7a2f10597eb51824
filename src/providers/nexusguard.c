/*
 * Nexusguard: a family dialect of OAuth 2.0 with answers wrapped in {code, msg, result}, a refresh request of its own
 * that carries no secret, and grants spelled "client_credential" and "refresh_code". developer.nexusguard.com,
 * "Authorize Your Client". The token is presented as the query parameter access_token ("Make API Calls").
 */
#include "core/error.h"
#include "providers/providers.h"

typedef struct nexauth_nexusguard_app_options app_options;
typedef struct nexauth_nexusguard_user_options user_options;

#define ORIGIN "https://api.nexusguard.com"

static const struct nx_option app_table[] = {
    {"app_id", offsetof(app_options, app_id), NX_OPTION_TEXT, NX_REQUIRED | NX_WHO, NULL, 0, 0},
    {"secret", offsetof(app_options, secret), NX_OPTION_TEXT, NX_REQUIRED | NX_SECRET, NULL, 0, 0},
    {"origin", offsetof(app_options, origin), NX_OPTION_ORIGIN, 0, ORIGIN, 0, 0},
    {"token_path", offsetof(app_options, token_path), NX_OPTION_PATH, 0, "/oauth/credit/token", 0, 0},
    {"grant_type", offsetof(app_options, grant_type), NX_OPTION_TEXT, 0, "client_credential", 0, 0},
    {"api_origins", offsetof(app_options, api_origins), NX_OPTION_ORIGINS, 0, NULL, 0, 0},
};

static const struct nx_option user_table[] = {
    {"app_id", offsetof(user_options, app_id), NX_OPTION_TEXT, NX_REQUIRED | NX_WHO, NULL, 0, 0},
    {"secret", offsetof(user_options, secret), NX_OPTION_TEXT, NX_SECRET, NULL, 0, 0},
    {"redirect_uri", offsetof(user_options, redirect_uri), NX_OPTION_URL, 0, NULL, 0, 0},
    {"customer_id", offsetof(user_options, customer_id), NX_OPTION_TEXT, NX_WHO, NULL, 0, 0},
    {"xspe", offsetof(user_options, xspe), NX_OPTION_TEXT, NX_SECRET, NULL, 0, 0},
    {"refresh_token", offsetof(user_options, refresh_token), NX_OPTION_TOKEN, NX_SECRET, NULL, 0, 0},
    {"scope", offsetof(user_options, scope), NX_OPTION_TEXT, NX_WHO | NX_MAY_BE_EMPTY, "install_login", 0, 0},
    {"origin", offsetof(user_options, origin), NX_OPTION_ORIGIN, 0, ORIGIN, 0, 0},
    {"connect_path", offsetof(user_options, connect_path), NX_OPTION_PATH, 0, "/oauth/connect", 0, 0},
    {"token_path", offsetof(user_options, token_path), NX_OPTION_PATH, 0, "/oauth/access_token", 0, 0},
    {"refresh_path", offsetof(user_options, refresh_path), NX_OPTION_PATH, 0, "/oauth/refresh_token", 0, 0},
    {"code_grant_type", offsetof(user_options, code_grant_type), NX_OPTION_TEXT, 0, "authorization_code", 0, 0},
    {"refresh_grant_type", offsetof(user_options, refresh_grant_type), NX_OPTION_TEXT, 0, "refresh_code", 0, 0},
    {"api_origins", offsetof(user_options, api_origins), NX_OPTION_ORIGINS, 0, NULL, 0, 0},
};

static void begin_post(struct nx_request *request, const char *origin, const char *path)
{
    nx_request_begin(request, NX_CARRIER_FORM, origin, path);
    nx_request_header(request, "Accept", "application/json");
}

static void word_app(const void *options, enum nx_step step, const struct nx_grant *grant, struct nx_request *request)
{
    const app_options *app = options;

    (void)step;
    (void)grant;
    begin_post(request, app->origin, app->token_path);
    nx_request_parameter(request, "app_id", app->app_id);
    nx_request_parameter(request, "secret", app->secret);
    nx_request_parameter(request, "grant_type", app->grant_type);
}

static bool has_code_needs(const user_options *user)
{
    return user->secret && user->redirect_uri && user->customer_id && (user->xspe || user->xspe_callback);
}

static nexauth_status check_user(void *options, struct nexauth_error *error)
{
    const user_options *user = options;

    if (user->xspe && user->xspe_callback)
        return nx_fail(error, NEXAUTH_INVALID, "give xspe or xspe_callback, not both");
    if (user->refresh_token)
        return NEXAUTH_OK;
    if (!has_code_needs(user))
        return nx_fail(error, NEXAUTH_INVALID,
                       "secret, redirect_uri, customer_id and xspe or xspe_callback are needed, or a refresh_token");
    return NEXAUTH_OK;
}

static void word_connect(const user_options *user, const struct nx_grant *grant, struct nx_request *request)
{
    nx_request_begin(request, NX_CARRIER_QUERY, user->origin, user->connect_path);
    nx_request_header(request, "Accept", "application/json");
    nx_request_parameter(request, "app_id", user->app_id);
    nx_request_parameter(request, "redirect_uri", user->redirect_uri);
    nx_request_parameter(request, "response_type", "code");
    nx_request_parameter(request, "scope", user->scope);
    nx_request_parameter(request, "xspe", user->xspe ? user->xspe : nx_text_string(&grant->supplied));
    nx_request_parameter(request, "state", nx_text_string(&grant->state));
    nx_request_parameter(request, "customer_id", user->customer_id);
}

static void word_code(const user_options *user, const struct nx_grant *grant, struct nx_request *request)
{
    begin_post(request, user->origin, user->token_path);
    nx_request_parameter(request, "app_id", user->app_id);
    nx_request_parameter(request, "secret", user->secret);
    nx_request_parameter(request, "code", nx_text_string(&grant->code));
    nx_request_parameter(request, "grant_type", user->code_grant_type);
}

static void word_refresh(const user_options *user, const struct nx_grant *grant, struct nx_request *request)
{
    begin_post(request, user->origin, user->refresh_path);
    nx_request_parameter(request, "app_id", user->app_id);
    nx_request_parameter(request, "refresh_token", nx_text_string(&grant->refresh_token));
    nx_request_parameter(request, "grant_type", user->refresh_grant_type);
}

static void word_user(const void *options, enum nx_step step, const struct nx_grant *grant, struct nx_request *request)
{
    if (step == NX_STEP_CONNECT)
        word_connect(options, grant, request);
    else if (step == NX_STEP_CODE)
        word_code(options, grant, request);
    else
        word_refresh(options, grant, request);
}

static bool may_authorize(const void *options)
{
    return has_code_needs(options);
}

/* An xspe among the options serves until one connect has succeeded; the callback always supplies a fresh one. */
static bool may_connect(const void *options, const struct nx_grant *grant)
{
    const user_options *user = options;

    return has_code_needs(user) && !user->web_handler && (user->xspe_callback || !grant->connected);
}

static const char *redirect_uri(const void *options)
{
    return ((const user_options *)options)->redirect_uri;
}

static const char *refresh_token(const void *options)
{
    return ((const user_options *)options)->refresh_token;
}

static nexauth_xspe_callback supplier(const void *options, void **context)
{
    const user_options *user = options;

    *context = user->xspe_context;
    return user->xspe_callback;
}

static const struct nx_authorizing authorizing = {
    .may_connect = may_connect,
    .may_authorize = may_authorize,
    .redirect_uri = redirect_uri,
    .refresh_token = refresh_token,
    .supplier = supplier,
};

/* The API is where the tokens come from. */
static const char *app_api_origins(const void *options)
{
    const app_options *app = options;

    return app->api_origins ? app->api_origins : app->origin;
}

static const char *user_api_origins(const void *options)
{
    const user_options *user = options;

    return user->api_origins ? user->api_origins : user->origin;
}

const struct nx_provider nx_nexusguard_app = {
    .service = "Nexusguard",
    .limit = {.name = "oauth", .requests = 60, .window_ms = 60000},
    .api = {.name = "api", .window_ms = NX_UNCOUNTED_WINDOW_MS},
    .options = {.size = sizeof(app_options),
                .options = app_table,
                .count = sizeof app_table / sizeof *app_table,
                .meanings = offsetof(app_options, meanings),
                .meanings_count = offsetof(app_options, meanings_count)},
    .word = word_app,
    .api_origins = app_api_origins,
    .syntaxes = NX_SYNTAX_JSON | NX_SYNTAX_ENVELOPE,
    .presentation = NEXAUTH_PRESENT_QUERY,
};

const struct nx_provider nx_nexusguard_user = {
    .service = "Nexusguard",
    .limit = {.name = "oauth", .requests = 60, .window_ms = 60000},
    .api = {.name = "api", .window_ms = NX_UNCOUNTED_WINDOW_MS},
    .options = {.size = sizeof(user_options),
                .options = user_table,
                .count = sizeof user_table / sizeof *user_table,
                .meanings = offsetof(user_options, meanings),
                .meanings_count = offsetof(user_options, meanings_count)},
    .check = check_user,
    .word = word_user,
    .api_origins = user_api_origins,
    .authorizing = &authorizing,
    .syntaxes = NX_SYNTAX_JSON | NX_SYNTAX_ENVELOPE,
    .presentation = NEXAUTH_PRESENT_QUERY,
};
