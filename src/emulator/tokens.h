#ifndef EMU_TOKENS_H
#define EMU_TOKENS_H

#include "service.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Access tokens: how each service hands them out, and which of them are alive. All times are in microseconds of the
 * emulator's clock.
 */

struct emu_manner {
    long lifetime_s;  /* 0: the vendor's own */
    long near_end_s;  /* of same_token; never more than half a lifetime */
    long grace_ms;    /* of kills_older */
    bool rotation;    /* a refresh token serves once and is replaced; else it serves for ever */
    bool same_token;  /* who asks again is given the same token, until so near its end */
    bool kills_older; /* a new token is the death of the older ones of the same owner and scope, after the grace */
};

struct emu_tokens {
    struct emu_token *newest;
    struct emu_manner of[EMU_VENDORS];
};

/* Whom a token is for. */
struct emu_owner {
    const struct emu_service *service;
    const cJSON *account;
    const char *scope;
};

void emu_tokens_init(struct emu_tokens *tokens);

/*
 * Changes the manner of one service that hands out tokens, or of all when the description names none, as {"service",
 * "lifetime_s", "rotation", "same_token", "near_end_s", "kills_older", "grace_ms"} say. What is not named stays. NULL,
 * or a sentence.
 */
const char *emu_tokens_tell(struct emu_tokens *tokens, const cJSON *description);

/*
 * Grants a token: notes `token`, `stem`, `expires_in` and `scope` in the answer. own_lifetime_s is the vendor's.
 */
void emu_tokens_grant(struct emu_tokens *tokens, const struct emu_owner *owner, const struct emu_shape *shape,
                      long own_lifetime_s, int64_t now_us, struct emu_answer *answer);

/* {"active": true, "service", "scope", "expires_in"}, or {"active": false} (RFC 7662, section 2.2). */
cJSON *emu_tokens_introspect(const struct emu_tokens *tokens, const char *text, int64_t now_us);

/* The account that a token is for which is alive and which the service honours, or NULL. text: NULL for none. */
const cJSON *emu_tokens_account(const struct emu_tokens *tokens, const struct emu_service *service, const char *text,
                                int64_t now_us);

/* From now on that token is dead, or all of them when `text` is NULL. False when there is no such token. */
bool emu_tokens_revoke(struct emu_tokens *tokens, const char *text, int64_t now_us);

/* Forgets the tokens, not the manners. */
void emu_tokens_clear(struct emu_tokens *tokens);

#endif
