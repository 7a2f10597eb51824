#include "bench/token.h"

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/";

/* Steps of a linear congruential generator: no run of the text repeats. */
void bench_add_token(struct nx_text *text, const char *plus)
{
    unsigned int state = 1;

    for (int i = 0; i < TOKEN_SIZE; i++) {
        state = state * 1664525U + 1013904223U;
        if (state >> 26 == sizeof ALPHABET - 1)
            nx_text_add(text, plus);
        else
            nx_text_add_bytes(text, &ALPHABET[state >> 26], 1);
    }
}
