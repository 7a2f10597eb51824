#include "io/engine.h"

#include "io/beacon.h"
#include "io/exchanges.h"
#include "io/fork.h"
#include "io/lock.h"
#include "io/system.h"
#include "io/under_way.h"

#include <stddef.h>
#include <stdlib.h>

/* A thread that waits. It lives on that thread's stack. */
struct waiter {
    struct nx_condition condition;
    const bool *done;
    const struct nx_exchange *own; /* NULL: takes up whatever has ended; else that one alone */
    bool asleep;
    struct waiter *next;
};

struct nx_engine {
    struct nx_world world;
    int64_t exchange_timeout_ms;
    struct nx_lock lock;
    struct nx_fork_guard guard;
    void (*inherited)(void *context); /* of the owner */
    void *inherited_context;
    bool newly_inherited;      /* and the owner does not know yet */
    struct waiter *waiters;    /* the longest waiting first */
    struct nx_exchange *inbox; /* submitted, not begun; the newest first */
    struct nx_exchange *ended; /* to be told to their owners, by whoever comes first */
    struct nx_exchange **end;  /* the last link of those: NULL stands there */
    struct nx_heap later;      /* submitted, not to be begun yet */
    int64_t alarm_ms;          /* INT64_MAX: none */
    void (*ring)(void *context);
    void *ring_context;
    struct nx_under_way under_way;
    bool leading;             /* a thread leads */
    struct nx_beacon *beacon; /* of the event loop that watches the transport's descriptor; NULL: none does */
    bool some_unwanted;       /* an exchange is to be given up */
    int holders;              /* threads at work for the engine outside of it, such as those that run a `done` */
    bool closing;
    bool idle; /* closing, and all but the closer have left */
};

/* In a child, within fork(). Whoever waited or led was a thread of the parent's; what the leader worked on without the
 * lock is in any state. */
static void forget_all(void *context)
{
    struct nx_engine *engine = context;

    engine->waiters = NULL;
    engine->inbox = engine->ended = NULL;
    engine->end = &engine->ended;
    engine->alarm_ms = INT64_MAX;
    engine->beacon = NULL;
    engine->under_way = (struct nx_under_way){0};
    engine->later = (struct nx_heap){0};
    engine->leading = engine->some_unwanted = false;
    engine->holders = 0;
    engine->newly_inherited = true;
}

struct nx_engine *nx_engine_new(const struct nx_world *world, int64_t exchange_timeout_ms)
{
    struct nx_engine *engine = calloc(1, sizeof *engine);

    if (!engine || !nx_fork_guard_init(&engine->guard, &engine->lock, NX_FORK_ENGINE, forget_all, engine)) {
        world->transport->verbs->free(world->transport);
        free(engine);
        return NULL;
    }
    engine->world = *world;
    engine->end = &engine->ended;
    engine->exchange_timeout_ms = exchange_timeout_ms;
    engine->alarm_ms = INT64_MAX;
    return engine;
}

void nx_engine_set_inherited(struct nx_engine *engine, void (*inherited)(void *context), void *context)
{
    engine->inherited = inherited;
    engine->inherited_context = context;
}

void nx_engine_free(struct nx_engine *engine)
{
    nx_fork_guard_destroy(&engine->guard);
    free(engine);
}

void nx_engine_lock(struct nx_engine *engine)
{
    nx_lock_take(&engine->lock);
    if (!engine->newly_inherited)
        return;
    engine->newly_inherited = false;
    if (engine->inherited)
        engine->inherited(engine->inherited_context);
}

void nx_engine_unlock(struct nx_engine *engine)
{
    nx_lock_give(&engine->lock);
}

/* A leader asleep in the transport must look again. Without a leader the one who waits next looks anyway, or the loop.
 */
static void rouse_leader(struct nx_engine *engine)
{
    if (engine->leading || engine->beacon)
        engine->world.transport->verbs->wakeup(engine->world.transport);
}

void nx_engine_submit(struct nx_engine *engine, struct nx_exchange *exchange)
{
    nx_engine_lock(engine);
    nx_exchanges_push(&engine->inbox, exchange);
    rouse_leader(engine);
    nx_engine_unlock(engine);
}

/* What has ended and is for this waiter to take up; NULL: nothing is. */
static struct nx_exchange *find_ended(const struct nx_engine *engine, const struct waiter *waiter)
{
    struct nx_exchange *exchange = engine->ended;

    while (exchange && waiter->own && exchange != waiter->own)
        exchange = exchange->next;
    return exchange;
}

/* Wakes the longest waiting sleeper of those that take up what has ended, or of all. False when there is none. */
static bool wake_sleeper(struct nx_engine *engine, bool any)
{
    struct waiter *waiter = engine->waiters;

    while (waiter && !(waiter->asleep && (any || find_ended(engine, waiter))))
        waiter = waiter->next;
    if (waiter)
        nx_condition_signal(&waiter->condition);
    return waiter != NULL;
}

/* Where there is something to do, somebody who sleeps is to do it. Who does not sleep looks for itself before it does.
 */
static void wake_successor(struct nx_engine *engine)
{
    if (!wake_sleeper(engine, false) && !engine->leading)
        wake_sleeper(engine, true);
}

void nx_engine_submit_at(struct nx_engine *engine, struct nx_exchange *exchange, int64_t at_ms)
{
    nx_engine_lock(engine);
    exchange->timer.due_ms = at_ms;
    exchange->later = true;
    nx_heap_add(&engine->later, &exchange->timer);
    rouse_leader(engine);
    nx_engine_unlock(engine);
}

void nx_engine_defer(struct nx_engine *engine, struct nx_exchange *exchange)
{
    exchange->next = NULL;
    nx_exchanges_append(&engine->end, exchange);
    rouse_leader(engine);
    wake_successor(engine);
}

static void begin_now(struct nx_engine *engine, struct nx_exchange *exchange)
{
    nx_heap_remove(&engine->later, &exchange->timer);
    exchange->later = false;
    nx_exchanges_push(&engine->inbox, exchange);
}

/* A leader that waits for longer is to know. */
void nx_engine_set_alarm(struct nx_engine *engine, int64_t at_ms, void (*ring)(void *context), void *context)
{
    if (at_ms >= engine->alarm_ms)
        return;
    engine->alarm_ms = at_ms;
    engine->ring = ring;
    engine->ring_context = context;
    rouse_leader(engine);
}

void nx_engine_give_up(struct nx_engine *engine, struct nx_exchange *exchange)
{
    if (exchange->later)
        begin_now(engine, exchange);
    exchange->unwanted = true;
    engine->some_unwanted = true;
    rouse_leader(engine);
}

void nx_engine_wake(struct nx_engine *engine, const bool *done)
{
    for (struct waiter *waiter = engine->waiters; waiter; waiter = waiter->next) {
        if (waiter->asleep && waiter->done == done)
            nx_condition_signal(&waiter->condition);
    }
    rouse_leader(engine);
}

/* What the leader does without the lock works on these two lists of its own. */

static struct nx_exchange *first_later(const struct nx_engine *engine)
{
    const struct nx_heap_node *node = nx_heap_first(&engine->later);

    return node ? (struct nx_exchange *)((char *)node - offsetof(struct nx_exchange, timer)) : NULL;
}

/* Moves what is due by now to the inbox. With the lock. */
static void take_later(struct nx_engine *engine)
{
    struct nx_exchange *next = first_later(engine);
    const int64_t now = next ? nx_boot_ms(&engine->world.clock) : 0;

    for (; next; next = first_later(engine)) {
        if (!engine->closing && next->timer.due_ms > now)
            break;
        begin_now(engine, next);
    }
}

/* Takes what was submitted, in its order; what nobody wants any more goes to `ended`. With the lock. */
static struct nx_exchange *take_inbox(struct nx_engine *engine, struct nx_exchange **ended)
{
    struct nx_exchange *wanted = NULL;

    take_later(engine);
    while (engine->inbox) {
        struct nx_exchange *exchange = engine->inbox;
        const bool unwanted = engine->closing || exchange->unwanted;

        engine->inbox = exchange->next;
        exchange->loss = unwanted ? NX_LOSS_CANCELED : NX_LOSS_NONE;
        nx_exchanges_push(unwanted ? ended : &wanted, exchange);
    }
    return wanted;
}

/* How long the transport may wait before a deadline of its exchanges is due. */
static int64_t time_to_wait(const struct nx_engine *engine, int64_t until)
{
    const int64_t now = nx_boot_ms(&engine->world.clock);

    if (engine->under_way.oldest && engine->under_way.oldest->deadline_ms < until)
        until = engine->under_way.oldest->deadline_ms;
    return until > now ? until - now : 0;
}

/* The time before `until` when an exchange is to be begun, or the alarm rings. With the lock. */
static int64_t next_beginning(const struct nx_engine *engine, int64_t until)
{
    const struct nx_exchange *later = first_later(engine);

    if (engine->alarm_ms < until)
        until = engine->alarm_ms;
    return later && later->timer.due_ms < until ? later->timer.due_ms : until;
}

/* Once nothing is left and nobody but the closer is inside, the closer may go. A leader looks for itself after its
 * turn; who has led does not rouse itself, be there a loop or not, or it would never wait. */
static void note_idle(struct nx_engine *engine)
{
    if (!engine->closing)
        return;
    if (engine->leading)
        rouse_leader(engine);
    if (engine->leading || engine->holders || engine->inbox || engine->under_way.oldest || engine->ended ||
        nx_heap_first(&engine->later))
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

int64_t nx_engine_patience_ms(const struct nx_engine *engine)
{
    struct nx_transport *transport = engine->world.transport;
    const int64_t until = next_beginning(engine, INT64_MAX);
    int64_t wait_ms;
    int64_t patience_ms;

    if (engine->ended || (engine->inbox && !engine->leading))
        return 0;
    if (engine->leading || engine->closing)
        return -1;
    wait_ms = time_to_wait(engine, until);
    patience_ms = transport->verbs->patience(transport);
    if (patience_ms >= 0 && patience_ms < wait_ms)
        return patience_ms;
    return until == INT64_MAX && !engine->under_way.oldest ? -1 : wait_ms;
}

/* While a thread led, the event loop was told to wait as if nothing of the engine's would ever be due. */
static void call_loop(struct nx_engine *engine)
{
    if (engine->beacon && nx_engine_patience_ms(engine) >= 0)
        nx_beacon_light(engine->beacon);
}

/*
 * Tells the owner of an exchange that it has ended. The owner may do as it pleases, the lead and the lock are free; and
 * should it take its time, what else has ended is there for others to tell, and the lead for others to take.
 */
static void finish_one(struct nx_engine *engine, struct nx_exchange *exchange)
{
    nx_exchanges_take(&engine->ended, &engine->end, exchange);
    nx_engine_hold(engine);
    wake_successor(engine);
    call_loop(engine);
    nx_engine_unlock(engine);
    exchange->done(exchange, exchange->context);
    nx_engine_lock(engine);
    nx_engine_release(engine);
}

static bool is_alarm_due(const struct nx_engine *engine)
{
    return engine->alarm_ms != INT64_MAX && engine->alarm_ms <= nx_boot_ms(&engine->world.clock);
}

static void ring(struct nx_engine *engine)
{
    void (*const called)(void *context) = engine->ring;
    void *const context = engine->ring_context;

    engine->alarm_ms = INT64_MAX;
    nx_engine_hold(engine);
    nx_engine_unlock(engine);
    called(context);
    nx_engine_lock(engine);
    nx_engine_release(engine);
}

void nx_engine_finish(struct nx_engine *engine)
{
    while (engine->ended)
        finish_one(engine, engine->ended);
}

/* One turn as the leader. With the lock, which is let go in between. What it does not take up itself is for others. */
static void lead(struct nx_engine *engine, const struct waiter *me, int64_t until)
{
    struct nx_exchange *ended = NULL;
    struct nx_exchange *inbox = take_inbox(engine, &ended);
    const bool hurry = ended || engine->some_unwanted;

    until = hurry ? INT64_MIN : next_beginning(engine, until);
    engine->leading = true;
    nx_engine_unlock(engine);
    nx_under_way_begin(&engine->under_way, &engine->world, engine->exchange_timeout_ms, inbox);
    nx_under_way_turn(&engine->under_way, &engine->world, time_to_wait(engine, until), &ended);
    nx_engine_lock(engine);
    if (engine->some_unwanted) /* the lock guards the wishes */
        nx_under_way_give_up(&engine->under_way, &engine->world, engine->closing, &ended);
    engine->some_unwanted = false;
    engine->leading = false;
    nx_exchanges_append(&engine->end, ended);
    if (me->own && engine->ended && !wake_sleeper(engine, false))
        call_loop(engine);
}

/* Most callers lead, and never sleep: who does has a condition for as long. Where the system has none, it looks again
 * after a moment. */
static void sleep_until(struct nx_engine *engine, struct waiter *waiter, int64_t until)
{
    const int64_t now = nx_boot_ms(&engine->world.clock);
    const int64_t wait_ms = until > now ? until - now : 0;

    if (!nx_condition_init(&waiter->condition)) {
        nx_engine_unlock(engine);
        nx_pause(wait_ms);
        nx_engine_lock(engine);
        return;
    }
    waiter->asleep = true;
    nx_condition_wait(&waiter->condition, &engine->lock, wait_ms);
    waiter->asleep = false;
    nx_condition_destroy(&waiter->condition);
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

bool nx_engine_wait(struct nx_engine *engine, const bool *done, int64_t deadline_ms, const struct nx_exchange *own)
{
    struct waiter me = {.done = done, .own = own};

    add_waiter(engine, &me);
    note_idle(engine);
    while (!*done) {
        struct nx_exchange *ended = find_ended(engine, &me);

        if (is_alarm_due(engine))
            ring(engine);
        else if (ended)
            finish_one(engine, ended);
        else if (!engine->leading)
            lead(engine, &me, deadline_ms);
        else
            sleep_until(engine, &me, deadline_ms);
        note_idle(engine);
        /* A leader turns once even when its time is over: its answer may lie in the socket. */
        if (!*done && !find_ended(engine, &me) && nx_boot_ms(&engine->world.clock) >= deadline_ms)
            break;
    }
    remove_waiter(engine, &me);
    wake_successor(engine);
    call_loop(engine);
    note_idle(engine);
    return *done;
}

void nx_engine_close(struct nx_engine *engine)
{
    nx_engine_lock(engine);
    engine->closing = true;
    engine->some_unwanted = true;
    rouse_leader(engine);
    nx_engine_wait(engine, &engine->idle, INT64_MAX, NULL);
    engine->beacon = NULL; /* no loop is called any more: the transport goes */
    nx_engine_unlock(engine);
    engine->world.transport->verbs->free(engine->world.transport);
}

int nx_engine_descriptor(const struct nx_engine *engine)
{
    struct nx_transport *transport = engine->world.transport;

    return engine->closing ? -1 : transport->verbs->descriptor(transport);
}

void nx_engine_watch(struct nx_engine *engine, struct nx_beacon *beacon)
{
    engine->beacon = beacon;
}
