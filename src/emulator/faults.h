#ifndef EMU_FAULTS_H
#define EMU_FAULTS_H

#include "service.h"
#include "shapes.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Faults: what goes wrong with the next requests of a path, or of everything at a service's origin. Both are queues;
 * each request takes one fault, the first one of the origin's or else the first one of its path's, as soon as its head
 * was read. A fault leaves its queue after `times` requests, when its time is over, or when it is cleared. It lives
 * until the last request that took it released it.
 */

enum emu_drop { EMU_NO_DROP, EMU_DROP_BEFORE_READING, EMU_DROP_AFTER_READING, EMU_DROP_IN_ANSWER };

struct emu_fault {
    struct emu_fault *next;
    const struct emu_service *service;
    bool everywhere; /* at the service's origin; else: */
    size_t path;
    bool queued;
    long times;       /* left; 0: without number */
    int64_t until_us; /* INT64_MAX: without end */
    unsigned int users;
    long read_delay_ms; /* before the body is read */
    long delay_ms;      /* before the answer */
    long drip_ms;       /* between two bytes of the answer's body; 0: all at once */
    enum emu_drop drop;
    bool process; /* let the service do its work even though its answer never leaves */
    const struct emu_shape *shape;
    struct emu_answer *answer; /* instead of the service's, as it is */
    const cJSON *connect;      /* part of: */
    cJSON *description;
};

struct emu_faults {
    struct emu_fault *first;
};

/*
 * Reads what a JSON object describes, which becomes the fault's. NULL, or a sentence that says what is wrong with it.
 */
const char *emu_fault_read(const struct emu_shapes *shapes, cJSON *description, int64_t now_us,
                           struct emu_fault *fault);

/* Queues the fault that a JSON text describes. NULL, or a sentence that says what is wrong with the description. */
const char *emu_faults_add(struct emu_faults *faults, const struct emu_shapes *shapes, const char *text, size_t length,
                           int64_t now_us);

/* The fault that this request meets, to be released; NULL when all goes well. */
struct emu_fault *emu_faults_take(struct emu_faults *faults, const struct emu_request *request, int64_t now_us);
void emu_fault_release(struct emu_fault *fault);

/* Gives the answer that the fault has instead of the service's, if it has one. */
void emu_fault_answer(const struct emu_fault *fault, struct emu_answer *answer);

/* A list of what is queued: the descriptions, each with the `times` that are left. */
cJSON *emu_faults_report(struct emu_faults *faults, int64_t now_us);

void emu_faults_clear(struct emu_faults *faults);

#endif
