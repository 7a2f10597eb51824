#include "support/members.h"

#include "core/xml.h"

#include <libxml/parser.h>

#include <stdbool.h>

#define XSI     "xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\""
#define NEX     "xmlns=\"http://schemas.datacontract.org/2004/07/NEX.API.Models\""
#define XSD_XSI "xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""

static void token_answers_of_both_serializers_are_read(void **state)
{
    static const struct {
        const char *text;
        const char *access_token, *expires_in, *scope, *token_type;
    } CASES[] = {
        {"<TokenResponse " XSI " " NEX "><access_token>new934&lt;token&gt;&amp;1234</access_token>"
         "<expires_in>1209600</expires_in><scope>controller</scope><token_type>Bearer</token_type></TokenResponse>",
         "new934<token>&1234", "1209600", "controller", "Bearer"},
        {"<TokenResponseInt " XSI " " NEX "><access_token>new934token1234</access_token>"
         "<expires_in>1209600</expires_in><scope i:nil=\"true\" /><token_type>Bearer</token_type></TokenResponseInt>",
         "new934token1234", "1209600", NULL, "Bearer"},
        {"<Token " XSI "><access_token>new934token1234</access_token><expires_in>1209600</expires_in>"
         "<token_type>Bearer</token_type><scope>controller</scope></Token>",
         "new934token1234", "1209600", "controller", "Bearer"},
        {"<TokenResponse " XSD_XSI "><access_token>new934&lt;token&gt;&amp;1234</access_token>"
         "<expires_in>1209600</expires_in><token_type>Bearer</token_type><scope>controller</scope></TokenResponse>",
         "new934<token>&1234", "1209600", "controller", "Bearer"},
        {"<TokenResponseInt " XSD_XSI "><access_token>new934token1234</access_token><expires_in>1209600</expires_in>"
         "<scope xsi:nil=\"true\"/><token_type>Bearer</token_type></TokenResponseInt>",
         "new934token1234", "1209600", NULL, "Bearer"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_members members;

        nx_members_init(&members, BOUND);
        assert_int_equal(members_read_xml_text(CASES[i].text, &members), NX_PARSED);
        members_assert(&members, NX_MEMBER_ACCESS_TOKEN, CASES[i].access_token);
        members_assert(&members, NX_MEMBER_EXPIRES_IN, CASES[i].expires_in);
        members_assert(&members, NX_MEMBER_SCOPE, CASES[i].scope);
        members_assert(&members, NX_MEMBER_TOKEN_TYPE, CASES[i].token_type);
        nx_members_release(&members);
    }
}

static void error_answers_are_read(void **state)
{
    static const struct {
        const char *text;
        enum nx_member member;
        const char *expected;
    } CASES[] = {
        {"<OAuthError " XSI " " NEX "><error>invalid_grant</error><error_description>The user name or password is "
         "incorrect.</error_description></OAuthError>",
         NX_MEMBER_ERROR_DESCRIPTION, "The user name or password is incorrect."},
        {"<Error><Message>The request is invalid.</Message><ModelState><r.username>The username field is required."
         "</r.username></ModelState></Error>",
         NX_MEMBER_MESSAGE, "The request is invalid."},
        {"<Error><Message>Authorization has been denied for this request.</Message></Error>", NX_MEMBER_MESSAGE,
         "Authorization has been denied for this request."},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_members members;

        nx_members_init(&members, BOUND);
        assert_int_equal(members_read_xml_text(CASES[i].text, &members), NX_PARSED);
        members_assert(&members, CASES[i].member, CASES[i].expected);
        assert_string_equal(nx_text_string(&members.bare), "");
        nx_members_release(&members);
    }
}

static void a_root_with_text_alone_is_a_bare_string(void **state)
{
    static const struct {
        const char *text;
        const char *bare;
    } CASES[] = {
        {"<string xmlns=\"http://schemas.microsoft.com/2003/10/Serialization/\">Invalid credentials</string>",
         "Invalid credentials"},
        {"<string>Invalid credentials</string>", "Invalid credentials"},
        {"\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<string>a</string>\n", "a"},
        {"<?xml version=\"1.0\" encoding=\"utf-16\"?><string>\xc3\xbc</string>", "\xc3\xbc"},
        {"<?xml version=\"1.0\" encoding=\"iso-8859-1\"?><string>\xc3\xbc</string>", "\xc3\xbc"},
        {" <string>a</string> ", "a"},
        {"<string>&amp;&lt;&gt;&quot;&apos;&#252;&#x20AC;&#x1F511;</string>",
         "&<>\"'\xc3\xbc\xe2\x82\xac\xf0\x9f\x94\x91"},
        {"<string><![CDATA[<a>&amp;]]>b</string>", "<a>&amp;b"},
        {"<string>a<!-- c -->b<?p i?>c</string>", "abc"},
        {"<string> a\r\nb </string>", " a\nb "},
        {"<string/>", ""},
        {"<string>a<b/>c</string>", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_members members;

        nx_members_init(&members, BOUND);
        assert_int_equal(members_read_xml_text(CASES[i].text, &members), NX_PARSED);
        assert_string_equal(nx_text_string(&members.bare), CASES[i].bare);
        nx_members_release(&members);
    }
}

static void what_is_no_xml_is_refused(void **state)
{
    static const struct document CASES[] = {
        BYTES(""),
        BYTES(" "),
        BYTES("\xef\xbb\xbf"),
        BYTES("\xef\xbb\xbf\xef\xbb\xbf<a/>"),
        BYTES("{}"),
        BYTES("text"),
        BYTES("<"),
        BYTES("<a>"),
        BYTES("<a>b"),
        BYTES("</a>"),
        BYTES("<a></b>"),
        BYTES("<a></A>"),
        BYTES("<a/><b/>"),
        BYTES("<a/>x"),
        BYTES("<a/>\0"),
        BYTES("<a>\0</a>"),
        BYTES("<a>&#0;</a>"),
        BYTES("<a>&#1;</a>"),
        BYTES("<a>\x01</a>"),
        BYTES("<a>&#xD800;</a>"),
        BYTES("<a>&#x110000;</a>"),
        BYTES("<a>\xef\xbf\xbf</a>"),
        BYTES("<!-- far from the start --><\xc3\xa9\xef\xbf\xbf/>"),
        BYTES("<a \xc3\xa9\xef\xbf\xbf='1' b='2' b='2'/>"),
        BYTES("<a>\xff</a>"),
        BYTES("<a>caf\xe9</a>"),
        BYTES("<?xml version='1.0' encoding='iso-8859-1'?><a>caf\xe9</a>"),
        BYTES("<a>\xed\xa0\x80</a>"),
        BYTES("<a>&nbsp;</a>"),
        BYTES("<a>&x;</a>"),
        BYTES("<a>& </a>"),
        BYTES("<a>%x;</a>&x;"),
        BYTES("<a b></a>"),
        BYTES("<a b='1' b='2'/>"),
        BYTES("<a b='<'/>"),
        BYTES("<a>]]></a>"),
        BYTES("<i:a/>"),
        BYTES("<a><b i:nil='true'/></a>"),
        BYTES("<a><b></a></b>"),
        BYTES("<p>one<br>two</p>"),
        BYTES("\xff\xfe<\0a\0/\0>\0"),
        BYTES("\xfe\xff\0<\0a\0/\0>"),
        BYTES("<\0a\0/\0>\0"),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_members members;

        nx_members_init(&members, BOUND);
        assert_int_equal(members_read_xml(CASES[i], &members), NX_PARSED_NOT);
        members_assert_empty(&members);
    }
}

static void whatever_leads_out_of_the_document_is_refused(void **state)
{
    static const char *const CASES[] = {
        "<!DOCTYPE html><html></html>",
        "<!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0//EN' 'http://www.w3.org/TR/xhtml1/DTD/x.dtd'><html></html>",
        "<!DOCTYPE r SYSTEM \"file:///etc/passwd\"><r/>",
        "<!DOCTYPE r []><r/>",
        "<!DOCTYPE r [<!ENTITY e \"x\">]><r><scope>&e;</scope></r>",
        "<!DOCTYPE r [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><r><scope>&e;</scope></r>",
        "<!DOCTYPE r [<!ENTITY % e SYSTEM \"http://127.0.0.1:9/\"> %e;]><r/>",
        "<!DOCTYPE r [<!ENTITY a 'aaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;'>]><r><scope>&b;&b;</scope></r>",
        "<!DOCTYPE r [<!ATTLIST scope a CDATA \"b\">]><r><scope>a</scope></r>",
        "<!-- c --><!DOCTYPE r><r><scope>a</scope></r>",
        "<!DOCTYPE",
        "<!DOCTYPE >",
        "<!doctype html><html></html>",
        "<r><!-- <!DOCTYPE r> --><scope>a</scope></r>",
        "<?oasis-xml-catalog catalog=\"file:///dev/null\"?><r><scope>a</scope></r>",
        "<r><scope><![CDATA[<!DOCTYPE r>]]></scope></r>",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_members members;

        nx_members_init(&members, BOUND);
        assert_int_equal(members_read_xml_text(CASES[i], &members), NX_PARSED_NOT);
        members_assert_empty(&members);
    }
}

static void every_cut_of_a_document_is_refused(void **state)
{
    static const char TEXT[] = "<?xml version=\"1.0\"?><Token " XSI " " NEX
                               "><access_token>a&lt;\xe2\x82\xac&#65;<![CDATA[b]]>"
                               "</access_token><!-- c --><scope i:nil=\"true\" /></Token>";
    struct nx_members members;

    (void)state;
    nx_members_init(&members, BOUND);
    for (size_t size = 0; size < sizeof TEXT - 1; size++) {
        assert_int_equal(members_read_xml((struct document){TEXT, size}, &members), NX_PARSED_NOT);
        members_assert_empty(&members);
    }
    assert_int_equal(members_read_xml_text(TEXT, &members), NX_PARSED);
    members_assert(&members, NX_MEMBER_ACCESS_TOKEN,
                   "a<\xe2\x82\xac"
                   "Ab");
    nx_members_release(&members);
}

/* What is in quotes, or in no tag at all, is no attribute. */
static void text_may_look_like_many_attributes(void **state)
{
    struct nx_members members;
    struct nx_text text;

    (void)state;
    nx_members_init(&members, BOUND);
    nx_text_init(&text, 10000);
    nx_text_add(&text, "<Error a='");
    for (int i = 0; i < 40; i++)
        nx_text_add(&text, " >b=\"\"");
    nx_text_add(&text, "'><Message>");
    for (int i = 0; i < 33; i++)
        nx_text_add(&text, "=''");
    nx_text_add(&text, "</Message></Error>");
    assert_int_equal(members_read_xml_text(nx_text_string(&text), &members), NX_PARSED);
    assert_non_null(nx_members_string(&members, NX_MEMBER_MESSAGE));
    nx_text_release(&text);
    nx_members_release(&members);
}

static void a_document_has_4096_tags_and_no_more(void **state)
{
    (void)state;
    for (int tags = 4096; tags <= 4097; tags++) {
        struct nx_members members;
        struct nx_text text;

        nx_members_init(&members, BOUND);
        nx_text_init(&text, 100000);
        nx_text_add(&text, "<r>");
        for (int i = 2; i < tags; i++)
            nx_text_add(&text, "<a/>");
        nx_text_add(&text, "</r>");
        assert_int_equal(members_read_xml_text(nx_text_string(&text), &members),
                         tags == 4096 ? NX_PARSED : NX_PARSED_NOT);
        nx_text_release(&text);
        nx_members_release(&members);
    }
}

static void a_tag_has_32_attributes_and_no_more(void **state)
{
    static const struct {
        int attributes;
        const char *between;
        enum nx_parsed parsed;
    } CASES[] = {{32, "=", NX_PARSED}, {33, "=", NX_PARSED_NOT}, {33, " \t\r\n= \t\r\n", NX_PARSED_NOT}};

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_members members;
        struct nx_text text;

        nx_members_init(&members, BOUND);
        nx_text_init(&text, 10000);
        nx_text_add(&text, "<r a='1'><b");
        for (int attribute = 0; attribute < CASES[i].attributes; attribute++) {
            const char name[] = {' ', 'a', (char)('a' + attribute / 26), (char)('a' + attribute % 26)};

            nx_text_add_bytes(&text, name, sizeof name);
            nx_text_add(&text, CASES[i].between);
            nx_text_add(&text, attribute % 2 ? "'x'" : "\"\"");
        }
        nx_text_add(&text, "/></r>");
        assert_int_equal(members_read_xml_text(nx_text_string(&text), &members), CASES[i].parsed);
        nx_text_release(&text);
        nx_members_release(&members);
    }
}

static void sixteen_levels_are_read_and_no_more(void **state)
{
    static const struct {
        int levels;
        enum nx_parsed parsed;
    } CASES[] = {{15, NX_PARSED}, {16, NX_PARSED}, {17, NX_PARSED_NOT}, {1000, NX_PARSED_NOT}};

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_members members;
        struct nx_text text;

        nx_members_init(&members, BOUND);
        nx_text_init(&text, 10000);
        for (int level = 0; level < CASES[i].levels; level++)
            nx_text_add(&text, "<a>");
        for (int level = 0; level < CASES[i].levels; level++)
            nx_text_add(&text, "</a>");
        assert_int_equal(members_read_xml_text(nx_text_string(&text), &members), CASES[i].parsed);
        nx_text_release(&text);
        nx_members_release(&members);
    }
}

static void a_value_over_its_bound_refuses_the_document(void **state)
{
    static const struct {
        const char *text;
        enum nx_parsed parsed;
    } CASES[] = {
        {"<r>12345</r>", NX_PARSED_NOT},
        {"<r><scope>12345</scope></r>", NX_PARSED_NOT},
        {"<r><scope>1&#50;<!-- -->3<![CDATA[45]]></scope><msg/></r>", NX_PARSED_NOT},
        {"<r><scope>1234</scope></r>", NX_PARSED},
        {"<r><e><Key>scope</Key><Value>12345</Value></e></r>", NX_PARSED_NOT},
        {"<r><e><Key>other</Key><Value>12345</Value></e></r>", NX_PARSED},
        {"<r><e><Key>msg</Key><Value>1234</Value></e></r>", NX_PARSED},
        {"<r><ModelState><a>12345</a></ModelState></r>", NX_PARSED_NOT},
        {"<r><ModelState><a><b>12345</b></a></ModelState></r>", NX_PARSED_NOT},
        {"<r><ModelState><a>1234</a><a>12345</a></ModelState></r>", NX_PARSED},
        {"<r><x>12345</x></r>", NX_PARSED},
        {"<r>      <scope>1234</scope>      </r>", NX_PARSED},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_members members;

        nx_members_init(&members, 4);
        assert_int_equal(members_read_xml_text(CASES[i].text, &members), CASES[i].parsed);
        if (CASES[i].parsed == NX_PARSED_NOT)
            members_assert_empty(&members);
        nx_members_release(&members);
    }
}

static void a_document_is_at_most_a_mebibyte_long(void **state)
{
    enum { MEBIBYTE = 1 << 20 };
    static const char ROOT[4] = {'<', 'r', '/', '>'};
    struct nx_members members;
    char *text = test_malloc(MEBIBYTE + 2);

    (void)state;
    nx_members_init(&members, BOUND);
    memset(text, ' ', MEBIBYTE + 1);
    memcpy(text, ROOT, sizeof ROOT);
    text[MEBIBYTE + 1] = '\0';
    assert_int_equal(nx_xml_read(text, MEBIBYTE + 1, &members), NX_PARSED_NOT);
    text[MEBIBYTE] = '\0';
    assert_int_equal(nx_xml_read(text, MEBIBYTE, &members), NX_PARSED);
    test_free(text);
}

static void a_second_document_replaces_the_first(void **state)
{
    struct nx_members members;

    (void)state;
    nx_members_init(&members, BOUND);
    assert_int_equal(members_read_xml_text("<r><scope>a</scope><msg>b</msg></r>", &members), NX_PARSED);
    assert_int_equal(members_read_xml_text("<r><scope>c</scope></r>", &members), NX_PARSED);
    members_assert(&members, NX_MEMBER_SCOPE, "c");
    members_assert(&members, NX_MEMBER_MSG, NULL);
    nx_members_release(&members);
}

static void count_error(void *context, const char *format, ...)
{
    int *count = context;

    (void)format;
    (*count)++;
}

static void the_error_handlers_of_the_application_hear_nothing_and_stay(void **state)
{
    struct nx_members members;
    int heard = 0;

    (void)state;
    nx_members_init(&members, BOUND);
    xmlSetGenericErrorFunc(&heard, count_error);
    assert_int_equal(members_read_xml_text("<a>&x;</b>", &members), NX_PARSED_NOT);
    assert_int_equal(heard, 0);
    xmlFreeDoc(xmlReadMemory("<a>", 3, NULL, NULL, XML_PARSE_NONET));
    assert_true(heard > 0);
    xmlSetGenericErrorFunc(NULL, NULL);
}

static int start_parser(void **state)
{
    (void)state;
    nx_xml_prepare();
    return 0;
}

static int clean_parser(void **state)
{
    (void)state;
    xmlCleanupParser();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(token_answers_of_both_serializers_are_read),
        cmocka_unit_test(error_answers_are_read),
        cmocka_unit_test(a_root_with_text_alone_is_a_bare_string),
        cmocka_unit_test(what_is_no_xml_is_refused),
        cmocka_unit_test(whatever_leads_out_of_the_document_is_refused),
        cmocka_unit_test(every_cut_of_a_document_is_refused),
        cmocka_unit_test(text_may_look_like_many_attributes),
        cmocka_unit_test(a_document_has_4096_tags_and_no_more),
        cmocka_unit_test(a_tag_has_32_attributes_and_no_more),
        cmocka_unit_test(sixteen_levels_are_read_and_no_more),
        cmocka_unit_test(a_value_over_its_bound_refuses_the_document),
        cmocka_unit_test(a_document_is_at_most_a_mebibyte_long),
        cmocka_unit_test(a_second_document_replaces_the_first),
        cmocka_unit_test(the_error_handlers_of_the_application_hear_nothing_and_stay),
    };

    return cmocka_run_group_tests(tests, start_parser, clean_parser);
}
