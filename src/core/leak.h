/* Keeps secrets out of what a service says back to us, and control characters out of messages. */
#ifndef NX_LEAK_H
#define NX_LEAK_H

#include <stdbool.h>
#include <stddef.h>

/* A longer text is withheld unread: it would be searched for longer than it is worth. */
enum { NX_LEAK_LONGEST = 4096 };

/*
 * True when `text` holds one of the secrets: as it is, percent- or form-encoded, as the inside of a JSON string, with
 * HTML's character references (named: amp lt gt quot apos; decimal and hex, with and without their semicolon), or
 * base64-encoded at any alignment, broken into lines or not, in the standard or the URL alphabet; also as part of
 * something longer, and in one of these within another. NULL and "" among the secrets are never held. True as well when
 * memory ran out, and when the text is longer than NX_LEAK_LONGEST: in doubt it is withheld.
 */
bool nx_leaks(const char *text, const char *const *secrets, size_t count);

/* Copies `text` to `out` (size bytes, ended by NUL), cut at a whole UTF-8 character, with each control character (C0,
 * DEL, and C1 in UTF-8) and each byte that is no UTF-8 replaced by a space or '?' respectively. */
void nx_clean(const char *text, char *out, size_t size);

/* nx_clean(), but "" when `text` holds one of the secrets, or what cleaning makes of it does: a space in place of a
 * control character may put one together. `size` is at least 1. */
void nx_quote(const char *text, const char *const *secrets, size_t count, char *out, size_t size);

#endif
