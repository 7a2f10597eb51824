/* Keeps permits by a ledger: what is left to say is where the ledger is, who may touch it, and what time it is. */
#ifndef NX_KEEPER_H
#define NX_KEEPER_H

#include "core/permits.h"

struct nx_keeper {
    struct nx_permits base; /* first: permits are cast to and fro */

    /* The ledger with its lock; NULL: there is none to be had, and nothing may leave. */
    struct nx_ledger *(*lock)(void *context);
    void (*unlock)(void *context);
    int64_t (*now_us)(void *context);
    uint32_t (*owner)(void *context); /* this process; with the lock. NX_LEDGER_OWNERS or more: it is none */
    struct nx_siphash_key key;
    int64_t begun_us; /* what was sent before is not known to the ledger */
    void *context;
};

/* Sets the verbs; the rest is set by the caller. */
void nx_keeper_init(struct nx_keeper *keeper);

#endif
