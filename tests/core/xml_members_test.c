#include "support/members.h"

#define XSI "xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\""

#define ENTRY(inside) "<KeyValueOfstringstring>" inside "</KeyValueOfstringstring>"

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
        assert_int_equal(members_read_xml_text(CASES[i].text, &members), NX_PARSED);
        assert_int_equal(members.values[NX_MEMBER_SCOPE].kind, CASES[i].kind);
        members_assert(&members, NX_MEMBER_SCOPE, CASES[i].scope);
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
        assert_int_equal(members_read_xml_text(CASES[i].text, &members), NX_PARSED);
        members_assert(&members, NX_MEMBER_SCOPE, CASES[i].scope);
        nx_members_release(&members);
    }
}

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
        assert_int_equal(members_read_xml_text(CASES[i].text, &members), CASES[i].parsed);
        assert_int_equal(members.values[NX_MEMBER_SCOPE].kind, CASES[i].kind);
        members_assert(&members, NX_MEMBER_SCOPE, CASES[i].scope);
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
        assert_int_equal(members_read_xml_text(CASES[i].text, &members), NX_PARSED);
        members_assert(&members, NX_MEMBER_MODEL_STATE, CASES[i].expected);
        nx_members_release(&members);
    }
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
        assert_int_equal(members_read_xml_text(CASES[i].text, &members), CASES[i].parsed);
        if (CASES[i].parsed == NX_PARSED_NOT)
            members_assert_empty(&members);
        nx_members_release(&members);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_children_of_the_root), cmocka_unit_test(names_are_decoded),
        cmocka_unit_test(a_dictionary_gives_members),       cmocka_unit_test(of_model_state_the_first_text_is_read),
        cmocka_unit_test(a_member_may_occur_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
