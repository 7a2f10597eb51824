/* The engine itself, with eyes. Stands in for src/io/engine.c and under_way.c. */
#include "io/engine.c"    /* NOLINT(bugprone-suspicious-include) */
#include "io/under_way.c" /* NOLINT(bugprone-suspicious-include) */

#include "inside.h"
#include "schedule.h"

/* An exchange that the leader would give up if it looked. */
static bool holds_unwanted(const struct nx_engine *engine)
{
    for (const struct nx_exchange *exchange = engine->under_way.oldest; exchange; exchange = exchange->newer) {
        if ((engine->closing || exchange->unwanted) && !must_be_awaited(exchange))
            return true;
    }
    return false;
}

/* Asleep, or in the transport as the leader; others run callbacks. */
static bool somebody_sleeps(const struct nx_engine *engine)
{
    for (const struct waiter *waiter = engine->waiters; waiter; waiter = waiter->next) {
        if (schedule_sleeps(waiter))
            return true;
    }
    return false;
}

static bool somebody_missed_it(const struct nx_engine *engine)
{
    for (const struct waiter *waiter = engine->waiters; waiter; waiter = waiter->next) {
        if (*waiter->done && schedule_sleeps(waiter))
            return true;
    }
    return false;
}

static bool somebody_leaves_it(const struct nx_engine *engine)
{
    for (const struct waiter *waiter = engine->waiters; waiter; waiter = waiter->next) {
        if (find_ended(engine, waiter) && schedule_sleeps(waiter))
            return true;
    }
    return false;
}

const char *inside_fault(const struct nx_engine *engine)
{
    const int64_t now = nx_boot_ms(&engine->world.clock);
    const struct nx_exchange *later = first_later(engine);

    if (!somebody_sleeps(engine))
        return NULL;
    if (somebody_missed_it(engine))
        return "a thread sleeps though what it waits for is done";
    if (!engine->leading)
        return "threads sleep, and nobody turns the engine";
    if (engine->inbox || (later && later->timer.due_ms <= now))
        return "threads sleep, and what was submitted is not begun";
    if (somebody_leaves_it(engine))
        return "threads sleep, and what has ended is told to nobody";
    if (engine->under_way.oldest && engine->under_way.oldest->deadline_ms <= now)
        return "threads sleep, and what is late is not given up";
    if (holds_unwanted(engine))
        return "threads sleep, and what nobody wants is not given up";
    return NULL;
}
