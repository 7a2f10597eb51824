/*
 * Who is next. All heads are gone through in one order, so that nobody can stand in another's way for good: API calls
 * whose turn it is, token requests, other API calls; each by arrival. A head that cannot go reserves one slot in each
 * of its gates in which nobody before it did. One behind a hold reserves nothing, as it will not go soon.
 *
 * It is an API call's turn when in each of its gates in which token requests wait, three of those went since it was
 * one's turn, and no older API call waits in any of them. (If one such gate sufficed, a quick gate would carry API
 * calls past all token requests of a slow one; if younger ones could use the turn, those of several gates might never
 * meet theirs. A call that goes where no token request can takes no turn.)
 */
#include "core/ledger_parts.h"

enum { RUN = 3 };

struct walk {
    const struct nx_ledger *ledger;
    uint32_t caller;
    int64_t now_us;
    bool reserved[NX_LEDGER_GATES];
    bool called[NX_LEDGER_GATES]; /* an API call before needs it */
};

enum stage { STAGE_DUE, STAGE_TOKENS, STAGE_CALLS, STAGES };

static bool fits(const struct walk *walk, const int32_t *gates, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct nx_gate *gate = &walk->ledger->gates[gates[i]];

        if (nx_gate_room(walk->ledger, gate, walk->now_us) <= walk->reserved[gates[i]])
            return false;
    }
    return true;
}

static bool is_held(const struct walk *walk, const struct nx_queue *queue)
{
    for (uint32_t i = 0; i < queue->count; i++) {
        if (nx_gate_held(&walk->ledger->gates[queue->gates[i]], walk->now_us))
            return true;
    }
    return false;
}

static void reserve(struct walk *walk, const struct nx_queue *queue)
{
    for (uint32_t i = 0; i < queue->count; i++)
        walk->reserved[queue->gates[i]] = true;
}

/* To be asked of each API call in turn. */
static bool is_due(struct walk *walk, const struct nx_queue *queue)
{
    bool due = true;

    for (uint32_t i = 0; i < queue->count; i++) {
        const int32_t at = queue->gates[i];
        const struct nx_gate *gate = &walk->ledger->gates[at];

        due = due && (!gate->waiting[NX_LANE_TOKEN] || (gate->run >= RUN && !walk->called[at]));
        walk->called[at] = true;
    }
    return due;
}

static bool share(const struct nx_queue *queue, const struct nx_ticket *ticket)
{
    for (uint32_t i = 0; i < queue->count; i++) {
        for (uint32_t j = 0; j < ticket->count; j++) {
            if (queue->gates[i] == ticket->gates[j])
                return true;
        }
    }
    return false;
}

/* The first queue of a stage whose head can go, and which shares a gate with `mine` if that is given. */
static uint32_t first_of(struct walk *walk, enum stage stage, const struct nx_ticket *mine)
{
    const uint32_t lane = stage == STAGE_TOKENS ? NX_LANE_TOKEN : NX_LANE_API;

    for (uint32_t place = 0; place < walk->ledger->queue_count; place++) {
        const uint32_t i = nx_ledger_order(walk->ledger)[place];
        const struct nx_queue *queue = nx_ledger_queue(walk->ledger, i);
        const bool sleeps = walk->ledger->owners[queue->owner].asleep && queue->owner != walk->caller;

        if (queue->lane != lane || sleeps || is_held(walk, queue))
            continue;
        if (stage == STAGE_DUE && !is_due(walk, queue))
            continue;
        if (!fits(walk, queue->gates, queue->count))
            reserve(walk, queue);
        else if (!mine || share(queue, mine))
            return i;
    }
    return NX_LEDGER_NONE;
}

uint32_t nx_order_first(const struct nx_ledger *ledger, uint32_t caller, int64_t now_us, bool *due)
{
    struct walk walk = {.ledger = ledger, .caller = caller, .now_us = now_us};
    uint32_t found = NX_LEDGER_NONE;

    *due = false;
    if (!ledger->queue_count)
        return NX_LEDGER_NONE;
    for (enum stage stage = STAGE_DUE; stage < STAGES && found == NX_LEDGER_NONE; stage++) {
        found = first_of(&walk, stage, NULL);
        *due = found != NX_LEDGER_NONE && stage == STAGE_DUE;
    }
    return found;
}

static bool is_contended(const struct nx_ledger *ledger, const struct nx_ticket *ticket)
{
    for (uint32_t i = 0; i < ticket->count; i++) {
        const struct nx_gate *gate = &ledger->gates[ticket->gates[i]];

        if (gate->waiting[NX_LANE_TOKEN] + gate->waiting[NX_LANE_API])
            return true;
    }
    return false;
}

static bool fits_alone(const struct nx_ledger *ledger, const struct nx_ticket *ticket, int64_t now_us)
{
    for (uint32_t i = 0; i < ticket->count; i++) {
        if (nx_gate_room(ledger, &ledger->gates[ticket->gates[i]], now_us) <= 0)
            return false;
    }
    return true;
}

bool nx_order_passes(const struct nx_ledger *ledger, const struct nx_ticket *like, int64_t now_us)
{
    const enum stage end = like->lane == NX_LANE_TOKEN ? STAGE_CALLS : STAGES;
    struct walk walk;

    if (!fits_alone(ledger, like, now_us))
        return false;
    if (!is_contended(ledger, like))
        return true;
    walk = (struct walk){.ledger = ledger, .caller = like->owner, .now_us = now_us};
    for (enum stage stage = STAGE_DUE; stage < end; stage++) {
        if (first_of(&walk, stage, like) != NX_LEDGER_NONE)
            return false;
    }
    return fits(&walk, like->gates, like->count);
}

/* How many of the same gates go before a new one for certain, if they stay. */
static uint64_t count_ahead(const struct nx_ledger *ledger, const struct nx_ticket *like)
{
    const uint64_t mine = nx_queue_length(ledger, like, like->lane);
    const uint64_t tokens = nx_queue_length(ledger, like, NX_LANE_TOKEN);
    uint64_t most;
    uint32_t run = 0;

    if (like->lane == NX_LANE_TOKEN)
        return mine;
    for (uint32_t i = 0; i < like->count; i++) {
        const uint32_t here = ledger->gates[like->gates[i]].run;

        run = here > run ? here : run;
    }
    most = RUN * (mine + 1) - run;
    return mine + (tokens < most ? tokens : most);
}

int64_t nx_order_turn(const struct nx_ledger *ledger, const struct nx_ticket *like, int64_t now_us)
{
    const uint64_t ahead = count_ahead(ledger, like);
    int64_t at_us = now_us;

    for (uint32_t i = 0; i < like->count; i++)
        at_us = nx_ledger_later(at_us, nx_gate_turn(ledger, &ledger->gates[like->gates[i]], ahead + 1, now_us));
    return at_us;
}

void nx_order_granted(struct nx_ledger *ledger, const struct nx_ticket *ticket, bool due)
{
    for (uint32_t i = 0; i < ticket->count; i++) {
        struct nx_gate *gate = &ledger->gates[ticket->gates[i]];

        gate->taken++;
        if (ticket->lane == NX_LANE_TOKEN && gate->waiting[NX_LANE_API])
            gate->run += gate->run < RUN;
        else if (due)
            gate->run = 0;
    }
}
