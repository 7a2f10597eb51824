/* What the event callback is told, when, and what it may do. */
#include "support/test.h"

#include "session/session.h"
#include "support/journal.h"

#include <stdio.h>
#include <string.h>

static const struct nexauth_nexusguard_user_options refresher = {.app_id = "app", .refresh_token = "refresh-zero"};

static const struct script_answer broken = {.status = 500};
static const struct script_answer denied = {.status = 400, .body = "{\"error\":\"invalid_client\"}"};
static const struct script_answer one = {.status = 200, .body = "{\"access_token\":\"one\",\"expires_in\":100}"};
static const struct script_answer two = {.status = 200, .body = "{\"access_token\":\"two\",\"expires_in\":100}"};

/* A controller that has "one". */
static nexauth_source *new_with_one(struct journal *journal)
{
    nexauth_source *source = fixture_new_controller(&journal->fixture);

    script_answer(&journal->fixture.script, one);
    journal_get(journal, source);
    journal_expect(journal, "TOKEN one\ngot one\n");
    return source;
}

/* What follows when a token of 100 s is asked for at this age, and these answers come. */
static void the_end_of_each_acquisition_is_told_once(void **state)
{
    struct journal *journal = *state;
    const struct script_answer closed = {.loss = NX_LOSS_CLOSED};
    const struct script_answer tls = {.loss = NX_LOSS_TLS};
    const struct {
        int64_t age_ms;
        const struct script_answer answers[2];
        const char *lines;
    } cases[] = {
        {70000, {two}, "got one\n"}, /* what is at hand is nothing new */
        {82000, {two}, "TOKEN two\ngot two\n"},
        {95000, {two}, "TOKEN two\ngot two\n"},
        {100000, {two}, "TOKEN two\ngot two\n"},
        {82000, {one}, "SAME_TOKEN one\ngot one\n"},
        {95000, {one}, "SAME_TOKEN one\ngot one\n"},
        {100000, {one}, "SAME_TOKEN one\ngot one\n"},
        {82000, {broken}, "FAILED UNAVAILABLE\ngot one\n"},
        {95000, {denied}, "FAILED DENIED\ngot one\n"},
        {100000, {denied}, "FAILED DENIED\ngot DENIED\n"},
        {100000, {closed, two}, "RETRY NETWORK\nTOKEN two\ngot two\n"},
        {100000, {closed, closed}, "RETRY NETWORK\nFAILED NETWORK\ngot NETWORK\n"},
        {100000, {tls}, "FAILED NETWORK\ngot NETWORK\n"}, /* fails again: not sent again */
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nexauth_source *source = new_with_one(journal);
        const size_t begun = journal->fixture.script.begun;

        script_pass_ms(&journal->fixture.script, cases[i].age_ms);
        journal->fixture.script.answer_count = begun;
        script_answer(&journal->fixture.script, cases[i].answers[0]);
        script_answer(&journal->fixture.script, cases[i].answers[1]);
        journal_get(journal, source);
        journal_expect(journal, cases[i].lines);
        journal->fixture.script.answer_count = journal->fixture.script.begun;
        nexauth_source_free(source);
        fixture_forget(&journal->fixture);
    }
}

static void a_failure_is_told_as_the_caller_is_told(void **state)
{
    struct journal *journal = *state;
    nexauth_source *source = fixture_new_controller(&journal->fixture);
    struct nexauth_error error = {0};

    script_answer(&journal->fixture.script, denied);
    assert_int_equal(fixture_get(source, NULL, &error), NEXAUTH_DENIED);
    assert_memory_equal(&journal->error, &error, sizeof error);
    assert_int_equal(error.http_status, 400);
    assert_string_equal(error.code, "invalid_client");
    journal_expect(journal, "FAILED DENIED\n");
    nexauth_source_free(source);
}

/* When the token is good all the same, the event alone tells of the failure, and when the next attempt is. */
static void a_failure_of_a_renewal_tells_when_the_next_attempt_is(void **state)
{
    struct journal *journal = *state;
    nexauth_source *source = new_with_one(journal);
    int64_t wait_ms;

    script_pass_ms(&journal->fixture.script, 82000);
    script_answer(&journal->fixture.script, broken);
    journal_get(journal, source);
    journal_expect(journal, "FAILED UNAVAILABLE\ngot one\n");
    wait_ms = journal->error.retry_after_ms;
    assert_true(wait_ms > 0);
    assert_int_equal(journal->error.http_status, 500);
    script_pass_ms(&journal->fixture.script, wait_ms - 1);
    journal_get(journal, source);
    journal_expect(journal, "got one\n");
    script_answer(&journal->fixture.script, two);
    script_pass_ms(&journal->fixture.script, 1);
    journal_get(journal, source);
    journal_expect(journal, "TOKEN two\ngot two\n");
    nexauth_source_free(source);
}

static void a_failure_that_is_remembered_is_not_told_again(void **state)
{
    struct journal *journal = *state;
    nexauth_source *source = fixture_new_controller(&journal->fixture);

    script_answer(&journal->fixture.script, denied);
    journal_get(journal, source);
    journal_get(journal, source);
    journal_expect(journal, "FAILED DENIED\ngot DENIED\ngot DENIED\n");
    nexauth_source_free(source);
}

/* It begins anew: its first request had no chance, as nobody took part. */
static void what_ran_out_of_time_unattended_has_not_failed(void **state)
{
    struct journal *journal = *state;
    const struct nexauth_get_options impatient = {.timeout_ms = 5000};
    nexauth_source *source = fixture_new_controller(&journal->fixture);
    nexauth_token *token = NULL;

    script_answer(&journal->fixture.script, (struct script_answer){.takes_ms = INT64_MAX});
    script_answer(&journal->fixture.script, two);
    assert_int_equal(nexauth_source_get_token(source, &impatient, &token, NULL), NEXAUTH_TIMEOUT);
    script_pass_ms(&journal->fixture.script, 60000);
    journal_get(journal, source);
    journal_expect(journal, "TOKEN two\ngot two\n");
    nexauth_source_free(source);
}

static void a_token_that_came_too_late_is_no_part_of_the_event(void **state)
{
    struct journal *journal = *state;
    nexauth_source *source = fixture_new_controller(&journal->fixture);

    script_answer(
        &journal->fixture.script,
        (struct script_answer){.status = 200, .takes_ms = 2000, .body = "{\"access_token\":\"one\",\"expires_in\":1}"});
    journal_get(journal, source);
    journal_expect(journal, "FAILED UNAVAILABLE\ngot UNAVAILABLE\n");
    nexauth_source_free(source);
}

static nexauth_source *expected_source;

static void expect_source(struct journal *journal, const struct nexauth_event *event)
{
    journal_note(journal, "%s", event->source == expected_source ? "ours" : "not ours");
}

static void an_event_names_its_source(void **state)
{
    struct journal *journal = *state;
    nexauth_source *other = new_with_one(journal);

    expected_source = fixture_new_controller(&journal->fixture);
    journal->on_event = expect_source;
    script_answer(&journal->fixture.script, two);
    journal_get(journal, expected_source);
    journal_expect(journal, "TOKEN two\nours\ngot two\n");
    nexauth_source_free(other);
    nexauth_source_free(expected_source);
}

static void a_rejected_token_is_told_of_when_it_is_dropped(void **state)
{
    struct journal *journal = *state;
    nexauth_source *source = new_with_one(journal);
    const char *const first = "Authorization: Bearer one";
    const char *const second = "Authorization: Bearer two";

    script_answer(&journal->fixture.script, two);
    for (int i = 0; i < 10; i++)
        assert_int_equal(nexauth_source_reject_copy(source, first, NULL), NEXAUTH_OK);
    journal_expect(journal, "REJECTED one\n");
    journal_get(journal, source);
    assert_int_equal(nexauth_source_reject_copy(source, second, NULL), NEXAUTH_THROTTLED); /* it stays */
    assert_int_equal(nexauth_source_reject_copy(source, first, NULL), NEXAUTH_OK);         /* it is gone */
    journal_expect(journal, "TOKEN two\ngot two\n");
    nexauth_source_free(source);
}

static void a_rejected_static_token_is_told_of(void **state)
{
    struct journal *journal = *state;
    const struct nexauth_static_options options = {.access_token = "api-key"};
    nexauth_source *source = NULL;

    assert_int_equal(nexauth_source_new_static(journal->fixture.session, &options, &source, NULL), NEXAUTH_OK);
    journal_get(journal, source);
    assert_int_equal(nexauth_source_reject_copy(source, "Authorization: Bearer api-key", NULL), NEXAUTH_OK);
    journal_get(journal, source);
    journal_expect(journal, "TOKEN api-key\ngot api-key\nREJECTED api-key\ngot REAUTH\n");
    nexauth_source_free(source);
}

/* An envelope that quotes what the request held. */
static struct script_answer quoting(const char *secret)
{
    static char bodies[8][128];
    static size_t used;
    char *body = bodies[used++ % 8];

    snprintf(body, sizeof bodies[0], "{\"code\":40001,\"msg\":\"%s is wrong\",\"result\":[]}", secret);
    return (struct script_answer){.status = 200, .body = body};
}

static void no_message_holds_a_secret(void **state)
{
    struct journal *journal = *state;
    struct script *script = &journal->fixture.script;
    static const char *const secrets[] = {"spe-portal", "app-secret", "the-code", "refresh-one"};
    nexauth_source *plain;

    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) {
        nexauth_source *customer = fixture_new_customer(&journal->fixture, &fixture_customer);

        script->answer_count = script->begun;
        if (i > 0)
            script_answer(script, fixture_right_redirect);
        if (i == 3) {
            script_answer(script, fixture_first_token);
            fixture_get(customer, NULL, NULL);
            fixture_expire(&journal->fixture);
        }
        script_answer(script, quoting(secrets[i]));
        fixture_get(customer, NULL, NULL);
        assert_null(strstr(journal->messages, secrets[i]));
        assert_null(strstr(journal->messages, "is wrong"));
        nexauth_source_free(customer);
        fixture_forget(&journal->fixture);
    }
    script->answer_count = script->begun;
    script_answer(script, quoting("nothing"));
    plain = fixture_new_customer(&journal->fixture, &refresher);
    fixture_get(plain, NULL, NULL);
    assert_non_null(strstr(journal->messages, "nothing is wrong")); /* else the words are told */
    nexauth_source_free(plain);
}

static void ignore(void *context, nexauth_token *token, const struct nexauth_error *error)
{
    (void)context;
    (void)token;
    (void)error;
}

/* Every verb of another source, and those of its own that do not wait. */
static void use_verbs(struct journal *journal, const struct nexauth_event *event)
{
    struct nexauth_stats stats = {0};
    nexauth_source *made = NULL;
    int descriptor;

    journal->on_event = NULL;
    assert_int_equal(nexauth_source_stats(event->source, &stats, NULL), NEXAUTH_OK);
    assert_int_equal(nexauth_source_reject_copy(event->source, "not a token of it", NULL), NEXAUTH_OK);
    nexauth_source_approve_token(event->source, event->token);
    assert_int_equal(nexauth_source_stats(journal->other, &stats, NULL), NEXAUTH_OK);
    assert_int_equal(nexauth_source_start(journal->other, NULL, ignore, NULL, NULL, NULL), NEXAUTH_OK);
    journal_get(journal, journal->other);
    assert_int_equal(nexauth_source_reject_copy(journal->other, "Authorization: Bearer other", NULL), NEXAUTH_OK);
    assert_int_equal(nexauth_session_descriptor(journal->fixture.session, &descriptor, NULL), NEXAUTH_OK);
    nexauth_session_wakeup(journal->fixture.session);
    assert_int_equal(nexauth_session_timeout_ms(journal->fixture.session), 0);
    made = fixture_new_controller(&journal->fixture);
    nexauth_source_free(made);
}

static void an_event_callback_may_use_other_sources(void **state)
{
    struct journal *journal = *state;
    nexauth_source *source = fixture_new_controller(&journal->fixture);

    journal->other = fixture_new_controller(&journal->fixture);
    journal->on_event = use_verbs;
    script_answer(&journal->fixture.script, one);
    fixture_answer_token(&journal->fixture, "other", "3600");
    journal_get(journal, source);
    journal_expect(journal, "TOKEN one\nTOKEN other\ngot other\nREJECTED other\ngot one\n");
    nexauth_source_free(journal->other);
    nexauth_source_free(source);
}

static void get_own(struct journal *journal, const struct nexauth_event *event)
{
    char copy[64];
    size_t length;

    journal_get(journal, event->source);
    journal_note(journal, "copied %s",
                 nexauth_status_name(nexauth_source_copy_token(event->source, NULL, copy, sizeof copy, &length, NULL)));
}

static void an_event_callback_gets_of_its_own_source_what_is_good_and_else_invalid(void **state)
{
    struct journal *journal = *state;
    const struct script_answer closed = {.loss = NX_LOSS_CLOSED};
    nexauth_source *source = fixture_new_controller(&journal->fixture);

    journal->on_event = get_own;
    script_answer(&journal->fixture.script, closed);
    script_answer(&journal->fixture.script, broken);
    journal_get(journal, source);
    journal_expect(journal, "RETRY NETWORK\ngot INVALID\ncopied INVALID\n"
                            "FAILED UNAVAILABLE\ngot INVALID\ncopied INVALID\ngot UNAVAILABLE\n");
    fixture_forget(&journal->fixture);
    script_answer(&journal->fixture.script, one);
    journal_get(journal, source);
    journal_expect(journal, "TOKEN one\ngot one\ncopied OK\ngot one\n");
    assert_int_equal(nexauth_source_reject_copy(source, "Authorization: Bearer one", NULL), NEXAUTH_OK);
    journal_expect(journal, "REJECTED one\ngot INVALID\ncopied INVALID\n");
    nexauth_source_free(source);
}

static void free_own(struct journal *journal, const struct nexauth_event *event)
{
    if (event->source && (event->kind == NEXAUTH_EVENT_RETRY || event->kind == NEXAUTH_EVENT_TOKEN)) {
        nexauth_source_free(event->source);
        journal_note(journal, "freed");
    }
}

static void an_event_callback_may_free_its_source_which_is_null_from_then_on(void **state)
{
    struct journal *journal = *state;

    journal->on_event = free_own;
    script_answer(&journal->fixture.script, one);
    journal_get(journal, fixture_new_controller(&journal->fixture));
    journal_expect(journal, "TOKEN one\nfreed\ngot one\n"); /* it had come already */
    script_answer(&journal->fixture.script, (struct script_answer){.loss = NX_LOSS_CLOSED});
    journal_get(journal, fixture_new_controller(&journal->fixture));
    journal_expect(journal, "RETRY NETWORK\nfreed\ngot CANCELED\n");
    assert_int_equal(nexauth_session_poll(journal->fixture.session, 2000, NULL), NEXAUTH_OK);
    journal_expect(journal, "FAILED CANCELED gone\n"); /* the second request is not sent */
    assert_int_equal(journal->fixture.script.begun, 2);
}

/* What is told of an acquisition whose callers have gone: by whoever takes part next. */
static void an_event_of_a_freed_source_has_none(void **state)
{
    struct journal *journal = *state;
    const struct nexauth_get_options impatient = {.timeout_ms = 1000};
    nexauth_source *source = fixture_new_customer(&journal->fixture, &refresher);
    nexauth_token *token = NULL;
    struct script_answer answer = fixture_first_token;

    answer.takes_ms = 5000;
    script_answer(&journal->fixture.script, answer);
    assert_int_equal(nexauth_source_get_token(source, &impatient, &token, NULL), NEXAUTH_TIMEOUT);
    nexauth_source_free(source);
    nexauth_session_free(journal->fixture.session);
    journal->fixture.session = NULL;
    journal_expect(journal, "TOKEN one gone\n");
}

static void note_call(void *context, nexauth_token *token, const struct nexauth_error *error)
{
    journal_note(context, "called %s", token ? nexauth_token_access_token(token) : nexauth_status_name(error->status));
}

static void an_event_runs_in_a_poll_before_the_calls_callback(void **state)
{
    struct journal *journal = *state;
    nexauth_source *source = fixture_new_controller(&journal->fixture);

    script_answer(&journal->fixture.script, denied);
    assert_int_equal(nexauth_source_start(source, NULL, note_call, journal, NULL, NULL), NEXAUTH_OK);
    assert_int_equal(nexauth_source_start(source, NULL, note_call, journal, NULL, NULL), NEXAUTH_OK);
    journal_expect(journal, "");
    assert_int_equal(nexauth_session_poll(journal->fixture.session, 1000, NULL), NEXAUTH_OK);
    if (strcmp(journal->text, "FAILED DENIED\n") == 0)
        assert_int_equal(nexauth_session_poll(journal->fixture.session, 1000, NULL), NEXAUTH_OK);
    journal_expect(journal, "FAILED DENIED\ncalled DENIED\ncalled DENIED\n");
    nexauth_source_free(source);
}

static void restoring_is_not_an_event(void **state)
{
    struct journal *journal = *state;
    const struct nexauth_saved_token saved = {
        .access_token = "saved", .obtained_at = 2000000000, .expires_at = 2000000100, .lifetime_s = 100};
    nexauth_source *source = fixture_new_controller(&journal->fixture);

    assert_int_equal(nexauth_source_restore_token(source, &saved, NULL), NEXAUTH_OK);
    journal_get(journal, source);
    journal_expect(journal, "got saved\n");
    script_answer(&journal->fixture.script,
                  (struct script_answer){.status = 200, .body = "{\"access_token\":\"saved\",\"expires_in\":100}"});
    script_pass_ms(&journal->fixture.script, 82000);
    journal_get(journal, source);
    journal_expect(journal, "SAME_TOKEN saved\ngot saved\n");
    nexauth_source_free(source);
}

#define IN_A_JOURNAL(test) cmocka_unit_test_setup_teardown(test, journal_set_up, journal_tear_down)

#define AT_HAND "token-at-hand"

static const struct script_answer at_hand = {.status = 200,
                                             .body = "{\"access_token\":\"" AT_HAND "\",\"expires_in\":100}"};

static void expect_unquoted(struct journal *journal, nexauth_source *source, const struct nexauth_error *error)
{
    struct nexauth_stats stats = {0};

    nexauth_source_stats(source, &stats, NULL);
    assert_int_equal(journal->error.http_status, 400);
    assert_int_equal(stats.last_error.http_status, 400);
    assert_null(strstr(journal->error.message, AT_HAND));
    assert_null(strstr(journal->error.code, AT_HAND));
    assert_null(strstr(error->message, AT_HAND));
    assert_null(strstr(stats.last_error.message, AT_HAND));
    assert_null(strstr(stats.last_error.code, AT_HAND));
}

static void reject(nexauth_source *source)
{
    nexauth_token *token = NULL;

    assert_int_equal(nexauth_source_get_token(source, NULL, &token, NULL), NEXAUTH_OK);
    assert_int_equal(nexauth_source_reject_token(source, token, NULL), NEXAUTH_OK);
    nexauth_token_unref(token);
}

/* Rejected or not, and also when that comes to pass while the answer is under way. */
static void a_renewal_that_names_the_token_it_is_to_replace_is_not_quoted(void **state)
{
    enum { AS_IT_IS, REJECTED_BEFORE, REJECTED_MEANWHILE };
    static const struct {
        int64_t age_ms, takes_ms;
        int what;
    } CASES[] = {
        {82000, 0, AS_IT_IS},
        {95000, 0, AS_IT_IS},
        {100000, 0, AS_IT_IS},
        {0, 0, REJECTED_BEFORE},
        {82000, 2400, REJECTED_MEANWHILE},
    };
    struct journal *journal = *state;
    struct script *script = &journal->fixture.script;

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        nexauth_source *source = fixture_new_controller(&journal->fixture);
        struct nexauth_error error = {0};

        script_answer(script, at_hand);
        journal_get(journal, source);
        script_pass_ms(script, CASES[i].age_ms);
        script_answer(script, (struct script_answer){.status = 400,
                                                     .takes_ms = CASES[i].takes_ms,
                                                     .body = "{\"error\":\"no " AT_HAND "\",\"error_description\":"
                                                             "\"still valid: " AT_HAND "\"}"});
        if (CASES[i].what == REJECTED_MEANWHILE)
            fixture_get(source, AT_HAND, &error);
        if (CASES[i].what != AS_IT_IS)
            reject(source);
        fixture_get(source, NULL, &error);
        expect_unquoted(journal, source, &error);
        fixture_get(source, NULL, &error); /* what is remembered */
        expect_unquoted(journal, source, &error);
        nexauth_source_free(source);
        fixture_forget(&journal->fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_JOURNAL(the_end_of_each_acquisition_is_told_once),
        IN_A_JOURNAL(a_failure_is_told_as_the_caller_is_told),
        IN_A_JOURNAL(a_failure_of_a_renewal_tells_when_the_next_attempt_is),
        IN_A_JOURNAL(a_failure_that_is_remembered_is_not_told_again),
        IN_A_JOURNAL(what_ran_out_of_time_unattended_has_not_failed),
        IN_A_JOURNAL(a_token_that_came_too_late_is_no_part_of_the_event),
        IN_A_JOURNAL(an_event_names_its_source),
        IN_A_JOURNAL(a_rejected_token_is_told_of_when_it_is_dropped),
        IN_A_JOURNAL(a_rejected_static_token_is_told_of),
        IN_A_JOURNAL(no_message_holds_a_secret),
        IN_A_JOURNAL(an_event_callback_may_use_other_sources),
        IN_A_JOURNAL(an_event_callback_gets_of_its_own_source_what_is_good_and_else_invalid),
        IN_A_JOURNAL(an_event_callback_may_free_its_source_which_is_null_from_then_on),
        IN_A_JOURNAL(an_event_of_a_freed_source_has_none),
        IN_A_JOURNAL(an_event_runs_in_a_poll_before_the_calls_callback),
        IN_A_JOURNAL(restoring_is_not_an_event),
        IN_A_JOURNAL(a_renewal_that_names_the_token_it_is_to_replace_is_not_quoted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
