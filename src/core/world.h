/* What the library takes from outside itself, as arguments: the system's in production, a test's own in tests. */
#ifndef NX_WORLD_H
#define NX_WORLD_H

#include "core/permits.h"
#include "core/transport.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What two clocks say at once. */
struct nx_moment {
    int64_t mono_ns;
    int64_t wall_ns;
};

struct nx_clock {
    int64_t (*boot_ms)(void *context); /* CLOCK_BOOTTIME: goes on while the machine sleeps, never jumps */
    int64_t (*wall_s)(void *context);  /* Unix seconds: may jump */
    /* Two clocks that are cheap to read and some milliseconds late: monotonic, which stops while the machine sleeps,
     * and wall. Their difference moves when the machine has slept or the wall clock was set. */
    struct nx_moment (*coarse)(void *context); /* NULL: the system's, without a call through a pointer */
    void *context;
};

struct nx_world {
    struct nx_clock clock;
    bool (*entropy)(void *context, void *bytes, size_t size); /* the system's generator; false when it failed */
    uint32_t (*draw)(void *context); /* 32 random bits, for jitter and nothing that must not be guessed */
    void *entropy_context;           /* of both */
    struct nx_transport *transport;  /* owned by whoever is given the world */
    struct nx_permits *permits;      /* which outlive the world; NULL: requests leave without */
};

static inline int64_t nx_boot_ms(const struct nx_clock *clock)
{
    return clock->boot_ms(clock->context);
}

static inline int64_t nx_wall_s(const struct nx_clock *clock)
{
    return clock->wall_s(clock->context);
}

/* By the clock that tells when tokens end, and by the world's. */
struct nx_now {
    int64_t boot_ms;
    int64_t wall_s;
};

/* The boot clock is read first: who is stopped in between has less left until a time of the wall clock, never more. */
static inline struct nx_now nx_read_now(const struct nx_clock *clock)
{
    const int64_t boot_ms = nx_boot_ms(clock);

    return (struct nx_now){boot_ms, nx_wall_s(clock)};
}

#endif
