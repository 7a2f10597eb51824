#include "support/members.h"

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
