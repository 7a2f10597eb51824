/* SPDX-License-Identifier: MIT */
/*
 * The services that libnexauth knows, and how to make a source of each. Part of nexauth/nexauth.h, which is what to
 * include.
 *
 * The options of all sources below: strings hold no control characters and at most 8,192 bytes; `origin` is scheme,
 * host and optional port, such as "https://127.0.0.1:8443"; a path starts with "/". A `scope` of "" sends no scope at
 * all. `api_origins` are the origins to which nexauth_permit_begin() and nexauth_perform() carry the source's token,
 * one or several, separated by one space each. All constructors fail with INVALID or NO_MEMORY, send nothing, and do
 * not check that credentials are right.
 */
#ifndef NEXAUTH_SERVICES_H
#define NEXAUTH_SERVICES_H

#include "nexauth/nexauth.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Their limits (struct nexauth_limit of the session's options): "requests" of NEX, 600 a minute for the origin as a
 * whole, tokens and API calls together; "token" of Quantoz, 60 a minute at the token endpoint; "oauth" of Nexusguard,
 * which names none, 60 a minute for its four endpoints together. API calls of Quantoz, of Nexusguard and with static
 * tokens pass "api" at their origin, where no number is known: any number may pass, unless the session's options set
 * one. A request waits for its turn within the caller's time, and is THROTTLED when none comes in time. In its first
 * window a process takes half of each, as it cannot know what the one before it sent.
 */

/* Where the vendors' APIs begin (NEX: "Connections and URL Construction"; Quantoz: "API endpoint URLs"; Nexusguard:
 * "Make API Calls"). */
#define NEXAUTH_NEX_API          "https://nexcloud.io/v1.0"
#define NEXAUTH_QUANTOZ_TEST_API "https://testapi.quantoz.com"
#define NEXAUTH_QUANTOZ_API      "https://api.quantoz.com"
#define NEXAUTH_NEXUSGUARD_API   "https://api.nexusguard.com/api"

/* How a token is presented. */
enum nexauth_presentation {
    NEXAUTH_PRESENT_HEADER = 0, /* Authorization: Bearer ... */
    NEXAUTH_PRESENT_QUERY = 1   /* ?access_token=... */
};

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
    const char *api_origins;   /* default: origin */
    int accept;                /* an enum nexauth_accept; default JSON */
    int presentation; /* an enum nexauth_presentation; default HEADER. NEX's page "Controller Flow" has QUERY */
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
    const char *api_origins;       /* default: origin */
    int accept;                    /* an enum nexauth_accept; default JSON */
    int presentation;              /* an enum nexauth_presentation; default HEADER; see above */
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
    const char *api_origins;   /* default: "https://testapi.quantoz.com" or "https://api.quantoz.com", by environment */
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
    const char *api_origins;                     /* default: origin */
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
 * held; waiting for a token of the same source from within gives INVALID. Must not free the source or its session, and
 * may run until nexauth_session_free() has returned. The time that it takes is not bounded by any timeout_ms.
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
    const char *api_origins;             /* default: origin */
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

/* A token obtained elsewhere, such as a Quantoz API key. Once it is over by the wall clock, get_token gives REAUTH. */
struct nexauth_static_options {
    const char *access_token; /* required; bytes 0x21 to 0x7e */
    const char *scope;        /* what it is good for, if known */
    const char *api_origins;  /* default: none; then it is not carried anywhere */
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
