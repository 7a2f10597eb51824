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
int fixture_tear_down(void **state);

extern const struct nexauth_nex_controller_options fixture_controller;
extern const struct nexauth_nexusguard_user_options fixture_customer;
extern const char *const fixture_redirect; /* a right Location for fixture_customer */

nexauth_source *fixture_new_controller(struct fixture *fixture);
nexauth_source *fixture_new_customer(struct fixture *fixture, const struct nexauth_nexusguard_user_options *options);

/* Answers the next request with a token that lives for lifetime_s. The text lives as long as the program. */
void fixture_answer_token(struct fixture *fixture, const char *token, const char *lifetime_s);

#endif
