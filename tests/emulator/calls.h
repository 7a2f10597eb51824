#ifndef NX_TEST_CALLS_H
#define NX_TEST_CALLS_H

#include "exchange.h"

#include <stddef.h>

/* Calls to the vendors' APIs as tables. In a call's texts a @ stands for a token. */

#define BEARER        "Authorization: Bearer @"
#define CUSTOMERS     "/api/spe/customers"
#define DENIED        "{\"Message\":\"Authorization has been denied for this request.\"}"
#define CHALLENGE     "WWW-Authenticate: Bearer\r\n"
#define REFUSED(code) "{\"code\":" code ","

/* What grants a token. */
struct issuer {
    const char *origin;
    const char *path;
    const char *type;
    const char *body;
};

extern const struct issuer issuer_nex_user;
extern const struct issuer issuer_nex_controller;
extern const struct issuer issuer_quantoz_test;
extern const struct issuer issuer_quantoz_production;
extern const struct issuer issuer_nexusguard;

/* A call, and what its answer has to have. A NULL `header` is no header. */
struct call {
    const char *name;
    const char *method; /* NULL: GET */
    const char *path;
    const char *header;
    const char *other_header;
    const char *body;
    long status;
    const char *in_head;
    const char *in_body;
};

/* Copies the access token of an answer, or has the test fail. */
void token_find(const struct response *response, char *token, size_t size);

/* Has one granted. */
void token_take(const struct issuer *issuer, char *token, size_t size);

/* Makes the call, whatever is wanted of its answer. */
void call_make(const char *origin, const struct call *call, const char *token, struct response *response);

/* Makes each call with a fresh token; the test fails when an answer is another one, after telling which. */
void calls_check(const char *origin, const struct issuer *issuer, const struct call *calls, size_t count);

#define CHECK_CALLS(origin, issuer, calls) calls_check(origin, issuer, calls, sizeof(calls) / sizeof((calls)[0]))

#endif
