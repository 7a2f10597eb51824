/* What others do to keep a limit, for comparison: the same door and the same networks must show where it fails. */
#ifndef LEDGER_LIMITERS_H
#define LEDGER_LIMITERS_H

#include <stdbool.h>

/* Prints a line for each; false: one of them was not seen to fail. */
bool limiters_fail(void);

#endif
