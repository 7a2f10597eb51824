#include "ledger/agenda.h"

#include <stdlib.h>

static bool comes_before(const struct entry *a, const struct entry *b)
{
    return a->time_us < b->time_us || (a->time_us == b->time_us && a->age < b->age);
}

static void make_room(struct agenda *agenda)
{
    if (agenda->count < agenda->room)
        return;
    agenda->room = agenda->room ? 2 * agenda->room : 1024;
    agenda->entries = realloc(agenda->entries, agenda->room * sizeof *agenda->entries);
    if (!agenda->entries)
        exit(2);
}

void agenda_add(struct agenda *agenda, int64_t time_us, uint32_t kind, uint32_t number, uint32_t part)
{
    const struct entry entry = {time_us, agenda->age++, kind, number, part};
    size_t at = agenda->count;

    make_room(agenda);
    agenda->count++;
    for (; at > 0 && comes_before(&entry, agenda->entries + (at - 1) / 2); at = (at - 1) / 2)
        agenda->entries[at] = agenda->entries[(at - 1) / 2];
    agenda->entries[at] = entry;
}

bool agenda_next(struct agenda *agenda, struct entry *entry)
{
    struct entry last;
    size_t at = 0;

    if (agenda->count == 0)
        return false;
    *entry = agenda->entries[0];
    last = agenda->entries[--agenda->count];
    for (size_t child = 1; child < agenda->count; child = 2 * at + 1) {
        if (child + 1 < agenda->count && comes_before(agenda->entries + child + 1, agenda->entries + child))
            child++;
        if (!comes_before(agenda->entries + child, &last))
            break;
        agenda->entries[at] = agenda->entries[child];
        at = child;
    }
    agenda->entries[at] = last;
    return true;
}

void agenda_free(struct agenda *agenda)
{
    free(agenda->entries);
    *agenda = (struct agenda){0};
}
