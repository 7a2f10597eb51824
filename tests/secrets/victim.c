#include "victim.h"

#include "nexauth/curl.h"
#include "session/session.h"
#include "sources.h"
#include "support/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SOURCES = 16, ANSWER_SIZE = 1024 };

static struct victim_brief brief;
static struct script script;
static char answers[SOURCES][ANSWER_SIZE];
static char location[ANSWER_SIZE];

/* What the process has at hand. */
static struct victim {
    nexauth_session *session;
    nexauth_source *sources[SOURCES];
    nexauth_token *tokens[SOURCES];
    size_t source_count, token_count;
} victim;

static const char *canary(enum canary which)
{
    return brief.canaries.secrets[which];
}

/* Not by stdio, whose buffers keep what went through. */
static void say(const char *line)
{
    if (write(STDOUT_FILENO, line, strlen(line)) < 0 || write(STDOUT_FILENO, "\n", 1) < 0)
        _exit(3);
}

static void insist(nexauth_status status, const struct nexauth_error *error)
{
    if (status == NEXAUTH_OK)
        return;
    fprintf(stderr, "victim: %s: %s\n", nexauth_status_name(status), error->message);
    _exit(2);
}

static nexauth_token *get(nexauth_source *source)
{
    struct nexauth_error error = {0};
    nexauth_token *token = NULL;

    insist(nexauth_source_get_token(source, NULL, &token, &error), &error);
    say(nexauth_token_access_token(token));
    if (nexauth_token_refresh_token(token))
        say(nexauth_token_refresh_token(token));
    victim.tokens[victim.token_count++] = token;
    return token;
}

static struct secret_services services_of_brief(void)
{
    return (struct secret_services){&brief.canaries, brief.nex, brief.quantoz, brief.nexusguard};
}

static nexauth_source *keep(nexauth_status status, nexauth_source *source, const struct nexauth_error *error)
{
    insist(status, error);
    victim.sources[victim.source_count++] = source;
    return source;
}

static nexauth_source *new_source(enum secret_source kind)
{
    const struct secret_services services = services_of_brief();
    struct nexauth_error error = {0};
    nexauth_source *source = NULL;
    const nexauth_status status = secret_source_new(kind, &services, victim.session, &source, &error);

    return keep(status, source, &error);
}

static nexauth_source *new_customer(const char *refresh_token)
{
    const struct secret_services services = services_of_brief();
    struct nexauth_error error = {0};
    nexauth_source *source = NULL;
    const nexauth_status status = secret_customer_new(refresh_token, &services, victim.session, &source, &error);

    return keep(status, source, &error);
}

/* A source that does not ask, as it was told what an earlier process had. */
static void restore(const nexauth_token *token)
{
    const struct nexauth_saved_token saved = {.access_token = nexauth_token_access_token(token),
                                              .refresh_token = nexauth_token_refresh_token(token),
                                              .obtained_at = nexauth_token_obtained_at(token),
                                              .expires_at = nexauth_token_expires_at(token),
                                              .lifetime_s = nexauth_token_lifetime_s(token)};
    struct nexauth_error error = {0};
    nexauth_source *source = new_source(SECRET_SAVED);

    insist(nexauth_source_restore_token(source, &saved, &error), &error);
    get(source);
}

static void be_refused(void)
{
    nexauth_source *source = new_source(SECRET_STRANGER);
    nexauth_token *token = NULL;

    if (nexauth_source_get_token(source, NULL, &token, NULL) != NEXAUTH_DENIED)
        _exit(4);
}

static size_t drop(const char *bytes, size_t size, size_t count, void *context)
{
    (void)bytes;
    (void)context;
    return size * count;
}

/* The handle ends with the call, as libcurl keeps the last URL in it. */
static void perform(nexauth_source *source, const char *origin, const char *path)
{
    char url[256];
    const struct nexauth_perform_options options = {.url = url};
    struct nexauth_error error = {0};
    CURL *easy = curl_easy_init();

    snprintf(url, sizeof url, "%s%s", origin, path);
    curl_easy_setopt(easy, CURLOPT_CAINFO, brief.ca_file);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop);
    insist(nexauth_perform(source, easy, &options, &error), &error);
    curl_easy_cleanup(easy);
}

/* A session that is told of a client's key and goes nowhere: what libcurl and those below it do with one is theirs. */
static void be_told_of_key(void)
{
    const struct nexauth_session_options options = {.client_cert_file = brief.key_file,
                                                    .client_key_file = brief.key_file};
    nexauth_session *session = NULL;
    struct nexauth_error error = {0};

    insist(nexauth_session_new(&options, &session, &error), &error);
    nexauth_session_free(session);
}

static void live_on_https(void)
{
    const struct nexauth_session_options options = {.ca_file = brief.ca_file};
    struct nexauth_error error = {0};
    nexauth_source *by_query;
    nexauth_source *app;
    nexauth_token *token;

    if (brief.world == VICTIM_HTTPS_HARDENED)
        insist(nexauth_process_harden(&error), &error);
    insist(nexauth_session_new(&options, &victim.session, &error), &error);
    get(new_source(SECRET_NEX_USER));
    by_query = new_source(SECRET_NEX_QUERY);
    get(by_query);
    get(new_source(SECRET_CONTROLLER));
    get(new_source(SECRET_QUANTOZ));
    get(new_source(SECRET_QUANTOZ_BASIC));
    app = new_source(SECRET_APP);
    get(app);
    token = get(new_source(SECRET_CUSTOMER));
    restore(token);
    get(new_customer(nexauth_token_refresh_token(token)));
    get(new_source(SECRET_STATIC));
    be_refused();
    perform(victim.sources[0], brief.nex, "/v1.0/Controller");
    perform(by_query, brief.nex, "/v1.0/Controller");
    perform(app, brief.nexusguard, "/api/spe/customers");
}

/* An answer with the tokens of the script's services. */
static void answer(const char *format)
{
    static size_t used;
    char *body = answers[used++];
    char access[CANARY_NEEDLE];
    char refresh[CANARY_NEEDLE];

    canary_word(canary(CANARY_ACCESS_TOKEN), CANARY_IN_JSON, access, sizeof access);
    canary_word(canary(CANARY_NEXT_REFRESH_TOKEN), CANARY_IN_JSON, refresh, sizeof refresh);
    snprintf(body, ANSWER_SIZE, format, access, refresh); /* NOLINT(clang-diagnostic-format-nonliteral) */
    script_answer(&script, (struct script_answer){.status = 200, .body = body});
    explicit_bzero(access, sizeof access);
    explicit_bzero(refresh, sizeof refresh);
}

static void answer_redirect(void)
{
    char code[CANARY_NEEDLE];

    canary_word(canary(CANARY_CODE), CANARY_IN_URL, code, sizeof code);
    snprintf(location, sizeof location, "https://app.example.com/callback?code=%s&state={state}", code);
    script_answer(&script, (struct script_answer){.status = 302, .location = location});
    explicit_bzero(code, sizeof code);
}

/* A source that has a code and nobody who asks for its token. */
static void bring_code(void)
{
    nexauth_source *source = new_source(SECRET_WEB);
    nexauth_authorization *authorization = NULL;
    struct nexauth_error error = {0};
    char code[CANARY_NEEDLE];
    char url[ANSWER_SIZE];

    insist(nexauth_source_authorize(source, &authorization, &error), &error);
    canary_word(canary(CANARY_CODE), CANARY_IN_URL, code, sizeof code);
    snprintf(url, sizeof url, "/callback?code=%s&state=%s", code, nexauth_authorization_state(authorization));
    insist(nexauth_source_accept_redirect(source, url, nexauth_authorization_state(authorization), &error), &error);
    nexauth_authorization_free(authorization);
    explicit_bzero(code, sizeof code);
    explicit_bzero(url, sizeof url);
}

#define NEX_TOKEN "{\"access_token\":\"%s\",\"expires_in\":3600,\"token_type\":\"Bearer\"}"
#define ENVELOPE                                                                                                       \
    "{\"code\":0,\"msg\":\"success\",\"result\":{\"access_token\":\"%s\",\"expires_in\":100,\"refresh_token\":\"%s\"}" \
    "}"

static void live_on_a_script(void)
{
    const struct nexauth_session_options options = {.exchange_timeout_ms = 30000, .max_answer_bytes = 65536};
    struct nexauth_error error = {0};
    struct nx_world world;

    script_init(&script);
    world = script_world(&script);
    insist(nx_session_new_in(&world, &options, &victim.session, &error), &error);
    answer(NEX_TOKEN);
    get(new_source(SECRET_NEX_USER));
    answer(NEX_TOKEN);
    get(new_source(SECRET_CONTROLLER));
    answer(NEX_TOKEN);
    get(new_source(SECRET_QUANTOZ));
    answer(NEX_TOKEN);
    get(new_source(SECRET_QUANTOZ_BASIC));
    answer(ENVELOPE);
    get(new_source(SECRET_APP));
    answer_redirect();
    answer(ENVELOPE);
    restore(get(new_source(SECRET_CUSTOMER)));
    answer(ENVELOPE);
    get(new_source(SECRET_SAVED));
    get(new_source(SECRET_STATIC));
    bring_code();
    new_source(SECRET_SAVED); /* and asks for nothing */
    script_answer(&script, (struct script_answer){.status = 400, .body = "{\"error\":\"invalid_grant\"}"});
    be_refused();
    explicit_bzero(script.texts, script.texts_size);
    explicit_bzero(answers, sizeof answers);
    explicit_bzero(location, sizeof location);
}

static void end(void)
{
    for (size_t i = 0; i < victim.token_count; i++)
        nexauth_token_unref(victim.tokens[i]);
    for (size_t i = 0; i < victim.source_count; i++)
        nexauth_source_free(victim.sources[i]);
    nexauth_session_free(victim.session);
    if (brief.world == VICTIM_SCRIPTED)
        script_release(&script);
}

static void rest(void)
{
    char go;

    say("");
    if (read(STDIN_FILENO, &go, 1) != 1)
        _exit(5);
}

int victim_live(void)
{
    for (size_t got = 0; got < sizeof brief;) {
        const ssize_t more = read(STDIN_FILENO, (char *)&brief + got, sizeof brief - got);

        if (more <= 0)
            return 5;
        got += (size_t)more;
    }
    if (brief.world == VICTIM_SCRIPTED)
        live_on_a_script();
    else
        live_on_https();
    be_told_of_key();
    explicit_bzero(&brief.canaries, sizeof brief.canaries);
    rest();
    end();
    rest();
    return 0;
}
