/* What the save callback is told, when, and what it may do. */
#include "support/test.h"

#include "support/journal.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { CALLERS = 8 };

static const struct nexauth_nexusguard_user_options refresher = {.app_id = "app", .refresh_token = "refresh-zero"};

static nexauth_source *saved_by_journal(struct journal *journal, nexauth_source *source)
{
    assert_int_equal(nexauth_source_set_save(source, journal_save, journal, NULL), NEXAUTH_OK);
    return source;
}

/* A customer who has only a refresh token. */
static nexauth_source *new_refresher(struct journal *journal)
{
    return saved_by_journal(journal, fixture_new_customer(&journal->fixture, &refresher));
}

static nexauth_status copy_and_note(struct journal *journal, nexauth_source *source)
{
    char copy[64] = "";
    size_t length;
    const nexauth_status status = nexauth_source_copy_token(source, NULL, copy, sizeof copy, &length, NULL);

    journal_note(journal, "copied %s", status ? nexauth_status_name(status) : strchr(copy, '=') + 1);
    return status;
}

static void note_call(void *context, nexauth_token *token, const struct nexauth_error *error)
{
    journal_note(context, "called %s", token ? nexauth_token_access_token(token) : nexauth_status_name(error->status));
}

static nexauth_status poll_and_note(struct journal *journal, nexauth_source *source)
{
    assert_int_equal(nexauth_source_start(source, NULL, note_call, journal, NULL, NULL), NEXAUTH_OK);
    return nexauth_session_poll(journal->fixture.session, 60000, NULL);
}

static void a_token_is_saved_before_its_caller_gets_it(void **state)
{
    struct journal *journal = *state;
    const struct {
        nexauth_status (*ask)(struct journal *, nexauth_source *);
        const char *lines;
    } cases[] = {
        {journal_get, "save one refresh-one\nTOKEN one\ngot one\n"},
        {copy_and_note, "save one refresh-one\nTOKEN one\ncopied one\n"},
        {poll_and_note, "save one refresh-one\nTOKEN one\ncalled one\n"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nexauth_source *source = new_refresher(journal);

        script_answer(&journal->fixture.script, fixture_first_token);
        assert_int_equal(cases[i].ask(journal, source), NEXAUTH_OK);
        journal_expect(journal, cases[i].lines);
        nexauth_source_free(source);
    }
}

static void each_new_token_is_saved(void **state)
{
    struct journal *journal = *state;
    struct fixture *fixture = &journal->fixture;
    nexauth_source *source = saved_by_journal(journal, fixture_new_customer(fixture, &fixture_customer));

    script_answer(&fixture->script, fixture_right_redirect);
    script_answer(&fixture->script, fixture_first_token);
    script_answer(&fixture->script, fixture_second_token);
    script_answer(&fixture->script, fixture_second_token);
    journal_get(journal, source);
    journal_get(journal, source);
    journal_expect(journal, "save one refresh-one\nTOKEN one\ngot one\ngot one\n");
    script_pass_ms(&fixture->script, 82000);
    journal_get(journal, source);
    journal_expect(journal, "save two refresh-two\nTOKEN two\ngot two\n");
    fixture_expire(fixture);
    journal_get(journal, source);
    journal_expect(journal, "save two refresh-two\nSAME_TOKEN two\ngot two\n");
    nexauth_source_free(source);
}

static void a_token_without_a_refresh_token_is_saved_too(void **state)
{
    struct journal *journal = *state;
    nexauth_source *source = saved_by_journal(journal, fixture_new_controller(&journal->fixture));

    fixture_answer_token(&journal->fixture, "one", "100");
    journal_get(journal, source);
    journal_expect(journal, "save one\nTOKEN one\ngot one\n");
    nexauth_source_free(source);
}

static void what_did_not_come_of_a_request_is_not_saved(void **state)
{
    struct journal *journal = *state;
    const struct nexauth_static_options options = {.access_token = "api-key"};
    const struct nexauth_saved_token saved = {.access_token = "saved",
                                              .refresh_token = "refresh",
                                              .obtained_at = 2000000000,
                                              .expires_at = 2000000100,
                                              .lifetime_s = 100};
    nexauth_source *restored = new_refresher(journal);
    nexauth_source *fixed = NULL;

    assert_int_equal(nexauth_source_new_static(journal->fixture.session, &options, &fixed, NULL), NEXAUTH_OK);
    saved_by_journal(journal, fixed);
    assert_int_equal(nexauth_source_restore_token(restored, &saved, NULL), NEXAUTH_OK);
    journal_get(journal, restored);
    journal_expect(journal, "got saved\n");
    journal_get(journal, fixed);
    journal_expect(journal, "TOKEN api-key\ngot api-key\n");
    nexauth_source_free(fixed);
    nexauth_source_free(restored);
}

static void a_failed_acquisition_saves_nothing(void **state)
{
    struct journal *journal = *state;
    nexauth_source *source = new_refresher(journal);

    script_answer(&journal->fixture.script, fixture_refusal);
    journal_get(journal, source);
    journal_expect(journal, "FAILED REAUTH\ngot REAUTH\n");
    nexauth_source_free(source);
}

/* A caller in a thread of its own. */
struct caller {
    struct journal *journal;
    nexauth_source *source;
    pthread_t thread;
};

static void *get_in_a_thread(void *context)
{
    struct caller *caller = context;

    journal_get(caller->journal, caller->source);
    return NULL;
}

static void get_in_threads(struct journal *journal, nexauth_source *source)
{
    struct caller callers[CALLERS];

    journal->fixture.script.blocks = true;
    for (size_t i = 0; i < CALLERS; i++) {
        callers[i] = (struct caller){.journal = journal, .source = source};
        assert_int_equal(pthread_create(&callers[i].thread, NULL, get_in_a_thread, &callers[i]), 0);
    }
    for (size_t i = 0; i < CALLERS; i++)
        pthread_join(callers[i].thread, NULL);
}

/* Gives the others every chance. */
static nexauth_status linger(struct journal *journal, nexauth_token *token)
{
    (void)token;
    for (int i = 0; i < 1000; i++)
        sched_yield();
    journal_note(journal, "saved");
    return NEXAUTH_OK;
}

static void a_token_is_saved_before_any_thread_gets_it(void **state)
{
    struct journal *journal = *state;
    nexauth_source *source = saved_by_journal(journal, fixture_new_controller(&journal->fixture));
    const char *first = "save one\nsaved\n";
    size_t got = 0;

    journal->on_save = linger;
    fixture_answer_token(&journal->fixture, "one", "3600");
    get_in_threads(journal, source);
    assert_memory_equal(journal->text, first, strlen(first));
    for (const char *at = strstr(journal->text, "got one\n"); at; at = strstr(at + 1, "got one\n"))
        got++;
    assert_int_equal(got, CALLERS);
    assert_int_equal(journal->fixture.script.begun, 1);
    nexauth_source_free(source);
}

static atomic_bool is_held;

static nexauth_status hold(struct journal *journal, nexauth_token *token)
{
    (void)token;
    journal_note(journal, "held");
    while (atomic_load(&is_held))
        sched_yield();
    return NEXAUTH_OK;
}

/* Whoever asks while a token is being saved waits for that, and has nothing else saved meanwhile. */
static void the_tokens_of_a_source_are_saved_one_at_a_time(void **state)
{
    struct journal *journal = *state;
    const struct nexauth_get_options impatient = {.timeout_ms = 1000};
    nexauth_source *source = saved_by_journal(journal, fixture_new_controller(&journal->fixture));
    struct caller caller = {.journal = journal, .source = source};
    nexauth_token *token = NULL;

    journal->on_save = hold;
    atomic_store(&is_held, true);
    fixture_answer_token(&journal->fixture, "one", "3600");
    fixture_answer_token(&journal->fixture, "two", "3600");
    assert_int_equal(pthread_create(&caller.thread, NULL, get_in_a_thread, &caller), 0);
    while (!journal_holds(journal, "held\n"))
        sched_yield();
    assert_int_equal(nexauth_source_get_token(source, &impatient, &token, NULL), NEXAUTH_TIMEOUT);
    atomic_store(&is_held, false);
    pthread_join(caller.thread, NULL);
    journal_expect(journal, "save one\nheld\nTOKEN one\ngot one\n");
    assert_int_equal(journal->fixture.script.begun, 1);
    nexauth_source_free(source);
}

/* Waits for a token of another source, and calls all the verbs that take the lock. */
static nexauth_status use_others(struct journal *journal, nexauth_token *token)
{
    struct nexauth_stats stats = {0};

    journal->on_save = NULL;
    assert_int_equal(nexauth_source_stats(journal->source, &stats, NULL), NEXAUTH_OK);
    assert_int_equal(nexauth_source_reject_token(journal->source, token, NULL), NEXAUTH_OK); /* not current yet */
    nexauth_session_wakeup(journal->fixture.session);
    journal_get(journal, journal->other);
    return NEXAUTH_OK;
}

static void a_save_callback_may_wait_for_other_sources(void **state)
{
    struct journal *journal = *state;
    nexauth_source *source = new_refresher(journal);

    journal->source = source;
    journal->other = saved_by_journal(journal, fixture_new_controller(&journal->fixture));
    journal->on_save = use_others;
    script_answer(&journal->fixture.script, fixture_first_token);
    fixture_answer_token(&journal->fixture, "other", "3600");
    journal_get(journal, source);
    journal_expect(journal, "save one refresh-one\nsave other\nTOKEN other\ngot other\nTOKEN one\ngot one\n");
    nexauth_source_free(journal->other);
    nexauth_source_free(source);
}

static nexauth_status use_own(struct journal *journal, nexauth_token *token)
{
    (void)token;
    journal->on_save = NULL;
    journal_get(journal, journal->source);
    copy_and_note(journal, journal->source);
    return NEXAUTH_OK;
}

static void a_save_callback_gets_of_its_own_source_what_is_good_and_else_invalid(void **state)
{
    struct journal *journal = *state;
    const struct {
        int64_t age_ms;
        const char *lines;
    } cases[] = {
        {82000, "save two refresh-two\ngot one\ncopied one\nTOKEN two\ngot two\n"},
        {95000, "save two refresh-two\ngot one\ncopied one\nTOKEN two\ngot two\n"},
        {100000, "save two refresh-two\ngot INVALID\ncopied INVALID\nTOKEN two\ngot two\n"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nexauth_source *source = new_refresher(journal);

        journal->source = source;
        script_answer(&journal->fixture.script, fixture_first_token);
        script_answer(&journal->fixture.script, fixture_second_token);
        journal_get(journal, source);
        journal_expect(journal, "save one refresh-one\nTOKEN one\ngot one\n");
        journal->on_save = use_own;
        script_pass_ms(&journal->fixture.script, cases[i].age_ms);
        journal_get(journal, source);
        journal_expect(journal, cases[i].lines);
        nexauth_source_free(source);
    }
}

static nexauth_status start_own(struct journal *journal, nexauth_token *token)
{
    (void)token;
    journal->on_save = NULL;
    assert_int_equal(nexauth_source_start(journal->source, NULL, note_call, journal, NULL, NULL), NEXAUTH_OK);
    return NEXAUTH_OK;
}

static void a_save_callback_may_start_calls_of_its_own_source(void **state)
{
    struct journal *journal = *state;
    nexauth_source *source = new_refresher(journal);

    journal->source = source;
    journal->on_save = start_own;
    script_answer(&journal->fixture.script, fixture_first_token);
    journal_get(journal, source);
    assert_int_equal(nexauth_session_poll(journal->fixture.session, 0, NULL), NEXAUTH_OK);
    journal_expect(journal, "save one refresh-one\nTOKEN one\ngot one\ncalled one\n");
    nexauth_source_free(source);
}

static nexauth_status free_own(struct journal *journal, nexauth_token *token)
{
    (void)token;
    nexauth_source_free(journal->source);
    return NEXAUTH_OK;
}

static void a_save_callback_may_free_its_source(void **state)
{
    struct journal *journal = *state;

    journal->source = new_refresher(journal);
    journal->on_save = free_own;
    script_answer(&journal->fixture.script, fixture_first_token);
    journal_get(journal, journal->source);
    journal_expect(journal, "save one refresh-one\nTOKEN one gone\ngot CANCELED\n");
}

static nexauth_status returned;

static nexauth_status return_that(struct journal *journal, nexauth_token *token)
{
    (void)journal;
    (void)token;
    return returned;
}

static void a_token_that_could_not_be_saved_is_handed_out_all_the_same(void **state)
{
    struct journal *journal = *state;
    const struct {
        int returned;
        const char *told;
    } cases[] = {
        {NEXAUTH_NO_MEMORY, "NO_MEMORY"},
        {NEXAUTH_UNAVAILABLE, "UNAVAILABLE"},
        {NEXAUTH_CANCELED, "CANCELED"},
        {NEXAUTH_REAUTH, "REAUTH"},
        {13, "INVALID"},
        {99, "INVALID"},
    };

    journal->on_save = return_that;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nexauth_source *source = new_refresher(journal);
        struct nexauth_stats stats = {0};
        char lines[128];

        memcpy(&returned, &cases[i].returned, sizeof returned);
        script_answer(&journal->fixture.script, fixture_first_token);
        assert_int_equal(journal_get(journal, source), NEXAUTH_OK);
        snprintf(lines, sizeof lines, "save one refresh-one\nSAVE_FAILED %s\nTOKEN one\ngot one\n", cases[i].told);
        journal_expect(journal, lines);
        assert_string_equal(journal->error.message, "the save callback did not save the token");
        assert_int_equal(nexauth_source_stats(source, &stats, NULL), NEXAUTH_OK);
        assert_int_equal(stats.failures, 0);
        nexauth_source_free(source);
    }
}

static nexauth_status save_elsewhere(void *context, nexauth_token *token)
{
    (void)token;
    journal_note(context, "save elsewhere");
    return NEXAUTH_OK;
}

static void of_two_save_callbacks_the_last_counts(void **state)
{
    struct journal *journal = *state;
    nexauth_source *source = fixture_new_controller(&journal->fixture);

    assert_int_equal(nexauth_source_set_save(source, save_elsewhere, journal, NULL), NEXAUTH_OK);
    saved_by_journal(journal, source);
    fixture_answer_token(&journal->fixture, "one", "3600");
    journal_get(journal, source);
    journal_expect(journal, "save one\nTOKEN one\ngot one\n");
    assert_int_equal(nexauth_source_set_save(source, save_elsewhere, journal, NULL), NEXAUTH_INVALID);
    nexauth_source_free(source);
}

static void a_save_callback_that_is_missing_is_refused(void **state)
{
    struct journal *journal = *state;
    nexauth_source *source = fixture_new_controller(&journal->fixture);
    struct nexauth_error error = {0};

    assert_int_equal(nexauth_source_set_save(source, NULL, NULL, &error), NEXAUTH_INVALID);
    assert_int_equal(error.status, NEXAUTH_INVALID);
    assert_int_equal(nexauth_source_set_save(NULL, journal_save, journal, &error), NEXAUTH_INVALID);
    assert_int_equal(nexauth_source_set_save(NULL, NULL, NULL, NULL), NEXAUTH_INVALID);
    nexauth_source_free(source);
}

#define IN_A_JOURNAL(test) cmocka_unit_test_setup_teardown(test, journal_set_up, journal_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_JOURNAL(a_token_is_saved_before_its_caller_gets_it),
        IN_A_JOURNAL(each_new_token_is_saved),
        IN_A_JOURNAL(a_token_without_a_refresh_token_is_saved_too),
        IN_A_JOURNAL(what_did_not_come_of_a_request_is_not_saved),
        IN_A_JOURNAL(a_failed_acquisition_saves_nothing),
        IN_A_JOURNAL(a_token_is_saved_before_any_thread_gets_it),
        IN_A_JOURNAL(the_tokens_of_a_source_are_saved_one_at_a_time),
        IN_A_JOURNAL(a_save_callback_may_wait_for_other_sources),
        IN_A_JOURNAL(a_save_callback_gets_of_its_own_source_what_is_good_and_else_invalid),
        IN_A_JOURNAL(a_save_callback_may_start_calls_of_its_own_source),
        IN_A_JOURNAL(a_save_callback_may_free_its_source),
        IN_A_JOURNAL(a_token_that_could_not_be_saved_is_handed_out_all_the_same),
        IN_A_JOURNAL(of_two_save_callbacks_the_last_counts),
        IN_A_JOURNAL(a_save_callback_that_is_missing_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
