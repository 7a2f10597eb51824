#include "fuzz/target.h"

#include "core/encode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void target_break(const char *rule, const char *file, int line)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, rule);
    abort();
}

char *target_copy(const uint8_t *data, size_t size)
{
    char *copy = malloc(size + 1);

    HOLDS(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    copy[size] = '\0';
    return copy;
}

char *target_take(struct target_input *input, char mark)
{
    const uint8_t *found = input->size > 0 ? memchr(input->at, mark, input->size) : NULL;
    const size_t size = found ? (size_t)(found - input->at) : input->size;
    const size_t taken = found ? size + 1 : size;
    char *piece = target_copy(input->at, size > 0 ? strnlen((const char *)input->at, size) : 0);

    input->at += taken;
    input->size -= taken;
    return piece;
}

static void check_text(const struct nx_text *text, size_t bound)
{
    HOLDS(!nx_text_failed(text));
    HOLDS(text->length <= bound);
    HOLDS(strlen(nx_text_string(text)) == text->length);
    HOLDS(nx_is_utf8(nx_text_string(text)));
}

void target_check_members(const struct nx_members *members, enum nx_parsed parsed, size_t bound)
{
    HOLDS(parsed == NX_PARSED || parsed == NX_PARSED_NOT);
    for (int i = 0; i < NX_MEMBER_COUNT; i++) {
        const struct nx_value *value = &members->values[i];

        HOLDS(parsed == NX_PARSED || (value->kind == NX_KIND_ABSENT && value->text.data == NULL));
        HOLDS(value->kind != NX_KIND_NUMBER || value->number == value->number);
        check_text(&value->text, bound);
    }
    HOLDS(parsed == NX_PARSED || members->bare.data == NULL);
    check_text(&members->bare, bound);
}
