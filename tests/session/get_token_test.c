/* How a caller gets a token: at once when one is good, else by one acquisition that all who wait share. */
#include "support/test.h"

#include "support/fixture.h"

#include <string.h>

static nexauth_token *get(nexauth_source *source)
{
    nexauth_token *token = NULL;
    struct nexauth_error error = {0};

    if (nexauth_source_get_token(source, NULL, &token, &error) != NEXAUTH_OK)
        fail_msg("%s: %s", nexauth_status_name(error.status), error.message);
    return token;
}

static nexauth_status get_status(nexauth_source *source, struct nexauth_error *error)
{
    nexauth_token *token = (nexauth_token *)error;
    const nexauth_status status = nexauth_source_get_token(source, NULL, &token, error);

    if (status == NEXAUTH_OK)
        nexauth_token_unref(token);
    else
        assert_ptr_equal(token, error); /* out is written only on success */
    return status;
}

static void a_token_that_is_good_is_handed_out_again_without_a_request(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);
    nexauth_token *first;
    nexauth_token *second;

    fixture_answer_token(fixture, "one", "100");
    first = get(source);
    script_pass_ms(&fixture->script, 74900);
    second = get(source);
    assert_ptr_equal(first, second);
    assert_int_equal(fixture->script.begun, 1);
    nexauth_token_unref(first);
    nexauth_token_unref(second);
    nexauth_source_free(source);
}

static void an_expired_token_is_replaced(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);
    nexauth_token *first;
    nexauth_token *second;

    fixture_answer_token(fixture, "one", "100");
    fixture_answer_token(fixture, "two", "100");
    first = get(source);
    script_pass_ms(&fixture->script, 99900); /* the lifetime counts from the sending */
    second = get(source);
    assert_string_equal(nexauth_token_access_token(first), "one");
    assert_string_equal(nexauth_token_access_token(second), "two");
    nexauth_token_unref(first);
    nexauth_token_unref(second);
    nexauth_source_free(source);
}

static void a_token_tells_all_that_is_known_of_it(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);
    nexauth_token *token;

    script_answer(&fixture->script,
                  (struct script_answer){.status = 200,
                                         .takes_ms = 3000,
                                         .body = "{\"access_token\":\"new934token1234\",\"expires_in\":\"12096000\","
                                                 "\"token_type\":\"bearer\",\"scope\":\"controller\"}"});
    token = get(source);
    assert_string_equal(nexauth_token_access_token(token), "new934token1234");
    assert_string_equal(nexauth_token_header(token), "Authorization: Bearer new934token1234");
    assert_null(nexauth_token_query(token));
    assert_null(nexauth_token_refresh_token(token));
    assert_string_equal(nexauth_token_scope(token), "controller");
    assert_int_equal(nexauth_token_obtained_at(token), 2000000000);
    assert_int_equal(nexauth_token_expires_at(token), 2000000000 + 1209600);
    assert_int_equal(nexauth_token_lifetime_s(token), 1209600);
    assert_int_equal(nexauth_token_stated_lifetime_s(token), 12096000);
    nexauth_source_free(source);
    assert_string_equal(nexauth_token_access_token(token), "new934token1234"); /* outlives its source */
    nexauth_token_unref(token);
}

static void a_failure_tells_why_and_leaves_out_alone(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);
    struct nexauth_error error = {0};

    script_answer(&fixture->script,
                  (struct script_answer){.status = 400,
                                         .body = "{\"error\":\"invalid_grant\",\"error_description\":\"Wrong\\n"
                                                 "controller.\"}"});
    assert_int_equal(get_status(source, &error), NEXAUTH_DENIED);
    assert_int_equal(error.status, NEXAUTH_DENIED);
    assert_int_equal(error.http_status, 400);
    assert_string_equal(error.code, "invalid_grant");
    assert_string_equal(error.message, "NEX rejects the credentials: Wrong controller.");
    assert_in_range(error.retry_after_ms, 5000, 6000);
    nexauth_source_free(source);
}

static void words_of_the_service_that_hold_a_secret_are_withheld(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);
    struct nexauth_error error = {0};

    script_answer(&fixture->script, (struct script_answer){.status = 401, .body = "{\"Message\":\"abc123 is wrong\"}"});
    assert_int_equal(get_status(source, &error), NEXAUTH_DENIED);
    assert_string_equal(error.message, "NEX rejects the credentials: HTTP 401");
    nexauth_source_free(source);
}

static void a_throttled_caller_learns_when_to_come_back(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);
    struct nexauth_error error = {0};

    script_answer(&fixture->script, (struct script_answer){.status = 429, .retry_after = "17"});
    assert_int_equal(get_status(source, &error), NEXAUTH_THROTTLED);
    assert_int_equal(error.retry_after_ms, 17000);
    nexauth_source_free(source);
}

static void who_gives_up_leaves_the_answer_to_the_next_call(void **state)
{
    struct fixture *fixture = *state;
    const struct nexauth_get_options impatient = {.timeout_ms = 5000};
    nexauth_source *source = fixture_new_controller(fixture);
    struct nexauth_error error = {0};
    nexauth_token *token = NULL;

    script_answer(&fixture->script, (struct script_answer){.status = 200,
                                                           .takes_ms = 20000,
                                                           .body = "{\"access_token\":\"late\",\"expires_in\":3600}"});
    assert_int_equal(nexauth_source_get_token(source, &impatient, &token, &error), NEXAUTH_TIMEOUT);
    assert_null(token);
    script_pass_ms(&fixture->script, 60000); /* parked beyond its deadline, but the answer lies there */
    token = get(source);
    assert_string_equal(nexauth_token_access_token(token), "late");
    assert_int_equal(fixture->script.begun, 1);
    nexauth_token_unref(token);
    nexauth_source_free(source);
}

static void a_parked_exchange_that_ran_out_of_time_fails_nobody(void **state)
{
    struct fixture *fixture = *state;
    const struct nexauth_get_options impatient = {.timeout_ms = 5000};
    nexauth_source *source = fixture_new_controller(fixture);
    nexauth_token *token = NULL;

    script_answer(&fixture->script, (struct script_answer){.takes_ms = INT64_MAX});
    fixture_answer_token(fixture, "second", "3600");
    assert_int_equal(nexauth_source_get_token(source, &impatient, &token, NULL), NEXAUTH_TIMEOUT);
    script_pass_ms(&fixture->script, 60000);
    token = get(source);
    assert_string_equal(nexauth_token_access_token(token), "second");
    nexauth_token_unref(token);
    nexauth_source_free(source);
}

static void a_parked_token_that_expired_unseen_is_replaced(void **state)
{
    struct fixture *fixture = *state;
    const struct nexauth_get_options impatient = {.timeout_ms = 5000};
    nexauth_source *source = fixture_new_controller(fixture);
    nexauth_token *token = NULL;

    script_answer(&fixture->script, (struct script_answer){.status = 200,
                                                           .takes_ms = 6000,
                                                           .body = "{\"access_token\":\"old\",\"expires_in\":10}"});
    fixture_answer_token(fixture, "new", "3600");
    assert_int_equal(nexauth_source_get_token(source, &impatient, &token, NULL), NEXAUTH_TIMEOUT);
    script_pass_ms(&fixture->script, 60000);
    token = get(source);
    assert_string_equal(nexauth_token_access_token(token), "new");
    nexauth_token_unref(token);
    nexauth_source_free(source);
}

static void an_exchange_ends_at_its_own_deadline(void **state)
{
    struct fixture *fixture = *state;
    const struct nexauth_get_options patient = {.timeout_ms = 3600000};
    nexauth_source *source = fixture_new_controller(fixture);
    struct nexauth_error error = {0};
    nexauth_token *token = NULL;
    const int64_t before = fixture->script.boot_ms;

    assert_int_equal(nexauth_source_get_token(source, &patient, &token, &error), NEXAUTH_TIMEOUT);
    assert_string_equal(error.message, "NEX did not answer in time");
    assert_int_equal(fixture->script.boot_ms - before, 30000);
    assert_int_equal(fixture->script.given_up, 1);
    nexauth_source_free(source);
}

static void a_token_that_expired_on_its_way_is_not_handed_out(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);
    struct nexauth_error error = {0};

    script_answer(&fixture->script, (struct script_answer){.status = 200,
                                                           .takes_ms = 2000,
                                                           .body = "{\"access_token\":\"brief\",\"expires_in\":2}"});
    assert_int_equal(get_status(source, &error), NEXAUTH_UNAVAILABLE);
    nexauth_source_free(source);
}

static void a_token_not_yet_expired_on_arrival_is_handed_out(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);
    nexauth_token *token;

    script_answer(&fixture->script, (struct script_answer){.status = 200,
                                                           .takes_ms = 1999,
                                                           .body = "{\"access_token\":\"brief\",\"expires_in\":2}"});
    token = get(source);
    assert_string_equal(nexauth_token_access_token(token), "brief");
    nexauth_token_unref(token);
    nexauth_source_free(source);
}

static void a_static_token_is_given_until_it_expires(void **state)
{
    struct fixture *fixture = *state;
    const struct nexauth_static_options options = {
        .access_token = "api-key+/=", .scope = "all", .expires_at = 2000000100, .presentation = NEXAUTH_PRESENT_QUERY};
    nexauth_source *source = NULL;
    nexauth_token *token;
    struct nexauth_error error = {0};

    assert_int_equal(nexauth_source_new_static(fixture->session, &options, &source, NULL), NEXAUTH_OK);
    token = get(source);
    assert_string_equal(nexauth_token_query(token), "access_token=api-key%2B%2F%3D");
    assert_null(nexauth_token_header(token));
    assert_string_equal(nexauth_token_scope(token), "all");
    assert_int_equal(nexauth_token_expires_at(token), 2000000100);
    assert_int_equal(nexauth_token_lifetime_s(token), 100);
    assert_int_equal(nexauth_token_stated_lifetime_s(token), -1);
    nexauth_token_unref(token);
    script_pass_ms(&fixture->script, 100000);
    assert_int_equal(get_status(source, &error), NEXAUTH_REAUTH);
    assert_string_equal(error.message, "the static token has expired");
    assert_int_equal(fixture->script.begun, 0);
    nexauth_source_free(source);
}

static void a_static_token_without_an_end_has_none(void **state)
{
    struct fixture *fixture = *state;
    const struct nexauth_static_options options = {.access_token = "api-key"};
    nexauth_source *source = NULL;
    nexauth_token *token;

    assert_int_equal(nexauth_source_new_static(fixture->session, &options, &source, NULL), NEXAUTH_OK);
    script_pass_ms(&fixture->script, (int64_t)100 * 365 * 86400 * 1000);
    token = get(source);
    assert_string_equal(nexauth_token_header(token), "Authorization: Bearer api-key");
    assert_int_equal(nexauth_token_expires_at(token), 0);
    assert_int_equal(nexauth_token_lifetime_s(token), 0);
    nexauth_token_unref(token);
    nexauth_source_free(source);
}

/* Any expires_at that a program can make up is either past or to come. */
static void a_static_token_may_expire_at_any_second(void **state)
{
    struct fixture *fixture = *state;
    const struct {
        int64_t expires_at;
        nexauth_status status;
    } cases[] = {{INT64_MIN, NEXAUTH_REAUTH},  {-1, NEXAUTH_REAUTH},     {1, NEXAUTH_REAUTH},
                 {2000000000, NEXAUTH_REAUTH}, {2000000001, NEXAUTH_OK}, {INT64_MAX, NEXAUTH_OK}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct nexauth_static_options options = {.access_token = "key", .expires_at = cases[i].expires_at};
        struct nexauth_error error = {0};
        nexauth_source *source = NULL;

        assert_int_equal(nexauth_source_new_static(fixture->session, &options, &source, NULL), NEXAUTH_OK);
        assert_int_equal(get_status(source, &error), cases[i].status);
        nexauth_source_free(source);
    }
}

static void *get_in_a_thread(void *context)
{
    return get(context);
}

static void many_callers_of_a_cold_source_share_one_request(void **state)
{
    enum { CALLERS = 64 };
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);
    pthread_t threads[CALLERS];

    fixture_answer_token(fixture, "shared", "3600");
    fixture->script.blocks = true;
    for (size_t i = 0; i < CALLERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, get_in_a_thread, source), 0);
    for (size_t i = 0; i < CALLERS; i++) {
        void *token;

        pthread_join(threads[i], &token);
        assert_string_equal(nexauth_token_access_token(token), "shared");
        nexauth_token_unref(token);
    }
    assert_int_equal(fixture->script.begun, 1);
    nexauth_source_free(source);
}

static void each_of_many_threads_gets_the_token_of_its_own_source(void **state)
{
    enum { CALLERS = 32 };
    struct fixture *fixture = *state;
    nexauth_source *sources[CALLERS];
    pthread_t threads[CALLERS];

    fixture->script.blocks = true;
    for (size_t i = 0; i < CALLERS; i++) {
        sources[i] = fixture_new_controller(fixture);
        fixture_answer_token(fixture, "any", "3600");
    }
    for (size_t i = 0; i < CALLERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, get_in_a_thread, sources[i]), 0);
    for (size_t i = 0; i < CALLERS; i++) {
        void *token;

        pthread_join(threads[i], &token);
        nexauth_token_unref(token);
        nexauth_source_free(sources[i]);
    }
    assert_int_equal(fixture->script.begun, CALLERS);
}

static void callers_that_are_wrong_are_told_so(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);
    const struct nexauth_get_options bad[] = {{.timeout_ms = -1}, {.timeout_ms = 3600001}, {.reserved = {0, 1}}};
    nexauth_token *token = NULL;
    struct nexauth_error error = {0};

    assert_int_equal(nexauth_source_get_token(NULL, NULL, &token, &error), NEXAUTH_INVALID);
    assert_int_equal(nexauth_source_get_token(source, NULL, NULL, &error), NEXAUTH_INVALID);
    assert_int_equal(nexauth_source_get_token(source, NULL, NULL, NULL), NEXAUTH_INVALID);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(nexauth_source_get_token(source, &bad[i], &token, &error), NEXAUTH_INVALID);
    assert_null(token);
    assert_int_equal(fixture->script.begun, 0);
    nexauth_source_free(source);
}

static void the_verbs_of_a_token_accept_null(void **state)
{
    (void)state;
    assert_null(nexauth_token_ref(NULL));
    nexauth_token_unref(NULL);
    assert_null(nexauth_token_header(NULL));
    assert_null(nexauth_token_query(NULL));
    assert_null(nexauth_token_access_token(NULL));
    assert_null(nexauth_token_refresh_token(NULL));
    assert_null(nexauth_token_scope(NULL));
    assert_int_equal(nexauth_token_obtained_at(NULL), 0);
    assert_int_equal(nexauth_token_expires_at(NULL), 0);
    assert_int_equal(nexauth_token_lifetime_s(NULL), 0);
    assert_int_equal(nexauth_token_stated_lifetime_s(NULL), -1);
}

/* A slot's word counts to 65535, and begins anew in time. */
static void a_token_may_be_had_any_number_of_times(void **state)
{
    enum { MANY = 140000 };
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);
    nexauth_token *first = NULL;
    struct nexauth_stats stats = {0};

    fixture_answer_token(fixture, "one", "3600");
    assert_int_equal(nexauth_source_get_token(source, NULL, &first, NULL), NEXAUTH_OK);
    for (int i = 0; i < MANY; i++) {
        nexauth_token *token = NULL;

        assert_int_equal(nexauth_source_get_token(source, NULL, &token, NULL), NEXAUTH_OK);
        assert_ptr_equal(token, first);
        nexauth_token_unref(token);
    }
    assert_int_equal(nexauth_source_stats(source, &stats, NULL), NEXAUTH_OK);
    assert_in_range(stats.hits, MANY, MANY + 1);
    nexauth_source_free(source);
    assert_string_equal(nexauth_token_access_token(first), "one");
    nexauth_token_unref(first);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(a_token_that_is_good_is_handed_out_again_without_a_request),
        IN_A_WORLD(an_expired_token_is_replaced),
        IN_A_WORLD(a_token_tells_all_that_is_known_of_it),
        IN_A_WORLD(a_failure_tells_why_and_leaves_out_alone),
        IN_A_WORLD(words_of_the_service_that_hold_a_secret_are_withheld),
        IN_A_WORLD(a_throttled_caller_learns_when_to_come_back),
        IN_A_WORLD(who_gives_up_leaves_the_answer_to_the_next_call),
        IN_A_WORLD(a_parked_exchange_that_ran_out_of_time_fails_nobody),
        IN_A_WORLD(a_parked_token_that_expired_unseen_is_replaced),
        IN_A_WORLD(an_exchange_ends_at_its_own_deadline),
        IN_A_WORLD(a_token_that_expired_on_its_way_is_not_handed_out),
        IN_A_WORLD(a_token_not_yet_expired_on_arrival_is_handed_out),
        IN_A_WORLD(a_static_token_is_given_until_it_expires),
        IN_A_WORLD(a_static_token_without_an_end_has_none),
        IN_A_WORLD(a_static_token_may_expire_at_any_second),
        IN_A_WORLD(many_callers_of_a_cold_source_share_one_request),
        IN_A_WORLD(each_of_many_threads_gets_the_token_of_its_own_source),
        IN_A_WORLD(callers_that_are_wrong_are_told_so),
        cmocka_unit_test(the_verbs_of_a_token_accept_null),
        IN_A_WORLD(a_token_may_be_had_any_number_of_times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
