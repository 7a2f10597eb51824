/* What the tests of the parsers share. */
#ifndef NX_TEST_MEMBERS_H
#define NX_TEST_MEMBERS_H

#include "support/test.h"

#include "core/members.h"

#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define BYTES(text)                                                                                                    \
    {                                                                                                                  \
        text, sizeof(text) - 1                                                                                         \
    }

enum { BOUND = 100 };

struct document {
    const char *bytes;
    size_t size;
};

void members_assert_empty(const struct nx_members *members);

/* `expected`: NULL for a member that is no string. */
void members_assert(const struct nx_members *members, enum nx_member member, const char *expected);

#endif
