/*
 * libxml2 parses into our callbacks and builds no tree. It reads the caller's document in place, so that what it frees
 * itself holds names, and no value but that of a CDATA section, which no serializer writes. The document is UTF-8
 * whatever it declares: .NET's string writer declares utf-16 above UTF-8 bytes.
 *
 * Nothing may print. Errors that know the parser go to the handler's serror; those that do not (memory running out in
 * its buffers) would go to stderr, so the thread's structured handler is ours while it parses, and then again whatever
 * it was. The first error ends the parse: libxml2 would word every further one. Of a document with a DTD it sees
 * nothing.
 */
#include "core/xml.h"

#ifdef NEXAUTH_XML

#include "core/encode.h"
#include "core/wiping.h"
#include "core/xml_limits.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/xmlerror.h>

#include <string.h>

enum { DEEPEST = 16, LARGEST = 1 << 20, LONGEST_NAME = 63, ESCAPE_SIZE = 7 };

static const char SCHEMA_INSTANCE[] = "http://www.w3.org/2001/XMLSchema-instance";

/* An element with Key and Value: a child of the root, as a dictionary is written. */
struct entry {
    struct nx_text key;
    struct nx_value value;
    bool has_key;
    bool has_value;
};

struct reader {
    xmlParserCtxt *parser;
    struct nx_members *members;
    enum nx_member member; /* the child of the root that is open; NX_MEMBER_COUNT: none of ours */
    struct nx_text *text;  /* what characters now belong to; NULL: nothing */
    struct entry entry;
    bool seen[NX_MEMBER_COUNT];
    bool root_has_children;
    bool has_state; /* ModelState's first text has come */
    int depth;
    enum nx_parsed parsed;
};

/*
 * Ends the parse. `wellFormed` would stay 1: `parsed` alone tells. The first cause wins. xmlStopParser() takes the
 * document away as well: when an error is told in the middle of a name, libxml2 2.9 would read that name as far beyond
 * an empty string as it stood in the document. Without that the parser may read on for a while, and says nothing.
 */
static void stop(struct reader *reader, enum nx_parsed why)
{
    if (reader->parsed == NX_PARSED)
        reader->parsed = why;
    if (!reader->parser)
        return;
    reader->parser->instate = XML_PARSER_EOF;
    reader->parser->disableSAX = 2; /* to later versions, 1 says only that there was an error */
}

static bool same(const xmlChar *name, const char *string)
{
    return name && strcmp((const char *)name, string) == 0;
}

/* The character that an escape of .NET's XmlConvert, _xHHHH_, stands for; 0 when there is none, or it is not ASCII. */
static char escaped_char(const char *at)
{
    int unit = 0;

    if (at[0] != '_' || at[1] != 'x')
        return '\0';
    for (int i = 2; i < 6; i++) {
        if (nx_hex_value(at[i]) < 0)
            return '\0';
        unit = unit * 16 + nx_hex_value(at[i]);
    }
    if (at[6] != '_' || unit >= 0x80)
        return '\0';
    return (char)unit;
}

/* Decodes a name into LONGEST_NAME + 1 bytes; its length, or 0 when it is longer. */
static size_t decode_name(const char *name, char *out)
{
    size_t length = 0;

    for (; *name; length++) {
        out[length] = escaped_char(name);
        if (length == LONGEST_NAME)
            return 0;
        if (out[length]) {
            name += ESCAPE_SIZE;
            continue;
        }
        out[length] = *name;
        name++;
    }
    out[length] = '\0';
    return length;
}

/* A [Serializable] class shows the fields behind its properties: <access_token>k__BackingField. */
static enum nx_member find_member(const char *name)
{
    static const char tail[] = ">k__BackingField";
    const enum nx_member member = nx_member_find(name, strlen(name));
    char decoded[LONGEST_NAME + 1];
    size_t size;
    size_t end;

    if (member != NX_MEMBER_COUNT || strstr(name, "_x") == NULL)
        return member;
    size = decode_name(name, decoded);
    if (size < sizeof tail || decoded[0] != '<')
        return nx_member_find(decoded, size);
    end = size - (sizeof tail - 1);
    return strcmp(decoded + end, tail) == 0 ? nx_member_find(decoded + 1, end - 1) : NX_MEMBER_COUNT;
}

/* `attributes`: five pointers for each (local name, prefix, URI, start of the value, its end). */
static bool is_nil(int count, const xmlChar **attributes)
{
    for (int i = 0; i < count; i++, attributes += 5) {
        const char *start = (const char *)attributes[3];
        size_t size = (size_t)(attributes[4] - attributes[3]);

        if (!same(attributes[0], "nil") || !same(attributes[2], SCHEMA_INSTANCE))
            continue;
        return (size == 4 && memcmp(start, "true", size) == 0) || (size == 1 && *start == '1');
    }
    return false;
}

/* Readies a member's value for its text. The same one twice refuses the document. */
static struct nx_value *open_member(struct reader *reader, enum nx_member member, bool nil)
{
    if (reader->seen[member]) {
        stop(reader, NX_PARSED_NOT);
        return NULL;
    }
    reader->seen[member] = true;
    if (nil)
        return NULL;
    reader->members->values[member].kind = NX_KIND_STRING;
    return &reader->members->values[member];
}

static void start_child(struct reader *reader, const xmlChar *name, bool nil)
{
    struct nx_value *value = NULL;

    if (!reader->root_has_children)
        nx_text_release(&reader->members->bare);
    reader->root_has_children = true;
    reader->member = find_member((const char *)name);
    if (reader->member != NX_MEMBER_COUNT)
        value = open_member(reader, reader->member, nil);
    reader->text = value ? &value->text : NULL;
}

/* Key or Value within a child of the root that is no member. The same one twice refuses the document. */
static void start_of_entry(struct reader *reader, const xmlChar *name, bool nil)
{
    struct entry *entry = &reader->entry;
    const bool is_key = same(name, "Key");
    bool *has = is_key ? &entry->has_key : &entry->has_value;

    if (!is_key && !same(name, "Value"))
        return;
    if (*has) {
        stop(reader, NX_PARSED_NOT);
        return;
    }
    *has = true;
    if (nil)
        return;
    if (!is_key)
        entry->value.kind = NX_KIND_STRING;
    reader->text = is_key ? &entry->key : &entry->value.text;
}

/* An element inside a member: it is no string then. Of ModelState the first one's text counts. */
static void start_within(struct reader *reader)
{
    struct nx_value *value = &reader->members->values[reader->member];
    const bool is_state = reader->member == NX_MEMBER_MODEL_STATE;

    if (value->kind != NX_KIND_STRING || (is_state && reader->has_state))
        return;
    nx_text_release(&value->text);
    if (is_state)
        reader->text = &value->text;
    else
        value->kind = NX_KIND_OTHER;
    reader->has_state = reader->has_state || is_state;
}

static void start_grandchild(struct reader *reader, const xmlChar *name, bool nil)
{
    reader->text = NULL;
    if (reader->member == NX_MEMBER_COUNT)
        start_of_entry(reader, name, nil);
    else
        start_within(reader);
}

/* An element inside Key or Value. */
static void start_deeper(struct reader *reader)
{
    if (reader->text == NULL || reader->member == NX_MEMBER_MODEL_STATE)
        return;
    reader->entry.value.kind = NX_KIND_OTHER;
    nx_text_fail(reader->text, NEXAUTH_INVALID);
    reader->text = NULL;
}

static void on_start(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int namespace_count,
                     const xmlChar **namespaces, int attribute_count, int defaulted_count, const xmlChar **attributes)
{
    struct reader *reader = context;

    (void)prefix;
    (void)uri;
    (void)namespace_count;
    (void)namespaces;
    (void)defaulted_count;
    reader->depth++;
    if (reader->depth > DEEPEST)
        stop(reader, NX_PARSED_NOT);
    else if (reader->depth == 1)
        reader->text = &reader->members->bare;
    else if (reader->depth == 2)
        start_child(reader, name, is_nil(attribute_count, attributes));
    else if (reader->depth == 3)
        start_grandchild(reader, name, is_nil(attribute_count, attributes));
    else
        start_deeper(reader);
}

/* A text is judged when it is whole: the blanks ahead of the root's first child are none. An entry's is judged once it
 * is known whether it is a member's. */
static void judge(struct reader *reader, const struct nx_text *text, bool of_member)
{
    if (text->status == NEXAUTH_NO_MEMORY)
        stop(reader, NX_PARSED_NO_MEMORY);
    else if (nx_text_failed(text) && of_member)
        stop(reader, NX_PARSED_NOT);
}

static void take_entry(struct reader *reader)
{
    struct nx_value *from = &reader->entry.value;
    const struct nx_text *key = &reader->entry.key;
    const enum nx_member member = nx_member_find(nx_text_string(key), key->length);
    struct nx_value *to = NULL;

    if (member != NX_MEMBER_COUNT)
        to = open_member(reader, member, from->kind == NX_KIND_ABSENT);
    if (to == NULL)
        return;
    to->kind = from->kind;
    if (from->kind == NX_KIND_STRING) {
        judge(reader, &from->text, true);
        nx_text_move(&to->text, &from->text);
    }
}

static void release_entry(struct entry *entry)
{
    nx_text_release(&entry->key);
    nx_text_release(&entry->value.text);
    entry->value.kind = NX_KIND_ABSENT;
    entry->has_key = false;
    entry->has_value = false;
}

static void on_end(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    struct reader *reader = context;

    (void)name;
    (void)prefix;
    (void)uri;
    if (reader->text)
        judge(reader, reader->text, reader->depth <= 2 || reader->member == NX_MEMBER_MODEL_STATE);
    if (reader->depth <= 3)
        reader->text = NULL;
    if (reader->depth == 2) {
        if (reader->entry.has_key && reader->entry.has_value)
            take_entry(reader);
        release_entry(&reader->entry);
    }
    reader->depth--;
}

static void on_text(void *context, const xmlChar *characters, int size)
{
    const struct reader *reader = context;

    if (reader->text)
        nx_text_add_bytes(reader->text, characters, (size_t)size);
}

#if LIBXML_VERSION >= 21200
typedef const xmlError *error_pointer;
#else
typedef xmlErrorPtr error_pointer;
#endif

static void on_error(void *context, error_pointer error)
{
    struct reader *reader = context;

    if (error->code == XML_ERR_NO_MEMORY)
        reader->parsed = NX_PARSED_NO_MEMORY;
    if (error->level >= XML_ERR_ERROR)
        stop(reader, NX_PARSED_NOT);
}

static void set_handler(xmlParserCtxt *parser, struct reader *reader)
{
    *parser->sax = (xmlSAXHandler){
        .initialized = XML_SAX2_MAGIC,
        .startElementNs = on_start,
        .endElementNs = on_end,
        .characters = on_text,
        .ignorableWhitespace = on_text,
        .cdataBlock = on_text,
        .serror = on_error,
    };
    parser->userData = reader;
    xmlCtxtUseOptions(parser, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_IGNORE_ENC);
}

/* Runs reader->parser over `text`, which it reads in place. A new parser has room for one input without allocating. */
static enum nx_parsed parse(struct reader *reader, const char *text)
{
    xmlParserInput *input = NULL;

    set_handler(reader->parser, reader);
    input = xmlNewStringInputStream(reader->parser, (const xmlChar *)text);
    if (input == NULL || inputPush(reader->parser, input) < 0)
        return NX_PARSED_NO_MEMORY;
    if (xmlParseDocument(reader->parser) != 0 || !reader->parser->nsWellFormed)
        stop(reader, NX_PARSED_NOT);
    return reader->parsed;
}

static enum nx_parsed parse_quietly(const char *text, struct nx_members *members)
{
    xmlStructuredErrorFunc handler = xmlStructuredError;
    void *context = xmlStructuredErrorContext;
    struct reader reader = {.members = members, .parsed = NX_PARSED};
    enum nx_parsed parsed = NX_PARSED_NO_MEMORY;

    nx_text_init(&reader.entry.key, LONGEST_NAME);
    nx_text_init(&reader.entry.value.text, members->bare.bound);
    xmlSetStructuredErrorFunc(&reader, on_error);
    reader.parser = xmlNewParserCtxt();
    if (reader.parser)
        parsed = parse(&reader, text);
    xmlFreeParserCtxt(reader.parser);
    release_entry(&reader.entry);
    xmlResetLastError();
    xmlSetStructuredErrorFunc(context, handler);
    return parsed;
}

static bool begins_with_bom(const char *text)
{
    return strncmp(text, NX_BOM, strlen(NX_BOM)) == 0;
}

/* libxml2 would skip a second BOM as well. */
enum nx_parsed nx_xml_read(const char *bytes, size_t size, struct nx_members *members)
{
    const char *text = begins_with_bom(bytes) ? bytes + strlen(NX_BOM) : bytes;
    enum nx_parsed parsed = NX_PARSED_NOT;

    nx_members_release(members);
    if (*text && !begins_with_bom(text) && size <= LARGEST && nx_xml_is_harmless(text, bytes + size))
        parsed = parse_quietly(text, members);
    if (parsed != NX_PARSED)
        nx_members_release(members);
    return parsed;
}

void nx_xml_prepare(void)
{
    xmlInitParser();
}

bool nx_xml_wipe_memory(void)
{
    const unsigned int before = nx_wiping_count();

    xmlMemSetup(nx_wiping_free, nx_wiping_malloc, nx_wiping_realloc, nx_wiping_strdup);
    xmlFreeParserCtxt(xmlNewParserCtxt());
    return nx_wiping_count() != before;
}

#else

enum nx_parsed nx_xml_read(const char *bytes, size_t size, struct nx_members *members)
{
    (void)bytes;
    (void)size;
    nx_members_release(members);
    return NX_PARSED_NOT;
}

void nx_xml_prepare(void)
{
}

bool nx_xml_wipe_memory(void)
{
    return true;
}

#endif
