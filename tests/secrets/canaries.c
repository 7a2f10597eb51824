#define _GNU_SOURCE /* memmem() */
#include "canaries.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { CHARACTER_WAYS = CANARY_WAYS - 1 };

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

/* The characters of base64 from number `start` to before `end`, where `ahead` bytes (0 to 2) stood before the secret.
 */
static void word_base64(const char *secret, size_t ahead, size_t start, size_t end, char *out)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const size_t length = strlen(secret);

    for (size_t i = start; i < end; i++) {
        unsigned int bits = 0;

        for (size_t bit = i * 6; bit < i * 6 + 6; bit++) {
            const size_t at = bit / 8 - ahead;

            bits = bits << 1 | (at < length ? (unsigned char)secret[at] >> (7 - bit % 8) & 1 : 0);
        }
        *out++ = alphabet[bits];
    }
    *out = '\0';
}

void canary_word(const char *secret, int way, char *out, size_t size)
{
    static void (*const ways[CHARACTER_WAYS])(struct wording *, char) = {word_plain, word_percent,       word_form,
                                                                         word_json,  word_json_strictly, word_html};
    struct wording wording = {out, size, 0};

    *out = '\0';
    if (way == CHARACTER_WAYS) {
        const size_t length = (strlen(secret) * 8 + 5) / 6;

        if (size < length + 4)
            abort();
        word_base64(secret, 0, 0, length, out);
        snprintf(out + length, 4, "%.*s", (int)((4 - length % 4) % 4), "===");
        return;
    }
    for (; *secret; secret++)
        ways[way](&wording, *secret);
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
    for (int way = 0; way < CHARACTER_WAYS; way++) {
        char worded[CANARY_NEEDLE];
        char encoded[CANARY_NEEDLE * 2];

        canary_word(secret, way, worded, sizeof worded);
        add_needle(needles, worded);
        for (size_t ahead = 0; ahead < 3; ahead++) {
            /* What depends on the secret alone, whatever stands around it. */
            word_base64(worded, ahead, (ahead * 8 + 5) / 6, (strlen(worded) + ahead) * 8 / 6, encoded);
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

void needles_quote(const struct needles *needles, const void *bytes, size_t size, char *out, size_t out_size)
{
    const char *at = NULL;

    *out = '\0';
    for (size_t i = 0; i < needles->count && !at; i++)
        at = memmem(bytes, size, needles->forms[i], strlen(needles->forms[i]));
    if (!at)
        return;
    while (at > (const char *)bytes && isprint((unsigned char)at[-1]))
        at--;
    snprintf(out, out_size, "%.*s", (int)((const char *)bytes + size - at), at);
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

            if (at % 8 == 7)
                secret[at] = others[(at / 8 + (size_t)i) % (sizeof others - 1)];
            else
                secret[at] = letters[drawn];
        }
        secret[CANARY_SIZE - 1] = '\0';
    }
}

static void word_accounts(const struct canaries *canaries, char *text, size_t size)
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

int canaries_start_emulator(const struct canaries *canaries, struct emulator *emulator)
{
    char accounts[] = "accounts-XXXXXX";
    const char *const arguments[] = {"--accounts", accounts, NULL};
    char text[4096];
    const int file = mkstemp(accounts);
    int result = -1;

    word_accounts(canaries, text, sizeof text);
    if (file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text))
        result = emulator_start(emulator, arguments);
    close(file);
    unlink(accounts);
    return result;
}
