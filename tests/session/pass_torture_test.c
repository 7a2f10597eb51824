/*
 * Every allocation on the way to a permit and back fails: once, and once and for ever from there. Nothing breaks or
 * leaks (the sanitizers look), no slot is kept, and the next call goes as ever.
 */
#include "session/pass_rig.h"
#include "support/failing.h"
#include "support/test.h"
#include "support/torture.h"

#include "nexauth/curl.h"

#include <string.h>

enum { LONG_MS = 10800000 };

static const struct nexauth_answer fine = {.http_status = 200};
static const struct nexauth_answer rejected = {.http_status = 401, .content_type = "application/json"};
static const struct nexauth_answer busy = {.http_status = 503, .retry_after = "1"};

/* A call that blocks, or is polled. */
static nexauth_status get(struct rig *rig, const char *url, bool polled, nexauth_permit **permit,
                          struct nexauth_error *error)
{
    const struct nexauth_permit_options options = {.url = url};
    struct carried carried = {0};
    nexauth_status status;

    if (!polled)
        return nexauth_permit_begin(rig->source, &options, permit, error);
    status = nexauth_permit_start(rig->source, &options, carried_note, &carried, NULL, error);
    while (!status && !carried.runs)
        status = nexauth_session_poll(rig->fixture.session, 1000, error);
    if (status)
        return status;
    assert_int_equal(carried.runs, 1);
    assert_false(carried.wrong);
    *permit = carried.permit;
    *error = carried.error;
    return error->status;
}

static const struct scenario {
    const char *name;
    const struct nexauth_answer *answer;
    nexauth_status ends; /* with this */
    bool polled;
    bool in_query;
    bool has_token; /* when it begins */
    size_t at_least;
} scenarios[] = {
    {"a token and a permit", &fine, NEXAUTH_OK, false, false, false, 5},
    {"a token and a permit, polled", &fine, NEXAUTH_OK, true, false, false, 5},
    {"a permit", &fine, NEXAUTH_OK, false, false, true, 2},
    {"a permit, polled", &fine, NEXAUTH_OK, true, false, true, 2},
    {"a permit with its token in the URL", &fine, NEXAUTH_OK, false, true, true, 2},
    {"a permit with its token in the URL, polled", &fine, NEXAUTH_OK, true, true, true, 2},
    {"a rejection", &rejected, NEXAUTH_DENIED, false, false, true, 2},
    {"a busy path", &busy, NEXAUTH_UNAVAILABLE, false, false, true, 2},
};

static const char *url_of(const struct scenario *scenario)
{
    return scenario->in_query ? NEXAUTH_NEXUSGUARD_API "?a" : NEX_URL "?a";
}

/* At most one call in a second everywhere: a slot that is kept would be missed. */
static struct rig *prepare(const struct scenario *scenario)
{
    static const struct nexauth_limit limits[] = {{.name = "api", .requests = 1, .window_ms = 1000},
                                                  {.name = "requests", .requests = 1, .window_ms = 1000}};
    struct rig *rig = rig_new(limits, 2);
    struct script_answer always = fixture_first_token;
    struct nexauth_error error = {0};

    rig->source = scenario->in_query ? rig_app(rig) : rig_controller(rig, 1);
    if (!scenario->in_query)
        always.body = "{\"access_token\":\"one\",\"expires_in\":360000}";
    script_answer_always(&rig->fixture.script, always);
    if (scenario->has_token)
        assert_int_equal(fixture_get(rig->source, "one", &error), NEXAUTH_OK);
    rig_pass_ms(rig, 2000);
    return rig;
}

static nexauth_status act(struct rig *rig, const struct scenario *scenario, struct nexauth_error *error)
{
    nexauth_permit *permit = NULL;
    nexauth_status status = get(rig, url_of(scenario), scenario->polled, &permit, error);

    if (status) {
        assert_null(permit);
        return status;
    }
    if (scenario->in_query)
        assert_string_equal(nexauth_permit_url(permit), NEXAUTH_NEXUSGUARD_API "?a&access_token=one");
    else
        assert_string_equal(nexauth_permit_header(permit), "Authorization: Bearer one");
    status = rig_end(permit, scenario->answer, error);
    assert_int_equal(status, scenario->ends);
    return NEXAUTH_OK;
}

/* No slot is missing, now or later. */
static void assert_works_again(struct rig *rig, const struct scenario *scenario, bool failed)
{
    nexauth_permit *permit = NULL;

    if (!failed || !scenario->has_token)
        rig_pass_ms(rig, LONG_MS);
    assert_int_equal(rig_try(rig->source, url_of(scenario), failed && scenario->has_token ? 1 : 5000, &permit, NULL),
                     NEXAUTH_OK);
    assert_int_equal(rig_end(permit, &fine, NULL), NEXAUTH_OK);
}

/* One run with one failing allocation. False when it was beyond the last. */
static bool run(const void *context, size_t failing, bool for_ever)
{
    const struct scenario *scenario = context;
    struct rig *rig = prepare(scenario);
    struct nexauth_error error = {0};
    nexauth_status status;
    size_t allocations;

    failing_arm(failing, for_ever);
    status = act(rig, scenario, &error);
    allocations = failing_disarm();
    if (status != NEXAUTH_OK && status != NEXAUTH_NO_MEMORY)
        fail_msg("%s: %s: %s", scenario->name, nexauth_status_name(status), error.message);
    if (failing > allocations)
        assert_int_equal(status, NEXAUTH_OK);
    assert_works_again(rig, scenario, status != NEXAUTH_OK);
    rig_free(rig);
    return failing <= allocations;
}

static void every_allocation_may_fail(void **state)
{
    const struct scenario *scenario = *state;

    torture(run, scenario, scenario->at_least);
}

/* To where nobody listens: it fails in any case. */
static nexauth_status transfer(struct rig *rig, const char *url)
{
    const struct nexauth_perform_options options = {.url = url};
    struct curl_slist *here = curl_slist_append(NULL, "::127.0.0.1:1");
    CURL *easy = curl_easy_init();
    struct nexauth_error error = {0};
    nexauth_status status;

    assert_non_null(here);
    assert_non_null(easy);
    curl_easy_setopt(easy, CURLOPT_CONNECT_TO, here);
    status = nexauth_perform(rig->source, easy, &options, &error);
    assert_int_equal(status, error.status);
    curl_easy_cleanup(easy);
    curl_slist_free_all(here);
    return status;
}

static bool run_transfer(const void *context, size_t failing, bool for_ever)
{
    const struct scenario *scenario = context;
    struct rig *rig = prepare(scenario);
    nexauth_status status;
    size_t allocations;

    failing_arm(failing, for_ever);
    status = transfer(rig, url_of(scenario));
    allocations = failing_disarm();
    assert_int_equal(status, failing <= allocations ? NEXAUTH_NO_MEMORY : NEXAUTH_NETWORK);
    assert_works_again(rig, scenario, true);
    rig_free(rig);
    return failing <= allocations;
}

static void a_transfer_that_lacks_memory_does_not_begin(void **state)
{
    static const struct scenario of_app = {.in_query = true, .has_token = true};

    (void)state;
    torture(run_transfer, &of_app, 2);
}

int main(void)
{
    enum { SCENARIOS = sizeof scenarios / sizeof *scenarios };
    struct CMUnitTest tests[1 + SCENARIOS] = {cmocka_unit_test(a_transfer_that_lacks_memory_does_not_begin)};

    failing_hook_dependencies();
    for (size_t i = 0; i < SCENARIOS; i++)
        tests[1 + i] = (struct CMUnitTest){
            .name = scenarios[i].name, .test_func = every_allocation_may_fail, .initial_state = (void *)&scenarios[i]};
    return cmocka_run_group_tests_name("every allocation may fail", tests, NULL, NULL);
}
