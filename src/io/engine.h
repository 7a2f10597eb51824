/*
 * The engine: one transport behind one lock, turned by whoever waits. There are no threads of the library's own.
 *
 * A thread that waits for something either leads, which means that it turns the transport for everybody, or sleeps
 * while another leads. When a leader leaves it wakes a sleeper, which leads on. An exchange whose waiters have all gone
 * stays where it is, and the next one that waits for anything takes its answer in. What an exchange's end sets off
 * (`done`) runs with neither the lock nor the lead held, so that it may block, or wait for something else itself.
 */
#ifndef NX_ENGINE_H
#define NX_ENGINE_H

#include "core/world.h"

struct nx_beacon;
struct nx_engine;

/* Owns world->transport from here on, on failure too. NULL when resources are lacking. */
struct nx_engine *nx_engine_new(const struct nx_world *world, int64_t exchange_timeout_ms);

/*
 * A child that was forked has none of the threads that were inside, and nothing that was under way: all exchanges are
 * forgotten, their `done` is not called, and the transport makes connections of its own. `inherited` is called before
 * anything else is done with the engine there, once, with the lock held. To be set before the engine is used.
 */
void nx_engine_set_inherited(struct nx_engine *engine, void (*inherited)(void *context), void *context);

/* After nx_engine_close(). */
void nx_engine_free(struct nx_engine *engine);

/* The lock guards the engine, and whatever the session wants guarded. It is never held during I/O or a callback. */
void nx_engine_lock(struct nx_engine *engine);
void nx_engine_unlock(struct nx_engine *engine);

/* Hands an exchange over; it is begun at the next turn. The lock is not held. After the engine was closed it ends as
 * canceled. */
void nx_engine_submit(struct nx_engine *engine, struct nx_exchange *exchange);

/* The same, but it is not begun before at_ms (boot clock). */
void nx_engine_submit_at(struct nx_engine *engine, struct nx_exchange *exchange, int64_t at_ms);

/* Sends nothing: `done` is called, by whoever waits next. The lock is held. */
void nx_engine_defer(struct nx_engine *engine, struct nx_exchange *exchange);

/* Calls `ring`, with no lock held, at at_ms (boot clock) or soon after, in a thread that waits; once. There is one
 * alarm, and the soonest time counts. The lock is held. */
void nx_engine_set_alarm(struct nx_engine *engine, int64_t at_ms, void (*ring)(void *context), void *context);

/* Nobody wants this exchange any more: it ends as canceled, at the next turn. The lock is held. */
void nx_engine_give_up(struct nx_engine *engine, struct nx_exchange *exchange);

/*
 * Waits, leading or asleep, until *done or the deadline (boot clock); returns *done. The lock is held, and let go in
 * between. `own`: the only exchange whose end this thread takes up. It is for who runs a callback already: others
 * within it would nest as deep as there are exchanges. NULL: whatever ends.
 */
bool nx_engine_wait(struct nx_engine *engine, const bool *done, int64_t deadline_ms, const struct nx_exchange *own);

/* Tells the owners of all exchanges that have ended. The lock is held, and let go in between. */
void nx_engine_finish(struct nx_engine *engine);

/* *done has become true: wakes who waits for it. The lock is held. */
void nx_engine_wake(struct nx_engine *engine, const bool *done);

/*
 * A thread that works for the engine without being inside it, such as one that puts a first request together, holds it:
 * it is not closed meanwhile. The lock is held.
 */
void nx_engine_hold(struct nx_engine *engine);
void nx_engine_release(struct nx_engine *engine);

/* For event loops: a descriptor that is readable when a turn has something to do, besides what time brings; -1: there
 * is none. It belongs to the transport. The lock is held. */
int nx_engine_descriptor(const struct nx_engine *engine);

/* An event loop watches that descriptor from now on. The beacon is lit when the loop has to poll, and to ask anew how
 * long it may wait, though the descriptor does not say so; who polls quenches it. The lock is held. */
void nx_engine_watch(struct nx_engine *engine, struct nx_beacon *beacon);

/* How long until time alone gives who waits something to do: ms; 0: now; -1: never, or another thread leads and takes
 * care of it. The lock is held. */
int64_t nx_engine_patience_ms(const struct nx_engine *engine);

/*
 * Ends all exchanges and waits until no thread is inside the engine: a one-time exchange that may have left is given
 * until its deadline to be answered, the others are given up. The lock is not held. The transport is freed; the lock
 * lives on.
 */
void nx_engine_close(struct nx_engine *engine);

#endif
