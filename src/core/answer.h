/* What a service's answer says, decided by its bytes and never by its Content-Type. */
#ifndef NX_ANSWER_H
#define NX_ANSWER_H

#include "core/members.h"
#include "core/provider.h"
#include "core/transport.h"

enum nx_content {
    NX_CONTENT_EMPTY,    /* nothing, or blanks */
    NX_CONTENT_DOCUMENT, /* JSON or XML that was read; `members` holds what it says */
    NX_CONTENT_HTML,
    NX_CONTENT_OTHER /* anything else */
};

struct nx_answer {
    enum nx_content content;
    struct nx_members members;
};

void nx_answer_init(struct nx_answer *answer, size_t bound);
void nx_answer_release(struct nx_answer *answer);

/*
 * Reads the body; `syntaxes` are those of the provider. It is UTF-8, with or without a BOM, or UTF-16 of either order
 * with a BOM, or without one when its first character is ASCII; JSON in UTF-16 is refused (RFC 8259 section 8.1).
 * NO_MEMORY or OK.
 */
nexauth_status nx_answer_read(struct nx_answer *answer, const struct nx_response *response, unsigned int syntaxes);

/* True when the answer holds a token that may be used: an access_token and, if any, a refresh_token of visible
 * characters, and a token_type of Bearer, in any case, or none (RFC 6749 section 5.1, RFC 6750). */
bool nx_answer_has_token(const struct nx_answer *answer);

/* The service's own code for an error, `error` (RFC 6749 section 5.2); NULL when there is none. */
const char *nx_answer_code(const struct nx_answer *answer);

/* What the service says to a person: error_description, Message in any case, msg, or a document that is one string;
 * NULL when nothing. What it says to its makers (StackTrace, ExceptionMessage) is never read. */
const char *nx_answer_text(const struct nx_answer *answer);

/* What of the request it finds wrong, to stand behind the text: ModelState's first; NULL when nothing. */
const char *nx_answer_detail(const struct nx_answer *answer);

/* True when the answer holds a Message, in any case: the error of ASP.NET Web API. */
bool nx_answer_has_message(const struct nx_answer *answer);

/* An envelope's `code` (a number or the string of one): false when there is none that can be read. */
bool nx_answer_envelope_code(const struct nx_answer *answer, int64_t *code);

#endif
