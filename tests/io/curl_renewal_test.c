/* What becomes of requests when memory runs out within libcurl while it works on their sockets. */
#include "support/test.h"

#include "io/wire_rig.h"

#include <curl/curl.h>

/* ---- A multi whose memory may run out ---------------------------------------------------------------------------- */

static int actions;         /* of multis, since the last reset */
static int fails_at;        /* the number of the action that runs out of memory, from 1; 0: none */
static const CURLM *failed; /* the multi whose action did */
static bool asked_again;    /* to act, although it did */

CURLMcode __real_curl_multi_socket_action(CURLM *multi, curl_socket_t socket, int what,
                                          int *running); /* NOLINT(bugprone-reserved-identifier) */
CURLMcode __wrap_curl_multi_socket_action(CURLM *multi, curl_socket_t socket, int what,
                                          int *running); /* NOLINT(bugprone-reserved-identifier) */

CURLMcode __wrap_curl_multi_socket_action(CURLM *multi, curl_socket_t socket, int what, int *running)
{
    const CURLMcode result = __real_curl_multi_socket_action(multi, socket, what, running);

    asked_again = asked_again || multi == failed;
    if (++actions != fails_at)
        return result;
    failed = multi;
    return CURLM_OUT_OF_MEMORY;
}

static bool makes_none; /* no multi more */

CURLM *__real_curl_multi_init(void); /* NOLINT(bugprone-reserved-identifier) */
CURLM *__wrap_curl_multi_init(void); /* NOLINT(bugprone-reserved-identifier) */

CURLM *__wrap_curl_multi_init(void)
{
    return makes_none ? NULL : __real_curl_multi_init();
}

static int set_up(void **state)
{
    failed = NULL;
    asked_again = false;
    return wire_set_up(state);
}

static int tear_down(void **state)
{
    fails_at = 0;
    makes_none = false;
    return wire_tear_down(state);
}

/* ---- Requests ---------------------------------------------------------------------------------------------------- */

static void await_end(struct wire *wire, struct nx_exchange *exchange)
{
    struct nx_exchange *finished = NULL;

    while (!finished)
        finished = wire_turn(wire, WIRE_FOR_EVER_MS);
    assert_ptr_equal(finished, exchange);
    assert_null(finished->next);
    assert_false(asked_again);
    assert_int_equal(finished->loss, NX_LOSS_NONE);
    assert_int_equal(finished->response.http_status, 200);
}

/* By turns that wait, or with an answer that comes when all has been done that can be done before. */
static void serve(struct wire *wire, bool late)
{
    const int requests = listener_requests(wire->listener);

    if (!late)
        listener_answer(wire->listener, wire_answer);
    wire_begin(wire);
    if (late) {
        wire_await_request(wire, requests + 1);
        listener_answer(wire->listener, wire_answer);
    }
    await_end(wire, &wire->exchange);
    assert_int_equal(wire_patience(wire), -1);
}

/* One that has run out of memory may crash by what it noted, and watches for nothing. */
static void a_multi_that_ran_out_of_memory_ends_its_work_and_is_replaced(void **state)
{
    struct wire *wire = *state;
    const int descriptor = wire->transport->verbs->descriptor(wire->transport);
    int connections = 1;

    serve(wire, false);
    for (int late = 0; late < 2; late++) {
        for (fails_at = 1;; fails_at++) {
            failed = NULL;
            actions = 0;
            serve(wire, late);
            if (!failed)
                break;
            serve(wire, late);
            assert_int_equal(listener_connections(wire->listener), ++connections);
            serve(wire, late);
            assert_int_equal(listener_connections(wire->listener), connections);
            assert_int_equal(wire->transport->verbs->descriptor(wire->transport), descriptor);
        }
        assert_in_range(fails_at, 2, 100);
    }
}

static void who_comes_to_a_multi_that_ran_out_of_memory_is_served(void **state)
{
    struct wire *wire = *state;
    struct wire beside = *wire;

    nx_exchange_init(&beside.exchange, WIRE_CAP);
    fails_at = 1;
    actions = 0;
    wire_begin(wire);
    wire_await_request(wire, 1);
    assert_non_null(failed);
    listener_answer(wire->listener, (struct listener_answer){.then = LISTENER_STALL});
    listener_answer(wire->listener, wire_answer);
    wire_begin(&beside);
    await_end(&beside, &beside.exchange);
    wire->transport->verbs->give_up(wire->transport, &wire->exchange);
    nx_exchange_release(&beside.exchange);
    serve(wire, false);
}

static void while_there_is_no_memory_for_another_multi_it_stays(void **state)
{
    struct wire *wire = *state;

    fails_at = 1;
    actions = 0;
    makes_none = true;
    for (int i = 0; i < 3; i++)
        serve(wire, i % 2);
    assert_int_equal(listener_connections(wire->listener), 1);
    makes_none = false;
    serve(wire, false);
    assert_int_equal(listener_connections(wire->listener), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_multi_that_ran_out_of_memory_ends_its_work_and_is_replaced, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(while_there_is_no_memory_for_another_multi_it_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_comes_to_a_multi_that_ran_out_of_memory_is_served, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
