/*
 * Documents that are made to cost the reader much: they are refused, and what libxml2 asks for meanwhile is counted:
 * how much of it at once, and how much in all, which is work.
 */
#include "support/members.h"

#include "core/xml.h"

#include <libxml/parser.h>

#include <stdlib.h>
#include <time.h>

enum { LARGEST = 1 << 20, MOST = 8 << 20 };

static size_t now, total;

union block {
    size_t size;
    max_align_t aligned;
};

static void count_out(size_t size)
{
    now += size;
    total += size;
}

static void counted_free(void *memory)
{
    union block *block = memory;

    if (!block)
        return;
    now -= block[-1].size;
    free(block - 1);
}

static void *counted_malloc(size_t size)
{
    union block *block = malloc(sizeof *block + size);

    if (!block)
        return NULL;
    block->size = size;
    count_out(size);
    return block + 1;
}

static void *counted_realloc(void *memory, size_t size)
{
    union block *block = memory;
    void *grown = counted_malloc(size);

    if (!grown || !block)
        return grown;
    memcpy(grown, memory, block[-1].size < size ? block[-1].size : size);
    counted_free(memory);
    return grown;
}

static char *counted_strdup(const char *text)
{
    const size_t size = strlen(text) + 1;
    char *copy = counted_malloc(size);

    return copy ? memcpy(copy, text, size) : NULL;
}

#define ROOT(text) "<Token><access_token>" text "</access_token></Token>"
#define TEN(piece) piece piece piece piece piece piece piece piece piece piece

#define LAUGHS(name, piece) "<!ENTITY " name " \"" TEN(piece) "\">"

/* `front`, `piece` over and over until the document is as large as it may be, `back`. For ##### each piece has a number
 * of its own. */
static const struct attack {
    const char *name, *front, *piece, *back;
    bool harmless; /* it may be read, if that is cheap */
} attacks[] = {
    {"billion laughs",
     "<!DOCTYPE l [<!ENTITY a \"ha\">" LAUGHS("b", "&a;") LAUGHS("c", "&b;") LAUGHS("d", "&c;") LAUGHS("e", "&d;")
         LAUGHS("f", "&e;") LAUGHS("g", "&f;") LAUGHS("h", "&g;") LAUGHS("i", "&h;") "]>" ROOT("&i;"),
     NULL, NULL, false},
    {"quadratic blow-up", "<!DOCTYPE q [<!ENTITY a \"", "aaaaaaaaaaaaaaaa",
     "\">]><Token><access_token>" TEN(TEN("&a;&a;&a;&a;")) "</access_token></Token>", false},
    {"an external entity", "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>" ROOT("&e;"), NULL, NULL, false},
    {"an external DTD", "<!DOCTYPE x SYSTEM \"file:///dev/zero\">" ROOT("one"), NULL, NULL, false},
    {"a parameter entity", "<!DOCTYPE x [<!ENTITY % p SYSTEM \"file:///dev/zero\"> %p;]>" ROOT("one"), NULL, NULL,
     false},
    {"a DTD of nothing but attributes", "<!DOCTYPE x [<!ATTLIST Token ", "a CDATA \"x\" ", ">]>" ROOT("one"), false},
    {"an entity of nobody", ROOT("&nobody;"), NULL, NULL, false},
    {"depth", "", "<a>", "", false},
    {"tags", "<Token>", "<a/>", "</Token>", false},
    {"attributes", "<Token ", "a='' ", "/>", false},
    {"attributes that all differ in nothing but a prefix", "<Token ", "b:a='' ", "/>", false},
    {"attributes behind a quote in a comment", "<Token><!-- \" --><a ", "a#####='' ", "/></Token>", false},
    {"attributes behind a quote in a section", "<Token><![CDATA[ ' ]]><a ", "a#####='' ", "/></Token>", false},
    {"attributes behind a quote in an instruction", "<Token><?p \" ?><a ", "a#####='' ", "/></Token>", false},
    {"tags behind a quote in a comment", "<Token><!-- <a \" -->", "<a#####/>", "</Token>", false},
    {"attributes behind half a tag in a comment", "<Token><!-- <a \" --><a ", "a#####='' ", "/></Token>", false},
    {"namespaces", "<Token ", "xmlns='' ", "/>", false},
    {"a name", "<", "nnnnnnnnnnnnnnnn", "/>", false},
    {"an attribute's value", "<Token a='", "vvvvvvvvvvvvvvvv", "'/>", true},
    {"a comment", "<Token><!--", "cccccccccccccccc", "--></Token>", true},
    {"comments", "<Token>", "<!---->", "</Token>", false},
    {"instructions", "<Token>", "<?p i?>", "</Token>", false},
    {"a section of characters", "<Token><access_token><![CDATA[", "dddddddddddddddd", "]]></access_token></Token>",
     true},
    {"sections of characters", "<Token><access_token>", "<![CDATA[]]>", "</access_token></Token>", false},
    {"characters", "<Token><access_token>", "tttttttttttttttt", "</access_token></Token>", true},
    {"characters by their numbers", "<Token><access_token>", "&#65;", "</access_token></Token>", true},
    {"entities that XML has", "<Token><access_token>", "&amp;", "</access_token></Token>", true},
};

static void number(char *piece, unsigned count)
{
    for (char *at = strrchr(piece, '#'); at && at >= piece && *at == '#'; at--, count /= 10)
        *at = (char)('0' + count % 10);
}

/* The caller frees it. */
static char *write_attack(const struct attack *attack, size_t *size)
{
    const char *back = attack->back ? attack->back : "";
    const size_t step = attack->piece ? strlen(attack->piece) : 0;
    char *text = calloc(1, LARGEST + 1);
    unsigned count = 0;

    assert_non_null(text);
    *size = strlen(attack->front);
    memcpy(text, attack->front, *size);
    while (step && *size + step + strlen(back) <= LARGEST) {
        memcpy(text + *size, attack->piece, step);
        number(text + *size, count++);
        *size += step;
    }
    memcpy(text + *size, back, strlen(back) + 1);
    *size += strlen(back);
    return text;
}

static void attacks_are_refused_and_cost_little(void **state)
{
    const char *name = "";
    clock_t slowest = 0;
    int wrong = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(attacks); i++) {
        struct nx_members members;
        size_t size;
        char *text = write_attack(&attacks[i], &size);

        nx_members_init(&members, 65536);
        now = total = 0;
        const clock_t begun = clock();
        const enum nx_parsed parsed = nx_xml_read(text, size, &members);
        const clock_t took = clock() - begun;
        if (took > slowest) {
            slowest = took;
            name = attacks[i].name;
        }
        if ((parsed == NX_PARSED && !attacks[i].harmless) || total > MOST) {
            print_error("%s: %sread, %zu bytes asked for\n", attacks[i].name, parsed == NX_PARSED ? "" : "not ", total);
            wrong++;
        }
        assert_int_equal(now, 0);
        nx_members_release(&members);
        free(text);
    }
    /* Told, and not judged: it is the machine's and the moment's. */
    print_message("           the slowest: %s, %ld us\n", name, (long)(slowest * 1000000 / CLOCKS_PER_SEC));
    assert_int_equal(wrong, 0);
}

/* Or the test above would count nothing. */
static void what_is_asked_for_is_counted(void **state)
{
    struct nx_members members;

    (void)state;
    nx_members_init(&members, 65536);
    now = total = 0;
    assert_int_equal(members_read_xml_text(ROOT("one"), &members), NX_PARSED);
    assert_true(total > 0);
    nx_members_release(&members);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attacks_are_refused_and_cost_little),
        cmocka_unit_test(what_is_asked_for_is_counted),
    };

    xmlMemSetup(counted_free, counted_malloc, counted_realloc, counted_strdup);
    nx_xml_prepare();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
