/* Tokens that an earlier process had: what remains of them, and what is done with their refresh tokens. */
#include "support/test.h"

#include "support/fixture.h"

#include <string.h>

/* The scripted world begins at this second. */
static const int64_t NOW = 2000000000;

static nexauth_token *get(nexauth_source *source)
{
    nexauth_token *token = NULL;
    struct nexauth_error error = {0};

    if (nexauth_source_get_token(source, NULL, &token, &error) != NEXAUTH_OK)
        fail_msg("%s: %s", nexauth_status_name(error.status), error.message);
    return token;
}

/* A customer who has nothing but what is restored, and a refresh token that has had its day. */
static nexauth_source *new_refresher(struct fixture *fixture)
{
    const struct nexauth_nexusguard_user_options options = {.app_id = "app", .refresh_token = "of-the-options"};

    return fixture_new_customer(fixture, &options);
}

/* Everything that the token of its name says. */
static struct nexauth_saved_token saved_of(const nexauth_token *token)
{
    return (struct nexauth_saved_token){.access_token = nexauth_token_access_token(token),
                                        .refresh_token = nexauth_token_refresh_token(token),
                                        .scope = nexauth_token_scope(token),
                                        .obtained_at = nexauth_token_obtained_at(token),
                                        .expires_at = nexauth_token_expires_at(token),
                                        .lifetime_s = nexauth_token_lifetime_s(token)};
}

static void restore(nexauth_source *source, const struct nexauth_saved_token *saved)
{
    struct nexauth_error error = {0};

    if (nexauth_source_restore_token(source, saved, &error) != NEXAUTH_OK)
        fail_msg("%s: %s", nexauth_status_name(error.status), error.message);
}

/* The source has its token for so many ms, although it cannot be renewed, and then no more. */
static void expect_served_for(struct fixture *fixture, nexauth_source *source, int64_t ms)
{
    struct nexauth_stats stats = {0};
    struct nexauth_error error = {0};

    assert_int_equal(nexauth_source_stats(source, &stats, NULL), NEXAUTH_OK);
    assert_int_equal(stats.expires_at, fixture->script.wall_s + ms / 1000);
    script_answer(&fixture->script, (struct script_answer){.status = 500});
    script_answer(&fixture->script, (struct script_answer){.status = 500});
    script_pass_ms(&fixture->script, ms - 1);
    assert_int_equal(fixture_get(source, "saved", &error), NEXAUTH_OK);
    script_pass_ms(&fixture->script, 1);
    assert_int_equal(fixture_get(source, NULL, &error), NEXAUTH_UNAVAILABLE);
}

static void what_remains_is_the_lifetime_or_the_time_until_the_end(void **state)
{
    struct fixture *fixture = *state;
    const struct {
        int64_t obtained_at, expires_at, lifetime_s, remains_s;
    } cases[] = {
        {NOW - 0, NOW + 100, 100, 100},                         /* new */
        {NOW - 40, NOW + 60, 100, 60},                          /* aged */
        {NOW - 99, NOW + 1, 100, 1},                            /* all but over */
        {NOW - 10, NOW + 500, 100, 100},                        /* the wall clock was set: the lifetime counts */
        {NOW - 900, NOW + 50, 100, 50},                         /* the same */
        {0, NOW + 50, 100, 50},                                 /* obtained by a clock that had not been set */
        {NOW, INT64_MAX, 3600, 3600},                           /* numbers that a file may hold */
        {NOW, NOW + 3600, INT64_MAX, 3600},                     /* the same */
        {NOW, INT64_MAX, INT64_MAX, (int64_t)14 * 86400},       /* NEX: two weeks at most */
        {NOW, NOW + 12096000, 12096000, (int64_t)14 * 86400},   /* as NEX states */
        {NOW - 86400, NOW + 1123200, 1209600, (int64_t)1123200} /* as it was saved */
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int64_t shift_s = fixture->script.wall_s - NOW;
        const struct nexauth_saved_token saved = {
            .access_token = "saved",
            .obtained_at = cases[i].obtained_at ? cases[i].obtained_at + shift_s : 0,
            .expires_at = cases[i].expires_at < INT64_MAX ? cases[i].expires_at + shift_s : INT64_MAX,
            .lifetime_s = cases[i].lifetime_s};
        nexauth_source *source = fixture_new_controller(fixture);

        restore(source, &saved);
        expect_served_for(fixture, source, cases[i].remains_s * 1000);
        nexauth_source_free(source);
        fixture_forget(fixture);
    }
}

static void what_has_expired_is_not_served(void **state)
{
    struct fixture *fixture = *state;
    const struct {
        int64_t obtained_at, expires_at, lifetime_s;
    } cases[] = {
        {NOW - 100, NOW, 100},           {NOW - 100, NOW - 1, 100},         {NOW - 1000000, 1, 100},
        {NOW + 1, NOW + 101, 100}, /* the wall clock stands before it: it is not to be trusted */
        {NOW + 1, INT64_MAX, INT64_MAX}, {INT64_MAX, INT64_MAX, INT64_MAX}, {INT64_MAX, 1, 1},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct nexauth_saved_token saved = {.access_token = "saved",
                                                  .refresh_token = "saved-refresh",
                                                  .obtained_at = cases[i].obtained_at,
                                                  .expires_at = cases[i].expires_at,
                                                  .lifetime_s = cases[i].lifetime_s};
        nexauth_source *source = new_refresher(fixture);
        struct nexauth_error error = {0};

        script_answer(&fixture->script, fixture_first_token);
        restore(source, &saved);
        assert_int_equal(fixture_get(source, "one", &error), NEXAUTH_OK);
        assert_int_equal(fixture->script.begun, i + 1);
        assert_non_null(strstr(fixture->script.requests[i].body, "saved-refresh"));
        nexauth_source_free(source);
    }
}

static void a_restored_token_is_served_without_a_request_and_renewed_in_its_windows(void **state)
{
    struct fixture *fixture = *state;
    const struct {
        int64_t age_s;
        int64_t pass_ms;
        const char *expected;
        int reason;
    } cases[] = {
        {0, 74900, "saved", NEXAUTH_REASON_FIRST}, {50, 24900, "saved", NEXAUTH_REASON_FIRST},
        {0, 82000, "fresh", NEXAUTH_REASON_EARLY}, {50, 32000, "fresh", NEXAUTH_REASON_EARLY},
        {85, 0, "fresh", NEXAUTH_REASON_EARLY},    {92, 0, "fresh", NEXAUTH_REASON_LATE},
        {50, 45000, "fresh", NEXAUTH_REASON_LATE}, {50, 50000, "fresh", NEXAUTH_REASON_EXPIRED},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int64_t now = fixture->script.wall_s;
        const struct nexauth_saved_token saved = {.access_token = "saved",
                                                  .obtained_at = now - cases[i].age_s,
                                                  .expires_at = now - cases[i].age_s + 100,
                                                  .lifetime_s = 100};
        const size_t before = fixture->script.begun;
        nexauth_source *source = fixture_new_controller(fixture);
        struct nexauth_stats stats = {0};
        struct nexauth_error error = {0};

        restore(source, &saved);
        script_pass_ms(&fixture->script, cases[i].pass_ms);
        if (cases[i].reason != NEXAUTH_REASON_FIRST)
            fixture_answer_token(fixture, "fresh", "100");
        assert_int_equal(fixture_get(source, cases[i].expected, &error), NEXAUTH_OK);
        assert_int_equal(fixture->script.begun - before, cases[i].reason != NEXAUTH_REASON_FIRST);
        assert_int_equal(nexauth_source_stats(source, &stats, NULL), NEXAUTH_OK);
        assert_int_equal(stats.reason, cases[i].reason);
        nexauth_source_free(source);
    }
}

static void what_a_token_says_of_itself_restores_it(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *before = fixture_new_customer(fixture, &fixture_customer);
    nexauth_source *after = new_refresher(fixture);
    struct nexauth_saved_token saved;
    struct nexauth_error error = {0};
    nexauth_token *token;
    nexauth_token *restored;

    script_answer(&fixture->script, fixture_right_redirect);
    script_answer(&fixture->script, fixture_first_token);
    script_answer(&fixture->script, fixture_second_token);
    token = get(before);
    saved = saved_of(token);
    nexauth_source_free(before);
    script_pass_ms(&fixture->script, 30000);
    restore(after, &saved);
    restored = get(after);
    assert_string_equal(nexauth_token_access_token(restored), "one");
    assert_string_equal(nexauth_token_query(restored), nexauth_token_query(token));
    assert_null(nexauth_token_header(restored));
    assert_string_equal(nexauth_token_refresh_token(restored), "refresh-one");
    assert_string_equal(nexauth_token_scope(restored), "install_login");
    assert_int_equal(nexauth_token_obtained_at(restored), nexauth_token_obtained_at(token));
    assert_int_equal(nexauth_token_expires_at(restored), nexauth_token_expires_at(token));
    assert_int_equal(nexauth_token_lifetime_s(restored), 100);
    assert_int_equal(nexauth_token_stated_lifetime_s(restored), 100);
    assert_int_equal(fixture->script.begun, 2);
    script_pass_ms(&fixture->script, 70000);
    assert_int_equal(fixture_get(after, "two", &error), NEXAUTH_OK);
    assert_non_null(strstr(fixture->script.requests[2].body, "refresh-one"));
    nexauth_token_unref(token);
    nexauth_token_unref(restored);
    nexauth_source_free(after);
}

/* Where the members of a saved token disagree, the token says when it really ends. */
static void a_restored_token_says_when_it_really_ends(void **state)
{
    struct fixture *fixture = *state;
    const struct {
        struct nexauth_saved_token saved;
        int64_t expires_at;
    } cases[] = {
        {{"a", NULL, NULL, 2000000000, 2000000050, 100, {0}}, 2000000050},
        {{"a", NULL, NULL, 1999999100, 2000000050, 100, {0}}, 2000000050},
        {{"a", NULL, NULL, 1999999990, 2000000500, 100, {0}}, 2000000100},
        {{"a", NULL, NULL, 0, 2000000050, 100, {0}}, 2000000050},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nexauth_source *source = fixture_new_controller(fixture);
        nexauth_token *token;

        restore(source, &cases[i].saved);
        token = get(source);
        assert_int_equal(nexauth_token_expires_at(token), cases[i].expires_at);
        assert_int_equal(nexauth_token_obtained_at(token), cases[i].saved.obtained_at);
        assert_int_equal(nexauth_token_lifetime_s(token), 100);
        assert_int_equal(fixture->script.begun, 0); /* it is not over by the wall clock either */
        nexauth_token_unref(token);
        nexauth_source_free(source);
    }
}

static void a_refresh_token_alone_is_kept(void **state)
{
    struct fixture *fixture = *state;
    const struct nexauth_saved_token saved = {.refresh_token = "saved-refresh"};
    nexauth_source *source = new_refresher(fixture);
    struct nexauth_error error = {0};

    script_answer(&fixture->script, fixture_first_token);
    restore(source, &saved);
    assert_int_equal(fixture_get(source, "one", &error), NEXAUTH_OK);
    assert_non_null(strstr(fixture->script.requests[0].body, "saved-refresh"));
    nexauth_source_free(source);
}

static void a_token_without_a_refresh_token_leaves_that_of_the_options(void **state)
{
    struct fixture *fixture = *state;
    const struct nexauth_saved_token saved = {
        .access_token = "saved", .obtained_at = 2000000000, .expires_at = 2000000100, .lifetime_s = 100};
    nexauth_source *source = new_refresher(fixture);
    struct nexauth_error error = {0};

    script_answer(&fixture->script, fixture_first_token);
    restore(source, &saved);
    assert_int_equal(fixture_get(source, "saved", &error), NEXAUTH_OK);
    fixture_expire(fixture);
    assert_int_equal(fixture_get(source, "one", &error), NEXAUTH_OK);
    assert_non_null(strstr(fixture->script.requests[0].body, "of-the-options"));
    nexauth_source_free(source);
}

static void a_saved_token_that_is_wrong_is_refused(void **state)
{
    struct fixture *fixture = *state;
    static char endless[1048578];
    const struct nexauth_saved_token bad[] = {
        {.access_token = "", .obtained_at = NOW, .expires_at = NOW + 100, .lifetime_s = 100},
        {.access_token = "a b", .obtained_at = NOW, .expires_at = NOW + 100, .lifetime_s = 100},
        {.access_token = "a\n", .obtained_at = NOW, .expires_at = NOW + 100, .lifetime_s = 100},
        {.access_token = "a\x7f", .obtained_at = NOW, .expires_at = NOW + 100, .lifetime_s = 100},
        {.access_token = "\xc3\xa9", .obtained_at = NOW, .expires_at = NOW + 100, .lifetime_s = 100},
        {.access_token = endless, .obtained_at = NOW, .expires_at = NOW + 100, .lifetime_s = 100},
        {.access_token = "a", .obtained_at = NOW, .expires_at = NOW + 100, .lifetime_s = 0},
        {.access_token = "a", .obtained_at = NOW, .expires_at = NOW + 100, .lifetime_s = -1},
        {.access_token = "a", .obtained_at = NOW, .expires_at = NOW + 100, .lifetime_s = INT64_MIN},
        {.access_token = "a", .obtained_at = NOW, .expires_at = 0, .lifetime_s = 100},
        {.access_token = "a", .obtained_at = NOW, .expires_at = -1, .lifetime_s = 100},
        {.access_token = "a", .obtained_at = NOW, .expires_at = INT64_MIN, .lifetime_s = 100},
        {.access_token = "a", .obtained_at = -1, .expires_at = NOW + 100, .lifetime_s = 100},
        {.access_token = "a", .obtained_at = INT64_MIN, .expires_at = NOW + 100, .lifetime_s = 100},
        {.access_token = "a", .scope = "b\n", .obtained_at = NOW, .expires_at = NOW + 100, .lifetime_s = 100},
        {.access_token = "a", .scope = endless, .obtained_at = NOW, .expires_at = NOW + 100, .lifetime_s = 100},
        {.refresh_token = endless},
        {.refresh_token = "a", .reserved = {1}},
        {.refresh_token = "a", .reserved = {0, 0, 0, 0, 0, 0, 0, 1}},
    };
    nexauth_source *source = new_refresher(fixture);
    struct nexauth_error error = {0};

    memset(endless, 'a', sizeof endless - 1);
    script_answer(&fixture->script, fixture_first_token);
    assert_int_equal(nexauth_source_restore_token(NULL, &bad[0], &error), NEXAUTH_INVALID);
    assert_int_equal(nexauth_source_restore_token(source, NULL, &error), NEXAUTH_INVALID);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        error = (struct nexauth_error){0};
        if (nexauth_source_restore_token(source, &bad[i], &error) != NEXAUTH_INVALID)
            fail_msg("case %zu was taken", i);
        assert_int_equal(error.status, NEXAUTH_INVALID);
        assert_int_not_equal(error.message[0], '\0');
        assert_int_equal(nexauth_source_restore_token(source, &bad[i], NULL), NEXAUTH_INVALID);
    }
    assert_int_equal(fixture_get(source, "one", &error), NEXAUTH_OK);
    assert_non_null(strstr(fixture->script.requests[0].body, "of-the-options"));
    nexauth_source_free(source);
}

static void a_source_without_a_use_for_it_takes_no_saved_token(void **state)
{
    struct fixture *fixture = *state;
    const struct nexauth_saved_token token = {
        .access_token = "a", .obtained_at = NOW, .expires_at = NOW + 100, .lifetime_s = 100};
    const struct nexauth_saved_token refresh = {
        .access_token = "a", .refresh_token = "b", .obtained_at = NOW, .expires_at = NOW + 100, .lifetime_s = 100};
    const struct nexauth_static_options options = {.access_token = "api-key"};
    nexauth_source *controller = fixture_new_controller(fixture);
    nexauth_source *fixed = NULL;

    assert_int_equal(nexauth_source_new_static(fixture->session, &options, &fixed, NULL), NEXAUTH_OK);
    assert_int_equal(nexauth_source_restore_token(fixed, &token, NULL), NEXAUTH_INVALID);
    assert_int_equal(nexauth_source_restore_token(controller, &refresh, NULL), NEXAUTH_INVALID);
    assert_int_equal(nexauth_source_restore_token(controller, &token, NULL), NEXAUTH_OK);
    nexauth_source_free(fixed);
    nexauth_source_free(controller);
}

static void ignore(void *context, nexauth_token *token, const struct nexauth_error *error)
{
    (void)context;
    (void)token;
    (void)error;
}

static void ask_by_get(nexauth_source *source)
{
    const struct nexauth_get_options impatient = {.timeout_ms = 1};
    nexauth_token *token = NULL;

    nexauth_source_get_token(source, &impatient, &token, NULL);
    nexauth_token_unref(token);
}

static void ask_by_copy(nexauth_source *source)
{
    const struct nexauth_get_options impatient = {.timeout_ms = 1};
    char copy[64];
    size_t length;

    nexauth_source_copy_token(source, &impatient, copy, sizeof copy, &length, NULL);
}

static void ask_by_start(nexauth_source *source)
{
    assert_int_equal(nexauth_source_start(source, NULL, ignore, NULL, NULL, NULL), NEXAUTH_OK);
}

static nexauth_status save_nothing(void *context, nexauth_token *token)
{
    (void)context;
    (void)token;
    return NEXAUTH_OK;
}

/* Also when the first answer was a restored token, which costs no lock. */
static void a_source_that_was_asked_takes_neither_token_nor_callback(void **state)
{
    struct fixture *fixture = *state;
    const struct nexauth_saved_token saved = {
        .access_token = "saved", .obtained_at = NOW, .expires_at = NOW + 100, .lifetime_s = 100};
    void (*const ask[])(nexauth_source *) = {ask_by_get, ask_by_copy, ask_by_start};

    for (size_t i = 0; i < 2 * (sizeof ask / sizeof *ask); i++) {
        nexauth_source *source = fixture_new_controller(fixture);
        struct nexauth_error error = {0};

        if (i % 2)
            restore(source, &saved);
        ask[i / 2](source);
        assert_int_equal(nexauth_source_restore_token(source, &saved, &error), NEXAUTH_INVALID);
        assert_string_equal(error.message, "this is to be called before the source is first asked for a token");
        assert_int_equal(nexauth_source_set_save(source, save_nothing, NULL, &error), NEXAUTH_INVALID);
        nexauth_source_free(source);
    }
}

/* A restored token says nothing of what the service thinks of the credentials now. */
static void a_restored_token_does_not_make_a_failure_forgotten(void **state)
{
    struct fixture *fixture = *state;
    const struct nexauth_saved_token saved = {
        .access_token = "saved", .obtained_at = NOW, .expires_at = NOW + 100, .lifetime_s = 100};
    nexauth_source *denied = fixture_new_controller(fixture);
    nexauth_source *restored = fixture_new_controller(fixture);
    struct nexauth_error error = {0};

    script_answer(&fixture->script, (struct script_answer){.status = 400, .body = "{\"error\":\"invalid_client\"}"});
    assert_int_equal(fixture_get(denied, NULL, &error), NEXAUTH_DENIED);
    restore(restored, &saved);
    assert_int_equal(fixture_get(restored, "saved", &error), NEXAUTH_OK);
    assert_int_equal(fixture_get(denied, NULL, &error), NEXAUTH_DENIED);
    assert_int_equal(fixture->script.begun, 1);
    nexauth_source_free(denied);
    nexauth_source_free(restored);
}

static void a_restored_token_may_be_rejected(void **state)
{
    struct fixture *fixture = *state;
    const struct nexauth_saved_token saved = {
        .access_token = "saved", .obtained_at = NOW, .expires_at = NOW + 100, .lifetime_s = 100};
    nexauth_source *source = fixture_new_controller(fixture);
    struct nexauth_error error = {0};
    nexauth_token *token;

    fixture_answer_token(fixture, "fresh", "3600");
    restore(source, &saved);
    token = get(source);
    assert_int_equal(nexauth_source_reject_token(source, token, &error), NEXAUTH_OK);
    nexauth_token_unref(token);
    assert_int_equal(fixture_get(source, "fresh", &error), NEXAUTH_OK);
    nexauth_source_free(source);
}

static void nothing_is_restored_once_the_session_was_freed(void **state)
{
    struct fixture *fixture = *state;
    const struct nexauth_saved_token saved = {.refresh_token = "saved-refresh"};
    nexauth_source *source = new_refresher(fixture);
    struct nexauth_error error = {0};

    nexauth_session_free(fixture->session);
    fixture->session = NULL;
    assert_int_equal(nexauth_source_restore_token(source, &saved, &error), NEXAUTH_INVALID);
    assert_string_equal(error.message, "the session was freed");
    assert_int_equal(nexauth_source_set_save(source, save_nothing, NULL, &error), NEXAUTH_INVALID);
    nexauth_source_free(source);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(what_remains_is_the_lifetime_or_the_time_until_the_end),
        IN_A_WORLD(what_has_expired_is_not_served),
        IN_A_WORLD(a_restored_token_is_served_without_a_request_and_renewed_in_its_windows),
        IN_A_WORLD(what_a_token_says_of_itself_restores_it),
        IN_A_WORLD(a_restored_token_says_when_it_really_ends),
        IN_A_WORLD(a_refresh_token_alone_is_kept),
        IN_A_WORLD(a_token_without_a_refresh_token_leaves_that_of_the_options),
        IN_A_WORLD(a_saved_token_that_is_wrong_is_refused),
        IN_A_WORLD(a_source_without_a_use_for_it_takes_no_saved_token),
        IN_A_WORLD(a_source_that_was_asked_takes_neither_token_nor_callback),
        IN_A_WORLD(a_restored_token_does_not_make_a_failure_forgotten),
        IN_A_WORLD(a_restored_token_may_be_rejected),
        IN_A_WORLD(nothing_is_restored_once_the_session_was_freed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
