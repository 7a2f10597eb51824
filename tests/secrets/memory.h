/* The memory of another process, as a core dump would have it and as a debugger sees it. */
#ifndef NX_TEST_MEMORY_H
#define NX_TEST_MEMORY_H

#include "canaries.h"

#include <sys/types.h>

struct memory_sight {
    size_t copies;      /* in all memory that was ever written to */
    size_t dumped;      /* of these, in memory that a core dump has */
    size_t bytes;       /* that were searched */
    char example[1024]; /* one of the copies, a dumped one if there is one, and where it is */
};

/* Of a child that rests. False when its memory cannot be read. */
bool memory_search(pid_t pid, const struct needles *needles, struct memory_sight *sight);

#endif
