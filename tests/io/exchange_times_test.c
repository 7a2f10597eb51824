/* Exchanges that have a time of their own: to begin, or to be over. */
#include "io/engine.h"
#include "support/script.h"
#include "support/test.h"

enum { TIMEOUT_MS = 30000, EXCHANGES = 4 };

struct world {
    struct script script;
    struct nx_engine *engine;
    struct nx_exchange exchanges[EXCHANGES];
    bool done[EXCHANGES];
    int64_t ended_ms[EXCHANGES];
};

static struct world world;

static void note_end(struct nx_exchange *exchange, void *context)
{
    const ptrdiff_t i = exchange - world.exchanges;

    (void)context;
    nx_engine_lock(world.engine);
    world.done[i] = true;
    world.ended_ms[i] = world.script.boot_ms;
    nx_engine_wake(world.engine, &world.done[i]);
    nx_engine_unlock(world.engine);
}

static int set_up(void **state)
{
    struct nx_world in;

    (void)state;
    world = (struct world){.done = {false}};
    script_init(&world.script);
    in = script_world(&world.script);
    world.engine = nx_engine_new(&in, TIMEOUT_MS);
    for (int i = 0; i < EXCHANGES; i++) {
        nx_exchange_init(&world.exchanges[i], 65536);
        world.exchanges[i].done = note_end;
    }
    return world.engine ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    nx_engine_close(world.engine);
    nx_engine_free(world.engine);
    for (int i = 0; i < EXCHANGES; i++)
        nx_exchange_release(&world.exchanges[i]);
    script_release(&world.script);
    return 0;
}

static void await(int i)
{
    nx_engine_lock(world.engine);
    assert_true(nx_engine_wait(world.engine, &world.done[i], INT64_MAX, NULL));
    nx_engine_unlock(world.engine);
}

static void what_is_given_up_before_its_time_ends_at_once_and_is_not_sent(void **state)
{
    const int64_t now_ms = world.script.boot_ms;

    (void)state;
    nx_engine_submit_at(world.engine, &world.exchanges[0], now_ms + 10000);
    nx_engine_lock(world.engine);
    nx_engine_give_up(world.engine, &world.exchanges[0]);
    nx_engine_unlock(world.engine);
    await(0);
    assert_int_equal(world.exchanges[0].loss, NX_LOSS_CANCELED);
    assert_int_equal(world.ended_ms[0], now_ms);
    assert_int_equal(world.script.begun, 0);
}

/* Whatever was begun before and after it. */
static void each_is_over_at_its_own_time(void **state)
{
    static const int64_t latest_ms[EXCHANGES] = {0, 2000, 40000, 1000};
    static const int64_t ends_ms[EXCHANGES] = {TIMEOUT_MS, 2000, TIMEOUT_MS, 1000};
    const int64_t now_ms = world.script.boot_ms;

    (void)state;
    for (int i = 0; i < EXCHANGES; i++) {
        world.exchanges[i].latest_ms = latest_ms[i] ? now_ms + latest_ms[i] : 0;
        nx_engine_submit(world.engine, &world.exchanges[i]);
    }
    for (int i = 0; i < EXCHANGES; i++)
        await(i);
    for (int i = 0; i < EXCHANGES; i++) {
        assert_int_equal(world.exchanges[i].loss, NX_LOSS_TIMEOUT);
        assert_int_equal(world.ended_ms[i] - now_ms, ends_ms[i]);
    }
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(what_is_given_up_before_its_time_ends_at_once_and_is_not_sent),
        IN_A_WORLD(each_is_over_at_its_own_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
