#include "core/ledger_parts.h"

enum { FIRST_WIDTH = 1, LAST_WIDTH = 1024, MOST_REFUSALS = 64 };

#define SECOND_US  INT64_C(1000000)
#define UNSAID_US  (10 * SECOND_US)
#define LONGEST_US (3600 * SECOND_US)

static int64_t hold_us(const struct nx_outcome *outcome, uint32_t refusals)
{
    int64_t us = outcome->retry_after_us ? outcome->retry_after_us : UNSAID_US;

    us = nx_ledger_sooner(nx_ledger_later(us, SECOND_US), LONGEST_US);
    for (uint32_t i = 1; i < refusals && outcome->grows && us < LONGEST_US; i++)
        us *= 2;
    us = nx_ledger_sooner(us, LONGEST_US);
    return us + (int64_t)((uint64_t)(us / 5) * outcome->draw >> 32);
}

/* Whether a request had left before the gate's last hold began: what it brings says nothing of what came after. */
static bool is_older(const struct nx_gate *gate, int64_t sent_us)
{
    return gate->held_until_us && sent_us <= gate->held_since_us;
}

void nx_gate_refuse(struct nx_gate *gate, const struct nx_outcome *outcome, int64_t sent_us, int64_t now_us)
{
    if (!is_older(gate, sent_us)) {
        gate->refusals += gate->refusals < MOST_REFUSALS;
        gate->held_since_us = now_us;
    }
    gate->width = FIRST_WIDTH;
    gate->held_until_us = nx_ledger_later(gate->held_until_us, nx_ledger_add(now_us, hold_us(outcome, gate->refusals)));
}

void nx_gate_approve(struct nx_gate *gate, int64_t sent_us)
{
    const uint32_t enough = gate->allowed ? gate->allowed : LAST_WIDTH;

    if (is_older(gate, sent_us))
        return;
    gate->refusals = 0;
    if (!gate->width || ++gate->fine < gate->width)
        return;
    gate->fine = 0;
    gate->width = gate->width * 2 < enough ? gate->width * 2 : 0;
}
