/*
 * A raw server of the test's own, on plain http: it keeps every request as it came and answers from a list, byte by
 * byte as the test wants it. Depends on neither cmocka nor the library.
 */
#ifndef NX_TEST_LISTENER_H
#define NX_TEST_LISTENER_H

#include <stdbool.h>
#include <stddef.h>

enum { LISTENER_REQUESTS = 64 };

enum listener_end {
    LISTENER_KEEP,  /* the connection serves on */
    LISTENER_CLOSE, /* it is closed */
    LISTENER_RESET, /* it is reset */
    LISTENER_STALL, /* it stays open, in silence */
    LISTENER_REPEAT /* `again` is sent over and over, until the other side has had enough */
};

/* All texts have to outlive the listener. */
struct listener_answer {
    const char *text;       /* NULL: none */
    size_t length;          /* of the text; 0: up to its NUL */
    enum listener_end then; /* after the text */
    const char *again;      /* LISTENER_REPEAT */
    int pause_ms;           /* LISTENER_REPEAT: before each */
    bool held;              /* until listener_release() */
};

struct listener;

/* Listens at "127.0.0.1" or "::1", on a port that the system picks. NULL when that cannot be. */
struct listener *listener_start(const char *address);
void listener_stop(struct listener *listener);

/* Such as "http://127.0.0.1:34181". */
const char *listener_origin(const struct listener *listener);
int listener_port(const struct listener *listener);

/* The answer to the next request that has none, whichever connection it comes by. Requests beyond the list stall. */
void listener_answer(struct listener *listener, struct listener_answer answer);

/* Gives the answers that are held, and those that are going to be. */
void listener_release(struct listener *listener);

/* Waits until so many whole requests have come. */
void listener_await(struct listener *listener, int requests);

/* Waits until the other side has ended a connection. How many it has reset so far. */
int listener_await_end(struct listener *listener);

/* What was seen so far: connections, whole requests, and bytes, whole requests or not. */
int listener_connections(struct listener *listener);
int listener_requests(struct listener *listener);
size_t listener_received(struct listener *listener);
size_t listener_sent(struct listener *listener);

/* A whole request: head and body. Lives as long as the listener. */
const char *listener_request(struct listener *listener, int number);

#endif
