#include "support/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 256, REQUEST_MAX = 128 * 1024 };

struct connection {
    struct listener *listener;
    pthread_t thread;
    int socket;  /* -1 when it is closed; with the lock */
    char *bytes; /* received and not yet taken */
    size_t size;
};

struct listener {
    int socket;
    int port;
    char origin[64];
    pthread_t acceptor;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* With the lock: */
    bool stopping;
    bool released;
    struct connection connections[CONNECTIONS_MAX];
    int connection_count;
    struct listener_answer answers[LISTENER_REQUESTS];
    int answer_count;
    char *requests[LISTENER_REQUESTS];
    int request_count;
    int ends;   /* connections that the other side ended */
    int resets; /* of these: by a reset */
    size_t received;
    size_t sent;
};

static void note(struct listener *listener, size_t *counter, size_t size)
{
    pthread_mutex_lock(&listener->lock);
    *counter += size;
    pthread_mutex_unlock(&listener->lock);
}

static void note_end(struct listener *listener, bool reset)
{
    pthread_mutex_lock(&listener->lock);
    listener->ends++;
    listener->resets += reset;
    pthread_cond_broadcast(&listener->changed);
    pthread_mutex_unlock(&listener->lock);
}

static bool send_bytes(struct connection *connection, const char *bytes, size_t size)
{
    while (size > 0) {
        const ssize_t sent = send(connection->socket, bytes, size, MSG_NOSIGNAL);

        if (sent <= 0)
            return false;
        note(connection->listener, &connection->listener->sent, (size_t)sent);
        bytes += sent;
        size -= (size_t)sent;
    }
    return true;
}

static bool receive(struct connection *connection)
{
    char *end = connection->bytes + connection->size;
    const ssize_t got = recv(connection->socket, end, REQUEST_MAX - connection->size, 0);

    if (got <= 0) {
        note_end(connection->listener, got < 0 && errno == ECONNRESET);
        return false;
    }
    connection->size += (size_t)got;
    connection->bytes[connection->size] = '\0';
    note(connection->listener, &connection->listener->received, (size_t)got);
    return true;
}

/* The size of the whole request at the front, 0 while it is not there. */
static size_t whole_request(const struct connection *connection)
{
    const char *head_end = strstr(connection->bytes, "\r\n\r\n");
    const char *line = strstr(connection->bytes, "\r\n");
    size_t body = 0;

    if (!head_end)
        return 0;
    for (; line < head_end; line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, "Content-Length:", 15) == 0)
            body = (size_t)strtoul(line + 17, NULL, 10);
    }
    const size_t size = (size_t)(head_end - connection->bytes) + 4 + body;
    return size <= connection->size ? size : 0;
}

/* Keeps the request of that size. Its number, or -1 when it is one too many. */
static int keep_request(struct connection *connection, size_t size)
{
    struct listener *listener = connection->listener;
    int number = -1;

    pthread_mutex_lock(&listener->lock);
    if (listener->request_count < LISTENER_REQUESTS) {
        number = listener->request_count++;
        listener->requests[number] = strndup(connection->bytes, size);
        pthread_cond_broadcast(&listener->changed);
    }
    pthread_mutex_unlock(&listener->lock);
    connection->size -= size;
    memmove(connection->bytes, connection->bytes + size, connection->size + 1);
    return number;
}

/* What a request is answered with, once that is known and not held; false when the listener stops before that. */
static bool take_answer(struct listener *listener, int number, struct listener_answer *answer)
{
    pthread_mutex_lock(&listener->lock);
    while (!listener->stopping &&
           (number >= listener->answer_count || (listener->answers[number].held && !listener->released)))
        pthread_cond_wait(&listener->changed, &listener->lock);
    const bool stopping = listener->stopping;
    if (!stopping)
        *answer = listener->answers[number];
    pthread_mutex_unlock(&listener->lock);
    return !stopping;
}

static void pause_ms(int ms)
{
    const struct timespec moment = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

    if (ms > 0)
        nanosleep(&moment, NULL);
}

/* False when the connection is to be closed. */
static bool give(struct connection *connection, const struct listener_answer *answer)
{
    static const struct linger none = {.l_onoff = 1, .l_linger = 0};
    const char *text = answer->text ? answer->text : "";

    if (!send_bytes(connection, text, answer->length ? answer->length : strlen(text)))
        return false;
    if (answer->then == LISTENER_RESET)
        setsockopt(connection->socket, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    while (answer->then == LISTENER_STALL && receive(connection))
        connection->size = 0;
    while (answer->then == LISTENER_REPEAT && send_bytes(connection, answer->again, strlen(answer->again)))
        pause_ms(answer->pause_ms);
    return answer->then == LISTENER_KEEP;
}

static void close_connection(struct connection *connection)
{
    pthread_mutex_lock(&connection->listener->lock);
    close(connection->socket);
    connection->socket = -1;
    pthread_mutex_unlock(&connection->listener->lock);
}

static void *serve(void *context)
{
    struct connection *connection = context;
    struct listener_answer answer;
    bool open = true;

    connection->bytes = calloc(1, REQUEST_MAX + 1);
    while (open && connection->bytes && receive(connection)) {
        for (size_t size; open && (size = whole_request(connection)) > 0;) {
            const int number = keep_request(connection, size);

            open = number >= 0 && take_answer(connection->listener, number, &answer) && give(connection, &answer);
        }
    }
    close_connection(connection);
    free(connection->bytes);
    return NULL;
}

/* With the lock: so a connection's socket and thread are known before anybody looks for them. */
static void add_connection(struct listener *listener, int accepted)
{
    struct connection *connection = &listener->connections[listener->connection_count];

    if (listener->stopping || listener->connection_count == CONNECTIONS_MAX) {
        close(accepted);
        return;
    }
    *connection = (struct connection){.listener = listener, .socket = accepted};
    if (pthread_create(&connection->thread, NULL, serve, connection) == 0)
        listener->connection_count++;
    else
        close(accepted);
}

static void *accept_all(void *context)
{
    struct listener *listener = context;
    int accepted;

    while ((accepted = accept(listener->socket, NULL, NULL)) >= 0) {
        pthread_mutex_lock(&listener->lock);
        add_connection(listener, accepted);
        pthread_mutex_unlock(&listener->lock);
    }
    return NULL;
}

/* A socket that listens, or -1. */
static int open_socket(const char *address, int *port)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    struct sockaddr_in four = {.sin_family = AF_INET};
    const bool is_six = inet_pton(AF_INET6, address, &six.sin6_addr) == 1;
    struct sockaddr *place = is_six ? (struct sockaddr *)&six : (struct sockaddr *)&four;
    socklen_t size = is_six ? sizeof six : sizeof four;
    const int opened = socket(place->sa_family, SOCK_STREAM, 0);

    if (opened < 0)
        return -1;
    if ((!is_six && inet_pton(AF_INET, address, &four.sin_addr) != 1) || bind(opened, place, size) ||
        listen(opened, SOMAXCONN) || getsockname(opened, place, &size)) {
        close(opened);
        return -1;
    }
    *port = ntohs(is_six ? six.sin6_port : four.sin_port);
    return opened;
}

struct listener *listener_start(const char *address)
{
    struct listener *listener = calloc(1, sizeof *listener);

    if (!listener)
        return NULL;
    listener->socket = open_socket(address, &listener->port);
    if (listener->socket < 0) {
        free(listener);
        return NULL;
    }
    snprintf(listener->origin, sizeof listener->origin, strchr(address, ':') ? "http://[%s]:%d" : "http://%s:%d",
             address, listener->port);
    pthread_mutex_init(&listener->lock, NULL);
    pthread_cond_init(&listener->changed, NULL);
    if (pthread_create(&listener->acceptor, NULL, accept_all, listener) != 0)
        abort();
    return listener;
}

void listener_stop(struct listener *listener)
{
    if (!listener)
        return;
    pthread_mutex_lock(&listener->lock);
    listener->stopping = true;
    pthread_cond_broadcast(&listener->changed);
    for (int i = 0; i < listener->connection_count; i++) {
        if (listener->connections[i].socket >= 0)
            shutdown(listener->connections[i].socket, SHUT_RDWR);
    }
    pthread_mutex_unlock(&listener->lock);
    shutdown(listener->socket, SHUT_RDWR);
    pthread_join(listener->acceptor, NULL);
    for (int i = 0; i < listener->connection_count; i++)
        pthread_join(listener->connections[i].thread, NULL);
    close(listener->socket);
    for (int i = 0; i < listener->request_count; i++)
        free(listener->requests[i]);
    pthread_cond_destroy(&listener->changed);
    pthread_mutex_destroy(&listener->lock);
    free(listener);
}

const char *listener_origin(const struct listener *listener)
{
    return listener->origin;
}

int listener_port(const struct listener *listener)
{
    return listener->port;
}

void listener_answer(struct listener *listener, struct listener_answer answer)
{
    pthread_mutex_lock(&listener->lock);
    if (listener->answer_count == LISTENER_REQUESTS)
        abort();
    listener->answers[listener->answer_count++] = answer;
    pthread_cond_broadcast(&listener->changed);
    pthread_mutex_unlock(&listener->lock);
}

void listener_release(struct listener *listener)
{
    pthread_mutex_lock(&listener->lock);
    listener->released = true;
    pthread_cond_broadcast(&listener->changed);
    pthread_mutex_unlock(&listener->lock);
}

int listener_await_end(struct listener *listener)
{
    int resets;

    pthread_mutex_lock(&listener->lock);
    while (listener->ends == 0)
        pthread_cond_wait(&listener->changed, &listener->lock);
    resets = listener->resets;
    pthread_mutex_unlock(&listener->lock);
    return resets;
}

void listener_await(struct listener *listener, int requests)
{
    pthread_mutex_lock(&listener->lock);
    while (listener->request_count < requests)
        pthread_cond_wait(&listener->changed, &listener->lock);
    pthread_mutex_unlock(&listener->lock);
}

int listener_connections(struct listener *listener)
{
    pthread_mutex_lock(&listener->lock);
    const int connections = listener->connection_count;
    pthread_mutex_unlock(&listener->lock);
    return connections;
}

int listener_requests(struct listener *listener)
{
    pthread_mutex_lock(&listener->lock);
    const int requests = listener->request_count;
    pthread_mutex_unlock(&listener->lock);
    return requests;
}

static size_t read_counter(struct listener *listener, const size_t *counter)
{
    pthread_mutex_lock(&listener->lock);
    const size_t value = *counter;
    pthread_mutex_unlock(&listener->lock);
    return value;
}

size_t listener_received(struct listener *listener)
{
    return read_counter(listener, &listener->received);
}

size_t listener_sent(struct listener *listener)
{
    return read_counter(listener, &listener->sent);
}

const char *listener_request(struct listener *listener, int number)
{
    pthread_mutex_lock(&listener->lock);
    const char *request = number < listener->request_count ? listener->requests[number] : "";
    pthread_mutex_unlock(&listener->lock);
    return request;
}
