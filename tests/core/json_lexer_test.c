#include "support/members.h"

static const struct document NO_JSON[] = {
    BYTES(""),
    BYTES(" "),
    BYTES("\xef\xbb\xbf"),
    BYTES("\xef\xbb\xbf\xef\xbb\xbf{}"),
    BYTES("\xff\xfe{\0}\0"),
    BYTES("<html></html>"),
    BYTES("{"),
    BYTES("}"),
    BYTES("{}{}"),
    BYTES("{} x"),
    BYTES("{}\0"),
    BYTES("\0{}"),
    BYTES("{\0}"),
    BYTES("{}\v"),
    BYTES("\f{}"),
    BYTES("{\x01}"),
    BYTES("{,}"),
    BYTES("{\"a\"}"),
    BYTES("{\"a\":}"),
    BYTES("{\"a\":1,}"),
    BYTES("{\"a\" 1}"),
    BYTES("{\"a\":1 \"b\":2}"),
    BYTES("{a:1}"),
    BYTES("{'a':1}"),
    BYTES("{1:1}"),
    BYTES("{\"a\":1"),
    BYTES("{\"a\":1]"),
    BYTES("["),
    BYTES("[1"),
    BYTES("[1,]"),
    BYTES("[,1]"),
    BYTES("[1}"),
    BYTES("[1 2]"),
    BYTES("/**/{}"),
    BYTES("{}//"),
    BYTES("`{}`"),
    BYTES("nul"),
    BYTES("nulll"),
    BYTES("True"),
    BYTES("fals"),
    BYTES("NaN"),
    BYTES("-Infinity"),
    BYTES("-"),
    BYTES("+1"),
    BYTES("01"),
    BYTES("-01"),
    BYTES("1."),
    BYTES(".1"),
    BYTES("1.e1"),
    BYTES("1e"),
    BYTES("1e+"),
    BYTES("1e+-1"),
    BYTES("0x10"),
    BYTES("1 .0"),
    BYTES("\""),
    BYTES("\"a"),
    BYTES("\"\\"),
    BYTES("\"\\\""),
    BYTES("\"\\x41\""),
    BYTES("\"\\'\""),
    BYTES("\"\\\0\""),
    BYTES("\"\\u\""),
    BYTES("\"\\u12\""),
    BYTES("\"\\u12g4\""),
    BYTES("\"\\u123"),
    BYTES("\"\\U0041\""),
    BYTES("\"\\u0000\""),
    BYTES("\"a\\u0000b\""),
    BYTES("{\"a\\u0000\":1}"),
    BYTES("\"a\0b\""),
    BYTES("\"a\nb\""),
    BYTES("\"a\tb\""),
    BYTES("\"\x1f\""),
    BYTES("\"\\ud83d\""),
    BYTES("\"\\ud83dx\""),
    BYTES("\"\\ud83d\\n\""),
    BYTES("\"\\ud83d\\u0041\""),
    BYTES("\"\\ud83d\\ud83d\""),
    BYTES("\"\\ud83d\\ue000\""),
    BYTES("\"\\udd11\""),
    BYTES("\"\xff\""),
    BYTES("\"caf\xe9\""),
    BYTES("\"\xc3"),
    BYTES("\"\xc0\x80\""),
    BYTES("\"\xed\xa0\x80\""),
    BYTES("{\"\xff\":1}"),
};

static void what_is_no_json_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(NO_JSON); i++) {
        struct nx_members members;

        nx_members_init(&members, BOUND);
        assert_int_equal(members_read_json(NO_JSON[i], false, &members), NX_PARSED_NOT);
        members_assert_empty(&members);
    }
}

static void every_cut_of_a_document_is_refused(void **state)
{
    static const char TEXT[] = "{\"access_token\":\"a\\u002b\\ud83d\\udd11\xe2\x82\xac\",\"expires_in\":-1.5e+10,"
                               "\"scope\":[true,false,null]}";
    struct nx_members members;

    (void)state;
    nx_members_init(&members, BOUND);
    for (size_t size = 0; size < sizeof TEXT - 1; size++) {
        assert_int_equal(members_read_json((struct document){TEXT, size}, false, &members), NX_PARSED_NOT);
        members_assert_empty(&members);
    }
    assert_int_equal(members_read_json_text(TEXT, false, &members), NX_PARSED);
    nx_members_release(&members);
}

static void a_number_has_at_most_63_characters(void **state)
{
    static const char DIGITS[] = "1111111111222222222233333333334444444444555555555566666666667777";
    struct nx_members members;

    (void)state;
    nx_members_init(&members, BOUND);
    assert_int_equal(members_read_json((struct document){DIGITS, 63}, false, &members), NX_PARSED);
    assert_int_equal(members_read_json((struct document){DIGITS, 64}, false, &members), NX_PARSED_NOT);
    nx_members_release(&members);
}

static void a_number_beyond_all_bounds_is_infinite(void **state)
{
    struct nx_members members;

    (void)state;
    nx_members_init(&members, BOUND);
    assert_int_equal(members_read_json_text("{\"expires_in\":1e400}", false, &members), NX_PARSED);
    assert_true(members.values[NX_MEMBER_EXPIRES_IN].number > 1e308);
    nx_members_release(&members);
}

static void strings_are_decoded(void **state)
{
    static const struct {
        const char *text;
        const char *string;
    } CASES[] = {
        {"\"Invalid credentials\"", "Invalid credentials"},
        {"\"\"", ""},
        {" \"a\" ", "a"},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
        {"\"a\\u002Bb\\u003c\\u003E\"", "a+b<>"},
        {"\"\\u00fc\\u20AC\"", "\xc3\xbc\xe2\x82\xac"},
        {"\"\\ud83d\\uDD11\"", "\xf0\x9f\x94\x91"},
        {"\"\\ud800\\udc00\\uDBFF\\uDFFF\"", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
        {"\"\\ue000\\ud7ff\"", "\xee\x80\x80\xed\x9f\xbf"},
        {"\"\xc3\xbc\x7f\"", "\xc3\xbc\x7f"},
        {"\"\\\\u0000\"", "\\u0000"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_members members;

        nx_members_init(&members, BOUND);
        assert_int_equal(members_read_json_text(CASES[i].text, false, &members), NX_PARSED);
        assert_string_equal(nx_text_string(&members.bare), CASES[i].string);
        nx_members_release(&members);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_json_is_refused),
        cmocka_unit_test(every_cut_of_a_document_is_refused),
        cmocka_unit_test(a_number_has_at_most_63_characters),
        cmocka_unit_test(a_number_beyond_all_bounds_is_infinite),
        cmocka_unit_test(strings_are_decoded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
