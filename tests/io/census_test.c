/* Which processes are gone, as far as the system says so. */
#include "io/census.h"
#include "support/child.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- A system that says less, or something else ------------------------------------------------------------------ */

static bool no_proc;
static bool not_ours;    /* processes are somebody else's */
static const char *said; /* by /proc; NULL: what it does say */

int __real_open(const char *path, int flags, ...); /* NOLINT(bugprone-reserved-identifier) */
int __wrap_open(const char *path, int flags, ...); /* NOLINT(bugprone-reserved-identifier) */
ssize_t __real_read(int file, void *bytes, size_t size);
ssize_t __wrap_read(int file, void *bytes, size_t size);
int __real_stat(const char *path, struct stat *found);
int __wrap_stat(const char *path, struct stat *found);
int __real_kill(pid_t pid, int signal);
int __wrap_kill(pid_t pid, int signal);

int __wrap_open(const char *path, int flags, ...)
{
    if (no_proc) {
        errno = ENOENT;
        return -1;
    }
    return __real_open(path, flags, 0);
}

ssize_t __wrap_read(int file, void *bytes, size_t size)
{
    if (!said)
        return __real_read(file, bytes, size);
    memset(bytes, 'Z', size - 1); /* as of somebody else, from before */
    memset((char *)bytes + size - 1, 0, 1);
    memcpy(bytes, said, strlen(said));
    return (ssize_t)strlen(said);
}

int __wrap_stat(const char *path, struct stat *found)
{
    return no_proc ? -1 : __real_stat(path, found);
}

int __wrap_kill(pid_t pid, int signal)
{
    if (not_ours && signal == 0) {
        errno = EPERM;
        return -1;
    }
    return __real_kill(pid, signal);
}

/* ---- Tests ------------------------------------------------------------------------------------------------------- */

/* A process that has ended, and whose parent knows of it. */
static struct nx_process end_one(const struct nx_process *self)
{
    struct nx_process ended = *self;
    const pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    ended.pid = pid;
    return ended;
}

static void who_lives_is_not_gone_and_who_has_ended_is(void **state)
{
    const struct nx_process self = nx_process_self();
    const struct nx_process ended = end_one(&self);

    (void)state;
    assert_int_equal(self.pid, getpid());
    assert_true(self.start && self.space);
    for (int thorough = 0; thorough <= 1; thorough++) {
        assert_false(nx_process_is_gone(&self, &self, thorough));
        assert_true(nx_process_is_gone(&ended, &self, thorough));
    }
}

static void nothing_is_known_of_another_counting_of_ids(void **state)
{
    const struct nx_process self = nx_process_self();
    struct nx_process ended = end_one(&self);

    (void)state;
    ended.space++;
    assert_false(nx_process_is_gone(&ended, &self, true));
}

static void another_one_under_the_same_id_is_seen_by_who_is_thorough(void **state)
{
    const struct nx_process self = nx_process_self();
    struct nx_process earlier = self;

    (void)state;
    earlier.start--;
    assert_false(nx_process_is_gone(&earlier, &self, false));
    assert_true(nx_process_is_gone(&earlier, &self, true));
    not_ours = true;
    assert_true(nx_process_is_gone(&earlier, &self, true));
    assert_false(nx_process_is_gone(&self, &self, true));
    not_ours = false;
    earlier.start = 0; /* not known */
    assert_false(nx_process_is_gone(&earlier, &self, true));
}

/* By what is read of the own id, which lives. */
static void what_the_system_says_of_a_process_decides(void **state)
{
#define FIELDS(threads, start) " 1 1 1 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 " threads " 0 " start " 1 1"
    static const struct {
        const char *said;
        bool gone;
    } cases[] = {
        {"7 (a) S" FIELDS("1", "100"), false},
        {"7 (a b) c) S" FIELDS("9", "100"), false},
        {"7 (a) S" FIELDS("1", "101"), true},
        {"7 (a) Z" FIELDS("1", "100"), true},
        {"7 (a) X" FIELDS("1", "100"), true},
        {"7 (a) Z" FIELDS("2", "100"), false},
        {"", false},
        {"7", false},
        {"7 (a)", false},
    };
    const struct nx_process process = {.pid = getpid(), .start = 100};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        said = cases[i].said;
        if (nx_process_is_gone(&process, &process, true) != cases[i].gone)
            fail_msg("%s", cases[i].said);
        assert_false(nx_process_is_gone(&process, &process, false));
    }
    said = NULL;
}

static void without_proc_a_process_is_known_by_its_id_alone(void **state)
{
    const struct nx_process known = nx_process_self();
    struct nx_process self;

    (void)state;
    no_proc = true;
    self = nx_process_self();
    assert_int_equal(self.pid, getpid());
    assert_int_equal(self.start, 0);
    assert_int_equal(self.space, 0);
    assert_false(nx_process_is_gone(&known, &known, true)); /* it ended between two looks, or /proc did */
    no_proc = false;
    said = "1 (init) S" FIELDS("1", "100"); /* of another counting of ids */
    assert_int_equal(nx_process_self().start, 0);
    said = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_lives_is_not_gone_and_who_has_ended_is),
        cmocka_unit_test(nothing_is_known_of_another_counting_of_ids),
        cmocka_unit_test(another_one_under_the_same_id_is_seen_by_who_is_thorough),
        cmocka_unit_test(what_the_system_says_of_a_process_decides),
        cmocka_unit_test(without_proc_a_process_is_known_by_its_id_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
