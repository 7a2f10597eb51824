/* A slot that threads share: when it is made wide, and that references out of its lanes are as exact as out of its
 * word. */
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

struct asking {
    struct nx_slot *slot;
    int times;
    nexauth_token *last; /* with a reference */
};

static void *ask(void *argument)
{
    struct asking *asking = argument;

    for (int i = 0; i < asking->times; i++) {
        nexauth_token *token = nx_slot_ref(asking->slot, slot_now());

        nexauth_token_unref(asking->last);
        asking->last = token;
    }
    return NULL;
}

/* The token that came last, whose reference is dropped. */
static nexauth_token *ask_here(struct nx_slot *slot, int times)
{
    struct asking asking = {.slot = slot, .times = times};

    ask(&asking);
    nexauth_token_unref(asking.last);
    return asking.last;
}

/* The same by a thread of its own, which is no more afterwards. */
static nexauth_token *ask_elsewhere(struct nx_slot *slot, int times)
{
    struct asking asking = {.slot = slot, .times = times};
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, ask, &asking), 0);
    pthread_join(thread, NULL);
    nexauth_token_unref(asking.last);
    return asking.last;
}

/* What closes a slot: three folds, by two threads in turn. */
static void share(struct nx_slot *slot)
{
    ask_here(slot, FOLD_AT);
    ask_elsewhere(slot, FOLD_AT);
    ask_here(slot, FOLD_AT);
}

static void open_for_long(struct nx_slot *slot)
{
    slot_set_fresh(slot, SLOT_ALWAYS_MS, SLOT_WALL_MS - SLOT_MONO_MS);
}

static void init(struct nx_slot *slot, nexauth_token *token)
{
    nx_slot_init(slot);
    slot->fold_at = FOLD_AT;
    slot_fill(slot, token);
}

/* A slot that is wide, with this token, fresh. */
static void init_wide(struct nx_slot *slot, nexauth_token *token)
{
    init(slot, token);
    share(slot);
    nx_slot_widen(slot, slot_arena);
    assert_non_null(atomic_load(&slot->lanes));
    open_for_long(slot);
}

/* As its source does, but that it lies in no record. */
static void end(struct nx_slot *slot)
{
    assert_true(nx_slot_put(slot, NULL));
    nx_arena_give_record(slot_arena, atomic_load(&slot->lanes));
}

static void end_with(struct nx_slot *slot, nexauth_token *token)
{
    end(slot);
    assert_int_equal(slot_references(token), 1);
    nexauth_token_unref(token);
}

static uint64_t counted(const struct nx_slot *slot, int lane)
{
    return atomic_load(&atomic_load(&slot->lanes)->lane[lane].word) & NX_SLOT_COUNT_MASK;
}

static uint64_t counted_without_lane(const struct nx_slot *slot)
{
    return atomic_load(&slot->word) & NX_SLOT_COUNT_MASK;
}

/* From now on this thread owns that lane alone; -1: none. */
static void own(struct nx_slot *slot, int lane)
{
    for (int i = 0; i < NX_SLOT_LANES; i++)
        atomic_store(&atomic_load(&slot->lanes)->owners[i], i == lane ? nx_this_thread() : 1);
}

/* ---- When it is made wide ---------------------------------------------------------------------------------------- */

static void what_one_thread_asks_for_stays_narrow(void **state)
{
    nexauth_token *token = slot_new_token(NULL, 0);
    struct nx_slot slot;

    (void)state;
    init(&slot, token);
    assert_ptr_equal(ask_here(&slot, 1000), token);
    nx_slot_widen(&slot, slot_arena);
    assert_null(atomic_load(&slot.lanes));
    assert_ptr_equal(ask_elsewhere(&slot, 1000), token); /* which takes the first one's place */
    nx_slot_widen(&slot, slot_arena);
    assert_null(atomic_load(&slot.lanes));
    assert_int_equal(nx_slot_hits(&slot), 2000);
    end_with(&slot, token);
}

/* Each time this thread takes the last that is needed for a fold. */
static void others_that_do_not_fold_do_not_make_it_wide(void **state)
{
    nexauth_token *token = slot_new_token(NULL, 0);
    struct nx_slot slot;

    (void)state;
    init(&slot, token);
    for (int i = 0; i < 30; i++) {
        assert_ptr_equal(ask_elsewhere(&slot, 1), token);
        assert_ptr_equal(ask_here(&slot, FOLD_AT - 1), token);
        nx_slot_widen(&slot, slot_arena);
        assert_null(atomic_load(&slot.lanes));
    }
    end_with(&slot, token);
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
    nexauth_token *token = slot_new_token(NULL, 0);
    struct guest guests[GUESTS];
    pthread_t threads[GUESTS];
    struct nx_slot slot;

    (void)state;
    init(&slot, token);
    for (int i = 0; i < GUESTS; i++) {
        guests[i] = (struct guest){.asking = {.slot = &slot, .times = FOLD_AT}};
        assert_int_equal(sem_init(&guests[i].asked, 0, 0) | sem_init(&guests[i].may_go, 0, 0), 0);
        assert_int_equal(pthread_create(&threads[i], NULL, ask_and_stay, &guests[i]), 0);
        assert_int_equal(sem_wait(&guests[i].asked), 0);
        nx_slot_widen(&slot, slot_arena);
        assert_null(atomic_load(&slot.lanes));
    }
    for (int i = 0; i < GUESTS; i++) {
        sem_post(&guests[i].may_go);
        pthread_join(threads[i], NULL);
    }
    end_with(&slot, token);
}

static void two_threads_that_fold_by_turns_close_it_until_it_is_wide(void **state)
{
    nexauth_token *token = slot_new_token(NULL, 0);
    struct nx_slot slot;

    (void)state;
    init(&slot, token);
    ask_here(&slot, 10 * FOLD_AT);
    ask_elsewhere(&slot, 10 * FOLD_AT);
    assert_ptr_equal(ask_here(&slot, FOLD_AT), token);
    assert_null(ask_here(&slot, 1));
    assert_null(ask_elsewhere(&slot, 1));
    nx_slot_widen(&slot, slot_arena);
    assert_null(ask_here(&slot, 1)); /* nobody has said that it is fresh */
    open_for_long(&slot);
    assert_ptr_equal(ask_elsewhere(&slot, 10 * FOLD_AT), token);
    assert_ptr_equal(ask_here(&slot, 1), token);
    assert_int_equal(atomic_load(&slot.until_ns), INT64_MIN);
    assert_int_equal(nx_slot_hits(&slot), 31 * FOLD_AT + 1);
    end_with(&slot, token);
}

/* As by a renewal right after it was closed. */
static void what_was_opened_again_is_closed_as_it_is_made_wide(void **state)
{
    nexauth_token *token = slot_new_token(NULL, 0);
    struct nx_slot slot;

    (void)state;
    init(&slot, token);
    share(&slot);
    open_for_long(&slot);
    assert_ptr_equal(ask_here(&slot, 1), token);
    nx_slot_widen(&slot, slot_arena);
    assert_null(ask_here(&slot, 1));
    assert_int_equal(nx_slot_hits(&slot), 3 * FOLD_AT + 1);
    end_with(&slot, token);
}

static void without_memory_it_stays_narrow_and_tries_again(void **state)
{
    nexauth_token *token = slot_new_token(NULL, 0);
    struct nx_slot slot;

    (void)state;
    init(&slot, token);
    share(&slot);
    without_memory = true;
    nx_slot_widen(&slot, slot_arena);
    without_memory = false;
    assert_null(atomic_load(&slot.lanes));
    open_for_long(&slot);
    assert_ptr_equal(ask_here(&slot, FOLD_AT), token);
    assert_ptr_equal(ask_elsewhere(&slot, FOLD_AT), token);
    nx_slot_widen(&slot, slot_arena);
    assert_null(atomic_load(&slot.lanes)); /* as far as is known then, nobody shares it */
    share(&slot);
    nx_slot_widen(&slot, slot_arena);
    assert_non_null(atomic_load(&slot.lanes));
    end_with(&slot, token);
}

/* Even if somebody who has seen it narrow says so once more. */
static void once_wide_it_stays_so_and_closes_for_nobody(void **state)
{
    nexauth_token *token = slot_new_token(NULL, 0);
    struct nx_lanes *lanes;
    struct nx_slot slot;

    (void)state;
    init_wide(&slot, token);
    lanes = atomic_load(&slot.lanes);
    for (int i = 0; i < 20; i++) {
        assert_ptr_equal(ask_elsewhere(&slot, 3 * FOLD_AT), token);
        assert_ptr_equal(ask_here(&slot, 3 * FOLD_AT), token);
        atomic_store(&slot.folders, NX_SLOT_SHARED);
        nx_slot_widen(&slot, slot_arena);
        assert_ptr_equal(atomic_load(&slot.lanes), lanes);
    }
    end_with(&slot, token);
}

/* ---- What it does then ------------------------------------------------------------------------------------------- */

static void who_folds_gets_a_lane_and_keeps_it(void **state)
{
    nexauth_token *token = slot_new_token(NULL, 0);
    struct nx_slot slot;

    (void)state;
    init_wide(&slot, token);
    ask_here(&slot, FOLD_AT - 1);
    assert_int_equal(counted_without_lane(&slot), FOLD_AT - 1);
    ask_here(&slot, 1);
    assert_int_equal(counted_without_lane(&slot), 0);
    ask_here(&slot, FOLD_AT - 1);
    assert_int_equal(counted(&slot, 0), FOLD_AT - 1);
    ask_elsewhere(&slot, 2 * FOLD_AT - 2);
    assert_int_equal(counted(&slot, 1), FOLD_AT - 2);
    ask_here(&slot, 1);
    assert_int_equal(counted(&slot, 0), 0); /* folded */
    ask_here(&slot, 1);
    assert_int_equal(counted(&slot, 0), 1);
    assert_int_equal(counted(&slot, 1), FOLD_AT - 2);
    assert_int_equal(counted(&slot, 2) + counted_without_lane(&slot), 0);
    assert_int_equal(nx_slot_hits(&slot), 3 * FOLD_AT + 2 * FOLD_AT + 2 * FOLD_AT - 1);
    end_with(&slot, token);
}

static void where_none_is_free_it_takes_them_by_turns(void **state)
{
    nexauth_token *token = slot_new_token(NULL, 0);
    struct nx_slot slot;

    (void)state;
    init_wide(&slot, token);
    for (int i = 0; i < 2 * NX_SLOT_LANES; i++) {
        own(&slot, -1);
        ask_here(&slot, FOLD_AT + 1);
        for (int lane = 0; lane < NX_SLOT_LANES; lane++)
            assert_int_equal(atomic_load(&atomic_load(&slot.lanes)->owners[lane]) == nx_this_thread(),
                             lane == i % NX_SLOT_LANES);
        assert_int_equal(counted(&slot, i % NX_SLOT_LANES), i / NX_SLOT_LANES + 1);
    }
    end_with(&slot, token);
}

static void the_next_token_is_in_all_lanes_and_the_last_in_none(void **state)
{
    nexauth_token *tokens[] = {slot_new_token(NULL, 0), slot_new_token(NULL, 1)};
    struct nx_slot slot;

    (void)state;
    init_wide(&slot, tokens[0]);
    for (int i = -1; i < NX_SLOT_LANES; i++) {
        own(&slot, i);
        assert_ptr_equal(ask_here(&slot, 1), tokens[0]);
    }
    assert_true(nx_slot_put(&slot, tokens[1]));
    assert_null(ask_here(&slot, 1)); /* nobody has said that it is fresh */
    assert_int_equal(slot_references(tokens[0]), 1);
    open_for_long(&slot);
    for (int i = -1; i < NX_SLOT_LANES; i++) {
        own(&slot, i);
        assert_ptr_equal(ask_here(&slot, 2), tokens[1]);
    }
    assert_int_equal(nx_slot_hits(&slot), 3 * FOLD_AT + 3 * (1 + NX_SLOT_LANES));
    nexauth_token_unref(tokens[0]);
    end_with(&slot, tokens[1]);
}

static void a_token_is_given_until_its_time_and_while_no_clock_moves(void **state)
{
    nexauth_token *token = slot_new_token(NULL, 3);
    struct nx_slot slot;

    (void)state;
    init_wide(&slot, token);
    for (size_t i = 0; i < slot_times_count; i++) {
        const struct slot_time *row = &slot_times[i];

        slot_set_fresh(&slot, row->until_ms, SLOT_WALL_MS - SLOT_MONO_MS);
        if (!slot_gives(&slot, slot_at(row->mono_ms, row->wall_ms), 3, row->fresh))
            fail_msg("row %zu", i);
    }
    end_with(&slot, token);
}

static void its_owner_gives_its_lanes_back(void **state)
{
    struct nx_slot *slot = nx_arena_take_record(slot_arena);
    nexauth_token *token;
    uintptr_t lanes;

    (void)state;
    assert_non_null(slot);
    nx_slot_init(slot);
    token = slot_new_token(slot, 0);
    slot->fold_at = FOLD_AT;
    slot_fill(slot, token);
    share(slot);
    nx_slot_widen(slot, slot_arena);
    lanes = (uintptr_t)atomic_load(&slot->lanes);
    assert_true(nx_slot_put(slot, NULL));
    nx_slot_let_go(slot, NX_SLOT_BY_OWNER, slot_arena);
    assert_true(given == lanes);
    nexauth_token_unref(token); /* whose cell kept the slot, though not its lanes */
    assert_true(given == (uintptr_t)slot);
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
        nexauth_token *token = NULL;

        if (nexauth_source_get_token(sharing->source, NULL, &token, NULL) ||
            strcmp(nexauth_token_access_token(token), sharing->text) != 0)
            sharing->wrong++;
        nexauth_token_unref(token);
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
    nexauth_token *token = NULL;
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
    assert_int_equal(nexauth_source_get_token(source, NULL, &token, NULL), NEXAUTH_OK);
    fixture_answer_token(fixture, "third", "100");
    assert_int_equal(nexauth_source_reject_token(source, token, NULL), NEXAUTH_OK);
    get_by_turns(source, "third");
    assert_int_equal(nexauth_source_stats(source, &stats, NULL), NEXAUTH_OK);
    assert_int_equal(stats.requests, 3);
    assert_int_equal(stats.hits + stats.requests, 3 * 4 * 10 * FOLD_AT + 1);
    nexauth_source_free(source);
    assert_string_equal(nexauth_token_access_token(token), "second");
    nexauth_token_unref(token);
}

#define IN_AN_ARENA(test) cmocka_unit_test_setup_teardown(test, slot_set_up, slot_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_AN_ARENA(what_one_thread_asks_for_stays_narrow),
        IN_AN_ARENA(others_that_do_not_fold_do_not_make_it_wide),
        IN_AN_ARENA(threads_of_which_none_comes_back_do_not_make_it_wide),
        IN_AN_ARENA(two_threads_that_fold_by_turns_close_it_until_it_is_wide),
        IN_AN_ARENA(what_was_opened_again_is_closed_as_it_is_made_wide),
        IN_AN_ARENA(without_memory_it_stays_narrow_and_tries_again),
        IN_AN_ARENA(once_wide_it_stays_so_and_closes_for_nobody),
        IN_AN_ARENA(who_folds_gets_a_lane_and_keeps_it),
        IN_AN_ARENA(where_none_is_free_it_takes_them_by_turns),
        IN_AN_ARENA(the_next_token_is_in_all_lanes_and_the_last_in_none),
        IN_AN_ARENA(a_token_is_given_until_its_time_and_while_no_clock_moves),
        IN_AN_ARENA(its_owner_gives_its_lanes_back),
        cmocka_unit_test_setup_teardown(a_source_that_threads_share_serves_each_of_its_tokens_to_all, fixture_set_up,
                                        fixture_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
