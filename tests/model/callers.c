#include "callers.h"

#include "service.h"
#include "session/session.h"

#include <stdio.h>
#include <string.h>

enum { POLL_MS = 100000, URL_SIZE = 256 };

struct cast cast;

void cast_begin(nexauth_session *session)
{
    memset(&cast, 0, sizeof cast);
    cast.session = session;
}

struct caller *cast_add(nexauth_source *source, int64_t timeout_ms)
{
    struct caller *caller = &cast.callers[cast.count++];

    *caller = (struct caller){.source = source, .timeout_ms = timeout_ms};
    return caller;
}

static int count_over(void)
{
    int count = 0;

    for (int i = 0; i < cast.count; i++)
        count += cast.callers[i].over;
    return count;
}

/* A caller waits until its time is over, or an exchange's was, and no longer. */
static void judge(const struct caller *caller, const nexauth_token *token, nexauth_status status, int64_t since_ms)
{
    const int64_t waited_ms = schedule_now_ms() - since_ms;

    schedule_note("has, with status", (int)status);
    if (token)
        service_judge(cast.ended ? NULL : caller->source, token, caller->is_patient ? INT64_MAX : since_ms);
    if (status == NEXAUTH_TIMEOUT && waited_ms < caller->timeout_ms && !service_gave_up())
        schedule_fail("TIMEOUT after %lld ms", (long long)waited_ms);
    if (waited_ms > caller->timeout_ms && !schedule_was_hasty())
        schedule_fail("a caller waited for %lld ms", (long long)waited_ms);
    if (cast.freed_ms && schedule_now_ms() > cast.freed_ms && !schedule_was_hasty())
        schedule_fail("a caller waited for a source that was freed");
    if (status == NEXAUTH_CANCELED && !cast.ended && !caller->is_canceled)
        schedule_fail("CANCELED");
    if (status == NEXAUTH_INVALID && !(cast.ended && caller->source->session->closed))
        schedule_fail("INVALID");
}

static void get(const struct caller *caller)
{
    const struct nexauth_get_options options = {.timeout_ms = caller->timeout_ms};
    const int64_t since_ms = schedule_now_ms();
    nexauth_token *token = NULL;
    const nexauth_status status = nexauth_source_get_token(caller->source, &options, &token, NULL);

    judge(caller, token, status, since_ms);
    nexauth_token_unref(token);
}

static void reject(struct caller *caller)
{
    if (!caller->rejects)
        return;
    nexauth_source_reject_token(caller->source, caller->rejects, NULL);
    nexauth_token_unref(caller->rejects);
}

static bool never(void *context)
{
    (void)context;
    return false;
}

static void caller_gets(void *context)
{
    struct caller *caller = context;

    reject(caller);
    get(caller);
    if (caller->pause_ms) {
        schedule_wait("pauses", never, NULL, caller->pause_ms, false);
        get(caller);
    }
    caller->over = true;
}

static void called_back(void *context, nexauth_token *token, const struct nexauth_error *error)
{
    struct caller *caller = context;

    if (++caller->called > 1)
        schedule_fail("a callback runs twice");
    if ((token != NULL) == (error != NULL))
        schedule_fail("a callback has both a token and an error, or neither");
    judge(caller, token, error ? error->status : NEXAUTH_OK, caller->since_ms);
    if (!caller->rejects_again)
        return;
    nexauth_source_reject_token(caller->source, token, NULL);
    get(caller);
}

static nexauth_status start(struct caller *caller)
{
    const struct nexauth_get_options options = {.timeout_ms = caller->timeout_ms};
    nexauth_status status;

    caller->since_ms = schedule_now_ms();
    status = nexauth_source_start(caller->source, &options, called_back, caller, &caller->call, NULL);
    if (status && !cast.ended)
        schedule_fail("a call does not start: %d", (int)status);
    return status;
}

static void caller_starts(void *context)
{
    struct caller *caller = context;

    start(caller);
    nexauth_call_unref(caller->call);
    caller->over = true;
}

static void caller_polls(void *context)
{
    struct caller *caller = context;
    nexauth_session *session = cast.session;
    nexauth_status status;

    reject(caller);
    status = start(caller);
    while (!status && !caller->called)
        status = nexauth_session_poll(session, POLL_MS, NULL);
    if (status && !cast.ended)
        schedule_fail("a poll ends with %d", (int)status);
    if (!caller->is_canceled)
        nexauth_call_unref(caller->call);
    caller->over = true;
}

static bool has_started(void *context)
{
    const struct caller *caller = context;

    return caller->call || caller->over;
}

static void canceler(void *context)
{
    const struct caller *caller = context;

    schedule_wait("waits for a call", has_started, context, INT64_MAX, false);
    nexauth_call_cancel(caller->call);
    nexauth_call_unref(caller->call);
    cast.others--;
}

/* A source may be freed while callers wait for it, and not before they have come that far. */
static bool all_wait(void *context)
{
    const nexauth_source *source = context;
    const int over = count_over();

    if (over == cast.count)
        return true;
    return source->acquisition && source->acquisition->references - 1 + over >= cast.count;
}

static void source_freer(void *context)
{
    schedule_wait("waits for all to wait", all_wait, context, INT64_MAX, false);
    cast.ended = true;
    nexauth_source_free(context);
    cast.freed_ms = schedule_now_ms();
    cast.others--;
}

/* No new poll may begin on a session that is being freed. */
static bool may_end(void *context)
{
    const struct caller *poller = context;

    return poller->over || cast.session->polling;
}

static void session_freer(void *context)
{
    schedule_wait("waits for the poll", may_end, context, INT64_MAX, false);
    cast.ended = true;
    nexauth_session_free(cast.session);
    cast.session = NULL;
    cast.others--;
}

static void bringer(void *context)
{
    nexauth_authorization *authorization = NULL;
    char url[URL_SIZE];

    if (nexauth_source_authorize(context, &authorization, NULL))
        schedule_fail("no authorization");
    snprintf(url, sizeof url, "https://app.example.com/callback?code=brought-code&state=%s",
             nexauth_authorization_state(authorization));
    if (nexauth_source_accept_redirect(context, url, nexauth_authorization_state(authorization), NULL))
        schedule_fail("a redirect is not accepted");
    nexauth_authorization_free(authorization);
    cast.others--;
}

static bool are_over(void *context)
{
    (void)context;
    return count_over() == cast.count && cast.others == 0;
}

void cast_get(struct caller *caller)
{
    schedule_spawn("blocked", caller_gets, caller);
}

void cast_poll(struct caller *caller)
{
    schedule_spawn("polling", caller_polls, caller);
}

void cast_start(struct caller *caller)
{
    caller->is_patient = true;
    schedule_spawn("starting", caller_starts, caller);
}

static void spawn_other(const char *name, void (*body)(void *), void *context)
{
    cast.others++;
    schedule_spawn(name, body, context);
}

void cast_cancel(struct caller *poller)
{
    poller->is_canceled = true;
    spawn_other("canceling", canceler, poller);
}

void cast_bring(nexauth_source *source)
{
    spawn_other("bringing", bringer, source);
}

void cast_free_source(nexauth_source *source)
{
    spawn_other("freeing", source_freer, source);
}

void cast_free_session(struct caller *poller)
{
    spawn_other("freeing", session_freer, poller);
}

void cast_wait(void)
{
    schedule_wait("waits for all callers", are_over, NULL, INT64_MAX, false);
}
