#include "io/tree_permits.h"

#include "core/keeper.h"
#include "io/tree.h"

#include <pthread.h>

static struct nx_keeper keeper;

static struct nx_ledger *lock(void *context)
{
    return nx_tree_lock(context);
}

static void unlock(void *context)
{
    nx_tree_unlock(context);
}

static int64_t now_us(void *context)
{
    (void)context;
    return nx_tree_now_us();
}

static uint32_t owner(void *context)
{
    return nx_tree_owner(context);
}

static void make(void)
{
    struct nx_tree *tree = nx_tree_get();

    keeper = (struct nx_keeper){.lock = lock,
                                .unlock = unlock,
                                .now_us = now_us,
                                .owner = owner,
                                .key = *nx_tree_key(tree),
                                .begun_us = nx_tree_begun_us(tree),
                                .context = tree};
    nx_keeper_init(&keeper);
}

/* Forked children have a copy, and the same tree. */
struct nx_permits *nx_tree_permits(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    if (!nx_tree_get())
        return NULL;
    pthread_once(&once, make);
    return &keeper.base;
}
