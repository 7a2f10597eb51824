/*
 * Servers: sockets, TLS and threads, all of libmicrohttpd.
 *
 * Each connection has a thread of its own, so that an answer that waits keeps no other one waiting. When the first line
 * of a request was read, the limiter at the door judges it. When its head was read, it is noted as arrived and, unless
 * it was refused, meets its fault. Then it is collected whole; then, in one go under the
 * emulator's lock, it is counted and gets its answer from the service. A delay waits with the lock open. A request
 * counts as in flight until just before its answer is sent, so that whoever has the answer no longer sees the request
 * in the counts.
 */
#include "server.h"

#include "reply.h"
#include "text.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define BODY_MAX ((size_t)4 * 1024 * 1024)

enum { TRIES = 10 };

/* A request on its way in. */
struct exchange {
    struct emu_request request;
    bool begun; /* the head was read */
    struct emu_verdict verdict;
    struct emu_fault *fault;
};

/* The first line was read: what the limiter says. */
static struct emu_verdict admit(struct emu *emu, const struct emu_request *request, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

    pthread_mutex_lock(&emu->lock);
    struct emu_verdict verdict = emu_limits_admit(&emu->limits, request, info->client_addr, emu_now_us(emu));
    pthread_mutex_unlock(&emu->lock);
    return verdict;
}

/* Called with the bare request line, before anything else: later, libmicrohttpd has decoded the path and cut the query.
 */
static void *begin_exchange(void *context, const char *target, struct MHD_Connection *connection)
{
    const struct emu_server *server = context;
    struct exchange *exchange = emu_allocate(sizeof(*exchange));
    char *copy = emu_copy(target, strlen(target));
    char *mark = strchr(copy, '?');

    if (mark)
        *mark = '\0';
    exchange->request.service = server->service;
    exchange->request.target = copy;
    exchange->request.query = mark ? mark + 1 : NULL;
    if (server->service->id != EMU_VENDORS)
        exchange->verdict = admit(server->emu, &exchange->request, connection);
    return exchange;
}

static void end_exchange(void *context, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode reason)
{
    const struct emu_server *server = context;
    struct exchange *exchange = *state;

    (void)connection;
    (void)reason;
    if (!exchange)
        return;
    pthread_mutex_lock(&server->emu->lock);
    emu_fault_release(exchange->fault);
    pthread_mutex_unlock(&server->emu->lock);
    free(exchange->request.target);
    free(exchange->request.body);
    free(exchange);
    *state = NULL;
}

static enum MHD_Result note_header(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct emu_request *request = context;
    const char **place = NULL;

    (void)kind;
    if (strcasecmp(name, "Accept") == 0)
        place = &request->accept;
    else if (strcasecmp(name, "Content-Type") == 0)
        place = &request->content_type;
    else if (strcasecmp(name, "Authorization") == 0)
        place = &request->authorization;
    else if (strcasecmp(name, "request_iso8601") == 0)
        place = &request->iso8601;
    if (!place)
        return MHD_YES;
    if (*place && (place == &request->content_type || place == &request->authorization))
        request->header_twice = true;
    *place = value ? value : "";
    return MHD_YES;
}

static void collect(struct emu_request *request, const char *data, size_t size)
{
    if (request->too_large || size > BODY_MAX - request->length) {
        request->too_large = true;
        return;
    }
    char *body = emu_allocate(request->length + size + 1);
    if (request->length)
        memcpy(body, request->body, request->length);
    memcpy(body + request->length, data, size);
    free(request->body);
    request->body = body;
    request->length += size;
}

/* False when the connection is to be dropped without an answer. */
static bool answer_with_fault(struct emu *emu, struct emu_request *request, const struct emu_fault *fault,
                              struct emu_answer *answer)
{
    if (!fault) {
        emu_service_answer(emu, request, answer);
        return true;
    }
    request->connect = fault->connect;
    request->shape = fault->shape;
    if (fault->process)
        emu_service_answer(emu, request, answer);
    emu_fault_answer(fault, answer);
    return emu_wait_ms(emu, fault->delay_ms) && fault->drop != EMU_DROP_AFTER_READING;
}

static bool answer_vendor(struct emu *emu, struct exchange *exchange, struct emu_seen *seen, struct emu_answer *answer)
{
    struct emu_count *count = emu_counts_begin(&emu->counts, &exchange->request, seen);
    bool kept = exchange->verdict.refused
                    ? emu_limits_refuse(&emu->limits, &emu->shapes, &exchange->verdict, &exchange->request, answer)
                    : answer_with_fault(emu, &exchange->request, exchange->fault, answer);

    count->in_flight--;
    return kept;
}

static enum MHD_Result answer(const struct emu_server *server, struct MHD_Connection *connection,
                              struct exchange *exchange)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct emu *emu = server->emu;
    struct emu_answer answer = {0};
    enum MHD_Result result = MHD_NO;
    bool kept = true;

    pthread_mutex_lock(&emu->lock);
    if (server->service->id == EMU_VENDORS)
        emu_service_answer(emu, &exchange->request, &answer);
    else
        kept = answer_vendor(emu, exchange, info->socket_context, &answer);
    pthread_mutex_unlock(&emu->lock);
    if (kept)
        result = emu_reply(emu, connection, &answer, exchange->fault);
    emu_answer_release(&answer);
    return result;
}

/* The head was read. False when the connection is to be dropped before the rest is. */
static bool arrive(struct emu *emu, struct exchange *exchange)
{
    if (exchange->request.service->id == EMU_VENDORS)
        return true;
    pthread_mutex_lock(&emu->lock);
    struct emu_count *count = emu_counts_arrive(&emu->counts, &exchange->request, emu_now_us(emu));
    struct emu_fault *fault = exchange->verdict.refused
                                  ? NULL
                                  : emu_faults_take(&emu->faults, &exchange->request, emu_now_us(emu));
    bool kept = !fault || (emu_wait_ms(emu, fault->read_delay_ms) && fault->drop != EMU_DROP_BEFORE_READING);
    count->unread += !kept;
    pthread_mutex_unlock(&emu->lock);
    exchange->fault = fault;
    return kept;
}

/* Called when the headers were read, for each piece of the body, and, with no piece, when the request was read. */
static enum MHD_Result take_request(void *context, struct MHD_Connection *connection, const char *url,
                                    const char *method, const char *version, const char *data, size_t *size,
                                    void **state)
{
    const struct emu_server *server = context;
    struct exchange *exchange = *state;

    (void)url;
    (void)version;
    if (!exchange->begun) {
        exchange->begun = true;
        exchange->request.method = method;
        MHD_get_connection_values(connection, MHD_HEADER_KIND, note_header, &exchange->request);
        return arrive(server->emu, exchange) ? MHD_YES : MHD_NO;
    }
    if (*size == 0)
        return answer(server, connection, exchange);
    collect(&exchange->request, data, *size);
    *size = 0;
    return MHD_YES;
}

/* Gives each connection its memory of paths, and TLS session tickets before the handshake begins. */
static void note_connection(void *context, struct MHD_Connection *connection, void **socket_context,
                            enum MHD_ConnectionNotificationCode code)
{
    const struct emu_server *server = context;

    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        free(*socket_context);
        *socket_context = NULL;
        return;
    }
    *socket_context = emu_allocate(sizeof(struct emu_seen));
    if (server->tls) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
        gnutls_session_ticket_enable_server((gnutls_session_t)info->tls_session, &server->tls->ticket_key);
    }
}

static struct MHD_Daemon *start_daemon(struct emu_server *server, const struct sockaddr *address)
{
    static char priorities[] = "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1";
    const struct emu_tls *tls = server->tls;
    struct MHD_OptionItem secure[] = {
        {MHD_OPTION_HTTPS_MEM_KEY, 0, tls ? tls->certificates.key : NULL},
        {MHD_OPTION_HTTPS_MEM_CERT, 0, tls ? tls->certificates.of[EMU_RIGHT] : NULL},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, priorities},
        {MHD_OPTION_END, 0, NULL},
    };
    unsigned int flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL |
                         (tls ? (unsigned int)MHD_USE_TLS : 0U) |
                         (address->sa_family == AF_INET6 ? (unsigned int)MHD_USE_IPv6 : 0U);

    return MHD_start_daemon(flags, 0, NULL, NULL, take_request, server, MHD_OPTION_SOCK_ADDR, address,
                            MHD_OPTION_URI_LOG_CALLBACK, begin_exchange, server, MHD_OPTION_NOTIFY_COMPLETED,
                            end_exchange, server, MHD_OPTION_NOTIFY_CONNECTION, note_connection, server,
                            MHD_OPTION_ARRAY, tls ? secure : &secure[3], MHD_OPTION_END);
}

static bool has_v6(void)
{
    const struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int descriptor = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool bound = descriptor >= 0 && bind(descriptor, (const struct sockaddr *)&address, sizeof(address)) == 0;

    if (descriptor >= 0)
        close(descriptor);
    return bound;
}

/* A port of 127.0.0.1, and the same of ::1, which may be taken by somebody else. */
static bool listen_on_both(struct emu_server *server, bool v6)
{
    const struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 address_v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    const union MHD_DaemonInfo *info = NULL;

    server->daemon = start_daemon(server, (const struct sockaddr *)&address);
    if (server->daemon)
        info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
    if (!info)
        return false;
    server->port = info->port;
    address_v6.sin6_port = htons(server->port);
    if (v6)
        server->daemon_v6 = start_daemon(server, (const struct sockaddr *)&address_v6);
    return !v6 || server->daemon_v6;
}

bool emu_server_start(struct emu_server *server, struct emu *emu, const struct emu_service *service,
                      const struct emu_tls *tls)
{
    bool v6 = has_v6();

    *server = (struct emu_server){.emu = emu, .service = service, .tls = tls};
    for (int tries = 0; tries < TRIES; tries++) {
        if (listen_on_both(server, v6))
            return true;
        emu_server_stop(server);
    }
    fprintf(stderr, "nexauth-emulator: The service %s cannot be started.\n", service->name);
    return false;
}

void emu_server_stop(struct emu_server *server)
{
    if (server->daemon)
        MHD_stop_daemon(server->daemon);
    if (server->daemon_v6)
        MHD_stop_daemon(server->daemon_v6);
    server->daemon = NULL;
    server->daemon_v6 = NULL;
}
