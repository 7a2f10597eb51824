#include "scenes_https.h"

#include "nexauth/curl.h"
#include "sources.h"

#include <curl/curl.h>
#include <stdio.h>

struct stage {
    const struct emulator *emulator;
    struct record *record;
    nexauth_session *session;
    struct secret_services services;
};

static size_t drop(const char *bytes, size_t size, size_t count, void *context)
{
    (void)bytes;
    (void)context;
    return size * count;
}

static int do_nothing(void *context)
{
    (void)context;
    return 0;
}

static nexauth_status perform(const struct stage *stage, nexauth_source *source, const char *url)
{
    const struct nexauth_perform_options options = {.url = url, .rewind = do_nothing, .timeout_ms = 2000};
    struct nexauth_error error = {0};
    CURL *easy = curl_easy_init();
    nexauth_status status;

    curl_easy_setopt(easy, CURLOPT_CAINFO, stage->emulator->ca_file);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, 1000L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop);
    status = nexauth_perform(source, easy, &options, &error);
    curl_easy_cleanup(easy);
    record_error(stage->record, &error);
    return status;
}

static void note_permit(void *context, nexauth_permit *permit, const struct nexauth_error *error)
{
    struct record *record = context;

    if (error)
        record_error(record, error);
    nexauth_permit_free(permit);
}

/* Takes permits, and tells of each status. */
static void take_permits(const struct stage *stage, nexauth_source *source, const char *url)
{
    static const int statuses[] = {200, 401, 401, 403, 503, 429, 200};
    const struct nexauth_permit_options options = {.url = url, .timeout_ms = 100};
    struct nexauth_error error = {0};

    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        const struct nexauth_answer answer = {.http_status = statuses[i], .content_type = "text/html"};
        nexauth_permit *permit = NULL;

        nexauth_permit_begin(source, &options, &permit, &error);
        record_error(stage->record, &error);
        nexauth_permit_end(permit, &answer, &error);
        record_error(stage->record, &error);
        nexauth_permit_free(permit);
    }
    nexauth_permit_start(source, &options, note_permit, stage->record, NULL, &error);
    nexauth_session_poll(stage->session, 100, &error);
    record_error(stage->record, &error);
}

static nexauth_source *new_source(const struct stage *stage, enum secret_source kind)
{
    struct nexauth_error error = {0};
    nexauth_source *source = NULL;

    secret_source_new(kind, &stage->services, stage->session, &source, &error);
    record_error(stage->record, &error);
    return source;
}

/* `path`: of the API at the origin of the tokens; NULL: there is none. */
static bool succeed(const struct stage *stage, enum secret_source kind, const char *origin, const char *path)
{
    nexauth_source *source = new_source(stage, kind);
    bool good = record_get(stage->record, source) == NEXAUTH_OK;
    char url[256];

    snprintf(url, sizeof url, "%s%s", origin, path ? path : "/");
    record_poll(stage->record, stage->session, &source, 1);
    if (path)
        good = perform(stage, source, url) == NEXAUTH_OK && good;
    record_figures(stage->record, stage->session, source);
    nexauth_source_free(source);
    return good;
}

/* Services that cannot be talked to, or not to an end. All sources ask at once. */
static void fail_at(const struct stage *stage, const char *origin)
{
    const struct secret_services nowhere = {stage->services.canaries, origin, origin, origin};
    nexauth_source *sources[SECRET_SOURCES] = {0};
    char url[256];

    snprintf(url, sizeof url, "%s/v1.0/Controller", origin);
    for (int kind = 0; kind < SECRET_SOURCES; kind++) {
        struct nexauth_error error = {0};

        secret_source_new((enum secret_source)kind, &nowhere, stage->session, &sources[kind], &error);
        record_error(stage->record, &error);
    }
    record_poll(stage->record, stage->session, sources, SECRET_SOURCES);
    for (int kind = SECRET_STATIC; kind < SECRET_SOURCES; kind++) {
        perform(stage, sources[kind], url);
        take_permits(stage, sources[kind], url);
    }
    for (int kind = 0; kind < SECRET_SOURCES; kind++) {
        record_figures(stage->record, stage->session, sources[kind]);
        nexauth_source_free(sources[kind]);
    }
}

bool scenes_on_https(const struct canaries *canaries, const struct emulator *emulator, struct record *record)
{
    const struct nexauth_session_options options = {.ca_file = emulator->ca_file,
                                                    .connect_timeout_ms = 1000,
                                                    .event_callback = record_event,
                                                    .event_context = record};
    struct stage stage = {emulator,
                          record,
                          NULL,
                          {canaries, emulator->nex_https, emulator->quantoz_test_https, emulator->nexusguard_https}};
    const char *const nowhere[] = {emulator->tls_expired,    emulator->tls_wrong_name,
                                   emulator->tls_unknown_ca, emulator->tls_closes_after_request,
                                   emulator->tls_plain_text, "https://127.0.0.1:1"};
    bool good = nexauth_session_new(&options, &stage.session, NULL) == NEXAUTH_OK;

    if (!good)
        return false;
    good = succeed(&stage, SECRET_NEX_USER, emulator->nex_https, "/v1.0/Controller") && good;
    good = succeed(&stage, SECRET_NEX_QUERY, emulator->nex_https, "/v1.0/Controller") && good;
    good = succeed(&stage, SECRET_CONTROLLER, emulator->nex_https, "/v1.0/Controller") && good;
    good = succeed(&stage, SECRET_QUANTOZ, emulator->quantoz_test_https, NULL) && good;
    good = succeed(&stage, SECRET_QUANTOZ_BASIC, emulator->quantoz_test_https, NULL) && good;
    good = succeed(&stage, SECRET_APP, emulator->nexusguard_https, "/api/spe/customers") && good;
    good = succeed(&stage, SECRET_CUSTOMER, emulator->nexusguard_https, "/api/spe/customers") && good;
    succeed(&stage, SECRET_STRANGER, emulator->nex_https, NULL);
    succeed(&stage, SECRET_SAVED, emulator->nexusguard_https, NULL);
    succeed(&stage, SECRET_STATIC, emulator->nex_https, "/v1.0/Controller");
    for (size_t i = 0; i < sizeof nowhere / sizeof *nowhere; i++)
        fail_at(&stage, nowhere[i]);
    nexauth_session_free(stage.session);
    return good;
}
