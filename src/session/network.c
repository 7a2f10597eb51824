/* What a session may be told of the way to the services: whom to trust, by which proxy, as which client. */
#include "session/session.h"

#include "core/error.h"
#include "core/url.h"
#include "io/system.h"

#include <string.h>

enum { HASH_CHARACTERS = 43 }; /* of 32 bytes in base64, before the one '=' */

static const char HASH[] = "sha256//";
static const char BASE64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static nexauth_status check_file(const char *path, const char *name, struct nexauth_error *error)
{
    const nexauth_status status = path ? nx_file_holds_pem(path) : NEXAUTH_OK;

    if (status == NEXAUTH_NO_MEMORY)
        return nx_fail(error, status, "%s: file descriptors ran out", name);
    return status ? nx_fail(error, status, "%s cannot be read, or holds nothing in PEM", name) : NEXAUTH_OK;
}

/* One hash, and the end or the separator behind it. NULL when it is malformed. */
static const char *skip_hash(const char *pin)
{
    if (strncmp(pin, HASH, sizeof HASH - 1) != 0)
        return NULL;
    pin += sizeof HASH - 1;
    if (strspn(pin, BASE64) != HASH_CHARACTERS || pin[HASH_CHARACTERS] != '=')
        return NULL;
    return pin + HASH_CHARACTERS + 1;
}

static bool is_pin(const char *pin)
{
    do
        pin = skip_hash(pin);
    while (pin && *pin++ == ';');
    return pin && pin[-1] == '\0';
}

/* The port has to be there: libcurl's default for proxies is nobody's. */
static bool is_proxy(const char *proxy)
{
    struct nx_url parts;

    return nx_url_is_origin(proxy) && nx_url_split(proxy, &parts) && !nx_url_is_https(&parts) &&
           parts.host.start[parts.host.size] == ':';
}

nexauth_status nx_check_network(const struct nexauth_session_options *options, struct nexauth_error *error)
{
    nexauth_status status = check_file(options->ca_file, "ca_file", error);

    if (!status)
        status = check_file(options->client_cert_file, "client_cert_file", error);
    if (!status)
        status = check_file(options->client_key_file, "client_key_file", error);
    if (status)
        return status;
    if (!options->client_cert_file != !options->client_key_file)
        return nx_fail(error, NEXAUTH_INVALID, "client_cert_file and client_key_file belong together");
    if (options->pinned_key && !is_pin(options->pinned_key))
        return nx_fail(error, NEXAUTH_INVALID, "pinned_key must be hashes as \"sha256//...=\", separated by ';'");
    if (options->proxy && !is_proxy(options->proxy))
        return nx_fail(error, NEXAUTH_INVALID, "proxy must be \"http://host:port\" and nothing else");
    return NEXAUTH_OK;
}
