/* Tells a handle one request after another, and says what came of each. */
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

static CURLcode set_callbacks(struct nx_curl_exchange *curl)
{
    CURL *easy = curl->easy;
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

struct nx_curl_exchange *nx_curl_exchange_new(struct nx_curl_common *common)
{
    struct nx_curl_exchange *curl = calloc(1, sizeof *curl);

    if (!curl)
        return NULL;
    curl->common = common;
    curl->easy = curl_easy_init();
    if (!curl->easy || nx_curl_handle_set_up(curl->easy, common) || set_callbacks(curl) || nx_curl_asked_set_up(curl)) {
        nx_curl_exchange_free(curl);
        return NULL;
    }
    return curl;
}

static bool is_https(const struct nx_request *request)
{
    struct nx_url parts;

    return nx_url_split(nx_text_string(&request->url), &parts) && nx_url_is_https(&parts);
}

/* The path stays as it was worded, and names no user. NULL when libcurl does not take the URL, or memory ran out. */
static CURLU *parse_url(const char *url, CURLUcode *result)
{
    CURLU *parsed = curl_url();

    *result = parsed ? curl_url_set(parsed, CURLUPART_URL, url, CURLU_PATH_AS_IS | CURLU_DISALLOW_USER)
                     : CURLUE_OUT_OF_MEMORY;
    if (!*result)
        return parsed;
    curl_url_cleanup(parsed);
    return NULL;
}

/*
 * A URL that the handle has had already is not parsed again. One that libcurl does not take is given to it as it is,
 * for libcurl to say so in its own words. What it made of the last one has to go first: it would stay the handle's.
 */
static CURLcode set_url(struct nx_curl_exchange *curl, const struct nx_request *request)
{
    CURL *easy = curl->easy;
    const char *url = nx_text_string(&request->url);
    CURLcode result = CURLE_OK;
    CURLUcode parsing;

    if (curl->url && strcmp(url, nx_text_string(&curl->spelling)) == 0)
        return CURLE_OK;
    curl_url_cleanup(curl->url);
    curl->url = parse_url(url, &parsing);
    nx_text_release(&curl->spelling);
    nx_text_init(&curl->spelling, request->url.bound);
    nx_text_add(&curl->spelling, url);
    if (parsing == CURLUE_OUT_OF_MEMORY || nx_text_failed(&curl->spelling))
        return CURLE_OUT_OF_MEMORY;
    SET(CURLOPT_URL, curl->url ? NULL : url);
    SET(CURLOPT_CURLU, curl->url);
    SET(CURLOPT_PROTOCOLS_STR, is_https(request) ? "https" : "http");
    return result;
}

/* libcurl reads the list, and changes nothing. An empty "Expect:" keeps it from asking before it sends a body: by
 * itself it does so for longer ones than ours, and with what serves once nothing is left to it. */
static struct curl_slist *list_headers(struct nx_curl_exchange *curl, const struct nx_request *request)
{
    static char no_expect[] = "Expect:";
    size_t count = 0;

    for (size_t i = 0; i < request->header_count; i++)
        curl->headers[count++].data = request->headers[i].data;
    if (request->one_time)
        curl->headers[count++].data = no_expect;
    for (size_t i = 0; i < count; i++)
        curl->headers[i].next = i + 1 < count ? &curl->headers[i + 1] : NULL;
    return count ? curl->headers : NULL;
}

/* Method, headers and body, exactly as they were worded. libcurl adds Host and Content-Length. */
static CURLcode set_message(struct nx_curl_exchange *curl, const struct nx_request *request)
{
    CURL *easy = curl->easy;
    CURLcode result = CURLE_OK;

    SET(CURLOPT_HTTPHEADER, list_headers(curl, request));
    if (request->carrier == NX_CARRIER_QUERY) {
        SET(CURLOPT_HTTPGET, 1L);
    } else { /* that is a POST */
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.length);
        SET(CURLOPT_POSTFIELDS, nx_text_string(&request->body));
    }
    return result;
}

/* What serves once has a connection of its own, and a protocol that does not repeat it. */
static CURLcode set_connection(struct nx_curl_exchange *curl, bool one_time)
{
    CURL *easy = curl->easy;
    CURLcode result = CURLE_OK;

    if (curl->one_time == one_time)
        return CURLE_OK;
    SET(CURLOPT_HTTP_VERSION, (long)(one_time ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_NONE));
    SET(CURLOPT_FRESH_CONNECT, one_time ? 1L : 0L);
    SET(CURLOPT_FORBID_REUSE, one_time ? 1L : 0L);
    curl->one_time = one_time;
    return result;
}

static CURLcode set_lowered(struct nx_curl_exchange *curl, bool lowered)
{
    CURL *easy = curl->easy;
    CURLcode result = CURLE_OK;

    if (curl->lowered == lowered)
        return CURLE_OK;
    SET(CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2 | (lowered ? CURL_SSLVERSION_MAX_TLSv1_2 : 0L));
    curl->lowered = lowered;
    return result;
}

/* libcurl keeps what it read of ca_file for a day. Where that may be broken, each connection reads the file anew. */
static CURLcode set_trust(struct nx_curl_exchange *curl)
{
    CURL *easy = curl->easy;
    CURLcode result = CURLE_OK;

    if (curl->common->doubtful_cas)
        SET(CURLOPT_CA_CACHE_TIMEOUT, 0L);
    return result;
}

bool nx_curl_exchange_begin(struct nx_curl_exchange *curl, struct nx_exchange *exchange)
{
    const struct nx_request *request = &exchange->request;

    curl->exchange = exchange;
    curl->socket = CURL_SOCKET_BAD;
    curl->done = false;
    curl->asked = 0;
    curl->received = 0;
    curl->headers_ended = false;
    curl->no_memory = false;
    curl->reason[0] = '\0';
    return !set_url(curl, request) && !set_message(curl, request) && !set_connection(curl, request->one_time) &&
           !set_lowered(curl, false) && !set_trust(curl);
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
    if (nx_curl_client_was_refused(result, curl->reason))
        return NX_LOSS_TLS;
    if (result == CURLE_WEIRD_SERVER_REPLY || result == CURLE_UNSUPPORTED_PROTOCOL)
        return NX_LOSS_GARBLED;
    return was_closed(curl, result) ? NX_LOSS_CLOSED : NX_LOSS_CUT;
}

static const char *reason_of(const struct nx_curl_exchange *curl, CURLcode result)
{
    const char *words = nx_curl_tls_reason(nx_curl_insists(curl, result) ? "certificate required" : curl->reason);

    if (result == CURLE_OK)
        return "the connection was closed within the headers";
    if (curl->exchange->loss == NX_LOSS_TLS && words)
        return words;
    return *curl->reason ? curl->reason : curl_easy_strerror(result);
}

/* nx_curl_before_sending() forbade reuse. */
bool nx_curl_exchange_goes_without(struct nx_curl_exchange *curl, CURLcode result)
{
    CURL *easy = curl->easy;

    if (result != CURLE_ABORTED_BY_CALLBACK || !nx_curl_may_insist(curl))
        return false;
    result = set_lowered(curl, true);
    SET(CURLOPT_FORBID_REUSE, curl->one_time ? 1L : 0L);
    curl->reason[0] = '\0';
    return !result;
}

/* An answer counts when its headers were read to their end, or when it was too large and its status is known. */
void nx_curl_exchange_conclude(struct nx_curl_exchange *curl, CURLcode result)
{
    struct nx_exchange *exchange = curl->exchange;
    long status = 0;

    curl_easy_getinfo(curl->easy, CURLINFO_RESPONSE_CODE, &status);
    exchange->response.http_status = (int)status;
    exchange->response.over_cap |= was_endless_line(curl, result);
    curl->done = result == CURLE_OK && curl->headers_ended;
    if (curl->done || (exchange->response.over_cap && status >= 200))
        return;
    exchange->loss = loss_of(curl, result);
    curl->common->doubtful_cas |= exchange->loss == NX_LOSS_TLS || exchange->loss == NX_LOSS_MEMORY;
    snprintf(exchange->reason, sizeof exchange->reason, "%.*s", (int)sizeof exchange->reason - 1,
             reason_of(curl, result));
}

/* Takes back what the handle only points at, and is the request's. */
static bool forget(CURL *easy)
{
    CURLcode result = CURLE_OK;

    SET(CURLOPT_POSTFIELDS, NULL);
    SET(CURLOPT_HTTPHEADER, NULL);
    return !result;
}

/* libcurl counts how often it sent something again on another connection, over all that a handle has served, and fails
 * the request that comes after the fifth time: a handle that has once done so goes. */
bool nx_curl_exchange_end(struct nx_curl_exchange *curl)
{
    const struct nx_exchange *exchange = curl->exchange;
    const bool secret_url = exchange->request.carrier == NX_CARRIER_QUERY;

    curl->exchange = NULL;
    return forget(curl->easy) && curl->done && exchange->sendings == 1 && !secret_url;
}

void nx_curl_exchange_free(struct nx_curl_exchange *curl)
{
    if (!curl)
        return;
    curl_easy_cleanup(curl->easy);
    curl_url_cleanup(curl->url);
    nx_text_release(&curl->spelling);
    free(curl);
}
