#include "core/wiping.h"

#include "core/text.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local unsigned int count;

unsigned int nx_wiping_count(void)
{
    return count;
}

void *nx_wiping_malloc(size_t size)
{
    count++;
    return malloc(size);
}

void *nx_wiping_calloc(size_t number, size_t size)
{
    count++;
    return calloc(number, size);
}

char *nx_wiping_strdup(const char *string)
{
    count++;
    return strdup(string);
}

/* All that may have been written to counts, which is more than was asked for. */
void nx_wiping_free(void *memory)
{
    if (memory)
        nx_wipe(memory, malloc_usable_size(memory));
    free(memory);
}

/* realloc would leave the old bytes behind, so the block moves by hand, always. */
void *nx_wiping_realloc(void *memory, size_t size)
{
    const size_t room = memory ? malloc_usable_size(memory) : 0;
    void *moved = NULL;

    if (size > 0 || !memory)
        moved = nx_wiping_malloc(size > 0 ? size : 1);
    if (!moved && size > 0)
        return NULL;
    if (moved && memory)
        memcpy(moved, memory, room < size ? room : size);
    nx_wiping_free(memory);
    return moved;
}
