/* What a server that asks for a client's certificate is taken to mean by that. */
#include "support/test.h"

#include "io/curl_exchange.h"

#include <stdio.h>

enum { TLS_1_2 = 0x0303, TLS_1_3 = 0x0304 };

static void who_asks_by_tls_1_3_may_insist_and_says_so_too_late(void **state)
{
    static const struct {
        int asked;
        bool lowered, may_insist;
    } cases[] = {
        {0, false, false},      {0, true, false},           {TLS_1_2, false, false}, {TLS_1_2, true, false},
        {TLS_1_3, false, true}, {TLS_1_3 + 1, false, true}, {TLS_1_3, true, false}}; /* this connection is by TLS 1.2 */

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct nx_curl_exchange curl = {.asked = cases[i].asked, .lowered = cases[i].lowered};

        assert_int_equal(nx_curl_may_insist(&curl), cases[i].may_insist);
    }
}

/* Of servers that were seen to refuse, OpenSSL's and GnuTLS's. */
static void who_asked_and_refuses_insists_and_who_merely_ends_does_not(void **state)
{
    static const struct {
        int asked;
        CURLcode result;
        const char *reason;
        bool insists;
    } cases[] = {
        {TLS_1_2, CURLE_SSL_CONNECT_ERROR, "error:0A000410:SSL routines::sslv3 alert handshake failure", true},
        {TLS_1_2, CURLE_SSL_CONNECT_ERROR, "error:0A00041A:SSL routines::tlsv1 alert decode error", true},
        {TLS_1_3, CURLE_SSL_CONNECT_ERROR, "error:0A00042E:SSL routines::tlsv1 alert protocol version", true},
        {0, CURLE_SSL_CONNECT_ERROR, "error:0A000410:SSL routines::sslv3 alert handshake failure", false},
        {TLS_1_3, CURLE_SSL_CONNECT_ERROR, "OpenSSL SSL_connect: SSL_ERROR_SYSCALL", false},
        {TLS_1_3, CURLE_SSL_CONNECT_ERROR, "error:0A000126:SSL routines::unexpected eof while reading", false},
        {TLS_1_3, CURLE_SSL_CONNECT_ERROR, "error:0A0C0100:SSL routines::malloc failure", false},
        {TLS_1_3, CURLE_RECV_ERROR, "error:0A000410:SSL routines::sslv3 alert handshake failure", false},
        {TLS_1_3, CURLE_PEER_FAILED_VERIFICATION, "SSL: no alternative certificate subject name matches", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct nx_curl_exchange curl = {.asked = cases[i].asked};

        snprintf(curl.reason, sizeof curl.reason, "%s", cases[i].reason);
        assert_int_equal(nx_curl_insists(&curl, cases[i].result), cases[i].insists);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_asks_by_tls_1_3_may_insist_and_says_so_too_late),
        cmocka_unit_test(who_asked_and_refuses_insists_and_who_merely_ends_does_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
