#include "memory.h"

#include "schedule.h"

#include <stdbool.h>
#include <string.h>

enum { ROOM = 1024 * 1024, ALIGNMENT = 16, PATTERN = 0xdd };

/* It stands before each block. */
struct head {
    size_t size;
    bool freed;
};

enum { HEAD = (sizeof(struct head) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT };

static _Alignas(ALIGNMENT) char room[ROOM];
static size_t used;
static bool within;
static size_t size_that_fails;
static int failing_left;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void __wrap_free(void *block);

static struct head *head_of(void *block)
{
    return (struct head *)(void *)((char *)block - HEAD);
}

void *__wrap_malloc(size_t size)
{
    struct head *head = (struct head *)(void *)(room + used);

    if (!within)
        return __real_malloc(size);
    if (size == size_that_fails && failing_left && schedule_choose(2)) {
        failing_left--;
        schedule_note("memory runs out", (int)size);
        return NULL;
    }
    if (size > ROOM / 2 || used + HEAD + size + ALIGNMENT > ROOM)
        schedule_fail("the room for blocks is too small");
    *head = (struct head){.size = size};
    used += HEAD + (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return (char *)head + HEAD;
}

void *__wrap_calloc(size_t count, size_t size)
{
    void *block = within ? __wrap_malloc(count * size) : __real_calloc(count, size);

    if (block)
        memset(block, 0, count * size);
    return block;
}

void __wrap_free(void *block)
{
    if ((char *)block < room || (char *)block >= room + ROOM) {
        __real_free(block);
        return;
    }
    if (head_of(block)->freed)
        schedule_fail("something is freed twice");
    head_of(block)->freed = true;
    memset(block, PATTERN, head_of(block)->size);
}

void memory_allow(int failures)
{
    failing_left = failures;
}

void memory_begin(size_t failing_size)
{
    used = 0;
    within = true;
    size_that_fails = failing_size;
    failing_left = 0;
}

static void check(struct head *head)
{
    const unsigned char *bytes = (const unsigned char *)head + HEAD;

    if (!head->freed)
        schedule_fail("a block of %zu bytes was not freed", head->size);
    for (size_t i = 0; i < head->size; i++) {
        if (bytes[i] != PATTERN)
            schedule_fail("a block of %zu bytes was written into after it was freed, at %zu", head->size, i);
    }
}

void memory_end(void)
{
    within = false;
    for (size_t at = 0; at < used;) {
        struct head *head = (struct head *)(void *)(room + at);

        check(head);
        at += HEAD + (head->size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }
}
