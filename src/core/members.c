#include "core/members.h"

const char *nx_member_name(enum nx_member member)
{
    static const char *const NAMES[NX_MEMBER_COUNT] = {
        [NX_MEMBER_ACCESS_TOKEN] = "access_token",
        [NX_MEMBER_EXPIRES_IN] = "expires_in",
        [NX_MEMBER_TOKEN_TYPE] = "token_type",
        [NX_MEMBER_SCOPE] = "scope",
        [NX_MEMBER_REFRESH_TOKEN] = "refresh_token",
        [NX_MEMBER_ERROR] = "error",
        [NX_MEMBER_ERROR_DESCRIPTION] = "error_description",
        [NX_MEMBER_MESSAGE] = "Message",
        [NX_MEMBER_CODE] = "code",
        [NX_MEMBER_MSG] = "msg",
    };

    return NAMES[member];
}

void nx_members_init(struct nx_members *members, size_t bound)
{
    *members = (struct nx_members){0};
    for (int i = 0; i < NX_MEMBER_COUNT; i++)
        nx_text_init(&members->values[i].text, bound);
    nx_text_init(&members->bare, bound);
}

void nx_members_release(struct nx_members *members)
{
    for (int i = 0; i < NX_MEMBER_COUNT; i++) {
        struct nx_value *value = &members->values[i];

        value->kind = NX_KIND_ABSENT;
        value->number = 0;
        nx_text_release(&value->text);
    }
    nx_text_release(&members->bare);
}

const char *nx_members_string(const struct nx_members *members, enum nx_member member)
{
    const struct nx_value *value = &members->values[member];

    return value->kind == NX_KIND_STRING ? nx_text_string(&value->text) : NULL;
}
