/*
 * Distinctive secrets, made anew in each run, so that they stand in no program's text, and the search for them in every
 * form in which something might give them away.
 */
#ifndef NX_TEST_CANARIES_H
#define NX_TEST_CANARIES_H

#include "support/emulator.h"

#include <stdbool.h>
#include <stddef.h>

enum canary {
    CANARY_NEX_SECRET,
    CANARY_PASSWORD,
    CANARY_CONTROLLER_SECRET,
    CANARY_QUANTOZ_SECRET,
    CANARY_APP_SECRET,
    CANARY_XSPE,
    CANARY_API_KEY,
    CANARY_CLIENT_KEY,    /* in a file, for TLS */
    CANARY_REFRESH_TOKEN, /* of an earlier process */
    CANARY_CODE,          /* what follows comes from services that a test scripts */
    CANARY_ACCESS_TOKEN,
    CANARY_NEXT_REFRESH_TOKEN,
    CANARY_KINDS
};

enum { CANARY_SIZE = 41, CANARY_NEEDLE = 512 };

/* Each is 40 visible characters long; those that an encoding changes are among them. */
struct canaries {
    char secrets[CANARY_KINDS][CANARY_SIZE];
};

void canaries_hatch(struct canaries *canaries);

/* An emulator whose accounts have these secrets. 0, or -1. */
int canaries_start_emulator(const struct canaries *canaries, struct emulator *emulator);

/* A secret as it is, or as one of the encodings has it; a part of a longer base64 too. */
struct needles {
    char (*forms)[CANARY_NEEDLE];
    size_t count, room;
};

/* Adds all forms of a secret, each once. */
void needles_add(struct needles *needles, const char *secret);
void needles_release(struct needles *needles);

/* How often any of them stands in the bytes. */
size_t needles_count(const struct needles *needles, const void *bytes, size_t size);

/* The line of text around the first place where one of them stands; "" when there is none. */
void needles_quote(const struct needles *needles, const void *bytes, size_t size, char *out, size_t out_size);

/* How a secret is worded: as it is, percent- or form-encoded, in two ways of JSON's, HTML's, in base64. */
enum { CANARY_WAYS = 7, CANARY_IN_URL = 1, CANARY_IN_JSON = 3, CANARY_IN_HTML = 5 };
void canary_word(const char *secret, int way, char *out, size_t size);

#endif
