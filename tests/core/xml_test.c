#include "support/test.h"

#include "core/xml.h"

#include <libxml/parser.h>

#include <stdbool.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define BYTES(text)                                                                                                    \
    {                                                                                                                  \
        text, sizeof(text) - 1                                                                                         \
    }
#define XSI     "xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\""
#define NEX     "xmlns=\"http://schemas.datacontract.org/2004/07/NEX.API.Models\""
#define XSD_XSI "xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""

enum { BOUND = 100 };

struct document {
    const char *bytes;
    size_t size;
};

/* Reads a copy of exactly that size and a NUL, so that a memory checker sees any step beyond it. */
static enum nx_parsed read_copy(struct document document, struct nx_members *members)
{
    char *copy = test_malloc(document.size + 1);
    enum nx_parsed parsed = NX_PARSED;

    memcpy(copy, document.bytes, document.size);
    copy[document.size] = '\0';
    parsed = nx_xml_read(copy, document.size, members);
    test_free(copy);
    return parsed;
}

static enum nx_parsed read_text(const char *text, struct nx_members *members)
{
    return read_copy((struct document){text, strlen(text)}, members);
}

static void assert_empty(const struct nx_members *members)
{
    for (int i = 0; i < NX_MEMBER_COUNT; i++) {
        assert_int_equal(members->values[i].kind, NX_KIND_ABSENT);
        assert_null(members->values[i].text.data);
    }
    assert_null(members->bare.data);
}

static void assert_member(const struct nx_members *members, enum nx_member member, const char *expected)
{
    const char *string = nx_members_string(members, member);

    assert_string_equal(string ? string : "none", expected ? expected : "none");
}

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
        assert_int_equal(read_text(CASES[i].text, &members), NX_PARSED);
        assert_member(&members, NX_MEMBER_ACCESS_TOKEN, CASES[i].access_token);
        assert_member(&members, NX_MEMBER_EXPIRES_IN, CASES[i].expires_in);
        assert_member(&members, NX_MEMBER_SCOPE, CASES[i].scope);
        assert_member(&members, NX_MEMBER_TOKEN_TYPE, CASES[i].token_type);
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
        assert_int_equal(read_text(CASES[i].text, &members), NX_PARSED);
        assert_member(&members, CASES[i].member, CASES[i].expected);
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
        assert_int_equal(read_text(CASES[i].text, &members), NX_PARSED);
        assert_string_equal(nx_text_string(&members.bare), CASES[i].bare);
        nx_members_release(&members);
    }
}

static void members_are_children_of_the_root(void **state)
{
    static const struct {
        const char *text;
        enum nx_member_kind kind;
        const char *scope;
    } CASES[] = {
        {"<r/>", NX_KIND_ABSENT, NULL},
        {"<scope>a</scope>", NX_KIND_ABSENT, NULL},
        {"<r><Scope>a</Scope></r>", NX_KIND_ABSENT, NULL},
        {"<r><x><scope>a</scope></x></r>", NX_KIND_ABSENT, NULL},
        {"<r><x>b</x>text<scope>a</scope>text</r>", NX_KIND_STRING, "a"},
        {"<r>\n  <scope>a</scope>\n</r>", NX_KIND_STRING, "a"},
        {"<r><scope></scope></r>", NX_KIND_STRING, ""},
        {"<r><scope/></r>", NX_KIND_STRING, ""},
        {"<r><scope> a </scope></r>", NX_KIND_STRING, " a "},
        {"<r xmlns:n='urn:n'><n:scope>a</n:scope></r>", NX_KIND_STRING, "a"},
        {"<r><scope>a<b/>c</scope></r>", NX_KIND_OTHER, NULL},
        {"<r><scope>a<b>c<d/></b><b/>e</scope></r>", NX_KIND_OTHER, NULL},
        {"<r><scope a='b'>a</scope></r>", NX_KIND_STRING, "a"},
        {"<r " XSI "><scope a='b' i:nil='true'/></r>", NX_KIND_ABSENT, NULL},
        {"<r " XSI "><scope i:nil='1'></scope></r>", NX_KIND_ABSENT, NULL},
        {"<r " XSI "><scope i:nil='true'>a<b>c</b></scope></r>", NX_KIND_ABSENT, NULL},
        {"<r " XSI "><scope i:nil='false'>a</scope></r>", NX_KIND_STRING, "a"},
        {"<r " XSI "><scope i:nil='truer'>a</scope></r>", NX_KIND_STRING, "a"},
        {"<r " XSI "><scope i:nil='0'>a</scope></r>", NX_KIND_STRING, "a"},
        {"<r " XSI "><scope i:nil=''>a</scope></r>", NX_KIND_STRING, "a"},
        {"<r " XSI "><scope i:type='true'>a</scope></r>", NX_KIND_STRING, "a"},
        {"<r><scope nil='true'>a</scope></r>", NX_KIND_STRING, "a"},
        {"<r xmlns:i='urn:other'><scope i:nil='true'>a</scope></r>", NX_KIND_STRING, "a"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_members members;

        nx_members_init(&members, BOUND);
        assert_int_equal(read_text(CASES[i].text, &members), NX_PARSED);
        assert_int_equal(members.values[NX_MEMBER_SCOPE].kind, CASES[i].kind);
        assert_member(&members, NX_MEMBER_SCOPE, CASES[i].scope);
        nx_members_release(&members);
    }
}

static void what_is_no_xml_is_refused(void **state)
{
    static const struct document CASES[] = {
        BYTES(""),
        BYTES(" "),
        BYTES("\xef\xbb\xbf"),
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
        assert_int_equal(read_copy(CASES[i], &members), NX_PARSED_NOT);
        assert_empty(&members);
    }
}

static void any_doctype_is_refused(void **state)
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
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_members members;

        nx_members_init(&members, BOUND);
        assert_int_equal(read_text(CASES[i], &members), NX_PARSED_NOT);
        assert_empty(&members);
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
        assert_int_equal(read_copy((struct document){TEXT, size}, &members), NX_PARSED_NOT);
        assert_empty(&members);
    }
    assert_int_equal(read_text(TEXT, &members), NX_PARSED);
    assert_member(&members, NX_MEMBER_ACCESS_TOKEN,
                  "a<\xe2\x82\xac"
                  "Ab");
    nx_members_release(&members);
}

static void a_member_may_occur_once(void **state)
{
    static const struct {
        const char *text;
        enum nx_parsed parsed;
    } CASES[] = {
        {"<r><scope>a</scope><scope>a</scope></r>", NX_PARSED_NOT},
        {"<r xmlns:n='urn:n'><scope>a</scope><n:scope>b</n:scope></r>", NX_PARSED_NOT},
        {"<r " XSI "><scope i:nil='true'/><scope>b</scope></r>", NX_PARSED_NOT},
        {"<r><scope/><x/><scope/></r>", NX_PARSED_NOT},
        {"<r><scope>a</scope><s_x0063_ope>a</s_x0063_ope></r>", NX_PARSED_NOT},
        {"<r><scope/><Scope/><x><scope/><scope/></x><x/></r>", NX_PARSED},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_members members;

        nx_members_init(&members, BOUND);
        assert_int_equal(read_text(CASES[i].text, &members), CASES[i].parsed);
        if (CASES[i].parsed == NX_PARSED_NOT)
            assert_empty(&members);
        nx_members_release(&members);
    }
}

static void names_are_decoded(void **state)
{
    static const struct {
        const char *text;
        const char *scope;
    } CASES[] = {
        {"<r><_x003C_scope_x003E_k__BackingField>a</_x003C_scope_x003E_k__BackingField></r>", "a"},
        {"<r xmlns:n='urn:n'><n:_x003c_scope_x003e_k__BackingField>a</n:_x003c_scope_x003e_k__BackingField></r>", "a"},
        {"<r><s_x0063_ope>a</s_x0063_ope></r>", "a"},
        {"<r><_x0073__x0063_ope>a</_x0073__x0063_ope></r>", "a"},
        {"<r><_x0053_cope>a</_x0053_cope></r>", NULL},
        {"<r><scope_x00>a</scope_x00></r>", NULL},
        {"<r><scope_x>a</scope_x></r>", NULL},
        {"<r><scope_x0020_>a</scope_x0020_></r>", NULL},
        {"<r><scope_x0000_>a</scope_x0000_></r>", NULL},
        {"<r><scope_x0173_>a</scope_x0173_></r>", NULL},
        {"<r><_xscope>a</_xscope></r>", NULL},
        {"<r><_x003C_scope>a</_x003C_scope></r>", NULL},
        {"<r><_x003C_scope_x003E_k__BackingFiel>a</_x003C_scope_x003E_k__BackingFiel></r>", NULL},
        {"<r><_x003C_scope_x003E_k__BackingField_>a</_x003C_scope_x003E_k__BackingField_></r>", NULL},
        {"<r><scope_x003E_k__BackingField>a</scope_x003E_k__BackingField></r>", NULL},
        {"<r><_x003C__x003E_k__BackingField>a</_x003C__x003E_k__BackingField></r>", NULL},
        {"<r><_x0041_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/></r>", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_members members;

        nx_members_init(&members, BOUND);
        assert_int_equal(read_text(CASES[i].text, &members), NX_PARSED);
        assert_member(&members, NX_MEMBER_SCOPE, CASES[i].scope);
        nx_members_release(&members);
    }
}

#define ENTRY(inside) "<KeyValueOfstringstring>" inside "</KeyValueOfstringstring>"

static void a_dictionary_gives_members(void **state)
{
    static const struct {
        const char *text;
        enum nx_parsed parsed;
        enum nx_member_kind kind;
        const char *scope;
    } CASES[] = {
        {"<r>" ENTRY("<Key>scope</Key><Value>a</Value>") "</r>", NX_PARSED, NX_KIND_STRING, "a"},
        {"<r>" ENTRY("<Value>a</Value><Key>scope</Key>") "</r>", NX_PARSED, NX_KIND_STRING, "a"},
        {"<r>\n <e>\n  <Key>scope</Key>\n  <Value> a&amp;<![CDATA[<b>]]></Value>\n </e>\n</r>", NX_PARSED,
         NX_KIND_STRING, " a&<b>"},
        {"<r><e><Key>x</Key><Value>b</Value></e><e><Key>scope</Key><Value>a</Value></e></r>", NX_PARSED, NX_KIND_STRING,
         "a"},
        {"<r xmlns:n='urn:n'><n:e><n:Key>scope</n:Key><n:Value>a</n:Value></n:e></r>", NX_PARSED, NX_KIND_STRING, "a"},
        {"<r><e><Key>scope</Key><Value/></e></r>", NX_PARSED, NX_KIND_STRING, ""},
        {"<r " XSI "><e><Key>scope</Key><Value i:nil='true'/></e></r>", NX_PARSED, NX_KIND_ABSENT, NULL},
        {"<r " XSI "><e><Key i:nil='true'>scope</Key><Value>a</Value></e></r>", NX_PARSED, NX_KIND_ABSENT, NULL},
        {"<r " XSI "><e><Key>scope</Key><Value i:type='string'>a</Value></e></r>", NX_PARSED, NX_KIND_STRING, "a"},
        {"<r><e><Key>scope</Key><Value>a<b>c</b>d</Value></e></r>", NX_PARSED, NX_KIND_OTHER, NULL},
        {"<r><e><Key>sco<b/>pe</Key><Value>a</Value></e></r>", NX_PARSED, NX_KIND_ABSENT, NULL},
        {"<r><e><Key>scope</Key></e><e><Value>a</Value></e></r>", NX_PARSED, NX_KIND_ABSENT, NULL},
        {"<r><e><Key>Scope</Key><Value>a</Value></e></r>", NX_PARSED, NX_KIND_ABSENT, NULL},
        {"<r><e><key>scope</key><value>a</value></e></r>", NX_PARSED, NX_KIND_ABSENT, NULL},
        {"<r><e><x><Key>scope</Key><Value>a</Value></x></e></r>", NX_PARSED, NX_KIND_ABSENT, NULL},
        {"<r><Key>scope</Key><Value>a</Value></r>", NX_PARSED, NX_KIND_ABSENT, NULL},
        {"<r><error><Key>scope</Key><Value>a</Value></error></r>", NX_PARSED, NX_KIND_ABSENT, NULL},
        {"<r><e><Key>a-key-that-is-longer-than-any-name-of-ours-and-goes-on-for-a-good-while</Key><Value>a</Value></e>"
         "<e><Key>scope</Key><Value>b</Value></e></r>",
         NX_PARSED, NX_KIND_STRING, "b"},
        {"<r><e><Key>scope</Key><Key>scope</Key><Value>a</Value></e></r>", NX_PARSED_NOT, NX_KIND_ABSENT, NULL},
        {"<r><e><Key>scope</Key><Value>a</Value><Value>b</Value></e></r>", NX_PARSED_NOT, NX_KIND_ABSENT, NULL},
        {"<r><e><Key>scope</Key><Value>a</Value></e><scope>a</scope></r>", NX_PARSED_NOT, NX_KIND_ABSENT, NULL},
        {"<r><e><Key>scope</Key><Value>a</Value></e><e><Key>scope</Key><Value>a</Value></e></r>", NX_PARSED_NOT,
         NX_KIND_ABSENT, NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_members members;

        nx_members_init(&members, BOUND);
        assert_int_equal(read_text(CASES[i].text, &members), CASES[i].parsed);
        assert_int_equal(members.values[NX_MEMBER_SCOPE].kind, CASES[i].kind);
        assert_member(&members, NX_MEMBER_SCOPE, CASES[i].scope);
        nx_members_release(&members);
    }
}

static void of_model_state_the_first_text_is_read(void **state)
{
    static const struct {
        const char *text;
        const char *expected;
    } CASES[] = {
        {"<Error><ModelState><r.username>a &amp; b</r.username></ModelState></Error>", "a & b"},
        {"<Error>\n<ModelState>\n <r.a>a</r.a>\n <r.b>b</r.b>\n</ModelState>\n</Error>", "a"},
        {"<Error><modelState><a><string>a</string></a></modelState></Error>", "a"},
        {"<Error><ModelState>a</ModelState></Error>", "a"},
        {"<Error><ModelState><a/><b>b</b></ModelState></Error>", ""},
        {"<Error><ModelState/></Error>", ""},
        {"<Error " XSI "><ModelState i:nil='true'><a>a</a></ModelState></Error>", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_members members;

        nx_members_init(&members, BOUND);
        assert_int_equal(read_text(CASES[i].text, &members), NX_PARSED);
        assert_member(&members, NX_MEMBER_MODEL_STATE, CASES[i].expected);
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
        assert_int_equal(read_text(nx_text_string(&text), &members), CASES[i].parsed);
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
        assert_int_equal(read_text(nx_text_string(&text), &members), CASES[i].parsed);
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
        {"<r><x>12345</x></r>", NX_PARSED},
        {"<r>      <scope>1234</scope>      </r>", NX_PARSED},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_members members;

        nx_members_init(&members, 4);
        assert_int_equal(read_text(CASES[i].text, &members), CASES[i].parsed);
        if (CASES[i].parsed == NX_PARSED_NOT)
            assert_empty(&members);
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
    assert_int_equal(read_text("<r><scope>a</scope><msg>b</msg></r>", &members), NX_PARSED);
    assert_int_equal(read_text("<r><scope>c</scope></r>", &members), NX_PARSED);
    assert_member(&members, NX_MEMBER_SCOPE, "c");
    assert_member(&members, NX_MEMBER_MSG, NULL);
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
    assert_int_equal(read_text("<a>&x;</b>", &members), NX_PARSED_NOT);
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
        cmocka_unit_test(members_are_children_of_the_root),
        cmocka_unit_test(what_is_no_xml_is_refused),
        cmocka_unit_test(any_doctype_is_refused),
        cmocka_unit_test(every_cut_of_a_document_is_refused),
        cmocka_unit_test(a_member_may_occur_once),
        cmocka_unit_test(names_are_decoded),
        cmocka_unit_test(a_dictionary_gives_members),
        cmocka_unit_test(of_model_state_the_first_text_is_read),
        cmocka_unit_test(a_tag_has_32_attributes_and_no_more),
        cmocka_unit_test(sixteen_levels_are_read_and_no_more),
        cmocka_unit_test(a_value_over_its_bound_refuses_the_document),
        cmocka_unit_test(a_document_is_at_most_a_mebibyte_long),
        cmocka_unit_test(a_second_document_replaces_the_first),
        cmocka_unit_test(the_error_handlers_of_the_application_hear_nothing_and_stay),
    };

    return cmocka_run_group_tests(tests, start_parser, clean_parser);
}
