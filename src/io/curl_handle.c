/* What every handle is told once: all that libcurl would add, follow, remember or read from the environment is told not
 * to be. */
#include "io/curl_exchange.h"

/* Sticky: after the first option that fails the others are skipped. */
#define SET(option, value)                                                                                             \
    do {                                                                                                               \
        if (!result)                                                                                                   \
            result = curl_easy_setopt(easy, option, value);                                                            \
    } while (0)

/* Nothing goes to anybody but the origin: no redirect, netrc, cookie or referer; no scheme but the URL's own, which
 * nx_curl_exchange_begin() allows. */
static CURLcode set_fences(CURL *easy)
{
    CURLcode result = CURLE_OK;

    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_REDIR_PROTOCOLS_STR, "https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    SET(CURLOPT_UNRESTRICTED_AUTH, 0L);
    SET(CURLOPT_AUTOREFERER, 0L);
    SET(CURLOPT_HTTP09_ALLOWED, 0L);
    return result;
}

/*
 * No proxy, or the one that was asked for and for everything, whatever the environment says of it. It is told where to
 * connect to, and no more: what follows passes through it as it would without.
 */
static CURLcode set_proxy(CURL *easy, const char *proxy)
{
    CURLcode result = CURLE_OK;

    SET(CURLOPT_PROXY, proxy ? proxy : "");
    SET(CURLOPT_NOPROXY, proxy ? "" : "*");
    SET(CURLOPT_HTTPPROXYTUNNEL, 1L);
    SET(CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    return result;
}

/*
 * TLS 1.2 or later, peer and host verified. Of the system's CAs only the folder of hashed certificates is used where
 * libcurl knows one: a bundle would be parsed anew for each connection, 25 ms for Debian's.
 */
static CURLcode set_tls(CURL *easy, const struct nx_curl_common *common)
{
    CURLcode result = CURLE_OK;

    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SHARE, common->share);
    if (common->settings.ca_file) {
        SET(CURLOPT_CAINFO, common->settings.ca_file);
        SET(CURLOPT_CAPATH, NULL);
    } else if (common->ca_path) {
        SET(CURLOPT_CAINFO, NULL);
        SET(CURLOPT_CAPATH, common->ca_path);
    }
    return result;
}

/* An empty password keeps OpenSSL from asking for one at the terminal. */
static CURLcode set_keys(CURL *easy, const struct nx_curl_settings *settings)
{
    CURLcode result = CURLE_OK;

    if (settings->client_cert_file) {
        SET(CURLOPT_SSLCERT, settings->client_cert_file);
        SET(CURLOPT_SSLKEY, settings->client_key_file);
        SET(CURLOPT_KEYPASSWD, "");
    }
    SET(CURLOPT_PINNEDPUBLICKEY, settings->pinned_key);
    return result;
}

/* The exchange's deadline is the engine's: libcurl's own would drop an answer that already lies in the socket. */
static CURLcode set_manner(CURL *easy, const struct nx_curl_common *common)
{
    CURLcode result = CURLE_OK;

    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)common->settings.connect_timeout_ms);
    SET(CURLOPT_OPENSOCKETFUNCTION, nx_curl_sockets_open);
    SET(CURLOPT_OPENSOCKETDATA, common->sockets);
    SET(CURLOPT_CLOSESOCKETFUNCTION, nx_curl_sockets_close);
    SET(CURLOPT_CLOSESOCKETDATA, common->sockets);
    return result;
}

CURLcode nx_curl_handle_set_up(CURL *easy, const struct nx_curl_common *common)
{
    CURLcode result = set_fences(easy);

    if (!result)
        result = set_proxy(easy, common->settings.proxy);
    if (!result)
        result = set_tls(easy, common);
    if (!result)
        result = set_keys(easy, &common->settings);
    return result ? result : set_manner(easy, common);
}
