/* What failures are kept in: each block ends where memory does, can be refused, and is counted. */
#include "support/test.h"

#include "core/failures.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

enum { MOST_BLOCKS = 64, START_MS = 1000000, PAST_MS = START_MS + NX_FAILURES_KEPT_MS + 1001, PLACES = 16 };

static const struct nexauth_error NETWORK = {.status = NEXAUTH_NETWORK};

static struct block {
    char *memory, *pages;
    size_t size;
} blocks[MOST_BLOCKS];
static size_t in_use;

/* Tables hold pointers to entries, each a block of its own. */
static bool no_tables, no_entries;

void *__wrap_calloc(size_t items, size_t size);
void __wrap_free(void *memory);
void __real_free(void *memory);

void *__wrap_calloc(size_t items, size_t size)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t bytes = (items * size + page - 1) / page * page;
    struct block *block = blocks;
    char *pages;

    if (size == sizeof(void *) ? no_tables : no_entries)
        return NULL;
    while (block->memory)
        block++;
    assert_true(block < blocks + MOST_BLOCKS);
    pages = mmap(NULL, bytes + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(pages, MAP_FAILED);
    assert_int_equal(mprotect(pages + bytes, page, PROT_NONE), 0);
    *block = (struct block){.memory = pages + bytes - items * size, .pages = pages, .size = bytes + page};
    in_use++;
    return block->memory;
}

void __wrap_free(void *memory)
{
    for (struct block *block = blocks; memory && block < blocks + MOST_BLOCKS; block++) {
        if (block->memory == memory) {
            munmap(block->pages, block->size);
            *block = (struct block){0};
            in_use--;
            return;
        }
    }
    __real_free(memory);
}

static int set_up(void **state)
{
    (void)state;
    no_tables = no_entries = false;
    return 0;
}

static int64_t note(struct nx_failures *failures, uint64_t key, int64_t now_ms)
{
    return nx_failures_note(failures, key, &NETWORK, now_ms, 0);
}

static bool recalls(const struct nx_failures *failures, uint64_t key, int64_t now_ms)
{
    return nx_failures_recall(failures, key, now_ms, NULL);
}

/* Keys whose places are the first and the last too. */
static void room_is_made_of_all_places_and_no_more(void **state)
{
    struct nx_failures failures = {0};

    (void)state;
    for (uint64_t key = 2 * PLACES - 4; key < 2 * PLACES + 4; key++)
        note(&failures, key, START_MS);
    assert_int_equal(failures.places, PLACES);
    note(&failures, 3 * PLACES, START_MS);
    assert_int_equal(failures.places, 2 * PLACES);
    for (uint64_t key = 2 * PLACES - 4; key < 2 * PLACES + 4; key++)
        assert_true(recalls(&failures, key, START_MS));
    assert_int_equal(failures.count, 9);
    assert_int_equal(in_use, 10);
    nx_failures_release(&failures);
    assert_int_equal(in_use, 0);
}

static void a_released_one_is_as_new(void **state)
{
    struct nx_failures failures = {0};

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_false(recalls(&failures, 1, START_MS));
        assert_int_equal(note(&failures, 1, START_MS), 1000);
        assert_int_equal(failures.count, 1);
        nx_failures_release(&failures);
    }
    assert_int_equal(in_use, 0);
}

static void what_is_forgotten_or_past_is_given_back(void **state)
{
    struct nx_failures failures = {0};

    (void)state;
    for (uint64_t key = 0; key < 8; key++)
        note(&failures, key, START_MS);
    assert_int_equal(in_use, 9);
    nx_failures_forget(&failures, 0);
    assert_int_equal(in_use, 8);
    note(&failures, 0, START_MS);
    note(&failures, 8, PAST_MS);
    assert_int_equal(failures.places, PLACES);
    assert_int_equal(failures.count, 1);
    assert_int_equal(in_use, 2);
    nx_failures_release(&failures);
    assert_int_equal(in_use, 0);
}

/* Of eight keys, where there is to be room for a ninth. */
static void there_are_four_places_for_each_that_is_kept(void **state)
{
    static const struct {
        uint64_t kept;
        size_t places;
    } CASES[] = {{0, PLACES}, {1, PLACES}, {4, PLACES}, {5, 2 * PLACES}, {8, 2 * PLACES}};

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_failures failures = {0};

        for (uint64_t key = 0; key < 8; key++)
            note(&failures, key, key < CASES[i].kept ? PAST_MS : START_MS);
        note(&failures, 8, PAST_MS);
        assert_int_equal(failures.places, CASES[i].places);
        assert_int_equal(failures.count, CASES[i].kept + 1);
        nx_failures_release(&failures);
    }
}

/* At first, in a table that has room, and where it is to grow. */
static void without_memory_nothing_is_remembered_and_nothing_forgotten(void **state)
{
    static const struct {
        uint64_t before;
        bool no_tables, no_entries;
    } CASES[] = {{0, true, false}, {0, false, true}, {3, false, true},
                 {8, true, false}, {8, false, true}, {8, true, true}};

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_failures failures = {0};

        for (uint64_t key = 1; key <= CASES[i].before; key++)
            note(&failures, key, START_MS);
        no_tables = CASES[i].no_tables;
        no_entries = CASES[i].no_entries;
        for (int times = 0; times < 2; times++) {
            assert_int_equal(note(&failures, 9, START_MS), 1000);
            assert_false(recalls(&failures, 9, START_MS));
        }
        for (uint64_t key = 1; key <= CASES[i].before; key++)
            assert_true(recalls(&failures, key, START_MS));
        assert_int_equal(failures.count, CASES[i].before);
        no_tables = no_entries = false;
        note(&failures, 9, START_MS);
        assert_true(recalls(&failures, 9, START_MS));
        nx_failures_release(&failures);
        assert_int_equal(in_use, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(room_is_made_of_all_places_and_no_more, set_up),
        cmocka_unit_test_setup(a_released_one_is_as_new, set_up),
        cmocka_unit_test_setup(what_is_forgotten_or_past_is_given_back, set_up),
        cmocka_unit_test_setup(there_are_four_places_for_each_that_is_kept, set_up),
        cmocka_unit_test_setup(without_memory_nothing_is_remembered_and_nothing_forgotten, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
