/*
 * The transport of the search, and the service behind it: it hands out access tokens and rotates refresh tokens, both
 * by number. "refresh-0" is there from the beginning; the n-th success brings "access-n" and, except for credentials,
 * "refresh-n". What becomes of each request is for the search to decide.
 */
#ifndef NX_MODEL_SERVICE_H
#define NX_MODEL_SERVICE_H

#include "core/world.h"
#include "nexauth/nexauth.h"

enum { GENERATIONS = 8 };

/* A schedule begins. */
void service_begin(void);

/* So many more requests may fail; none at first. */
void service_allow(int failures);

/* Spawns the network. */
void service_spawn(void);

struct nx_world service_world(void);

/* What the application is told. */
nexauth_status service_save(void *context, nexauth_token *token);

/* Saving takes so long from now on. */
void service_save_for(int64_t ms);

/* A caller who has waited since then got this token of the source, which is NULL when it was freed. */
void service_judge(const nexauth_source *source, const nexauth_token *token, int64_t since_ms);

/* Whether a request was given up. */
bool service_gave_up(void);

/* The session is freed: ends the network. */
void service_end(void);

#endif
