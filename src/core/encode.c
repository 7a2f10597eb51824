#include "core/encode.h"

#include <stdint.h>
#include <string.h>

/* Long texts are read by so many words of eight bytes at a time. */
enum { BLOCK_WORDS = 4 };

static const char LOWER_DIGITS[] = "0123456789abcdef";
static const char UPPER_DIGITS[] = "0123456789ABCDEF";

static bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* True when `c` is one of `set`; NUL never is. */
static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

static void add_percent_byte(struct nx_text *text, char c)
{
    unsigned char byte = (unsigned char)c;
    const char triple[3] = {'%', UPPER_DIGITS[byte >> 4], UPPER_DIGITS[byte & 15]};

    nx_text_add_bytes(text, triple, sizeof triple);
}

/* How much of `value` needs no encoding: letters, digits and `marks`. */
static size_t plain_size(const char *value, const char *marks)
{
    size_t size = 0;

    while (is_alphanumeric(value[size]) || is_one_of(value[size], marks))
        size++;
    return size;
}

void nx_add_percent(struct nx_text *text, const char *value)
{
    while (*value) {
        const size_t plain = plain_size(value, "-._~");

        if (plain)
            nx_text_add_bytes(text, value, plain);
        else
            add_percent_byte(text, *value);
        value += plain ? plain : 1;
    }
}

void nx_add_form(struct nx_text *text, const char *value)
{
    while (*value) {
        const size_t plain = plain_size(value, "*-._");

        if (plain)
            nx_text_add_bytes(text, value, plain);
        else if (*value == ' ')
            nx_text_add_char(text, '+');
        else
            add_percent_byte(text, *value);
        value += plain ? plain : 1;
    }
}

/* The letter of a two-character escape (RFC 8259 section 7); 0 when `c` has none. */
static char short_escape(char c)
{
    static const char ESCAPED[] = "\"\\\b\f\n\r\t";
    static const char LETTERS[] = "\"\\bfnrt";
    const char *found = strchr(ESCAPED, c);

    if (found == NULL)
        return '\0';
    return LETTERS[found - ESCAPED];
}

static void add_json_char(struct nx_text *text, char c)
{
    unsigned char byte = (unsigned char)c;
    const char pair[2] = {'\\', short_escape(c)};

    if (pair[1] != '\0') {
        nx_text_add_bytes(text, pair, sizeof pair);
    } else if (byte < 0x20) {
        nx_text_add(text, "\\u00");
        nx_add_hex(text, &byte, 1);
    } else {
        nx_text_add_char(text, c);
    }
}

void nx_add_json_string(struct nx_text *text, const char *value)
{
    if (!nx_is_utf8(value)) {
        nx_text_fail(text, NEXAUTH_INVALID);
        return;
    }
    nx_text_add_char(text, '"');
    for (; *value; value++)
        add_json_char(text, *value);
    nx_text_add_char(text, '"');
}

/* Adds the four characters of one to three bytes. */
static void add_base64_group(struct nx_text *text, const unsigned char *bytes, size_t size)
{
    static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned int second = size > 1 ? bytes[1] : 0;
    unsigned int third = size > 2 ? bytes[2] : 0;
    unsigned int bits = ((unsigned int)bytes[0] << 16) | (second << 8) | third;
    char group[4] = {ALPHABET[bits >> 18], ALPHABET[(bits >> 12) & 63], '=', '='};

    if (size > 1)
        group[2] = ALPHABET[(bits >> 6) & 63];
    if (size > 2)
        group[3] = ALPHABET[bits & 63];
    nx_text_add_bytes(text, group, sizeof group);
}

void nx_add_base64(struct nx_text *text, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;

    for (; size > 3; at += 3, size -= 3)
        add_base64_group(text, at, 3);
    if (size > 0)
        add_base64_group(text, at, size);
}

void nx_add_hex(struct nx_text *text, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;

    for (size_t i = 0; i < size; i++) {
        nx_text_add_char(text, LOWER_DIGITS[at[i] >> 4]);
        nx_text_add_char(text, LOWER_DIGITS[at[i] & 15]);
    }
}

/* The byte that a %XX at the start of `value` stands for; -1 when there is none. */
static int percent_value(const char *value, size_t size)
{
    int high = 0;
    int low = 0;

    if (size < 3 || value[0] != '%')
        return -1;
    high = nx_hex_value(value[1]);
    low = nx_hex_value(value[2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

void nx_add_percent_decoded(struct nx_text *text, const char *value, size_t size, bool plus_is_space)
{
    size_t i = 0;

    while (i < size) {
        int decoded = percent_value(value + i, size - i);
        char c = value[i];

        if (decoded >= 0)
            c = (char)decoded;
        else if (c == '+' && plus_is_space)
            c = ' ';
        if (c == '\0')
            nx_text_fail(text, NEXAUTH_INVALID);
        nx_text_add_char(text, c);
        i += decoded >= 0 ? 3 : 1;
    }
}

/* Well-formed UTF-8, by the range of the first byte and of the second (RFC 3629 section 4); further bytes are 80-BF. */
struct utf8_form {
    unsigned char first_low, first_high, second_low, second_high;
    size_t size;
};

static const struct utf8_form UTF8_FORMS[] = {
    {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3},
    {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

static bool has_form(const struct utf8_form *form, const unsigned char *at, size_t size)
{
    if (at[0] < form->first_low || at[0] > form->first_high || size < form->size)
        return false;
    if (at[1] < form->second_low || at[1] > form->second_high)
        return false;
    for (size_t i = 2; i < form->size; i++) {
        if (at[i] < 0x80 || at[i] > 0xbf)
            return false;
    }
    return true;
}

size_t nx_utf8_size(const char *bytes, size_t size)
{
    const unsigned char *at = (const unsigned char *)bytes;

    if (size > 0 && at[0] < 0x80)
        return 1;
    for (size_t i = 0; size > 0 && i < sizeof UTF8_FORMS / sizeof UTF8_FORMS[0]; i++) {
        if (has_form(&UTF8_FORMS[i], at, size))
            return UTF8_FORMS[i].size;
    }
    return 0;
}

static uint64_t repeat(char c)
{
    return (unsigned char)c * (UINT64_MAX / 0xff);
}

/* What nx_skip_ascii() stops at, eight times over. */
struct stops {
    uint64_t lowest, a, b;
};

/* In each byte the top bit says that one to stop at is there or, rarely, further down in the word. */
static inline uint64_t stops_in(uint64_t word, const struct stops *stops)
{
    return word | (word - stops->lowest) | ((word ^ stops->a) - repeat(1)) | ((word ^ stops->b) - repeat(1));
}

/* By blocks, which a compiler may take as one; then eight at a time. */
const char *nx_skip_ascii(const char *at, const char *end, char lowest, char a, char b)
{
    const struct stops stops = {repeat(lowest), repeat(a), repeat(b)};
    const uint64_t tops = repeat((char)0x80);
    uint64_t words[BLOCK_WORDS];
    uint64_t found = 0;

    for (; (size_t)(end - at) >= sizeof words; at += sizeof words) {
        memcpy(words, at, sizeof words);
        for (int i = 0; i < BLOCK_WORDS; i++)
            found |= stops_in(words[i], &stops);
        if (found & tops)
            break;
    }
    for (; (size_t)(end - at) >= sizeof *words; at += sizeof *words) {
        memcpy(words, at, sizeof *words);
        if (stops_in(*words, &stops) & tops)
            break;
    }
    while (at < end && (signed char)*at >= lowest && *at != a && *at != b)
        at++;
    return at;
}

int nx_hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool nx_is_utf8(const char *value)
{
    size_t left = strlen(value);

    while (left > 0) {
        size_t size = nx_utf8_size(value, left);

        if (size == 0)
            return false;
        value += size;
        left -= size;
    }
    return true;
}

bool nx_is_free_of_controls(const char *value)
{
    for (; *value; value++) {
        unsigned char byte = (unsigned char)*value;

        if (byte < 0x20 || byte == 0x7f)
            return false;
    }
    return true;
}

/* The top bit of a byte is set for one below 0x21, at 0x7f or above; only beside such a one can it be set for another.
 */
static inline uint64_t strange_in(uint64_t word)
{
    return word | (word - repeat(0x21)) | (word + repeat(1));
}

bool nx_is_visible(const char *value)
{
    size_t left = strlen(value);
    bool visible = left > 0;
    uint64_t strange = 0;
    uint64_t words[BLOCK_WORDS];

    for (; left >= sizeof words; value += sizeof words, left -= sizeof words) {
        memcpy(words, value, sizeof words);
        for (int i = 0; i < BLOCK_WORDS; i++)
            strange |= strange_in(words[i]);
    }
    for (; left > 0; value++, left--)
        visible &= *value >= 0x21 && *value <= 0x7e;
    return visible && !(strange & repeat((char)0x80));
}

bool nx_equal_secret(const char *a, const char *b)
{
    size_t length = strlen(a);
    volatile unsigned char difference = 0;

    if (length != strlen(b))
        return false;
    for (size_t i = 0; i < length; i++)
        difference = (unsigned char)(difference | (unsigned char)(a[i] ^ b[i]));
    return difference == 0;
}

static char lower(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return c;
}

bool nx_same_in_any_case(const char *a, const char *b, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (lower(a[i]) != lower(b[i]))
            return false;
    }
    return true;
}

void nx_add_utf8(struct nx_text *text, uint32_t character)
{
    const int further = (character >= 0x80) + (character >= 0x800) + (character >= 0x10000);
    static const unsigned int marks[] = {0, 0xc0, 0xe0, 0xf0};

    nx_text_add_char(text, (char)(marks[further] | character >> (6 * further)));
    for (int shift = 6 * (further - 1); shift >= 0; shift -= 6)
        nx_text_add_char(text, (char)(0x80 | (character >> shift & 0x3f)));
}

uint32_t nx_join_surrogates(uint32_t high, uint32_t low)
{
    if (high < 0xd800 || high > 0xdbff || low < 0xdc00 || low > 0xdfff)
        return 0;
    return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

/* Reads \uXXXX. */
static bool read_unit(const char *at, uint32_t *unit)
{
    if (at[0] != '\\' || at[1] != 'u')
        return false;
    *unit = 0;
    for (int i = 2; i < 6; i++) {
        int digit = nx_hex_value(at[i]);

        if (digit < 0)
            return false;
        *unit = *unit * 16 + (uint32_t)digit;
    }
    return true;
}

static const char *take_json_unit(const char *at, uint32_t unit, struct nx_text *text)
{
    const bool high = unit >= 0xd800 && unit <= 0xdbff;
    uint32_t low = 0;
    const uint32_t pair = high && read_unit(at + 6, &low) ? nx_join_surrogates(unit, low) : 0;

    nx_add_utf8(text, pair ? pair : unit);
    return at + (pair ? 12 : 6);
}

const char *nx_take_json_char(const char *at, struct nx_text *text)
{
    static const char LETTERS[] = "\"\\/bfnrt";
    static const char ESCAPED[] = "\"\\/\b\f\n\r\t";
    const char *letter = at[0] == '\\' && at[1] != '\0' ? strchr(LETTERS, at[1]) : NULL;
    uint32_t unit = 0;

    if (letter) {
        nx_text_add_char(text, ESCAPED[letter - LETTERS]);
        return at + 2;
    }
    if (read_unit(at, &unit))
        return take_json_unit(at, unit, text);
    nx_text_add_char(text, *at);
    return at + 1;
}
