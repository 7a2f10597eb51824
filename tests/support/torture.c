#include "support/torture.h"

#include "support/failing.h"
#include "support/test.h"

#include <stdint.h>

/* The members of large answers are alike: past so many, not each of them fails. */
enum { MOST_ALLOCATIONS = 5000, EACH = 200 };

static void fail_one_by_one(torture_run *run, const void *scenario, bool for_ever, size_t at_least)
{
    size_t failing = 1;
    ptrdiff_t held;

    run(scenario, SIZE_MAX, false); /* what stays for ever is there */
    held = failing_held();
    while (run(scenario, failing, for_ever)) {
        failing += 1 + failing / EACH;
        assert_int_equal(failing_held(), held);
        assert_in_range(failing, 1, MOST_ALLOCATIONS);
    }
    assert_in_range(failing, at_least + 1, MOST_ALLOCATIONS); /* the hook is at work */
}

void torture(torture_run *run, const void *scenario, size_t at_least)
{
    fail_one_by_one(run, scenario, false, at_least);
    fail_one_by_one(run, scenario, true, at_least);
}
