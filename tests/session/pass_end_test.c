/* What came of a call: for its slot, for the token, and for those who come after. */
#include "session/pass_rig.h"
#include "support/test.h"

#include <stdint.h>
#include <stdio.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define API          NEXAUTH_QUANTOZ_TEST_API

enum { DAMPING_MS = 30000, GRACE_MS = 60000 };

static const struct nexauth_answer fine = {.http_status = 200, .content_type = "application/json"};
static const struct nexauth_answer rejected = {.http_status = 401, .content_type = "application/json"};
static const struct nexauth_answer too_many = {
    .http_status = 429, .retry_after = "20", .content_type = "application/json"};
static const struct nexauth_answer busy = {.http_status = 503, .retry_after = "20", .content_type = "application/json"};

static nexauth_status call(struct rig *rig, const struct nexauth_answer *answer, struct nexauth_error *error)
{
    *error = (struct nexauth_error){0};
    return rig_call(rig->source, NEX_URL, answer, error);
}

static nexauth_status get_soon(nexauth_source *source)
{
    static const struct nexauth_get_options hasty = {.timeout_ms = 500};
    nexauth_token *token = NULL;
    const nexauth_status status = nexauth_source_get_token(source, &hasty, &token, NULL);

    nexauth_token_unref(token);
    return status;
}

/* ---- What an answer means ---------------------------------------------------------------------------------------- */

static void an_answer_is_the_applications_unless_it_speaks_of_token_or_rate(void **state)
{
    static const int statuses[] = {200, 201, 204, 299, 300, 302, 400, 402, 403,
                                   404, 409, 418, 451, 500, 501, 505, 599, 999};
    struct rig *rig = rig_new_nex(100);
    struct nexauth_error untouched = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(statuses); i++) {
        const struct nexauth_answer answer = {.http_status = statuses[i], .content_type = "application/json"};

        assert_int_equal(call(rig, &answer, &untouched), NEXAUTH_OK);
        assert_string_equal(untouched.message, "");
        assert_int_equal(untouched.http_status, 0);
    }
    assert_int_equal(rig->fixture.script.begun, 1);
    rig_free(rig);
}

static void a_rejected_token_is_replaced_once_and_then_it_stays(void **state)
{
    struct rig *rig = rig_new_nex(100);
    struct nexauth_error error;
    nexauth_permit *permit;

    (void)state;
    assert_int_equal(call(rig, &rejected, &error), NEXAUTH_DENIED);
    assert_int_equal(error.status, NEXAUTH_DENIED);
    assert_int_equal(error.http_status, 401);
    assert_int_equal(error.retry_after_ms, 0);
    fixture_answer_token(&rig->fixture, "two", "3600");
    permit = rig_take(rig->source, NEX_URL);
    assert_string_equal(nexauth_permit_header(permit), "Authorization: Bearer two");
    assert_int_equal(rig_end(permit, &rejected, &error), NEXAUTH_DENIED);
    assert_int_equal(error.retry_after_ms, DAMPING_MS); /* this 401 means "no right" */
    assert_int_equal(fixture_get(rig->source, "two", NULL), NEXAUTH_OK);
    assert_int_equal(rig->fixture.script.begun, 2);
    rig_pass_ms(rig, DAMPING_MS);
    assert_int_equal(call(rig, &rejected, &error), NEXAUTH_DENIED);
    assert_int_equal(error.retry_after_ms, 0);
    rig_free(rig);
}

/* It was rejected with the token that is no longer: the one that took its place is not. */
static void a_late_rejection_does_not_meet_the_next_token(void **state)
{
    struct rig *rig = rig_new_nex(100);
    nexauth_permit *late = rig_take(rig->source, NEX_URL);
    struct nexauth_error error;

    (void)state;
    assert_int_equal(call(rig, &rejected, &error), NEXAUTH_DENIED);
    rig_get_token(rig, rig->source, "two");
    assert_int_equal(rig_end(late, &rejected, &error), NEXAUTH_DENIED);
    assert_int_equal(error.retry_after_ms, 0);
    assert_int_equal(fixture_get(rig->source, "two", NULL), NEXAUTH_OK);
    assert_int_equal(rig->fixture.script.begun, 2);
    rig_free(rig);
}

/* Without the approval the second token would be kept for twice as long as the first. */
static void an_accepted_token_is_approved(void **state)
{
    static const int accepted[] = {200, 204, 299};
    static const int others[] = {302, 404, 500};

    (void)state;
    for (size_t i = 0; i < COUNT(accepted) + COUNT(others); i++) {
        const bool approves = i < COUNT(accepted);
        const struct nexauth_answer answer = {.http_status = approves ? accepted[i] : others[i - COUNT(accepted)],
                                              .content_type = "application/json"};
        struct rig *rig = rig_new_nex(100);
        struct nexauth_error error;

        assert_int_equal(call(rig, &rejected, &error), NEXAUTH_DENIED);
        rig_get_token(rig, rig->source, "two");
        rig_pass_ms(rig, DAMPING_MS);
        assert_int_equal(call(rig, &answer, &error), NEXAUTH_OK);
        assert_int_equal(call(rig, &rejected, &error), NEXAUTH_DENIED);
        assert_int_equal(error.retry_after_ms, 0);
        rig_get_token(rig, rig->source, "three");
        assert_int_equal(call(rig, &rejected, &error), NEXAUTH_DENIED);
        assert_int_equal(error.retry_after_ms, approves ? DAMPING_MS : 2 * DAMPING_MS);
        rig_free(rig);
    }
}

static void who_has_a_static_token_needs_another_one(void **state)
{
    struct rig *rig = rig_new(NULL, 0);
    struct nexauth_error error = {0};

    (void)state;
    rig->source = rig_static(rig, "key", API);
    assert_int_equal(rig_call(rig->source, API, &(struct nexauth_answer){.http_status = 503}, &error),
                     NEXAUTH_UNAVAILABLE);
    assert_string_equal(error.message, "the service cannot serve this path now");
    assert_int_equal(rig_call(rig->source, API "/other", &rejected, &error), NEXAUTH_REAUTH);
    assert_int_equal(error.http_status, 401);
    assert_string_equal(error.message, "the service rejects the token");
    rig_free(rig);
}

/* ---- Holds ------------------------------------------------------------------------------------------------------- */

static void a_limit_is_held_for_as_long_as_the_service_says(void **state)
{
    static const struct {
        const char *retry_after, *date;
        int64_t least_ms;
    } cases[] = {
        {"20", NULL, 20000},
        {"20", "Tue, 15 Nov 1994 08:12:31 GMT", 20000},
        {"Tue, 15 Nov 1994 08:12:31 GMT", "Tue, 15 Nov 1994 08:12:00 GMT", 31000},
        {NULL, NULL, 10000},
        {"soon", NULL, 10000},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct nexauth_answer answer = {.http_status = 429,
                                              .retry_after = cases[i].retry_after,
                                              .date = cases[i].date,
                                              .content_type = "application/json"};
        struct rig *rig = rig_new_nex(100);
        nexauth_permit *permit = NULL;
        struct nexauth_error error;
        const int64_t begun_ms = rig_now_ms(rig);
        int64_t told_ms;

        assert_int_equal(call(rig, &answer, &error), NEXAUTH_THROTTLED);
        assert_int_equal(error.status, NEXAUTH_THROTTLED);
        assert_int_equal(error.http_status, 429);
        told_ms = error.retry_after_ms;
        assert_in_range(told_ms, cases[i].least_ms, cases[i].least_ms * 12 / 10 + 1);
        assert_int_equal(rig_throttled(rig->source, NEX_ORIGIN "/another", told_ms - 1), told_ms);
        assert_int_equal(rig_try(rig->source, NEX_ORIGIN "/another", told_ms, &permit, NULL), NEXAUTH_OK);
        nexauth_permit_free(permit);
        assert_int_equal(rig_now_ms(rig) - begun_ms, told_ms);
        rig_free(rig);
    }
}

static void a_further_refusal_holds_for_longer(void **state)
{
    struct rig *rig = rig_new_nex(100);
    struct nexauth_error error;

    (void)state;
    assert_int_equal(call(rig, &too_many, &error), NEXAUTH_THROTTLED);
    rig_pass_ms(rig, error.retry_after_ms);
    assert_int_equal(call(rig, &too_many, &error), NEXAUTH_THROTTLED);
    assert_in_range(error.retry_after_ms, 40000, 48001);
    rig_pass_ms(rig, error.retry_after_ms);
    assert_int_equal(call(rig, &fine, &error), NEXAUTH_OK);
    assert_int_equal(call(rig, &too_many, &error), NEXAUTH_THROTTLED);
    assert_in_range(error.retry_after_ms, 20000, 24001);
    rig_free(rig);
}

/* They count in one limit. */
static void at_nex_a_refused_call_holds_requests_for_tokens_too(void **state)
{
    struct rig *rig = rig_new_nex(100);
    nexauth_source *other = rig_controller(rig, 1);
    struct nexauth_error error;

    (void)state;
    assert_int_equal(call(rig, &too_many, &error), NEXAUTH_THROTTLED);
    assert_int_equal(get_soon(other), NEXAUTH_THROTTLED);
    assert_int_equal(rig->fixture.script.begun, 1);
    rig_pass_ms(rig, error.retry_after_ms);
    rig_get_token(rig, other, "two");
    nexauth_source_free(other);
    rig_free(rig);
}

static void elsewhere_a_refused_call_holds_no_request_for_a_token(void **state)
{
    struct rig *rig = rig_new(NULL, 0);
    struct nexauth_error error = {0};

    (void)state;
    for (int vendor = 0; vendor <= 1; vendor++) {
        const char *url = vendor ? NEXAUTH_NEXUSGUARD_API : API;
        nexauth_source *sources[2];

        for (int i = 0; i < 2; i++)
            sources[i] = vendor ? rig_app(rig) : rig_quantoz(rig);
        for (int i = 0; i < 2; i++) {
            if (vendor)
                script_answer(&rig->fixture.script, fixture_first_token);
            else
                fixture_answer_token(&rig->fixture, "one", "3600");
        }
        assert_int_equal(get_soon(sources[0]), NEXAUTH_OK);
        assert_int_equal(rig_call(sources[0], url, &too_many, &error), NEXAUTH_THROTTLED);
        rig_throttled(sources[0], url, 10000);
        assert_int_equal(get_soon(sources[1]), NEXAUTH_OK);
        nexauth_source_free(sources[0]);
        nexauth_source_free(sources[1]);
    }
    rig_free(rig);
}

static void a_busy_path_is_held_and_nothing_else(void **state)
{
    struct rig *rig = rig_new_nex(100);
    nexauth_source *other = rig_controller(rig, 1);
    struct nexauth_error error;
    int64_t begun_ms;

    (void)state;
    rig_get_token(rig, other, "two");
    begun_ms = rig_now_ms(rig);
    assert_int_equal(call(rig, &busy, &error), NEXAUTH_UNAVAILABLE);
    assert_int_equal(error.status, NEXAUTH_UNAVAILABLE);
    assert_int_equal(error.http_status, 503);
    assert_in_range(error.retry_after_ms, 20000, 24001);
    assert_int_equal(rig_throttled(other, NEX_URL "?a=b#c", 10000), error.retry_after_ms);
    assert_int_equal(rig_call(rig->source, NEX_URL "/", &fine, NULL), NEXAUTH_OK);
    assert_int_equal(rig_call(rig->source, NEX_ORIGIN, &fine, NULL), NEXAUTH_OK);
    assert_int_equal(rig_now_ms(rig), begun_ms);
    nexauth_source_free(other);
    other = rig_controller(rig, 2);
    rig_get_token(rig, other, "three");
    nexauth_source_free(other);
    nexauth_permit_free(rig_take(rig->source, NEX_URL));
    assert_int_equal(rig_now_ms(rig) - begun_ms, error.retry_after_ms);
    rig_free(rig);
}

enum { PATHS = 1000 };

static void call_each_path(struct rig *rig, const struct nexauth_answer *answer)
{
    char url[64];

    for (int i = 0; i < PATHS; i++) {
        snprintf(url, sizeof url, NEX_ORIGIN "/%d", i);
        rig_call(rig->source, url, answer, NULL);
        rig_pass_ms(rig, 50);
    }
}

/* More of them than the ledger has doors; the last ones are held. All else goes on, then and later. */
static void any_number_of_paths_may_be_asked_for_and_be_held(void **state)
{
    struct rig *rig = rig_new_nex(INT64_C(2) * PATHS);

    (void)state;
    call_each_path(rig, &fine);
    call_each_path(rig, &busy);
    rig_throttled(rig->source, NEX_ORIGIN "/999", 1000);
    rig_throttled(rig->source, NEX_ORIGIN "/960", 1000);
    for (int later = 0; later <= 1; later++) {
        nexauth_source *other = later ? rig_app(rig) : rig_quantoz(rig);

        if (later)
            script_answer(&rig->fixture.script, fixture_first_token);
        else
            fixture_answer_token(&rig->fixture, "two", "3600");
        assert_int_equal(get_soon(other), NEXAUTH_OK);
        assert_int_equal(rig_call(rig->source, NEX_ORIGIN "/other", &fine, NULL), NEXAUTH_OK);
        nexauth_source_free(other);
        rig_pass_ms(rig, 100000);
    }
    rig_free(rig);
}

/* ---- Slots ------------------------------------------------------------------------------------------------------- */

static void a_slot_comes_back_by_what_is_known_of_the_request(void **state)
{
    static const struct {
        struct nexauth_answer answer;
        int64_t wait_ms;
    } cases[] = {
        {{.http_status = 200}, 1001},
        {{.http_status = 404, .content_type = "text/plain"}, 1001},
        {{.http_status = 500}, 1001},
        {{.http_status = 502, .content_type = "text/html"}, GRACE_MS + 1001},
        {{.http_status = 504}, GRACE_MS + 1001},
        {{.loss = NEXAUTH_LOSS_UNKNOWN}, GRACE_MS + 1001},
        {{.loss = NEXAUTH_LOSS_CLOSED}, GRACE_MS + 1001},
        {{.loss = NEXAUTH_LOSS_UNSENT}, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct rig *rig = rig_new_nex(1);
        struct nexauth_error error;

        assert_int_equal(call(rig, &cases[i].answer, &error), NEXAUTH_OK);
        if (cases[i].wait_ms)
            assert_int_equal(rig_throttled(rig->source, NEX_URL, cases[i].wait_ms - 1), cases[i].wait_ms);
        else
            assert_int_equal(call(rig, &fine, &error), NEXAUTH_OK);
        rig_free(rig);
    }
}

static void a_permit_that_is_freed_without_an_end_was_given_up(void **state)
{
    struct rig *rig = rig_new_nex(1);

    (void)state;
    nexauth_permit_free(rig_take(rig->source, NEX_URL));
    assert_int_equal(rig_throttled(rig->source, NEX_URL, 30000), GRACE_MS + 1001);
    rig_free(rig);
}

static void a_slot_that_comes_back_wakes_who_waits_for_it(void **state)
{
    static const struct nexauth_answer unsent = {.loss = NEXAUTH_LOSS_UNSENT};
    struct rig *rig = rig_new_nex(1);
    nexauth_permit *out = rig_take(rig->source, NEX_URL);
    const int64_t begun_ms = rig_now_ms(rig);
    struct carried carried = {0};

    (void)state;
    carried_start(rig->source, NEX_URL, 0, &carried, NULL);
    assert_int_equal(nexauth_session_poll(rig->fixture.session, 0, NULL), NEXAUTH_OK);
    assert_int_equal(carried.runs, 0);
    assert_int_equal(rig_end(out, &unsent, NULL), NEXAUTH_OK);
    assert_int_equal(nexauth_session_poll(rig->fixture.session, 0, NULL), NEXAUTH_OK);
    carried_finish(&carried);
    assert_int_equal(rig_now_ms(rig), begun_ms);
    rig_free(rig);
}

static void who_sends_again_takes_a_slot_more(void **state)
{
    struct rig *rig = rig_new_nex(2);
    nexauth_permit *permit = rig_take(rig->source, NEX_URL);
    struct nexauth_error error = {0};

    (void)state;
    assert_int_equal(nexauth_permit_send_again(permit, &error), NEXAUTH_OK);
    assert_string_equal(error.message, "");
    assert_int_equal(nexauth_permit_send_again(permit, &error), NEXAUTH_THROTTLED);
    assert_int_equal(error.status, NEXAUTH_THROTTLED);
    assert_int_equal(nexauth_permit_end(permit, &fine, NULL), NEXAUTH_OK);
    /* The second sending was answered, and the first was given up. */
    rig_pass_ms(rig, 1001);
    assert_int_equal(call(rig, &fine, &error), NEXAUTH_OK);
    rig_throttled(rig->source, NEX_URL, 500);
    nexauth_permit_free(permit);
    rig_free(rig);
}

/* ---- What cannot be ---------------------------------------------------------------------------------------------- */

static void an_answer_that_cannot_be_ends_nothing(void **state)
{
    static const struct nexauth_answer wrong[] = {
        {.http_status = -1},  {.http_status = 1},    {.http_status = 100},
        {.http_status = 199}, {.http_status = 1000}, {.loss = -1},
        {.loss = 3},          {.reserved = {1}},     {.reserved = {0, 0, 0, 0, 0, 0, 0, 1}},
    };
    struct rig *rig = rig_new_nex(1);
    nexauth_permit *permit = rig_take(rig->source, NEX_URL);
    struct nexauth_error error = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        assert_int_equal(nexauth_permit_end(permit, &wrong[i], &error), NEXAUTH_INVALID);
        assert_int_equal(error.status, NEXAUTH_INVALID);
    }
    assert_int_equal(nexauth_permit_end(permit, NULL, &error), NEXAUTH_INVALID);
    assert_int_equal(nexauth_permit_end(NULL, &fine, &error), NEXAUTH_INVALID);
    assert_int_equal(rig_end(permit, &fine, &error), NEXAUTH_OK);
    assert_int_equal(rig_throttled(rig->source, NEX_URL, 500), 1001);
    rig_free(rig);
}

static void a_permit_ends_once(void **state)
{
    struct rig *rig = rig_new_nex(1);
    nexauth_permit *permit = rig_take(rig->source, NEX_URL);
    struct nexauth_error error = {0};

    (void)state;
    assert_int_equal(nexauth_permit_end(permit, &fine, NULL), NEXAUTH_OK);
    assert_int_equal(nexauth_permit_end(permit, &rejected, &error), NEXAUTH_INVALID);
    assert_int_equal(nexauth_permit_end(permit, &too_many, NULL), NEXAUTH_INVALID);
    assert_int_equal(nexauth_permit_send_again(permit, NULL), NEXAUTH_INVALID);
    assert_string_equal(nexauth_permit_header(permit), "Authorization: Bearer one"); /* while it lives */
    nexauth_permit_free(permit);
    assert_int_equal(rig_throttled(rig->source, NEX_URL, 500), 1001);
    assert_int_equal(rig->fixture.script.begun, 1);
    rig_free(rig);
}

static void a_permit_outlives_its_source_and_its_session(void **state)
{
    struct rig *rig = rig_new_nex(1);
    nexauth_permit *permit = rig_take(rig->source, NEX_URL);
    struct nexauth_error error = {0};

    (void)state;
    nexauth_source_free(rig->source);
    rig->source = NULL;
    nexauth_session_free(rig->fixture.session);
    rig->fixture.session = NULL;
    assert_string_equal(nexauth_permit_header(permit), "Authorization: Bearer one");
    assert_int_equal(nexauth_permit_send_again(permit, &error), NEXAUTH_THROTTLED);
    assert_int_equal(rig_end(permit, &too_many, &error), NEXAUTH_THROTTLED);
    assert_in_range(error.retry_after_ms, 20000, 24001);
    rig_free(rig);
}

static void where_no_hold_is_known_none_is_told(void **state)
{
    struct rig *rig = rig_new_nex(1);
    nexauth_permit *permit = rig_take(rig->source, NEX_URL);
    struct nexauth_error error = {0};

    (void)state;
    rig->door.gone = true;
    assert_int_equal(rig_end(permit, &too_many, &error), NEXAUTH_THROTTLED);
    assert_int_equal(error.retry_after_ms, 0);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_the_applications_unless_it_speaks_of_token_or_rate),
        cmocka_unit_test(a_rejected_token_is_replaced_once_and_then_it_stays),
        cmocka_unit_test(a_late_rejection_does_not_meet_the_next_token),
        cmocka_unit_test(an_accepted_token_is_approved),
        cmocka_unit_test(who_has_a_static_token_needs_another_one),
        cmocka_unit_test(a_limit_is_held_for_as_long_as_the_service_says),
        cmocka_unit_test(a_further_refusal_holds_for_longer),
        cmocka_unit_test(at_nex_a_refused_call_holds_requests_for_tokens_too),
        cmocka_unit_test(elsewhere_a_refused_call_holds_no_request_for_a_token),
        cmocka_unit_test(a_busy_path_is_held_and_nothing_else),
        cmocka_unit_test(any_number_of_paths_may_be_asked_for_and_be_held),
        cmocka_unit_test(a_slot_comes_back_by_what_is_known_of_the_request),
        cmocka_unit_test(a_permit_that_is_freed_without_an_end_was_given_up),
        cmocka_unit_test(a_slot_that_comes_back_wakes_who_waits_for_it),
        cmocka_unit_test(who_sends_again_takes_a_slot_more),
        cmocka_unit_test(an_answer_that_cannot_be_ends_nothing),
        cmocka_unit_test(a_permit_ends_once),
        cmocka_unit_test(a_permit_outlives_its_source_and_its_session),
        cmocka_unit_test(where_no_hold_is_known_none_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
