/* The token that a source holds: how good it is, for how long callers may have it without a lock, and what follows when
 * its renewal fails. */
#include "session/session.h"

#include "core/error.h"
#include "io/system.h"

#include <string.h>

/* What the coarse clocks may be behind the boot clock unseen: a sleep that the slot lets pass, and a tick or two. */
enum { COARSE_MS = NX_SLOT_SKEW_MOST_MS + 20, NS_IN_MS = 1000000 };

static int64_t now_of(const nexauth_source *source)
{
    return nx_boot_ms(&source->session->world.clock);
}

static struct nx_moment coarse_of(const nexauth_source *source)
{
    return nx_coarse(&source->session->world.clock);
}

/* A token past its time by the wall clock alone may be one that the boot clock is wrong about: it is due for renewal.
 * Whole seconds are compared: the token's own end may lie a fraction behind them. */
static bool is_past_by_the_wall(const nexauth_source *source)
{
    return source->token->expires_at && source->life.expires_ms != INT64_MAX &&
           nx_wall_s(&source->session->world.clock) > source->token->expires_at;
}

/* A static token is promised until a time of the wall clock, and by nothing else. Where that clock was wrong when the
 * source first looked, the boot clock knows no better. */
static bool is_over_by_the_wall(const nexauth_source *source)
{
    return source->provider->give && source->token->expires_at &&
           nx_wall_s(&source->session->world.clock) >= source->token->expires_at;
}

/* The user has authorized anew, perhaps as somebody else: who comes from now on gets what comes of that. */
static bool is_being_replaced(const nexauth_source *source)
{
    return nx_source_has_code(source) || (source->acquisition && source->acquisition->reason == NEXAUTH_REASON_CODE);
}

enum nx_phase nx_current_phase(const nexauth_source *source, int64_t validity_ms)
{
    enum nx_phase phase;
    int64_t now;

    if (!source->token || is_being_replaced(source) || is_over_by_the_wall(source))
        return NX_PHASE_OVER;
    now = now_of(source);
    phase = nx_life_phase(&source->life, now, validity_ms);
    if (phase == NX_PHASE_FRESH && now >= source->life.held_until_ms && is_past_by_the_wall(source))
        return NX_PHASE_EARLY;
    return phase;
}

bool nx_current_serves(const nexauth_source *source, int64_t validity_ms)
{
    return source->token && !is_over_by_the_wall(source) && nx_life_serves(&source->life, now_of(source), validity_ms);
}

nexauth_token *nx_current_ref(nexauth_source *source)
{
    return nexauth_token_ref(source->token);
}

nexauth_token *nx_current_hit(nexauth_source *source)
{
    source->slot.hits++;
    return nx_current_ref(source);
}

void nx_current_close(nexauth_source *source)
{
    nx_slot_set_fresh(&source->slot, INT64_MIN, 0);
}

/* When the current token is over, by the boot clock, as far as is known now. It is not over yet. */
static int64_t end_of(const nexauth_source *source, int64_t now)
{
    const nexauth_token *token = source->token;
    int64_t left_s;

    if (!source->provider->give || !token->expires_at)
        return source->life.expires_ms;
    left_s = token->expires_at - nx_wall_s(&source->session->world.clock);
    return left_s < (source->life.expires_ms - now) / 1000 ? now + left_s * 1000 : source->life.expires_ms;
}

/* `coarse` was read before `now`: who is stopped in between has the slot closed too early, never too late. */
static void open_at(nexauth_source *source, struct nx_moment coarse, int64_t now, int64_t least_ms)
{
    int64_t until;
    int64_t end;

    /* The first caller comes by the lock, so that it is seen that the source was asked. */
    if (!source->token || !source->asked || is_being_replaced(source) || is_over_by_the_wall(source) || source->freed ||
        source->session->closed) {
        nx_current_close(source);
        return;
    }
    until = is_past_by_the_wall(source) ? source->life.held_until_ms : nx_life_next_ms(&source->life);
    if (until < now + least_ms)
        until = now + least_ms;
    end = end_of(source, now);
    if (end != INT64_MAX && until > end - COARSE_MS)
        until = end - COARSE_MS;
    nx_slot_widen(&source->slot, source->session->arena);
    nx_slot_set_fresh(&source->slot, until == INT64_MAX ? INT64_MAX : coarse.mono_ns + (until - now) * NS_IN_MS,
                      coarse.wall_ns - coarse.mono_ns);
}

void nx_current_open(nexauth_source *source, int64_t least_ms)
{
    const struct nx_moment coarse = coarse_of(source);

    open_at(source, coarse, now_of(source), least_ms);
}

static uint64_t mark_of(const nexauth_source *source, const nexauth_token *token)
{
    const char *text = nexauth_token_access_token(token);

    return nx_siphash(&source->session->hash_key, text, strlen(text)) | 1;
}

/* Whether the source has, or last had, a token of the same text. */
static bool is_same(const nexauth_source *source, const nexauth_token *token)
{
    if (source->token)
        return strcmp(nexauth_token_access_token(source->token), nexauth_token_access_token(token)) == 0;
    return source->mark && source->mark == mark_of(source, token);
}

bool nx_current_take(nexauth_source *source, nexauth_token *token)
{
    const struct nx_moment coarse = coarse_of(source);
    const int64_t now = now_of(source);
    const bool first = !source->token && !source->mark;
    const bool same = is_same(source, token);
    const int64_t older_ms = source->life.expires_ms;
    const int64_t lifetime_ms = source->provider->give ? 0 : nexauth_token_lifetime_s(token) * 1000;

    nx_life_begin(&source->life, token->expires_boot_ms, lifetime_ms, nx_session_draw(source->session));
    if (!first)
        nx_life_follow(&source->life, older_ms, same, now);
    if (source->trouble) {
        nx_damping_arrived(&source->trouble->damping, now);
        nexauth_token_unref(source->trouble->rejected);
        source->trouble->rejected = NULL;
    }
    nexauth_token_unref(source->token);
    source->token = nexauth_token_ref(token);
    nx_slot_put(&source->slot, token);
    open_at(source, coarse, now, 0);
    return same;
}

void nx_current_drop(nexauth_source *source)
{
    nx_current_close(source);
    nx_slot_put(&source->slot, NULL);
    if (source->token)
        source->mark = mark_of(source, source->token);
    nexauth_token_unref(source->token);
    source->token = NULL;
}

/* What is the caller's own matter, and not the service's, may be different the next time. */
static bool is_of_the_service(nexauth_status status)
{
    return status != NEXAUTH_INVALID && status != NEXAUTH_NO_MEMORY && status != NEXAUTH_CANCELED;
}

void nx_current_note_failure(nexauth_source *source, bool attempted, struct nexauth_error *error)
{
    const int64_t now = now_of(source);
    const bool good = nx_current_serves(source, 0);
    struct nx_trouble *trouble;

    if (attempted && is_of_the_service(error->status) && (!good || error->retry_after_ms))
        error->retry_after_ms = nx_source_note_failure(source, error);
    if (good) {
        nx_life_note_failure(&source->life, now, error->retry_after_ms, nx_session_draw(source->session));
        error->retry_after_ms = source->life.held_until_ms - now;
        nx_current_open(source, 0);
    }
    trouble = nx_source_trouble(source);
    if (trouble)
        trouble->error = *error;
}
