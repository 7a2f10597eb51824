#include "core/life.h"

#include "core/draw.h"

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The early window is never the shorter one: after the draw a fifth of the lifetime is left, or 48 minutes. */
void nx_life_begin(struct nx_life *life, int64_t expires_ms, int64_t lifetime_ms, uint32_t draw)
{
    const int64_t counted_ms = expires_ms == INT64_MAX ? 0 : lifetime_ms;
    const int64_t early_ms = least(counted_ms / 4, NX_LIFE_EARLY_MS);

    *life = (struct nx_life){
        .expires_ms = expires_ms,
        .lifetime_ms = counted_ms,
        .early_ms = (uint32_t)(early_ms - nx_draw_ms(draw, early_ms / 5)),
        .late_ms = (uint32_t)least(counted_ms / 10, NX_LIFE_LATE_MS),
    };
}

/* Of a token that is not over. */
static bool lasts(const struct nx_life *life, int64_t now_ms, int64_t validity_ms)
{
    const int64_t counted_ms = validity_ms < life->lifetime_ms ? validity_ms : life->lifetime_ms / 2;

    return life->expires_ms - now_ms >= counted_ms;
}

enum nx_phase nx_life_phase(const struct nx_life *life, int64_t now_ms, int64_t validity_ms)
{
    if (now_ms >= life->expires_ms)
        return NX_PHASE_OVER;
    if (now_ms < life->held_until_ms)
        return life->held_by == NX_HOLD_SERVICE || lasts(life, now_ms, validity_ms) ? NX_PHASE_FRESH : NX_PHASE_HELD;
    if (life->expires_ms - now_ms <= life->late_ms || !lasts(life, now_ms, validity_ms))
        return NX_PHASE_LATE;
    return life->expires_ms - now_ms <= life->early_ms ? NX_PHASE_EARLY : NX_PHASE_FRESH;
}

bool nx_life_serves(const struct nx_life *life, int64_t now_ms, int64_t validity_ms)
{
    return now_ms < life->expires_ms && lasts(life, now_ms, validity_ms);
}

int64_t nx_life_next_ms(const struct nx_life *life)
{
    return most(life->expires_ms - life->early_ms, life->held_until_ms);
}

static void hold(struct nx_life *life, int64_t now_ms, int64_t hold_ms, enum nx_hold by)
{
    life->held_until_ms = now_ms + least(hold_ms, life->expires_ms - now_ms);
    life->held_by = by;
}

void nx_life_note_failure(struct nx_life *life, int64_t now_ms, int64_t retry_after_ms, uint32_t draw)
{
    const int64_t quarter_ms = (life->expires_ms - now_ms) / 4;
    const int64_t half_ms = least(quarter_ms, NX_LIFE_HOLD_MS) / 2;
    const int64_t drawn_ms = most(half_ms + nx_draw_ms(draw, half_ms), least(quarter_ms, NX_LIFE_LEAST_HOLD_MS));

    hold(life, now_ms, most(most(drawn_ms, NX_LIFE_SECOND_MS), retry_after_ms), NX_HOLD_FAILURE);
}

void nx_life_follow(struct nx_life *life, int64_t older_expires_ms, bool same_text, int64_t now_ms)
{
    if (older_expires_ms <= now_ms || (life->expires_ms > older_expires_ms && !same_text))
        return;
    life->expires_ms = least(life->expires_ms, older_expires_ms);
    hold(life, now_ms, (life->expires_ms - now_ms) / 2, NX_HOLD_SERVICE);
}
