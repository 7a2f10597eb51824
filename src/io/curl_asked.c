/*
 * A server that wants a certificate of the client, and gets none, refuses it within the handshake by TLS 1.2, but by
 * TLS 1.3 only when the client's request has left already (RFC 8446 section 4.4.2). Whether it insists cannot be seen
 * before. So where a server asked by TLS 1.3 for a certificate that the session does not have, nothing is sent, and
 * another connection is tried by TLS 1.2: who insists refuses that, and who takes what there is goes on.
 *
 * By then the server was verified. What is asked by TLS 1.2 comes before that, from whoever it may be, and must not be
 * what keeps TLS 1.3 from being spoken: it is noted, for the words of an error, and changes nothing.
 *
 * OpenSSL asks a function of ours for the certificate. libcurl has no word for that.
 */
#include "io/curl_exchange.h"
#include "io/curl_openssl.h"

#include <string.h>

enum { TLS_1_3 = 0x0304 };

/* <openssl/ssl.h>, since 1.1.0. */
typedef int openssl_asked(void *ssl, void *context);
typedef void openssl_set_asked(void *ssl_settings, openssl_asked *, void *context);
typedef size_t openssl_get_finished(const void *ssl, void *out, size_t size);
typedef int openssl_get_version(const void *ssl);

static openssl_set_asked *set_asked;
static openssl_get_finished *get_finished;
static openssl_get_version *get_version;
static bool is_known; /* false: libcurl works with another library */

/* There is none. In a later handshake on the same connection, the exchange that made it may be gone. */
static int note_asking(void *ssl, void *context)
{
    struct nx_curl_exchange *curl = context;

    if (get_finished(ssl, NULL, 0) == 0)
        curl->asked = get_version(ssl);
    return 1;
}

static CURLcode mind_asking(CURL *easy, void *ssl_settings, void *context)
{
    (void)easy;
    set_asked(ssl_settings, note_asking, context);
    return CURLE_OK;
}

void nx_curl_asked_start(void)
{
    is_known = nx_curl_openssl_is_curls() && nx_curl_openssl_find("SSL_CTX_set_cert_cb", &set_asked) &&
               nx_curl_openssl_find("SSL_get_finished", &get_finished) &&
               nx_curl_openssl_find("SSL_version", &get_version);
}

CURLcode nx_curl_asked_set_up(struct nx_curl_exchange *curl)
{
    CURLcode result;

    if (!is_known || curl->common->settings.client_cert_file)
        return CURLE_OK;
    result = curl_easy_setopt(curl->easy, CURLOPT_SSL_CTX_FUNCTION, mind_asking);
    return result ? result : curl_easy_setopt(curl->easy, CURLOPT_SSL_CTX_DATA, curl);
}

bool nx_curl_may_insist(const struct nx_curl_exchange *curl)
{
    return curl->asked >= TLS_1_3 && !curl->lowered;
}

bool nx_curl_insists(const struct nx_curl_exchange *curl, CURLcode result)
{
    return curl->asked && result == CURLE_SSL_CONNECT_ERROR && strstr(curl->reason, "alert");
}
