#include "core/keeper.h"

enum { US_IN_MS = 1000, NO_LEDGER_WAIT_MS = 1000 };

static struct nx_keeper *of(struct nx_permits *permits)
{
    return (struct nx_keeper *)permits;
}

/* Rounded up: who comes back in so many ms is not too early. */
static int64_t to_ms(int64_t us)
{
    return us / US_IN_MS + (us % US_IN_MS > 0);
}

static int64_t add_ms(int64_t now_us, int64_t ms)
{
    return ms > (INT64_MAX - now_us) / US_IN_MS ? INT64_MAX : now_us + ms * US_IN_MS;
}

static int64_t until_ms(int64_t at_us, int64_t now_us)
{
    if (at_us == INT64_MAX)
        return INT64_MAX;
    return at_us > now_us ? to_ms(at_us - now_us) : 0;
}

static const struct nx_siphash_key *key(struct nx_permits *permits)
{
    return &of(permits)->key;
}

/* A process cannot know what its predecessor sent: at first, half of each limit is all it takes. */
static int gate_of(const struct nx_keeper *keeper, struct nx_ledger *ledger, const struct nx_door *door, int64_t now_us)
{
    const int64_t half_until_us = add_ms(keeper->begun_us, door->window_ms);

    return nx_ledger_gate(ledger, door->key, door->requests, add_ms(0, door->window_ms), half_until_us, now_us);
}

/* False when the ledger has no room for a gate more. */
static bool find_gates(const struct nx_keeper *keeper, struct nx_ledger *ledger, const struct nx_permit_wish *wish,
                       struct nx_want *want, int64_t now_us)
{
    for (uint32_t i = 0; i < wish->count; i++) {
        const struct nx_door *door = &wish->doors[i];
        const int gate = door->fleeting ? nx_ledger_find(ledger, door->key) : gate_of(keeper, ledger, door, now_us);

        if (gate >= 0)
            want->gates[want->count++] = gate;
        else if (!door->fleeting)
            return false;
    }
    return true;
}

/* When there is room enough, nobody needs to know what time it is. A fleeting door that is known is held, or probed. */
static bool go(struct nx_ledger *ledger, struct nx_want *want, struct nx_permit *permit,
               const struct nx_permit_wish *wish)
{
    want->count = 0;
    for (uint32_t i = 0; i < wish->count; i++) {
        const struct nx_door *door = &wish->doors[i];
        int gate;

        if (door->fleeting) {
            if (nx_ledger_find(ledger, door->key) >= 0)
                return false;
            continue;
        }
        gate = nx_ledger_known(ledger, door->key, door->requests, add_ms(0, door->window_ms));
        if (gate < 0)
            return false;
        want->gates[want->count++] = gate;
    }
    return nx_ledger_go(ledger, want, &permit->ticket);
}

static enum nx_turn ask(struct nx_keeper *keeper, struct nx_ledger *ledger, struct nx_permit *permit,
                        const struct nx_permit_wish *wish, struct nx_want *want, int64_t *wait_ms)
{
    const int64_t now_us = keeper->now_us(keeper->context);
    int64_t at_us = now_us;
    enum nx_turn turn;

    want->count = 0;
    if (!find_gates(keeper, ledger, wish, want, now_us))
        return NX_TURN_NEVER;
    want->deadline_us = add_ms(now_us, wish->patience_ms);
    turn = nx_ledger_ask(ledger, want, now_us, &permit->ticket, &at_us);
    if (turn == NX_TURN_NEVER)
        *wait_ms = at_us > now_us ? until_ms(at_us, now_us) : NO_LEDGER_WAIT_MS;
    return turn;
}

static enum nx_turn try(struct nx_keeper *keeper, struct nx_ledger *ledger, struct nx_permit *permit,
                        const struct nx_permit_wish *wish, int64_t *wait_ms)
{
    struct nx_want want;

    want.owner = keeper->owner(keeper->context);
    if (want.owner >= NX_LEDGER_OWNERS)
        return NX_TURN_NEVER;
    for (uint32_t i = 0; i < wish->count; i++)
        permit->keys[i] = wish->doors[i].key;
    want.lane = wish->lane;
    want.context = (uintptr_t)permit;
    want.deadline_us = INT64_MAX;
    return go(ledger, &want, permit, wish) ? NX_TURN_NOW : ask(keeper, ledger, permit, wish, &want, wait_ms);
}

static enum nx_turn enter(struct nx_permits *permits, struct nx_permit *permit, const struct nx_permit_wish *wish,
                          int64_t *wait_ms)
{
    static const enum nx_permit_state states[] = {
        [NX_TURN_NOW] = NX_PERMIT_OUT, [NX_TURN_WAITS] = NX_PERMIT_WAITING, [NX_TURN_NEVER] = NX_PERMIT_NONE};
    struct nx_keeper *keeper = of(permits);
    struct nx_ledger *ledger = keeper->lock(keeper->context);
    enum nx_turn turn;

    *wait_ms = NO_LEDGER_WAIT_MS;
    if (!ledger)
        return NX_TURN_NEVER;
    turn = try(keeper, ledger, permit, wish, wait_ms);
    permit->state = states[turn];
    keeper->unlock(keeper->context);
    return turn;
}

static int64_t soonest_ms(struct nx_permits *permits, const struct nx_permit *permit)
{
    struct nx_keeper *keeper = of(permits);
    struct nx_ledger *ledger = keeper->lock(keeper->context);
    int64_t wait_ms = 0;

    if (!ledger)
        return 0;
    if (permit->state == NX_PERMIT_WAITING) {
        const int64_t now_us = keeper->now_us(keeper->context);

        wait_ms = until_ms(nx_ledger_soonest(ledger, permit->ticket, now_us), now_us);
    }
    keeper->unlock(keeper->context);
    return wait_ms;
}

static bool leave(struct nx_permits *permits, struct nx_permit *permit)
{
    struct nx_keeper *keeper = of(permits);
    struct nx_ledger *ledger = keeper->lock(keeper->context);
    bool waited;

    waited = permit->state == NX_PERMIT_WAITING;
    if (waited)
        permit->state = NX_PERMIT_NONE;
    if (!ledger)
        return waited;
    if (waited)
        nx_ledger_cancel(ledger, permit->ticket, keeper->now_us(keeper->context));
    keeper->unlock(keeper->context);
    return waited;
}

static bool again(struct nx_permits *permits, struct nx_permit *permit)
{
    struct nx_keeper *keeper = of(permits);
    struct nx_ledger *ledger = keeper->lock(keeper->context);
    bool may;

    if (!ledger)
        return false;
    may = permit->state == NX_PERMIT_OUT && nx_ledger_again(ledger, permit->ticket, keeper->now_us(keeper->context));
    keeper->unlock(keeper->context);
    return may;
}

/* The gate of a door that is to be held; a fleeting one is made for that. */
static int gate_to_hold(struct nx_ledger *ledger, uint64_t key, int64_t now_us)
{
    return nx_ledger_fleeting_gate(ledger, key, now_us);
}

/* Only who refuses holds a gate. */
static void tell(struct nx_ledger *ledger, const struct nx_permit *permit, const struct nx_outcome *outcome,
                 int64_t now_us)
{
    struct nx_outcome told;

    if (outcome->word != NX_WORD_REFUSED) {
        nx_ledger_end(ledger, permit->ticket, outcome, now_us);
        return;
    }
    told = *outcome;
    told.held = gate_to_hold(ledger, permit->keys[outcome->held], now_us);
    nx_ledger_end(ledger, permit->ticket, &told, now_us);
}

static bool end(struct nx_permits *permits, struct nx_permit *permit, const struct nx_outcome *outcome)
{
    struct nx_keeper *keeper = of(permits);
    const int64_t now_us = keeper->now_us(keeper->context); /* so that nobody waits at the lock for it */
    struct nx_ledger *ledger = keeper->lock(keeper->context);
    const bool was_out = permit->state == NX_PERMIT_OUT;
    bool quiet;

    permit->state = NX_PERMIT_NONE;
    if (!ledger)
        return true;
    if (was_out)
        tell(ledger, permit, outcome, now_us);
    quiet = nx_ledger_is_quiet(ledger);
    keeper->unlock(keeper->context);
    return !quiet;
}

/* The next permit whose waiting is over; NULL: there is none now. */
static struct nx_permit *next_granted(struct nx_keeper *keeper, struct nx_ledger *ledger, uint32_t owner)
{
    struct nx_permit *permit;
    uint64_t context;
    uint32_t ticket;
    bool late;

    if (!nx_ledger_next(ledger, owner, keeper->now_us(keeper->context), &ticket, &context, &late))
        return NULL;
    permit = (struct nx_permit *)(uintptr_t)context; /* NOLINT(performance-no-int-to-ptr) */
    permit->state = late ? NX_PERMIT_NONE : NX_PERMIT_OUT;
    return permit;
}

/* The next one, or when there may be one. A process that is no owner has nobody waiting. */
static struct nx_permit *look(struct nx_keeper *keeper, struct nx_ledger *ledger, int64_t *wait_ms)
{
    const uint32_t owner = keeper->owner(keeper->context);
    struct nx_permit *permit = owner < NX_LEDGER_OWNERS ? next_granted(keeper, ledger, owner) : NULL;
    int64_t now_us;

    if (permit)
        return permit;
    now_us = keeper->now_us(keeper->context);
    *wait_ms = owner < NX_LEDGER_OWNERS ? until_ms(nx_ledger_due(ledger, owner, now_us), now_us) : INT64_MAX;
    return NULL;
}

static int64_t turn(struct nx_permits *permits)
{
    struct nx_keeper *keeper = of(permits);
    struct nx_ledger *ledger;
    struct nx_permit *permit;
    int64_t wait_ms = NO_LEDGER_WAIT_MS;

    while ((ledger = keeper->lock(keeper->context)) != NULL) {
        permit = look(keeper, ledger, &wait_ms);
        keeper->unlock(keeper->context);
        if (!permit)
            break;
        permit->granted(permit);
    }
    return wait_ms;
}

static bool figures(struct nx_permits *permits, uint64_t name, struct nx_gate_figures *figures, int64_t *now_us)
{
    struct nx_keeper *keeper = of(permits);
    struct nx_ledger *ledger = keeper->lock(keeper->context);
    bool known;
    int gate;

    if (!ledger)
        return false;
    *now_us = keeper->now_us(keeper->context);
    gate = nx_ledger_find(ledger, name);
    known = gate >= 0 && nx_ledger_figures(ledger, gate, *now_us, figures);
    keeper->unlock(keeper->context);
    return known;
}

static const struct nx_permits_verbs verbs = {key, enter, soonest_ms, leave, again, end, turn, figures};

void nx_keeper_init(struct nx_keeper *keeper)
{
    keeper->base.verbs = &verbs;
}
