/*
 * What an answer means to the caller: an ordered list of rules, of which the first that matches wins. The list stands
 * in classify.c as a table that reads like the list.
 */
#ifndef NX_CLASSIFY_H
#define NX_CLASSIFY_H

#include "core/answer.h"
#include "core/history.h"
#include "core/redirect.h"
#include "core/transport.h"

/* All that the rules look at. */
struct nx_facts {
    enum nx_step step;
    enum nx_loss loss;
    int http_status;
    enum nx_redirect redirect;
    bool over_cap;
    enum nx_ban ban;
    bool envelope;                      /* the service wraps its answers: {code, msg, result} */
    bool token_came;                    /* one that can be used */
    const struct nx_answer *answer;     /* of a loss too: then it is empty */
    const struct nx_identity *identity; /* for the meanings that the caller gave to codes */
};

struct nx_verdict {
    nexauth_status status;
    const char *sentence; /* why, in the library's words: "rejects the credentials" follows the service's name */
};

/* The facts of an exchange; `redirect` as it was read, NX_REDIRECT_NONE for other steps. The ban is not judged yet. */
struct nx_facts nx_facts_of(enum nx_step step, const struct nx_exchange *exchange, const struct nx_answer *answer,
                            const struct nx_identity *identity, bool envelope, enum nx_redirect redirect);

/* What these facts show of a ban. */
enum nx_sign nx_facts_sign(const struct nx_facts *facts);

/* True for what a service in trouble says after it may have acted: 5xx, 408, server_error; but not 429 or 503. */
bool nx_facts_show_fault(const struct nx_facts *facts);

struct nx_verdict nx_classify(const struct nx_facts *facts);

#endif
