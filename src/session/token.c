/* Tokens: immutable and counted. They need neither source nor session. */
#include "session/session.h"

#include "core/encode.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { PRESENTED_LONGEST = 4 * 1024 * 1024 };

/* The token as the service wants it presented, made once. */
static void present(nexauth_token *token)
{
    const char *access_token = nx_text_string(&token->issue.access_token);

    nx_text_init(&token->presented, PRESENTED_LONGEST);
    if (token->issue.presentation == NEXAUTH_PRESENT_HEADER) {
        nx_text_add(&token->presented, "Authorization: Bearer ");
        nx_text_add(&token->presented, access_token);
    } else {
        nx_text_add(&token->presented, "access_token=");
        nx_add_percent(&token->presented, access_token);
    }
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

static void set_expiry(nexauth_token *token, int64_t sent_boot_ms)
{
    const struct nx_issue *issue = &token->issue;

    token->expires_at = issue->lifetime_s ? add_clamped(token->obtained_at, issue->lifetime_s) : issue->expires_at;
    token->expires_boot_ms = INT64_MAX;
    if (token->expires_at) {
        const int64_t remaining_s = add_clamped(token->expires_at, -token->obtained_at);

        token->expires_boot_ms = add_clamped(sent_boot_ms, seconds_to_ms(remaining_s));
    }
}

nexauth_token *nx_token_new(struct nx_issue *issue, int64_t sent_wall_s, int64_t sent_boot_ms)
{
    nexauth_token *token = calloc(1, sizeof *token);

    if (!token)
        return NULL;
    atomic_init(&token->references, 1);
    token->issue.stated_s = issue->stated_s;
    token->issue.lifetime_s = issue->lifetime_s;
    token->issue.expires_at = issue->expires_at;
    token->issue.presentation = issue->presentation;
    nx_text_move(&token->issue.access_token, &issue->access_token);
    nx_text_move(&token->issue.refresh_token, &issue->refresh_token);
    nx_text_move(&token->issue.scope, &issue->scope);
    token->obtained_at = sent_wall_s;
    set_expiry(token, sent_boot_ms);
    present(token);
    if (nx_text_failed(&token->presented)) {
        nexauth_token_unref(token);
        return NULL;
    }
    return token;
}

nexauth_token *nexauth_token_ref(nexauth_token *token)
{
    if (token)
        atomic_fetch_add_explicit(&token->references, 1, memory_order_relaxed);
    return token;
}

void nexauth_token_unref(nexauth_token *token)
{
    if (!token || atomic_fetch_sub_explicit(&token->references, 1, memory_order_acq_rel) != 1)
        return;
    nx_issue_release(&token->issue);
    nx_text_release(&token->presented);
    free(token);
}

static const char *presented(const nexauth_token *token, int presentation)
{
    return token && token->issue.presentation == presentation ? nx_text_string(&token->presented) : NULL;
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
    return token ? nx_text_string(&token->issue.access_token) : NULL;
}

static const char *string_or_null(const struct nx_text *text)
{
    return text->length ? nx_text_string(text) : NULL;
}

const char *nexauth_token_refresh_token(const nexauth_token *token)
{
    return token ? string_or_null(&token->issue.refresh_token) : NULL;
}

const char *nexauth_token_scope(const nexauth_token *token)
{
    return token ? string_or_null(&token->issue.scope) : NULL;
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
    return token->issue.lifetime_s ? token->issue.lifetime_s : add_clamped(token->expires_at, -token->obtained_at);
}

int64_t nexauth_token_stated_lifetime_s(const nexauth_token *token)
{
    return token ? token->issue.stated_s : -1;
}
