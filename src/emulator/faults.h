#ifndef EMU_FAULTS_H
#define EMU_FAULTS_H

#include "service.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

/*
 * Faults: what goes wrong with the next requests of a path. The faults of a path are a queue; each request takes the
 * first one, and a fault leaves the queue after `times` requests. A fault lives until the last request that took it
 * released it.
 */

struct emu_fault {
    struct emu_fault *next;
    const struct emu_service *service;
    size_t path;
    long times; /* 0: no longer queued */
    unsigned int users;
    long delay_ms;
    bool drop;
    bool process; /* let the service do its work even though its answer never leaves */
    const cJSON *answer;
    const cJSON *connect;
    cJSON *description; /* the two above point into it */
};

struct emu_faults {
    struct emu_fault *first;
};

/* Queues the fault that a JSON object describes. NULL, or a sentence that says what is wrong with the description. */
const char *emu_faults_add(struct emu_faults *faults, const char *text, size_t length);

/* The fault that this request meets, to be released; NULL when all goes well. */
struct emu_fault *emu_faults_take(struct emu_faults *faults, const struct emu_request *request);
void emu_fault_release(struct emu_fault *fault);

/* Fills in the answer that the fault gives instead of the service's. */
void emu_fault_answer(const struct emu_fault *fault, struct emu_answer *answer);

void emu_faults_clear(struct emu_faults *faults);

#endif
