/* Locks that other threads hold while one forks. */
#include "support/test.h"

#include "io/arena.h"
#include "io/fork.h"
#include "support/child.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum { RANKS = 3, FORKS = 150, THREADS = 3, BLOCK = 100 };

/* What the lock guards is changed in two steps. */
struct guarded {
    struct nx_lock lock;
    struct nx_fork_guard guard;
    int first, second;
    int inherited;
};

static char order[16];

static void note(void *context)
{
    struct guarded *guarded = context;

    guarded->inherited++;
    order[strlen(order)] = (char)('a' + (int)guarded->guard.rank);
}

static void guard(struct guarded *guarded, enum nx_fork_rank rank)
{
    *guarded = (struct guarded){0};
    assert_true(nx_fork_guard_init(&guarded->guard, &guarded->lock, rank, note, guarded));
}

static void unguard(struct guarded *guarded)
{
    nx_fork_guard_destroy(&guarded->guard);
}

static bool was_told(const struct child *me, void *context)
{
    const struct guarded *guarded = context;

    (void)me;
    return guarded->inherited == 1 && nx_fork_generation() == 1;
}

static void who_enters_is_told_in_the_child_and_not_in_the_parent(void **state)
{
    struct guarded guarded;

    (void)state;
    guard(&guarded, NX_FORK_ENGINE);
    assert_int_equal(child_run(was_told, &guarded), 0);
    assert_int_equal(guarded.inherited, 0);
    assert_int_equal(nx_fork_generation(), 0);
    unguard(&guarded);
}

static bool was_not_told(const struct child *me, void *context)
{
    const struct guarded *guarded = context;

    (void)me;
    return guarded[0].inherited == 1 && guarded[1].inherited == 0 && guarded[2].inherited == 1;
}

static void who_left_is_told_no_more(void **state)
{
    struct guarded guarded[3];

    (void)state;
    for (int i = 0; i < 3; i++)
        guard(&guarded[i], NX_FORK_READING);
    unguard(&guarded[1]);
    unguard(&guarded[1]);
    assert_int_equal(child_run(was_not_told, guarded), 0);
    unguard(&guarded[0]);
    unguard(&guarded[2]);
}

static bool was_in_order(const struct child *me, void *context)
{
    (void)me;
    return strcmp(order, context) == 0;
}

static void locks_are_taken_in_the_order_of_their_ranks(void **state)
{
    static const enum nx_fork_rank ranks[] = {NX_FORK_TRANSPORT, NX_FORK_ENGINE, NX_FORK_ARENA, NX_FORK_READING,
                                              NX_FORK_ENGINE};
    struct guarded guarded[5];

    (void)state;
    for (int i = 0; i < 5; i++)
        guard(&guarded[i], ranks[i]);
    assert_int_equal(child_run(was_in_order, "aabcd"), 0);
    for (int i = 0; i < 5; i++)
        unguard(&guarded[i]);
}

static struct guarded ranked[RANKS];
static struct nx_arena *arena;
static atomic_bool over;

static void take_and_give_a_block(void)
{
    nx_arena_give(arena, nx_arena_take(arena, BLOCK), BLOCK);
}

static bool change_all(void)
{
    bool whole = true;

    for (int i = 0; i < RANKS; i++) {
        nx_lock_take(&ranked[i].lock);
        whole = whole && ranked[i].first == ranked[i].second;
        ranked[i].first++;
    }
    for (int i = 0; i < RANKS; i++) {
        ranked[i].second++;
        nx_lock_give(&ranked[i].lock);
    }
    return whole;
}

static void *keep_changing(void *context)
{
    (void)context;
    while (!over)
        change_all();
    return NULL;
}

static void *keep_taking(void *context)
{
    (void)context;
    while (!over)
        take_and_give_a_block();
    return NULL;
}

static bool change(const struct child *me, void *context)
{
    (void)me;
    take_and_give_a_block();
    return change_all() && (!context || child_run(change, NULL) == 0);
}

static void no_lock_stays_taken_and_nothing_half_changed_whenever_it_is_forked(void **state)
{
    pthread_t threads[THREADS];
    char child_of_a_child;

    (void)state;
    arena = nx_arena_new();
    assert_non_null(arena);
    over = false;
    for (int i = 0; i < RANKS; i++)
        guard(&ranked[i], (enum nx_fork_rank)i);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, i ? keep_changing : keep_taking, NULL), 0);
    for (int i = 0; i < FORKS; i++)
        assert_int_equal(child_run(change, i % 10 ? NULL : &child_of_a_child), 0);
    over = true;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < RANKS; i++)
        unguard(&ranked[i]);
    nx_arena_unref(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_enters_is_told_in_the_child_and_not_in_the_parent),
        cmocka_unit_test(who_left_is_told_no_more),
        cmocka_unit_test(locks_are_taken_in_the_order_of_their_ranks),
        cmocka_unit_test(no_lock_stays_taken_and_nothing_half_changed_whenever_it_is_forked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
