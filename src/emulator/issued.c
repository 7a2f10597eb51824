#include "issued.h"

#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct emu_once {
    struct emu_once *older;
    enum emu_kind kind;
    struct emu_whose whose;
    char *text;
    int64_t until_us;
    bool spent;
    bool revoked;
};

char *emu_random_text(const char *prefix)
{
    unsigned char bytes[20];
    char digits[sizeof(bytes) * 2 + 1];

    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        abort(); /* up to 256 bytes are never short once the generator is seeded */
    for (size_t i = 0; i < sizeof(bytes); i++)
        snprintf(digits + 2 * i, 3, "%02x", bytes[i]);
    return emu_format("%s%s", prefix, digits);
}

const char *emu_issued_add(struct emu_issued *issued, enum emu_kind kind, struct emu_whose whose, int64_t until_us)
{
    struct emu_once *once = emu_allocate(sizeof(*once));

    *once = (struct emu_once){
        .older = issued->newest,
        .kind = kind,
        .whose = whose,
        .text = emu_random_text(kind == EMU_CODE ? "code-" : "refresh-"),
        .until_us = until_us,
    };
    issued->newest = once;
    return once->text;
}

static struct emu_once *find(const struct emu_issued *issued, enum emu_kind kind, const char *text)
{
    struct emu_once *once = issued->newest;

    while (once && (once->kind != kind || strcmp(once->text, text) != 0))
        once = once->older;
    return once;
}

const cJSON *emu_issued_use(struct emu_issued *issued, enum emu_kind kind, const cJSON *app, const char *text,
                            int64_t now_us, bool again)
{
    struct emu_once *once = find(issued, kind, text);

    if (!once || once->whose.app != app)
        return NULL;
    if (once->spent)
        issued->reused[kind]++;
    if (once->spent || once->revoked || now_us >= once->until_us)
        return NULL;
    once->spent = !again;
    return once->whose.user;
}

bool emu_issued_revoke(struct emu_issued *issued, const char *text)
{
    struct emu_once *once = text ? find(issued, EMU_REFRESH_TOKEN, text) : NULL;

    if (text && !once)
        return false;
    if (once)
        once->revoked = true;
    for (struct emu_once *each = text ? NULL : issued->newest; each; each = each->older)
        each->revoked = each->revoked || each->kind == EMU_REFRESH_TOKEN;
    return true;
}

void emu_issued_clear(struct emu_issued *issued)
{
    while (issued->newest) {
        struct emu_once *once = issued->newest;
        issued->newest = once->older;
        free(once->text);
        free(once);
    }
    *issued = (struct emu_issued){0};
}
