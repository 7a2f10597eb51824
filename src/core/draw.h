/* Random numbers as arguments: a draw is uniform over all of uint32_t. */
#ifndef NX_DRAW_H
#define NX_DRAW_H

#include <stdint.h>

/* A part of `most_ms`, which is not negative and below 2^31: 0 for the lowest draw, all of it for the highest. */
static inline int64_t nx_draw_ms(uint32_t draw, int64_t most_ms)
{
    return most_ms * draw / UINT32_MAX;
}

#endif
