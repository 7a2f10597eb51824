/* What a session remembers of failures: who asks again before the hold is over gets the same error, and sends nothing.
 */
#include "support/test.h"

#include "support/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* The first byte of a draw: the lowest and the highest that the counting generator has. */
enum { LOWEST = 0xfd, HIGHEST = 0xfc };

#define DENIAL                                                                                                         \
    {                                                                                                                  \
        .status = 400, .body = "{\"error\":\"invalid_client\",\"error_description\":\"Unknown.\"}"                     \
    }
#define MISTAKE                                                                                                        \
    {                                                                                                                  \
        .status = 400, .body = "{\"error\":\"invalid_scope\"}"                                                         \
    }

static const struct script_answer denial = DENIAL;
static const struct script_answer mistake = MISTAKE;
static const struct script_answer unavailable = {.status = 500};

static nexauth_source *new_controller(struct fixture *fixture, const char *id, const char *secret)
{
    struct nexauth_nex_controller_options options = fixture_controller;
    nexauth_source *source = NULL;

    options.controller_id = id;
    options.controller_secret = secret;
    assert_int_equal(nexauth_source_new_nex_controller(fixture->session, &options, &source, NULL), NEXAUTH_OK);
    return source;
}

static nexauth_source *new_numbered(struct fixture *fixture, size_t number)
{
    char id[24];

    snprintf(id, sizeof id, "%zu", number);
    return new_controller(fixture, id, "secret");
}

static struct nexauth_error get_failure(nexauth_source *source)
{
    struct nexauth_error error = {0};

    assert_int_not_equal(fixture_get(source, NULL, &error), NEXAUTH_OK);
    return error;
}

/* Held: the same error, `remaining_ms` before the end of the hold, and neither a request nor a wait. */
static void check_held(struct fixture *fixture, nexauth_source *source, const struct nexauth_error *first,
                       int64_t remaining_ms)
{
    const size_t requests = fixture->script.begun;
    const int64_t now_ms = fixture->script.boot_ms;
    const struct nexauth_error error = get_failure(source);

    assert_int_equal(fixture->script.begun, requests);
    assert_int_equal(fixture->script.boot_ms, now_ms);
    assert_int_equal(error.status, first->status);
    assert_int_equal(error.http_status, first->http_status);
    assert_string_equal(error.code, first->code);
    assert_string_equal(error.message, first->message);
    assert_int_equal(error.retry_after_ms, remaining_ms);
}

static void who_asks_before_the_hold_is_over_gets_the_same_error_at_once(void **state)
{
    static const struct {
        struct script_answer answer;
        nexauth_status status;
        int64_t least_ms, most_ms;
    } CASES[] = {
        {DENIAL, NEXAUTH_DENIED, 5000, 6000},
        {MISTAKE, NEXAUTH_CONFIG, 5000, 6000},
        {{.status = 500}, NEXAUTH_UNAVAILABLE, 1000, 1200},
        {{.status = 200, .body = "{"}, NEXAUTH_PROTOCOL, 1000, 1200},
        {{.status = 429}, NEXAUTH_THROTTLED, 10000, 10000},
        {{.status = 429, .retry_after = "1000"}, NEXAUTH_THROTTLED, 1000000, 1000000},
        {{.loss = NX_LOSS_TLS}, NEXAUTH_NETWORK, 1000, 1200},
        {{.takes_ms = INT64_MAX}, NEXAUTH_TIMEOUT, 1000, 1200},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < COUNT(CASES); i++) {
        nexauth_source *source = fixture_new_controller(fixture);
        struct nexauth_error first;

        script_answer(&fixture->script, CASES[i].answer);
        first = get_failure(source);
        assert_int_equal(first.status, CASES[i].status);
        assert_in_range(first.retry_after_ms, CASES[i].least_ms, CASES[i].most_ms);
        check_held(fixture, source, &first, first.retry_after_ms);
        script_pass_ms(&fixture->script, 700);
        check_held(fixture, source, &first, first.retry_after_ms - 700);
        script_pass_ms(&fixture->script, first.retry_after_ms - 701);
        check_held(fixture, source, &first, 1);
        script_pass_ms(&fixture->script, 1);
        fixture_answer_token(fixture, "good", "3600");
        fixture_get(source, "good", &first);
        assert_int_equal(fixture->script.begun, 2 * (i + 1));
        nexauth_source_free(source);
    }
}

/* Within a hundredth for what the counting generator's draws lack. */
static void holds_double_up_to_a_minute_and_a_fifth_is_drawn(void **state)
{
    static const struct {
        struct script_answer answer;
        int64_t holds_s[9];
    } CASES[] = {{{.status = 500}, {1, 2, 4, 8, 16, 32, 60, 60, 60}}, {DENIAL, {5, 10, 20, 40, 60, 60, 60, 60, 60}}};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < 2 * COUNT(CASES); i++) {
        nexauth_source *source = fixture_new_controller(fixture);
        const bool high = i % 2;

        script_answer_always(&fixture->script, CASES[i / 2].answer);
        for (size_t j = 0; j < COUNT(CASES[0].holds_s); j++) {
            const int64_t hold_ms = CASES[i / 2].holds_s[j] * (high ? 1200 : 1000);
            const size_t requests = fixture->script.begun;
            struct nexauth_error error;

            fixture->script.next_byte = high ? HIGHEST : LOWEST;
            error = get_failure(source);
            assert_int_equal(fixture->script.begun, requests + 1);
            assert_in_range(error.retry_after_ms, high ? hold_ms * 99 / 100 : hold_ms,
                            high ? hold_ms : hold_ms * 101 / 100);
            script_pass_ms(&fixture->script, error.retry_after_ms - 1);
            check_held(fixture, source, &error, 1);
            script_pass_ms(&fixture->script, 1);
        }
        nexauth_source_free(source);
        fixture_forget(fixture);
    }
}

static void a_new_source_with_the_same_credentials_is_held_too(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = new_controller(fixture, "1", "same");
    struct nexauth_error first;

    script_answer(&fixture->script, denial);
    first = get_failure(source);
    nexauth_source_free(source);
    source = new_controller(fixture, "1", "same");
    check_held(fixture, source, &first, first.retry_after_ms);
    nexauth_source_free(source);
}

static void one_with_other_credentials_is_not(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *others[] = {new_controller(fixture, "1", "other"), new_controller(fixture, "2", "same"), NULL};
    const struct nexauth_nex_user_options user = {
        .client_id = "5a5b", .client_secret = "abc123", .username = "1", .password = "same"};
    nexauth_source *source = new_controller(fixture, "1", "same");
    struct nexauth_error error = {0};

    assert_int_equal(nexauth_source_new_nex_user(fixture->session, &user, &others[2], NULL), NEXAUTH_OK);
    script_answer(&fixture->script, mistake);
    get_failure(source);
    for (size_t i = 0; i < COUNT(others); i++) {
        fixture_answer_token(fixture, "good", "3600");
        fixture_get(others[i], "good", &error);
        nexauth_source_free(others[i]);
    }
    assert_int_equal(get_failure(source).status, NEXAUTH_CONFIG); /* the success of others changes nothing for it */
    assert_int_equal(fixture->script.begun, 4);
    nexauth_source_free(source);
}

static void neither_is_one_at_another_place_of_the_service(void **state)
{
    struct fixture *fixture = *state;
    struct nexauth_quantoz_options options = {
        .client_id = "id", .client_secret = "secret", .environment = NEXAUTH_QUANTOZ_TEST};
    nexauth_source *sources[2];
    struct nexauth_error error = {0};

    assert_int_equal(nexauth_source_new_quantoz(fixture->session, &options, &sources[0], NULL), NEXAUTH_OK);
    options.environment = NEXAUTH_QUANTOZ_PRODUCTION;
    assert_int_equal(nexauth_source_new_quantoz(fixture->session, &options, &sources[1], NULL), NEXAUTH_OK);
    script_answer(&fixture->script, denial);
    get_failure(sources[0]);
    fixture_answer_token(fixture, "good", "3600");
    fixture_get(sources[1], "good", &error);
    nexauth_source_free(sources[0]);
    nexauth_source_free(sources[1]);
}

static void pass_failures(struct fixture *fixture, nexauth_source *source, int count)
{
    for (int i = 0; i < count; i++) {
        script_answer(&fixture->script, unavailable);
        script_pass_ms(&fixture->script, get_failure(source).retry_after_ms);
    }
}

static void success_forgets_failures(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);
    struct nexauth_error error = {0};

    pass_failures(fixture, source, 4);
    fixture_answer_token(fixture, "good", "10");
    fixture_get(source, "good", &error);
    script_pass_ms(&fixture->script, 10000);
    script_answer(&fixture->script, unavailable);
    assert_in_range(get_failure(source).retry_after_ms, 1000, 1200);
    nexauth_source_free(source);
}

static void failures_long_ago_are_forgotten_and_lately_ones_are_not(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);

    pass_failures(fixture, source, 3);
    script_pass_ms(&fixture->script, 600000);
    script_answer(&fixture->script, unavailable);
    assert_in_range(get_failure(source).retry_after_ms, 8000, 9600);
    script_pass_ms(&fixture->script, 9600 + 600001);
    script_answer(&fixture->script, unavailable);
    assert_in_range(get_failure(source).retry_after_ms, 1000, 1200);
    nexauth_source_free(source);
}

struct supplier {
    nexauth_status status;
    int calls;
};

static nexauth_status supply(void *context, char *xspe, size_t size)
{
    struct supplier *supplier = context;

    (void)xspe;
    (void)size;
    supplier->calls++;
    return supplier->status;
}

static void what_is_the_callers_own_matter_is_not_remembered(void **state)
{
    static const struct {
        nexauth_status status;
        bool remembered;
    } CASES[] = {{NEXAUTH_INVALID, false}, {NEXAUTH_NO_MEMORY, false},  {NEXAUTH_CANCELED, false},
                 {NEXAUTH_DENIED, true},   {NEXAUTH_UNAVAILABLE, true}, {NEXAUTH_THROTTLED, true}};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct supplier supplier = {.status = CASES[i].status};
        const struct nexauth_nexusguard_user_options options = fixture_with_callback(supply, &supplier);
        nexauth_source *source = fixture_new_customer(fixture, &options);

        for (int times = 0; times < 3; times++) {
            const struct nexauth_error error = get_failure(source);

            assert_int_equal(error.status, CASES[i].status);
            assert_true((error.retry_after_ms > 0) == CASES[i].remembered);
        }
        assert_int_equal(supplier.calls, CASES[i].remembered ? 1 : 3);
        nexauth_source_free(source);
        fixture_forget(fixture);
    }
}

static void a_lack_of_memory_is_not_remembered(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = fixture_new_controller(fixture);
    struct nexauth_error error = {0};

    script_answer(&fixture->script, (struct script_answer){.loss = NX_LOSS_MEMORY});
    fixture_answer_token(fixture, "good", "3600");
    error = get_failure(source);
    assert_int_equal(error.status, NEXAUTH_NO_MEMORY);
    assert_int_equal(error.retry_after_ms, 0);
    fixture_get(source, "good", &error);
    nexauth_source_free(source);
}

static void hand_in_a_code(nexauth_source *source)
{
    nexauth_authorization *authorization = NULL;
    char url[256];

    assert_int_equal(nexauth_source_authorize(source, &authorization, NULL), NEXAUTH_OK);
    snprintf(url, sizeof url, "/callback?code=the-code&state=%s", nexauth_authorization_state(authorization));
    assert_int_equal(nexauth_source_accept_redirect(source, url, nexauth_authorization_state(authorization), NULL),
                     NEXAUTH_OK);
    nexauth_authorization_free(authorization);
}

static void a_code_that_a_web_handler_brings_is_tried_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct nexauth_nexusguard_user_options options = fixture_customer;
    nexauth_source *source;
    struct nexauth_error error;

    options.web_handler = 1;
    source = fixture_new_customer(fixture, &options);
    hand_in_a_code(source);
    script_answer(&fixture->script, fixture_refusal);
    error = get_failure(source);
    check_held(fixture, source, &error, error.retry_after_ms);
    hand_in_a_code(source);
    script_answer(&fixture->script, fixture_refusal);
    error = get_failure(source);
    assert_int_equal(fixture->script.begun, 2);
    assert_in_range(error.retry_after_ms, 2000, 2400);
    hand_in_a_code(source);
    script_answer(&fixture->script, fixture_first_token);
    fixture_get(source, "one", &error);
    assert_int_equal(fixture->script.begun, 3);
    nexauth_source_free(source);
}

enum { TEN_MINUTES_MS = 600000 };

/* One of many, whose service fails. */
struct sufferer {
    nexauth_source *source;
    int64_t sent_ms; /* the last time */
    int sent;
};

/* The hold after so many failures in a row, before the draw. */
static int64_t hold_after(int failures)
{
    return failures < 7 ? 1000 << (failures - 1) : 60000;
}

/* How often the rule lets one send in ten minutes, if each hold takes so many hundredths. */
static int sendings(int hundredths, int64_t step_ms)
{
    int64_t ms = 0;
    int count = 0;

    while (ms < TEN_MINUTES_MS) {
        ms += hold_after(++count) * hundredths / 100;
        ms += (step_ms - ms % step_ms) % step_ms;
    }
    return count;
}

static void suffer(struct fixture *fixture, struct sufferer *sufferer)
{
    const size_t requests = fixture->script.begun;
    const int64_t since_ms = fixture->script.boot_ms - sufferer->sent_ms;
    const int64_t hold_ms = sufferer->sent ? hold_after(sufferer->sent) : 0;
    struct nexauth_error error;

    fixture_get(sufferer->source, NULL, &error);
    if (error.status != NEXAUTH_UNAVAILABLE || fixture->script.begun > requests + 1)
        fail_msg("%s, and %zu requests", nexauth_status_name(error.status), fixture->script.begun - requests);
    if (fixture->script.begun > requests) {
        if (since_ms < hold_ms)
            fail_msg("%lld ms after failure %d", (long long)since_ms, sufferer->sent);
        sufferer->sent++;
        sufferer->sent_ms = fixture->script.boot_ms;
    } else if (since_ms > hold_ms * 12 / 10) {
        fail_msg("held for %lld ms after failure %d", (long long)since_ms, sufferer->sent);
    }
}

static void sources_of_a_failing_service_send_as_often_as_the_rule_allows(void **state)
{
    enum { SOME = 20, STEP_MS = 200 };
    struct fixture *fixture = *state;
    struct sufferer sufferers[SOME] = {{0}};
    const size_t most = (size_t)sendings(100, STEP_MS);
    const size_t least = (size_t)sendings(120, STEP_MS);

    script_answer_always(&fixture->script, unavailable);
    for (size_t i = 0; i < SOME; i++)
        sufferers[i].source = new_numbered(fixture, i);
    for (int64_t ms = 0; ms < TEN_MINUTES_MS; ms += STEP_MS) {
        for (size_t i = 0; i < SOME; i++)
            suffer(fixture, &sufferers[i]);
        script_pass_ms(&fixture->script, STEP_MS);
    }
    assert_in_range(fixture->script.begun, SOME * least, SOME * most);
    for (size_t i = 0; i < SOME; i++) {
        assert_in_range(sufferers[i].sent, least, most);
        nexauth_source_free(sufferers[i].source);
    }
}

/* At 0 and 400 s. */
static void ten_thousand_sources_send_no_more_than_the_service_lets_them(void **state)
{
    enum { MANY = 10000, STEP_MS = 100000, EACH = 2 };
    struct fixture *fixture = *state;
    nexauth_source **sources = calloc(MANY, sizeof(nexauth_source *));

    assert_non_null(sources);
    script_answer_always(&fixture->script, (struct script_answer){.status = 429, .retry_after = "400"});
    for (size_t i = 0; i < MANY; i++)
        sources[i] = new_numbered(fixture, i);
    for (int64_t ms = 0; ms < TEN_MINUTES_MS; ms += STEP_MS) {
        for (size_t i = 0; i < MANY; i++)
            assert_int_equal(get_failure(sources[i]).status, NEXAUTH_THROTTLED);
        script_pass_ms(&fixture->script, STEP_MS);
    }
    assert_int_equal(fixture->script.begun, MANY * EACH);
    for (size_t i = 0; i < MANY; i++) {
        struct nexauth_stats stats = {0};

        assert_int_equal(nexauth_source_stats(sources[i], &stats, NULL), NEXAUTH_OK);
        assert_int_equal(stats.requests, EACH);
        nexauth_source_free(sources[i]);
    }
    free(sources);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(who_asks_before_the_hold_is_over_gets_the_same_error_at_once),
        IN_A_WORLD(holds_double_up_to_a_minute_and_a_fifth_is_drawn),
        IN_A_WORLD(a_new_source_with_the_same_credentials_is_held_too),
        IN_A_WORLD(one_with_other_credentials_is_not),
        IN_A_WORLD(neither_is_one_at_another_place_of_the_service),
        IN_A_WORLD(success_forgets_failures),
        IN_A_WORLD(failures_long_ago_are_forgotten_and_lately_ones_are_not),
        IN_A_WORLD(what_is_the_callers_own_matter_is_not_remembered),
        IN_A_WORLD(a_lack_of_memory_is_not_remembered),
        IN_A_WORLD(a_code_that_a_web_handler_brings_is_tried_at_once),
        IN_A_WORLD(sources_of_a_failing_service_send_as_often_as_the_rule_allows),
        IN_A_WORLD(ten_thousand_sources_send_no_more_than_the_service_lets_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
