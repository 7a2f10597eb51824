#include "sources.h"

static nexauth_status new_nex_user(enum secret_source kind, const struct secret_services *services,
                                   nexauth_session *session, nexauth_source **out, struct nexauth_error *error)
{
    const enum canary password = kind == SECRET_STRANGER ? CANARY_QUANTOZ_SECRET : CANARY_PASSWORD;
    const struct nexauth_nex_user_options options = {.client_id = "company",
                                                     .client_secret = services->canaries->secrets[CANARY_NEX_SECRET],
                                                     .username = "name",
                                                     .password = services->canaries->secrets[password],
                                                     .origin = services->nex,
                                                     .presentation = kind == SECRET_NEX_QUERY ? NEXAUTH_PRESENT_QUERY
                                                                                              : NEXAUTH_PRESENT_HEADER};

    return nexauth_source_new_nex_user(session, &options, out, error);
}

static nexauth_status new_controller(enum secret_source kind, const struct secret_services *services,
                                     nexauth_session *session, nexauth_source **out, struct nexauth_error *error)
{
    const struct nexauth_nex_controller_options options = {
        .client_id = "company",
        .client_secret = services->canaries->secrets[CANARY_NEX_SECRET],
        .controller_id = "unit",
        .controller_secret = services->canaries->secrets[CANARY_CONTROLLER_SECRET],
        .origin = services->nex};

    (void)kind;
    return nexauth_source_new_nex_controller(session, &options, out, error);
}

static nexauth_status new_quantoz(enum secret_source kind, const struct secret_services *services,
                                  nexauth_session *session, nexauth_source **out, struct nexauth_error *error)
{
    const struct nexauth_quantoz_options options = {
        .client_id = "client",
        .client_secret = services->canaries->secrets[CANARY_QUANTOZ_SECRET],
        .origin = services->quantoz,
        .environment = NEXAUTH_QUANTOZ_TEST,
        .client_auth = kind == SECRET_QUANTOZ_BASIC ? NEXAUTH_CLIENT_AUTH_BASIC : NEXAUTH_CLIENT_AUTH_BODY};

    return nexauth_source_new_quantoz(session, &options, out, error);
}

static nexauth_status new_app(enum secret_source kind, const struct secret_services *services, nexauth_session *session,
                              nexauth_source **out, struct nexauth_error *error)
{
    const struct nexauth_nexusguard_app_options options = {
        .app_id = "app", .secret = services->canaries->secrets[CANARY_APP_SECRET], .origin = services->nexusguard};

    (void)kind;
    return nexauth_source_new_nexusguard_app(session, &options, out, error);
}

static struct nexauth_nexusguard_user_options customer_of(const struct secret_services *services)
{
    return (struct nexauth_nexusguard_user_options){.app_id = "app",
                                                    .secret = services->canaries->secrets[CANARY_APP_SECRET],
                                                    .redirect_uri = "https://app.example.com/callback",
                                                    .customer_id = "C-1001",
                                                    .xspe = services->canaries->secrets[CANARY_XSPE],
                                                    .origin = services->nexusguard};
}

nexauth_status secret_customer_new(const char *refresh_token, const struct secret_services *services,
                                   nexauth_session *session, nexauth_source **out, struct nexauth_error *error)
{
    struct nexauth_nexusguard_user_options options = customer_of(services);

    options.refresh_token = refresh_token;
    return nexauth_source_new_nexusguard_user(session, &options, out, error);
}

static nexauth_status new_customer(enum secret_source kind, const struct secret_services *services,
                                   nexauth_session *session, nexauth_source **out, struct nexauth_error *error)
{
    struct nexauth_nexusguard_user_options options = customer_of(services);

    options.web_handler = kind == SECRET_WEB;
    if (kind == SECRET_SAVED)
        options.refresh_token = services->canaries->secrets[CANARY_REFRESH_TOKEN];
    return nexauth_source_new_nexusguard_user(session, &options, out, error);
}

static nexauth_status new_static(enum secret_source kind, const struct secret_services *services,
                                 nexauth_session *session, nexauth_source **out, struct nexauth_error *error)
{
    const struct nexauth_static_options options = {
        .access_token = services->canaries->secrets[CANARY_API_KEY],
        .api_origins = services->nex,
        .presentation = kind == SECRET_STATIC_QUERY ? NEXAUTH_PRESENT_QUERY : NEXAUTH_PRESENT_HEADER};

    return nexauth_source_new_static(session, &options, out, error);
}

#define OF_CUSTOMERS                                                                                                   \
    {                                                                                                                  \
        CANARY_APP_SECRET, CANARY_XSPE, CANARY_CODE, CANARY_ACCESS_TOKEN, CANARY_NEXT_REFRESH_TOKEN                    \
    }

static const struct kind {
    nexauth_status (*make)(enum secret_source kind, const struct secret_services *services, nexauth_session *session,
                           nexauth_source **out, struct nexauth_error *error);
    size_t count;
    enum canary canaries[6];
} kinds[SECRET_SOURCES] = {
    [SECRET_NEX_USER] = {new_nex_user, 3, {CANARY_NEX_SECRET, CANARY_PASSWORD, CANARY_ACCESS_TOKEN}},
    [SECRET_NEX_QUERY] = {new_nex_user, 3, {CANARY_NEX_SECRET, CANARY_PASSWORD, CANARY_ACCESS_TOKEN}},
    [SECRET_STRANGER] = {new_nex_user, 3, {CANARY_NEX_SECRET, CANARY_QUANTOZ_SECRET, CANARY_ACCESS_TOKEN}},
    [SECRET_CONTROLLER] = {new_controller, 3, {CANARY_NEX_SECRET, CANARY_CONTROLLER_SECRET, CANARY_ACCESS_TOKEN}},
    [SECRET_QUANTOZ] = {new_quantoz, 2, {CANARY_QUANTOZ_SECRET, CANARY_ACCESS_TOKEN}},
    [SECRET_QUANTOZ_BASIC] = {new_quantoz, 2, {CANARY_QUANTOZ_SECRET, CANARY_ACCESS_TOKEN}},
    [SECRET_APP] = {new_app, 2, {CANARY_APP_SECRET, CANARY_ACCESS_TOKEN}},
    [SECRET_CUSTOMER] = {new_customer, 5, OF_CUSTOMERS},
    [SECRET_WEB] = {new_customer, 5, OF_CUSTOMERS},
    [SECRET_SAVED] = {new_customer,
                      6,
                      {CANARY_APP_SECRET, CANARY_XSPE, CANARY_CODE, CANARY_ACCESS_TOKEN, CANARY_NEXT_REFRESH_TOKEN,
                       CANARY_REFRESH_TOKEN}},
    [SECRET_STATIC] = {new_static, 1, {CANARY_API_KEY}},
    [SECRET_STATIC_QUERY] = {new_static, 1, {CANARY_API_KEY}},
};

nexauth_status secret_source_new(enum secret_source kind, const struct secret_services *services,
                                 nexauth_session *session, nexauth_source **out, struct nexauth_error *error)
{
    return kinds[kind].make(kind, services, session, out, error);
}

size_t secret_source_canaries(enum secret_source kind, enum canary out[CANARY_KINDS])
{
    for (size_t i = 0; i < kinds[kind].count; i++)
        out[i] = kinds[kind].canaries[i];
    return kinds[kind].count;
}
