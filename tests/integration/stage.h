/* A service whose every byte is the test's, and who calls it with a fixed token. */
#ifndef NX_TEST_STAGE_H
#define NX_TEST_STAGE_H

#include "performer.h"
#include "support/listener.h"

#define STAGE_TOKEN "on-stage"

/* Longer than a test program may run, so that a turn does come in time, and no window ends within a test. */
enum { STAGE_WINDOW_MS = 3600000 };

struct stage {
    nexauth_session *session;
    nexauth_source *source;
    struct listener *listener;
    struct performer performer;
};

nexauth_source *stage_new_source(nexauth_session *session, const char *api_origins);

/* With a limit "api" of so many requests, of which half may leave as the process is young; 0: none. */
void stage_begin(struct stage *stage, int requests);
void stage_end(struct stage *stage);

/* As performer_url(). */
const char *stage_url(const struct stage *stage);

void stage_answer(struct stage *stage, const char *text, enum listener_end then);

#endif
