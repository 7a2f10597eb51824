#include "core/flight.h"

#include "core/encode.h"
#include "core/error.h"
#include "core/lifetime.h"
#include "core/refusal.h"

#include <string.h>

static void fail(struct nx_flight *flight, nexauth_status status, const char *sentence)
{
    nx_fail(&flight->error, status, "%s", sentence);
    flight->need = NX_NEED_FAIL;
}

static void word(struct nx_flight *flight, enum nx_step step)
{
    struct nx_request *request = &flight->exchange->request;
    nexauth_status status;

    flight->step = step;
    nx_exchange_reset(flight->exchange);
    flight->provider->word(flight->identity->options, step, flight->grant, request);
    request->one_time = step == NX_STEP_CODE || step == NX_STEP_REFRESH;
    status = nx_request_end(request);
    if (status)
        fail(flight, status, "the request could not be put together");
    else
        flight->need = NX_NEED_SEND;
}

static bool has_supplier(const struct nx_flight *flight)
{
    void *context;

    return flight->provider->authorizing->supplier(flight->identity->options, &context) != NULL;
}

/* Whether the source can connect by itself, in this flight or a later one. */
static bool may_ever_connect(const struct nx_flight *flight)
{
    return flight->provider->authorizing->may_connect(flight->identity->options, flight->grant);
}

static bool may_connect(const struct nx_flight *flight)
{
    return flight->provider->authorizing && !flight->connected && may_ever_connect(flight);
}

static void begin_connect(struct nx_flight *flight)
{
    flight->connected = true;
    flight->need = has_supplier(flight) ? NX_NEED_XSPE : NX_NEED_STATE;
}

static void need_authorization(struct nx_flight *flight)
{
    const struct nx_grant *grant = flight->grant;

    if (grant->in_doubt)
        fail(flight, NEXAUTH_REAUTH,
             "the answer to a one-time code or refresh token was lost: the user must authorize again");
    else if (grant->connected)
        fail(flight, NEXAUTH_REAUTH, "what the options give for a connect has served: the user must authorize again");
    else
        fail(flight, NEXAUTH_REAUTH, "no code and no refresh token is at hand: the user must authorize");
}

static void give(struct nx_flight *flight)
{
    flight->provider->give(flight->identity->options, &flight->issue);
    if (nx_text_failed(&flight->issue.access_token) || nx_text_failed(&flight->issue.scope))
        fail(flight, NEXAUTH_NO_MEMORY, "memory ran out");
    else
        flight->need = NX_NEED_PUBLISH;
}

static void choose_course(struct nx_flight *flight)
{
    if (flight->provider->give)
        give(flight);
    else if (!flight->provider->authorizing)
        word(flight, NX_STEP_CREDENTIALS);
    else if (flight->grant->code.length)
        word(flight, NX_STEP_CODE);
    else if (flight->grant->refresh_token.length)
        word(flight, NX_STEP_REFRESH);
    else if (may_connect(flight))
        begin_connect(flight);
    else
        need_authorization(flight);
}

void nx_flight_begin(struct nx_flight *flight, const struct nx_provider *provider, const struct nx_identity *identity,
                     struct nx_grant *grant, struct nx_exchange *exchange, size_t bound)
{
    *flight = (struct nx_flight){
        .provider = provider, .identity = identity, .grant = grant, .exchange = exchange, .bound = bound};
    nx_issue_init(&flight->issue, bound);
    choose_course(flight);
}

void nx_flight_take_xspe(struct nx_flight *flight, const struct nexauth_error *error, struct nx_text *xspe)
{
    if (error->status) {
        flight->error = *error;
        flight->need = NX_NEED_FAIL;
    } else {
        nx_text_move(&flight->grant->supplied, xspe);
        flight->need = NX_NEED_STATE;
    }
}

void nx_flight_take_random(struct nx_flight *flight, const unsigned char *bytes)
{
    if (!bytes) {
        fail(flight, NEXAUTH_UNAVAILABLE, "the system's random generator failed");
        return;
    }
    nx_text_clear(&flight->grant->state);
    nx_add_hex(&flight->grant->state, bytes, NX_STATE_BYTES);
    if (nx_text_failed(&flight->grant->state))
        fail(flight, NEXAUTH_NO_MEMORY, "memory ran out");
    else
        word(flight, NX_STEP_CONNECT);
}

/* What an exchange brought, while it is being read. */
struct harvest {
    struct nx_answer answer;
    struct nx_text code;  /* of a redirect */
    struct nx_text error; /* of a redirect */
    struct nx_facts facts;
};

static void harvest_init(struct harvest *harvest, size_t bound)
{
    *harvest = (struct harvest){0};
    nx_answer_init(&harvest->answer, bound);
    nx_text_init(&harvest->code, bound);
    nx_text_init(&harvest->error, bound);
}

static void harvest_release(struct harvest *harvest)
{
    nx_answer_release(&harvest->answer);
    nx_text_release(&harvest->code);
    nx_text_release(&harvest->error);
}

static enum nx_redirect read_redirect(const struct nx_flight *flight, struct harvest *harvest)
{
    const struct nx_exchange *exchange = flight->exchange;
    const char *uri;

    if (flight->step != NX_STEP_CONNECT || exchange->loss || exchange->response.http_status != 302)
        return NX_REDIRECT_NONE;
    uri = flight->provider->authorizing->redirect_uri(flight->identity->options);
    return nx_redirect_read(nx_text_string(&exchange->response.location), false, uri,
                            nx_text_string(&flight->grant->state), &harvest->code, &harvest->error);
}

static void read_answer(struct nx_flight *flight, struct harvest *harvest)
{
    const bool envelope = (flight->provider->syntaxes & NX_SYNTAX_ENVELOPE) != 0;
    struct nx_exchange *exchange = flight->exchange;

    if (!exchange->loss && nx_answer_read(&harvest->answer, &exchange->response, flight->provider->syntaxes))
        exchange->loss = NX_LOSS_MEMORY;
    harvest->facts = nx_facts_of(flight->step, exchange, &harvest->answer, flight->identity, envelope,
                                 read_redirect(flight, harvest));
}

/* Takes from the answer what it says of its token. When no refresh token came, the one that was used stays. */
static void take_token(struct nx_flight *flight, struct nx_members *members)
{
    const char *refresh = nx_members_string(members, NX_MEMBER_REFRESH_TOKEN);
    const char *scope = nx_members_string(members, NX_MEMBER_SCOPE);
    struct nx_issue *issue = &flight->issue;

    issue->presentation = nx_provider_presents(flight->provider, flight->identity->options);
    issue->stated_s = nx_lifetime_stated(&members->values[NX_MEMBER_EXPIRES_IN]);
    issue->lifetime_s = nx_lifetime_counted(issue->stated_s, flight->provider->longest_lifetime_s);
    nx_text_move(&issue->access_token, &members->values[NX_MEMBER_ACCESS_TOKEN].text);
    if (flight->provider->authorizing)
        nx_text_add(&issue->refresh_token,
                    refresh && *refresh ? refresh : nx_text_string(&flight->grant->refresh_token));
    if (scope && nx_is_free_of_controls(scope))
        nx_text_move(&issue->scope, &members->values[NX_MEMBER_SCOPE].text);
}

/* What was supplied for it is no secret of this source's any more. */
static void drop_code(struct nx_grant *grant)
{
    nx_text_release(&grant->code);
    nx_text_release(&grant->supplied);
}

/* The one-time value is spent. A new refresh token is moved, not copied: it must not be lost to a lack of memory. */
static void keep_refresh_token(struct nx_grant *grant, struct nx_value *value)
{
    drop_code(grant);
    if (value->kind == NX_KIND_STRING && value->text.length)
        nx_text_move(&grant->refresh_token, &value->text);
    grant->in_doubt = false;
}

static void publish(struct nx_flight *flight, struct nx_members *members)
{
    const struct nx_issue *issue = &flight->issue;

    take_token(flight, members);
    if (flight->provider->authorizing)
        keep_refresh_token(flight->grant, &members->values[NX_MEMBER_REFRESH_TOKEN]);
    if (nx_text_failed(&issue->access_token) || nx_text_failed(&issue->refresh_token) || nx_text_failed(&issue->scope))
        fail(flight, NEXAUTH_NO_MEMORY, "memory ran out");
    else
        flight->need = NX_NEED_SAVE;
}

static void proceed(struct nx_flight *flight, struct harvest *harvest)
{
    if (flight->step == NX_STEP_CONNECT) {
        nx_text_release(&flight->grant->state);
        nx_text_move(&flight->grant->code, &harvest->code);
        flight->grant->connected = true;
        word(flight, NX_STEP_CODE);
    } else {
        publish(flight, &harvest->answer.members);
    }
}

/* Whether the service may have taken a one-time value without our learning what came of it. */
static bool is_in_doubt(const struct nx_facts *facts, nexauth_status status, int sendings)
{
    if (facts->loss)
        return sendings > 0;
    return status == NEXAUTH_PROTOCOL || nx_facts_show_fault(facts);
}

/*
 * What becomes of a one-time value whose exchange failed. A code is gone as soon as anything of it left. A refresh
 * token goes when its fate is unknown, when the service refuses it, or when it refuses whoever presents it and the
 * source can connect instead; it stays when the service did not look at it (429, 503, a ban, another address, a wrong
 * request, "busy"). True when its fate is unknown.
 */
static bool spend(struct nx_flight *flight, const struct nx_facts *facts, nexauth_status status)
{
    const int sendings = flight->exchange->sendings;
    const bool in_doubt = is_in_doubt(facts, status, sendings);
    const bool refused = status == NEXAUTH_REAUTH || (status == NEXAUTH_DENIED && may_connect(flight));
    struct nx_grant *grant = flight->grant;

    if (flight->step == NX_STEP_CODE && sendings > 0)
        drop_code(grant);
    else if (flight->step == NX_STEP_REFRESH && (in_doubt || refused))
        nx_text_move(&flight->spent, &grant->refresh_token);
    else
        return false;
    grant->in_doubt = in_doubt;
    return in_doubt;
}

/* Long-lived credentials may leave once more where no answer came. What failed in TLS fails again, and a ban lasts. */
static bool is_worth_another(const struct nx_flight *flight, enum nx_loss loss, nexauth_status status)
{
    return flight->step == NX_STEP_CREDENTIALS && !flight->again && status != NEXAUTH_BLOCKED &&
           (loss == NX_LOSS_CONNECT || loss == NX_LOSS_CLOSED || loss == NX_LOSS_CUT || loss == NX_LOSS_TIMEOUT);
}

static void fail_exchange(struct nx_flight *flight, const struct harvest *harvest, struct nx_verdict verdict)
{
    const bool was_refresh = flight->step == NX_STEP_REFRESH;
    bool in_doubt;

    /* Described first: the description withholds what holds a secret, and these may be gone soon. */
    nx_refusal_describe(&flight->error, flight, &harvest->facts, verdict, nx_text_string(&harvest->error));
    in_doubt = spend(flight, &harvest->facts, verdict.status);
    flight->need = is_worth_another(flight, harvest->facts.loss, verdict.status) ? NX_NEED_WAIT : NX_NEED_FAIL;
    if (was_refresh && !flight->grant->refresh_token.length && may_connect(flight))
        begin_connect(flight);
    else if (in_doubt && !may_ever_connect(flight))
        nx_refusal_doubt(&flight->error);
}

void nx_flight_take_exchange(struct nx_flight *flight, struct nx_history *history, uint64_t who)
{
    struct harvest harvest;
    struct nx_verdict verdict;

    harvest_init(&harvest, flight->bound);
    read_answer(flight, &harvest);
    harvest.facts.ban = nx_history_note(history, who, nx_facts_sign(&harvest.facts));
    verdict = nx_classify(&harvest.facts);
    flight->verdict = verdict.status;
    flight->ban = harvest.facts.ban;
    if (verdict.status == NEXAUTH_OK)
        proceed(flight, &harvest);
    else
        fail_exchange(flight, &harvest, verdict);
    harvest_release(&harvest);
}

void nx_flight_take_wait(struct nx_flight *flight, bool waited)
{
    flight->again = true;
    if (waited)
        word(flight, flight->step);
    else
        flight->need = NX_NEED_FAIL;
}

void nx_flight_refuse(struct nx_flight *flight, const struct nexauth_error *error)
{
    flight->error = *error;
    flight->need = NX_NEED_FAIL;
}

void nx_flight_take_saved(struct nx_flight *flight)
{
    flight->need = NX_NEED_PUBLISH;
}

void nx_flight_release(struct nx_flight *flight)
{
    nx_issue_release(&flight->issue);
    nx_text_release(&flight->spent);
}
