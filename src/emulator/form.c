#include "form.h"

#include "text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

/* One byte at *at, which moves behind it; -1 when it is not form-encoded. NUL is refused: no value of ours has one. */
static int decode_byte(const char **at, const char *end)
{
    char byte = *(*at)++;

    if (byte == '+')
        return ' ';
    if (byte != '%')
        return byte > 0x20 && byte < 0x7f ? byte : -1;
    if (end - *at < 2)
        return -1;
    int high = hex_digit((*at)[0]);
    int low = hex_digit((*at)[1]);
    *at += 2;
    return high < 0 || low < 0 || high + low == 0 ? -1 : high * 16 + low;
}

static char *decode(const char *text, size_t length)
{
    const char *end = text + length;
    char *decoded = emu_allocate(length + 1);
    size_t count = 0;

    while (text < end) {
        int byte = decode_byte(&text, end);
        if (byte < 0) {
            free(decoded);
            return NULL;
        }
        decoded[count++] = (char)byte;
    }
    return decoded;
}

static bool parse_pair(const char *text, size_t length, struct emu_pair *pair)
{
    const char *equals = memchr(text, '=', length);

    if (!equals || equals == text)
        return false;
    pair->name = decode(text, (size_t)(equals - text));
    pair->value = decode(equals + 1, length - (size_t)(equals + 1 - text));
    return pair->name && pair->value;
}

static size_t count_pairs(const char *text, size_t length)
{
    size_t count = length ? 1 : 0;

    for (size_t i = 0; i < length; i++)
        count += text[i] == '&';
    return count;
}

bool emu_form_parse(const char *text, size_t length, struct emu_form *form)
{
    const char *end = text + length;
    size_t count = count_pairs(text, length);

    *form = (struct emu_form){.pairs = emu_allocate(count * sizeof(struct emu_pair))};
    while (form->count < count) {
        const char *mark = memchr(text, '&', (size_t)(end - text));
        const char *pair_end = mark ? mark : end;
        if (!parse_pair(text, (size_t)(pair_end - text), &form->pairs[form->count++])) {
            emu_form_release(form);
            return false;
        }
        text = mark ? mark + 1 : end;
    }
    return true;
}

void emu_form_release(struct emu_form *form)
{
    for (size_t i = 0; i < form->count; i++) {
        free(form->pairs[i].name);
        free(form->pairs[i].value);
    }
    free(form->pairs);
    *form = (struct emu_form){0};
}

const char *emu_form_value(const struct emu_form *form, const char *name)
{
    for (size_t i = 0; i < form->count; i++) {
        if (strcmp(form->pairs[i].name, name) == 0)
            return form->pairs[i].value;
    }
    return NULL;
}

bool emu_form_equals(const struct emu_form *form, const char *name, const char *value)
{
    const char *found = emu_form_value(form, name);

    return found && strcmp(found, value) == 0;
}

static size_t count_named(const struct emu_form *form, const char *name)
{
    size_t count = 0;

    for (size_t i = 0; i < form->count; i++)
        count += strcmp(form->pairs[i].name, name) == 0;
    return count;
}

bool emu_form_only(const struct emu_form *form, const char *const names[], size_t count)
{
    size_t known = 0;

    for (size_t i = 0; i < count; i++) {
        size_t named = count_named(form, names[i]);
        if (named > 1)
            return false;
        known += named;
    }
    return known == form->count;
}

bool emu_form_exactly(const struct emu_form *form, const char *const names[], size_t count)
{
    return form->count == count && emu_form_only(form, names, count);
}

/* RFC 3986, section 2.3. */
static bool is_unreserved(char byte)
{
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') ||
           (byte != '\0' && strchr("-._~", byte));
}

char *emu_form_encode(const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    char *encoded = emu_allocate(strlen(text) * 3 + 1);
    char *end = encoded;

    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (is_unreserved(*text)) {
            *end++ = *text;
            continue;
        }
        *end++ = '%';
        *end++ = digits[byte >> 4];
        *end++ = digits[byte & 0x0f];
    }
    return encoded;
}

static int base64_digit(char digit)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = digit ? strchr(digits, digit) : NULL;

    return found ? (int)(found - digits) : -1;
}

/* RFC 4648, section 4, with its padding; NULL when it is not that, or holds a NUL. */
static char *base64_decode(const char *text)
{
    size_t length = strlen(text);
    size_t padding = 0;

    while (padding < 2 && padding < length && text[length - 1 - padding] == '=')
        padding++;
    if (length == 0 || length % 4 != 0)
        return NULL;
    char *decoded = emu_allocate(length / 4 * 3 + 1);
    size_t count = 0;
    unsigned int bits = 0;
    for (size_t i = 0; i < length - padding; i++) {
        int digit = base64_digit(text[i]);
        bits = (bits << 6 | (unsigned int)digit) & 0xffff;
        if (digit >= 0 && i % 4 == 0)
            continue;
        unsigned int byte = bits >> (6 - 2 * (i % 4)) & 0xff;
        if (digit < 0 || byte == 0) {
            free(decoded);
            return NULL;
        }
        decoded[count++] = (char)byte;
    }
    return decoded;
}

bool emu_basic_parse(const char *header, struct emu_basic *basic)
{
    static const char scheme[] = "Basic ";

    *basic = (struct emu_basic){0};
    if (strncasecmp(header, scheme, strlen(scheme)) != 0)
        return false;
    char *pair = base64_decode(header + strlen(scheme));
    char *colon = pair ? strchr(pair, ':') : NULL;
    if (colon) {
        size_t id_length = (size_t)(colon - pair);
        basic->id = emu_copy(pair, id_length);
        basic->secret = emu_copy(colon + 1, strlen(colon + 1));
        basic->decoded_id = decode(pair, id_length);
        basic->decoded_secret = decode(colon + 1, strlen(colon + 1));
    }
    free(pair);
    return colon != NULL;
}

void emu_basic_release(struct emu_basic *basic)
{
    free(basic->id);
    free(basic->secret);
    free(basic->decoded_id);
    free(basic->decoded_secret);
    *basic = (struct emu_basic){0};
}

const char *emu_bearer_token(const char *header)
{
    if (!header || strncasecmp(header, "Bearer ", 7) != 0)
        return NULL;
    return header + 7 + strspn(header + 7, " ");
}

const char *emu_query_token(const char *query, struct emu_form *form)
{
    static const char name[] = "access_token";
    size_t count = 0;

    if (!query || !emu_form_parse(query, strlen(query), form))
        return NULL;
    for (size_t i = 0; i < form->count; i++)
        count += strcmp(form->pairs[i].name, name) == 0;
    return count == 1 ? emu_form_value(form, name) : NULL;
}
