/* Sets up one easy handle: everything that libcurl would add, follow, remember or read from the environment is told not
 * to be. */
#include "io/curl_exchange.h"

#include "core/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sticky: after the first option that fails the others are skipped. */
#define SET(option, value)                                                                                             \
    do {                                                                                                               \
        if (!result)                                                                                                   \
            result = curl_easy_setopt(easy, option, value);                                                            \
    } while (0)

/* Method, URL, headers and body, exactly as they were worded. libcurl adds Host and Content-Length. */
static CURLcode set_request(CURL *easy, const struct nx_request *request, const struct curl_slist *headers)
{
    CURLcode result = CURLE_OK;

    SET(CURLOPT_URL, nx_text_string(&request->url));
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_HTTPHEADER, headers);
    if (request->carrier == NX_CARRIER_QUERY) {
        SET(CURLOPT_HTTPGET, 1L);
    } else {
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.length);
        SET(CURLOPT_POSTFIELDS, nx_text_string(&request->body));
    }
    return result;
}

static bool is_https(const struct nx_request *request)
{
    struct nx_url parts;

    return nx_url_split(nx_text_string(&request->url), &parts) && nx_url_is_https(&parts);
}

/* Nothing goes to anybody but the origin: no redirect, proxy, netrc, cookie or referer; no scheme but the URL's own. */
static CURLcode set_fences(CURL *easy, const struct nx_request *request)
{
    CURLcode result = CURLE_OK;

    SET(CURLOPT_PROTOCOLS_STR, is_https(request) ? "https" : "http");
    SET(CURLOPT_REDIR_PROTOCOLS_STR, "https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    SET(CURLOPT_UNRESTRICTED_AUTH, 0L);
    SET(CURLOPT_AUTOREFERER, 0L);
    SET(CURLOPT_HTTP09_ALLOWED, 0L);
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

/* The exchange's deadline is the engine's: libcurl's own would drop an answer that already lies in the socket. */
static CURLcode set_manner(CURL *easy, const struct nx_curl_exchange *curl)
{
    CURLcode result = CURLE_OK;

    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)curl->common->settings.connect_timeout_ms);
    if (curl->exchange->request.one_time) {
        SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
        SET(CURLOPT_FRESH_CONNECT, 1L);
        SET(CURLOPT_FORBID_REUSE, 1L);
    }
    return result;
}

static CURLcode set_callbacks(CURL *easy, struct nx_curl_exchange *curl)
{
    CURLcode result = CURLE_OK;

    SET(CURLOPT_HEADERFUNCTION, nx_curl_take_header);
    SET(CURLOPT_HEADERDATA, curl);
    SET(CURLOPT_WRITEFUNCTION, nx_curl_take_body);
    SET(CURLOPT_WRITEDATA, curl);
    SET(CURLOPT_PREREQFUNCTION, nx_curl_before_sending);
    SET(CURLOPT_PREREQDATA, curl);
    SET(CURLOPT_ERRORBUFFER, curl->reason);
    SET(CURLOPT_PRIVATE, curl);
    return result;
}

static CURLcode set_up(struct nx_curl_exchange *curl)
{
    CURL *easy = curl->easy;
    CURLcode result = set_request(easy, &curl->exchange->request, curl->headers);

    if (!result)
        result = set_fences(easy, &curl->exchange->request);
    if (!result)
        result = set_tls(easy, curl->common);
    if (!result)
        result = set_manner(easy, curl);
    return result ? result : set_callbacks(easy, curl);
}

static bool add_header(struct curl_slist **headers, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*headers, line);

    if (longer)
        *headers = longer;
    return longer != NULL;
}

/* An empty "Expect:" keeps libcurl from asking before it sends a body. */
static bool add_headers(struct nx_curl_exchange *curl)
{
    const struct nx_request *request = &curl->exchange->request;
    bool added = add_header(&curl->headers, "Expect:");

    for (size_t i = 0; i < request->header_count && added; i++)
        added = add_header(&curl->headers, nx_text_string(&request->headers[i]));
    return added;
}

struct nx_curl_exchange *nx_curl_exchange_new(const struct nx_curl_common *common, struct nx_exchange *exchange)
{
    struct nx_curl_exchange *curl = calloc(1, sizeof *curl);

    if (!curl)
        return NULL;
    curl->common = common;
    curl->exchange = exchange;
    curl->easy = curl_easy_init();
    if (!curl->easy || !add_headers(curl) || set_up(curl)) {
        nx_curl_exchange_free(curl);
        return NULL;
    }
    return curl;
}

/* The whole request left on a connection made for it over TLS, and the connection ended before an answer began. */
static bool was_closed(const struct nx_curl_exchange *curl, CURLcode result)
{
    const struct nx_request *request = &curl->exchange->request;
    long connects = 0;
    curl_off_t uploaded = 0;
    long request_size = 0;

    if (result != CURLE_GOT_NOTHING && result != CURLE_RECV_ERROR)
        return false;
    curl_easy_getinfo(curl->easy, CURLINFO_NUM_CONNECTS, &connects);
    curl_easy_getinfo(curl->easy, CURLINFO_SIZE_UPLOAD_T, &uploaded);
    curl_easy_getinfo(curl->easy, CURLINFO_REQUEST_SIZE, &request_size);
    return connects > 0 && request_size > 0 && curl->received == 0 && (size_t)uploaded >= request->body.length &&
           is_https(request);
}

/* libcurl gives up on a line of headers that it cannot hold, 100 KB long, as if memory had run out. */
static bool was_endless_line(const struct nx_curl_exchange *curl, CURLcode result)
{
    return result == CURLE_OUT_OF_MEMORY && !curl->no_memory && curl->exchange->sendings && !curl->headers_ended;
}

/* While no request has left, these are of the handshake and the certificate. */
static bool is_of_tls(CURLcode result)
{
    static const CURLcode codes[] = {CURLE_SSL_CONNECT_ERROR,       CURLE_PEER_FAILED_VERIFICATION,
                                     CURLE_SSL_CERTPROBLEM,         CURLE_SSL_CIPHER,
                                     CURLE_SSL_CACERT_BADFILE,      CURLE_SSL_CRL_BADFILE,
                                     CURLE_SSL_ISSUER_ERROR,        CURLE_SSL_CLIENTCERT,
                                     CURLE_SSL_INVALIDCERTSTATUS,   CURLE_SSL_ENGINE_INITFAILED,
                                     CURLE_SSL_PINNEDPUBKEYNOTMATCH};

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (codes[i] == result)
            return true;
    }
    return false;
}

static enum nx_loss loss_of(const struct nx_curl_exchange *curl, CURLcode result)
{
    if ((result == CURLE_OUT_OF_MEMORY && !curl->exchange->response.over_cap) || curl->no_memory)
        return NX_LOSS_MEMORY;
    if (result == CURLE_OPERATION_TIMEDOUT)
        return NX_LOSS_TIMEOUT;
    if (curl->exchange->sendings == 0)
        return is_of_tls(result) ? NX_LOSS_TLS : NX_LOSS_CONNECT;
    if (result == CURLE_WEIRD_SERVER_REPLY || result == CURLE_UNSUPPORTED_PROTOCOL)
        return NX_LOSS_GARBLED;
    return was_closed(curl, result) ? NX_LOSS_CLOSED : NX_LOSS_CUT;
}

static const char *reason_of(const struct nx_curl_exchange *curl, CURLcode result)
{
    if (result == CURLE_OK)
        return "the connection was closed within the headers";
    return *curl->reason ? curl->reason : curl_easy_strerror(result);
}

/* An answer counts when its headers were read to their end, or when it was too large and its status is known. */
void nx_curl_exchange_conclude(struct nx_curl_exchange *curl, CURLcode result)
{
    struct nx_exchange *exchange = curl->exchange;
    long status = 0;

    curl_easy_getinfo(curl->easy, CURLINFO_RESPONSE_CODE, &status);
    exchange->response.http_status = (int)status;
    exchange->response.over_cap |= was_endless_line(curl, result);
    if ((result == CURLE_OK && curl->headers_ended) || (exchange->response.over_cap && status >= 200))
        return;
    exchange->loss = loss_of(curl, result);
    snprintf(exchange->reason, sizeof exchange->reason, "%.*s", (int)sizeof exchange->reason - 1,
             reason_of(curl, result));
}

void nx_curl_exchange_free(struct nx_curl_exchange *curl)
{
    curl_easy_cleanup(curl->easy);
    for (struct curl_slist *line = curl->headers; line; line = line->next)
        nx_wipe(line->data, strlen(line->data));
    curl_slist_free_all(curl->headers);
    free(curl);
}
