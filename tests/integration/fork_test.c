/* What becomes of sessions when a process forks: both go on, each over connections of its own. */
#include "support/test.h"

#include "live.h"
#include "support/child.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define NEX_PATH "nex /v1.0/Token"
#define SLOWLY   "{\"service\":\"nex\",\"path\":\"/v1.0/Token\",\"delay_ms\":2000}"
#define CONNECT  "nexusguard /oauth/connect"
#define REFRESH  "nexusguard /oauth/refresh_token"

/* What OpenSSL has for each thread is nobody's in a child that has not that thread. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:CRYPTO_zalloc\nleak:ERR_vset_error\n";
}

static const struct live_who nex = {.kind = LIVE_NEX_USER};

/* What a test hands to its child. */
struct scene {
    nexauth_session *session;
    nexauth_source *source;
    nexauth_token *token;
    nexauth_status expected;
    int runs; /* of the callback */
    int descriptor;
};

static struct scene scene_of(void **state, const struct live_who *who)
{
    return (struct scene){.session = *state, .source = live_new_source(*state, who)};
}

static nexauth_token *get(nexauth_source *source)
{
    nexauth_token *token = NULL;

    return nexauth_source_get_token(source, NULL, &token, NULL) == NEXAUTH_OK ? token : NULL;
}

/* A new one. */
static bool renew(nexauth_source *source, nexauth_token *token)
{
    nexauth_token *next;
    bool differs;

    if (nexauth_source_reject_token(source, token, NULL) != NEXAUTH_OK)
        return false;
    next = get(source);
    differs = next && strcmp(nexauth_token_access_token(next), nexauth_token_access_token(token)) != 0;
    nexauth_token_unref(next);
    return differs;
}

static void await_in_flight(int requests)
{
    const struct timespec moment = {.tv_nsec = 5000000};

    while (emulator_in_flight(&live_emulator, NEX_PATH) < requests)
        nanosleep(&moment, NULL);
    child_await_quiet();
}

/* ---- Tests ------------------------------------------------------------------------------------------------------- */

static bool have_the_same_token(const struct child *me, void *context)
{
    const struct scene *scene = context;
    nexauth_token *token = get(scene->source);
    const bool same = token && strcmp(nexauth_token_access_token(token), nexauth_token_access_token(scene->token)) == 0;

    (void)me;
    nexauth_token_unref(token);
    return same;
}

static void a_token_at_hand_is_the_childs_too(void **state)
{
    struct scene scene = scene_of(state, &nex);

    scene.token = live_get(scene.source);
    assert_int_equal(child_run(have_the_same_token, &scene), 0);
    assert_int_equal(live_requests(), 1);
    nexauth_token_unref(scene.token);
    nexauth_source_free(scene.source);
}

static bool get_another(const struct child *me, void *context)
{
    struct scene *scene = context;

    (void)me;
    return renew(scene->source, scene->token);
}

static void parent_and_child_use_connections_of_their_own(void **state)
{
    struct scene scene = scene_of(state, &nex);

    scene.token = live_get(scene.source);
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(child_run(get_another, &scene), 0);
        assert_int_equal(emulator_connections(&live_emulator, NEX_PATH), 1 + i);
    }
    assert_true(renew(scene.source, scene.token));
    assert_int_equal(emulator_connections(&live_emulator, NEX_PATH), 4);
    nexauth_token_unref(scene.token);
    nexauth_source_free(scene.source);
}

static int count_sockets(void)
{
    int count = 0;

    for (int i = 0; i < 1024; i++) {
        struct stat found;

        count += fstat(i, &found) == 0 && S_ISSOCK(found.st_mode);
    }
    return count;
}

static bool hold_so_many_sockets(const struct child *me, void *context)
{
    (void)me;
    return count_sockets() == *(int *)context;
}

/* A connection that a child held open would not end when its parent resets it. */
static void a_child_holds_no_connection_of_its_parents_open(void **state)
{
    struct scene scene = scene_of(state, &nex);
    int sockets = count_sockets();

    nexauth_token_unref(live_get(scene.source));
    assert_true(count_sockets() > sockets);
    assert_int_equal(child_run(hold_so_many_sockets, &sockets), 0);
    nexauth_source_free(scene.source);
}

/* The descriptor is closed when nothing keeps the session any more. */
static bool free_all(const struct child *me, void *context)
{
    struct scene *scene = context;
    int descriptor = -1;

    (void)me;
    if (nexauth_session_descriptor(scene->session, &descriptor, NULL) != NEXAUTH_OK)
        return false;
    nexauth_token_unref(scene->token);
    scene->token = NULL;
    nexauth_source_free(scene->source);
    scene->source = NULL;
    nexauth_session_free(scene->session);
    scene->session = NULL;
    return fcntl(descriptor, F_GETFD) == -1 && child_leaks_nothing();
}

static bool renew_and_free_all(const struct child *me, void *context)
{
    struct scene *scene = context;

    return renew(scene->source, scene->token) && free_all(me, context);
}

static void what_a_child_frees_is_as_good_as_before_to_its_parent(void **state)
{
    static const child_work works[] = {free_all, renew_and_free_all};

    for (size_t i = 0; i < sizeof works / sizeof *works; i++) {
        struct scene scene = scene_of(state, &nex);
        int connections;

        scene.token = live_get(scene.source);
        assert_int_equal(child_run(works[i], &scene), 0);
        connections = emulator_connections(&live_emulator, NEX_PATH);
        assert_true(renew(scene.source, scene.token));
        assert_int_equal(emulator_connections(&live_emulator, NEX_PATH), connections);
        nexauth_token_unref(scene.token);
        nexauth_source_free(scene.source);
    }
}

static bool get_one(const struct child *me, void *context)
{
    const struct scene *scene = context;
    nexauth_token *token = get(scene->source);

    (void)me;
    nexauth_token_unref(token);
    return token && child_run(have_the_same_token, &(struct scene){.source = scene->source, .token = token}) == 0;
}

static void *wait_for_token(void *context)
{
    struct scene *scene = context;

    scene->token = get(scene->source);
    return NULL;
}

static void a_child_begins_anew_what_another_thread_waits_for(void **state)
{
    struct scene scene = scene_of(state, &nex);
    pthread_t thread;

    live_fault(SLOWLY);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_token, &scene), 0);
    await_in_flight(1);
    assert_int_equal(child_run(get_one, &scene), 0);
    pthread_join(thread, NULL);
    assert_non_null(scene.token);
    assert_int_equal(live_requests(), 2);
    assert_int_equal(emulator_connections(&live_emulator, NEX_PATH), 2);
    assert_true(renew(scene.source, scene.token));
    assert_int_equal(emulator_connections(&live_emulator, NEX_PATH), 2);
    nexauth_token_unref(scene.token);
    nexauth_source_free(scene.source);
}

static void a_source_that_others_waited_for_ends_in_the_child(void **state)
{
    struct scene scene = scene_of(state, &nex);
    pthread_t thread;

    live_fault(SLOWLY);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_token, &scene), 0);
    await_in_flight(1);
    assert_int_equal(child_run(free_all, &scene), 0);
    pthread_join(thread, NULL);
    assert_non_null(scene.token);
    nexauth_token_unref(scene.token);
    nexauth_source_free(scene.source);
}

static bool get_as_expected(const struct child *me, void *context)
{
    const struct scene *scene = context;
    nexauth_token *token = NULL;
    const nexauth_status status = nexauth_source_get_token(scene->source, NULL, &token, NULL);

    (void)me;
    nexauth_token_unref(token);
    return status == scene->expected;
}

static void a_refresh_token_stays_the_parents(void **state)
{
    struct scene connected = scene_of(state, &(struct live_who){.kind = LIVE_NEXUSGUARD_USER});
    char *saved = live_connect_and_save(*state);
    struct scene alone = scene_of(state, &(struct live_who){.kind = LIVE_NEXUSGUARD_SAVED, .other = saved});

    alone.expected = NEXAUTH_REAUTH;
    assert_int_equal(child_run(get_as_expected, &alone), 0);
    assert_int_equal(live_requests_at(REFRESH), 0);
    nexauth_token_unref(live_get(alone.source));
    assert_int_equal(live_requests_at(REFRESH), 1);
    connected.token = live_get(connected.source);
    connected.expected = NEXAUTH_REAUTH; /* its xspe has served */
    assert_int_equal(nexauth_source_reject_token(connected.source, connected.token, NULL), NEXAUTH_OK);
    assert_int_equal(child_run(get_as_expected, &connected), 0);
    assert_int_equal(live_requests_at(REFRESH), 1);
    nexauth_token_unref(live_get(connected.source));
    assert_int_equal(live_requests_at(REFRESH), 2);
    assert_int_equal(emulator_total_reused(&live_emulator, "refresh_tokens_reused"), 0);
    nexauth_token_unref(connected.token);
    nexauth_source_free(connected.source);
    nexauth_source_free(alone.source);
    free(saved);
}

static void a_child_connects_where_its_parent_has_not(void **state)
{
    struct scene scene = scene_of(state, &(struct live_who){.kind = LIVE_NEXUSGUARD_USER});

    assert_int_equal(child_run(get_as_expected, &scene), 0);
    assert_int_equal(live_requests_at(CONNECT), 1);
    nexauth_source_free(scene.source);
}

static void a_code_that_was_brought_stays_the_parents(void **state)
{
    struct scene scene = scene_of(state, &(struct live_who){.kind = LIVE_NEXUSGUARD_WEB});
    nexauth_authorization *authorization = NULL;
    char *redirect;

    assert_int_equal(nexauth_source_authorize(scene.source, &authorization, NULL), NEXAUTH_OK);
    redirect = live_browse(nexauth_authorization_url(authorization));
    assert_int_equal(
        nexauth_source_accept_redirect(scene.source, redirect, nexauth_authorization_state(authorization), NULL),
        NEXAUTH_OK);
    scene.expected = NEXAUTH_REAUTH;
    assert_int_equal(child_run(get_as_expected, &scene), 0);
    nexauth_token_unref(live_get(scene.source));
    assert_int_equal(emulator_total_reused(&live_emulator, "codes_reused"), 0);
    nexauth_authorization_free(authorization);
    nexauth_source_free(scene.source);
    free(redirect);
}

static void count_run(void *context, nexauth_token *token, const struct nexauth_error *error)
{
    struct scene *scene = context;

    (void)error;
    scene->runs++;
    if (token && !scene->token)
        scene->token = nexauth_token_ref(token);
}

static bool start(struct scene *scene, nexauth_call **out)
{
    return nexauth_source_start(scene->source, NULL, count_run, scene, out, NULL) == NEXAUTH_OK;
}

static bool poll_until(struct scene *scene, int runs)
{
    bool polled = true;

    while (scene->runs < runs && polled)
        polled = nexauth_session_poll(scene->session, 30000, NULL) == NEXAUTH_OK;
    return polled;
}

/* One call was under way, one ready. */
static bool run_own_calls_alone(const struct child *me, void *context)
{
    struct scene *scene = context;

    if (nexauth_session_timeout_ms(scene->session) != -1 ||
        nexauth_session_poll(scene->session, 0, NULL) != NEXAUTH_OK || scene->runs != 0)
        return false;
    if (!start(scene, NULL) || !poll_until(scene, 1) || !scene->token ||
        nexauth_session_poll(scene->session, 0, NULL) != NEXAUTH_OK || scene->runs != 1)
        return false;
    return free_all(me, scene);
}

static void calls_that_were_started_are_the_parents(void **state)
{
    struct scene scene = scene_of(state, &nex);
    nexauth_call *canceled = NULL;

    assert_true(start(&scene, &canceled));
    assert_true(start(&scene, NULL));
    nexauth_call_cancel(canceled);
    nexauth_call_unref(canceled);
    assert_int_equal(child_run(run_own_calls_alone, &scene), 0);
    assert_true(poll_until(&scene, 2));
    assert_int_equal(scene.runs, 2);
    assert_non_null(scene.token);
    nexauth_token_unref(scene.token);
    nexauth_source_free(scene.source);
}

static void *poll_for_one(void *context)
{
    poll_until(context, 1);
    return NULL;
}

static void a_child_polls_although_a_thread_of_its_parents_did(void **state)
{
    struct scene scene = scene_of(state, &nex);
    pthread_t thread;

    live_fault(SLOWLY);
    assert_true(start(&scene, NULL));
    assert_int_equal(pthread_create(&thread, NULL, poll_for_one, &scene), 0);
    await_in_flight(1);
    assert_int_equal(child_run(run_own_calls_alone, &scene), 0);
    pthread_join(thread, NULL);
    assert_int_equal(scene.runs, 1);
    nexauth_token_unref(scene.token);
    nexauth_source_free(scene.source);
}

static void what_only_a_flight_kept_ends_in_the_child(void **state)
{
    struct scene scene = scene_of(state, &nex);

    assert_true(start(&scene, NULL));
    nexauth_source_free(scene.source);
    scene.source = NULL;
    assert_int_equal(child_run(free_all, &scene), 0);
    assert_true(poll_until(&scene, 1));
    assert_null(scene.token);
}

static bool drop_a_call(const struct child *me, void *context)
{
    nexauth_call *call = context;

    (void)me;
    nexauth_call_cancel(call);
    nexauth_call_unref(call);
    return true;
}

static void a_child_may_drop_its_parents_calls(void **state)
{
    struct scene scene = scene_of(state, &nex);
    nexauth_call *call = NULL;

    assert_true(start(&scene, &call));
    assert_int_equal(child_run(drop_a_call, call), 0);
    assert_true(poll_until(&scene, 1));
    assert_non_null(scene.token);
    nexauth_call_unref(call);
    nexauth_token_unref(scene.token);
    nexauth_source_free(scene.source);
}

static bool is_readable(int descriptor)
{
    struct pollfd ready = {.fd = descriptor, .events = POLLIN};

    return poll(&ready, 1, 0) == 1;
}

static bool have_a_descriptor_of_its_own(const struct child *me, void *context)
{
    struct scene *scene = context;
    int descriptor = -1;

    (void)me;
    return nexauth_session_descriptor(scene->session, &descriptor, NULL) == NEXAUTH_OK && start(scene, NULL) &&
           is_readable(descriptor) && poll_until(scene, 1) && scene->token && start(scene, NULL);
}

static void the_parents_descriptor_hears_nothing_of_the_child(void **state)
{
    struct scene scene = scene_of(state, &nex);

    assert_int_equal(nexauth_session_descriptor(scene.session, &scene.descriptor, NULL), NEXAUTH_OK);
    nexauth_token_unref(live_get(scene.source));
    while (is_readable(scene.descriptor))
        assert_int_equal(nexauth_session_poll(scene.session, 0, NULL), NEXAUTH_OK);
    assert_int_equal(child_run(have_a_descriptor_of_its_own, &scene), 0);
    assert_false(is_readable(scene.descriptor));
    assert_true(start(&scene, NULL));
    assert_true(is_readable(scene.descriptor));
    assert_true(poll_until(&scene, 1));
    nexauth_token_unref(scene.token);
    nexauth_source_free(scene.source);
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, live_set_up, live_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(a_token_at_hand_is_the_childs_too),
        LIVE(parent_and_child_use_connections_of_their_own),
        LIVE(a_child_holds_no_connection_of_its_parents_open),
        LIVE(what_a_child_frees_is_as_good_as_before_to_its_parent),
        LIVE(a_child_begins_anew_what_another_thread_waits_for),
        LIVE(a_source_that_others_waited_for_ends_in_the_child),
        LIVE(a_refresh_token_stays_the_parents),
        LIVE(a_child_connects_where_its_parent_has_not),
        LIVE(a_code_that_was_brought_stays_the_parents),
        LIVE(calls_that_were_started_are_the_parents),
        LIVE(a_child_polls_although_a_thread_of_its_parents_did),
        LIVE(what_only_a_flight_kept_ends_in_the_child),
        LIVE(a_child_may_drop_its_parents_calls),
        LIVE(the_parents_descriptor_hears_nothing_of_the_child),
    };

    return cmocka_run_group_tests(tests, live_start, live_stop);
}
