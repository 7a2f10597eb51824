#include "support/door.h"

#include "io/fork.h"
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

enum { TICKETS = 4096, SLOTS = 65536 };

static struct nx_ledger *lock(void *context)
{
    struct door *door = context;

    if (door->gone)
        return NULL;
    pthread_mutex_lock(&door->mutex);
    return door->ledger;
}

static void unlock(void *context)
{
    struct door *door = context;

    pthread_mutex_unlock(&door->mutex);
}

static int64_t now_us(void *context)
{
    struct door *door = context;
    int64_t now;

    pthread_mutex_lock(&door->script->mutex);
    now = door->script->boot_ms * 1000;
    pthread_mutex_unlock(&door->script->mutex);
    return now;
}

/* A child is another owner: whoever waits in its copy of the ledger is its parent's. */
static uint32_t owner(void *context)
{
    (void)context;
    return nx_fork_generation();
}

void door_init(struct door *door, struct script *script)
{
    memset(door, 0, sizeof *door);
    door->script = script;
    door->keeper = (struct nx_keeper){
        .lock = lock, .unlock = unlock, .now_us = now_us, .owner = owner, .key = {1, 2}, .context = door};
    nx_keeper_init(&door->keeper);
    pthread_mutex_init(&door->mutex, NULL);
    door->memory = calloc(1, nx_ledger_size(TICKETS, SLOTS));
    assert_non_null(door->memory);
    door->ledger = nx_ledger_init(door->memory, TICKETS, SLOTS);
}

void door_release(struct door *door)
{
    free(door->memory);
    pthread_mutex_destroy(&door->mutex);
}
