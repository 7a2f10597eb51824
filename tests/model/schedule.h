/*
 * Threads whose interleaving a search decides about. They are coroutines: one runs at a time, and another gets its turn
 * only at a point: before a lock is taken, before the transport waits, and where a thread has to wait. The search runs
 * a scenario again and again, until each sequence of decisions within the bound has been taken once.
 *
 * The bound counts preemptions: decisions that take the turn from a thread that could go on, that let time pass while
 * somebody could go on, or that end a wait without a cause. Who goes on when a thread has to wait is free.
 */
#ifndef NX_MODEL_SCHEDULE_H
#define NX_MODEL_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

struct bound {
    int preemptions;
    bool hasty;    /* time may pass while somebody could go on */
    bool spurious; /* waits may end without a cause */
};

struct figures {
    uint64_t schedules, points;
    int deepest; /* the most decisions in one schedule */
};

/* Takes `body` through all schedules; it runs as the first thread. `quiet` looks at the world whenever nobody can go on
 * before time passes. Does not return when something is found. */
struct figures schedule_all(const char *name, const struct bound *bound, void (*body)(void), void (*quiet)(void));

/* Tells what is wrong, and what led to it, and ends the program. */
_Noreturn void schedule_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* From here on there are preemptions, or none any more; none at first. */
void schedule_unleash(bool unleashed);

/* One of 0 to count - 1: each in its turn. */
int schedule_choose(int count);

/* For the trace. */
void schedule_note(const char *what, int number);

void schedule_spawn(const char *name, void (*body)(void *), void *context);
int schedule_self(void);
bool schedule_is_alone(void);
int64_t schedule_now_ms(void);

/* Whether time has passed in this schedule while somebody could go on: then who is late may be late by that. */
bool schedule_was_hasty(void);

/* Others may go first. */
void schedule_point(const char *what);

/* Waits until `ready` says so, or for wait_ms; INT64_MAX: for ever. `hollow`: the wait may end without a cause. */
void schedule_wait(const char *what, bool (*ready)(void *), void *context, int64_t wait_ms, bool hollow);

/* Whether the thread on whose stack this lies is in a hollow wait. */
bool schedule_sleeps(const void *on_its_stack);

#endif
