#include "core/damping.h"

int64_t nx_damping_reject(struct nx_damping *damping, int64_t now_ms)
{
    const int64_t age_ms = now_ms - damping->replaced_ms;

    if (age_ms < damping->window_ms)
        return damping->window_ms - age_ms;
    damping->rejected = true;
    return 0;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void nx_damping_arrived(struct nx_damping *damping, int64_t now_ms)
{
    const int64_t window_ms = damping->next_ms ? damping->next_ms : NX_DAMPING_FIRST_MS;

    if (damping->rejected)
        *damping = (struct nx_damping){
            .window_ms = window_ms, .next_ms = least(window_ms * 2, NX_DAMPING_LONGEST_MS), .replaced_ms = now_ms};
    else
        *damping = (struct nx_damping){0};
}

void nx_damping_approve(struct nx_damping *damping)
{
    damping->window_ms = least(damping->window_ms, NX_DAMPING_FIRST_MS);
    damping->next_ms = 0;
}
