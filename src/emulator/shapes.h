#ifndef EMU_SHAPES_H
#define EMU_SHAPES_H

#include "service.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * Shapes: the answers that are known by name. They are kept as text in answers/, one file for each vendor and one for
 * the answers that any vendor's door may give, and are part of the program. What stands before the first shape of a
 * file is a remark. A shape is
 *
 *   === name
 *   # what it is
 *   ! a directive             none or more of the below
 *   HTTP/1.1 200 OK
 *   Content-Type: text/plain
 *
 *   the body, without the line breaks at its end
 *
 * In header values and in the body the words below, each between two @, stand for what the service granted. A shape
 * that has one is given only if the request was granted and all of its words are known; else the service's own answer
 * is given. A shape that has none is given whatever the request was, and the service does not see the request.
 *
 *   token  stem  expires_in  scope  refresh_token         of a token; the stem is the token without its `token-end`
 *   code  state  redirect_uri                             of a redirect
 *
 *   ! utf-8-bom, utf-16le, utf-16be                       how the body is encoded; UTF-16 begins with its mark
 *   ! token-end TEXT          how the token ends, so that the body can word that in another way
 *   ! token-length N          the token has N bytes
 *   ! body-length N           the body is filled up with blanks to N bytes
 */

enum emu_encoding { EMU_AS_IT_IS, EMU_UTF8_BOM, EMU_UTF16_LE, EMU_UTF16_BE };

struct emu_shape {
    char *name;
    char *description;
    enum emu_encoding encoding;
    char *token_end; /* or NULL */
    size_t token_length;
    size_t body_length;
    struct emu_answer answer;
    bool granted; /* has a word that stands for what was granted */
};

enum emu_group_id { EMU_ANY_DOOR, EMU_OF_NEX, EMU_OF_QUANTOZ, EMU_OF_NEXUSGUARD, EMU_GROUPS };

struct emu_group {
    struct emu_shape *shapes;
    size_t count;
};

/* Those of all groups; they do not change once they are loaded. */
struct emu_shapes {
    struct emu_group of[EMU_GROUPS];
};

void emu_shapes_load(struct emu_shapes *shapes);
void emu_shapes_release(struct emu_shapes *shapes);

/* The shape of that name among the service's and those of any door, or NULL. */
const struct emu_shape *emu_shapes_find(const struct emu_shapes *shapes, const struct emu_service *service,
                                        const char *name);

/* Gives the answer this shape; leaves it as it is when the shape needs what was not granted. */
void emu_shape_give(const struct emu_shape *shape, struct emu_answer *answer);

/* {"any": {"html-200": "a page ..."}, "nex": {...}, ...} */
cJSON *emu_shapes_report(const struct emu_shapes *shapes);

/* The same for people: a line for each, its group first. */
void emu_shapes_print(const struct emu_shapes *shapes, FILE *stream);

#endif
