/*
 * Every allocation of a whole program fails, the C library's own, libcurl's and OpenSSL's included, while it gets a
 * token over https: once, and once and for ever from there. Each in a process of its own. What the library says is
 * true, it never breaks, and the session works afterwards; where another library breaks, that is listed.
 *
 * nexauth-torture [EVERY [FIRST]]: fails each allocation whose number is FIRST, FIRST + EVERY, and so on.
 */
#include "nexauth/nexauth.h"
#include "support/emulator.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FRAMES = 40, LONGEST_S = 60, CRASHES = 64, STATUSES = NEXAUTH_CANCELED + 1 };

/* What a child tells of itself. */
static struct report {
    size_t allocations;
    nexauth_status status; /* of the call that lacked memory */
    char wrong[400];       /* "": nothing */
    char place[400];       /* where it crashed */
    bool ours;
} * report;

/* ---- Allocations ------------------------------------------------------------------------------------------------- */

static atomic_bool armed;
static atomic_size_t count;
static size_t failing;
static bool for_ever;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t items, size_t size);
void *__libc_realloc(void *old, size_t size);

static bool fails(void)
{
    size_t number;

    if (!atomic_load_explicit(&armed, memory_order_relaxed))
        return false;
    number = atomic_fetch_add_explicit(&count, 1, memory_order_relaxed) + 1;
    return failing && (number == failing || (for_ever && number > failing));
}

void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t items, size_t size)
{
    return fails() ? NULL : __libc_calloc(items, size);
}

void *realloc(void *old, size_t size)
{
    return fails() ? NULL : __libc_realloc(old, size);
}

/* ---- Crashes ----------------------------------------------------------------------------------------------------- */

static const char *module_of(const void *address, const char **symbol)
{
    Dl_info found;

    if (!dladdr(address, &found) || !found.dli_fname)
        return "?";
    *symbol = found.dli_sname;
    return strrchr(found.dli_fname, '/') ? strrchr(found.dli_fname, '/') + 1 : found.dli_fname;
}

/* The first frame that is neither the handler's nor the C library's broke. */
static void note_crash(int signal)
{
    void *frames[FRAMES];
    size_t used = 0;
    int frame_count;
    bool found = false;

    atomic_store(&armed, false);
    frame_count = backtrace(frames, FRAMES);
    for (int i = 2; i < frame_count && used < sizeof report->place - 80; i++) {
        const char *symbol = NULL;
        const char *module = module_of(frames[i], &symbol);

        if (!found && (strncmp(module, "libc.", 5) == 0 || strncmp(module, "libpthread", 10) == 0))
            continue;
        if (!found)
            report->ours = strncmp(module, "lib", 3) != 0;
        found = true;
        used += (size_t)snprintf(report->place + used, 80, " %.20s:%.40s", module, symbol ? symbol : "?");
        if (strncmp(module, "lib", 3) != 0)
            break;
    }
    _exit(100 + signal);
}

static void watch_for_crashes(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
    const struct sigaction action = {.sa_handler = note_crash};
    void *frames[2];

    backtrace(frames, 2); /* it loads a library the first time */
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, NULL);
}

/* ---- The scenario ------------------------------------------------------------------------------------------------ */

static struct emulator service;

static nexauth_status make_source(nexauth_session *session, bool other, nexauth_source **out,
                                  struct nexauth_error *error)
{
    const struct nexauth_nex_user_options user = {.client_id = "mycompany",
                                                  .client_secret = "abc123",
                                                  .username = "myname",
                                                  .password = "xyz456",
                                                  .origin = service.nex_https};
    const struct nexauth_nex_controller_options controller = {.client_id = "5a5b",
                                                              .client_secret = "abc123",
                                                              .controller_id = "111aa",
                                                              .controller_secret = "456",
                                                              .origin = service.nex_https};

    return other ? nexauth_source_new_nex_controller(session, &controller, out, error)
                 : nexauth_source_new_nex_user(session, &user, out, error);
}

static bool is_whole(const nexauth_token *token)
{
    const char *text = nexauth_token_access_token(token);
    const char *header = nexauth_token_header(token);

    return text && header && strlen(text) >= 16 && strncmp(header, "Authorization: Bearer ", 22) == 0 &&
           strcmp(header + 22, text) == 0 && nexauth_token_lifetime_s(token) > 0 && nexauth_token_expires_at(token) > 0;
}

/* Without memory some libraries see a broken connection, a certificate that cannot be read, or no answer. */
static bool is_true(nexauth_status status, const struct nexauth_error *error)
{
    return error->status == status && *error->message &&
           (status == NEXAUTH_NO_MEMORY || status == NEXAUTH_NETWORK || status == NEXAUTH_PROTOCOL ||
            status == NEXAUTH_TIMEOUT);
}

static void get(nexauth_session *session, bool other)
{
    struct nexauth_error error = {0};
    nexauth_source *source = NULL;
    nexauth_token *token = NULL;
    nexauth_status status = make_source(session, other, &source, &error);

    if (!status)
        status = nexauth_source_get_token(source, NULL, &token, &error);
    if (other)
        armed = false;
    if (status ? other || token || !is_true(status, &error) : !is_whole(token))
        snprintf(report->wrong, sizeof report->wrong, "%s: %s: %s", other ? "afterwards" : "meanwhile",
                 nexauth_status_name(status), status ? error.message : "half a token");
    if (!other)
        report->status = status;
    nexauth_token_unref(token);
    nexauth_source_free(source);
}

static nexauth_session *begin(void)
{
    const struct nexauth_session_options options = {.ca_file = service.ca_file, .exchange_timeout_ms = 20000};
    struct nexauth_error error = {0};
    nexauth_session *session = NULL;

    report->status = nexauth_session_new(&options, &session, &error);
    if (report->status && !is_true(report->status, &error))
        snprintf(report->wrong, sizeof report->wrong, "a session: %s: %s", nexauth_status_name(report->status),
                 error.message);
    return session;
}

/* First with that allocation failing; then without. */
static void act(size_t which, bool and_all_after)
{
    nexauth_session *session;

    failing = which;
    for_ever = and_all_after;
    armed = true;
    session = begin();
    if (session)
        get(session, false);
    armed = false;
    report->allocations = count;
    if (!session)
        session = begin();
    if (session && !*report->wrong)
        get(session, true);
    nexauth_session_free(session);
}

/* ---- All of them ------------------------------------------------------------------------------------------------- */

static struct crash {
    char place[400];
    size_t times, first;
} crashes[CRASHES];

static size_t told[STATUSES];
static size_t bad;

static void count_crash(size_t which)
{
    size_t i = 0;

    while (i < CRASHES - 1 && crashes[i].times && strcmp(crashes[i].place, report->place) != 0)
        i++;
    if (!crashes[i].times++) {
        printf("allocation %zu: a crash in%s\n", which, report->place);
        memcpy(crashes[i].place, report->place, sizeof crashes[i].place);
        crashes[i].first = which;
    }
}

static void judge(size_t which, bool and_all_after, int result)
{
    const bool crashed = WIFSIGNALED(result) || WEXITSTATUS(result) != 0;

    if (!crashed && !*report->wrong) {
        told[report->status]++;
        return;
    }
    if (crashed && *report->place && !report->ours) {
        count_crash(which);
        return;
    }
    bad++;
    printf("allocation %zu%s: %s%s (%d)\n", which, and_all_after ? " and all after it" : "", report->wrong,
           report->place, result);
}

static void run(size_t which, bool and_all_after)
{
    int result = 0;
    pid_t child;

    memset(report, 0, sizeof *report);
    fflush(NULL);
    child = fork();
    if (child == 0) {
        alarm(LONGEST_S);
        watch_for_crashes();
        act(which, and_all_after);
        _exit(0);
    }
    if (child < 0 || waitpid(child, &result, 0) != child)
        exit(2);
    judge(which, and_all_after, result);
}

int main(int argc, char **argv)
{
    const size_t every = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
    const size_t first = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
    size_t runs = 0;
    size_t all;

    report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (report == MAP_FAILED || !every || !first || emulator_start(&service, NULL))
        return 2;
    act(0, false); /* libcurl and OpenSSL are ready from here on */
    run(0, false);
    all = report->allocations;
    memset(told, 0, sizeof told);
    for (size_t which = first; which <= all; which += every, runs += 2) {
        run(which, false);
        run(which, true);
        if (runs % 200 == 0)
            emulator_reset(&service);
    }
    for (size_t i = 0; i < CRASHES && crashes[i].times; i++)
        printf("%zu crashes, first at allocation %zu, in%s\n", crashes[i].times, crashes[i].first, crashes[i].place);
    for (int i = 0; i < STATUSES; i++) {
        if (told[i])
            printf("%zu times %s\n", told[i], nexauth_status_name((nexauth_status)i));
    }
    printf("%zu allocations, %zu runs, %zu wrong\n", all, runs, bad);
    return emulator_stop(&service) || bad || all < 1000 || !told[NEXAUTH_OK] || !told[NEXAUTH_NO_MEMORY];
}
