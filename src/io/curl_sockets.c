#include "io/curl_sockets.h"

#include "io/system.h"

#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { EVENTS = 64, DEAF_WAIT_MS = 10 };

/*
 * libcurl tells what it wants to know of a socket, and when it no longer does. It may close one unseen and open another
 * under the same number, and epoll forgets what is closed: so neither "there already" nor "not there" is an error.
 */
static int watch(CURL *easy, curl_socket_t socket, int what, void *context, void *of_socket)
{
    struct nx_curl_sockets *sockets = context;
    struct epoll_event wanted = {.data.fd = socket};

    (void)easy;
    (void)of_socket;
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(sockets->set, EPOLL_CTL_DEL, socket, &wanted);
        return 0;
    }
    if (what & CURL_POLL_IN)
        wanted.events |= EPOLLIN;
    if (what & CURL_POLL_OUT)
        wanted.events |= EPOLLOUT;
    if (epoll_ctl(sockets->set, EPOLL_CTL_ADD, socket, &wanted) &&
        (errno != EEXIST || epoll_ctl(sockets->set, EPOLL_CTL_MOD, socket, &wanted)))
        sockets->deaf = true;
    return 0;
}

bool nx_curl_sockets_init(struct nx_curl_sockets *sockets, CURLM *multi)
{
    struct epoll_event wanted = {.events = EPOLLIN};

    sockets->multi = multi;
    sockets->deaf = false;
    sockets->set = epoll_create1(EPOLL_CLOEXEC);
    sockets->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    wanted.data.fd = sockets->event;
    return sockets->set >= 0 && sockets->event >= 0 &&
           epoll_ctl(sockets->set, EPOLL_CTL_ADD, sockets->event, &wanted) == 0 &&
           curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, watch) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, sockets) == CURLM_OK;
}

void nx_curl_sockets_release(struct nx_curl_sockets *sockets)
{
    if (sockets->event >= 0)
        close(sockets->event);
    if (sockets->set >= 0)
        close(sockets->set);
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

void nx_curl_sockets_run_due(struct nx_curl_sockets *sockets)
{
    int running;

    if (nx_curl_sockets_patience(sockets) == 0)
        curl_multi_socket_action(sockets->multi, CURL_SOCKET_TIMEOUT, 0, &running);
}

static void drain(const struct nx_curl_sockets *sockets)
{
    eventfd_t wakes;

    eventfd_read(sockets->event, &wakes);
}

/* An error or a hang-up is found by reading or writing. */
static void act(const struct nx_curl_sockets *sockets, const struct epoll_event *event)
{
    int ready = 0;
    int running;

    if (event->events & (EPOLLIN | EPOLLERR | EPOLLHUP))
        ready |= CURL_CSELECT_IN;
    if (event->events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
        ready |= CURL_CSELECT_OUT;
    curl_multi_socket_action(sockets->multi, event->data.fd, ready, &running);
}

static bool act_on_all(struct nx_curl_sockets *sockets, const struct epoll_event *events, int count)
{
    bool heard = false;

    for (int i = 0; i < count; i++) {
        if (events[i].data.fd == sockets->event) {
            drain(sockets);
        } else {
            act(sockets, &events[i]);
            heard = true;
        }
    }
    return heard;
}

/* A multi that performs looks at all its sockets by itself. */
static void look_at_all(struct nx_curl_sockets *sockets)
{
    int running = 0;

    sockets->deaf = curl_multi_perform(sockets->multi, &running) != CURLM_OK || running > 0;
}

bool nx_curl_sockets_read(struct nx_curl_sockets *sockets, int64_t wait_ms)
{
    const int64_t wait = sooner(wait_ms, nx_curl_sockets_patience(sockets));
    struct epoll_event events[EVENTS];
    const int count = epoll_wait(sockets->set, events, EVENTS, wait > INT_MAX ? INT_MAX : (int)wait);
    bool heard;

    if (count < 0 && errno != EINTR)
        nx_pause(wait);
    heard = act_on_all(sockets, events, count);
    if (sockets->deaf)
        look_at_all(sockets);
    nx_curl_sockets_run_due(sockets);
    return heard;
}

void nx_curl_sockets_wake(const struct nx_curl_sockets *sockets)
{
    eventfd_write(sockets->event, 1);
}
