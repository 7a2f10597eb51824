/* Credentials that got no answer leave once more; one-time values never do. */
#include "support/test.h"

#include "support/fixture.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void pass_a_success(struct fixture *fixture)
{
    struct nexauth_error error = {0};
    nexauth_source *source = fixture_new_controller(fixture);

    fixture_answer_token(fixture, "good", "3600");
    fixture_get(source, "good", &error);
    nexauth_source_free(source);
}

static void credentials_leave_once_more_when_no_answer_was_read(void **state)
{
    static const struct script_answer losses[] = {{.loss = NX_LOSS_CONNECT},
                                                  {.loss = NX_LOSS_CLOSED},
                                                  {.loss = NX_LOSS_CUT},
                                                  {.loss = NX_LOSS_CONNECT, .unsent = true},
                                                  {.loss = NX_LOSS_CLOSED, .unsent = true},
                                                  {.loss = NX_LOSS_CUT, .unsent = true},
                                                  {.loss = NX_LOSS_TIMEOUT, .unsent = true}};
    /* The first bytes of the lowest and the highest draw that the counting generator has. */
    static const struct {
        unsigned char draw;
        int64_t least_ms, most_ms;
    } DRAWS[] = {{0xfd, 750, 752}, {0x3d, 875, 877}, {0xfc, 1249, 1250}};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < COUNT(losses) * COUNT(DRAWS); i++) {
        nexauth_source *source = fixture_new_controller(fixture);
        const int64_t begun_ms = fixture->script.boot_ms;
        const size_t requests = fixture->script.begun;
        struct nexauth_error error = {0};

        fixture->script.next_byte = DRAWS[i % COUNT(DRAWS)].draw;
        script_answer(&fixture->script, losses[i / COUNT(DRAWS)]);
        script_answer(&fixture->script,
                      (struct script_answer){.status = 200, .body = "{\"access_token\":\"x\",\"expires_in\":3600}"});
        fixture_get(source, "x", &error);
        assert_int_equal(fixture->script.begun - requests, 2);
        assert_string_equal(fixture->script.requests[requests].body, fixture->script.requests[requests + 1].body);
        assert_in_range(fixture->script.boot_ms - begun_ms, DRAWS[i % COUNT(DRAWS)].least_ms,
                        DRAWS[i % COUNT(DRAWS)].most_ms);
        nexauth_source_free(source);
    }
}

static void no_credentials_leave_three_times(void **state)
{
    static const struct script_answer losses[] = {
        {.loss = NX_LOSS_CONNECT, .unsent = true}, {.loss = NX_LOSS_CLOSED}, {.loss = NX_LOSS_CUT}};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < COUNT(losses); i++) {
        nexauth_source *source = fixture_new_controller(fixture);
        const size_t requests = fixture->script.begun;
        struct nexauth_error error = {0};

        for (int times = 0; times < 2; times++)
            script_answer(&fixture->script, losses[i]);
        assert_int_equal(fixture_get(source, NULL, &error), NEXAUTH_NETWORK);
        assert_int_equal(fixture->script.begun - requests, 2);
        nexauth_source_free(source);
        fixture_forget(fixture);
        pass_a_success(fixture);
    }
}

static void what_would_fail_again_is_not_sent_again(void **state)
{
    static const struct {
        struct script_answer answer;
        nexauth_status status;
    } CASES[] = {
        {{.loss = NX_LOSS_TLS}, NEXAUTH_NETWORK},
        {{.loss = NX_LOSS_TLS, .unsent = true}, NEXAUTH_NETWORK},
        {{.loss = NX_LOSS_GARBLED}, NEXAUTH_PROTOCOL},
        {{.loss = NX_LOSS_MEMORY}, NEXAUTH_NO_MEMORY},
        {{.takes_ms = INT64_MAX}, NEXAUTH_TIMEOUT},
        {{.status = 200, .body = "{"}, NEXAUTH_PROTOCOL},
        {{.status = 302}, NEXAUTH_CONFIG},
        {{.status = 401, .body = "{\"error\":\"invalid_client\"}"}, NEXAUTH_DENIED},
        {{.status = 408}, NEXAUTH_UNAVAILABLE},
        {{.status = 429}, NEXAUTH_THROTTLED},
        {{.status = 500}, NEXAUTH_UNAVAILABLE},
        {{.status = 503}, NEXAUTH_THROTTLED},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < COUNT(CASES); i++) {
        nexauth_source *source = fixture_new_controller(fixture);
        const size_t requests = fixture->script.begun;
        struct nexauth_error error = {0};

        script_answer(&fixture->script, CASES[i].answer);
        if (fixture_get(source, NULL, &error) != CASES[i].status)
            fail_msg("case %zu: %s", i, nexauth_status_name(error.status));
        assert_int_equal(fixture->script.begun - requests, 1);
        nexauth_source_free(source);
        fixture_forget(fixture);
        pass_a_success(fixture);
    }
}

/* The flight has 30 s, whatever it does with them. */
static void a_second_attempt_has_the_time_that_the_first_has_left(void **state)
{
    static const struct {
        int64_t lost_after_ms;
        size_t requests;
        int64_t ended_after_ms;
        nexauth_status status;
    } CASES[] = {{28000, 2, 30000, NEXAUTH_TIMEOUT},
                 {28749, 2, 30000, NEXAUTH_TIMEOUT},
                 {29251, 1, 29251, NEXAUTH_NETWORK},
                 {29999, 1, 29999, NEXAUTH_NETWORK}};
    const struct nexauth_get_options patient = {.timeout_ms = 3600000};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < COUNT(CASES); i++) {
        nexauth_source *source = fixture_new_controller(fixture);
        const int64_t begun_ms = fixture->script.boot_ms;
        const size_t requests = fixture->script.begun;
        nexauth_token *token = NULL;

        script_answer(&fixture->script,
                      (struct script_answer){.loss = NX_LOSS_CUT, .takes_ms = CASES[i].lost_after_ms});
        if (CASES[i].requests == 2)
            script_answer(&fixture->script, (struct script_answer){.takes_ms = INT64_MAX});
        assert_int_equal(nexauth_source_get_token(source, &patient, &token, NULL), CASES[i].status);
        assert_int_equal(fixture->script.begun - requests, CASES[i].requests);
        assert_int_equal(fixture->script.boot_ms - begun_ms, CASES[i].ended_after_ms);
        nexauth_source_free(source);
        fixture_forget(fixture);
    }
}

static const struct script_answer one_time_losses[] = {
    {.loss = NX_LOSS_CONNECT, .unsent = true}, {.loss = NX_LOSS_CLOSED}, {.loss = NX_LOSS_CUT}};

static void a_refresh_token_does_not_leave_again(void **state)
{
    const struct nexauth_nexusguard_user_options saved = {.app_id = "app", .refresh_token = "saved"};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < COUNT(one_time_losses); i++) {
        nexauth_source *source = fixture_new_customer(fixture, &saved);
        const size_t requests = fixture->script.begun;
        struct nexauth_error error = {0};

        script_answer(&fixture->script, one_time_losses[i]);
        assert_int_not_equal(fixture_get(source, NULL, &error), NEXAUTH_OK);
        assert_int_equal(fixture->script.begun - requests, 1);
        nexauth_source_free(source);
        fixture_forget(fixture);
    }
}

static void neither_does_a_code_or_what_asks_for_one(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < 2 * COUNT(one_time_losses); i++) {
        nexauth_source *source = fixture_new_customer(fixture, &fixture_customer);
        const bool connected = i % 2;
        const size_t requests = fixture->script.begun;
        struct nexauth_error error = {0};

        if (connected)
            script_answer(&fixture->script, fixture_right_redirect);
        script_answer(&fixture->script, one_time_losses[i / 2]);
        assert_int_not_equal(fixture_get(source, NULL, &error), NEXAUTH_OK);
        assert_int_equal(fixture->script.begun - requests, connected ? 2 : 1);
        nexauth_source_free(source);
        fixture_forget(fixture);
    }
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(credentials_leave_once_more_when_no_answer_was_read),
        IN_A_WORLD(no_credentials_leave_three_times),
        IN_A_WORLD(what_would_fail_again_is_not_sent_again),
        IN_A_WORLD(a_second_attempt_has_the_time_that_the_first_has_left),
        IN_A_WORLD(a_refresh_token_does_not_leave_again),
        IN_A_WORLD(neither_does_a_code_or_what_asks_for_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
