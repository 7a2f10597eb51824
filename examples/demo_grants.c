/* The table of tokens: one row for each way to a token. */
#include "demo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef NEXAUTH_XML
enum { READS_XML = 1 };
#else
enum { READS_XML = 0 };
#endif

enum { CACHED_GETS = 1000, TOKEN_BYTES_SHOWN = 4 };

static nexauth_status make_nex_user(const struct demo *demo, nexauth_session *session, int choice, nexauth_source **out,
                                    struct nexauth_error *error)
{
    struct nexauth_nex_user_options who = demo_nex_user(demo);

    who.accept = choice;
    return nexauth_source_new_nex_user(session, &who, out, error);
}

static nexauth_status make_nex_controller(const struct demo *demo, nexauth_session *session, int choice,
                                          nexauth_source **out, struct nexauth_error *error)
{
    struct nexauth_nex_controller_options who = demo_nex_controller(demo);

    who.accept = choice;
    return nexauth_source_new_nex_controller(session, &who, out, error);
}

static nexauth_status make_quantoz_test(const struct demo *demo, nexauth_session *session, int choice,
                                        nexauth_source **out, struct nexauth_error *error)
{
    struct nexauth_quantoz_options who = demo_quantoz_test(demo);

    who.client_auth = choice;
    return nexauth_source_new_quantoz(session, &who, out, error);
}

static nexauth_status make_quantoz_production(const struct demo *demo, nexauth_session *session, int choice,
                                              nexauth_source **out, struct nexauth_error *error)
{
    struct nexauth_quantoz_options who = demo_quantoz_production(demo);

    who.client_auth = choice;
    return nexauth_source_new_quantoz(session, &who, out, error);
}

static nexauth_status make_nexusguard_app(const struct demo *demo, nexauth_session *session, int choice,
                                          nexauth_source **out, struct nexauth_error *error)
{
    const struct nexauth_nexusguard_app_options who = demo_nexusguard_app(demo);

    (void)choice;
    return nexauth_source_new_nexusguard_app(session, &who, out, error);
}

static nexauth_status make_connecting_user(const struct demo *demo, nexauth_session *session, int choice,
                                           nexauth_source **out, struct nexauth_error *error)
{
    const struct nexauth_nexusguard_user_options who = demo_nexusguard_user(demo);

    (void)choice;
    return nexauth_source_new_nexusguard_user(session, &who, out, error);
}

static nexauth_status make_saved_user(const struct demo *demo, nexauth_session *session, int choice,
                                      nexauth_source **out, struct nexauth_error *error)
{
    const struct nexauth_nexusguard_user_options who = demo_nexusguard_saved_user(demo);

    (void)choice;
    return nexauth_source_new_nexusguard_user(session, &who, out, error);
}

/* What a web application does: sends the browser away, and takes the redirect when the browser comes back with it. */
static nexauth_status authorize(const struct demo *demo, nexauth_source *source, struct nexauth_error *error)
{
    nexauth_authorization *authorization = NULL;
    char redirect[1024] = "";
    nexauth_status status = nexauth_source_authorize(source, &authorization, error);

    if (status)
        return status;
    demo_emulator_browse(&demo->emulator, nexauth_authorization_url(authorization), redirect, sizeof redirect);
    status = nexauth_source_accept_redirect(source, redirect, nexauth_authorization_state(authorization), error);
    nexauth_authorization_free(authorization);
    return status;
}

static nexauth_status make_web_user(const struct demo *demo, nexauth_session *session, int choice, nexauth_source **out,
                                    struct nexauth_error *error)
{
    struct nexauth_nexusguard_user_options who = demo_nexusguard_user(demo);
    nexauth_status status;

    (void)choice;
    who.web_handler = 1;
    status = nexauth_source_new_nexusguard_user(session, &who, out, error);
    return status ? status : authorize(demo, *out, error);
}

static nexauth_status make_static(const struct demo *demo, nexauth_session *session, int choice, nexauth_source **out,
                                  struct nexauth_error *error)
{
    const struct nexauth_static_options key = {.access_token = "key-of-the-demo", .presentation = choice};

    (void)demo;
    return nexauth_source_new_static(session, &key, out, error);
}

struct row {
    const char *vendor;
    const char *grant;
    const char *endpoint;
    const char *encoding;
    demo_maker *make;
    int choice;
    bool in_query;      /* how the token is presented */
    bool xml;           /* needs a library that reads XML */
    int64_t lifetime_s; /* 0: no known end */
};

#define NEX        "NEX", .endpoint = "/v1.0/Token", .lifetime_s = 1209600
#define QUANTOZ    "Quantoz", .endpoint = "/connect/token", .lifetime_s = 3600
#define NEXUSGUARD "Nexusguard", .encoding = "form", .in_query = true, .lifetime_s = 7200

static const struct row rows[] = {
    {NEX, .grant = "user", .encoding = "JSON → JSON", .make = make_nex_user, .choice = NEXAUTH_ACCEPT_JSON},
    {NEX, .grant = "user", .encoding = "JSON → XML", .make = make_nex_user, .choice = NEXAUTH_ACCEPT_XML, .xml = true},
    {NEX, .grant = "controller", .encoding = "JSON → JSON", .make = make_nex_controller, .choice = NEXAUTH_ACCEPT_JSON},
    {NEX, .grant = "controller", .encoding = "JSON → XML", .make = make_nex_controller, .choice = NEXAUTH_ACCEPT_XML,
     .xml = true},
    {QUANTOZ, .grant = "client, test", .encoding = "form", .make = make_quantoz_test},
    {QUANTOZ, .grant = "client, test", .encoding = "form, Basic", .make = make_quantoz_test,
     .choice = NEXAUTH_CLIENT_AUTH_BASIC},
    {QUANTOZ, .grant = "client, test", .encoding = "form, raw Basic", .make = make_quantoz_test,
     .choice = NEXAUTH_CLIENT_AUTH_BASIC_RAW},
    {QUANTOZ, .grant = "client, production", .encoding = "form", .make = make_quantoz_production},
    {QUANTOZ, .grant = "client, production", .encoding = "form, Basic", .make = make_quantoz_production,
     .choice = NEXAUTH_CLIENT_AUTH_BASIC},
    {QUANTOZ, .grant = "client, production", .encoding = "form, raw Basic", .make = make_quantoz_production,
     .choice = NEXAUTH_CLIENT_AUTH_BASIC_RAW},
    {NEXUSGUARD, .grant = "app", .endpoint = "/oauth/credit/token", .make = make_nexusguard_app},
    {NEXUSGUARD, .grant = "user, connect", .endpoint = "/oauth/access_token", .make = make_connecting_user},
    {NEXUSGUARD, .grant = "user, refresh", .endpoint = "/oauth/refresh_token", .make = make_saved_user},
    {NEXUSGUARD, .grant = "user, web handler", .endpoint = "/oauth/access_token", .make = make_web_user},
    {"any", .grant = "static", .endpoint = "-", .encoding = "-", .make = make_static},
};

static const struct demo_column columns[] = {
    {"vendor", 10}, {"grant", 18}, {"endpoint", 20},     {"encoding", 15}, {"first", -7},
    {"cached", -7}, {"ends", -7},  {"presented as", 19}, {NULL, 0},
};

static const char *const notes[] = {
    "first: with the connection and its TLS handshake where there was none. cached: the mean of 1000 gets.",
    "Bearer: in an Authorization header. Nexusguard's token is a part of the URL.",
    NULL,
};

/* What came of a row, as it is shown. */
struct result {
    const char *surprise; /* NULL when all is as expected */
    struct nexauth_error error;
    char first[16];
    char cached[16];
    char ends[16];
    char presented[48];
};

/* Only the token's first bytes are shown: it begins behind the last `separator`. */
static void shorten(const char *prefix, const char *text, char separator, char *out, size_t size)
{
    const char *token = strrchr(text, separator);
    const int length = token ? (int)(token + 1 - text) + TOKEN_BYTES_SHOWN : 0;

    snprintf(out, size, "%s%.*s…", prefix, length, text);
}

static void show_presentation(const nexauth_token *token, struct result *result)
{
    static const char name[] = "Authorization: ";
    const char *header = nexauth_token_header(token);

    if (header)
        shorten("", header + strlen(name), ' ', result->presented, sizeof result->presented);
    else
        shorten("?", nexauth_token_query(token), '=', result->presented, sizeof result->presented);
}

static void show_end(const nexauth_token *token, struct result *result)
{
    const int64_t ends_at = nexauth_token_expires_at(token);
    const double left_h = (double)(ends_at - (int64_t)time(NULL)) / 3600;

    if (ends_at == 0)
        snprintf(result->ends, sizeof result->ends, "never");
    else if (left_h < 48)
        snprintf(result->ends, sizeof result->ends, "in %.0f h", left_h);
    else
        snprintf(result->ends, sizeof result->ends, "in %.0f d", left_h / 24);
}

static void show_duration(double ns, char *out, size_t size)
{
    if (ns < 1e4)
        snprintf(out, size, "%.0f ns", ns);
    else if (ns < 1e6)
        snprintf(out, size, "%.0f µs", ns / 1e3);
    else
        snprintf(out, size, "%.1f ms", ns / 1e6);
}

/* A token that was not cached would be another one. */
static bool check_cached(nexauth_source *source, const nexauth_token *first, struct result *result)
{
    const int64_t begun_ns = demo_now_ns();
    bool same = true;

    for (int i = 0; i < CACHED_GETS && same; i++) {
        nexauth_token *token = NULL;

        same = nexauth_source_get_token(source, NULL, &token, &result->error) == NEXAUTH_OK &&
               strcmp(nexauth_token_access_token(token), nexauth_token_access_token(first)) == 0;
        nexauth_token_unref(token);
    }
    show_duration((double)(demo_now_ns() - begun_ns) / CACHED_GETS, result->cached, sizeof result->cached);
    return same;
}

static void check_token(const struct row *row, nexauth_source *source, const nexauth_token *token,
                        struct result *result)
{
    show_end(token, result);
    show_presentation(token, result);
    if (!check_cached(source, token, result))
        result->surprise = "the cached token is not the first one";
    else if (nexauth_token_lifetime_s(token) != row->lifetime_s)
        result->surprise = "the lifetime is not the vendor's";
    else if ((nexauth_token_query(token) != NULL) != row->in_query)
        result->surprise = "the token is presented in another vendor's way";
}

/* The newest refresh token is the only one that still serves. */
static void save_refresh_token(struct demo *demo, const nexauth_token *token)
{
    const char *refresh_token = nexauth_token_refresh_token(token);

    if (refresh_token)
        snprintf(demo->refresh_token, sizeof demo->refresh_token, "%s", refresh_token);
}

static void get_first(struct demo *demo, const struct row *row, nexauth_source *source, struct result *result)
{
    const int64_t begun_ns = demo_now_ns();
    nexauth_token *token = NULL;

    if (nexauth_source_get_token(source, NULL, &token, &result->error)) {
        result->surprise = result->error.message;
        return;
    }
    show_duration((double)(demo_now_ns() - begun_ns), result->first, sizeof result->first);
    check_token(row, source, token, result);
    save_refresh_token(demo, token);
    nexauth_token_unref(token);
}

static void run_row(struct demo *demo, nexauth_session *session, const struct row *row, struct result *result)
{
    const nexauth_status expected = row->xml && !READS_XML ? NEXAUTH_INVALID : NEXAUTH_OK;
    nexauth_source *source = NULL;
    const nexauth_status status = row->make(demo, session, row->choice, &source, &result->error);

    if (status != expected)
        result->surprise = status ? result->error.message : "a library without XML took a request for XML";
    else if (!status)
        get_first(demo, row, source, result);
    else
        snprintf(result->presented, sizeof result->presented, "(built without XML)");
    nexauth_source_free(source);
}

static void show_row(struct demo *demo, nexauth_session *session, const struct row *row)
{
    struct result result = {0};

    run_row(demo, session, row, &result);
    demo->rows++;
    demo->surprises += result.surprise != NULL;
    demo_table_row(!result.surprise, columns,
                   (const char *const[]){row->vendor, row->grant, row->endpoint, row->encoding, result.first,
                                         result.cached, result.ends, result.presented});
    if (result.surprise)
        printf("   surprise: %s%s%s\n", result.error.status ? nexauth_status_name(result.error.status) : "",
               result.error.status ? ": " : "", result.surprise);
}

void demo_show_grants(struct demo *demo)
{
    const struct nexauth_session_options settings = {.ca_file = demo->emulator.ca_file};
    struct nexauth_error error = {0};
    nexauth_session *session = NULL;

    if (nexauth_session_new(&settings, &session, &error)) {
        fprintf(stderr, "%s\n", error.message);
        demo->surprises++;
        return;
    }
    demo_table_begin("Tokens of an emulator, over https", columns);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        show_row(demo, session, &rows[i]);
    demo_table_end(columns, notes);
    nexauth_session_free(session);
}
