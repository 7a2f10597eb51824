/*
 * Every verb, in whatever order: walks by chance, each from a seed, alone and by two threads that share a session. No
 * verb breaks its contract, every call ends once, and nothing is left (the sanitizers look). More walks than these, and
 * others: hostile_walk_test FIRST COUNT.
 */
#include "support/test.h"

#include "hostile/walker.h"
#include "session/session.h"
#include "support/child.h"
#include "support/door.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { WALKS = 300, STEPS = 400, ALONE_FOR_A_PAIR = 5 };

static uint64_t first;
static uint64_t count = WALKS;

struct world {
    struct script script;
    struct door door;
    nexauth_session *session;
    struct walker walkers[2];
};

static struct world *new_world(uint64_t seed, bool alone)
{
    static const struct nexauth_limit limits[] = {{.name = "api", .requests = 2, .window_ms = 1000},
                                                  {.name = "requests", .requests = 3, .window_ms = 1000}};
    struct world *world = calloc(1, sizeof *world);
    struct nexauth_session_options options = {
        .exchange_timeout_ms = 30000, .max_answer_bytes = 65536, .limits = limits, .limits_count = 2};
    struct nx_world in;

    assert_non_null(world);
    script_init(&world->script);
    door_init(&world->door, &world->script);
    in = script_world(&world->script);
    in.permits = &world->door.keeper.base;
    if (alone) {
        options.event_callback = walker_note_event;
        options.event_context = &world->walkers[0];
    }
    assert_int_equal(nx_session_new_in(&in, &options, &world->session, NULL), NEXAUTH_OK);
    for (uint64_t i = 0; i < 2; i++)
        walker_init(&world->walkers[i], world->session, &world->script, seed * 2 + i);
    return world;
}

static void end_world(struct world *world, nexauth_source *const shared[2])
{
    walker_end(&world->walkers[0]);
    walker_end(&world->walkers[1]);
    for (size_t i = 0; shared && i < 2; i++)
        nexauth_source_free(shared[i]);
    door_release(&world->door);
    script_release(&world->script);
    free(world);
}

static void every_verb_may_follow_every_other(void **state)
{
    size_t went_well = 0;

    (void)state;
    for (uint64_t seed = first; seed < first + count; seed++) {
        struct world *world = new_world(seed, true);

        walker_walk(&world->walkers[0], STEPS);
        walker_close(&world->walkers[0]);
        went_well += world->walkers[0].went_well;
        end_world(world, NULL);
    }
    assert_in_range(went_well, count * STEPS / 30, SIZE_MAX); /* the walks lead somewhere */
}

/* What was started in the parent ends there, and so does what was sent. */
static bool walk_on(const struct child *me, void *context)
{
    struct world *world = context;
    struct walker *walker = &world->walkers[0];

    (void)me;
    memset(world->script.under_way, 0, sizeof world->script.under_way);
    walker->started = walker->ended;
    walker_walk(walker, STEPS);
    walker_close(walker);
    end_world(world, NULL);
    return child_leaks_nothing();
}

static void a_child_may_walk_on_wherever_its_parent_was(void **state)
{
    (void)state;
    for (uint64_t seed = first; seed < first + count; seed += ALONE_FOR_A_PAIR) {
        struct world *world = new_world(seed, true);

        walker_walk(&world->walkers[0], STEPS / 2 + seed % STEPS);
        if (child_run(walk_on, world))
            fail_msg("the child of walk %llu fares badly", (unsigned long long)seed);
        walker_walk(&world->walkers[0], STEPS / 2);
        walker_close(&world->walkers[0]);
        end_world(world, NULL);
    }
}

static void *walk(void *walker)
{
    walker_walk(walker, STEPS);
    return NULL;
}

static void two_threads_may_walk_at_a_time(void **state)
{
    (void)state;
    for (uint64_t seed = first; seed < first + count; seed += ALONE_FOR_A_PAIR) {
        struct world *world = new_world(seed, false);
        nexauth_source *shared[2];
        pthread_t other;

        walker_share(&world->walkers[0], &world->walkers[1]);
        memcpy(shared, world->walkers[0].sources, sizeof shared);
        assert_int_equal(pthread_create(&other, NULL, walk, &world->walkers[1]), 0);
        walker_walk(&world->walkers[0], STEPS);
        pthread_join(other, NULL);
        walker_close(&world->walkers[0]);
        end_world(world, shared);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_verb_may_follow_every_other),
        cmocka_unit_test(a_child_may_walk_on_wherever_its_parent_was),
        cmocka_unit_test(two_threads_may_walk_at_a_time),
    };

    if (argc == 3) {
        first = strtoull(argv[1], NULL, 10);
        count = strtoull(argv[2], NULL, 10);
    }
    return cmocka_run_group_tests_name("walks by chance", tests, NULL, NULL);
}
