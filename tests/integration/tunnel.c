#include "tunnel.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEAD_MAX = 4096, SEEN_MAX = 65536 };

struct passage {
    struct tunnel *tunnel;
    pthread_t thread;
    int client;
    char head[HEAD_MAX];
    char seen[SEEN_MAX]; /* from the client, with the head */
    size_t seen_size;
};

struct tunnel {
    int listener;
    int stop[2]; /* a pipe: its end is the end of all */
    char origin[64];
    pthread_t acceptor;
    pthread_mutex_t lock;
    struct passage *passages[TUNNEL_CONNECTIONS];
    int count;
};

/* Waits until one of them can be read. False when the tunnel stops. */
static bool wait_for(const struct tunnel *tunnel, struct pollfd *sources, nfds_t count)
{
    sources[0] = (struct pollfd){.fd = tunnel->stop[0], .events = POLLIN};
    return poll(sources, count, -1) > 0 && !sources[0].revents;
}

static bool send_all(int to, const char *bytes, size_t size)
{
    for (ssize_t sent; size > 0; bytes += sent, size -= (size_t)sent) {
        sent = send(to, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
    }
    return true;
}

static void note(struct passage *passage, const char *bytes, size_t size)
{
    pthread_mutex_lock(&passage->tunnel->lock);
    if (size > SEEN_MAX - passage->seen_size)
        size = SEEN_MAX - passage->seen_size;
    memcpy(passage->seen + passage->seen_size, bytes, size);
    passage->seen_size += size;
    pthread_mutex_unlock(&passage->tunnel->lock);
}

/* The head, which comes in pieces. False when the client ends before. */
static bool read_head(struct passage *passage)
{
    size_t size = 0;

    while (size < HEAD_MAX - 1 && !strstr(passage->head, "\r\n\r\n")) {
        struct pollfd sources[2] = {{0}, {.fd = passage->client, .events = POLLIN}};
        const ssize_t got = wait_for(passage->tunnel, sources, 2)
                                ? recv(passage->client, passage->head + size, HEAD_MAX - 1 - size, 0)
                                : 0;

        if (got <= 0)
            return false;
        note(passage, passage->head + size, (size_t)got);
        size += (size_t)got;
    }
    return true;
}

/* To the port that the head names, on loopback whatever host it names; -1 when it names none. */
static int reach(const char *head)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const size_t size = strcspn(head, "\r");
    const char *colon = strncmp(head, "CONNECT ", 8) == 0 ? memchr(head, ':', size) : NULL;
    int reached;

    if (!colon)
        return -1;
    address.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
    reached = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (reached >= 0 && connect(reached, (const struct sockaddr *)&address, sizeof address) == 0)
        return reached;
    close(reached);
    return -1;
}

static bool pass_on(struct passage *passage, int from, int to)
{
    char bytes[4096];
    const ssize_t got = recv(from, bytes, sizeof bytes, 0);

    if (got <= 0)
        return false;
    if (from == passage->client)
        note(passage, bytes, (size_t)got);
    return send_all(to, bytes, (size_t)got);
}

static void relay(struct passage *passage, int server)
{
    struct pollfd sources[3] = {{0}, {.fd = passage->client, .events = POLLIN}, {.fd = server, .events = POLLIN}};
    bool open = true;

    while (open && wait_for(passage->tunnel, sources, 3)) {
        if (sources[1].revents)
            open = pass_on(passage, passage->client, server);
        if (open && sources[2].revents)
            open = pass_on(passage, server, passage->client);
    }
}

static void *serve(void *context)
{
    static const char fine[] = "HTTP/1.1 200 OK\r\nX-Of-The-Proxy: 1\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n";
    struct passage *passage = context;
    int server = -1;

    if (read_head(passage))
        server = reach(passage->head);
    if (server >= 0 && send_all(passage->client, fine, sizeof fine - 1))
        relay(passage, server);
    if (server >= 0)
        close(server);
    shutdown(passage->client, SHUT_RDWR);
    return NULL;
}

static void add(struct tunnel *tunnel, int client)
{
    struct passage *passage = tunnel->count < TUNNEL_CONNECTIONS ? calloc(1, sizeof *passage) : NULL;

    if (!passage)
        abort();
    passage->tunnel = tunnel;
    passage->client = client;
    pthread_mutex_lock(&tunnel->lock);
    tunnel->passages[tunnel->count++] = passage;
    if (pthread_create(&passage->thread, NULL, serve, passage) != 0)
        abort();
    pthread_mutex_unlock(&tunnel->lock);
}

static void *accept_all(void *context)
{
    struct tunnel *tunnel = context;
    struct pollfd sources[2] = {{0}, {.fd = tunnel->listener, .events = POLLIN}};

    while (wait_for(tunnel, sources, 2)) {
        const int client = accept(tunnel->listener, NULL, NULL);

        if (client >= 0)
            add(tunnel, client);
    }
    return NULL;
}

static bool open_listener(struct tunnel *tunnel)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;

    tunnel->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (tunnel->listener < 0 || bind(tunnel->listener, (const struct sockaddr *)&address, size) ||
        listen(tunnel->listener, SOMAXCONN) || getsockname(tunnel->listener, (struct sockaddr *)&address, &size))
        return false;
    snprintf(tunnel->origin, sizeof tunnel->origin, "http://127.0.0.1:%d", ntohs(address.sin_port));
    return true;
}

struct tunnel *tunnel_start(void)
{
    struct tunnel *tunnel = calloc(1, sizeof *tunnel);

    if (!tunnel)
        return NULL;
    pthread_mutex_init(&tunnel->lock, NULL);
    if (open_listener(tunnel) && pipe(tunnel->stop) == 0 &&
        pthread_create(&tunnel->acceptor, NULL, accept_all, tunnel) == 0)
        return tunnel;
    abort();
}

void tunnel_stop(struct tunnel *tunnel)
{
    close(tunnel->stop[1]);
    pthread_join(tunnel->acceptor, NULL);
    for (int i = 0; i < tunnel->count; i++) {
        pthread_join(tunnel->passages[i]->thread, NULL);
        close(tunnel->passages[i]->client);
        free(tunnel->passages[i]);
    }
    close(tunnel->listener);
    close(tunnel->stop[0]);
    pthread_mutex_destroy(&tunnel->lock);
    free(tunnel);
}

const char *tunnel_origin(const struct tunnel *tunnel)
{
    return tunnel->origin;
}

int tunnel_connections(struct tunnel *tunnel)
{
    pthread_mutex_lock(&tunnel->lock);
    const int count = tunnel->count;
    pthread_mutex_unlock(&tunnel->lock);
    return count;
}

const char *tunnel_request(struct tunnel *tunnel, int number)
{
    return number < tunnel_connections(tunnel) ? tunnel->passages[number]->head : "";
}

static bool occurs(const struct passage *passage, const char *text, size_t size)
{
    for (size_t at = 0; at + size <= passage->seen_size; at++) {
        if (memcmp(passage->seen + at, text, size) == 0)
            return true;
    }
    return false;
}

bool tunnel_saw(struct tunnel *tunnel, const char *text)
{
    bool saw = false;

    pthread_mutex_lock(&tunnel->lock);
    for (int i = 0; i < tunnel->count && !saw; i++)
        saw = occurs(tunnel->passages[i], text, strlen(text));
    pthread_mutex_unlock(&tunnel->lock);
    return saw;
}
