/* What libcurl and the TLS library below it say of a failed handshake, in words that do not depend on their versions.
 */
#include "io/curl_exchange.h"

#include <string.h>

/* Part of their words, and ours. OpenSSL's differ from version to version: the first row that fits counts. */
static const struct reason {
    const char *part;
    const char *words;
} reasons[] = {
    {"has expired", "the server's certificate has expired"},
    {"not yet valid", "the server's certificate is not valid yet"},
    {"self-signed certificate in", "the server's certificate comes from an authority that is not trusted"},
    {"self signed certificate in", "the server's certificate comes from an authority that is not trusted"},
    {"self-signed certificate", "the server's certificate is signed by nobody but itself"},
    {"self signed certificate", "the server's certificate is signed by nobody but itself"},
    {"issuer certificate", "the server's certificate comes from an authority that is not trusted"},
    {"certificate purpose", "the server's certificate is not one for servers"},
    {"revoked", "the server's certificate has been revoked"},
    {"subject name", "the server's certificate is for another name"},
    {"certificate required", "the server wants a certificate of the client"},
    {"does not match pinned", "the server's key is not the one that is pinned"},
    {"private key file", "client_key_file has no key that fits client_cert_file"},
    {"PEM client certificate", "client_cert_file has no certificate that can be used"},
    {"wrong version number", "the server does not speak TLS"},
    {"unsupported protocol", "the server speaks no TLS as new as 1.2"},
    {"protocol version", "the server speaks no TLS as new as 1.2"},
    {"SSL_ERROR_SYSCALL", "the connection ended within the TLS handshake"},
    {"unexpected eof", "the connection ended within the TLS handshake"},
};

const char *nx_curl_tls_reason(const char *words)
{
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        if (strstr(words, reasons[i].part))
            return reasons[i].words;
    }
    return NULL;
}

bool nx_curl_client_was_refused(CURLcode result, const char *words)
{
    return (result == CURLE_RECV_ERROR || result == CURLE_SEND_ERROR) && strstr(words, "alert certificate required");
}
