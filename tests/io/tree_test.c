/* What the processes of a tree share, whoever of them dies, and where. */
#include "support/test.h"

#include "io/fork.h"
#include "io/tree.h"
#include "support/child.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ALLOWED = 3, KILLS = 60 };

#define WINDOW_US INT64_C(3600000000)

/* ---- Locks that may be beyond repair ----------------------------------------------------------------------------- */

static int lost_locks;
static int busy_looks; /* so often a lock seems taken to who does not wait */
static int waits;

int __real_pthread_mutex_lock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);
int __real_pthread_mutex_trylock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_trylock(pthread_mutex_t *mutex);

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
    if (lost_locks > 0) {
        lost_locks--;
        return ENOTRECOVERABLE;
    }
    waits++;
    return __real_pthread_mutex_lock(mutex);
}

int __wrap_pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    if (lost_locks > 0) {
        lost_locks--;
        return ENOTRECOVERABLE;
    }
    if (busy_looks > 0) {
        busy_looks--;
        return EBUSY;
    }
    return __real_pthread_mutex_trylock(mutex);
}

/* ---- Slots ------------------------------------------------------------------------------------------------------- */

/* A gate of the test's own, with none of its slots taken. */
static uint64_t new_gate(void)
{
    static uint64_t last_key;

    return ++last_key;
}

static enum nx_turn take_slot(uint64_t key, uint32_t *ticket)
{
    struct nx_tree *tree = nx_tree_get();
    struct nx_ledger *ledger = nx_tree_lock(tree);
    struct nx_want want = {.count = 1, .deadline_us = INT64_MAX};
    enum nx_turn turn;
    int64_t at_us;

    want.gates[0] = nx_ledger_gate(ledger, key, ALLOWED, WINDOW_US, 0, nx_tree_now_us());
    want.owner = nx_tree_owner(tree);
    want.deadline_us = nx_tree_now_us() + 1000;
    turn = nx_ledger_ask(ledger, &want, nx_tree_now_us(), ticket, &at_us);
    nx_tree_unlock(tree);
    return turn;
}

static void give_slot_back(uint32_t ticket)
{
    static const struct nx_outcome unsent = {.end = NX_END_UNSENT};
    struct nx_tree *tree = nx_tree_get();

    nx_ledger_end(nx_tree_lock(tree), ticket, &unsent, nx_tree_now_us());
    nx_tree_unlock(tree);
}

static struct nx_gate_figures figures_of(uint64_t key)
{
    struct nx_tree *tree = nx_tree_get();
    struct nx_ledger *ledger = nx_tree_lock(tree);
    struct nx_gate_figures figures = {0};
    const int gate = nx_ledger_find(ledger, key);

    if (gate >= 0)
        nx_ledger_figures(ledger, gate, nx_tree_now_us(), &figures);
    nx_tree_unlock(tree);
    return figures;
}

static uint32_t own_index(void)
{
    struct nx_tree *tree = nx_tree_get();
    uint32_t owner;

    nx_tree_lock(tree);
    owner = nx_tree_owner(tree);
    nx_tree_unlock(tree);
    return owner;
}

/* Who is gone is noticed within a second or so, by whoever takes the lock. */
static void await_burial(uint64_t key)
{
    const struct timespec moment = {.tv_nsec = 20000000};

    while (figures_of(key).out > 0)
        nanosleep(&moment, NULL);
}

/* ---- Tests ------------------------------------------------------------------------------------------------------- */

static bool have_a_tree_that_nobody_else_has(const struct child *me, void *context)
{
    uint32_t ticket;
    const bool taken = take_slot(*(uint64_t *)context, &ticket) == NX_TURN_NOW;

    child_say(me);
    child_await(me);
    return taken && figures_of(*(uint64_t *)context).out == 1;
}

/* The first test: nothing has made a tree yet. */
static void a_child_forked_before_the_first_session_has_a_tree_of_its_own(void **state)
{
    uint64_t key = new_gate();
    struct child child;

    (void)state;
    child_start(&child, have_a_tree_that_nobody_else_has, &key);
    child_listen(&child);
    assert_int_equal(figures_of(key).allowed, 0);
    child_let_go(&child);
    assert_int_equal(child_end(&child), 0);
}

static bool take_two(const struct child *me, void *context)
{
    const uint64_t key = *(uint64_t *)context;
    uint32_t ticket;
    const bool taken = take_slot(key, &ticket) == NX_TURN_NOW && take_slot(key, &ticket) == NX_TURN_NOW;

    child_say(me);
    child_await(me);
    return taken;
}

static void slots_that_a_child_takes_are_taken_for_its_parent(void **state)
{
    uint64_t key = new_gate();
    struct child child;
    uint32_t ticket;

    (void)state;
    nx_tree_get();
    child_start(&child, take_two, &key);
    child_listen(&child);
    assert_int_equal(figures_of(key).out, 2);
    assert_int_equal(take_slot(key, &ticket), NX_TURN_NOW);
    assert_int_not_equal(take_slot(key, &ticket), NX_TURN_NOW);
    assert_int_equal(child_end(&child), 0);
}

static bool be_somebody_else(const struct child *me, void *context)
{
    const uint32_t parents = *(uint32_t *)context;
    uint32_t own = own_index();

    (void)me;
    if (own == parents || own != own_index())
        return false;
    return nx_fork_generation() >= 2 || child_run(be_somebody_else, &own) == 0;
}

static void each_child_and_child_of_a_child_is_an_owner_of_its_own(void **state)
{
    uint32_t own = own_index();

    (void)state;
    assert_int_equal(nx_fork_generation(), 0);
    assert_int_equal(child_run(be_somebody_else, &own), 0);
    assert_int_equal(own_index(), own);
}

static bool agree(const struct child *me, void *context)
{
    (void)me;
    return memcmp(nx_tree_key(nx_tree_get()), context, sizeof(struct nx_siphash_key)) == 0;
}

static void processes_agree_on_the_key_and_on_the_beginning(void **state)
{
    struct nx_siphash_key key = *nx_tree_key(nx_tree_get());
    const struct nx_siphash_key none = {0};
    const int64_t begun_us = nx_tree_begun_us(nx_tree_get());

    (void)state;
    assert_memory_not_equal(&key, &none, sizeof key);
    assert_int_equal(child_run(agree, &key), 0);
    assert_true(begun_us <= nx_tree_now_us());
    assert_int_equal(nx_tree_begun_us(nx_tree_get()), begun_us);
}

static bool die_with_the_lock(const struct child *me, void *context)
{
    uint32_t ticket;

    (void)me;
    if (take_slot(*(uint64_t *)context, &ticket) == NX_TURN_NOW && nx_tree_lock(nx_tree_get()))
        raise(SIGKILL);
    return false;
}

static void who_is_killed_with_the_lock_in_hand_stops_nobody(void **state)
{
    uint64_t key = new_gate();

    static const int LOOKS[] = {0, 1, 1000}; /* until it is seen: at once, at a second look, by who sleeps */

    (void)state;
    nx_tree_get();
    for (int i = 0; i < 3; i++) {
        uint32_t ticket;

        assert_int_equal(child_run(die_with_the_lock, &key), SIGKILL);
        busy_looks = LOOKS[i];
        assert_int_equal(take_slot(new_gate(), &ticket), NX_TURN_NOW);
        busy_looks = 0;
        give_slot_back(ticket);
    }
    assert_int_equal(figures_of(key).out + figures_of(key).cooling, 3);
}

/* A zombie is gone as well: who reaps it may take its time. */
static void slots_of_who_is_killed_count_as_given_up(void **state)
{
    for (int reaped = 0; reaped < 2; reaped++) {
        uint64_t key = new_gate();
        struct child child;

        (void)state;
        nx_tree_get();
        child_start(&child, take_two, &key);
        child_listen(&child);
        assert_int_equal(figures_of(key).out, 2);
        if (reaped)
            child_kill(&child);
        else
            kill(child.pid, SIGKILL);
        await_burial(key);
        assert_int_equal(figures_of(key).cooling, 2);
        assert_true(figures_of(key).free_at_us == 0); /* the third is free */
        if (!reaped)
            assert_int_equal(child_end(&child), SIGKILL);
    }
}

static void who_lives_keeps_its_slots(void **state)
{
    uint64_t kept = new_gate();
    uint64_t lost = new_gate();
    struct child living;
    struct child dying;

    (void)state;
    nx_tree_get();
    child_start(&living, take_two, &kept);
    child_listen(&living);
    child_start(&dying, take_two, &lost);
    child_listen(&dying);
    child_kill(&dying);
    await_burial(lost);
    assert_int_equal(figures_of(kept).out, 2);
    assert_int_equal(child_end(&living), 0);
}

static bool be_below(const struct child *me, void *context)
{
    (void)me;
    return own_index() < *(uint32_t *)context;
}

/* The tests before had more children than that. */
static void places_of_the_dead_are_used_again(void **state)
{
    uint64_t key = new_gate();
    struct child child;

    (void)state;
    child_start(&child, take_two, &key);
    child_listen(&child);
    child_kill(&child);
    await_burial(key);
    assert_int_equal(child_run(be_below, &(uint32_t){8}), 0);
}

static bool take_and_give_for_ever(const struct child *me, void *context)
{
    uint32_t ticket;

    child_say(me);
    while (take_slot(*(uint64_t *)context, &ticket) == NX_TURN_NOW)
        give_slot_back(ticket);
    return false;
}

/* At any point of the ledger's work: with slots in hand, or half of one. */
static void who_is_killed_anywhere_harms_nobody(void **state)
{
    (void)state;
    nx_tree_get();
    for (int i = 0; i < KILLS; i++) {
        const struct timespec moment = {.tv_nsec = 100000 + i * 7919};
        uint64_t key = new_gate();
        uint64_t own = new_gate();
        struct child children[2];
        uint32_t ticket;

        for (int j = 0; j < 2; j++) {
            child_start(&children[j], take_and_give_for_ever, &key);
            child_listen(&children[j]);
        }
        nanosleep(&moment, NULL);
        child_kill(&children[0]);
        assert_int_equal(take_slot(own, &ticket), NX_TURN_NOW);
        give_slot_back(ticket);
        child_kill(&children[1]);
        assert_true(figures_of(key).out + figures_of(key).cooling <= ALLOWED);
        assert_int_equal(figures_of(own).out, 0);
    }
}

static void who_finds_the_lock_taken_looks_again_before_it_sleeps(void **state)
{
    static const struct {
        int looks, waits;
    } CASES[] = {{0, 0}, {1, 0}, {10, 0}, {1000, 1}};

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        waits = 0;
        busy_looks = CASES[i].looks;
        assert_non_null(nx_tree_lock(nx_tree_get()));
        nx_tree_unlock(nx_tree_get());
        assert_int_equal(waits, CASES[i].waits);
        assert_int_equal(busy_looks == 0, !CASES[i].waits);
        busy_looks = 0;
    }
}

static bool go_on_with_the_next_lock(const struct child *me, void *context)
{
    const uint64_t key = *(uint64_t *)context;
    uint32_t ticket;

    (void)me;
    lost_locks = 1;
    if (take_slot(key, &ticket) != NX_TURN_NOW || figures_of(key).out != 1)
        return false;
    lost_locks = 100;
    return nx_tree_lock(nx_tree_get()) == NULL;
}

static void a_lock_beyond_repair_stops_nobody(void **state)
{
    uint64_t key = new_gate();

    (void)state;
    nx_tree_get();
    assert_int_equal(child_run(go_on_with_the_next_lock, &key), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_forked_before_the_first_session_has_a_tree_of_its_own),
        cmocka_unit_test(slots_that_a_child_takes_are_taken_for_its_parent),
        cmocka_unit_test(each_child_and_child_of_a_child_is_an_owner_of_its_own),
        cmocka_unit_test(processes_agree_on_the_key_and_on_the_beginning),
        cmocka_unit_test(who_is_killed_with_the_lock_in_hand_stops_nobody),
        cmocka_unit_test(slots_of_who_is_killed_count_as_given_up),
        cmocka_unit_test(who_lives_keeps_its_slots),
        cmocka_unit_test(places_of_the_dead_are_used_again),
        cmocka_unit_test(who_is_killed_anywhere_harms_nobody),
        cmocka_unit_test(who_finds_the_lock_taken_looks_again_before_it_sleeps),
        cmocka_unit_test(a_lock_beyond_repair_stops_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
