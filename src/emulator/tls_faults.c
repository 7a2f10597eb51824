/*
 * Each port has one thread, which serves one connection after the other. All its waiting is in poll, on the connection
 * and on the pipe that tells it to stop. A connection has its time as a whole, however it spends it, so that none keeps
 * the others waiting for longer.
 */
#include "tls_faults.h"

#include "emulator.h"
#include "text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTION_MS = 2000, PAUSE_MS = 100, REQUEST_MAX = 65536 };

struct connection {
    struct emu_tls_fault_server *server;
    int descriptor;
    int64_t until_ms; /* on CLOCK_MONOTONIC */
};

typedef void serve_fault(struct connection *connection);

static serve_fault close_at_once;
static serve_fault read_and_close;
static serve_fault answer_in_plain_text;
static serve_fault speak_tls;

#define ONLY(version) "NORMAL:-VERS-ALL:+VERS-TLS" version
#define TODAY         ONLY("1.2") ":+VERS-TLS1.3"

static const struct kind {
    const char *name;
    serve_fault *serve;
    const char *priorities;
    enum emu_certificate_id certificate;
    gnutls_certificate_request_t of_client;
    bool answers;                                /* a whole request */
    gnutls_certificate_request_t of_client_then; /* before that, once more */
} kinds[EMU_TLS_FAULTS] = {
    [EMU_CLOSES_AT_ACCEPT] = {"CLOSES_AT_ACCEPT", .serve = close_at_once},
    [EMU_CLOSES_IN_HANDSHAKE] = {"CLOSES_IN_HANDSHAKE", .serve = read_and_close},
    [EMU_PLAIN_TEXT] = {"PLAIN_TEXT", .serve = answer_in_plain_text},
    [EMU_TLS_1_1] = {"TLS_1_1", speak_tls, ONLY("1.1"), .certificate = EMU_RIGHT},
    [EMU_CERTIFICATE_EXPIRED] = {"EXPIRED", speak_tls, TODAY, .certificate = EMU_EXPIRED},
    [EMU_CERTIFICATE_WRONG_NAME] = {"WRONG_NAME", speak_tls, TODAY, .certificate = EMU_WRONG_NAME},
    [EMU_CERTIFICATE_SELF_SIGNED] = {"SELF_SIGNED", speak_tls, TODAY, .certificate = EMU_SELF_SIGNED},
    [EMU_CERTIFICATE_UNKNOWN_CA] = {"UNKNOWN_CA", speak_tls, TODAY, .certificate = EMU_UNKNOWN_AUTHORITY},
    [EMU_CERTIFICATE_CLIENTS_ONLY] = {"CLIENTS_ONLY", speak_tls, TODAY, .certificate = EMU_CLIENTS_ONLY},
    [EMU_WANTS_CERTIFICATE] = {"WANTS_CERTIFICATE", speak_tls, TODAY, EMU_RIGHT, .of_client = GNUTLS_CERT_REQUIRE},
    [EMU_WANTS_CERTIFICATE_1_2] = {"WANTS_CERTIFICATE_1_2", speak_tls, ONLY("1.2"), EMU_RIGHT,
                                   .of_client = GNUTLS_CERT_REQUIRE},
    [EMU_WANTS_CERTIFICATE_1_3] = {"WANTS_CERTIFICATE_1_3", speak_tls, ONLY("1.3"), EMU_RIGHT,
                                   .of_client = GNUTLS_CERT_REQUIRE},
    [EMU_TAKES_CERTIFICATE] = {"TAKES_CERTIFICATE", speak_tls, TODAY, EMU_RIGHT, .of_client = GNUTLS_CERT_REQUEST,
                               .answers = true},
    [EMU_ASKS_AFTER_REQUEST] = {"ASKS_AFTER_REQUEST", speak_tls, ONLY("1.2"), EMU_RIGHT, .answers = true,
                                .of_client_then = GNUTLS_CERT_REQUEST},
    [EMU_WANTS_CERTIFICATE_LATER] = {"WANTS_CERTIFICATE_LATER", speak_tls, ONLY("1.3"), EMU_RIGHT,
                                     .of_client_then = GNUTLS_CERT_REQUIRE},
    [EMU_CLOSES_AFTER_REQUEST] = {"CLOSES_AFTER_REQUEST", speak_tls, TODAY, .certificate = EMU_RIGHT},
};

static const struct kind *kind_of(const struct connection *connection)
{
    return &kinds[connection->server->id];
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Whether there is something to read or accept. */
static bool wait_for(int descriptor, int stop, int patience_ms)
{
    struct pollfd sources[] = {{.fd = descriptor, .events = POLLIN}, {.fd = stop, .events = POLLIN}};
    int ready = 0;

    do
        ready = poll(sources, 2, patience_ms);
    while (ready < 0 && errno == EINTR);
    return ready > 0 && sources[1].revents == 0;
}

/* As recv(): 0 at the end, -1 with errno. */
static ssize_t receive(gnutls_transport_ptr_t context, void *bytes, size_t most)
{
    const struct connection *connection = context;
    int64_t left_ms = connection->until_ms - now_ms();

    if (left_ms > 0 && wait_for(connection->descriptor, connection->server->stop, (int)left_ms))
        return recv(connection->descriptor, bytes, most, 0);
    errno = ECONNRESET;
    return -1;
}

/* A client that is gone is no reason for SIGPIPE. */
static ssize_t push(gnutls_transport_ptr_t context, const void *bytes, size_t length)
{
    const struct connection *connection = context;

    return send(connection->descriptor, bytes, length, MSG_NOSIGNAL);
}

static void close_at_once(struct connection *connection)
{
    (void)connection;
}

static void read_and_close(struct connection *connection)
{
    char bytes[4096];

    receive(connection, bytes, sizeof(bytes));
}

static void answer_in_plain_text(struct connection *connection)
{
    static const char answer[] = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

    read_and_close(connection);
    push(connection, answer, sizeof(answer) - 1);
}

static struct emu_tls_fault_count *count_of(const struct connection *connection)
{
    return &connection->server->emu->tls_faults.of[connection->server->id];
}

static void note(const struct connection *connection, unsigned long requests, unsigned long bytes)
{
    struct emu *emu = connection->server->emu;

    pthread_mutex_lock(&emu->lock);
    count_of(connection)->requests += requests;
    count_of(connection)->bytes += bytes;
    pthread_mutex_unlock(&emu->lock);
}

/* How long the whole request is whose text this is so far; 0 while its head is not there. */
static size_t whole_length(const char *text)
{
    const char *end = strstr(text, "\r\n\r\n");
    const char *line = strstr(text, "\r\n");
    size_t body = 0;

    if (!end)
        return 0;
    for (; line < end; line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, "Content-Length:", 15) == 0)
            body = strtoul(line + 17, NULL, 10);
    }
    return (size_t)(end + 4 - text) + body;
}

/* Or, by TLS 1.3, has the client answer a question that comes later. The client learns why it fails. */
static bool shake_hands(gnutls_session_t session, bool later)
{
    int failed = 0;

    do
        failed = later ? gnutls_reauth(session, 0) : gnutls_handshake(session);
    while (failed < 0 && !gnutls_error_is_fatal(failed));
    if (failed < 0)
        gnutls_alert_send_appropriate(session, failed);
    return failed == 0;
}

/* By TLS 1.2 there is another handshake for that. */
static bool ask_client(gnutls_session_t session, gnutls_certificate_request_t request)
{
    gnutls_certificate_server_set_request(session, request);
    if (gnutls_protocol_get_version(session) >= GNUTLS_TLS1_3)
        return shake_hands(session, true);
    return gnutls_rehandshake(session) == 0 && shake_hands(session, false);
}

static void answer_request(const struct connection *connection, gnutls_session_t session)
{
    static const char answer[] = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    const struct kind *kind = kind_of(connection);

    if (kind->of_client_then && !ask_client(session, kind->of_client_then))
        return;
    if (kind->answers)
        gnutls_record_send(session, answer, sizeof(answer) - 1);
}

static void serve_request(const struct connection *connection, gnutls_session_t session)
{
    char *text = emu_allocate(REQUEST_MAX + 1);
    size_t length = 0;

    while (length < REQUEST_MAX && (whole_length(text) == 0 || length < whole_length(text))) {
        ssize_t count = gnutls_record_recv(session, text + length, REQUEST_MAX - length);
        if (count == GNUTLS_E_INTERRUPTED || count == GNUTLS_E_AGAIN)
            continue;
        if (count <= 0)
            break;
        length += (size_t)count;
        note(connection, 0, (unsigned long)count);
    }
    if (whole_length(text) > 0 && length >= whole_length(text)) {
        note(connection, 1, 0);
        answer_request(connection, session);
    }
    free(text);
}

static gnutls_certificate_credentials_t make_credentials(const struct emu_tls *tls, enum emu_certificate_id certificate)
{
    char *pem = tls->certificates.of[certificate];
    gnutls_datum_t public = {.data = (unsigned char *)pem, .size = (unsigned int)strlen(pem)};
    gnutls_datum_t private = {.data = (unsigned char *)tls->certificates.key,
                              .size = (unsigned int)strlen(tls->certificates.key)};
    gnutls_certificate_credentials_t credentials = NULL;

    if (gnutls_certificate_allocate_credentials(&credentials))
        return NULL;
    if (gnutls_certificate_set_x509_key_mem(credentials, &public, &private, GNUTLS_X509_FMT_PEM) >= 0)
        return credentials;
    gnutls_certificate_free_credentials(credentials);
    return NULL;
}

/* What the client has sent meanwhile is read, unseen: were it not, closing would reset the connection, and the client
 * would not read why. */
static void drain(struct connection *connection)
{
    char bytes[4096];

    shutdown(connection->descriptor, SHUT_WR);
    while (receive(connection, bytes, sizeof(bytes)) > 0)
        ;
}

/* As far as the client goes along. */
static void speak_tls(struct connection *connection)
{
    const struct kind *kind = kind_of(connection);
    gnutls_certificate_credentials_t credentials = make_credentials(connection->server->tls, kind->certificate);
    gnutls_session_t session = NULL;

    if (credentials && gnutls_init(&session, GNUTLS_SERVER | GNUTLS_POST_HANDSHAKE_AUTH) == 0 &&
        gnutls_priority_set_direct(session, kind->priorities, NULL) == 0 &&
        gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials) == 0) {
        gnutls_transport_set_ptr(session, connection);
        gnutls_transport_set_pull_function(session, receive);
        gnutls_transport_set_push_function(session, push);
        gnutls_certificate_server_set_request(session, kind->of_client);
        if (shake_hands(session, false))
            serve_request(connection, session);
        else
            drain(connection);
    }
    if (session)
        gnutls_deinit(session);
    if (credentials)
        gnutls_certificate_free_credentials(credentials);
}

static void serve(struct emu_tls_fault_server *server, int descriptor)
{
    struct connection connection = {server, descriptor, now_ms() + CONNECTION_MS};

    pthread_mutex_lock(&server->emu->lock);
    count_of(&connection)->connections++;
    pthread_mutex_unlock(&server->emu->lock);
    kind_of(&connection)->serve(&connection);
    close(descriptor);
}

static void *run(void *context)
{
    struct emu_tls_fault_server *server = context;

    while (wait_for(server->listener, server->stop, -1)) {
        int descriptor = accept(server->listener, NULL, NULL);
        if (descriptor >= 0)
            serve(server, descriptor);
        else
            wait_for(-1, server->stop, PAUSE_MS); /* for descriptors: the connection is still there to be accepted */
    }
    return NULL;
}

static bool listen_on_loopback(struct emu_tls_fault_server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);

    server->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (server->listener < 0 || bind(server->listener, (const struct sockaddr *)&address, sizeof(address)) ||
        listen(server->listener, 128) || getsockname(server->listener, (struct sockaddr *)&address, &length))
        return false;
    server->port = ntohs(address.sin_port);
    return true;
}

static bool start(struct emu_tls_fault_server *server)
{
    server->running = listen_on_loopback(server) && pthread_create(&server->thread, NULL, run, server) == 0;
    if (!server->running)
        fprintf(stderr, "nexauth-emulator: The TLS fault %s cannot be started.\n", kinds[server->id].name);
    return server->running;
}

bool emu_tls_faults_start(struct emu_tls_fault_servers *servers, struct emu *emu, const struct emu_tls *tls)
{
    servers->begun = pipe(servers->stop) == 0;
    if (!servers->begun)
        return false;
    for (size_t i = 0; i < EMU_TLS_FAULTS; i++)
        servers->of[i] = (struct emu_tls_fault_server){
            .emu = emu, .tls = tls, .id = (enum emu_tls_fault_id)i, .listener = -1, .stop = servers->stop[0]};
    for (size_t i = 0; i < EMU_TLS_FAULTS; i++) {
        if (!start(&servers->of[i]))
            return false;
    }
    return true;
}

void emu_tls_faults_stop(struct emu_tls_fault_servers *servers)
{
    if (!servers->begun)
        return;
    close(servers->stop[1]);
    for (size_t i = 0; i < EMU_TLS_FAULTS; i++) {
        if (servers->of[i].running)
            pthread_join(servers->of[i].thread, NULL);
        if (servers->of[i].listener >= 0)
            close(servers->of[i].listener);
    }
    close(servers->stop[0]);
    servers->begun = false;
}

void emu_tls_faults_tell(const struct emu_tls_fault_servers *servers, FILE *stream)
{
    for (size_t i = 0; i < EMU_TLS_FAULTS; i++)
        fprintf(stream, "TLS_FAULTS_%s=https://127.0.0.1:%u\n", kinds[i].name, servers->of[i].port);
}

void emu_tls_faults_report(const struct emu_tls_faults *faults, cJSON *report)
{
    for (size_t i = 0; i < EMU_TLS_FAULTS; i++) {
        char *key = emu_format("tls_faults %s", kinds[i].name);
        cJSON *object = cJSON_AddObjectToObject(report, key);
        cJSON_AddNumberToObject(object, "connections", (double)faults->of[i].connections);
        cJSON_AddNumberToObject(object, "requests", (double)faults->of[i].requests);
        cJSON_AddNumberToObject(object, "bytes", (double)faults->of[i].bytes);
        free(key);
    }
}

void emu_tls_faults_reset(struct emu_tls_faults *faults)
{
    *faults = (struct emu_tls_faults){0};
}
