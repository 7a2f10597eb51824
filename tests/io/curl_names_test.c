/* How the transport waits for the addresses of names. */
#include "support/test.h"

#include "io/curl_transport.h"
#include "io/system.h"
#include "support/listener.h"

#include <curl/curl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { CAP = 65536, BOUND_MS = 60000 }; /* the bound ends a test that has failed */

/* ---- Names, which are this machine's, or nobody's ---------------------------------------------------------------- */

static atomic_bool names_are_known;
static atomic_bool names_are_nobodys;
static atomic_int names_asked;

/* In place of the C library's, for libcurl, which asks by a thread of its own. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    static struct sockaddr_in address;
    static struct addrinfo entry;

    (void)name;
    (void)hints;
    names_asked++;
    while (!names_are_known)
        sched_yield();
    if (names_are_nobodys)
        return EAI_NONAME;
    address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons((in_port_t)(service ? strtol(service, NULL, 10) : 0));
    entry = (struct addrinfo){.ai_family = AF_INET, .ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP};
    entry.ai_addrlen = sizeof address;
    entry.ai_addr = (struct sockaddr *)&address;
    *found = &entry;
    return 0;
}

void freeaddrinfo(struct addrinfo *found)
{
    (void)found;
}

/* ---- Requests ---------------------------------------------------------------------------------------------------- */

/* Whether the descriptor is readable within the time. */
static bool polls(struct nx_transport *transport, int wait_ms)
{
    struct pollfd watched = {.fd = transport->verbs->descriptor(transport), .events = POLLIN};

    return poll(&watched, 1, wait_ms) == 1;
}

/* To a host of which nothing is known yet. */
static enum nx_loss ask_at(struct nx_transport *transport, struct listener *listener, const char *host)
{
    struct nx_exchange exchange;
    struct nx_exchange *finished = NULL;
    const int connections = listener_connections(listener);
    enum nx_loss loss;
    char origin[64];

    names_are_known = false;
    names_asked = 0;
    if (!names_are_nobodys)
        listener_answer(listener, (struct listener_answer){.text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"});
    snprintf(origin, sizeof origin, "http://%s:%d", host, listener_port(listener));
    nx_exchange_init(&exchange, CAP);
    nx_request_begin(&exchange.request, NX_CARRIER_FORM, origin, "/token");
    assert_int_equal(nx_request_end(&exchange.request), NEXAUTH_OK);
    transport->verbs->begin(transport, &exchange);
    do
        assert_null(transport->verbs->turn(transport, 0));
    while (!names_asked);
    assert_int_equal(listener_connections(listener), connections);
    names_are_known = true;
    while (!finished) {
        assert_true(polls(transport, BOUND_MS));
        finished = transport->verbs->turn(transport, 0);
    }
    assert_int_equal(exchange.response.http_status, exchange.loss ? 0 : 200);
    loss = exchange.loss;
    nx_exchange_release(&exchange);
    return loss;
}

/* libcurl waits for each by a socket that it has opened by itself, and that is closed when the next is opened. */
static void a_name_that_is_found_or_not_makes_the_descriptor_readable(void **state)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    const struct nx_curl_settings settings = {
        .connect_timeout_ms = 600000, .max_connections = 8, .max_answer_bytes = CAP};
    struct listener *listener = listener_start("127.0.0.1");
    struct nx_transport *transport = nx_curl_transport_new(&settings, &nx_system_clock);
    static const char *const hosts[] = {"one.test", "two.test", "three.test", "four.test", "five.test"};

    (void)state;
    assert_non_null(listener);
    assert_non_null(transport);
    if (!(info->features & CURL_VERSION_ASYNCHDNS) || info->ares)
        skip(); /* it asks in another way */
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        names_are_nobodys = i % 2;
        assert_int_equal(ask_at(transport, listener, hosts[i]), i % 2 ? NX_LOSS_CONNECT : NX_LOSS_NONE);
    }
    assert_null(transport->verbs->turn(transport, 0)); /* lets go of what is waited for no longer */
    assert_int_equal(transport->verbs->patience(transport), -1);
    assert_false(polls(transport, 0));
    transport->verbs->free(transport);
    listener_stop(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_that_is_found_or_not_makes_the_descriptor_readable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
