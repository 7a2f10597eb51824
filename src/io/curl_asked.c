/*
 * A server that wants a certificate of the client, and gets none, refuses it within the handshake by TLS 1.2, but by
 * TLS 1.3 only when the client's request has left already (RFC 8446 section 4.4.2). Whether it insists cannot be seen
 * before. So a handshake in which a certificate is asked for that the session does not have is ended, and another one
 * tried by TLS 1.2: who insists refuses that, and who takes what there is goes on.
 *
 * OpenSSL asks a function of ours for the certificate. libcurl has no word for that.
 */
#include "io/curl_exchange.h"
#include "io/curl_openssl.h"

#include <string.h>

/* <openssl/ssl.h>, since 1.0.2. */
typedef int openssl_asked(void *ssl, void *context);
typedef void openssl_set_asked(void *ssl_settings, openssl_asked *, void *context);
typedef size_t openssl_get_finished(const void *ssl, void *out, size_t size);

static openssl_set_asked *set_asked; /* NULL: libcurl works with another library */
static openssl_get_finished *get_finished;

/* Ends the first handshake of a connection. Of a later one, by TLS 1.2, the request has left. */
static int take_asking(void *ssl, void *context)
{
    (void)context;
    return get_finished(ssl, NULL, 0) > 0;
}

static CURLcode mind_asking(CURL *easy, void *ssl_settings, void *context)
{
    (void)easy;
    (void)context;
    set_asked(ssl_settings, take_asking, NULL);
    return CURLE_OK;
}

void nx_curl_asked_start(void)
{
    if (!nx_curl_openssl_is_curls() || !nx_curl_openssl_find("SSL_get_finished", &get_finished) ||
        !nx_curl_openssl_find("SSL_CTX_set_cert_cb", &set_asked))
        set_asked = NULL;
}

CURLcode nx_curl_asked_set(CURL *easy, const struct nx_curl_settings *settings, bool asked)
{
    const long versions = CURL_SSLVERSION_TLSv1_2 | (asked ? CURL_SSLVERSION_MAX_TLSv1_2 : CURL_SSLVERSION_MAX_NONE);
    const CURLcode result = curl_easy_setopt(easy, CURLOPT_SSLVERSION, versions);

    if (result || !set_asked || settings->client_cert_file)
        return result;
    return curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, asked ? NULL : mind_asking);
}

bool nx_curl_was_asked(CURLcode result, const char *words)
{
    return result == CURLE_SSL_CONNECT_ERROR && strstr(words, "callback failed");
}
