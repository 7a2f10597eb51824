#include "core/members.h"

#include "core/encode.h"

#include <string.h>

#define NAME(text)                                                                                                     \
    {                                                                                                                  \
        text, sizeof(text) - 1                                                                                         \
    }

static const struct {
    const char *text;
    size_t size;
} names[NX_MEMBER_COUNT] = {
    [NX_MEMBER_ACCESS_TOKEN] = NAME("access_token"),
    [NX_MEMBER_EXPIRES_IN] = NAME("expires_in"),
    [NX_MEMBER_TOKEN_TYPE] = NAME("token_type"),
    [NX_MEMBER_SCOPE] = NAME("scope"),
    [NX_MEMBER_REFRESH_TOKEN] = NAME("refresh_token"),
    [NX_MEMBER_ERROR] = NAME("error"),
    [NX_MEMBER_ERROR_DESCRIPTION] = NAME("error_description"),
    [NX_MEMBER_MESSAGE] = NAME("Message"),
    [NX_MEMBER_MESSAGE_OTHERWISE] = NAME("message"),
    [NX_MEMBER_MODEL_STATE] = NAME("ModelState"),
    [NX_MEMBER_CODE] = NAME("code"),
    [NX_MEMBER_MSG] = NAME("msg"),
};

const char *nx_member_name(enum nx_member member)
{
    return names[member].text;
}

/* Those that ASP.NET spells as its serializer is told to: PascalCase, camelCase or any other. */
static enum nx_member find_in_any_case(const char *name, size_t size)
{
    static const enum nx_member members[] = {NX_MEMBER_MESSAGE_OTHERWISE, NX_MEMBER_MODEL_STATE};

    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        if (size == names[members[i]].size && nx_same_in_any_case(name, names[members[i]].text, size))
            return members[i];
    }
    return NX_MEMBER_COUNT;
}

enum nx_member nx_member_find(const char *name, size_t size)
{
    for (int i = 0; i < NX_MEMBER_COUNT; i++) {
        if (size == names[i].size && memcmp(name, names[i].text, size) == 0)
            return (enum nx_member)i;
    }
    return find_in_any_case(name, size);
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
