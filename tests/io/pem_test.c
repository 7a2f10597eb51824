/* Whether a file holds something in PEM, and what the question costs whoever asks: little stack, and no secret. */
#define _GNU_SOURCE /* memmem() */
#include "support/test.h"

#include "io/system.h"
#include "nexauth/nexauth.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MARK "-----BEGIN "
#define CA   NEXAUTH_TEST_DATA "/tls/ca.pem"
#define CERT NEXAUTH_TEST_DATA "/tls/client.pem"
#define KEY  NEXAUTH_TEST_DATA "/tls/client-key.pem"

enum { MARK_SIZE = sizeof MARK - 1, LONGEST = 65536, LARGE_STACK = 1024 * 1024 };

/* Sanitizers enlarge each frame, and keep what is theirs on the stack of each thread. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SMALL_STACK = LARGE_STACK };
#else
enum { SMALL_STACK = 64 * 1024 };
#endif

static char path[] = "pem-XXXXXX";
static int file = -1;

/* A file of `size` bytes of `filler`, with the mark from `at`; what does not fit is cut off. */
static nexauth_status judge(char filler, size_t at, size_t size)
{
    static char bytes[2 * LONGEST];

    memset(bytes, filler, sizeof bytes);
    memcpy(bytes + at, MARK, MARK_SIZE);
    assert_int_equal(ftruncate(file, 0), 0);
    assert_int_equal(pwrite(file, bytes, size, 0), size);
    return nx_file_holds_pem(path);
}

static void a_mark_is_found_wherever_it_begins(void **state)
{
    (void)state;
    for (size_t at = 0; at < 4200; at++) {
        if (judge('\n', at, 8192) != NEXAUTH_OK)
            fail_msg("at %zu it is overlooked", at);
    }
}

static void nothing_is_found_behind_a_nul(void **state)
{
    (void)state;
    for (size_t at = 1; at < 4200; at++) {
        if (judge('\0', at, 8192) != NEXAUTH_INVALID)
            fail_msg("at %zu it is found", at);
    }
}

/* The dash: what ends one piece may begin the mark. */
static void a_whole_mark_is_found_in_the_first_64_kib(void **state)
{
    const struct {
        char filler;
        size_t at, size;
        nexauth_status status;
    } cases[] = {
        {'\n', 0, MARK_SIZE, NEXAUTH_OK},
        {'\n', 0, MARK_SIZE - 1, NEXAUTH_INVALID},
        {'\n', 1020, 1020 + MARK_SIZE - 1, NEXAUTH_INVALID},
        {'\n', 1020, 1020 + MARK_SIZE, NEXAUTH_OK},
        {'-', 1020, 8192, NEXAUTH_OK},
        {'\n', LONGEST - MARK_SIZE, 2 * LONGEST, NEXAUTH_OK},
        {'\n', LONGEST - MARK_SIZE + 1, 2 * LONGEST, NEXAUTH_INVALID},
        {'\0', 0, 8192, NEXAUTH_OK},
        {'\n', 0, 0, NEXAUTH_INVALID},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (judge(cases[i].filler, cases[i].at, cases[i].size) != cases[i].status)
            fail_msg("case %zu", i);
    }
}

/* Runs it in a thread on this stack. */
static void run_on(void *stack, size_t size, void *(*run)(void *), void *context)
{
    pthread_attr_t attributes;
    pthread_t thread;

    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstack(&attributes, stack, size), 0);
    assert_int_equal(pthread_create(&thread, &attributes, run, context), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&attributes);
}

static void *new_stack(size_t size)
{
    void *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_ptr_not_equal(stack, MAP_FAILED);
    return stack;
}

static void *read_own(void *context)
{
    nexauth_status *status = context;

    *status = nx_file_holds_pem(path);
    return NULL;
}

/* The system reads it: memory checkers object when a program reads a stack whose thread has ended. */
static bool holds(const void *stack, size_t size, const char *needle)
{
    static char bytes[LARGE_STACK];
    const int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);

    assert_true(memory >= 0);
    assert_int_equal(pread(memory, bytes, size, (off_t)(uintptr_t)stack), size);
    close(memory);
    return memmem(bytes, size, needle, strlen(needle)) != NULL;
}

/* In the first piece, at an end of one, and in the last one, which is shorter. */
static void nothing_of_the_file_is_left_on_the_stack(void **state)
{
    static const char secret[] = "kept-by-nobody-else";
    const size_t places[] = {0, 500, 1005, 2000, 4000, 8192 - sizeof secret};
    nexauth_status status = NEXAUTH_UNAVAILABLE;
    void *stack = new_stack(LARGE_STACK);

    (void)state;
    for (size_t i = 0; i < 2 * (sizeof places / sizeof *places); i++) {
        judge('\n', i % 2 ? 8100 : 9000, 8192); /* with a mark, and without */
        assert_int_equal(pwrite(file, secret, sizeof secret - 1, (off_t)places[i / 2]), sizeof secret - 1);
        run_on(stack, LARGE_STACK, read_own, &status);
        assert_int_not_equal(status, NEXAUTH_UNAVAILABLE);
        if (holds(stack, LARGE_STACK, "nobody"))
            fail_msg("what stood at %zu is left", places[i / 2]);
    }
    munmap(stack, LARGE_STACK);
}

static void *make_session(void *context)
{
    const struct nexauth_session_options options = {.ca_file = CA, .client_cert_file = CERT, .client_key_file = KEY};
    nexauth_status *status = context;
    nexauth_session *session = NULL;

    *status = nexauth_session_new(&options, &session, NULL);
    nexauth_session_free(session);
    return NULL;
}

static void a_thread_with_a_small_stack_makes_a_session_with_files(void **state)
{
    nexauth_status status = NEXAUTH_UNAVAILABLE;
    char *room = new_stack(2 * SMALL_STACK);

    (void)state;
    assert_int_equal(mprotect(room, SMALL_STACK, PROT_NONE), 0);
    run_on(room + SMALL_STACK, SMALL_STACK, make_session, &status);
    assert_int_equal(status, NEXAUTH_OK);
    munmap(room, 2 * (size_t)SMALL_STACK);
}

static int begin(void **state)
{
    (void)state;
    file = mkstemp(path);
    return file < 0 ? -1 : 0;
}

static int end(void **state)
{
    (void)state;
    close(file);
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mark_is_found_wherever_it_begins),
        cmocka_unit_test(nothing_is_found_behind_a_nul),
        cmocka_unit_test(a_whole_mark_is_found_in_the_first_64_kib),
        cmocka_unit_test(nothing_of_the_file_is_left_on_the_stack),
        cmocka_unit_test(a_thread_with_a_small_stack_makes_a_session_with_files),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
