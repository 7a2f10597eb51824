/*
 * Memory that is never used twice in a schedule: what was freed is filled with a pattern, and at the end it must still
 * be there. Stands in for malloc() and its like by the linker's --wrap.
 */
#ifndef NX_MODEL_MEMORY_H
#define NX_MODEL_MEMORY_H

#include <stddef.h>

/* A schedule begins. Allocations of failing_size may fail, as soon and as often as it is allowed. */
void memory_begin(size_t failing_size);
void memory_allow(int failures);

/* All has been freed, and nothing was written into that was freed; else the schedule fails. */
void memory_end(void);

#endif
