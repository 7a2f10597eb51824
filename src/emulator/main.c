/*
 * nexauth-emulator: the token services of NEX, Quantoz Nexus and Nexusguard on loopback.
 *
 * Each vendor listens on an https and an http port of the system's choice; what it listens on is told on standard
 * output, one KEY=VALUE a line, READY=1 last. The program ends cleanly on SIGTERM, SIGINT or, when told so, at the end
 * of its standard input, which is how a test's emulator never outlives the test.
 */
#include "accounts.h"
#include "emulator.h"
#include "options.h"
#include "server.h"
#include "tls.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SERVICES = 2 * EMU_VENDORS + 1 };

/* All that listens. */
struct servers {
    struct emu_server of[SERVICES];
    struct emu_tls_fault_servers tls_faults;
};

/* A signal becomes a byte in a pipe, so that one poll waits for signals and for standard input. */
static int signals[2];

static void note_signal(int signal_number)
{
    int error = errno;

    (void)signal_number;
    if (write(signals[1], "", 1) < 0)
        _exit(EXIT_FAILURE);
    errno = error;
}

/* A standard stream that is closed would become the number of the next file or socket that is opened. */
static bool open_standard_streams(void)
{
    int descriptor = 0;

    while (descriptor >= 0 && descriptor <= STDERR_FILENO)
        descriptor = open("/dev/null", O_RDWR);
    return descriptor > STDERR_FILENO && close(descriptor) == 0;
}

/* The threads that are started from here on leave SIGTERM and SIGINT to this one. */
static bool hold_signals(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t held;

    sigemptyset(&held);
    sigaddset(&held, SIGTERM);
    sigaddset(&held, SIGINT);
    pthread_sigmask(SIG_BLOCK, &held, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    return pipe(signals) == 0;
}

static void let_signals_in(void)
{
    struct sigaction action = {.sa_handler = note_signal};
    sigset_t held;

    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigemptyset(&held);
    sigaddset(&held, SIGTERM);
    sigaddset(&held, SIGINT);
    pthread_sigmask(SIG_UNBLOCK, &held, NULL);
}

static bool is_at_end(int descriptor)
{
    char ignored[256];
    ssize_t count = read(descriptor, ignored, sizeof(ignored));

    return count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN);
}

static void wait_for_end(bool until_eof)
{
    struct pollfd sources[] = {
        {.fd = signals[0], .events = POLLIN},
        {.fd = until_eof ? STDIN_FILENO : -1, .events = POLLIN},
    };

    let_signals_in();
    while (sources[0].revents == 0) {
        int ready = poll(sources, 2, -1);
        if (ready < 0 && errno != EINTR)
            return;
        if (ready > 0 && sources[1].revents != 0 && is_at_end(STDIN_FILENO))
            return;
    }
}

static bool start_servers(struct servers *servers, struct emu *emu, const struct emu_tls *tls)
{
    for (size_t i = 0; i < EMU_VENDORS; i++) {
        if (!emu_server_start(&servers->of[2 * i], emu, emu_vendors[i], tls) ||
            !emu_server_start(&servers->of[2 * i + 1], emu, emu_vendors[i], NULL))
            return false;
    }
    return emu_server_start(&servers->of[SERVICES - 1], emu, &emu_control, NULL) &&
           emu_tls_faults_start(&servers->tls_faults, emu, tls);
}

static void stop_servers(struct servers *servers, struct emu *emu)
{
    emu_end(emu);
    emu_tls_faults_stop(&servers->tls_faults);
    for (size_t i = 0; i < SERVICES; i++)
        emu_server_stop(&servers->of[i]);
}

static bool tell(const struct servers *servers, const struct emu_tls *tls)
{
    static const char *const names[EMU_VENDORS] = {
        [EMU_NEX] = "NEX",
        [EMU_QUANTOZ_TEST] = "QUANTOZ_TEST",
        [EMU_QUANTOZ_PRODUCTION] = "QUANTOZ_PRODUCTION",
        [EMU_NEXUSGUARD] = "NEXUSGUARD",
        [EMU_QUANTOZ_TEST_API] = "QUANTOZ_TEST_API",
        [EMU_QUANTOZ_PRODUCTION_API] = "QUANTOZ_PRODUCTION_API",
    };

    for (size_t i = 0; i < EMU_VENDORS; i++) {
        printf("%s_HTTPS=https://127.0.0.1:%u\n", names[i], servers->of[2 * i].port);
        printf("%s_HTTP=http://127.0.0.1:%u\n", names[i], servers->of[2 * i + 1].port);
    }
    emu_tls_faults_tell(&servers->tls_faults, stdout);
    printf("CONTROL=http://127.0.0.1:%u\n", servers->of[SERVICES - 1].port);
    printf("CA_FILE=%s\n", tls->file);
    printf("PINNED_KEY=%s\n", tls->certificates.pin);
    puts("READY=1");
    if (fflush(stdout) == 0)
        return true;
    fprintf(stderr, "nexauth-emulator: Standard output cannot be written: %s.\n", strerror(errno));
    return false;
}

static int serve(struct emu *emu, const struct emu_options *options)
{
    struct servers servers = {0};
    struct emu_tls tls = {0};
    bool told = false;

    if (emu_tls_init(&tls, options->ca_file) && start_servers(&servers, emu, &tls)) {
        told = tell(&servers, &tls);
        if (told)
            wait_for_end(options->until_eof);
    }
    stop_servers(&servers, emu);
    emu_tls_release(&tls);
    return told ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int emulate(struct emu *emu, const struct emu_options *options)
{
    char *problem = NULL;
    cJSON *accounts = emu_accounts_load(options->accounts, &problem);

    if (!accounts) {
        fprintf(stderr, "nexauth-emulator: %s\n", problem);
        free(problem);
        return EXIT_FAILURE;
    }
    emu->accounts = accounts;
    int status = hold_signals() ? serve(emu, options) : EXIT_FAILURE;
    cJSON_Delete(accounts);
    return status;
}

int main(int count, char **values)
{
    struct emu_options options = {0};
    struct emu emu;

    emu_init(&emu);
    int status = emu_options_read(count, values, &emu, &options);
    if (status < 0)
        status = open_standard_streams() ? emulate(&emu, &options) : EXIT_FAILURE;
    emu_release(&emu);
    return status;
}
