/* Keeps secrets out of what a service says back to us, and control characters out of messages. */
#ifndef NX_LEAK_H
#define NX_LEAK_H

#include <stdbool.h>
#include <stddef.h>

/*
 * True when `text` holds `secret`: as it is, percent- or form-encoded, as the inside of a JSON string, with HTML's
 * character references (named: amp lt gt quot apos; decimal and hex), or base64-encoded at any of the three alignments,
 * also as part of something longer (the standard and the URL alphabet). An empty secret is never held. True as well
 * when memory ran out: in doubt the text is withheld.
 */
bool nx_leaks(const char *text, const char *secret);

/* Copies `text` to `out` (size bytes, ended by NUL), cut at a whole UTF-8 character, with each control character (C0,
 * DEL, and C1 in UTF-8) and each byte that is no UTF-8 replaced by a space or '?' respectively. */
void nx_clean(const char *text, char *out, size_t size);

#endif
