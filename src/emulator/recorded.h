#ifndef EMU_RECORDED_H
#define EMU_RECORDED_H

#include "service.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * A recorded answer: status line, headers, an empty line, and all that follows as the body, as `curl -i` writes it.
 * Lines end in LF or CRLF. Content-Length is left out, as the server counts by itself; Transfer-Encoding: chunked means
 * that the body is sent in chunks, not that it is recorded so.
 */

/* False when the text is no such answer. */
bool emu_recorded_parse(const char *text, size_t length, struct emu_answer *answer);

/* The same from a file. NULL, or a sentence that says what is wrong. */
const char *emu_recorded_read(const char *path, struct emu_answer *answer);

/* Whether a field can be sent as a header (RFC 9110, section 5). */
bool emu_header_fits(const char *name, const char *value);

#endif
