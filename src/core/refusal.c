#include "core/refusal.h"

#include "core/error.h"
#include "core/leak.h"
#include "core/retry_after.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SECRETS_MOST = NX_SECRETS_MOST + 7 + NX_HELD_TOKENS, WORDS = 160 };

/* The secrets of the source and the flight, and the tokens of earlier flights and of this answer. Returns how many. */
static size_t list_secrets(const struct nx_flight *flight, const struct nx_answer *answer,
                           const char *secrets[SECRETS_MOST])
{
    const struct nx_grant *grant = flight->grant;
    size_t count = nx_identity_secrets(flight->identity, secrets);

    if (grant) {
        secrets[count++] = nx_text_string(&grant->refresh_token);
        secrets[count++] = nx_text_string(&grant->code);
        secrets[count++] = nx_text_string(&grant->state);
        secrets[count++] = nx_text_string(&grant->supplied);
    }
    secrets[count++] = nx_text_string(&flight->spent);
    for (size_t i = 0; i < NX_HELD_TOKENS; i++)
        secrets[count++] = flight->held[i];
    secrets[count++] = nx_members_string(&answer->members, NX_MEMBER_ACCESS_TOKEN);
    secrets[count++] = nx_members_string(&answer->members, NX_MEMBER_REFRESH_TOKEN);
    return count;
}

/* The service's words as they may be shown; "" when there are none or they are withheld. */
static void show(const struct nx_flight *flight, const struct nx_answer *answer, const char *text, char *out,
                 size_t size)
{
    const char *secrets[SECRETS_MOST];
    const size_t count = list_secrets(flight, answer, secrets);

    nx_quote(text ? text : "", secrets, count, out, size);
}

static int64_t retry_after(const struct nx_flight *flight, const struct nx_facts *facts, nexauth_status status)
{
    const struct nx_response *response = &flight->exchange->response;

    if (status != NEXAUTH_THROTTLED && status != NEXAUTH_BLOCKED)
        return 0;
    if (facts->ban == NX_BAN_FIRST)
        return NX_BAN_FIRST_MS;
    return nx_retry_after_ms(response->retry_after.length ? nx_text_string(&response->retry_after) : NULL,
                             response->date.length ? nx_text_string(&response->date) : NULL);
}

static void describe_code(struct nexauth_error *error, const struct nx_flight *flight, const struct nx_facts *facts,
                          const char *redirect_error)
{
    int64_t code;

    if (*redirect_error)
        show(flight, facts->answer, redirect_error, error->code, sizeof error->code);
    else if (nx_answer_code(facts->answer))
        show(flight, facts->answer, nx_answer_code(facts->answer), error->code, sizeof error->code);
    else if (facts->envelope && nx_answer_envelope_code(facts->answer, &code) && code != 0)
        snprintf(error->code, sizeof error->code, "%" PRId64, code);
}

/* Adds what is wrong with the request, as far as it may be shown, to the service's words. All are withheld when the two
 * hold a secret together. */
static void add_detail(char *words, size_t size, const struct nx_flight *flight, const struct nx_facts *facts)
{
    const size_t used = strlen(words);
    const size_t gap = used ? 1 : 0;
    char composed[WORDS];

    if (used + gap + 1 >= size)
        return;
    show(flight, facts->answer, nx_answer_detail(facts->answer), words + used + gap, size - used - gap);
    if (gap && words[used + gap])
        words[used] = ' ';
    snprintf(composed, sizeof composed, "%s", words);
    show(flight, facts->answer, composed, words, size);
    nx_wipe(composed, sizeof composed);
}

/* What stands behind the library's own words: the service's, else its code, else the bare status. */
static void describe_cause(char *words, size_t size, const struct nx_flight *flight, const struct nx_facts *facts,
                           const char *code)
{
    show(flight, facts->answer, facts->loss ? flight->exchange->reason : nx_answer_text(facts->answer), words, size);
    add_detail(words, size, flight, facts);
    if (!*words && *code)
        snprintf(words, size, "%s", code);
    if (!*words && facts->http_status)
        snprintf(words, size, "HTTP %d", facts->http_status);
}

void nx_refusal_describe(struct nexauth_error *error, const struct nx_flight *flight, const struct nx_facts *facts,
                         struct nx_verdict verdict, const char *redirect_error)
{
    struct nexauth_error described = {0};
    char words[WORDS] = "";

    describe_code(&described, flight, facts, redirect_error);
    describe_cause(words, sizeof words, flight, facts, described.code);
    nx_fail(error, verdict.status, "%s %s%s%s", flight->provider->service, verdict.sentence, *words ? ": " : "", words);
    memcpy(error->code, described.code, sizeof error->code);
    error->http_status = facts->http_status;
    error->retry_after_ms = retry_after(flight, facts, verdict.status);
}

void nx_refusal_doubt(struct nexauth_error *error)
{
    const struct nexauth_error cause = *error;
    char words[141];

    nx_clean(cause.message, words, sizeof words);
    nx_fail(error, NEXAUTH_REAUTH,
            "a one-time code or refresh token was sent and what came of it is unknown (%s): the user must "
            "authorize again",
            words);
    memcpy(error->code, cause.code, sizeof error->code);
    error->http_status = cause.http_status;
}
