#ifndef EMU_TEXT_H
#define EMU_TEXT_H

#include <stddef.h>

/*
 * Memory and text. A development tool has nothing better to do without memory than to end, so these never return NULL.
 * Results belong to the caller and end with free().
 */

void *emu_allocate(size_t size);
char *emu_copy(const char *text, size_t length);
char *emu_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The text as the content of an XML element. */
char *emu_xml_escape(const char *text);

#endif
