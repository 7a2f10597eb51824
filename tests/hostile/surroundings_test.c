/*
 * A process that is hard to live in: signals that interrupt every system call, no descriptors left, standard streams
 * that are closed. Each call says what is the matter, and all goes as ever once that is over.
 */
#include "support/test.h"

#include "integration/live.h"
#include "support/child.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

enum { ROUNDS = 6, DESCRIPTORS = 40 };

/* A token by each driver, or why there is none. */
struct ending {
    bool called;
    nexauth_status status;
};

static void note(void *context, nexauth_token *token, const struct nexauth_error *error)
{
    struct ending *ending = context;

    ending->called = true;
    ending->status = token ? NEXAUTH_OK : error->status;
}

static nexauth_status poll_for_token(nexauth_session *session, nexauth_source *source, struct nexauth_error *error)
{
    struct ending ending = {0};
    nexauth_status status = nexauth_source_start(source, NULL, note, &ending, NULL, error);

    while (!status && !ending.called)
        status = nexauth_session_poll(session, 1000, error);
    return status ? status : ending.status;
}

/* ---- Signals ----------------------------------------------------------------------------------------------------- */

static volatile sig_atomic_t interruptions;

static void count_interruption(int signal)
{
    (void)signal;
    interruptions++;
}

/* Every millisecond of this process, without SA_RESTART. 0: no more. */
static void storm(suseconds_t every_us)
{
    const struct sigaction action = {.sa_handler = count_interruption};
    const struct itimerval often = {.it_interval = {.tv_usec = every_us}, .it_value = {.tv_usec = every_us}};

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
}

static bool get_all_kinds(nexauth_session *session)
{
    bool all = true;

    for (int kind = 0; kind < LIVE_NEXUSGUARD_WEB; kind++) {
        const struct live_who who = {.kind = (enum live_kind)kind};
        nexauth_source *source = NULL;
        nexauth_token *token = NULL;

        all = all && live_try_source(session, &who, &source, NULL) == NEXAUTH_OK &&
              nexauth_source_get_token(source, NULL, &token, NULL) == NEXAUTH_OK &&
              nexauth_source_reject_token(source, token, NULL) == NEXAUTH_OK &&
              (kind == LIVE_NEXUSGUARD_USER || poll_for_token(session, source, NULL) == NEXAUTH_OK);
        nexauth_token_unref(token);
        nexauth_source_free(source);
    }
    return all;
}

static bool fare_well_in_a_storm(const struct child *me, void *context)
{
    const struct nexauth_session_options options = {.ca_file = live_emulator.ca_file};
    bool all = true;

    (void)me;
    (void)context;
    storm(1000);
    for (int i = 0; i < ROUNDS && all; i++) {
        nexauth_session *session = NULL;

        all = nexauth_session_new(&options, &session, NULL) == NEXAUTH_OK && get_all_kinds(session);
        nexauth_session_free(session);
    }
    storm(0);
    return all && interruptions > 0;
}

static void signals_interrupt_nothing(void **state)
{
    (void)state;
    assert_int_equal(child_run(fare_well_in_a_storm, NULL), 0);
}

struct poller {
    nexauth_session *session;
    nexauth_status status;
};

static void *poll_once(void *context)
{
    struct poller *poller = context;

    poller->status = nexauth_session_poll(poller->session, 60000, NULL);
    return NULL;
}

/* A signal is no reason to return: a poll of a minute ends by the wakeup that comes after many signals. */
static bool poll_on_in_a_storm(const struct child *me, void *session)
{
    struct poller poller = {.session = session, .status = NEXAUTH_TIMEOUT};
    pthread_t thread;

    (void)me;
    storm(1000);
    if (pthread_create(&thread, NULL, poll_once, &poller))
        return false;
    while (interruptions < 30)
        pthread_kill(thread, SIGALRM);
    nexauth_session_wakeup(session);
    pthread_join(thread, NULL);
    storm(0);
    return poller.status == NEXAUTH_OK;
}

static void signals_end_no_poll(void **state)
{
    assert_int_equal(child_run(poll_on_in_a_storm, *state), 0);
}

/* ---- Descriptors ------------------------------------------------------------------------------------------------- */

static rlim_t limit_descriptors(rlim_t most)
{
    struct rlimit limit = {0};
    rlim_t before;

    getrlimit(RLIMIT_NOFILE, &limit);
    before = limit.rlim_cur;
    limit.rlim_cur = most;
    setrlimit(RLIMIT_NOFILE, &limit);
    return before;
}

/* What a lack of descriptors may be called: by who opens one first. */
static bool is_lack(nexauth_status status)
{
    return status == NEXAUTH_NO_MEMORY || status == NEXAUTH_NETWORK;
}

static bool says_why(nexauth_status status, const struct nexauth_error *error)
{
    if (status == NEXAUTH_OK || (is_lack(status) && error->status == status && *error->message))
        return true;
    fprintf(stderr, "%s: %s\n", nexauth_status_name(status), error->message);
    return false;
}

static int first_free(void)
{
    const int descriptor = dup(STDERR_FILENO);

    close(descriptor);
    return descriptor;
}

/* A token by a source of its own, or why there is none. */
static bool try_token(nexauth_session *session, enum live_kind kind, nexauth_status *status)
{
    const struct live_who who = {.kind = kind};
    struct nexauth_error error = {0};
    nexauth_source *source = NULL;
    nexauth_token *token = NULL;
    bool well;

    *status = live_try_source(session, &who, &source, &error);
    if (!*status)
        *status = nexauth_source_get_token(source, NULL, &token, &error);
    well = says_why(*status, &error) && !token == (*status != NEXAUTH_OK);
    nexauth_token_unref(token);
    nexauth_source_free(source);
    return well;
}

static bool try_descriptor(nexauth_session *session, nexauth_status *status)
{
    struct nexauth_error error = {0};
    int descriptor = -1;

    *status = nexauth_session_descriptor(session, &descriptor, &error);
    return says_why(*status, &error) && (descriptor > 2) == (*status == NEXAUTH_OK);
}

static bool works(nexauth_session *session)
{
    nexauth_status status;

    return try_descriptor(session, &status) && !status && try_token(session, LIVE_NEX_CONTROLLER, &status) && !status;
}

/* As far as it comes with so many descriptors; then, with the limit lifted, all of it, in the same session. */
static bool fare_with(int spare, size_t *worked)
{
    const struct nexauth_session_options options = {.ca_file = live_emulator.ca_file, .exchange_timeout_ms = 5000};
    const rlim_t few = (rlim_t)first_free() + (rlim_t)spare;
    const rlim_t before = limit_descriptors(few);
    struct nexauth_error error = {0};
    nexauth_session *session = NULL;
    nexauth_status status = nexauth_session_new(&options, &session, &error);
    bool well = says_why(status, &error);

    if (session) {
        well = well && try_descriptor(session, &status) && try_token(session, LIVE_NEX_USER, &status);
        *worked += status == NEXAUTH_OK;
    }
    limit_descriptors(before);
    if (!session)
        well = well && nexauth_session_new(&options, &session, &error) == NEXAUTH_OK;
    well = well && works(session);
    if (!well)
        fprintf(stderr, "badly with %d\n", spare);
    nexauth_session_free(session);
    return well;
}

static bool fare_well_with_few(const struct child *me, void *context)
{
    size_t worked = 0;
    const int free_before = first_free();
    bool well = true;

    (void)me;
    (void)context;
    for (int spare = 0; spare < DESCRIPTORS && well; spare++)
        well = fare_with(spare, &worked) && first_free() == free_before;
    return well && worked > 0 && worked < DESCRIPTORS;
}

static void a_lack_of_descriptors_is_told_and_passes(void **state)
{
    (void)state;
    assert_int_equal(child_run(fare_well_with_few, NULL), 0);
}

/* ---- Standard streams -------------------------------------------------------------------------------------------- */

/* Neither a way to a service nor what wakes the library: what an application without streams prints goes nowhere. */
static bool is_harmless(int descriptor)
{
    struct sockaddr_storage peer = {0};
    socklen_t size = sizeof peer;
    struct stat found;

    if (fstat(descriptor, &found))
        return errno == EBADF;
    return S_ISSOCK(found.st_mode) && getpeername(descriptor, (struct sockaddr *)&peer, &size) == 0 &&
           peer.ss_family == AF_UNIX; /* libcurl's own pair */
}

static bool fare_well_without_streams(const struct child *me, void *context)
{
    const struct nexauth_session_options options = {.ca_file = live_emulator.ca_file};
    nexauth_session *session = NULL;
    int descriptor = -1;
    bool well;

    (void)me;
    (void)context;
    for (int i = 0; i < 3; i++)
        close(i);
    well = nexauth_session_new(&options, &session, NULL) == NEXAUTH_OK &&
           nexauth_session_descriptor(session, &descriptor, NULL) == NEXAUTH_OK && descriptor > 2 &&
           get_all_kinds(session);
    for (int i = 0; i < 3; i++)
        well = well && is_harmless(i);
    nexauth_session_free(session);
    for (int i = 0; i < 3; i++)
        well = well && fcntl(i, F_GETFD) == -1 && errno == EBADF;
    return well;
}

static void a_process_without_streams_is_served(void **state)
{
    (void)state;
    assert_int_equal(child_run(fare_well_without_streams, NULL), 0);
}

/* Files in the place of the streams, each empty at the end. */
static bool write_to_no_stream(const struct child *me, void *context)
{
    const struct nexauth_session_options options = {.ca_file = live_emulator.ca_file};
    nexauth_session *session = NULL;
    char names[3][32];
    bool well;

    (void)me;
    (void)context;
    for (int i = 0; i < 3; i++) {
        int file;

        snprintf(names[i], sizeof names[i], "/tmp/nexauth-stream-XXXXXX");
        file = mkstemp(names[i]);
        if (file < 0 || dup2(file, i) < 0)
            return false;
        close(file);
        unlink(names[i]);
    }
    well = nexauth_session_new(&options, &session, NULL) == NEXAUTH_OK && get_all_kinds(session);
    nexauth_session_free(session);
    for (int i = 0; i < 3; i++)
        well = well && lseek(i, 0, SEEK_END) == 0;
    return well;
}

static void nothing_is_written_to_a_stream(void **state)
{
    (void)state;
    assert_int_equal(child_run(write_to_no_stream, NULL), 0);
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, live_set_up, live_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(signals_interrupt_nothing),
        LIVE(signals_end_no_poll),
        LIVE(a_lack_of_descriptors_is_told_and_passes),
        LIVE(a_process_without_streams_is_served),
        LIVE(nothing_is_written_to_a_stream),
    };

    return cmocka_run_group_tests_name("hard surroundings", tests, live_start, live_stop);
}
