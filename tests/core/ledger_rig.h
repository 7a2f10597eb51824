/* What the tests of the ledger share: asking, ending and looking, with what is expected said in the name. */
#ifndef NX_TEST_LEDGER_RIG_H
#define NX_TEST_LEDGER_RIG_H

#include "core/ledger.h"

#define SECOND INT64_C(1000000)
#define START  (1000 * SECOND)

/* How long a slot of a gate with a window of one second is busy after an answer, and after it was given up. */
#define COOLS (SECOND + SECOND / 1000)
#define LOST  (COOLS + NX_LEDGER_GRACE_US)

#define NOBODY UINT32_MAX

/* Room for 64 tickets and 4096 slots; to be freed by free(). */
struct nx_ledger *make_ledger(void);

/* A gate of so many in a second, which uses all from the beginning. */
int make_gate(struct nx_ledger *ledger, uint64_t key, uint32_t allowed);

/* For one gate, or two, with no deadline, of owner 0. */
struct nx_want want(enum nx_lane lane, int gate);
struct nx_want want_both(enum nx_lane lane, int one, int other);
struct nx_want by(uint32_t owner, struct nx_want want);
struct nx_want until(int64_t deadline_us, struct nx_want want);

/* Both give the ticket, which must be out or waiting. */
uint32_t ask_now(struct nx_ledger *ledger, struct nx_want want, int64_t now_us);
uint32_t ask_waits(struct nx_ledger *ledger, struct nx_want want, int64_t now_us);

/* There must be no ticket; the earliest time. */
int64_t ask_never(struct nx_ledger *ledger, struct nx_want want, int64_t now_us);

/* Asks and ends so many at once, answered and fine. */
void spend(struct nx_ledger *ledger, int gate, uint32_t count, int64_t now_us);

/* The owner's next ticket, which must not be late; or which must be. NOBODY: none. */
uint32_t next_of(struct nx_ledger *ledger, uint32_t owner, int64_t now_us);
uint32_t next_late(struct nx_ledger *ledger, uint32_t owner, int64_t now_us);

void end_as(struct nx_ledger *ledger, uint32_t ticket, enum nx_end end, int64_t now_us);
void end_fine(struct nx_ledger *ledger, uint32_t ticket, int64_t now_us);

/* A refusal that grows and says nothing of its length, without jitter. */
void end_refused(struct nx_ledger *ledger, uint32_t ticket, int held, int64_t now_us);

struct nx_gate_figures figures_of(const struct nx_ledger *ledger, int gate, int64_t now_us);

#endif
