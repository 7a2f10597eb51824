/* Many threads: each is served with the fewest requests, and all verbs get along. */
#include "support/test.h"

#include "support/fixture.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#define TOKEN "{\"access_token\":\"shared\",\"expires_in\":100}"

static const struct script_answer at_once = {.status = 200, .body = TOKEN};
static const struct script_answer never = {.takes_ms = INT64_MAX};
static const struct nexauth_get_options patient = {.timeout_ms = 3600000};

static void create(pthread_t *thread, void *(*body)(void *context), void *context)
{
    assert_int_equal(pthread_create(thread, NULL, body, context), 0);
}

/* ---- Expiries -------------------------------------------------------------------------------------------------- */

enum { CALLERS = 64, SOURCES = 4, EXPIRIES = 200 };

struct crowd {
    nexauth_source *sources[SOURCES];
    pthread_barrier_t barrier; /* before each expiry, and after it */
    atomic_int next;
    atomic_int served;
};

static bool get_shared(nexauth_source *source)
{
    nexauth_token *token = NULL;
    bool shared;

    if (nexauth_source_get_token(source, &patient, &token, NULL))
        return false;
    shared = strcmp(nexauth_token_access_token(token), "shared") == 0;
    nexauth_token_unref(token);
    return shared;
}

static bool copy_shared(nexauth_source *source)
{
    char text[64];
    size_t length;

    return nexauth_source_copy_token(source, &patient, text, sizeof text, &length, NULL) == NEXAUTH_OK &&
           strcmp(text, "Authorization: Bearer shared") == 0;
}

static void *live_through_expiries(void *context)
{
    struct crowd *crowd = context;
    const int number = crowd->next++;
    nexauth_source *source = crowd->sources[number % SOURCES];

    for (int i = 0; i < EXPIRIES; i++) {
        pthread_barrier_wait(&crowd->barrier);
        crowd->served += number / SOURCES % 2 ? get_shared(source) : copy_shared(source);
        pthread_barrier_wait(&crowd->barrier);
    }
    return NULL;
}

static void each_expiry_costs_one_request_however_many_wait(void **state)
{
    struct fixture *fixture = *state;
    struct crowd crowd = {0};
    pthread_t threads[CALLERS];

    fixture->script.blocks = true;
    script_answer_always(&fixture->script, at_once);
    assert_int_equal(pthread_barrier_init(&crowd.barrier, NULL, CALLERS + 1), 0);
    for (int i = 0; i < SOURCES; i++)
        crowd.sources[i] = fixture_new_controller(fixture);
    for (int i = 0; i < CALLERS; i++)
        create(&threads[i], live_through_expiries, &crowd);
    for (int i = 0; i < EXPIRIES; i++) {
        pthread_barrier_wait(&crowd.barrier);
        pthread_barrier_wait(&crowd.barrier);
        script_pass_ms(&fixture->script, 100000);
    }
    for (int i = 0; i < CALLERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(crowd.served, CALLERS * EXPIRIES);
    assert_int_equal(fixture->script.begun, SOURCES * EXPIRIES);
    for (int i = 0; i < SOURCES; i++)
        nexauth_source_free(crowd.sources[i]);
    pthread_barrier_destroy(&crowd.barrier);
}

/* ---- Storm ----------------------------------------------------------------------------------------------------- */

enum { STORMERS = 6, STEPS = 400 };

/* What all threads of a storm share, and what one has for itself: it alone frees its own source. */
struct storm {
    struct fixture *fixture;
    nexauth_source *shared[SOURCES];
    atomic_int begun, ended, wrong;
};

struct stormer {
    struct storm *storm;
    nexauth_source *own;
    nexauth_call *call;
    uint32_t dice;
    pthread_t thread;
};

static void count_end(void *context, nexauth_token *token, const struct nexauth_error *error)
{
    struct storm *storm = context;

    storm->ended++;
    storm->wrong += !token == !error;
}

static uint32_t roll(struct stormer *self, uint32_t sides)
{
    self->dice ^= self->dice << 13;
    self->dice ^= self->dice >> 17;
    self->dice ^= self->dice << 5;
    return self->dice % sides;
}

static nexauth_source *any_source(struct stormer *self)
{
    const uint32_t number = roll(self, SOURCES + 1);

    return number < SOURCES ? self->storm->shared[number] : self->own;
}

static void step_get(struct stormer *self)
{
    const struct nexauth_get_options options = {.timeout_ms = 1 + roll(self, 300), .min_validity_s = roll(self, 60)};
    nexauth_source *source = any_source(self);
    nexauth_token *token = NULL;

    if (nexauth_source_get_token(source, &options, &token, NULL) == NEXAUTH_OK && roll(self, 8) == 0)
        nexauth_source_reject_token(source, token, NULL);
    else
        nexauth_source_approve_token(source, token);
    nexauth_token_unref(token);
}

static void step_copy(struct stormer *self)
{
    const struct nexauth_get_options options = {.timeout_ms = 1 + roll(self, 300)};
    nexauth_source *source = any_source(self);
    char text[64];
    size_t length;

    if (nexauth_source_copy_token(source, &options, text, sizeof text, &length, NULL) == NEXAUTH_OK)
        nexauth_source_reject_copy(source, roll(self, 8) ? "another" : text, NULL);
}

static void step_start(struct stormer *self)
{
    const struct nexauth_get_options options = {.timeout_ms = 1 + roll(self, 300)};

    nexauth_call_unref(self->call);
    self->call = NULL;
    if (nexauth_source_start(any_source(self), &options, count_end, self->storm, &self->call, NULL) == NEXAUTH_OK)
        self->storm->begun++;
}

static void step_poll(struct stormer *self)
{
    nexauth_session_poll(self->storm->fixture->session, roll(self, 20), NULL);
}

static void step_cancel(struct stormer *self)
{
    nexauth_call_cancel(self->call);
}

static void step_renew_source(struct stormer *self)
{
    nexauth_source_free(self->own);
    self->own = NULL;
    nexauth_source_new_nex_controller(self->storm->fixture->session, &fixture_controller, &self->own, NULL);
}

static void step_look(struct stormer *self)
{
    struct nexauth_stats stats;
    int descriptor;

    nexauth_source_stats(any_source(self), &stats, NULL);
    nexauth_session_timeout_ms(self->storm->fixture->session);
    nexauth_session_descriptor(self->storm->fixture->session, &descriptor, NULL);
}

static void step_wake(struct stormer *self)
{
    nexauth_session_wakeup(self->storm->fixture->session);
}

static void step_time(struct stormer *self)
{
    script_pass_ms(&self->storm->fixture->script, roll(self, 30000));
}

static void *rage(void *context)
{
    static void (*const steps[])(struct stormer *) = {step_get,          step_get,  step_copy, step_start,
                                                      step_start,        step_poll, step_poll, step_cancel,
                                                      step_renew_source, step_look, step_wake, step_time};
    struct stormer *self = context;

    for (int i = 0; i < STEPS; i++)
        steps[roll(self, sizeof steps / sizeof *steps)](self);
    return NULL;
}

static void make_storm(struct storm *storm, struct stormer *stormers)
{
    for (int i = 0; i < SOURCES; i++)
        storm->shared[i] = fixture_new_controller(storm->fixture);
    for (int i = 0; i < STORMERS; i++) {
        stormers[i] = (struct stormer){.storm = storm, .dice = 2463534242U + (uint32_t)i};
        stormers[i].own = fixture_new_controller(storm->fixture);
        create(&stormers[i].thread, rage, &stormers[i]);
    }
    for (int i = 0; i < STORMERS; i++)
        pthread_join(stormers[i].thread, NULL);
}

/* Ends what is named, in this order: s the session, o the sources of single threads, a those of all, c the calls. */
static void end_storm(struct storm *storm, struct stormer *stormers, const char *order)
{
    for (; *order; order++) {
        if (*order == 's')
            nexauth_session_free(storm->fixture->session);
        for (int i = 0; i < STORMERS; i++) {
            if (*order == 'o')
                nexauth_source_free(stormers[i].own);
            if (*order == 'c')
                nexauth_call_unref(stormers[i].call);
            if (*order == 'a' && i < SOURCES)
                nexauth_source_free(storm->shared[i]);
        }
    }
    storm->fixture->session = NULL;
}

static void a_storm_of_all_verbs_breaks_and_leaks_nothing(void **state)
{
    const char *const orders[] = {"oacs", "scoa", "cosa", "asoc"};

    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        struct stormer stormers[STORMERS];
        struct storm storm = {0};

        assert_int_equal(fixture_set_up(state), 0);
        storm.fixture = *state;
        script_answer_always(&storm.fixture->script,
                             (struct script_answer){.status = 200, .takes_ms = 40, .body = TOKEN});
        script_answer(&storm.fixture->script, never);
        script_answer(&storm.fixture->script, (struct script_answer){.loss = NX_LOSS_CUT});
        make_storm(&storm, stormers);
        end_storm(&storm, stormers, orders[i]);
        assert_int_equal(storm.ended, storm.begun); /* each callback once */
        assert_int_equal(storm.wrong, 0);
        assert_in_range(storm.begun, STORMERS * STEPS / 20, STORMERS * STEPS);
        fixture_tear_down(state);
    }
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(each_expiry_costs_one_request_however_many_wait),
        cmocka_unit_test(a_storm_of_all_verbs_breaks_and_leaks_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
