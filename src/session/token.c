/* Tokens: immutable and counted. They need neither source nor session. */
#include "session/token.h"

#include "core/encode.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { VALUE_LONGEST = 4 * 1024 * 1024 - 64 };

/* The token as the service wants it presented: a prefix, and the value behind it. */
struct presented {
    const char *prefix;
    const struct nx_text *value;
};

/* Gives a text its place at the end of the block; 0 when it is empty. */
static uint32_t place(nexauth_token *token, const struct nx_text *text)
{
    const uint32_t offset = token->size;

    if (!text->length)
        return 0;
    token->size += (uint32_t)text->length + 1;
    return offset;
}

static void fill(const nexauth_token *token, uint32_t offset, const struct nx_text *text)
{
    nx_block_fill(token->block, offset, nx_text_string(text), text->length + 1);
}

/* False when memory ran out, or the token is too long. The bounds of the texts keep the sum far below 4 GiB. */
static bool lay_out(nexauth_token *token, const struct presented *presented, const struct nx_issue *issue)
{
    const uint32_t value = (uint32_t)strlen(presented->prefix);
    const bool within = presented->value->length == issue->access_token.length; /* an encoded one is longer */

    if (presented->value->length > VALUE_LONGEST)
        return false;
    token->presented_length = value + (uint32_t)presented->value->length;
    token->size = token->presented_length + 1;
    token->access_token = within ? value : place(token, &issue->access_token);
    token->refresh_token = place(token, &issue->refresh_token);
    token->scope = place(token, &issue->scope);
    token->block = nx_arena_take(token->arena, token->size);
    if (!token->block)
        return false;
    nx_block_fill(token->block, 0, presented->prefix, value);
    fill(token, value, presented->value);
    if (!within)
        fill(token, token->access_token, &issue->access_token);
    if (token->refresh_token)
        fill(token, token->refresh_token, &issue->refresh_token);
    if (token->scope)
        fill(token, token->scope, &issue->scope);
    return true;
}

static bool keep_text(nexauth_token *token, const struct nx_issue *issue)
{
    struct nx_text encoded;
    bool kept;

    if (issue->presentation == NEXAUTH_PRESENT_HEADER)
        return lay_out(token, &(struct presented){"Authorization: Bearer ", &issue->access_token}, issue);
    nx_text_init(&encoded, VALUE_LONGEST);
    nx_add_percent(&encoded, nx_text_string(&issue->access_token));
    kept = !nx_text_failed(&encoded) && lay_out(token, &(struct presented){"access_token=", &encoded}, issue);
    nx_text_release(&encoded);
    return kept;
}

/* Points in time are far from the ends of int64_t, except those that a caller made up. */
static int64_t add_clamped(int64_t a, int64_t b)
{
    if (b > 0 && a > INT64_MAX - b)
        return INT64_MAX;
    return b < 0 && a < INT64_MIN - b ? INT64_MIN : a + b;
}

static int64_t seconds_to_ms(int64_t s)
{
    if (s > INT64_MAX / 1000)
        return INT64_MAX;
    return s < INT64_MIN / 1000 ? INT64_MIN : s * 1000;
}

static void set_times(nexauth_token *token, const struct nx_issue *issue, int64_t sent_wall_s, int64_t sent_boot_ms)
{
    token->lifetime_s = issue->lifetime_s;
    token->stated_s = issue->stated_s;
    token->obtained_at = sent_wall_s;
    token->expires_at = issue->lifetime_s ? add_clamped(sent_wall_s, issue->lifetime_s) : issue->expires_at;
    token->expires_boot_ms = INT64_MAX;
    if (token->expires_at) {
        const int64_t remaining_s = add_clamped(token->expires_at, -sent_wall_s);

        token->expires_boot_ms = add_clamped(sent_boot_ms, seconds_to_ms(remaining_s));
    }
}

/* With one reference, and no text yet. Only a token without a cell has room behind it for a count of its own. */
static nexauth_token *allocate(struct nx_arena *arena, struct nx_slot *slot)
{
    const int cell = slot ? nx_slot_lend(slot) : -1;
    nexauth_token *token = calloc(1, sizeof *token + (cell < 0 ? sizeof *token->references : 0));

    if (token) {
        token->cell = (signed char)cell;
        token->references = cell < 0 ? (_Atomic uint64_t *)(void *)(token + 1) : &slot->cells[cell];
        token->arena = nx_arena_ref(arena);
        atomic_store_explicit(token->references, 1, memory_order_relaxed);
    } else if (cell >= 0) {
        nx_slot_let_go(slot, 1U << cell, arena);
    }
    return token;
}

/* The slot that lent the token its cell. */
static struct nx_slot *slot_of(const nexauth_token *token)
{
    char *cells = (char *)(token->references - token->cell);

    return (struct nx_slot *)(void *)(cells - offsetof(struct nx_slot, cells));
}

/* Kept apart, so that an unref that ends nothing saves no registers. */
#if defined(__GNUC__)
__attribute__((noinline))
#endif
static void
destroy(nexauth_token *token)
{
    nx_arena_give(token->arena, token->block, token->size);
    if (token->cell >= 0)
        nx_slot_let_go(slot_of(token), 1U << token->cell, token->arena);
    nx_arena_unref(token->arena);
    free(token);
}

nexauth_token *nx_token_new(struct nx_arena *arena, struct nx_slot *slot, struct nx_issue *issue, int64_t sent_wall_s,
                            int64_t sent_boot_ms)
{
    nexauth_token *token = allocate(arena, slot);

    if (token) {
        token->presentation = (unsigned char)issue->presentation;
        set_times(token, issue, sent_wall_s, sent_boot_ms);
        if (!keep_text(token, issue)) {
            destroy(token);
            token = NULL;
        }
    }
    nx_issue_release(issue);
    return token;
}

nexauth_token *nexauth_token_ref(nexauth_token *token)
{
    if (token)
        atomic_fetch_add_explicit(token->references, 1, memory_order_relaxed);
    return token;
}

void nexauth_token_unref(nexauth_token *token)
{
    if (token && atomic_fetch_sub_explicit(token->references, 1, memory_order_acq_rel) == 1)
        destroy(token);
}

static const char *presented(const nexauth_token *token, int presentation)
{
    return token && token->presentation == presentation ? nx_block_text(token->block) : NULL;
}

const char *nexauth_token_header(const nexauth_token *token)
{
    return presented(token, NEXAUTH_PRESENT_HEADER);
}

const char *nexauth_token_query(const nexauth_token *token)
{
    return presented(token, NEXAUTH_PRESENT_QUERY);
}

const char *nexauth_token_access_token(const nexauth_token *token)
{
    return token ? nx_block_text(token->block) + token->access_token : NULL;
}

const char *nexauth_token_refresh_token(const nexauth_token *token)
{
    return token && token->refresh_token ? nx_block_text(token->block) + token->refresh_token : NULL;
}

const char *nexauth_token_scope(const nexauth_token *token)
{
    return token && token->scope ? nx_block_text(token->block) + token->scope : NULL;
}

int64_t nexauth_token_obtained_at(const nexauth_token *token)
{
    return token ? token->obtained_at : 0;
}

int64_t nexauth_token_expires_at(const nexauth_token *token)
{
    return token ? token->expires_at : 0;
}

int64_t nexauth_token_lifetime_s(const nexauth_token *token)
{
    if (!token || !token->expires_at)
        return 0;
    return token->lifetime_s ? token->lifetime_s : add_clamped(token->expires_at, -token->obtained_at);
}

int64_t nexauth_token_stated_lifetime_s(const nexauth_token *token)
{
    return token ? token->stated_s : -1;
}
