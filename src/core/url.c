#include "core/url.h"

#include "core/encode.h"

#include <arpa/inet.h>
#include <string.h>

enum { MOST_PORT_DIGITS = 5, HIGHEST_PORT = 65535, PORT_HTTP = 80, PORT_HTTPS = 443 };

static bool is_host_char(char c)
{
    return nx_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == '_';
}

/* True when all bytes may stand in a URL as the library takes it. A backslash may not: some readers take it for '/'. */
static bool is_url_text(const char *text)
{
    const char *end = text + strlen(text);

    return nx_skip_ascii(text, end, 0x21, '\\', 0x7f) == end;
}

static bool same_bytes(struct nx_span a, struct nx_span b)
{
    return a.size == b.size && memcmp(a.start, b.start, a.size) == 0;
}

/* Most are spelled alike. */
static bool same_in_any_case(struct nx_span a, struct nx_span b)
{
    return same_bytes(a, b) || (a.size == b.size && nx_same_in_any_case(a.start, b.start, a.size));
}

static bool is_in_any_case(struct nx_span span, const char *string)
{
    return same_in_any_case(span, (struct nx_span){string, strlen(string)});
}

/* Reads the address in `host`, brackets left out, as inet_pton does: the strict forms alone. */
static bool read_address(int family, struct nx_span host, unsigned char *address)
{
    char text[INET6_ADDRSTRLEN] = "";

    if (host.size >= sizeof text)
        return false;
    memcpy(text, host.start, host.size);
    return inet_pton(family, text, address) == 1;
}

static bool read_ipv6(struct nx_span host, unsigned char address[16])
{
    if (host.size < 2 || host.start[0] != '[' || host.start[host.size - 1] != ']')
        return false;
    return read_address(AF_INET6, (struct nx_span){host.start + 1, host.size - 2}, address);
}

/* Takes scheme:// off `at`. */
static bool take_scheme(const char **at, struct nx_url *parts)
{
    size_t size = strcspn(*at, ":");

    parts->scheme = (struct nx_span){*at, size};
    if (strncmp(*at + size, "://", 3) != 0)
        return false;
    *at += size + 3;
    if (is_in_any_case(parts->scheme, "https"))
        parts->port = PORT_HTTPS;
    else if (is_in_any_case(parts->scheme, "http"))
        parts->port = PORT_HTTP;
    else
        return false;
    return true;
}

static bool take_host(const char **at, struct nx_url *parts)
{
    const char *start = *at;
    unsigned char address[16];
    size_t size = 0;

    if (*start == '[') {
        size = strcspn(start, "]");
        size += start[size] == ']';
        parts->host = (struct nx_span){start, size};
        *at += size;
        return read_ipv6(parts->host, address);
    }
    while (is_host_char(start[size]))
        size++;
    parts->host = (struct nx_span){start, size};
    *at += size;
    return size > 0;
}

/* Takes :port off `at`, if there is one. */
static bool take_port(const char **at, struct nx_url *parts)
{
    unsigned int port = 0;
    int digits = 0;

    if (**at != ':')
        return true;
    for ((*at)++; nx_is_digit(**at) && digits < MOST_PORT_DIGITS; (*at)++, digits++)
        port = port * 10 + (unsigned int)(**at - '0');
    parts->port = port;
    return port > 0 && port <= HIGHEST_PORT;
}

static void take_path_and_query(const char *at, struct nx_url *parts)
{
    size_t size = strcspn(at, "?#");

    parts->path = size > 0 ? (struct nx_span){at, size} : (struct nx_span){"/", 1};
    if (at[size] == '?') {
        at += size + 1;
        parts->query = (struct nx_span){at, strcspn(at, "#")};
    }
}

bool nx_url_split(const char *url, struct nx_url *parts)
{
    struct nx_url split = {0};

    if (!is_url_text(url) || !take_scheme(&url, &split) || !take_host(&url, &split) || !take_port(&url, &split))
        return false;
    if (*url != '\0' && strchr("/?#", *url) == NULL)
        return false;
    take_path_and_query(url, &split);
    *parts = split;
    return true;
}

bool nx_url_is_origin(const char *url)
{
    struct nx_url parts;

    return nx_url_split(url, &parts) && strpbrk(parts.host.start, "/?#") == NULL;
}

bool nx_url_is_path(const char *path)
{
    return path[0] == '/' && is_url_text(path) && strpbrk(path, "?#") == NULL;
}

bool nx_url_is_https(const struct nx_url *parts)
{
    return is_in_any_case(parts->scheme, "https");
}

bool nx_url_is_loopback(const struct nx_url *parts)
{
    static const unsigned char IPV6_LOOPBACK[16] = {[15] = 1};
    unsigned char address[16] = {0};

    if (is_in_any_case(parts->host, "localhost"))
        return true;
    if (read_address(AF_INET, parts->host, address))
        return address[0] == 127;
    return read_ipv6(parts->host, address) && memcmp(address, IPV6_LOOPBACK, sizeof address) == 0;
}

bool nx_url_same_place(const struct nx_url *a, const struct nx_url *b)
{
    return same_in_any_case(a->scheme, b->scheme) && same_in_any_case(a->host, b->host) && a->port == b->port &&
           same_bytes(a->path, b->path);
}

/* Whether the URL begins with these bytes of an origin, and they are all of its own. */
static bool begins_with(const struct nx_url *parts, const char *origin, size_t size)
{
    const char *url = parts->scheme.start;

    return strncmp(url, origin, size) == 0 && strchr("/?#", url[size]) != NULL; /* or its end */
}

/* The first one is mostly the one, and spelled alike. */
bool nx_url_is_at(const struct nx_url *parts, const char *origins)
{
    struct nx_url origin = {0};

    if (begins_with(parts, origins, strcspn(origins, " ")))
        return true;
    while (take_scheme(&origins, &origin) && take_host(&origins, &origin) && take_port(&origins, &origin)) {
        if (same_in_any_case(parts->scheme, origin.scheme) && same_in_any_case(parts->host, origin.host) &&
            parts->port == origin.port)
            return true;
        if (*origins != ' ')
            return false;
        origins++;
    }
    return false;
}

bool nx_span_equals(struct nx_span span, const char *string)
{
    return same_bytes(span, (struct nx_span){string, strlen(string)});
}

/* Takes what stands before the first `mark`, or everything, off `rest`, and the mark too. */
static struct nx_span take_until(struct nx_span *rest, char mark)
{
    const char *found = memchr(rest->start, mark, rest->size);
    size_t size = found ? (size_t)(found - rest->start) : rest->size;
    size_t taken = found ? size + 1 : size;
    struct nx_span piece = {rest->start, size};

    rest->start += taken;
    rest->size -= taken;
    return piece;
}

bool nx_query_next(struct nx_span *rest, struct nx_span *name, struct nx_span *value)
{
    while (rest->size > 0) {
        struct nx_span piece = take_until(rest, '&');

        if (piece.size == 0)
            continue;
        *name = take_until(&piece, '=');
        *value = piece;
        return true;
    }
    return false;
}
