#include "core/ledger_parts.h"

#include <string.h>

#include <stdatomic.h>

/* The window is lengthened by a thousandth: clocks differ, and bursts repeat in step. */
void nx_gate_widen(struct nx_gate *gate, int64_t window_us)
{
    gate->window_us = nx_ledger_later(gate->window_us, window_us);
    gate->busy_us[NX_RING_ANSWERED] = nx_ledger_add(gate->window_us, gate->window_us / 1000);
    gate->busy_us[NX_RING_GIVEN_UP] = nx_ledger_add(gate->busy_us[NX_RING_ANSWERED], NX_LEDGER_GRACE_US);
}

/* When the slot of the i-th entry is free. */
static int64_t free_at(const struct nx_ledger *ledger, const struct nx_gate *gate, enum nx_ring_kind kind, uint32_t i)
{
    const uint64_t position = (uint64_t)gate->rings[kind].head + i;
    const uint64_t turns = 2 * (uint64_t)gate->capacity;
    const uint32_t folded = (uint32_t)(position >= turns ? position - turns : position);

    return nx_ledger_add(*nx_gate_slot(ledger, gate, kind, folded), gate->busy_us[kind]);
}

void nx_gate_settle(const struct nx_ledger *ledger, struct nx_gate *gate, int64_t now_us)
{
    for (unsigned kind = 0; kind < NX_RINGS; kind++) {
        struct nx_ring *ring = &gate->rings[kind];

        while (ring->head != ring->tail && free_at(ledger, gate, kind, 0) <= now_us)
            ring->head = nx_gate_after(gate, ring->head);
    }
}

static uint32_t cooling(const struct nx_ledger *ledger, const struct nx_gate *gate, int64_t now_us)
{
    uint32_t count = 0;

    for (unsigned kind = 0; kind < NX_RINGS; kind++) {
        const uint32_t all = nx_gate_length(gate, kind);
        uint32_t over = 0;

        while (over < all && free_at(ledger, gate, kind, over) <= now_us)
            over++;
        count += all - over;
    }
    return count;
}

int32_t nx_gate_free(const struct nx_ledger *ledger, const struct nx_gate *gate, int64_t now_us)
{
    int64_t left;

    if (!gate->allowed)
        return INT32_MAX;
    left = (int64_t)nx_gate_limit(gate, now_us) - gate->taken - cooling(ledger, gate, now_us);
    return left > 0 ? (int32_t)nx_ledger_sooner(left, INT32_MAX) : 0;
}

int32_t nx_gate_room(const struct nx_ledger *ledger, const struct nx_gate *gate, int64_t now_us)
{
    const int32_t slots = nx_gate_free(ledger, gate, now_us);
    const int32_t probes = gate->taken < gate->width ? (int32_t)(gate->width - gate->taken) : 0;

    if (nx_gate_held(gate, now_us))
        return 0;
    return gate->width && probes < slots ? probes : slots;
}

/* When the count-th of those that have ended (from 1 on, not more than there are) is free: a search in two sorted
 * rows at once for how many of them are in the first. */
static int64_t nth_free_at(const struct nx_ledger *ledger, const struct nx_gate *gate, uint32_t count)
{
    const uint32_t lost = nx_gate_length(gate, NX_RING_GIVEN_UP);
    uint32_t low = count > lost ? count - lost : 0;
    uint32_t high = (uint32_t)nx_ledger_sooner(count, nx_gate_length(gate, NX_RING_ANSWERED));
    int64_t at_us = INT64_MIN;

    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;

        if (free_at(ledger, gate, NX_RING_ANSWERED, middle) <
            free_at(ledger, gate, NX_RING_GIVEN_UP, count - middle - 1))
            low = middle + 1;
        else
            high = middle;
    }
    if (low > 0)
        at_us = free_at(ledger, gate, NX_RING_ANSWERED, low - 1);
    if (count > low)
        at_us = nx_ledger_later(at_us, free_at(ledger, gate, NX_RING_GIVEN_UP, count - low - 1));
    return at_us;
}

/* When the count-th slot comes back, if those out do so at once; 0: now. */
static int64_t back_at(const struct nx_ledger *ledger, const struct nx_gate *gate, uint64_t count, int64_t now_us)
{
    if (count <= gate->taken)
        return now_us;
    return nx_ledger_later(now_us, nth_free_at(ledger, gate, (uint32_t)(count - gate->taken)));
}

/*
 * When the count-th from now on finds a slot. Whoever takes the first one gives it back a window later, so that nobody
 * needs to wait longer than that for one which was given up: with each slot's time at most a window after the first
 * one's, they come round in turns of as many as the limit.
 */
static int64_t slot_turn(const struct nx_ledger *ledger, const struct nx_gate *gate, uint64_t slots, uint64_t count,
                         int64_t now_us)
{
    const uint64_t busy = (uint64_t)gate->taken + nx_gate_ended(gate);
    const uint64_t turns = (count - 1) / slots;
    const uint64_t needed = (count - 1) % slots + 1 + busy; /* less `slots`: how many slots have to come back before */
    const int64_t window_us = gate->busy_us[NX_RING_ANSWERED];
    const int64_t first_us = back_at(ledger, gate, 1 + busy > slots ? 1 + busy - slots : 0, now_us);
    const int64_t at_us = nx_ledger_sooner(back_at(ledger, gate, needed > slots ? needed - slots : 0, now_us),
                                           nx_ledger_add(first_us, window_us));

    if (turns && window_us > (INT64_MAX - 1) / (int64_t)turns)
        return INT64_MAX;
    return nx_ledger_add(at_us, (int64_t)turns * window_us);
}

int64_t nx_gate_turn(const struct nx_ledger *ledger, const struct nx_gate *gate, uint64_t count, int64_t now_us)
{
    int64_t at_us = now_us;

    if (gate->allowed)
        at_us = slot_turn(ledger, gate, nx_gate_limit(gate, now_us), count, now_us);
    if (gate->allowed && at_us > gate->half_until_us)
        at_us = nx_ledger_sooner(
            at_us, nx_ledger_later(gate->half_until_us, slot_turn(ledger, gate, gate->allowed, count, now_us)));
    return nx_ledger_later(at_us, nx_gate_held(gate, now_us) ? gate->held_until_us : now_us);
}

/* When a slot is free if only time passes. */
static int64_t slot_due(const struct nx_ledger *ledger, const struct nx_gate *gate, uint64_t slots)
{
    const uint64_t busy = (uint64_t)gate->taken + nx_gate_ended(gate);

    if (busy < slots)
        return INT64_MIN;
    return busy - slots < nx_gate_ended(gate) ? nth_free_at(ledger, gate, (uint32_t)(busy - slots + 1)) : INT64_MAX;
}

static int64_t any_slot_due(const struct nx_ledger *ledger, const struct nx_gate *gate, int64_t now_us)
{
    int64_t at_us;

    if (!gate->allowed)
        return now_us;
    at_us = slot_due(ledger, gate, nx_gate_limit(gate, now_us));
    if (at_us > gate->half_until_us)
        at_us = nx_ledger_sooner(at_us, nx_ledger_later(gate->half_until_us, slot_due(ledger, gate, gate->allowed)));
    return nx_ledger_later(at_us, now_us);
}

int64_t nx_gate_due(const struct nx_ledger *ledger, const struct nx_gate *gate, int64_t now_us)
{
    if (gate->width && gate->taken >= gate->width)
        return INT64_MAX;
    return nx_ledger_later(any_slot_due(ledger, gate, now_us),
                           nx_gate_held(gate, now_us) ? gate->held_until_us : now_us);
}

int nx_ledger_find(const struct nx_ledger *ledger, uint64_t key)
{
    for (uint32_t i = 0; i < ledger->gate_count; i++) {
        if (ledger->keys[i] == key && ledger->gates[i].live)
            return (int)i;
    }
    return -1;
}

int nx_ledger_known(const struct nx_ledger *ledger, uint64_t key, uint32_t allowed, int64_t window_us)
{
    const int i = nx_ledger_find(ledger, key);
    const struct nx_gate *gate;

    if (i < 0 || !allowed)
        return i;
    gate = &ledger->gates[i];
    return gate->allowed && gate->allowed <= allowed && gate->window_us >= window_us ? i : -1;
}

/* The last to end is the last to be free. */
static bool is_cool(const struct nx_ledger *ledger, const struct nx_gate *gate, int64_t now_us)
{
    for (unsigned kind = 0; kind < NX_RINGS; kind++) {
        const uint32_t count = nx_gate_length(gate, kind);

        if (count && free_at(ledger, gate, kind, count - 1) > now_us)
            return false;
    }
    return true;
}

/* Whether a refusal still counts: who was not asked for so long is as good as one that never refused. */
static bool is_probed(const struct nx_gate *gate, int64_t now_us)
{
    const int64_t since_us = nx_ledger_later(gate->used_us, gate->held_until_us);

    return gate->width && now_us < nx_ledger_add(since_us, NX_LEDGER_PROBED_US);
}

static bool is_alone(const struct nx_gate *gate)
{
    return !gate->taken && !gate->waiting[NX_LANE_TOKEN] && !gate->waiting[NX_LANE_API];
}

/* What was asked for at this moment is about to be used. */
static bool is_idle(const struct nx_ledger *ledger, const struct nx_gate *gate, int64_t now_us)
{
    return gate->live && gate->used_us < now_us && is_alone(gate) && !is_probed(gate, now_us) &&
           !nx_gate_held(gate, now_us) && is_cool(ledger, gate, now_us);
}

/* The gate that was idle longest is none any more; -1: all are needed. */
static int retire(struct nx_ledger *ledger, int64_t now_us)
{
    int64_t used_us = INT64_MAX;
    int found = -1;

    for (uint32_t i = 0; i < ledger->gate_count; i++) {
        const struct nx_gate *gate = &ledger->gates[i];

        if (gate->used_us < used_us && is_idle(ledger, gate, now_us)) {
            used_us = gate->used_us;
            found = (int)i;
        }
    }
    if (found >= 0)
        ledger->gates[found].live = 0;
    atomic_signal_fence(memory_order_release);
    return found;
}

/* The first of so many slots in a row that no gate has; ledger->slots when there are none. */
static uint32_t find_run(const struct nx_ledger *ledger, uint32_t count)
{
    uint64_t at = 0, before;

    do {
        before = at;
        for (uint32_t i = 0; i < ledger->gate_count; i++) {
            const struct nx_gate *gate = &ledger->gates[i];
            const uint64_t first = gate->first / 2;

            if (gate->live && gate->allowed && first < at + count && at < first + gate->capacity)
                at = first + gate->capacity;
        }
    } while (at != before);
    return at + count <= ledger->slots ? (uint32_t)at : ledger->slots;
}

/* Finds a run, for which idle gates make room. False: there is none. */
static bool make_room(struct nx_ledger *ledger, uint32_t count, int64_t now_us, uint32_t *first)
{
    if (count > ledger->slots)
        return false;
    while ((*first = find_run(ledger, count)) == ledger->slots) {
        if (retire(ledger, now_us) < 0)
            return false;
    }
    return true;
}

/* Lets a gate count: `allowed` is written last, which makes the rest count. */
static void begin_to_count(struct nx_gate *gate, uint32_t first, uint32_t allowed, int64_t half_until_us)
{
    gate->first = 2 * first;
    gate->capacity = allowed;
    gate->half_until_us = half_until_us;
    atomic_signal_fence(memory_order_release);
    gate->allowed = allowed;
}

/* A place for a gate; -1: there is none. */
static int find_place(struct nx_ledger *ledger, int64_t now_us)
{
    for (uint32_t i = 0; i < ledger->gate_count; i++) {
        if (!ledger->gates[i].live)
            return (int)i;
    }
    return ledger->gate_count < NX_LEDGER_GATES ? (int)ledger->gate_count++ : retire(ledger, now_us);
}

static int make(struct nx_ledger *ledger, int64_t now_us)
{
    const int i = find_place(ledger, now_us);

    if (i >= 0)
        memset(&ledger->gates[i], 0, sizeof ledger->gates[i]); /* its padding too: states are compared */
    return i;
}

/* It is there when `live` is written. */
static void begin_to_live(struct nx_ledger *ledger, int i, uint64_t key)
{
    ledger->keys[i] = key;
    atomic_signal_fence(memory_order_release);
    ledger->gates[i].live = 1;
}

int nx_ledger_gate(struct nx_ledger *ledger, uint64_t key, uint32_t allowed, int64_t window_us, int64_t half_until_us,
                   int64_t now_us)
{
    int i = nx_ledger_find(ledger, key);
    struct nx_gate *gate;
    uint32_t first = 0;

    now_us = ledger->latest_us = nx_ledger_later(ledger->latest_us, now_us);
    if (i < 0)
        i = make(ledger, now_us);
    if (i < 0)
        return -1;
    gate = &ledger->gates[i];
    gate->used_us = now_us;
    if (allowed && !gate->allowed && !make_room(ledger, allowed, now_us, &first))
        return -1;
    if (allowed) {
        nx_gate_widen(gate, window_us);
        if (!gate->allowed)
            begin_to_count(gate, first, allowed, half_until_us);
        gate->allowed = gate->allowed < allowed ? gate->allowed : allowed;
    }
    if (!gate->live)
        begin_to_live(ledger, i, key);
    return i;
}

/* False: there are too many fleeting gates, and all are needed. */
static bool make_room_to_fleet(struct nx_ledger *ledger)
{
    struct nx_gate *first = NULL;
    int count = 0;

    for (uint32_t i = 0; i < ledger->gate_count; i++) {
        struct nx_gate *gate = &ledger->gates[i];

        if (!gate->live || !gate->fleeting)
            continue;
        count++;
        if (is_alone(gate) && (!first || gate->held_until_us < first->held_until_us))
            first = gate;
    }
    if (count < NX_LEDGER_FLEETING)
        return true;
    if (first)
        first->live = 0;
    atomic_signal_fence(memory_order_release);
    return first != NULL;
}

int nx_ledger_fleeting_gate(struct nx_ledger *ledger, uint64_t key, int64_t now_us)
{
    int i = nx_ledger_find(ledger, key);

    now_us = ledger->latest_us = nx_ledger_later(ledger->latest_us, now_us);
    if (i >= 0)
        return i;
    i = make_room_to_fleet(ledger) ? make(ledger, now_us) : -1;
    if (i < 0)
        return -1;
    ledger->gates[i].fleeting = 1;
    ledger->gates[i].used_us = now_us;
    begin_to_live(ledger, i, key);
    return i;
}

bool nx_ledger_figures(const struct nx_ledger *ledger, int gate, int64_t now_us, struct nx_gate_figures *figures)
{
    const struct nx_gate *of;
    uint32_t offered;
    int64_t free_us;

    if (gate < 0 || (uint32_t)gate >= ledger->gate_count || !ledger->gates[gate].live)
        return false;
    of = &ledger->gates[gate];
    offered = of->offered[NX_LANE_TOKEN] + of->offered[NX_LANE_API];
    free_us = nx_ledger_sooner(any_slot_due(ledger, of, now_us), nx_ledger_add(now_us, of->busy_us[NX_RING_ANSWERED]));
    *figures = (struct nx_gate_figures){
        .key = ledger->keys[gate],
        .allowed = nx_gate_limit(of, now_us),
        .out = of->taken - offered,
        .cooling = offered + cooling(ledger, of, now_us),
        .waiting_tokens = of->waiting[NX_LANE_TOKEN] + of->offered[NX_LANE_TOKEN],
        .waiting_calls = of->waiting[NX_LANE_API] + of->offered[NX_LANE_API],
        .window_us = of->window_us,
        .held_until_us = nx_gate_held(of, now_us) ? of->held_until_us : 0,
        .free_at_us = free_us > now_us ? free_us : 0,
    };
    return true;
}
