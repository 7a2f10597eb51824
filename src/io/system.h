/* The operating system's clocks, random generator and files. */
#ifndef NX_SYSTEM_H
#define NX_SYSTEM_H

#include "core/world.h"

extern const struct nx_clock nx_system_clock;

/* For struct nx_world; `context` is not used. */
bool nx_system_entropy(void *context, void *bytes, size_t size);

bool nx_file_is_readable(const char *path);

#endif
