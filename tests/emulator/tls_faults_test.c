/*
 * The ports where TLS fails: no client keeps one for itself.
 */
#include "support/test.h"

#include "exchange.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 6000, PAUSE_MS = 200 };

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int connect_to(const char *origin)
{
    const uint16_t port = (uint16_t)strtoul(strrchr(origin, ':') + 1, NULL, 10);
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(descriptor >= 0);
    assert_int_equal(connect(descriptor, (const struct sockaddr *)&address, sizeof(address)), 0);
    return descriptor;
}

/* Whether the emulator closed the connection by then, or within the pause. */
static int is_closed(int descriptor)
{
    struct pollfd source = {.fd = descriptor, .events = POLLIN};

    return poll(&source, 1, PAUSE_MS) > 0;
}

/* The head of a TLS record, of which another byte comes whenever the server might lose its patience. */
static void a_connection_has_its_time_as_a_whole(void **state)
{
    static const char head[] = "\x16\x03\x01\x40";
    const int64_t until_ms = now_ms() + PATIENCE_MS;
    int descriptor = connect_to(emulator.tls_expired);
    int closed = 0;

    (void)state;
    send(descriptor, head, sizeof(head), MSG_NOSIGNAL);
    while (!closed && now_ms() < until_ms) {
        send(descriptor, "\x01", 1, MSG_NOSIGNAL);
        closed = is_closed(descriptor);
    }
    close(descriptor);
    assert_true(closed);
}

static void an_idle_connection_does_not_keep_the_others_waiting(void **state)
{
    const int64_t until_ms = now_ms() + PATIENCE_MS;
    int descriptor = connect_to(emulator.tls_closes_after_request);
    struct response response;

    (void)state;
    exchange(emulator.tls_closes_after_request, "GET", "/", NULL, NULL, &response);
    assert_true(now_ms() < until_ms);
    assert_int_equal(emulator_count_member(&emulator, "tls_faults CLOSES_AFTER_REQUEST", "requests", 1), 1);
    close(descriptor);
}

static int start(void **state)
{
    (void)state;
    return emulator_start(&emulator, NULL);
}

static int stop(void **state)
{
    (void)state;
    return emulator_stop(&emulator);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_has_its_time_as_a_whole),
        cmocka_unit_test(an_idle_connection_does_not_keep_the_others_waiting),
    };

    curl_global_init(CURL_GLOBAL_DEFAULT);
    int failed = cmocka_run_group_tests(tests, start, stop);
    curl_global_cleanup();
    return failed;
}
