/* A session in a scripted world, and the sources that most tests want. */
#ifndef NX_TEST_FIXTURE_H
#define NX_TEST_FIXTURE_H

#include "nexauth/nexauth.h"
#include "support/script.h"

struct fixture {
    struct script script;
    nexauth_session *session;
};

/* For cmocka: *state is the struct fixture. */
int fixture_set_up(void **state);
int fixture_set_up_for_answers_of(void **state, int64_t max_answer_bytes);
int fixture_tear_down(void **state);

extern const struct nexauth_nex_controller_options fixture_controller;
extern const struct nexauth_nexusguard_user_options fixture_customer;

/* Answers to fixture_customer: the right redirect, tokens "one" and "two" that live for 100 s with refresh tokens, a
 * refusal. */
extern const struct script_answer fixture_right_redirect;
extern const struct script_answer fixture_first_token;
extern const struct script_answer fixture_second_token;
extern const struct script_answer fixture_refusal;
extern const struct script_answer fixture_outspoken_refusal; /* says "bad fresh xspe" */

/* An xspe_callback that supplies its context, a string; it fails with UNAVAILABLE when that is NULL. */
nexauth_status fixture_supply(void *xspe, char *out, size_t size);

/* fixture_customer with a callback instead of its xspe. */
struct nexauth_nexusguard_user_options fixture_with_callback(nexauth_xspe_callback callback, void *context);

nexauth_source *fixture_new_controller(struct fixture *fixture);
nexauth_source *fixture_new_customer(struct fixture *fixture, const struct nexauth_nexusguard_user_options *options);

/* Answers the next request with a token that lives for lifetime_s. The text lives as long as the program. */
void fixture_answer_token(struct fixture *fixture, const char *token, const char *lifetime_s);

/* Gets a token, which must be `expected` unless that is NULL, and drops it. */
nexauth_status fixture_get(nexauth_source *source, const char *expected, struct nexauth_error *error);

/* Lets a token of fixture_first_token expire. */
void fixture_expire(struct fixture *fixture);

/* Lets so much time pass that no failure is held against anybody any more. */
void fixture_forget(struct fixture *fixture);

#endif
