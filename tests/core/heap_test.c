#include "support/test.h"

#include "core/heap.h"

#include <stdlib.h>

enum { MANY = 10000 };

/* Numbers that look random and are the same in every run (Marsaglia, "Xorshift RNGs", 2003). */
static uint64_t next_number(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static int compare_times(const void *a, const void *b)
{
    const int64_t left = *(const int64_t *)a;
    const int64_t right = *(const int64_t *)b;

    return (left > right) - (left < right);
}

static struct nx_heap_node *make_nodes(size_t count)
{
    struct nx_heap_node *nodes = calloc(count, sizeof *nodes);

    assert_non_null(nodes);
    return nodes;
}

/* Takes all out: they come by time, and there are as many as said. */
static void drain(struct nx_heap *heap, size_t count)
{
    int64_t last_ms = INT64_MIN;
    struct nx_heap_node *node;

    while ((node = nx_heap_first(heap))) {
        assert_true(node->due_ms >= last_ms);
        assert_true(node->linked);
        last_ms = node->due_ms;
        nx_heap_remove(heap, node);
        assert_false(node->linked);
        assert_true(count-- > 0);
    }
    assert_int_equal(count, 0);
}

static void an_empty_heap_has_no_first(void **state)
{
    const struct nx_heap heap = {0};

    (void)state;
    assert_null(nx_heap_first(&heap));
}

static void nodes_come_out_by_time(void **state)
{
    struct nx_heap heap = {0};
    struct nx_heap_node *nodes = make_nodes(MANY);
    int64_t *times = calloc(MANY, sizeof *times);
    uint64_t seed = 1;

    (void)state;
    assert_non_null(times);
    for (size_t i = 0; i < MANY; i++) {
        times[i] = (int64_t)next_number(&seed);
        nodes[i].due_ms = times[i];
        nx_heap_add(&heap, &nodes[i]);
    }
    qsort(times, MANY, sizeof *times, compare_times);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(nx_heap_first(&heap)->due_ms, times[i]);
        nx_heap_remove(&heap, nx_heap_first(&heap));
    }
    assert_null(nx_heap_first(&heap));
    free(times);
    free(nodes);
}

static const struct nx_heap_node *find_soonest(const struct nx_heap_node *nodes, size_t count)
{
    const struct nx_heap_node *soonest = NULL;

    for (size_t i = 0; i < count; i++) {
        if (nodes[i].linked && (!soonest || nodes[i].due_ms < soonest->due_ms))
            soonest = &nodes[i];
    }
    return soonest;
}

/* Few different times, so that many are equal; adding, moving and taking out anywhere, in any order. */
static void a_heap_agrees_with_a_search_whatever_is_done_to_it(void **state)
{
    enum { NODES = 60, STEPS = 50000, TIMES = 40 };
    struct nx_heap heap = {0};
    struct nx_heap_node nodes[NODES] = {0};
    size_t linked = 0;
    uint64_t seed = 2;

    (void)state;
    for (int i = 0; i < STEPS; i++) {
        struct nx_heap_node *node = &nodes[next_number(&seed) % NODES];
        const struct nx_heap_node *soonest;

        linked -= node->linked;
        if (next_number(&seed) % 2) {
            node->due_ms = (int64_t)(next_number(&seed) % TIMES);
            nx_heap_add(&heap, node);
            linked++;
        } else {
            nx_heap_remove(&heap, node);
        }
        soonest = find_soonest(nodes, NODES);
        assert_int_equal(soonest != NULL, nx_heap_first(&heap) != NULL);
        assert_true(!soonest || nx_heap_first(&heap)->due_ms == soonest->due_ms);
    }
    drain(&heap, linked);
}

static void a_node_leaves_from_the_middle(void **state)
{
    struct nx_heap heap = {0};
    struct nx_heap_node *nodes = make_nodes(MANY);

    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        nodes[i].due_ms = (int64_t)(i * 7919 % MANY);
        nx_heap_add(&heap, &nodes[i]);
    }
    nx_heap_remove(&heap, nx_heap_first(&heap));
    for (size_t i = 0; i < MANY; i++) {
        if (nodes[i].due_ms % 2)
            nx_heap_remove(&heap, &nodes[i]);
    }
    drain(&heap, MANY / 2 - 1);
    free(nodes);
}

static void a_node_that_is_in_no_heap_is_not_taken_out(void **state)
{
    struct nx_heap heap = {0};
    struct nx_heap_node nodes[3] = {{.due_ms = 1}, {.due_ms = 2}, {.due_ms = 3}};
    struct nx_heap_node stranger = {.due_ms = 0};

    (void)state;
    for (size_t i = 0; i < 3; i++)
        nx_heap_add(&heap, &nodes[i]);
    nx_heap_remove(&heap, &stranger);
    nx_heap_remove(&heap, &nodes[1]);
    nx_heap_remove(&heap, &nodes[1]);
    assert_ptr_equal(nx_heap_first(&heap), &nodes[0]);
    assert_int_equal(nodes[1].due_ms, 2);
    drain(&heap, 2);
    nx_heap_remove(&heap, &nodes[0]);
    assert_null(nx_heap_first(&heap));
}

static void a_node_added_again_moves(void **state)
{
    struct nx_heap heap = {0};
    struct nx_heap_node nodes[3] = {{.due_ms = 1}, {.due_ms = 2}, {.due_ms = 3}};

    (void)state;
    for (size_t i = 0; i < 3; i++)
        nx_heap_add(&heap, &nodes[i]);
    nodes[0].due_ms = 4;
    nx_heap_add(&heap, &nodes[0]);
    assert_ptr_equal(nx_heap_first(&heap), &nodes[1]);
    nodes[2].due_ms = 0;
    nx_heap_add(&heap, &nodes[2]);
    assert_ptr_equal(nx_heap_first(&heap), &nodes[2]);
    drain(&heap, 3);
}

static void nodes_of_one_time_all_come_out(void **state)
{
    struct nx_heap heap = {0};
    struct nx_heap_node *nodes = make_nodes(MANY);

    (void)state;
    for (size_t i = 0; i < MANY; i++)
        nx_heap_add(&heap, &nodes[i]);
    drain(&heap, MANY);
    free(nodes);
}

/* The times fall from both ends of the row to its middle: merged in one pass, all that is left would hang below one
 * node after each removal, and this would take minutes; merged by recursion, it would take the stack. */
static void a_long_row_stays_quick(void **state)
{
    enum { ROW = 600000 };
    struct nx_heap heap = {0};
    struct nx_heap_node *nodes = make_nodes(ROW);

    (void)state;
    for (size_t i = 0; i < ROW; i++) {
        nodes[i].due_ms = (int64_t)(i < ROW / 2 ? 2 * i : 2 * (ROW - i) - 1);
        nx_heap_add(&heap, &nodes[i]);
    }
    drain(&heap, ROW);
    free(nodes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_heap_has_no_first),
        cmocka_unit_test(nodes_come_out_by_time),
        cmocka_unit_test(a_heap_agrees_with_a_search_whatever_is_done_to_it),
        cmocka_unit_test(a_node_leaves_from_the_middle),
        cmocka_unit_test(a_node_that_is_in_no_heap_is_not_taken_out),
        cmocka_unit_test(a_node_added_again_moves),
        cmocka_unit_test(nodes_of_one_time_all_come_out),
        cmocka_unit_test(a_long_row_stays_quick),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
