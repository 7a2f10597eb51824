/* Threads that wait for permits: others free what they wait at, callbacks wait for more, and all verbs get along. */
#include "session/pass_rig.h"
#include "support/test.h"

#include "session/pass.h"
#include "session/session.h"

#include <sched.h>
#include <stdatomic.h>

static const struct nexauth_answer fine = {.http_status = 200, .content_type = "application/json"};
static const struct nexauth_answer unsent = {.loss = NEXAUTH_LOSS_UNSENT};

struct waiting {
    nexauth_source *source;
    nexauth_permit *permit;
    struct nexauth_error error;
    nexauth_status status;
    pthread_t thread;
};

static void *wait_for_permit(void *context)
{
    struct waiting *waiting = context;

    waiting->status = rig_try(waiting->source, NEX_URL, 3600000, &waiting->permit, &waiting->error);
    return NULL;
}

static uint32_t count_waiting(struct rig *rig)
{
    struct nexauth_limit_state limits[RIG_LIMITS] = {{0}};
    size_t count = 0;

    assert_int_equal(nexauth_session_limits(rig->fixture.session, limits, RIG_LIMITS, &count, NULL), NEXAUTH_OK);
    assert_int_equal(count, 1);
    return (uint32_t)limits[0].waiting;
}

/* Another thread waits for its turn from here on. */
static void begin_to_wait(struct rig *rig, struct waiting *waiting, nexauth_source *source)
{
    const uint32_t before = count_waiting(rig);

    if (!rig->fixture.script.blocks) /* or others wait by it already */
        rig->fixture.script.blocks = true;
    *waiting = (struct waiting){.source = source};
    assert_int_equal(pthread_create(&waiting->thread, NULL, wait_for_permit, waiting), 0);
    while (count_waiting(rig) == before)
        sched_yield();
}

static void await_canceled(struct waiting *waiting)
{
    pthread_join(waiting->thread, NULL);
    assert_int_equal(waiting->status, NEXAUTH_CANCELED);
    assert_int_equal(waiting->error.status, NEXAUTH_CANCELED);
    assert_null(waiting->permit);
}

static void a_source_may_be_freed_while_threads_wait_for_turns(void **state)
{
    struct rig *rig = rig_new_nex(1);
    nexauth_permit *out = rig_take(rig->source, NEX_URL);
    struct waiting waiting[2];

    (void)state;
    for (int i = 0; i < 2; i++)
        begin_to_wait(rig, &waiting[i], rig->source);
    nexauth_source_free(rig->source);
    rig->source = NULL;
    for (int i = 0; i < 2; i++)
        await_canceled(&waiting[i]);
    nexauth_permit_free(out);
    rig_free(rig);
}

static void a_session_may_be_freed_while_threads_wait_for_turns(void **state)
{
    struct rig *rig = rig_new_nex(1);
    nexauth_permit *out = rig_take(rig->source, NEX_URL);
    struct waiting waiting[2];

    (void)state;
    for (int i = 0; i < 2; i++)
        begin_to_wait(rig, &waiting[i], rig->source);
    nexauth_session_free(rig->fixture.session);
    rig->fixture.session = NULL;
    for (int i = 0; i < 2; i++)
        await_canceled(&waiting[i]);
    assert_true(rig->fixture.script.freed);
    nexauth_permit_free(out);
    rig_free(rig);
}

static void who_goes_leaves_the_others_in_the_queue(void **state)
{
    struct rig *rig = rig_new_nex(1);
    nexauth_source *other = rig_controller(rig, 1);
    nexauth_permit *out;
    struct waiting first;
    struct waiting second;

    (void)state;
    rig_get_token(rig, other, "two");
    rig_pass_ms(rig, 2000);
    out = rig_take(rig->source, NEX_URL);
    begin_to_wait(rig, &first, other);
    begin_to_wait(rig, &second, rig->source);
    nexauth_source_free(other);
    await_canceled(&first);
    assert_int_equal(rig_end(out, &unsent, NULL), NEXAUTH_OK);
    pthread_join(second.thread, NULL);
    assert_int_equal(second.status, NEXAUTH_OK);
    assert_string_equal(nexauth_permit_header(second.permit), "Authorization: Bearer one");
    assert_int_equal(rig_end(second.permit, &fine, NULL), NEXAUTH_OK);
    rig_free(rig);
}

/* ---- Freed between the token and the turn ------------------------------------------------------------------------ */

static struct rig *striking; /* a look at the clock frees its source, or its session */
static int looks;            /* until then: the first one is with the lock, and finds the token not fresh */
static bool strikes_session;
static struct nx_moment (*coarse)(void *context);

static struct nx_moment strike(void *context)
{
    struct rig *rig = --looks ? NULL : striking;

    if (looks > 0)
        return (struct nx_moment){.mono_ns = INT64_MAX / 2, .wall_ns = INT64_MAX / 2};
    striking = NULL;
    if (rig && strikes_session) {
        nexauth_session_free(rig->fixture.session);
        rig->fixture.session = NULL;
    } else if (rig) {
        nexauth_source_free(rig->source);
        rig->source = NULL;
    }
    return coarse(context);
}

static void what_is_freed_when_the_token_has_come_has_no_more_turns(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct rig *rig = rig_new_nex(1);
        nexauth_permit *out = i / 2 ? rig_take(rig->source, NEX_URL) : NULL; /* a turn would be waited for */
        nexauth_permit *permit = NULL;

        strikes_session = i % 2;
        coarse = rig->fixture.session->world.clock.coarse;
        rig->fixture.session->world.clock.coarse = strike;
        striking = rig;
        looks = 2;
        assert_int_equal(rig_try(rig->source, NEX_URL, 0, &permit, NULL), NEXAUTH_CANCELED);
        assert_null(permit);
        assert_null(striking);
        nexauth_permit_free(out);
        rig_free(rig);
    }
}

/* ---- Within the library's callbacks ------------------------------------------------------------------------------ */

struct errand {
    struct rig *rig;
    nexauth_source *saved, *other;
    nexauth_status own, others;
    int64_t waited_ms;
};

static nexauth_status save(void *context, nexauth_token *token)
{
    struct errand *errand = context;
    const int64_t begun_ms = rig_now_ms(errand->rig);
    nexauth_permit *permit = NULL;

    (void)token;
    errand->own = rig_try(errand->saved, NEX_URL, 0, &permit, NULL);
    errand->others = rig_try(errand->other, NEX_URL, 0, &permit, NULL);
    errand->waited_ms = rig_now_ms(errand->rig) - begun_ms;
    nexauth_permit_free(permit);
    return NEXAUTH_OK;
}

static void a_callback_waits_for_permits_of_other_sources_alone(void **state)
{
    (void)state;
    for (int polled = 0; polled <= 1; polled++) {
        struct errand errand = {.rig = rig_new_nex(1)};
        struct carried carried = {0};

        errand.other = errand.rig->source;
        errand.saved = rig_controller(errand.rig, 1);
        assert_int_equal(nexauth_source_set_save(errand.saved, save, &errand, NULL), NEXAUTH_OK);
        fixture_answer_token(&errand.rig->fixture, "two", "3600");
        if (polled) {
            carried_start(errand.saved, NEX_URL, 3600000, &carried, NULL);
            carried_poll(errand.rig, &carried);
        } else {
            carried.runs = 1;
            assert_int_equal(rig_try(errand.saved, NEX_URL, 3600000, &carried.permit, NULL), NEXAUTH_OK);
        }
        assert_int_equal(errand.own, NEXAUTH_INVALID);
        assert_int_equal(errand.others, NEXAUTH_OK);
        assert_int_equal(errand.waited_ms, 1001); /* after the request for the token */
        carried_finish(&carried);
        nexauth_source_free(errand.saved);
        rig_free(errand.rig);
    }
}

/* ---- Storm ------------------------------------------------------------------------------------------------------- */

enum { STORMERS = 6, STEPS = 300 };

struct storm {
    struct rig *rig;
    atomic_int begun, ended, wrong;
    atomic_int over; /* threads that have done all their steps */
};

struct stormer {
    struct storm *storm;
    nexauth_source *own;
    nexauth_call *call;
    nexauth_permit *kept;
    uint32_t dice;
    pthread_t thread;
};

static uint32_t roll(struct stormer *self, uint32_t sides)
{
    self->dice ^= self->dice << 13;
    self->dice ^= self->dice >> 17;
    self->dice ^= self->dice << 5;
    return self->dice % sides;
}

static void end_somehow(nexauth_permit *permit, uint32_t how)
{
    static const struct nexauth_answer answers[] = {
        {.http_status = 200},
        {.http_status = 401, .content_type = "application/json"},
        {.http_status = 503, .retry_after = "1"},
        {.http_status = 429, .retry_after = "1"},
        {.loss = NEXAUTH_LOSS_UNSENT},
        {.loss = NEXAUTH_LOSS_UNKNOWN},
    };

    if (how < sizeof answers / sizeof *answers)
        nexauth_permit_end(permit, &answers[how], NULL);
    nexauth_permit_free(permit);
}

static void note_end(void *context, nexauth_permit *permit, const struct nexauth_error *error)
{
    struct storm *storm = context;

    storm->wrong += !permit == !error;
    end_somehow(permit, (uint32_t)storm->ended++ % 7);
}

static nexauth_source *any_source(struct stormer *self)
{
    return roll(self, 3) ? self->storm->rig->source : self->own;
}

static void step_begin(struct stormer *self)
{
    nexauth_permit *permit = NULL;

    if (rig_try(any_source(self), NEX_URL, 1 + roll(self, 3000), &permit, NULL))
        return;
    nexauth_permit_send_again(permit, NULL);
    end_somehow(self->kept, roll(self, 7));
    self->kept = permit;
}

static void step_start(struct stormer *self)
{
    const struct nexauth_permit_options options = {.url = NEX_URL, .timeout_ms = 1 + roll(self, 3000)};

    nexauth_call_unref(self->call);
    self->call = NULL;
    if (nexauth_permit_start(any_source(self), &options, note_end, self->storm, &self->call, NULL) == NEXAUTH_OK)
        self->storm->begun++;
}

static void step_poll(struct stormer *self)
{
    nexauth_session_poll(self->storm->rig->fixture.session, roll(self, 20), NULL);
}

static void step_cancel(struct stormer *self)
{
    nexauth_call_cancel(self->call);
}

static void step_look(struct stormer *self)
{
    struct nexauth_limit_state limits[RIG_LIMITS];
    size_t count;

    nexauth_session_timeout_ms(self->storm->rig->fixture.session);
    nexauth_session_limits(self->storm->rig->fixture.session, limits, RIG_LIMITS, &count, NULL);
}

static void step_renew_source(struct stormer *self)
{
    nexauth_source_free(self->own);
    self->own = NULL;
    nexauth_source_new_nex_controller(self->storm->rig->fixture.session, &fixture_controller, &self->own, NULL);
}

static void *rage(void *context)
{
    static void (*const steps[])(struct stormer *) = {step_begin, step_begin,  step_start, step_start,       step_poll,
                                                      step_poll,  step_cancel, step_look,  step_renew_source};
    struct stormer *self = context;

    for (int i = 0; i < STEPS; i++)
        steps[roll(self, sizeof steps / sizeof *steps)](self);
    self->storm->over++;
    return NULL;
}

static void run_storm(struct storm *storm, struct stormer *stormers, bool session_first)
{
    for (int i = 0; i < STORMERS; i++) {
        stormers[i] = (struct stormer){.storm = storm, .dice = 2463534242U + (uint32_t)i};
        step_renew_source(&stormers[i]);
        assert_int_equal(pthread_create(&stormers[i].thread, NULL, rage, &stormers[i]), 0);
    }
    while (storm->over < STORMERS) { /* time passes by itself, whoever waits */
        script_pass_ms(&storm->rig->fixture.script, 20);
        script_rouse(&storm->rig->fixture.script);
        sched_yield();
    }
    for (int i = 0; i < STORMERS; i++)
        pthread_join(stormers[i].thread, NULL);
    storm->rig->fixture.script.blocks = false; /* nobody waits any more */
    if (session_first) {
        nexauth_session_free(storm->rig->fixture.session);
        storm->rig->fixture.session = NULL;
    }
    for (int i = 0; i < STORMERS; i++) {
        nexauth_source_free(stormers[i].own);
        nexauth_call_unref(stormers[i].call);
        end_somehow(stormers[i].kept, 0);
    }
}

static void a_storm_of_all_verbs_breaks_and_leaks_nothing(void **state)
{
    (void)state;
    for (int session_first = 0; session_first <= 1; session_first++) {
        struct storm storm = {.rig = rig_new_nex(4)};
        struct stormer stormers[STORMERS];

        script_answer_always(&storm.rig->fixture.script,
                             (struct script_answer){.status = 200,
                                                    .takes_ms = 40,
                                                    .body = "{\"access_token\":\"shared\",\"expires_in\":100}"});
        storm.rig->fixture.script.blocks = true; /* else who waits for what another does would pass the time of ages */
        run_storm(&storm, stormers, session_first);
        rig_free(storm.rig);
        assert_int_equal(storm.ended, storm.begun); /* each callback once */
        assert_int_equal(storm.wrong, 0);
        assert_in_range(storm.begun, STORMERS * STEPS / 20, STORMERS * STEPS);
    }
}

/* ---- The last moment --------------------------------------------------------------------------------------------- */

/* Permits as the door has them, but a turn comes just when who waits for it has run out of time: as if it had been
 * granted before, by a thread that comes to say so only now. */
static struct {
    struct nx_permits_verbs verbs;
    const struct nx_permits_verbs *real;
    struct script *script;
    struct nx_permit *out; /* whose slot comes back then */
    void (*granted)(struct nx_permit *permit);
    atomic_bool has_come;
    pthread_t thread;
} moment;

static void note_granted(struct nx_permit *permit)
{
    moment.has_come = true;
    for (int i = 0; i < 100; i++)
        sched_yield(); /* one that did not wait for this would be gone by now */
    moment.granted(permit);
}

static enum nx_turn enter_noting(struct nx_permits *permits, struct nx_permit *permit,
                                 const struct nx_permit_wish *wish, int64_t *wait_ms)
{
    struct nx_permit_wish longer = *wish;

    longer.patience_ms += 1000;
    moment.granted = permit->granted;
    permit->granted = note_granted;
    return moment.real->enter(permits, permit, &longer, wait_ms);
}

static void *turn(void *permits)
{
    moment.real->turn(permits);
    return NULL;
}

static bool leave_too_late(struct nx_permits *permits, struct nx_permit *permit)
{
    static const struct nx_outcome back = {.end = NX_END_UNSENT};

    moment.script->blocks = true; /* else who waits for the other thread would pass the time of ages */
    moment.real->end(permits, moment.out, &back);
    assert_int_equal(pthread_create(&moment.thread, NULL, turn, permits), 0);
    while (!moment.has_come)
        sched_yield();
    return moment.real->leave(permits, permit);
}

static void a_turn_that_comes_in_the_last_moment_is_taken(void **state)
{
    struct rig *rig = rig_new_nex(1);
    nexauth_permit *out = rig_take(rig->source, NEX_URL);
    nexauth_permit *permit = NULL;

    (void)state;
    moment.real = rig->door.keeper.base.verbs;
    moment.verbs = *moment.real;
    moment.verbs.enter = enter_noting;
    moment.verbs.leave = leave_too_late;
    moment.script = &rig->fixture.script;
    moment.out = &out->pass.permit;
    rig->door.keeper.base.verbs = &moment.verbs;
    rig_pass_ms(rig, 2000);
    assert_int_equal(rig_try(rig->source, NEX_URL, 5000, &permit, NULL), NEXAUTH_OK);
    assert_true(permit->pass.done);
    assert_int_equal(pthread_join(moment.thread, NULL), 0);
    moment.script->blocks = false;
    assert_int_equal(rig_end(permit, &fine, NULL), NEXAUTH_OK);
    nexauth_permit_free(out);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_source_may_be_freed_while_threads_wait_for_turns),
        cmocka_unit_test(a_session_may_be_freed_while_threads_wait_for_turns),
        cmocka_unit_test(who_goes_leaves_the_others_in_the_queue),
        cmocka_unit_test(what_is_freed_when_the_token_has_come_has_no_more_turns),
        cmocka_unit_test(a_callback_waits_for_permits_of_other_sources_alone),
        cmocka_unit_test(a_turn_that_comes_in_the_last_moment_is_taken),
        cmocka_unit_test(a_storm_of_all_verbs_breaks_and_leaks_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
