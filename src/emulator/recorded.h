#ifndef EMU_RECORDED_H
#define EMU_RECORDED_H

#include "service.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * A recorded answer: status line, headers, an empty line, and all that follows as the body, as `curl -i` writes it.
 * Lines end in LF or CRLF. What the server does by itself is left out: Content-Length, Connection but for close, and
 * headers without a value. Transfer-Encoding: chunked means that the body is sent in chunks, not that it is recorded
 * so.
 * Headers that are directly followed by another status line are not the answer's: they are of an interim answer, or of
 * a proxy. Tabs in a header become spaces.
 */

/* NULL, or a sentence that says why the text is no such answer. */
const char *emu_recorded_parse(const char *text, size_t length, struct emu_answer *answer);

/* The same from a file. NULL, or a sentence that says what is wrong. */
const char *emu_recorded_read(const char *path, struct emu_answer *answer);

/* Whether a field can be sent as a header (RFC 9110, section 5). */
bool emu_header_fits(const char *name, const char *value);

/* Whether the server sends it as it is told: it counts and frames by itself, and decides how long a connection lives.
 */
bool emu_header_is_sent(const char *name, const char *value);

#endif
