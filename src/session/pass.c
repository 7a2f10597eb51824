/* How a call of an API comes to its token and its turn: by a thread that waits, or by calls. */
#include "session/pass.h"

#include "core/encode.h"
#include "core/error.h"
#include "session/session.h"

#include <stddef.h>
#include <string.h>

/* Never submitted: who waits for it alone takes up the end of no other exchange. */
static const struct nx_exchange nobodys;

static struct nx_pass *of(struct nx_permit *permit)
{
    return (struct nx_pass *)(void *)((char *)permit - offsetof(struct nx_pass, permit));
}

/* Takes a byte off a raw name. */
static int take_decoded(struct nx_span *name)
{
    const char *at = name->start;
    const int high = name->size >= 3 && *at == '%' ? nx_hex_value(at[1]) : -1;
    const int low = high >= 0 ? nx_hex_value(at[2]) : -1;
    const bool encoded = low >= 0;
    const size_t size = encoded ? 3 : 1;

    name->start += size;
    name->size -= size;
    return encoded ? high * 16 + low : (unsigned char)*at;
}

/* However the name is worded: services decode it, and some read it in any case. */
static bool is_access_token(struct nx_span name)
{
    const char *expected = "access_token";

    while (*expected && name.size > 0) {
        const int c = take_decoded(&name);

        if ((c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c) != *expected++)
            return false;
    }
    return !*expected && name.size == 0;
}

static bool has_own_token(const struct nx_url *parts)
{
    struct nx_span rest = parts->query;
    struct nx_span name;
    struct nx_span value;

    while (rest.start && nx_query_next(&rest, &name, &value)) {
        if (is_access_token(name))
            return true;
    }
    return false;
}

static nexauth_status check(const nexauth_source *source, const char *url, struct nx_url *parts,
                            struct nexauth_error *error)
{
    const char *origins = source->provider->api_origins(source->identity.options);

    if (!url || strnlen(url, NX_OPTION_LONGEST + 1) > NX_OPTION_LONGEST || !nx_url_split(url, parts))
        return nx_fail(error, NEXAUTH_INVALID, "url must be an absolute https URL, of at most %d bytes",
                       NX_OPTION_LONGEST);
    if (!origins || !nx_url_is_at(parts, origins))
        return nx_fail(error, NEXAUTH_INVALID, "url lies at none of the source's api_origins: no token is sent there");
    if (has_own_token(parts))
        return nx_fail(error, NEXAUTH_INVALID, "url has an access_token of its own");
    return NEXAUTH_OK;
}

nexauth_status nx_pass_init(struct nx_pass *pass, nexauth_source *source, const char *url, struct nexauth_error *error)
{
    struct nx_url parts;
    const nexauth_status status = check(source, url, &parts, error);

    if (status)
        return status;
    if (source->session->closed)
        return nx_fail(error, NEXAUTH_INVALID, "the session was freed");
    *pass = (struct nx_pass){.source = source, .url = url, .path = parts.path, .generation = nx_fork_generation()};
    return NEXAUTH_OK;
}

void nx_pass_borrow_url(struct nx_pass *pass, const char *copy)
{
    struct nx_url parts;

    if (nx_url_split(copy, &parts)) { /* as the URL was */
        pass->url = copy;
        pass->path = parts.path;
    }
}

void nx_pass_add_url(const struct nx_pass *pass, const char *url, struct nx_text *out)
{
    const size_t size = strcspn(url, "#");
    const size_t to_query = strcspn(url, "?");

    nx_text_add_bytes(out, url, size);
    if (to_query >= size)
        nx_text_add_char(out, '?');
    else if (!strchr("?&", url[size - 1])) /* an empty parameter is no service's to understand */
        nx_text_add_char(out, '&');
    nx_text_add(out, nexauth_token_query(pass->token));
}

static int64_t now_of(const struct nx_pass *pass)
{
    return nx_boot_ms(&pass->source->session->world.clock);
}

static struct nx_pass **list_of(const struct nx_pass *pass)
{
    return &pass->source->session->passes[pass->call ? NX_PASSER_CALL : NX_PASSER_THREAD];
}

static void link_to_session(struct nx_pass *pass)
{
    struct nx_pass **first = list_of(pass);

    pass->previous = NULL;
    pass->next = *first;
    if (pass->next)
        pass->next->previous = pass;
    *first = pass;
}

static bool nobody_waits(const nexauth_session *session)
{
    return !session->passes[NX_PASSER_THREAD] && !session->passes[NX_PASSER_CALL];
}

static void unlink_from_session(struct nx_pass *pass)
{
    nexauth_session *session = pass->source->session;

    *(pass->previous ? &pass->previous->next : list_of(pass)) = pass->next;
    if (pass->next)
        pass->next->previous = pass->previous;
    if (session->closed && nobody_waits(session)) {
        session->passed = true;
        nx_engine_wake(session->engine, &session->passed);
    }
}

/* It waits no longer; what has come of it, whoever waits for it looks. With the lock. */
static void end_waiting(struct nx_pass *pass)
{
    nexauth_session *session = pass->source->session;

    unlink_from_session(pass);
    pass->done = true;
    if (pass->call)
        nx_call_turned(pass->call);
    else
        nx_engine_wake(session->engine, &pass->done);
}

static void granted(struct nx_permit *permit)
{
    struct nx_pass *pass = of(permit);
    struct nx_engine *engine = pass->source->session->engine;

    nx_engine_lock(engine);
    end_waiting(pass);
    nx_engine_unlock(engine);
}

/* With the lock. */
static bool find_place(struct nx_pass *pass)
{
    nexauth_session *session = pass->source->session;
    struct nx_permits *permits = session->world.permits;
    const struct nx_siphash_key *key = permits ? permits->verbs->key(permits) : &session->hash_key;

    if (!pass->place.site)
        pass->place = nx_place_find(&session->last_place, &session->sites, pass->url, pass->path,
                                    &pass->source->provider->api, &session->limits, key);
    return pass->place.site != NULL;
}

static struct nx_permit_wish wish_of(const struct nx_pass *pass, int64_t deadline_ms)
{
    const int64_t now = now_of(pass);
    struct nx_permit_wish wish = {
        .count = NX_SITE_API_DOORS, .lane = NX_LANE_API, .patience_ms = deadline_ms > now ? deadline_ms - now : 0};

    memcpy(wish.doors, pass->place.site->doors, sizeof pass->place.site->doors);
    wish.doors[NX_SITE_PATH] = pass->place.path;
    return wish;
}

/* The source or the session may have been freed between the token and this. */
static bool is_freed(const struct nx_pass *pass, struct nexauth_error *error)
{
    const bool closed = pass->source->session->closed;

    if (!closed && !pass->source->freed)
        return false;
    nx_fail(error, NEXAUTH_CANCELED, "the %s was freed before a turn was asked for", closed ? "session" : "source");
    return true;
}

enum nx_turn nx_pass_enter(struct nx_pass *pass, int64_t deadline_ms, struct nexauth_error *error)
{
    struct nx_permits *permits = pass->source->session->world.permits;
    struct nx_permit_wish wish;
    int64_t wait_ms;
    enum nx_turn is;

    if (is_freed(pass, error))
        return NX_TURN_NEVER;
    if (!find_place(pass)) {
        nx_fail(error, NEXAUTH_NO_MEMORY, "memory ran out");
        return NX_TURN_NEVER;
    }
    if (!permits)
        return NX_TURN_NOW;
    wish = wish_of(pass, deadline_ms);
    pass->permit.granted = granted;
    pass->done = false;
    is = permits->verbs->enter(permits, &pass->permit, &wish, &wait_ms);
    if (is == NX_TURN_WAITS)
        link_to_session(pass);
    if (is == NX_TURN_NEVER)
        nx_say_throttled(pass->source, wait_ms, error);
    return is;
}

/* Nothing of the request has left. The lock may be held. */
static void return_turn(struct nx_pass *pass)
{
    static const struct nx_outcome unsent = {.end = NX_END_UNSENT, .word = NX_WORD_NONE};
    struct nx_permits *permits = pass->source->session->world.permits;

    if (permits && pass->permit.state == NX_PERMIT_OUT)
        permits->verbs->end(permits, &pass->permit, &unsent);
    nexauth_token_unref(pass->token);
    pass->token = NULL;
}

/* Who waited already when the path was first held did not stand in its line. */
static bool is_path_held(const struct nx_pass *pass)
{
    struct nx_permits *permits = pass->source->session->world.permits;
    struct nx_gate_figures figures;
    int64_t now_us;

    return permits->verbs->figures(permits, pass->place.path.key, &figures, &now_us) && figures.held_until_us > now_us;
}

/* The token may have been replaced while the turn was waited for, or be over. */
static bool take_current_token(struct nx_pass *pass)
{
    nexauth_source *source = pass->source;

    if (!nx_current_serves(source, 0))
        return false;
    nexauth_token_unref(pass->token);
    pass->token = nx_current_ref(source);
    return true;
}

void nx_pass_return(struct nx_pass *pass)
{
    return_turn(pass);
    if (pass->source->session->world.permits)
        nx_session_turn_soon(pass->source->session);
}

enum nx_turn nx_pass_turned(struct nx_pass *pass, struct nexauth_error *error)
{
    if (pass->canceled) {
        nx_pass_return(pass);
        nx_fail(error, NEXAUTH_CANCELED, "%s while a turn was waited for", pass->why);
        return NX_TURN_NEVER;
    }
    if (pass->permit.state == NX_PERMIT_OUT && !is_path_held(pass) && take_current_token(pass))
        return NX_TURN_NOW;
    nx_pass_return(pass);
    return NX_TURN_WAITS;
}

/* Sleeps until the turn has come, or cannot come any more. With the lock. */
static void wait_for_turn(struct nx_pass *pass, int64_t deadline_ms)
{
    nexauth_session *session = pass->source->session;
    struct nx_permits *permits = session->world.permits;
    const struct nx_exchange *own = nx_runs_callback(session) ? &nobodys : NULL;

    nx_engine_unlock(session->engine);
    nx_session_turn(session);
    nx_engine_lock(session->engine);
    if (nx_engine_wait(session->engine, &pass->done, deadline_ms, own))
        return;
    if (permits->verbs->leave(permits, &pass->permit))
        end_waiting(pass);
    else
        nx_engine_wait(session->engine, &pass->done, INT64_MAX, own);
}

/* With the lock. */
static enum nx_turn wait_once(struct nx_pass *pass, int64_t deadline_ms, struct nexauth_error *error)
{
    const enum nx_turn is = nx_pass_enter(pass, deadline_ms, error);

    if (is != NX_TURN_WAITS)
        return is;
    wait_for_turn(pass, deadline_ms);
    return nx_pass_turned(pass, error);
}

/* Waits for one, if need be. With the lock, which is let go meanwhile. */
static nexauth_status get_token(struct nx_pass *pass, int64_t deadline_ms, struct nexauth_error *error)
{
    nexauth_session *session = pass->source->session;
    struct nexauth_get_options options = {0};
    int64_t left_ms;

    pass->token = nx_take_fresh(pass->source);
    if (pass->token)
        return NEXAUTH_OK;
    left_ms = deadline_ms - now_of(pass);
    options.timeout_ms = left_ms > 1 ? left_ms : 1;
    nx_engine_unlock(session->engine);
    nexauth_source_get_token(pass->source, &options, &pass->token, error);
    nx_engine_lock(session->engine);
    if (!pass->token && session->closed)
        nx_fail(error, NEXAUTH_CANCELED, "the session was freed while a token was waited for");
    return pass->token ? NEXAUTH_OK : error->status;
}

/* With the lock. */
static nexauth_status wait(struct nx_pass *pass, int64_t deadline_ms, struct nexauth_error *error)
{
    enum nx_turn is;

    do {
        if (get_token(pass, deadline_ms, error))
            return error->status;
        is = wait_once(pass, deadline_ms, error);
    } while (is == NX_TURN_WAITS);
    return is == NX_TURN_NEVER ? error->status : NEXAUTH_OK;
}

nexauth_status nx_pass_wait(struct nx_pass *pass, int64_t deadline_ms, struct nexauth_error *error)
{
    struct nx_engine *engine = pass->source->session->engine;
    struct nexauth_error failure = {0};
    nexauth_status status;

    nx_engine_lock(engine);
    if (!pass->inside)
        nx_source_enter(pass->source);
    pass->inside = true;
    status = wait(pass, deadline_ms, &failure);
    nx_engine_unlock(engine);
    if (status && error)
        *error = failure;
    return status;
}

void nx_pass_cancel(struct nx_pass *pass, const char *why)
{
    struct nx_permits *permits = pass->source->session->world.permits;

    pass->canceled = true;
    pass->why = why;
    if (permits->verbs->leave(permits, &pass->permit))
        end_waiting(pass);
}

static void cancel_all(struct nx_pass *pass, const nexauth_source *source, const char *why)
{
    struct nx_pass *next;

    for (; pass; pass = next) {
        next = pass->next;
        if (!source || pass->source == source)
            nx_pass_cancel(pass, why);
    }
}

void nx_passes_cancel(nexauth_session *session, const nexauth_source *source, const char *why)
{
    for (int who = 0; who < NX_PASSERS; who++)
        cancel_all(session->passes[who], source, why);
}

void nx_passes_wait_for_none(nexauth_session *session)
{
    session->passed = nobody_waits(session);
    nx_engine_wait(session->engine, &session->passed, INT64_MAX, NULL);
}

void nx_passes_inherited(nexauth_session *session)
{
    struct nx_pass *pass = session->passes[NX_PASSER_CALL];

    session->passes[NX_PASSER_CALL] = session->passes[NX_PASSER_THREAD] = NULL;
    while (pass) {
        struct nx_pass *next = pass->next;

        nx_call_forget(pass->call);
        pass = next;
    }
}

bool nx_pass_again(struct nx_pass *pass)
{
    struct nx_permits *permits = pass->source->session->world.permits;

    return !permits || permits->verbs->again(permits, &pass->permit);
}

void nx_pass_give_back(struct nx_pass *pass)
{
    return_turn(pass);
    if (pass->source->session->world.permits)
        nx_session_turn(pass->source->session);
}
