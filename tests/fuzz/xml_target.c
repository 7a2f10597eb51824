/*
 * XML answers, as nx_answer_read() meets them: UTF-16 and HTML too. What the library takes, libxml2's own tree takes
 * too, has no DTD, and holds the same token.
 */
#include "fuzz/target.h"

#include "core/answer.h"
#include "core/encode.h"
#include "core/xml.h"

#include <libxml/parser.h>
#include <libxml/tree.h>

#include <stdlib.h>
#include <string.h>

enum { BOUND = 65536, NARROW = 12, ANY_SYNTAX = NX_SYNTAX_JSON | NX_SYNTAX_XML | NX_SYNTAX_ENVELOPE };

static void be_silent(void *context, const char *format, ...)
{
    (void)context;
    (void)format;
}

/* The only child of the root of that name, in any namespace; NULL when there is none or another one. */
static const xmlNode *find_only_child(const xmlNode *root, const char *name)
{
    const xmlNode *found = NULL;

    for (const xmlNode *child = root->children; child; child = child->next) {
        if (child->type != XML_ELEMENT_NODE || strcmp((const char *)child->name, name) != 0)
            continue;
        if (found)
            return NULL;
        found = child;
    }
    return found;
}

static void compare_token(const struct nx_members *members, const xmlNode *root)
{
    const xmlNode *child = find_only_child(root, "access_token");
    const char *token = nx_members_string(members, NX_MEMBER_ACCESS_TOKEN);
    xmlChar *content = NULL;

    if (!child || !token)
        return;
    content = xmlNodeGetContent(child);
    HOLDS(content && strcmp((const char *)content, token) == 0);
    xmlFree(content);
}

static void compare_with_tree(const struct nx_members *members, const char *text, size_t size)
{
    const int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_IGNORE_ENC;
    xmlDoc *document = xmlReadMemory(text, (int)size, NULL, NULL, options);

    HOLDS(document && !xmlGetIntSubset(document) && xmlDocGetRootElement(document));
    compare_token(members, xmlDocGetRootElement(document));
    xmlFreeDoc(document);
}

static void read_with(const uint8_t *data, size_t size, size_t bound)
{
    char *copy = target_copy(data, size);
    struct nx_members members;
    enum nx_parsed parsed;

    nx_members_init(&members, bound);
    parsed = nx_xml_read(copy, size, &members);
    HOLDS(xmlStructuredError == NULL && xmlStructuredErrorContext == NULL);
    target_check_members(&members, parsed, bound);
    if (parsed == NX_PARSED)
        compare_with_tree(&members, copy, size);
    nx_members_release(&members);
    free(copy);
}

static void answer_with(const uint8_t *data, size_t size)
{
    struct nx_response response = {.http_status = 200};
    struct nx_answer answer;
    int64_t code = 0;

    nx_text_init(&response.body, BOUND);
    nx_text_add_bytes(&response.body, data, size);
    nx_answer_init(&answer, BOUND);
    HOLDS(nx_answer_read(&answer, &response, ANY_SYNTAX) == NEXAUTH_OK);
    if (nx_answer_has_token(&answer)) {
        HOLDS(answer.content == NX_CONTENT_DOCUMENT);
        HOLDS(nx_is_visible(nx_members_string(&answer.members, NX_MEMBER_ACCESS_TOKEN)));
    }
    HOLDS(answer.content == NX_CONTENT_DOCUMENT ||
          (!nx_answer_text(&answer) && !nx_answer_code(&answer) && !nx_answer_detail(&answer) &&
           !nx_answer_has_message(&answer) && !nx_answer_envelope_code(&answer, &code)));
    nx_answer_release(&answer);
    nx_text_release(&response.body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    xmlSetGenericErrorFunc(NULL, be_silent);
    nx_xml_prepare();
    read_with(data, size, BOUND);
    read_with(data, size, NARROW);
    if (size <= BOUND)
        answer_with(data, size);
    return 0;
}
