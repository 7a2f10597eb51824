/* Drives flights: gets for each what it needs next, and gives its outcome to all who wait. */
#include "session/session.h"

#include "core/draw.h"
#include "core/error.h"

#include <stdlib.h>

enum { RETRY_LEAST_MS = 750, RETRY_SPREAD_MS = 500 }; /* a jittered second */

static void go(struct nx_acquisition *acquisition);

static void exchange_done(struct nx_exchange *exchange, void *context)
{
    struct nx_acquisition *acquisition = context;

    (void)exchange;
    if (!nx_permit_has_waited(acquisition) && acquisition->under_way) {
        nx_session_read_answer(acquisition->source->session, acquisition);
        nx_permit_end(acquisition);
    }
    go(acquisition);
}

static void link_to_session(struct nx_acquisition *acquisition)
{
    nexauth_session *session = acquisition->source->session;

    acquisition->next = session->acquisitions;
    if (acquisition->next)
        acquisition->next->previous = acquisition;
    session->acquisitions = acquisition;
}

static void unlink_from_session(struct nx_acquisition *acquisition)
{
    nexauth_session *session = acquisition->source->session;

    *(acquisition->previous ? &acquisition->previous->next : &session->acquisitions) = acquisition->next;
    if (acquisition->next)
        acquisition->next->previous = acquisition->previous;
}

static struct nx_acquisition *acquisition_new(nexauth_source *source, enum nexauth_reason reason)
{
    struct nx_acquisition *acquisition = calloc(1, sizeof *acquisition);

    if (!acquisition)
        return NULL;
    acquisition->source = source;
    acquisition->references = 2; /* the flight's own and the caller's */
    acquisition->reason = reason;
    source->references++;
    source->acquisition = acquisition;
    nx_exchange_init(&acquisition->exchange, source->session->answer_bound);
    acquisition->exchange.done = exchange_done;
    acquisition->exchange.again = nx_permit_again;
    acquisition->exchange.context = acquisition;
    link_to_session(acquisition);
    return acquisition;
}

/* Whether no request is to be sent now, and why. What a web handler has brought may always be tried. */
static bool is_refused(const nexauth_source *source, struct nexauth_error *error)
{
    if (source->provider->give && nx_source_rejected(source)) {
        nx_fail(error, NEXAUTH_REAUTH, "the static token was rejected");
        return true;
    }
    return !nx_source_has_code(source) && nx_source_recall_failure(source, error);
}

struct nx_acquisition *nx_acquisition_join(nexauth_source *source, enum nexauth_reason reason, int64_t deadline_ms,
                                           bool *begun, struct nexauth_error *error)
{
    struct nx_acquisition *acquisition = source->acquisition;
    const bool awaited = reason != NEXAUTH_REASON_EARLY; /* else the good token is taken, whatever comes */

    *begun = !acquisition;
    if (acquisition && awaited && nx_permit_comes_too_late(acquisition, deadline_ms, error))
        return NULL;
    if (acquisition) {
        acquisition->parked |= awaited && acquisition->references == 1;
        acquisition->references++;
        source->joins += awaited;
        if (acquisition->wanted_until_ms < deadline_ms)
            acquisition->wanted_until_ms = deadline_ms;
        return acquisition;
    }
    if (is_refused(source, error))
        return NULL;
    acquisition = acquisition_new(source, reason);
    if (acquisition)
        acquisition->wanted_until_ms = deadline_ms;
    else
        nx_fail(error, NEXAUTH_NO_MEMORY, "memory ran out");
    return acquisition;
}

void nx_acquisition_let_go(struct nx_acquisition *acquisition)
{
    for (size_t i = 0; i < NX_HELD_TOKENS; i++) {
        nexauth_token_unref(acquisition->held[i]);
        acquisition->held[i] = NULL;
    }
}

void nx_acquisition_unref(struct nx_acquisition *acquisition)
{
    if (--acquisition->references)
        return;
    nx_exchange_release(&acquisition->exchange);
    nx_flight_release(&acquisition->flight);
    nexauth_token_unref(acquisition->fresh);
    nexauth_token_unref(acquisition->token);
    nx_acquisition_let_go(acquisition);
    free(acquisition);
}

/* Keeps the tokens that the source has or lost by rejection: an answer that names them is not to be quoted, whatever
 * becomes of them meanwhile. With the lock. */
static void hold_tokens(struct nx_acquisition *acquisition)
{
    const nexauth_source *source = acquisition->source;

    nx_acquisition_let_go(acquisition);
    acquisition->held[0] = nexauth_token_ref(source->token);
    acquisition->held[1] = nexauth_token_ref(nx_source_rejected(source));
}

/* Takes over the code that a web handler has brought meanwhile. False when nobody wants a token any more. */
static bool prepare(struct nx_acquisition *acquisition)
{
    nexauth_source *source = acquisition->source;
    bool wanted;

    nx_engine_lock(source->session->engine);
    wanted = !acquisition->done;
    hold_tokens(acquisition);
    if (wanted && nx_source_has_code(source)) {
        nx_text_move(&source->grant->code, &source->grant->brought);
        nx_text_move(&source->grant->supplied, &source->grant->brought_with);
        acquisition->reason = NEXAUTH_REASON_CODE;
    }
    nx_engine_unlock(source->session->engine);
    return wanted;
}

static void begin(struct nx_acquisition *acquisition)
{
    nexauth_source *source = acquisition->source;
    nexauth_session *session = source->session;

    acquisition->under_way = true;
    if (!prepare(acquisition)) {
        acquisition->flight.need = NX_NEED_FAIL;
        nx_fail(&acquisition->flight.error, NEXAUTH_CANCELED, "nobody wants a token any more");
        return;
    }
    acquisition->attempted = false;
    acquisition->exchange.latest_ms = 0;
    nx_flight_begin(&acquisition->flight, source->provider, &source->identity, source->grant, &acquisition->exchange,
                    session->answer_bound);
    for (size_t i = 0; i < NX_HELD_TOKENS; i++)
        acquisition->flight.held[i] = nexauth_token_access_token(acquisition->held[i]);
}

static void supply(struct nx_acquisition *acquisition)
{
    struct nexauth_error error = {0};
    struct nx_text xspe;

    acquisition->attempted = true;
    nx_supply(acquisition->source, &xspe, &error);
    nx_flight_take_xspe(&acquisition->flight, &error, &xspe);
    nx_text_release(&xspe);
}

static void draw_state(struct nx_acquisition *acquisition)
{
    const struct nx_world *world = &acquisition->source->session->world;
    unsigned char bytes[NX_STATE_BYTES];
    const bool drawn = world->entropy(world->entropy_context, bytes, sizeof bytes);

    nx_flight_take_random(&acquisition->flight, drawn ? bytes : NULL);
    nx_wipe(bytes, sizeof bytes);
}

static void count_request(struct nx_acquisition *acquisition)
{
    nexauth_source *source = acquisition->source;

    acquisition->attempted = true;
    nx_engine_lock(source->session->engine);
    source->requests++;
    nx_engine_unlock(source->session->engine);
}

/* Lets the request leave as soon as it may. False when it may not: the flight has failed. */
static bool submit(struct nx_acquisition *acquisition)
{
    nexauth_session *session = acquisition->source->session;
    const enum nx_turn turn = nx_permit_enter(acquisition);

    if (turn != NX_TURN_NOW)
        return turn == NX_TURN_WAITS; /* then the acquisition is the ledger's */
    count_request(acquisition);
    if (acquisition->flight.again) {
        acquisition->exchange.latest_ms = acquisition->deadline_ms;
        nx_engine_submit_at(session->engine, &acquisition->exchange, acquisition->again_at_ms);
    } else {
        acquisition->deadline_ms = nx_boot_ms(&session->world.clock) + session->exchange_timeout_ms;
        nx_engine_submit(session->engine, &acquisition->exchange);
    }
    return true;
}

/* A second attempt a jittered second from now, if there is time for it. */
static void try_again(struct nx_acquisition *acquisition)
{
    nexauth_session *session = acquisition->source->session;
    const struct nexauth_error error = acquisition->flight.error;
    const int64_t pause_ms = RETRY_LEAST_MS + nx_draw_ms(nx_session_draw(session), RETRY_SPREAD_MS);
    bool in_time;

    acquisition->again_at_ms = nx_boot_ms(&session->world.clock) + pause_ms;
    in_time = acquisition->again_at_ms < acquisition->deadline_ms;
    nx_flight_take_wait(&acquisition->flight, in_time);
    if (in_time && acquisition->flight.need == NX_NEED_SEND)
        nx_tell(acquisition->source, NEXAUTH_EVENT_RETRY, &error, NULL);
}

/* Makes the flight's token, unless memory runs out. To be called once: the flight has no text left then. */
static void make_token(struct nx_acquisition *acquisition)
{
    nexauth_session *session = acquisition->source->session;
    const struct nx_exchange *exchange = &acquisition->exchange;
    struct nx_now sent = {exchange->sent_boot_ms, exchange->sent_wall_s};

    if (exchange->sendings == 0)
        sent = nx_read_now(&session->world.clock);
    acquisition->fresh = nx_token_new(session->arena, &acquisition->source->slot, &acquisition->flight.issue,
                                      sent.wall_s, sent.boot_ms);
}

static void save(struct nx_acquisition *acquisition)
{
    struct nx_grant *grant = acquisition->flight.grant;

    if (grant)
        nx_text_lock_away(&grant->refresh_token, nx_arena_vault(acquisition->source->session->secrets));
    make_token(acquisition);
    if (acquisition->fresh)
        nx_save_token(acquisition->source, acquisition->fresh);
    nx_flight_take_saved(&acquisition->flight);
}

/* Says why there is no token that is good; OK when there is one. */
static nexauth_status land(struct nx_acquisition *acquisition, struct nexauth_error *error)
{
    const bool given = acquisition->source->provider->give != NULL;

    if (acquisition->flight.need == NX_NEED_FAIL) {
        *error = acquisition->flight.error;
        return error->status;
    }
    if (given)
        make_token(acquisition);
    if (!acquisition->fresh)
        return nx_fail(error, NEXAUTH_NO_MEMORY, "memory ran out");
    if (acquisition->fresh->expires_boot_ms > nx_boot_ms(&acquisition->source->session->world.clock))
        return NEXAUTH_OK;
    return given ? nx_fail(error, NEXAUTH_REAUTH, "the static token has expired")
                 : nx_fail(error, NEXAUTH_UNAVAILABLE, "the token had expired when it came");
}

static enum nexauth_way way_of(const struct nx_acquisition *acquisition)
{
    if (acquisition->source->provider->give)
        return NEXAUTH_WAY_STATIC;
    switch (acquisition->flight.step) {
    case NX_STEP_CODE:
        return NEXAUTH_WAY_CODE;
    case NX_STEP_REFRESH:
        return NEXAUTH_WAY_REFRESH;
    default:
        return NEXAUTH_WAY_CREDENTIALS;
    }
}

/* Whether the flight is to begin anew: a web handler has brought a code meanwhile; or nobody waited for it for some
 * time, in which its own ran out, or its token's. With the lock. */
static bool is_to_begin_anew(struct nx_acquisition *acquisition, const struct nexauth_error *error)
{
    const bool late = error->status == NEXAUTH_TIMEOUT || (error->status && acquisition->fresh);
    const bool missed = acquisition->parked && late;

    acquisition->parked = false;
    return !acquisition->done && (missed || nx_source_has_code(acquisition->source));
}

/* What the flight brought becomes what the source has. With the lock. Returns what to tell of it. */
static enum nexauth_event_kind take_outcome(struct nx_acquisition *acquisition, struct nexauth_error *error)
{
    nexauth_source *source = acquisition->source;

    if (error->status) {
        source->failures++;
        nx_current_note_failure(source, acquisition->attempted, error);
        return NEXAUTH_EVENT_FAILED;
    }
    nx_source_forget_failure(source);
    source->way = (unsigned char)way_of(acquisition);
    source->reason = (unsigned char)acquisition->reason;
    return nx_current_take(source, acquisition->fresh) ? NEXAUTH_EVENT_SAME_TOKEN : NEXAUTH_EVENT_TOKEN;
}

/* Everybody who waits learns of it. With the lock. */
static void settle(struct nx_acquisition *acquisition, const struct nexauth_error *error)
{
    if (acquisition->done)
        return;
    if (!error->status)
        acquisition->token = nexauth_token_ref(acquisition->fresh);
    else
        acquisition->error = *error;
    acquisition->done = true;
    nx_calls_settle(acquisition);
    nx_engine_wake(acquisition->source->session->engine, &acquisition->done);
}

/* Lets a flight's remains go, so that another can begin in its place. */
static void clear(struct nx_acquisition *acquisition)
{
    nexauth_token_unref(acquisition->fresh);
    acquisition->fresh = NULL;
    nx_flight_release(&acquisition->flight);
}

/* The flight is over. True when another is to begin in its place; else the acquisition is the caller's no more. */
static bool complete(struct nx_acquisition *acquisition)
{
    nexauth_source *source = acquisition->source;
    struct nx_engine *engine = source->session->engine;
    enum nexauth_event_kind kind = NEXAUTH_EVENT_FAILED;
    struct nexauth_error error = {0};
    bool anew;

    land(acquisition, &error);
    nx_engine_lock(engine);
    anew = is_to_begin_anew(acquisition, &error);
    if (!anew || !error.status)
        kind = take_outcome(acquisition, &error);
    if (!anew) {
        source->acquisition = NULL;
        settle(acquisition, &error);
    }
    nx_acquisition_let_go(acquisition);
    nx_engine_unlock(engine);
    if (!error.status)
        nx_tell(source, kind, NULL, acquisition->fresh);
    else if (!anew)
        nx_tell(source, kind, &error, NULL);
    clear(acquisition);
    if (anew)
        return true;
    nx_engine_lock(engine);
    unlink_from_session(acquisition);
    nx_acquisition_unref(acquisition);
    nx_source_unref_unlock(source);
    return false;
}

/* Goes on until something has to be waited for, or the acquisition is over. */
static void go(struct nx_acquisition *acquisition)
{
    if (!acquisition->under_way)
        begin(acquisition);
    for (;;) {
        switch (acquisition->flight.need) {
        case NX_NEED_XSPE:
            supply(acquisition);
            break;
        case NX_NEED_STATE:
            draw_state(acquisition);
            break;
        case NX_NEED_SEND:
            if (submit(acquisition))
                return;
            break;
        case NX_NEED_WAIT:
            try_again(acquisition);
            break;
        case NX_NEED_SAVE:
            save(acquisition);
            break;
        default:
            if (!complete(acquisition))
                return;
            begin(acquisition);
        }
    }
}

void nx_acquisition_go(struct nx_acquisition *acquisition)
{
    struct nx_engine *engine = acquisition->source->session->engine;

    nx_engine_hold(engine);
    nx_engine_unlock(engine);
    go(acquisition);
    nx_engine_lock(engine);
    nx_engine_release(engine);
}

void nx_acquisition_defer(struct nx_acquisition *acquisition)
{
    nx_engine_defer(acquisition->source->session->engine, &acquisition->exchange);
}

nexauth_status nx_acquisition_outcome(const struct nx_acquisition *acquisition, int64_t validity_ms,
                                      nexauth_token **token, struct nexauth_error *error)
{
    nexauth_source *source = acquisition->source;
    const bool must_be_new = acquisition->reason == NEXAUTH_REASON_CODE ||
                             acquisition->error.status == NEXAUTH_CANCELED;

    if (acquisition->token) {
        *token = nexauth_token_ref(acquisition->token);
        return NEXAUTH_OK;
    }
    if (!must_be_new && nx_current_serves(source, validity_ms)) {
        *token = nx_current_ref(source);
        return NEXAUTH_OK;
    }
    if (!acquisition->done)
        return nx_fail(error, NEXAUTH_TIMEOUT, "no token of %s came in the time that the caller was ready to wait",
                       source->provider->service);
    *error = acquisition->error;
    return error->status;
}

void nx_acquisition_cancel(struct nx_acquisition *acquisition, const char *why)
{
    struct nexauth_error error = {0};

    nx_engine_give_up(acquisition->source->session->engine, &acquisition->exchange);
    nx_permit_withdraw(acquisition);
    nx_fail(&error, NEXAUTH_CANCELED, "%s while its token was waited for", why);
    settle(acquisition, &error);
}
