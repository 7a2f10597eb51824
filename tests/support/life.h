/* A source in a scripted world that holds a token of a known life, and what happens to it when somebody asks. */
#ifndef NX_TEST_LIFE_H
#define NX_TEST_LIFE_H

#include "support/fixture.h"

/* The first byte of a draw: the lowest and the highest that the script's counting generator has. */
enum { LIFE_LOWEST = 0xfd, LIFE_HIGHEST = 0xfc };

enum { LIFE_YEAR_S = 31536000, LIFE_COUNT = 8 };

/* From the shortest to the longest that counts. */
extern const int64_t life_lifetimes_s[LIFE_COUNT];

/* Of those, the first whose early window leaves more than the 2 s that a caller waits. */
enum { LIFE_FIRST_LONG = 2 };

/* A source that holds the token "old". */
struct life {
    struct fixture *fixture;
    nexauth_source *source;
    int64_t end_ms;
    int64_t early_ms, late_ms; /* the windows at their longest, counted from the end */
    size_t requests;           /* begun when the life began */
};

/* Credentials of its own: what fails for one is not held against another. */
nexauth_source *life_new_source(struct fixture *fixture);

/* `draw` says what is drawn for the token. */
struct life life_begin(struct fixture *fixture, int64_t lifetime_s, unsigned char draw);
void life_end(struct life *life);

/* The answers to the next requests. */
void life_answer_token(struct fixture *fixture, const char *token, int64_t lifetime_s, int64_t takes_ms);
void life_answer_failure(struct fixture *fixture, int64_t takes_ms);

void life_go_to(struct life *life, int64_t before_end_ms);

/* So many requests have been sent since the life began. */
void life_check_requests(const struct life *life, size_t expected);

/* Gets a token, which must be `expected` (NULL: an error), and says how long that took. */
int64_t life_get_with(struct life *life, const struct nexauth_get_options *options, const char *expected,
                      struct nexauth_error *error);
int64_t life_get(struct life *life, const char *expected);

/* The token is had at once, and so many requests have been sent. */
void life_check_at_hand(struct life *life, const char *expected, size_t requests);

#endif
