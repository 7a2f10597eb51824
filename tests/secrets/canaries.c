#define _GNU_SOURCE /* memmem() */
#include "canaries.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* A text that is added to; what does not fit ends the program, as it is the test's own mistake. */
struct wording {
    char *text;
    size_t size, length;
};

static void add(struct wording *wording, const char *bytes, size_t size)
{
    if (wording->length + size >= wording->size)
        abort();
    memcpy(wording->text + wording->length, bytes, size);
    wording->length += size;
    wording->text[wording->length] = '\0';
}

static void add_string(struct wording *wording, const char *string)
{
    add(wording, string, strlen(string));
}

static void add_hex(struct wording *wording, const char *format, char c)
{
    char hex[16];

    snprintf(hex, sizeof hex, format, (unsigned int)(unsigned char)c); /* NOLINT(clang-diagnostic-format-nonliteral) */
    add_string(wording, hex);
}

static void word_plain(struct wording *wording, char c)
{
    add(wording, &c, 1);
}

static void word_percent(struct wording *wording, char c)
{
    if (isalnum((unsigned char)c) || strchr("-._~", c))
        add(wording, &c, 1);
    else
        add_hex(wording, "%%%02X", c);
}

static void word_form(struct wording *wording, char c)
{
    if (isalnum((unsigned char)c) || strchr("-._*", c))
        add(wording, &c, 1);
    else if (c == ' ')
        add_string(wording, "+");
    else
        add_hex(wording, "%%%02X", c);
}

static void word_json(struct wording *wording, char c)
{
    if (c == '"' || c == '\\')
        add_string(wording, "\\");
    add(wording, &c, 1);
}

static void word_json_strictly(struct wording *wording, char c)
{
    if (isalnum((unsigned char)c))
        add(wording, &c, 1);
    else
        add_hex(wording, "\\u%04x", c);
}

static void word_html(struct wording *wording, char c)
{
    if (strchr("\"&<>'", c))
        add_hex(wording, "&#%u;", c);
    else
        add(wording, &c, 1);
}

void canary_word(const char *secret, int way, char *out, size_t size)
{
    static void (*const ways[CANARY_WAYS])(struct wording *, char) = {word_plain, word_percent,       word_form,
                                                                      word_json,  word_json_strictly, word_html};
    struct wording wording = {out, size, 0};

    *out = '\0';
    for (; *secret; secret++)
        ways[way](&wording, *secret);
}

/* The characters of base64 that depend on the bytes alone, whatever `ahead` bytes (0 to 2) stood before them. */
static void word_base64(const char *secret, size_t ahead, char *out)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const size_t end = (strlen(secret) + ahead) * 8 / 6;

    for (size_t i = (ahead * 8 + 5) / 6; i < end; i++) {
        unsigned int bits = 0;

        for (size_t bit = i * 6; bit < i * 6 + 6; bit++)
            bits = bits << 1 | ((unsigned char)secret[bit / 8 - ahead] >> (7 - bit % 8) & 1);
        *out++ = alphabet[bits];
    }
    *out = '\0';
}

static void add_needle(struct needles *needles, const char *text)
{
    for (size_t i = 0; i < needles->count; i++) {
        if (strcmp(needles->forms[i], text) == 0)
            return;
    }
    if (needles->count == needles->room) {
        needles->room = needles->room * 2 + 64;
        needles->forms = realloc(needles->forms, needles->room * sizeof *needles->forms);
        if (!needles->forms)
            abort();
    }
    if (strlen(text) >= CANARY_NEEDLE)
        abort();
    memcpy(needles->forms[needles->count++], text, strlen(text) + 1);
}

void needles_add(struct needles *needles, const char *secret)
{
    for (int way = 0; way < CANARY_WAYS; way++) {
        char worded[CANARY_NEEDLE];
        char encoded[CANARY_NEEDLE * 2];

        canary_word(secret, way, worded, sizeof worded);
        add_needle(needles, worded);
        for (size_t ahead = 0; ahead < 3; ahead++) {
            word_base64(worded, ahead, encoded);
            encoded[CANARY_NEEDLE - 1] = '\0'; /* so much of it tells as well */
            add_needle(needles, encoded);
        }
    }
}

void needles_release(struct needles *needles)
{
    free(needles->forms);
    *needles = (struct needles){0};
}

size_t needles_count(const struct needles *needles, const void *bytes, size_t size)
{
    size_t count = 0;

    for (size_t i = 0; i < needles->count; i++) {
        const char *needle = needles->forms[i];
        const size_t length = strlen(needle);
        const char *at = bytes;
        size_t left = size;

        for (const char *hit; (hit = memmem(at, left, needle, length)) != NULL; at = hit + 1) {
            left -= (size_t)(hit + 1 - at);
            count++;
        }
    }
    return count;
}

void canaries_hatch(struct canaries *canaries)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    static const char others[] = "&<%+/=\\'\"~";

    for (int i = 0; i < CANARY_KINDS; i++) {
        char *secret = canaries->secrets[i];

        if (getrandom(secret, CANARY_SIZE - 1, 0) != CANARY_SIZE - 1)
            abort();
        for (size_t at = 0; at < CANARY_SIZE - 1; at++) {
            const size_t drawn = (unsigned char)secret[at] % (sizeof letters - 1);

            secret[at] = at % 8 == 7 ? others[(at / 8 + (size_t)i) % (sizeof others - 1)] : letters[drawn];
        }
        secret[CANARY_SIZE - 1] = '\0';
    }
}

void canaries_word_accounts(const struct canaries *canaries, char *text, size_t size)
{
    /* A digit stands for a secret. */
    static const char accounts[] =
        "{\"nex\":[{\"client_id\":\"company\",\"client_secret\":\"#0\","
        "\"users\":[{\"username\":\"name\",\"password\":\"#1\",\"scope\":\"user\"}],"
        "\"controllers\":[{\"controller_id\":\"unit\",\"controller_secret\":\"#2\",\"scope\":\"controller\"}]}],"
        "\"quantoz_test\":[{\"client_id\":\"client\",\"client_secret\":\"#3\",\"scopes\":[\"api1\"]}],"
        "\"nexusguard\":[{\"app_id\":\"app\",\"secret\":\"#4\",\"redirect_uri\":\"https://app.example.com/callback\","
        "\"customers\":[{\"customer_id\":\"C-1001\",\"xspe\":\"#5\"}]}]}";
    struct wording wording = {text, size, 0};

    for (const char *at = accounts; *at; at++) {
        if (*at == '#') {
            for (const char *c = canaries->secrets[*++at - '0']; *c; c++)
                word_json(&wording, *c);
        } else {
            add(&wording, at, 1);
        }
    }
}
