#include "bench/token.h"

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static bool is_dot(int place)
{
    return place == 36 || place == TOKEN_SIZE - 343;
}

/* Steps of a linear congruential generator: no run of the text repeats. */
void bench_add_token(struct nx_text *text)
{
    unsigned int state = 1;

    for (int i = 0; i < TOKEN_SIZE; i++) {
        state = state * 1664525U + 1013904223U;
        nx_text_add_bytes(text, is_dot(i) ? "." : &ALPHABET[state >> 26], 1);
    }
}
