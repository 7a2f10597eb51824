/*
 * A system that has no more locks, conditions, randomness, memory to map or room for a handler of forks. Who starts a
 * session or waits is told so, and all goes as ever once that is over.
 */
#include "io/system.h"
#include "support/caller.h"
#include "support/child.h"
#include "support/fixture.h"
#include "support/test.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

enum { MOST = 200 };

/* ---- A system that refuses --------------------------------------------------------------------------------------- */

static int seen;       /* of what can be refused */
static int refused;    /* which of them is, from 1; 0: none */
static bool for_ever;  /* and all after it */
static int conditions; /* 1: their attributes are refused; 2: they themselves */
static atomic_int lacking;
static int mapped;
static int interruptible;
static bool dribbles; /* randomness comes byte by byte, and interrupted */

static bool refuses(void)
{
    seen++;
    return seen == refused || (for_ever && refused && seen > refused);
}

int __real_pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes);
int __wrap_pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes);
int __real_pthread_mutexattr_init(pthread_mutexattr_t *attributes);
int __wrap_pthread_mutexattr_init(pthread_mutexattr_t *attributes);
int __real_pthread_condattr_init(pthread_condattr_t *attributes);
int __wrap_pthread_condattr_init(pthread_condattr_t *attributes);
int __real_pthread_cond_init(pthread_cond_t *condition, const pthread_condattr_t *attributes);
int __wrap_pthread_cond_init(pthread_cond_t *condition, const pthread_condattr_t *attributes);
int __real_pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void));
int __wrap_pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void));
int __real_munmap(void *address, size_t size);
int __wrap_munmap(void *address, size_t size);
void *__real_mmap(void *address, size_t size, int protection, int flags, int file, off_t offset);
void *__wrap_mmap(void *address, size_t size, int protection, int flags, int file, off_t offset);
ssize_t __real_getrandom(void *bytes, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *bytes, size_t size, unsigned flags);

int __wrap_pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes)
{
    return refuses() ? EAGAIN : __real_pthread_mutex_init(mutex, attributes);
}

int __wrap_pthread_mutexattr_init(pthread_mutexattr_t *attributes)
{
    return refuses() ? ENOMEM : __real_pthread_mutexattr_init(attributes);
}

int __wrap_pthread_condattr_init(pthread_condattr_t *attributes)
{
    lacking += conditions == 1;
    return conditions == 1 ? ENOMEM : __real_pthread_condattr_init(attributes);
}

int __wrap_pthread_cond_init(pthread_cond_t *condition, const pthread_condattr_t *attributes)
{
    lacking += conditions == 2;
    return conditions == 2 ? EAGAIN : __real_pthread_cond_init(condition, attributes);
}

int __wrap_pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
    return for_ever && refuses() ? ENOMEM : __real_pthread_atfork(prepare, parent, child); /* once is forgiven */
}

void *__wrap_mmap(void *address, size_t size, int protection, int flags, int file, off_t offset)
{
    if (refuses())
        return MAP_FAILED;
    mapped++;
    return __real_mmap(address, size, protection, flags, file, offset);
}

int __wrap_munmap(void *address, size_t size)
{
    mapped--;
    return __real_munmap(address, size);
}

ssize_t __wrap_getrandom(void *bytes, size_t size, unsigned flags)
{
    if (dribbles && ++interruptible % 2) {
        errno = EINTR;
        return -1;
    }
    if (refuses()) {
        errno = ENOSYS;
        return -1;
    }
    return __real_getrandom(bytes, dribbles ? 1 : size, flags);
}

/* ---- Starting ---------------------------------------------------------------------------------------------------- */

/* What children tell. */
static struct {
    bool was_refused;
} * told;

/* In a process that has nothing of the library's yet. */
static bool start_without(const struct child *me, void *number)
{
    struct nexauth_error error = {0};
    nexauth_session *session = NULL;
    nexauth_status status;

    (void)me;
    seen = 0;
    refused = *(int *)number;
    status = nexauth_session_new(NULL, &session, &error);
    told->was_refused = seen >= refused;
    refused = 0;
    if (status != (told->was_refused ? NEXAUTH_NO_MEMORY : NEXAUTH_OK) || !session != told->was_refused ||
        error.status != status)
        return false;
    if (!session && nexauth_session_new(NULL, &session, &error))
        return false;
    nexauth_session_free(session);
    return mapped == 1 && child_leaks_nothing(); /* what processes share stays */
}

static void refuse_one_by_one(void)
{
    int number = 0;

    do {
        number++;
        assert_in_range(number, 1, MOST);
        if (child_run(start_without, &number) != 0)
            fail_msg("without number %d", number);
    } while (told->was_refused);
    assert_true(number > 10);
}

static void a_session_that_lacks_anything_is_not_started_and_the_next_one_is(void **state)
{
    (void)state;
    refuse_one_by_one();
    for_ever = true;
    refuse_one_by_one();
    for_ever = false;
}

/* ---- Waiting ----------------------------------------------------------------------------------------------------- */

/* Who leads needs nothing to sleep by, and who has nothing looks again and again. */
static void who_cannot_sleep_waits_all_the_same(void **state)
{
    struct fixture *fixture = *state;

    fixture->script.blocks = true;
    for (int kind = 1; kind <= 2; kind++) {
        struct caller leader = {.source = fixture_new_controller(fixture),
                                .timeout_ms = 10000}; /* the answer takes longer */
        struct caller follower = {.source = leader.source, .timeout_ms = 10000};

        script_answer(&fixture->script,
                      (struct script_answer){
                          .status = 200, .takes_ms = 20000, .body = "{\"access_token\":\"one\",\"expires_in\":3600}"});
        lacking = 0;
        conditions = kind;
        caller_start(&leader);
        while (!script_sleeps(&fixture->script))
            sched_yield();
        assert_int_equal(lacking, 0);
        caller_start(&follower);
        while (lacking < 3)
            sched_yield();
        script_pass_ms(&fixture->script, 20000);
        script_rouse(&fixture->script);
        pthread_join(leader.thread, NULL);
        pthread_join(follower.thread, NULL);
        conditions = 0;
        assert_int_equal(leader.status, NEXAUTH_OK);
        assert_int_equal(fixture_get(leader.source, "one", NULL), NEXAUTH_OK);
        assert_int_equal(fixture->script.begun, kind);
        nexauth_source_free(leader.source);
    }
}

/* ---- Randomness -------------------------------------------------------------------------------------------------- */

static void randomness_is_whole_however_it_comes(void **state)
{
    const unsigned char none[16] = {0};
    unsigned char bytes[3][16] = {{0}};

    (void)state;
    dribbles = true;
    for (int i = 0; i < 3; i++)
        assert_true(nx_system_entropy(NULL, bytes[i], sizeof bytes[i]));
    dribbles = false;
    for (int half = 0; half < 16; half += 8)
        assert_memory_not_equal(bytes[0] + half, none, 8);
    assert_memory_not_equal(bytes[0], bytes[1], 16);
    assert_memory_not_equal(bytes[1], bytes[2], 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_that_lacks_anything_is_not_started_and_the_next_one_is),
        cmocka_unit_test_setup_teardown(who_cannot_sleep_waits_all_the_same, fixture_set_up, fixture_tear_down),
        cmocka_unit_test(randomness_is_whole_however_it_comes),
    };

    told = __real_mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return told == MAP_FAILED ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
