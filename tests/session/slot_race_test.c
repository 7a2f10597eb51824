/*
 * Threads that take references from one slot, and copies, while its token is replaced and the slot is made wide:
 * references are exact, and copies whole. What is freed twice, early or never is seen by the sanitizers.
 */
#include "support/test.h"

#include "session/slot_rig.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

enum { READERS = 8, READS = 4001, PUTS = 1500, FOLD_AT = 4 };

struct race {
    struct nx_slot slot;
    pthread_mutex_t lock; /* the source's */
    pthread_barrier_t start;
    bool widens;
    atomic_uint_fast64_t given; /* references that readers got */
    atomic_uint_fast64_t copied;
    atomic_int broken;
    atomic_bool over;
};

/* What a caller does who finds the slot closed. */
static void see_to(struct race *race)
{
    pthread_mutex_lock(&race->lock);
    if (race->widens)
        nx_slot_widen(&race->slot, slot_arena);
    slot_open(&race->slot);
    pthread_mutex_unlock(&race->lock);
    sched_yield(); /* it may be empty for a while */
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
    struct race *race = argument;

    pthread_barrier_wait(&race->start);
    for (int i = 0; i < READS; i++) {
        nexauth_token *token = take(race);

        if (i % 2)
            nexauth_token_unref(token);
    }
    return NULL;
}

/* Some references are kept for a while, so that tokens outlive their time in the slot. */
static void *take_and_keep(void *argument)
{
    enum { KEPT = 16 };
    struct race *race = argument;
    nexauth_token *kept[KEPT] = {0};

    pthread_barrier_wait(&race->start);
    for (int i = 0; i < READS || !race->over; i++) {
        nexauth_token_unref(kept[i % KEPT]);
        kept[i % KEPT] = take(race);
        if (i % 3 == 0)
            nexauth_token_unref(nexauth_token_ref(kept[i % KEPT]));
    }
    for (int i = 0; i < KEPT; i++)
        nexauth_token_unref(kept[i]);
    return NULL;
}

static void *take_copies(void *argument)
{
    struct race *race = argument;
    char buffer[2048];
    size_t length;

    pthread_barrier_wait(&race->start);
    for (int i = 0; i < READS || !race->over; i++) {
        while (nx_slot_copy(&race->slot, slot_now(), buffer, sizeof buffer, &length) != NX_SLOT_COPIED)
            see_to(race);
        race->copied++;
        if (!slot_is_whole(buffer, length))
            race->broken++;
    }
    return NULL;
}

static void begin(struct race *race, void *(*even)(void *), void *(*odd)(void *), pthread_t *threads)
{
    nx_slot_init(&race->slot);
    race->slot.fold_at = FOLD_AT;
    slot_fill(&race->slot, slot_new_token(&race->slot, 0));
    assert_int_equal(pthread_mutex_init(&race->lock, NULL), 0);
    assert_int_equal(pthread_barrier_init(&race->start, NULL, READERS + 1), 0);
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, i % 2 ? odd : even, race), 0);
    pthread_barrier_wait(&race->start);
}

static void join(struct race *race, const pthread_t *threads)
{
    for (int i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&race->start);
    pthread_mutex_destroy(&race->lock);
    assert_int_equal(race->broken, 0);
    assert_int_equal(nx_slot_hits(&race->slot), race->given);
    assert_true(race->widens || !atomic_load(&race->slot.lanes));
}

/* Its token has these references beside the slot's. */
static void end(struct race *race, uint64_t references)
{
    nexauth_token *token = nx_slot_token_in(atomic_load(&race->slot.word));

    assert_true(nx_slot_put(&race->slot, NULL));
    nx_arena_give_record(slot_arena, atomic_load(&race->slot.lanes));
    assert_int_equal(slot_references(token), references);
    while (references--)
        nexauth_token_unref(token);
    assert_int_equal(atomic_load(&race->slot.held), NX_SLOT_BY_OWNER);
}

/* All fold at once, all the time. */
static void references_are_exact_while_many_fold(void **state)
{
    (void)state;
    for (int widens = 0; widens < 2; widens++) {
        struct race race = {.widens = widens};
        pthread_t threads[READERS];

        begin(&race, take_and_drop, take_and_drop, threads);
        join(&race, threads);
        assert_int_equal(race.given, READERS * READS);
        assert_true((atomic_load(&race.slot.word) & NX_SLOT_COUNT_MASK) < FOLD_AT);
        end(&race, 1 + READERS * ((READS + 1) / 2));
    }
}

/* Blocks and tokens are freed and used again at once, and the slot is empty at times. */
static void replace(struct race *race)
{
    nexauth_token *last = nx_slot_token_in(atomic_load(&race->slot.word));

    for (int i = 0; i < PUTS; i++) {
        nexauth_token_unref(last);
        last = slot_new_token(&race->slot, i % SLOT_LETTERS);
        pthread_mutex_lock(&race->lock);
        if (i % 7 == 0)
            assert_true(nx_slot_put(&race->slot, NULL));
        slot_fill(&race->slot, last);
        pthread_mutex_unlock(&race->lock);
    }
    race->over = true;
}

static void race_with(void *(*even)(void *), void *(*odd)(void *), struct race *race)
{
    pthread_t threads[READERS];

    begin(race, even, odd, threads);
    replace(race);
    join(race, threads);
    end(race, 1);
}

static void references_are_exact_while_tokens_are_replaced(void **state)
{
    (void)state;
    for (int widens = 0; widens < 2; widens++) {
        struct race race = {.widens = widens};

        race_with(take_and_keep, take_and_keep, &race);
        assert_true(race.given >= READERS * READS);
    }
}

static void copies_are_whole_while_tokens_are_replaced(void **state)
{
    (void)state;
    for (int widens = 0; widens < 2; widens++) {
        struct race race = {.widens = widens};

        race_with(take_and_keep, take_copies, &race);
        assert_true(race.given >= READERS / 2 * READS);
        assert_true(race.copied >= READERS / 2 * READS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_are_exact_while_many_fold),
        cmocka_unit_test(references_are_exact_while_tokens_are_replaced),
        cmocka_unit_test(copies_are_whole_while_tokens_are_replaced),
    };

    return cmocka_run_group_tests(tests, slot_set_up, slot_tear_down);
}
