/*
 * Takes the session, its flights and the engine through all interleavings of a few callers, within a bound:
 * nexauth-model [-PREEMPTIONS] [SCENARIO...], all of them without a name. Ends at the first schedule in which something
 * is amiss. nexauth-model --names says what there is.
 */
#include "callers.h"
#include "inside.h"
#include "memory.h"
#include "service.h"
#include "session/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { IMPATIENT_MS = 5000, PATIENT_MS = 40000, AGE_MS = 80000, EXPIRY_MS = 120000, SAVE_MS = 1000 };

struct stage {
    nexauth_session *session;
    struct nx_engine *engine;
    nexauth_source *source, *other;
};

struct scenario {
    const char *name;
    void (*play)(void);
    struct bound bound;
    int failures;
    bool no_memory; /* for one acquisition */
};

static const struct scenario *scenario;
static struct stage stage;

static void look_inside(void)
{
    const char *fault = stage.engine ? inside_fault(stage.engine) : NULL;

    if (fault)
        schedule_fail("%s", fault);
}

/* ---- Before and after ------------------------------------------------------------------------------------------- */

static void set_up(void)
{
    const struct nexauth_session_options options = {.exchange_timeout_ms = 30000, .max_answer_bytes = 4096};
    struct nx_world world;

    service_begin();
    memory_begin(sizeof(struct nx_acquisition));
    world = service_world();
    if (nx_session_new_in(&world, &options, &stage.session, NULL))
        schedule_fail("no session");
    stage.engine = stage.session->engine;
    stage.source = NULL;
    stage.other = NULL;
    cast_begin(stage.session);
    service_spawn();
}

/* A source with a refresh token; one that can connect, too, when there is an xspe and no web handler. */
static nexauth_source *new_authorized(const char *xspe, int web_handler)
{
    const struct nexauth_nexusguard_user_options options = {.app_id = "app",
                                                            .secret = "secret",
                                                            .redirect_uri = "https://app.example.com/callback",
                                                            .customer_id = "C-1",
                                                            .xspe = xspe,
                                                            .refresh_token = "refresh-0",
                                                            .web_handler = web_handler};
    nexauth_source *source = NULL;

    if (nexauth_source_new_nexusguard_user(stage.session, &options, &source, NULL) ||
        nexauth_source_set_save(source, service_save, NULL, NULL))
        schedule_fail("no source");
    return source;
}

static nexauth_source *new_customer(const char *xspe)
{
    return new_authorized(xspe, 0);
}

static nexauth_source *new_controller(void)
{
    const struct nexauth_nex_controller_options options = {
        .client_id = "id", .client_secret = "secret", .controller_id = "C", .controller_secret = "word"};
    nexauth_source *source = NULL;

    if (nexauth_source_new_nex_controller(stage.session, &options, &source, NULL) ||
        nexauth_source_set_save(source, service_save, NULL, NULL))
        schedule_fail("no source");
    return source;
}

static nexauth_token *get_first(void)
{
    nexauth_token *token = NULL;

    if (nexauth_source_get_token(stage.source, NULL, &token, NULL))
        schedule_fail("no first token");
    return token;
}

static void let_go(void)
{
    service_allow(scenario->failures);
    memory_allow(scenario->no_memory);
    schedule_unleash(true);
    cast_wait();
    schedule_unleash(false);
    service_allow(0);
    memory_allow(0);
}

static void tear_down(void)
{
    cast.ended = true;
    if (cast.session)
        nexauth_session_free(cast.session);
    stage.engine = NULL;
    for (int i = 0; i < cast.count; i++) {
        if (cast.callers[i].call && cast.callers[i].called != 1)
            schedule_fail("a callback ran %d times", cast.callers[i].called);
    }
    nexauth_source_free(stage.source);
    nexauth_source_free(stage.other);
    service_end();
    memory_end();
}

static void play(void)
{
    set_up();
    scenario->play();
    let_go();
    tear_down();
}

/* ---- The scenarios ---------------------------------------------------------------------------------------------- */

static struct caller *meet(void)
{
    struct caller *poller;

    cast_get(cast_add(stage.source, IMPATIENT_MS));
    poller = cast_add(stage.source, PATIENT_MS);
    cast_poll(poller);
    return poller;
}

static void two_meet(void)
{
    stage.source = new_customer(NULL);
    meet();
}

static void three_meet(void)
{
    stage.source = new_customer(NULL);
    meet();
    cast_get(cast_add(stage.source, PATIENT_MS));
}

static void cancel(void)
{
    stage.source = new_customer(NULL);
    cast_cancel(meet());
}

static void reject(void)
{
    nexauth_token *token;

    stage.source = new_customer(NULL);
    token = get_first();
    meet()->rejects = nexauth_token_ref(token);
    cast.callers[0].rejects = token;
}

static void free_source(void)
{
    stage.source = new_customer(NULL);
    meet();
    cast_free_source(stage.source);
    stage.source = NULL;
}

static void free_session(void)
{
    stage.source = new_customer(NULL);
    cast_free_session(meet());
}

static void two_sources(void)
{
    stage.source = new_customer(NULL);
    stage.other = new_controller();
    cast_get(cast_add(stage.source, IMPATIENT_MS));
    cast_get(cast_add(stage.other, PATIENT_MS));
    cast_get(cast_add(stage.source, PATIENT_MS));
}

static void try_again(void)
{
    stage.source = new_controller();
    meet();
}

static void connect(void)
{
    stage.source = new_customer("spe-portal");
    meet();
}

static bool never(void *context)
{
    (void)context;
    return false;
}

static void renew_early(void)
{
    stage.source = new_customer(NULL);
    nexauth_token_unref(get_first());
    schedule_wait("lets the token age", never, NULL, AGE_MS, false);
    meet();
    cast_get(cast_add(stage.source, PATIENT_MS));
}

static void block_in_callback(void)
{
    struct caller *poller;

    stage.source = new_customer(NULL);
    poller = cast_add(stage.source, PATIENT_MS);
    poller->rejects_again = true;
    cast_poll(poller);
    cast_get(cast_add(stage.source, IMPATIENT_MS));
}

static void two_in_a_row(void)
{
    struct caller *caller;

    stage.source = new_customer(NULL);
    caller = cast_add(stage.source, PATIENT_MS);
    caller->pause_ms = EXPIRY_MS;
    cast_get(caller);
    cast_get(cast_add(stage.source, IMPATIENT_MS));
}

static void impatient_poll(void)
{
    stage.source = new_customer(NULL);
    cast_poll(cast_add(stage.source, IMPATIENT_MS));
    cast_get(cast_add(stage.source, PATIENT_MS));
}

/* Nobody but who waits for something else turns the engine for the call, and the poll has been called already. */
static void start_beside(void)
{
    nexauth_session_wakeup(stage.session);
    stage.source = new_customer(NULL);
    stage.other = new_controller();
    cast_start(cast_add(stage.other, PATIENT_MS));
    cast_get(cast_add(stage.source, PATIENT_MS));
}

/* While one thread is busy with a callback, the other goes on. */
static void save_slowly(void)
{
    stage.source = new_customer(NULL);
    stage.other = new_controller();
    service_save_for(SAVE_MS);
    cast_get(cast_add(stage.source, PATIENT_MS));
    cast_get(cast_add(stage.other, PATIENT_MS));
}

static void bring_code(void)
{
    stage.source = new_authorized("spe-portal", 1);
    meet();
    cast.callers[0].pause_ms = EXPIRY_MS;
    cast_bring(stage.source);
}

/* For a time nobody waits for the flight. */
static void neglect(void)
{
    struct caller *caller;

    stage.source = new_customer(NULL);
    caller = cast_add(stage.source, IMPATIENT_MS);
    caller->pause_ms = EXPIRY_MS;
    cast_get(caller);
    cast_poll(cast_add(stage.source, IMPATIENT_MS));
}

static void end_slowly(void)
{
    stage.source = new_customer(NULL);
    service_save_for(SAVE_MS);
    cast_free_session(meet());
}

static const struct scenario scenarios[] = {
    {"two_meet", two_meet, {2, false, false}, 1, false},
    {"hasty", two_meet, {2, true, false}, 1, false},
    {"spurious", two_meet, {2, false, true}, 1, false},
    {"no_memory", two_meet, {2, false, false}, 0, true},
    {"three_meet", three_meet, {1, false, false}, 1, false},
    {"cancel", cancel, {1, false, false}, 1, false},
    {"reject", reject, {2, false, false}, 1, false},
    {"free_source", free_source, {2, false, false}, 1, false},
    {"free_session", free_session, {1, false, false}, 1, false},
    {"two_sources", two_sources, {1, false, false}, 1, false},
    {"try_again", try_again, {2, false, false}, 1, false},
    {"connect", connect, {2, false, false}, 1, false},
    {"renew_early", renew_early, {2, false, false}, 1, false},
    {"two_in_a_row", two_in_a_row, {2, false, false}, 1, false},
    {"impatient_poll", impatient_poll, {2, false, false}, 1, false},
    {"start_beside", start_beside, {2, false, false}, 1, false},
    {"save_slowly", save_slowly, {2, false, false}, 0, false},
    {"bring_code", bring_code, {1, false, false}, 1, false},
    {"neglect", neglect, {2, false, false}, 2, false},
    {"end_slowly", end_slowly, {1, false, false}, 0, false},
    {"block_in_callback", block_in_callback, {2, false, false}, 1, false},
};

static bool is_wanted(const char *name, int count, char **names)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return count == 0;
}

static void search(struct bound bound)
{
    const clock_t began = clock();
    const struct figures figures = schedule_all(scenario->name, &bound, play, look_inside);

    printf("%-18s %d preemptions, %llu schedules, %llu points, %d decisions at most, %.1f s\n", scenario->name,
           bound.preemptions, (unsigned long long)figures.schedules, (unsigned long long)figures.points,
           figures.deepest, (double)(clock() - began) / CLOCKS_PER_SEC);
    fflush(stdout);
}

static void list(void)
{
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
        puts(scenarios[i].name);
}

int main(int count, char **arguments)
{
    const bool has_bound = count > 1 && arguments[1][0] == '-';
    const int skipped = has_bound ? 2 : 1;

    if (count == 2 && strcmp(arguments[1], "--names") == 0) {
        list();
        return 0;
    }
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        struct bound bound = scenarios[i].bound;

        if (has_bound)
            bound.preemptions = (int)strtol(arguments[1] + 1, NULL, 10);
        scenario = &scenarios[i];
        if (is_wanted(scenario->name, count - skipped, arguments + skipped))
            search(bound);
    }
    return 0;
}
