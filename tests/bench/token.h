/* The token in the answers that are parsed. */
#ifndef NX_BENCH_TOKEN_H
#define NX_BENCH_TOKEN_H

#include "core/text.h"

enum { TOKEN_SIZE = 1000 };

/* Adds a token of that many characters, with `plus` for each that is a '+'. */
void bench_add_token(struct nx_text *text, const char *plus);

#endif
