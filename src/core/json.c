/*
 * Two readers in a row. The scan is a whole RFC 8259 validator over the raw bytes: it enforces what cJSON is lax about,
 * and it sees \u0000 before cJSON cuts a string there. Then cJSON reads what can only be well-formed; when it gives no
 * tree all the same, memory ran out.
 */
#include "core/json.h"

#include "core/encode.h"

#include <cjson/cJSON.h>

#include <string.h>

/* cJSON reads no more of a number than 63 characters. */
enum { DEEPEST = 16, LONGEST_NUMBER = 63 };

static const char BOM[] = "\xef\xbb\xbf";

struct scan {
    const char *at;
    const char *end;
    int depth;
};

/* The next byte; NUL at the end, which the grammar has no place for either. */
static char peek(const struct scan *scan)
{
    if (scan->at == scan->end)
        return '\0';
    return *scan->at;
}

static bool take(struct scan *scan, char c)
{
    if (scan->at == scan->end || *scan->at != c)
        return false;
    scan->at++;
    return true;
}

static bool take_literal(struct scan *scan, const char *literal)
{
    size_t size = strlen(literal);

    if ((size_t)(scan->end - scan->at) < size || memcmp(scan->at, literal, size) != 0)
        return false;
    scan->at += size;
    return true;
}

static void skip_blanks(struct scan *scan)
{
    while (peek(scan) == ' ' || peek(scan) == '\t' || peek(scan) == '\r' || peek(scan) == '\n')
        scan->at++;
}

static bool take_digits(struct scan *scan)
{
    const char *start = scan->at;

    while (peek(scan) >= '0' && peek(scan) <= '9')
        scan->at++;
    return scan->at > start;
}

static bool scan_number(struct scan *scan)
{
    const char *start = scan->at;

    take(scan, '-');
    if (!take(scan, '0') && !take_digits(scan))
        return false;
    if (take(scan, '.') && !take_digits(scan))
        return false;
    if (take(scan, 'e') || take(scan, 'E')) {
        if (!take(scan, '+'))
            take(scan, '-');
        if (!take_digits(scan))
            return false;
    }
    return scan->at - start <= LONGEST_NUMBER;
}

/* Takes four hex digits; -1 when they are not there. */
static int take_hex(struct scan *scan)
{
    int unit = 0;

    for (int i = 0; i < 4; i++) {
        int digit = nx_hex_value(peek(scan));

        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
        scan->at++;
    }
    return unit;
}

/* What follows \u: a character of the basic plane, or a pair of surrogates. */
static bool scan_unicode_escape(struct scan *scan)
{
    int unit = take_hex(scan);

    if (unit <= 0 || (unit >= 0xdc00 && unit <= 0xdfff))
        return false;
    if (unit < 0xd800 || unit > 0xdbff)
        return true;
    if (!take_literal(scan, "\\u"))
        return false;
    unit = take_hex(scan);
    return unit >= 0xdc00 && unit <= 0xdfff;
}

static bool scan_escape(struct scan *scan)
{
    char c = peek(scan);

    if (c == '\0' || strchr("\"\\/bfnrtu", c) == NULL)
        return false;
    scan->at++;
    return c != 'u' || scan_unicode_escape(scan);
}

static bool scan_plain_char(struct scan *scan)
{
    size_t size = nx_utf8_size(scan->at, (size_t)(scan->end - scan->at));

    if (size == 0 || (unsigned char)*scan->at < 0x20)
        return false;
    scan->at += size;
    return true;
}

static bool scan_string(struct scan *scan)
{
    if (!take(scan, '"'))
        return false;
    while (!take(scan, '"')) {
        if (take(scan, '\\') ? !scan_escape(scan) : !scan_plain_char(scan))
            return false;
    }
    return true;
}

static bool scan_value(struct scan *scan);

static bool scan_member(struct scan *scan)
{
    skip_blanks(scan);
    if (!scan_string(scan))
        return false;
    skip_blanks(scan);
    return take(scan, ':') && scan_value(scan);
}

/* The inside of an object or array, its end included. */
static bool scan_items(struct scan *scan, bool (*scan_item)(struct scan *), char end)
{
    skip_blanks(scan);
    if (take(scan, end))
        return true;
    do {
        if (!scan_item(scan))
            return false;
    } while (take(scan, ','));
    return take(scan, end);
}

static bool scan_container(struct scan *scan)
{
    bool good = false;

    if (scan->depth == DEEPEST)
        return false;
    scan->depth++;
    if (take(scan, '{'))
        good = scan_items(scan, scan_member, '}');
    else if (take(scan, '['))
        good = scan_items(scan, scan_value, ']');
    scan->depth--;
    return good;
}

/* A value and the blanks around it. */
static bool scan_value(struct scan *scan)
{
    bool good = false;

    skip_blanks(scan);
    switch (peek(scan)) {
    case '{':
    case '[':
        good = scan_container(scan);
        break;
    case '"':
        good = scan_string(scan);
        break;
    case 't':
        good = take_literal(scan, "true");
        break;
    case 'f':
        good = take_literal(scan, "false");
        break;
    case 'n':
        good = take_literal(scan, "null");
        break;
    default:
        good = scan_number(scan);
    }
    skip_blanks(scan);
    return good;
}

/* Finds the item of that name in `object`: NULL when there is none. Refuses a name that occurs twice. */
static enum nx_parsed find(const cJSON *object, const char *name, const cJSON **out)
{
    const cJSON *found = NULL;

    for (const cJSON *item = object->child; item; item = item->next) {
        if (strcmp(item->string, name) != 0)
            continue;
        if (found)
            return NX_PARSED_NOT;
        found = item;
    }
    *out = found;
    return NX_PARSED;
}

static enum nx_parsed store_string(const cJSON *item, struct nx_text *text)
{
    nx_text_add(text, item->valuestring);
    if (text->status == NEXAUTH_NO_MEMORY)
        return NX_PARSED_NO_MEMORY;
    return nx_text_failed(text) ? NX_PARSED_NOT : NX_PARSED;
}

static enum nx_parsed store(const cJSON *item, struct nx_value *value)
{
    switch (item->type & 0xff) {
    case cJSON_NULL:
        return NX_PARSED;
    case cJSON_String:
        value->kind = NX_KIND_STRING;
        return store_string(item, &value->text);
    case cJSON_Number:
        value->kind = NX_KIND_NUMBER;
        value->number = item->valuedouble;
        return NX_PARSED;
    default:
        value->kind = NX_KIND_OTHER;
        return NX_PARSED;
    }
}

/* Stores the item of that name, if there is one and `value` is still absent. */
static enum nx_parsed read_as(const cJSON *object, const char *name, struct nx_value *value)
{
    const cJSON *item = NULL;
    enum nx_parsed parsed = find(object, name, &item);

    if (parsed != NX_PARSED || item == NULL || value->kind != NX_KIND_ABSENT)
        return parsed;
    return store(item, value);
}

/* Reads the members from `first` up to `end` that `object` has. */
static enum nx_parsed read_members(const cJSON *object, int first, int end, struct nx_members *members)
{
    enum nx_parsed parsed = NX_PARSED;

    for (int i = first; parsed == NX_PARSED && i < end; i++)
        parsed = read_as(object, nx_member_name((enum nx_member)i), &members->values[i]);
    return parsed;
}

/* Within an envelope, what makes up a token is in `result`; what speaks of an error is beside it. */
_Static_assert(NX_MEMBER_REFRESH_TOKEN == NX_MEMBER_ERROR - 1, "the members of a token come first");

static enum nx_parsed read_envelope(const cJSON *top, struct nx_members *members)
{
    const cJSON *result = NULL;
    enum nx_parsed parsed = read_members(top, NX_MEMBER_ERROR, NX_MEMBER_COUNT, members);

    if (parsed == NX_PARSED)
        parsed = read_as(top, "errno", &members->values[NX_MEMBER_CODE]);
    if (parsed == NX_PARSED)
        parsed = read_as(top, "errmsg", &members->values[NX_MEMBER_MSG]);
    if (parsed == NX_PARSED)
        parsed = find(top, "result", &result);
    if (parsed == NX_PARSED && cJSON_IsObject(result))
        parsed = read_members(result, 0, NX_MEMBER_ERROR, members);
    return parsed;
}

static enum nx_parsed read_top(const cJSON *top, bool envelope, struct nx_members *members)
{
    if (cJSON_IsString(top))
        return store_string(top, &members->bare);
    if (!cJSON_IsObject(top))
        return NX_PARSED;
    return envelope ? read_envelope(top, members) : read_members(top, 0, NX_MEMBER_COUNT, members);
}

static void wipe_string(char *string)
{
    if (string)
        nx_wipe(string, strlen(string));
}

static void wipe_tree(cJSON *item)
{
    for (; item; item = item->next) {
        wipe_string(item->string);
        wipe_string(item->valuestring);
        wipe_tree(item->child);
    }
}

enum nx_parsed nx_json_read(const char *bytes, size_t size, bool envelope, struct nx_members *members)
{
    struct scan scan = {0};
    enum nx_parsed parsed = NX_PARSED_NO_MEMORY;
    const char *start = NULL;
    cJSON *top = NULL;

    nx_members_release(members);
    if (size == 0)
        return NX_PARSED_NOT;
    scan.at = bytes;
    scan.end = bytes + size;
    take_literal(&scan, BOM);
    start = scan.at;
    if (!scan_value(&scan) || scan.at < scan.end)
        return NX_PARSED_NOT;
    top = cJSON_ParseWithLengthOpts(start, (size_t)(scan.end - start), NULL, 0);
    if (top)
        parsed = read_top(top, envelope, members);
    wipe_tree(top);
    cJSON_Delete(top);
    if (parsed != NX_PARSED)
        nx_members_release(members);
    return parsed;
}
