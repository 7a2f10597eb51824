/* How values are worded on the wire: percent and form encoding, JSON strings, base64, hex, and their inverses. */
#ifndef NX_ENCODE_H
#define NX_ENCODE_H

#include "core/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NX_BOM "\xef\xbb\xbf" /* the byte order mark, U+FEFF, in UTF-8 */

/* RFC 3986 section 2.1: all but its unreserved characters become %XX (upper-case hex). */
void nx_add_percent(struct nx_text *text, const char *value);

/* application/x-www-form-urlencoded (WHATWG URL, RFC 6749 appendix B): space becomes +, all but A-Z a-z 0-9 * - . _
 * become %XX. */
void nx_add_form(struct nx_text *text, const char *value);

/* RFC 8259 section 7: a quoted JSON string with the shortest escapes; '/' and bytes >= 0x80 go as they are. Fails the
 * text with INVALID when `value` is not UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF). */
void nx_add_json_string(struct nx_text *text, const char *value);

/* RFC 4648 section 4, with padding. */
void nx_add_base64(struct nx_text *text, const void *bytes, size_t size);

/* Two lower-case digits a byte. */
void nx_add_hex(struct nx_text *text, const void *bytes, size_t size);

/* Decodes %XX, and '+' as a space when `plus_is_space`; anything else goes as it is, a broken % too. Fails with INVALID
 * when the result would hold a NUL. */
void nx_add_percent_decoded(struct nx_text *text, const char *value, size_t size, bool plus_is_space);

/* The size (1 to 4) of the UTF-8 character that `bytes` starts with; 0 when it is none (RFC 3629) or size is 0. A NUL
 * is a character of size 1. */
size_t nx_utf8_size(const char *bytes, size_t size);

/* The first byte of these that is below `lowest` (at least 1), beyond ASCII, `a` or `b` (ASCII); `end` when none is. */
const char *nx_skip_ascii(const char *at, const char *end, char lowest, char a, char b);

/* The blanks of JSON, XML and HTTP's lines, and the ASCII digits, whatever the locale. */
static inline bool nx_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static inline bool nx_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* 0 to 15; -1 when `c` is no hex digit. */
int nx_hex_value(char c);

bool nx_is_utf8(const char *value);

/* True when `value` holds no byte below 0x20 and no 0x7f. */
bool nx_is_free_of_controls(const char *value);

/* True when `value` is not empty and all its bytes are 0x21 to 0x7e: what a token may hold. */
bool nx_is_visible(const char *value);

/* Compares in a time that depends on the lengths alone. */
bool nx_equal_secret(const char *a, const char *b);

/* True when the bytes are the same but for the case of ASCII letters, whatever the locale. */
bool nx_same_in_any_case(const char *a, const char *b, size_t size);

/* Adds a character, at most U+10FFFF, in UTF-8 (RFC 3629). */
void nx_add_utf8(struct nx_text *text, uint32_t character);

/* The character of a pair of surrogates (RFC 2781 section 2.2); 0 when the two are none. */
uint32_t nx_join_surrogates(uint32_t high, uint32_t low);

/*
 * Takes one character off the inside of a JSON string (RFC 8259 section 7), plain or escaped, adds what it stands for,
 * and returns where the next one begins. An escape that is none goes as it is. `at` is not at the NUL that ends the
 * text.
 */
const char *nx_take_json_char(const char *at, struct nx_text *text);

#endif
