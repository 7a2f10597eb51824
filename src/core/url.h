/* URLs as far as the library needs them: origins to send to, redirects to check. Allocates nothing: parts point into
 * the URL. */
#ifndef NX_URL_H
#define NX_URL_H

#include <stdbool.h>
#include <stddef.h>

struct nx_span {
    const char *start;
    size_t size;
};

struct nx_url {
    struct nx_span scheme;
    struct nx_span host;  /* with its brackets when it is an IPv6 address */
    unsigned int port;    /* the scheme's own when none is given: 443, 80 */
    struct nx_span path;  /* "/" when none is given */
    struct nx_span query; /* without '?'; start NULL when there is none */
};

/*
 * Splits an absolute http or https URL. False, with `parts` left alone, when it is not one: another scheme, userinfo,
 * an empty or odd host (letters, digits, '.', '-', '_', or a bracketed IPv6 address), a port outside 1..65535 or of
 * more than five digits, control characters, blanks, bytes >= 0x7f or '\\' anywhere. A fragment is allowed and left
 * out.
 */
bool nx_url_split(const char *url, struct nx_url *parts);

/* True for scheme://host[:port] with nothing behind it (one final '/' is not allowed either). */
bool nx_url_is_origin(const char *url);

/* True for a path as it goes on the request line: starts with '/', visible ASCII, no '?', no '#', no '\\'. */
bool nx_url_is_path(const char *path);

bool nx_url_is_https(const struct nx_url *parts);

/* True for 127.0.0.0/8 as four dotted numbers, [::1] in any spelling, and "localhost" in any case. */
bool nx_url_is_loopback(const struct nx_url *parts);

/* Same scheme and host (in any case), port, and path (exactly). */
bool nx_url_same_place(const struct nx_url *a, const struct nx_url *b);

/* True when the URL lies at one of these origins, each of which is one (nx_url_is_origin()), separated by single
 * spaces.
 */
bool nx_url_is_at(const struct nx_url *parts, const char *origins);

bool nx_span_equals(struct nx_span span, const char *string);

/*
 * Walks a query: takes the next name=value (raw, still encoded) off `rest`. False at the end. Empty pieces ("a=1&&b=2")
 * are skipped; a piece without '=' has an empty value.
 */
bool nx_query_next(struct nx_span *rest, struct nx_span *name, struct nx_span *value);

#endif
