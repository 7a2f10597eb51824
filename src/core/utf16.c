#include "core/utf16.h"

#include "core/encode.h"

#include <stdint.h>

enum { BOM = 0xfeff };

struct units {
    const unsigned char *at;
    const unsigned char *end;
    size_t high; /* where in two bytes the high one is */
};

static uint32_t unit_at(const unsigned char *at, size_t high)
{
    return (uint32_t)at[high] << 8 | at[1 - high];
}

enum nx_utf16 nx_utf16_order(const char *bytes, size_t size)
{
    const unsigned char *at = (const unsigned char *)bytes;
    const bool first = size >= 2 && at[0] != 0;
    const bool second = size >= 2 && at[1] != 0;

    if (first != second && (at[0] | at[1]) < 0x80)
        return first ? NX_UTF16_LITTLE_ENDIAN : NX_UTF16_BIG_ENDIAN;
    if (size >= 2 && unit_at(at, 1) == BOM)
        return NX_UTF16_LITTLE_ENDIAN;
    return size >= 2 && unit_at(at, 0) == BOM ? NX_UTF16_BIG_ENDIAN : NX_UTF16_NOT;
}

/* The next character; 0 when there is none: a byte is left over, or a surrogate stands alone. */
static uint32_t next(struct units *units)
{
    uint32_t unit;

    if (units->end - units->at < 2)
        return 0;
    unit = unit_at(units->at, units->high);
    units->at += 2;
    if (unit < 0xd800 || unit > 0xdfff)
        return unit;
    if (units->end - units->at < 2)
        return 0;
    units->at += 2;
    return nx_join_surrogates(unit, unit_at(units->at - 2, units->high));
}

void nx_utf16_add_as_utf8(struct nx_text *text, const char *bytes, size_t size, enum nx_utf16 order)
{
    struct units units = {.at = (const unsigned char *)bytes, .high = order == NX_UTF16_LITTLE_ENDIAN};

    units.end = units.at + size;
    if (size >= 2 && unit_at(units.at, units.high) == BOM)
        units.at += 2;
    while (units.at < units.end && !nx_text_failed(text)) {
        const uint32_t character = next(&units);

        if (character == 0)
            nx_text_fail(text, NEXAUTH_INVALID);
        else
            nx_add_utf8(text, character);
    }
}
