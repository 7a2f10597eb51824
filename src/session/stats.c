/* Figures of a source, and of the limits at which a session's requests count, for a log line or a metric. */
#include "session/session.h"

#include "core/error.h"

/* A point of the boot clock as Unix seconds; 0: never. */
static int64_t to_wall_s(const nexauth_source *source, int64_t boot_ms)
{
    const struct nx_clock *clock = &source->session->world.clock;

    return boot_ms == INT64_MAX ? 0 : nx_wall_s(clock) + (boot_ms - nx_boot_ms(clock)) / 1000;
}

static void tell_token(const nexauth_source *source, struct nexauth_stats *stats)
{
    const struct nx_life *life = &source->life;

    stats->obtained_at = nexauth_token_obtained_at(source->token);
    stats->early_at = life->lifetime_ms ? to_wall_s(source, life->expires_ms - life->early_ms) : 0;
    stats->late_at = life->lifetime_ms ? to_wall_s(source, life->expires_ms - life->late_ms) : 0;
    stats->expires_at = to_wall_s(source, life->expires_ms);
}

/* What holds requests: the last renewal, if there is a token, and what failed for these credentials. */
static int64_t held_for_ms(const nexauth_source *source)
{
    const int64_t now = nx_boot_ms(&source->session->world.clock);
    int64_t held_ms = source->token && source->life.held_until_ms > now ? source->life.held_until_ms - now : 0;
    struct nexauth_error remembered;

    if (nx_source_recall_failure(source, &remembered) && remembered.retry_after_ms > held_ms)
        held_ms = remembered.retry_after_ms;
    return held_ms;
}

/* With the lock. */
static void tell(const nexauth_source *source, struct nexauth_stats *stats)
{
    stats->hits = nx_slot_hits(&source->slot);
    stats->requests = source->requests;
    stats->joins = source->joins;
    stats->failures = source->failures;
    stats->way = source->way;
    stats->reason = source->reason;
    if (source->token)
        tell_token(source, stats);
    stats->held_for_ms = held_for_ms(source);
    if (source->trouble)
        stats->last_error = source->trouble->error;
}

nexauth_status nexauth_source_stats(nexauth_source *source, struct nexauth_stats *out, struct nexauth_error *error)
{
    struct nexauth_stats stats = {0};
    bool closed;

    if (!source || !out)
        return nx_fail(error, NEXAUTH_INVALID, "source and out are required");
    nx_engine_lock(source->session->engine);
    closed = source->session->closed;
    if (!closed)
        tell(source, &stats);
    nx_engine_unlock(source->session->engine);
    if (closed)
        return nx_fail(error, NEXAUTH_INVALID, "the session was freed");
    *out = stats;
    return NEXAUTH_OK;
}

static int64_t later_ms(int64_t at_us, int64_t now_us)
{
    return at_us > now_us ? (at_us - now_us + 999) / 1000 : 0;
}

/* What holds the origin holds all of its limits. */
static void tell_limit(struct nx_permits *permits, const struct nx_site *site, struct nexauth_limit_state *state)
{
    struct nx_gate_figures limit = {0};
    struct nx_gate_figures origin = {0};
    int64_t now_us = 0;

    *state = (struct nexauth_limit_state){
        .origin = site->origin, .name = site->name, .window_ms = site->doors[NX_SITE_LIMIT].window_ms};
    if (!permits->verbs->figures(permits, site->doors[NX_SITE_LIMIT].key, &limit, &now_us) ||
        !permits->verbs->figures(permits, site->doors[NX_SITE_ORIGIN].key, &origin, &now_us))
        return;
    state->requests = limit.allowed;
    state->used = (int64_t)limit.out + limit.cooling;
    state->waiting = (int64_t)limit.waiting_tokens + limit.waiting_calls;
    state->free_in_ms = later_ms(limit.free_at_us, now_us);
    state->held_for_ms = later_ms(
        limit.held_until_us > origin.held_until_us ? limit.held_until_us : origin.held_until_us, now_us);
}

nexauth_status nexauth_session_limits(nexauth_session *session, struct nexauth_limit_state *out, size_t room,
                                      size_t *count, struct nexauth_error *error)
{
    size_t there = 0;

    if (!session || !count || (room && !out))
        return nx_fail(error, NEXAUTH_INVALID, "session, count and room for what is asked for are required");
    nx_engine_lock(session->engine);
    for (const struct nx_site *site = session->sites; site; site = site->next) {
        if (there < room)
            tell_limit(session->world.permits, site, &out[there]);
        there++;
    }
    nx_engine_unlock(session->engine);
    *count = there;
    return NEXAUTH_OK;
}
