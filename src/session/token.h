/* What is behind a nexauth_token. */
#ifndef NX_TOKEN_H
#define NX_TOKEN_H

#include "core/provider.h"
#include "io/arena.h"
#include "nexauth/nexauth.h"
#include "session/slot.h"

#include <stdatomic.h>

/* Its text lies in one block: as it is presented, and behind that what is not a part of it, each ended by NUL. */
struct nexauth_token {
    _Atomic uint64_t *references; /* in a slot's cell (session/slot.h), or behind this */
    struct nx_arena *arena;       /* counted */
    struct nx_block *block;
    uint32_t size;             /* of the block */
    uint32_t presented_length; /* the presented text stands first */
    uint32_t access_token;     /* offsets; 0 where there is no such text */
    uint32_t refresh_token;
    uint32_t scope;
    signed char cell;           /* its number; -1: none */
    unsigned char presentation; /* an enum nexauth_presentation */
    int64_t obtained_at;
    int64_t expires_at;      /* 0: never */
    int64_t expires_boot_ms; /* INT64_MAX: never */
    int64_t lifetime_s;      /* 0: no lifetime, expires_at counts */
    int64_t stated_s;        /* -1: none readable */
};

/* A token of what was issued to a request sent at these times. Takes the texts out of `issue`, on failure too. NULL
 * when memory ran out. `slot`: where it is to be put, in a record of `arena`; NULL: there is none. */
nexauth_token *nx_token_new(struct nx_arena *arena, struct nx_slot *slot, struct nx_issue *issue, int64_t sent_wall_s,
                            int64_t sent_boot_ms);

#endif
