/* The limits at the doors that a session's requests pass: the services' own, or what the session's options say. */
#ifndef NX_LIMITS_H
#define NX_LIMITS_H

#include "core/history.h"
#include "core/permits.h"
#include "core/provider.h"
#include "core/url.h"

/* What the application set, copied: a struct nexauth_limit. */
struct nx_set_limit {
    char *origin; /* NULL: every one */
    char *name;
    int64_t requests;
    int64_t window_ms;
};

struct nx_limits {
    struct nx_set_limit *limits;
    size_t count;
};

/* A place where requests are counted. A request passes both doors: the origin's, where nothing is counted but all can
 * be held, and the limit's. A call of an API passes a third one, of its own path. */
enum { NX_SITE_ORIGIN, NX_SITE_LIMIT, NX_SITE_DOORS, NX_SITE_PATH = NX_SITE_DOORS, NX_SITE_API_DOORS };

struct nx_site {
    char *origin; /* in lower case, with its port */
    char *seen;   /* as in the URL that it was made for, which most others are like */
    const char *name;
    struct nx_door doors[NX_SITE_DOORS];
    uint64_t hash;             /* of the origin, keyed */
    struct nx_site *first;     /* of this origin, where the next two are: itself, or one with another limit */
    struct nx_history history; /* of what calls of the API met at the origin */
    uint64_t pages;            /* of HTML, that refused one */
    struct nx_site *next;
};

/* Checks and copies. */
nexauth_status nx_limits_init(struct nx_limits *limits, const struct nexauth_limit *from, size_t count,
                              struct nexauth_error *error);
void nx_limits_release(struct nx_limits *limits);

/* The site of a request; made when it is new. NULL when memory ran out, or the URL has no origin. */
struct nx_site *nx_site_find(struct nx_site **sites, const char *url, const struct nx_limit *limit,
                             const struct nx_limits *limits, const struct nx_siphash_key *key);
void nx_sites_release(struct nx_site *sites);

/* Where a call of an API goes: its site, and the door of its path, where requests of that alone can be held. */
struct nx_place {
    struct nx_site *site; /* NULL: nowhere yet */
    struct nx_door path;
};

/* The last place of a session: the next call mostly goes there too. */
struct nx_last_place {
    const struct nx_limit *limit;
    struct nx_place place;
    size_t size; /* of the URL up to its query; 0: there was none, or its URL is too long to be kept */
    char url[128];
};

/* The place of a call; `path` is in the URL. Its site is NULL when memory ran out. */
struct nx_place nx_place_find(struct nx_last_place *last, struct nx_site **sites, const char *url, struct nx_span path,
                              const struct nx_limit *limit, const struct nx_limits *limits,
                              const struct nx_siphash_key *key);

#endif
