/* Permits for callers that do not block: how they come, and how their calls end. */
#include "session/pass_rig.h"
#include "support/test.h"

#include <poll.h>

static const struct nexauth_answer fine = {.http_status = 200};
static const struct nexauth_answer unsent = {.loss = NEXAUTH_LOSS_UNSENT};

static void poll_ms(struct rig *rig, int64_t wait_ms)
{
    assert_int_equal(nexauth_session_poll(rig->fixture.session, wait_ms, NULL), NEXAUTH_OK);
}

/* ---- How they come ----------------------------------------------------------------------------------------------- */

static void a_permit_at_hand_comes_by_the_next_poll_and_not_before(void **state)
{
    struct rig *rig = rig_new_nex(2);
    struct carried carried = {0};

    (void)state;
    carried_start(rig->source, NEX_URL "?a#b", 0, &carried, NULL);
    assert_int_equal(rig_end(rig_take(rig->source, NEX_URL), &unsent, NULL), NEXAUTH_OK);
    assert_int_equal(carried.runs, 0);
    poll_ms(rig, 0);
    assert_int_equal(carried.runs, 1);
    assert_string_equal(nexauth_permit_url(carried.permit), NEX_URL "?a");
    assert_string_equal(nexauth_permit_header(carried.permit), "Authorization: Bearer one");
    carried_finish(&carried);
    poll_ms(rig, 1000);
    assert_int_equal(carried.runs, 1);
    rig_free(rig);
}

static void a_token_is_waited_for_and_then_a_turn(void **state)
{
    struct rig *rig = rig_new_nex(1);
    nexauth_source *other = rig_controller(rig, 1);
    const int64_t begun_ms = rig_now_ms(rig);
    struct carried carried = {0};

    (void)state;
    fixture_answer_token(&rig->fixture, "two", "3600");
    carried_start(other, NEX_URL, 0, &carried, NULL);
    assert_int_equal(rig->fixture.script.begun, 1);
    carried_poll(rig, &carried);
    assert_int_equal(rig_now_ms(rig) - begun_ms, 100 + 1001);
    assert_string_equal(nexauth_permit_header(carried.permit), "Authorization: Bearer two");
    carried_finish(&carried);
    nexauth_source_free(other);
    rig_free(rig);
}

static void a_url_may_have_its_token_by_a_poll_too(void **state)
{
    struct rig *rig = rig_new(NULL, 0);
    struct carried carried = {0};

    (void)state;
    rig->source = rig_app(rig);
    script_answer(&rig->fixture.script, fixture_first_token);
    carried_start(rig->source, NEXAUTH_NEXUSGUARD_API "?a", 0, &carried, NULL);
    carried_poll(rig, &carried);
    assert_string_equal(nexauth_permit_url(carried.permit), NEXAUTH_NEXUSGUARD_API "?a&access_token=one");
    assert_null(nexauth_permit_header(carried.permit));
    carried_finish(&carried);
    rig_free(rig);
}

static void a_token_that_is_over_when_somebody_polls_is_replaced_and_its_turn_goes_back(void **state)
{
    struct rig *rig = rig_new_nex(2);
    struct carried carried = {0};

    (void)state;
    carried_start(rig->source, NEX_URL, 3600000, &carried, NULL);
    rig_pass_ms(rig, 3599000);
    fixture_answer_token(&rig->fixture, "two", "3600");
    carried_poll(rig, &carried);
    assert_string_equal(nexauth_permit_header(carried.permit), "Authorization: Bearer two");
    carried_finish(&carried);
    rig_free(rig);
}

static void permits_come_in_the_order_of_their_calls(void **state)
{
    enum { CALLS = 5 };
    struct rig *rig = rig_new_nex(1);
    struct carried carried[CALLS] = {{0}};

    (void)state;
    for (int i = 0; i < CALLS; i++)
        carried_start(rig->source, NEX_URL, 0, &carried[i], NULL);
    for (int i = 0; i < CALLS; i++) {
        carried_poll(rig, &carried[i]);
        for (int later = i + 1; later < CALLS; later++)
            assert_int_equal(carried[later].runs, 0);
        carried_finish(&carried[i]);
    }
    rig_free(rig);
}

static void who_cannot_have_a_turn_in_time_is_told_by_the_next_poll(void **state)
{
    struct rig *rig = rig_new_nex(1);
    struct carried carried = {0};

    (void)state;
    assert_int_equal(rig_end(rig_take(rig->source, NEX_URL), &fine, NULL), NEXAUTH_OK);
    carried_start(rig->source, NEX_URL, 1000, &carried, NULL);
    assert_int_equal(carried.runs, 0);
    poll_ms(rig, 0);
    carried_assert_status(&carried, NEXAUTH_THROTTLED);
    assert_int_equal(carried.error.retry_after_ms, 1001);
    rig_free(rig);
}

static void who_gets_no_token_in_time_is_told_so(void **state)
{
    struct rig *rig = rig_new(NULL, 0);
    const int64_t begun_ms = rig_now_ms(rig);
    struct carried carried = {0};

    (void)state;
    rig->source = rig_controller(rig, 1);
    carried_start(rig->source, NEX_URL, 1000, &carried, NULL);
    carried_poll(rig, &carried);
    carried_assert_status(&carried, NEXAUTH_TIMEOUT);
    assert_int_equal(rig_now_ms(rig) - begun_ms, 1000);
    rig_free(rig);
}

/* ---- How they end before their time ------------------------------------------------------------------------------ */

/* What a call is at when something happens to it. */
enum phase { WAITS_FOR_TOKEN, WAITS_FOR_TURN, IS_READY, PHASES };

struct scene {
    struct rig *rig;
    nexauth_source *source;
    nexauth_permit *out;
    nexauth_call *call;
    struct carried carried;
};

static void set(struct scene *scene, enum phase phase)
{
    *scene = (struct scene){.rig = rig_new_nex(phase == IS_READY ? 2 : 1)};
    scene->source = scene->rig->source;
    scene->rig->source = NULL;
    scene->out = rig_take(scene->source, NEX_URL);
    if (phase == WAITS_FOR_TOKEN) {
        assert_int_equal(rig_end(scene->out, &unsent, NULL), NEXAUTH_OK);
        scene->out = NULL;
        nexauth_source_free(scene->source);
        scene->source = rig_controller(scene->rig, 1);
    }
    carried_start(scene->source, NEX_URL, 0, &scene->carried, &scene->call);
    if (phase != IS_READY)
        poll_ms(scene->rig, 0);
    assert_int_equal(scene->carried.runs, 0);
}

/* What was ready is handed out all the same. */
static void strike(struct scene *scene, enum phase phase)
{
    if (phase == IS_READY)
        carried_finish(&scene->carried);
    else
        carried_assert_status(&scene->carried, NEXAUTH_CANCELED);
    nexauth_call_unref(scene->call);
    nexauth_permit_free(scene->out);
    nexauth_source_free(scene->source);
    rig_free(scene->rig);
}

static void a_call_can_be_cancelled_until_it_is_ready(void **state)
{
    (void)state;
    for (enum phase phase = 0; phase < PHASES; phase++) {
        struct scene scene;

        set(&scene, phase);
        nexauth_call_cancel(scene.call);
        nexauth_call_cancel(scene.call);
        assert_int_equal(scene.carried.runs, 0);
        carried_poll(scene.rig, &scene.carried);
        nexauth_call_cancel(scene.call);
        strike(&scene, phase);
    }
}

static void a_source_may_be_freed_while_its_calls_wait(void **state)
{
    (void)state;
    for (enum phase phase = 0; phase < PHASES; phase++) {
        struct scene scene;

        set(&scene, phase);
        nexauth_source_free(scene.source);
        scene.source = NULL;
        assert_int_equal(scene.carried.runs, 0);
        carried_poll(scene.rig, &scene.carried);
        strike(&scene, phase);
    }
}

static void a_session_that_ends_ends_its_calls(void **state)
{
    (void)state;
    for (enum phase phase = 0; phase < PHASES; phase++) {
        struct scene scene;

        set(&scene, phase);
        nexauth_session_free(scene.rig->fixture.session);
        scene.rig->fixture.session = NULL;
        strike(&scene, phase);
    }
}

static void who_leaves_the_queue_takes_no_slot(void **state)
{
    struct scene scene;
    struct carried next = {0};
    int64_t begun_ms;

    (void)state;
    set(&scene, WAITS_FOR_TURN);
    carried_start(scene.source, NEX_URL, 0, &next, NULL);
    begun_ms = rig_now_ms(scene.rig);
    nexauth_call_cancel(scene.call);
    assert_int_equal(nexauth_permit_end(scene.out, &fine, NULL), NEXAUTH_OK);
    carried_poll(scene.rig, &next);
    assert_int_equal(rig_now_ms(scene.rig) - begun_ms, 1001);
    carried_finish(&next);
    strike(&scene, WAITS_FOR_TURN);
}

/* ---- References -------------------------------------------------------------------------------------------------- */

static void a_call_lives_as_long_as_somebody_has_it(void **state)
{
    struct scene scene;

    (void)state;
    set(&scene, WAITS_FOR_TURN);
    assert_ptr_equal(nexauth_call_ref(scene.call), scene.call);
    nexauth_call_unref(scene.call);
    assert_int_equal(rig_end(scene.out, &unsent, NULL), NEXAUTH_OK);
    scene.out = NULL;
    carried_poll(scene.rig, &scene.carried);
    nexauth_source_free(scene.source);
    scene.source = NULL;
    nexauth_call_cancel(scene.call);
    strike(&scene, IS_READY);
}

static void a_call_that_nobody_has_goes_on(void **state)
{
    struct scene scene;

    (void)state;
    set(&scene, WAITS_FOR_TURN);
    nexauth_call_unref(scene.call);
    scene.call = NULL;
    assert_int_equal(rig_end(scene.out, &fine, NULL), NEXAUTH_OK);
    scene.out = NULL;
    carried_poll(scene.rig, &scene.carried);
    strike(&scene, IS_READY);
}

/* ---- Within a callback ------------------------------------------------------------------------------------------- */

static void end_there(void *context)
{
    struct carried *carried = context;

    assert_int_equal(rig_end(carried->permit, &fine, NULL), NEXAUTH_OK);
    carried->permit = NULL;
}

static void a_permit_may_end_in_the_callback(void **state)
{
    struct rig *rig = rig_new_nex(1);
    struct carried first = {.then = end_there, .context = &first};
    struct carried second = {.then = end_there, .context = &second};
    const int64_t begun_ms = rig_now_ms(rig);

    (void)state;
    carried_start(rig->source, NEX_URL, 0, &first, NULL);
    carried_start(rig->source, NEX_URL, 0, &second, NULL);
    carried_poll(rig, &first);
    carried_poll(rig, &second);
    assert_int_equal(rig_now_ms(rig) - begun_ms, 1001);
    assert_false(first.wrong || second.wrong);
    rig_free(rig);
}

struct further {
    struct rig *rig;
    struct carried carried;
};

static void start_another(void *context)
{
    struct further *further = context;

    carried_start(further->rig->source, NEX_URL, 0, &further->carried, NULL);
}

static void a_callback_may_start_another_call(void **state)
{
    struct further further = {.rig = rig_new_nex(2)};
    struct carried carried = {.then = start_another, .context = &further};

    (void)state;
    carried_start(further.rig->source, NEX_URL, 0, &carried, NULL);
    carried_poll(further.rig, &carried);
    assert_int_equal(further.carried.runs, 0); /* in a later poll */
    carried_poll(further.rig, &further.carried);
    carried_finish(&carried);
    carried_finish(&further.carried);
    rig_free(further.rig);
}

static void wait_for_another(void *context)
{
    struct further *further = context;

    assert_int_equal(rig_call(further->rig->source, NEX_URL, &fine, NULL), NEXAUTH_OK);
}

static void a_callback_of_a_call_may_wait_for_a_permit(void **state)
{
    struct further further = {.rig = rig_new_nex(2)};
    struct carried carried = {.then = wait_for_another, .context = &further};
    const int64_t begun_ms = rig_now_ms(further.rig);

    (void)state;
    assert_int_equal(rig_call(further.rig->source, NEX_URL, &fine, NULL), NEXAUTH_OK);
    carried_start(further.rig->source, NEX_URL, 0, &carried, NULL);
    carried_poll(further.rig, &carried);
    assert_int_equal(rig_now_ms(further.rig) - begun_ms, 1001);
    carried_finish(&carried);
    rig_free(further.rig);
}

/* ---- Event loops ------------------------------------------------------------------------------------------------- */

static bool is_readable(struct rig *rig)
{
    struct pollfd watched = {.events = POLLIN};

    assert_int_equal(nexauth_session_descriptor(rig->fixture.session, &watched.fd, NULL), NEXAUTH_OK);
    return poll(&watched, 1, 0) == 1;
}

/* Polls until there is nothing to do but to wait; how long. */
static int64_t settle(struct rig *rig)
{
    while (is_readable(rig) || nexauth_session_timeout_ms(rig->fixture.session) == 0)
        poll_ms(rig, 0);
    return nexauth_session_timeout_ms(rig->fixture.session);
}

static void a_loop_learns_when_to_poll_for_a_turn(void **state)
{
    struct rig *rig = rig_new_nex(1);
    struct carried carried = {0};
    nexauth_permit *out;
    int64_t wait_ms;

    (void)state;
    out = rig_take(rig->source, NEX_URL);
    settle(rig);
    carried_start(rig->source, NEX_URL, 0, &carried, NULL);
    assert_true(is_readable(rig) || nexauth_session_timeout_ms(rig->fixture.session) == 0);
    wait_ms = settle(rig);
    assert_in_range(wait_ms, 1, 30000); /* the call's own time at the latest */
    assert_int_equal(rig_end(out, &fine, NULL), NEXAUTH_OK);
    wait_ms = settle(rig);
    assert_int_equal(wait_ms, 1001);
    rig_pass_ms(rig, wait_ms - 1);
    settle(rig);
    assert_int_equal(carried.runs, 0);
    rig_pass_ms(rig, 1);
    settle(rig);
    carried_finish(&carried);
    rig_free(rig);
}

static void a_loop_learns_of_a_permit_at_hand_and_of_a_canceled_call(void **state)
{
    struct rig *rig = rig_new_nex(1);
    struct carried ready = {0};
    struct carried canceled = {0};
    nexauth_call *call = NULL;

    (void)state;
    settle(rig);
    carried_start(rig->source, NEX_URL, 0, &ready, NULL);
    assert_true(is_readable(rig));
    assert_int_equal(nexauth_session_timeout_ms(rig->fixture.session), 0);
    settle(rig);
    assert_int_equal(ready.runs, 1);
    carried_start(rig->source, NEX_URL, 0, &canceled, &call);
    settle(rig);
    nexauth_call_cancel(call);
    assert_true(is_readable(rig));
    settle(rig);
    carried_assert_status(&canceled, NEXAUTH_CANCELED);
    nexauth_call_unref(call);
    carried_finish(&ready);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_permit_at_hand_comes_by_the_next_poll_and_not_before),
        cmocka_unit_test(a_token_is_waited_for_and_then_a_turn),
        cmocka_unit_test(a_url_may_have_its_token_by_a_poll_too),
        cmocka_unit_test(a_token_that_is_over_when_somebody_polls_is_replaced_and_its_turn_goes_back),
        cmocka_unit_test(permits_come_in_the_order_of_their_calls),
        cmocka_unit_test(who_cannot_have_a_turn_in_time_is_told_by_the_next_poll),
        cmocka_unit_test(who_gets_no_token_in_time_is_told_so),
        cmocka_unit_test(a_call_can_be_cancelled_until_it_is_ready),
        cmocka_unit_test(a_source_may_be_freed_while_its_calls_wait),
        cmocka_unit_test(a_session_that_ends_ends_its_calls),
        cmocka_unit_test(who_leaves_the_queue_takes_no_slot),
        cmocka_unit_test(a_call_lives_as_long_as_somebody_has_it),
        cmocka_unit_test(a_call_that_nobody_has_goes_on),
        cmocka_unit_test(a_permit_may_end_in_the_callback),
        cmocka_unit_test(a_callback_may_start_another_call),
        cmocka_unit_test(a_callback_of_a_call_may_wait_for_a_permit),
        cmocka_unit_test(a_loop_learns_when_to_poll_for_a_turn),
        cmocka_unit_test(a_loop_learns_of_a_permit_at_hand_and_of_a_canceled_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
