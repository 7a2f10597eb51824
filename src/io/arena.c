/*
 * Chunks are mapped, cut into blocks from their start to their end, and never unmapped before the arena ends. A block
 * that was given back waits in the list of its size class: multiples of 16 bytes up to 4 KiB, then four classes for
 * each doubling. A block that would take much of a chunk gets one of its own.
 *
 * Records have chunks apart: nobody reads where a record lies as if it were text. AddressSanitizer is to see who uses
 * one after it was given back, so that it gets them from the heap.
 */
#include "io/arena.h"

#include "io/fork.h"
#include "io/lock.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#define RECORDS_FROM_HEAP
#elif defined(__SANITIZE_THREAD__)
#define WORDS_ALONE
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RECORDS_FROM_HEAP
#elif __has_feature(thread_sanitizer)
#define WORDS_ALONE
#endif
#endif

typedef _Atomic uint64_t word_t;

enum {
    WORD = sizeof(word_t),
    CHUNK_SIZE = 256 * 1024,
    SHARED_MOST = CHUNK_SIZE / 4, /* a larger block has a chunk of its own */
    SMALL_MOST = 4096,
    SMALL_CLASSES = SMALL_MOST / NX_BLOCK_ALIGNMENT,
    DOUBLINGS = 11, /* from SMALL_MOST to NX_BLOCK_LARGEST */
    CLASSES = SMALL_CLASSES + 4 * DOUBLINGS
};

/* It stands at the start of what was mapped. */
struct chunk {
    _Alignas(NX_BLOCK_ALIGNMENT) struct chunk *next;
    size_t size;
};

struct nx_arena {
    struct nx_vault vault; /* first: it is cast to the arena */
    atomic_int references;
    struct nx_fork_guard guard;
    struct nx_lock lock; /* guards what follows */
    struct chunk *chunks;
    char *next, *end; /* what is left of the latest chunk */
    struct nx_block *given[CLASSES];
    char *next_record, *end_of_records;
    struct record *given_records;
};

struct record {
    struct record *next; /* that was given back */
};

struct class
{
    size_t index;
    size_t room; /* the size of its blocks */
};

static struct class class_of(size_t size)
{
    size_t base = SMALL_MOST;
    size_t index = SMALL_CLASSES;
    size_t quarters;

    if (size <= SMALL_MOST) {
        index = size > 0 ? (size - 1) / NX_BLOCK_ALIGNMENT : 0;
        return (struct class){index, (index + 1) * NX_BLOCK_ALIGNMENT};
    }
    for (; size > 2 * base; base *= 2)
        index += 4;
    quarters = (size - base - 1) / (base / 4);
    return (struct class){index + quarters, base + (quarters + 1) * (base / 4)};
}

static void *vault_take(struct nx_vault *vault, size_t size)
{
    return nx_arena_take((struct nx_arena *)vault, size);
}

static void vault_give(struct nx_vault *vault, void *memory, size_t size)
{
    nx_arena_give((struct nx_arena *)vault, memory, size);
}

struct nx_vault *nx_arena_vault(struct nx_arena *arena)
{
    return &arena->vault;
}

struct nx_arena *nx_arena_new(void)
{
    struct nx_arena *arena = calloc(1, sizeof *arena);

    if (!arena || !nx_fork_guard_init(&arena->guard, &arena->lock, NX_FORK_ARENA, NULL, NULL)) {
        free(arena);
        return NULL;
    }
    arena->vault = (struct nx_vault){vault_take, vault_give};
    atomic_init(&arena->references, 1);
    return arena;
}

struct nx_arena *nx_arena_ref(struct nx_arena *arena)
{
    atomic_fetch_add_explicit(&arena->references, 1, memory_order_relaxed);
    return arena;
}

void nx_arena_unref(struct nx_arena *arena)
{
    if (!arena || atomic_fetch_sub_explicit(&arena->references, 1, memory_order_acq_rel) != 1)
        return;
    while (arena->chunks) {
        struct chunk *chunk = arena->chunks;

        arena->chunks = chunk->next;
        munmap(chunk, chunk->size);
    }
    nx_fork_guard_destroy(&arena->guard);
    free(arena);
}

/* With the lock. */
static struct chunk *map(struct nx_arena *arena, size_t size)
{
    struct chunk *chunk = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (chunk == MAP_FAILED)
        return NULL;
#ifdef MADV_DONTDUMP
    madvise(chunk, size, MADV_DONTDUMP);
#endif
    chunk->next = arena->chunks;
    chunk->size = size;
    arena->chunks = chunk;
    return chunk;
}

/* A block that nobody has had yet. With the lock. */
static struct nx_block *cut(struct nx_arena *arena, size_t room)
{
    char *block;

    if (room > SHARED_MOST) {
        struct chunk *own = map(arena, sizeof *own + room);

        return own ? (struct nx_block *)(own + 1) : NULL;
    }
    if (room > (size_t)(arena->end - arena->next)) {
        struct chunk *chunk = map(arena, CHUNK_SIZE);

        if (!chunk)
            return NULL;
        arena->next = (char *)(chunk + 1);
        arena->end = (char *)chunk + CHUNK_SIZE;
    }
    block = arena->next;
    arena->next += room;
    return (struct nx_block *)(void *)block;
}

static word_t *words_of(struct nx_block *block)
{
    return (word_t *)(void *)block;
}

/* The block behind this one in the list; its address stands in the first word. */
static struct nx_block *behind(struct nx_block *block)
{
    const union {
        uintptr_t address;
        struct nx_block *block;
    } next = {(uintptr_t)atomic_load_explicit(words_of(block), memory_order_relaxed)};

    return next.block;
}

static void put_behind(struct nx_block *block, struct nx_block *next)
{
    atomic_store_explicit(words_of(block), (uintptr_t)next, memory_order_release);
}

struct nx_block *nx_arena_take(struct nx_arena *arena, size_t size)
{
    struct class class;
    struct nx_block *block;

    if (size > NX_BLOCK_LARGEST)
        return NULL;
    class = class_of(size);
    nx_lock_take(&arena->lock);
    block = arena->given[class.index];
    if (block) {
        arena->given[class.index] = behind(block);
        put_behind(block, NULL);
    } else {
        block = cut(arena, class.room);
    }
    nx_lock_give(&arena->lock);
    return block;
}

static void wipe(struct nx_block *block, size_t size)
{
    word_t *words = words_of(block);

    for (size_t i = 0; i < size; i += WORD)
        atomic_store_explicit(words++, 0, memory_order_release);
}

void nx_arena_give(struct nx_arena *arena, struct nx_block *block, size_t size)
{
    const struct class class = class_of(size);

    if (!block)
        return;
    wipe(block, size);
    nx_lock_take(&arena->lock);
    put_behind(block, arena->given[class.index]);
    arena->given[class.index] = block;
    nx_lock_give(&arena->lock);
}

/* How many of `size` bytes lie in the word of the first, `at` bytes into it. */
static size_t in_one_word(size_t at, size_t size)
{
    return size < WORD - at ? size : WORD - at;
}

/* What else is in the word stays. */
static void fill_part(word_t *word, size_t at, const char *from, size_t size)
{
    uint64_t value = atomic_load_explicit(word, memory_order_relaxed);

    memcpy((char *)&value + at, from, size);
    atomic_store_explicit(word, value, memory_order_release);
}

void nx_block_fill(struct nx_block *block, size_t offset, const void *bytes, size_t size)
{
    word_t *word = words_of(block) + offset / WORD;
    const char *from = bytes;

    if (offset % WORD) {
        const size_t part = in_one_word(offset % WORD, size);

        fill_part(word++, offset % WORD, from, part);
        from += part;
        size -= part;
    }
    for (; size >= WORD; size -= WORD, from += WORD) {
        uint64_t value;

        memcpy(&value, from, WORD);
        atomic_store_explicit(word++, value, memory_order_release);
    }
    if (size)
        fill_part(word, 0, from, size);
}

#if defined(__GNUC__) && !defined(WORDS_ALONE)

/*
 * What is read while it changes may be a mixture, as it may be of words; like them, it is read before what is read
 * later. C does not say so much of memcpy: the compiler is not told what it reads, and the fence is the processor's.
 */
void nx_block_copy(const struct nx_block *block, size_t offset, void *to, size_t size)
{
    const char *from = (const char *)block + offset;

    __asm__ volatile("" : "+r"(from) : : "memory");
    memcpy(to, from, size);
    __asm__ volatile("" : : : "memory");
    atomic_thread_fence(memory_order_acquire);
}

#else

void nx_block_copy(const struct nx_block *block, size_t offset, void *to, size_t size)
{
    const word_t *word = (const word_t *)(const void *)block + offset / WORD;
    size_t at = offset % WORD;
    char *next = to;

    while (size > 0) {
        const uint64_t value = atomic_load_explicit(word++, memory_order_acquire);
        const size_t part = in_one_word(at, size);

        memcpy(next, (const char *)&value + at, part);
        next += part;
        size -= part;
        at = 0;
    }
}

#endif

const char *nx_block_text(const struct nx_block *block)
{
    return (const char *)block;
}

#ifdef RECORDS_FROM_HEAP

void *nx_arena_take_record(struct nx_arena *arena)
{
    void *record = aligned_alloc(NX_RECORD_SIZE, NX_RECORD_SIZE);

    (void)arena;
    return record ? memset(record, 0, NX_RECORD_SIZE) : NULL;
}

#else

/* A record that nobody has had yet: zero, as what is mapped. The first place of a chunk is the chunk's own. With the
 * lock. */
static void *cut_record(struct nx_arena *arena)
{
    char *record;

    if (arena->next_record == arena->end_of_records) {
        struct chunk *chunk = map(arena, CHUNK_SIZE);

        if (!chunk)
            return NULL;
        arena->next_record = (char *)chunk + NX_RECORD_SIZE;
        arena->end_of_records = (char *)chunk + CHUNK_SIZE;
    }
    record = arena->next_record;
    arena->next_record += NX_RECORD_SIZE;
    return record;
}

void *nx_arena_take_record(struct nx_arena *arena)
{
    struct record *record;

    nx_lock_take(&arena->lock);
    record = arena->given_records;
    if (record) {
        arena->given_records = record->next;
        record->next = NULL;
    } else {
        record = cut_record(arena);
    }
    nx_lock_give(&arena->lock);
    return record;
}

#endif

void nx_arena_give_record(struct nx_arena *arena, void *inside)
{
    char *place = inside;
    struct record *record;

    if (!place)
        return;
    record = (struct record *)(void *)(place - (uintptr_t)place % NX_RECORD_SIZE);
#ifdef RECORDS_FROM_HEAP
    (void)arena;
    free(record);
#else
    memset(record, 0, NX_RECORD_SIZE);
    nx_lock_take(&arena->lock);
    record->next = arena->given_records;
    arena->given_records = record;
    nx_lock_give(&arena->lock);
#endif
}
