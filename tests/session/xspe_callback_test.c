/* The callback that supplies a fresh xspe: what it may return, and what it may ask for. */
#include "support/test.h"

#include "support/fixture.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static nexauth_status supply_nothing(void *context, char *xspe, size_t size)
{
    (void)context;
    (void)xspe;
    (void)size;
    return NEXAUTH_OK;
}

static nexauth_status supply_controls(void *context, char *xspe, size_t size)
{
    (void)context;
    snprintf(xspe, size, "a\nb");
    return NEXAUTH_OK;
}

static nexauth_status supply_without_end(void *context, char *xspe, size_t size)
{
    (void)context;
    memset(xspe, 'x', size);
    return NEXAUTH_OK;
}

static nexauth_status fail_to_supply(void *context, char *xspe, size_t size)
{
    (void)context;
    (void)xspe;
    (void)size;
    return NEXAUTH_UNAVAILABLE;
}

static nexauth_status fail_with_nonsense(void *context, char *xspe, size_t size)
{
    (void)context;
    (void)xspe;
    (void)size;
    return (nexauth_status)99;
}

static void a_callback_that_fails_fails_the_caller(void **state)
{
    struct fixture *fixture = *state;
    const struct {
        nexauth_xspe_callback callback;
        nexauth_status status;
        size_t requests;
    } cases[] = {{supply_nothing, NEXAUTH_INVALID, 0},
                 {supply_controls, NEXAUTH_INVALID, 0},
                 {fail_to_supply, NEXAUTH_UNAVAILABLE, 0},
                 {fail_with_nonsense, NEXAUTH_INVALID, 0},
                 {supply_without_end, NEXAUTH_TIMEOUT, 1}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct nexauth_nexusguard_user_options options = fixture_with_callback(cases[i].callback, NULL);
        nexauth_source *source = fixture_new_customer(fixture, &options);
        const size_t before = fixture->script.begun;
        struct nexauth_error error = {0};

        assert_int_equal(fixture_get(source, NULL, &error), cases[i].status);
        assert_int_equal(fixture->script.begun - before, cases[i].requests);
        fixture_forget(fixture);
        nexauth_source_free(source);
    }
}

/* It went out with the connect, and the service may still know it when the code comes. */
static void the_answer_to_a_code_that_says_the_xspe_back_is_not_quoted(void **state)
{
    struct fixture *fixture = *state;
    const struct {
        const char *xspe;
        bool quoted;
    } cases[] = {{"fresh xspe", false}, {"another", true}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct nexauth_nexusguard_user_options options = fixture_with_callback(fixture_supply,
                                                                                     (void *)cases[i].xspe);
        nexauth_source *source = fixture_new_customer(fixture, &options);
        struct nexauth_error error = {0};

        script_answer(&fixture->script, fixture_right_redirect);
        script_answer(&fixture->script, fixture_outspoken_refusal);
        assert_int_equal(fixture_get(source, NULL, &error), NEXAUTH_REAUTH);
        assert_true((strstr(error.message, "fresh xspe") != NULL) == cases[i].quoted);
        fixture_forget(fixture);
        nexauth_source_free(source);
    }
}

struct nested {
    nexauth_source *own;
    nexauth_source *other;
    nexauth_status own_status;
};

/* Asks for its own source, which is wrong, and for another, which is right. */
static nexauth_status supply_with_tokens(void *context, char *xspe, size_t size)
{
    struct nested *nested = context;
    nexauth_token *token = NULL;
    struct nexauth_error error = {0};

    nested->own_status = nexauth_source_get_token(nested->own, NULL, &token, &error);
    fixture_get(nested->other, "controllers", &error);
    snprintf(xspe, size, "fresh");
    return NEXAUTH_OK;
}

static void a_callback_may_ask_for_a_token_of_another_source_only(void **state)
{
    struct fixture *fixture = *state;
    struct nested nested = {.other = fixture_new_controller(fixture)};
    const struct nexauth_nexusguard_user_options options = fixture_with_callback(supply_with_tokens, &nested);
    struct nexauth_error error = {0};

    nested.own = fixture_new_customer(fixture, &options);
    fixture_answer_token(fixture, "controllers", "3600");
    script_answer(&fixture->script, fixture_right_redirect);
    script_answer(&fixture->script, fixture_first_token);
    script_answer(&fixture->script, fixture_refusal); /* then the callback runs in a turn of the engine */
    script_answer(&fixture->script, fixture_right_redirect);
    script_answer(&fixture->script, fixture_second_token);
    fixture_get(nested.own, "one", &error);
    assert_int_equal(nested.own_status, NEXAUTH_INVALID);
    fixture_expire(fixture);
    nested.own_status = NEXAUTH_OK;
    fixture_get(nested.own, "two", &error);
    assert_int_equal(nested.own_status, NEXAUTH_INVALID);
    nexauth_source_free(nested.own);
    nexauth_source_free(nested.other);
}

/* Asks for the other source only. */
static nexauth_status supply_with_the_other(void *context, char *xspe, size_t size)
{
    const struct nested *nested = context;
    struct nexauth_error error = {0};

    fixture_get(nested->other, "controllers", &error);
    snprintf(xspe, size, "fresh");
    return NEXAUTH_OK;
}

/* Both answers come in one turn of the network: the callback must not wait for what its own thread has in hand. */
static void a_callback_gets_what_came_in_the_same_turn(void **state)
{
    struct fixture *fixture = *state;
    const struct nexauth_get_options impatient = {.timeout_ms = 10};
    struct nested nested = {.other = fixture_new_controller(fixture)};
    struct nexauth_nexusguard_user_options options = fixture_with_callback(supply_with_the_other, &nested);
    struct script_answer slow_refusal = fixture_refusal;
    struct nexauth_error error = {0};
    nexauth_token *token = NULL;

    options.refresh_token = "saved";
    nested.own = fixture_new_customer(fixture, &options);
    for (int first = 0; first < 2; first++) {
        const int64_t begun_ms = fixture->script.boot_ms;

        slow_refusal.takes_ms = 200;
        fixture_answer_token(fixture, "controllers", "3600");
        fixture->script.answers[fixture->script.answer_count - 1].takes_ms = 210;
        script_answer(&fixture->script, slow_refusal);
        script_answer(&fixture->script, fixture_right_redirect);
        script_answer(&fixture->script, fixture_first_token);
        assert_int_equal(nexauth_source_get_token(nested.other, &impatient, &token, &error), NEXAUTH_TIMEOUT);
        fixture_get(nested.own, "one", &error);
        assert_true(fixture->script.boot_ms - begun_ms < 1000);
        nexauth_source_free(nested.own);
        nexauth_source_free(nested.other);
        nested.other = fixture_new_controller(fixture);
        nested.own = fixture_new_customer(fixture, &options);
    }
    nexauth_source_free(nested.own);
    nexauth_source_free(nested.other);
}

/* A thread whose callback takes its time. */
struct slow {
    nexauth_source *source;
    atomic_bool runs, may_end;
    nexauth_status own, got;
    pthread_t thread;
};

static nexauth_status supply_slowly(void *context, char *xspe, size_t size)
{
    struct slow *slow = context;
    nexauth_token *token = NULL;

    slow->runs = true;
    while (!slow->may_end)
        sched_yield();
    slow->own = nexauth_source_get_token(slow->source, NULL, &token, NULL);
    snprintf(xspe, size, "fresh");
    return NEXAUTH_OK;
}

static void *get_slowly(void *context)
{
    struct slow *slow = context;

    slow->got = fixture_get(slow->source, NULL, NULL);
    return NULL;
}

static void begin_slowly(struct fixture *fixture, struct slow *slow, const char *id)
{
    struct nexauth_nexusguard_user_options options = fixture_with_callback(supply_slowly, slow);

    options.customer_id = id;
    slow->source = fixture_new_customer(fixture, &options);
    assert_int_equal(pthread_create(&slow->thread, NULL, get_slowly, slow), 0);
    while (!slow->runs)
        sched_yield();
}

static void end_slowly(struct fixture *fixture, struct slow *slow)
{
    script_answer(&fixture->script, fixture_right_redirect);
    script_answer(&fixture->script, fixture_first_token);
    slow->may_end = true;
    pthread_join(slow->thread, NULL);
    assert_int_equal(slow->own, NEXAUTH_INVALID);
    assert_int_equal(slow->got, NEXAUTH_OK);
    nexauth_source_free(slow->source);
}

/* Each is told while its own callback runs, and only then, that it asks for what it is itself to help with. */
static void callbacks_of_threads_end_in_any_order(void **state)
{
    for (int last_first = 0; last_first <= 1; last_first++) {
        struct slow slow[2] = {{0}};

        begin_slowly(*state, &slow[0], "C-1");
        begin_slowly(*state, &slow[1], "C-2");
        end_slowly(*state, &slow[last_first]);
        end_slowly(*state, &slow[!last_first]);
    }
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(a_callback_that_fails_fails_the_caller),
        IN_A_WORLD(the_answer_to_a_code_that_says_the_xspe_back_is_not_quoted),
        IN_A_WORLD(a_callback_may_ask_for_a_token_of_another_source_only),
        IN_A_WORLD(a_callback_gets_what_came_in_the_same_turn),
        IN_A_WORLD(callbacks_of_threads_end_in_any_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
