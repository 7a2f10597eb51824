/*
 * Calls: tokens and permits for callers that do not block. A call waits for an acquisition; one for a permit then for
 * its turn; or it is ready: then its outcome stands, and the next poll runs its callback.
 */
#include "session/pass.h"
#include "session/session.h"

#include "core/error.h"

#include <stddef.h>
#include <stdlib.h>

struct nexauth_call {
    atomic_int references; /* the application's, and one until the callback has run */
    nexauth_source *source;
    nexauth_call_callback callback;
    nexauth_permit_callback permit_callback; /* instead */
    void *context;
    int64_t validity_ms;
    nexauth_permit *permit; /* with permit_callback: that is to have its token and turn */
    /* With the lock: */
    struct nx_acquisition *acquisition; /* that it waits for; NULL: it is ready, or over, or: */
    bool queued;                        /* it has a token, and waits for its turn */
    struct nx_heap_node deadline;
    int64_t ready_ms; /* since when it is ready */
    nexauth_token *token;
    struct nexauth_error error;
    struct nexauth_call *next, *previous; /* of the acquisition's calls, or of those that are ready */
};

static nexauth_call *call_new(nexauth_source *source, int64_t timeout_ms, void *context)
{
    nexauth_call *call = malloc(sizeof *call);

    if (!call)
        return NULL;
    *call = (nexauth_call){.source = source, .context = context};
    atomic_init(&call->references, 1);
    call->deadline.due_ms = nx_boot_ms(&source->session->world.clock) + timeout_ms;
    return call;
}

static void put_last(struct nx_queue *queue, nexauth_call *call)
{
    call->next = NULL;
    *(queue->last ? &queue->last->next : &queue->first) = call;
    queue->last = call;
}

static void make_ready(nexauth_call *call)
{
    nexauth_session *session = call->source->session;

    call->ready_ms = nx_boot_ms(&session->world.clock);
    put_last(&session->ready, call);
    nx_poll_attend(session);
}

/* With a token, or an error: then it is ready; but who wants a permit has to have its turn too. */
static void conclude(nexauth_call *call)
{
    struct nx_pass *pass = call->permit ? &call->permit->pass : NULL;

    if (pass && call->token) {
        pass->token = call->token;
        pass->call = call;
        call->token = NULL;
        call->error = (struct nexauth_error){0};
        call->queued = nx_pass_enter(pass, call->deadline.due_ms, &call->error) == NX_TURN_WAITS;
    }
    if (call->queued)
        nx_session_turn_soon(call->source->session);
    else
        make_ready(call);
}

static void join(nexauth_call *call, struct nx_acquisition *acquisition)
{
    call->acquisition = acquisition;
    call->previous = NULL;
    call->next = acquisition->calls;
    if (call->next)
        call->next->previous = call;
    acquisition->calls = call;
    nx_heap_add(&call->source->session->deadlines, &call->deadline);
}

/* Ends the waiting. The outcome is to be set already. */
static void leave(nexauth_call *call)
{
    struct nx_acquisition *acquisition = call->acquisition;

    *(call->previous ? &call->previous->next : &acquisition->calls) = call->next;
    if (call->next)
        call->next->previous = call->previous;
    nx_heap_remove(&call->source->session->deadlines, &call->deadline);
    call->acquisition = NULL;
    conclude(call);
    nx_acquisition_unref(acquisition);
}

void nx_calls_settle(struct nx_acquisition *acquisition)
{
    while (acquisition->calls) {
        nexauth_call *call = acquisition->calls;

        nx_acquisition_outcome(acquisition, call->validity_ms, &call->token, &call->error);
        leave(call);
    }
}

void nx_calls_expire(nexauth_session *session)
{
    const int64_t now = nx_boot_ms(&session->world.clock);
    struct nx_heap_node *first;

    while ((first = nx_heap_first(&session->deadlines)) != NULL && first->due_ms <= now) {
        nexauth_call *call = (nexauth_call *)(void *)((char *)first - offsetof(nexauth_call, deadline));

        nx_acquisition_outcome(call->acquisition, call->validity_ms, &call->token, &call->error);
        leave(call);
    }
}

/* The source goes with the last reference to its last call. */
static void drop(nexauth_call *call)
{
    nexauth_source *source = call->source;

    if (atomic_fetch_sub_explicit(&call->references, 1, memory_order_acq_rel) != 1)
        return;
    nexauth_token_unref(call->token);
    free(call);
    nx_engine_lock(source->session->engine);
    nx_source_unref_unlock(source);
}

/* The permit is the callback's from here on, unless there is an error. */
static void hand_out_permit(nexauth_call *call)
{
    nexauth_permit *permit = call->permit;

    if (!call->error.status)
        nx_permit_word(permit, &call->error);
    call->permit = NULL;
    if (call->error.status) {
        nexauth_permit_free(permit);
        permit = NULL;
    }
    call->permit_callback(call->context, permit, permit ? NULL : &call->error);
}

static void run(nexauth_call *call)
{
    if (call->permit)
        hand_out_permit(call);
    else
        call->callback(call->context, call->token, call->token ? NULL : &call->error);
    drop(call);
}

size_t nx_calls_run(nexauth_session *session)
{
    nexauth_call *call = session->ready.first;
    size_t count = 0;

    session->ready = (struct nx_queue){0};
    nx_engine_unlock(session->engine);
    while (call) {
        nexauth_call *next = call->next;

        run(call);
        call = next;
        count++;
    }
    nx_engine_lock(session->engine);
    return count;
}

/* With the lock, so the source is not freed here. */
void nx_call_forget(nexauth_call *call)
{
    nexauth_source *source = call->source;

    call->acquisition = NULL;
    call->queued = false;
    call->deadline = (struct nx_heap_node){0};
    call->next = call->previous = NULL;
    if (call->permit)
        nx_permit_forget(call->permit);
    call->permit = NULL;
    if (atomic_fetch_sub_explicit(&call->references, 1, memory_order_acq_rel) != 1)
        return;
    nexauth_token_unref(call->token);
    free(call);
    source->references--;
}

static void forget_all(nexauth_call *call)
{
    while (call) {
        nexauth_call *next = call->next;

        nx_call_forget(call);
        call = next;
    }
}

void nx_calls_inherited(nexauth_session *session)
{
    for (struct nx_acquisition *next = session->acquisitions; next; next = next->next)
        forget_all(next->calls);
    forget_all(session->ready.first);
    session->ready = (struct nx_queue){0};
    session->deadlines = (struct nx_heap){0};
}

/* Begins or joins the acquisition that brings the call its token. Nothing runs before somebody polls or waits. */
static void wait_for_token(nexauth_call *call, enum nexauth_reason reason)
{
    nexauth_source *source = call->source;
    struct nx_acquisition *acquisition;
    bool begun;

    acquisition = nx_acquisition_join(source, reason, call->deadline.due_ms, &begun, &call->error);
    if (acquisition) {
        join(call, acquisition);
        if (begun)
            nx_acquisition_defer(acquisition);
        nx_poll_attend(source->session);
        return;
    }
    if (nx_current_serves(source, call->validity_ms))
        call->token = nx_current_hit(source);
    conclude(call);
}

/* The token is good, and this call is the one that has it renewed, unless another does. */
static void renew_early(nexauth_source *source)
{
    const int64_t now = nx_boot_ms(&source->session->world.clock);
    struct nexauth_error error = {0};
    struct nx_acquisition *acquisition;
    bool begun;

    acquisition = nx_acquisition_join(source, NEXAUTH_REASON_EARLY, now + NX_EARLY_PATIENCE_MS, &begun, &error);
    if (!acquisition)
        return;
    if (begun)
        nx_acquisition_defer(acquisition);
    nx_acquisition_unref(acquisition);
}

static void begin(nexauth_call *call)
{
    nexauth_source *source = call->source;
    const enum nx_phase phase = nx_current_phase(source, call->validity_ms);

    source->asked = true;
    if (phase == NX_PHASE_LATE || phase == NX_PHASE_OVER) {
        wait_for_token(call, nx_reason_of(source, phase));
        return;
    }
    if (phase == NX_PHASE_EARLY)
        renew_early(source);
    if (phase == NX_PHASE_HELD)
        nx_refuse_held(source, &call->error);
    else
        call->token = nx_current_hit(source);
    conclude(call);
}

/* What it is to bring, by itself or in a permit; NULL with an error. */
static const nexauth_token *brought_by(const nexauth_call *call)
{
    return call->permit && !call->error.status ? call->permit->pass.token : call->token;
}

/* Whether its token was good when it became ready, and is over now. */
static bool is_stale(const nexauth_call *call, int64_t now)
{
    const nexauth_token *token = brought_by(call);

    return token && token->expires_boot_ms > call->ready_ms && token->expires_boot_ms <= now;
}

static void begin_anew(nexauth_call *call, int64_t now)
{
    if (call->permit)
        nx_pass_return(&call->permit->pass);
    nexauth_token_unref(call->token);
    call->token = NULL;
    if (call->source->session->closed)
        nx_fail(&call->error, NEXAUTH_CANCELED, "the session was freed");
    else if (call->deadline.due_ms <= now)
        nx_fail(&call->error, NEXAUTH_TIMEOUT, "the token expired before anybody polled");
    if (call->error.status)
        make_ready(call);
    else
        begin(call);
}

void nx_calls_renew(nexauth_session *session)
{
    const int64_t now = nx_boot_ms(&session->world.clock);
    nexauth_call *call = session->ready.first;

    session->ready = (struct nx_queue){0};
    while (call) {
        nexauth_call *next = call->next;

        if (is_stale(call, now))
            begin_anew(call, now);
        else
            put_last(&session->ready, call);
        call = next;
    }
}

void nx_call_turned(nexauth_call *call)
{
    call->queued = false;
    if (nx_pass_turned(&call->permit->pass, &call->error) == NX_TURN_WAITS)
        begin(call);
    else
        make_ready(call);
}

/* The call, which has a reference to its source, as its permit has, and for the application a reference to it. */
static nexauth_status start(nexauth_call *call, nexauth_call **out, struct nexauth_error *error)
{
    nexauth_source *source = call->source;
    struct nx_engine *engine = source->session->engine;

    nx_engine_lock(engine);
    if (source->session->closed) {
        nx_engine_unlock(engine);
        free(call);
        return nx_fail(error, NEXAUTH_INVALID, "the session was freed");
    }
    source->references += call->permit ? 2 : 1;
    if (out)
        *out = nexauth_call_ref(call);
    begin(call);
    nx_engine_unlock(engine);
    return NEXAUTH_OK;
}

nexauth_status nexauth_source_start(nexauth_source *source, const struct nexauth_get_options *options,
                                    nexauth_call_callback callback, void *context, nexauth_call **out,
                                    struct nexauth_error *error)
{
    nexauth_call *call;
    struct nx_wish wish;
    nexauth_status status;

    if (!source || !callback)
        return nx_fail(error, NEXAUTH_INVALID, "source and callback are required");
    status = nx_wish_of(options, &wish, error);
    if (status)
        return status;
    call = call_new(source, wish.timeout_ms, context);
    if (!call)
        return nx_fail(error, NEXAUTH_NO_MEMORY, "memory ran out");
    call->callback = callback;
    call->validity_ms = wish.validity_ms;
    return start(call, out, error);
}

nexauth_status nx_call_start_permit(nexauth_permit *permit, int64_t timeout_ms, nexauth_permit_callback callback,
                                    void *context, nexauth_call **out, struct nexauth_error *error)
{
    nexauth_call *call = call_new(permit->pass.source, timeout_ms, context);

    if (!call)
        return nx_fail(error, NEXAUTH_NO_MEMORY, "memory ran out");
    call->permit_callback = callback;
    call->permit = permit;
    return start(call, out, error);
}

nexauth_call *nexauth_call_ref(nexauth_call *call)
{
    if (call)
        atomic_fetch_add_explicit(&call->references, 1, memory_order_relaxed);
    return call;
}

void nexauth_call_unref(nexauth_call *call)
{
    if (call)
        drop(call);
}

void nexauth_call_cancel(nexauth_call *call)
{
    if (!call)
        return;
    nx_engine_lock(call->source->session->engine);
    if (call->acquisition) {
        nx_fail(&call->error, NEXAUTH_CANCELED, "the call was canceled");
        leave(call);
    } else if (call->queued) {
        nx_pass_cancel(&call->permit->pass, "the call was canceled");
    }
    nx_engine_unlock(call->source->session->engine);
}
