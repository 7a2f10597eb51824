/* Callbacks that wait for a token: what ends meanwhile is told by others, or later, and not within. */
#include "support/test.h"

#include "session/session.h"
#include "support/caller.h"
#include "support/fixture.h"
#include "support/outcome.h"

#include <poll.h>
#include <sched.h>
#include <stdio.h>

enum { CUSTOMERS = 200 };

static nexauth_source *new_controller(struct fixture *fixture, const char *id)
{
    struct nexauth_nex_controller_options who = fixture_controller;
    nexauth_source *source = NULL;

    who.controller_id = id;
    assert_int_equal(nexauth_source_new_nex_controller(fixture->session, &who, &source, NULL), NEXAUTH_OK);
    return source;
}

/* A callback that waits for a token of another source. */
struct waiting {
    nexauth_source *other;
    nexauth_status status; /* of the last wait */
    int runs, depth, deepest;
};

static void wait_for_other(struct waiting *waiting)
{
    nexauth_token *token = NULL;

    waiting->runs++;
    waiting->depth++;
    if (waiting->depth > waiting->deepest)
        waiting->deepest = waiting->depth;
    waiting->status = nexauth_source_get_token(waiting->other, NULL, &token, NULL);
    waiting->depth--;
    nexauth_token_unref(token);
}

static nexauth_status wait_to_supply(void *context, char *xspe, size_t size)
{
    wait_for_other(context);
    snprintf(xspe, size, "fresh");
    return NEXAUTH_OK;
}

static nexauth_status wait_to_save(void *context, nexauth_token *token)
{
    (void)token;
    wait_for_other(context);
    return NEXAUTH_OK;
}

/* A thousand callbacks, one within the other, are more than a stack holds. */
static void callbacks_that_wait_do_not_run_within_each_other(void **state)
{
    struct fixture *fixture = *state;
    struct waiting waiting = {.other = fixture_new_controller(fixture)};
    struct nexauth_nexusguard_user_options options = fixture_with_callback(wait_to_supply, &waiting);
    nexauth_source *customers[CUSTOMERS];
    struct outcome outcomes[CUSTOMERS] = {{0}};

    fixture_answer_token(fixture, "shared", "3600");
    for (int i = 0; i < CUSTOMERS; i++) {
        char id[16];

        snprintf(id, sizeof id, "C-%d", i);
        options.customer_id = id;
        customers[i] = fixture_new_customer(fixture, &options);
        outcome_start(customers[i], NULL, &outcomes[i]);
    }
    outcome_poll(fixture->session, 0);
    assert_int_equal(waiting.runs, CUSTOMERS);
    assert_int_equal(waiting.deepest, 1);
    assert_int_equal(fixture->script.begun, 1 + CUSTOMERS);
    for (int i = 0; i < CUSTOMERS; i++)
        nexauth_source_free(customers[i]);
    outcome_poll(fixture->session, 0);
    nexauth_source_free(waiting.other);
}

static nexauth_status save_slowly(void *context, nexauth_token *token)
{
    int *runs = context;

    (void)token;
    ++*runs;
    return NEXAUTH_OK;
}

/* Both answers come in one turn. The caller of the first source has a good token, and 2 s at most. */
static void who_renews_in_passing_runs_no_callback_of_another_source(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *early = new_controller(fixture, "early");
    nexauth_source *other = new_controller(fixture, "other");
    struct outcome outcome = {0};
    int saved = 0;

    nexauth_source_set_save(other, save_slowly, &saved, NULL);
    fixture_answer_token(fixture, "old", "100");
    fixture_get(early, "old", NULL);
    script_pass_ms(&fixture->script, 85000);
    fixture_answer_token(fixture, "new", "100");
    fixture_answer_token(fixture, "newer", "100");
    outcome_start(other, NULL, &outcome);
    outcome_poll(fixture->session, 0);
    fixture_get(early, NULL, NULL);
    assert_int_equal(fixture->script.begun, 3);
    assert_int_equal(saved, 0);
    while (!outcome.runs)
        outcome_poll(fixture->session, 1000);
    assert_int_equal(saved, 1);
    fixture_get(early, NULL, NULL);
    nexauth_source_free(early);
    nexauth_source_free(other);
}

/* The callback that saves the first token waits when the second comes, whose callback waits for the first. */
static void a_callback_may_wait_for_a_source_whose_callback_waits(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *first = new_controller(fixture, "first");
    nexauth_source *second = new_controller(fixture, "second");
    nexauth_source *third = new_controller(fixture, "third");
    struct waiting of_first = {.other = third, .status = NEXAUTH_CANCELED};
    struct waiting of_second = {.other = first, .status = NEXAUTH_CANCELED};
    struct outcome outcomes[2] = {{0}};

    nexauth_source_set_save(first, wait_to_save, &of_first, NULL);
    nexauth_source_set_save(second, wait_to_save, &of_second, NULL);
    fixture_answer_token(fixture, "one", "3600");
    fixture_answer_token(fixture, "two", "3600");
    fixture_answer_token(fixture, "three", "3600");
    outcome_start(first, NULL, &outcomes[0]);
    outcome_start(second, NULL, &outcomes[1]);
    while (outcomes[0].runs + outcomes[1].runs < 2)
        outcome_poll(fixture->session, 1000);
    assert_int_equal(of_first.status, NEXAUTH_OK);
    assert_int_equal(of_second.status, NEXAUTH_OK);
    outcome_assert_token(&outcomes[0], "one");
    outcome_assert_token(&outcomes[1], "two");
    nexauth_source_free(first);
    nexauth_source_free(second);
    nexauth_source_free(third);
}

/* Who joins does not let go of the lock before it sleeps. */
static void await_join(nexauth_source *source)
{
    struct nexauth_stats stats = {0};

    while (!stats.joins) {
        sched_yield();
        assert_int_equal(nexauth_source_stats(source, &stats, NULL), NEXAUTH_OK);
    }
}

/* The answer to a request that would be answered never: the requests are counted from 0. */
static void answer_now(struct fixture *fixture, size_t request)
{
    struct script *script = &fixture->script;

    pthread_mutex_lock(&script->mutex);
    script->due_ms[request] = script->boot_ms;
    pthread_mutex_unlock(&script->mutex);
    script_rouse(script);
}

/* Who leads waits in a callback, and takes the other's answer in. If it did not wake the other, that one would wait for
 * an hour. */
static void what_ends_while_a_callback_waits_is_for_another_thread(void **state)
{
    struct fixture *fixture = *state;
    struct waiting waiting = {.other = new_controller(fixture, "third")};
    struct caller first = {.source = new_controller(fixture, "first"), .timeout_ms = 3600000};
    struct caller second = {.source = new_controller(fixture, "second"), .timeout_ms = 3600000};

    struct outcome outcome = {0};

    fixture->script.blocks = true;
    nexauth_source_set_save(first.source, wait_to_save, &waiting, NULL);
    script_answer(&fixture->script,
                  (struct script_answer){.status = 200, .takes_ms = INT64_MAX, .body = "{\"access_token\":\"two\"}"});
    script_answer(&fixture->script, (struct script_answer){.status = 200, .body = "{\"access_token\":\"one\"}"});
    script_answer(&fixture->script,
                  (struct script_answer){.status = 200, .takes_ms = INT64_MAX, .body = "{\"access_token\":\"three\"}"});
    outcome_start(second.source, NULL, &outcome);
    while (script_begun(&fixture->script) < 1)
        outcome_poll(fixture->session, 0);
    caller_start(&first);
    while (script_begun(&fixture->script) < 3)
        sched_yield();
    caller_start(&second);
    await_join(second.source);
    answer_now(fixture, 0);
    pthread_join(second.thread, NULL);
    assert_int_equal(second.status, NEXAUTH_OK);
    answer_now(fixture, 2);
    pthread_join(first.thread, NULL);
    assert_int_equal(first.status, NEXAUTH_OK);
    assert_int_equal(waiting.status, NEXAUTH_OK);
    outcome_poll(fixture->session, 0);
    outcome_assert_token(&outcome, "two");
    nexauth_source_free(first.source);
    nexauth_source_free(second.source);
    nexauth_source_free(waiting.other);
}

/* A transport that notes whether the event loop is called before a turn. Until then it is as if the loop had polled. */
static struct nx_transport_verbs noting;
static const struct nx_transport_verbs *noted;
static nexauth_session *watched;
static int turns_called;

static struct nx_exchange *turn_noting(struct nx_transport *transport, int64_t wait_ms)
{
    struct pollfd entry = {.events = POLLIN};

    assert_int_equal(nexauth_session_descriptor(watched, &entry.fd, NULL), NEXAUTH_OK);
    if (nexauth_session_timeout_ms(watched) != 0)
        nx_beacon_quench(watched->beacon);
    else
        turns_called += poll(&entry, 1, 0);
    return noted->turn(transport, wait_ms);
}

/* The thread that blocks waits in a callback when the answer to the loop's call comes. It leads on, for its own. */
static void what_ends_while_a_callback_waits_is_for_the_loop(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *polled = new_controller(fixture, "polled");
    nexauth_source *blocked = new_controller(fixture, "blocked");
    struct waiting waiting = {.other = new_controller(fixture, "other")};
    struct outcome outcome = {0};
    nexauth_token *token = NULL;
    int descriptor;

    assert_int_equal(nexauth_session_descriptor(fixture->session, &descriptor, NULL), NEXAUTH_OK);
    nexauth_source_set_save(blocked, wait_to_save, &waiting, NULL);
    script_answer(&fixture->script,
                  (struct script_answer){.status = 200, .takes_ms = 300, .body = "{\"access_token\":\"polled\"}"});
    fixture_answer_token(fixture, "blocked", "3600");
    script_answer(&fixture->script,
                  (struct script_answer){.status = 200, .takes_ms = 900, .body = "{\"access_token\":\"other\"}"});
    outcome_start(polled, NULL, &outcome);
    while (fixture->script.begun < 1)
        outcome_poll(fixture->session, 0);
    watched = fixture->session;
    noted = fixture->script.base.verbs;
    noting = *noted;
    noting.turn = turn_noting;
    fixture->script.base.verbs = &noting;
    assert_int_equal(nexauth_source_get_token(blocked, NULL, &token, NULL), NEXAUTH_OK);
    assert_int_equal(waiting.status, NEXAUTH_OK);
    assert_true(turns_called > 0);
    assert_int_equal(outcome.runs, 0);
    outcome_poll(fixture->session, 0);
    outcome_assert_token(&outcome, "polled");
    nexauth_token_unref(token);
    nexauth_source_free(polled);
    nexauth_source_free(blocked);
    nexauth_source_free(waiting.other);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(callbacks_that_wait_do_not_run_within_each_other),
        IN_A_WORLD(who_renews_in_passing_runs_no_callback_of_another_source),
        IN_A_WORLD(a_callback_may_wait_for_a_source_whose_callback_waits),
        IN_A_WORLD(what_ends_while_a_callback_waits_is_for_another_thread),
        IN_A_WORLD(what_ends_while_a_callback_waits_is_for_the_loop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
