/* What the tests of the parsers share. */
#ifndef NX_TEST_MEMBERS_H
#define NX_TEST_MEMBERS_H

#include "support/test.h"

#include "core/members.h"

#include <stdbool.h>
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

/* Read a copy of exactly that size (of XML and its NUL), so that a memory checker sees any step beyond it. */
enum nx_parsed members_read_json(struct document document, bool envelope, struct nx_members *members);
enum nx_parsed members_read_json_text(const char *text, bool envelope, struct nx_members *members);
enum nx_parsed members_read_xml(struct document document, struct nx_members *members);
enum nx_parsed members_read_xml_text(const char *text, struct nx_members *members);

void members_assert_empty(const struct nx_members *members);

/* `expected`: NULL for a member that is no string. */
void members_assert(const struct nx_members *members, enum nx_member member, const char *expected);

#endif
