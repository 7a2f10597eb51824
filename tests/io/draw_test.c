/* The system's draws. */
#include "support/test.h"

#include "io/fork.h"
#include "io/system.h"
#include "support/child.h"

#include <string.h>
#include <sys/mman.h>

enum { DRAWS = 16384, PARTS = 16, CHILDREN = 2, FEW = 4 };

/* Each part would have to be off by more than ten times its standard deviation. */
static void draws_are_spread_over_all_of_their_range(void **state)
{
    int counts[PARTS] = {0}, low_counts[PARTS] = {0};

    (void)state;
    for (int i = 0; i < DRAWS; i++) {
        const uint32_t draw = nx_system_draw(NULL);

        counts[draw / (UINT32_MAX / PARTS + 1)]++;
        low_counts[draw % PARTS]++;
    }
    for (int i = 0; i < PARTS; i++) {
        assert_in_range(counts[i], DRAWS / PARTS * 2 / 3, DRAWS / PARTS * 4 / 3);
        assert_in_range(low_counts[i], DRAWS / PARTS * 2 / 3, DRAWS / PARTS * 4 / 3);
    }
}

static void draw_few(uint32_t *draws)
{
    for (int i = 0; i < FEW; i++)
        draws[i] = nx_system_draw(NULL);
}

static bool draw_in_child(const struct child *me, void *context)
{
    (void)me;
    draw_few(context);
    return true;
}

static void forked_processes_draw_each_their_own(void **state)
{
    const size_t size = (CHILDREN + 1) * sizeof(uint32_t[FEW]);
    uint32_t(*draws)[FEW] = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    (void)state;
    assert_ptr_not_equal(draws, MAP_FAILED);
    assert_true(nx_fork_watch());
    nx_system_draw(NULL);
    for (int i = 0; i < CHILDREN; i++)
        assert_int_equal(child_run(draw_in_child, draws[i]), 0);
    draw_few(draws[CHILDREN]);
    for (int i = 0; i <= CHILDREN; i++)
        assert_memory_not_equal(draws[i], draws[(i + 1) % (CHILDREN + 1)], sizeof *draws);
    munmap(draws, size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_are_spread_over_all_of_their_range),
        cmocka_unit_test(forked_processes_draw_each_their_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
