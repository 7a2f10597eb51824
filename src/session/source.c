/* Sources: their making, their end, and how a caller gets a token. */
#include "session/session.h"

#include "core/encode.h"
#include "core/error.h"
#include "core/retry_after.h"

#include <stdlib.h>
#include <string.h>

enum { WAIT_MS = 30000, LONGEST_WAIT_MS = 3600000 };

static void destroy(nexauth_source *source)
{
    nexauth_token_unref(source->token);
    nx_text_release(&source->code);
    nx_grant_release(&source->grant);
    nx_identity_release(&source->identity);
    free(source);
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

static nexauth_status set_up(nexauth_source *source, const void *options, struct nexauth_error *error)
{
    const struct nx_provider *provider = source->provider;
    const char *refresh_token = NULL;
    nexauth_status status = nx_identity_init(&source->identity, &provider->options, options,
                                             source->session->loopback_http, error);

    if (!status && provider->check)
        status = provider->check(source->identity.options, error);
    if (status)
        return status;
    source->who = nx_identity_hash(&source->identity, &source->session->hash_key);
    nx_grant_init(&source->grant);
    nx_text_init(&source->code, source->grant.code.bound);
    if (provider->authorizing)
        refresh_token = provider->authorizing->refresh_token(source->identity.options);
    if (refresh_token)
        nx_text_add(&source->grant.refresh_token, refresh_token);
    if (nx_text_failed(&source->grant.refresh_token))
        return nx_fail(error, NEXAUTH_NO_MEMORY, "memory ran out");
    return NEXAUTH_OK;
}

nexauth_status nx_source_new(nexauth_session *session, const struct nx_provider *provider, const void *options,
                             nexauth_source **out, struct nexauth_error *error)
{
    nexauth_source *source;
    nexauth_status status;

    if (!session || !out)
        return nx_fail(error, NEXAUTH_INVALID, "session and out are required");
    source = calloc(1, sizeof *source);
    if (!source)
        return nx_fail(error, NEXAUTH_NO_MEMORY, "memory ran out");
    if (!join(session)) {
        free(source);
        return nx_fail(error, NEXAUTH_INVALID, "the session was freed");
    }
    source->session = session;
    source->provider = provider;
    source->references = 1;
    status = set_up(source, options, error);
    if (status)
        nexauth_source_free(source);
    else
        *out = source;
    return status;
}

void nexauth_source_free(nexauth_source *source)
{
    if (!source)
        return;
    nx_engine_lock(source->session->engine);
    source->freed = true;
    if (source->acquisition)
        nx_acquisition_cancel(source->acquisition, "the source was freed");
    nx_source_unref_unlock(source);
}

/* The thread says what it does, so that it is told when it asks for what it is itself to help with. */
static void begin_supply(nexauth_source *source, struct nx_supply *supply)
{
    supply->thread = nx_thread_self();
    nx_engine_lock(source->session->engine);
    supply->next = source->supplies;
    source->supplies = supply;
    nx_engine_unlock(source->session->engine);
}

static void end_supply(nexauth_source *source, const struct nx_supply *supply)
{
    struct nx_supply **at = &source->supplies;

    nx_engine_lock(source->session->engine);
    while (*at && *at != supply)
        at = &(*at)->next;
    *at = supply->next;
    nx_engine_unlock(source->session->engine);
}

/* What a callback returned, and what it wrote, as a caller is told of it. */
static nexauth_status judge_supply(nexauth_status status, const struct nx_text *xspe, struct nexauth_error *error)
{
    if (status < NEXAUTH_OK || status > NEXAUTH_CANCELED)
        status = NEXAUTH_INVALID;
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

nexauth_status nx_source_supply(nexauth_source *source, struct nx_text *xspe, struct nexauth_error *error)
{
    char buffer[NX_OPTION_LONGEST + 1] = {0};
    struct nx_supply supply;
    void *context;
    nexauth_xspe_callback callback = source->provider->authorizing->supplier(source->identity.options, &context);
    nexauth_status status;

    begin_supply(source, &supply);
    status = callback(context, buffer, sizeof buffer);
    end_supply(source, &supply);
    nx_text_init(xspe, NX_OPTION_LONGEST);
    buffer[NX_OPTION_LONGEST] = '\0';
    nx_text_add(xspe, buffer);
    nx_wipe(buffer, sizeof buffer);
    return judge_supply(status, xspe, error);
}

static bool is_good(const nexauth_source *source)
{
    return source->token && !source->code.length &&
           nx_boot_ms(&source->session->world.clock) < source->token->expires_boot_ms;
}

/* The acquisition under way, or a new one that goes as far as it can without waiting. With a reference for the caller.
 */
static struct nx_acquisition *join_acquisition(nexauth_source *source)
{
    struct nx_engine *engine = source->session->engine;
    struct nx_acquisition *acquisition = source->acquisition;

    if (acquisition) {
        acquisition->references++;
        return acquisition;
    }
    acquisition = nx_acquisition_new(source);
    if (!acquisition)
        return NULL;
    nx_engine_hold(engine);
    nx_engine_unlock(engine);
    nx_acquisition_go(acquisition);
    nx_engine_lock(engine);
    nx_engine_release(engine);
    return acquisition;
}

/* Takes part in one acquisition until it ends or time is over. */
static nexauth_status fly(nexauth_source *source, int64_t deadline_ms, nexauth_token **out, struct nexauth_error *error)
{
    struct nx_acquisition *acquisition = join_acquisition(source);
    nexauth_status status;

    if (!acquisition)
        return nx_fail(error, NEXAUTH_NO_MEMORY, "memory ran out");
    if (!nx_engine_wait(source->session->engine, &acquisition->done, deadline_ms)) {
        status = nx_fail(error, NEXAUTH_TIMEOUT, "no token of %s came in the time that the caller was ready to wait",
                         source->provider->service);
    } else if (acquisition->token) {
        *out = nexauth_token_ref(acquisition->token);
        status = NEXAUTH_OK;
    } else {
        status = acquisition->error.status;
        *error = acquisition->error;
    }
    nx_acquisition_unref(acquisition);
    return status;
}

static bool waits_for_itself(const nexauth_source *source)
{
    const struct nx_supply *supply = source->supplies;

    while (supply && !nx_thread_is_self(&supply->thread))
        supply = supply->next;
    return supply != NULL;
}

/* What an acquisition that was under way before this call says of the past, and not of what the call asks for. */
struct bygone {
    bool code;   /* it began before a web handler brought the code that is at hand now */
    bool parked; /* nobody waited for it: its time may have run out unseen */
};

static struct bygone look_back(const nexauth_source *source)
{
    const struct nx_acquisition *acquisition = source->acquisition;

    return (struct bygone){.code = acquisition && source->code.length,
                           .parked = acquisition && acquisition->references == 1};
}

/* Whether to begin another acquisition, after one that ended with this status. */
static bool is_to_fly_again(const nexauth_source *source, struct bygone bygone, nexauth_status status,
                            const struct nexauth_error *error)
{
    const bool lost = status == NEXAUTH_TIMEOUT || status == NEXAUTH_NETWORK || status == NEXAUTH_UNAVAILABLE;

    if (source->freed || source->session->closed)
        return false;
    if (bygone.code || (status == NEXAUTH_REAUTH && source->code.length))
        return true;
    return bygone.parked && lost && error->http_status == 0;
}

static nexauth_status acquire(nexauth_source *source, int64_t deadline_ms, nexauth_token **out,
                              struct nexauth_error *error)
{
    const struct nx_clock *clock = &source->session->world.clock;
    struct bygone bygone;
    nexauth_token *token;
    nexauth_status status;

    for (;;) {
        token = NULL;
        bygone = look_back(source);
        status = fly(source, deadline_ms, &token, error);
        if (nx_boot_ms(clock) >= deadline_ms || !is_to_fly_again(source, bygone, status, error))
            break;
        nexauth_token_unref(token);
    }
    if (status == NEXAUTH_OK)
        *out = token;
    return status;
}

static nexauth_status get(nexauth_source *source, int64_t deadline_ms, nexauth_token **out, struct nexauth_error *error)
{
    if (source->session->closed)
        return nx_fail(error, NEXAUTH_INVALID, "the session was freed");
    if (waits_for_itself(source))
        return nx_fail(error, NEXAUTH_INVALID, "xspe_callback asks for a token of the source that it serves");
    if (!is_good(source))
        return acquire(source, deadline_ms, out, error);
    *out = nexauth_token_ref(source->token);
    return NEXAUTH_OK;
}

static nexauth_status check_options(const struct nexauth_get_options *options, int64_t *timeout_ms,
                                    struct nexauth_error *error)
{
    *timeout_ms = options && options->timeout_ms ? options->timeout_ms : WAIT_MS;
    if (options && nx_check_reserved(options->reserved, error))
        return NEXAUTH_INVALID;
    if (*timeout_ms < 1 || *timeout_ms > LONGEST_WAIT_MS)
        return nx_fail(error, NEXAUTH_INVALID, "timeout_ms must be from 1 to %d", LONGEST_WAIT_MS);
    return NEXAUTH_OK;
}

nexauth_status nexauth_source_get_token(nexauth_source *source, const struct nexauth_get_options *options,
                                        nexauth_token **out, struct nexauth_error *error)
{
    struct nexauth_error failure = {0};
    int64_t timeout_ms;
    nexauth_status status;

    if (!source || !out)
        return nx_fail(error, NEXAUTH_INVALID, "source and out are required");
    status = check_options(options, &timeout_ms, error);
    if (status)
        return status;
    nx_engine_lock(source->session->engine);
    source->references++;
    status = get(source, nx_boot_ms(&source->session->world.clock) + timeout_ms, out, &failure);
    nx_source_unref_unlock(source);
    if (status && error)
        *error = failure;
    return status;
}
