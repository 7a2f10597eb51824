#include "core/json_lexer.h"

#include <string.h>

/* cJSON reads no more of a number than 63 characters. */
enum { LONGEST_NUMBER = 63 };

bool nx_json_take_literal(struct nx_json_lexer *lexer, const char *literal)
{
    size_t size = strlen(literal);

    if ((size_t)(lexer->end - lexer->at) < size || memcmp(lexer->at, literal, size) != 0)
        return false;
    lexer->at += size;
    return true;
}

static bool take_digits(struct nx_json_lexer *lexer)
{
    const char *start = lexer->at;

    while (nx_is_digit(nx_json_peek(lexer)))
        lexer->at++;
    return lexer->at > start;
}

bool nx_json_take_number(struct nx_json_lexer *lexer)
{
    const char *start = lexer->at;

    nx_json_take(lexer, '-');
    if (!nx_json_take(lexer, '0') && !take_digits(lexer))
        return false;
    if (nx_json_take(lexer, '.') && !take_digits(lexer))
        return false;
    if (nx_json_take(lexer, 'e') || nx_json_take(lexer, 'E')) {
        if (!nx_json_take(lexer, '+'))
            nx_json_take(lexer, '-');
        if (!take_digits(lexer))
            return false;
    }
    return lexer->at - start <= LONGEST_NUMBER;
}

/* Takes four hex digits; -1 when they are not there. */
static int take_hex(struct nx_json_lexer *lexer)
{
    int unit = 0;

    for (int i = 0; i < 4; i++) {
        int digit = nx_hex_value(nx_json_peek(lexer));

        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
        lexer->at++;
    }
    return unit;
}

/* What follows \u: a character of the basic plane, or a pair of surrogates. */
static bool take_unicode_escape(struct nx_json_lexer *lexer)
{
    int unit = take_hex(lexer);

    if (unit <= 0 || (unit >= 0xdc00 && unit <= 0xdfff))
        return false;
    if (unit < 0xd800 || unit > 0xdbff)
        return true;
    if (!nx_json_take_literal(lexer, "\\u"))
        return false;
    unit = take_hex(lexer);
    return unit >= 0xdc00 && unit <= 0xdfff;
}

static bool take_escape(struct nx_json_lexer *lexer)
{
    char c = nx_json_peek(lexer);

    if (c == '\0' || strchr("\"\\/bfnrtu", c) == NULL)
        return false;
    lexer->at++;
    return c != 'u' || take_unicode_escape(lexer);
}

static bool take_beyond_ascii(struct nx_json_lexer *lexer)
{
    const size_t size = nx_utf8_size(lexer->at, (size_t)(lexer->end - lexer->at));

    lexer->at += size;
    return size > 1;
}

bool nx_json_take_string(struct nx_json_lexer *lexer)
{
    bool good = nx_json_take(lexer, '"');

    lexer->escaped = false;
    while (good) {
        lexer->at = nx_skip_ascii(lexer->at, lexer->end, ' ', '"', '\\');
        if (nx_json_take(lexer, '"'))
            return true;
        if (nx_json_take(lexer, '\\')) {
            lexer->escaped = true;
            good = take_escape(lexer);
        } else {
            good = take_beyond_ascii(lexer);
        }
    }
    return false;
}
