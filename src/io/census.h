/* Which processes are there. A process is known by its id and the time of its start: ids are used again. */
#ifndef NX_CENSUS_H
#define NX_CENSUS_H

#include <stdbool.h>
#include <stdint.h>

struct nx_process {
    int32_t pid;
    uint64_t start; /* in the system's ticks since it booted; 0: not known */
    uint64_t space; /* which counting of ids is meant; 0: not known */
};

struct nx_process nx_process_self(void);

/* Whether a process is certain to be gone, as `self` sees it: what belongs to another counting of ids is not. A zombie
 * is gone. `thorough`: asks whether it is a zombie, or another one under the same id, which takes some 20 microseconds.
 */
bool nx_process_is_gone(const struct nx_process *process, const struct nx_process *self, bool thorough);

#endif
