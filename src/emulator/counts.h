#ifndef EMU_COUNTS_H
#define EMU_COUNTS_H

#include "arrivals.h"
#include "service.h"

#include <cjson/cJSON.h>
#include <stdint.h>

/*
 * How often each path of each vendor was asked, and how many requests came within any window of time: what a limiter at
 * the door would have seen. The paths that a vendor does not have are counted together.
 */

struct emu_count {
    unsigned long requests;
    unsigned long in_flight; /* read to the end, not yet answered */
    unsigned long unread;    /* dropped before they were read */
    unsigned long connections;
    struct emu_arrivals arrivals; /* of all requests, read or not */
};

struct emu_counts {
    struct emu_count of[EMU_VENDORS][EMU_ROUTES_MAX + 1];
    struct emu_arrivals arrivals[EMU_VENDORS];
    unsigned long resets;
};

/* Which paths a connection has asked since which reset. Zeroed when the connection begins. */
struct emu_seen {
    unsigned long resets;
    uint32_t paths;
};

/* The head of a request was read. */
struct emu_count *emu_counts_arrive(struct emu_counts *counts, const struct emu_request *request, int64_t now_us);

/* All of it was read. */
struct emu_count *emu_counts_begin(struct emu_counts *counts, const struct emu_request *request, struct emu_seen *seen);

/*
 * {"nex /v1.0/Token": {"requests", "in_flight", "unread", "connections", "largest_in_window"}, ..., "nex other": {...},
 * "nex *": {"requests", "unread", "largest_in_window"}, ...}
 */
cJSON *emu_counts_report(const struct emu_counts *counts, int64_t window_us);

/* Requests that are being answered remain in flight. */
void emu_counts_reset(struct emu_counts *counts);

void emu_counts_release(struct emu_counts *counts);

#endif
