#include "io/tree_permits.h"

#include "core/keeper.h"
#include "io/tree.h"

#include <pthread.h>

static struct nx_keeper keeper;
static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;

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

static bool make(struct nx_tree *tree)
{
    if (!tree)
        return false;
    keeper = (struct nx_keeper){.lock = lock,
                                .unlock = unlock,
                                .now_us = now_us,
                                .owner = owner,
                                .key = *nx_tree_key(tree),
                                .begun_us = nx_tree_begun_us(tree),
                                .context = tree};
    nx_keeper_init(&keeper);
    return true;
}

/* Forked children have a copy, and the same tree. */
struct nx_permits *nx_tree_permits(void)
{
    bool made;

    pthread_mutex_lock(&making);
    made = keeper.context || make(nx_tree_get());
    pthread_mutex_unlock(&making);
    return made ? &keeper.base : NULL;
}
