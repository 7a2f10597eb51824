/* Blocks for the text of tokens: what they hold, who gets them again, and that copying from any of them is harmless. */
#include "support/test.h"

#include "io/arena.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 8, ROUNDS = 2000, TEXT = 1000, TEXTS = 16 };

static struct nx_arena *new_arena(void)
{
    struct nx_arena *arena = nx_arena_new();

    assert_non_null(arena);
    return arena;
}

static struct nx_block *take(struct nx_arena *arena, size_t size)
{
    struct nx_block *block = nx_arena_take(arena, size);

    assert_non_null(block);
    return block;
}

static bool is_all(const char *bytes, char c, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != c)
            return false;
    }
    return true;
}

static void a_given_block_is_taken_again_for_a_size_of_its_class(void **state)
{
    static const struct {
        size_t given, taken;
        bool same;
    } rows[] = {
        {0, 16, true},
        {1, 16, true},
        {16, 17, false},
        {65, 80, true},
        {1023, 1024, true},
        {1024, 1025, false},
        {4081, 4096, true},
        {4096, 4097, false},
        {4097, 5120, true},
        {5120, 5121, false},
        {7169, 8192, true},
        {8192, 8193, false},
        {8193, 10240, true},
        {60000, 65536, true},
        {65537, 81920, true},
        {262145, 327680, true},
        {327680, 327681, false},
        {4194305, 5242880, true},
        {7340033, 8388608, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct nx_arena *arena = new_arena();
        struct nx_block *given = take(arena, rows[i].given);
        struct nx_block *taken;

        nx_arena_give(arena, given, rows[i].given);
        taken = take(arena, rows[i].taken);
        if ((given == taken) != rows[i].same)
            fail_msg("%zu bytes after %zu", rows[i].taken, rows[i].given);
        nx_arena_give(arena, taken, rows[i].taken);
        nx_arena_unref(arena);
    }
}

static void a_block_holds_what_was_filled_in_at_any_offset(void **state)
{
    struct nx_arena *arena = new_arena();
    enum { OFFSETS = 40, SIZES = 210, ALL = OFFSETS + SIZES };
    struct nx_block *block = take(arena, ALL);
    char expected[ALL] = {0};
    char copy[ALL];

    (void)state;
    for (size_t offset = 0; offset < OFFSETS; offset++) {
        for (size_t size = 0; size <= SIZES; size++) {
            char bytes[SIZES];

            for (size_t i = 0; i < SIZES; i++)
                bytes[i] = (char)(1 + offset + size + i);
            memcpy(expected + offset, bytes, size);
            nx_block_fill(block, offset, bytes, size);
            assert_memory_equal(nx_block_text(block), expected, sizeof expected);
            memset(copy, 0, sizeof copy);
            nx_block_copy(block, offset, copy, size);
            assert_memory_equal(copy, expected + offset, size);
            assert_true(is_all(copy + size, 0, sizeof copy - size));
        }
    }
    nx_arena_give(arena, block, ALL);
    nx_arena_unref(arena);
}

static void blocks_of_all_sizes_are_aligned_zero_and_apart(void **state)
{
    enum { SIZES = 40 };
    struct nx_arena *arena = new_arena();
    struct nx_block *blocks[SIZES];
    size_t sizes[SIZES];

    (void)state;
    for (size_t i = 0; i < SIZES; i++) {
        char *bytes;

        sizes[i] = i < SIZES - 1 ? (size_t)1 + i * i * i * 88 : NX_BLOCK_LARGEST;
        blocks[i] = take(arena, sizes[i]);
        bytes = malloc(sizes[i]);
        assert_non_null(bytes);
        assert_int_equal((uintptr_t)blocks[i] % NX_BLOCK_ALIGNMENT, 0);
        assert_true(is_all(nx_block_text(blocks[i]), 0, sizes[i]));
        memset(bytes, (int)(i + 1), sizes[i]);
        nx_block_fill(blocks[i], 0, bytes, sizes[i]);
        free(bytes);
    }
    assert_true(sizes[SIZES - 2] > (size_t)4 * 1024 * 1024);
    for (size_t i = 0; i < SIZES; i++) {
        assert_true(is_all(nx_block_text(blocks[i]), (char)(i + 1), sizes[i]));
        nx_arena_give(arena, blocks[i], sizes[i]);
    }
    nx_arena_unref(arena);
}

static void what_is_larger_than_the_largest_is_refused(void **state)
{
    struct nx_arena *arena = new_arena();

    (void)state;
    assert_null(nx_arena_take(arena, (size_t)NX_BLOCK_LARGEST + 1));
    assert_null(nx_arena_take(arena, SIZE_MAX));
    nx_arena_give(arena, NULL, 1);
    nx_arena_unref(arena);
    nx_arena_unref(NULL);
}

/* Two are given, so that the first in the list has a link. */
static void a_given_block_is_wiped_but_for_its_link(void **state)
{
    enum { SIZE = 1001 };
    struct nx_arena *arena = new_arena();
    struct nx_block *first = take(arena, SIZE);
    struct nx_block *second = take(arena, SIZE);
    char bytes[SIZE];
    char copy[SIZE];

    (void)state;
    memset(bytes, 's', sizeof bytes);
    nx_block_fill(first, 0, bytes, SIZE);
    nx_block_fill(second, 0, bytes, SIZE);
    nx_arena_give(arena, first, SIZE);
    nx_arena_give(arena, second, SIZE);
    nx_block_copy(first, 0, copy, SIZE);
    assert_true(is_all(copy, 0, SIZE));
    nx_block_copy(second, 0, copy, SIZE);
    assert_true(is_all(copy + sizeof(uint64_t), 0, SIZE - sizeof(uint64_t)));
    assert_ptr_equal(take(arena, SIZE), second);
    nx_block_copy(second, 0, copy, SIZE);
    assert_true(is_all(copy, 0, SIZE));
    nx_arena_give(arena, second, SIZE);
    nx_arena_unref(arena);
}

static void an_arena_lives_until_its_last_reference(void **state)
{
    struct nx_arena *arena = new_arena();
    struct nx_block *block;

    (void)state;
    assert_ptr_equal(nx_arena_ref(arena), arena);
    nx_arena_unref(arena);
    block = take(arena, TEXT);
    nx_block_fill(block, 0, "still here", sizeof "still here");
    assert_string_equal(nx_block_text(block), "still here");
    nx_arena_give(arena, block, TEXT);
    nx_arena_unref(arena);
}

/* Whether the mapping that holds an address has a flag of two letters (proc(5), VmFlags). */
static bool is_mapped_with(const void *address, const char *flag)
{
    FILE *file = fopen("/proc/self/smaps", "r");
    char line[1024];
    bool within = false;
    bool found = false;

    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        char *end;
        const unsigned long long first = strtoull(line, &end, 16);

        if (*end == '-')
            within = (uintptr_t)address >= first && (uintptr_t)address < strtoull(end + 1, NULL, 16);
        else if (within && strncmp(line, "VmFlags:", 8) == 0)
            found = strstr(line, flag) != NULL;
    }
    fclose(file);
    return found;
}

static void blocks_of_every_size_stay_out_of_core_dumps(void **state)
{
    static const size_t sizes[] = {1, TEXT, 100000, 4194304};
    struct nx_arena *arena = new_arena();

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct nx_block *block = take(arena, sizes[i]);

        assert_true(is_mapped_with(block, " dd"));
        nx_arena_give(arena, block, sizes[i]);
    }
    assert_false(is_mapped_with(&arena, " dd"));
    nx_arena_unref(arena);
}

static void take_records(struct nx_arena *arena, unsigned char **records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        records[i] = nx_arena_take_record(arena);
        assert_non_null(records[i]);
        assert_int_equal((uintptr_t)records[i] % NX_RECORD_SIZE, 0);
        assert_true(is_all((const char *)records[i], 0, NX_RECORD_SIZE));
        memset(records[i], (int)(i % 255) + 1, NX_RECORD_SIZE);
    }
}

/* More than a chunk holds, and all of them twice. Any address in a record gives it back. */
static void records_are_zero_and_lie_apart(void **state)
{
    enum { RECORDS = 2500 };
    static unsigned char *records[RECORDS];
    struct nx_arena *arena = new_arena();

    (void)state;
    for (int times = 0; times < 2; times++) {
        take_records(arena, records, RECORDS);
        for (size_t i = 0; i < RECORDS; i++) {
            assert_true(is_all((const char *)records[i], (char)(i % 255 + 1), NX_RECORD_SIZE));
            nx_arena_give_record(arena, records[i] + i % NX_RECORD_SIZE);
        }
    }
    nx_arena_give_record(arena, NULL);
    nx_arena_unref(arena);
}

struct crowd {
    struct nx_arena *arena;
    _Atomic(struct nx_block *) shown[TEXTS]; /* blocks that somebody has, or had */
    atomic_int differences;
};

static void *take_and_give(void *argument)
{
    struct crowd *crowd = argument;
    char bytes[TEXT];
    char copy[TEXT];

    for (int i = 0; i < ROUNDS; i++) {
        const size_t size = 100 + (size_t)i * 37 % (TEXT - 100);
        struct nx_block *block = nx_arena_take(crowd->arena, size);
        struct nx_block *other;

        memset(bytes, 'a' + i % 26, size);
        nx_block_fill(block, 0, bytes, size);
        other = atomic_exchange(&crowd->shown[i % TEXTS], block);
        if (other)
            nx_block_copy(other, 0, copy, 100);
        if (memcmp(nx_block_text(block), bytes, size) != 0)
            crowd->differences++;
        nx_arena_give(crowd->arena, block, size);
    }
    nx_arena_unref(crowd->arena);
    return NULL;
}

static void many_threads_take_give_and_copy(void **state)
{
    struct crowd crowd = {.arena = new_arena()};
    pthread_t threads[THREADS];

    (void)state;
    for (int i = 0; i < THREADS; i++) {
        nx_arena_ref(crowd.arena);
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, &crowd), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    nx_arena_unref(crowd.arena);
    assert_int_equal(crowd.differences, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_given_block_is_taken_again_for_a_size_of_its_class),
        cmocka_unit_test(a_block_holds_what_was_filled_in_at_any_offset),
        cmocka_unit_test(blocks_of_all_sizes_are_aligned_zero_and_apart),
        cmocka_unit_test(what_is_larger_than_the_largest_is_refused),
        cmocka_unit_test(a_given_block_is_wiped_but_for_its_link),
        cmocka_unit_test(an_arena_lives_until_its_last_reference),
        cmocka_unit_test(blocks_of_every_size_stay_out_of_core_dumps),
        cmocka_unit_test(records_are_zero_and_lie_apart),
        cmocka_unit_test(many_threads_take_give_and_copy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
