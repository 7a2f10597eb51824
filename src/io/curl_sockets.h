/*
 * The sockets of a multi, watched by an epoll set of our own, with an event in the set that wakes who waits. Known to
 * the curl_*.c files only. One thread at a time, but for nx_curl_sockets_wake(), and with `busy`, which only
 * nx_curl_sockets_read() gives back while it waits: who forks meanwhile finds libcurl and its sockets at rest.
 *
 * A connection stays in the set between two requests: to leave it and to come back costs as much as to send a request.
 * Should something happen to one that is idle, such as its end, it leaves the set.
 *
 * CURLOPT_PRIVATE of each handle points at a curl_socket_t, where the handle's connection is noted.
 */
#ifndef NX_CURL_SOCKETS_H
#define NX_CURL_SOCKETS_H

#include "io/lock.h"

#include <curl/curl.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nx_curl_sockets {
    CURLM *multi;
    int set;          /* epoll's descriptor */
    atomic_int event; /* wakes; in the set */
    bool deaf;        /* a socket could not be watched: until nothing is under way, all are looked at every few ms */
    bool spoiled;     /* the multi is not to be told of sockets any more: it is as if deaf, until another is attached */
    unsigned char *states; /* by descriptor */
    size_t count;          /* of the states */
    struct nx_lock busy;   /* held by who works with the multi, but not by who waits */
};

/* False when descriptors or memory ran out; to be released all the same. `busy` is made by the owner. */
bool nx_curl_sockets_init(struct nx_curl_sockets *sockets);

/* The multi, which takes the place of an idle one or of none, reports its sockets from now on. False: it does not. */
bool nx_curl_sockets_attach(struct nx_curl_sockets *sockets, CURLM *multi);

/* In a child that was forked: closes what it has of the parent's. The parent notices nothing, as the set and the
 * connections are its own still. Allocates nothing. */
void nx_curl_sockets_abandon(struct nx_curl_sockets *sockets);

/* The multi must be gone. */
void nx_curl_sockets_release(struct nx_curl_sockets *sockets);

/* For the handles, with the sockets as context: open and close the multi's connections. */
curl_socket_t nx_curl_sockets_open(void *context, curlsocktype purpose, struct curl_sockaddr *address);
int nx_curl_sockets_close(void *context, curl_socket_t socket);

/* Whenever this connection is closed, nothing that is still on its way out is delivered. */
void nx_curl_sockets_reset(curl_socket_t socket);

/* How long until the multi has something to do by time alone: 0 now, -1 never. */
int64_t nx_curl_sockets_patience(const struct nx_curl_sockets *sockets);

/* Lets the multi do what is due by time, such as to begin what was added to it. */
void nx_curl_sockets_run_due(struct nx_curl_sockets *sockets);

/* Waits for the sockets, the multi's time or a wake, wait_ms at most; lets the multi work on what came. True when a
 * socket had something, so that it may have more: libcurl reads 16 kB at a time. */
bool nx_curl_sockets_read(struct nx_curl_sockets *sockets, int64_t wait_ms);

/* From any thread: ends a wait, or the next one. */
void nx_curl_sockets_wake(const struct nx_curl_sockets *sockets);

#endif
