/*
 * What a hostile environment changes: nothing. It is there from a process's start on, so each case has a child, forked
 * before libcurl has begun anything here.
 */
#define _XOPEN_SOURCE 700 /* pseudo-terminals */

#include "support/test.h"

#include "live.h"
#include "support/child.h"
#include "support/listener.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

/* OpenSSL's name for a certificate of the emulator's authority, in a folder of hashed certificates. */
#define AUTHORITY_HASH "c1228a01.0"

struct scene {
    struct listener *recorder; /* stands where a proxy should be */
    const char *no_proxy;      /* NULL: not set */
    char folder[64];
    char netrc[96];
    char authority[96];
    char key_log[96];
};

static void write_netrc(const char *path)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs("machine 127.0.0.1 login l password p\nmachine localhost login l password p\ndefault login l password p\n",
          file);
    fclose(file);
    assert_int_equal(chmod(path, 0600), 0);
}

static void begin(struct scene *scene)
{
    *scene = (struct scene){.folder = "/tmp/environment-test-XXXXXX"};
    assert_non_null(mkdtemp(scene->folder));
    snprintf(scene->netrc, sizeof scene->netrc, "%s/.netrc", scene->folder);
    snprintf(scene->authority, sizeof scene->authority, "%s/%s", scene->folder, AUTHORITY_HASH);
    snprintf(scene->key_log, sizeof scene->key_log, "%s/keys", scene->folder);
    write_netrc(scene->netrc);
    assert_int_equal(symlink(live_emulator.ca_file, scene->authority), 0);
}

static void end(struct scene *scene)
{
    unlink(scene->netrc);
    unlink(scene->authority);
    unlink(scene->key_log);
    rmdir(scene->folder);
    listener_stop(scene->recorder);
}

static void make_hostile(const struct scene *scene)
{
    const char *const proxy = scene->recorder ? listener_origin(scene->recorder) : "http://127.0.0.1:1";
    const struct {
        const char *name;
        const char *value;
    } variables[] = {{"http_proxy", proxy},
                     {"HTTP_PROXY", proxy},
                     {"https_proxy", proxy},
                     {"HTTPS_PROXY", proxy},
                     {"all_proxy", proxy},
                     {"ALL_PROXY", proxy},
                     {"HOME", scene->folder},
                     {"CURL_HOME", scene->folder},
                     {"NETRC", scene->netrc},
                     {"SSL_CERT_FILE", live_emulator.ca_file},
                     {"SSL_CERT_DIR", scene->folder},
                     {"CURL_CA_BUNDLE", live_emulator.ca_file},
                     {"SSLKEYLOGFILE", scene->key_log}};

    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        setenv(variables[i].name, variables[i].value, 1);
    unsetenv("no_proxy");
    unsetenv("NO_PROXY");
    if (scene->no_proxy) {
        setenv("no_proxy", scene->no_proxy, 1);
        setenv("NO_PROXY", scene->no_proxy, 1);
    }
}

static nexauth_status ask(nexauth_session *session, const struct live_who *who)
{
    nexauth_source *source = NULL;
    nexauth_token *token = NULL;
    struct nexauth_error error = {0};
    nexauth_status status = live_try_source(session, who, &source, &error);

    if (!status)
        status = nexauth_source_get_token(source, NULL, &token, &error);
    nexauth_token_unref(token);
    nexauth_source_free(source);
    return status;
}

static nexauth_session *new_session(const char *ca_file)
{
    const struct nexauth_session_options options = {.ca_file = ca_file, .loopback_http = 1};
    nexauth_session *session = NULL;

    return nexauth_session_new(&options, &session, NULL) == NEXAUTH_OK ? session : NULL;
}

static bool get_tokens(const struct child *me, void *context)
{
    const struct live_who askers[] = {
        {.kind = LIVE_NEX_USER},
        {.kind = LIVE_NEX_CONTROLLER},
        {.kind = LIVE_QUANTOZ_TEST},
        {.kind = LIVE_QUANTOZ_TEST, .mode = NEXAUTH_CLIENT_AUTH_BASIC},
        {.kind = LIVE_NEXUSGUARD_APP},
        {.kind = LIVE_NEXUSGUARD_USER},
        {.kind = LIVE_NEX_CONTROLLER, .id = "222bb", .other = "789", .origin = live_emulator.nex_http},
    };
    nexauth_session *session;
    bool fine;

    (void)me;
    make_hostile(context);
    session = new_session(live_emulator.ca_file);
    fine = session != NULL;
    for (size_t i = 0; i < sizeof askers / sizeof *askers; i++)
        fine = fine && ask(session, &askers[i]) == NEXAUTH_OK;
    nexauth_session_free(session);
    return fine;
}

static size_t ignore(char *bytes, size_t size, size_t count, void *context)
{
    (void)bytes;
    (void)context;
    return size * count;
}

/* Whether who takes that folder for the system's would trust the emulator. */
static bool folder_convinces(const char *folder)
{
    CURL *easy = curl_easy_init();
    CURLcode result;

    curl_easy_setopt(easy, CURLOPT_URL, live_emulator.nex_https);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(easy, CURLOPT_CAPATH, folder);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
    result = curl_easy_perform(easy);
    curl_easy_cleanup(easy);
    return result == CURLE_OK;
}

static bool trust_nobody(const struct child *me, void *context)
{
    const struct scene *scene = context;
    const struct live_who who = {.kind = LIVE_NEX_USER};
    nexauth_session *session;
    bool fine;

    (void)me;
    make_hostile(scene);
    session = new_session(NULL);
    fine = session && ask(session, &who) == NEXAUTH_NETWORK;
    nexauth_session_free(session);
    return fine && folder_convinces(scene->folder);
}

/* The terminal becomes the child's own, where a question would be asked. */
static bool show_what_is_encrypted(const struct child *me, void *context)
{
    const struct nexauth_session_options options = {.ca_file = live_emulator.ca_file,
                                                    .client_cert_file = NEXAUTH_TEST_DATA "/tls/client.pem",
                                                    .client_key_file = NEXAUTH_TEST_DATA
                                                    "/tls/client-key-encrypted.pem"};
    const struct live_who who = {.kind = LIVE_NEX_USER};
    nexauth_session *session = NULL;
    bool fine;

    (void)me;
    if (setsid() < 0 || open(ptsname(*(int *)context), O_RDWR) < 0)
        return false;
    fine = nexauth_session_new(&options, &session, NULL) == NEXAUTH_OK && ask(session, &who) == NEXAUTH_NETWORK;
    nexauth_session_free(session);
    return fine;
}

/* The other end of a terminal that shows what is written to it and nothing else, with answers for whoever reads it; -1
 * where the system has no terminals to give, as where /dev/pts is not mounted. */
static int open_terminal(void)
{
    static const char answers[] = "one\ntwo\nthree\nfour\n";
    int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    struct termios settings;

    if (terminal < 0)
        return -1;
    assert_true(grantpt(terminal) == 0 && unlockpt(terminal) == 0);
    assert_int_equal(tcgetattr(terminal, &settings), 0);
    settings.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    assert_int_equal(tcsetattr(terminal, TCSANOW, &settings), 0);
    assert_int_equal(write(terminal, answers, sizeof answers - 1), sizeof answers - 1);
    return terminal;
}

static void nobody_is_asked_for_a_password_at_the_terminal(void **state)
{
    int terminal = open_terminal();
    char asked[256] = "";

    (void)state;
    if (terminal < 0)
        skip();
    assert_int_equal(child_run(show_what_is_encrypted, &terminal), 0);
    if (read(terminal, asked, sizeof asked - 1) > 0)
        fail_msg("the terminal shows: %s", asked);
    close(terminal);
}

static void proxies_and_passwords_of_the_environment_are_not_used(void **state)
{
    static const char *const exceptions[] = {NULL, "example.com", "*"};

    (void)state;
    for (size_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++) {
        struct scene scene;

        begin(&scene);
        scene.no_proxy = exceptions[i];
        scene.recorder = listener_start("127.0.0.1");
        assert_non_null(scene.recorder);
        child_await_quiet();
        assert_int_equal(child_run(get_tokens, &scene), 0);
        assert_int_equal(listener_connections(scene.recorder), 0);
        assert_int_equal(listener_received(scene.recorder), 0);
        end(&scene);
    }
}

static void authorities_of_the_environment_are_not_trusted(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene);
    assert_int_equal(child_run(trust_nobody, &scene), 0);
    assert_int_equal(live_requests_at("nex /v1.0/Token"), 0);
    end(&scene);
}

int main(void)
{
    /* The order counts: the emulator is asked by libcurl. */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(authorities_of_the_environment_are_not_trusted),
        cmocka_unit_test(nobody_is_asked_for_a_password_at_the_terminal),
        cmocka_unit_test(proxies_and_passwords_of_the_environment_are_not_used),
    };

    return cmocka_run_group_tests(tests, live_start, live_stop);
}
