/* SPDX-License-Identifier: MIT */
/*
 * Calls of a vendor's API: a permit has the token that a request is to carry, and the request's turn in the vendor's
 * limits. Part of nexauth/nexauth.h, which is what to include. For requests by libcurl's easy interface there is
 * nexauth/curl.h, which does all of this by itself.
 *
 *     nexauth_permit_begin()  ->  send nexauth_permit_url() with nexauth_permit_header(), read the answer
 *         ^                                                    |
 *         |  once more, with another token, after DENIED       v
 *         +-----------------------------------------  nexauth_permit_end()  ->  nexauth_permit_free()
 *
 * A permit holds a slot of the vendor's limits from the moment that it is given: send at once, and end it as soon as
 * the answer's status is known. Functions of one permit are called by one thread at a time.
 */
#ifndef NEXAUTH_PERMIT_H
#define NEXAUTH_PERMIT_H

#include "nexauth/nexauth.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nexauth_permit nexauth_permit;

struct nexauth_permit_options {
    /* What will be requested: absolute, https (or http where the session allows it), at one of the source's
     * api_origins, without userinfo; bytes 0x21 to 0x7e but backslash, at most 8,192. A fragment is left out. Required.
     */
    const char *url;
    int64_t timeout_ms; /* how long the caller is ready to wait; default 30,000, at most 3,600,000 */
    uintptr_t reserved[8];
};

/*
 * Waits for a token that is good now, and for the request's turn. The caller owns *out.
 *
 * Fails with INVALID when `url` is none, lies at an origin to which the source's token may not be sent, or has an
 * access_token of its own (RFC 6750 section 2); with THROTTLED when no turn comes in time, or the service
 * asked for fewer requests: retry_after_ms says how long that lasts at the least; else with what
 * nexauth_source_get_token() fails with.
 */
NEXAUTH_API nexauth_status nexauth_permit_begin(nexauth_source *source, const struct nexauth_permit_options *options,
                                                nexauth_permit **out, struct nexauth_error *error);

/* How the waiting of nexauth_permit_start() ended: a permit, which the callback owns, and no `error`, or no permit and
 * an error. Runs as a nexauth_call_callback does. */
typedef void (*nexauth_permit_callback)(void *context, nexauth_permit *permit, const struct nexauth_error *error);

/*
 * The same for who does not block: the callback runs in a later nexauth_session_poll(). The call can be cancelled as
 * every other. Fails only with INVALID, as above, or NO_MEMORY, when the callback then never runs.
 */
NEXAUTH_API nexauth_status nexauth_permit_start(nexauth_source *source, const struct nexauth_permit_options *options,
                                                nexauth_permit_callback callback, void *context, nexauth_call **out,
                                                struct nexauth_error *error);

/* What to request: the URL that was given, with the token as a parameter where the service wants it there. Then it is
 * as secret as the token. */
NEXAUTH_API const char *nexauth_permit_url(const nexauth_permit *permit);

/* The header to send, "Authorization: Bearer ...", as one line without its end; NULL where the URL has the token. */
NEXAUTH_API const char *nexauth_permit_header(const nexauth_permit *permit);

/* The header that has Quantoz write all dates as yyyy-MM-ddTHH:mm:ssZ ("API date/time format"). Its name has an
 * underscore: nginx drops such headers, silently, unless underscores_in_headers is on. */
#define NEXAUTH_QUANTOZ_ISO8601 "request_iso8601: true"

/*
 * The request is about to leave once more, on another connection, as HTTP stacks do by themselves when a kept
 * connection turns out to be dead. OK: it may. THROTTLED: there is no further slot for it now; it must not leave.
 */
NEXAUTH_API nexauth_status nexauth_permit_send_again(nexauth_permit *permit, struct nexauth_error *error);

/* How a request ended without an answer. */
enum nexauth_loss {
    NEXAUTH_LOSS_UNKNOWN =
        0, /* it may have left. Reset its connection: nothing may arrive later than a minute from now */
    NEXAUTH_LOSS_UNSENT = 1, /* not a byte of it has left */
    NEXAUTH_LOSS_CLOSED = 2  /* it left whole over a fresh TLS connection, which was closed before an answer began */
};

struct nexauth_answer {
    const char
        *retry_after; /* the headers of these names (RFC 9110 sections 10.2.3, 6.6.1, 8.3); NULL: there is none */
    const char *date; /* which retry_after may be relative to */
    const char *content_type; /* tells a ban's answer from the API's own. "" too where there is none but a challenge
                                 (WWW-Authenticate), or where http_status is what an envelope amounts to */
    int http_status;          /* of the final answer, 200 to 999; 0: none was read */
    int loss;                 /* then: an enum nexauth_loss */
    uintptr_t reserved[8];
};

/*
 * Tells what came of the request, and gives its slot back. The status says what the answer means for the next one:
 *
 * OK: nothing; what the API said is the application's.
 * DENIED: 401. The token was rejected as by nexauth_source_reject_token(). With retry_after_ms 0 another one can be
 * had: begin once more. Else it came a short time ago in place of another, and stays: this 401 means "no right".
 * REAUTH: 401 to a static source's token.
 * THROTTLED: 429. The limit is held: no request that counts in it leaves before retry_after_ms.
 * UNAVAILABLE: 503. Requests of this path are held.
 * BLOCKED: what was read, or not, looks like a ban: three times in a row, without another answer in between, a request
 * to this origin met 401, 403 or 404 with an HTML page, or with nothing for three different identities, or a fresh
 * connection that was closed. Everything at the origin is held.
 *
 * Fails with INVALID, and nothing is told, when the answer cannot be one, when the permit has ended already, or when it
 * is the parent's, in a child that was forked. A service that answers 200 to a token that it no longer accepts, as
 * Nexusguard may by the code of its envelope, is read by the application, which says 401 here.
 */
NEXAUTH_API nexauth_status nexauth_permit_end(nexauth_permit *permit, const struct nexauth_answer *answer,
                                              struct nexauth_error *error);

/* Ends a permit, which counts as given up unless it was ended, and wipes what it holds. Its slot is busy for a window
 * and a minute then: who does not use a permit ends it with NEXAUTH_LOSS_UNSENT. */
NEXAUTH_API void nexauth_permit_free(nexauth_permit *permit);

#ifdef __cplusplus
}
#endif

#endif
