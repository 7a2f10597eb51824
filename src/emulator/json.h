#ifndef EMU_JSON_H
#define EMU_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * JSON as RFC 8259 has it, which is stricter than cJSON: UTF-8, no byte order mark, no control characters inside
 * strings, nothing behind the value. No string has a NUL, as C ends there. cJSON keeps the place of its last error in a
 * global, so one thread at a time may parse.
 */

/* The value, or NULL when the text is not exactly one JSON value. */
cJSON *emu_json_parse(const char *text, size_t length);

/* The string member of that name, or NULL when there is none or it is no string. Borrowed from the object. */
const char *emu_json_string(const cJSON *object, const char *name);

/* A whole number between the two, `missing` when the member is not there, -1 when it is something else. */
long emu_json_whole(const cJSON *object, const char *name, long least, long most, long missing);

/* Whether the member is there and true; `missing` when it is not there. */
bool emu_json_flag(const cJSON *object, const char *name, bool missing);

/* Whether the member is true, false or not there. */
bool emu_json_is_flag(const cJSON *object, const char *name);

/* Whether it is an object whose members all have one of these names, none of them twice. */
bool emu_json_only(const cJSON *object, const char *const names[], size_t count);

/* Whether member `name` is the string `value`. */
bool emu_json_equals(const cJSON *object, const char *name, const char *value);

/* The member of the list of objects whose member `name` is the string `value`, or NULL. */
const cJSON *emu_json_find(const cJSON *list, const char *name, const char *value);

/* The value without white space; the value is deleted. The caller frees the text. */
char *emu_json_print(cJSON *value);

#endif
