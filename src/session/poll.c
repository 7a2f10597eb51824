/* Polling: turns the session for callers that do not block, and runs their callbacks. */
#include "session/session.h"

#include "core/error.h"

enum { LONGEST_POLL_MS = 86400000 };

void nx_poll_attend(nexauth_session *session)
{
    if (session->attention)
        return;
    session->attention = true;
    nx_engine_wake(session->engine, &session->attention);
    if (session->beacon)
        nx_beacon_light(session->beacon);
}

static void take_notice(nexauth_session *session)
{
    session->attention = false;
    if (session->beacon)
        nx_beacon_quench(session->beacon);
}

/* When the first call that waits runs out of time, if that is before until_ms. */
static int64_t first_deadline(const nexauth_session *session, int64_t until_ms)
{
    const struct nx_heap_node *first = nx_heap_first(&session->deadlines);

    return first && first->due_ms < until_ms ? first->due_ms : until_ms;
}

/* Waits until there is a reason to return. Turns the engine once in any case, after what had ended already: who polls
 * only for what is at hand must not keep the rest from going on, and no call runs out of time before the sockets were
 * read. */
static void wait_for_reason(nexauth_session *session, int64_t until_ms)
{
    bool at_hand;

    nx_engine_finish(session->engine);
    do {
        at_hand = session->ready.first || session->woken;
        take_notice(session);
        nx_engine_wait(session->engine, &session->attention, at_hand ? 0 : first_deadline(session, until_ms), NULL);
        nx_engine_finish(session->engine);
        nx_calls_expire(session);
        nx_calls_renew(session);
    } while (!session->ready.first && !session->woken && !session->closed &&
             nx_boot_ms(&session->world.clock) < until_ms);
    take_notice(session);
}

static nexauth_status poll(nexauth_session *session, int64_t until_ms, struct nexauth_error *error)
{
    if (session->closed)
        return nx_fail(error, NEXAUTH_INVALID, "the session was freed");
    if (nx_runs_callback(session))
        return nx_fail(error, NEXAUTH_INVALID, "a callback of the session polls it");
    if (session->polling)
        return nx_fail(error, NEXAUTH_INVALID, "another thread polls, or a callback of this one does");
    session->polling = true;
    nx_engine_hold(session->engine);
    wait_for_reason(session, until_ms);
    session->woken = false;
    if (!session->closed)
        nx_calls_run(session);
    session->polling = false;
    nx_engine_release(session->engine);
    return session->closed ? nx_fail(error, NEXAUTH_CANCELED, "the session was freed meanwhile") : NEXAUTH_OK;
}

nexauth_status nexauth_session_poll(nexauth_session *session, int64_t wait_ms, struct nexauth_error *error)
{
    nexauth_status status;

    if (!session || wait_ms < 0 || wait_ms > LONGEST_POLL_MS)
        return nx_fail(error, NEXAUTH_INVALID, "a session and wait_ms from 0 to %d are required", LONGEST_POLL_MS);
    nx_engine_lock(session->engine);
    session->references++;
    status = poll(session, nx_boot_ms(&session->world.clock) + wait_ms, error);
    nx_session_unref_unlock(session);
    return status;
}

void nexauth_session_wakeup(nexauth_session *session)
{
    if (!session)
        return;
    nx_engine_lock(session->engine);
    session->woken = true;
    nx_poll_attend(session);
    nx_engine_unlock(session->engine);
}

nexauth_status nexauth_session_descriptor(nexauth_session *session, int *out, struct nexauth_error *error)
{
    nexauth_status status = NEXAUTH_OK;

    if (!session || !out)
        return nx_fail(error, NEXAUTH_INVALID, "session and out are required");
    nx_engine_lock(session->engine);
    if (!session->beacon && !session->closed) {
        session->beacon = nx_beacon_new(nx_engine_descriptor(session->engine));
        nx_engine_watch(session->engine, session->beacon);
        if (session->beacon && session->attention)
            nx_beacon_light(session->beacon);
    }
    if (session->beacon)
        *out = nx_beacon_descriptor(session->beacon);
    else
        status = nx_fail(error, NEXAUTH_NO_MEMORY, "file descriptors ran out");
    nx_engine_unlock(session->engine);
    return status;
}

/* What is nearer; -1 is never. */
static int64_t sooner(int64_t a, int64_t b)
{
    if (a < 0 || b < 0)
        return a < 0 ? b : a;
    return a < b ? a : b;
}

int64_t nexauth_session_timeout_ms(nexauth_session *session)
{
    const struct nx_heap_node *first;
    int64_t wait_ms = 0;
    int64_t now;

    if (!session)
        return -1;
    nx_engine_lock(session->engine);
    if (!session->attention) {
        now = nx_boot_ms(&session->world.clock);
        first = nx_heap_first(&session->deadlines);
        wait_ms = nx_engine_patience_ms(session->engine);
        if (first)
            wait_ms = sooner(wait_ms, first->due_ms > now ? first->due_ms - now : 0);
    }
    nx_engine_unlock(session->engine);
    return wait_ms;
}
