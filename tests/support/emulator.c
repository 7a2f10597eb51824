#include "support/emulator.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PLACE(member) offsetof(struct emulator, member), sizeof(((struct emulator *)NULL)->member)

enum { ARGUMENTS_MAX = 16, REPLY_MAX = 65536, PATIENCE_MS = 10000, CONTROL_TIMEOUT_MS = 10000 };

extern char **environ;

static const struct place {
    const char *key;
    size_t offset;
    size_t size;
} places[] = {
    {"NEX_HTTPS", PLACE(nex_https)},
    {"NEX_HTTP", PLACE(nex_http)},
    {"QUANTOZ_TEST_HTTPS", PLACE(quantoz_test_https)},
    {"QUANTOZ_TEST_HTTP", PLACE(quantoz_test_http)},
    {"QUANTOZ_PRODUCTION_HTTPS", PLACE(quantoz_production_https)},
    {"QUANTOZ_PRODUCTION_HTTP", PLACE(quantoz_production_http)},
    {"NEXUSGUARD_HTTPS", PLACE(nexusguard_https)},
    {"NEXUSGUARD_HTTP", PLACE(nexusguard_http)},
    {"QUANTOZ_TEST_API_HTTPS", PLACE(quantoz_test_api_https)},
    {"QUANTOZ_TEST_API_HTTP", PLACE(quantoz_test_api_http)},
    {"QUANTOZ_PRODUCTION_API_HTTPS", PLACE(quantoz_production_api_https)},
    {"QUANTOZ_PRODUCTION_API_HTTP", PLACE(quantoz_production_api_http)},
    {"TLS_FAULTS_CLOSES_AT_ACCEPT", PLACE(tls_closes_at_accept)},
    {"TLS_FAULTS_CLOSES_IN_HANDSHAKE", PLACE(tls_closes_in_handshake)},
    {"TLS_FAULTS_PLAIN_TEXT", PLACE(tls_plain_text)},
    {"TLS_FAULTS_TLS_1_1", PLACE(tls_1_1)},
    {"TLS_FAULTS_EXPIRED", PLACE(tls_expired)},
    {"TLS_FAULTS_WRONG_NAME", PLACE(tls_wrong_name)},
    {"TLS_FAULTS_SELF_SIGNED", PLACE(tls_self_signed)},
    {"TLS_FAULTS_UNKNOWN_CA", PLACE(tls_unknown_ca)},
    {"TLS_FAULTS_CLIENTS_ONLY", PLACE(tls_clients_only)},
    {"TLS_FAULTS_WANTS_CERTIFICATE", PLACE(tls_wants_certificate)},
    {"TLS_FAULTS_WANTS_CERTIFICATE_1_2", PLACE(tls_wants_certificate_1_2)},
    {"TLS_FAULTS_WANTS_CERTIFICATE_1_3", PLACE(tls_wants_certificate_1_3)},
    {"TLS_FAULTS_TAKES_CERTIFICATE", PLACE(tls_takes_certificate)},
    {"TLS_FAULTS_ASKS_AFTER_REQUEST", PLACE(tls_asks_after_request)},
    {"TLS_FAULTS_WANTS_CERTIFICATE_LATER", PLACE(tls_wants_certificate_later)},
    {"TLS_FAULTS_CLOSES_AFTER_REQUEST", PLACE(tls_closes_after_request)},
    {"CONTROL", PLACE(control)},
    {"CA_FILE", PLACE(ca_file)},
    {"PINNED_KEY", PLACE(pinned_key)},
};

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "emulator: %s: %s\n", what, why);
    return -1;
}

static void close_pipe(int ends[2])
{
    close(ends[0]);
    close(ends[1]);
}

/* Both ends are closed in programs that are started later. */
static int open_pipe(int ends[2])
{
    if (pipe(ends))
        return fail("pipe", strerror(errno));
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    return 0;
}

static int spawn(struct emulator *emulator, int input, int output, const char *const extra_args[])
{
    const char *arguments[ARGUMENTS_MAX + 3] = {NEXAUTH_EMULATOR_PATH, "--until-eof"};
    char *texts[ARGUMENTS_MAX + 3]; /* the same pointers, as posix_spawn has them: it does not write to them */
    posix_spawn_file_actions_t actions;

    for (size_t i = 0; extra_args && extra_args[i] && i < ARGUMENTS_MAX; i++)
        arguments[i + 2] = extra_args[i];
    memcpy(texts, arguments, sizeof(texts));
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    int failed = posix_spawn(&emulator->pid, NEXAUTH_EMULATOR_PATH, &actions, NULL, texts, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed)
        emulator->pid = 0;
    return failed ? fail(NEXAUTH_EMULATOR_PATH, strerror(failed)) : 0;
}

static void read_line(struct emulator *emulator, char *line)
{
    char *value = strchr(line, '=');

    line[strcspn(line, "\n")] = '\0';
    if (!value)
        return;
    *value++ = '\0';
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        if (strcmp(places[i].key, line) == 0)
            snprintf((char *)emulator + places[i].offset, places[i].size, "%s", value);
    }
}

/* Takes the descriptor. */
static int read_lines(struct emulator *emulator, int output)
{
    FILE *stream = fdopen(output, "r");
    char line[sizeof(emulator->ca_file) + 64];
    int ready = 0;

    if (!stream) {
        close(output);
        return fail("fdopen", strerror(errno));
    }
    while (!ready && fgets(line, sizeof(line), stream)) {
        ready = strcmp(line, "READY=1\n") == 0;
        read_line(emulator, line);
    }
    fclose(stream);
    return ready ? 0 : fail(NEXAUTH_EMULATOR_PATH, "ended before it was ready");
}

int emulator_start(struct emulator *emulator, const char *const extra_args[])
{
    int input[2];
    int output[2];

    *emulator = (struct emulator){.input = -1};
    if (open_pipe(input))
        return -1;
    if (open_pipe(output)) {
        close_pipe(input);
        return -1;
    }
    int failed = spawn(emulator, input[0], output[1], extra_args);
    close(input[0]);
    close(output[1]);
    if (failed) {
        close(input[1]);
        close(output[0]);
        return failed;
    }
    emulator->input = input[1];
    failed = read_lines(emulator, output[0]);
    if (failed)
        emulator_stop(emulator);
    return failed;
}

/* A process that was forked from the test may hold the other end of the pipe, so the pipe alone does not always end it.
 */
static pid_t wait_patiently(pid_t pid, int *status)
{
    const struct timespec moment = {.tv_nsec = 5000000};
    pid_t ended = 0;

    for (int waited_ms = 0; waited_ms < PATIENCE_MS && ended == 0; waited_ms += 5) {
        if (waited_ms == PATIENCE_MS / 2)
            kill(pid, SIGTERM);
        ended = waitpid(pid, status, WNOHANG);
        if (ended == 0)
            nanosleep(&moment, NULL);
    }
    if (ended != 0)
        return ended;
    kill(pid, SIGKILL);
    return waitpid(pid, status, 0);
}

int emulator_wait(struct emulator *emulator)
{
    int status = 0;
    pid_t ended = wait_patiently(emulator->pid, &status);

    emulator->pid = 0;
    if (ended < 0)
        return fail("waitpid", strerror(errno));
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : fail(NEXAUTH_EMULATOR_PATH, "did not end cleanly");
}

int emulator_stop(struct emulator *emulator)
{
    if (emulator->pid <= 0)
        return 0;
    if (emulator->input >= 0)
        close(emulator->input);
    emulator->input = -1;
    return emulator_wait(emulator);
}

struct reply {
    char text[REPLY_MAX];
    size_t length;
};

static size_t keep_reply(char *data, size_t size, size_t count, void *context)
{
    struct reply *reply = context;
    size_t length = size * count;

    if (length >= sizeof(reply->text) - reply->length)
        return 0;
    memcpy(reply->text + reply->length, data, length);
    reply->length += length;
    reply->text[reply->length] = '\0';
    return length;
}

/* body: NULL for a GET. 0 when the answer is 2xx. */
static int ask_control(struct emulator *emulator, const char *path, const char *body, struct reply *reply)
{
    char url[128];
    long status = 0;
    CURL *curl = curl_easy_init();

    if (!curl)
        return fail(path, "no memory");
    reply->length = 0;
    reply->text[0] = '\0';
    snprintf(url, sizeof(url), "%s%s", emulator->control, path);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)CONTROL_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep_reply);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, reply);
    if (body)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    CURLcode failed = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    if (failed)
        return fail(path, curl_easy_strerror(failed));
    return status >= 200 && status < 300 ? 0 : fail(path, reply->text);
}

int emulator_fault(struct emulator *emulator, const char *json)
{
    struct reply reply;

    return ask_control(emulator, "/faults", json, &reply);
}

int emulator_tokens(struct emulator *emulator, const char *json)
{
    struct reply reply;

    return ask_control(emulator, "/tokens", json, &reply);
}

int emulator_limit(struct emulator *emulator, const char *json)
{
    struct reply reply;

    return ask_control(emulator, "/limits", json, &reply);
}

int emulator_stop_clock(struct emulator *emulator)
{
    struct reply reply;

    return ask_control(emulator, "/clock", "{\"stopped\":true}", &reply);
}

int emulator_advance(struct emulator *emulator, long advance_ms)
{
    struct reply reply;
    char body[64];

    snprintf(body, sizeof(body), "{\"advance_ms\":%ld}", advance_ms);
    return ask_control(emulator, "/clock", body, &reply);
}

/* The emulator writes no white space. Tokens have no character that JSON escapes. */
int emulator_is_alive(struct emulator *emulator, const char *token)
{
    struct reply reply;
    char body[8192];

    snprintf(body, sizeof(body), "{\"token\":\"%s\"}", token);
    return ask_control(emulator, "/introspect", body, &reply) ? -1 : strstr(reply.text, "\"active\":true") != NULL;
}

char *emulator_show(struct emulator *emulator, const char *path)
{
    struct reply reply;

    return ask_control(emulator, path, NULL, &reply) ? NULL : strdup(reply.text);
}

int emulator_reset(struct emulator *emulator)
{
    struct reply reply;

    return ask_control(emulator, "/reset", "", &reply);
}

/* kind: "refresh" or "access". token: NULL for all of the kind. Tokens have no character that JSON escapes. */
static int revoke_kind(struct emulator *emulator, const char *kind, const char *token)
{
    struct reply reply;
    char body[8192];

    if (token)
        snprintf(body, sizeof(body), "{\"%s_token\":\"%s\"}", kind, token);
    else
        snprintf(body, sizeof(body), "{\"all_%s_tokens\":true}", kind);
    return ask_control(emulator, "/revoke", body, &reply);
}

int emulator_revoke(struct emulator *emulator, const char *refresh_token)
{
    return revoke_kind(emulator, "refresh", refresh_token);
}

int emulator_revoke_access(struct emulator *emulator, const char *access_token)
{
    return revoke_kind(emulator, "access", access_token);
}

/* The number behind `"name":`, at or after `text`; -1 when there is none. The emulator writes no white space. */
static int number_behind(const char *text, const char *name)
{
    char member[128];

    snprintf(member, sizeof(member), "\"%s\":", name);
    const char *found = text ? strstr(text, member) : NULL;
    return found ? (int)strtol(found + strlen(member), NULL, 10) : -1;
}

/* The number of that name in the object of that name, or -1. */
static int read_member(struct emulator *emulator, const char *path, const char *key, const char *member)
{
    struct reply reply;
    char object[128];

    if (ask_control(emulator, path, NULL, &reply))
        return -1;
    snprintf(object, sizeof(object), "\"%s\":{", key);
    const char *found = strstr(reply.text, object);
    return found ? number_behind(found, member) : fail("no such count", key);
}

int emulator_count_member(struct emulator *emulator, const char *key, const char *member, long window_ms)
{
    char path[64];

    snprintf(path, sizeof(path), "/counts?window_ms=%ld", window_ms);
    return read_member(emulator, path, key, member);
}

int emulator_limit_member(struct emulator *emulator, const char *service, const char *member)
{
    return read_member(emulator, "/limits", service, member);
}

static int read_count(struct emulator *emulator, const char *key, const char *member)
{
    return emulator_count_member(emulator, key, member, 60000);
}

int emulator_count(struct emulator *emulator, const char *key)
{
    return read_count(emulator, key, "requests");
}

int emulator_in_flight(struct emulator *emulator, const char *key)
{
    return read_count(emulator, key, "in_flight");
}

int emulator_connections(struct emulator *emulator, const char *key)
{
    return read_count(emulator, key, "connections");
}

int emulator_total_reused(struct emulator *emulator, const char *key)
{
    struct reply reply;

    return ask_control(emulator, "/counts", NULL, &reply) ? -1 : number_behind(reply.text, key);
}
