/*
 * Fuzz targets: programs that are given any bytes at all, and end by abort() when the library breaks a rule with them.
 * libFuzzer looks for such bytes (tests/fuzz/run); replay.c gives each target those that were kept, as a test.
 */
#ifndef NX_TEST_FUZZ_TARGET_H
#define NX_TEST_FUZZ_TARGET_H

#include "core/members.h"

#include <stddef.h>
#include <stdint.h>

/* What each target implements. The name is libFuzzer's. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the program unless the rule holds. */
#define HOLDS(rule) ((rule) ? (void)0 : target_break(#rule, __FILE__, __LINE__))

_Noreturn void target_break(const char *rule, const char *file, int line);

/* What is left of the input. */
struct target_input {
    const uint8_t *at;
    size_t size;
};

/* Takes all up to the next `mark`, or all, and the mark too: as a string in a block of its own of just that size, cut
 * at a NUL. To be freed. */
char *target_take(struct target_input *input, char mark);

/* The same of a whole input, NULs and all, with a NUL behind it. To be freed. */
char *target_copy(const uint8_t *data, size_t size);

/* Rules for what every parser leaves. */
void target_check_members(const struct nx_members *members, enum nx_parsed parsed, size_t bound);

#endif
