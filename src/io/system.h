/* The operating system's clocks, random generator and files. */
#ifndef NX_SYSTEM_H
#define NX_SYSTEM_H

#include "core/world.h"

#include <time.h>

#ifdef CLOCK_MONOTONIC_COARSE
#define NX_MONOTONIC CLOCK_MONOTONIC_COARSE
#else
#define NX_MONOTONIC CLOCK_MONOTONIC
#endif
#ifdef CLOCK_REALTIME_COARSE
#define NX_REALTIME CLOCK_REALTIME_COARSE
#else
#define NX_REALTIME CLOCK_REALTIME
#endif

extern const struct nx_clock nx_system_clock;

static inline int64_t nx_read_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

#if defined(__GNUC__)
#define NX_RARELY(condition) __builtin_expect((condition), 0)
#else
#define NX_RARELY(condition) (condition)
#endif

/* Both clocks that are cheap to read. Whoever has a token at hand pays for this, and for little else: without a jump
 * over the clock that is given, a twentieth less. */
static inline struct nx_moment nx_coarse(const struct nx_clock *clock)
{
    if (NX_RARELY(clock->coarse != NULL))
        return clock->coarse(clock->context);
    return (struct nx_moment){.mono_ns = nx_read_ns(NX_MONOTONIC), .wall_ns = nx_read_ns(NX_REALTIME)};
}

/* The calling thread: not 0, and no other's while it lives. */
uintptr_t nx_this_thread(void);

/* For struct nx_world; `context` is not used. */
bool nx_system_entropy(void *context, void *bytes, size_t size);
uint32_t nx_system_draw(void *context);

/* OK when the file can be read and its first 64 KiB hold something in PEM (RFC 7468); NO_MEMORY when descriptors ran
 * out; else INVALID. Leaves nothing of the file in memory. */
nexauth_status nx_file_holds_pem(const char *path);

/*
 * The same descriptor above those of the standard streams, or -1 when it was none or there is no more. Where an
 * application has closed its streams, what it prints all the same is not to go to a service, nor to wake anybody.
 */
int nx_above_streams(int descriptor);

/* Sleeps for wait_ms, but no more than a hundredth of a second: where waiting for an event is impossible, looking again
 * must not be done in a hurry. */
void nx_pause(int64_t wait_ms);

#endif
