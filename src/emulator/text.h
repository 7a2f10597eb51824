#ifndef EMU_TEXT_H
#define EMU_TEXT_H

#include <stddef.h>

/*
 * Memory and text. A development tool has nothing better to do without memory than to end, so what allocates never
 * fails. Results belong to the caller and end with free().
 */

void *emu_allocate(size_t size);
char *emu_copy(const char *text, size_t length);
char *emu_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The text as the content of an XML element. */
char *emu_xml_escape(const char *text);

/*
 * The bytes of a file, of which it has `most` at most. NULL, with errno, when it cannot be read: EFBIG when it is
 * larger, EINVAL when it is no regular file, so that nobody waits for a FIFO.
 */
char *emu_read_file(const char *path, size_t most, size_t *length);

/* What that errno means. */
const char *emu_read_problem(int error);

#endif
