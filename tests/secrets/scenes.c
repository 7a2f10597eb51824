#include "scenes.h"

#include "session/session.h"
#include "support/script.h"

#include <stdio.h>
#include <string.h>

enum { FORGOTTEN_MS = 3 * 3600000, LIFETIME_MS = 100000, LATE_MS = LIFETIME_MS - 2000, ANSWER_SIZE = 2048 };

/* A session in a world of its own. */
struct stage {
    struct script script;
    struct record *record;
    nexauth_session *session;
    struct secret_services services;
};

static bool set_stage(struct stage *stage, const struct canaries *canaries, struct record *record)
{
    const struct nexauth_session_options options = {.exchange_timeout_ms = 30000,
                                                    .max_answer_bytes = 65536,
                                                    .event_callback = record_event,
                                                    .event_context = record};
    struct nx_world world;

    stage->record = record;
    stage->services = (struct secret_services){canaries, "https://nex.example", "https://quantoz.example",
                                               "https://nexusguard.example"};
    script_init(&stage->script);
    world = script_world(&stage->script);
    return nx_session_new_in(&world, &options, &stage->session, NULL) == NEXAUTH_OK;
}

static void clear_stage(struct stage *stage)
{
    nexauth_session_free(stage->session);
    script_release(&stage->script);
}

static nexauth_source *new_source(struct stage *stage, enum secret_source kind)
{
    struct nexauth_error error = {0};
    nexauth_source *source = NULL;

    secret_source_new(kind, &stage->services, stage->session, &source, &error);
    record_error(stage->record, &error);
    return source;
}

/* Where a service may say something: the %s. */
static const struct place {
    int status;
    int within;       /* how the body words text, as canary_word() has it */
    const char *body; /* NULL: the text stands in a header */
} places[] = {
    {400, CANARY_IN_JSON, "{\"error\":\"%s\"}"},
    {400, CANARY_IN_JSON, "{\"error\":\"invalid_grant\",\"error_description\":\"wrong: %s!\"}"},
    {400, CANARY_IN_JSON, "{\"error\":\"invalid_client\",\"error_description\":\"%s\",\"error_uri\":\"%s\"}"},
    {400, CANARY_IN_JSON, "{\"Message\":\"The request is invalid: %s\"}"},
    {400, CANARY_IN_JSON,
     "{\"Message\":\"The request is invalid.\",\"ModelState\":{\"r.password\":[\"%s is wrong\"]}}"},
    {200, CANARY_IN_JSON, "{\"code\":40001,\"msg\":\"%s\",\"result\":[]}"},
    {200, CANARY_IN_JSON, "{\"code\":40001,\"msg\":\"no\",\"error\":\"%s\",\"result\":{\"error_description\":\"%s\"}}"},
    {200, CANARY_IN_JSON, "{\"access_token\":\"%s with blanks\",\"expires_in\":3600}"},
    {200, CANARY_IN_JSON, "{\"access_token\":\"%s\",\"error\":\"%s\",\"error_description\":\"no %s\"}"},
    {200, CANARY_IN_JSON, "{\"access_token\":\"%s\",\"expires_in\":"},
    {500, CANARY_IN_HTML, "<html><body>%s</body></html>"},
    {401, 0, "%s"},
#ifdef NEXAUTH_XML
    {400, CANARY_IN_HTML, "<Error><Message>%s</Message><ModelState><r.password>%s</r.password></ModelState></Error>"},
#endif
    {302, CANARY_IN_URL, NULL},
    {429, 0, NULL},
};

/* The next answers, to the end of the scene, say this. */
static void answer_at(struct stage *stage, const struct place *place, const char *said)
{
    static char text[ANSWER_SIZE];
    char worded[ANSWER_SIZE / 4];
    struct script_answer answer = {.status = place->status};

    canary_word(said, place->within, worded, sizeof worded);
    if (place->body)
        snprintf(text, sizeof text, place->body, worded, worded, worded); /* NOLINT(clang-diagnostic-format*) */
    else if (place->status == 302)
        snprintf(text, sizeof text, "https://app.example.com/callback?error=%s&error_description=%s&state={state}",
                 worded, worded);
    else
        snprintf(text, sizeof text, "%s", worded);
    if (place->body)
        answer.body = text;
    else if (place->status == 302)
        answer.location = text;
    else
        answer.retry_after = text;
    script_answer_always(&stage->script, answer);
}

static void answer_redirect(struct stage *stage)
{
    static char location[ANSWER_SIZE];
    char code[CANARY_NEEDLE];

    canary_word(stage->services.canaries->secrets[CANARY_CODE], CANARY_IN_URL, code, sizeof code);
    snprintf(location, sizeof location, "https://app.example.com/callback?code=%s&state={state}", code);
    script_answer(&stage->script, (struct script_answer){.status = 302, .location = location});
}

/* A web handler brings what the browser came with. */
static void accept(struct stage *stage, nexauth_source *source, const char *query, const char *said)
{
    nexauth_authorization *authorization = NULL;
    struct nexauth_error error = {0};
    char worded[CANARY_NEEDLE * 3];
    char url[ANSWER_SIZE];

    nexauth_source_authorize(source, &authorization, &error);
    record_error(stage->record, &error);
    canary_word(said, CANARY_IN_URL, worded, sizeof worded);
    snprintf(url, sizeof url, "/callback?%s=%s&state=%s", query, worded, nexauth_authorization_state(authorization));
    error = (struct nexauth_error){0};
    nexauth_source_accept_redirect(source, url, nexauth_authorization_state(authorization), &error);
    record_error(stage->record, &error);
    error = (struct nexauth_error){0};
    nexauth_source_accept_redirect(source, url, "another state", &error);
    record_error(stage->record, &error);
    nexauth_authorization_free(authorization);
}

/* Gives what the services give. */
static void answer_token(struct stage *stage, enum secret_source kind)
{
    static char body[ANSWER_SIZE];
    char access[CANARY_NEEDLE];
    char refresh[CANARY_NEEDLE];

    canary_word(stage->services.canaries->secrets[CANARY_ACCESS_TOKEN], CANARY_IN_JSON, access, sizeof access);
    canary_word(stage->services.canaries->secrets[CANARY_NEXT_REFRESH_TOKEN], CANARY_IN_JSON, refresh, sizeof refresh);
    if (kind >= SECRET_APP && kind < SECRET_STATIC)
        snprintf(body, sizeof body,
                 "{\"code\":0,\"result\":{\"access_token\":\"%s\",\"refresh_token\":\"%s\",\"expires_in\":100}}",
                 access, refresh);
    else
        snprintf(body, sizeof body, "{\"access_token\":\"%s\",\"expires_in\":100}", access);
    script_answer_always(&stage->script, (struct script_answer){.status = 200, .body = body});
}

/* From here on the source gets a token when it asks for one. */
static void lead_to_token(struct stage *stage, nexauth_source *source, enum secret_source kind)
{
    if (kind == SECRET_CUSTOMER)
        answer_redirect(stage);
    if (kind == SECRET_WEB)
        accept(stage, source, "code", stage->services.canaries->secrets[CANARY_CODE]);
    answer_token(stage, kind);
}

/* What a source is when a service says one of its secrets back. */
enum plight { FIRST, LATE, EXPIRED, REJECTED, PLIGHTS };

/* A code is no secret before it has come. */
static void authorize(struct stage *stage, nexauth_source *source, enum secret_source kind, enum canary which,
                      const char *said)
{
    if (kind == SECRET_WEB) {
        if (which != CANARY_CODE)
            accept(stage, source, "error", said);
        accept(stage, source, "code", stage->services.canaries->secrets[CANARY_CODE]);
    } else if (kind == SECRET_CUSTOMER && which != CANARY_XSPE) {
        answer_redirect(stage);
    }
}

/* The source has had a token, which it still has, or has no more. */
static void have_had_a_token(struct stage *stage, nexauth_source *source, enum secret_source kind, enum plight plight)
{
    nexauth_token *token = NULL;

    lead_to_token(stage, source, kind);
    nexauth_source_get_token(source, NULL, &token, NULL);
    if (plight == REJECTED)
        nexauth_source_reject_token(source, token, NULL);
    else
        script_pass_ms(&stage->script, plight == LATE ? LATE_MS : LIFETIME_MS);
    nexauth_token_unref(token);
}

/* Asks thrice: the refusal, what is remembered of it, and by a call. */
static size_t be_refused(struct stage *stage, nexauth_source *source)
{
    const size_t before = stage->record->events;

    record_get(stage->record, source);
    record_get(stage->record, source);
    record_poll(stage->record, stage->session, &source, 1);
    record_figures(stage->record, stage->session, source);
    nexauth_source_free(source);
    return stage->record->events > before;
}

/* One secret of one source, in all places and ways. */
static size_t echo(const struct canaries *canaries, struct record *record, enum secret_source kind, enum plight plight,
                   enum canary which)
{
    const size_t count = sizeof places / sizeof *places * CANARY_WAYS;
    size_t refused = 0;

    for (size_t i = 0; i < count; i++) {
        char said[CANARY_NEEDLE];
        struct stage stage;
        nexauth_source *source;

        if (!set_stage(&stage, canaries, record))
            return 0;
        source = new_source(&stage, kind);
        canary_word(canaries->secrets[which], (int)(i % CANARY_WAYS), said, sizeof said);
        if (plight == FIRST)
            authorize(&stage, source, kind, which, said);
        else
            have_had_a_token(&stage, source, kind, plight);
        answer_at(&stage, &places[i / CANARY_WAYS], said);
        refused += be_refused(&stage, source);
        clear_stage(&stage);
    }
    return refused;
}

/* What has not come yet is no secret, and a code or a refresh token that is spent is none any more. Who begins with a
 * refresh token gets no code. */
static bool is_known(enum secret_source kind, enum plight plight, enum canary which)
{
    if (plight != FIRST)
        return which != CANARY_CODE && which != CANARY_REFRESH_TOKEN;
    if (which == CANARY_ACCESS_TOKEN || which == CANARY_NEXT_REFRESH_TOKEN)
        return false;
    return which != CANARY_CODE || kind != SECRET_SAVED;
}

static size_t echo_all(const struct canaries *canaries, struct record *record, enum secret_source kind,
                       enum plight plight)
{
    enum canary own[CANARY_KINDS];
    const size_t count = secret_source_canaries(kind, own);
    size_t refused = 0;

    for (size_t i = 0; i < count; i++) {
        if (is_known(kind, plight, own[i]))
            refused += echo(canaries, record, kind, plight, own[i]);
    }
    return refused;
}

size_t scenes_of_echoes(const struct canaries *canaries, struct record *record)
{
    size_t refused = 0;

    for (int kind = 0; kind < SECRET_STATIC; kind++) {
        for (int plight = FIRST; plight < PLIGHTS; plight++)
            refused += echo_all(canaries, record, (enum secret_source)kind, (enum plight)plight);
    }
    return refused;
}

static nexauth_status refuse_to_save(void *context, nexauth_token *token)
{
    (void)context;
    (void)token;
    return NEXAUTH_UNAVAILABLE;
}

/* What callers do with a token that they have. */
static bool use(struct stage *stage, nexauth_source *source)
{
    struct nexauth_error error = {0};
    char small[8];
    char copy[1024];
    size_t length = 0;
    nexauth_token *token = NULL;
    bool good = nexauth_source_get_token(source, NULL, &token, &error) == NEXAUTH_OK;

    good = good && nexauth_source_copy_token(source, NULL, copy, sizeof copy, &length, &error) == NEXAUTH_OK;
    record_error(stage->record, &error);
    nexauth_source_copy_token(source, NULL, small, sizeof small, &length, &error);
    record_error(stage->record, &error);
    nexauth_source_approve_token(source, token);
    nexauth_source_reject_token(source, token, &error);
    record_error(stage->record, &error);
    nexauth_source_reject_copy(source, copy, &error);
    record_error(stage->record, &error);
    record_get(stage->record, source);
    nexauth_source_reject_copy(source, copy, &error);
    record_error(stage->record, &error);
    nexauth_token_unref(token);
    return good;
}

static bool succeed(struct stage *stage, enum secret_source kind)
{
    nexauth_source *source = new_source(stage, kind);
    bool good;

    nexauth_source_set_save(source, refuse_to_save, NULL, NULL);
    lead_to_token(stage, source, kind);
    good = use(stage, source);
    record_poll(stage->record, stage->session, &source, 1);
    record_figures(stage->record, stage->session, source);
    script_pass_ms(&stage->script, 90000);
    record_get(stage->record, source);
    script_answer_always(&stage->script, (struct script_answer){.loss = NX_LOSS_CUT});
    script_pass_ms(&stage->script, FORGOTTEN_MS);
    record_get(stage->record, source);
    record_figures(stage->record, stage->session, source);
    nexauth_source_free(source);
    return good;
}

bool scenes_of_success(const struct canaries *canaries, struct record *record)
{
    bool good = true;

    for (int kind = 0; kind < SECRET_SOURCES; kind++) {
        struct stage stage;

        if (!set_stage(&stage, canaries, record))
            return false;
        good = succeed(&stage, (enum secret_source)kind) && good;
        clear_stage(&stage);
    }
    return good;
}

/* Each string that a caller gives is a secret with a line feed behind it, or the secret in the wrong place. */
static void restore_wrongly(struct stage *stage, const char *wrong)
{
    const struct nexauth_saved_token saved = {.access_token = wrong, .refresh_token = wrong, .scope = wrong};
    nexauth_source *source = new_source(stage, SECRET_SAVED);
    const struct nexauth_permit_options call = {.url = wrong};
    nexauth_permit *permit = NULL;
    struct nexauth_error error = {0};

    nexauth_source_restore_token(source, &saved, &error);
    record_error(stage->record, &error);
    nexauth_permit_begin(source, &call, &permit, &error);
    record_error(stage->record, &error);
    nexauth_source_accept_redirect(source, wrong, wrong, &error);
    record_error(stage->record, &error);
    nexauth_source_reject_copy(source, wrong, &error);
    record_error(stage->record, &error);
    nexauth_source_free(source);
}

static void make_wrongly(struct stage *stage, const struct canaries *wrong)
{
    const char *const *origins[] = {&stage->services.nex, &stage->services.quantoz, &stage->services.nexusguard};
    struct secret_services misplaced = {wrong, wrong->secrets[0], wrong->secrets[0], wrong->secrets[0]};
    struct secret_services controlled = {wrong, *origins[0], *origins[1], *origins[2]};

    for (int kind = 0; kind < SECRET_SOURCES; kind++) {
        struct nexauth_error error = {0};
        nexauth_source *source = NULL;

        secret_source_new((enum secret_source)kind, &misplaced, stage->session, &source, &error);
        record_error(stage->record, &error);
        nexauth_source_free(source);
        source = NULL;
        secret_source_new((enum secret_source)kind, &controlled, stage->session, &source, &error);
        record_error(stage->record, &error);
        nexauth_source_free(source);
    }
}

void scenes_of_misuse(const struct canaries *canaries, struct record *record)
{
    struct canaries wrong = *canaries;
    struct stage stage;

    for (int i = 0; i < CANARY_KINDS; i++)
        wrong.secrets[i][CANARY_SIZE - 2] = '\n';
    if (!set_stage(&stage, canaries, record))
        return;
    make_wrongly(&stage, &wrong);
    for (int i = 0; i < CANARY_KINDS; i++) {
        restore_wrongly(&stage, wrong.secrets[i]);
        restore_wrongly(&stage, canaries->secrets[i]);
    }
    clear_stage(&stage);
}
