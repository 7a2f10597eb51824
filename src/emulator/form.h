#ifndef EMU_FORM_H
#define EMU_FORM_H

#include <stdbool.h>
#include <stddef.h>

/* Form bodies and query strings (application/x-www-form-urlencoded), and Authorization headers. */

struct emu_pair {
    char *name;
    char *value;
};

struct emu_form {
    struct emu_pair *pairs;
    size_t count;
};

/* What an Authorization header of the Basic scheme holds: as sent, and form-decoded (RFC 6749, section 2.3.1). */
struct emu_basic {
    char *id;
    char *secret;
    char *decoded_id; /* NULL, with decoded_secret, when the parts are not form-encoded */
    char *decoded_secret;
};

/* False when the text is not well formed; the form is then empty. */
bool emu_form_parse(const char *text, size_t length, struct emu_form *form);
void emu_form_release(struct emu_form *form);

/* The value of the first pair of that name, or NULL. Borrowed from the form. */
const char *emu_form_value(const struct emu_form *form, const char *name);
bool emu_form_equals(const struct emu_form *form, const char *name, const char *value);

/* Whether the form has no other names than these, and none of them twice. */
bool emu_form_only(const struct emu_form *form, const char *const names[], size_t count);

/* Whether the form has exactly these names, each of them once. */
bool emu_form_exactly(const struct emu_form *form, const char *const names[], size_t count);

/* The text as a value of a query. The caller frees it. */
char *emu_form_encode(const char *text);

/* False when the header is not well-formed Basic; `basic` is then empty. */
bool emu_basic_parse(const char *header, struct emu_basic *basic);
void emu_basic_release(struct emu_basic *basic);

/* The token in an Authorization header of the Bearer scheme (RFC 6750, section 2.1), or NULL. Borrowed. */
const char *emu_bearer_token(const char *header);

/* The token in a query (section 2.3): the one parameter access_token, among whatever others. NULL when there is none,
 * or more than one. The query may be NULL. Borrowed from the form, which the caller releases in any case. */
const char *emu_query_token(const char *query, struct emu_form *form);

#endif
