#include "hostile/walker_parts.h"

#include <stdio.h>
#include <string.h>

enum { DEEPEST = 2 };

/* ---- Callbacks --------------------------------------------------------------------------------------------------- */

static void step(struct walker *walker);

static void go_on(struct walker *walker)
{
    if (walker->shares || walker->depth >= DEEPEST)
        return;
    walker->depth++;
    for (uint64_t i = walker_draw(walker, 3); i; i--)
        step(walker);
    walker->depth--;
}

static void note_token(void *context, nexauth_token *token, const struct nexauth_error *error)
{
    struct walker *walker = context;

    walker->ended++;
    MUST(walker, !token != !error);
    if (token)
        walker_judge_token(walker, token);
    else
        walker_judge(walker, error->status, error);
    go_on(walker);
}

static void keep_permit(struct walker *walker, nexauth_permit *permit)
{
    const size_t place = walker_draw(walker, WALKER_PERMITS);

    nexauth_permit_free(walker->permits[place]);
    walker->permits[place] = permit;
    walker->permit_ended[place] = false;
    MUST(walker, nexauth_permit_url(permit));
    walker->went_well++;
}

static void note_permit(void *context, nexauth_permit *permit, const struct nexauth_error *error)
{
    struct walker *walker = context;

    walker->ended++;
    MUST(walker, !permit != !error);
    if (permit && walker->shares)
        nexauth_permit_free(permit);
    else if (permit)
        keep_permit(walker, permit);
    else
        walker_judge(walker, error->status, error);
    go_on(walker);
}

static nexauth_status note_save(void *context, nexauth_token *token)
{
    struct walker *walker = context;

    walker_judge_token(walker, token);
    go_on(walker);
    return walker->shares || walker_draw(walker, 4) ? NEXAUTH_OK : NEXAUTH_UNAVAILABLE;
}

static nexauth_status supply(void *context, char *xspe, size_t size)
{
    struct walker *walker = context;

    snprintf(xspe, size, "fresh");
    if (walker->shares)
        return NEXAUTH_OK;
    walker->supplying++;
    go_on(walker);
    walker->supplying--;
    return walker_draw(walker, 5) ? NEXAUTH_OK : (nexauth_status)walker_draw(walker, 14);
}

void walker_note_event(void *context, const struct nexauth_event *event)
{
    struct walker *walker = context;

    if (event->error)
        walker_judge(walker, event->error->status, event->error);
    if (event->token)
        walker_judge_token(walker, event->token);
    go_on(walker);
}

/* ---- Verbs ------------------------------------------------------------------------------------------------------- */

static nexauth_status new_user(struct walker *walker, nexauth_source **out, struct nexauth_error *error)
{
    const uint64_t kind = walker_draw(walker, 3);
    const struct nexauth_nexusguard_user_options options = {.app_id = "app",
                                                            .secret = "the-secret",
                                                            .redirect_uri = "https://app.example.com/callback",
                                                            .customer_id = "C-1001",
                                                            .xspe = kind == 0 ? "portal" : NULL,
                                                            .xspe_callback = kind ? supply : NULL,
                                                            .xspe_context = walker,
                                                            .refresh_token = kind == 1 ? "saved" : NULL,
                                                            .web_handler = walker_draw(walker, 2) != 0};

    return nexauth_source_new_nexusguard_user(walker->session, &options, out, error);
}

static nexauth_status new_source(struct walker *walker, nexauth_source **out, struct nexauth_error *error)
{
    static const char *const ids[] = {"c-0", "c-1"};
    const struct nexauth_nex_controller_options controller = {.client_id = "a",
                                                              .client_secret = "the-secret",
                                                              .controller_id = ids[walker_draw(walker, 2)],
                                                              .controller_secret = "the-secret"};
    const struct nexauth_quantoz_options client = {
        .client_id = "a", .client_secret = "the-secret", .environment = NEXAUTH_QUANTOZ_TEST};
    const struct nexauth_static_options fixed = {.access_token = "t-stat", .api_origins = "https://nexcloud.io"};
    const struct nexauth_nexusguard_app_options app = {.app_id = "a", .secret = "the-secret"};

    switch (walker_draw(walker, 5)) {
    case 0:
        return nexauth_source_new_nex_controller(walker->session, &controller, out, error);
    case 1:
        return nexauth_source_new_quantoz(walker->session, &client, out, error);
    case 2:
        return nexauth_source_new_static(walker->session, &fixed, out, error);
    case 3:
        return nexauth_source_new_nexusguard_app(walker->session, &app, out, error);
    default:
        return new_user(walker, out, error);
    }
}

static nexauth_source **place_of_source(struct walker *walker)
{
    return &walker->sources[walker_draw(walker, WALKER_SOURCES)];
}

static bool is_lent(const struct walker *walker, nexauth_source *const *place)
{
    return (size_t)(place - walker->sources) < walker->lent;
}

static nexauth_source *any_source(struct walker *walker)
{
    return *place_of_source(walker);
}

static nexauth_token *any_token(struct walker *walker)
{
    return walker->tokens[walker_draw(walker, WALKER_TOKENS)];
}

static void make_source(struct walker *walker)
{
    struct nexauth_error error = {0};
    nexauth_source *source = NULL;
    nexauth_source **place = place_of_source(walker);
    nexauth_status status;

    if (walker->closed || *place)
        return;
    status = new_source(walker, &source, &error);
    walker_judge(walker, status, &error);
    MUST(walker, status == NEXAUTH_OK && source);
    *place = source;
    if (walker_draw(walker, 2))
        walker_judge(walker, nexauth_source_set_save(source, note_save, walker, &error), &error);
}

static void free_source(struct walker *walker)
{
    nexauth_source **place = place_of_source(walker);
    nexauth_source *source = *place;

    if (walker->supplying || is_lent(walker, place) || walker_draw(walker, 3))
        return;
    *place = NULL;
    nexauth_source_free(source);
}

static struct nexauth_get_options draw_options(struct walker *walker)
{
    static const int64_t timeouts_ms[] = {0, 1, 100, 3000};
    static const int64_t validities_s[] = {0, 0, 30, 7200};

    return (struct nexauth_get_options){.timeout_ms = timeouts_ms[walker_draw(walker, 4)],
                                        .min_validity_s = validities_s[walker_draw(walker, 4)]};
}

static void keep_token(struct walker *walker, nexauth_token *token)
{
    nexauth_token **place = &walker->tokens[walker_draw(walker, WALKER_TOKENS)];

    nexauth_token_unref(*place);
    *place = token;
}

static void get(struct walker *walker)
{
    const struct nexauth_get_options options = draw_options(walker);
    struct nexauth_error error = {0};
    nexauth_token *token = NULL;
    nexauth_source *source = any_source(walker);
    const bool closed = walker->closed;
    const nexauth_status status = nexauth_source_get_token(source, walker_draw(walker, 2) ? &options : NULL, &token,
                                                           &error);

    walker_judge(walker, status, &error);
    MUST(walker, !token == (status != NEXAUTH_OK));
    MUST(walker, !closed || status == NEXAUTH_INVALID);
    if (!token)
        return;
    walker_judge_token(walker, token);
    keep_token(walker, token);
}

static void copy(struct walker *walker)
{
    const struct nexauth_get_options options = draw_options(walker);
    struct nexauth_error error = {0};
    char text[64] = "";
    size_t length = 0;
    const size_t size = walker_draw(walker, 8) ? sizeof text : walker_draw(walker, 20);
    nexauth_source *source = any_source(walker);
    const nexauth_status status = nexauth_source_copy_token(source, &options, text, size, &length, &error);

    walker_judge(walker, status, &error);
    MUST(walker, status || (length == strlen(text) && strstr(text, "t-")));
    if (!status && source && walker_draw(walker, 4) == 0)
        walker_judge(walker, nexauth_source_reject_copy(any_source(walker), text, &error), &error);
}

static void start(struct walker *walker)
{
    const struct nexauth_get_options options = draw_options(walker);
    nexauth_call **place = &walker->calls[walker_draw(walker, WALKER_CALLS)];
    struct nexauth_error error = {0};
    nexauth_call *call = NULL;
    nexauth_status status = nexauth_source_start(any_source(walker), &options, note_token, walker,
                                                 walker_draw(walker, 2) ? &call : NULL, &error);

    walker_judge(walker, status, &error);
    walker->started += !status;
    if (!call)
        return;
    nexauth_call_unref(*place);
    *place = call;
}

static const struct nexauth_permit_options *draw_url(struct walker *walker)
{
    static const struct nexauth_permit_options options[] = {
        {.url = "https://nexcloud.io/v1.0/a", .timeout_ms = 2000},
        {.url = "https://nexcloud.io/v1.0/b?c", .timeout_ms = 1},
        {.url = "https://testapi.quantoz.com/a"},
        {.url = "https://api.nexusguard.com/api#f", .timeout_ms = 500},
        {.url = "https://elsewhere.example.com/"},
    };

    return &options[walker_draw(walker, sizeof options / sizeof *options)];
}

static void begin_permit(struct walker *walker)
{
    struct nexauth_error error = {0};
    nexauth_permit *permit = NULL;
    const nexauth_status status = nexauth_permit_begin(any_source(walker), draw_url(walker), &permit, &error);

    walker_judge(walker, status, &error);
    MUST(walker, !permit == (status != NEXAUTH_OK));
    if (permit)
        keep_permit(walker, permit);
}

static void start_permit(struct walker *walker)
{
    nexauth_call **place = &walker->calls[walker_draw(walker, WALKER_CALLS)];
    struct nexauth_error error = {0};
    nexauth_call *call = NULL;
    const nexauth_status status = nexauth_permit_start(any_source(walker), draw_url(walker), note_permit, walker, &call,
                                                       &error);

    walker_judge(walker, status, &error);
    walker->started += !status;
    if (!call)
        return;
    nexauth_call_unref(*place);
    *place = call;
}

static void end_permit(struct walker *walker)
{
    static const struct nexauth_answer answers[] = {
        {.http_status = 200},
        {.http_status = 401, .content_type = "application/json"},
        {.http_status = 429, .retry_after = "3"},
        {.http_status = 503},
        {.http_status = 403, .content_type = "text/html"},
        {.loss = NEXAUTH_LOSS_UNSENT},
        {.loss = NEXAUTH_LOSS_CLOSED},
        {.loss = NEXAUTH_LOSS_UNKNOWN},
    };
    const size_t place = walker_draw(walker, WALKER_PERMITS);
    nexauth_permit *permit = walker->permits[place];
    struct nexauth_error error = {0};
    const bool ended = walker->permit_ended[place];
    nexauth_status status;

    walker->permits[place] = NULL; /* out of the hands of callbacks */
    if (walker_draw(walker, 2)) {
        status = nexauth_permit_send_again(permit, &error);
        walker_judge(walker, status, &error);
        MUST(walker, !ended || status == NEXAUTH_INVALID);
    }
    status = nexauth_permit_end(permit, &answers[walker_draw(walker, sizeof answers / sizeof *answers)], &error);
    walker_judge(walker, status, &error);
    MUST(walker, !ended || status == NEXAUTH_INVALID);
    nexauth_permit_free(walker->permits[place]);
    walker->permits[place] = permit;
    walker->permit_ended[place] = true;
}

static void free_permit(struct walker *walker)
{
    const size_t place = walker_draw(walker, WALKER_PERMITS);
    nexauth_permit *permit = walker->permits[place];

    MUST(walker, !permit || nexauth_permit_url(permit));
    (void)nexauth_permit_header(permit);
    walker->permits[place] = NULL;
    nexauth_permit_free(permit);
}

static void cancel(struct walker *walker)
{
    nexauth_call **place = &walker->calls[walker_draw(walker, WALKER_CALLS)];
    nexauth_call *call = *place;

    MUST(walker, nexauth_call_ref(call) == call);
    nexauth_call_unref(call);
    if (walker_draw(walker, 2))
        nexauth_call_cancel(call);
    if (walker_draw(walker, 2))
        return;
    *place = NULL;
    nexauth_call_unref(call);
}

/* One that is already being polled, or has been freed, is INVALID. */
static void poll(struct walker *walker)
{
    static const int64_t waits_ms[] = {0, 0, 5, 1000};
    struct nexauth_error error = {0};

    if (!walker->closed)
        walker_judge(walker, nexauth_session_poll(walker->session, waits_ms[walker_draw(walker, 4)], &error), &error);
}

static void look(struct walker *walker)
{
    struct nexauth_limit_state limits[3];
    struct nexauth_error error = {0};
    struct nexauth_stats stats = {0};
    size_t count = 0;
    int descriptor = -1;

    walker_judge(walker, nexauth_source_stats(any_source(walker), &stats, &error), &error);
    if (walker->closed)
        return;
    nexauth_session_wakeup(walker->session);
    walker_judge(walker, nexauth_session_limits(walker->session, limits, 3, &count, &error), &error);
    MUST(walker, nexauth_session_descriptor(walker->session, &descriptor, &error) == NEXAUTH_OK && descriptor > 2);
    MUST(walker, nexauth_session_timeout_ms(walker->session) >= -1);
}

static void judge_the_token(struct walker *walker)
{
    nexauth_token *token = nexauth_token_ref(any_token(walker));
    struct nexauth_error error = {0};

    if (walker_draw(walker, 2))
        walker_judge(walker, nexauth_source_reject_token(any_source(walker), token, &error), &error);
    else
        nexauth_source_approve_token(any_source(walker), token);
    nexauth_token_unref(token);
}

static void restore(struct walker *walker)
{
    struct nexauth_error error = {0};
    const struct nexauth_saved_token saved = {.access_token = walker_draw(walker, 2) ? "t-0006" : NULL,
                                              .refresh_token = walker_draw(walker, 2) ? "saved" : NULL,
                                              .obtained_at = 1999999990,
                                              .expires_at = 2000003600,
                                              .lifetime_s = 3610};

    walker_judge(walker, nexauth_source_restore_token(any_source(walker), &saved, &error), &error);
    walker_judge(walker, nexauth_source_set_save(any_source(walker), note_save, walker, &error), &error);
}

static void authorize(struct walker *walker)
{
    struct nexauth_error error = {0};
    nexauth_authorization *authorization = NULL;
    const char *state = nexauth_authorization_state(walker->authorization);
    char url[128];

    if (state) {
        snprintf(url, sizeof url, "/callback?code=c&state=%s", state);
        walker_judge(walker, nexauth_source_accept_redirect(any_source(walker), url, state, &error), &error);
    }
    walker_judge(walker, nexauth_source_authorize(any_source(walker), &authorization, &error), &error);
    MUST(walker, !authorization || nexauth_authorization_url(authorization));
    nexauth_authorization_free(walker->authorization);
    walker->authorization = authorization;
}

static void step(struct walker *walker)
{
    static void (*const verbs[])(struct walker * walker) = {walker_answer_otherwise,
                                                            walker_answer_otherwise,
                                                            walker_let_time_pass,
                                                            make_source,
                                                            make_source,
                                                            free_source,
                                                            get,
                                                            get,
                                                            copy,
                                                            start,
                                                            start,
                                                            begin_permit,
                                                            poll,
                                                            poll,
                                                            start_permit,
                                                            end_permit,
                                                            free_permit,
                                                            cancel,
                                                            look,
                                                            restore,
                                                            judge_the_token,
                                                            authorize};

    verbs[walker_draw(walker, sizeof verbs / sizeof *verbs)](walker);
}

/* ---- A walk ------------------------------------------------------------------------------------------------------ */

void walker_init(struct walker *walker, nexauth_session *session, struct script *script, uint64_t seed)
{
    *walker = (struct walker){
        .session = session, .script = script, .seed = seed, .bits = (seed + 1) * 0x9e3779b97f4a7c15};
}

void walker_share(struct walker *first, struct walker *second)
{
    for (size_t i = 0; i < 2; i++) {
        while (!first->sources[i])
            make_source(first);
        second->sources[i] = first->sources[i];
    }
    first->lent = second->lent = 2;
    first->shares = second->shares = true;
}

void walker_walk(struct walker *walker, size_t steps)
{
    while (steps--)
        step(walker);
}

void walker_close(struct walker *walker)
{
    walker->depth = DEEPEST;
    nexauth_session_free(walker->session);
}

void walker_end(struct walker *walker)
{
    walker->closed = true;
    MUST(walker, walker->started == walker->ended);
    walker_walk(walker, 100);
    MUST(walker, walker->started == walker->ended);
    for (size_t i = 0; i < WALKER_PERMITS; i++)
        nexauth_permit_free(walker->permits[i]);
    for (size_t i = 0; i < WALKER_CALLS; i++)
        nexauth_call_unref(walker->calls[i]);
    for (size_t i = walker->lent; i < WALKER_SOURCES; i++)
        nexauth_source_free(walker->sources[i]);
    for (size_t i = 0; i < WALKER_TOKENS; i++)
        nexauth_token_unref(walker->tokens[i]);
    nexauth_authorization_free(walker->authorization);
}
