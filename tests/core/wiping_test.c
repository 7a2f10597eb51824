/* What the wiping allocator gives back to the system holds nothing any more. */
#include "support/test.h"

#include "core/wiping.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool watched, memory_is_out;
static size_t freed, freed_with_something;

void *__wrap_malloc(size_t size);
void *__real_malloc(size_t size);
void __wrap_free(void *memory);
void __real_free(void *memory);

void *__wrap_malloc(size_t size)
{
    return memory_is_out ? NULL : __real_malloc(size);
}

/* Looks at what the allocator gives back. */
void __wrap_free(void *memory)
{
    const char *bytes = memory;

    if (watched && memory) {
        const size_t size = malloc_usable_size(memory);
        size_t i = 0;

        while (i < size && bytes[i] == '\0')
            i++;
        freed++;
        freed_with_something += i < size;
    }
    __real_free(memory);
}

static int watch(void **state)
{
    (void)state;
    freed = 0;
    freed_with_something = 0;
    watched = true;
    return 0;
}

static int unwatch(void **state)
{
    (void)state;
    watched = false;
    return 0;
}

static void assert_all_wiped(size_t expected)
{
    assert_int_equal(freed, expected);
    assert_int_equal(freed_with_something, 0);
}

static void what_is_freed_is_wiped_to_its_end(void **state)
{
    char *block = nx_wiping_malloc(100);
    char *zeroed = nx_wiping_calloc(10, 10);
    char *string = nx_wiping_strdup("a secret");

    (void)state;
    for (int i = 0; i < 100; i++)
        assert_int_equal(zeroed[i], 0);
    assert_string_equal(string, "a secret");
    memset(block, 'x', malloc_usable_size(block));
    memset(zeroed, 'x', malloc_usable_size(zeroed));
    nx_wiping_free(block);
    nx_wiping_free(zeroed);
    nx_wiping_free(string);
    nx_wiping_free(NULL);
    assert_all_wiped(3);
}

/* `kept`: how much of 100 bytes must still be there. */
static void assert_moved(size_t size, size_t kept)
{
    char *block = nx_wiping_malloc(100);

    memset(block, 'x', 100);
    block = nx_wiping_realloc(block, size);
    for (size_t i = 0; i < kept; i++)
        assert_int_equal(block[i], 'x');
    nx_wiping_free(block);
}

static void what_is_moved_is_wiped_where_it_was(void **state)
{
    (void)state;
    assert_moved(10000, 100);
    assert_moved(101, 100);
    assert_moved(10, 10);
    assert_all_wiped(6);
}

static void realloc_makes_and_frees_as_ever(void **state)
{
    char *block = nx_wiping_realloc(NULL, 10);

    (void)state;
    memset(block, 'x', 10);
    assert_null(nx_wiping_realloc(block, 0));
    block = nx_wiping_realloc(NULL, 0);
    nx_wiping_free(block);
    assert_all_wiped(block ? 2 : 1);
}

static void what_cannot_be_moved_stays(void **state)
{
    char *block = nx_wiping_strdup("a secret");

    (void)state;
    memory_is_out = true;
    assert_null(nx_wiping_realloc(block, 100));
    memory_is_out = false;
    assert_string_equal(block, "a secret");
    assert_all_wiped(0);
    nx_wiping_free(block);
}

static void each_request_counts(void **state)
{
    const unsigned int before = nx_wiping_count();
    char *memory[] = {nx_wiping_malloc(1), nx_wiping_calloc(1, 1), nx_wiping_strdup(""), nx_wiping_realloc(NULL, 1)};

    (void)state;
    for (size_t i = 0; i < sizeof memory / sizeof *memory; i++)
        nx_wiping_free(memory[i]);
    assert_int_equal(nx_wiping_count() - before, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_freed_is_wiped_to_its_end, watch, unwatch),
        cmocka_unit_test_setup_teardown(what_is_moved_is_wiped_where_it_was, watch, unwatch),
        cmocka_unit_test_setup_teardown(realloc_makes_and_frees_as_ever, watch, unwatch),
        cmocka_unit_test_setup_teardown(what_cannot_be_moved_stays, watch, unwatch),
        cmocka_unit_test(each_request_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
