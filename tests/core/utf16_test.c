#include "support/test.h"

#include "core/utf16.h"

#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define BYTES(text)  text, sizeof(text) - 1

enum { BOUND = 100 };

static void the_order_shows_in_the_first_two_bytes(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        enum nx_utf16 order;
    } CASES[] = {
        {BYTES("\xff\xfe"), NX_UTF16_LITTLE_ENDIAN},
        {BYTES("\xfe\xff"), NX_UTF16_BIG_ENDIAN},
        {BYTES("\xff\xfe<\0"), NX_UTF16_LITTLE_ENDIAN},
        {BYTES("<\0"), NX_UTF16_LITTLE_ENDIAN},
        {BYTES("\0<"), NX_UTF16_BIG_ENDIAN},
        {BYTES(" \0<\0"), NX_UTF16_LITTLE_ENDIAN},
        {BYTES(""), NX_UTF16_NOT},
        {BYTES("\xff"), NX_UTF16_NOT},
        {BYTES("<"), NX_UTF16_NOT},
        {BYTES("<a"), NX_UTF16_NOT},
        {BYTES("\0\0"), NX_UTF16_NOT},
        {BYTES("\xef\xbb\xbf<"), NX_UTF16_NOT},
        {BYTES("\xff\xff"), NX_UTF16_NOT},
        {BYTES("\xe9\0"), NX_UTF16_NOT},
        {BYTES("\xc3\xbc"), NX_UTF16_NOT},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++)
        assert_int_equal(nx_utf16_order(CASES[i].bytes, CASES[i].size), CASES[i].order);
}

/* Converts a copy of exactly that size, with the bytes in this order and in the other. */
static void assert_converted(const char *bytes, size_t size, const char *expected)
{
    char *copy = test_malloc(size > 0 ? size : 1);
    struct nx_text text;

    nx_text_init(&text, BOUND);
    for (enum nx_utf16 order = NX_UTF16_LITTLE_ENDIAN; order <= NX_UTF16_BIG_ENDIAN; order++) {
        const size_t turned = order == NX_UTF16_BIG_ENDIAN;

        for (size_t i = 0; i < size; i++)
            copy[i] = bytes[size % 2 && i == size - 1 ? i : i ^ turned];
        nx_text_clear(&text);
        nx_utf16_add_as_utf8(&text, copy, size, order);
        assert_int_equal(text.status, expected ? NEXAUTH_OK : NEXAUTH_INVALID);
        assert_string_equal(nx_text_string(&text), expected ? expected : "");
    }
    nx_text_release(&text);
    test_free(copy);
}

static void characters_become_utf8(void **state)
{
    (void)state;
    assert_converted(BYTES(""), "");
    assert_converted(BYTES("\xff\xfe"), "");
    assert_converted(BYTES("\xff\xfe<\0a\0"), "<a");
    assert_converted(BYTES("\x01\0\x7f\0"), "\x01\x7f");
    assert_converted(BYTES("\x80\0\xff\x07"), "\xc2\x80\xdf\xbf");
    assert_converted(BYTES("\0\x08\xac\x20\xff\xff"), "\xe0\xa0\x80\xe2\x82\xac\xef\xbf\xbf");
    assert_converted(BYTES("\xff\xd7\0\xe0"), "\xed\x9f\xbf\xee\x80\x80");
    assert_converted(BYTES("\x3d\xd8\x11\xdd"), "\xf0\x9f\x94\x91");
    assert_converted(BYTES("\0\xd8\0\xdc\xff\xdb\xff\xdf"), "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
    assert_converted(BYTES("a\0\xff\xfe"), "a\xef\xbb\xbf");
}

static void what_is_no_utf16_is_refused(void **state)
{
    (void)state;
    assert_converted(BYTES("a"), NULL);
    assert_converted(BYTES("a\0b"), NULL);
    assert_converted(BYTES("a\0\0\0"), NULL);
    assert_converted(BYTES("\xff\xfe\0\0a\0\0\0"), NULL);
    assert_converted(BYTES("\x3d\xd8"), NULL);
    assert_converted(BYTES("\x3d\xd8\x11"), NULL);
    assert_converted(BYTES("\x3d\xd8\x41\0"), NULL);
    assert_converted(BYTES("\x3d\xd8\x3d\xd8"), NULL);
    assert_converted(BYTES("\x11\xdd"), NULL);
    assert_converted(BYTES("\x11\xdd\x3d\xd8"), NULL);
}

static void a_text_over_its_bound_fails(void **state)
{
    struct nx_text text;

    (void)state;
    nx_text_init(&text, 2);
    nx_utf16_add_as_utf8(&text, BYTES("\xac\x20"), NX_UTF16_LITTLE_ENDIAN);
    assert_int_equal(text.status, NEXAUTH_INVALID);
    nx_text_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_order_shows_in_the_first_two_bytes),
        cmocka_unit_test(characters_become_utf8),
        cmocka_unit_test(what_is_no_utf16_is_refused),
        cmocka_unit_test(a_text_over_its_bound_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
