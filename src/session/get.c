/* How a caller that blocks gets a token: at once, when it is fresh; else by what its phase asks for. */
#include "session/session.h"

#include "core/error.h"
#include "io/system.h"

#include <string.h>

enum {
    NS_IN_MS = 1000000,
    WAIT_MS = 30000,
    LONGEST_WAIT_MS = 3600000,
    LONGEST_VALIDITY_S = 31536000,
    EARLY_WAIT_MS = 2000, /* how long the caller that renews a token early waits before it takes the good one */
    LOOK_MS = 10          /* how often callers look whether an early renewal that nobody waits for has ended */
};

nexauth_status nx_timeout_of(int64_t asked_ms, int64_t *timeout_ms, struct nexauth_error *error)
{
    *timeout_ms = asked_ms ? asked_ms : WAIT_MS;
    if (*timeout_ms < 1 || *timeout_ms > LONGEST_WAIT_MS)
        return nx_fail(error, NEXAUTH_INVALID, "timeout_ms must be from 1 to %d", LONGEST_WAIT_MS);
    return NEXAUTH_OK;
}

nexauth_status nx_wish_of(const struct nexauth_get_options *options, struct nx_wish *wish, struct nexauth_error *error)
{
    const int64_t validity_s = options ? options->min_validity_s : 0;

    *wish = (struct nx_wish){0};
    if (options && nx_check_reserved(options->reserved, error))
        return NEXAUTH_INVALID;
    if (nx_timeout_of(options ? options->timeout_ms : 0, &wish->timeout_ms, error))
        return NEXAUTH_INVALID;
    if (validity_s < 0 || validity_s > LONGEST_VALIDITY_S)
        return nx_fail(error, NEXAUTH_INVALID, "min_validity_s must be from 0 to %d", LONGEST_VALIDITY_S);
    wish->validity_ms = validity_s * 1000;
    return NEXAUTH_OK;
}

enum nexauth_reason nx_reason_of(const nexauth_source *source, enum nx_phase phase)
{
    if (nx_source_has_code(source))
        return NEXAUTH_REASON_CODE;
    if (!source->token)
        return nx_source_rejected(source) ? NEXAUTH_REASON_REJECTED : NEXAUTH_REASON_FIRST;
    if (phase == NX_PHASE_OVER)
        return NEXAUTH_REASON_EXPIRED;
    return nx_current_phase(source, 0) == NX_PHASE_LATE ? NEXAUTH_REASON_LATE : NEXAUTH_REASON_VALIDITY;
}

nexauth_status nx_refuse_held(const nexauth_source *source, struct nexauth_error *error)
{
    const int64_t left_ms = source->life.held_until_ms - nx_boot_ms(&source->session->world.clock);

    if (source->trouble && source->trouble->error.status)
        *error = source->trouble->error;
    else
        nx_fail(error, NEXAUTH_UNAVAILABLE, "the token could not be renewed");
    error->retry_after_ms = left_ms > 0 ? left_ms : 0; /* it may have passed since the token was looked at */
    return error->status;
}

/* Takes part in one acquisition until it ends or until_ms. Who waits within a callback runs no others there; nor does
 * `passing`, who has a good token and little time. */
static void fly(nexauth_source *source, struct nx_acquisition *acquisition, bool begun, int64_t until_ms, bool passing)
{
    const bool own_alone = passing || nx_runs_callback(source->session);

    if (begun)
        nx_acquisition_go(acquisition);
    nx_engine_wait(source->session->engine, &acquisition->done, until_ms, own_alone ? &acquisition->exchange : NULL);
}

static nexauth_token *take(nexauth_source *source, const struct nx_wish *wish)
{
    return wish->copies ? nx_current_ref(source) : nx_current_hit(source);
}

/* What a caller gets whose token no acquisition can renew now. */
static nexauth_status make_do(nexauth_source *source, const struct nx_wish *wish, nexauth_token **out,
                              const struct nexauth_error *error)
{
    if (!nx_current_serves(source, wish->validity_ms))
        return error->status;
    *out = take(source, wish);
    return NEXAUTH_OK;
}

static nexauth_status wait_for_token(nexauth_source *source, enum nexauth_reason reason, const struct nx_wish *wish,
                                     int64_t deadline_ms, nexauth_token **out, struct nexauth_error *error)
{
    struct nx_acquisition *acquisition = NULL;
    nexauth_status status;
    bool begun;

    if (nx_is_on_errand(source))
        nx_fail(error, NEXAUTH_INVALID, "a callback waits for a token of the source that it is called for");
    else
        acquisition = nx_acquisition_join(source, reason, deadline_ms, &begun, error);
    if (!acquisition)
        return make_do(source, wish, out, error);
    fly(source, acquisition, begun, deadline_ms, false);
    status = nx_acquisition_outcome(acquisition, wish->validity_ms, out, error);
    nx_acquisition_unref(acquisition);
    return status;
}

/*
 * One caller renews, and takes the good token when that takes long; the others take it at once. What nobody waits for
 * any more is looked after in passing.
 */
static void renew_early(nexauth_source *source, int64_t deadline_ms)
{
    const int64_t now = nx_boot_ms(&source->session->world.clock);
    const int64_t patience_ms = now + EARLY_WAIT_MS;
    struct nexauth_error error = {0};
    struct nx_acquisition *acquisition;
    int64_t until_ms = now;
    bool begun;

    if (nx_is_on_errand(source))
        return;
    nx_current_open(source, LOOK_MS);
    acquisition = nx_acquisition_join(source, NEXAUTH_REASON_EARLY, now + NX_EARLY_PATIENCE_MS, &begun, &error);
    if (!acquisition)
        return;
    if (begun)
        until_ms = deadline_ms < patience_ms ? deadline_ms : patience_ms;
    fly(source, acquisition, begun, until_ms, true);
    nx_acquisition_unref(acquisition);
}

static nexauth_status get(nexauth_source *source, const struct nx_wish *wish, nexauth_token **out,
                          struct nexauth_error *error)
{
    const int64_t deadline_ms = nx_boot_ms(&source->session->world.clock) + wish->timeout_ms;
    enum nx_phase phase;

    if (source->session->closed)
        return nx_fail(error, NEXAUTH_INVALID, "the session was freed");
    source->asked = true;
    phase = nx_current_phase(source, wish->validity_ms);
    if (phase == NX_PHASE_EARLY) {
        renew_early(source, deadline_ms);
        if (!nx_current_serves(source, wish->validity_ms))
            phase = nx_current_phase(source, wish->validity_ms);
    }
    if (phase == NX_PHASE_HELD)
        return nx_refuse_held(source, error);
    if (phase == NX_PHASE_LATE || phase == NX_PHASE_OVER)
        return wait_for_token(source, nx_reason_of(source, phase), wish, deadline_ms, out, error);
    if (phase == NX_PHASE_FRESH)
        nx_current_open(source, 0);
    *out = take(source, wish);
    return NEXAUTH_OK;
}

/* The path for whoever does not find a fresh token without the lock. */
static nexauth_status get_locked(nexauth_source *source, const struct nx_wish *wish, nexauth_token **out,
                                 struct nexauth_error *error)
{
    struct nexauth_error failure = {0};
    nexauth_status status;

    nx_engine_lock(source->session->engine);
    nx_source_enter(source);
    status = get(source, wish, out, &failure);
    nx_source_leave_unlock(source);
    if (status && error)
        *error = failure;
    return status;
}

/* Until when the caller wants the token, by the coarse clocks. */
static inline struct nx_moment moment_of(const nexauth_source *source, int64_t validity_ms)
{
    struct nx_moment moment = nx_coarse(&source->session->world.clock);

    moment.mono_ns += validity_ms * NS_IN_MS;
    moment.wall_ns += validity_ms * NS_IN_MS;
    return moment;
}

/* A reference to a token that is fresh, and will be for so long; NULL: whoever wants one takes the lock. */
static inline nexauth_token *take_fresh(nexauth_source *source, int64_t validity_ms)
{
    return nx_slot_ref(&source->slot, moment_of(source, validity_ms));
}

nexauth_token *nx_take_fresh(nexauth_source *source)
{
    return take_fresh(source, 0);
}

/* Kept apart, so that the shortest way saves no registers for the longer ones. */
#if defined(__GNUC__)
__attribute__((noinline))
#endif
static nexauth_status
get_with(nexauth_source *source, const struct nexauth_get_options *options, nexauth_token **out,
         struct nexauth_error *error)
{
    struct nx_wish wish = {0};
    nexauth_token *token;
    nexauth_status status;

    if (!source || !out)
        return nx_fail(error, NEXAUTH_INVALID, "source and out are required");
    status = nx_wish_of(options, &wish, error);
    if (status)
        return status;
    token = take_fresh(source, wish.validity_ms);
    if (!token)
        return get_locked(source, &wish, out, error);
    *out = token;
    return NEXAUTH_OK;
}

/* The way of a thread that shares the source with others, kept apart like get_with(). */
#if defined(__GNUC__)
__attribute__((noinline))
#endif
static nexauth_status
get_in_lane(nexauth_source *source, struct nx_moment now, nexauth_token **out, struct nexauth_error *error)
{
    nexauth_token *token = nx_slot_ref_in_lane(&source->slot, now);

    if (!token)
        return get_with(source, NULL, out, error);
    *out = token;
    return NEXAUTH_OK;
}

/* The shortest way first. */
nexauth_status nexauth_source_get_token(nexauth_source *source, const struct nexauth_get_options *options,
                                        nexauth_token **out, struct nexauth_error *error)
{
    struct nx_moment now;
    nexauth_token *token;

    if (options || !source || !out)
        return get_with(source, options, out, error);
    now = moment_of(source, 0);
    token = nx_slot_is_fresh(&source->slot, &source->slot.until_ns, now) ? nx_slot_take(&source->slot, NULL, -1) : NULL;
    if (!token)
        return get_in_lane(source, now, out, error);
    *out = token;
    return NEXAUTH_OK;
}

static nexauth_status refuse_size(size_t needed, struct nexauth_error *error)
{
    return nx_fail(error, NEXAUTH_INVALID, "the buffer is too small: %zu bytes are needed", needed);
}

/* The text of a token that was waited for. */
static nexauth_status copy_locked(nexauth_source *source, const struct nx_wish *wish, char *buffer, size_t size,
                                  size_t *out, struct nexauth_error *error)
{
    nexauth_token *token = NULL;
    nexauth_status status = get_locked(source, wish, &token, error);
    size_t length;

    if (!token)
        return status;
    length = token->presented_length;
    if (length < size) {
        memcpy(buffer, nx_block_text(token->block), length + 1);
        *out = length;
    } else {
        status = refuse_size(length + 1, error);
    }
    nexauth_token_unref(token);
    return status;
}

/* The way of get_with(). */
#if defined(__GNUC__)
__attribute__((noinline))
#endif
static nexauth_status
copy_with(nexauth_source *source, const struct nexauth_get_options *options, char *buffer, size_t size, size_t *out,
          struct nexauth_error *error)
{
    enum nx_slot_copied copied;
    struct nx_wish wish = {0};
    nexauth_status status;
    size_t length;

    if (!source || !buffer || !out)
        return nx_fail(error, NEXAUTH_INVALID, "source, buffer and out are required");
    status = nx_wish_of(options, &wish, error);
    if (status)
        return status;
    wish.copies = true;
    copied = nx_slot_copy(&source->slot, moment_of(source, wish.validity_ms), buffer, size, &length);
    if (copied == NX_SLOT_NOT_FRESH)
        return copy_locked(source, &wish, buffer, size, out, error);
    if (copied == NX_SLOT_TOO_SMALL)
        return refuse_size(length + 1, error);
    *out = length;
    return NEXAUTH_OK;
}

nexauth_status nexauth_source_copy_token(nexauth_source *source, const struct nexauth_get_options *options,
                                         char *buffer, size_t size, size_t *out, struct nexauth_error *error)
{
    size_t length;

    if (options || !source || !buffer || !out ||
        nx_slot_copy(&source->slot, moment_of(source, 0), buffer, size, &length) != NX_SLOT_COPIED)
        return copy_with(source, options, buffer, size, out, error);
    *out = length;
    return NEXAUTH_OK;
}
