/* Who gets a permit, and when: a token first, then a turn, within the caller's time. */
#include "session/pass_rig.h"
#include "support/outcome.h"
#include "support/test.h"

#include <string.h>

#define API NEXAUTH_QUANTOZ_TEST_API

static const struct nexauth_answer fine = {.http_status = 200};

/* A Quantoz client with a token that lives for so long, and at most one call in window_ms. */
static struct rig *begin_quantoz(int64_t window_ms, const char *lifetime_s)
{
    const struct nexauth_limit limit = {.name = "api", .requests = 1, .window_ms = window_ms};
    struct rig *rig = rig_new(&limit, 1);
    struct nexauth_error error = {0};

    rig->source = rig_quantoz(rig);
    fixture_answer_token(&rig->fixture, "one", lifetime_s);
    assert_int_equal(fixture_get(rig->source, "one", &error), NEXAUTH_OK);
    return rig;
}

static void end_well(nexauth_permit *permit)
{
    assert_int_equal(rig_end(permit, &fine, NULL), NEXAUTH_OK);
}

static void assert_carries(const struct carried *carried, const char *header)
{
    assert_int_equal(carried->runs, 1);
    assert_non_null(carried->permit);
    assert_string_equal(nexauth_permit_header(carried->permit), header);
}

/* ---- A token ----------------------------------------------------------------------------------------------------- */

static void a_token_is_waited_for_first(void **state)
{
    struct rig *rig = rig_new(NULL, 0);
    const int64_t begun_ms = rig_now_ms(rig);
    nexauth_permit *permit;

    (void)state;
    rig->source = rig_controller(rig, 1);
    fixture_answer_token(&rig->fixture, "one", "3600");
    permit = rig_take(rig->source, NEX_URL);
    assert_string_equal(nexauth_permit_header(permit), "Authorization: Bearer one");
    assert_int_equal(rig_now_ms(rig) - begun_ms, 100);
    end_well(permit);
    end_well(rig_take(rig->source, NEX_URL));
    assert_int_equal(rig->fixture.script.begun, 1);
    rig_free(rig);
}

static void who_gets_no_token_gets_no_permit(void **state)
{
    static const struct script_answer refusal = {.status = 400, .body = "{\"error\":\"invalid_client\"}"};
    static const struct script_answer never = {.takes_ms = INT64_MAX};
    struct rig *rig = rig_new(NULL, 0);
    nexauth_permit *permit = NULL;
    struct nexauth_error error = {0};

    (void)state;
    rig->source = rig_controller(rig, 1);
    script_answer(&rig->fixture.script, never);
    assert_int_equal(rig_try(rig->source, NEX_URL, 1000, &permit, &error), NEXAUTH_TIMEOUT);
    assert_int_equal(rig_now_ms(rig), 1001000);
    rig_pass_ms(rig, 100000);
    script_answer(&rig->fixture.script, refusal);
    script_answer(&rig->fixture.script, refusal);
    assert_int_equal(rig_try(rig->source, NEX_URL, 0, &permit, &error), NEXAUTH_DENIED);
    assert_string_equal(error.code, "invalid_client");
    assert_null(permit);
    rig_free(rig);
}

/* ---- A turn ------------------------------------------------------------------------------------------------------ */

static void who_finds_no_free_slot_waits_for_one(void **state)
{
    struct rig *rig = rig_new_nex(1);
    int64_t begun_ms;

    (void)state;
    end_well(rig_take(rig->source, NEX_URL));
    begun_ms = rig_now_ms(rig);
    end_well(rig_take(rig->source, NEX_URL));
    assert_int_equal(rig_now_ms(rig) - begun_ms, 1001);
    rig_free(rig);
}

static void who_cannot_have_a_turn_in_time_is_told_at_once(void **state)
{
    struct rig *rig = rig_new_nex(1);
    int64_t begun_ms;

    (void)state;
    end_well(rig_take(rig->source, NEX_URL));
    begun_ms = rig_now_ms(rig);
    assert_int_equal(rig_throttled(rig->source, NEX_URL, 1000), 1001);
    assert_int_equal(rig_now_ms(rig), begun_ms);
    rig_pass_ms(rig, 1001);
    end_well(rig_take(rig->source, NEX_URL));
    rig_free(rig);
}

/* As far as is known at first its turn comes in time: but the one before it is not answered. */
static void who_hoped_in_vain_is_told_when_there_is_no_hope_left(void **state)
{
    struct rig *rig = rig_new_nex(1);
    nexauth_permit *out = rig_take(rig->source, NEX_URL);
    const int64_t begun_ms = rig_now_ms(rig);
    struct carried carried = {0};
    int64_t wait_ms;

    (void)state;
    wait_ms = rig_throttled(rig->source, NEX_URL, 5000);
    assert_in_range(wait_ms, 1, 1001);
    assert_in_range(rig_now_ms(rig) - begun_ms, 3998, 5001);
    carried_start(rig->source, NEX_URL, 5000, &carried, NULL);
    carried_poll(rig, &carried);
    carried_assert_status(&carried, NEXAUTH_THROTTLED);
    assert_in_range(carried.error.retry_after_ms, 1, 1001);
    end_well(out);
    rig_free(rig);
}

static void who_says_nothing_of_time_waits_for_half_a_minute(void **state)
{
    static const int64_t windows_ms[] = {29000, 30001};

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct rig *rig = begin_quantoz(windows_ms[i], "3600");

        end_well(rig_take(rig->source, API));
        if (windows_ms[i] < 30000)
            end_well(rig_take(rig->source, API));
        else
            assert_true(rig_throttled(rig->source, API, 0) > windows_ms[i]);
        rig_free(rig);
    }
}

/* ---- The token may have been replaced while the turn was waited for ---------------------------------------------- */

static void a_permit_carries_the_token_that_took_the_place_of_a_rejected_one(void **state)
{
    struct rig *rig = rig_new_nex(2);
    nexauth_permit *first = rig_take(rig->source, NEX_URL);
    nexauth_permit *second = rig_take(rig->source, NEX_URL);
    struct carried carried = {0};
    nexauth_token *token = NULL;

    (void)state;
    carried_start(rig->source, NEX_URL, 0, &carried, NULL);
    assert_int_equal(nexauth_session_poll(rig->fixture.session, 0, NULL), NEXAUTH_OK);
    assert_int_equal(nexauth_source_get_token(rig->source, NULL, &token, NULL), NEXAUTH_OK);
    assert_int_equal(nexauth_source_reject_token(rig->source, token, NULL), NEXAUTH_OK);
    nexauth_token_unref(token);
    fixture_answer_token(&rig->fixture, "two", "3600");
    end_well(first);
    end_well(second);
    carried_poll(rig, &carried);
    assert_carries(&carried, "Authorization: Bearer two");
    assert_int_equal(rig->fixture.script.begun, 2);
    carried_finish(&carried);
    rig_free(rig);
}

static void a_permit_carries_the_token_that_was_renewed(void **state)
{
    static const struct nexauth_get_options longer = {.min_validity_s = 3599};
    struct rig *rig = begin_quantoz(10000, "3600");
    struct carried carried = {0};
    nexauth_token *token = NULL;

    (void)state;
    end_well(rig_take(rig->source, API));
    carried_start(rig->source, API, 0, &carried, NULL);
    rig_pass_ms(rig, 2000);
    fixture_answer_token(&rig->fixture, "two", "3600");
    assert_int_equal(nexauth_source_get_token(rig->source, &longer, &token, NULL), NEXAUTH_OK);
    nexauth_token_unref(token);
    assert_int_equal(carried.runs, 0);
    carried_poll(rig, &carried);
    assert_carries(&carried, "Authorization: Bearer two");
    carried_finish(&carried);
    rig_free(rig);
}

static void a_permit_does_not_carry_a_token_that_is_over(void **state)
{
    struct rig *rig = begin_quantoz(400000, "300");

    (void)state;
    for (int polled = 0; polled <= 1; polled++) {
        struct carried carried = {0};
        const char *header = polled ? "Authorization: Bearer three" : "Authorization: Bearer two";

        if (!polled)
            end_well(rig_take(rig->source, API));
        fixture_answer_token(&rig->fixture, polled ? "three" : "two", "300");
        if (polled)
            carried_start(rig->source, API, 3600000, &carried, NULL);
        else
            assert_int_equal(rig_try(rig->source, API, 3600000, &carried.permit, NULL), NEXAUTH_OK);
        if (polled)
            carried_poll(rig, &carried);
        carried.runs = 1;
        assert_carries(&carried, header);
        carried_finish(&carried);
    }
    assert_int_equal(rig->fixture.script.begun, 3);
    rig_free(rig);
}

/* ---- A path that is held while it is waited for ------------------------------------------------------------------ */

static void who_waited_already_learns_that_the_path_is_held(void **state)
{
    static const struct nexauth_answer busy = {.http_status = 503, .retry_after = "20"};
    struct rig *rig = begin_quantoz(1000, "3600");
    nexauth_permit *out = rig_take(rig->source, API "/a?x=1");
    struct carried same = {0};
    struct carried other = {0};
    struct carried hasty = {0};
    int64_t begun_ms;

    (void)state;
    carried_start(rig->source, API "/a?y=2", 60000, &same, NULL);
    carried_start(rig->source, API "/a", 10000, &hasty, NULL);
    carried_start(rig->source, API "/b", 60000, &other, NULL);
    assert_int_equal(nexauth_session_poll(rig->fixture.session, 0, NULL), NEXAUTH_OK);
    begun_ms = rig_now_ms(rig);
    assert_int_equal(rig_end(out, &busy, NULL), NEXAUTH_UNAVAILABLE);
    carried_poll(rig, &other); /* the turns of the others go back as if they had not been */
    assert_int_equal(rig_now_ms(rig) - begun_ms, 1001);
    carried_finish(&other);
    carried_poll(rig, &hasty);
    carried_assert_status(&hasty, NEXAUTH_THROTTLED);
    assert_in_range(hasty.error.retry_after_ms, 18000, 24000);
    carried_poll(rig, &same);
    assert_in_range(rig_now_ms(rig) - begun_ms, 20000, 24001);
    carried_finish(&same);
    rig_free(rig);
}

static void who_blocks_learns_that_the_path_is_held(void **state)
{
    static const struct nexauth_answer busy = {.http_status = 503, .retry_after = "20"};
    struct rig *rig = begin_quantoz(1000, "3600");
    const int64_t begun_ms = rig_now_ms(rig);

    (void)state;
    assert_int_equal(rig_call(rig->source, API "/a", &busy, NULL), NEXAUTH_UNAVAILABLE);
    assert_in_range(rig_throttled(rig->source, API "/a", 10000), 20000, 24000);
    end_well(rig_take(rig->source, API "/b"));
    assert_int_equal(rig_now_ms(rig) - begun_ms, 1001);
    end_well(rig_take(rig->source, API "/a"));
    assert_in_range(rig_now_ms(rig) - begun_ms, 20000, 24001);
    rig_free(rig);
}

/* ---- Who goes first ---------------------------------------------------------------------------------------------- */

enum { TOKENS = 6, CALLS = 3 };

struct order {
    char text[TOKENS + CALLS + 1];
};

static void note(struct order *order, char who)
{
    order->text[strlen(order->text)] = who;
}

static void note_token(void *context, nexauth_token *token, const struct nexauth_error *error)
{
    (void)error;
    note(context, token ? 't' : '!');
}

static void note_call(void *context, nexauth_permit *permit, const struct nexauth_error *error)
{
    (void)error;
    note(context, permit ? 'c' : '!');
    end_well(permit);
}

/* The calls have waited longer. */
static void requests_for_tokens_go_first_but_one_in_four_is_a_call(void **state)
{
    const struct nexauth_permit_options call = {.url = NEX_URL, .timeout_ms = 60000};
    const struct nexauth_get_options get = {.timeout_ms = 60000};
    struct rig *rig = rig_new_nex(1);
    nexauth_source *sources[TOKENS];
    struct order order = {""};
    nexauth_permit *out;

    (void)state;
    out = rig_take(rig->source, NEX_URL);
    for (int i = 0; i < CALLS; i++)
        assert_int_equal(nexauth_permit_start(rig->source, &call, note_call, &order, NULL, NULL), NEXAUTH_OK);
    for (int i = 0; i < TOKENS; i++) {
        sources[i] = rig_controller(rig, 1 + i);
        fixture_answer_token(&rig->fixture, "token", "3600");
        assert_int_equal(nexauth_source_start(sources[i], &get, note_token, &order, NULL, NULL), NEXAUTH_OK);
    }
    assert_int_equal(nexauth_session_poll(rig->fixture.session, 0, NULL), NEXAUTH_OK);
    end_well(out);
    while (strlen(order.text) < TOKENS + CALLS)
        assert_int_equal(nexauth_session_poll(rig->fixture.session, 10000, NULL), NEXAUTH_OK);
    assert_string_equal(order.text, "tttctttcc");
    for (int i = 0; i < TOKENS; i++)
        nexauth_source_free(sources[i]);
    rig_free(rig);
}

/* ---- What counts where ------------------------------------------------------------------------------------------- */

static nexauth_status get_soon(struct rig *rig, nexauth_source *source)
{
    static const struct nexauth_get_options hasty = {.timeout_ms = 500};
    nexauth_token *token = NULL;
    nexauth_status status;

    fixture_answer_token(&rig->fixture, "token", "3600");
    status = nexauth_source_get_token(source, &hasty, &token, NULL);
    nexauth_token_unref(token);
    return status;
}

static void calls_and_tokens_of_nex_count_together(void **state)
{
    struct rig *rig = rig_new_nex(2);
    nexauth_source *other = rig_controller(rig, 1);

    (void)state;
    end_well(rig_take(rig->source, NEX_URL));
    assert_int_equal(get_soon(rig, other), NEXAUTH_OK);
    rig_throttled(rig->source, NEX_URL, 500);
    rig_pass_ms(rig, 1001);
    end_well(rig_take(rig->source, NEX_URL));
    end_well(rig_take(other, NEX_ORIGIN));
    nexauth_source_free(other);
    other = rig_controller(rig, 2);
    assert_int_equal(get_soon(rig, other), NEXAUTH_THROTTLED);
    nexauth_source_free(other);
    rig_free(rig);
}

/* A number of the application's, and other origins for the API and the tokens or not. */
static void calls_of_quantoz_count_apart_from_its_tokens(void **state)
{
    const struct nexauth_limit limits[] = {{.name = "api", .requests = 1, .window_ms = 1000},
                                           {.name = "token", .requests = 1, .window_ms = 1000}};
    struct rig *rig = rig_new(limits, 2);

    (void)state;
    rig->source = rig_quantoz(rig);
    rig_get_token(rig, rig->source, "one");
    end_well(rig_take(rig->source, API));
    assert_int_equal(rig_throttled(rig->source, API "/another", 500), 1001);
    rig_free(rig);
}

static void where_no_number_is_known_any_number_passes(void **state)
{
    enum { MANY = 2000 };
    static nexauth_permit *permits[MANY];
    struct rig *rig = rig_new(NULL, 0);
    nexauth_source *sources[] = {rig_quantoz(rig), rig_app(rig), rig_static(rig, "key", "https://api.quantoz.com")};
    const char *const urls[] = {API, NEXAUTH_NEXUSGUARD_API, NEXAUTH_QUANTOZ_API};

    (void)state;
    rig_get_token(rig, sources[0], "one");
    script_answer(&rig->fixture.script, fixture_first_token);
    for (int which = 0; which < 3; which++) {
        for (int i = 0; i < MANY; i++)
            assert_int_equal(rig_try(sources[which], urls[which], 1, &permits[i], NULL), NEXAUTH_OK);
        for (int i = 0; i < MANY; i++)
            end_well(permits[i]);
        nexauth_source_free(sources[which]);
        rig_pass_ms(rig, 10000);
    }
    rig_free(rig);
}

/* 600 a minute, tokens and all; half of it in a process's first minute. */
static void nex_is_asked_as_often_as_it_allows(void **state)
{
    (void)state;
    for (int first = 0; first <= 1; first++) {
        struct rig *rig = rig_new(NULL, 0);

        if (first)
            rig->door.keeper.begun_us = rig_now_ms(rig) * 1000;
        rig->source = rig_controller(rig, 1);
        rig_get_token(rig, rig->source, "one");
        for (int i = 1; i < (first ? 300 : 600); i++)
            end_well(rig_take(rig->source, NEX_URL));
        rig_throttled(rig->source, NEX_URL, 500);
        rig_free(rig);
    }
}

static void without_a_ledger_nothing_leaves(void **state)
{
    struct rig *rig = rig_new_nex(100);
    struct carried carried = {0};

    (void)state;
    rig->door.gone = true;
    assert_int_equal(rig_throttled(rig->source, NEX_URL, 0), 1000);
    carried_start(rig->source, NEX_URL, 0, &carried, NULL);
    carried_poll(rig, &carried);
    carried_assert_status(&carried, NEXAUTH_THROTTLED);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_waited_for_first),
        cmocka_unit_test(who_gets_no_token_gets_no_permit),
        cmocka_unit_test(who_finds_no_free_slot_waits_for_one),
        cmocka_unit_test(who_cannot_have_a_turn_in_time_is_told_at_once),
        cmocka_unit_test(who_hoped_in_vain_is_told_when_there_is_no_hope_left),
        cmocka_unit_test(who_says_nothing_of_time_waits_for_half_a_minute),
        cmocka_unit_test(a_permit_carries_the_token_that_took_the_place_of_a_rejected_one),
        cmocka_unit_test(a_permit_carries_the_token_that_was_renewed),
        cmocka_unit_test(a_permit_does_not_carry_a_token_that_is_over),
        cmocka_unit_test(who_waited_already_learns_that_the_path_is_held),
        cmocka_unit_test(who_blocks_learns_that_the_path_is_held),
        cmocka_unit_test(requests_for_tokens_go_first_but_one_in_four_is_a_call),
        cmocka_unit_test(calls_and_tokens_of_nex_count_together),
        cmocka_unit_test(calls_of_quantoz_count_apart_from_its_tokens),
        cmocka_unit_test(where_no_number_is_known_any_number_passes),
        cmocka_unit_test(nex_is_asked_as_often_as_it_allows),
        cmocka_unit_test(without_a_ledger_nothing_leaves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
