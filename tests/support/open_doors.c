/*
 * Doors that are always open, in the place of the process's rate ledger, for programs that are linked with
 * NX_OPEN_DOORS (see CMakeLists.txt): what their servers say of limits and bans, on purpose, is not to hold the
 * requests of the next test.
 */
#include "core/permits.h"

struct nx_permits *__wrap_nx_tree_permits(void);

static const struct nx_siphash_key *key(struct nx_permits *permits)
{
    static const struct nx_siphash_key any = {1, 2};

    (void)permits;
    return &any;
}

static enum nx_turn enter(struct nx_permits *permits, struct nx_permit *permit, const struct nx_permit_wish *wish,
                          int64_t *wait_ms)
{
    (void)permits;
    (void)wish;
    *wait_ms = 0;
    permit->state = NX_PERMIT_OUT;
    return NX_TURN_NOW;
}

static int64_t soonest_ms(struct nx_permits *permits, const struct nx_permit *permit)
{
    (void)permits;
    (void)permit;
    return 0;
}

static bool leave(struct nx_permits *permits, struct nx_permit *permit)
{
    (void)permits;
    (void)permit;
    return false;
}

static bool again(struct nx_permits *permits, struct nx_permit *permit)
{
    (void)permits;
    (void)permit;
    return true;
}

static bool end(struct nx_permits *permits, struct nx_permit *permit, const struct nx_outcome *outcome)
{
    (void)permits;
    (void)outcome;
    permit->state = NX_PERMIT_NONE;
    return false;
}

static int64_t turn(struct nx_permits *permits)
{
    (void)permits;
    return INT64_MAX;
}

static bool figures(struct nx_permits *permits, uint64_t name, struct nx_gate_figures *figures, int64_t *now_us)
{
    (void)permits;
    (void)name;
    (void)figures;
    (void)now_us;
    return false;
}

struct nx_permits *__wrap_nx_tree_permits(void)
{
    static const struct nx_permits_verbs verbs = {key, enter, soonest_ms, leave, again, end, turn, figures};
    static struct nx_permits open = {&verbs};

    return &open;
}
