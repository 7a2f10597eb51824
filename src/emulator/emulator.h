#ifndef EMU_EMULATOR_H
#define EMU_EMULATOR_H

#include "counts.h"
#include "faults.h"
#include "issued.h"
#include "limits.h"
#include "shapes.h"
#include "tls_faults.h"
#include "tokens.h"

#include <cjson/cJSON.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* What all services share. Everything but `accounts` and `shapes`, which do not change, is guarded by `lock`. */
struct emu {
    pthread_mutex_t lock;
    pthread_cond_t ended; /* on CLOCK_MONOTONIC: wakes the answers that are delayed */
    bool ending;
    int64_t ahead_us; /* how far the emulator's clock was moved on */
    bool stopped;     /* the clock stands, but for being moved on, at: */
    int64_t stopped_us;
    const cJSON *accounts;
    struct emu_shapes shapes;
    struct emu_issued issued;
    struct emu_tokens tokens;
    struct emu_tokens at_start; /* of which only the manners count */
    struct emu_faults faults;
    struct emu_counts counts;
    struct emu_limits limits;
    struct emu_limits limits_at_start; /* of which only the limits count */
    struct emu_tls_faults tls_faults;
};

void emu_init(struct emu *emu);
void emu_release(struct emu *emu);

/* Microseconds of the emulator's clock, which tokens, codes, bans, limits and counts go by. Delays do not. */
int64_t emu_now_us(const struct emu *emu);

/* Has the clock stand, or go on from where it stands. */
void emu_stop_clock(struct emu *emu, bool stopped);

/* Waits so long, with the lock open meanwhile. False when the emulator ends. */
bool emu_wait_ms(struct emu *emu, long delay_ms);

/* Wakes all that wait, for good. */
void emu_end(struct emu *emu);

/* Forgets counts, faults, who came, and all that was issued; goes back to the manners and limits of the start, and to
 * the true time. */
void emu_reset(struct emu *emu);

#endif
