/*
 * libxml2 parses into our callbacks and builds no tree. It reads our copy of the document in place, which is wiped, so
 * that what it frees itself holds names, and no value but that of a CDATA section, which no serializer writes. The
 * document is UTF-8 whatever it declares: .NET's string writer declares utf-16 above UTF-8 bytes.
 *
 * Nothing may print. Errors that know the parser go to the handler's serror; those that do not (memory running out in
 * its buffers) would go to stderr, so the thread's structured handler is ours while it parses, and then again whatever
 * it was.
 */
#include "core/xml.h"

#ifdef NEXAUTH_XML

#include "core/encode.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/xmlerror.h>

#include <string.h>

enum { DEEPEST = 16, LARGEST = 1 << 20 };

static const char BOM[] = "\xef\xbb\xbf";
static const char SCHEMA_INSTANCE[] = "http://www.w3.org/2001/XMLSchema-instance";

struct reader {
    xmlParserCtxt *parser;
    struct nx_members *members;
    struct nx_value *value; /* the child of the root that is open, when it is a member and not nil */
    bool seen[NX_MEMBER_COUNT];
    bool root_has_children;
    int depth;
    enum nx_parsed parsed;
};

/* Ends the parse. `wellFormed` would stay 1: `parsed` alone tells. The first cause wins. */
static void stop(struct reader *reader, enum nx_parsed why)
{
    if (reader->parsed == NX_PARSED)
        reader->parsed = why;
    xmlStopParser(reader->parser);
}

static bool same(const xmlChar *name, const char *string)
{
    return name && strcmp((const char *)name, string) == 0;
}

static int find_member(const xmlChar *name)
{
    int i = 0;

    while (i < NX_MEMBER_COUNT && !same(name, nx_member_name((enum nx_member)i)))
        i++;
    return i;
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

static void start_child(struct reader *reader, const xmlChar *name, bool nil)
{
    int member = find_member(name);

    if (!reader->root_has_children)
        nx_text_release(&reader->members->bare);
    reader->root_has_children = true;
    if (member == NX_MEMBER_COUNT)
        return;
    if (reader->seen[member]) {
        stop(reader, NX_PARSED_NOT);
        return;
    }
    reader->seen[member] = true;
    if (nil)
        return;
    reader->value = &reader->members->values[member];
    reader->value->kind = NX_KIND_STRING;
}

/* An element inside a child of the root: a member that holds it is no string. */
static void start_deeper(struct reader *reader)
{
    if (reader->value == NULL)
        return;
    reader->value->kind = NX_KIND_OTHER;
    nx_text_release(&reader->value->text);
    reader->value = NULL;
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
    else if (reader->depth == 2)
        start_child(reader, name, is_nil(attribute_count, attributes));
    else if (reader->depth > 2)
        start_deeper(reader);
}

/* The text that characters now belong to; NULL when they belong to none. */
static struct nx_text *open_text(const struct reader *reader)
{
    if (reader->depth == 1 && !reader->root_has_children)
        return &reader->members->bare;
    if (reader->depth == 2 && reader->value)
        return &reader->value->text;
    return NULL;
}

/* A text is judged when it is whole: the blanks ahead of the root's first child are none. */
static void judge(struct reader *reader, const struct nx_text *text)
{
    if (text && text->status == NEXAUTH_NO_MEMORY)
        stop(reader, NX_PARSED_NO_MEMORY);
    else if (text && nx_text_failed(text))
        stop(reader, NX_PARSED_NOT);
}

static void on_end(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    struct reader *reader = context;

    (void)name;
    (void)prefix;
    (void)uri;
    judge(reader, open_text(reader));
    if (reader->depth == 2)
        reader->value = NULL;
    reader->depth--;
}

static void on_text(void *context, const xmlChar *characters, int size)
{
    struct nx_text *text = open_text(context);

    if (text)
        nx_text_add_bytes(text, characters, (size_t)size);
}

static void on_doctype(void *context, const xmlChar *name, const xmlChar *external_id, const xmlChar *system_id)
{
    (void)name;
    (void)external_id;
    (void)system_id;
    stop(context, NX_PARSED_NOT);
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
}

static void set_handler(xmlParserCtxt *parser, struct reader *reader)
{
    *parser->sax = (xmlSAXHandler){
        .initialized = XML_SAX2_MAGIC,
        .internalSubset = on_doctype,
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

    xmlSetStructuredErrorFunc(&reader, on_error);
    reader.parser = xmlNewParserCtxt();
    if (reader.parser)
        parsed = parse(&reader, text);
    xmlFreeParserCtxt(reader.parser);
    xmlResetLastError();
    xmlSetStructuredErrorFunc(context, handler);
    return parsed;
}

/* UTF-8 without a NUL, at which the parser would end. UTF-16 is neither. */
static bool is_text(const char *bytes, size_t size)
{
    while (size > 0) {
        size_t character = nx_utf8_size(bytes, size);

        if (character == 0 || *bytes == '\0')
            return false;
        bytes += character;
        size -= character;
    }
    return true;
}

/* The document as the parser gets it: without a BOM, ended by NUL. */
static void copy_document(struct nx_text *text, const char *bytes, size_t size)
{
    const size_t bom = sizeof BOM - 1;
    const size_t skipped = size >= bom && memcmp(bytes, BOM, bom) == 0 ? bom : 0;

    nx_text_init(text, size);
    nx_text_add_bytes(text, bytes + skipped, size - skipped);
}

enum nx_parsed nx_xml_read(const char *bytes, size_t size, struct nx_members *members)
{
    struct nx_text text = {0};
    enum nx_parsed parsed = NX_PARSED_NO_MEMORY;

    nx_members_release(members);
    if (size == 0 || size > LARGEST || !is_text(bytes, size))
        return NX_PARSED_NOT;
    copy_document(&text, bytes, size);
    if (!nx_text_failed(&text))
        parsed = parse_quietly(nx_text_string(&text), members);
    nx_text_release(&text);
    if (parsed != NX_PARSED)
        nx_members_release(members);
    return parsed;
}

void nx_xml_prepare(void)
{
    xmlInitParser();
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

#endif
