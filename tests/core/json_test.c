#include "support/members.h"

#include "core/json.h"

#include <stdio.h>

static void every_member_is_read_by_its_name(void **state)
{
    struct nx_members members;

    (void)state;
    nx_members_init(&members, BOUND);
    for (int i = 0; i < NX_MEMBER_COUNT; i++) {
        enum nx_member member = (enum nx_member)i;
        char text[64];

        (void)snprintf(text, sizeof text, "{\"x\":1,\"%s\":\"v%d\"}", nx_member_name(member), i % 10);
        assert_int_equal(members_read_json_text(text, false, &members), NX_PARSED);
        assert_non_null(nx_members_string(&members, member));
        assert_int_equal(nx_members_string(&members, member)[1], '0' + i % 10);
    }
    nx_members_release(&members);
    members_assert_empty(&members);
}

static void members_keep_their_kind(void **state)
{
    static const struct {
        const char *text;
        enum nx_member_kind kind;
        double number;
        const char *string;
    } CASES[] = {
        {"{}", NX_KIND_ABSENT, 0, NULL},
        {"{\"scope\":null}", NX_KIND_ABSENT, 0, NULL},
        {"{\"Scope\":\"a\"}", NX_KIND_ABSENT, 0, NULL},
        {"{\"a\":{\"scope\":\"a\"}}", NX_KIND_ABSENT, 0, NULL},
        {"{\"scope\":true}", NX_KIND_OTHER, 0, NULL},
        {"{\"scope\":false}", NX_KIND_OTHER, 0, NULL},
        {"{\"scope\":{}}", NX_KIND_OTHER, 0, NULL},
        {"{\"scope\":[\"a\"]}", NX_KIND_OTHER, 0, NULL},
        {"{\"scope\":0}", NX_KIND_NUMBER, 0, NULL},
        {"{\"scope\":1209600}", NX_KIND_NUMBER, 1209600, NULL},
        {"{\"scope\":-42}", NX_KIND_NUMBER, -42, NULL},
        {"{\"scope\":999999999999999}", NX_KIND_NUMBER, 999999999999999.0, NULL},
        {"{\"scope\":1234567890123456}", NX_KIND_NUMBER, 1234567890123456.0, NULL},
        {"{\"scope\":-1.5e+2}", NX_KIND_NUMBER, -150, NULL},
        {"{\"scope\":1209600.0}", NX_KIND_NUMBER, 1209600, NULL},
        {"{\"scope\":12E-1}", NX_KIND_NUMBER, 1.2, NULL},
        {"{\"scope\":9007199254740993}", NX_KIND_NUMBER, 9007199254740992.0, NULL},
        {"{\"scope\":\"\"}", NX_KIND_STRING, 0, ""},
        {"{\"scope\":\"a b\"}", NX_KIND_STRING, 0, "a b"},
        {" \t\r\n{ \"scope\" : \"a\" , \"b\" : [ ] } \n\r\t ", NX_KIND_STRING, 0, "a"},
        {"\xef\xbb\xbf{\"scope\":\"a\"}", NX_KIND_STRING, 0, "a"},
        {"{\"sco\\u0070e\":\"a\"}", NX_KIND_STRING, 0, "a"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_members members;
        const struct nx_value *scope = &members.values[NX_MEMBER_SCOPE];

        nx_members_init(&members, BOUND);
        assert_int_equal(members_read_json_text(CASES[i].text, false, &members), NX_PARSED);
        assert_int_equal(scope->kind, CASES[i].kind);
        assert_true(scope->number == CASES[i].number);
        if (CASES[i].string)
            assert_string_equal(nx_members_string(&members, NX_MEMBER_SCOPE), CASES[i].string);
        else
            assert_null(nx_members_string(&members, NX_MEMBER_SCOPE));
        nx_members_release(&members);
    }
}

static void other_values_give_no_members(void **state)
{
    static const char *const CASES[] = {"null", "true", "false", "0", "-0", "1e5", "[]", "[1,[2,{}],\"a\"]", " {} "};

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_members members;

        nx_members_init(&members, BOUND);
        assert_int_equal(members_read_json_text(CASES[i], i % 2 == 0, &members), NX_PARSED);
        members_assert_empty(&members);
        nx_members_release(&members);
    }
}

static void nothing_needs_no_bytes(void **state)
{
    struct nx_members members;

    (void)state;
    nx_members_init(&members, BOUND);
    assert_int_equal(nx_json_read(NULL, 0, false, &members), NX_PARSED_NOT);
}

static void sixteen_levels_are_read_and_no_more(void **state)
{
    static const struct {
        const char *open, *close;
        int levels;
        enum nx_parsed parsed;
    } CASES[] = {
        {"[", "]", 16, NX_PARSED},           {"[", "]", 17, NX_PARSED_NOT},  {"{\"a\":", "}", 15, NX_PARSED},
        {"{\"a\":", "}", 16, NX_PARSED_NOT}, {"[", "]", 500, NX_PARSED_NOT},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_members members;
        struct nx_text text;

        nx_members_init(&members, BOUND);
        nx_text_init(&text, 10000);
        for (int level = 0; level < CASES[i].levels; level++)
            nx_text_add(&text, CASES[i].open);
        nx_text_add(&text, CASES[i].open[0] == '{' ? "[]" : "");
        for (int level = 0; level < CASES[i].levels; level++)
            nx_text_add(&text, CASES[i].close);
        assert_int_equal(members_read_json_text(nx_text_string(&text), false, &members), CASES[i].parsed);
        nx_text_release(&text);
        nx_members_release(&members);
    }
}

static void levels_side_by_side_are_not_added_up(void **state)
{
    struct nx_members members;

    (void)state;
    nx_members_init(&members, BOUND);
    assert_int_equal(
        members_read_json_text("[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],{},{},[]]", false, &members),
        NX_PARSED);
    nx_members_release(&members);
}

static void a_member_that_we_read_may_occur_once(void **state)
{
    static const struct {
        const char *text;
        bool envelope;
        enum nx_parsed parsed;
    } CASES[] = {
        {"{\"scope\":\"a\",\"scope\":\"a\"}", false, NX_PARSED_NOT},
        {"{\"scope\":null,\"scope\":\"a\"}", false, NX_PARSED_NOT},
        {"{\"scope\":\"a\",\"sc\\u006fpe\":\"b\"}", false, NX_PARSED_NOT},
        {"{\"scope\":\"a\",\"SCOPE\":\"b\"}", false, NX_PARSED},
        {"{\"other\":\"a\",\"other\":\"b\"}", false, NX_PARSED},
        {"{\"result\":1,\"result\":2,\"errno\":1,\"errno\":2}", false, NX_PARSED},
        {"{\"scope\":\"a\",\"scope\":\"b\",\"x\":{\"scope\":1}}", true, NX_PARSED},
        {"{\"code\":0,\"code\":0}", true, NX_PARSED_NOT},
        {"{\"msg\":0,\"msg\":0}", true, NX_PARSED_NOT},
        {"{\"errno\":0,\"errno\":0}", true, NX_PARSED_NOT},
        {"{\"errmsg\":0,\"errmsg\":0}", true, NX_PARSED_NOT},
        {"{\"result\":{},\"result\":{}}", true, NX_PARSED_NOT},
        {"{\"result\":{\"scope\":1,\"scope\":2}}", true, NX_PARSED_NOT},
        {"{\"result\":{\"code\":1,\"code\":2}}", true, NX_PARSED},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_members members;

        nx_members_init(&members, BOUND);
        assert_int_equal(members_read_json_text(CASES[i].text, CASES[i].envelope, &members), CASES[i].parsed);
        if (CASES[i].parsed == NX_PARSED_NOT)
            members_assert_empty(&members);
        nx_members_release(&members);
    }
}

static void an_envelope_has_its_members_in_two_places(void **state)
{
    static const struct {
        const char *text;
        const char *code, *msg, *access_token;
    } CASES[] = {
        {"{\"code\":\"0\",\"msg\":\"success\",\"result\":{\"access_token\":\"a\\/b\"}}", "0", "success", "a/b"},
        {"{\"errno\":\"0\",\"errmsg\":\"ok\",\"result\":{\"access_token\":\"a\"}}", "0", "ok", "a"},
        {"{\"errno\":\"1\",\"code\":\"2\",\"errmsg\":\"x\",\"msg\":\"y\"}", "2", "y", NULL},
        {"{\"code\":null,\"errno\":\"1\"}", "1", NULL, NULL},
        {"{\"code\":\"1\",\"result\":null}", "1", NULL, NULL},
        {"{\"code\":\"1\",\"result\":[]}", "1", NULL, NULL},
        {"{\"code\":\"1\",\"result\":\"\"}", "1", NULL, NULL},
        {"{\"code\":\"1\",\"result\":[{\"access_token\":\"a\"}]}", "1", NULL, NULL},
        {"{\"code\":\"1\",\"access_token\":\"a\",\"result\":{\"code\":\"3\",\"msg\":\"z\"}}", "1", NULL, NULL},
        {"{\"result\":{\"errno\":\"3\",\"errmsg\":\"z\"}}", NULL, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        const char *const expected[] = {CASES[i].code, CASES[i].msg, CASES[i].access_token};
        const enum nx_member places[] = {NX_MEMBER_CODE, NX_MEMBER_MSG, NX_MEMBER_ACCESS_TOKEN};
        struct nx_members members;

        nx_members_init(&members, BOUND);
        assert_int_equal(members_read_json_text(CASES[i].text, true, &members), NX_PARSED);
        for (size_t place = 0; place < COUNT(places); place++) {
            const char *string = nx_members_string(&members, places[place]);

            assert_string_equal(string ? string : "none", expected[place] ? expected[place] : "none");
        }
        nx_members_release(&members);
    }
}

static void an_error_stands_beside_the_envelope_not_in_its_result(void **state)
{
    struct nx_members members;

    (void)state;
    nx_members_init(&members, BOUND);
    assert_int_equal(
        members_read_json_text("{\"error\":\"a\",\"Message\":\"b\",\"result\":{\"error\":\"c\"}}", true, &members),
        NX_PARSED);
    assert_string_equal(nx_members_string(&members, NX_MEMBER_ERROR), "a");
    assert_string_equal(nx_members_string(&members, NX_MEMBER_MESSAGE), "b");
    nx_members_release(&members);
}

static void the_older_spelling_counts_in_an_envelope_alone(void **state)
{
    struct nx_members members;

    (void)state;
    nx_members_init(&members, BOUND);
    assert_int_equal(members_read_json_text("{\"errno\":1,\"errmsg\":\"x\"}", false, &members), NX_PARSED);
    members_assert_empty(&members);
}

static void the_older_spellings_count_after_the_present_one(void **state)
{
    static const struct {
        const char *text;
        const char *code;
        enum nx_parsed parsed;
    } CASES[] = {
        {"{\"errcode\":\"1\"}", "1", NX_PARSED},
        {"{\"errcode\":\"1\",\"errno\":\"2\"}", "2", NX_PARSED},
        {"{\"errcode\":\"1\",\"errno\":null}", "1", NX_PARSED},
        {"{\"errcode\":\"1\",\"errno\":\"2\",\"code\":\"3\"}", "3", NX_PARSED},
        {"{\"errcode\":1,\"errcode\":1}", NULL, NX_PARSED_NOT},
        {"{\"Errcode\":\"1\"}", NULL, NX_PARSED},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_members members;
        const char *code;

        nx_members_init(&members, BOUND);
        assert_int_equal(members_read_json_text(CASES[i].text, true, &members), CASES[i].parsed);
        code = nx_members_string(&members, NX_MEMBER_CODE);
        assert_string_equal(code ? code : "none", CASES[i].code ? CASES[i].code : "none");
        nx_members_release(&members);
    }
}

static void a_message_is_read_in_any_case(void **state)
{
    static const struct {
        const char *text;
        const char *message, *otherwise;
        enum nx_parsed parsed;
    } CASES[] = {
        {"{\"Message\":\"a\"}", "a", NULL, NX_PARSED},
        {"{\"message\":\"a\"}", NULL, "a", NX_PARSED},
        {"{\"MESSAGE\":\"a\"}", NULL, "a", NX_PARSED},
        {"{\"message\":\"a\",\"Message\":\"b\"}", "b", "a", NX_PARSED},
        {"{\"Messages\":\"a\",\"Messag\":\"b\"}", NULL, NULL, NX_PARSED},
        {"{\"Message\":\"a\",\"Message\":\"b\"}", NULL, NULL, NX_PARSED_NOT},
        {"{\"message\":\"a\",\"MESSAGE\":\"b\"}", NULL, NULL, NX_PARSED_NOT},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        const char *const expected[] = {CASES[i].message, CASES[i].otherwise};
        const enum nx_member places[] = {NX_MEMBER_MESSAGE, NX_MEMBER_MESSAGE_OTHERWISE};
        struct nx_members members;

        nx_members_init(&members, BOUND);
        assert_int_equal(members_read_json_text(CASES[i].text, false, &members), CASES[i].parsed);
        for (size_t place = 0; place < COUNT(places); place++) {
            const char *string = nx_members_string(&members, places[place]);

            assert_string_equal(string ? string : "none", expected[place] ? expected[place] : "none");
        }
        nx_members_release(&members);
    }
}

static void of_model_state_the_first_text_is_read(void **state)
{
    static const struct {
        const char *text;
        const char *expected;
    } CASES[] = {
        {"{\"ModelState\":{\"r.username\":[\"The \\u0022a\\u0022.\",\"b\"],\"c\":[\"d\"]}}", "The \"a\"."},
        {"{\"modelState\":{\"a\" : [ \"b\" ]}}", "b"},
        {"{\"ModelState\": { \"a\\\"\" : \"b\" } }", "b"},
        {"{\"ModelState\":[[\"a\"]]}", "a"},
        {"{\"ModelState\":\"a\"}", "a"},
        {"{\"ModelState\":{}}", NULL},
        {"{\"ModelState\":[]}", NULL},
        {"{\"ModelState\":{\"a\":[]}}", NULL},
        {"{\"ModelState\":{\"a\":[1,\"b\"]}}", NULL},
        {"{\"ModelState\":null}", NULL},
        {"{\"ModelState\":5}", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_members members;
        const char *string;

        nx_members_init(&members, BOUND);
        assert_int_equal(members_read_json_text(CASES[i].text, false, &members), NX_PARSED);
        string = nx_members_string(&members, NX_MEMBER_MODEL_STATE);
        assert_string_equal(string ? string : "none", CASES[i].expected ? CASES[i].expected : "none");
        nx_members_release(&members);
    }
}

static void a_value_over_its_bound_refuses_the_document(void **state)
{
    static const char *const CASES[] = {
        "\"12345\"",
        "{\"access_token\":\"12345\"}",
        "{\"scope\":\"1\",\"msg\":\"12345\"}",
    };
    struct nx_members members;

    (void)state;
    nx_members_init(&members, 4);
    for (size_t i = 0; i < COUNT(CASES); i++) {
        assert_int_equal(members_read_json_text(CASES[i], false, &members), NX_PARSED_NOT);
        members_assert_empty(&members);
    }
    assert_int_equal(members_read_json_text("{\"scope\":\"1234\",\"other\":\"12345\"}", false, &members), NX_PARSED);
    nx_members_release(&members);
}

static void a_second_document_replaces_the_first(void **state)
{
    struct nx_members members;

    (void)state;
    nx_members_init(&members, BOUND);
    assert_int_equal(members_read_json_text("{\"scope\":\"a\",\"expires_in\":5}", false, &members), NX_PARSED);
    assert_int_equal(members_read_json_text("{\"scope\":\"b\"}", false, &members), NX_PARSED);
    assert_string_equal(nx_members_string(&members, NX_MEMBER_SCOPE), "b");
    assert_int_equal(members.values[NX_MEMBER_EXPIRES_IN].kind, NX_KIND_ABSENT);
    nx_members_release(&members);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_member_is_read_by_its_name),
        cmocka_unit_test(members_keep_their_kind),
        cmocka_unit_test(other_values_give_no_members),
        cmocka_unit_test(nothing_needs_no_bytes),
        cmocka_unit_test(sixteen_levels_are_read_and_no_more),
        cmocka_unit_test(levels_side_by_side_are_not_added_up),
        cmocka_unit_test(a_member_that_we_read_may_occur_once),
        cmocka_unit_test(an_envelope_has_its_members_in_two_places),
        cmocka_unit_test(an_error_stands_beside_the_envelope_not_in_its_result),
        cmocka_unit_test(the_older_spelling_counts_in_an_envelope_alone),
        cmocka_unit_test(the_older_spellings_count_after_the_present_one),
        cmocka_unit_test(a_message_is_read_in_any_case),
        cmocka_unit_test(of_model_state_the_first_text_is_read),
        cmocka_unit_test(a_value_over_its_bound_refuses_the_document),
        cmocka_unit_test(a_second_document_replaces_the_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
