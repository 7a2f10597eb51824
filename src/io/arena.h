/*
 * Memory for the text of tokens: blocks that are kept out of core dumps and stay mapped as long as their arena lives.
 *
 * A block may be read while its owner fills or wipes it, and even after it was given back: whoever copies from it then
 * gets garbage, but no fault and no data race. A sequence count tells the reader that it was garbage: what is seen of a
 * filling or wiping comes with all that its thread saw and did before.
 *
 * As a vault, an arena gives ordinary memory, which is its owner's alone: nobody copies from it late. So it is an arena
 * of its own.
 *
 * Plain reading through a pointer into a block is for those who hold what the block belongs to: it does not change
 * meanwhile.
 *
 * A record is memory of one fixed size that lies on cache lines of its own, without what malloc() adds to that. It is
 * its owner's alone.
 */
#ifndef NX_ARENA_H
#define NX_ARENA_H

#include "core/vault.h"

#include <stddef.h>

struct nx_arena;
struct nx_block; /* aligned to NX_BLOCK_ALIGNMENT bytes */

enum { NX_RECORD_SIZE = 256 }; /* and alignment */

enum { NX_BLOCK_ALIGNMENT = 16, NX_BLOCK_LARGEST = 8 * 1024 * 1024 };

/* An empty arena with one reference. NULL when memory ran out. */
struct nx_arena *nx_arena_new(void);

struct nx_arena *nx_arena_ref(struct nx_arena *arena);

/* The last reference unmaps everything; all blocks and records have been given back by then, and nobody copies from one
 * any more.
 */
void nx_arena_unref(struct nx_arena *arena);

/* A block for `size` bytes, all of them zero. NULL when memory ran out or size is above NX_BLOCK_LARGEST. */
struct nx_block *nx_arena_take(struct nx_arena *arena, size_t size);

/* Wipes a block and keeps it for others. `size`: as it was taken. `block` may be NULL. */
void nx_arena_give(struct nx_arena *arena, struct nx_block *block, size_t size);

/* The arena as a vault, which lives as long. */
struct nx_vault *nx_arena_vault(struct nx_arena *arena);

/* Writes into a block of one's own. */
void nx_block_fill(struct nx_block *block, size_t offset, const void *bytes, size_t size);

/* Reads from a block, of whomever it is. */
void nx_block_copy(const struct nx_block *block, size_t offset, void *to, size_t size);

/* For plain reading. */
const char *nx_block_text(const struct nx_block *block);

/* A record, zeroed. NULL when memory ran out. */
void *nx_arena_take_record(struct nx_arena *arena);

/* `inside`: points to anything in the record, or is NULL. */
void nx_arena_give_record(struct nx_arena *arena, void *inside);

#endif
