/* What a token says of itself, and that its text lies in one block, once. */
#include "support/test.h"

#include "session/session.h"

#include <stdlib.h>
#include <string.h>

enum { SENT_WALL_S = 1700000000, SENT_BOOT_MS = 5000, MEGABYTE = 1024 * 1024, ISSUE_MOST = 8 * MEGABYTE };

struct row {
    const char *access_token, *refresh_token, *scope;
    int presentation;
    const char *presented;
    size_t block_size;
};

static void issue_init(struct nx_issue *issue, const struct row *row)
{
    nx_issue_init(issue, ISSUE_MOST);
    issue->lifetime_s = 100;
    issue->stated_s = 200;
    issue->presentation = row->presentation;
    nx_text_add(&issue->access_token, row->access_token);
    nx_text_add(&issue->refresh_token, row->refresh_token ? row->refresh_token : "");
    nx_text_add(&issue->scope, row->scope ? row->scope : "");
}

/* A token in an arena that the token alone keeps. NULL when it was not made. */
static nexauth_token *new_token(const struct row *row)
{
    struct nx_arena *arena = nx_arena_new();
    struct nx_issue issue;
    nexauth_token *token;

    assert_non_null(arena);
    issue_init(&issue, row);
    token = nx_token_new(arena, NULL, &issue, SENT_WALL_S, SENT_BOOT_MS);
    nx_arena_unref(arena);
    assert_int_equal(issue.access_token.length + issue.refresh_token.length + issue.scope.length, 0);
    assert_null(issue.access_token.data);
    return token;
}

static void same_string(const char *got, const char *expected)
{
    if (expected)
        assert_string_equal(got, expected);
    else
        assert_null(got);
}

static void a_token_holds_each_text_once(void **state)
{
    static const struct row rows[] = {
        {"abc", NULL, NULL, NEXAUTH_PRESENT_HEADER, "Authorization: Bearer abc", 26},
        {"abc", NULL, "user", NEXAUTH_PRESENT_HEADER, "Authorization: Bearer abc", 31},
        {"a/b", "more", "user", NEXAUTH_PRESENT_HEADER, "Authorization: Bearer a/b", 36},
        {"abc", "more", NULL, NEXAUTH_PRESENT_QUERY, "access_token=abc", 22},
        {"a/b", "more", "user", NEXAUTH_PRESENT_QUERY, "access_token=a%2Fb", 19 + 4 + 5 + 5},
        {"%41", NULL, NULL, NEXAUTH_PRESENT_QUERY, "access_token=%2541", 19 + 4},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const bool header = rows[i].presentation == NEXAUTH_PRESENT_HEADER;
        nexauth_token *token = new_token(&rows[i]);

        assert_non_null(token);
        same_string(nexauth_token_access_token(token), rows[i].access_token);
        same_string(nexauth_token_refresh_token(token), rows[i].refresh_token);
        same_string(nexauth_token_scope(token), rows[i].scope);
        same_string(nexauth_token_header(token), header ? rows[i].presented : NULL);
        same_string(nexauth_token_query(token), header ? NULL : rows[i].presented);
        assert_int_equal(token->presented_length, strlen(rows[i].presented));
        assert_int_equal(token->size, rows[i].block_size);
        nexauth_token_unref(token);
    }
}

static void a_token_says_when_it_was_got_and_when_it_ends(void **state)
{
    const struct row row = {"abc", NULL, NULL, NEXAUTH_PRESENT_HEADER, NULL, 0};
    nexauth_token *token = new_token(&row);

    (void)state;
    assert_int_equal(nexauth_token_obtained_at(token), SENT_WALL_S);
    assert_int_equal(nexauth_token_expires_at(token), SENT_WALL_S + 100);
    assert_int_equal(nexauth_token_lifetime_s(token), 100);
    assert_int_equal(nexauth_token_stated_lifetime_s(token), 200);
    assert_int_equal(token->expires_boot_ms, SENT_BOOT_MS + 100000);
    nexauth_token_unref(token);
}

static void a_token_of_a_megabyte_is_kept_and_one_too_long_is_not(void **state)
{
    static const struct {
        size_t size;
        bool kept;
    } rows[] = {{MEGABYTE, true}, {(size_t)4 * MEGABYTE - 64, true}, {(size_t)4 * MEGABYTE - 63, false}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text = malloc(rows[i].size + 1);
        struct row row = {text, NULL, "user", NEXAUTH_PRESENT_HEADER, NULL, 0};
        nexauth_token *token;

        assert_non_null(text);
        memset(text, 't', rows[i].size);
        text[rows[i].size] = '\0';
        token = new_token(&row);
        assert_int_equal(token != NULL, rows[i].kept);
        if (token)
            assert_string_equal(nexauth_token_access_token(token), text);
        nexauth_token_unref(token);
        free(text);
    }
}

static void a_token_is_small(void **state)
{
    (void)state;
    assert_true(sizeof(struct nexauth_token) <= 96);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_holds_each_text_once),
        cmocka_unit_test(a_token_says_when_it_was_got_and_when_it_ends),
        cmocka_unit_test(a_token_of_a_megabyte_is_kept_and_one_too_long_is_not),
        cmocka_unit_test(a_token_is_small),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
