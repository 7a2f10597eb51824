#include "core/damping.h"

int64_t nx_damping_reject(struct nx_damping *damping, int64_t now_ms)
{
    const int64_t age_ms = now_ms - damping->replaced_ms;

    if (age_ms < damping->window_ms)
        return damping->window_ms - age_ms;
    damping->rejected = true;
    return 0;
}

static int64_t next_window_ms(int64_t window_ms)
{
    if (window_ms == 0)
        return NX_DAMPING_FIRST_MS;
    return window_ms * 2 < NX_DAMPING_LONGEST_MS ? window_ms * 2 : NX_DAMPING_LONGEST_MS;
}

void nx_damping_arrived(struct nx_damping *damping, int64_t now_ms)
{
    if (damping->rejected)
        *damping = (struct nx_damping){.window_ms = next_window_ms(damping->window_ms), .replaced_ms = now_ms};
    else
        *damping = (struct nx_damping){0};
}

void nx_damping_approve(struct nx_damping *damping)
{
    *damping = (struct nx_damping){0};
}
