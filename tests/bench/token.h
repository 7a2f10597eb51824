/* The token in the answers that are parsed. */
#ifndef NX_BENCH_TOKEN_H
#define NX_BENCH_TOKEN_H

#include "core/text.h"

enum { TOKEN_SIZE = 1000 };

/* Adds a token of that size, which looks like a signed one: no character of it needs an escape. */
void bench_add_token(struct nx_text *text);

#endif
