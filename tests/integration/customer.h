/* A Nexusguard customer, whose refresh tokens the emulator replaces at each use, and those who ask for its token. */
#ifndef NX_TEST_CUSTOMER_H
#define NX_TEST_CUSTOMER_H

#include "nexauth/nexauth.h"

#include <stdbool.h>

#define CUSTOMER_REFRESH "nexusguard /oauth/refresh_token"
#define CUSTOMER_CODE    "nexusguard /oauth/access_token"
#define CUSTOMER_CONNECT "nexusguard /oauth/connect"

/* In CUSTOMER_FORGOTTEN_S no failure is remembered any more, in CUSTOMER_LIFE_S every token has died. */
enum { CUSTOMER_FORGOTTEN_S = 120, CUSTOMER_LIFE_S = 7200, CUSTOMER_TOKEN = 128, CUSTOMER_CALLERS = 2 };

/* What the save callback was told. */
struct customer_journal {
    int saves;
    char newest[CUSTOMER_TOKEN]; /* refresh token */
};

/* How a caller's question ended. */
struct customer_outcome {
    bool ended;
    nexauth_status status;
    char message[256];
    char refresh_token[CUSTOMER_TOKEN];
};

/* A session of its own, and a refresh token that is good: one connect and one code went for it. */
struct customer_start {
    nexauth_session *session;
    char *saved;
};

/* Resets the emulator. */
struct customer_start customer_begin(void);
void customer_end(struct customer_start *start);

/* What a source can do beyond presenting a refresh token: connect once, always, be authorized, nothing. */
extern const struct nexauth_nexusguard_user_options customer_by_xspe;
extern const struct nexauth_nexusguard_user_options customer_by_callback;
extern const struct nexauth_nexusguard_user_options customer_by_web;
extern const struct nexauth_nexusguard_user_options customer_by_nothing;

/* refresh_token: NULL for none. The emulator's, unless `who` has an origin. */
nexauth_source *customer_new_source(nexauth_session *session, const struct nexauth_nexusguard_user_options *who,
                                    const char *refresh_token, struct customer_journal *journal);

/* Two who ask for a token and wait until the question has ended: one blocks, one polls. */
typedef struct customer_outcome customer_ask(nexauth_session *session, nexauth_source *source);
customer_ask customer_block;
customer_ask customer_poll;
extern customer_ask *const customer_askers[CUSTOMER_CALLERS];

/* For nexauth_source_start(): notes in a struct customer_outcome how the call ended. */
void customer_note(void *context, nexauth_token *token, const struct nexauth_error *error);

/* The next request of a path meets that fault: members of POST /faults, without the braces. */
void customer_befall(const char *path, const char *fault);

/* How many requests of a path came, read to their end or not. */
int customer_presented(const char *path);

/* By the emulator's own record: nothing that is spent came again. */
void customer_assert_nothing_twice(void);

/* What was saved last serves a later process. */
void customer_assert_good(const char *refresh_token);

/* `fault`: what to say when it is another. */
void customer_assert_outcome(const struct customer_outcome *outcome, nexauth_status status, const char *words,
                             const char *fault);

#endif
