/* Threads of an application, and what each may expect. */
#ifndef NX_MODEL_CALLERS_H
#define NX_MODEL_CALLERS_H

#include "nexauth/nexauth.h"
#include "schedule.h"

enum { CALLERS = 4 };

struct caller {
    nexauth_source *source;
    int64_t timeout_ms;
    nexauth_token *rejects; /* it does this before it asks; a reference of its own, or NULL */
    bool rejects_again;     /* the callback of the polled call rejects what it gets, and waits for another */
    int64_t pause_ms;       /* not 0: it asks again after that */
    bool is_patient;        /* it only starts a call, and leaves the polling to others */
    bool is_canceled;       /* another thread cancels the polled call */
    /* Of the thread: */
    int64_t since_ms;
    nexauth_call *call; /* from when it was started; dropped by the thread unless another cancels it */
    int called;
    bool over;
};

struct cast {
    nexauth_session *session; /* NULL: freed */
    struct caller callers[CALLERS];
    int count;
    int others;       /* threads besides the callers */
    int64_t freed_ms; /* when a source was freed that callers waited for; 0: none was */
    bool ended;       /* a source or the session is freed meanwhile */
};

extern struct cast cast;

void cast_begin(nexauth_session *session);

/* The next caller, for one of the three below. */
struct caller *cast_add(nexauth_source *source, int64_t timeout_ms);

/* Spawns the thread of a caller. */
void cast_get(struct caller *caller);
void cast_poll(struct caller *caller);
void cast_start(struct caller *caller);

/* Spawn threads that wait until the callers are where it may be done. */
void cast_cancel(struct caller *poller);
void cast_free_source(nexauth_source *source);
void cast_free_session(struct caller *poller);

/* Spawns a web handler that brings a code as soon as it may: "brought-code". */
void cast_bring(nexauth_source *source);

/* Waits for all of them. */
void cast_wait(void);

#endif
