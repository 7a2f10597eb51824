/*
 * Allocations that fail on demand. A test that includes this is linked with NX_WRAP_ALLOCATIONS (see CMakeLists.txt):
 * the calls of malloc and its like in the library's objects go through here, those of cJSON and libxml2 through their
 * hooks. Only armed threads of the test's own are concerned.
 */
#ifndef NX_TEST_FAILING_H
#define NX_TEST_FAILING_H

#include <stdbool.h>
#include <stddef.h>

/* Sends the allocations of cJSON and libxml2 here too. */
void failing_hook_dependencies(void);

/* From now on allocation number `which` (from 1) of this thread fails, and with `for_ever` all after it. */
void failing_arm(size_t which, bool for_ever);

/* No more failures. Returns how many allocations there have been since failing_arm(). */
size_t failing_disarm(void);

/* How many blocks this thread has made and not freed. When that is the same after each of several runs, none leaked. */
ptrdiff_t failing_held(void);

#endif
