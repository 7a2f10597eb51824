/*
 * Passes: a call of an API takes a token and its turn in the limits, and gives the turn back with what came of it. A
 * pass lies within what uses it, and does not move while it waits.
 */
#ifndef NX_PASS_H
#define NX_PASS_H

#include "core/permits.h"
#include "core/text.h"
#include "core/url.h"
#include "nexauth/nexauth.h"
#include "session/limits.h"

#include <stdbool.h>
#include <stdint.h>

enum { NX_PASS_URL_LONGEST = 4 * 1048576 }; /* with a token of the longest answer, each byte of it encoded */

struct nx_pass {
    nexauth_source *source; /* counted from the waiting on, as of a thread that is inside */
    const char *url;        /* until it has its turn */
    struct nx_span path;    /* in the URL */
    struct nx_place place;  /* nowhere before it has asked for a turn */
    nexauth_token *token;   /* that the request carries; counted */
    struct nx_permit permit;
    uint32_t generation; /* of forks: what a parent took is not the child's to give back */
    bool ended;          /* what came of it was told */
    /* With the lock: */
    bool inside;   /* the source is counted */
    bool canceled; /* it is to have none */
    const char *why;
    bool done;                 /* for who blocks: it waits no longer */
    struct nexauth_call *call; /* that waits for it; NULL: a thread does */
    struct nx_pass *next, *previous;
};

/* A pass that the application holds. */
struct nexauth_permit {
    struct nx_pass pass;
    struct nx_text url; /* with the token, once there is one, where that is where it goes */
};

/* The permit has its token and its turn: its URL is worded. Should memory run out, the turn is given back. Without the
 * lock. */
nexauth_status nx_permit_word(nexauth_permit *permit, struct nexauth_error *error);

/* Frees a permit that was never handed out, in a child that was forked. With the lock. */
void nx_permit_forget(nexauth_permit *permit);

/* Checks where the request is to go. The URL is borrowed. */
nexauth_status nx_pass_init(struct nx_pass *pass, nexauth_source *source, const char *url, struct nexauth_error *error);

/* Has it borrow a copy of the URL, which may lack the fragment, from here on. */
void nx_pass_borrow_url(struct nx_pass *pass, const char *copy);

/* The URL with what the token adds to it; the token is to be one that is presented in the query. */
void nx_pass_add_url(const struct nx_pass *pass, const char *url, struct nx_text *out);

/* Waits for a token and a turn. Without the lock. */
nexauth_status nx_pass_wait(struct nx_pass *pass, int64_t deadline_ms, struct nexauth_error *error);

/*
 * For who does not block: the turn of a pass that has a token. NOW: it has it. WAITS: nx_call_turned() is called.
 * NEVER: with an error. With the lock.
 */
enum nx_turn nx_pass_enter(struct nx_pass *pass, int64_t deadline_ms, struct nexauth_error *error);

/* What has come of a turn that was waited for, in nx_call_turned(). NOW: it is there. WAITS: all is to be begun anew,
 * from the token on, which is gone. NEVER: with an error. With the lock. */
enum nx_turn nx_pass_turned(struct nx_pass *pass, struct nexauth_error *error);

/* Gives a turn back, as nothing of the request has left, and lets the token go. With the lock. */
void nx_pass_return(struct nx_pass *pass);

/* Ends the waiting of this pass, of a source's, or of all in the session: with CANCELED, and these words. With the
 * lock.
 */
void nx_pass_cancel(struct nx_pass *pass, const char *why);
void nx_passes_cancel(nexauth_session *session, const nexauth_source *source, const char *why);

/* Waits until nobody's turn is under way any more. With the lock. */
void nx_passes_wait_for_none(nexauth_session *session);

/* Lets go of a parent's passes. With the lock. */
void nx_passes_inherited(nexauth_session *session);

/* The request leaves once more. Without the lock. */
bool nx_pass_again(struct nx_pass *pass);

/* What came of the request (nexauth_permit_end()). Without the lock. */
nexauth_status nx_pass_end(struct nx_pass *pass, const struct nexauth_answer *answer, struct nexauth_error *error);

/* The request ends without having left. Without the lock. */
void nx_pass_give_back(struct nx_pass *pass);

/* Makes a pass that has ended ready for another request to the same place. Without the lock. */
void nx_pass_renew(struct nx_pass *pass);

/* The source stays counted for the pass's owner, who is not inside any more. Without the lock. */
void nx_pass_leave_source(struct nx_pass *pass);

/* Lets go of the token, of the turn, which counts as given up, and of the source. Without the lock. */
void nx_pass_release(struct nx_pass *pass);

#endif
