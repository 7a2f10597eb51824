#include "fuzz/flight.h"

#include "core/encode.h"

#include <stdio.h>
#include <string.h>

/* Awkward in every way of writing them. */
#define CLIENT     "Hush/client+secret=1"
#define PASSWORD   "Hush user's \"pass word\""
#define CONTROLLER "Hush&controller<secret>"
#define FAMILY     "Hush-controller-of-two\\"
#define BODY       "Hush*quantoz*body"
#define BASIC      "Hush client\xc3\xa9 basic"
#define APP        "Hush!app!secret!"
#define SECRET     "Hush%app\\secret"
#define XSPE       "Hush-xspe:of;the,portal"
#define SUPPLIED   "Hush.xspe|supplied"
#define REFRESH    "Hush_refresh~token"
#define STATIC     "Hush{static}token"

#define REDIRECT_URI "https://app.example/callback"

/* Of a kind that has one alone, it is both. */
static const char *const secrets[FLIGHT_KINDS][FLIGHT_SECRETS] = {
    {CLIENT, PASSWORD}, {FAMILY, CONTROLLER}, {BODY, BODY},   {BASIC, BASIC},   {APP, APP},
    {SECRET, XSPE},     {REFRESH, REFRESH},   {SECRET, XSPE}, {SECRET, SECRET}, {STATIC, STATIC},
};

static void add_form(struct nx_text *text, const char *secret, int form)
{
    if (form == 0)
        nx_text_add(text, secret);
    else if (form == 1)
        nx_add_percent(text, secret);
    else
        nx_add_base64(text, secret, strlen(secret));
}

static void write_secrets(struct flight *flight, unsigned int kind)
{
    for (int i = 0; i < FLIGHT_SECRETS; i++) {
        for (int form = 0; form < FLIGHT_FORMS; form++) {
            struct nx_text text;

            nx_text_init(&text, sizeof flight->secrets[i][form] - 1);
            add_form(&text, secrets[kind][i], form);
            HOLDS(!nx_text_failed(&text));
            memcpy(flight->secrets[i][form], nx_text_string(&text), text.length + 1);
            nx_text_release(&text);
        }
    }
}

static nexauth_status supply(void *context, char *xspe, size_t size)
{
    const struct flight *flight = context;

    if (!flight->supplies)
        return NEXAUTH_DENIED;
    snprintf(xspe, size, "%s", SUPPLIED);
    return NEXAUTH_OK;
}

static nexauth_status new_nex(nexauth_session *session, bool user, nexauth_source **out)
{
    const struct nexauth_nex_user_options of_user = {
        .client_id = "company", .client_secret = CLIENT, .username = "somebody", .password = PASSWORD};
    const struct nexauth_nex_controller_options of_controller = {.client_id = "family",
                                                                 .client_secret = FAMILY,
                                                                 .controller_id = "111aa",
                                                                 .controller_secret = CONTROLLER,
                                                                 .presentation = NEXAUTH_PRESENT_QUERY};

    return user ? nexauth_source_new_nex_user(session, &of_user, out, NULL)
                : nexauth_source_new_nex_controller(session, &of_controller, out, NULL);
}

static nexauth_status new_quantoz(nexauth_session *session, int client_auth, nexauth_source **out)
{
    const struct nexauth_quantoz_options options = {.client_id = "client",
                                                    .client_secret = client_auth ? BASIC : BODY,
                                                    .environment = NEXAUTH_QUANTOZ_TEST,
                                                    .client_auth = client_auth};

    return nexauth_source_new_quantoz(session, &options, out, NULL);
}

static nexauth_status new_app(nexauth_session *session, nexauth_source **out)
{
    const struct nexauth_nexusguard_app_options options = {.app_id = "app", .secret = APP};

    return nexauth_source_new_nexusguard_app(session, &options, out, NULL);
}

static nexauth_status new_user(struct flight *flight, unsigned int kind, nexauth_source **out)
{
    static const struct nexauth_code_meaning meanings[] = {{40001, NEXAUTH_REAUTH}, {-5, NEXAUTH_THROTTLED}};
    struct nexauth_nexusguard_user_options options = {.app_id = "app",
                                                      .secret = SECRET,
                                                      .redirect_uri = REDIRECT_URI,
                                                      .customer_id = "C-1001",
                                                      .meanings = meanings,
                                                      .meanings_count = sizeof meanings / sizeof *meanings};

    if (kind == 6) {
        options = (struct nexauth_nexusguard_user_options){.app_id = "app", .refresh_token = REFRESH};
        flight_note_handout(flight, REFRESH);
    } else if (kind == 8) {
        options.xspe_callback = supply;
        options.xspe_context = flight;
    } else {
        options.xspe = XSPE;
        options.web_handler = kind == 7;
    }
    return nexauth_source_new_nexusguard_user(flight->session, &options, out, NULL);
}

static nexauth_status new_static(nexauth_session *session, nexauth_source **out)
{
    const struct nexauth_static_options options = {
        .access_token = STATIC, .api_origins = "https://api.example", .expires_at = 2000003600};

    return nexauth_source_new_static(session, &options, out, NULL);
}

static nexauth_status new_of_kind(struct flight *flight, unsigned int kind, nexauth_source **out)
{
    switch (kind) {
    case 0:
    case 1:
        return new_nex(flight->session, kind == 0, out);
    case 2:
    case 3:
        return new_quantoz(flight->session, kind == 2 ? NEXAUTH_CLIENT_AUTH_BODY : NEXAUTH_CLIENT_AUTH_BASIC, out);
    case 4:
        return new_app(flight->session, out);
    case FLIGHT_STATIC:
        return new_static(flight->session, out);
    default:
        return new_user(flight, kind, out);
    }
}

void flight_new_source(struct flight *flight, unsigned int kind)
{
    flight->kind = kind % FLIGHT_KINDS;
    write_secrets(flight, flight->kind);
    HOLDS(new_of_kind(flight, flight->kind, &flight->source) == NEXAUTH_OK);
}
