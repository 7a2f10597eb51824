/*
 * nexauth-emulator: the token services of NEX, Quantoz Nexus and Nexusguard on loopback.
 *
 * Each vendor listens on an https and an http port of the system's choice; what it listens on is told on standard
 * output, one KEY=VALUE a line, READY=1 last. The program ends cleanly on SIGTERM, SIGINT or, when told so, at the end
 * of its standard input, which is how a test's emulator never outlives the test.
 */
#include "accounts.h"
#include "emulator.h"
#include "server.h"
#include "tls.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { USAGE_FAILED = 2, LIFETIME_MAX_S = 1000000000, SERVERS = 2 * EMU_VENDORS + 1 };

struct arguments {
    const char *accounts;
    const char *ca_file;
    long lifetime_s;
    bool until_eof;
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

static void print_usage(FILE *stream)
{
    fputs("Usage: nexauth-emulator [OPTION]...\n"
          "The token services of NEX, Quantoz Nexus and Nexusguard on loopback, for development and tests.\n"
          "\n"
          "  --accounts FILE     who may ask for tokens, as JSON (default: built-in accounts)\n"
          "  --ca-file PATH      where to write the CA certificate (default: a file that is removed at the end)\n"
          "  --lifetime SECONDS  how long all tokens live (default: as each vendor has it)\n"
          "  --until-eof         end when standard input does\n"
          "  --help              show this and end\n"
          "  --version           show the version and end\n",
          stream);
}

static bool read_lifetime(const char *text, long *lifetime_s)
{
    char *end = NULL;

    errno = 0;
    *lifetime_s = strtol(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && *lifetime_s > 0 && *lifetime_s <= LIFETIME_MAX_S;
}

/* -1 to go on, or the status to exit with. */
static int take_option(int option, struct arguments *arguments)
{
    switch (option) {
    case 'a':
        arguments->accounts = optarg;
        return -1;
    case 'c':
        arguments->ca_file = optarg;
        return -1;
    case 'l':
        if (read_lifetime(optarg, &arguments->lifetime_s))
            return -1;
        break;
    case 'u':
        arguments->until_eof = true;
        return -1;
    case 'h':
        print_usage(stdout);
        return EXIT_SUCCESS;
    case 'v':
        puts("nexauth-emulator " EMU_VERSION);
        return EXIT_SUCCESS;
    default:
        break;
    }
    print_usage(stderr);
    return USAGE_FAILED;
}

static int read_arguments(int count, char **values, struct arguments *arguments)
{
    static const struct option options[] = {
        {"accounts", required_argument, NULL, 'a'},
        {"ca-file", required_argument, NULL, 'c'},
        {"lifetime", required_argument, NULL, 'l'},
        {"until-eof", no_argument, NULL, 'u'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {NULL, 0, NULL, 0},
    };
    int option = 0;

    while ((option = getopt_long(count, values, "", options, NULL)) != -1) {
        int status = take_option(option, arguments);
        if (status >= 0)
            return status;
    }
    if (optind == count)
        return -1;
    print_usage(stderr);
    return USAGE_FAILED;
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

static bool start_servers(struct emu_server servers[SERVERS], struct emu *emu, const struct emu_tls *tls)
{
    for (size_t i = 0; i < EMU_VENDORS; i++) {
        if (!emu_server_start(&servers[2 * i], emu, emu_vendors[i], tls) ||
            !emu_server_start(&servers[2 * i + 1], emu, emu_vendors[i], NULL))
            return false;
    }
    return emu_server_start(&servers[SERVERS - 1], emu, &emu_control, NULL);
}

static void stop_servers(struct emu_server servers[SERVERS], struct emu *emu)
{
    pthread_mutex_lock(&emu->lock);
    emu->ending = true;
    pthread_cond_broadcast(&emu->ended);
    pthread_mutex_unlock(&emu->lock);
    for (size_t i = 0; i < SERVERS; i++)
        emu_server_stop(&servers[i]);
}

static bool tell(const struct emu_server servers[SERVERS], const struct emu_tls *tls)
{
    static const char *const names[EMU_VENDORS] = {
        [EMU_NEX] = "NEX",
        [EMU_QUANTOZ_TEST] = "QUANTOZ_TEST",
        [EMU_QUANTOZ_PRODUCTION] = "QUANTOZ_PRODUCTION",
        [EMU_NEXUSGUARD] = "NEXUSGUARD",
    };

    for (size_t i = 0; i < EMU_VENDORS; i++) {
        printf("%s_HTTPS=https://127.0.0.1:%u\n", names[i], servers[2 * i].port);
        printf("%s_HTTP=http://127.0.0.1:%u\n", names[i], servers[2 * i + 1].port);
    }
    printf("CONTROL=http://127.0.0.1:%u\n", servers[SERVERS - 1].port);
    printf("CA_FILE=%s\n", tls->file);
    puts("READY=1");
    if (fflush(stdout) == 0)
        return true;
    fprintf(stderr, "nexauth-emulator: Standard output cannot be written: %s.\n", strerror(errno));
    return false;
}

static int serve(struct emu *emu, const struct arguments *arguments)
{
    struct emu_server servers[SERVERS] = {0};
    struct emu_tls tls = {0};
    bool told = false;

    if (emu_tls_init(&tls, arguments->ca_file) && start_servers(servers, emu, &tls)) {
        told = tell(servers, &tls);
        if (told)
            wait_for_end(arguments->until_eof);
    }
    stop_servers(servers, emu);
    emu_tls_release(&tls);
    return told ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int emulate(const struct arguments *arguments, const cJSON *accounts)
{
    struct emu emu = {.accounts = accounts, .lifetime_s = arguments->lifetime_s};
    pthread_condattr_t attributes;

    pthread_mutex_init(&emu.lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&emu.ended, &attributes);
    pthread_condattr_destroy(&attributes);

    int status = serve(&emu, arguments);
    emu_faults_clear(&emu.faults);
    emu_issued_clear(&emu.issued);
    pthread_cond_destroy(&emu.ended);
    pthread_mutex_destroy(&emu.lock);
    return status;
}

int main(int count, char **values)
{
    struct arguments arguments = {0};
    char *problem = NULL;
    int status = read_arguments(count, values, &arguments);

    if (status >= 0)
        return status;
    if (!open_standard_streams())
        return EXIT_FAILURE;
    cJSON *accounts = emu_accounts_load(arguments.accounts, &problem);
    if (!accounts) {
        fprintf(stderr, "nexauth-emulator: %s\n", problem);
        free(problem);
        return EXIT_FAILURE;
    }
    status = hold_signals() ? emulate(&arguments, accounts) : EXIT_FAILURE;
    cJSON_Delete(accounts);
    return status;
}
