#include "core/xml_limits.h"

#ifdef NEXAUTH_XML

#include "core/encode.h"

#include <stddef.h>
#include <string.h>

enum { MOST_ATTRIBUTES = 32, MOST_TAGS = 4096 };

/* UTF-8, and no NUL, at which the parser would end. */
static bool is_text(const char *at, const char *end)
{
    for (at = nx_skip_ascii(at, end, 1, '\0', '\0'); at < end; at = nx_skip_ascii(at, end, 1, '\0', '\0')) {
        const size_t size = nx_utf8_size(at, (size_t)(end - at));

        if (size == 0 || *at == '\0')
            return false;
        at += size;
    }
    return true;
}

/* Goes over one tag, to its '>', and counts its attributes. What stands in quotes counts for nothing; at a quote that
 * does not belong there the parser stops. */
static const char *skip_tag(const char *at, const char *end, int *attributes)
{
    char quote = '\0';

    for (*attributes = 0; at < end && (quote || *at != '>'); at++) {
        if (quote && *at == quote)
            quote = '\0';
        else if (!quote && (*at == '"' || *at == '\''))
            quote = *at;
        else if (!quote && *at == '=')
            ++*attributes;
    }
    return at;
}

static bool begins_with(const char *at, const char *start)
{
    return strncmp(at, start, strlen(start)) == 0;
}

/* Behind what ends here, or the end. */
static const char *skip_past(const char *at, const char *mark, const char *end)
{
    const char *found = strstr(at, mark);

    return found ? found + strlen(mark) : end;
}

/* Goes over what begins with this '<'. */
static const char *skip_markup(const char *at, const char *end, int *attributes)
{
    static const char *const MARKS[][2] = {{"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<?", "?>"}};

    *attributes = 0;
    for (size_t i = 0; i < sizeof MARKS / sizeof *MARKS; i++) {
        if (begins_with(at, MARKS[i][0]))
            return skip_past(at + strlen(MARKS[i][0]), MARKS[i][1], end);
    }
    return strchr("!/", at[1]) ? at + 1 : skip_tag(at + 1, end, attributes);
}

/*
 * True when no tag has very many attributes, each of which libxml2 compares with each; and the tags are not very many,
 * whose names it would keep.
 */
static bool is_modest(const char *at, const char *end)
{
    int tags = 0;
    int attributes = 0;

    while ((at = strchr(at, '<')) != NULL) {
        at = skip_markup(at, end, &attributes);
        if (++tags > MOST_TAGS || attributes > MOST_ATTRIBUTES)
            return false;
    }
    return true;
}

bool nx_xml_is_harmless(const char *text, const char *end)
{
    return is_text(text, end) && !strstr(text, "<!DOCTYPE") && !strstr(text, "<?oasis-xml-catalog") &&
           is_modest(text, end);
}

#endif
