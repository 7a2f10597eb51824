/* Hostile networks: how long a message takes, and whether it comes at all. Times are microseconds. */
#ifndef LEDGER_NETWORK_H
#define LEDGER_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

struct dice {
    uint64_t state;
};

uint64_t dice_next(struct dice *dice);
int64_t dice_between(struct dice *dice, int64_t low, int64_t high);
bool dice_hit(struct dice *dice, int per_10000);

struct network {
    int64_t up_low_us, up_high_us, down_high_us;
    int64_t fall_every_us; /* the way up takes its longest for a half of that, then its shortest; 0: any, at random */
    int64_t jam_every_us;  /* what is under way in a jam arrives at its end, all at once; 0: there is none */
    int64_t jam_us;
    int lost, late, resent, unsent, gateway; /* so many of 10,000: late arrive any time, gateway is a 502 */
};

enum { NETWORK_LATEST_US = 89000000 };
#define NETWORK_NEVER INT64_MAX

/* When what leaves at time_us is there. */
int64_t network_up(const struct network *network, struct dice *dice, int64_t time_us);
int64_t network_down(const struct network *network, struct dice *dice, int64_t time_us);

#endif
