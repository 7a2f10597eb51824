#include "bans.h"

#include <stddef.h>
#include <string.h>

static const struct emu_ban bans[] = {
    {"html-401", "html-401"},   {"html-403", "html-403"},   {"html-404", "html-404"}, {"empty-401", "empty-401"},
    {"empty-403", "empty-403"}, {"empty-404", "empty-404"}, {"close", NULL},
};

const struct emu_ban *emu_ban_find(const char *name)
{
    for (size_t i = 0; i < sizeof(bans) / sizeof(bans[0]); i++) {
        if (strcmp(bans[i].name, name) == 0)
            return &bans[i];
    }
    return NULL;
}
