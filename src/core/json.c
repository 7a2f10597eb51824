/*
 * A validator of RFC 8259 (json_lexer.c has its words) goes once over the raw bytes. It enforces what cJSON is lax
 * about, and notes where the values of the members are that we read. Their strings are then taken from there, each byte
 * once; numbers of some digits and nothing else too. cJSON decodes the others, and can only be given well-formed ones:
 * when it gives nothing, memory ran out. No tree of the document is built, so what a document costs does not grow with
 * what it is made of.
 */
#include "core/json.h"

#include "core/encode.h"
#include "core/json_lexer.h"
#include "core/wiping.h"

#include <cjson/cJSON.h>

#include <string.h>

enum { DEEPEST = 16, WHOLE_LONGEST = 15 /* digits: a double holds them exactly */ };

/* What is looked for: the members, and what an envelope alone has. */
enum item { ITEM_ERRNO = NX_MEMBER_COUNT, ITEM_ERRCODE, ITEM_ERRMSG, ITEM_RESULT, ITEM_COUNT };

/* A value in the document, without the blanks around it. */
struct span {
    const char *start; /* NULL: there is none */
    size_t size;
    bool escaped; /* a string that holds an escape */
};

struct scan {
    struct nx_json_lexer lexer;
    int depth;
    bool envelope;
    bool in_result; /* in the envelope's `result` */
    enum nx_parsed parsed;
    struct span items[ITEM_COUNT];
};

static int find_name(const char *name, size_t size)
{
    static const char *const names[] = {"errno", "errcode", "errmsg", "result"};
    const enum nx_member member = nx_member_find(name, size);

    for (int i = 0; member == NX_MEMBER_COUNT && i < ITEM_COUNT - NX_MEMBER_COUNT; i++) {
        if (strlen(names[i]) == size && memcmp(name, names[i], size) == 0)
            return NX_MEMBER_COUNT + i;
    }
    return member == NX_MEMBER_COUNT ? ITEM_COUNT : (int)member;
}

static enum nx_parsed store_text(const char *bytes, size_t size, struct nx_text *text)
{
    nx_text_add_bytes(text, bytes, size);
    if (text->status == NEXAUTH_NO_MEMORY)
        return NX_PARSED_NO_MEMORY;
    return nx_text_failed(text) ? NX_PARSED_NOT : NX_PARSED;
}

static enum nx_parsed store_string(const struct span *span, struct nx_text *text)
{
    const char *end = span->start + span->size - 1;
    const char *at = span->start + 1;

    while (span->escaped && at < end) {
        const char *escape = memchr(at, '\\', (size_t)(end - at));

        if (!escape)
            break;
        nx_text_add_bytes(text, at, (size_t)(escape - at));
        at = nx_take_json_char(escape, text);
    }
    return store_text(at, (size_t)(end - at), text);
}

static int find_escaped_name(struct scan *scan, const struct span *name)
{
    struct nx_text text;
    int item;

    nx_text_init(&text, name->size);
    scan->parsed = store_string(name, &text);
    item = find_name(nx_text_string(&text), text.length);
    nx_text_release(&text);
    return item;
}

/* Within an envelope, what makes up a token is in `result`; what speaks of an error is beside it. */
_Static_assert(NX_MEMBER_REFRESH_TOKEN == NX_MEMBER_ERROR - 1, "the members of a token come first");

/* Whether an item counts in the object that is open. */
static bool is_wanted(const struct scan *scan, int item)
{
    if (!scan->envelope)
        return scan->depth == 1 && item < NX_MEMBER_COUNT;
    if (scan->depth == 1)
        return item >= NX_MEMBER_ERROR && item < ITEM_COUNT;
    return scan->depth == 2 && scan->in_result && item < NX_MEMBER_ERROR;
}

/* The item that a name stands for; ITEM_COUNT when it is none that counts here. */
static int item_of(struct scan *scan, const struct span *name)
{
    int item;

    if (scan->depth > 2 || (scan->depth == 2 && !scan->in_result))
        return ITEM_COUNT;
    item = name->escaped ? find_escaped_name(scan, name) : find_name(name->start + 1, name->size - 2);
    return is_wanted(scan, item) ? item : ITEM_COUNT;
}

static bool scan_value(struct scan *scan);

/* Scans a value, the blanks around it excluded, and notes it. */
static bool scan_item(struct scan *scan, int item)
{
    struct span span;

    nx_json_skip_blanks(&scan->lexer);
    span.start = scan->lexer.at;
    if (!scan_value(scan))
        return false;
    span.size = (size_t)(scan->lexer.at - span.start);
    span.escaped = scan->lexer.escaped;
    if (item == ITEM_COUNT)
        return true;
    if (scan->items[item].start)
        return false;
    scan->items[item] = span;
    return true;
}

static bool scan_member(struct scan *scan)
{
    struct span name;
    int item;
    bool good;

    nx_json_skip_blanks(&scan->lexer);
    name.start = scan->lexer.at;
    if (!nx_json_take_string(&scan->lexer))
        return false;
    name.size = (size_t)(scan->lexer.at - name.start);
    name.escaped = scan->lexer.escaped;
    nx_json_skip_blanks(&scan->lexer);
    item = item_of(scan, &name);
    if (!nx_json_take(&scan->lexer, ':') || scan->parsed != NX_PARSED)
        return false;
    if (scan->depth == 1)
        scan->in_result = item == ITEM_RESULT;
    good = scan_item(scan, item);
    nx_json_skip_blanks(&scan->lexer);
    return good;
}

static bool scan_element(struct scan *scan)
{
    bool good;

    nx_json_skip_blanks(&scan->lexer);
    good = scan_value(scan);
    nx_json_skip_blanks(&scan->lexer);
    return good;
}

/* The inside of an object or array, its end included. */
static bool scan_items(struct scan *scan, bool (*scan_one)(struct scan *), char end)
{
    nx_json_skip_blanks(&scan->lexer);
    if (nx_json_take(&scan->lexer, end))
        return true;
    do {
        if (!scan_one(scan))
            return false;
    } while (nx_json_take(&scan->lexer, ','));
    return nx_json_take(&scan->lexer, end);
}

static bool scan_container(struct scan *scan)
{
    bool good = false;

    if (scan->depth == DEEPEST)
        return false;
    scan->depth++;
    if (nx_json_take(&scan->lexer, '{'))
        good = scan_items(scan, scan_member, '}');
    else if (nx_json_take(&scan->lexer, '['))
        good = scan_items(scan, scan_element, ']');
    scan->depth--;
    return good;
}

static bool scan_value(struct scan *scan)
{
    switch (nx_json_peek(&scan->lexer)) {
    case '{':
    case '[':
        return scan_container(scan);
    case '"':
        return nx_json_take_string(&scan->lexer);
    case 't':
        return nx_json_take_literal(&scan->lexer, "true");
    case 'f':
        return nx_json_take_literal(&scan->lexer, "false");
    case 'n':
        return nx_json_take_literal(&scan->lexer, "null");
    default:
        return nx_json_take_number(&scan->lexer);
    }
}

/* False when it is anything but a few digits. */
static bool read_whole(const struct span *span, double *number)
{
    int64_t whole = 0;

    if (span->size > WHOLE_LONGEST)
        return false;
    for (size_t i = 0; i < span->size; i++) {
        if (span->start[i] < '0' || span->start[i] > '9')
            return false;
        whole = whole * 10 + (span->start[i] - '0');
    }
    *number = (double)whole;
    return true;
}

static enum nx_parsed store_number(const struct span *span, struct nx_value *value)
{
    cJSON *decoded = NULL;

    value->kind = NX_KIND_NUMBER;
    if (read_whole(span, &value->number))
        return NX_PARSED;
    decoded = cJSON_ParseWithLengthOpts(span->start, span->size, NULL, 0);
    if (decoded == NULL)
        return NX_PARSED_NO_MEMORY;
    value->number = decoded->valuedouble;
    cJSON_Delete(decoded);
    return NX_PARSED;
}

/* Stores a value, if there is one and `value` is still absent. */
static enum nx_parsed store(const struct span *span, struct nx_value *value)
{
    if (span->start == NULL || value->kind != NX_KIND_ABSENT)
        return NX_PARSED;
    switch (*span->start) {
    case 'n':
        return NX_PARSED;
    case '"':
        value->kind = NX_KIND_STRING;
        return store_string(span, &value->text);
    case '{':
    case '[':
    case 't':
    case 'f':
        value->kind = NX_KIND_OTHER;
        return NX_PARSED;
    default:
        return store_number(span, value);
    }
}

/* The first text in a value that was scanned: of ModelState, {"r.username": ["The username field is required."]}. */
static struct span first_string(const struct span *span)
{
    struct nx_json_lexer lexer = {.at = span->start, .end = span->start + span->size};
    struct span found = {0};

    for (char open = nx_json_peek(&lexer); open == '{' || open == '['; open = nx_json_peek(&lexer)) {
        nx_json_take(&lexer, open);
        nx_json_skip_blanks(&lexer);
        if (open == '{' && nx_json_take_string(&lexer)) {
            nx_json_skip_blanks(&lexer);
            nx_json_take(&lexer, ':');
            nx_json_skip_blanks(&lexer);
        }
    }
    found.start = lexer.at;
    if (!nx_json_take_string(&lexer))
        return (struct span){0};
    found.size = (size_t)(lexer.at - found.start);
    found.escaped = lexer.escaped;
    return found;
}

/* The older spellings count where the present one is absent or null. */
static enum nx_parsed store_older(const struct scan *scan, struct nx_members *members)
{
    static const struct {
        enum item item;
        enum nx_member member;
    } older[] = {{ITEM_ERRNO, NX_MEMBER_CODE}, {ITEM_ERRCODE, NX_MEMBER_CODE}, {ITEM_ERRMSG, NX_MEMBER_MSG}};
    enum nx_parsed parsed = NX_PARSED;

    for (size_t i = 0; parsed == NX_PARSED && i < sizeof older / sizeof *older; i++)
        parsed = store(&scan->items[older[i].item], &members->values[older[i].member]);
    return parsed;
}

static enum nx_parsed store_items(struct scan *scan, struct nx_members *members)
{
    struct span *state = &scan->items[NX_MEMBER_MODEL_STATE];
    enum nx_parsed parsed = NX_PARSED;

    if (state->start)
        *state = first_string(state);
    for (int i = 0; parsed == NX_PARSED && i < NX_MEMBER_COUNT; i++)
        parsed = store(&scan->items[i], &members->values[i]);
    return parsed == NX_PARSED ? store_older(scan, members) : parsed;
}

/* Scans the document, and a string that is all of it into `whole`. */
static enum nx_parsed scan_document(struct scan *scan, struct span *whole)
{
    nx_json_take_literal(&scan->lexer, NX_BOM);
    nx_json_skip_blanks(&scan->lexer);
    whole->start = scan->lexer.at;
    if (!scan_value(scan))
        return scan->parsed == NX_PARSED ? NX_PARSED_NOT : scan->parsed;
    whole->size = (size_t)(scan->lexer.at - whole->start);
    whole->escaped = scan->lexer.escaped;
    nx_json_skip_blanks(&scan->lexer);
    return scan->lexer.at == scan->lexer.end ? NX_PARSED : NX_PARSED_NOT;
}

enum nx_parsed nx_json_read(const char *bytes, size_t size, bool envelope, struct nx_members *members)
{
    struct scan scan = {.envelope = envelope, .parsed = NX_PARSED};
    struct span whole = {0};
    enum nx_parsed parsed;

    nx_members_release(members);
    if (size == 0)
        return NX_PARSED_NOT;
    scan.lexer.at = bytes;
    scan.lexer.end = bytes + size;
    parsed = scan_document(&scan, &whole);
    if (parsed == NX_PARSED && *whole.start == '"')
        parsed = store_string(&whole, &members->bare);
    else if (parsed == NX_PARSED)
        parsed = store_items(&scan, members);
    if (parsed != NX_PARSED)
        nx_members_release(members);
    return parsed;
}

bool nx_json_wipe_memory(void)
{
    cJSON_Hooks wiping = {nx_wiping_malloc, nx_wiping_free};
    const unsigned int before = nx_wiping_count();

    cJSON_InitHooks(&wiping);
    cJSON_Delete(cJSON_ParseWithLengthOpts("0", 1, NULL, 0));
    return nx_wiping_count() != before;
}
