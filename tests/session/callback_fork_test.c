/* A process that forks within a callback, while a token is on its way: parent and child get one each. */
#include "session/session.h"
#include "support/child.h"
#include "support/fixture.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

enum { LONG_MS = 600000 };

struct scene {
    struct fixture *fixture;
    nexauth_source *source;
    bool saves;
    int forks;
    int fared; /* by the child */
};

/* By what the application supplies: the refresh token, if there is one, is the parent's. */
static bool connect_anew(const struct child *me, void *context)
{
    struct scene *scene = context;
    struct script *script = &scene->fixture->script;
    struct nexauth_error error = {0};
    nexauth_token *token = NULL;
    bool good;

    (void)me;
    script_pass_ms(script, LONG_MS);
    memset(script->under_way, 0, sizeof script->under_way); /* a transport forgets what its parent sent */
    script->answer_count = script->begun;
    script_answer(script, fixture_right_redirect);
    script_answer(script, fixture_second_token);
    good = nexauth_source_get_token(scene->source, NULL, &token, &error) == NEXAUTH_OK &&
           strcmp(nexauth_token_access_token(token), "two") == 0;
    if (!good)
        fprintf(stderr, "%s: %s\n", nexauth_status_name(error.status), error.message);
    nexauth_token_unref(token);
    nexauth_source_free(scene->source);
    nexauth_session_free(scene->fixture->session);
    return good && script->freed && child_leaks_nothing();
}

static void fork_once(struct scene *scene)
{
    if (!scene->forks++)
        scene->fared = child_run(connect_anew, scene);
}

/* The child's own callback, too. */
static nexauth_status fork_and_supply(void *context, char *xspe, size_t size)
{
    struct scene *scene = context;

    if (!scene->saves)
        fork_once(scene);
    snprintf(xspe, size, "fresh");
    return NEXAUTH_OK;
}

static nexauth_status fork_and_save(void *context, nexauth_token *token)
{
    struct scene *scene = context;

    (void)token;
    fork_once(scene);
    return NEXAUTH_OK;
}

static void a_child_that_is_forked_within_a_callback_connects_anew(void **state)
{
    struct scene scene = {.fixture = *state, .fared = -1};
    const struct nexauth_nexusguard_user_options options = fixture_with_callback(fork_and_supply, &scene);
    struct nexauth_error error = {0};

    scene.source = fixture_new_customer(scene.fixture, &options);
    script_answer(&scene.fixture->script, fixture_right_redirect);
    script_answer(&scene.fixture->script, fixture_first_token);
    assert_int_equal(fixture_get(scene.source, "one", &error), NEXAUTH_OK);
    assert_int_equal(scene.fared, 0);
    assert_int_equal(scene.forks, 1);
    assert_int_equal(scene.fixture->script.begun, 2);
    nexauth_source_free(scene.source);
}

static void a_token_that_is_saved_while_it_is_forked_is_refreshed_by_the_parent(void **state)
{
    struct scene scene = {.fixture = *state, .saves = true, .fared = -1};
    const struct nexauth_nexusguard_user_options options = fixture_with_callback(fork_and_supply, &scene);
    struct script *script = &scene.fixture->script;
    struct nexauth_error error = {0};

    scene.source = fixture_new_customer(scene.fixture, &options);
    assert_int_equal(nexauth_source_set_save(scene.source, fork_and_save, &scene, NULL), NEXAUTH_OK);
    script_answer(script, fixture_right_redirect);
    script_answer(script, fixture_first_token);
    assert_int_equal(fixture_get(scene.source, "one", &error), NEXAUTH_OK);
    assert_int_equal(scene.fared, 0);
    fixture_expire(scene.fixture);
    script_answer(script, fixture_second_token);
    assert_int_equal(fixture_get(scene.source, "two", &error), NEXAUTH_OK);
    assert_non_null(strstr(script->requests[2].body, "refresh-one"));
    nexauth_source_free(scene.source);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(a_child_that_is_forked_within_a_callback_connects_anew),
        IN_A_WORLD(a_token_that_is_saved_while_it_is_forked_is_refreshed_by_the_parent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
