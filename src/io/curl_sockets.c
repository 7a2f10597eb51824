#include "io/curl_sockets.h"

#include "io/system.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* EVENTS: taken at a time. ROOM: for the states of that many descriptors more. */
enum { EVENTS = 64, DEAF_WAIT_MS = 10, ROOM = 64 };

/* The state of a descriptor. The first two are libcurl's bits for what it waits for: here, what epoll was told. */
enum {
    TOLD_IN = CURL_POLL_IN,
    TOLD_OUT = CURL_POLL_OUT,
    TOLD = TOLD_IN | TOLD_OUT,
    WANTED = 8, /* libcurl waits for something */
    OURS = 16   /* opened here, so that its end is seen here: it may stay in the set */
};

static bool make_room(struct nx_curl_sockets *sockets, size_t count)
{
    unsigned char *states = realloc(sockets->states, count + ROOM);

    if (!states)
        return false;
    memset(states + sockets->count, 0, count + ROOM - sockets->count);
    sockets->states = states;
    sockets->count = count + ROOM;
    return true;
}

/* NULL when memory ran out. */
static unsigned char *state_of(struct nx_curl_sockets *sockets, curl_socket_t socket)
{
    const size_t at = (size_t)socket;

    return at < sockets->count || make_room(sockets, at + 1) ? &sockets->states[at] : NULL;
}

curl_socket_t nx_curl_sockets_open(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    const int opened = nx_above_streams(socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol));
    unsigned char *state = opened >= 0 ? state_of(context, opened) : NULL;

    (void)purpose;
    if (state)
        *state = OURS;
    return opened;
}

/* Who is closed leaves the set by itself. */
int nx_curl_sockets_close(void *context, curl_socket_t socket)
{
    unsigned char *state = state_of(context, socket);

    if (state)
        *state = 0;
    return close(socket);
}

void nx_curl_sockets_reset(curl_socket_t socket)
{
    const struct linger at_once = {.l_onoff = 1};

    setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

static void leave(struct nx_curl_sockets *sockets, curl_socket_t socket, unsigned char *state)
{
    struct epoll_event unused = {0};

    if (*state & TOLD)
        epoll_ctl(sockets->set, EPOLL_CTL_DEL, socket, &unused);
    *state &= OURS;
}

/* Those that libcurl opens and closes by itself, for its resolver, may be in the set, or not, against what is known. */
static bool tell(const struct nx_curl_sockets *sockets, curl_socket_t socket, int what)
{
    struct epoll_event wanted = {.data.fd = socket};

    if (what & CURL_POLL_IN)
        wanted.events |= EPOLLIN;
    if (what & CURL_POLL_OUT)
        wanted.events |= EPOLLOUT;
    return epoll_ctl(sockets->set, EPOLL_CTL_ADD, socket, &wanted) == 0 ||
           (errno == EEXIST && epoll_ctl(sockets->set, EPOLL_CTL_MOD, socket, &wanted) == 0);
}

/* Its resolver's sockets are none of ours. */
static void note_connection(CURL *easy, curl_socket_t socket, const unsigned char *state)
{
    curl_socket_t *noted = NULL;

    if (state && (*state & OURS) && curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&noted) == CURLE_OK && noted)
        *noted = socket;
}

/* libcurl tells what it waits for at a socket, and when it no longer does. */
static int watch(CURL *easy, curl_socket_t socket, int what, void *context, void *of_socket)
{
    struct nx_curl_sockets *sockets = context;
    unsigned char *state = state_of(sockets, socket);

    (void)of_socket;
    if (what != CURL_POLL_REMOVE)
        note_connection(easy, socket, state);
    if (state && what == CURL_POLL_REMOVE) {
        *state &= (unsigned char)~WANTED;
        if (!(*state & OURS))
            leave(sockets, socket, state);
    } else if (state && ((*state & TOLD) == what || tell(sockets, socket, what))) {
        *state = (unsigned char)((*state & OURS) | WANTED | what);
    } else {
        sockets->deaf = true;
    }
    return 0;
}

bool nx_curl_sockets_init(struct nx_curl_sockets *sockets)
{
    struct epoll_event wanted = {.events = EPOLLIN};

    sockets->set = nx_above_streams(epoll_create1(EPOLL_CLOEXEC));
    sockets->event = nx_above_streams(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    wanted.data.fd = sockets->event;
    return sockets->set >= 0 && sockets->event >= 0 &&
           epoll_ctl(sockets->set, EPOLL_CTL_ADD, sockets->event, &wanted) == 0;
}

bool nx_curl_sockets_attach(struct nx_curl_sockets *sockets, CURLM *multi)
{
    const bool reports = curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, watch) == CURLM_OK &&
                         curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, sockets) == CURLM_OK;

    if (reports) {
        sockets->multi = multi;
        sockets->deaf = false;
        sockets->spoiled = false;
    }
    return reports;
}

/* Without a multi nothing is due, and nothing is done. */
static void close_own(struct nx_curl_sockets *sockets)
{
    if (sockets->event >= 0)
        close(sockets->event);
    if (sockets->set >= 0)
        close(sockets->set);
    sockets->event = -1;
    sockets->set = -1;
    sockets->multi = NULL;
    sockets->deaf = false;
    sockets->spoiled = false;
}

void nx_curl_sockets_abandon(struct nx_curl_sockets *sockets)
{
    for (size_t i = 0; i < sockets->count; i++) {
        if (sockets->states[i] & OURS)
            close((int)i);
        sockets->states[i] = 0;
    }
    close_own(sockets);
}

void nx_curl_sockets_release(struct nx_curl_sockets *sockets)
{
    free(sockets->states);
    sockets->states = NULL;
    sockets->count = 0;
    close_own(sockets);
}

static int64_t sooner(int64_t wait_ms, int64_t other_ms)
{
    return other_ms >= 0 && (wait_ms < 0 || other_ms < wait_ms) ? other_ms : wait_ms;
}

/* Asked when it is wanted; a timer function would be told of every change in between. */
int64_t nx_curl_sockets_patience(const struct nx_curl_sockets *sockets)
{
    long wait_ms = -1;

    curl_multi_timeout(sockets->multi, &wait_ms);
    return sooner(wait_ms, sockets->deaf ? DEAF_WAIT_MS : -1);
}

/* A multi that performs looks at all its sockets by itself. */
static void look_at_all(struct nx_curl_sockets *sockets)
{
    int running = 0;

    sockets->deaf = curl_multi_perform(sockets->multi, &running) != CURLM_OK || running > 0;
}

/*
 * When memory runs out while libcurl 7.88 notes who waits at a socket, it leaves a note behind that makes the next to
 * wait there crash, and a request that nobody watches. A multi that only performs does not look at such notes.
 */
static void tell_multi(struct nx_curl_sockets *sockets, curl_socket_t socket, int what)
{
    int running;

    if (curl_multi_socket_action(sockets->multi, socket, what, &running) != CURLM_OK)
        sockets->spoiled = sockets->deaf = true;
}

void nx_curl_sockets_run_due(struct nx_curl_sockets *sockets)
{
    if (sockets->spoiled)
        look_at_all(sockets);
    else if (sockets->multi) /* libcurl 7.88 looks into it before it asks whether it is one */
        tell_multi(sockets, CURL_SOCKET_TIMEOUT, 0);
}

static void drain(const struct nx_curl_sockets *sockets)
{
    eventfd_t wakes;

    eventfd_read(sockets->event, &wakes);
}

/*
 * Of the readiness libcurl 7.88 makes one note for each connection, which may be left for the next of its streams: that
 * one would find that it cannot write, and have its answer before it has sent its body, which is then an error. So both
 * are said to be; who is not ready finds out.
 */
static bool act_on_all(struct nx_curl_sockets *sockets, const struct epoll_event *events, int count)
{
    bool heard = false;

    for (int i = 0; i < count; i++) {
        const int descriptor = events[i].data.fd;
        unsigned char *state;

        if (descriptor == sockets->event) {
            drain(sockets);
            continue;
        }
        state = &sockets->states[descriptor]; /* it is in the set, so it has one */
        if ((*state & WANTED) && !sockets->spoiled) {
            tell_multi(sockets, descriptor, CURL_CSELECT_IN | CURL_CSELECT_OUT);
            heard = true;
        } else {
            leave(sockets, descriptor, state);
        }
    }
    return heard;
}

bool nx_curl_sockets_read(struct nx_curl_sockets *sockets, int64_t wait_ms)
{
    const int64_t wait = sooner(wait_ms, nx_curl_sockets_patience(sockets));
    struct epoll_event events[EVENTS];
    bool heard;
    int count;

    nx_lock_give(&sockets->busy);
    count = epoll_wait(sockets->set, events, EVENTS, wait > INT_MAX ? INT_MAX : (int)wait);
    if (count < 0 && errno != EINTR)
        nx_pause(wait);
    nx_lock_take(&sockets->busy);
    heard = act_on_all(sockets, events, count);
    if (!heard && !sockets->deaf) /* what acts on a socket runs what is due */
        nx_curl_sockets_run_due(sockets);
    if (sockets->deaf)
        look_at_all(sockets);
    return heard;
}

void nx_curl_sockets_wake(const struct nx_curl_sockets *sockets)
{
    eventfd_write(sockets->event, 1);
}
