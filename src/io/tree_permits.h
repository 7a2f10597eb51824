/* The permits of this process's tree, by the ledger that its processes share. */
#ifndef NX_TREE_PERMITS_H
#define NX_TREE_PERMITS_H

#include "core/permits.h"

/* They live as long as the process. NULL when memory ran out. */
struct nx_permits *nx_tree_permits(void);

#endif
