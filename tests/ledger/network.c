#include "ledger/network.h"

/* splitmix64 (Steele, Lea and Flood, 2014). */
uint64_t dice_next(struct dice *dice)
{
    uint64_t z = dice->state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

int64_t dice_between(struct dice *dice, int64_t low, int64_t high)
{
    return low + (int64_t)(dice_next(dice) % (uint64_t)(high - low + 1));
}

bool dice_hit(struct dice *dice, int per_10000)
{
    return dice_between(dice, 0, 9999) < per_10000;
}

static int64_t after_jam(const struct network *network, int64_t time_us)
{
    const int64_t into_us = network->jam_every_us ? time_us % network->jam_every_us : 0;
    const bool is_jammed = network->jam_every_us && into_us < network->jam_us;

    return is_jammed ? time_us + network->jam_us - into_us : time_us;
}

int64_t network_up(const struct network *network, struct dice *dice, int64_t time_us)
{
    int64_t delay_us = dice_between(dice, network->up_low_us, network->up_high_us);

    if (network->fall_every_us) {
        const bool is_slow = time_us % network->fall_every_us < network->fall_every_us / 2;

        delay_us = is_slow ? network->up_high_us : network->up_low_us;
    }
    if (dice_hit(dice, network->lost))
        return NETWORK_NEVER;
    if (dice_hit(dice, network->late))
        delay_us = dice_between(dice, 0, NETWORK_LATEST_US);
    return after_jam(network, time_us + delay_us);
}

int64_t network_down(const struct network *network, struct dice *dice, int64_t time_us)
{
    if (dice_hit(dice, network->lost))
        return NETWORK_NEVER;
    return after_jam(network, time_us + dice_between(dice, 1000, network->down_high_us));
}
