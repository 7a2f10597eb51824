/* Percent and form encoding, base64 and UTF-8: all strings of up to two bytes, longer ones over small alphabets, and
 * all characters, against tables and arithmetic that share nothing with the library's. */
#include "support/test.h"

#include "core/encode.h"
#include "support/odometer.h"

#include <stdio.h>
#include <string.h>

enum { BOUND = 64 };

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

static void fill_all_bytes(char bytes[256])
{
    for (int i = 0; i < 256; i++)
        bytes[i] = (char)(unsigned char)i;
}

/* How each byte is written, by the RFC's words. */
static void fill_table(char table[256][4], const char *marks, bool space_is_plus)
{
    for (int i = 1; i < 256; i++) {
        if (i < 0x80 && (strchr(letters, i) || strchr(marks, i)))
            snprintf(table[i], 4, "%c", i);
        else
            snprintf(table[i], 4, i == ' ' && space_is_plus ? "+" : "%%%02X", (unsigned int)i);
    }
}

typedef void encoder(struct nx_text *text, const char *value);

static void assert_there_and_back(encoder *encode, char table[256][4], const struct odometer *value, bool plus_is_space)
{
    char expected[BOUND] = "";
    struct nx_text encoded;
    struct nx_text decoded;

    for (size_t i = 0; i < value->length; i++)
        memcpy(expected + strlen(expected), table[(unsigned char)value->text[i]], 4);
    nx_text_init(&encoded, BOUND);
    nx_text_init(&decoded, BOUND);
    encode(&encoded, value->text);
    if (strcmp(nx_text_string(&encoded), expected) != 0)
        fail_msg("%s instead of %s", nx_text_string(&encoded), expected);
    nx_add_percent_decoded(&decoded, expected, strlen(expected), plus_is_space);
    if (strcmp(nx_text_string(&decoded), value->text) != 0)
        fail_msg("%s is not what it was", expected);
    nx_text_release(&encoded);
    nx_text_release(&decoded);
}

/* All of one and two bytes, and longer ones of those that are awkward. */
static void encode_all(encoder *encode, const char *marks, bool space_is_plus)
{
    char table[256][4] = {{0}};
    char bytes[256];
    struct odometer values;

    fill_table(table, marks, space_is_plus);
    fill_all_bytes(bytes);
    odometer_init(&values, bytes + 1, 255, 2);
    do
        assert_there_and_back(encode, table, &values, space_is_plus);
    while (odometer_next(&values));
    odometer_init(&values, "a %+~*\xff", 0, 5);
    do
        assert_there_and_back(encode, table, &values, space_is_plus);
    while (odometer_next(&values));
}

static void every_short_value_is_percent_encoded_and_comes_back(void **state)
{
    (void)state;
    encode_all(nx_add_percent, "-._~", false);
}

static void every_short_value_is_form_encoded_and_comes_back(void **state)
{
    (void)state;
    encode_all(nx_add_form, "*-._", true);
}

/* What a %XX at `at` stands for; -1: there is none. */
static int triple_at(const char *at)
{
    static const char digits[] = "00112233445566778899aAbBcCdDeEfF";
    const char *high = at[0] == '%' && at[1] ? strchr(digits, at[1]) : NULL;
    const char *low = high && at[2] ? strchr(digits, at[2]) : NULL;

    return low ? (int)((high - digits) / 2 * 16 + (low - digits) / 2) : -1;
}

static void assert_decoded(const char *value, bool plus_is_space)
{
    char expected[BOUND] = "";
    size_t length = 0;
    bool nul = false;
    struct nx_text decoded;

    for (const char *at = value; *at; length++) {
        const int triple = triple_at(at);

        if (triple >= 0)
            expected[length] = (char)triple;
        else if (*at == '+' && plus_is_space)
            expected[length] = ' ';
        else
            expected[length] = *at;
        nul = nul || expected[length] == '\0';
        at += triple >= 0 ? 3 : 1;
    }
    nx_text_init(&decoded, BOUND);
    nx_add_percent_decoded(&decoded, value, strlen(value), plus_is_space);
    if (nx_text_failed(&decoded) != nul || (!nul && strcmp(nx_text_string(&decoded), expected) != 0))
        fail_msg("\"%s\" became \"%s\"", value, nx_text_string(&decoded));
    nx_text_release(&decoded);
}

static void whatever_is_no_triple_is_left_as_it_is(void **state)
{
    struct odometer values;

    (void)state;
    odometer_init(&values, "%+02aFg", 0, 6);
    do {
        assert_decoded(values.text, true);
        assert_decoded(values.text, false);
    } while (odometer_next(&values));
}

static int sextet_of(char c)
{
    const char *found = c ? strchr(letters, c) : NULL;

    if (found)
        return (int)(found - letters);
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Bit for bit. */
static void assert_base64(const char *bytes, size_t size)
{
    const size_t sextets = (size * 8 + 5) / 6;
    struct nx_text encoded;
    const char *at = NULL;

    nx_text_init(&encoded, BOUND);
    nx_add_base64(&encoded, bytes, size);
    at = nx_text_string(&encoded);
    assert_int_equal(encoded.length, (size + 2) / 3 * 4);
    for (size_t bit = 0; bit < sextets * 6; bit++) {
        const int got = sextet_of(at[bit / 6]) >> (5 - bit % 6) & 1;
        const int expected = bit < size * 8 ? (unsigned char)bytes[bit / 8] >> (7 - bit % 8) & 1 : 0;

        if (sextet_of(at[bit / 6]) < 0 || got != expected)
            fail_msg("%s differs at bit %zu", at, bit);
    }
    assert_int_equal(strspn(at + sextets, "="), encoded.length - sextets);
    nx_text_release(&encoded);
}

static void all_bytes_go_into_base64_bit_for_bit(void **state)
{
    char bytes[256];
    struct odometer values;

    (void)state;
    fill_all_bytes(bytes);
    odometer_init(&values, bytes, 256, 2);
    do
        assert_base64(values.text, values.length);
    while (odometer_next(&values));
    odometer_init(&values, "\x00\x2a\x55\xff", 4, 7);
    do
        assert_base64(values.text, values.length);
    while (odometer_next(&values));
}

/* By arithmetic alone: what the bits say, and whether it needed so many bytes. */
static size_t size_of_character(const unsigned char *at, size_t size)
{
    static const unsigned long least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t wanted = 0;
    unsigned long character = 0;

    while (wanted < 8 && at[0] & 0x80 >> wanted)
        wanted++;
    if (wanted == 0)
        return 1;
    if (wanted < 2 || wanted > 4 || wanted > size)
        return 0;
    character = at[0] & 0x7fU >> wanted;
    for (size_t i = 1; i < wanted; i++) {
        if (at[i] / 64 != 2)
            return 0;
        character = character * 64 + at[i] % 64;
    }
    return character < least[wanted] || character > 0x10ffff || character / 0x800 == 27 ? 0 : wanted;
}

static void characters_are_found_in_all_bytes(void **state)
{
    char bytes[256];
    struct odometer values;

    (void)state;
    fill_all_bytes(bytes);
    odometer_init(&values, bytes, 256, 2);
    while (odometer_next(&values))
        assert_int_equal(nx_utf8_size(values.text, values.length),
                         size_of_character((const unsigned char *)values.text, values.length));
    odometer_init(&values, "\x7f\x80\x8f\x90\x9f\xa0\xbf\xc1\xc2\xe0\xed\xef\xf0\xf4\xf5", 0, 4);
    while (odometer_next(&values))
        assert_int_equal(nx_utf8_size(values.text, values.length),
                         size_of_character((const unsigned char *)values.text, values.length));
}

static void every_character_is_written_as_it_is_read(void **state)
{
    (void)state;
    for (uint32_t character = 1; character <= 0x10ffff; character++) {
        const bool lone = character >= 0xd800 && character <= 0xdfff;
        struct nx_text text;

        nx_text_init(&text, 4);
        nx_add_utf8(&text, character);
        if (nx_utf8_size(nx_text_string(&text), text.length) != (lone ? 0 : text.length) || text.length == 0)
            fail_msg("U+%04X", (unsigned int)character);
        nx_text_release(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_short_value_is_percent_encoded_and_comes_back),
        cmocka_unit_test(every_short_value_is_form_encoded_and_comes_back),
        cmocka_unit_test(whatever_is_no_triple_is_left_as_it_is),
        cmocka_unit_test(all_bytes_go_into_base64_bit_for_bit),
        cmocka_unit_test(characters_are_found_in_all_bytes),
        cmocka_unit_test(every_character_is_written_as_it_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
