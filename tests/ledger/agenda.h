/* What happens next in the simulation: events by time, and by age where times are the same. */
#ifndef LEDGER_AGENDA_H
#define LEDGER_AGENDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct entry {
    int64_t time_us;
    uint64_t age;
    uint32_t kind, number, part;
};

struct agenda {
    struct entry *entries;
    size_t count, room;
    uint64_t age;
};

void agenda_add(struct agenda *agenda, int64_t time_us, uint32_t kind, uint32_t number, uint32_t part);
bool agenda_next(struct agenda *agenda, struct entry *entry);
void agenda_free(struct agenda *agenda);

#endif
