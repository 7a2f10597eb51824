/* A slot that threads share: when it is made wide, and what it does then. */
#include "support/fixture.h"
#include "support/test.h"

#include "session/slot_rig.h"

#include <pthread.h>
#include <semaphore.h>
#include <string.h>

enum { FOLD_AT = 4 };

/* ---- Records ----------------------------------------------------------------------------------------------------- */

static bool without_memory;

void *__real_nx_arena_take_record(struct nx_arena *arena);
void *__wrap_nx_arena_take_record(struct nx_arena *arena);

void *__wrap_nx_arena_take_record(struct nx_arena *arena)
{
    return without_memory ? NULL : __real_nx_arena_take_record(arena);
}

/* What was given back last. */
static uintptr_t given;

void __real_nx_arena_give_record(struct nx_arena *arena, void *inside);
void __wrap_nx_arena_give_record(struct nx_arena *arena, void *inside);

void __wrap_nx_arena_give_record(struct nx_arena *arena, void *inside)
{
    given = (uintptr_t)inside;
    __real_nx_arena_give_record(arena, inside);
}

/* ---- Threads that share a slot ----------------------------------------------------------------------------------- */

static struct nx_slot *slot; /* in a record */
static nexauth_token *token; /* in the slot */

struct asking {
    int times;
    nexauth_token *last; /* with a reference */
};

static void *ask(void *argument)
{
    struct asking *asking = argument;

    for (int i = 0; i < asking->times; i++) {
        nexauth_token *got = nx_slot_ref(slot, slot_now());

        nexauth_token_unref(asking->last);
        asking->last = got;
    }
    return NULL;
}

/* The token that came last, whose reference is dropped. */
static nexauth_token *ask_here(int times)
{
    struct asking asking = {.times = times};

    ask(&asking);
    nexauth_token_unref(asking.last);
    return asking.last;
}

/* The same by a thread of its own, which is no more afterwards. */
static nexauth_token *ask_elsewhere(int times)
{
    struct asking asking = {.times = times};
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, ask, &asking), 0);
    pthread_join(thread, NULL);
    nexauth_token_unref(asking.last);
    return asking.last;
}

/* What closes it: three folds, by two threads in turn. */
static void share(void)
{
    ask_here(FOLD_AT);
    ask_elsewhere(FOLD_AT);
    ask_here(FOLD_AT);
}

/* Made wide, if there was a reason. */
static struct nx_lanes *widen(void)
{
    nx_slot_widen(slot, slot_arena);
    return atomic_load(&slot->lanes);
}

static int set_up(void **state)
{
    if (slot_set_up(state))
        return -1;
    slot = nx_arena_take_record(slot_arena);
    if (!slot)
        return -1;
    nx_slot_init(slot);
    slot->fold_at = FOLD_AT;
    token = slot_new_token(slot, 3);
    slot_fill(slot, token);
    return 0;
}

/* Wide, and fresh again. */
static int set_up_wide(void **state)
{
    if (set_up(state))
        return -1;
    share();
    if (!widen())
        return -1;
    slot_open(slot);
    return 0;
}

/* As its source ends it. The token has a cell of it. */
static int tear_down(void **state)
{
    const uintptr_t lanes = (uintptr_t)atomic_load(&slot->lanes);

    assert_true(nx_slot_put(slot, NULL));
    given = 0;
    nx_slot_let_go(slot, NX_SLOT_BY_OWNER, slot_arena);
    assert_true(given == lanes);
    assert_int_equal(slot_references(token), 1);
    nexauth_token_unref(token);
    assert_true(given == (uintptr_t)slot);
    return slot_tear_down(state);
}

static uint64_t counted(int lane)
{
    return atomic_load(&atomic_load(&slot->lanes)->lane[lane].word) & NX_SLOT_COUNT_MASK;
}

static uint64_t counted_without_lane(void)
{
    return atomic_load(&slot->word) & NX_SLOT_COUNT_MASK;
}

/* From now on this thread owns that lane alone; -1: none. */
static void own(int lane)
{
    for (int i = 0; i < NX_SLOT_LANES; i++)
        atomic_store(&atomic_load(&slot->lanes)->owners[i], i == lane ? nx_this_thread() : 1);
}

/* ---- When it is made wide ---------------------------------------------------------------------------------------- */

static void what_one_thread_asks_for_stays_narrow(void **state)
{
    (void)state;
    assert_ptr_equal(ask_here(1000), token);
    assert_null(widen());
    assert_ptr_equal(ask_elsewhere(1000), token); /* which takes the first one's place */
    assert_null(widen());
    assert_int_equal(nx_slot_hits(slot), 2000);
}

/* Each time this thread takes the last that is needed for a fold. */
static void others_that_do_not_fold_do_not_make_it_wide(void **state)
{
    (void)state;
    for (int i = 0; i < 30; i++) {
        assert_ptr_equal(ask_elsewhere(1), token);
        assert_ptr_equal(ask_here(FOLD_AT - 1), token);
        assert_null(widen());
    }
}

struct guest {
    struct asking asking;
    sem_t asked, may_go;
};

static void *ask_and_stay(void *argument)
{
    struct guest *guest = argument;

    ask(&guest->asking);
    sem_post(&guest->asked);
    sem_wait(&guest->may_go);
    nexauth_token_unref(guest->asking.last);
    return NULL;
}

/* As many as live at once: each folds, and none again. */
static void threads_of_which_none_comes_back_do_not_make_it_wide(void **state)
{
    enum { GUESTS = 12 };
    struct guest guests[GUESTS];
    pthread_t threads[GUESTS];

    (void)state;
    for (int i = 0; i < GUESTS; i++) {
        guests[i] = (struct guest){.asking = {.times = FOLD_AT}};
        assert_int_equal(sem_init(&guests[i].asked, 0, 0) | sem_init(&guests[i].may_go, 0, 0), 0);
        assert_int_equal(pthread_create(&threads[i], NULL, ask_and_stay, &guests[i]), 0);
        assert_int_equal(sem_wait(&guests[i].asked), 0);
        assert_null(widen());
    }
    for (int i = 0; i < GUESTS; i++) {
        sem_post(&guests[i].may_go);
        pthread_join(threads[i], NULL);
    }
}

static void two_threads_that_fold_by_turns_close_it_until_it_is_wide(void **state)
{
    (void)state;
    ask_here(10 * FOLD_AT);
    ask_elsewhere(10 * FOLD_AT);
    assert_ptr_equal(ask_here(FOLD_AT), token);
    assert_null(ask_here(1));
    assert_null(ask_elsewhere(1));
    assert_non_null(widen());
    assert_null(ask_here(1)); /* nobody has said that it is fresh */
    slot_open(slot);
    assert_ptr_equal(ask_elsewhere(10 * FOLD_AT), token);
    assert_ptr_equal(ask_here(1), token);
    assert_int_equal(atomic_load(&slot->until_ns), INT64_MIN);
    assert_int_equal(nx_slot_hits(slot), 31 * FOLD_AT + 1);
}

/* As by a renewal right after it was closed. */
static void what_was_opened_again_is_closed_as_it_is_made_wide(void **state)
{
    (void)state;
    share();
    slot_open(slot);
    assert_ptr_equal(ask_here(1), token);
    assert_non_null(widen());
    assert_null(ask_here(1));
    assert_int_equal(nx_slot_hits(slot), 3 * FOLD_AT + 1);
}

static void without_memory_it_stays_narrow_and_tries_again(void **state)
{
    (void)state;
    share();
    without_memory = true;
    assert_null(widen());
    without_memory = false;
    slot_open(slot);
    assert_ptr_equal(ask_here(FOLD_AT), token);
    assert_ptr_equal(ask_elsewhere(FOLD_AT), token);
    assert_null(widen()); /* as far as is known then, nobody shares it */
    share();
    assert_non_null(widen());
}

/* Even if somebody who has seen it narrow says so once more. */
static void once_wide_it_stays_so_and_closes_for_nobody(void **state)
{
    const struct nx_lanes *lanes = atomic_load(&slot->lanes);

    (void)state;
    for (int i = 0; i < 20; i++) {
        assert_ptr_equal(ask_elsewhere(3 * FOLD_AT), token);
        assert_ptr_equal(ask_here(3 * FOLD_AT), token);
        atomic_store(&slot->folders, NX_SLOT_SHARED);
        assert_ptr_equal(widen(), lanes);
    }
}

/* ---- What it does then ------------------------------------------------------------------------------------------- */

static void who_folds_gets_a_lane_and_keeps_it(void **state)
{
    (void)state;
    ask_here(FOLD_AT - 1);
    assert_int_equal(counted_without_lane(), FOLD_AT - 1);
    ask_here(1);
    assert_int_equal(counted_without_lane(), 0);
    ask_here(FOLD_AT - 1);
    assert_int_equal(counted(0), FOLD_AT - 1);
    ask_elsewhere(2 * FOLD_AT - 2);
    assert_int_equal(counted(1), FOLD_AT - 2);
    ask_here(1);
    assert_int_equal(counted(0), 0); /* folded */
    ask_here(1);
    assert_int_equal(counted(0), 1);
    assert_int_equal(counted(1), FOLD_AT - 2);
    assert_int_equal(counted(2) + counted_without_lane(), 0);
    assert_int_equal(nx_slot_hits(slot), 3 * FOLD_AT + 2 * FOLD_AT + 2 * FOLD_AT - 1);
}

static void where_none_is_free_it_takes_them_by_turns(void **state)
{
    (void)state;
    for (int i = 0; i < 2 * NX_SLOT_LANES; i++) {
        own(-1);
        ask_here(FOLD_AT + 1);
        for (int lane = 0; lane < NX_SLOT_LANES; lane++)
            assert_int_equal(atomic_load(&atomic_load(&slot->lanes)->owners[lane]) == nx_this_thread(),
                             lane == i % NX_SLOT_LANES);
        assert_int_equal(counted(i % NX_SLOT_LANES), i / NX_SLOT_LANES + 1);
    }
}

static void the_next_token_is_in_all_lanes_and_the_last_in_none(void **state)
{
    nexauth_token *next = slot_new_token(slot, 1);

    (void)state;
    for (int i = -1; i < NX_SLOT_LANES; i++) {
        own(i);
        assert_ptr_equal(ask_here(1), token);
    }
    assert_true(nx_slot_put(slot, next));
    assert_null(ask_here(1)); /* nobody has said that it is fresh */
    assert_int_equal(slot_references(token), 1);
    slot_open(slot);
    for (int i = -1; i < NX_SLOT_LANES; i++) {
        own(i);
        assert_ptr_equal(ask_here(2), next);
    }
    assert_int_equal(nx_slot_hits(slot), 3 * FOLD_AT + 3 * (1 + NX_SLOT_LANES));
    nexauth_token_unref(token);
    token = next;
}

static void a_token_is_given_until_its_time_and_while_no_clock_moves(void **state)
{
    (void)state;
    for (size_t i = 0; i < slot_times_count; i++) {
        const struct slot_time *row = &slot_times[i];

        slot_set_fresh(slot, row->until_ms, SLOT_WALL_MS - SLOT_MONO_MS);
        if (!slot_gives(slot, slot_at(row->mono_ms, row->wall_ms), 3, row->fresh))
            fail_msg("row %zu", i);
    }
}

/* ---- A source ---------------------------------------------------------------------------------------------------- */

struct sharing {
    nexauth_source *source;
    const char *text;
    int wrong;
};

static void *get_often(void *argument)
{
    struct sharing *sharing = argument;

    for (int i = 0; i < 10 * FOLD_AT; i++) {
        nexauth_token *got = NULL;

        if (nexauth_source_get_token(sharing->source, NULL, &got, NULL) ||
            strcmp(nexauth_token_access_token(got), sharing->text) != 0)
            sharing->wrong++;
        nexauth_token_unref(got);
    }
    return NULL;
}

/* This thread and others, four times in all. */
static void get_by_turns(nexauth_source *source, const char *text)
{
    struct sharing sharing = {.source = source, .text = text};

    for (int i = 0; i < 2; i++) {
        pthread_t thread;

        get_often(&sharing);
        assert_int_equal(pthread_create(&thread, NULL, get_often, &sharing), 0);
        pthread_join(thread, NULL);
        assert_int_equal(sharing.wrong, 0);
    }
}

static void a_source_that_threads_share_serves_each_of_its_tokens_to_all(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);
    struct nexauth_stats stats = {0};
    nexauth_token *second = NULL;
    char buffer[64];
    size_t size = 0;

    source->slot.fold_at = FOLD_AT;
    fixture_answer_token(fixture, "first", "100");
    get_by_turns(source, "first");
    assert_non_null(atomic_load(&source->slot.lanes));
    assert_int_equal(nexauth_source_copy_token(source, NULL, buffer, sizeof buffer, &size, NULL), NEXAUTH_OK);
    assert_string_equal(buffer, "Authorization: Bearer first");
    fixture_answer_token(fixture, "second", "100");
    fixture_expire(fixture);
    get_by_turns(source, "second");
    assert_int_equal(nexauth_source_get_token(source, NULL, &second, NULL), NEXAUTH_OK);
    fixture_answer_token(fixture, "third", "100");
    assert_int_equal(nexauth_source_reject_token(source, second, NULL), NEXAUTH_OK);
    get_by_turns(source, "third");
    assert_int_equal(nexauth_source_stats(source, &stats, NULL), NEXAUTH_OK);
    assert_int_equal(stats.requests, 3);
    assert_int_equal(stats.hits + stats.requests, 3 * 4 * 10 * FOLD_AT + 1);
    nexauth_source_free(source);
    assert_string_equal(nexauth_token_access_token(second), "second");
    nexauth_token_unref(second);
}

#define NARROW(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define WIDE(test)   cmocka_unit_test_setup_teardown(test, set_up_wide, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NARROW(what_one_thread_asks_for_stays_narrow),
        NARROW(others_that_do_not_fold_do_not_make_it_wide),
        NARROW(threads_of_which_none_comes_back_do_not_make_it_wide),
        NARROW(two_threads_that_fold_by_turns_close_it_until_it_is_wide),
        NARROW(what_was_opened_again_is_closed_as_it_is_made_wide),
        NARROW(without_memory_it_stays_narrow_and_tries_again),
        WIDE(once_wide_it_stays_so_and_closes_for_nobody),
        WIDE(who_folds_gets_a_lane_and_keeps_it),
        WIDE(where_none_is_free_it_takes_them_by_turns),
        WIDE(the_next_token_is_in_all_lanes_and_the_last_in_none),
        WIDE(a_token_is_given_until_its_time_and_while_no_clock_moves),
        cmocka_unit_test_setup_teardown(a_source_that_threads_share_serves_each_of_its_tokens_to_all, fixture_set_up,
                                        fixture_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
