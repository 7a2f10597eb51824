/* What a refresh brings is saved, whoever has given up on it meanwhile. */
#include "support/test.h"

#include "support/journal.h"

#include <string.h>

/* A customer who has only a refresh token. */
static nexauth_source *new_refresher(struct journal *journal)
{
    const struct nexauth_nexusguard_user_options options = {.app_id = "app", .refresh_token = "refresh-zero"};
    nexauth_source *source = fixture_new_customer(&journal->fixture, &options);

    assert_int_equal(nexauth_source_set_save(source, journal_save, journal, NULL), NEXAUTH_OK);
    return source;
}

static const struct script_answer slow_answer = {
    .status = 200,
    .takes_ms = 5000,
    .body = "{\"code\":0,\"result\":{\"access_token\":\"one\",\"expires_in\":3600,\"refresh_token\":\"refresh-one\"}}"};

static nexauth_source *new_parked(struct journal *journal)
{
    const struct nexauth_get_options impatient = {.timeout_ms = 1000};
    nexauth_source *source = new_refresher(journal);
    nexauth_token *token = NULL;

    script_answer(&journal->fixture.script, slow_answer);
    assert_int_equal(nexauth_source_get_token(source, &impatient, &token, NULL), NEXAUTH_TIMEOUT);
    journal_expect(journal, "");
    return source;
}

static void harvest_by_own(struct journal *journal)
{
    if (journal->source)
        fixture_get(journal->source, NULL, NULL);
}

static void harvest_by_other(struct journal *journal)
{
    nexauth_source *other = fixture_new_controller(&journal->fixture);
    const struct nexauth_get_options impatient = {.timeout_ms = 10000};
    nexauth_token *token = NULL;

    assert_int_equal(nexauth_source_get_token(other, &impatient, &token, NULL), NEXAUTH_TIMEOUT);
    nexauth_source_free(other);
}

static void harvest_by_poll(struct journal *journal)
{
    nexauth_session_poll(journal->fixture.session, 10000, NULL);
}

static void harvest_by_session_free(struct journal *journal)
{
    nexauth_session_free(journal->fixture.session);
    journal->fixture.session = NULL;
}

/* Each case in a world of its own, as some end their session. */
static void what_a_refresh_brings_is_saved_whoever_is_gone(void **state)
{
    const struct {
        bool free_source;
        int64_t pass_ms;
        void (*harvest)(struct journal *);
        const char *lines;
    } cases[] = {
        {false, 0, harvest_by_own, "save one refresh-one\nTOKEN one\n"},
        {false, 60000, harvest_by_own, "save one refresh-one\nTOKEN one\n"},
        {false, 0, harvest_by_other, "save one refresh-one\nTOKEN one\n"},
        {false, 60000, harvest_by_other, "save one refresh-one\nTOKEN one\n"},
        {false, 0, harvest_by_poll, "save one refresh-one\nTOKEN one\n"},
        {false, 0, harvest_by_session_free, "save one refresh-one\nTOKEN one\n"},
        {true, 0, harvest_by_other, "save one refresh-one\nTOKEN one gone\n"},
        {true, 0, harvest_by_poll, "save one refresh-one\nTOKEN one gone\n"},
        {true, 0, harvest_by_session_free, "save one refresh-one\nTOKEN one gone\n"},
        {true, 60000, harvest_by_session_free, "save one refresh-one\nTOKEN one gone\n"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct journal *journal;

        assert_int_equal(journal_set_up(state), 0);
        journal = *state;
        journal->source = new_parked(journal);
        if (cases[i].free_source) {
            nexauth_source_free(journal->source);
            journal->source = NULL;
        }
        script_pass_ms(&journal->fixture.script, cases[i].pass_ms);
        cases[i].harvest(journal);
        assert_memory_equal(journal->text, cases[i].lines, strlen(cases[i].lines));
        nexauth_source_free(journal->source);
        journal_tear_down(state);
    }
}

static void a_refresh_token_is_saved_although_its_access_token_had_expired_when_it_came(void **state)
{
    struct journal *journal = *state;
    nexauth_source *source = new_refresher(journal);

    script_answer(&journal->fixture.script,
                  (struct script_answer){.status = 200,
                                         .takes_ms = 2000,
                                         .body = "{\"code\":0,\"result\":{\"access_token\":\"one\",\"expires_in\":1,"
                                                 "\"refresh_token\":\"refresh-one\"}}"});
    journal_get(journal, source);
    journal_expect(journal, "save one refresh-one\nFAILED UNAVAILABLE\ngot UNAVAILABLE\n");
    nexauth_source_free(source);
}

#define IN_A_JOURNAL(test) cmocka_unit_test_setup_teardown(test, journal_set_up, journal_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_refresh_brings_is_saved_whoever_is_gone),
        IN_A_JOURNAL(a_refresh_token_is_saved_although_its_access_token_had_expired_when_it_came),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
