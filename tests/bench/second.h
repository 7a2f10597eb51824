#ifndef NEXAUTH_TESTS_BENCH_SECOND_H
#define NEXAUTH_TESTS_BENCH_SECOND_H

/* The second thread, which does what the first does at the same time. There is one at a time. */

#include <stdbool.h>
#include <stddef.h>

bool second_start(void);

/* Does `work` by both threads, `times` by each. False when it failed in either. */
bool second_with(bool (*work)(size_t times), size_t times);

void second_end(void);

#endif
