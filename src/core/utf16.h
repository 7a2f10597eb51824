/* UTF-16 (RFC 2781): what .NET writes when a request's charset says so. */
#ifndef NX_UTF16_H
#define NX_UTF16_H

#include "core/text.h"

#include <stddef.h>

enum nx_utf16 { NX_UTF16_NOT, NX_UTF16_LITTLE_ENDIAN, NX_UTF16_BIG_ENDIAN };

/* The order of the bytes of a text, by its BOM, else by the zero beside a first character of ASCII. */
enum nx_utf16 nx_utf16_order(const char *bytes, size_t size);

/* Adds the text in UTF-8, without a BOM. Fails it with INVALID when a surrogate stands alone, a character is NUL, or a
 * byte is left over. */
void nx_utf16_add_as_utf8(struct nx_text *text, const char *bytes, size_t size, enum nx_utf16 order);

#endif
