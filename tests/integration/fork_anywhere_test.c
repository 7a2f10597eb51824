/* Forks at any point of what other threads do. */
#include "support/test.h"

#include "live.h"
#include "support/child.h"

#include <pthread.h>
#include <stdatomic.h>

static const struct live_who nex = {.kind = LIVE_NEX_USER};

struct scene {
    nexauth_session *session;
    nexauth_source *source;
};

static nexauth_token *get(nexauth_source *source)
{
    nexauth_token *token = NULL;

    return nexauth_source_get_token(source, NULL, &token, NULL) == NEXAUTH_OK ? token : NULL;
}

enum { FORKS = 25, THREADS = 2 };

static atomic_bool over;

static void *keep_renewing(void *context)
{
    nexauth_session *session = context;

    while (!over) {
        nexauth_source *source = live_new_source(session, &nex);

        nexauth_token_unref(get(source));
        nexauth_source_free(source);
    }
    return NULL;
}

static bool get_both(const struct child *me, void *context)
{
    struct scene *scene = context;
    nexauth_source *own = live_new_source(scene->session, &nex);
    nexauth_token *first = get(own);
    nexauth_token *second = get(scene->source);

    (void)me;
    nexauth_token_unref(first);
    nexauth_token_unref(second);
    nexauth_source_free(own);
    return first && second;
}

static void it_does_not_matter_what_other_threads_do_at_the_fork(void **state)
{
    struct scene scene = {.session = *state, .source = live_new_source(*state, &nex)};
    pthread_t threads[THREADS];

    over = false;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, keep_renewing, *state), 0);
    for (int i = 0; i < FORKS; i++)
        assert_int_equal(child_run(get_both, &scene), 0);
    over = true;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    nexauth_token_unref(live_get(scene.source));
    nexauth_source_free(scene.source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_does_not_matter_what_other_threads_do_at_the_fork, live_set_up,
                                        live_tear_down),
    };

    return cmocka_run_group_tests(tests, live_start, live_stop);
}
