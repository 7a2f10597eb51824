/* What the tests of API calls share: a session in a scripted world with a rate ledger, and sources of each vendor. */
#ifndef NX_TEST_PASS_RIG_H
#define NX_TEST_PASS_RIG_H

#include "support/door.h"
#include "support/fixture.h"

#include <stdbool.h>

#define NEX_ORIGIN "https://nexcloud.io"
#define NEX_URL    NEX_ORIGIN "/v1.0/Controller"

enum { RIG_LIMITS = 4 };

struct rig {
    struct fixture fixture;
    struct door door;
    nexauth_source *source; /* a NEX controller, the token "one" at hand; NULL: the rig has none */
};

/* A session with these limits. */
struct rig *rig_new(const struct nexauth_limit *limits, size_t count);

/* At most `requests` a second at NEX; rig->source has its token, and nothing of that counts any more. */
struct rig *rig_new_nex(int64_t requests);

/* Frees rig->source and the session, unless they are NULL. */
void rig_free(struct rig *rig);

/* Sources, which the caller frees. Controllers of different numbers are different identities. */
nexauth_source *rig_controller(struct rig *rig, int number);
nexauth_source *rig_quantoz(struct rig *rig);
nexauth_source *rig_app(struct rig *rig);
nexauth_source *rig_static(struct rig *rig, const char *token, const char *api_origins);

/* Answers the next request with this token, and gets it. */
void rig_get_token(struct rig *rig, nexauth_source *source, const char *token);

void rig_pass_ms(struct rig *rig, int64_t ms);
int64_t rig_now_ms(const struct rig *rig);

/* A permit, within timeout_ms; 0 is the default. */
nexauth_status rig_try(nexauth_source *source, const char *url, int64_t timeout_ms, nexauth_permit **out,
                       struct nexauth_error *error);

/* The same, which must go well. */
nexauth_permit *rig_take(nexauth_source *source, const char *url);

/* No permit comes in time; says when one might. */
int64_t rig_throttled(nexauth_source *source, const char *url, int64_t timeout_ms);

/* Ends and frees. */
nexauth_status rig_end(nexauth_permit *permit, const struct nexauth_answer *answer, struct nexauth_error *error);

/* A call that is answered with this. */
nexauth_status rig_call(nexauth_source *source, const char *url, const struct nexauth_answer *answer,
                        struct nexauth_error *error);

/* What the callback of nexauth_permit_start() was told, and how often. Start it as {0}. */
struct carried {
    int runs;
    bool wrong; /* a permit and an error, or neither */
    nexauth_permit *permit;
    struct nexauth_error error;
    void (*then)(void *context); /* NULL, or what the callback does next */
    void *context;
};

void carried_note(void *carried, nexauth_permit *permit, const struct nexauth_error *error);

/* Starts a call for a permit, which must go well. `out` may be NULL. */
void carried_start(nexauth_source *source, const char *url, int64_t timeout_ms, struct carried *carried,
                   nexauth_call **out);

/* Polls until the callback has run. */
void carried_poll(struct rig *rig, const struct carried *carried);

/* It has run once, with a permit, which is ended by a 200 and freed; or with this error. */
void carried_finish(struct carried *carried);
void carried_assert_status(const struct carried *carried, nexauth_status status);

#endif
