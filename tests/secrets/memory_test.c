/* What the memory of a process holds of the secrets that it used: while it uses them, as a core dump would have it, and
 * after it has freed everything, as a debugger would see it. */
#include "support/test.h"

#include "memory.h"
#include "support/emulator.h"
#include "victim.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TOKENS_SIZE = 16384 };

extern char **environ;

static struct emulator emulator;
static struct canaries canaries;
static char key_file[] = "client-key-XXXXXX";

/* A victim, and what was seen of its memory while it lived and when it had freed everything. */
struct seen {
    pid_t pid;
    int to, from;
    struct memory_sight alive, freed;
    size_t tokens;
};

static void spawn(struct seen *seen)
{
    char name[] = "memory_test";
    char role[] = "victim";
    char *const arguments[] = {name, role, NULL};
    posix_spawn_file_actions_t actions;
    int in[2];
    int out[2];

    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    fcntl(in[1], F_SETFD, FD_CLOEXEC);
    fcntl(out[0], F_SETFD, FD_CLOEXEC);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    assert_int_equal(posix_spawn(&seen->pid, "/proc/self/exe", &actions, NULL, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    seen->to = in[1];
    seen->from = out[0];
}

static void instruct(const struct seen *seen, enum victim_world world)
{
    struct victim_brief brief = {.world = world, .canaries = canaries};

    memcpy(brief.key_file, key_file, sizeof key_file);
    if (world == VICTIM_SCRIPTED) {
        snprintf(brief.nex, sizeof brief.nex, "https://nex.example");
        snprintf(brief.quantoz, sizeof brief.quantoz, "https://quantoz.example");
        snprintf(brief.nexusguard, sizeof brief.nexusguard, "https://nexusguard.example");
    } else {
        memcpy(brief.ca_file, emulator.ca_file, sizeof brief.ca_file);
        memcpy(brief.nex, emulator.nex_https, sizeof brief.nex);
        memcpy(brief.quantoz, emulator.quantoz_test_https, sizeof brief.quantoz);
        memcpy(brief.nexusguard, emulator.nexusguard_https, sizeof brief.nexusguard);
    }
    assert_int_equal(write(seen->to, &brief, sizeof brief), sizeof brief);
}

/* Reads to the empty line; each other is a token. */
static size_t hear(const struct seen *seen, struct needles *needles)
{
    char line[CANARY_NEEDLE] = "";
    size_t length = 0;
    size_t tokens = 0;
    char c;

    for (;;) {
        if (read(seen->from, &c, 1) != 1)
            fail_msg("the victim ended early");
        if (c != '\n') {
            assert_true(length < sizeof line - 1);
            line[length++] = c;
            continue;
        }
        if (!length)
            return tokens;
        line[length] = '\0';
        length = 0;
        needles_add(needles, line);
        tokens++;
    }
}

static void look_at(struct seen *seen, enum victim_world world)
{
    struct needles needles = {0};
    int status = 0;

    *seen = (struct seen){0};
    for (int i = 0; i < CANARY_KINDS; i++)
        needles_add(&needles, canaries.secrets[i]);
    spawn(seen);
    instruct(seen, world);
    seen->tokens = hear(seen, &needles);
    assert_true(memory_search(seen->pid, &needles, &seen->alive));
    assert_int_equal(write(seen->to, "", 1), 1);
    hear(seen, &needles);
    assert_true(memory_search(seen->pid, &needles, &seen->freed));
    assert_int_equal(write(seen->to, "", 1), 1);
    close(seen->to);
    close(seen->from);
    assert_int_equal(waitpid(seen->pid, &status, 0), seen->pid);
    assert_int_equal(status, 0);
    needles_release(&needles);
    print_message("           %zu tokens; alive: %zu copies, %zu of them dumped, in %zu kB; freed: %zu copies\n",
                  seen->tokens, seen->alive.copies, seen->alive.dumped, seen->alive.bytes / 1024, seen->freed.copies);
}

static void assert_none(size_t count, const struct memory_sight *sight)
{
    if (count)
        fail_msg("%zu copies, such as %s", count, sight->example);
}

static void in_the_hardened_mode_nothing_is_left_when_all_is_freed(void **state)
{
    struct seen seen;

    (void)state;
    look_at(&seen, VICTIM_HTTPS_HARDENED);
    assert_true(seen.alive.copies > seen.tokens);
    assert_none(seen.freed.copies, &seen.freed);
}

static void by_default_nothing_of_ours_is_left_when_all_is_freed(void **state)
{
    struct seen seen;

    (void)state;
    look_at(&seen, VICTIM_SCRIPTED);
    assert_true(seen.alive.copies > seen.tokens);
    assert_none(seen.freed.copies, &seen.freed);
}

/* What libcurl leaves behind is why there is a hardened mode. Were it nothing, the search would be at fault. */
static void by_default_libcurl_leaves_copies(void **state)
{
    struct seen seen;

    (void)state;
    look_at(&seen, VICTIM_HTTPS);
    assert_true(seen.freed.copies > 0);
}

static void a_dump_holds_nothing_of_what_is_kept_for_use(void **state)
{
    struct seen seen;

    (void)state;
    look_at(&seen, VICTIM_SCRIPTED);
    assert_none(seen.alive.dumped, &seen.alive);
}

static bool write_key(void)
{
    const char *secret = canaries.secrets[CANARY_CLIENT_KEY];
    const int file = mkstemp(key_file);
    const int size = file < 0 ? -1 : dprintf(file, "-----BEGIN PRIVATE KEY-----\n%s\n", secret);

    return size > 0 && close(file) == 0;
}

static int start(void **state)
{
    (void)state;
    canaries_hatch(&canaries);
    if (!write_key())
        return -1;
    return canaries_start_emulator(&canaries, &emulator);
}

static int stop(void **state)
{
    (void)state;
    unlink(key_file);
    return emulator_stop(&emulator);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_the_hardened_mode_nothing_is_left_when_all_is_freed),
        cmocka_unit_test(by_default_nothing_of_ours_is_left_when_all_is_freed),
        cmocka_unit_test(by_default_libcurl_leaves_copies),
        cmocka_unit_test(a_dump_holds_nothing_of_what_is_kept_for_use),
    };

    if (argc > 1 && strcmp(argv[1], "victim") == 0)
        return victim_live();
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, start, stop);
}
