/* Many threads at one keeper, with a clock that moves: each is told once, and no window holds more than it may. */
#include "core/keeper_rig.h"

#include "support/test.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

enum { THREADS = 64, TRIES = 40, DOORS = 3, LEGS = 2, MOST_STEP_US = 20000, PATIENCE_MS = 5000 };

/* The second counts none. */
static const struct nx_door doors[DOORS] = {{11, 20, 1000, false}, {22, 0, 1000, false}, {33, 7, 300, false}};
static const struct {
    uint32_t count;
    int doors[DOORS];
} wishes[] = {{1, {0}}, {2, {0, 1}}, {2, {2, 0}}, {1, {2}}, {3, {1, 0, 2}}};

/* A request may reach the service from sent_us on, and is counted there until over_us at the latest. */
struct leg {
    int64_t sent_us, over_us;
};

struct
try {
    struct nx_permit permit;
    atomic_int granted; /* calls */
    int64_t granted_us;
    bool out;
    uint32_t wish;
    enum nx_turn turn;
    bool left;
    struct leg legs[LEGS];
    uint32_t sent;
};

struct crowd {
    struct yard yard;
    atomic_int next; /* thread */
    atomic_int busy; /* threads */
    struct try tries[THREADS][TRIES];
};

static int64_t now(struct crowd *crowd)
{
    return atomic_load(&crowd->yard.now_us);
}

/* The yard of a permit is not told to it. */
static struct crowd *the_crowd;

static void granted(struct nx_permit *permit)
{
    struct try *try = (struct try *)(void *)permit;

    try->granted_us = now(the_crowd);
    try->out = permit->state == NX_PERMIT_OUT;
    atomic_fetch_add(&try->granted, 1);
}

static uint32_t draw(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)*seed * below >> 32);
}

static struct nx_permit_wish wish_of(const struct try *try, uint32_t *seed)
{
    struct nx_permit_wish wish = {.count = wishes[try->wish].count,
                                  .lane = draw(seed, 2) ? NX_LANE_TOKEN : NX_LANE_API,
                                  .patience_ms = draw(seed, 3) ? INT64_MAX : draw(seed, PATIENCE_MS)};

    for (uint32_t i = 0; i < wish.count; i++)
        wish.doors[i] = doors[wishes[try->wish].doors[i]];
    return wish;
}

static void turn(struct crowd *crowd)
{
    crowd->yard.permits->verbs->turn(crowd->yard.permits);
}

/* Some leave the queue when they have waited for a moment; who cannot is told. */
static void wait_for(struct crowd *crowd, struct try *try, uint32_t *seed)
{
    uint32_t patience = draw(seed, 4) ? UINT32_MAX : draw(seed, 8);

    while (!try->left && !atomic_load(&try->granted)) {
        turn(crowd);
        sched_yield();
        if (patience-- == 0)
            try->left = crowd->yard.permits->verbs->leave(crowd->yard.permits, &try->permit);
    }
}

static void pass(struct crowd *crowd, int64_t us)
{
    const int64_t until_us = now(crowd) + us;

    while (now(crowd) < until_us)
        sched_yield();
}

/* Before the keeper is told: so it is over no later than the keeper holds. */
static void end_leg(struct crowd *crowd, struct try *try, enum nx_end as)
{
    static const int64_t AFTER_US[] = {[NX_END_GIVEN_UP] = NX_LEDGER_GRACE_US};

    if (as == NX_END_UNSENT)
        try->sent--;
    else
        try->legs[try->sent - 1].over_us = now(crowd) + AFTER_US[as];
}

static void send_again(struct crowd *crowd, struct try *try)
{
    end_leg(crowd, try, NX_END_GIVEN_UP);
    if (crowd->yard.permits->verbs->again(crowd->yard.permits, &try->permit))
        try->legs[try->sent++].sent_us = now(crowd);
}

static enum nx_end draw_end(uint32_t *seed)
{
    if (!draw(seed, 16))
        return NX_END_GIVEN_UP;
    return draw(seed, 8) ? NX_END_ANSWERED : NX_END_UNSENT;
}

static void send(struct crowd *crowd, struct try *try, int64_t sent_us, uint32_t *seed)
{
    struct nx_outcome outcome = {.end = draw_end(seed)};

    try->legs[try->sent++].sent_us = sent_us;
    pass(crowd, draw(seed, 4) ? 0 : draw(seed, 2 * MOST_STEP_US));
    if (outcome.end != NX_END_UNSENT && !draw(seed, 16))
        send_again(crowd, try);
    if (outcome.end == NX_END_ANSWERED)
        outcome.word = draw(seed, 64) ? NX_WORD_FINE : NX_WORD_REFUSED;
    outcome.held = (int)draw(seed, wishes[try->wish].count);
    outcome.retry_after_us = SECOND;
    end_leg(crowd, try, outcome.end);
    crowd->yard.permits->verbs->end(crowd->yard.permits, &try->permit, &outcome);
}

static void do_try(struct crowd *crowd, struct try *try, uint32_t *seed)
{
    int64_t wait_ms;
    struct nx_permit_wish wish;

    try->permit.granted = granted;
    try->wish = draw(seed, COUNT(wishes));
    wish = wish_of(try, seed);
    try->turn = crowd->yard.permits->verbs->enter(crowd->yard.permits, &try->permit, &wish, &wait_ms);
    if (try->turn == NX_TURN_NOW)
        try->granted_us = now(crowd);
    turn(crowd);
    if (try->turn == NX_TURN_WAITS)
        wait_for(crowd, try, seed);
    if (try->turn == NX_TURN_NOW || (atomic_load(&try->granted) && try->out))
        send(crowd, try, try->granted_us, seed);
    turn(crowd);
}

static void *visit(void *context)
{
    struct crowd *crowd = context;
    const int me = atomic_fetch_add(&crowd->next, 1);
    uint32_t seed = (uint32_t)me;

    for (int i = 0; i < TRIES; i++)
        do_try(crowd, &crowd->tries[me][i], &seed);
    atomic_fetch_sub(&crowd->busy, 1);
    return NULL;
}

static void *move_clock(void *context)
{
    struct crowd *crowd = context;
    uint32_t seed = 7;

    while (atomic_load(&crowd->busy)) {
        atomic_fetch_add(&crowd->yard.now_us, draw(&seed, MOST_STEP_US));
        sched_yield();
    }
    return NULL;
}

static void run(struct crowd *crowd)
{
    pthread_t clock, threads[THREADS];

    the_crowd = crowd;
    atomic_store(&crowd->busy, THREADS);
    assert_int_equal(pthread_create(&clock, NULL, move_clock, crowd), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, visit, crowd), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(pthread_join(clock, NULL), 0);
}

/* Who waits is told once, unless it left; all others never. */
static void each_was_told_as_often_as_it_should(struct crowd *crowd)
{
    int told = 0, left = 0, late = 0, never = 0;

    for (int i = 0; i < THREADS * TRIES; i++) {
        struct try *try = &crowd->tries[i / TRIES][i % TRIES];

        assert_int_equal(atomic_load(&try->granted), try->turn == NX_TURN_WAITS && !try->left);
        assert_int_equal(try->permit.state, NX_PERMIT_NONE);
        told += try->out;
        left += try->left;
        late += atomic_load(&try->granted) && !try->out;
        never += try->turn == NX_TURN_NEVER;
    }
    assert_true(told && left && late && never);
}

static bool needs(const struct try *try, int door)
{
    for (uint32_t i = 0; i < wishes[try->wish].count; i++) {
        if (wishes[try->wish].doors[i] == door)
            return true;
    }
    return false;
}

struct event {
    int64_t at_us;
    int change;
};

/* Who has gone makes room for who comes at the same time. */
static int compare(const void *a, const void *b)
{
    const struct event *x = a, *y = b;

    if (x->at_us != y->at_us)
        return x->at_us < y->at_us ? -1 : 1;
    return x->change - y->change;
}

static size_t list_events(struct crowd *crowd, int door, struct event *events)
{
    size_t count = 0;

    for (int i = 0; i < THREADS * TRIES; i++) {
        const struct try *try = &crowd->tries[i / TRIES][i % TRIES];

        for (uint32_t leg = 0; leg < try->sent && needs(try, door); leg++) {
            events[count++] = (struct event){try->legs[leg].sent_us, 1};
            events[count++] = (struct event){try->legs[leg].over_us + doors[door].window_ms * 1000, -1};
        }
    }
    return count;
}

/* The service counts each request at any time while it is out: no choice of times puts more into one window. */
static void no_window_holds_more(struct crowd *crowd, int door)
{
    static struct event events[THREADS * TRIES * LEGS * 2];
    const size_t count = list_events(crowd, door, events);
    int busy = 0, most = 0;

    qsort(events, count, sizeof *events, compare);
    for (size_t i = 0; i < count; i++) {
        busy += events[i].change;
        most = busy > most ? busy : most;
    }
    assert_int_equal(busy, 0);
    assert_in_range(most, doors[door].requests / 2, doors[door].requests);
}

static void nothing_is_lost(struct crowd *crowd)
{
    struct yard *yard = &crowd->yard;

    assert_true(yard->permits->verbs->turn(yard->permits) == INT64_MAX);
    atomic_fetch_add(&yard->now_us, 100 * SECOND);
    for (int i = 0; i < DOORS; i++) {
        const struct nx_gate_figures figures = yard_figures(yard, doors[i].key);

        assert_int_equal(figures.out, 0);
        assert_int_equal(figures.cooling, 0);
        assert_int_equal(figures.waiting_tokens + figures.waiting_calls, 0);
        assert_int_equal(figures.allowed, doors[i].requests);
    }
}

static void each_of_many_is_told_once_and_no_window_holds_more_than_it_may(void **state)
{
    struct crowd *crowd = calloc(1, sizeof *crowd);

    (void)state;
    assert_non_null(crowd);
    yard_init(&crowd->yard, 2 * THREADS, 64);
    run(crowd);
    each_was_told_as_often_as_it_should(crowd);
    no_window_holds_more(crowd, 0);
    no_window_holds_more(crowd, 2);
    nothing_is_lost(crowd);
    yard_release(&crowd->yard);
    free(crowd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_of_many_is_told_once_and_no_window_holds_more_than_it_may),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
