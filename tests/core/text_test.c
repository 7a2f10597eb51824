#include "support/test.h"

#include "core/text.h"

#include <stdlib.h>
#include <string.h>

static void a_zeroed_text_is_empty_and_takes_nothing(void **state)
{
    struct nx_text text = {0};

    (void)state;
    assert_string_equal(nx_text_string(&text), "");
    assert_false(nx_text_failed(&text));
    nx_text_add_char(&text, 'a');
    assert_int_equal(text.status, NEXAUTH_INVALID);
    nx_text_release(&text);
}

static void an_empty_append_is_within_any_bound(void **state)
{
    struct nx_text text = {0};

    (void)state;
    nx_text_add(&text, "");
    nx_text_add_bytes(&text, NULL, 0);
    assert_false(nx_text_failed(&text));
    assert_string_equal(nx_text_string(&text), "");
    nx_text_release(&text);
}

static void appends_follow_each_other_and_end_in_nul(void **state)
{
    struct nx_text text;

    (void)state;
    nx_text_init(&text, 100);
    assert_null(text.data);
    nx_text_add(&text, "one");
    nx_text_add_char(&text, ' ');
    nx_text_add_bytes(&text, "two and more", 3);
    assert_string_equal(nx_text_string(&text), "one two");
    assert_int_equal(text.length, 7);
    nx_text_release(&text);
}

static void a_nul_is_a_byte_like_any_other(void **state)
{
    struct nx_text text;

    (void)state;
    nx_text_init(&text, 3);
    nx_text_add_bytes(&text, "a\0b", 3);
    assert_int_equal(text.length, 3);
    assert_memory_equal(text.data, "a\0b", 4);
    nx_text_release(&text);
}

static void a_text_grows_to_its_bound_and_not_beyond(void **state)
{
    static const size_t BOUNDS[] = {1, 2, 30, 31, 32, 33, 62, 63, 64, 65, 1000};

    (void)state;
    for (size_t i = 0; i < sizeof BOUNDS / sizeof BOUNDS[0]; i++) {
        struct nx_text text;

        nx_text_init(&text, BOUNDS[i]);
        while (text.length < BOUNDS[i])
            nx_text_add_char(&text, (char)('a' + text.length % 26));
        assert_false(nx_text_failed(&text));
        assert_true(text.capacity <= BOUNDS[i] + 1);
        assert_int_equal(strlen(text.data), BOUNDS[i]);
        assert_int_equal(text.data[BOUNDS[i] - 1], 'a' + (BOUNDS[i] - 1) % 26);
        nx_text_add_char(&text, 'z');
        assert_int_equal(text.status, NEXAUTH_INVALID);
        nx_text_release(&text);
    }
}

static void one_large_append_reaches_the_bound_at_once(void **state)
{
    static const char BYTES[777] = {0};
    struct nx_text text;

    (void)state;
    nx_text_init(&text, sizeof BYTES);
    nx_text_add_bytes(&text, BYTES, sizeof BYTES);
    assert_int_equal(text.length, sizeof BYTES);
    nx_text_release(&text);
}

static void an_absurd_size_is_refused(void **state)
{
    struct nx_text text;

    (void)state;
    nx_text_init(&text, 100);
    nx_text_add(&text, "a");
    nx_text_add_bytes(&text, "", SIZE_MAX);
    assert_int_equal(text.status, NEXAUTH_INVALID);
    nx_text_release(&text);
}

static void a_failed_text_is_empty_and_stays_empty(void **state)
{
    struct nx_text text;

    (void)state;
    nx_text_init(&text, 4);
    nx_text_add(&text, "abcd");
    nx_text_add(&text, "e");
    nx_text_add(&text, "f");
    assert_true(nx_text_failed(&text));
    assert_string_equal(nx_text_string(&text), "");
    assert_int_equal(text.length, 0);
    nx_text_release(&text);
}

static void the_first_cause_of_failure_wins(void **state)
{
    struct nx_text text;

    (void)state;
    nx_text_init(&text, 4);
    nx_text_fail(&text, NEXAUTH_NO_MEMORY);
    nx_text_fail(&text, NEXAUTH_INVALID);
    assert_int_equal(text.status, NEXAUTH_NO_MEMORY);
}

static void what_a_text_gives_up_is_wiped(void **state)
{
    static const char NOTHING[8] = {0};
    struct nx_text text;

    (void)state;
    nx_text_init(&text, 8);
    nx_text_add(&text, "secret");
    nx_text_clear(&text);
    assert_memory_equal(text.data, NOTHING, text.capacity < 8 ? text.capacity : 8);
    nx_text_add(&text, "secret");
    nx_text_fail(&text, NEXAUTH_INVALID);
    assert_memory_equal(text.data, NOTHING, text.capacity < 8 ? text.capacity : 8);
    nx_text_release(&text);
}

static void a_cleared_text_starts_anew_in_its_memory(void **state)
{
    struct nx_text text;
    const char *data = NULL;

    (void)state;
    nx_text_init(&text, 4);
    nx_text_add(&text, "abcd");
    data = text.data;
    nx_text_add(&text, "e");
    nx_text_clear(&text);
    assert_false(nx_text_failed(&text));
    nx_text_add(&text, "xy");
    assert_string_equal(nx_text_string(&text), "xy");
    assert_ptr_equal(text.data, data);
    nx_text_release(&text);
}

static void a_released_text_keeps_its_bound_alone(void **state)
{
    struct nx_text text;

    (void)state;
    nx_text_init(&text, 4);
    nx_text_add(&text, "abcde");
    nx_text_release(&text);
    nx_text_release(&text);
    assert_null(text.data);
    assert_false(nx_text_failed(&text));
    assert_int_equal(text.bound, 4);
}

static void a_move_hands_over_the_memory(void **state)
{
    struct nx_text from;
    struct nx_text to;
    const char *data = NULL;

    (void)state;
    nx_text_init(&from, 9);
    nx_text_init(&to, 5);
    nx_text_add(&from, "from");
    nx_text_add(&to, "to");
    data = from.data;
    nx_text_move(&to, &from);
    assert_ptr_equal(to.data, data);
    assert_string_equal(nx_text_string(&to), "from");
    assert_int_equal(to.bound, 9);
    assert_null(from.data);
    assert_int_equal(from.bound, 9);
    nx_text_release(&to);
}

static void a_move_hands_over_the_failure(void **state)
{
    struct nx_text from;
    struct nx_text to = {0};

    (void)state;
    nx_text_init(&from, 9);
    nx_text_fail(&from, NEXAUTH_NO_MEMORY);
    nx_text_move(&to, &from);
    assert_int_equal(to.status, NEXAUTH_NO_MEMORY);
    assert_false(nx_text_failed(&from));
    nx_text_release(&to);
}

static void wiping_overwrites_the_given_bytes_alone(void **state)
{
    char bytes[] = "abcdef";

    (void)state;
    nx_wipe(bytes + 1, 3);
    assert_memory_equal(bytes, "a\0\0\0ef", 7);
    nx_wipe(NULL, 0);
}

/* A vault that counts what it has given out, and looks at what comes back. */
struct counted {
    struct nx_vault vault;
    size_t out;
    bool full;
};

static void *take_counted(struct nx_vault *vault, size_t size)
{
    struct counted *counted = (struct counted *)vault;

    counted->out += !counted->full;
    return counted->full ? NULL : calloc(1, size);
}

static void give_counted(struct nx_vault *vault, void *memory, size_t size)
{
    assert_true(strlen(memory) < size);
    ((struct counted *)vault)->out--;
    free(memory);
}

static void what_is_locked_away_is_the_same_and_comes_back(void **state)
{
    struct counted counted = {{take_counted, give_counted}, 0, false};
    struct nx_text text;
    struct nx_text moved;

    (void)state;
    nx_text_init(&text, 100);
    nx_text_init(&moved, 100);
    nx_text_lock_away(&text, &counted.vault);
    assert_int_equal(counted.out, 0);
    nx_text_add(&text, "a secret");
    nx_text_lock_away(&text, &counted.vault);
    nx_text_lock_away(&text, &counted.vault);
    assert_int_equal(counted.out, 1);
    assert_string_equal(nx_text_string(&text), "a secret");
    nx_text_move(&moved, &text);
    assert_string_equal(nx_text_string(&moved), "a secret");
    assert_int_equal(counted.out, 1);
    nx_text_add(&moved, " that grows");
    assert_int_equal(counted.out, 0);
    assert_string_equal(nx_text_string(&moved), "a secret that grows");
    nx_text_lock_away(&moved, &counted.vault);
    nx_text_release(&moved);
    assert_int_equal(counted.out, 0);
}

static void what_a_vault_has_no_room_for_stays_where_it_is(void **state)
{
    struct counted counted = {{take_counted, give_counted}, 0, true};
    struct nx_text text;

    (void)state;
    nx_text_init(&text, 100);
    nx_text_add(&text, "a secret");
    nx_text_lock_away(&text, &counted.vault);
    assert_string_equal(nx_text_string(&text), "a secret");
    nx_text_release(&text);
    assert_int_equal(counted.out, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zeroed_text_is_empty_and_takes_nothing),
        cmocka_unit_test(an_empty_append_is_within_any_bound),
        cmocka_unit_test(appends_follow_each_other_and_end_in_nul),
        cmocka_unit_test(a_nul_is_a_byte_like_any_other),
        cmocka_unit_test(a_text_grows_to_its_bound_and_not_beyond),
        cmocka_unit_test(one_large_append_reaches_the_bound_at_once),
        cmocka_unit_test(an_absurd_size_is_refused),
        cmocka_unit_test(a_failed_text_is_empty_and_stays_empty),
        cmocka_unit_test(the_first_cause_of_failure_wins),
        cmocka_unit_test(what_a_text_gives_up_is_wiped),
        cmocka_unit_test(a_cleared_text_starts_anew_in_its_memory),
        cmocka_unit_test(a_released_text_keeps_its_bound_alone),
        cmocka_unit_test(a_move_hands_over_the_memory),
        cmocka_unit_test(a_move_hands_over_the_failure),
        cmocka_unit_test(wiping_overwrites_the_given_bytes_alone),
        cmocka_unit_test(what_is_locked_away_is_the_same_and_comes_back),
        cmocka_unit_test(what_a_vault_has_no_room_for_stays_where_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
