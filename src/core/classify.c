#include "core/classify.h"

#include <string.h>

static bool is_success(const struct nx_facts *facts)
{
    return facts->http_status >= 200 && facts->http_status < 300;
}

static bool is_one_time(const struct nx_facts *facts)
{
    return facts->step == NX_STEP_CODE || facts->step == NX_STEP_REFRESH;
}

static bool is_refusal(const struct nx_facts *facts)
{
    return facts->http_status == 401 || facts->http_status == 403 || facts->http_status == 404;
}

static const char *error_code(const struct nx_facts *facts)
{
    const char *code = nx_answer_code(facts->answer);

    return code && *code ? code : NULL;
}

/* An envelope's code, when it can be read. */
static bool read_code(const struct nx_facts *facts, int64_t *code)
{
    return facts->envelope && nx_answer_envelope_code(facts->answer, code);
}

/* What each rule looks for, in the order of the list. */

static bool no_answer(const struct nx_facts *facts)
{
    return facts->loss != NX_LOSS_NONE;
}

static bool no_memory(const struct nx_facts *facts)
{
    return facts->loss == NX_LOSS_MEMORY || facts->redirect == NX_REDIRECT_NO_MEMORY;
}

static bool canceled(const struct nx_facts *facts)
{
    return facts->loss == NX_LOSS_CANCELED;
}

static bool lost_to_ban(const struct nx_facts *facts)
{
    return no_answer(facts) && facts->ban == NX_BAN_TOLD;
}

static bool not_connected(const struct nx_facts *facts)
{
    return facts->loss == NX_LOSS_CONNECT || facts->loss == NX_LOSS_TLS;
}

static bool garbled(const struct nx_facts *facts)
{
    return facts->loss == NX_LOSS_GARBLED;
}

static bool timed_out(const struct nx_facts *facts)
{
    return facts->loss == NX_LOSS_TIMEOUT;
}

static bool redirected_with_code(const struct nx_facts *facts)
{
    return facts->redirect == NX_REDIRECT_RIGHT;
}

static bool redirected_denied(const struct nx_facts *facts)
{
    return facts->redirect == NX_REDIRECT_DENIED;
}

static bool redirected_error(const struct nx_facts *facts)
{
    return facts->redirect == NX_REDIRECT_ERROR;
}

static bool redirected_wrong(const struct nx_facts *facts)
{
    return facts->redirect == NX_REDIRECT_WRONG;
}

static bool redirected(const struct nx_facts *facts)
{
    return facts->http_status >= 300 && facts->http_status < 400;
}

static bool too_many(const struct nx_facts *facts)
{
    return facts->http_status == 429 || facts->http_status == 503;
}

static bool invalid_grant_once(const struct nx_facts *facts)
{
    const char *code = error_code(facts);

    return code && is_one_time(facts) && strcmp(code, "invalid_grant") == 0;
}

static bool is_among(const char *code, const char *const *list, size_t count)
{
    for (size_t i = 0; code && i < count; i++) {
        if (strcmp(code, list[i]) == 0)
            return true;
    }
    return false;
}

static bool error_of_identity(const struct nx_facts *facts)
{
    static const char *const codes[] = {"invalid_grant", "invalid_client", "unauthorized_client", "access_denied"};

    return is_among(error_code(facts), codes, sizeof codes / sizeof *codes);
}

static bool error_of_service(const struct nx_facts *facts)
{
    static const char *const codes[] = {"temporarily_unavailable", "server_error"};

    return is_among(error_code(facts), codes, sizeof codes / sizeof *codes);
}

static bool any_error(const struct nx_facts *facts)
{
    return error_code(facts) != NULL;
}

static bool envelope_refuses(const struct nx_facts *facts)
{
    int64_t code;

    return is_success(facts) && read_code(facts, &code) && code != 0;
}

static bool brings_token(const struct nx_facts *facts)
{
    int64_t code = facts->envelope ? -1 : 0;

    if (!is_success(facts) || facts->over_cap || facts->step == NX_STEP_CONNECT)
        return false;
    if (facts->envelope && (!read_code(facts, &code) || code != 0))
        return false;
    return nx_answer_has_token(facts->answer);
}

static bool token_alone(const struct nx_facts *facts)
{
    return facts->token_came && !any_error(facts);
}

static bool success_too_large(const struct nx_facts *facts)
{
    return is_success(facts) && facts->over_cap;
}

static bool success_unreadable(const struct nx_facts *facts)
{
    return is_success(facts) && facts->answer->content != NX_CONTENT_DOCUMENT;
}

static bool service_failed(const struct nx_facts *facts)
{
    return facts->http_status >= 500 || facts->http_status == 408 || facts->http_status == 425;
}

static bool banned(const struct nx_facts *facts)
{
    return facts->ban != NX_BAN_NONE;
}

static bool refused(const struct nx_facts *facts)
{
    return facts->http_status == 401 || facts->http_status == 403 ||
           (facts->http_status == 400 && nx_answer_has_message(facts->answer));
}

static bool anything(const struct nx_facts *facts)
{
    (void)facts;
    return true;
}

/* An envelope's code means what the caller says, else -1 UNAVAILABLE ("system busy" in the family), else a refusal. */
static nexauth_status meaning_of_code(const struct nx_facts *facts)
{
    int64_t code = 0;
    nexauth_status meaning;

    read_code(facts, &code);
    meaning = nx_identity_meaning(facts->identity, code);
    if (meaning != NEXAUTH_OK)
        return meaning;
    if (code == -1)
        return NEXAUTH_UNAVAILABLE;
    return is_one_time(facts) ? NEXAUTH_REAUTH : NEXAUTH_DENIED;
}

/* A refusal of what serves once is told apart: the user, not the credentials, has to act. */
static bool envelope_ends_authorization(const struct nx_facts *facts)
{
    return envelope_refuses(facts) && meaning_of_code(facts) == NEXAUTH_REAUTH;
}

struct rule {
    bool (*matches)(const struct nx_facts *facts);
    nexauth_status status;
    const char *sentence;
    nexauth_status (*decide)(const struct nx_facts *facts); /* instead of `status` */
};

static const struct rule rules[] = {
    /* What most answers are comes first: no rule from 1 to 5 matches one of these. */
    {token_alone, NEXAUTH_OK, "", NULL},
    /* 1. No answer. */
    {no_memory, NEXAUTH_NO_MEMORY, "could not be asked: memory ran out", NULL},
    {canceled, NEXAUTH_CANCELED, "was not waited for", NULL},
    {lost_to_ban, NEXAUTH_BLOCKED, "keeps closing connections: this address seems to be banned", NULL},
    {timed_out, NEXAUTH_TIMEOUT, "did not answer in time", NULL},
    {garbled, NEXAUTH_PROTOCOL, "answers in no form that can be read", NULL},
    {not_connected, NEXAUTH_NETWORK, "could not be reached", NULL},
    {no_answer, NEXAUTH_NETWORK, "did not answer before the connection ended", NULL},
    /* 2. A redirect: only the authorization endpoint's is expected, and none is followed. */
    {redirected_with_code, NEXAUTH_OK, "", NULL},
    {redirected_denied, NEXAUTH_DENIED, "denies the authorization", NULL},
    {redirected_error, NEXAUTH_CONFIG, "rejects the authorization request", NULL},
    {redirected_wrong, NEXAUTH_PROTOCOL, "redirects to another place or with a wrong code or state", NULL},
    {redirected, NEXAUTH_CONFIG, "redirects elsewhere, which is not followed: check origin and path", NULL},
    /* 3. Too many requests. */
    {too_many, NEXAUTH_THROTTLED, "asks for fewer requests", NULL},
    /* 4. An OAuth error, at any status. */
    {invalid_grant_once, NEXAUTH_REAUTH, "no longer accepts the authorization, the user must authorize again", NULL},
    {error_of_identity, NEXAUTH_DENIED, "rejects the credentials", NULL},
    {error_of_service, NEXAUTH_UNAVAILABLE, "has a fault", NULL},
    {any_error, NEXAUTH_CONFIG, "rejects the request", NULL},
    /* 5. An envelope that says no. */
    {envelope_ends_authorization, NEXAUTH_REAUTH, "no longer accepts the authorization, the user must authorize again",
     NULL},
    {envelope_refuses, NEXAUTH_OK, "refuses", meaning_of_code},
    /* 6. Success, and no token. */
    {success_too_large, NEXAUTH_PROTOCOL, "answers more than max_answer_bytes", NULL},
    {success_unreadable, NEXAUTH_PROTOCOL, "answers in no form that can be read", NULL},
    {is_success, NEXAUTH_PROTOCOL, "answers without a usable token", NULL},
    /* 7. The service's own faults. */
    {service_failed, NEXAUTH_UNAVAILABLE, "has a fault", NULL},
    /* 8. A ban. */
    {banned, NEXAUTH_BLOCKED, "refuses this address: banned, or not on the service's list", NULL},
    /* 9. A refusal. */
    {refused, NEXAUTH_DENIED, "rejects the credentials", NULL},
    /* 10. The rest. */
    {anything, NEXAUTH_CONFIG, "rejects the request", NULL},
};

struct nx_facts nx_facts_of(enum nx_step step, const struct nx_exchange *exchange, const struct nx_answer *answer,
                            const struct nx_identity *identity, bool envelope, enum nx_redirect redirect)
{
    struct nx_facts facts = {.step = step,
                             .loss = exchange->loss,
                             .http_status = exchange->loss ? 0 : exchange->response.http_status,
                             .redirect = redirect,
                             .over_cap = exchange->response.over_cap,
                             .envelope = envelope,
                             .answer = answer,
                             .identity = identity};

    facts.token_came = brings_token(&facts);
    return facts;
}

enum nx_sign nx_facts_sign(const struct nx_facts *facts)
{
    if (facts->loss)
        return facts->loss == NX_LOSS_CLOSED ? NX_SIGN_CLOSED : NX_SIGN_NOTHING;
    if (redirected_with_code(facts) || facts->token_came)
        return NX_SIGN_TOKEN;
    if (is_refusal(facts) && facts->answer->content == NX_CONTENT_HTML)
        return facts->http_status == 403 ? NX_SIGN_HTML_403 : NX_SIGN_HTML;
    if (is_refusal(facts) && facts->answer->content == NX_CONTENT_EMPTY && !facts->over_cap)
        return NX_SIGN_BARE;
    return NX_SIGN_ANSWER;
}

bool nx_facts_show_fault(const struct nx_facts *facts)
{
    const char *code = error_code(facts);

    if (too_many(facts))
        return false;
    return (code && strcmp(code, "server_error") == 0) || facts->http_status == 408 || facts->http_status >= 500;
}

struct nx_verdict nx_classify(const struct nx_facts *facts)
{
    const struct rule *rule = rules;

    while (!rule->matches(facts))
        rule++;
    return (struct nx_verdict){rule->decide ? rule->decide(facts) : rule->status, rule->sentence};
}
