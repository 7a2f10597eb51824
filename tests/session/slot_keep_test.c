/* Who keeps a slot's memory: its owner, and the tokens that count in its cells. */
#include "support/fixture.h"
#include "support/test.h"

#include "session/slot_rig.h"

#include <pthread.h>
#include <stdlib.h>

static bool counts_in(const nexauth_token *token, struct nx_slot *slot, int cell)
{
    return token->references == &slot->cells[cell];
}

static void a_token_counts_in_a_cell_of_its_slot_while_one_is_free(void **state)
{
    struct nx_slot slot;
    nexauth_token *tokens[4];

    (void)state;
    nx_slot_init(&slot);
    for (int i = 0; i < 3; i++)
        tokens[i] = slot_new_token(&slot, i);
    assert_true(counts_in(tokens[0], &slot, 0));
    assert_true(counts_in(tokens[1], &slot, 1));
    assert_ptr_equal(tokens[2]->references, tokens[2] + 1);
    nexauth_token_unref(tokens[0]);
    tokens[3] = slot_new_token(&slot, 3);
    assert_true(counts_in(tokens[3], &slot, 0));
    for (int i = 1; i < 4; i++) {
        assert_int_equal(atomic_load(tokens[i]->references), 1);
        nexauth_token_unref(tokens[i]);
    }
    assert_int_equal(atomic_load(&slot.held), NX_SLOT_BY_OWNER);
}

/* Two lines: what is read, and behind that what is counted. */
static struct nx_slot *new_slot(void)
{
    char *record = nx_arena_take_record(slot_arena);
    struct nx_slot *slot;

    assert_non_null(record);
    slot = (struct nx_slot *)(void *)(record + 64);
    nx_slot_init(slot);
    return slot;
}

/* The owner goes when two of its tokens, or one, or none is left; who is the last gives the record back, which is zero
 * then. Under AddressSanitizer it is gone: what is too early shows as a use of it. */
static void a_slot_stays_until_its_owner_and_its_tokens_let_it_go(void **state)
{
    (void)state;
    for (int left = 0; left < 3; left++) {
        struct nx_slot *slot = new_slot();
        nexauth_token *tokens[3];

        for (int i = 0; i < 3; i++)
            tokens[i] = slot_new_token(slot, i);
        assert_true(nx_slot_put(slot, tokens[0]));
        for (int i = left; i < 3; i++)
            nexauth_token_unref(tokens[i]);
        assert_true(nx_slot_put(slot, NULL));
        nx_slot_let_go(slot, NX_SLOT_BY_OWNER, slot_arena);
        for (int i = 0; i < left; i++) {
            assert_int_equal(atomic_load(&slot->held), left - i == 2 ? 3 : 1U << i);
            assert_true(slot_is_whole(nexauth_token_header(tokens[i]), slot_token_size(i)));
            nexauth_token_unref(tokens[i]);
        }
    }
}

/* A record that is given back is the next that is taken; under AddressSanitizer none is soon. */
static void what_a_slot_lay_in_is_taken_again(void **state)
{
    void *record = nx_arena_take_record(slot_arena);
    const uintptr_t place = (uintptr_t)record;
    struct nx_slot *slot;
    nexauth_token *token;
    bool again;

    (void)state;
    nx_arena_give_record(slot_arena, record);
    slot = new_slot();
    again = (uintptr_t)slot - 64 == place;
    token = slot_new_token(slot, 0);
    nx_slot_let_go(slot, NX_SLOT_BY_OWNER, slot_arena);
    nexauth_token_unref(token);
    record = nx_arena_take_record(slot_arena);
    assert_true(!again || (uintptr_t)record == place);
    nx_arena_give_record(slot_arena, record);
}

/* Each is the last reader of some tokens of a slot that is no more. */
static void *drop_all(void *argument)
{
    nexauth_token **tokens = argument;

    for (int i = 0; tokens[i]; i++)
        nexauth_token_unref(tokens[i]);
    return NULL;
}

static void the_owner_and_the_last_readers_may_let_go_at_once(void **state)
{
    enum { TIMES = 300 };

    (void)state;
    for (int i = 0; i < TIMES; i++) {
        struct nx_slot *slot = new_slot();
        nexauth_token *tokens[2][2] = {{slot_new_token(slot, 0), NULL}, {slot_new_token(slot, 1), NULL}};
        pthread_t threads[2];

        for (int j = 0; j < 2; j++) {
            assert_true(nx_slot_put(slot, tokens[j][0]));
            assert_int_equal(pthread_create(&threads[j], NULL, drop_all, tokens[j]), 0);
        }
        assert_true(nx_slot_put(slot, NULL));
        nx_slot_let_go(slot, NX_SLOT_BY_OWNER, slot_arena);
        for (int j = 0; j < 2; j++)
            pthread_join(threads[j], NULL);
    }
}

static void tokens_outlive_their_source_and_session_in_any_order(void **state)
{
    static const int ORDERS[][3] = {{0, 1, 2}, {2, 1, 0}, {1, 2, 0}};

    for (size_t i = 0; i < sizeof ORDERS / sizeof *ORDERS; i++) {
        static const char *const texts[] = {"first", "second", "third"};
        struct fixture *fixture;
        nexauth_source *source;
        nexauth_token *tokens[3];

        assert_int_equal(fixture_set_up(state), 0);
        fixture = *state;
        source = fixture_new_controller(fixture);
        for (int j = 0; j < 3; j++) {
            fixture_answer_token(fixture, texts[j], "100");
            assert_int_equal(nexauth_source_get_token(source, NULL, &tokens[j], NULL), NEXAUTH_OK);
            nexauth_token_unref(nexauth_token_ref(tokens[j]));
            fixture_expire(fixture);
        }
        nexauth_source_free(source);
        assert_int_equal(fixture_tear_down(state), 0);
        for (int j = 0; j < 3; j++) {
            const int which = ORDERS[i][j];

            assert_int_equal(atomic_load(tokens[which]->references), 1);
            assert_string_equal(nexauth_token_access_token(tokens[which]), texts[which]);
            nexauth_token_unref(tokens[which]);
        }
    }
}

#define IN_AN_ARENA(test) cmocka_unit_test_setup_teardown(test, slot_set_up, slot_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_AN_ARENA(a_token_counts_in_a_cell_of_its_slot_while_one_is_free),
        IN_AN_ARENA(a_slot_stays_until_its_owner_and_its_tokens_let_it_go),
        IN_AN_ARENA(what_a_slot_lay_in_is_taken_again),
        IN_AN_ARENA(the_owner_and_the_last_readers_may_let_go_at_once),
        cmocka_unit_test(tokens_outlive_their_source_and_session_in_any_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
