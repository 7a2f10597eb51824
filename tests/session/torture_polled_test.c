/*
 * Every allocation of what an application does with a source besides waiting fails: once, and once and for ever from
 * there. Nothing breaks or leaks (the sanitizers look), what is said is true, and the source works afterwards.
 */
#include "support/test.h"

#include "support/failing.h"
#include "support/fixture.h"
#include "support/outcome.h"
#include "support/torture.h"

#include <string.h>

enum { AGE_MS = 3000000 };

struct stage {
    struct fixture *fixture;
    nexauth_source *source;
    nexauth_token *token;
    struct outcome outcome;
    int saved; /* how often */
};

/* Polls until the callback has run, and returns what it was told. */
static nexauth_status poll_to_the_end(struct stage *stage, struct nexauth_error *error)
{
    nexauth_status status = NEXAUTH_OK;

    while (!status && !stage->outcome.runs)
        status = nexauth_session_poll(stage->fixture->session, 1000, error);
    if (status)
        return status;
    assert_int_equal(stage->outcome.runs, 1);
    assert_false(stage->outcome.wrong);
    *error = stage->outcome.error;
    return error->status;
}

static nexauth_status start(struct stage *stage, nexauth_call **out, struct nexauth_error *error)
{
    return nexauth_source_start(stage->source, NULL, outcome_note, &stage->outcome, out, error);
}

static nexauth_status start_and_poll(struct stage *stage, struct nexauth_error *error)
{
    const nexauth_status status = start(stage, NULL, error);

    return status ? status : poll_to_the_end(stage, error);
}

/* A call whose flight could not even begin has ended already. */
static nexauth_status cancel(struct stage *stage, struct nexauth_error *error)
{
    nexauth_call *call = NULL;
    nexauth_status status = start(stage, &call, error);

    if (status)
        return status;
    nexauth_call_cancel(call);
    nexauth_call_unref(call);
    status = poll_to_the_end(stage, error);
    return status == NEXAUTH_CANCELED ? NEXAUTH_OK : status;
}

static nexauth_status get(struct stage *stage, struct nexauth_error *error)
{
    nexauth_token *token = NULL;
    const nexauth_status status = nexauth_source_get_token(stage->source, NULL, &token, error);

    nexauth_token_unref(token);
    return status;
}

/* A rejection that fails leaves the token where it is. */
static nexauth_status reject_and_get(struct stage *stage, struct nexauth_error *error)
{
    const nexauth_status status = nexauth_source_reject_token(stage->source, stage->token, error);

    if (!status)
        return get(stage, error);
    assert_int_equal(get(stage, NULL), NEXAUTH_OK);
    assert_int_equal(stage->fixture->script.begun, 1);
    return status;
}

static nexauth_status save(void *context, nexauth_token *token)
{
    struct stage *stage = context;

    stage->saved++;
    assert_string_equal(nexauth_token_access_token(token), "two");
    return NEXAUTH_OK;
}

/* What was restored is given as it is, or memory ran out; what comes after it is saved once. */
static nexauth_status restore_and_save(struct stage *stage, struct nexauth_error *error)
{
    const int64_t now = stage->fixture->script.wall_s;
    const struct nexauth_saved_token saved = {
        .access_token = "two", .obtained_at = now, .expires_at = now + 3600, .lifetime_s = 3600, .scope = "all"};
    nexauth_token *token = NULL;
    nexauth_status status = nexauth_source_set_save(stage->source, save, stage, error);

    if (!status)
        status = nexauth_source_restore_token(stage->source, &saved, error);
    if (status)
        return status;
    assert_int_equal(nexauth_source_get_token(stage->source, NULL, &token, error), NEXAUTH_OK);
    assert_string_equal(nexauth_token_scope(token), "all");
    assert_int_equal(stage->fixture->script.begun, 0);
    assert_int_equal(stage->saved, 0);
    status = nexauth_source_reject_token(stage->source, token, error);
    nexauth_token_unref(token);
    if (!status)
        status = get(stage, error);
    assert_in_range(stage->saved, status ? 0 : 1, 1);
    return status;
}

static nexauth_status copy(struct stage *stage, struct nexauth_error *error)
{
    char text[64] = "";
    size_t length = 0;
    const nexauth_status status = nexauth_source_copy_token(stage->source, NULL, text, sizeof text, &length, error);

    assert_string_equal(text, status ? "" : "Authorization: Bearer two");
    assert_int_equal(length, strlen(text));
    return status;
}

static nexauth_status ask_for_the_descriptor(struct stage *stage, struct nexauth_error *error)
{
    int descriptor = -1;
    const nexauth_status status = nexauth_session_descriptor(stage->fixture->session, &descriptor, error);

    assert_int_equal(status == NEXAUTH_OK, descriptor >= 0);
    return status;
}

/* A renewal that fails is nobody's failure. */
static nexauth_status renew_early_in_the_background(struct stage *stage, struct nexauth_error *error)
{
    nexauth_status status = start(stage, NULL, error);

    if (status)
        return status;
    assert_int_equal(poll_to_the_end(stage, error), NEXAUTH_OK);
    assert_string_equal(stage->outcome.token, "one");
    return nexauth_session_poll(stage->fixture->session, 1000, error);
}

static nexauth_status renew_early(struct stage *stage, struct nexauth_error *error)
{
    assert_int_equal(get(stage, error), NEXAUTH_OK);
    return NEXAUTH_OK;
}

static const struct scenario {
    const char *name;
    nexauth_status (*act)(struct stage *stage, struct nexauth_error *error);
    int64_t age_ms;  /* of the token "one" that the source has; 0: it has none */
    size_t at_least; /* allocations */
} scenarios[] = {
    {"start and poll", start_and_poll, 0, 5},
    {"start and poll, with a good token", start_and_poll, 1000, 1},
    {"start and poll, with an old token", start_and_poll, 3600000, 5},
    {"start and cancel", cancel, 0, 2},
    {"reject and get", reject_and_get, 1000, 5},
    {"restore and save", restore_and_save, 0, 8},
    {"copy", copy, 0, 5},
    {"the descriptor", ask_for_the_descriptor, 0, 1},
    {"renew early, polled", renew_early_in_the_background, AGE_MS, 5},
    {"renew early", renew_early, AGE_MS, 5},
};

static void prepare(struct stage *stage, const struct scenario *scenario)
{
    stage->source = fixture_new_controller(stage->fixture);
    if (scenario->age_ms) {
        fixture_answer_token(stage->fixture, "one", "3600");
        assert_int_equal(nexauth_source_get_token(stage->source, NULL, &stage->token, NULL), NEXAUTH_OK);
        script_pass_ms(&stage->fixture->script, scenario->age_ms);
    }
    script_answer_always(
        &stage->fixture->script,
        (struct script_answer){.status = 200,
                               .takes_ms = 100,
                               .body = "{\"access_token\":\"two\",\"expires_in\":3600,\"token_type\":\"Bearer\"}"});
}

/* For callers of every kind. */
static void assert_works_again(struct stage *stage)
{
    struct nexauth_error error = {0};

    fixture_forget(stage->fixture);
    assert_int_equal(fixture_get(stage->source, "two", &error), NEXAUTH_OK);
    stage->outcome = (struct outcome){0};
    assert_int_equal(start_and_poll(stage, &error), NEXAUTH_OK);
    assert_string_equal(stage->outcome.token, "two");
    assert_int_equal(ask_for_the_descriptor(stage, &error), NEXAUTH_OK);
}

/* One run with one failing allocation. False when it was beyond the last. */
static bool run(const void *context, size_t failing, bool for_ever)
{
    const struct scenario *scenario = context;
    void *state = NULL;
    struct stage stage = {0};
    struct nexauth_error error = {0};
    nexauth_status status;
    size_t allocations;

    assert_int_equal(fixture_set_up(&state), 0);
    stage.fixture = state;
    prepare(&stage, scenario);
    failing_arm(failing, for_ever);
    status = scenario->act(&stage, &error);
    allocations = failing_disarm();
    if (status)
        assert_int_equal(error.status, status);
    if (status != NEXAUTH_OK && status != NEXAUTH_NO_MEMORY)
        fail_msg("%s: %s: %s", scenario->name, nexauth_status_name(status), error.message);
    if (failing > allocations)
        assert_int_equal(status, NEXAUTH_OK);
    assert_works_again(&stage);
    nexauth_token_unref(stage.token);
    nexauth_source_free(stage.source);
    fixture_tear_down(&state);
    return failing <= allocations;
}

static void every_allocation_may_fail(void **state)
{
    const struct scenario *scenario = *state;

    torture(run, scenario, scenario->at_least);
}

int main(void)
{
    enum { SCENARIOS = sizeof scenarios / sizeof *scenarios };
    struct CMUnitTest tests[SCENARIOS];

    failing_hook_dependencies();
    for (size_t i = 0; i < SCENARIOS; i++)
        tests[i] = (struct CMUnitTest){
            .name = scenarios[i].name, .test_func = every_allocation_may_fail, .initial_state = (void *)&scenarios[i]};
    return cmocka_run_group_tests_name("every allocation may fail", tests, NULL, NULL);
}
