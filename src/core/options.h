/*
 * What a source was made from. Each provider describes its public options struct in a table; from it the struct is
 * checked, its defaults are filled in, and everything that the caller gave is copied into one block of a vault, as
 * there are secrets among it. The copy is a struct of the same type, cut off before `reserved`: a provider reads its
 * own options, and knows that every string is valid and none that it needs is missing.
 */
#ifndef NX_OPTIONS_H
#define NX_OPTIONS_H

#include "core/siphash.h"
#include "core/vault.h"
#include "nexauth/nexauth.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum nx_option_kind {
    NX_OPTION_TEXT,    /* const char *: no control characters */
    NX_OPTION_TOKEN,   /* const char *: bytes 0x21 to 0x7e */
    NX_OPTION_ORIGIN,  /* const char *: scheme://host[:port] */
    NX_OPTION_ORIGINS, /* const char *: some of them, separated by one space each */
    NX_OPTION_PATH,    /* const char *: /... */
    NX_OPTION_URL,     /* const char *: an absolute http or https URL without fragment */
    NX_OPTION_CHOICE   /* int within least..most */
};

enum nx_option_flag {
    NX_REQUIRED = 1,
    NX_SECRET = 2,       /* must not occur in what a service says back */
    NX_UTF8 = 4,         /* goes into a JSON body */
    NX_MAY_BE_EMPTY = 8, /* "" means: leave it out */
    NX_WHO = 16          /* tells identities apart */
};

struct nx_option {
    const char *name;
    size_t offset;
    enum nx_option_kind kind;
    unsigned int flags;
    const char *fallback; /* for NULL, static; NULL: none */
    int least, most;      /* NX_OPTION_CHOICE */
};

/* The struct ends in `uintptr_t reserved[8]`. `meanings` and `meanings_count` are offsets, 0 where the struct has none.
 */
struct nx_option_table {
    size_t size;
    const struct nx_option *options;
    size_t count;
    size_t meanings, meanings_count;
};

struct nx_identity {
    const struct nx_option_table *table;
    void *options; /* the copy; the block's start */
    size_t block_size;
};

enum { NX_OPTION_LONGEST = 8192, NX_MEANINGS_MOST = 256 };

/* `reserved`: the uintptr_t[8] that a struct ends in. INVALID unless it is zero. */
nexauth_status nx_check_reserved(const void *reserved, struct nexauth_error *error);

/* Checks and copies. `loopback_http`: an http origin is allowed where its host is a loopback address. */
nexauth_status nx_identity_init(struct nx_identity *identity, const struct nx_option_table *table, const void *options,
                                bool loopback_http, struct nx_vault *vault, struct nexauth_error *error);

/* Wipes and gives back to the vault that it came from; a zeroed identity is fine. */
void nx_identity_release(struct nx_identity *identity, struct nx_vault *vault);

enum { NX_SECRETS_MOST = 8 };

/* Puts the identity's secrets into `secrets`, which has room for NX_SECRETS_MOST; returns how many they are. */
size_t nx_identity_secrets(const struct nx_identity *identity, const char **secrets);

/* Tells identities of one endpoint apart: a keyed hash of all options marked NX_WHO. */
uint64_t nx_identity_hash(const struct nx_identity *identity, const struct nx_siphash_key *key);

/* Tells credentials apart: a keyed hash of the service and of all options, secrets too. */
uint64_t nx_identity_key(const struct nx_identity *identity, const char *service, const struct nx_siphash_key *key);

/* The meaning that the caller gave to an envelope's code; NEXAUTH_OK when it gave none. */
nexauth_status nx_identity_meaning(const struct nx_identity *identity, int64_t code);

#endif
