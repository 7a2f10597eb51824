/* SPDX-License-Identifier: MIT */
/*
 * libnexauth: a valid OAuth 2.0 access token, whenever the application asks.
 *
 * An application makes one session and, for each identity that it uses at a service, one source. A source hands out
 * tokens: at once when a good one is at hand, after the fewest possible requests when none is.
 *
 *     nexauth_session_new()  ->  nexauth_source_new_...()  ->  nexauth_source_get_token()  ->  nexauth_token_header()
 *
 * Or it has the library carry the token to where it is used, inside the service's limits of requests: permit.h, curl.h.
 *
 * Six rules hold for every declaration below.
 *
 * 1. What can fail returns an enum nexauth_status. Results leave through `out`, which is written only on success;
 * `error` may be NULL, belongs to the caller, and is written only on failure.
 * 2. new/free: one owner. ref/unref: shared. Whatever ends an object accepts NULL.
 * 3. A `const char *` result is borrowed: it lives as long as the object that it came from.
 * 4. Structs that the caller fills start as {0}; zero means the default. `reserved` must stay zero, else INVALID.
 * Inputs are copied: they may be changed or freed as soon as the call has returned.
 * 5. Units are part of the name: _ms, _s. Points in time are Unix seconds, as int64_t.
 * 6. The library never logs, prints, exits or reads the environment. No secret is ever part of a message. (The TLS
 * library below may: OpenSSL under libcurl obeys SSLKEYLOGFILE, which libcurl has no option to forbid, and reads its
 * own settings where OPENSSL_CONF says. nexauth_process_harden(), and nothing else, looks whether the first is set.
 * Proxies, passwords and authorities of the environment are not used, but by the application's own handle: see curl.h.)
 *
 * Threads: every function may be called from every thread at any time, on the same object too, unless it says
 * otherwise. Only the ends are exclusive: nobody may begin a call on an object that is being freed or has been. Calls
 * that wait for something when it is freed come to a good end. A thread that is in a call must not be ended by
 * pthread_cancel(): what it holds would stay held. Who cancels threads has them disable that around calls.
 *
 * Callbacks return: one that throws an exception through the library, or leaves it by longjmp(), ruins its session.
 *
 * fork(): a child goes on with the sessions, sources and tokens that it inherits, over connections of its own, and what
 * it frees is as good as before to the parent. What was under way is the parent's alone: callbacks of calls that were
 * started do not run in the child. So are refresh tokens and codes: the child authorizes by itself, or gets REAUTH. It
 * asks for the descriptor of a session anew. A child that was forked within a callback of the library ends, or becomes
 * another program, without returning from it.
 */
#ifndef NEXAUTH_H
#define NEXAUTH_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define NEXAUTH_API __attribute__((visibility("default")))
#else
#define NEXAUTH_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Version -------------------------------------------------------------------------------------------------- */

#define NEXAUTH_VERSION_MAJOR 0
#define NEXAUTH_VERSION_MINOR 1
#define NEXAUTH_VERSION_PATCH 0
#define NEXAUTH_VERSION       "0.1.0"

/* The version of the library that runs, such as "0.1.0"; NEXAUTH_VERSION is that of the header compiled against. */
NEXAUTH_API const char *nexauth_version(void);

/* ---- Status and error ----------------------------------------------------------------------------------------- */

/* One status for each reaction of the caller, not for each cause. The numbers never change. */
typedef enum nexauth_status {
    NEXAUTH_OK = 0,
    NEXAUTH_INVALID = 1,     /* the call itself is wrong: fix the program */
    NEXAUTH_NO_MEMORY = 2,   /* memory ran out */
    NEXAUTH_CONFIG = 3,      /* the service rejects the request as such: fix the settings */
    NEXAUTH_DENIED = 4,      /* the service rejects the identity: fix the credentials */
    NEXAUTH_REAUTH = 5,      /* the user must authorize again */
    NEXAUTH_THROTTLED = 6,   /* too many requests: ask again after retry_after_ms */
    NEXAUTH_BLOCKED = 7,     /* banned, or not on the service's list of addresses: ask again after retry_after_ms */
    NEXAUTH_UNAVAILABLE = 8, /* the service has a fault: ask again later */
    NEXAUTH_NETWORK = 9,     /* no answer came, the TLS handshake failed, or the connection broke */
    NEXAUTH_TIMEOUT = 10,    /* no answer came in time */
    NEXAUTH_PROTOCOL = 11,   /* an answer came that cannot be read */
    NEXAUTH_CANCELED = 12    /* what the caller waited for was freed, or ended by the caller */
} nexauth_status;

/* The name of a status, such as "DENIED"; "UNKNOWN" for a number that is none. Lives for ever. */
NEXAUTH_API const char *nexauth_status_name(nexauth_status status);

/* Why a call failed. Start it as {0}; it is overwritten whole by each failing call and left alone by others. */
struct nexauth_error {
    int64_t retry_after_ms; /* nothing is sent for this before so long from now; 0: ask again when you like */
    int http_status;        /* the answer's status, such as 401; 0 when none was read */
    nexauth_status status;  /* what the call returned */
    char code[64];          /* the service's own code, such as "invalid_client" or "40001"; else "" */
    char message[256];      /* one sentence for a person; never holds a secret */
    uintptr_t reserved[8];
};

/* ---- Hardened mode -------------------------------------------------------------------------------------------- */

/*
 * Has the libraries below wipe the memory that they free. The library wipes its own in any case; libcurl and OpenSSL do
 * not, and copies of passwords and tokens stay behind in what they have freed. Gives libcurl, OpenSSL, cJSON and
 * libxml2 an allocator that wipes on free and realloc, for the whole process and for good, and starts libcurl.
 *
 * To be called first thing in a program, before it has other threads and before anything else uses one of these
 * libraries. Once is enough; what has succeeded succeeds again, from any thread. The application may free() what these
 * libraries gave it, as ever, but gives none of them an allocator of its own, before or after.
 *
 * Fails with INVALID when it came too late, as OpenSSL or libcurl has allocated memory before (each is made to allocate
 * once to see that), or when SSLKEYLOGFILE is set in the environment, to whose file the keys of connections would go;
 * NO_MEMORY when libcurl did not start. Some of the libraries may wipe then; the library works in any case.
 *
 * A TLS library other than OpenSSL, or an OpenSSL that was linked into libcurl itself, is left as it is: what it frees
 * is not wiped.
 */
NEXAUTH_API nexauth_status nexauth_process_harden(struct nexauth_error *error);

/* ---- Session -------------------------------------------------------------------------------------------------- */

/* What its sources share: connections, TLS settings, limits of time and size. */
typedef struct nexauth_session nexauth_session;

/* What happened; see "Events". */
struct nexauth_event;
typedef void (*nexauth_event_callback)(void *context, const struct nexauth_event *event);

/*
 * A limit of requests at a service, counted at its door for all that come from this address. What is set here takes the
 * place of the service's own: see each service for its limits' names. When sessions disagree, the stricter one counts.
 */
struct nexauth_limit {
    const char *origin; /* such as "https://nexcloud.io"; NULL: at every origin */
    const char *name;   /* such as "requests": see each service. Of several that fit, the last one counts */
    int64_t requests;   /* in any window_ms, at most 100,000; 0: the service's own number */
    int64_t window_ms;  /* at most 86,400,000; 0: the service's own */
};

struct nexauth_session_options {
    const char *ca_file;                   /* PEM file of the CAs to trust, instead of the system's */
    int64_t exchange_timeout_ms;           /* for one request and its whole answer; default 30,000, at most 600,000 */
    int64_t connect_timeout_ms;            /* for one connection including TLS; default 10,000, at most 600,000 */
    int64_t max_connections;               /* to one host; default 8, at most 1,000 */
    int64_t max_answer_bytes;              /* headers and body of one answer; default 65,536, at most 1,048,576 */
    nexauth_event_callback event_callback; /* is told what happens; NULL: nobody is */
    void *event_context;                   /* given to event_callback */
    const struct nexauth_limit *limits;    /* limits_count of them; copied */
    size_t limits_count;                   /* at most 64 */
    int loopback_http; /* not 0: allow http:// to 127.0.0.0/8, ::1 and localhost, for tests; never elsewhere */
    /* "http://host:port", without user information: each request for a token goes through this proxy, by CONNECT. NULL:
     * none. */
    const char *proxy;
    /* PEM files of the certificate, and those that vouch for it, to show to servers that want one, and of its key,
     * which is not encrypted. Both or none: a server that asks all the same is spoken to by TLS 1.2, where it can
     * refuse before it is sent anything, and not at all where it speaks TLS 1.3 alone. */
    const char *client_cert_file;
    const char *client_key_file;
    /* "sha256//" and the SHA-256 of a server's SubjectPublicKeyInfo in base64 (RFC 7469), or several, separated by ';':
     * each server has a key among these, besides a certificate that is trusted. */
    const char *pinned_key;
    uintptr_t reserved[8];
};

/*
 * Makes a session. `options` may be NULL: all defaults.
 * Fails with INVALID (an option out of its range or malformed, a file unreadable or not PEM) or NO_MEMORY (memory or
 * file descriptors ran out).
 */
NEXAUTH_API nexauth_status nexauth_session_new(const struct nexauth_session_options *options, nexauth_session **out,
                                               struct nexauth_error *error);

/*
 * Ends a session. Whoever waits for a token of one of its sources gets CANCELED; the sources are still to be freed, and
 * every other call on them gives INVALID. A request with a one-time value that was sent and that nobody waits for is
 * given time to be answered, exchange_timeout_ms at most. Callbacks of calls that have not ended run within, with
 * CANCELED. Not to be called from within a callback of the library.
 */
NEXAUTH_API void nexauth_session_free(nexauth_session *session);

/* ---- Token ---------------------------------------------------------------------------------------------------- */

/* What a service answered: immutable, counted, and independent of the source and session that it came from. */
typedef struct nexauth_token nexauth_token;

/* Adds a reference; returns `token`. */
NEXAUTH_API nexauth_token *nexauth_token_ref(nexauth_token *token);

/* Drops a reference; the last one wipes and frees the token. */
NEXAUTH_API void nexauth_token_unref(nexauth_token *token);

/*
 * The token as the service wants it presented, ready to use. Exactly one of the two is not NULL:
 * the header as one line without its end, "Authorization: Bearer ..." (RFC 6750 section 2.1; NEX, Quantoz), or
 * the query parameter "access_token=...", percent-encoded (RFC 6750 section 2.3; Nexusguard, NEX by option). A URL that
 * holds it is as secret as the token itself.
 */
NEXAUTH_API const char *nexauth_token_header(const nexauth_token *token);
NEXAUTH_API const char *nexauth_token_query(const nexauth_token *token);

/* The access token alone. */
NEXAUTH_API const char *nexauth_token_access_token(const nexauth_token *token);

/* The refresh token to save for a later process (RFC 6749 section 1.5); NULL when there is none. */
NEXAUTH_API const char *nexauth_token_refresh_token(const nexauth_token *token);

/* The scope that was granted, as the service worded it; NULL when the service named none. */
NEXAUTH_API const char *nexauth_token_scope(const nexauth_token *token);

/* When the request for the token was sent, and when the token expires. Expires at 0: it has no known end (static
 * sources). */
NEXAUTH_API int64_t nexauth_token_obtained_at(const nexauth_token *token);
NEXAUTH_API int64_t nexauth_token_expires_at(const nexauth_token *token);

/*
 * The lifetime that counts, and expires_in as the service stated it (RFC 6749 section 5.1), -1 when it stated none that
 * can be read. They differ where the service overstates: see each vendor. 0: no known end (static sources).
 */
NEXAUTH_API int64_t nexauth_token_lifetime_s(const nexauth_token *token);
NEXAUTH_API int64_t nexauth_token_stated_lifetime_s(const nexauth_token *token);

/* ---- Source --------------------------------------------------------------------------------------------------- */

/*
 * One identity at one service, for one scope. Cheap: ten thousand in a process are normal.
 *
 * A source holds at most one token. Its life, from the moment that its request was sent, by a clock that never jumps:
 *
 *     fresh ---------------------------------> early ------------> late ---------> over
 *     handed out at once, without a request    one caller renews   callers wait    never handed out
 *
 * Early is the last quarter (an hour at most, less up to a fifth of it by chance), late the last tenth (a minute at
 * most). When a renewal fails, the token is handed out on until it is over, and the next attempt waits. When there is
 * no token to hand out, a failure is remembered: for 1 s (DENIED and CONFIG: 5 s), doubling to 60 s with each further
 * one, callers get the same error at once, with retry_after_ms; for all sources of the session with these credentials.
 */
typedef struct nexauth_source nexauth_source;

struct nexauth_get_options {
    int64_t timeout_ms; /* how long the caller is ready to wait; default 30,000, at most 3,600,000 */
    /* For how long the token is to be good. A token that has less is renewed first, and if that fails the caller gets
     * the error. Where the service's tokens do not live so long, half of their lifetime counts instead, and a token
     * that has just come is given in any case. Default 0, at most 31,536,000. */
    int64_t min_validity_s;
    uintptr_t reserved[8];
};

/*
 * Gives a token that is good now: the one at hand, or else a new one, waiting for it. `options` may be NULL. The caller
 * owns one reference of *out. A fresh token costs no lock, no system call and no allocation.
 *
 * Callers that wait for the same source share one acquisition and its outcome. A caller that gives up (TIMEOUT) leaves
 * the acquisition to those who wait on; its answer, when it comes, is kept for the next call. A caller that renews a
 * token early waits 2 s at most and then takes the good one. Fails with every status of the enum.
 */
NEXAUTH_API nexauth_status nexauth_source_get_token(nexauth_source *source, const struct nexauth_get_options *options,
                                                    nexauth_token **out, struct nexauth_error *error);

/*
 * The same without a reference to return: copies the token as the service wants it presented, what
 * nexauth_token_header() or nexauth_token_query() would give, ended by NUL, into `buffer`, which has room for `size`
 * bytes. *out is its length without the NUL. Threads that copy do not slow each other down. INVALID too when the
 * buffer is too small; the message says how much is needed. The caller wipes the buffer.
 */
NEXAUTH_API nexauth_status nexauth_source_copy_token(nexauth_source *source, const struct nexauth_get_options *options,
                                                     char *buffer, size_t size, size_t *out,
                                                     struct nexauth_error *error);

/*
 * The API answered 401 to a token: drops it, if it is still the source's current one, so that the next caller waits for
 * another. Ten threads that reject the same token cause one request. A token that came in place of a rejected one less
 * than 30 s ago stays, and the call fails with THROTTLED: a 401 that means "no right" must not become a storm of
 * requests. These 30 s double with each such rejection, to 10 minutes, until a token is approved or lives to its
 * ordinary renewal. A static source has no other token: its callers get REAUTH from then on.
 */
NEXAUTH_API nexauth_status nexauth_source_reject_token(nexauth_source *source, const nexauth_token *token,
                                                       struct nexauth_error *error);

/* The same for who copied the token: `text` is what nexauth_source_copy_token() wrote. */
NEXAUTH_API nexauth_status nexauth_source_reject_copy(nexauth_source *source, const char *text,
                                                      struct nexauth_error *error);

/* The API accepted the token: if it is the source's current one, the 30 s of nexauth_source_reject_token() count anew
 * from 30 s. Never needed; cheap. */
NEXAUTH_API void nexauth_source_approve_token(nexauth_source *source, const nexauth_token *token);

/*
 * Ends a source and wipes its secrets. Whoever waits for its token gets CANCELED. Tokens handed out stay good. May be
 * called from within every callback of the library but xspe_callback. A request with a one-time value that is under way
 * is not given up: what it brings goes to the save callback.
 */
NEXAUTH_API void nexauth_source_free(nexauth_source *source);

/* ---- Calls: tokens for who does not block ----------------------------------------------------------------------- */

/* A token on its way to a caller that does not block. */
typedef struct nexauth_call nexauth_call;

/*
 * How a call ended: `token` (borrowed: reference it to keep it) and no `error`, or no token and an error. Runs exactly
 * once, within nexauth_session_poll() (or, when the session is freed first, within nexauth_session_free()), with no
 * lock held: it may start, cancel, reject, block, wait for a token, and free any source. It may not poll.
 */
typedef void (*nexauth_call_callback)(void *context, nexauth_token *token, const struct nexauth_error *error);

/*
 * Asks for a token without waiting: the callback runs in a later nexauth_session_poll(), also when a token is at hand.
 * One that is over by then, as nobody polled for so long, is not handed out: the call begins anew, or ends with TIMEOUT
 * when its time is over too. `options` as for nexauth_source_get_token(). `out` may be NULL; else the caller owns one
 * reference of *out. Fails, with INVALID or NO_MEMORY, only when the call could not be made; the callback then never
 * runs.
 */
NEXAUTH_API nexauth_status nexauth_source_start(nexauth_source *source, const struct nexauth_get_options *options,
                                                nexauth_call_callback callback, void *context, nexauth_call **out,
                                                struct nexauth_error *error);

NEXAUTH_API nexauth_call *nexauth_call_ref(nexauth_call *call);

/* Drops a reference; the call itself goes on. */
NEXAUTH_API void nexauth_call_unref(nexauth_call *call);

/* The caller waits no longer: the callback runs at the next poll, with CANCELED unless the call had ended already. What
 * was sent for it goes on, for others and for the next call. */
NEXAUTH_API void nexauth_call_cancel(nexauth_call *call);

/*
 * Turns the session: sends, reads, and runs the callbacks of calls that have ended. Returns when callbacks have run,
 * when nexauth_session_wakeup() was called, or after wait_ms (0: at once; at most 86,400,000). Calls that end while
 * callbacks run, or are started by them, wait for the next poll.
 *
 * Fails with INVALID when another thread polls this session, or when called from within one of its callbacks; CANCELED
 * when the session is freed meanwhile; NO_MEMORY.
 */
NEXAUTH_API nexauth_status nexauth_session_poll(nexauth_session *session, int64_t wait_ms, struct nexauth_error *error);

/* Ends the wait of a poll, or of the next one. From any thread. */
NEXAUTH_API void nexauth_session_wakeup(nexauth_session *session);

/*
 * For an event loop of the application's own: a descriptor that is readable when nexauth_session_poll(session, 0) has
 * something to do. It belongs to the session and is only to be watched, level-triggered. Poll also when the time of
 * nexauth_session_timeout_ms() is over; ask for it anew after each poll and each start. Fails with NO_MEMORY when
 * descriptors ran out.
 */
NEXAUTH_API nexauth_status nexauth_session_descriptor(nexauth_session *session, int *out, struct nexauth_error *error);

/* How long from now a poll has nothing to do unless the descriptor is readable: ms; 0: poll now; -1: for ever. */
NEXAUTH_API int64_t nexauth_session_timeout_ms(nexauth_session *session);

/* ---- Saving and restoring ---------------------------------------------------------------------------------------- */

/*
 * Told of each token that comes, be it the same again, before anybody gets it, so that a refresh token that replaces
 * another is on disk before the old one is forgotten. Runs in whichever thread waits or polls, be it for another
 * source, with no lock held, one at a time per source; may take its time, which no timeout_ms bounds. Another status
 * than OK does not keep the token back; an event tells of it. Waiting for a token of the same source from within gives
 * INVALID. `token` is borrowed.
 */
typedef nexauth_status (*nexauth_save_callback)(void *context, nexauth_token *token);

/*
 * Sets the callback; before the source is first asked for a token, else INVALID. It may still be called after the
 * source was freed, with what a request brought that was under way, until nexauth_session_free() has returned.
 */
NEXAUTH_API nexauth_status nexauth_source_set_save(nexauth_source *source, nexauth_save_callback callback,
                                                   void *context, struct nexauth_error *error);

/* A token as an earlier process had it, each member from the nexauth_token_ function of its name. */
struct nexauth_saved_token {
    const char *access_token;  /* NULL: only the refresh token was saved */
    const char *refresh_token; /* NULL: none */
    const char *scope;         /* NULL: none */
    int64_t obtained_at;
    int64_t expires_at;
    int64_t lifetime_s;
    uintptr_t reserved[8];
};

/*
 * Gives a saved token back to its source; before the source is first asked for a token, else INVALID. What remains of
 * its life is lifetime_s or the time until expires_at, whichever is less; when the wall clock stands before
 * obtained_at, it has expired. An expired token is not an error: its refresh token is kept. The access token has bytes
 * 0x21 to 0x7e. A static source takes none: INVALID.
 */
NEXAUTH_API nexauth_status nexauth_source_restore_token(nexauth_source *source, const struct nexauth_saved_token *saved,
                                                        struct nexauth_error *error);

/* ---- Events and figures ------------------------------------------------------------------------------------------ */

enum nexauth_event_kind {
    NEXAUTH_EVENT_TOKEN = 1,       /* a new token came: `token` */
    NEXAUTH_EVENT_SAME_TOKEN = 2,  /* the service handed out the token that the source had: `token` */
    NEXAUTH_EVENT_FAILED = 3,      /* an acquisition failed: `error`. A token that is good is handed out all the same */
    NEXAUTH_EVENT_RETRY = 4,       /* no answer came: `error`; the request is sent once more, in a second or so */
    NEXAUTH_EVENT_REJECTED = 5,    /* a rejected token was dropped: `token` */
    NEXAUTH_EVENT_SAVE_FAILED = 6, /* the save callback did not return OK: `error` */
};

/* What happened to a source. Lives while the callback runs. Later versions may add members at its end. */
struct nexauth_event {
    int kind;                          /* an enum nexauth_event_kind; more may come */
    nexauth_source *source;            /* NULL: it was freed meanwhile */
    const struct nexauth_error *error; /* NULL: none */
    nexauth_token *token;              /* borrowed; NULL: none */
};

/*
 * The callback of nexauth_session_options runs in whichever thread waits, polls or rejects, with no lock held, and is
 * not to take long. Waiting for a token of the same source from within gives INVALID. It may run until
 * nexauth_session_free() has returned.
 */

/* Where a token came from. */
enum nexauth_way {
    NEXAUTH_WAY_NONE = 0, /* there was none yet */
    NEXAUTH_WAY_CREDENTIALS = 1,
    NEXAUTH_WAY_CODE = 2, /* an authorization code, of a connect or a web handler */
    NEXAUTH_WAY_REFRESH = 3,
    NEXAUTH_WAY_RESTORED = 4,
    NEXAUTH_WAY_STATIC = 5
};

/* Why it was asked for. */
enum nexauth_reason {
    NEXAUTH_REASON_NONE = 0,
    NEXAUTH_REASON_FIRST = 1,    /* there was none */
    NEXAUTH_REASON_EARLY = 2,    /* the token before was in its early window */
    NEXAUTH_REASON_LATE = 3,     /* it was in its late window */
    NEXAUTH_REASON_EXPIRED = 4,  /* it had expired */
    NEXAUTH_REASON_VALIDITY = 5, /* it had less than a caller's min_validity_s */
    NEXAUTH_REASON_REJECTED = 6, /* it was rejected */
    NEXAUTH_REASON_CODE = 7      /* a web handler brought a code */
};

/* What a source has done since it was made. Start it as {0}. */
struct nexauth_stats {
    uint64_t hits;     /* how often nexauth_source_get_token() and nexauth_source_start() gave a token without waiting;
                          copies are not counted */
    uint64_t requests; /* sent, or tried to send */
    uint64_t joins;    /* callers that waited for an acquisition that was under way */
    uint64_t failures; /* acquisitions that failed */
    int64_t obtained_at;             /* of the current token, Unix seconds; 0: there is none */
    int64_t early_at;                /* when its early window begins; 0: never */
    int64_t late_at;                 /* when its late window begins; 0: never */
    int64_t expires_at;              /* 0: never, or there is none */
    int64_t held_for_ms;             /* no request is sent before this long from now; 0: nothing holds it */
    int way;                         /* an enum nexauth_way: how the last token came */
    int reason;                      /* an enum nexauth_reason: why it was asked for */
    struct nexauth_error last_error; /* of the last acquisition that failed; status OK: none has */
    uintptr_t reserved[8];
};

/* How a limit stands at which this session's requests count, for a log line or a metric. Start it as {0}. */
struct nexauth_limit_state {
    const char *origin; /* in lower case and with its port; lives as long as the session */
    const char *name;
    int64_t requests; /* that are allowed in any window, half of it in the first window of the process; 0: any number */
    int64_t window_ms;   /* as it was set */
    int64_t used;        /* of these: requests that are under way, or that the window still holds, or may hold */
    int64_t waiting;     /* requests that wait for their turn, of all sessions and processes */
    int64_t free_in_ms;  /* until the next may leave at the earliest; 0: now */
    int64_t held_for_ms; /* the service asked for less, or banned the address; 0: it did not */
    uintptr_t reserved[8];
};

/* Writes the states of the first `room` limits to `out`, which may be NULL when room is 0, and how many there are to
 * *count. A limit is there once a request has asked for its turn. */
NEXAUTH_API nexauth_status nexauth_session_limits(nexauth_session *session, struct nexauth_limit_state *out,
                                                  size_t room, size_t *count, struct nexauth_error *error);

NEXAUTH_API nexauth_status nexauth_source_stats(nexauth_source *source, struct nexauth_stats *out,
                                                struct nexauth_error *error);

#ifdef __cplusplus
}
#endif

#include "nexauth/permit.h"   /* IWYU pragma: export */
#include "nexauth/services.h" /* IWYU pragma: export */

#endif
