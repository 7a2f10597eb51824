#ifndef NX_TEST_TORTURE_H
#define NX_TEST_TORTURE_H

/* Every allocation of a scenario fails once alone, and once with all after it. */

#include <stdbool.h>
#include <stddef.h>

/* One run of the whole scenario. False when allocation number `failing` was beyond the last. */
typedef bool torture_run(const void *scenario, size_t failing, bool for_ever);

/* Asserts that no run leaves memory behind, and that the scenario allocates `at_least` so often. */
void torture(torture_run *run, const void *scenario, size_t at_least);

#endif
