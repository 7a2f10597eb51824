/* A world whose session tells a journal what happens: one line for each event, each token to save, and whatever the
 * test has to say, in their order. */
#ifndef NX_TEST_JOURNAL_H
#define NX_TEST_JOURNAL_H

#include "support/fixture.h"

#include <pthread.h>
#include <stdbool.h>

enum { JOURNAL_SIZE = 16384 };

struct journal {
    struct fixture fixture; /* first: what takes a fixture takes *state */
    pthread_mutex_t mutex;
    char text[JOURNAL_SIZE];
    char messages[JOURNAL_SIZE]; /* of all errors, a line each */
    struct nexauth_error error;  /* the last that an event told of */

    /* Called after the line was written, with no lock of the journal held; NULL: nothing else happens. */
    void (*on_event)(struct journal *journal, const struct nexauth_event *event);
    nexauth_status (*on_save)(struct journal *journal, nexauth_token *token);

    /* For those two. */
    nexauth_source *source;
    nexauth_source *other;
};

/* For cmocka: *state is the struct journal. */
int journal_set_up(void **state);
int journal_tear_down(void **state);

/* A save callback; its context is the journal. Writes "save ACCESS REFRESH", without the latter when there is none. */
nexauth_status journal_save(void *journal, nexauth_token *token);

/* Writes a line of the test's own. Safe from any thread. */
void journal_note(struct journal *journal, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Whether these lines stand in it. Safe from any thread. */
bool journal_holds(struct journal *journal, const char *lines);

/* Asks for a token, and writes "got TOKEN" or "got STATUS". */
nexauth_status journal_get(struct journal *journal, nexauth_source *source);

/*
 * The lines since the last time, each ended by a line feed, must be these. An event is "KIND", then " STATUS" when it
 * has an error, " TOKEN" when it has a token, and " gone" when it has no source.
 */
void journal_expect(struct journal *journal, const char *lines);

#endif
