#ifndef EMU_EMULATOR_H
#define EMU_EMULATOR_H

#include "counts.h"
#include "faults.h"
#include "issued.h"

#include <cjson/cJSON.h>
#include <pthread.h>
#include <stdbool.h>

/* What all services share. Everything but `accounts` and `lifetime_s`, which do not change, is guarded by `lock`. */
struct emu {
    pthread_mutex_t lock;
    pthread_cond_t ended; /* on CLOCK_MONOTONIC: wakes the answers that are delayed */
    bool ending;
    const cJSON *accounts;
    long lifetime_s; /* of all tokens; 0: each vendor's own */
    struct emu_issued issued;
    struct emu_faults faults;
    struct emu_counts counts;
};

#endif
