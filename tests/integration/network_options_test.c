/* The options that say how the services are reached: a proxy, a client's certificate, a pinned key. */
#include "support/test.h"

#include "live.h"
#include "support/listener.h"
#include "tunnel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CERT      NEXAUTH_TEST_DATA "/tls/client.pem"
#define CA        NEXAUTH_TEST_DATA "/tls/ca.pem"
#define KEY       NEXAUTH_TEST_DATA "/tls/client-key.pem"
#define ENCRYPTED NEXAUTH_TEST_DATA "/tls/client-key-encrypted.pem"
#define WRONG_PIN "sha256//ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop+="

/* ---- A proxy ----------------------------------------------------------------------------------------------------- */

static const struct live_who everybody[] = {
    {.kind = LIVE_NEX_USER},       {.kind = LIVE_NEX_CONTROLLER},
    {.kind = LIVE_QUANTOZ_TEST},   {.kind = LIVE_QUANTOZ_TEST, .mode = NEXAUTH_CLIENT_AUTH_BASIC},
    {.kind = LIVE_NEXUSGUARD_APP}, {.kind = LIVE_NEXUSGUARD_USER},
};

/* What none may see who only passes it on. */
static const char *const secrets[] = {
    "abc123",        "xyz456",     "p&ss w+rd%=1", "p%26ss+w%2Brd%25%3D1",
    "Authorization", "Basic ",     LIVE_APP,       "nexus-test-client",
    LIVE_SECRET,     "spe-portal", "access_token",
};

/* How a connection to an origin is asked for, with no word more. */
static void write_connect(const char *origin, char *out, size_t size)
{
    const char *place = strstr(origin, "//") + 2;

    snprintf(out, size, "CONNECT %s HTTP/1.1\r\nHost: %s\r\nProxy-Connection: Keep-Alive\r\n\r\n", place, place);
}

static bool is_one_of(const char *request, const char *const origins[], size_t count)
{
    char expected[256];

    for (size_t i = 0; i < count; i++) {
        write_connect(origins[i], expected, sizeof expected);
        if (strcmp(request, expected) == 0)
            return true;
    }
    print_error("unexpected: %s\n", request);
    return false;
}

static void a_proxy_is_told_where_to_and_sees_no_secret(void **state)
{
    const char *const origins[] = {live_emulator.nex_https, live_emulator.quantoz_test_https,
                                   live_emulator.nexusguard_https};
    struct tunnel *tunnel = tunnel_start();
    const struct nexauth_session_options options = {.proxy = tunnel_origin(tunnel)};
    nexauth_session *session = live_new_session(&options);
    struct nexauth_error error;

    (void)state;
    setenv("NO_PROXY", "*", 1);
    setenv("no_proxy", "*", 1);
    for (size_t i = 0; i < sizeof everybody / sizeof *everybody; i++)
        assert_int_equal(live_ask(session, &everybody[i], &error), NEXAUTH_OK);
    unsetenv("NO_PROXY");
    unsetenv("no_proxy");
    assert_int_equal(live_requests(), 7);
    assert_true(tunnel_connections(tunnel) >= 4); /* three services, and a code has one of its own */
    for (int i = 0; i < tunnel_connections(tunnel); i++)
        assert_true(is_one_of(tunnel_request(tunnel, i), origins, 3));
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
        assert_false(tunnel_saw(tunnel, secrets[i]));
    nexauth_session_free(session);
    tunnel_stop(tunnel);
}

/* The request is plain, but it is no request to the proxy, which might keep it, or answer it. */
static void what_is_not_encrypted_passes_through_the_proxy_too(void **state)
{
    struct tunnel *tunnel = tunnel_start();
    const struct nexauth_session_options options = {.proxy = tunnel_origin(tunnel), .loopback_http = 1};
    const struct live_who who = {
        .kind = LIVE_QUANTOZ_TEST, .mode = NEXAUTH_CLIENT_AUTH_BASIC, .origin = live_emulator.quantoz_test_http};
    const char *const origins[] = {live_emulator.quantoz_test_http};
    nexauth_session *session = live_new_session(&options);
    struct nexauth_error error;

    (void)state;
    assert_int_equal(live_ask(session, &who, &error), NEXAUTH_OK);
    assert_int_equal(tunnel_connections(tunnel), 1);
    assert_true(is_one_of(tunnel_request(tunnel, 0), origins, 1));
    nexauth_session_free(session);
    tunnel_stop(tunnel);
}

static const struct refusing {
    const char *name;
    struct listener_answer answer;
} refusings[] = {
    {"407",
     {.text = "HTTP/1.1 407 no\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 2\r\n\r\nno",
      .then = LISTENER_CLOSE}},
    {"403", {.text = "HTTP/1.1 403 no\r\nContent-Length: 0\r\n\r\n", .then = LISTENER_CLOSE}},
    {"a redirect",
     {.text = "HTTP/1.1 302 no\r\nLocation: https://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
      .then = LISTENER_CLOSE}},
    {"the end", {.then = LISTENER_CLOSE}},
    {"a reset", {.then = LISTENER_RESET}},
    {"no HTTP", {.text = "220 mail.example.com ESMTP\r\n\r\n", .then = LISTENER_CLOSE}},
    {"endless headers",
     {.text = "HTTP/1.1 200 OK\r\n",
      .then = LISTENER_REPEAT,
      .again = "X-Endless: 0123456789012345678901234567890123456789\r\n"}},
    {"an endless header",
     {.text = "HTTP/1.1 200 OK\r\nX-Endless:",
      .then = LISTENER_REPEAT,
      .again = "0123456789012345678901234567890123456789"}},
    {"an endless refusal",
     {.text = "HTTP/1.1 403 no\r\n\r\n", .then = LISTENER_REPEAT, .again = "0123456789012345678901234567890123456789"}},
    {"no TLS behind it",
     {.text = "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{\"access_token\":\"x\"}",
      .then = LISTENER_CLOSE}},
};

/* Each of a connect: it leaves once. */
static int run_refusing(const struct refusing *row)
{
    const struct live_who who = {.kind = LIVE_NEXUSGUARD_USER};
    struct listener *proxy = listener_start("127.0.0.1");
    const struct nexauth_session_options options = {.proxy = listener_origin(proxy)};
    nexauth_session *session = live_new_session(&options);
    struct nexauth_error error;
    char expected[256];

    listener_answer(proxy, row->answer);
    live_ask(session, &who, &error);
    write_connect(live_emulator.nexusguard_https, expected, sizeof expected);
    const bool right = error.status == NEXAUTH_NETWORK && error.http_status == 0 && listener_requests(proxy) == 1 &&
                       strcmp(listener_request(proxy, 0), expected) == 0;
    if (!right)
        print_error("%s: %s, HTTP %d, %d requests: %s\n", row->name, nexauth_status_name(error.status),
                    error.http_status, listener_requests(proxy), error.message);
    nexauth_session_free(session);
    listener_stop(proxy);
    return !right;
}

static void a_proxy_that_refuses_is_a_network_failure(void **state)
{
    int wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof refusings / sizeof *refusings; i++)
        wrong += run_refusing(&refusings[i]);
    assert_int_equal(wrong, 0);
    assert_int_equal(live_requests(), 0);
}

/* ---- A client's certificate, and a pinned key ----------------------------------------------------------------------
 */

static int count_of(const char *fault, const char *member)
{
    char key[64];

    snprintf(key, sizeof key, "tls_faults %s", fault);
    return emulator_count_member(&live_emulator, key, member, 1);
}

static int requests_of(const char *fault)
{
    return count_of(fault, "requests");
}

static const struct showing {
    const char *name;
    const char *cert_file, *key_file;
    int requests; /* that were read: none of them is answered */
    const char *words;
} showings[] = {
    {"none", NULL, NULL, 0, "the server wants a certificate of the client"},
    {"the right one", CERT, KEY, 2, "did not answer before the connection ended"},
    {"an encrypted key", CERT, ENCRYPTED, 0, "client_key_file has no key that fits"},
    {"no key", CERT, CERT, 0, "client_key_file has no key that fits"},
    {"the key of another", CA, KEY, 0, "client_key_file has no key that fits"},
    {"no certificate", KEY, KEY, 0, "client_cert_file has no certificate that can be used"},
};

static int run_showing(const struct showing *row)
{
    const struct live_who who = {.kind = LIVE_NEX_USER, .origin = live_emulator.tls_wants_certificate};
    const struct nexauth_session_options options = {.client_cert_file = row->cert_file,
                                                    .client_key_file = row->key_file};
    const int before = requests_of("WANTS_CERTIFICATE");
    nexauth_session *session = live_new_session(&options);
    struct nexauth_error error;

    live_ask(session, &who, &error);
    const int requests = requests_of("WANTS_CERTIFICATE") - before;
    const bool right = error.status == NEXAUTH_NETWORK && requests == row->requests &&
                       strstr(error.message, row->words);
    if (!right)
        print_error("%s: %s, %d requests: %s\n", row->name, nexauth_status_name(error.status), requests, error.message);
    nexauth_session_free(session);
    return !right;
}

static void a_client_shows_its_certificate_to_a_server_that_wants_one(void **state)
{
    int wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof showings / sizeof *showings; i++)
        wrong += run_showing(&showings[i]);
    assert_int_equal(wrong, 0);
}

/* It is asked for anew by each connection: a service may cease to ask. */
static void a_server_that_merely_takes_a_certificate_is_sent_none(void **state)
{
    static const char *const passwords[] = {"one", "two", "three"};
    nexauth_session *session = live_new_session(NULL);
    struct nexauth_error error;

    (void)state;
    for (int i = 0; i < 3; i++) {
        const struct live_who who = {
            .kind = LIVE_NEX_USER, .other = passwords[i], .origin = live_emulator.tls_takes_certificate};

        assert_int_equal(live_ask(session, &who, &error), NEXAUTH_DENIED);
        assert_int_equal(count_of("TAKES_CERTIFICATE", "requests"), i + 1);
        assert_int_equal(count_of("TAKES_CERTIFICATE", "connections"), 2 * (i + 1));
    }
    nexauth_session_free(session);
}

/* The request has left then. */
static void a_server_that_asks_for_a_certificate_later_is_sent_none(void **state)
{
    const struct live_who who = {.kind = LIVE_NEX_USER, .origin = live_emulator.tls_asks_after_request};
    nexauth_session *session = live_new_session(NULL);
    struct nexauth_error error;

    (void)state;
    assert_int_equal(live_ask(session, &who, &error), NEXAUTH_DENIED);
    assert_int_equal(count_of("ASKS_AFTER_REQUEST", "connections"), 1);
    nexauth_session_free(session);
}

/* It has not left. */
static void a_server_that_wants_a_certificate_costs_no_refresh_token(void **state)
{
    const char *const origins[] = {live_emulator.tls_wants_certificate, live_emulator.tls_wants_certificate_1_2,
                                   live_emulator.tls_wants_certificate_1_3};

    (void)state;
    for (size_t i = 0; i < sizeof origins / sizeof *origins; i++) {
        const struct live_who who = {.kind = LIVE_NEXUSGUARD_SAVED, .origin = origins[i], .other = "kept"};
        nexauth_session *session = live_new_session(NULL);
        nexauth_source *source = live_new_source(session, &who);
        struct nexauth_error error;

        assert_int_equal(live_get_status(source, &error), NEXAUTH_NETWORK);
        assert_non_null(strstr(error.message, "the server wants a certificate of the client"));
        nexauth_source_free(source);
        nexauth_session_free(session);
    }
}

static nexauth_status ask_pinned(const char *pin, const struct live_who *who, struct nexauth_error *error)
{
    const struct nexauth_session_options options = {.pinned_key = pin};
    nexauth_session *session = live_new_session(&options);
    const nexauth_status status = live_ask(session, who, error);

    nexauth_session_free(session);
    return status;
}

static void a_pinned_key_is_the_only_one_that_serves(void **state)
{
    const struct live_who who = {.kind = LIVE_NEX_USER};
    struct nexauth_error error;
    char pins[192];

    (void)state;
    assert_int_equal(ask_pinned(WRONG_PIN, &who, &error), NEXAUTH_NETWORK);
    assert_non_null(strstr(error.message, "the server's key is not the one that is pinned"));
    assert_int_equal(live_requests(), 0);
    assert_int_equal(ask_pinned(live_emulator.pinned_key, &who, &error), NEXAUTH_OK);
    snprintf(pins, sizeof pins, "%s;%s", WRONG_PIN, live_emulator.pinned_key);
    assert_int_equal(ask_pinned(pins, &who, &error), NEXAUTH_OK);
    assert_int_equal(live_requests(), 2);
}

/* All of the emulator's certificates have that key. */
static void a_pinned_key_does_not_make_up_for_a_certificate(void **state)
{
    const struct live_who who = {.kind = LIVE_NEX_USER, .origin = live_emulator.tls_self_signed};
    struct nexauth_error error;

    (void)state;
    assert_int_equal(ask_pinned(live_emulator.pinned_key, &who, &error), NEXAUTH_NETWORK);
    assert_non_null(strstr(error.message, "signed by nobody but itself"));
    assert_int_equal(requests_of("SELF_SIGNED"), 0);
}

static int reset(void **state)
{
    (void)state;
    return emulator_reset(&live_emulator);
}

#define LIVE(test) cmocka_unit_test_setup(test, reset)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(a_proxy_is_told_where_to_and_sees_no_secret),
        LIVE(what_is_not_encrypted_passes_through_the_proxy_too),
        LIVE(a_proxy_that_refuses_is_a_network_failure),
        LIVE(a_client_shows_its_certificate_to_a_server_that_wants_one),
        LIVE(a_server_that_merely_takes_a_certificate_is_sent_none),
        LIVE(a_server_that_asks_for_a_certificate_later_is_sent_none),
        LIVE(a_server_that_wants_a_certificate_costs_no_refresh_token),
        LIVE(a_pinned_key_is_the_only_one_that_serves),
        LIVE(a_pinned_key_does_not_make_up_for_a_certificate),
    };

    return cmocka_run_group_tests(tests, live_start, live_stop);
}
