#include "support/test.h"

#include "core/encode.h"

#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

struct wording {
    const char *value;
    const char *worded;
};

static void check_wordings(const struct wording *cases, size_t count, void (*add)(struct nx_text *, const char *))
{
    for (size_t i = 0; i < count; i++) {
        struct nx_text text;

        nx_text_init(&text, 1000);
        add(&text, cases[i].value);
        assert_false(nx_text_failed(&text));
        assert_string_equal(nx_text_string(&text), cases[i].worded);
        nx_text_release(&text);
    }
}

static void percent_encoding_keeps_the_unreserved_alone(void **state)
{
    static const struct wording CASES[] = {
        {"", ""},
        {"azAZ09-._~", "azAZ09-._~"},
        {" +&=%/?#*", "%20%2B%26%3D%25%2F%3F%23%2A"},
        {"`{@[", "%60%7B%40%5B"},
        {"\xc3\xbc\x01\x7f\xff", "%C3%BC%01%7F%FF"},
    };

    (void)state;
    check_wordings(CASES, COUNT(CASES), nx_add_percent);
}

static void form_encoding_is_that_of_browsers(void **state)
{
    static const struct wording CASES[] = {
        {"", ""},
        {"azAZ09*-._", "azAZ09*-._"},
        {"a b+c", "a+b%2Bc"},
        {" %&+\xc2\xa3\xe2\x82\xac", "+%25%26%2B%C2%A3%E2%82%AC"}, /* RFC 6749 appendix B */
        {"~/=\"", "%7E%2F%3D%22"},
    };

    (void)state;
    check_wordings(CASES, COUNT(CASES), nx_add_form);
}

static void json_strings_use_the_shortest_escapes(void **state)
{
    static const struct wording CASES[] = {
        {"", "\"\""},
        {"a/b'c", "\"a/b'c\""},
        {"\"\\", "\"\\\"\\\\\""},
        {"\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""},
        {"\x01\x1f\x7f", "\"\\u0001\\u001f\x7f\""},
        {"\xc3\xbc\xf0\x9f\x94\x91", "\"\xc3\xbc\xf0\x9f\x94\x91\""},
    };

    (void)state;
    check_wordings(CASES, COUNT(CASES), nx_add_json_string);
}

static void json_strings_refuse_what_is_no_utf8(void **state)
{
    struct nx_text text;

    (void)state;
    nx_text_init(&text, 100);
    nx_text_add(&text, "{");
    nx_add_json_string(&text, "caf\xe9");
    assert_int_equal(text.status, NEXAUTH_INVALID);
    assert_string_equal(nx_text_string(&text), "");
    nx_text_release(&text);
}

static void encodings_keep_to_the_bound(void **state)
{
    struct nx_text text;

    (void)state;
    nx_text_init(&text, 5);
    nx_add_percent(&text, "++");
    assert_int_equal(text.status, NEXAUTH_INVALID);
    nx_text_release(&text);
}

static void add_base64(struct nx_text *text, const char *value)
{
    nx_add_base64(text, value, strlen(value));
}

static void base64_gives_the_vectors_of_its_rfc(void **state)
{
    static const struct wording CASES[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xfb\xff\xfe", "+//+"},
    };

    (void)state;
    check_wordings(CASES, COUNT(CASES), add_base64);
}

static void hex_takes_two_lower_case_digits_a_byte(void **state)
{
    static const unsigned char BYTES[] = {0x00, 0x0f, 0xa5, 0xff};
    struct nx_text text;

    (void)state;
    nx_text_init(&text, 100);
    nx_add_hex(&text, BYTES, sizeof BYTES);
    assert_string_equal(nx_text_string(&text), "000fa5ff");
    nx_text_release(&text);
}

static void add_percent_decoded(struct nx_text *text, const char *value)
{
    nx_add_percent_decoded(text, value, strlen(value), false);
}

static void add_form_decoded(struct nx_text *text, const char *value)
{
    nx_add_percent_decoded(text, value, strlen(value), true);
}

static void percent_decoding_leaves_the_rest_as_it_is(void **state)
{
    static const struct wording CASES[] = {
        {"", ""},     {"%41%4a%4A+b", "AJJ+b"},   {"%C3%BC", "\xc3\xbc"}, {"100%", "100%"},
        {"%4", "%4"}, {"%4g%g4%%41", "%4g%g4%A"},
    };

    (void)state;
    check_wordings(CASES, COUNT(CASES), add_percent_decoded);
}

static void form_decoding_makes_plus_a_space(void **state)
{
    static const struct wording CASES[] = {{"a+b%2Bc", "a b+c"}};

    (void)state;
    check_wordings(CASES, COUNT(CASES), add_form_decoded);
}

static void decoding_stops_at_the_given_size(void **state)
{
    struct nx_text text;

    (void)state;
    nx_text_init(&text, 100);
    nx_add_percent_decoded(&text, "%41%42", 5, false);
    assert_string_equal(nx_text_string(&text), "A%4");
    nx_text_release(&text);
}

static void decoding_refuses_a_nul(void **state)
{
    static const char *const CASES[] = {"%00", "a%00b", "abc%00"};

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_text text;

        nx_text_init(&text, 100);
        add_percent_decoded(&text, CASES[i]);
        assert_int_equal(text.status, NEXAUTH_INVALID);
        nx_text_release(&text);
    }
}

static void utf8_is_that_of_rfc_3629(void **state)
{
    static const struct {
        const char *value;
        bool good;
    } CASES[] = {
        {"", true},
        {"plain\x7f", true},
        {"\xc2\x80", true},
        {"\xdf\xbf", true},
        {"\xe0\xa0\x80", true},
        {"\xed\x9f\xbf", true},
        {"\xee\x80\x80", true},
        {"\xef\xbf\xbf", true},
        {"\xf0\x90\x80\x80", true},
        {"\xf3\xbf\xbf\xbf", true},
        {"\xf4\x8f\xbf\xbf", true},
        {"\x80", false},
        {"\xbf", false},
        {"\xc0\x80", false}, /* overlong */
        {"\xc1\xbf", false},
        {"\xe0\x9f\xbf", false},
        {"\xf0\x8f\xbf\xbf", false},
        {"\xed\xa0\x80", false}, /* a surrogate */
        {"\xed\xbf\xbf", false},
        {"\xf4\x90\x80\x80", false}, /* above U+10FFFF */
        {"\xf5\x80\x80\x80", false},
        {"\xff", false},
        {"\xc3", false}, /* cut */
        {"\xe2\x82", false},
        {"\xf0\x9f\x94", false},
        {"\xc3(", false},
        {"\xe2\x82(", false},
        {"\xe2(\xac", false},
        {"\xf0\x9f(\x91", false},
        {"\xf0\x9f\x94(", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++)
        assert_int_equal(nx_is_utf8(CASES[i].value), CASES[i].good);
}

static void the_size_of_a_character_minds_the_end_of_the_bytes(void **state)
{
    (void)state;
    assert_int_equal(nx_utf8_size("a", 0), 0);
    assert_int_equal(nx_utf8_size("", 1), 1);
    assert_int_equal(nx_utf8_size("\xe2\x82\xac", 2), 0);
    assert_int_equal(nx_utf8_size("\xe2\x82\xac", 3), 3);
    assert_int_equal(nx_utf8_size("\xe2\x82\xac", 9), 3);
}

static void hex_digits_have_values_in_both_cases(void **state)
{
    static const char DIGITS[] = "0123456789abcdefABCDEF";
    static const char OTHERS[] = "/:@G`g \xff";

    (void)state;
    for (size_t i = 0; i < sizeof DIGITS - 1; i++)
        assert_int_equal(nx_hex_value(DIGITS[i]), i < 16 ? i : i - 6);
    for (size_t i = 0; i < sizeof OTHERS; i++)
        assert_int_equal(nx_hex_value(OTHERS[i]), -1);
}

static void controls_are_those_of_ascii(void **state)
{
    (void)state;
    assert_true(nx_is_free_of_controls(""));
    assert_true(nx_is_free_of_controls(" a~\x80\xff"));
    assert_false(nx_is_free_of_controls("a\nb"));
    assert_false(nx_is_free_of_controls("\x1f"));
    assert_false(nx_is_free_of_controls("\x01"));
    assert_false(nx_is_free_of_controls("abc\x7f"));
}

static void a_token_is_visible_ascii(void **state)
{
    (void)state;
    assert_true(nx_is_visible("!aZ0~"));
    assert_false(nx_is_visible(""));
    assert_false(nx_is_visible("a b"));
    assert_false(nx_is_visible("a\x7f"));
    assert_false(nx_is_visible("a\x80"));
    assert_false(nx_is_visible("a\r\nb"));
}

static void equal_secrets_are_equal_in_length_and_bytes(void **state)
{
    (void)state;
    assert_true(nx_equal_secret("", ""));
    assert_true(nx_equal_secret("secret\xff", "secret\xff"));
    assert_false(nx_equal_secret("secret", "secreT"));
    assert_false(nx_equal_secret("Secret", "secret"));
    assert_false(nx_equal_secret("secret", "secret1"));
    assert_false(nx_equal_secret("", "s"));
}

static void what_is_invisible_is_found_at_any_place(void **state)
{
    char text[72];

    (void)state;
    for (int c = 1; c < 256; c++) {
        for (size_t at = 0; at < sizeof text - 1; at++) {
            memset(text, '!' + (int)at, sizeof text - 1);
            text[sizeof text - 1] = '\0';
            text[at] = (char)c;
            assert_int_equal(nx_is_visible(text), c >= 0x21 && c <= 0x7e);
            assert_int_equal(nx_is_visible(text + at), c >= 0x21 && c <= 0x7e);
        }
    }
}

static void ascii_is_skipped_up_to_what_needs_a_look(void **state)
{
    char text[72];

    (void)state;
    for (int c = 0; c < 256; c++) {
        const bool stops = c < 0x20 || c >= 0x80 || c == '"' || c == '\\';

        for (size_t at = 0; at < sizeof text; at++) {
            memset(text, 'a', sizeof text);
            text[at] = (char)c;
            assert_ptr_equal(nx_skip_ascii(text, text + sizeof text, ' ', '"', '\\'),
                             text + (stops ? at : sizeof text));
            assert_ptr_equal(nx_skip_ascii(text, text + at, ' ', '"', '\\'), text + at);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percent_encoding_keeps_the_unreserved_alone),
        cmocka_unit_test(form_encoding_is_that_of_browsers),
        cmocka_unit_test(json_strings_use_the_shortest_escapes),
        cmocka_unit_test(json_strings_refuse_what_is_no_utf8),
        cmocka_unit_test(encodings_keep_to_the_bound),
        cmocka_unit_test(base64_gives_the_vectors_of_its_rfc),
        cmocka_unit_test(hex_takes_two_lower_case_digits_a_byte),
        cmocka_unit_test(percent_decoding_leaves_the_rest_as_it_is),
        cmocka_unit_test(form_decoding_makes_plus_a_space),
        cmocka_unit_test(decoding_stops_at_the_given_size),
        cmocka_unit_test(decoding_refuses_a_nul),
        cmocka_unit_test(utf8_is_that_of_rfc_3629),
        cmocka_unit_test(the_size_of_a_character_minds_the_end_of_the_bytes),
        cmocka_unit_test(hex_digits_have_values_in_both_cases),
        cmocka_unit_test(controls_are_those_of_ascii),
        cmocka_unit_test(a_token_is_visible_ascii),
        cmocka_unit_test(equal_secrets_are_equal_in_length_and_bytes),
        cmocka_unit_test(what_is_invisible_is_found_at_any_place),
        cmocka_unit_test(ascii_is_skipped_up_to_what_needs_a_look),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
