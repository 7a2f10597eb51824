/*
 * Permits: no request of a flight leaves before the rate ledger has given it a turn, and the ledger learns what came of
 * each. A flight that has to wait lies with the ledger; when its turn has come, it goes on by the engine, in whatever
 * thread waits there.
 */
#include "session/session.h"

#include "core/error.h"

#include <stddef.h>

static struct nx_acquisition *of(struct nx_permit *permit)
{
    return (struct nx_acquisition *)(void *)((char *)permit - offsetof(struct nx_acquisition, permit));
}

static void granted(struct nx_permit *permit)
{
    struct nx_acquisition *acquisition = of(permit);
    struct nx_engine *engine = acquisition->source->session->engine;

    nx_engine_lock(engine);
    nx_engine_defer(engine, &acquisition->exchange);
    nx_engine_unlock(engine);
}

static void ring(void *context)
{
    nx_session_turn(context);
}

void nx_session_turn(nexauth_session *session)
{
    const int64_t wait_ms = session->world.permits->verbs->turn(session->world.permits);
    int64_t now;

    if (wait_ms == INT64_MAX) /* nobody waits */
        return;
    now = nx_boot_ms(&session->world.clock);
    nx_engine_lock(session->engine);
    nx_engine_set_alarm(session->engine, wait_ms > INT64_MAX - now ? INT64_MAX : now + wait_ms, ring, session);
    nx_engine_unlock(session->engine);
}

void nx_session_turn_soon(nexauth_session *session)
{
    nx_engine_set_alarm(session->engine, nx_boot_ms(&session->world.clock), ring, session);
}

/* For how long a turn is of use: a second attempt is none beyond the flight's own time. With the lock. */
static int64_t patience_of(const struct nx_acquisition *acquisition)
{
    const int64_t now = nx_boot_ms(&acquisition->source->session->world.clock);
    int64_t until = acquisition->wanted_until_ms;

    if (acquisition->flight.again && acquisition->deadline_ms < until)
        until = acquisition->deadline_ms;
    return until > now ? until - now : 0;
}

/* A wish for both doors of the request's site. False when memory ran out. With the lock. */
static bool make_wish(struct nx_acquisition *acquisition, struct nx_permit_wish *wish)
{
    nexauth_source *source = acquisition->source;
    nexauth_session *session = source->session;
    const struct nx_site *site = nx_site_find(&session->sites, nx_text_string(&acquisition->exchange.request.url),
                                              &source->provider->limit, &session->limits,
                                              session->world.permits->verbs->key(session->world.permits));

    *wish = (struct nx_permit_wish){.count = NX_SITE_DOORS,
                                    .lane = acquisition->reason == NEXAUTH_REASON_EARLY ? NX_LANE_API : NX_LANE_TOKEN,
                                    .patience_ms = patience_of(acquisition)};
    for (size_t i = 0; site && i < NX_SITE_DOORS; i++)
        wish->doors[i] = site->doors[i];
    return site != NULL;
}

void nx_say_throttled(const nexauth_source *source, int64_t wait_ms, struct nexauth_error *error)
{
    nx_fail(error, NEXAUTH_THROTTLED, "the limit of requests at %s leaves no turn in time", source->provider->service);
    error->retry_after_ms = wait_ms;
}

bool nx_permit_comes_too_late(const struct nx_acquisition *acquisition, int64_t deadline_ms,
                              struct nexauth_error *error)
{
    const nexauth_session *session = acquisition->source->session;
    int64_t wait_ms;

    if (!acquisition->queued)
        return false;
    wait_ms = session->world.permits->verbs->soonest_ms(session->world.permits, &acquisition->permit);
    if (wait_ms <= deadline_ms - nx_boot_ms(&session->world.clock))
        return false;
    nx_say_throttled(acquisition->source, wait_ms, error);
    return true;
}

/* With the lock, so that who cancels finds the flight either before or in the queue. */
static enum nx_turn ask(struct nx_acquisition *acquisition)
{
    struct nx_permits *permits = acquisition->source->session->world.permits;
    struct nexauth_error error = {0};
    struct nx_permit_wish wish;
    int64_t wait_ms;
    enum nx_turn is;

    if (!make_wish(acquisition, &wish)) {
        nx_fail(&error, NEXAUTH_NO_MEMORY, "memory ran out");
        nx_flight_refuse(&acquisition->flight, &error);
        return NX_TURN_NEVER;
    }
    acquisition->permit.granted = granted;
    is = permits->verbs->enter(permits, &acquisition->permit, &wish, &wait_ms);
    acquisition->queued = is == NX_TURN_WAITS;
    if (is == NX_TURN_NEVER) {
        nx_say_throttled(acquisition->source, wait_ms, &error);
        nx_flight_refuse(&acquisition->flight, &error);
    }
    return is;
}

enum nx_turn nx_permit_enter(struct nx_acquisition *acquisition)
{
    nexauth_session *session = acquisition->source->session;
    enum nx_turn is = NX_TURN_NEVER;

    if (!session->world.permits || acquisition->permit.state == NX_PERMIT_OUT)
        return NX_TURN_NOW;
    nx_engine_lock(session->engine);
    if (acquisition->done)
        nx_flight_refuse(&acquisition->flight, &acquisition->error);
    else
        is = ask(acquisition);
    nx_engine_unlock(session->engine);
    if (is == NX_TURN_WAITS) /* else nobody's turn has come by that */
        nx_session_turn(session);
    return is;
}

bool nx_permit_has_waited(struct nx_acquisition *acquisition)
{
    nexauth_session *session = acquisition->source->session;

    if (!acquisition->queued) /* whoever drives the flight may read without the lock what nobody else changes */
        return false;
    nx_engine_lock(session->engine);
    acquisition->queued = false;
    nx_engine_unlock(session->engine);
    return true;
}

bool nx_permit_again(struct nx_exchange *exchange, void *context)
{
    struct nx_acquisition *acquisition = context;
    struct nx_permits *permits = acquisition->source->session->world.permits;

    (void)exchange;
    return !permits || permits->verbs->again(permits, &acquisition->permit);
}

enum nx_end nx_end_of(bool left, int http_status)
{
    if (!left)
        return NX_END_UNSENT;
    return http_status && http_status != 502 && http_status != 504 ? NX_END_ANSWERED : NX_END_GIVEN_UP;
}

static struct nx_outcome outcome_of(const struct nx_acquisition *acquisition)
{
    const struct nx_flight *flight = &acquisition->flight;
    const struct nx_exchange *exchange = &acquisition->exchange;
    struct nx_outcome outcome = {
        .end = nx_end_of(exchange->sendings > 0, exchange->loss ? 0 : exchange->response.http_status),
        .word = NX_WORD_NONE};

    if (flight->verdict == NEXAUTH_THROTTLED || flight->verdict == NEXAUTH_BLOCKED) {
        outcome.word = NX_WORD_REFUSED;
        outcome.held = flight->verdict == NEXAUTH_BLOCKED ? NX_SITE_ORIGIN : NX_SITE_LIMIT;
        outcome.retry_after_us = flight->error.retry_after_ms * 1000;
        outcome.grows = flight->ban != NX_BAN_FIRST;
    } else if (outcome.end == NX_END_ANSWERED) {
        outcome.word = NX_WORD_FINE;
    }
    outcome.draw = nx_session_draw(acquisition->source->session);
    return outcome;
}

void nx_permit_end(struct nx_acquisition *acquisition)
{
    nexauth_session *session = acquisition->source->session;
    struct nx_outcome outcome;

    if (!session->world.permits)
        return;
    outcome = outcome_of(acquisition);
    if (session->world.permits->verbs->end(session->world.permits, &acquisition->permit, &outcome))
        nx_session_turn(session);
}

void nx_permit_withdraw(struct nx_acquisition *acquisition)
{
    nexauth_session *session = acquisition->source->session;
    struct nx_permits *permits = session->world.permits;

    if (!acquisition->queued || !permits->verbs->leave(permits, &acquisition->permit))
        return;
    nx_engine_defer(session->engine, &acquisition->exchange);
    nx_session_turn_soon(session);
}
