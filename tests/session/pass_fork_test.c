/* Permits when a process forks: what the parent has is the parent's. */
#include "session/pass_rig.h"
#include "support/child.h"
#include "support/test.h"

#include "session/pass.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>

enum { LONG_MS = 600000 };

static const struct nexauth_answer fine = {.http_status = 200};

/* What a test hands to its child. */
struct scene {
    struct rig *rig;
    nexauth_permit *permit;
    nexauth_call *call;
    struct carried carried;
};

/* Slots that are taken, as the child's copy of the ledger has it. */
static int64_t used(struct scene *scene)
{
    struct nexauth_limit_state limits[RIG_LIMITS] = {{0}};
    size_t count = 0;

    if (nexauth_session_limits(scene->rig->fixture.session, limits, RIG_LIMITS, &count, NULL) || count != 1)
        return -1;
    return limits[0].used;
}

/* Whether nothing keeps the session any more: then its descriptor is closed. */
static bool free_all(struct scene *scene)
{
    int descriptor = -1;

    if (nexauth_session_descriptor(scene->rig->fixture.session, &descriptor, NULL))
        return false;
    nexauth_source_free(scene->rig->source);
    nexauth_session_free(scene->rig->fixture.session);
    return fcntl(descriptor, F_GETFD) == -1;
}

static bool try_to_end(const struct child *me, void *context)
{
    struct scene *scene = context;
    struct nexauth_error error = {0};
    const bool refused = nexauth_permit_end(scene->permit, &fine, &error) == NEXAUTH_INVALID &&
                         nexauth_permit_send_again(scene->permit, NULL) == NEXAUTH_INVALID;

    (void)me;
    nexauth_permit_free(scene->permit);
    script_pass_ms(&scene->rig->fixture.script, LONG_MS);
    return refused && error.status == NEXAUTH_INVALID && used(scene) == 1 && free_all(scene) && child_leaks_nothing();
}

static void a_parents_permit_is_not_the_childs_to_end(void **state)
{
    struct scene scene = {.rig = rig_new_nex(1)};

    (void)state;
    scene.permit = rig_take(scene.rig->source, NEX_URL);
    assert_int_equal(child_run(try_to_end, &scene), 0);
    assert_int_equal(rig_end(scene.permit, &fine, NULL), NEXAUTH_OK);
    rig_free(scene.rig);
}

static bool have_ones_own(const struct child *me, void *context)
{
    struct scene *scene = context;
    nexauth_permit *permit = NULL;

    (void)me;
    if (rig_try(scene->rig->source, NEX_URL, 0, &permit, NULL))
        return false;
    return nexauth_permit_send_again(permit, NULL) == NEXAUTH_OK && rig_end(permit, &fine, NULL) == NEXAUTH_OK;
}

static void a_child_has_permits_of_its_own(void **state)
{
    struct scene scene = {.rig = rig_new_nex(2)};

    (void)state;
    assert_int_equal(child_run(have_ones_own, &scene), 0);
    rig_free(scene.rig);
}

/* ---- Who waits in the parent ------------------------------------------------------------------------------------- */

static bool run_nothing(const struct child *me, void *context)
{
    struct scene *scene = context;
    struct script *script = &scene->rig->fixture.script;

    (void)me;
    memset(script->under_way, 0, sizeof script->under_way); /* a transport forgets what its parent sent */
    script_pass_ms(script, LONG_MS);
    if (nexauth_session_poll(scene->rig->fixture.session, 1000, NULL) || scene->carried.runs)
        return false;
    nexauth_call_cancel(scene->call);
    nexauth_call_unref(scene->call);
    nexauth_permit_free(scene->permit);
    return free_all(scene) && !scene->carried.runs && child_leaks_nothing();
}

/* They wait for a token, for a turn, or for the next poll. */
static void calls_of_the_parent_do_not_run_in_the_child(void **state)
{
    (void)state;
    for (int phase = 0; phase < 3; phase++) {
        struct scene scene = {.rig = rig_new_nex(phase == 2 ? 2 : 1)};

        if (phase == 0) {
            nexauth_source_free(scene.rig->source);
            scene.rig->source = rig_controller(scene.rig, 1);
            script_answer(&scene.rig->fixture.script,
                          (struct script_answer){.status = 200,
                                                 .takes_ms = 1000,
                                                 .body = "{\"access_token\":\"two\",\"expires_in\":3600}"});
        } else {
            scene.permit = rig_take(scene.rig->source, NEX_URL);
        }
        carried_start(scene.rig->source, NEX_URL, 0, &scene.carried, &scene.call);
        if (phase < 2)
            assert_int_equal(nexauth_session_poll(scene.rig->fixture.session, 0, NULL), NEXAUTH_OK);
        assert_int_equal(child_run(run_nothing, &scene), 0);
        if (scene.permit)
            assert_int_equal(rig_end(scene.permit, &fine, NULL), NEXAUTH_OK);
        carried_poll(scene.rig, &scene.carried);
        carried_finish(&scene.carried);
        nexauth_call_unref(scene.call);
        rig_free(scene.rig);
    }
}

struct waiting {
    struct rig *rig;
    nexauth_permit *out, *permit;
    struct nx_pass pass; /* as on the stack of a thread that performs */
    bool performs;
    nexauth_status status;
    pthread_t thread;
};

static void *wait_for_permit(void *context)
{
    struct waiting *waiting = context;
    const int64_t deadline_ms = rig_now_ms(waiting->rig) + LONG_MS;

    if (waiting->performs)
        waiting->status = nx_pass_wait(&waiting->pass, deadline_ms, NULL);
    else
        waiting->status = rig_try(waiting->rig->source, NEX_URL, LONG_MS, &waiting->permit, NULL);
    return NULL;
}

static bool free_what_a_thread_waits_for(const struct child *me, void *context)
{
    struct waiting *waiting = context;

    (void)me;
    waiting->rig->fixture.script.blocks = false;
    memset(&waiting->pass, 0xff, sizeof waiting->pass); /* that thread's stack is nobody's here */
    nexauth_permit_free(waiting->out);
    return nexauth_session_poll(waiting->rig->fixture.session, 1000, NULL) == NEXAUTH_OK &&
           free_all(&(struct scene){.rig = waiting->rig});
}

static void a_thread_that_waits_in_the_parent_is_none_in_the_child(void **state)
{
    (void)state;
    for (int performs = 0; performs <= 1; performs++) {
        struct waiting waiting = {.rig = rig_new_nex(1), .performs = performs};
        struct script *script = &waiting.rig->fixture.script;

        waiting.out = rig_take(waiting.rig->source, NEX_URL);
        assert_int_equal(nx_pass_init(&waiting.pass, waiting.rig->source, NEX_URL, NULL), NEXAUTH_OK);
        script->blocks = true;
        assert_int_equal(pthread_create(&waiting.thread, NULL, wait_for_permit, &waiting), 0);
        while (!script_sleeps(script))
            sched_yield();
        assert_int_equal(child_run(free_what_a_thread_waits_for, &waiting), 0);
        nexauth_session_free(waiting.rig->fixture.session);
        waiting.rig->fixture.session = NULL;
        pthread_join(waiting.thread, NULL);
        assert_int_equal(waiting.status, NEXAUTH_CANCELED);
        nx_pass_release(&waiting.pass);
        nexauth_permit_free(waiting.out);
        rig_free(waiting.rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_parents_permit_is_not_the_childs_to_end),
        cmocka_unit_test(a_child_has_permits_of_its_own),
        cmocka_unit_test(calls_of_the_parent_do_not_run_in_the_child),
        cmocka_unit_test(a_thread_that_waits_in_the_parent_is_none_in_the_child),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
