#include "shapes.h"

#include "recorded.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

#define MARK "\n=== "

/* Made of answers/ by the build. */
extern const unsigned char emu_answers_any[];
extern const unsigned char emu_answers_nex[];
extern const unsigned char emu_answers_nex_xml[];
extern const unsigned char emu_answers_quantoz[];
extern const unsigned char emu_answers_nexusguard[];

static const struct file {
    enum emu_group_id group;
    const unsigned char *text; /* ends in a NUL */
} files[] = {
    {EMU_ANY_DOOR, emu_answers_any},
    {EMU_OF_NEX, emu_answers_nex},
    {EMU_OF_NEX, emu_answers_nex_xml},
    {EMU_OF_QUANTOZ, emu_answers_quantoz},
    {EMU_OF_NEXUSGUARD, emu_answers_nexusguard},
};

static const char *const group_names[EMU_GROUPS] = {
    [EMU_ANY_DOOR] = "any",
    [EMU_OF_NEX] = "nex",
    [EMU_OF_QUANTOZ] = "quantoz",
    [EMU_OF_NEXUSGUARD] = "nexusguard",
};

static const enum emu_group_id group_of[EMU_VENDORS] = {
    [EMU_NEX] = EMU_OF_NEX,
    [EMU_QUANTOZ_TEST] = EMU_OF_QUANTOZ,
    [EMU_QUANTOZ_PRODUCTION] = EMU_OF_QUANTOZ,
    [EMU_NEXUSGUARD] = EMU_OF_NEXUSGUARD,
    [EMU_QUANTOZ_TEST_API] = EMU_OF_QUANTOZ,
    [EMU_QUANTOZ_PRODUCTION_API] = EMU_OF_QUANTOZ,
};

static const char *const words[] = {"token",         "stem", "expires_in", "scope",
                                    "refresh_token", "code", "state",      "redirect_uri"};

/* The texts are our own: what is wrong with them is a bug, which any start shows. */
static void require(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "nexauth-emulator: bug in the answers: %s\n", what);
    abort();
}

/* The word that stands here between two @, or NULL. */
static const char *word_at(const char *text)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t length = strlen(words[i]);
        if (text[0] == '@' && strncmp(text + 1, words[i], length) == 0 && text[length + 1] == '@')
            return words[i];
    }
    return NULL;
}

static bool has_word(const char *text)
{
    while (*text && !word_at(text))
        text++;
    return *text != '\0';
}

static void read_directive(const char *line, struct emu_shape *shape)
{
    const char *value = strchr(line, ' ');

    value = value ? value + 1 : "";
    if (strcmp(line, "utf-8-bom") == 0)
        shape->encoding = EMU_UTF8_BOM;
    else if (strcmp(line, "utf-16le") == 0)
        shape->encoding = EMU_UTF16_LE;
    else if (strcmp(line, "utf-16be") == 0)
        shape->encoding = EMU_UTF16_BE;
    else if (strncmp(line, "token-end ", 10) == 0)
        shape->token_end = emu_copy(value, strlen(value));
    else if (strncmp(line, "token-length ", 13) == 0)
        shape->token_length = strtoul(value, NULL, 10);
    else if (strncmp(line, "body-length ", 12) == 0)
        shape->body_length = strtoul(value, NULL, 10);
    else
        require(false, line);
}

/* A line of its own; moves behind it. */
static char *take_line(const char **text)
{
    size_t length = strcspn(*text, "\n");
    char *line = emu_copy(*text, length);

    *text += length + ((*text)[length] == '\n');
    return line;
}

static void read_shape(const char *text, size_t length, struct emu_shape *shape)
{
    char *copy = emu_copy(text, length);
    const char *at = copy;

    shape->name = take_line(&at);
    while (*at == '#' || *at == '!') {
        char *line = take_line(&at);
        if (*line == '#')
            shape->description = emu_copy(line + 2, strlen(line + 2));
        else
            read_directive(line + 2, shape);
        free(line);
    }
    require(shape->description && !emu_recorded_parse(at, strlen(at), &shape->answer), shape->name);
    free(copy);
    while (shape->answer.length > 0 && shape->answer.body[shape->answer.length - 1] == '\n')
        shape->answer.body[--shape->answer.length] = '\0';
    shape->granted = has_word(shape->answer.body);
    for (size_t i = 0; i < shape->answer.header_count; i++)
        shape->granted = shape->granted || has_word(shape->answer.headers[i].value);
}

static size_t count_marks(const char *text)
{
    size_t count = 0;

    while ((text = strstr(text, MARK))) {
        text += strlen(MARK);
        count++;
    }
    return count;
}

static void load_file(const char *text, struct emu_group *group)
{
    size_t more = count_marks(text);
    struct emu_shape *shapes = emu_allocate((group->count + more) * sizeof(*shapes));

    if (group->count)
        memcpy(shapes, group->shapes, group->count * sizeof(*shapes));
    free(group->shapes);
    group->shapes = shapes;
    text = strstr(text, MARK);
    while (text) {
        text += strlen(MARK);
        const char *next = strstr(text, MARK);
        /* The line break before the next mark ends the last line of this one. */
        read_shape(text, next ? (size_t)(next - text) + 1 : strlen(text), &group->shapes[group->count++]);
        text = next;
    }
}

void emu_shapes_load(struct emu_shapes *shapes)
{
    *shapes = (struct emu_shapes){0};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        load_file((const char *)files[i].text, &shapes->of[files[i].group]);
}

void emu_shapes_release(struct emu_shapes *shapes)
{
    for (size_t i = 0; i < EMU_GROUPS; i++) {
        struct emu_group *group = &shapes->of[i];
        while (group->count > 0) {
            struct emu_shape *shape = &group->shapes[--group->count];
            emu_answer_release(&shape->answer);
            free(shape->token_end);
            free(shape->description);
            free(shape->name);
        }
        free(group->shapes);
        group->shapes = NULL;
    }
}

static const struct emu_shape *find(const struct emu_group *group, const char *name)
{
    for (size_t i = 0; i < group->count; i++) {
        if (strcmp(group->shapes[i].name, name) == 0)
            return &group->shapes[i];
    }
    return NULL;
}

const struct emu_shape *emu_shapes_find(const struct emu_shapes *shapes, const struct emu_service *service,
                                        const char *name)
{
    const struct emu_shape *shape = find(&shapes->of[group_of[service->id]], name);

    return shape ? shape : find(&shapes->of[EMU_ANY_DOOR], name);
}

/* The text with its words replaced, or NULL when one is not known. */
static char *fill(const char *text, const struct emu_answer *granted)
{
    char *filled = emu_copy("", 0);

    while (*text) {
        const char *word = word_at(text);
        const char *value = word ? emu_answer_granted(granted, word) : NULL;
        size_t plain = word ? 0 : 1;
        if (word && !value) {
            free(filled);
            return NULL;
        }
        while (!word && text[plain] && !word_at(text + plain))
            plain++;
        char *longer = emu_format("%s%s%.*s", filled, value ? value : "", (int)plain, text);
        free(filled);
        filled = longer;
        text += word ? strlen(word) + 2 : plain;
    }
    return filled;
}

/* Shapes are ASCII but for their escapes: each byte is a code unit. */
static void encode(enum emu_encoding encoding, struct emu_answer *answer)
{
    static const char *const marks[] = {
        [EMU_UTF8_BOM] = "\xef\xbb\xbf", [EMU_UTF16_LE] = "\xff\xfe", [EMU_UTF16_BE] = "\xfe\xff"};

    if (encoding == EMU_AS_IT_IS)
        return;
    size_t mark = strlen(marks[encoding]);
    size_t width = encoding == EMU_UTF8_BOM ? 1 : 2;
    char *encoded = emu_allocate(mark + answer->length * width + 1);
    memcpy(encoded, marks[encoding], mark);
    for (size_t i = 0; i < answer->length; i++)
        encoded[mark + i * width + (encoding == EMU_UTF16_BE)] = answer->body[i];
    free(answer->body);
    answer->body = encoded;
    answer->length = mark + answer->length * width;
}

static void fill_up(size_t length, struct emu_answer *answer)
{
    if (length <= answer->length)
        return;
    char *body = emu_allocate(length + 1);
    memset(body, ' ', length);
    memcpy(body, answer->body, answer->length);
    free(answer->body);
    answer->body = body;
    answer->length = length;
}

void emu_shape_give(const struct emu_shape *shape, struct emu_answer *answer)
{
    struct emu_answer given = {.status = shape->answer.status};
    bool known = true;

    for (size_t i = 0; known && i < shape->answer.header_count; i++) {
        char *value = fill(shape->answer.headers[i].value, answer);
        if (value)
            emu_answer_header(&given, shape->answer.headers[i].name, value);
        known = value != NULL;
        free(value);
    }
    given.body = known ? fill(shape->answer.body, answer) : NULL;
    if (!given.body) {
        emu_answer_release(&given);
        return;
    }
    given.length = strlen(given.body);
    encode(shape->encoding, &given);
    fill_up(shape->body_length, &given);
    emu_answer_release(answer);
    *answer = given;
}

cJSON *emu_shapes_report(const struct emu_shapes *shapes)
{
    cJSON *report = cJSON_CreateObject();

    for (size_t i = 0; i < EMU_GROUPS; i++) {
        cJSON *group = cJSON_AddObjectToObject(report, group_names[i]);
        for (size_t k = 0; k < shapes->of[i].count; k++)
            cJSON_AddStringToObject(group, shapes->of[i].shapes[k].name, shapes->of[i].shapes[k].description);
    }
    return report;
}

void emu_shapes_print(const struct emu_shapes *shapes, FILE *stream)
{
    for (size_t i = 0; i < EMU_GROUPS; i++) {
        for (size_t k = 0; k < shapes->of[i].count; k++) {
            const struct emu_shape *shape = &shapes->of[i].shapes[k];
            fprintf(stream, "%-11s %-29s %u  %s\n", group_names[i], shape->name, shape->answer.status,
                    shape->description);
        }
    }
}
