/* A tree that two threads make at once, that has no room for more processes, or no lock any more. */
#include "io/tree.h"
#include "io/tree_permits.h"
#include "support/child.h"
#include "support/test.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HOUR_MS = 3600000 };

/* ---- A system whose threads, processes and locks are as the tests want them -------------------------------------- */

static pthread_t other;
static struct nx_tree *others_tree;
static int others_to_come;
static int unmapped;
static bool all_seem_to_live;
static bool locks_are_lost;

void *__real_mmap(void *address, size_t size, int protection, int flags, int file, off_t offset);
void *__wrap_mmap(void *address, size_t size, int protection, int flags, int file, off_t offset);
int __real_munmap(void *address, size_t size);
int __wrap_munmap(void *address, size_t size);
int __real_kill(pid_t pid, int signal);
int __wrap_kill(pid_t pid, int signal);

int __real_pthread_mutex_trylock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_trylock(pthread_mutex_t *mutex);

int __wrap_pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    return locks_are_lost ? ENOTRECOVERABLE : __real_pthread_mutex_trylock(mutex);
}

static void *get_tree(void *context)
{
    (void)context;
    others_tree = nx_tree_get();
    return NULL;
}

void *__wrap_mmap(void *address, size_t size, int protection, int flags, int file, off_t offset)
{
    if (others_to_come-- > 0 && pthread_create(&other, NULL, get_tree, NULL) == 0)
        pthread_join(other, NULL);
    return __real_mmap(address, size, protection, flags, file, offset);
}

int __wrap_munmap(void *address, size_t size)
{
    unmapped++;
    return __real_munmap(address, size);
}

int __wrap_kill(pid_t pid, int signal)
{
    return all_seem_to_live && signal == 0 ? 0 : __real_kill(pid, signal);
}

/* A permit at a door where so many requests are allowed in an hour. */
static enum nx_turn enter(struct nx_permit *permit, uint64_t key, uint32_t requests)
{
    const struct nx_permit_wish wish = {.doors = {{.key = key, .requests = requests, .window_ms = HOUR_MS}},
                                        .count = 1,
                                        .lane = NX_LANE_API,
                                        .patience_ms = 3 * HOUR_MS};
    struct nx_permits *permits = nx_tree_permits();
    int64_t wait_ms;

    return permits->verbs->enter(permits, permit, &wish, &wait_ms);
}

/* ---- Tests: each in a child, which has no tree yet --------------------------------------------------------------- */

static bool make_it_second(const struct child *me, void *context)
{
    (void)me;
    (void)context;
    others_to_come = 1;
    return nx_tree_get() && nx_tree_get() == others_tree && unmapped == 1;
}

static void threads_that_make_the_first_tree_at_once_have_one(void **state)
{
    (void)state;
    assert_int_equal(child_run(make_it_second, NULL), 0);
}

/* A process more. Whether it may send. Of a thousand, most do without what child_exit() does. */
static bool join(bool ordinary)
{
    const pid_t pid = fork();
    int status = 0;

    if (pid == 0) {
        struct nx_permit permit = {.state = NX_PERMIT_NONE};
        const bool may_send = enter(&permit, 1, 0) == NX_TURN_NOW;

        if (may_send && ordinary)
            _exit(0);
        child_exit(may_send ? 0 : 1);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool be_too_many(const struct child *me, void *context)
{
    int count = 0;

    (void)me;
    (void)context;
    if (!nx_tree_get())
        return false;
    all_seem_to_live = true;
    while (count <= 2 * NX_LEDGER_OWNERS && join(true))
        count++;
    all_seem_to_live = false;
    return count >= NX_LEDGER_OWNERS && count < 2 * NX_LEDGER_OWNERS && join(false);
}

static void who_finds_no_place_sends_nothing_until_others_are_gone(void **state)
{
    (void)state;
    assert_int_equal(child_run(be_too_many, NULL), 0);
}

static bool wait_and_lose_the_locks(const struct child *me, void *context)
{
    static const struct nx_outcome answered = {.end = NX_END_ANSWERED, .word = NX_WORD_FINE};
    const uint64_t key = 1;
    struct nx_permits *permits = nx_tree_permits();
    struct nx_permit permit = {.state = NX_PERMIT_NONE};
    struct nx_gate_figures figures;
    int64_t now_us;

    (void)me;
    (void)context;
    while (enter(&permit, key, 2) == NX_TURN_NOW)
        permits->verbs->end(permits, &permit, &answered);
    if (permit.state != NX_PERMIT_WAITING || permits->verbs->soonest_ms(permits, &permit) == 0)
        return false;
    locks_are_lost = true;
    return permits->verbs->soonest_ms(permits, &permit) == 0 &&
           !permits->verbs->figures(permits, key, &figures, &now_us) && permits->verbs->leave(permits, &permit) &&
           permit.state == NX_PERMIT_NONE;
}

static void nothing_is_known_of_who_waits_where_the_last_lock_is_lost(void **state)
{
    (void)state;
    assert_int_equal(child_run(wait_and_lose_the_locks, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_that_make_the_first_tree_at_once_have_one),
        cmocka_unit_test(who_finds_no_place_sends_nothing_until_others_are_gone),
        cmocka_unit_test(nothing_is_known_of_who_waits_where_the_last_lock_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
