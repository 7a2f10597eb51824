/* Tokens that outlive the process: told of when they come, and given back later. */
#include "session/session.h"

#include "core/encode.h"
#include "core/error.h"
#include "core/lifetime.h"

#include <stdlib.h>
#include <string.h>

enum { TOKEN_LONGEST = 1048576 };

/* Both verbs are for sources that nobody has asked for a token yet. With the lock, when it returns OK. */
static nexauth_status enter(nexauth_source *source, struct nexauth_error *error)
{
    const char *sentence = "this is to be called before the source is first asked for a token";

    nx_engine_lock(source->session->engine);
    if (!source->asked && !source->session->closed)
        return NEXAUTH_OK;
    if (source->session->closed)
        sentence = "the session was freed";
    nx_engine_unlock(source->session->engine);
    return nx_fail(error, NEXAUTH_INVALID, "%s", sentence);
}

nexauth_status nexauth_source_set_save(nexauth_source *source, nexauth_save_callback callback, void *context,
                                       struct nexauth_error *error)
{
    struct nx_save *save;
    nexauth_status status;

    if (!source || !callback)
        return nx_fail(error, NEXAUTH_INVALID, "source and callback are required");
    save = calloc(1, sizeof *save);
    if (!save)
        return nx_fail(error, NEXAUTH_NO_MEMORY, "memory ran out");
    *save = (struct nx_save){callback, context};
    status = enter(source, error);
    if (status) {
        free(save);
        return status;
    }
    free(source->save);
    source->save = save;
    nx_engine_unlock(source->session->engine);
    return NEXAUTH_OK;
}

static bool is_token(const char *string)
{
    const size_t length = string ? strnlen(string, TOKEN_LONGEST + 1) : 0;

    for (size_t i = 0; i < length; i++) {
        if (string[i] < 0x21 || string[i] > 0x7e)
            return false;
    }
    return length <= TOKEN_LONGEST && (!string || length);
}

static nexauth_status check(const nexauth_source *source, const struct nexauth_saved_token *saved,
                            struct nexauth_error *error)
{
    nexauth_status status = nx_check_reserved(saved->reserved, error);

    if (status)
        return status;
    if (source->provider->give)
        return nx_fail(error, NEXAUTH_INVALID, "a static source takes no saved token");
    if (!is_token(saved->access_token))
        return nx_fail(error, NEXAUTH_INVALID, "access_token must have bytes 0x21 to 0x7e, and 1 MiB at most");
    if (saved->refresh_token && !source->grant)
        return nx_fail(error, NEXAUTH_INVALID, "this source has no use for a refresh token");
    if (saved->scope &&
        (strnlen(saved->scope, TOKEN_LONGEST) == TOKEN_LONGEST || !nx_is_free_of_controls(saved->scope)))
        return nx_fail(error, NEXAUTH_INVALID, "scope has control characters, or is too long");
    if (saved->refresh_token && strnlen(saved->refresh_token, TOKEN_LONGEST) == TOKEN_LONGEST)
        return nx_fail(error, NEXAUTH_INVALID, "refresh_token is too long");
    if (saved->access_token && (saved->lifetime_s < 1 || saved->expires_at < 1 || saved->obtained_at < 0))
        return nx_fail(error, NEXAUTH_INVALID, "obtained_at, expires_at and lifetime_s are required");
    return NEXAUTH_OK;
}

/* What remains of a saved token's life; 0 or less: nothing. */
static int64_t remaining_s(const nexauth_source *source, const struct nexauth_saved_token *saved, int64_t now)
{
    const int64_t lifetime_s = nx_lifetime_counted(saved->lifetime_s, source->provider->longest_lifetime_s);

    if (now < saved->obtained_at)
        return 0;
    return lifetime_s < saved->expires_at - now ? lifetime_s : saved->expires_at - now;
}

static void copy(struct nx_issue *issue, const nexauth_source *source, const struct nexauth_saved_token *saved)
{
    nx_issue_init(issue, TOKEN_LONGEST);
    issue->presentation = nx_provider_presents(source->provider, source->identity.options);
    issue->stated_s = saved->lifetime_s;
    issue->lifetime_s = nx_lifetime_counted(saved->lifetime_s, source->provider->longest_lifetime_s);
    nx_text_add(&issue->access_token, saved->access_token);
    if (saved->refresh_token)
        nx_text_add(&issue->refresh_token, saved->refresh_token);
    if (saved->scope)
        nx_text_add(&issue->scope, saved->scope);
}

/* The token, as if its request had been sent so long ago that what remains of its life is right. It ends then by the
 * wall clock too, whatever was saved. */
static nexauth_token *make_token(nexauth_source *source, const struct nexauth_saved_token *saved, int64_t left_s,
                                 struct nx_now now)
{
    nexauth_token *token = NULL;
    struct nx_issue issue;

    copy(&issue, source, saved);
    if (!nx_text_failed(&issue.access_token) && !nx_text_failed(&issue.refresh_token) && !nx_text_failed(&issue.scope))
        token = nx_token_new(source->session->arena, &source->slot, &issue, saved->obtained_at,
                             now.boot_ms - (issue.lifetime_s - left_s) * 1000);
    nx_issue_release(&issue);
    if (token)
        token->expires_at = now.wall_s + left_s;
    return token;
}

static nexauth_status keep_refresh_token(nexauth_source *source, const char *refresh_token, struct nexauth_error *error)
{
    struct nx_text text;

    nx_text_init(&text, source->grant->refresh_token.bound);
    nx_text_add(&text, refresh_token);
    if (nx_text_failed(&text))
        return nx_fail(error, text.status, "memory ran out, or refresh_token is too long");
    nx_text_move(&source->grant->refresh_token, &text);
    nx_text_lock_away(&source->grant->refresh_token, nx_arena_vault(source->session->secrets));
    return NEXAUTH_OK;
}

/* With the lock. */
static nexauth_status restore(nexauth_source *source, const struct nexauth_saved_token *saved,
                              struct nexauth_error *error)
{
    const struct nx_now now = nx_read_now(&source->session->world.clock);
    const int64_t left_s = saved->access_token ? remaining_s(source, saved, now.wall_s) : 0;
    nexauth_token *token = NULL;
    nexauth_status status = NEXAUTH_OK;

    if (left_s > 0) {
        token = make_token(source, saved, left_s, now);
        if (!token)
            return nx_fail(error, NEXAUTH_NO_MEMORY, "memory ran out");
    }
    if (saved->refresh_token && *saved->refresh_token)
        status = keep_refresh_token(source, saved->refresh_token, error);
    if (!status && token) {
        source->way = NEXAUTH_WAY_RESTORED;
        source->reason = NEXAUTH_REASON_FIRST;
        nx_current_take(source, token);
    }
    nexauth_token_unref(token);
    return status;
}

nexauth_status nexauth_source_restore_token(nexauth_source *source, const struct nexauth_saved_token *saved,
                                            struct nexauth_error *error)
{
    nexauth_status status;

    if (!source || !saved)
        return nx_fail(error, NEXAUTH_INVALID, "source and saved are required");
    status = check(source, saved, error);
    if (!status)
        status = enter(source, error);
    if (status)
        return status;
    status = restore(source, saved, error);
    nx_engine_unlock(source->session->engine);
    return status;
}
