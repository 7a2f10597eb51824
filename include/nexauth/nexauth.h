/* SPDX-License-Identifier: MIT */
/*
 * libnexauth: a valid OAuth 2.0 access token, whenever the application asks.
 *
 * An application makes one session and, for each identity that it uses at a service, one source. A source hands out
 * tokens: at once when a good one is at hand, after the fewest possible requests when none is.
 *
 *     nexauth_session_new()  ->  nexauth_source_new_...()  ->  nexauth_source_get_token()  ->  nexauth_token_header()
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
 * library below may: OpenSSL under libcurl obeys SSLKEYLOGFILE, which libcurl has no option to forbid.)
 *
 * Threads: every function may be called from every thread at any time, on the same object too, unless it says
 * otherwise. Only the ends are exclusive: nobody may begin a call on an object that is being freed or has been. Calls
 * that wait for something when it is freed come to a good end.
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
    NEXAUTH_CANCELED = 12    /* the source or session was freed while the caller waited */
} nexauth_status;

/* The name of a status, such as "DENIED"; "UNKNOWN" for a number that is none. Lives for ever. */
NEXAUTH_API const char *nexauth_status_name(nexauth_status status);

/* Why a call failed. Start it as {0}; it is overwritten whole by each failing call and left alone by others. */
struct nexauth_error {
    int64_t retry_after_ms; /* THROTTLED and BLOCKED: not before this long from now; else 0 */
    int http_status;        /* the answer's status, such as 401; 0 when none was read */
    nexauth_status status;  /* what the call returned */
    char code[64];          /* the service's own code, such as "invalid_client" or "40001"; else "" */
    char message[256];      /* one sentence for a person; never holds a secret */
    uintptr_t reserved[8];
};

/* ---- Session -------------------------------------------------------------------------------------------------- */

/* What its sources share: connections, TLS settings, limits of time and size. */
typedef struct nexauth_session nexauth_session;

struct nexauth_session_options {
    const char *ca_file;         /* PEM file of the CAs to trust, instead of the system's */
    int64_t exchange_timeout_ms; /* for one request and its whole answer; default 30,000, at most 600,000 */
    int64_t connect_timeout_ms;  /* for one connection including TLS; default 10,000, at most 600,000 */
    int64_t max_connections;     /* to one host; default 8, at most 1,000 */
    int64_t max_answer_bytes;    /* headers and body of one answer; default 65,536, at most 1,048,576 */
    int loopback_http; /* not 0: allow http:// to 127.0.0.0/8, ::1 and localhost, for tests; never elsewhere */
    uintptr_t reserved[8];
};

/*
 * Makes a session. `options` may be NULL: all defaults.
 * Fails with INVALID (an option out of its range, ca_file unreadable or not PEM) or NO_MEMORY (memory or
 * file descriptors ran out).
 */
NEXAUTH_API nexauth_status nexauth_session_new(const struct nexauth_session_options *options, nexauth_session **out,
                                               struct nexauth_error *error);

/*
 * Ends a session. Whoever waits for a token of one of its sources gets CANCELED; the sources are still to be freed, and
 * every other call on them gives INVALID. A request with a one-time value that was sent and that nobody waits for is
 * given time to be answered, exchange_timeout_ms at most. Not to be called from within a callback of the library.
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
 * the query parameter "access_token=...", percent-encoded (RFC 6750 section 2.3; Nexusguard). A URL that holds it is as
 * secret as the token itself.
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

/* One identity at one service, for one scope. Cheap: ten thousand in a process are normal. */
typedef struct nexauth_source nexauth_source;

struct nexauth_get_options {
    int64_t timeout_ms; /* how long the caller is ready to wait; default 30,000, at most 3,600,000 */
    uintptr_t reserved[8];
};

/*
 * Gives a token that is good now: the one at hand, or else a new one, waiting for it. `options` may be NULL. The caller
 * owns one reference of *out.
 *
 * Callers that wait for the same source share one acquisition and its outcome. A caller that gives up (TIMEOUT) leaves
 * the acquisition to those who wait on; its answer, when it comes, is kept for the next call. Fails with every status
 * of the enum.
 */
NEXAUTH_API nexauth_status nexauth_source_get_token(nexauth_source *source, const struct nexauth_get_options *options,
                                                    nexauth_token **out, struct nexauth_error *error);

/* Ends a source and wipes its secrets. Whoever waits for its token gets CANCELED. Tokens handed out stay good. */
NEXAUTH_API void nexauth_source_free(nexauth_source *source);

/*
 * The options of all sources below: strings hold no control characters and at most 8,192 bytes; `origin` is scheme,
 * host and optional port, such as "https://127.0.0.1:8443"; a path starts with "/". A `scope` of "" sends no scope at
 * all. All constructors fail with INVALID or NO_MEMORY, send nothing, and do not check that credentials are right.
 */

/* ---- NEX (nexcloud.io, "Authentication" and "Controller Authentication", 2017) ---------------------------------- */

/* How NEX is asked to word its answer. Either kind of answer is read, whichever was asked for. */
enum nexauth_accept {
    NEXAUTH_ACCEPT_JSON = 0,
    NEXAUTH_ACCEPT_XML = 1 /* INVALID in a library built without XML */
};

/*
 * A NEX user: the password grant (RFC 6749 section 4.3). NEX documents two weeks (1,209,600 s) as the longest life of a
 * token while its example states 12,096,000 s: a longer stated lifetime counts as two weeks. JSON strings must be
 * UTF-8.
 */
struct nexauth_nex_user_options {
    const char *client_id;     /* the company's; required */
    const char *client_secret; /* required */
    const char *username;      /* required */
    const char *password;      /* required */
    const char *scope;         /* default "user" */
    const char *origin;        /* default "https://nexcloud.io" */
    const char *token_path;    /* default "/v1.0/Token" */
    int accept;                /* an enum nexauth_accept; default JSON */
    uintptr_t reserved[8];
};

NEXAUTH_API nexauth_status nexauth_source_new_nex_user(nexauth_session *session,
                                                       const struct nexauth_nex_user_options *options,
                                                       nexauth_source **out, struct nexauth_error *error);

/* A NEX controller: client credentials with the controller's own id and secret beside the client's. */
struct nexauth_nex_controller_options {
    const char *client_id;         /* the product family's; required */
    const char *client_secret;     /* required */
    const char *controller_id;     /* the physical controller's; required */
    const char *controller_secret; /* required */
    const char *scope;             /* default "controller" */
    const char *origin;            /* default "https://nexcloud.io" */
    const char *token_path;        /* default "/v1.0/Token" */
    int accept;                    /* an enum nexauth_accept; default JSON */
    uintptr_t reserved[8];
};

NEXAUTH_API nexauth_status nexauth_source_new_nex_controller(nexauth_session *session,
                                                             const struct nexauth_nex_controller_options *options,
                                                             nexauth_source **out, struct nexauth_error *error);

/* ---- Quantoz Nexus (docs.quantoz.com, "Authentication") --------------------------------------------------------- */

/* Test and production have accounts of their own, so there is no default. */
enum nexauth_quantoz_environment {
    NEXAUTH_QUANTOZ_TEST = 1,      /* https://testidentity.quantoz.com */
    NEXAUTH_QUANTOZ_PRODUCTION = 2 /* https://identity.quantoz.com */
};

/* Where the client's id and secret travel (RFC 6749 section 2.3.1). */
enum nexauth_client_auth {
    NEXAUTH_CLIENT_AUTH_BODY = 0,     /* as client_id and client_secret in the form: what Quantoz documents */
    NEXAUTH_CLIENT_AUTH_BASIC = 1,    /* HTTP Basic, both form-encoded first, as the RFC has it */
    NEXAUTH_CLIENT_AUTH_BASIC_RAW = 2 /* HTTP Basic, both as they are, as many servers have it; client_id without ':' */
};

/* A Quantoz API client: client credentials (RFC 6749 section 4.4). For an API key, use a static source. */
struct nexauth_quantoz_options {
    const char *client_id;     /* required */
    const char *client_secret; /* required */
    const char *scope;         /* default "api1"; several are separated by one space */
    const char *origin;        /* default: by environment */
    const char *token_path;    /* default "/connect/token" */
    int environment;           /* an enum nexauth_quantoz_environment; required, also when an origin is given */
    int client_auth;           /* an enum nexauth_client_auth; default BODY */
    uintptr_t reserved[8];
};

NEXAUTH_API nexauth_status nexauth_source_new_quantoz(nexauth_session *session,
                                                      const struct nexauth_quantoz_options *options,
                                                      nexauth_source **out, struct nexauth_error *error);

/* ---- Nexusguard (developer.nexusguard.com, "Authorize Your Client") --------------------------------------------- */

/*
 * What a code of Nexusguard's envelope {code, msg, result} means. Nexusguard publishes no list of its codes: without an
 * entry here, -1 means UNAVAILABLE, and any other code but 0 means REAUTH for an authorization code or refresh token,
 * else DENIED.
 */
struct nexauth_code_meaning {
    int64_t code;
    int status; /* an enum nexauth_status: CONFIG, DENIED, REAUTH, THROTTLED, BLOCKED or UNAVAILABLE */
};

/* A Nexusguard app acting for itself ("App Access Tokens"). */
struct nexauth_nexusguard_app_options {
    const char *app_id;                          /* required */
    const char *secret;                          /* required */
    const char *origin;                          /* default "https://api.nexusguard.com" */
    const char *token_path;                      /* default "/oauth/credit/token" */
    const char *grant_type;                      /* default "client_credential", as Nexusguard spells it */
    const struct nexauth_code_meaning *meanings; /* meanings_count of them; copied */
    size_t meanings_count;                       /* at most 256 */
    uintptr_t reserved[8];
};

NEXAUTH_API nexauth_status nexauth_source_new_nexusguard_app(nexauth_session *session,
                                                             const struct nexauth_nexusguard_app_options *options,
                                                             nexauth_source **out, struct nexauth_error *error);

/*
 * Supplies a fresh xspe for a connect: writes it, ended by NUL, into `xspe`, which has room for `size` bytes. Returns
 * OK, or another status, which the waiting callers then get. Runs in whichever thread waits for a token, with no lock
 * held; asking for a token of the same source from within gives INVALID. Must not free the source or its session. The
 * time that it takes is not bounded by any timeout_ms.
 */
typedef nexauth_status (*nexauth_xspe_callback)(void *context, char *xspe, size_t size);

/*
 * A Nexusguard app acting for a customer ("User Access Tokens": RFC 6749 section 4.1, with a refresh of its own). Three
 * ways in:
 *
 * - The library connects by itself, as Nexusguard's users never log in: give secret, redirect_uri, customer_id and
 * either xspe, which serves until one connect has succeeded, or xspe_callback, which also serves later connects. The
 * redirect is checked, not followed.
 * - The application's web handler receives the redirect: give the same and set web_handler; then see
 * nexauth_source_authorize(). The library never connects by itself.
 * - A refresh token was saved: give refresh_token. The rest is needed only for what comes when that is refused.
 */
struct nexauth_nexusguard_user_options {
    const char *app_id;                  /* required */
    const char *secret;                  /* required, unless refresh_token is given */
    const char *redirect_uri;            /* required, unless refresh_token is given; http or https, without fragment */
    const char *customer_id;             /* required, unless refresh_token is given */
    const char *xspe;                    /* from the SPE portal; a secret */
    const char *refresh_token;           /* saved from nexauth_token_refresh_token() */
    const char *scope;                   /* of the connect; default "install_login" */
    const char *origin;                  /* default "https://api.nexusguard.com" */
    const char *connect_path;            /* default "/oauth/connect" */
    const char *token_path;              /* where a code is exchanged; default "/oauth/access_token" */
    const char *refresh_path;            /* default "/oauth/refresh_token" */
    const char *code_grant_type;         /* default "authorization_code" */
    const char *refresh_grant_type;      /* default "refresh_code", as Nexusguard's page has it */
    nexauth_xspe_callback xspe_callback; /* instead of xspe */
    void *xspe_context;                  /* given to xspe_callback */
    const struct nexauth_code_meaning *meanings; /* meanings_count of them; copied */
    size_t meanings_count;                       /* at most 256 */
    int web_handler;                             /* not 0: the application's web handler receives the redirect */
    uintptr_t reserved[8];
};

NEXAUTH_API nexauth_status nexauth_source_new_nexusguard_user(nexauth_session *session,
                                                              const struct nexauth_nexusguard_user_options *options,
                                                              nexauth_source **out, struct nexauth_error *error);

/* ---- Authorization through the application's web handler ----------------------------------------------------------
 */

/* An authorization under way: where to send the user's browser, and the state to expect back. */
typedef struct nexauth_authorization nexauth_authorization;

/*
 * Begins an authorization: a fresh state (128 bits from the system's generator) and the URL that carries it. The
 * application keeps the state in its user's session and sends the browser to the URL. Sends nothing. Calls
 * xspe_callback where the source has one. INVALID for a source that does not authorize users, or lacks what the URL
 * needs.
 */
NEXAUTH_API nexauth_status nexauth_source_authorize(nexauth_source *source, nexauth_authorization **out,
                                                    struct nexauth_error *error);

/* The URL holds xspe: it is a secret of the user's. The state has 32 characters, 0-9 and a-f. */
NEXAUTH_API const char *nexauth_authorization_url(const nexauth_authorization *authorization);
NEXAUTH_API const char *nexauth_authorization_state(const nexauth_authorization *authorization);
NEXAUTH_API void nexauth_authorization_free(nexauth_authorization *authorization);

/*
 * Takes the redirect: `url` is what the web handler was called with, whole or from its path on
 * ("/callback?code=...&state=..."), and `expected_state` is what this user's session kept. When the redirect is right,
 * its code is kept for the next nexauth_source_get_token(), which exchanges it, once, whatever token is at hand. Sends
 * nothing.
 *
 * PROTOCOL: not our redirect_uri, not exactly one code and one state, or a wrong state (compared in constant time):
 * somebody may be forging; let the user begin anew. DENIED: the redirect says error=access_denied. CONFIG: it says
 * another error.
 */
NEXAUTH_API nexauth_status nexauth_source_accept_redirect(nexauth_source *source, const char *url,
                                                          const char *expected_state, struct nexauth_error *error);

/* ---- Static ----------------------------------------------------------------------------------------------------- */

/* How a token is presented. */
enum nexauth_presentation {
    NEXAUTH_PRESENT_HEADER = 0, /* Authorization: Bearer ... */
    NEXAUTH_PRESENT_QUERY = 1   /* ?access_token=... */
};

/* A token obtained elsewhere, such as a Quantoz API key. When it has expired, get_token gives REAUTH. */
struct nexauth_static_options {
    const char *access_token; /* required; bytes 0x21 to 0x7e */
    const char *scope;        /* what it is good for, if known */
    int64_t expires_at;       /* Unix seconds; 0: it has no known end */
    int presentation;         /* an enum nexauth_presentation; default HEADER */
    uintptr_t reserved[8];
};

NEXAUTH_API nexauth_status nexauth_source_new_static(nexauth_session *session,
                                                     const struct nexauth_static_options *options, nexauth_source **out,
                                                     struct nexauth_error *error);

#ifdef __cplusplus
}
#endif

#endif
