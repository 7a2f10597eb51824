/*
 * An allocator that wipes what it frees and what it moves, to be given to the libraries below: they free secrets
 * without wiping them. It adds nothing to the memory of malloc and free: what came from one may go back to the other,
 * so that it does no harm to who allocated before it was given.
 */
#ifndef NX_WIPING_H
#define NX_WIPING_H

#include <stddef.h>

void *nx_wiping_malloc(size_t size);
void *nx_wiping_calloc(size_t count, size_t size);
char *nx_wiping_strdup(const char *string);

/* Of size 0: frees. */
void *nx_wiping_realloc(void *memory, size_t size);

void nx_wiping_free(void *memory);

/* How often this thread has asked for memory here. It moves when a library that was given the allocator has one. */
unsigned int nx_wiping_count(void);

#endif
