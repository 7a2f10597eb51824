/*
 * The application's callbacks: called with no lock held, in whichever thread is there. A thread says for which source
 * it runs one, so that it is told when it asks for what it is itself to help with.
 */
#include "session/session.h"

#include "core/encode.h"
#include "core/error.h"
#include "core/retry_after.h"

/* Returns whether the application has freed the source. */
static bool set_out(const nexauth_source *source, struct nx_errand *errand)
{
    nexauth_session *session = source->session;
    bool freed;

    errand->thread = nx_thread_self();
    errand->source = source;
    nx_engine_lock(session->engine);
    errand->next = session->errands;
    session->errands = errand;
    freed = source->freed;
    nx_engine_unlock(session->engine);
    return freed;
}

static void come_back(nexauth_session *session, const struct nx_errand *errand)
{
    struct nx_errand **at = &session->errands;

    nx_engine_lock(session->engine);
    while (*at && *at != errand)
        at = &(*at)->next;
    *at = errand->next;
    nx_engine_unlock(session->engine);
}

/* `source` may be NULL: any. */
static bool is_out_for(const nexauth_session *session, const nexauth_source *source)
{
    const struct nx_errand *errand = session->errands;

    while (errand && !((!source || errand->source == source) && nx_thread_is_self(&errand->thread)))
        errand = errand->next;
    return errand != NULL;
}

bool nx_is_on_errand(const nexauth_source *source)
{
    return is_out_for(source->session, source);
}

bool nx_runs_callback(const nexauth_session *session)
{
    return is_out_for(session, NULL);
}

/* What a callback returns is not always a status. */
static nexauth_status checked(nexauth_status status)
{
    return status < NEXAUTH_OK || status > NEXAUTH_CANCELED ? NEXAUTH_INVALID : status;
}

/* What a callback returned, and what it wrote, as a caller is told of it. */
static nexauth_status judge_supply(nexauth_status status, const struct nx_text *xspe, struct nexauth_error *error)
{
    status = checked(status);
    if (!status)
        status = xspe->status;
    if (status) {
        nx_fail(error, status, "xspe_callback supplied none");
        if (error && (status == NEXAUTH_THROTTLED || status == NEXAUTH_BLOCKED))
            error->retry_after_ms = NX_RETRY_AFTER_UNSTATED_MS;
    } else if (!xspe->length || !nx_is_free_of_controls(nx_text_string(xspe))) {
        status = nx_fail(error, NEXAUTH_INVALID, "xspe_callback supplied an empty xspe or one with control characters");
    }
    return status;
}

nexauth_status nx_supply(nexauth_source *source, struct nx_text *xspe, struct nexauth_error *error)
{
    char buffer[NX_OPTION_LONGEST + 1] = {0};
    struct nx_errand errand;
    void *context;
    nexauth_xspe_callback callback = source->provider->authorizing->supplier(source->identity.options, &context);
    nexauth_status status;

    set_out(source, &errand);
    status = callback(context, buffer, sizeof buffer);
    come_back(source->session, &errand);
    nx_text_init(xspe, NX_OPTION_LONGEST);
    buffer[NX_OPTION_LONGEST] = '\0';
    nx_text_add(xspe, buffer);
    nx_wipe(buffer, sizeof buffer);
    return judge_supply(status, xspe, error);
}

void nx_save_token(nexauth_source *source, nexauth_token *token)
{
    struct nexauth_error error = {0};
    struct nx_errand errand;
    nexauth_status status;

    if (!source->save)
        return;
    set_out(source, &errand);
    status = source->save->callback(source->save->context, token);
    come_back(source->session, &errand);
    if (status) {
        nx_fail(&error, checked(status), "the save callback did not save the token");
        nx_tell(source, NEXAUTH_EVENT_SAVE_FAILED, &error, NULL);
    }
}

void nx_tell(nexauth_source *source, enum nexauth_event_kind kind, const struct nexauth_error *error,
             nexauth_token *token)
{
    nexauth_session *session = source->session;
    struct nexauth_event event = {.kind = (int)kind, .source = source, .error = error, .token = token};
    struct nx_errand errand;

    if (!session->event_callback)
        return;
    if (set_out(source, &errand))
        event.source = NULL;
    session->event_callback(session->event_context, &event);
    come_back(session, &errand);
}
