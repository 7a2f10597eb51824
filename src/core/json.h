/*
 * JSON answers, under stricter rules than cJSON's own (RFC 8259 as an interoperable subset): the whole input is one
 * value, trailing blanks aside (space, tab, CR, LF); at most 16 levels deep; no raw control characters in strings, no
 * invalid UTF-8, no \u0000, no number of more than 63 characters; a UTF-8 BOM is skipped; of the members that we read,
 * no name occurs twice in its object, and names match by case (members.h says which two do not).
 */
#ifndef NX_JSON_H
#define NX_JSON_H

#include "core/members.h"

#include <stdbool.h>

/*
 * Reads one document. A top-level object gives its members; with `envelope`, the members of a token are those
 * of the object `result`, if it is one; `code` also counts in the older spellings `errno` and `errcode`, in this order,
 * and `msg` in that of `errmsg`. Of ModelState the first text within it counts. A top-level string goes to `bare`. Any
 * other well-formed value gives no members. No string of the document is left to cJSON. What is read
 * costs memory for its own size alone, whatever else is in the document.
 */
enum nx_parsed nx_json_read(const char *bytes, size_t size, bool envelope, struct nx_members *members);

/* Gives cJSON the wiping allocator; true when it has it. Not while another thread uses cJSON. */
bool nx_json_wipe_memory(void);

#endif
