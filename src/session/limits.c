#include "session/limits.h"

#include "core/encode.h"
#include "core/error.h"
#include "core/options.h"
#include "core/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LIMITS_MOST = 64,
    REQUESTS_MOST = 100000,
    WINDOW_MOST_MS = 86400000,
    ORIGIN_SIZE = 320, /* a scheme, a host name and a port */
    NAME_SIZE = 64
};

static nexauth_status check(const struct nexauth_limit *limit, struct nexauth_error *error)
{
    if (!limit->name || !*limit->name || strnlen(limit->name, NAME_SIZE) == NAME_SIZE ||
        !nx_is_free_of_controls(limit->name))
        return nx_fail(error, NEXAUTH_INVALID, "limits: a name, such as requests, is required");
    if (limit->origin && (strnlen(limit->origin, ORIGIN_SIZE) == ORIGIN_SIZE || !nx_url_is_origin(limit->origin)))
        return nx_fail(error, NEXAUTH_INVALID, "limits: an origin is such as https://nexcloud.io");
    if (limit->requests < 0 || limit->requests > REQUESTS_MOST)
        return nx_fail(error, NEXAUTH_INVALID, "limits: requests must be from 0 to %d", REQUESTS_MOST);
    if (limit->window_ms < 0 || limit->window_ms > WINDOW_MOST_MS)
        return nx_fail(error, NEXAUTH_INVALID, "limits: window_ms must be from 0 to %d", WINDOW_MOST_MS);
    return NEXAUTH_OK;
}

static bool copy_one(struct nx_set_limit *to, const struct nexauth_limit *from)
{
    to->requests = from->requests;
    to->window_ms = from->window_ms;
    to->origin = from->origin ? strdup(from->origin) : NULL;
    to->name = strdup(from->name);
    return to->name && (to->origin || !from->origin);
}

nexauth_status nx_limits_init(struct nx_limits *limits, const struct nexauth_limit *from, size_t count,
                              struct nexauth_error *error)
{
    *limits = (struct nx_limits){0};
    if (count > LIMITS_MOST || (count && !from))
        return nx_fail(error, NEXAUTH_INVALID, "limits_count must be the number of limits, at most %d", LIMITS_MOST);
    for (size_t i = 0; i < count; i++) {
        if (check(&from[i], error))
            return NEXAUTH_INVALID;
    }
    if (!count)
        return NEXAUTH_OK;
    limits->limits = calloc(count, sizeof *limits->limits);
    for (size_t i = 0; limits->limits && i < count; i++) {
        limits->count++;
        if (!copy_one(&limits->limits[i], &from[i])) {
            nx_limits_release(limits);
            break;
        }
    }
    return limits->limits ? NEXAUTH_OK : nx_fail(error, NEXAUTH_NO_MEMORY, "memory ran out");
}

void nx_limits_release(struct nx_limits *limits)
{
    for (size_t i = 0; i < limits->count; i++) {
        free(limits->limits[i].origin);
        free(limits->limits[i].name);
    }
    free(limits->limits);
    *limits = (struct nx_limits){0};
}

/* One spelling for each origin: in lower case, with its port. */
static bool spell(const char *url, char *origin)
{
    struct nx_url parts;
    int length;

    if (!nx_url_split(url, &parts))
        return false;
    length = snprintf(origin, ORIGIN_SIZE, "%.*s://%.*s:%u", (int)parts.scheme.size, parts.scheme.start,
                      (int)parts.host.size, parts.host.start, parts.port);
    for (char *at = origin; *at; at++) {
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at + ('a' - 'A'));
    }
    return length > 0 && length < ORIGIN_SIZE;
}

/* Of what lies at an origin: a limit's name, a path. */
static uint64_t key_of(const struct nx_siphash_key *key, uint64_t origin, struct nx_span name)
{
    return origin ^ (nx_siphash(key, name.start, name.size) * 3);
}

static uint64_t key_of_name(const struct nx_siphash_key *key, uint64_t origin, const char *name)
{
    return key_of(key, origin, (struct nx_span){name, strlen(name)});
}

static bool is_at(const struct nx_set_limit *set, const char *origin)
{
    char spelled[ORIGIN_SIZE];

    return !set->origin || (spell(set->origin, spelled) && strcmp(spelled, origin) == 0);
}

/* The limit that counts: the service's own, unless the application set another; the last one that it set. */
static struct nx_door door_of(const struct nx_limits *limits, const char *origin, const struct nx_limit *limit)
{
    struct nx_door door = {.requests = limit->requests, .window_ms = limit->window_ms};

    for (size_t i = 0; i < limits->count; i++) {
        const struct nx_set_limit *set = &limits->limits[i];

        if (strcmp(set->name, limit->name) != 0 || !is_at(set, origin))
            continue;
        if (set->requests)
            door.requests = (uint32_t)set->requests;
        if (set->window_ms)
            door.window_ms = set->window_ms;
    }
    return door;
}

/* Up to the path. */
static size_t size_of_origin(const char *url)
{
    const char *host = strstr(url, "://");

    return host ? (size_t)(host + 3 - url) + strcspn(host + 3, "/?#") : strlen(url);
}

static struct nx_site *first_of(struct nx_site *sites, const char *origin)
{
    while (sites && strcmp(sites->origin, origin) != 0)
        sites = sites->next;
    return sites ? sites->first : NULL;
}

static struct nx_site *make(const char *url, const char *origin, const struct nx_limit *limit,
                            const struct nx_limits *limits, const struct nx_siphash_key *key)
{
    struct nx_site *site = calloc(1, sizeof *site);

    if (!site)
        return NULL;
    site->origin = strdup(origin);
    site->seen = strndup(url, size_of_origin(url));
    if (!site->origin || !site->seen) {
        free(site->origin);
        free(site->seen);
        free(site);
        return NULL;
    }
    site->name = limit->name;
    site->hash = nx_siphash(key, origin, strlen(origin));
    site->doors[NX_SITE_ORIGIN] = (struct nx_door){.key = key_of_name(key, site->hash, ""),
                                                   .window_ms = limit->window_ms};
    site->doors[NX_SITE_LIMIT] = door_of(limits, origin, limit);
    site->doors[NX_SITE_LIMIT].key = key_of_name(key, site->hash, limit->name);
    return site;
}

struct nx_site *nx_site_find(struct nx_site **sites, const char *url, const struct nx_limit *limit,
                             const struct nx_limits *limits, const struct nx_siphash_key *key)
{
    const size_t size = size_of_origin(url);
    char origin[ORIGIN_SIZE];
    struct nx_site *site = *sites;

    while (site && (strcmp(site->name, limit->name) != 0 || strncmp(site->seen, url, size) != 0 || site->seen[size]))
        site = site->next;
    if (site)
        return site;
    if (!spell(url, origin))
        return NULL;
    site = *sites;
    while (site && (strcmp(site->name, limit->name) != 0 || strcmp(site->origin, origin) != 0))
        site = site->next;
    if (site)
        return site;
    site = make(url, origin, limit, limits, key);
    if (!site)
        return NULL;
    site->first = first_of(*sites, origin);
    if (!site->first)
        site->first = site;
    site->next = *sites;
    *sites = site;
    return site;
}

static bool is_last(const struct nx_last_place *last, const char *url, size_t size, const struct nx_limit *limit)
{
    return last->size == size && last->limit == limit && memcmp(last->url, url, size) == 0;
}

static void note_last(struct nx_last_place *last, const struct nx_place *place, const char *url, size_t size,
                      const struct nx_limit *limit)
{
    last->place = *place;
    last->limit = limit;
    last->size = size <= sizeof last->url ? size : 0;
    memcpy(last->url, url, last->size);
}

/* A path begins with a slash, as no limit's name does. */
struct nx_place nx_place_find(struct nx_last_place *last, struct nx_site **sites, const char *url, struct nx_span path,
                              const struct nx_limit *limit, const struct nx_limits *limits,
                              const struct nx_siphash_key *key)
{
    const size_t size = strcspn(url, "?#");
    struct nx_place place = {0};

    if (is_last(last, url, size, limit))
        return last->place;
    place.site = nx_site_find(sites, url, limit, limits, key);
    if (!place.site)
        return place;
    place.path = (struct nx_door){.key = key_of(key, place.site->hash, path), .fleeting = true};
    note_last(last, &place, url, size, limit);
    return place;
}

void nx_sites_release(struct nx_site *sites)
{
    while (sites) {
        struct nx_site *next = sites->next;

        nx_history_release(&sites->history);
        free(sites->origin);
        free(sites->seen);
        free(sites);
        sites = next;
    }
}
