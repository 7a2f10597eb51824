/* The operating system's clocks, random generator and files. */
#ifndef NX_SYSTEM_H
#define NX_SYSTEM_H

#include "core/world.h"

extern const struct nx_clock nx_system_clock;

/* For struct nx_world; `context` is not used. */
bool nx_system_entropy(void *context, void *bytes, size_t size);

/* True when the file can be read and holds something in PEM (RFC 7468). */
bool nx_file_holds_pem(const char *path);

/* Sleeps for wait_ms, but no more than a hundredth of a second: where waiting for an event is impossible, looking again
 * must not be done in a hurry. */
void nx_pause(int64_t wait_ms);

#endif
