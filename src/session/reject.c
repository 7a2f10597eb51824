/* What the API said of a token: rejected, or accepted. */
#include "session/session.h"

#include "core/error.h"

#include <string.h>

/* A static source's token is the only one that it will ever have. */
static int64_t damp(nexauth_source *source, struct nx_trouble *trouble)
{
    if (source->provider->give)
        return 0;
    return nx_damping_reject(&trouble->damping, nx_boot_ms(&source->session->world.clock));
}

/* Rejects the current token. With the lock; gives a reference to it when it was dropped. */
static nexauth_status reject(nexauth_source *source, nexauth_token **dropped, struct nexauth_error *error)
{
    struct nx_trouble *trouble = nx_source_trouble(source);
    int64_t wait_ms;

    if (!trouble)
        return nx_fail(error, NEXAUTH_NO_MEMORY, "memory ran out");
    wait_ms = damp(source, trouble);
    if (wait_ms > 0) {
        nx_fail(error, NEXAUTH_THROTTLED, "the token came a short time ago in place of a rejected one, and stays");
        if (error)
            error->retry_after_ms = wait_ms;
        return NEXAUTH_THROTTLED;
    }
    *dropped = nexauth_token_ref(source->token);
    nexauth_token_unref(trouble->rejected);
    trouble->rejected = nexauth_token_ref(source->token);
    nx_current_drop(source);
    return NEXAUTH_OK;
}

/* By its text: a service may hand out one token several times. */
static bool is_current(const nexauth_source *source, const char *text)
{
    return source->token && strcmp(nx_block_text(source->token->block), text) == 0;
}

static nexauth_status reject_text(nexauth_source *source, const char *text, struct nexauth_error *error)
{
    nexauth_session *session = source->session;
    nexauth_status status = NEXAUTH_OK;
    nexauth_token *dropped = NULL;

    nx_engine_lock(session->engine);
    if (session->closed) {
        nx_engine_unlock(session->engine);
        return nx_fail(error, NEXAUTH_INVALID, "the session was freed");
    }
    nx_source_enter(source);
    nx_engine_hold(session->engine);
    if (is_current(source, text))
        status = reject(source, &dropped, error);
    if (dropped) {
        nx_engine_unlock(session->engine);
        nx_tell(source, NEXAUTH_EVENT_REJECTED, NULL, dropped);
        nexauth_token_unref(dropped);
        nx_engine_lock(session->engine);
    }
    nx_engine_release(session->engine);
    nx_source_leave_unlock(source);
    return status;
}

nexauth_status nexauth_source_reject_token(nexauth_source *source, const nexauth_token *token,
                                           struct nexauth_error *error)
{
    if (!source || !token)
        return nx_fail(error, NEXAUTH_INVALID, "source and token are required");
    return reject_text(source, nx_block_text(token->block), error);
}

nexauth_status nexauth_source_reject_copy(nexauth_source *source, const char *text, struct nexauth_error *error)
{
    if (!source || !text)
        return nx_fail(error, NEXAUTH_INVALID, "source and text are required");
    return reject_text(source, text, error);
}

void nx_source_approve(nexauth_source *source, const nexauth_token *token)
{
    if (source->trouble && is_current(source, nx_block_text(token->block)))
        nx_damping_approve(&source->trouble->damping);
}

void nexauth_source_approve_token(nexauth_source *source, const nexauth_token *token)
{
    if (!source || !token)
        return;
    nx_engine_lock(source->session->engine);
    nx_source_approve(source, token);
    nx_engine_unlock(source->session->engine);
}
