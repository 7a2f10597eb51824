/* A rate ledger for the script's world, with the script's clock: what stands at the doors of the services. */
#ifndef NX_TEST_DOOR_H
#define NX_TEST_DOOR_H

#include "core/keeper.h"
#include "support/script.h"

struct door {
    struct nx_keeper keeper;
    struct script *script;
    pthread_mutex_t mutex;
    void *memory;
    struct nx_ledger *ledger;
    bool gone; /* there is no ledger to be had */
};

/* Begun when the boot clock stood at 0: long before the script starts, so that no limit is halved. */
void door_init(struct door *door, struct script *script);
void door_release(struct door *door);

#endif
