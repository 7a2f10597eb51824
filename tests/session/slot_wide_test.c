/* A slot that threads share: when it is made wide, and that references out of its lanes are as exact as out of its
 * word. */
#include "support/fixture.h"
#include "support/test.h"

#include "session/slot_rig.h"

#include <pthread.h>
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

/* By a thread of its own, which is no more afterwards. The token that came last, with a reference. */
static nexauth_token *ask_elsewhere(struct nx_slot *slot, int times)
{
    struct asking asking = {.slot = slot, .times = times};
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, ask, &asking), 0);
    pthread_join(thread, NULL);
    return asking.last;
}

/* What closes a slot: folds by one thread, and then by another. */
static void share(struct nx_slot *slot)
{
    for (int i = 0; i < 2; i++)
        nexauth_token_unref(ask_elsewhere(slot, FOLD_AT));
}

static void init(struct nx_slot *slot, nexauth_token *token)
{
    nx_slot_init(slot);
    slot->fold_at = FOLD_AT;
    slot_fill(slot, token);
}

/* A slot of its own that is wide, with this token, fresh. */
static void init_wide(struct nx_slot *slot, nexauth_token *token)
{
    init(slot, token);
    share(slot);
    nx_slot_widen(slot, slot_arena);
    assert_non_null(atomic_load(&slot->lanes));
    slot_set_fresh(slot, SLOT_ALWAYS_MS, SLOT_WALL_MS - SLOT_MONO_MS);
}

/* As its source does, but that it lies in no record. */
static void end(struct nx_slot *slot)
{
    assert_true(nx_slot_put(slot, NULL));
    nx_arena_give_record(slot_arena, atomic_load(&slot->lanes));
}

static uint64_t counted(const struct nx_slot *slot, int lane)
{
    return atomic_load(&atomic_load(&slot->lanes)->lane[lane].word) & NX_SLOT_COUNT_MASK;
}

/* ---- When it is made wide ---------------------------------------------------------------------------------------- */

static void what_one_thread_asks_for_stays_narrow(void **state)
{
    nexauth_token *token = slot_new_token(NULL, 0);
    struct nx_slot slot;

    (void)state;
    init(&slot, token);
    for (int i = 0; i < 1000; i++) {
        nexauth_token *got = nx_slot_ref(&slot, slot_now());

        assert_ptr_equal(got, token);
        nexauth_token_unref(got);
    }
    nx_slot_widen(&slot, slot_arena);
    assert_null(atomic_load(&slot.lanes));
    assert_int_equal(nx_slot_hits(&slot), 1000);
    end(&slot);
    nexauth_token_unref(token);
}

/* Each time this thread takes the last that is needed for a fold. */
static void others_that_ask_now_and_then_do_not_make_it_wide(void **state)
{
    nexauth_token *token = slot_new_token(NULL, 0);
    struct nx_slot slot;

    (void)state;
    init(&slot, token);
    for (int i = 0; i < 30; i++) {
        struct asking asking = {.slot = &slot, .times = FOLD_AT - 1};

        nexauth_token_unref(ask_elsewhere(&slot, 1));
        ask(&asking);
        assert_ptr_equal(asking.last, token);
        nexauth_token_unref(token);
        nx_slot_widen(&slot, slot_arena);
        assert_null(atomic_load(&slot.lanes));
    }
    end(&slot);
    nexauth_token_unref(token);
}

static void two_threads_that_fold_close_it_until_it_is_wide(void **state)
{
    nexauth_token *token = slot_new_token(NULL, 0);
    struct nx_slot slot;

    (void)state;
    init(&slot, token);
    nexauth_token_unref(ask_elsewhere(&slot, 10 * FOLD_AT));
    assert_ptr_equal(ask_elsewhere(&slot, 1), token);
    nexauth_token_unref(token);
    assert_null(ask_elsewhere(&slot, 2 * FOLD_AT));
    assert_null(nx_slot_ref(&slot, slot_now()));
    nx_slot_widen(&slot, slot_arena);
    assert_null(nx_slot_ref(&slot, slot_now())); /* nobody has said that it is fresh */
    slot_set_fresh(&slot, SLOT_ALWAYS_MS, SLOT_WALL_MS - SLOT_MONO_MS);
    assert_ptr_equal(ask_elsewhere(&slot, 10 * FOLD_AT), token);
    assert_ptr_equal(nx_slot_ref(&slot, slot_now()), token);
    assert_int_equal(atomic_load(&slot.until_ns), INT64_MIN);
    assert_int_equal(nx_slot_hits(&slot), 21 * FOLD_AT + 1);
    end(&slot);
    assert_int_equal(slot_references(token), 3);
    for (int i = 0; i < 3; i++)
        nexauth_token_unref(token);
}

/* As by a renewal right after it was closed. */
static void what_was_opened_again_is_closed_as_it_is_made_wide(void **state)
{
    nexauth_token *token = slot_new_token(NULL, 0);
    struct nx_slot slot;

    (void)state;
    init(&slot, token);
    share(&slot);
    slot_set_fresh(&slot, SLOT_ALWAYS_MS, SLOT_WALL_MS - SLOT_MONO_MS);
    assert_ptr_equal(nx_slot_ref(&slot, slot_now()), token);
    nexauth_token_unref(token);
    nx_slot_widen(&slot, slot_arena);
    assert_null(nx_slot_ref(&slot, slot_now()));
    end(&slot);
    nexauth_token_unref(token);
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
    slot_set_fresh(&slot, SLOT_ALWAYS_MS, SLOT_WALL_MS - SLOT_MONO_MS);
    assert_ptr_equal(nx_slot_ref(&slot, slot_now()), token);
    nexauth_token_unref(token);
    nx_slot_widen(&slot, slot_arena);
    nexauth_token_unref(ask_elsewhere(&slot, FOLD_AT));
    nx_slot_widen(&slot, slot_arena);
    assert_null(atomic_load(&slot.lanes)); /* as far as is known then, nobody shares it */
    share(&slot);
    nx_slot_widen(&slot, slot_arena);
    assert_non_null(atomic_load(&slot.lanes));
    end(&slot);
    nexauth_token_unref(token);
}

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
        nexauth_token_unref(token);
        nx_slot_widen(&slot, slot_arena);
        assert_ptr_equal(atomic_load(&slot.lanes), lanes);
    }
    end(&slot);
    nexauth_token_unref(token);
}

/* ---- What it does then ------------------------------------------------------------------------------------------- */

static void threads_that_follow_one_another_take_from_different_lanes(void **state)
{
    nexauth_token *token = slot_new_token(NULL, 0);
    struct nx_slot slot;
    uint64_t sum = 0;

    (void)state;
    init_wide(&slot, token);
    for (int i = 0; i < NX_SLOT_LANES; i++)
        assert_ptr_equal(ask_elsewhere(&slot, FOLD_AT - 1), token);
    for (int i = 0; i < NX_SLOT_LANES; i++) {
        assert_int_equal(counted(&slot, i), FOLD_AT - 1);
        sum += counted(&slot, i);
    }
    assert_int_equal(nx_slot_hits(&slot), sum + 2 * FOLD_AT);
    assert_ptr_equal(ask_elsewhere(&slot, 1), token);
    for (int i = 0; i < NX_SLOT_LANES; i++)
        sum -= counted(&slot, i);
    assert_int_equal(sum, FOLD_AT - 1); /* of one lane: folded */
    end(&slot);
    for (int i = 0; i < NX_SLOT_LANES + 2; i++)
        nexauth_token_unref(token);
}

static void the_next_token_is_in_all_lanes_and_the_last_in_none(void **state)
{
    nexauth_token *tokens[] = {slot_new_token(NULL, 0), slot_new_token(NULL, 1)};
    struct nx_slot slot;

    (void)state;
    init_wide(&slot, tokens[0]);
    for (int i = 0; i < NX_SLOT_LANES; i++)
        assert_ptr_equal(ask_elsewhere(&slot, 1), tokens[0]);
    assert_true(nx_slot_put(&slot, tokens[1]));
    assert_null(ask_elsewhere(&slot, 1)); /* nobody has said that it is fresh */
    assert_int_equal(slot_references(tokens[0]), 1 + NX_SLOT_LANES);
    slot_set_fresh(&slot, SLOT_ALWAYS_MS, SLOT_WALL_MS - SLOT_MONO_MS);
    for (int i = 0; i < NX_SLOT_LANES; i++)
        assert_ptr_equal(ask_elsewhere(&slot, 1), tokens[1]);
    end(&slot);
    assert_int_equal(slot_references(tokens[1]), 1 + NX_SLOT_LANES);
    for (int i = 0; i < 2 * (1 + NX_SLOT_LANES); i++)
        nexauth_token_unref(tokens[i % 2]);
}

static void its_time_and_its_clocks_count_as_before(void **state)
{
    static const struct {
        int64_t until_ms, mono_ms, wall_ms;
        bool fresh;
    } rows[] = {
        {6000, 5000, 90000, true},      {6000, 5999, 90999, true},       {6000, 6000, 91000, false},
        {6000, 5000, 91000, true},      {6000, 5000, 91001, false},      {6000, 5000, 88999, false},
        {INT64_MAX, 5000, 90000, true}, {INT64_MIN, 5000, 90000, false}, {5000, 5000, 90000, false},
    };
    nexauth_token *token = slot_new_token(NULL, 3);
    struct nx_slot slot;

    (void)state;
    init_wide(&slot, token);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct nx_moment moment = slot_at(rows[i].mono_ms, rows[i].wall_ms);
        char buffer[2048];
        size_t length = 0;
        nexauth_token *got;

        slot_set_fresh(&slot, rows[i].until_ms, SLOT_WALL_MS - SLOT_MONO_MS);
        got = nx_slot_ref(&slot, moment);
        if ((got != NULL) != rows[i].fresh)
            fail_msg("row %zu", i);
        nexauth_token_unref(got);
        assert_int_equal(nx_slot_copy(&slot, moment, buffer, sizeof buffer, &length),
                         rows[i].fresh ? NX_SLOT_COPIED : NX_SLOT_NOT_FRESH);
        assert_true(!rows[i].fresh || slot_is_whole(buffer, length));
    }
    end(&slot);
    nexauth_token_unref(token);
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
    int times;
    int wrong;
};

static void *get_often(void *argument)
{
    struct sharing *sharing = argument;

    for (int i = 0; i < sharing->times; i++) {
        nexauth_token *token = NULL;

        if (nexauth_source_get_token(sharing->source, NULL, &token, NULL) ||
            strcmp(nexauth_token_access_token(token), sharing->text) != 0)
            sharing->wrong++;
        nexauth_token_unref(token);
    }
    return NULL;
}

static void get_by_turns(nexauth_source *source, const char *text)
{
    for (int i = 0; i < 4; i++) {
        struct sharing sharing = {.source = source, .text = text, .times = 10 * FOLD_AT};
        pthread_t thread;

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
        IN_AN_ARENA(others_that_ask_now_and_then_do_not_make_it_wide),
        IN_AN_ARENA(two_threads_that_fold_close_it_until_it_is_wide),
        IN_AN_ARENA(what_was_opened_again_is_closed_as_it_is_made_wide),
        IN_AN_ARENA(without_memory_it_stays_narrow_and_tries_again),
        IN_AN_ARENA(once_wide_it_stays_so_and_closes_for_nobody),
        IN_AN_ARENA(threads_that_follow_one_another_take_from_different_lanes),
        IN_AN_ARENA(the_next_token_is_in_all_lanes_and_the_last_in_none),
        IN_AN_ARENA(its_time_and_its_clocks_count_as_before),
        IN_AN_ARENA(its_owner_gives_its_lanes_back),
        cmocka_unit_test_setup_teardown(a_source_that_threads_share_serves_each_of_its_tokens_to_all, fixture_set_up,
                                        fixture_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
