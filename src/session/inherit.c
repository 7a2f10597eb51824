/*
 * A session in a child that was forked. Tokens, sources and what is remembered are the child's as they were the
 * parent's. What was under way is the parent's alone: no thread of the child's waits for it, and the child begins anew.
 */
#include "session/pass.h"
#include "session/session.h"

#include <stdlib.h>

/* What flights of parents may have had in hand when their threads were cut off, in any state: it cannot be freed, and
 * is not lost sight of. Sessions share the list. */
static _Atomic(struct nx_acquisition *) left_behind;

static void leave_behind(struct nx_acquisition *first)
{
    struct nx_acquisition *last = first;
    struct nx_acquisition *others = atomic_load_explicit(&left_behind, memory_order_relaxed);

    if (!first)
        return;
    while (last->next)
        last = last->next;
    do
        last->next = others;
    while (!atomic_compare_exchange_weak_explicit(&left_behind, &others, first, memory_order_acq_rel,
                                                  memory_order_relaxed));
}

static void settle_sources(nexauth_session *session)
{
    nexauth_source *next;

    for (struct nx_acquisition *acquisition = session->acquisitions; acquisition; acquisition = acquisition->next) {
        nx_acquisition_let_go(acquisition);
        acquisition->source->references--;
    }
    for (nexauth_source *source = session->sources; source; source = next) {
        next = source->next;
        nx_source_inherited(source);
    }
}

void nx_session_inherited(void *context)
{
    nexauth_session *session = context;

    nx_passes_inherited(session);
    nx_calls_inherited(session);
    settle_sources(session);
    leave_behind(session->acquisitions);
    session->acquisitions = NULL;
    session->errands = NULL;
    session->references -= session->polling;
    session->polling = session->attention = session->woken = false;
    nx_beacon_free(session->beacon);
    session->beacon = NULL;
}
