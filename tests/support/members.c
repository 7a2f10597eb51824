#include "support/members.h"

#include "core/json.h"
#include "core/xml.h"

void members_assert_empty(const struct nx_members *members)
{
    for (int i = 0; i < NX_MEMBER_COUNT; i++) {
        assert_int_equal(members->values[i].kind, NX_KIND_ABSENT);
        assert_null(members->values[i].text.data);
    }
    assert_null(members->bare.data);
}

void members_assert(const struct nx_members *members, enum nx_member member, const char *expected)
{
    const char *string = nx_members_string(members, member);

    assert_string_equal(string ? string : "none", expected ? expected : "none");
}

enum nx_parsed members_read_json(struct document document, bool envelope, struct nx_members *members)
{
    char *copy = test_malloc(document.size > 0 ? document.size : 1);
    enum nx_parsed parsed = NX_PARSED;

    memcpy(copy, document.bytes, document.size);
    parsed = nx_json_read(copy, document.size, envelope, members);
    test_free(copy);
    return parsed;
}

enum nx_parsed members_read_json_text(const char *text, bool envelope, struct nx_members *members)
{
    return members_read_json((struct document){text, strlen(text)}, envelope, members);
}

enum nx_parsed members_read_xml(struct document document, struct nx_members *members)
{
    char *copy = test_malloc(document.size + 1);
    enum nx_parsed parsed = NX_PARSED;

    memcpy(copy, document.bytes, document.size);
    copy[document.size] = '\0';
    parsed = nx_xml_read(copy, document.size, members);
    test_free(copy);
    return parsed;
}

enum nx_parsed members_read_xml_text(const char *text, struct nx_members *members)
{
    return members_read_xml((struct document){text, strlen(text)}, members);
}
