/* Ordinary memory in the place of a session's vault. */
#ifndef NX_TEST_VAULT_H
#define NX_TEST_VAULT_H

#include "core/vault.h"

extern struct nx_vault vault_of_malloc;

#endif
