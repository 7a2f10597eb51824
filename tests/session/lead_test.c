/* The lead: whenever anybody waits, some thread turns the engine for all. */
#include "support/test.h"

#include "session/session.h"
#include "support/caller.h"
#include "support/fixture.h"
#include "support/outcome.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#define TOKEN "{\"access_token\":\"shared\",\"expires_in\":100}"

static uint64_t joins_of(nexauth_source *source)
{
    struct nexauth_stats stats = {0};

    nexauth_source_stats(source, &stats, NULL);
    return stats.joins;
}

/* A transport that notes who turns it. */
static struct nx_transport_verbs noting;
static const struct nx_transport_verbs *noted;
static pthread_mutex_t notes = PTHREAD_MUTEX_INITIALIZER;
static pthread_t leader;

static struct nx_exchange *turn_noting(struct nx_transport *transport, int64_t wait_ms)
{
    pthread_mutex_lock(&notes);
    leader = pthread_self();
    pthread_mutex_unlock(&notes);
    return noted->turn(transport, wait_ms);
}

static void note_turns(struct fixture *fixture)
{
    noted = fixture->script.base.verbs;
    noting = *noted;
    noting.turn = turn_noting;
    fixture->script.base.verbs = &noting;
}

/* Waits until this thread leads, and has nothing to do but wait. The bound ends a test that has failed. */
static void await_lead(struct fixture *fixture, pthread_t thread)
{
    const time_t bound = time(NULL) + 60;
    bool leads = false;

    while (!leads) {
        sched_yield();
        assert_true(time(NULL) < bound);
        pthread_mutex_lock(&notes);
        leads = pthread_equal(leader, thread) != 0;
        pthread_mutex_unlock(&notes);
        leads = leads && script_sleeps(&fixture->script);
    }
}

/* In place of the fixture's, whose exchanges last 30 s. */
static void take_patient_session(struct fixture *fixture)
{
    const struct nexauth_session_options options = {.exchange_timeout_ms = 3600000, .max_answer_bytes = 65536};
    const struct nx_world world = script_world(&fixture->script);

    nexauth_session_free(fixture->session);
    assert_int_equal(nx_session_new_in(&world, &options, &fixture->session, NULL), NEXAUTH_OK);
}

/* The one who leads gives up, again and again. Who sleeps would look for itself too, but in many minutes. */
static void who_has_waited_longest_leads_next(void **state)
{
    enum { WAITING = 5 };
    struct fixture *fixture = *state;
    nexauth_source *source;
    struct caller waiting[WAITING];

    fixture->script.blocks = true;
    take_patient_session(fixture);
    note_turns(fixture);
    source = fixture_new_controller(fixture);
    script_answer(&fixture->script, (struct script_answer){.status = 200,
                                                           .takes_ms = (WAITING - 1) * 600000 + 1000,
                                                           .body = "{\"access_token\":\"late\",\"expires_in\":7200}"});
    for (int i = 0; i < WAITING; i++) {
        waiting[i] = (struct caller){.source = source, .timeout_ms = 600000 * (int64_t)(i + 1)};
        if (i == WAITING - 1)
            waiting[i].timeout_ms = 3600000;
        caller_start(&waiting[i]);
        while (script_begun(&fixture->script) < 1 || joins_of(source) < (uint64_t)i)
            sched_yield();
    }
    for (int i = 0; i < WAITING - 1; i++) {
        await_lead(fixture, waiting[i].thread);
        script_pass_ms(&fixture->script, 600000);
        script_rouse(&fixture->script);
        pthread_join(waiting[i].thread, NULL);
        assert_int_equal(waiting[i].status, NEXAUTH_TIMEOUT);
    }
    pthread_join(waiting[WAITING - 1].thread, NULL);
    assert_int_equal(waiting[WAITING - 1].status, NEXAUTH_OK);
    assert_true(pthread_equal(leader, waiting[WAITING - 1].thread) != 0);
    nexauth_source_free(source);
}

enum { QUESTIONS = 200 }; /* of one thread */

struct asking {
    nexauth_session *session;
    nexauth_status status;
    pthread_t thread;
};

static void *ask_many_sources(void *context)
{
    const struct nexauth_get_options patient = {.timeout_ms = 3600000};
    struct asking *asking = context;

    for (int i = 0; i < QUESTIONS && !asking->status; i++) {
        nexauth_source *source = NULL;
        nexauth_token *token = NULL;

        asking->status = nexauth_source_new_nex_controller(asking->session, &fixture_controller, &source, NULL);
        if (!asking->status)
            asking->status = nexauth_source_get_token(source, &patient, &token, NULL);
        nexauth_token_unref(token);
        nexauth_source_free(source);
    }
    return NULL;
}

/* Each waits an hour for each of its tokens if nobody turns the engine for it: then the test's own time is over. */
static void whenever_anybody_waits_somebody_turns_the_engine(void **state)
{
    enum { WAITING = 8 };
    struct fixture *fixture = *state;
    struct asking asking[WAITING];

    fixture->script.blocks = true;
    script_answer_always(&fixture->script, (struct script_answer){.status = 200, .body = TOKEN});
    for (int i = 0; i < WAITING; i++) {
        asking[i] = (struct asking){.session = fixture->session};
        assert_int_equal(pthread_create(&asking[i].thread, NULL, ask_many_sources, &asking[i]), 0);
    }
    for (int i = 0; i < WAITING; i++) {
        pthread_join(asking[i].thread, NULL);
        assert_int_equal(asking[i].status, NEXAUTH_OK);
    }
    assert_int_equal(fixture->script.begun, WAITING * QUESTIONS);
}

static void await_requests(struct fixture *fixture, size_t count)
{
    while (script_begun(&fixture->script) < count)
        sched_yield();
}

/* Nobody polls: the thread that leads is the only one that can send what calls and other threads ask for. */
static void who_leads_takes_up_what_others_begin(void **state)
{
    enum { SOURCES = 5 };
    struct fixture *fixture = *state;
    struct caller waiting[SOURCES];
    struct outcome outcomes[SOURCES] = {{0}};

    fixture->script.blocks = true;
    script_answer_always(&fixture->script, (struct script_answer){.takes_ms = INT64_MAX});
    for (size_t i = 0; i < SOURCES; i++) {
        waiting[i] = (struct caller){.source = fixture_new_controller(fixture), .timeout_ms = 3600000};
        if (i == 0 || i == SOURCES - 1)
            caller_start(&waiting[i]);
        else
            outcome_start(waiting[i].source, NULL, &outcomes[i]);
        await_requests(fixture, i + 1);
    }
    for (size_t i = 0; i < SOURCES; i++)
        nexauth_source_free(waiting[i].source);
    pthread_join(waiting[0].thread, NULL);
    pthread_join(waiting[SOURCES - 1].thread, NULL);
    outcome_poll(fixture->session, 0);
    for (size_t i = 1; i < SOURCES - 1; i++)
        outcome_assert_status(&outcomes[i], NEXAUTH_CANCELED);
}

struct holding {
    nexauth_source *source;
    atomic_bool runs;
    atomic_bool may_end;
};

static nexauth_status hold(void *context, char *xspe, size_t size)
{
    struct holding *holding = context;

    holding->runs = true;
    while (!holding->may_end)
        sched_yield();
    snprintf(xspe, size, "fresh");
    return NEXAUTH_OK;
}

/* The leader takes in a refusal, upon which it has to call for an xspe. Who sleeps leads on, and is served. */
static void a_callback_that_takes_its_time_keeps_nobody_waiting(void **state)
{
    struct fixture *fixture = *state;
    struct holding holding = {0};
    struct nexauth_nexusguard_user_options options = fixture_with_callback(hold, &holding);
    struct caller waiting[2];
    nexauth_source *source;
    struct outcome outcome = {0};

    options.refresh_token = "saved";
    fixture->script.blocks = true;
    take_patient_session(fixture);
    holding.source = fixture_new_customer(fixture, &options);
    source = fixture_new_controller(fixture);
    script_answer(&fixture->script,
                  (struct script_answer){.status = 400, .takes_ms = 500000, .body = "{\"error\":\"invalid_grant\"}"});
    script_answer(&fixture->script, (struct script_answer){.status = 200,
                                                           .takes_ms = 700000,
                                                           .body = "{\"access_token\":\"one\",\"expires_in\":7200}"});
    outcome_start(holding.source, NULL, &outcome);
    while (script_begun(&fixture->script) < 1)
        outcome_poll(fixture->session, 0);
    waiting[0] = (struct caller){.source = source, .timeout_ms = 400000};
    waiting[1] = (struct caller){.source = source, .timeout_ms = 3600000};
    for (size_t i = 0; i < 2; i++) {
        caller_start(&waiting[i]);
        while (script_begun(&fixture->script) < 2 || joins_of(source) < i)
            sched_yield();
    }
    script_pass_ms(&fixture->script, 500000);
    script_rouse(&fixture->script);
    pthread_join(waiting[1].thread, NULL);
    assert_int_equal(waiting[1].status, NEXAUTH_OK);
    while (!holding.runs)
        sched_yield();
    holding.may_end = true;
    pthread_join(waiting[0].thread, NULL);
    nexauth_source_free(holding.source);
    outcome_poll(fixture->session, 0);
    outcome_assert_status(&outcome, NEXAUTH_CANCELED);
    nexauth_source_free(source);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(who_has_waited_longest_leads_next),
        IN_A_WORLD(whenever_anybody_waits_somebody_turns_the_engine),
        IN_A_WORLD(who_leads_takes_up_what_others_begin),
        IN_A_WORLD(a_callback_that_takes_its_time_keeps_nobody_waiting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
