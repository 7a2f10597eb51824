/* An emulator for a whole test program, a session for each test, and a source for each grant. */
#ifndef NX_TEST_LIVE_H
#define NX_TEST_LIVE_H

#include "nexauth/nexauth.h"
#include "support/emulator.h"

#include <stdbool.h>

#define LIVE_APP      "d7690800dc5d4cf885fac35fcb0c8184"
#define LIVE_SECRET   "bf20940d16578e18765eb9f93b1827e9"
#define LIVE_REDIRECT "https://app.example.com/nexusguard/callback"

enum live_kind {
    LIVE_NEX_USER,
    LIVE_NEX_CONTROLLER,
    LIVE_QUANTOZ_TEST,
    LIVE_QUANTOZ_PRODUCTION,
    LIVE_NEXUSGUARD_APP,
    LIVE_NEXUSGUARD_USER,  /* connects by itself */
    LIVE_NEXUSGUARD_WEB,   /* by a web handler */
    LIVE_NEXUSGUARD_SAVED, /* by a refresh token alone */
    LIVE_KINDS
};

/* Whose token; what is NULL or 0 is as the emulator's own accounts have it, over https. */
struct live_who {
    enum live_kind kind;
    const char *id;     /* of the client, controller or app */
    const char *secret; /* of the client or app */
    const char *other;  /* password, controller_secret, xspe or refresh_token */
    const char *scope;
    const char *origin;
    const char *api_origins; /* of Quantoz, where NULL: that of the emulator's API over https */
    int mode;                /* accept or client_auth */
};

extern struct emulator live_emulator;

/* For cmocka: of the group, and of a test, whose *state is a session that trusts the emulator. */
int live_start(void **state);
int live_stop(void **state);
int live_set_up(void **state);
int live_tear_down(void **state);

nexauth_session *live_new_session(const struct nexauth_session_options *options);

nexauth_status live_try_source(nexauth_session *session, const struct live_who *who, nexauth_source **out,
                               struct nexauth_error *error);
nexauth_source *live_new_source(nexauth_session *session, const struct live_who *who);

/* The token; the test fails when there is none. */
nexauth_token *live_get(nexauth_source *source);

/* Gives the token back at once. `error` is {0} after success. */
nexauth_status live_get_status(nexauth_source *source, struct nexauth_error *error);

/* The same of a source of its own. */
nexauth_status live_ask(nexauth_session *session, const struct live_who *who, struct nexauth_error *error);

/* How many requests the source has sent, or tried to. */
int live_tries(nexauth_source *source);

/* A copy of the refresh token of a user who has connected, in two requests. The caller frees it. */
char *live_connect_and_save(nexauth_session *session);

/* The browser's part: goes where it is sent, and tells where it is sent from there. The caller frees it. */
char *live_browse(const char *url);

/* Whether a first failure is held for as long as it should be, where the service stated so much; 0: nothing. */
bool live_is_held(const struct nexauth_error *error, int64_t stated_ms);

/* All requests that the emulator saw, at all paths of all services, and those at one. */
int live_requests(void);
int live_requests_at(const char *key);

/* Queues a fault; the test fails when it is none. */
void live_fault(const char *json);

#endif
