/*
 * A text is searched as it is, and decoded in each of the ways in which services word values, twice over. What is no
 * code in one of them stands there as it is, so that a secret is found among anything else. A NUL that comes of
 * decoding (or between two runs of base64) parts a text: no secret holds one.
 */
#include "core/leak.h"

#include "core/encode.h"

#include <stdint.h>
#include <string.h>

enum { LAST_CHARACTER = 0x10ffff };

/* Takes one character, plain or coded, off `at`, and adds what it stands for to `view`. */
typedef const char *(*take_char)(const char *at, struct nx_text *view);

static const char *take_plain(const char *at, struct nx_text *view)
{
    nx_text_add_char(view, *at);
    return at + 1;
}

static const char *take_percent(const char *at, struct nx_text *view)
{
    int high = *at == '%' ? nx_hex_value(at[1]) : -1;
    int low = high >= 0 ? nx_hex_value(at[2]) : -1;

    if (low < 0)
        return take_plain(at, view);
    nx_text_add_char(view, (char)(high * 16 + low));
    return at + 3;
}

static const char *take_form(const char *at, struct nx_text *view)
{
    if (*at != '+')
        return take_percent(at, view);
    nx_text_add_char(view, ' ');
    return at + 1;
}

/* Reads the digits of &#..., and its semicolon if it has one, as HTML's readers do; NULL when they name no character.
 */
static const char *read_reference(const char *at, uint32_t base, uint32_t *character)
{
    const char *start = at;

    for (*character = 0;; at++) {
        const int digit = nx_hex_value(*at);

        if (digit < 0 || (uint32_t)digit >= base)
            break;
        *character = *character * base + (uint32_t)digit;
        if (*character > LAST_CHARACTER)
            return NULL;
    }
    return at > start ? at + (*at == ';') : NULL;
}

static const char *take_numeric_reference(const char *at, struct nx_text *view)
{
    bool hex = at[2] == 'x' || at[2] == 'X';
    uint32_t character = 0;
    const char *end = hex ? read_reference(at + 3, 16, &character) : read_reference(at + 2, 10, &character);

    if (end == NULL)
        return take_plain(at, view);
    nx_add_utf8(view, character);
    return end;
}

static const char *take_html(const char *at, struct nx_text *view)
{
    static const struct {
        const char *name;
        char c;
    } NAMED[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};

    if (at[0] == '&' && at[1] == '#')
        return take_numeric_reference(at, view);
    for (size_t i = 0; i < sizeof NAMED / sizeof NAMED[0]; i++) {
        size_t size = strlen(NAMED[i].name);

        if (strncmp(at, NAMED[i].name, size) == 0) {
            nx_text_add_char(view, NAMED[i].c);
            return at + size;
        }
    }
    return take_plain(at, view);
}

/* The six bits of a character of either alphabet (RFC 4648 sections 4 and 5); -1 when it has none. */
static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

/* Decodes each run of base64 characters, broken into lines or not, from its character number `skip` on. A NUL stands
 * where a run ends. */
static void decode_base64(const struct nx_text *view, int skip, struct nx_text *decoded)
{
    uint32_t bits = 0;
    int count = -skip; /* characters of this run */

    for (size_t i = 0; i < view->length; i++) {
        int value = base64_value(view->data[i]);

        if (view->data[i] == '\r' || view->data[i] == '\n')
            continue;
        if (value < 0) {
            nx_text_add_char(decoded, '\0');
            count = -skip;
            continue;
        }
        bits = (bits << 6) | (uint32_t)value;
        if (count > 0 && count % 4 != 0)
            nx_text_add_char(decoded, (char)(bits >> (6 - 2 * (count % 4))));
        count++;
    }
}

/* The ways to decode a text: a character at a time, or base64 from one of four places on. */
static const take_char WAYS[] = {take_percent, take_form, nx_take_json_char, take_html};

enum { CHARACTER_WAYS = sizeof WAYS / sizeof WAYS[0], BASE64_WAYS = 4, DEEPEST = 2 };

static void decode(const struct nx_text *text, int way, struct nx_text *decoded)
{
    const char *at = text->data;

    if (way >= CHARACTER_WAYS) {
        decode_base64(text, way - CHARACTER_WAYS, decoded);
        return;
    }
    while (at < text->data + text->length)
        at = *at ? WAYS[way](at, decoded) : take_plain(at, decoded);
}

struct secrets {
    const char *const *strings;
    size_t count;
};

static bool holds_any(const char *part, const struct secrets *secrets)
{
    for (size_t i = 0; i < secrets->count; i++) {
        if (secrets->strings[i] && *secrets->strings[i] && strstr(part, secrets->strings[i]))
            return true;
    }
    return false;
}

/* True when one of the text's parts holds a secret. */
static bool holds(const struct nx_text *text, const struct secrets *secrets)
{
    for (size_t at = 0; at < text->length; at += strlen(text->data + at) + 1) {
        if (holds_any(text->data + at, secrets))
            return true;
    }
    return nx_text_failed(text);
}

/* Codes are nested: HTTP Basic is base64 of what was form-encoded. Two deep is as far as services go. */
static bool search(const struct nx_text *text, const struct secrets *secrets, int depth)
{
    struct nx_text decoded;
    bool found = holds(text, secrets);

    if (found || depth == 0)
        return found;
    nx_text_init(&decoded, text->length);
    for (int way = 0; !found && way < CHARACTER_WAYS + BASE64_WAYS; way++) {
        decode(text, way, &decoded);
        found = search(&decoded, secrets, depth - 1);
        nx_text_clear(&decoded);
    }
    nx_text_release(&decoded);
    return found;
}

bool nx_leaks(const char *text, const char *const *secrets, size_t count)
{
    const struct secrets all = {secrets, count};
    struct nx_text copy;
    bool found;

    if (*text == '\0')
        return false;
    if (strnlen(text, NX_LEAK_LONGEST + 1) > NX_LEAK_LONGEST)
        return true;
    nx_text_init(&copy, NX_LEAK_LONGEST);
    nx_text_add(&copy, text);
    found = search(&copy, &all, DEEPEST);
    nx_text_release(&copy);
    return found;
}

/* True when the character of `size` bytes is a control: C0, DEL, or C1 (U+0080 to U+009F). */
static bool is_control(const char *at, size_t size)
{
    unsigned char first = (unsigned char)at[0];
    unsigned char second = (unsigned char)at[1];

    return (size == 1 && (first < 0x20 || first == 0x7f)) || (size == 2 && first == 0xc2 && second < 0xa0);
}

void nx_clean(const char *text, char *out, size_t size)
{
    size_t left = strlen(text);
    size_t used = 0;

    while (left > 0) {
        size_t character = nx_utf8_size(text, left);
        size_t taken = character > 0 ? character : 1;
        bool kept = character > 0 && !is_control(text, character);
        size_t added = kept ? character : 1;

        if (used + added >= size)
            break;
        if (kept)
            memcpy(out + used, text, character);
        else
            out[used] = character > 0 ? ' ' : '?';
        used += added;
        text += taken;
        left -= taken;
    }
    if (size > 0)
        out[used] = '\0';
}

void nx_quote(const char *text, const char *const *secrets, size_t count, char *out, size_t size)
{
    /* All of it: where `out` cuts it, the head of a coded secret would be left. */
    char cleaned[NX_LEAK_LONGEST + 1] = "";

    out[0] = '\0';
    if (nx_leaks(text, secrets, count))
        return;
    nx_clean(text, cleaned, sizeof cleaned);
    if (!nx_leaks(cleaned, secrets, count))
        nx_clean(cleaned, out, size);
    nx_wipe(cleaned, sizeof cleaned);
}
