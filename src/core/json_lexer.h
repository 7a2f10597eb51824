/*
 * The words of JSON (RFC 8259) over raw bytes: no raw control characters in strings, no invalid UTF-8, no \u0000, no
 * lone surrogates, no number of more than 63 characters. Each function takes one word and says whether it was there;
 * when it was not, the lexer stands somewhere in the midst, and the document is none.
 */
#ifndef NX_JSON_LEXER_H
#define NX_JSON_LEXER_H

#include "core/encode.h"

#include <stdbool.h>
#include <stddef.h>

struct nx_json_lexer {
    const char *at;
    const char *end;
    bool escaped; /* the string taken last holds an escape */
};

/* The next byte; NUL at the end, which the grammar has no place for either. */
static inline char nx_json_peek(const struct nx_json_lexer *lexer)
{
    if (lexer->at == lexer->end)
        return '\0';
    return *lexer->at;
}

static inline bool nx_json_take(struct nx_json_lexer *lexer, char c)
{
    if (lexer->at == lexer->end || *lexer->at != c)
        return false;
    lexer->at++;
    return true;
}

static inline void nx_json_skip_blanks(struct nx_json_lexer *lexer)
{
    while (lexer->at < lexer->end && nx_is_blank(*lexer->at))
        lexer->at++;
}

bool nx_json_take_literal(struct nx_json_lexer *lexer, const char *literal);
bool nx_json_take_number(struct nx_json_lexer *lexer);

/* With its quotation marks. */
bool nx_json_take_string(struct nx_json_lexer *lexer);

#endif
