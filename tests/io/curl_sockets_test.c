/* How the transport waits: what its descriptor and its patience tell, and what a turn takes in. */
#include "support/test.h"

#include "io/wire_rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { DESCRIPTORS = 256 };

/* ---- An epoll that may refuse sockets ---------------------------------------------------------------------------- */

static bool refusing;

int __real_epoll_ctl(int set, int what, int descriptor,
                     struct epoll_event *event); /* NOLINT(bugprone-reserved-identifier) */
int __wrap_epoll_ctl(int set, int what, int descriptor,
                     struct epoll_event *event); /* NOLINT(bugprone-reserved-identifier) */

int __wrap_epoll_ctl(int set, int what, int descriptor, struct epoll_event *event)
{
    if (refusing && what == EPOLL_CTL_ADD) {
        errno = ENOSPC;
        return -1;
    }
    return __real_epoll_ctl(set, what, descriptor, event);
}

/* ---- An epoll that may fail, and pauses that take no time -------------------------------------------------------- */

static int failing_waits; /* so many, from now on */
static int pauses;
static int64_t longest_pause_ns;

int __real_epoll_wait(int set, struct epoll_event *events, int most, int wait_ms);
int __wrap_epoll_wait(int set, struct epoll_event *events, int most, int wait_ms);
int __wrap_nanosleep(const struct timespec *time, struct timespec *remaining);

int __wrap_epoll_wait(int set, struct epoll_event *events, int most, int wait_ms)
{
    if (failing_waits > 0) {
        failing_waits--;
        errno = EBADF;
        return -1;
    }
    return __real_epoll_wait(set, events, most, wait_ms);
}

int __wrap_nanosleep(const struct timespec *time, struct timespec *remaining)
{
    const int64_t ns = (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;

    (void)remaining;
    pauses++;
    if (ns > longest_pause_ns)
        longest_pause_ns = ns;
    return 0;
}

static int tear_down(void **state)
{
    refusing = false;
    return wire_tear_down(state);
}

/* ---- What is told ------------------------------------------------------------------------------------------------ */

static void an_idle_transport_has_nothing_to_do(void **state)
{
    struct wire *wire = *state;

    assert_int_equal(wire_patience(wire), -1);
    assert_false(wire_polls(wire, 0));
    assert_null(wire_turn(wire, 0));
    assert_int_equal(wire_patience(wire), -1);
}

static void what_was_begun_is_work_at_hand(void **state)
{
    struct wire *wire = *state;

    wire_begin(wire);
    assert_int_equal(wire_patience(wire), 0);
    wire->transport->verbs->give_up(wire->transport, &wire->exchange);
    assert_int_equal(wire_patience(wire), -1);
}

/* So that nothing of the request arrives later. */
static void an_exchange_that_is_given_up_resets_its_connection(void **state)
{
    struct wire *wire = *state;

    listener_answer(wire->listener, (struct listener_answer){.then = LISTENER_STALL});
    wire_begin(wire);
    wire_await_request(wire, 1);
    wire->transport->verbs->give_up(wire->transport, &wire->exchange);
    assert_int_equal(listener_await_end(wire->listener), 1);
}

static void an_answer_makes_the_descriptor_readable(void **state)
{
    struct wire *wire = *state;

    listener_answer(wire->listener,
                    (struct listener_answer){.text = wire_answer.text, .then = LISTENER_KEEP, .held = true});
    wire_begin(wire);
    wire_await_request(wire, 1);
    while (wire_patience(wire) == 0)
        assert_null(wire_turn(wire, 0));
    assert_false(wire_polls(wire, 0));
    listener_release(wire->listener);
    assert_true(wire_polls(wire, WIRE_FOR_EVER_MS));
    assert_ptr_equal(wire_turn(wire, 0), &wire->exchange);
    assert_int_equal(wire->exchange.response.http_status, 200);
    assert_false(wire_polls(wire, 0));
    assert_int_equal(wire_patience(wire), -1);
}

/* It is watched on; its end ends a wait, and no more than that. */
static void an_idle_connection_that_ends_is_let_go(void **state)
{
    struct wire *wire = *state;
    struct nx_exchange *finished = NULL;

    for (int i = 0; i < 3; i++) {
        listener_answer(wire->listener, (struct listener_answer){.text = wire_answer.text, .then = LISTENER_CLOSE});
        wire_begin(wire);
        do
            finished = wire_turn(wire, WIRE_FOR_EVER_MS);
        while (!finished);
        assert_int_equal(wire->exchange.response.http_status, 200);
        assert_true(wire_polls(wire, WIRE_FOR_EVER_MS));
        assert_null(wire_turn(wire, WIRE_FOR_EVER_MS));
        assert_false(wire_polls(wire, 0));
        assert_int_equal(wire_patience(wire), -1);
    }
    assert_int_equal(listener_connections(wire->listener), 3);
}

static void *wake(void *context)
{
    struct wire *wire = context;

    wire->transport->verbs->wakeup(wire->transport);
    return NULL;
}

static void a_wakeup_ends_one_wait(void **state)
{
    struct wire *wire = *state;
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, wake, wire), 0);
    assert_null(wire_turn(wire, WIRE_FOR_EVER_MS));
    pthread_join(thread, NULL);
    assert_false(wire_polls(wire, 0));
    wake(wire); /* nobody waits: it is the next one's */
    wake(wire);
    assert_true(wire_polls(wire, 0));
    assert_null(wire_turn(wire, WIRE_FOR_EVER_MS));
    assert_false(wire_polls(wire, 0));
}

static void on_alarm(int number)
{
    (void)number;
}

static void a_signal_ends_no_exchange(void **state)
{
    const struct sigaction caught = {.sa_handler = on_alarm};
    const struct itimerval often = {.it_interval = {.tv_usec = 2000}, .it_value = {.tv_usec = 2000}};
    const struct itimerval never = {0};
    struct wire *wire = *state;
    struct nx_exchange *finished = NULL;

    listener_answer(wire->listener, (struct listener_answer){.text = wire_answer.text, .held = true});
    assert_int_equal(sigaction(SIGALRM, &caught, NULL), 0);
    wire_begin(wire);
    wire_await_request(wire, 1);
    assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
    for (int i = 0; i < 20; i++)
        assert_null(wire_turn(wire, 100));
    listener_release(wire->listener);
    while (!finished)
        finished = wire_turn(wire, 100);
    assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
    assert_int_equal(wire->exchange.response.http_status, 200);
}

/* ---- What is read ------------------------------------------------------------------------------------------------ */

/* Who is late is judged after the turn: more than libcurl reads at a time must not count as late. */
static void a_turn_without_a_wait_reads_all_that_lies_there(void **state)
{
    enum { BODY = 50000 };
    static char text[BODY + 100];
    struct wire *wire = *state;
    const int head = snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", BODY);

    memset(text + head, 'x', BODY);
    listener_answer(wire->listener, (struct listener_answer){.text = text, .held = true});
    wire_begin(wire);
    wire_await_request(wire, 1);
    listener_release(wire->listener);
    while (listener_sent(wire->listener) < (size_t)head + BODY)
        wire_polls(wire, 1);
    assert_ptr_equal(wire_turn(wire, 0), &wire->exchange);
    assert_int_equal(wire->exchange.response.body.length, BODY);
}

/* Without a place in the set a socket is looked at all the same. It asks for one when it is new. */
static void a_socket_that_cannot_be_watched_is_read(void **state)
{
    struct wire *wire = *state;

    for (int i = 0; i < 3; i++) {
        struct nx_exchange *finished = NULL;

        refusing = i != 1;
        listener_answer(wire->listener, (struct listener_answer){.text = wire_answer.text, .then = LISTENER_CLOSE});
        wire_begin(wire);
        while (!finished)
            finished = wire_turn(wire, WIRE_FOR_EVER_MS);
        assert_int_equal(wire->exchange.response.http_status, 200);
        assert_int_equal(wire_patience(wire), -1);
    }
    assert_int_equal(listener_requests(wire->listener), 3);
}

/* ---- Descriptors ------------------------------------------------------------------------------------------------- */

/* Whether the descriptor is a connection to the listener. */
static bool is_connection(const struct wire *wire, int descriptor)
{
    struct sockaddr_in peer;
    socklen_t size = sizeof peer;

    return getpeername(descriptor, (struct sockaddr *)&peer, &size) == 0 && peer.sin_family == AF_INET &&
           ntohs(peer.sin_port) == listener_port(wire->listener);
}

/* Such as of a set that somebody else has closed. It is not tried again in a hurry, nor is anything late for that. */
static void a_wait_that_fails_is_a_short_pause(void **state)
{
    struct wire *wire = *state;
    struct nx_exchange *finished = NULL;

    listener_answer(wire->listener, wire_answer);
    wire_begin(wire);
    pauses = 0;
    longest_pause_ns = 0;
    failing_waits = 1;
    assert_null(wire_turn(wire, 4));
    assert_int_equal(pauses, 1);
    assert_in_range(longest_pause_ns, 0, 4000000);
    failing_waits = 3;
    while (!finished)
        finished = wire_turn(wire, WIRE_FOR_EVER_MS);
    assert_int_equal(failing_waits, 0);
    assert_int_equal(pauses, 4);
    assert_in_range(longest_pause_ns, 0, 10000000);
    assert_int_equal(wire->exchange.response.http_status, 200);
}

static void no_descriptor_outlives_an_exec_or_blocks(void **state)
{
    struct wire *wire = *state;
    const int set = wire->transport->verbs->descriptor(wire->transport);
    int connections = 0;

    wire_begin(wire);
    wire_await_request(wire, 1);
    assert_true(fcntl(set, F_GETFD) & FD_CLOEXEC);
    for (int i = 0; i < DESCRIPTORS; i++) {
        if (!is_connection(wire, i))
            continue;
        connections++;
        assert_true(fcntl(i, F_GETFD) & FD_CLOEXEC);
        assert_true(fcntl(i, F_GETFL) & O_NONBLOCK);
    }
    assert_int_equal(connections, 1);
    wire->transport->verbs->give_up(wire->transport, &wire->exchange);
}

/* ---- TLS --------------------------------------------------------------------------------------------------------- */

/* A server that takes connections, and closes them. */
static int open_server(char *origin, size_t size)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(server >= 0);
    assert_int_equal(bind(server, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(server, 1), 0);
    assert_int_equal(getsockname(server, (struct sockaddr *)&address, &length), 0);
    snprintf(origin, size, "https://127.0.0.1:%d", ntohs(address.sin_port));
    return server;
}

static void a_failed_handshake_is_no_failed_connect(void **state)
{
    struct wire *wire = *state;
    struct nx_exchange *finished = NULL;
    char origin[64];
    const int server = open_server(origin, sizeof origin);
    int connection;

    wire_begin_at(wire, origin);
    assert_null(wire_turn(wire, 0));
    connection = accept(server, NULL, NULL);
    close(connection);
    while (!finished)
        finished = wire_turn(wire, WIRE_FOR_EVER_MS);
    assert_int_equal(wire->exchange.loss, NX_LOSS_TLS);
    assert_int_equal(wire->exchange.sendings, 0);
    close(server);
    wire_begin_at(wire, origin);
    do
        finished = wire_turn(wire, WIRE_FOR_EVER_MS);
    while (!finished);
    assert_int_equal(wire->exchange.loss, NX_LOSS_CONNECT);
    assert_int_equal(wire->exchange.sendings, 0);
}

#define ON_A_WIRE(test) cmocka_unit_test_setup_teardown(test, wire_set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_WIRE(an_idle_transport_has_nothing_to_do),
        ON_A_WIRE(what_was_begun_is_work_at_hand),
        ON_A_WIRE(an_exchange_that_is_given_up_resets_its_connection),
        ON_A_WIRE(an_answer_makes_the_descriptor_readable),
        ON_A_WIRE(an_idle_connection_that_ends_is_let_go),
        ON_A_WIRE(a_wakeup_ends_one_wait),
        ON_A_WIRE(a_signal_ends_no_exchange),
        ON_A_WIRE(a_turn_without_a_wait_reads_all_that_lies_there),
        ON_A_WIRE(a_socket_that_cannot_be_watched_is_read),
        ON_A_WIRE(a_wait_that_fails_is_a_short_pause),
        ON_A_WIRE(no_descriptor_outlives_an_exec_or_blocks),
        ON_A_WIRE(a_failed_handshake_is_no_failed_connect),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
