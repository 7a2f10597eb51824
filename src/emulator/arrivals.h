#ifndef EMU_ARRIVALS_H
#define EMU_ARRIVALS_H

#include <stddef.h>
#include <stdint.h>

/* When requests came, in microseconds of the emulator's clock: ascending. Starts as {0}. */
struct emu_arrivals {
    int64_t *at_us;
    size_t count;
    size_t capacity;
};

void emu_arrivals_add(struct emu_arrivals *arrivals, int64_t now_us);

/* How many came within a window that begins with one of them and ends before the next window would. */
size_t emu_arrivals_largest(const struct emu_arrivals *arrivals, int64_t window_us);

void emu_arrivals_release(struct emu_arrivals *arrivals);

#endif
