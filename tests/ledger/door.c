#include "ledger/door.h"

#include <stdio.h>
#include <stdlib.h>

enum { RING = 65536 };

void door_open(struct door *door, uint32_t allowed, int64_t window_us, int ppm)
{
    *door = (struct door){.allowed = allowed, .window_us = window_us, .clock = {ppm, 1}};
    door->times = calloc(RING, sizeof *door->times);
    if (!door->times)
        exit(2);
}

void door_close(struct door *door)
{
    free(door->times);
}

void door_count(struct door *door, int64_t time_us)
{
    const int64_t now_us = clock_show(&door->clock, time_us);
    uint32_t held;

    while (door->first < door->next && now_us - door->times[door->first % RING] >= door->window_us)
        door->first++;
    door->times[door->next++ % RING] = now_us;
    held = (uint32_t)(door->next - door->first);
    if (held > RING) {
        fprintf(stderr, "the ring of the door is too small\n");
        exit(2);
    }
    door->arrivals++;
    door->over += held > door->allowed;
    if (held > door->most)
        door->most = held;
}
