/* The slot: what is taken out of it is counted, for how long it gives something, and what copying meets. */
#include "support/test.h"

#include "session/slot_rig.h"

#include <stdlib.h>
#include <string.h>

/* ---- A writer that crosses what is copied ------------------------------------------------------------------------ */

static struct nx_slot *crossing; /* NULL: none does */
static int copies;

void __real_nx_block_copy(const struct nx_block *block, size_t offset, void *to, size_t size);
void __wrap_nx_block_copy(const struct nx_block *block, size_t offset, void *to, size_t size);

void __wrap_nx_block_copy(const struct nx_block *block, size_t offset, void *to, size_t size)
{
    __real_nx_block_copy(block, offset, to, size);
    if (!crossing)
        return;
    atomic_fetch_add(&crossing->sequence, 2);
    copies++;
}

static void an_empty_slot_gives_nothing(void **state)
{
    struct nx_slot slot;
    char buffer[16];
    size_t length = 7;

    (void)state;
    nx_slot_init(&slot);
    slot_open(&slot);
    for (int i = 0; i < 200000; i++)
        assert_null(nx_slot_ref(&slot, slot_now()));
    assert_int_equal(nx_slot_copy(&slot, slot_now(), buffer, sizeof buffer, &length), NX_SLOT_NOT_FRESH);
    assert_int_equal(length, 7);
    assert_int_equal(atomic_load(&slot.word), 0);
    assert_int_equal(nx_slot_hits(&slot), 0);
    assert_true(nx_slot_put(&slot, NULL));
}

static void each_reader_gets_a_reference_and_each_is_counted(void **state)
{
    struct nx_slot slot;
    nexauth_token *token = slot_new_token(NULL, 0);

    (void)state;
    nx_slot_init(&slot);
    slot_fill(&slot, token);
    for (int i = 0; i < 100; i++)
        assert_ptr_equal(nx_slot_ref(&slot, slot_now()), token);
    assert_int_equal(nx_slot_hits(&slot), 100);
    for (int i = 0; i < 60; i++)
        nexauth_token_unref(token);
    assert_true(nx_slot_put(&slot, NULL));
    assert_int_equal(slot_references(token), 41);
    assert_int_equal(nx_slot_hits(&slot), 100);
    for (int i = 0; i < 41; i++)
        nexauth_token_unref(token);
}

/* Far more than the word can count. */
static void the_count_is_folded_before_it_is_full(void **state)
{
    enum { MANY = 200000 };
    struct nx_slot slot;
    nexauth_token *token = slot_new_token(NULL, 0);

    (void)state;
    nx_slot_init(&slot);
    slot_fill(&slot, token);
    for (int i = 0; i < MANY; i++)
        assert_ptr_equal(nx_slot_ref(&slot, slot_now()), token);
    assert_int_equal(nx_slot_hits(&slot), MANY);
    assert_int_equal(slot_references(token), NX_SLOT_BIAS + 1 + MANY - MANY % NX_SLOT_FOLD_AT);
    assert_true(nx_slot_put(&slot, NULL));
    assert_int_equal(slot_references(token), MANY + 1);
    for (int i = 0; i <= MANY; i++)
        nexauth_token_unref(token);
}

static void a_token_may_be_put_again_and_into_two_slots(void **state)
{
    struct nx_slot slots[2];
    nexauth_token *token = slot_new_token(NULL, 0);

    (void)state;
    for (int i = 0; i < 2; i++) {
        nx_slot_init(&slots[i]);
        slot_fill(&slots[i], token);
        assert_ptr_equal(nx_slot_ref(&slots[i], slot_now()), token);
        slot_fill(&slots[i], token);
        assert_ptr_equal(nx_slot_ref(&slots[i], slot_now()), token);
        assert_int_equal(nx_slot_hits(&slots[i]), 2);
    }
    for (int i = 0; i < 5; i++)
        nexauth_token_unref(token);
    assert_true(nx_slot_put(&slots[0], NULL));
    assert_ptr_equal(nx_slot_ref(&slots[1], slot_now()), token);
    nexauth_token_unref(token);
    assert_true(nx_slot_put(&slots[1], NULL));
}

static void a_token_is_given_until_its_time_and_while_no_clock_moves(void **state)
{
    nexauth_token *token = slot_new_token(NULL, 3);

    (void)state;
    for (size_t i = 0; i < slot_times_count; i++) {
        const struct slot_time *row = &slot_times[i];
        struct nx_slot slot;

        nx_slot_init(&slot);
        assert_true(nx_slot_put(&slot, token));
        assert_null(nx_slot_ref(&slot, slot_now())); /* nobody has said that it is fresh */
        slot_set_fresh(&slot, row->until_ms, SLOT_WALL_MS - SLOT_MONO_MS);
        if (!slot_gives(&slot, slot_at(row->mono_ms, row->wall_ms), 3, row->fresh))
            fail_msg("row %zu", i);
        assert_true(nx_slot_put(&slot, NULL));
    }
    nexauth_token_unref(token);
}

static void a_new_token_is_not_fresh_by_what_was_said_of_the_old(void **state)
{
    struct nx_slot slot;
    nexauth_token *tokens[] = {slot_new_token(NULL, 0), slot_new_token(NULL, 1)};

    (void)state;
    nx_slot_init(&slot);
    slot_fill(&slot, tokens[0]);
    assert_true(nx_slot_put(&slot, tokens[1]));
    assert_null(nx_slot_ref(&slot, slot_now()));
    slot_open(&slot);
    assert_ptr_equal(nx_slot_ref(&slot, slot_now()), tokens[1]);
    nexauth_token_unref(tokens[1]);
    assert_true(nx_slot_put(&slot, NULL));
    nexauth_token_unref(tokens[0]);
    nexauth_token_unref(tokens[1]);
}

static void a_copy_needs_room_for_the_text_and_its_nul(void **state)
{
    struct nx_slot slot;
    nexauth_token *token = slot_new_token(NULL, 2);
    char buffer[512];
    size_t length = 0;

    (void)state;
    nx_slot_init(&slot);
    slot_fill(&slot, token);
    for (size_t size = 0; size < sizeof buffer; size++) {
        const bool fits = size > slot_token_size(2);

        memset(buffer, '#', sizeof buffer);
        assert_int_equal(nx_slot_copy(&slot, slot_now(), buffer, size, &length),
                         fits ? NX_SLOT_COPIED : NX_SLOT_TOO_SMALL);
        assert_int_equal(length, slot_token_size(2));
        assert_int_equal(buffer[size], '#');
        assert_true(!fits || slot_is_whole(buffer, length));
    }
    assert_int_equal(nx_slot_hits(&slot), 0);
    assert_true(nx_slot_put(&slot, NULL));
    nexauth_token_unref(token);
}

/* As a reader meets the slot between a writer's stores: fresh by what it read before them. */
static void who_copies_while_the_token_changes_is_told_that_none_is_fresh(void **state)
{
    struct nx_slot slot;
    nexauth_token *token = slot_new_token(NULL, 0);
    char buffer[512] = "as it was";
    size_t length = 7;

    (void)state;
    nx_slot_init(&slot);
    slot_fill(&slot, token);
    atomic_fetch_add(&slot.sequence, 1);
    assert_int_equal(nx_slot_copy(&slot, slot_now(), buffer, sizeof buffer, &length), NX_SLOT_NOT_FRESH);
    atomic_fetch_add(&slot.sequence, 1);
    atomic_store(&slot.block, NULL);
    assert_int_equal(nx_slot_copy(&slot, slot_now(), buffer, sizeof buffer, &length), NX_SLOT_NOT_FRESH);
    assert_string_equal(buffer, "as it was");
    assert_int_equal(length, 7);
    assert_true(nx_slot_put(&slot, NULL));
    nexauth_token_unref(token);
}

/* All its tries: the buffer is not left with what may be of two tokens. */
static void what_was_copied_while_the_token_changed_is_wiped(void **state)
{
    struct nx_slot slot;
    nexauth_token *token = slot_new_token(NULL, 0);
    char buffer[512] = "";
    const char none[512] = "";
    size_t length = 7;

    (void)state;
    nx_slot_init(&slot);
    slot_fill(&slot, token);
    crossing = &slot;
    copies = 0;
    assert_int_equal(nx_slot_copy(&slot, slot_now(), buffer, sizeof buffer, &length), NX_SLOT_NOT_FRESH);
    crossing = NULL;
    assert_true(copies > 1);
    assert_memory_equal(buffer, none, sizeof none);
    assert_int_equal(length, 7);
    assert_int_equal(nx_slot_copy(&slot, slot_now(), buffer, sizeof buffer, &length), NX_SLOT_COPIED);
    assert_true(slot_is_whole(buffer, length));
    assert_true(nx_slot_put(&slot, NULL));
    nexauth_token_unref(token);
}

static void a_token_at_an_address_of_more_than_48_bits_stays_out(void **state)
{
    const union {
        uintptr_t address;
        nexauth_token *token;
    } far = {(uintptr_t)UINT64_C(0x0100000000000000)};
    struct nx_slot slot;
    nexauth_token *token = slot_new_token(NULL, 0);

    (void)state;
    if (sizeof(uintptr_t) < sizeof(uint64_t))
        skip();
    nx_slot_init(&slot);
    slot_fill(&slot, token);
    assert_false(nx_slot_put(&slot, far.token));
    slot_open(&slot);
    assert_null(nx_slot_ref(&slot, slot_now()));
    assert_int_equal(slot_references(token), 1);
    nexauth_token_unref(token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_slot_gives_nothing),
        cmocka_unit_test(each_reader_gets_a_reference_and_each_is_counted),
        cmocka_unit_test(the_count_is_folded_before_it_is_full),
        cmocka_unit_test(a_token_may_be_put_again_and_into_two_slots),
        cmocka_unit_test(a_token_is_given_until_its_time_and_while_no_clock_moves),
        cmocka_unit_test(a_new_token_is_not_fresh_by_what_was_said_of_the_old),
        cmocka_unit_test(a_copy_needs_room_for_the_text_and_its_nul),
        cmocka_unit_test(who_copies_while_the_token_changes_is_told_that_none_is_fresh),
        cmocka_unit_test(what_was_copied_while_the_token_changed_is_wiped),
        cmocka_unit_test(a_token_at_an_address_of_more_than_48_bits_stays_out),
    };

    return cmocka_run_group_tests(tests, slot_set_up, slot_tear_down);
}
