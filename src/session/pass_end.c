/* What came of a call of an API: for the ledger, for the token, and for who made it. */
#include "session/pass.h"

#include "core/encode.h"
#include "core/error.h"
#include "core/retry_after.h"
#include "session/session.h"

#include <string.h>

enum { LEAST_STATUS = 200, MOST_STATUS = 999, US_IN_MS = 1000 };

/* Where it is held, and what is said of it. */
struct verdict {
    nexauth_status status;
    int held; /* an index of the doors */
    const char *sentence;
};

static nexauth_status check(const struct nx_pass *pass, const struct nexauth_answer *answer,
                            struct nexauth_error *error)
{
    if (pass->generation != nx_fork_generation())
        return nx_fail(error, NEXAUTH_INVALID, "the permit is the parent's");
    if (pass->ended)
        return nx_fail(error, NEXAUTH_INVALID, "the permit has ended already");
    if (nx_check_reserved(answer->reserved, error))
        return NEXAUTH_INVALID;
    if (answer->http_status && (answer->http_status < LEAST_STATUS || answer->http_status > MOST_STATUS))
        return nx_fail(error, NEXAUTH_INVALID, "http_status must be that of a final answer, or 0");
    if (answer->loss < NEXAUTH_LOSS_UNKNOWN || answer->loss > NEXAUTH_LOSS_CLOSED)
        return nx_fail(error, NEXAUTH_INVALID, "loss must be chosen from %d to %d", NEXAUTH_LOSS_UNKNOWN,
                       NEXAUTH_LOSS_CLOSED);
    return NEXAUTH_OK;
}

static bool is_html(const char *content_type)
{
    static const char *const types[] = {"text/html", "application/xhtml"};

    for (size_t i = 0; content_type && i < sizeof types / sizeof *types; i++) {
        if (strlen(content_type) >= strlen(types[i]) && nx_same_in_any_case(content_type, types[i], strlen(types[i])))
            return true;
    }
    return false;
}

/* An API has pages of HTML for nobody; a refusal without a word it may have. */
static enum nx_sign sign_of(const struct nexauth_answer *answer)
{
    if (!answer->http_status)
        return answer->loss == NEXAUTH_LOSS_CLOSED ? NX_SIGN_CLOSED : NX_SIGN_NOTHING;
    if (answer->http_status != 401 && answer->http_status != 403 && answer->http_status != 404)
        return NX_SIGN_ANSWER;
    if (is_html(answer->content_type))
        return NX_SIGN_HTML;
    return answer->content_type ? NX_SIGN_ANSWER : NX_SIGN_BARE;
}

/* Whether this shows a ban: the third page in a row, whoever met it, or the third identity refused without a word. With
 * the lock. */
static bool shows_ban(struct nx_pass *pass, const struct nexauth_answer *answer)
{
    nexauth_session *session = pass->source->session;
    struct nx_site *site = pass->place.site->first;
    const enum nx_sign sign = sign_of(answer);
    uint64_t who = 0;

    if (sign == NX_SIGN_HTML)
        who = ++site->pages;
    else if (sign == NX_SIGN_BARE)
        who = nx_identity_hash(&pass->source->identity, &session->hash_key);
    return nx_history_note(&site->history, who, sign) != NX_BAN_NONE;
}

static struct verdict judge(struct nx_pass *pass, const struct nexauth_answer *answer)
{
    static const struct verdict ban = {NEXAUTH_BLOCKED, NX_SITE_ORIGIN,
                                       "refuses this address: banned, or not on the service's list"};
    static const struct verdict too_many = {NEXAUTH_THROTTLED, NX_SITE_LIMIT, "asks for fewer requests"};
    static const struct verdict busy = {NEXAUTH_UNAVAILABLE, NX_SITE_PATH, "cannot serve this path now"};
    static const struct verdict rejected = {NEXAUTH_DENIED, 0, "rejects the token"};
    static const struct verdict fine = {NEXAUTH_OK, 0, ""};

    if (shows_ban(pass, answer))
        return ban;
    switch (answer->http_status) {
    case 401:
        return rejected;
    case 429:
        return too_many;
    case 503:
        return busy;
    default:
        return fine;
    }
}

static bool is_hold(nexauth_status status)
{
    return status == NEXAUTH_BLOCKED || status == NEXAUTH_THROTTLED || status == NEXAUTH_UNAVAILABLE;
}

static struct nx_outcome outcome_of(struct nx_pass *pass, const struct nexauth_answer *answer,
                                    const struct verdict *verdict)
{
    const bool left = answer->http_status || answer->loss != NEXAUTH_LOSS_UNSENT;
    struct nx_outcome outcome = {.end = nx_end_of(left, answer->http_status), .word = NX_WORD_NONE};

    if (is_hold(verdict->status)) {
        outcome.word = NX_WORD_REFUSED;
        outcome.held = verdict->held;
        outcome.retry_after_us = nx_retry_after_ms(answer->retry_after, answer->date) * US_IN_MS;
        outcome.grows = true;
        outcome.draw = nx_session_draw(pass->source->session);
    } else if (outcome.end == NX_END_ANSWERED) {
        outcome.word = NX_WORD_FINE;
    }
    return outcome;
}

/* How long the door is held from now on. */
static int64_t held_for_ms(const struct nx_pass *pass, int held)
{
    struct nx_permits *permits = pass->source->session->world.permits;
    struct nx_gate_figures figures;
    int64_t now_us;

    if (!permits->verbs->figures(permits, pass->permit.keys[held], &figures, &now_us) ||
        figures.held_until_us <= now_us)
        return 0;
    return (figures.held_until_us - now_us + US_IN_MS - 1) / US_IN_MS;
}

/* Tells the ledger. Returns how long a hold is to last, 0 without one. */
static int64_t end_turn(struct nx_pass *pass, const struct nexauth_answer *answer, const struct verdict *verdict)
{
    nexauth_session *session = pass->source->session;
    struct nx_permits *permits = session->world.permits;
    const struct nx_outcome outcome = outcome_of(pass, answer, verdict);

    if (!permits)
        return outcome.retry_after_us / US_IN_MS;
    if (permits->verbs->end(permits, &pass->permit, &outcome))
        nx_session_turn(session);
    return outcome.word == NX_WORD_REFUSED ? held_for_ms(pass, outcome.held) : 0;
}

/* Who answered. What carries a static token is anybody's API. */
static const char *name_of_service(const nexauth_source *source)
{
    return source->provider->give ? "the service" : source->provider->service;
}

/* 401: DENIED, and when to ask for another token; a static source has none. */
static nexauth_status reject(struct nx_pass *pass, struct nexauth_error *error)
{
    struct nexauth_error why = {0};
    const bool given = pass->source->provider->give != NULL;

    nexauth_source_reject_token(pass->source, pass->token, &why);
    nx_fail(error, given ? NEXAUTH_REAUTH : NEXAUTH_DENIED, "%s rejects the token", name_of_service(pass->source));
    error->retry_after_ms = why.retry_after_ms;
    return error->status;
}

/* What the answer says of token and rate, in the history of its origin too. */
static struct verdict note(struct nx_pass *pass, const struct nexauth_answer *answer)
{
    struct nx_engine *engine = pass->source->session->engine;
    struct verdict verdict;

    nx_engine_lock(engine);
    verdict = judge(pass, answer);
    if (answer->http_status >= 200 && answer->http_status < 300)
        nx_source_approve(pass->source, pass->token);
    nx_engine_unlock(engine);
    return verdict;
}

nexauth_status nx_pass_end(struct nx_pass *pass, const struct nexauth_answer *answer, struct nexauth_error *error)
{
    struct nexauth_error failure = {0};
    nexauth_status status = check(pass, answer, error);
    struct verdict verdict;
    int64_t held_ms;

    if (status)
        return status;
    pass->ended = true;
    verdict = note(pass, answer);
    held_ms = end_turn(pass, answer, &verdict);
    if (!verdict.status)
        return NEXAUTH_OK;
    if (verdict.status == NEXAUTH_DENIED) {
        reject(pass, &failure);
    } else {
        nx_fail(&failure, verdict.status, "%s %s", name_of_service(pass->source), verdict.sentence);
        failure.retry_after_ms = held_ms;
    }
    failure.http_status = answer->http_status;
    if (error)
        *error = failure;
    return failure.status;
}

/* Without the lock. */
static void drop_turn(struct nx_pass *pass)
{
    static const struct nx_outcome given_up = {.end = NX_END_GIVEN_UP, .word = NX_WORD_NONE};
    struct nx_permits *permits = pass->source->session->world.permits;

    if (permits && pass->permit.state == NX_PERMIT_OUT && pass->generation == nx_fork_generation() &&
        permits->verbs->end(permits, &pass->permit, &given_up))
        nx_session_turn(pass->source->session);
    nexauth_token_unref(pass->token);
    pass->token = NULL;
}

void nx_pass_renew(struct nx_pass *pass)
{
    drop_turn(pass);
    pass->ended = false;
}

void nx_pass_leave_source(struct nx_pass *pass)
{
    struct nx_engine *engine = pass->source->session->engine;

    nx_engine_lock(engine);
    pass->source->inside--;
    pass->inside = false;
    nx_engine_unlock(engine);
}

void nx_pass_release(struct nx_pass *pass)
{
    drop_turn(pass);
    if (!pass->inside)
        return;
    nx_engine_lock(pass->source->session->engine);
    nx_source_leave_unlock(pass->source);
}
