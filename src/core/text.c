#include "core/text.h"

#include <stdlib.h>
#include <string.h>

enum { SMALLEST_ROOM = 127 };

void nx_wipe(void *memory, size_t size)
{
    if (size > 0)
        explicit_bzero(memory, size);
}

void nx_text_init(struct nx_text *text, size_t bound)
{
    *text = (struct nx_text){.bound = bound};
}

/* Wipes the memory and gives it back. */
static void give_back(struct nx_text *text)
{
    if (text->vault) {
        text->vault->give(text->vault, text->data, text->capacity);
    } else {
        nx_wipe(text->data, text->capacity);
        free(text->data);
    }
    text->vault = NULL;
}

void nx_text_release(struct nx_text *text)
{
    if (text->data)
        give_back(text);
    nx_text_init(text, text->bound);
}

void nx_text_clear(struct nx_text *text)
{
    nx_wipe(text->data, text->capacity);
    text->length = 0;
    text->status = NEXAUTH_OK;
}

void nx_text_move(struct nx_text *to, struct nx_text *from)
{
    nx_text_release(to);
    *to = *from;
    nx_text_init(from, from->bound);
}

void nx_text_lock_away(struct nx_text *text, struct nx_vault *vault)
{
    char *data = text->vault || !text->length ? NULL : vault->take(vault, text->length + 1);

    if (!data)
        return;
    memcpy(data, text->data, text->length + 1);
    give_back(text);
    text->data = data;
    text->capacity = text->length + 1;
    text->vault = vault;
}

/* The room to allocate for `length` bytes: doubled from what there is, within the bound. What comes first often comes
 * whole. */
static size_t next_room(const struct nx_text *text, size_t length)
{
    size_t room = text->capacity > 0 ? text->capacity - 1 : SMALLEST_ROOM;

    if (text->capacity == 0 && length > room)
        return length;
    while (room < length && room <= text->bound / 2)
        room *= 2;
    return room < length || room > text->bound ? text->bound : room;
}

/* Makes room for `length` bytes and a NUL. realloc would leave the old bytes behind, so the block moves by hand. */
static bool reserve(struct nx_text *text, size_t length)
{
    size_t capacity = 0;
    char *data = NULL;

    if (length < text->capacity)
        return true;
    capacity = next_room(text, length) + 1;
    data = malloc(capacity);
    if (data == NULL)
        return false;
    if (text->length > 0)
        memcpy(data, text->data, text->length);
    give_back(text);
    text->data = data;
    text->capacity = capacity;
    return true;
}

void nx_text_add_bytes(struct nx_text *text, const void *bytes, size_t size)
{
    if (text->status)
        return;
    if (size > text->bound - text->length) {
        nx_text_fail(text, NEXAUTH_INVALID);
        return;
    }
    if (!reserve(text, text->length + size)) {
        nx_text_fail(text, NEXAUTH_NO_MEMORY);
        return;
    }
    if (size > 0)
        memcpy(text->data + text->length, bytes, size);
    text->length += size;
    text->data[text->length] = '\0';
}

void nx_text_add(struct nx_text *text, const char *string)
{
    nx_text_add_bytes(text, string, strlen(string));
}

void nx_text_add_char(struct nx_text *text, char c)
{
    nx_text_add_bytes(text, &c, 1);
}

void nx_text_fail(struct nx_text *text, nexauth_status status)
{
    if (text->status)
        return;
    nx_text_clear(text);
    text->status = status;
}

bool nx_text_failed(const struct nx_text *text)
{
    return text->status != NEXAUTH_OK;
}

const char *nx_text_string(const struct nx_text *text)
{
    return text->data ? text->data : "";
}
