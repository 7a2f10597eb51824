#include "arrivals.h"

#include "text.h"

#include <stdlib.h>
#include <string.h>

void emu_arrivals_add(struct emu_arrivals *arrivals, int64_t now_us)
{
    if (arrivals->count == arrivals->capacity) {
        size_t capacity = arrivals->capacity ? 2 * arrivals->capacity : 64;
        int64_t *longer = emu_allocate(capacity * sizeof(*longer));
        if (arrivals->count)
            memcpy(longer, arrivals->at_us, arrivals->count * sizeof(*longer));
        free(arrivals->at_us);
        arrivals->at_us = longer;
        arrivals->capacity = capacity;
    }
    arrivals->at_us[arrivals->count++] = now_us;
}

size_t emu_arrivals_largest(const struct emu_arrivals *arrivals, int64_t window_us)
{
    size_t largest = 0;
    size_t first = 0;

    for (size_t last = 0; last < arrivals->count; last++) {
        while (arrivals->at_us[last] - arrivals->at_us[first] >= window_us)
            first++;
        if (last - first + 1 > largest)
            largest = last - first + 1;
    }
    return largest;
}

void emu_arrivals_release(struct emu_arrivals *arrivals)
{
    free(arrivals->at_us);
    *arrivals = (struct emu_arrivals){0};
}
