#ifndef EMU_COUNTS_H
#define EMU_COUNTS_H

#include "service.h"

#include <cjson/cJSON.h>
#include <stdint.h>

/* How often each path of each vendor was asked. The paths that a vendor does not have are counted together. */

struct emu_count {
    unsigned long requests;
    unsigned long in_flight; /* read to the end, not yet answered */
    unsigned long connections;
};

struct emu_counts {
    struct emu_count of[EMU_VENDORS][EMU_ROUTES_MAX + 1];
    unsigned long resets;
};

/* Which paths a connection has asked since which reset. Zeroed when the connection begins. */
struct emu_seen {
    unsigned long resets;
    uint32_t paths;
};

struct emu_count *emu_counts_begin(struct emu_counts *counts, const struct emu_request *request, struct emu_seen *seen);

/* {"nex /v1.0/Token": {"requests", "in_flight", "connections"}, ..., "nex other": {...}, ...} */
cJSON *emu_counts_report(const struct emu_counts *counts);

/* Requests that are being answered remain in flight. */
void emu_counts_reset(struct emu_counts *counts);

#endif
