#include "support/vault.h"

#include <stdlib.h>

static void *take(struct nx_vault *vault, size_t size)
{
    (void)vault;
    return calloc(1, size);
}

static void give(struct nx_vault *vault, void *memory, size_t size)
{
    (void)vault;
    (void)size;
    free(memory);
}

struct nx_vault vault_of_malloc = {take, give};
