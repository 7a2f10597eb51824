#include "support/test.h"

#include "support/child.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
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
