/* The exchanges that a transport has in hand: the leader's alone, one thread at a time. What ends here goes to a list.
 */
#ifndef NX_UNDER_WAY_H
#define NX_UNDER_WAY_H

#include "core/world.h"

/* In the order of their deadlines. A zeroed one is empty. */
struct nx_under_way {
    struct nx_exchange *oldest; /* the one that is due first */
    struct nx_exchange *newest; /* the one that is due last */
};

/* Hands a list of exchanges to the world's transport; each is given timeout_ms from now, or less if it says so. */
void nx_under_way_begin(struct nx_under_way *under_way, const struct nx_world *world, int64_t timeout_ms,
                        struct nx_exchange *list);

/* Lets the transport wait and work; takes in what has finished, and gives up what is late. A deadline is judged after
 * the sockets were read: an answer that lies there in time counts. */
void nx_under_way_turn(struct nx_under_way *under_way, const struct nx_world *world, int64_t wait_ms,
                       struct nx_exchange **ended);

/* Gives up what nobody wants any more, or all; but not what is one-time and may have left: that is awaited. */
void nx_under_way_give_up(struct nx_under_way *under_way, const struct nx_world *world, bool all,
                          struct nx_exchange **ended);

#endif
