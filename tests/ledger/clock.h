/* Clocks of the simulation: they run fast by so many millionths, and are read in steps. */
#ifndef LEDGER_CLOCK_H
#define LEDGER_CLOCK_H

#include <stdint.h>

struct timepiece {
    int ppm;
    int64_t tick_us;
};

/* What it shows at a moment of the simulation's time. */
int64_t clock_show(const struct timepiece *clock, int64_t moment_us);

/* The first moment at which it shows at least this. */
int64_t clock_moment(const struct timepiece *clock, int64_t shown_us);

#endif
