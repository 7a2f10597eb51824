/* Sources: their making and their end. */
#include "session/pass.h"
#include "session/session.h"

#include "core/error.h"

#include <stdlib.h>

/* With the lock. */
static void link_to_session(nexauth_source *source)
{
    nexauth_session *session = source->session;

    source->next = session->sources;
    if (source->next)
        source->next->previous = source;
    session->sources = source;
}

/* One that was not made to its end was not linked. With the lock. */
static void unlink_from_session(nexauth_source *source)
{
    nexauth_session *session = source->session;

    if (source->previous || session->sources == source)
        *(source->previous ? &source->previous->next : &session->sources) = source->next;
    if (source->next)
        source->next->previous = source->previous;
}

/* With the lock. */
static void destroy(nexauth_source *source)
{
    unlink_from_session(source);
    nx_slot_put(&source->slot, NULL);
    nexauth_token_unref(source->token);
    if (source->grant)
        nx_grant_release(source->grant);
    free(source->grant);
    nx_identity_release(&source->identity, nx_arena_vault(source->session->secrets));
    free(source->save);
    if (source->trouble)
        nexauth_token_unref(source->trouble->rejected);
    free(source->trouble);
    nx_slot_let_go(&source->slot, NX_SLOT_BY_OWNER, source->session->arena);
}

void nx_source_unref_unlock(nexauth_source *source)
{
    nexauth_session *session = source->session;

    if (--source->references) {
        nx_engine_unlock(session->engine);
        return;
    }
    destroy(source);
    nx_session_unref_unlock(session);
}

void nx_source_enter(nexauth_source *source)
{
    source->references++;
    source->inside++;
}

void nx_source_leave_unlock(nexauth_source *source)
{
    source->inside--;
    nx_source_unref_unlock(source);
}

/* While a flight was under way the grant was the flight's, and is in any state: it stays with the flight. */
static void forget_grant(nexauth_source *source)
{
    struct nx_grant *grant = source->grant;
    const bool connected = grant && grant->connected;
    struct nx_grant *left;

    if (!grant)
        return;
    if (!source->acquisition) {
        nx_grant_release(grant);
    } else {
        nx_text_release(&grant->asked);
        nx_text_release(&grant->brought);
        nx_text_release(&grant->brought_with);
        left = malloc(sizeof *left);
        if (left)
            *left = *grant;
        source->acquisition->flight.grant = left;
    }
    nx_grant_init(grant);
    grant->connected = connected;
}

void nx_source_inherited(nexauth_source *source)
{
    nexauth_session *session = source->session;

    forget_grant(source);
    source->acquisition = NULL;
    source->references -= source->inside;
    source->inside = 0;
    if (source->references)
        return;
    destroy(source);
    session->references--;
}

/* A source of a session that has been freed is not made. */
static bool join(nexauth_session *session)
{
    bool closed;

    nx_engine_lock(session->engine);
    closed = session->closed;
    session->references += !closed;
    nx_engine_unlock(session->engine);
    return !closed;
}

static nexauth_status make_grant(nexauth_source *source, struct nexauth_error *error)
{
    const struct nx_authorizing *authorizing = source->provider->authorizing;
    const char *refresh_token;

    source->grant = calloc(1, sizeof *source->grant);
    if (!source->grant)
        return nx_fail(error, NEXAUTH_NO_MEMORY, "memory ran out");
    nx_grant_init(source->grant);
    refresh_token = authorizing->refresh_token(source->identity.options);
    if (refresh_token)
        nx_text_add(&source->grant->refresh_token, refresh_token);
    if (nx_text_failed(&source->grant->refresh_token))
        return nx_fail(error, NEXAUTH_NO_MEMORY, "memory ran out");
    nx_text_lock_away(&source->grant->refresh_token, nx_arena_vault(source->session->secrets));
    return NEXAUTH_OK;
}

static nexauth_status set_up(nexauth_source *source, const void *options, struct nexauth_error *error)
{
    const struct nx_provider *provider = source->provider;
    const nexauth_session *session = source->session;
    nexauth_status status = nx_identity_init(&source->identity, &provider->options, options, session->loopback_http,
                                             nx_arena_vault(session->secrets), error);

    if (!status && provider->check)
        status = provider->check(source->identity.options, error);
    if (!status && provider->authorizing)
        status = make_grant(source, error);
    return status;
}

static uint64_t key_of(const nexauth_source *source)
{
    return nx_identity_key(&source->identity, source->provider->service, &source->session->hash_key);
}

int64_t nx_source_note_failure(nexauth_source *source, const struct nexauth_error *error)
{
    nexauth_session *session = source->session;

    return nx_failures_note(&session->failures, key_of(source), error, nx_boot_ms(&session->world.clock),
                            nx_session_draw(session));
}

/* Where nothing failed, which is the rule, no key is worked out. */
bool nx_source_recall_failure(const nexauth_source *source, struct nexauth_error *error)
{
    const nexauth_session *session = source->session;

    return session->failures.count &&
           nx_failures_recall(&session->failures, key_of(source), nx_boot_ms(&session->world.clock), error);
}

void nx_source_forget_failure(nexauth_source *source)
{
    if (source->session->failures.count)
        nx_failures_forget(&source->session->failures, key_of(source));
}

struct nx_trouble *nx_source_trouble(nexauth_source *source)
{
    if (!source->trouble)
        source->trouble = calloc(1, sizeof *source->trouble);
    return source->trouble;
}

bool nx_source_has_code(const nexauth_source *source)
{
    return source->grant && source->grant->brought.length;
}

nexauth_status nx_source_new(nexauth_session *session, const struct nx_provider *provider, const void *options,
                             nexauth_source **out, struct nexauth_error *error)
{
    nexauth_source *source;
    nexauth_status status;

    if (!session || !out)
        return nx_fail(error, NEXAUTH_INVALID, "session and out are required");
    source = nx_arena_take_record(session->arena);
    if (!source)
        return nx_fail(error, NEXAUTH_NO_MEMORY, "memory ran out");
    *source = (nexauth_source){.session = session, .provider = provider, .references = 1};
    if (!join(session)) {
        nx_arena_give_record(session->arena, source);
        return nx_fail(error, NEXAUTH_INVALID, "the session was freed");
    }
    nx_slot_init(&source->slot);
    status = set_up(source, options, error);
    if (status) {
        nexauth_source_free(source);
        return status;
    }
    nx_engine_lock(session->engine);
    link_to_session(source);
    nx_engine_unlock(session->engine);
    *out = source;
    return NEXAUTH_OK;
}

void nexauth_source_free(nexauth_source *source)
{
    if (!source)
        return;
    nx_engine_lock(source->session->engine);
    source->freed = true;
    nx_current_close(source);
    if (source->acquisition)
        nx_acquisition_cancel(source->acquisition, "the source was freed");
    nx_passes_cancel(source->session, source, "the source was freed");
    nx_source_unref_unlock(source);
}
