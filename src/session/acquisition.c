/* Drives flights: gets for each what it needs next, and gives its outcome to all who wait. */
#include "session/session.h"

#include "core/error.h"

#include <stdlib.h>

static void exchange_done(struct nx_exchange *exchange, void *context)
{
    struct nx_acquisition *acquisition = context;

    (void)exchange;
    nx_session_read_answer(acquisition->source->session, acquisition);
    nx_acquisition_go(acquisition);
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

struct nx_acquisition *nx_acquisition_new(nexauth_source *source)
{
    struct nx_acquisition *acquisition = calloc(1, sizeof *acquisition);

    if (!acquisition)
        return NULL;
    acquisition->source = source;
    acquisition->references = 2; /* the flight's own and the caller's */
    source->references++;
    source->acquisition = acquisition;
    if (source->code.length)
        nx_text_move(&source->grant.code, &source->code);
    nx_exchange_init(&acquisition->exchange, source->session->answer_bound);
    acquisition->exchange.done = exchange_done;
    acquisition->exchange.context = acquisition;
    link_to_session(acquisition);
    nx_flight_begin(&acquisition->flight, source->provider, &source->identity, &source->grant, &acquisition->exchange,
                    source->session->answer_bound);
    return acquisition;
}

void nx_acquisition_unref(struct nx_acquisition *acquisition)
{
    if (--acquisition->references)
        return;
    nx_exchange_release(&acquisition->exchange);
    nx_flight_release(&acquisition->flight);
    nexauth_token_unref(acquisition->token);
    free(acquisition);
}

static void supply(struct nx_acquisition *acquisition)
{
    struct nexauth_error error = {0};
    struct nx_text xspe;

    nx_source_supply(acquisition->source, &xspe, &error);
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

/* The token that the flight brought; NULL with an error when it brought none that is good. */
static nexauth_token *land(struct nx_acquisition *acquisition, struct nexauth_error *error)
{
    const struct nx_clock *clock = &acquisition->source->session->world.clock;
    const bool sent = acquisition->exchange.sendings > 0;
    const int64_t now = nx_boot_ms(clock);
    nexauth_token *token;

    if (acquisition->flight.need == NX_NEED_FAIL) {
        *error = acquisition->flight.error;
        return NULL;
    }
    token = nx_token_new(acquisition->source->session->arena, &acquisition->flight.issue,
                         sent ? acquisition->exchange.sent_wall_s : nx_wall_s(clock),
                         sent ? acquisition->exchange.sent_boot_ms : now);
    if (token && token->expires_boot_ms > now)
        return token;
    if (!token)
        nx_fail(error, NEXAUTH_NO_MEMORY, "memory ran out");
    else if (!sent)
        nx_fail(error, NEXAUTH_REAUTH, "the static token has expired");
    else
        nx_fail(error, NEXAUTH_UNAVAILABLE, "the token had expired when it came");
    nexauth_token_unref(token);
    return NULL;
}

static void settle(struct nx_acquisition *acquisition, nexauth_token *token, const struct nexauth_error *error)
{
    nexauth_source *source = acquisition->source;

    if (token && !source->freed) {
        nexauth_token_unref(source->token);
        source->token = nexauth_token_ref(token);
    }
    if (!acquisition->done) {
        acquisition->token = nexauth_token_ref(token);
        acquisition->error = *error;
        acquisition->done = true;
        nx_engine_wake(source->session->engine, &acquisition->done);
    }
}

static void complete(struct nx_acquisition *acquisition)
{
    nexauth_source *source = acquisition->source;
    struct nexauth_error error = {0};
    nexauth_token *token = land(acquisition, &error);

    nx_engine_lock(source->session->engine);
    unlink_from_session(acquisition);
    source->acquisition = NULL;
    settle(acquisition, token, &error);
    nexauth_token_unref(token);
    nx_acquisition_unref(acquisition);
    nx_source_unref_unlock(source);
}

void nx_acquisition_go(struct nx_acquisition *acquisition)
{
    struct nx_engine *engine = acquisition->source->session->engine;

    for (;;) {
        switch (acquisition->flight.need) {
        case NX_NEED_XSPE:
            supply(acquisition);
            break;
        case NX_NEED_STATE:
            draw_state(acquisition);
            break;
        case NX_NEED_SEND:
            nx_engine_submit(engine, &acquisition->exchange);
            return;
        default:
            complete(acquisition);
            return;
        }
    }
}

void nx_acquisition_cancel(struct nx_acquisition *acquisition, const char *why)
{
    struct nx_engine *engine = acquisition->source->session->engine;

    nx_engine_give_up(engine, &acquisition->exchange);
    if (acquisition->done)
        return;
    nx_fail(&acquisition->error, NEXAUTH_CANCELED, "%s while its token was waited for", why);
    acquisition->done = true;
    nx_engine_wake(engine, &acquisition->done);
}
