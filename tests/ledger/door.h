/* The server's side of one limit: counts what arrives in any window of length W, by the server's own clock. */
#ifndef LEDGER_DOOR_H
#define LEDGER_DOOR_H

#include "ledger/clock.h"

struct door {
    uint32_t allowed;
    int64_t window_us;
    struct timepiece clock;
    int64_t *times;
    uint64_t first, next; /* of those in the last window; positions in the ring */
    uint64_t arrivals, over;
    uint32_t most;
};

void door_open(struct door *door, uint32_t allowed, int64_t window_us, int ppm);
void door_close(struct door *door);
void door_count(struct door *door, int64_t time_us);

#endif
