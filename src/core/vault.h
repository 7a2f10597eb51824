/*
 * Memory for secrets that are kept: where the system can, core dumps leave it out. Who asks for it need not know whence
 * it comes.
 */
#ifndef NX_VAULT_H
#define NX_VAULT_H

#include <stddef.h>

struct nx_vault {
    /* All zero, aligned to 16 bytes. NULL when memory ran out. */
    void *(*take)(struct nx_vault *vault, size_t size);

    /* Wipes. `size`: as it was taken. `memory` may be NULL. */
    void (*give)(struct nx_vault *vault, void *memory, size_t size);
};

#endif
