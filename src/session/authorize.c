/* Authorization through the application's web handler: the URL to send a browser to, and the redirect that comes back.
 */
#include "session/session.h"

#include "core/encode.h"
#include "core/error.h"
#include "core/leak.h"
#include "core/redirect.h"

#include <stdlib.h>
#include <string.h>

enum { STATE_DIGITS = 2 * NX_STATE_BYTES, URL_LONGEST = 64 * 1024 };

struct nexauth_authorization {
    struct nx_text url;
    struct nx_text state;
};

/* Takes a reference for the length of a call, unless the source cannot authorize. */
static nexauth_status enter(nexauth_source *source, struct nexauth_error *error)
{
    const struct nx_authorizing *authorizing = source->provider->authorizing;
    bool closed;

    if (!authorizing || !authorizing->may_authorize(source->identity.options))
        return nx_fail(error, NEXAUTH_INVALID, "this source does not authorize users, or lacks what that needs");
    nx_engine_lock(source->session->engine);
    closed = source->session->closed;
    if (!closed)
        nx_source_enter(source);
    nx_engine_unlock(source->session->engine);
    return closed ? nx_fail(error, NEXAUTH_INVALID, "the session was freed") : NEXAUTH_OK;
}

/* Drops the reference. A call whose source or session was freed meanwhile has failed. */
static nexauth_status leave(nexauth_source *source, nexauth_status status, struct nexauth_error *error)
{
    bool freed;

    nx_engine_lock(source->session->engine);
    freed = source->freed || source->session->closed;
    nx_source_leave_unlock(source);
    return freed ? nx_fail(error, NEXAUTH_CANCELED, "the source or its session was freed meanwhile") : status;
}

static nexauth_status supply(nexauth_source *source, struct nx_text *xspe, struct nexauth_error *error)
{
    void *context;

    if (!source->provider->authorizing->supplier(source->identity.options, &context))
        return NEXAUTH_OK;
    nx_text_release(xspe);
    return nx_supply(source, xspe, error);
}

static nexauth_status draw_state(const nexauth_source *source, struct nx_text *state, struct nexauth_error *error)
{
    const struct nx_world *world = &source->session->world;
    unsigned char bytes[NX_STATE_BYTES];

    if (!world->entropy(world->entropy_context, bytes, sizeof bytes))
        return nx_fail(error, NEXAUTH_UNAVAILABLE, "the system's random generator failed");
    nx_add_hex(state, bytes, sizeof bytes);
    nx_wipe(bytes, sizeof bytes);
    return NEXAUTH_OK;
}

/* What the callback supplied stands in the URL: it is a secret still when the redirect comes. */
static void keep_supplied(nexauth_source *source, struct nx_text *supplied)
{
    nx_engine_lock(source->session->engine);
    nx_text_move(&source->grant->asked, supplied);
    nx_text_lock_away(&source->grant->asked, nx_arena_vault(source->session->secrets));
    nx_engine_unlock(source->session->engine);
}

/* Words the connect for a grant of its own, and takes the URL. */
static nexauth_status word(nexauth_source *source, struct nexauth_authorization *authorization,
                           struct nexauth_error *error)
{
    struct nx_request request;
    struct nx_grant grant;
    nexauth_status status;

    nx_request_init(&request);
    nx_grant_init(&grant);
    status = supply(source, &grant.supplied, error);
    if (!status)
        status = draw_state(source, &grant.state, error);
    if (!status) {
        source->provider->word(source->identity.options, NX_STEP_CONNECT, &grant, &request);
        status = nx_request_end(&request);
        if (status || nx_text_failed(&grant.state))
            status = nx_fail(error, NEXAUTH_NO_MEMORY, "memory ran out");
    }
    if (!status) {
        nx_text_move(&authorization->url, &request.url);
        nx_text_move(&authorization->state, &grant.state);
        keep_supplied(source, &grant.supplied);
    }
    nx_request_release(&request);
    nx_grant_release(&grant);
    return status;
}

nexauth_status nexauth_source_authorize(nexauth_source *source, nexauth_authorization **out,
                                        struct nexauth_error *error)
{
    struct nexauth_authorization *authorization;
    nexauth_status status;

    if (!source || !out)
        return nx_fail(error, NEXAUTH_INVALID, "source and out are required");
    authorization = calloc(1, sizeof *authorization);
    if (!authorization)
        return nx_fail(error, NEXAUTH_NO_MEMORY, "memory ran out");
    status = enter(source, error);
    if (!status)
        status = leave(source, word(source, authorization, error), error);
    if (status)
        nexauth_authorization_free(authorization);
    else
        *out = authorization;
    return status;
}

const char *nexauth_authorization_url(const nexauth_authorization *authorization)
{
    return authorization ? nx_text_string(&authorization->url) : NULL;
}

const char *nexauth_authorization_state(const nexauth_authorization *authorization)
{
    return authorization ? nx_text_string(&authorization->state) : NULL;
}

void nexauth_authorization_free(nexauth_authorization *authorization)
{
    if (!authorization)
        return;
    nx_text_release(&authorization->url);
    nx_text_release(&authorization->state);
    free(authorization);
}

/* The code of a redirect's error, unless it holds a secret of the source or the authorization. */
static void quote_code(nexauth_source *source, const char *state, const char *code, char *out, size_t size)
{
    const char *secrets[NX_SECRETS_MOST + 2];
    size_t count = nx_identity_secrets(&source->identity, secrets);
    struct nx_text supplied;

    nx_text_init(&supplied, NX_OPTION_LONGEST);
    nx_engine_lock(source->session->engine);
    nx_text_add(&supplied, nx_text_string(&source->grant->asked));
    nx_engine_unlock(source->session->engine);
    secrets[count++] = state;
    secrets[count++] = nx_text_string(&supplied);
    nx_quote(nx_text_failed(&supplied) ? "" : code, secrets, count, out, size);
    nx_text_release(&supplied);
}

static nexauth_status refuse(nexauth_source *source, enum nx_redirect redirect, const char *state, const char *code,
                             struct nexauth_error *error)
{
    nexauth_status status;

    if (redirect == NX_REDIRECT_NO_MEMORY)
        return nx_fail(error, NEXAUTH_NO_MEMORY, "memory ran out");
    if (redirect == NX_REDIRECT_WRONG)
        return nx_fail(error, NEXAUTH_PROTOCOL,
                       "this is not the redirect that was expected: another place, not exactly "
                       "one code and one state, or a wrong state");
    if (redirect == NX_REDIRECT_DENIED)
        status = nx_fail(error, NEXAUTH_DENIED, "the authorization was denied");
    else
        status = nx_fail(error, NEXAUTH_CONFIG, "the service rejects the authorization request");
    if (error)
        quote_code(source, state, code, error->code, sizeof error->code);
    return status;
}

static void keep_code(nexauth_source *source, struct nx_text *code)
{
    nx_engine_lock(source->session->engine);
    nx_text_move(&source->grant->brought_with, &source->grant->asked);
    nx_text_move(&source->grant->brought, code);
    nx_text_lock_away(&source->grant->brought, nx_arena_vault(source->session->secrets));
    nx_current_close(source);
    nx_engine_unlock(source->session->engine);
}

static nexauth_status accept(nexauth_source *source, const char *url, const char *state, struct nexauth_error *error)
{
    const char *redirect_uri = source->provider->authorizing->redirect_uri(source->identity.options);
    struct nx_text code;
    struct nx_text code_of_error;
    enum nx_redirect redirect;
    nexauth_status status = NEXAUTH_OK;

    nx_text_init(&code, NX_GRANT_LONGEST);
    nx_text_init(&code_of_error, NX_GRANT_LONGEST);
    redirect = nx_redirect_read(url, true, redirect_uri, state, &code, &code_of_error);
    if (redirect == NX_REDIRECT_RIGHT)
        keep_code(source, &code);
    else
        status = refuse(source, redirect, state, nx_text_string(&code_of_error), error);
    nx_text_release(&code);
    nx_text_release(&code_of_error);
    return status;
}

nexauth_status nexauth_source_accept_redirect(nexauth_source *source, const char *url, const char *expected_state,
                                              struct nexauth_error *error)
{
    nexauth_status status;

    if (!source || !url || !expected_state || strlen(expected_state) != STATE_DIGITS)
        return nx_fail(error, NEXAUTH_INVALID, "source, url and a state from an authorization are required");
    if (strnlen(url, URL_LONGEST) == URL_LONGEST)
        return nx_fail(error, NEXAUTH_INVALID, "url is too long");
    status = enter(source, error);
    return status ? status : leave(source, accept(source, url, expected_state, error), error);
}
