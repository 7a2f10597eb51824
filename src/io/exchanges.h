/* The lists in which an engine keeps its exchanges. None allocates. */
#ifndef NX_EXCHANGES_H
#define NX_EXCHANGES_H

#include "core/transport.h"

/* Puts an exchange before the others. */
void nx_exchanges_push(struct nx_exchange **list, struct nx_exchange *exchange);

/* Puts exchanges, as a list by `next`, behind the others; *end is the last link, where NULL stands. Thousands may lie
 * there: the end is not searched for. */
void nx_exchanges_append(struct nx_exchange ***end, struct nx_exchange *more);

/* Takes one out of such a list. */
void nx_exchanges_take(struct nx_exchange **list, struct nx_exchange ***end, struct nx_exchange *exchange);

#endif
