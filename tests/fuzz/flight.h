/* The parts of the flight target: a source in a scripted world, and the rules for all that it gives out. */
#ifndef NX_TEST_FUZZ_FLIGHT_H
#define NX_TEST_FUZZ_FLIGHT_H

#include "fuzz/target.h"
#include "nexauth/nexauth.h"
#include "support/script.h"

#include <stdbool.h>

enum { FLIGHT_KINDS = 10, FLIGHT_STATIC = 9, FLIGHT_SECRETS = 2, FLIGHT_FORMS = 3, FLIGHT_HANDOUTS = 256 };

/* A refresh token that came: before the request `begun` was begun. */
struct flight_handout {
    char *refresh_token;
    size_t begun;
};

struct flight {
    struct script script;
    nexauth_session *session;
    unsigned int kind;
    nexauth_source *source;                         /* NULL once it was freed */
    char secrets[FLIGHT_SECRETS][FLIGHT_FORMS][96]; /* its own: as they are, percent-encoded, in base64 */
    nexauth_authorization *authorization;
    nexauth_permit *permit;
    nexauth_token *token; /* the last one that was given */
    char copied[512];     /* the last one that was copied */
    bool saves;           /* the save callback says OK */
    bool supplies;        /* the xspe callback says OK */
    bool clock_jumped;
    size_t accepted; /* redirects */
    struct flight_handout handouts[FLIGHT_HANDOUTS];
    size_t handout_count;
};

/* ---- flight_source.c ---- */

/* A source of this kind. */
void flight_new_source(struct flight *flight, unsigned int kind);

/* ---- flight_rules.c ---- */

void flight_check_error(const struct flight *flight, const struct nexauth_error *error);

/* A token that somebody is given is not over; one that is saved may be. */
void flight_check_token(const struct flight *flight, const nexauth_token *token);
void flight_check_saved(const struct flight *flight, const nexauth_token *token);

/* Of a call that was given this long. */
void flight_check_time(const struct flight *flight, int64_t begun_ms, int64_t timeout_ms);

/* A message of the request that was begun last. */
void flight_check_last_request(const struct flight *flight, const struct nexauth_error *error);

/* Codes and refresh tokens have left as often as they may. */
void flight_check_one_time(const struct flight *flight);

/* Notes a refresh token that came; NULL is none. */
void flight_note_handout(struct flight *flight, const char *refresh_token);
void flight_release_handouts(struct flight *flight);

#endif
