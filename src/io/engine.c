#include "io/engine.h"

#include "io/lock.h"

#include <stdlib.h>

/* A thread that waits. It lives on that thread's stack. */
struct waiter {
    struct nx_condition condition;
    const bool *done;
    bool asleep;
    struct waiter *next;
};

struct nx_engine {
    struct nx_world world;
    int64_t exchange_timeout_ms;
    struct nx_lock lock;
    struct waiter *waiters;     /* the longest waiting first */
    struct nx_exchange *inbox;  /* submitted, not begun; the newest first */
    struct nx_exchange *ended;  /* to be told to their owners, by whoever comes first */
    struct nx_exchange *oldest; /* begun; the leader's alone. All have the same time, so the oldest is due first */
    struct nx_exchange *newest;
    bool leading;       /* a thread leads */
    bool some_unwanted; /* an exchange is to be given up */
    int holders;        /* threads at work for the engine outside of it, such as those that run a `done` */
    bool closing;
    bool idle; /* closing, and all but the closer have left */
};

struct nx_engine *nx_engine_new(const struct nx_world *world, int64_t exchange_timeout_ms)
{
    struct nx_engine *engine = calloc(1, sizeof *engine);

    if (!engine || !nx_lock_init(&engine->lock)) {
        world->transport->verbs->free(world->transport);
        free(engine);
        return NULL;
    }
    engine->world = *world;
    engine->exchange_timeout_ms = exchange_timeout_ms;
    return engine;
}

void nx_engine_free(struct nx_engine *engine)
{
    nx_lock_destroy(&engine->lock);
    free(engine);
}

void nx_engine_lock(struct nx_engine *engine)
{
    nx_lock_take(&engine->lock);
}

void nx_engine_unlock(struct nx_engine *engine)
{
    nx_lock_give(&engine->lock);
}

static void push(struct nx_exchange **list, struct nx_exchange *exchange)
{
    exchange->next = *list;
    *list = exchange;
}

/* A leader asleep in the transport must look again. Without a leader the one who waits next looks anyway. */
static void rouse_leader(struct nx_engine *engine)
{
    if (engine->leading)
        engine->world.transport->verbs->wakeup(engine->world.transport);
}

void nx_engine_submit(struct nx_engine *engine, struct nx_exchange *exchange)
{
    nx_engine_lock(engine);
    push(&engine->inbox, exchange);
    rouse_leader(engine);
    nx_engine_unlock(engine);
}

void nx_engine_give_up(struct nx_engine *engine, struct nx_exchange *exchange)
{
    exchange->unwanted = true;
    engine->some_unwanted = true;
    rouse_leader(engine);
}

void nx_engine_wake(struct nx_engine *engine, const bool *done)
{
    for (struct waiter *waiter = engine->waiters; waiter; waiter = waiter->next) {
        if (waiter->done == done)
            nx_condition_signal(&waiter->condition);
    }
    rouse_leader(engine);
}

/* What the leader does without the lock works on these two lists of its own. */

static void add_begun(struct nx_engine *engine, struct nx_exchange *exchange)
{
    exchange->newer = NULL;
    exchange->older = engine->newest;
    *(engine->newest ? &engine->newest->newer : &engine->oldest) = exchange;
    engine->newest = exchange;
}

static void remove_begun(struct nx_engine *engine, struct nx_exchange *exchange)
{
    *(exchange->older ? &exchange->older->newer : &engine->oldest) = exchange->newer;
    *(exchange->newer ? &exchange->newer->older : &engine->newest) = exchange->older;
}

/* Takes what was submitted, in its order; what nobody wants any more goes to `ended`. With the lock. */
static struct nx_exchange *take_inbox(struct nx_engine *engine, struct nx_exchange **ended)
{
    struct nx_exchange *wanted = NULL;

    while (engine->inbox) {
        struct nx_exchange *exchange = engine->inbox;
        const bool unwanted = engine->closing || exchange->unwanted;

        engine->inbox = exchange->next;
        exchange->loss = unwanted ? NX_LOSS_CANCELED : NX_LOSS_NONE;
        push(unwanted ? ended : &wanted, exchange);
    }
    return wanted;
}

static void begin(struct nx_engine *engine, struct nx_exchange *inbox)
{
    struct nx_transport *transport = engine->world.transport;

    while (inbox) {
        struct nx_exchange *exchange = inbox;

        inbox = exchange->next;
        exchange->deadline_ms = nx_boot_ms(&engine->world.clock) + engine->exchange_timeout_ms;
        add_begun(engine, exchange);
        transport->verbs->begin(transport, exchange);
    }
}

/* Lets the transport wait and work, and takes in what has finished. */
static void work(struct nx_engine *engine, int64_t wait_ms, struct nx_exchange **ended)
{
    struct nx_transport *transport = engine->world.transport;
    struct nx_exchange *finished = transport->verbs->turn(transport, wait_ms);

    while (finished) {
        struct nx_exchange *exchange = finished;

        finished = exchange->next;
        remove_begun(engine, exchange);
        push(ended, exchange);
    }
}

static void give_up(struct nx_engine *engine, struct nx_exchange *exchange, enum nx_loss loss,
                    struct nx_exchange **ended)
{
    struct nx_transport *transport = engine->world.transport;

    transport->verbs->give_up(transport, exchange);
    exchange->loss = loss;
    remove_begun(engine, exchange);
    push(ended, exchange);
}

/* A deadline is judged after the sockets were read: an answer that lies there in time counts. */
static void give_up_late(struct nx_engine *engine, struct nx_exchange **ended)
{
    const int64_t now = nx_boot_ms(&engine->world.clock);

    while (engine->oldest && engine->oldest->deadline_ms <= now)
        give_up(engine, engine->oldest, NX_LOSS_TIMEOUT, ended);
}

static bool must_be_awaited(const struct nx_exchange *exchange)
{
    return exchange->request.one_time && exchange->sendings > 0;
}

/* With the lock, which guards the wishes. */
static void give_up_unwanted(struct nx_engine *engine, struct nx_exchange **ended)
{
    struct nx_exchange *next;

    for (struct nx_exchange *exchange = engine->oldest; exchange; exchange = next) {
        next = exchange->newer;
        if ((engine->closing || exchange->unwanted) && !must_be_awaited(exchange))
            give_up(engine, exchange, NX_LOSS_CANCELED, ended);
    }
    engine->some_unwanted = false;
}

/* How long the transport may wait before a deadline of its exchanges is due. */
static int64_t time_to_wait(const struct nx_engine *engine, int64_t until)
{
    const int64_t now = nx_boot_ms(&engine->world.clock);

    if (engine->oldest && engine->oldest->deadline_ms < until)
        until = engine->oldest->deadline_ms;
    return until > now ? until - now : 0;
}

/* Where there is something to do, somebody who sleeps is to do it. Who does not sleep looks for itself before it does.
 */
static void wake_successor(struct nx_engine *engine)
{
    struct waiter *waiter = engine->waiters;

    while (waiter && !waiter->asleep)
        waiter = waiter->next;
    if (waiter && (!engine->leading || engine->ended))
        nx_condition_signal(&waiter->condition);
}

/* Once nothing is left and nobody but the closer is inside, the closer may go. A leader looks for itself after its
 * turn. */
static void note_idle(struct nx_engine *engine)
{
    if (!engine->closing)
        return;
    rouse_leader(engine);
    if (engine->leading || engine->holders || engine->inbox || engine->oldest || engine->ended)
        return;
    engine->idle = engine->waiters && !engine->waiters->next;
    if (engine->idle)
        nx_engine_wake(engine, &engine->idle);
}

void nx_engine_hold(struct nx_engine *engine)
{
    engine->holders++;
}

void nx_engine_release(struct nx_engine *engine)
{
    engine->holders--;
    note_idle(engine);
}

/*
 * Tells the owner of one exchange that it has ended. The owner may do as it pleases, the lead and the lock are free;
 * and should it take its time, what else has ended is there for others to tell.
 */
static void finish_one(struct nx_engine *engine)
{
    struct nx_exchange *exchange = engine->ended;

    engine->ended = exchange->next;
    nx_engine_hold(engine);
    wake_successor(engine);
    nx_engine_unlock(engine);
    exchange->done(exchange, exchange->context);
    nx_engine_lock(engine);
    nx_engine_release(engine);
}

static void append(struct nx_exchange **list, struct nx_exchange *more)
{
    while (*list)
        list = &(*list)->next;
    *list = more;
}

/* One turn as the leader. With the lock, which is let go in between. */
static void lead(struct nx_engine *engine, int64_t until)
{
    struct nx_exchange *ended = NULL;
    struct nx_exchange *inbox = take_inbox(engine, &ended);
    const bool hurry = ended || engine->some_unwanted;

    engine->leading = true;
    nx_engine_unlock(engine);
    begin(engine, inbox);
    work(engine, hurry ? 0 : time_to_wait(engine, until), &ended);
    give_up_late(engine, &ended);
    nx_engine_lock(engine);
    if (engine->some_unwanted)
        give_up_unwanted(engine, &ended);
    engine->leading = false;
    append(&engine->ended, ended);
}

static void sleep_until(struct nx_engine *engine, struct waiter *waiter, int64_t until)
{
    const int64_t now = nx_boot_ms(&engine->world.clock);

    waiter->asleep = true;
    nx_condition_wait(&waiter->condition, &engine->lock, until > now ? until - now : 0);
    waiter->asleep = false;
}

static void add_waiter(struct nx_engine *engine, struct waiter *waiter)
{
    struct waiter **end = &engine->waiters;

    while (*end)
        end = &(*end)->next;
    *end = waiter;
}

static void remove_waiter(struct nx_engine *engine, struct waiter *waiter)
{
    struct waiter **at = &engine->waiters;

    while (*at && *at != waiter)
        at = &(*at)->next;
    *at = waiter->next;
}

bool nx_engine_wait(struct nx_engine *engine, const bool *done, int64_t deadline_ms)
{
    struct waiter me = {.done = done};

    if (!nx_condition_init(&me.condition))
        return *done;
    add_waiter(engine, &me);
    note_idle(engine);
    while (!*done) {
        if (engine->ended)
            finish_one(engine);
        else if (!engine->leading)
            lead(engine, deadline_ms);
        else
            sleep_until(engine, &me, deadline_ms);
        note_idle(engine);
        /* A leader turns once even when its time is over: its answer may lie in the socket. */
        if (!engine->ended && nx_boot_ms(&engine->world.clock) >= deadline_ms)
            break;
    }
    remove_waiter(engine, &me);
    wake_successor(engine);
    note_idle(engine);
    nx_condition_destroy(&me.condition);
    return *done;
}

void nx_engine_close(struct nx_engine *engine)
{
    nx_engine_lock(engine);
    engine->closing = true;
    engine->some_unwanted = true;
    rouse_leader(engine);
    nx_engine_wait(engine, &engine->idle, INT64_MAX);
    nx_engine_unlock(engine);
    engine->world.transport->verbs->free(engine->world.transport);
}
