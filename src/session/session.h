/* The objects behind the public handles. The session's engine has the one lock; "with the lock" means it. */
#ifndef NX_SESSION_H
#define NX_SESSION_H

#include "core/damping.h"
#include "core/failures.h"
#include "core/flight.h"
#include "core/heap.h"
#include "core/history.h"
#include "core/life.h"
#include "core/provider.h"
#include "core/siphash.h"
#include "core/world.h"
#include "io/arena.h"
#include "io/beacon.h"
#include "io/engine.h"
#include "io/fork.h"
#include "io/lock.h"
#include "session/limits.h"
#include "session/slot.h"
#include "session/token.h"

#include <stdatomic.h>
#include <stddef.h>

/* What an endpoint has answered, for all sources that use it. */
struct nx_endpoint {
    struct nx_history history;
    char *url; /* without query */
    struct nx_endpoint *next;
};

/* A thread that runs a callback of the application's for a source. It lives on that thread's stack. */
struct nx_errand {
    struct nx_thread thread;
    const nexauth_source *source;
    struct nx_errand *next;
};

/* Who waits by passes. Those of threads may lie on their stacks, where a child that was forked does not look. */
enum { NX_PASSER_THREAD, NX_PASSER_CALL, NX_PASSERS };

/* Calls whose callbacks are to run, the oldest first. */
struct nx_queue {
    struct nexauth_call *first, *last;
};

/* What is malformed among the options of the network gives INVALID. */
nexauth_status nx_check_network(const struct nexauth_session_options *options, struct nexauth_error *error);

struct nexauth_session {
    struct nx_world world;
    struct nx_engine *engine;
    struct nx_arena *arena;   /* texts of tokens */
    struct nx_arena *secrets; /* what sources were made from */
    struct nx_siphash_key hash_key;
    size_t answer_bound;
    int64_t exchange_timeout_ms;
    nexauth_event_callback event_callback;
    void *event_context;
    struct nx_limits limits;
    bool loopback_http;
    atomic_bool closed;     /* written with the lock, and then no slot is fresh */
    struct nx_lock reading; /* guards the endpoints: answers are read one at a time */
    struct nx_fork_guard reading_guard;
    struct nx_endpoint *endpoints;
    /* With the lock: */
    int references;                      /* the application's, one of each source, and one of a poll */
    nexauth_source *sources;             /* those that were made to their end */
    struct nx_acquisition *acquisitions; /* under way */
    struct nx_site *sites;               /* where its requests went */
    struct nx_last_place last_place;     /* where its last call went */
    struct nx_failures failures;         /* by credentials */
    struct nx_errand *errands;           /* under way */
    struct nx_pass *passes[NX_PASSERS];  /* that wait for a turn */
    struct nx_queue ready;
    struct nx_heap deadlines; /* of the calls that wait */
    struct nx_beacon *beacon; /* NULL until somebody asks for the descriptor */
    bool polling;             /* a thread polls */
    bool attention;           /* a poll is to look again, or to return */
    bool woken;               /* a poll is to return */
    bool passed;              /* closed, and no pass waits */
};

/*
 * It lies in a record of the session's arena, which the tokens that count in the slot's cells keep. The slot stands
 * where its word begins a cache line, of which whoever gets a cached token touches nothing else but its cells.
 */
struct nexauth_source {
    nexauth_session *session;
    const struct nx_provider *provider;
    struct nx_slot slot;        /* the current token again, for those who take no lock */
    struct nx_save *save;       /* NULL: nothing is to be saved */
    struct nx_trouble *trouble; /* NULL: there was none */
    struct nx_identity identity;
    struct nx_grant *grant; /* the acquisition's alone while there is one; NULL: credentials alone get a token */
    /* With the lock: */
    nexauth_token *token; /* the current one, or NULL */
    struct nx_life life;  /* of the current token, or of the last one */
    uint64_t mark;        /* a keyed hash of the access token that was dropped last; 0: none was */
    struct nx_acquisition *acquisition;
    uint64_t joins;
    uint32_t requests, failures;     /* no service takes 2^32 requests of one source */
    nexauth_source *next, *previous; /* in the session */
    int references; /* the application's, and one of each call, of each acquisition under way, and of callers inside */
    int inside;     /* the last of these: threads, which a forked child has not */
    bool freed;
    bool asked;        /* for a token */
    unsigned char way; /* of the last token: an enum nexauth_way */
    unsigned char reason;
};

_Static_assert(sizeof(struct nexauth_source) <= NX_RECORD_SIZE, "a source fits its record");
_Static_assert(sizeof(void *) != 8 || offsetof(struct nexauth_source, slot.word) % 64 == 0, "the word begins a line");

struct nx_save {
    nexauth_save_callback callback;
    void *context;
};

/* What only a source needs that has seen failures or rejections. */
struct nx_trouble {
    struct nx_damping damping;
    struct nexauth_error error; /* of the last acquisition that failed */
    nexauth_token *rejected;    /* the last token, until another comes: services may name it; or NULL */
};

/* A flight with its driver: counted by those who wait for it and by the flight itself. */
struct nx_acquisition {
    nexauth_source *source;
    struct nx_flight flight;
    struct nx_exchange exchange;
    int64_t deadline_ms; /* no second request is begun, and none lasts, beyond it */
    int64_t again_at_ms; /* a second one is not begun before */
    struct nx_permit permit;
    enum nexauth_reason reason;
    bool under_way;       /* the flight has begun */
    bool attempted;       /* something left the process, or was to */
    nexauth_token *fresh; /* came, and is not current yet */
    /* With the lock: */
    int references;
    int64_t wanted_until_ms; /* by somebody who waits, or began it */
    bool queued;             /* waits for its turn: the ledger's, and not the engine's or the driver's */
    bool parked;             /* for some time nobody waited for it, and somebody without a good token does now */
    bool done;               /* the outcome stands: a token, or an error */
    nexauth_token *token;
    struct nexauth_error error;
    nexauth_token *held[NX_HELD_TOKENS];    /* what the source had as the flight began, kept for flight.held; or NULL */
    struct nexauth_call *calls;             /* that wait for it */
    struct nx_acquisition *next, *previous; /* in the session */
};

/* ---- session.c ---- */

/* A session in a world of the caller's own; owns world->transport from here on, on failure too. Limits in `options` are
 * taken as checked. */
nexauth_status nx_session_new_in(const struct nx_world *world, const struct nexauth_session_options *options,
                                 nexauth_session **out, struct nexauth_error *error);

/* With the lock, which is then given. Frees the session with its last reference. */
void nx_session_unref_unlock(nexauth_session *session);

/* Reads an exchange's answer into the flight, with the history of its endpoint. */
void nx_session_read_answer(nexauth_session *session, struct nx_acquisition *acquisition);

/* 32 random bits, for jitter. */
static inline uint32_t nx_session_draw(const nexauth_session *session)
{
    return session->world.draw(session->world.entropy_context);
}

/* ---- source.c ---- */

nexauth_status nx_source_new(nexauth_session *session, const struct nx_provider *provider, const void *options,
                             nexauth_source **out, struct nexauth_error *error);

/* With the lock, which is then given. Frees the source with its last reference, and its session with that's. */
void nx_source_unref_unlock(nexauth_source *source);

/* A caller is inside: works with the source, and lets the lock go in between. With the lock; leaving gives it, and is
 * a nx_source_unref_unlock(). */
void nx_source_enter(nexauth_source *source);
void nx_source_leave_unlock(nexauth_source *source);

/* A child that was forked has this source of its parent's, but no callers inside, and no one-time values: those are the
 * parent's. Frees the source when the application has, and nothing else keeps it. With the lock. */
void nx_source_inherited(nexauth_source *source);

/* What the session remembers of the failures of these credentials (core/failures.h). With the lock. */
int64_t nx_source_note_failure(nexauth_source *source, const struct nexauth_error *error);
bool nx_source_recall_failure(const nexauth_source *source, struct nexauth_error *error);
void nx_source_forget_failure(nexauth_source *source);

/* Makes room for what goes wrong; NULL when memory ran out. With the lock. */
struct nx_trouble *nx_source_trouble(nexauth_source *source);

/* The last token, if it was rejected and no other has come; else NULL. With the lock. */
static inline nexauth_token *nx_source_rejected(const nexauth_source *source)
{
    return source->trouble ? source->trouble->rejected : NULL;
}

/* Whether a web handler has brought a code that no acquisition has taken yet. With the lock. */
bool nx_source_has_code(const nexauth_source *source);

/* ---- current.c: the token that a source holds. All with the lock. ---- */

/* How the current token stands for a caller who needs it for validity_ms. */
enum nx_phase nx_current_phase(const nexauth_source *source, int64_t validity_ms);

/* Whether the current token may be handed out to such a caller although its renewal failed. */
bool nx_current_serves(const nexauth_source *source, int64_t validity_ms);

/* A reference to the current token, without looking at it. */
nexauth_token *nx_current_ref(nexauth_source *source);

/* The same for a caller who found it good and did not wait. */
nexauth_token *nx_current_hit(nexauth_source *source);

/* Lets callers have the token without the lock for as long as it is fresh, and for least_ms in any case; but not in its
 * last second, when the coarse clocks are too coarse. */
void nx_current_open(nexauth_source *source, int64_t least_ms);

/* Sends all callers here again. */
void nx_current_close(nexauth_source *source);

/* Takes a token in. True when it is the one that the source had. */
bool nx_current_take(nexauth_source *source, nexauth_token *token);

/* Lets the token go. */
void nx_current_drop(nexauth_source *source);

/* An acquisition failed: the next is to wait, when this one attempted anything. Fills in error->retry_after_ms. */
void nx_current_note_failure(nexauth_source *source, bool attempted, struct nexauth_error *error);

/* ---- acquisition.c ---- */

/*
 * The acquisition under way, or a new one (*begun), which the caller then lets go or defers. With the lock; gives a
 * reference. NULL with an error when there is to be none: memory ran out, the last one failed a short time ago, or no
 * request would bring another token.
 */
struct nx_acquisition *nx_acquisition_join(nexauth_source *source, enum nexauth_reason reason, int64_t deadline_ms,
                                           bool *begun, struct nexauth_error *error);

/* How long an early renewal may wait for its turn: nobody waits for it. */
enum { NX_EARLY_PATIENCE_MS = 30000 };

/* Drives the flight as far as it goes without waiting. With the lock, which is let go in between. */
void nx_acquisition_go(struct nx_acquisition *acquisition);

/* Leaves the driving to whoever waits next. With the lock. */
void nx_acquisition_defer(struct nx_acquisition *acquisition);

/* Ends the waiting for an acquisition that nobody wants any more: with CANCELED. With the lock. */
void nx_acquisition_cancel(struct nx_acquisition *acquisition, const char *why);

/* Drops what flight.held was kept by: the flight reads no answer any more. With the lock. */
void nx_acquisition_let_go(struct nx_acquisition *acquisition);

/* With the lock. */
void nx_acquisition_unref(struct nx_acquisition *acquisition);

/* ---- permit.c ---- */

/* Gives turns to those whose turn has come. Without the lock; `soon`: with it, by whoever waits next. */
void nx_session_turn(nexauth_session *session);
void nx_session_turn_soon(nexauth_session *session);

void nx_say_throttled(const nexauth_source *source, int64_t wait_ms, struct nexauth_error *error);

/* Asks for the turn of the flight's request, without the lock. NOW: it may leave. NEVER: the flight has failed. WAITS:
 * the acquisition is not the caller's any more; exchange.done is called when the waiting is over, whatever the outcome.
 */
enum nx_turn nx_permit_enter(struct nx_acquisition *acquisition);

/* Whether a flight that waits for its turn will not have it before the deadline: then the caller is told so. With the
 * lock. */
bool nx_permit_comes_too_late(const struct nx_acquisition *acquisition, int64_t deadline_ms,
                              struct nexauth_error *error);

/* Whether exchange.done is called because a waiting is over, and not an exchange. Without the lock. */
bool nx_permit_has_waited(struct nx_acquisition *acquisition);

/* For exchange.again. */
bool nx_permit_again(struct nx_exchange *exchange, void *context);

/* How a request ended. `http_status`: 0 when no answer was read. Some answers come from whatever stands before the
 * service: the request may yet be counted. */
enum nx_end nx_end_of(bool left, int http_status);

/* The request has ended, and the flight has read what came. Without the lock. */
void nx_permit_end(struct nx_acquisition *acquisition);

/* A flight that waits for its turn is to end. With the lock. */
void nx_permit_withdraw(struct nx_acquisition *acquisition);

/* ---- get.c ---- */

/* A caller's options, checked. */
struct nx_wish {
    int64_t timeout_ms;
    int64_t validity_ms;
    bool copies; /* takes no reference, which is not counted among the hits */
};

/* How long a caller is ready to wait: checked, or the default. */
nexauth_status nx_timeout_of(int64_t asked_ms, int64_t *timeout_ms, struct nexauth_error *error);

nexauth_status nx_wish_of(const struct nexauth_get_options *options, struct nx_wish *wish, struct nexauth_error *error);

/* A reference to a token that is fresh; NULL: it has to be asked for. Without the lock. */
nexauth_token *nx_take_fresh(nexauth_source *source);

/* Why an acquisition would begin now, for a token in this phase. With the lock. */
enum nexauth_reason nx_reason_of(const nexauth_source *source, enum nx_phase phase);

/* What an acquisition gives to a caller who waits for it no longer, because it is done or the caller's time is over: a
 * reference to a token, or an error. With the lock. */
nexauth_status nx_acquisition_outcome(const struct nx_acquisition *acquisition, int64_t validity_ms,
                                      nexauth_token **token, struct nexauth_error *error);

/* The error for a caller whose token is held: the last failure, and when the next attempt is. With the lock. */
nexauth_status nx_refuse_held(const nexauth_source *source, struct nexauth_error *error);

/* ---- callback.c: the application's callbacks. Without the lock. ---- */

/* Whether this thread runs a callback for the source: it cannot wait for what it is itself to help with. With the
 * lock. */
bool nx_is_on_errand(const nexauth_source *source);

/* Whether this thread runs a callback for any source of the session. With the lock. */
bool nx_runs_callback(const nexauth_session *session);

/* Calls the source's callback for a fresh xspe, and judges what it gives. `xspe` is initialised in any case. */
nexauth_status nx_supply(nexauth_source *source, struct nx_text *xspe, struct nexauth_error *error);

/* Lets the application save a token. */
void nx_save_token(nexauth_source *source, nexauth_token *token);

void nx_tell(nexauth_source *source, enum nexauth_event_kind kind, const struct nexauth_error *error,
             nexauth_token *token);

/* ---- reject.c ---- */

/* nexauth_source_approve_token(). With the lock. */
void nx_source_approve(nexauth_source *source, const nexauth_token *token);

/* ---- call.c, with the lock ---- */

/* Starts a call for a permit, which the call owns on success. Without the lock. */
nexauth_status nx_call_start_permit(nexauth_permit *permit, int64_t timeout_ms, nexauth_permit_callback callback,
                                    void *context, nexauth_call **out, struct nexauth_error *error);

/* The pass of this call waits for its turn no longer. */
void nx_call_turned(struct nexauth_call *call);

/* Lets go of a parent's call. */
void nx_call_forget(struct nexauth_call *call);

/* The acquisition that these calls wait for is done. */
void nx_calls_settle(struct nx_acquisition *acquisition);

/* Ends the calls whose time is over. */
void nx_calls_expire(nexauth_session *session);

/* What is ready with a token that has expired since, as nobody polled, begins anew, or ends with an error when its time
 * is over or the session is closed. */
void nx_calls_renew(nexauth_session *session);

/* Runs the callbacks of all calls that are ready by now; the lock is let go meanwhile. Returns how many. */
size_t nx_calls_run(nexauth_session *session);

/* Lets go of a parent's calls, whose callbacks do not run in a child. */
void nx_calls_inherited(nexauth_session *session);

/* ---- inherit.c ---- */

/* For the engine of a session: a child that was forked takes over what its parent had. With the lock. */
void nx_session_inherited(void *context);

/* ---- poll.c ---- */

/* A poll is to look again. With the lock. */
void nx_poll_attend(nexauth_session *session);

#endif
