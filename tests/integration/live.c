#include "support/test.h"

#include "live.h"

#include <curl/curl.h>
#include <string.h>

struct emulator live_emulator;

int live_start(void **state)
{
    (void)state;
    return emulator_start(&live_emulator, NULL);
}

int live_stop(void **state)
{
    (void)state;
    return emulator_stop(&live_emulator);
}

nexauth_session *live_new_session(const struct nexauth_session_options *options)
{
    struct nexauth_session_options whole = options ? *options : (struct nexauth_session_options){0};
    nexauth_session *session = NULL;
    struct nexauth_error error = {0};

    if (!whole.ca_file)
        whole.ca_file = live_emulator.ca_file;
    if (nexauth_session_new(&whole, &session, &error) != NEXAUTH_OK)
        fail_msg("%s", error.message);
    return session;
}

int live_set_up(void **state)
{
    if (emulator_reset(&live_emulator))
        return -1;
    *state = live_new_session(NULL);
    return 0;
}

int live_tear_down(void **state)
{
    nexauth_session_free(*state);
    return 0;
}

static const char *or_else(const char *given, const char *fallback)
{
    return given ? given : fallback;
}

static nexauth_status new_nex(nexauth_session *session, const struct live_who *who, nexauth_source **out,
                              struct nexauth_error *error)
{
    const struct nexauth_nex_user_options user = {.client_id = or_else(who->id, "mycompany"),
                                                  .client_secret = or_else(who->secret, "abc123"),
                                                  .username = "myname",
                                                  .password = or_else(who->other, "xyz456"),
                                                  .scope = who->scope,
                                                  .origin = or_else(who->origin, live_emulator.nex_https),
                                                  .api_origins = who->api_origins,
                                                  .accept = who->mode};
    const struct nexauth_nex_controller_options controller = {.client_id = "5a5b",
                                                              .client_secret = or_else(who->secret, "abc123"),
                                                              .controller_id = or_else(who->id, "111aa"),
                                                              .controller_secret = or_else(who->other, "456"),
                                                              .scope = who->scope,
                                                              .origin = or_else(who->origin, live_emulator.nex_https),
                                                              .api_origins = who->api_origins,
                                                              .accept = who->mode};

    return who->kind == LIVE_NEX_USER ? nexauth_source_new_nex_user(session, &user, out, error)
                                      : nexauth_source_new_nex_controller(session, &controller, out, error);
}

static nexauth_status new_quantoz(nexauth_session *session, const struct live_who *who, nexauth_source **out,
                                  struct nexauth_error *error)
{
    const int test = who->kind == LIVE_QUANTOZ_TEST;
    const char *own_id = test ? "nexus-test-client" : "nexus-production-client";
    const char *own_secret = test ? "p&ss w+rd%=1" : "Pr0duct!on s3cret";
    const char *own_origin = test ? live_emulator.quantoz_test_https : live_emulator.quantoz_production_https;
    const char *own_api = test ? live_emulator.quantoz_test_api_https : live_emulator.quantoz_production_api_https;
    const struct nexauth_quantoz_options options = {
        .client_id = or_else(who->id, own_id),
        .client_secret = or_else(who->secret, own_secret),
        .scope = who->scope,
        .origin = or_else(who->origin, own_origin),
        .api_origins = or_else(who->api_origins, own_api),
        .environment = test ? NEXAUTH_QUANTOZ_TEST : NEXAUTH_QUANTOZ_PRODUCTION,
        .client_auth = who->mode,
    };

    return nexauth_source_new_quantoz(session, &options, out, error);
}

static nexauth_status new_app(nexauth_session *session, const struct live_who *who, nexauth_source **out,
                              struct nexauth_error *error)
{
    const struct nexauth_nexusguard_app_options options = {
        .app_id = or_else(who->id, LIVE_APP),
        .secret = or_else(who->secret, LIVE_SECRET),
        .origin = or_else(who->origin, live_emulator.nexusguard_https),
        .api_origins = who->api_origins};

    return nexauth_source_new_nexusguard_app(session, &options, out, error);
}

static nexauth_status new_user(nexauth_session *session, const struct live_who *who, nexauth_source **out,
                               struct nexauth_error *error)
{
    const struct nexauth_nexusguard_user_options options = {
        .app_id = or_else(who->id, LIVE_APP),
        .secret = or_else(who->secret, LIVE_SECRET),
        .redirect_uri = LIVE_REDIRECT,
        .customer_id = "C-1001",
        .xspe = or_else(who->other, "spe-portal"),
        .scope = who->scope,
        .origin = or_else(who->origin, live_emulator.nexusguard_https),
        .api_origins = who->api_origins,
        .web_handler = who->kind == LIVE_NEXUSGUARD_WEB,
    };

    return nexauth_source_new_nexusguard_user(session, &options, out, error);
}

static nexauth_status new_saved(nexauth_session *session, const struct live_who *who, nexauth_source **out,
                                struct nexauth_error *error)
{
    const struct nexauth_nexusguard_user_options options = {
        .app_id = or_else(who->id, LIVE_APP),
        .refresh_token = or_else(who->other, "refresh-of-nobody"),
        .origin = or_else(who->origin, live_emulator.nexusguard_https)};

    return nexauth_source_new_nexusguard_user(session, &options, out, error);
}

nexauth_status live_try_source(nexauth_session *session, const struct live_who *who, nexauth_source **out,
                               struct nexauth_error *error)
{
    static nexauth_status (*const makers[LIVE_KINDS])(nexauth_session *, const struct live_who *, nexauth_source **,
                                                      struct nexauth_error *) = {
        [LIVE_NEX_USER] = new_nex,         [LIVE_NEX_CONTROLLER] = new_nex,
        [LIVE_QUANTOZ_TEST] = new_quantoz, [LIVE_QUANTOZ_PRODUCTION] = new_quantoz,
        [LIVE_NEXUSGUARD_APP] = new_app,   [LIVE_NEXUSGUARD_USER] = new_user,
        [LIVE_NEXUSGUARD_WEB] = new_user,  [LIVE_NEXUSGUARD_SAVED] = new_saved,
    };

    return makers[who->kind](session, who, out, error);
}

nexauth_source *live_new_source(nexauth_session *session, const struct live_who *who)
{
    nexauth_source *source = NULL;
    struct nexauth_error error = {0};

    if (live_try_source(session, who, &source, &error) != NEXAUTH_OK)
        fail_msg("%s", error.message);
    return source;
}

nexauth_token *live_get(nexauth_source *source)
{
    nexauth_token *token = NULL;
    struct nexauth_error error = {0};

    if (nexauth_source_get_token(source, NULL, &token, &error) != NEXAUTH_OK)
        fail_msg("%s: %s", nexauth_status_name(error.status), error.message);
    return token;
}

nexauth_status live_get_status(nexauth_source *source, struct nexauth_error *error)
{
    nexauth_token *token = NULL;

    *error = (struct nexauth_error){0};
    const nexauth_status status = nexauth_source_get_token(source, NULL, &token, error);
    assert_int_equal(token == NULL, status != NEXAUTH_OK);
    assert_int_equal(error->status, status);
    nexauth_token_unref(token);
    return status;
}

nexauth_status live_ask(nexauth_session *session, const struct live_who *who, struct nexauth_error *error)
{
    nexauth_source *source = live_new_source(session, who);
    const nexauth_status status = live_get_status(source, error);

    nexauth_source_free(source);
    return status;
}

int live_tries(nexauth_source *source)
{
    struct nexauth_stats stats = {0};

    assert_int_equal(nexauth_source_stats(source, &stats, NULL), NEXAUTH_OK);
    return (int)stats.requests;
}

bool live_is_held(const struct nexauth_error *error, int64_t stated_ms)
{
    const bool denied = error->status == NEXAUTH_DENIED || error->status == NEXAUTH_CONFIG;
    const int64_t least_ms = denied ? 5000 : 1000;
    const int64_t most_ms = least_ms + least_ms / 5;

    if (error->status == NEXAUTH_OK)
        return true;
    if (stated_ms >= most_ms)
        return error->retry_after_ms == stated_ms;
    return error->retry_after_ms >= least_ms && error->retry_after_ms >= stated_ms && error->retry_after_ms <= most_ms;
}

int live_requests_at(const char *key)
{
    const int count = emulator_count(&live_emulator, key);

    assert_true(count >= 0);
    return count;
}

int live_requests(void)
{
    static const char *const keys[] = {"nex /v1.0/Token",
                                       "nex other",
                                       "quantoz_test /connect/token",
                                       "quantoz_test other",
                                       "quantoz_production /connect/token",
                                       "quantoz_production other",
                                       "nexusguard /oauth/credit/token",
                                       "nexusguard /oauth/connect",
                                       "nexusguard /oauth/access_token",
                                       "nexusguard /oauth/refresh_token",
                                       "nexusguard other"};
    int sum = 0;

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        sum += live_requests_at(keys[i]);
    return sum;
}

void live_fault(const char *json)
{
    assert_int_equal(emulator_fault(&live_emulator, json), 0);
}

char *live_connect_and_save(nexauth_session *session)
{
    const struct live_who who = {.kind = LIVE_NEXUSGUARD_USER};
    nexauth_source *source = live_new_source(session, &who);
    nexauth_token *token = live_get(source);
    char *saved = strdup(nexauth_token_refresh_token(token));

    nexauth_token_unref(token);
    nexauth_source_free(source);
    return saved;
}

char *live_browse(const char *url)
{
    CURL *curl = curl_easy_init();
    char *redirect = NULL;
    long status = 0;

    assert_non_null(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CAINFO, live_emulator.ca_file);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    assert_int_equal(curl_easy_perform(curl), CURLE_OK);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &redirect);
    assert_int_equal(status, 302);
    assert_non_null(redirect);
    redirect = strdup(redirect);
    curl_easy_cleanup(curl);
    return redirect;
}
