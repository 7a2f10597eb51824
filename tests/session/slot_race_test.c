/* Threads that share a slot, while it is made wide and while its token is replaced: references are exact all the same.
 */
#include "support/test.h"

#include "session/slot_rig.h"

#include <pthread.h>
#include <string.h>

enum { READERS = 8, READS = 4000, PUTS = 1000, FOLD_AT = 4 };

struct race {
    struct nx_slot slot;
    pthread_mutex_t lock; /* the source's */
    bool widens;
    atomic_uint_fast64_t given;
    atomic_int broken;
    atomic_bool over;
};

/* What a caller does who finds the slot closed. */
static void see_to(struct race *race)
{
    pthread_mutex_lock(&race->lock);
    if (race->widens)
        nx_slot_widen(&race->slot, slot_arena);
    slot_set_fresh(&race->slot, SLOT_ALWAYS_MS, SLOT_WALL_MS - SLOT_MONO_MS);
    pthread_mutex_unlock(&race->lock);
}

static nexauth_token *take(struct race *race)
{
    nexauth_token *token = NULL;

    while (!(token = nx_slot_ref(&race->slot, slot_now())))
        see_to(race);
    race->given++;
    if (!slot_is_whole(nexauth_token_header(token), strlen(nexauth_token_header(token))))
        race->broken++;
    return token;
}

/* Half of the references are kept: nobody replaces the token, so that each can be accounted for. */
static void *take_and_drop(void *argument)
{
    for (int i = 0; i < READS; i++) {
        nexauth_token *token = take(argument);

        if (i % 2)
            nexauth_token_unref(token);
    }
    return NULL;
}

static void *take_and_keep(void *argument)
{
    enum { KEPT = 16 };
    struct race *race = argument;
    nexauth_token *kept[KEPT] = {0};

    for (int i = 0; i < READS || !race->over; i++) {
        nexauth_token_unref(kept[i % KEPT]);
        kept[i % KEPT] = take(race);
    }
    for (int i = 0; i < KEPT; i++)
        nexauth_token_unref(kept[i]);
    return NULL;
}

static void begin(struct race *race, void *(*run)(void *), pthread_t *threads)
{
    nx_slot_init(&race->slot);
    race->slot.fold_at = FOLD_AT;
    slot_fill(&race->slot, slot_new_token(&race->slot, 0));
    assert_int_equal(pthread_mutex_init(&race->lock, NULL), 0);
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run, race), 0);
}

static void join(struct race *race, const pthread_t *threads)
{
    for (int i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    pthread_mutex_destroy(&race->lock);
    assert_int_equal(race->broken, 0);
    assert_int_equal(nx_slot_hits(&race->slot), race->given);
    assert_true((atomic_load(&race->slot.lanes) != NULL) == race->widens);
}

static void end(struct race *race)
{
    assert_true(nx_slot_put(&race->slot, NULL));
    nx_arena_give_record(slot_arena, atomic_load(&race->slot.lanes));
}

static void fold_all_the_time(bool widens)
{
    struct race race = {.widens = widens};
    pthread_t threads[READERS];
    nexauth_token *token;

    begin(&race, take_and_drop, threads);
    join(&race, threads);
    token = nx_slot_token_in(atomic_load(&race.slot.word));
    assert_int_equal(race.given, READERS * READS);
    assert_true((atomic_load(&race.slot.word) & NX_SLOT_COUNT_MASK) < FOLD_AT);
    end(&race);
    assert_int_equal(slot_references(token), 1 + READERS * READS / 2);
    for (int i = 0; i < 1 + READERS * READS / 2; i++)
        nexauth_token_unref(token);
}

static void references_are_exact_while_many_fold(void **state)
{
    (void)state;
    fold_all_the_time(false);
    fold_all_the_time(true);
}

/* What is freed twice, early or never is seen by the sanitizers. */
static void references_are_exact_while_it_is_made_wide_and_tokens_are_replaced(void **state)
{
    struct race race = {.widens = true};
    pthread_t threads[READERS];
    nexauth_token *last = NULL;

    (void)state;
    begin(&race, take_and_keep, threads);
    last = nx_slot_token_in(atomic_load(&race.slot.word));
    for (int i = 0; i < PUTS || !atomic_load(&race.slot.lanes); i++) {
        nexauth_token_unref(last);
        last = slot_new_token(&race.slot, i % SLOT_LETTERS);
        pthread_mutex_lock(&race.lock);
        slot_fill(&race.slot, last);
        pthread_mutex_unlock(&race.lock);
    }
    race.over = true;
    join(&race, threads);
    end(&race);
    assert_int_equal(slot_references(last), 1);
    nexauth_token_unref(last);
    assert_int_equal(atomic_load(&race.slot.held), NX_SLOT_BY_OWNER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_are_exact_while_many_fold),
        cmocka_unit_test(references_are_exact_while_it_is_made_wide_and_tokens_are_replaced),
    };

    return cmocka_run_group_tests(tests, slot_set_up, slot_tear_down);
}
