/*
 * Whether the rejection of a token is honoured. An API that answers 401 to a token may mean that the token is no good:
 * then a new one is got at once. Or it means that this identity has no right there: then the new one is rejected too,
 * and so on, a request each time. So a token that replaced a rejected one is kept for a while, whatever is said of it.
 */
#ifndef NX_DAMPING_H
#define NX_DAMPING_H

#include <stdbool.h>
#include <stdint.h>

enum { NX_DAMPING_FIRST_MS = 30000, NX_DAMPING_LONGEST_MS = 600000 };

/* Zeroed: no token has been rejected. */
struct nx_damping {
    int64_t window_ms;   /* how long the current token is kept; 0 unless it replaced a rejected one */
    int64_t next_ms;     /* how long the next one would be; 0: for the shortest time */
    int64_t replaced_ms; /* when it did */
    bool rejected;       /* the next token to arrive replaces a rejected one */
};

/* The current token is rejected. 0 when this is honoured: the token is not to be handed out any more; else how long
 * from now until it would be. */
int64_t nx_damping_reject(struct nx_damping *damping, int64_t now_ms);

/* A token has arrived, be it the rejected one again. It is kept for twice as long as the one before it, unless that
 * lived until it was renewed in the ordinary way. */
void nx_damping_arrived(struct nx_damping *damping, int64_t now_ms);

/* An API took the current token: it and the next one are kept for the shortest time only. Not less: where one API takes
 * what another rejects, each reply would cause a request. */
void nx_damping_approve(struct nx_damping *damping);

#endif
