#include "support/test.h"

#include "support/child.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LONGEST_S = 60 };

#ifdef NEXAUTH_COVERAGE
extern void __gcov_dump(void);
#endif

void child_exit(int status)
{
#ifdef NEXAUTH_COVERAGE
    __gcov_dump();
#endif
    _exit(status);
}

#if defined(__GNUC__)
extern int __lsan_do_recoverable_leak_check(void) __attribute__((weak));
#endif

bool child_leaks_nothing(void)
{
#if defined(__GNUC__)
    return !__lsan_do_recoverable_leak_check || __lsan_do_recoverable_leak_check() == 0;
#else
    return true;
#endif
}

void child_say(const struct child *me)
{
    if (write(me->from, "x", 1) != 1)
        _exit(3);
}

static bool take_byte(int descriptor)
{
    char byte;

    return read(descriptor, &byte, 1) == 1;
}

void child_await(const struct child *me)
{
    take_byte(me->to);
}

/* Of a folder of /proc/self/task. The state stands behind the name, which ends with the last bracket. */
static bool is_asleep(int tasks, const char *thread)
{
    char path[64];
    char text[512] = "";

    snprintf(path, sizeof path, "%s/stat", thread);
    const int file = openat(tasks, path, O_RDONLY);
    if (file < 0)
        return true; /* it has ended */
    const ssize_t size = read(file, text, sizeof text - 1);
    close(file);
    const char *name_end = size > 0 ? strrchr(text, ')') : NULL;
    return name_end && strncmp(name_end, ") S", 3) == 0;
}

static int count_awake(void)
{
    DIR *tasks = opendir("/proc/self/task");
    int awake = 0;

    assert_non_null(tasks);
    for (const struct dirent *entry; (entry = readdir(tasks));)
        awake += entry->d_name[0] != '.' && !is_asleep(dirfd(tasks), entry->d_name);
    closedir(tasks);
    return awake;
}

void child_await_quiet(void)
{
    const struct timespec moment = {.tv_nsec = 1000000};

    while (count_awake() > 1)
        nanosleep(&moment, NULL);
}

void child_start(struct child *child, child_work work, void *context)
{
    int from[2];
    int to[2];

    assert_int_equal(pipe(from), 0);
    assert_int_equal(pipe(to), 0);
    fflush(NULL);
    child->pid = fork();
    assert_true(child->pid >= 0);
    if (child->pid == 0) {
        const struct child me = {.from = from[1], .to = to[0]};

        alarm(LONGEST_S);
        close(from[0]);
        close(to[1]);
        child_exit(work(&me, context) ? 0 : 1);
    }
    close(from[1]);
    close(to[0]);
    child->from = from[0];
    child->to = to[1];
}

void child_listen(const struct child *child)
{
    assert_true(take_byte(child->from));
}

void child_let_go(struct child *child)
{
    assert_int_equal(write(child->to, "x", 1), 1);
}

static int status_of(pid_t pid)
{
    int status = 0;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status))
        return WTERMSIG(status);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

int child_end(struct child *child)
{
    close(child->to);
    const int status = status_of(child->pid);

    close(child->from);
    return status;
}

void child_kill(struct child *child)
{
    kill(child->pid, SIGKILL);
    assert_int_equal(child_end(child), SIGKILL);
}

int child_run(child_work work, void *context)
{
    struct child child;

    child_start(&child, work, context);
    return child_end(&child);
}
