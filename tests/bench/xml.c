/* An XML answer, as ASP.NET writes it, read by the library and by bare libxml2. */
#include "bench/bench.h"
#include "bench/token.h"

#include "core/xml.h"

#include <libxml/parser.h>

#include <string.h>

enum { BOUND = 65536, TEXTS = 4 };

static struct nx_text answer;

static bool prepare(void)
{
    nx_text_init(&answer, BOUND);
    nx_text_add(&answer, "<TokenResponse xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" "
                         "xmlns=\"http://schemas.datacontract.org/2004/07/Models\"><access_token>");
    bench_add_token(&answer, "+");
    nx_text_add(&answer, "</access_token><expires_in>1209600</expires_in><scope>user</scope>"
                         "<token_type>Bearer</token_type></TokenResponse>");
    nx_xml_prepare();
    return !nx_text_failed(&answer);
}

static void finish(void)
{
    nx_text_release(&answer);
    xmlCleanupParser();
}

static bool run(size_t times)
{
    struct nx_members members;
    bool good = true;

    nx_members_init(&members, BOUND);
    for (size_t i = 0; good && i < times; i++) {
        good = nx_xml_read(answer.data, answer.length, &members) == NX_PARSED &&
               members.values[NX_MEMBER_ACCESS_TOKEN].text.length == TOKEN_SIZE;
        nx_members_release(&members);
    }
    return good;
}

/* The texts of the four elements, in the order of `names`. */
struct texts {
    int open; /* the one that is being read; TEXTS: none */
    size_t sizes[TEXTS];
    char bytes[TEXTS][2 * TOKEN_SIZE];
};

static void on_start(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int namespace_count,
                     const xmlChar **namespaces, int attribute_count, int defaulted_count, const xmlChar **attributes)
{
    static const char *const names[TEXTS] = {"access_token", "expires_in", "token_type", "scope"};
    struct texts *texts = context;

    (void)prefix;
    (void)uri;
    (void)namespace_count;
    (void)namespaces;
    (void)attribute_count;
    (void)defaulted_count;
    (void)attributes;
    texts->open = 0;
    while (texts->open < TEXTS && strcmp((const char *)name, names[texts->open]) != 0)
        texts->open++;
}

static void on_end(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    struct texts *texts = context;

    (void)name;
    (void)prefix;
    (void)uri;
    texts->open = TEXTS;
}

static void on_text(void *context, const xmlChar *characters, int size)
{
    struct texts *texts = context;
    const size_t count = (size_t)size;
    size_t *filled = NULL;

    if (texts->open == TEXTS)
        return;
    filled = &texts->sizes[texts->open];
    if (count > sizeof texts->bytes[0] - *filled)
        return;
    memcpy(texts->bytes[texts->open] + *filled, characters, count);
    *filled += count;
}

static bool run_floor(size_t times)
{
    static struct texts texts;
    xmlSAXHandler handler = {
        .initialized = XML_SAX2_MAGIC, .startElementNs = on_start, .endElementNs = on_end, .characters = on_text};
    bool good = true;

    for (size_t i = 0; good && i < times; i++) {
        memset(texts.sizes, 0, sizeof texts.sizes);
        texts.open = TEXTS;
        good = xmlSAXUserParseMemory(&handler, &texts, answer.data, (int)answer.length) == 0 &&
               texts.sizes[0] == TOKEN_SIZE;
    }
    return good;
}

const struct bench bench_xml = {
    .name = "xml",
    .what = "read an XML answer of 1.2 kB",
    .floor = "bare libxml2: SAX, the texts of four elements",
    .bar = 1.25,
    .prepare = prepare,
    .finish = finish,
    .run = run,
    .run_floor = run_floor,
};
