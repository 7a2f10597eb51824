#include "ledger/clock.h"

static int64_t run(const struct timepiece *clock, int64_t moment_us)
{
    return moment_us + moment_us / 1000000 * clock->ppm + moment_us % 1000000 * clock->ppm / 1000000;
}

int64_t clock_show(const struct timepiece *clock, int64_t moment_us)
{
    const int64_t now_us = run(clock, moment_us);

    return now_us - now_us % clock->tick_us;
}

int64_t clock_moment(const struct timepiece *clock, int64_t shown_us)
{
    const int64_t step_us = (shown_us + clock->tick_us - 1) / clock->tick_us * clock->tick_us;
    int64_t moment_us = step_us;

    for (int i = 0; i < 4; i++)
        moment_us += step_us - run(clock, moment_us);
    while (run(clock, moment_us - 1) >= step_us)
        moment_us--;
    while (run(clock, moment_us) < step_us)
        moment_us++;
    return moment_us;
}
