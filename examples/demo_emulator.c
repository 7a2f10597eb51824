/* Runs nexauth-emulator as a child, and speaks with its control port. */
#include "demo.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PLACE(member) offsetof(struct demo_emulator, member), sizeof(((struct demo_emulator *)NULL)->member)

enum { REQUEST_TIMEOUT_MS = 10000, REPLY_SIZE = 4096 };

static const int64_t patience_ns = 10000000000;

extern char **environ;

/* Which of the emulator's lines are kept where. */
static const struct place {
    const char *key;
    size_t offset;
    size_t size;
} places[] = {
    {"NEX_HTTPS", PLACE(nex)},
    {"QUANTOZ_TEST_HTTPS", PLACE(quantoz_test)},
    {"QUANTOZ_TEST_API_HTTPS", PLACE(quantoz_test_api)},
    {"QUANTOZ_PRODUCTION_HTTPS", PLACE(quantoz_production)},
    {"NEXUSGUARD_HTTPS", PLACE(nexusguard)},
    {"CONTROL", PLACE(control)},
    {"CA_FILE", PLACE(ca_file)},
};

static bool fail(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    return false;
}

/* ---- The child --------------------------------------------------------------------------------------------------- */

static void close_pipe(const int ends[2])
{
    close(ends[0]);
    close(ends[1]);
}

/* The child gets copies of the ends that it needs: were it to hold the others, it would never see the end of its input.
 */
static bool open_pipe(int ends[2])
{
    if (pipe(ends))
        return fail("pipe", strerror(errno));
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    return true;
}

static bool spawn(struct demo_emulator *emulator, const char *program, int input, int output)
{
    char *const arguments[] = {"nexauth-emulator", "--until-eof", NULL};
    posix_spawn_file_actions_t actions;
    int problem;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    problem = posix_spawn(&emulator->pid, program, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (!problem)
        return true;
    emulator->pid = 0;
    return fail(program, strerror(problem));
}

static void keep_line(struct demo_emulator *emulator, char *line)
{
    char *value = strchr(line, '=');

    line[strcspn(line, "\n")] = '\0';
    if (!value)
        return;
    *value++ = '\0';
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (strcmp(places[i].key, line) == 0)
            snprintf((char *)emulator + places[i].offset, places[i].size, "%s", value);
    }
}

/* Reads until READY=1, and closes `output`. */
static bool read_lines(struct demo_emulator *emulator, int output)
{
    char line[sizeof emulator->ca_file + 64];
    FILE *stream = fdopen(output, "r");
    bool ready = false;

    if (!stream) {
        close(output);
        return fail("fdopen", strerror(errno));
    }
    while (!ready && fgets(line, sizeof line, stream)) {
        ready = strcmp(line, "READY=1\n") == 0;
        keep_line(emulator, line);
    }
    fclose(stream);
    return ready || fail("nexauth-emulator", "ended before it was ready");
}

bool demo_emulator_start(struct demo_emulator *emulator, const char *program)
{
    int input[2];
    int output[2];
    bool spawned;

    if (!open_pipe(input))
        return false;
    if (!open_pipe(output)) {
        close_pipe(input);
        return false;
    }
    spawned = spawn(emulator, program, input[0], output[1]);
    close(input[0]);
    close(output[1]);
    emulator->input = input[1];
    if (spawned)
        return read_lines(emulator, output[0]);
    close(input[1]);
    close(output[0]);
    return false;
}

bool demo_emulator_stop(struct demo_emulator *emulator)
{
    int status = 0;

    if (!emulator->pid)
        return true;
    close(emulator->input);
    if (waitpid(emulator->pid, &status, 0) < 0)
        return fail("waitpid", strerror(errno));
    emulator->pid = 0;
    return (WIFEXITED(status) && WEXITSTATUS(status) == 0) || fail("nexauth-emulator", "did not end cleanly");
}

/* ---- Requests ---------------------------------------------------------------------------------------------------- */

struct reply {
    char text[REPLY_SIZE];
    size_t length;
};

static size_t keep_reply(char *data, size_t size, size_t count, void *context)
{
    struct reply *reply = context;
    const size_t length = size * count;

    if (length >= sizeof reply->text - reply->length)
        return 0;
    memcpy(reply->text + reply->length, data, length);
    reply->length += length;
    reply->text[reply->length] = '\0';
    return length;
}

/* A request to loopback, whatever proxy the environment names. */
static CURL *open_request(const char *url, struct reply *reply)
{
    CURL *curl = curl_easy_init();

    if (!curl)
        return NULL;
    *reply = (struct reply){0};
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)REQUEST_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep_reply);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, reply);
    return curl;
}

static bool perform(CURL *curl, const char *what, const struct reply *reply)
{
    const CURLcode problem = curl_easy_perform(curl);
    long status = 0;

    if (problem)
        return fail(what, curl_easy_strerror(problem));
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    return status < 400 || fail(what, reply->text);
}

/* json: NULL to GET. */
static bool ask_control(const struct demo_emulator *emulator, const char *path, const char *json, struct reply *reply)
{
    char url[sizeof emulator->control + 32];
    CURL *curl;
    bool answered;

    snprintf(url, sizeof url, "%s%s", emulator->control, path);
    curl = open_request(url, reply);
    if (!curl)
        return fail(path, "memory ran out");
    if (json)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, json);
    answered = perform(curl, path, reply);
    curl_easy_cleanup(curl);
    return answered;
}

bool demo_emulator_tell(const struct demo_emulator *emulator, const char *path, const char *json)
{
    struct reply reply;

    return ask_control(emulator, path, json, &reply);
}

/* Whether the emulator counts a request to the place that it has not answered. It writes JSON without blanks. */
static bool is_held_back(const struct reply *counts, const char *place)
{
    static const char member[] = "\"in_flight\":";
    char key[128];
    const char *found;

    snprintf(key, sizeof key, "\"%s\":{", place);
    found = strstr(counts->text, key);
    if (found)
        found = strstr(found, member);
    return found && strtol(found + strlen(member), NULL, 10) > 0;
}

bool demo_emulator_await(const struct demo_emulator *emulator, const char *place)
{
    const int64_t deadline_ns = demo_now_ns() + patience_ns;
    struct reply counts;

    while (demo_now_ns() < deadline_ns) {
        if (!ask_control(emulator, "/counts", NULL, &counts))
            return false;
        if (is_held_back(&counts, place))
            return true;
    }
    return fail(place, "no request came");
}

bool demo_emulator_browse(const struct demo_emulator *emulator, const char *url, char *location, size_t size)
{
    const char *target = NULL;
    struct reply reply;
    CURL *curl = open_request(url, &reply);
    bool answered;

    if (!curl)
        return fail("the browser", "memory ran out");
    curl_easy_setopt(curl, CURLOPT_CAINFO, emulator->ca_file);
    answered = perform(curl, "the browser", &reply);
    curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &target);
    if (target)
        snprintf(location, size, "%s", target);
    else if (answered)
        fail("the browser", "was not redirected");
    curl_easy_cleanup(curl);
    return target != NULL;
}
