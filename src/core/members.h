/*
 * The members of an answer that the library reads, whatever syntax they came in. json.c and xml.c fill a nx_members;
 * nothing else knows cJSON or libxml2.
 */
#ifndef NX_MEMBERS_H
#define NX_MEMBERS_H

#include "core/text.h"

enum nx_member {
    NX_MEMBER_ACCESS_TOKEN,      /* access_token */
    NX_MEMBER_EXPIRES_IN,        /* expires_in */
    NX_MEMBER_TOKEN_TYPE,        /* token_type */
    NX_MEMBER_SCOPE,             /* scope */
    NX_MEMBER_REFRESH_TOKEN,     /* refresh_token */
    NX_MEMBER_ERROR,             /* error: RFC 6749 section 5.2 */
    NX_MEMBER_ERROR_DESCRIPTION, /* error_description */
    NX_MEMBER_MESSAGE,           /* Message: ASP.NET Web API's HttpError */
    NX_MEMBER_MESSAGE_OTHERWISE, /* message, in any case but the former's: what a serializer made of it */
    NX_MEMBER_MODEL_STATE,       /* ModelState, in any case: what is wrong with each value; its first text */
    NX_MEMBER_CODE,              /* code: Nexusguard's envelope */
    NX_MEMBER_MSG,               /* msg: Nexusguard's envelope */
    NX_MEMBER_COUNT
};

enum nx_member_kind {
    NX_KIND_ABSENT, /* not there, null, or an XML element that is nil */
    NX_KIND_STRING, /* `text` holds it, decoded; in XML, all text is this */
    NX_KIND_NUMBER, /* `number` holds it */
    NX_KIND_OTHER   /* an object, an array, a truth value */
};

struct nx_value {
    enum nx_member_kind kind;
    double number;
    struct nx_text text;
};

struct nx_members {
    struct nx_value values[NX_MEMBER_COUNT];
    struct nx_text
        bare; /* a document that is one string: "Invalid credentials", <string>Invalid credentials</string> */
};

/* The name of a member as the services spell it. */
const char *nx_member_name(enum nx_member member);

/* The member whose name these bytes are; NX_MEMBER_COUNT when there is none. Names match by case, but for those that
 * say otherwise. */
enum nx_member nx_member_find(const char *name, size_t size);

/* `bound`: the largest length of any one value. */
void nx_members_init(struct nx_members *members, size_t bound);
void nx_members_release(struct nx_members *members);

/* The member's string; NULL when it is absent or no string. */
const char *nx_members_string(const struct nx_members *members, enum nx_member member);

/* What a parser made of a document. Whatever the members held before is gone; unless the document is read they are left
 * empty. */
enum nx_parsed {
    NX_PARSED,     /* well-formed; members are filled as far as present */
    NX_PARSED_NOT, /* refused: not well-formed, too deep, duplicate members, a NUL, a value over its bound, ... */
    NX_PARSED_NO_MEMORY
};

#endif
