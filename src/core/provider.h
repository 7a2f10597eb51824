/*
 * The contract with a vendor: how one service words a request and reads an answer. A provider is static data and a few
 * pure functions: no I/O, no clock, no randomness.
 */
#ifndef NX_PROVIDER_H
#define NX_PROVIDER_H

#include "core/options.h"
#include "core/request.h"
#include "core/text.h"

#include <stdbool.h>
#include <stdint.h>

/* The requests of the services' grants. */
enum nx_step {
    NX_STEP_CREDENTIALS, /* long-lived credentials for a token */
    NX_STEP_CONNECT,     /* the authorization endpoint: its redirect brings a code */
    NX_STEP_CODE,        /* a code for a token; leaves once */
    NX_STEP_REFRESH      /* a refresh token for a token; leaves once */
};

enum { NX_GRANT_LONGEST = 64 * 1024 }; /* a refresh token or a code, in bytes */

/* What a source can go out with besides its options: it comes and goes with each flight. */
struct nx_grant {
    struct nx_text refresh_token;
    struct nx_text code;
    struct nx_text state;    /* of the connect under way */
    struct nx_text supplied; /* by the source's callback, for the connect under way and its code */
    /* The source's, and not the flight's: */
    struct nx_text asked;        /* by the callback, for the authorization URL given out last */
    struct nx_text brought;      /* a code, by a web handler, for the next flight */
    struct nx_text brought_with; /* what the callback had supplied for it */
    bool connected;              /* a connect has succeeded, with what the options give for one */
    bool in_doubt;               /* a one-time value was sent and its answer lost */
};

/* A token as the service gave it. */
struct nx_issue {
    struct nx_text access_token;
    struct nx_text refresh_token; /* empty: none came */
    struct nx_text scope;         /* empty: none was named */
    int64_t stated_s;             /* -1: none readable */
    int64_t lifetime_s;           /* 0: no lifetime, expires_at counts */
    int64_t expires_at;           /* for lifetime 0: Unix seconds, 0 never */
    int presentation;             /* an enum nexauth_presentation */
};

/* The syntaxes that a service's answers may have. */
enum nx_syntax { NX_SYNTAX_JSON = 1, NX_SYNTAX_XML = 2, NX_SYNTAX_ENVELOPE = 4 };

/* A service whose users authorize through a redirect. */
struct nx_authorizing {
    bool (*may_connect)(const void *options, const struct nx_grant *grant); /* by itself, now */
    bool (*may_authorize)(const void *options);                             /* enough for an authorization URL */
    const char *(*redirect_uri)(const void *options);
    const char *(*refresh_token)(const void *options);                      /* saved earlier; or NULL */
    nexauth_xspe_callback (*supplier)(const void *options, void **context); /* NULL: what the options say is used */
};

/* A limit that a service puts on requests, counted at its door, per address. Requests 0: it puts none; it may still ask
 * for fewer. */
struct nx_limit {
    const char *name; /* within an origin */
    uint32_t requests;
    int64_t window_ms;
};

enum { NX_UNCOUNTED_WINDOW_MS = 60000 }; /* of a limit without a number, should the application give it one */

struct nx_provider {
    const char *service;   /* for messages: "NEX" */
    struct nx_limit limit; /* in which its token requests count; name NULL: it sends none */
    struct nx_limit api;   /* in which calls of its API count, at the origins of these */
    struct nx_option_table options;

    /* What the table cannot say of the options; NULL: nothing. Works on the copy, and may fill in defaults there. */
    nexauth_status (*check)(void *options, struct nexauth_error *error);

    /* Words the request of a step. */
    void (*word)(const void *options, enum nx_step step, const struct nx_grant *grant, struct nx_request *request);

    /* The origins of its API, to which alone tokens are carried, separated by spaces; NULL: none were named. */
    const char *(*api_origins)(const void *options);

    /* A token that needs no request; NULL: it does need one. */
    void (*give)(const void *options, struct nx_issue *issue);

    const struct nx_authorizing *authorizing; /* NULL: credentials alone get a token */
    unsigned int syntaxes;                    /* enum nx_syntax, or-ed */
    int presentation;                         /* of its tokens, */
    int (*presents)(const void *options);     /* unless an option says it */
    int64_t longest_lifetime_s;               /* 0: the service states none */
};

static inline int nx_provider_presents(const struct nx_provider *provider, const void *options)
{
    return provider->presents ? provider->presents(options) : provider->presentation;
}

/* `bound` is that of an answer. The refresh token may be a grant's, kept from before, for which no answer had room. */
void nx_issue_init(struct nx_issue *issue, size_t bound);
void nx_issue_release(struct nx_issue *issue);
void nx_grant_init(struct nx_grant *grant);
void nx_grant_release(struct nx_grant *grant);

#endif
