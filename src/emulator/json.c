#include "json.h"

#include <stdlib.h>
#include <string.h>

/* How many bytes follow this first byte of a UTF-8 sequence (RFC 3629, section 4), or -1. */
static int utf8_followers(unsigned char first)
{
    if (first < 0x80)
        return 0;
    if (first >= 0xc2 && first <= 0xdf)
        return 1;
    if (first >= 0xe0 && first <= 0xef)
        return 2;
    return first >= 0xf0 && first <= 0xf4 ? 3 : -1;
}

/* Overlong forms, surrogates and code points above U+10FFFF show in the second byte. */
static bool utf8_second_fits(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xe0:
        return second >= 0xa0;
    case 0xed:
        return second <= 0x9f;
    case 0xf0:
        return second >= 0x90;
    case 0xf4:
        return second <= 0x8f;
    default:
        return true;
    }
}

static bool is_utf8(const char *text, size_t length)
{
    size_t at = 0;

    while (at < length) {
        unsigned char first = (unsigned char)text[at++];
        int followers = utf8_followers(first);
        if (followers < 0 || (size_t)followers > length - at)
            return false;
        if (followers > 0 && !utf8_second_fits(first, (unsigned char)text[at]))
            return false;
        for (; followers > 0; followers--) {
            if (((unsigned char)text[at++] & 0xc0) != 0x80)
                return false;
        }
    }
    return true;
}

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static bool is_escaped_nul(const char *text, size_t length)
{
    return length >= 6 && memcmp(text, "\\u0000", 6) == 0;
}

/*
 * cJSON takes control characters inside strings, and any of them as white space. A NUL that is escaped would be the end
 * of the string for everyone who reads it.
 */
static bool controls_are_white_space(const char *text, size_t length)
{
    bool quoted = false;

    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)text[i] < 0x20 && (quoted || !is_space(text[i])))
            return false;
        if (quoted && is_escaped_nul(text + i, length - i))
            return false;
        if (text[i] == '"')
            quoted = !quoted;
        else if (quoted && text[i] == '\\' && i + 1 < length && (unsigned char)text[i + 1] >= 0x20)
            i++;
    }
    return true;
}

cJSON *emu_json_parse(const char *text, size_t length)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    const char *end = NULL;

    if (length >= 3 && memcmp(text, byte_order_mark, 3) == 0)
        return NULL;
    if (!is_utf8(text, length) || !controls_are_white_space(text, length))
        return NULL;
    cJSON *value = cJSON_ParseWithLengthOpts(text, length, &end, 0);
    if (!value)
        return NULL;
    while (end < text + length && is_space(*end))
        end++;
    if (end == text + length)
        return value;
    cJSON_Delete(value);
    return NULL;
}

const char *emu_json_string(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

long emu_json_whole(const cJSON *object, const char *name, long least, long most, long missing)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);

    if (!value)
        return missing;
    if (!cJSON_IsNumber(value) || value->valuedouble < (double)least || value->valuedouble > (double)most)
        return -1;
    long whole = (long)value->valuedouble;
    return (double)whole == value->valuedouble ? whole : -1;
}

bool emu_json_flag(const cJSON *object, const char *name, bool missing)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);

    return value ? cJSON_IsTrue(value) : missing;
}

bool emu_json_is_flag(const cJSON *object, const char *name)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);

    return !value || cJSON_IsBool(value);
}

static bool is_named(const cJSON *member, const char *const names[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(member->string, names[i]) == 0)
            return true;
    }
    return false;
}

bool emu_json_only(const cJSON *object, const char *const names[], size_t count)
{
    if (!cJSON_IsObject(object))
        return false;
    for (const cJSON *member = object->child; member; member = member->next) {
        if (!is_named(member, names, count))
            return false;
        if (cJSON_GetObjectItemCaseSensitive(object, member->string) != member)
            return false; /* the search finds the first of that name: this is another */
    }
    return true;
}

bool emu_json_equals(const cJSON *object, const char *name, const char *value)
{
    const char *member = emu_json_string(object, name);

    return member && value && strcmp(member, value) == 0;
}

const cJSON *emu_json_find(const cJSON *list, const char *name, const char *value)
{
    const cJSON *object = NULL;

    cJSON_ArrayForEach(object, list)
    {
        if (emu_json_equals(object, name, value))
            return object;
    }
    return NULL;
}

char *emu_json_print(cJSON *value)
{
    char *text = cJSON_PrintUnformatted(value);

    cJSON_Delete(value);
    if (!text)
        abort();
    return text;
}
