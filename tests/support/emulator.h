#ifndef NX_TEST_EMULATOR_H
#define NX_TEST_EMULATOR_H

#include <sys/types.h>

/*
 * A nexauth-emulator of the test's own: it ends with the test, however the test ends. Depends on neither cmocka nor the
 * library. What can fail says why on standard error.
 */
struct emulator {
    char nex_https[64];
    char nex_http[64];
    char quantoz_test_https[64];
    char quantoz_test_http[64];
    char quantoz_production_https[64];
    char quantoz_production_http[64];
    char nexusguard_https[64];
    char nexusguard_http[64];
    char quantoz_test_api_https[64];
    char quantoz_test_api_http[64];
    char quantoz_production_api_https[64];
    char quantoz_production_api_http[64];
    char tls_closes_at_accept[64];
    char tls_closes_in_handshake[64];
    char tls_plain_text[64];
    char tls_1_1[64];
    char tls_expired[64];
    char tls_wrong_name[64];
    char tls_self_signed[64];
    char tls_unknown_ca[64];
    char tls_clients_only[64];
    char tls_wants_certificate[64];
    char tls_wants_certificate_1_2[64];
    char tls_wants_certificate_1_3[64];
    char tls_takes_certificate[64];
    char tls_asks_after_request[64];
    char tls_wants_certificate_later[64];
    char tls_closes_after_request[64];
    char control[64];
    char ca_file[1024];
    char pinned_key[64];
    pid_t pid;
    int input; /* the emulator ends when this is closed */
};

/* extra_args: further arguments, NULL at the end; or NULL. 0 when it is ready, else -1. */
int emulator_start(struct emulator *emulator, const char *const extra_args[]);

/* Ends it and waits for it. 0 when it ended cleanly, else -1. Takes one that did not start, or was stopped. */
int emulator_stop(struct emulator *emulator);

/* Waits for it after `input` was closed. 0 when it ended cleanly, else -1. */
int emulator_wait(struct emulator *emulator);

/* Queues a fault, as POST /faults takes it. 0, or -1. */
int emulator_fault(struct emulator *emulator, const char *json);

/* Forgets counts, faults, and all that was issued. 0, or -1. */
int emulator_reset(struct emulator *emulator);

/* Revokes that refresh token, or all of them when it is NULL. 0, or -1. */
int emulator_revoke(struct emulator *emulator, const char *refresh_token);

/* Revokes that access token, or all of them when it is NULL. 0, or -1. */
int emulator_revoke_access(struct emulator *emulator, const char *access_token);

/* Changes how tokens are handed out, as POST /tokens takes it. 0, or -1. */
int emulator_tokens(struct emulator *emulator, const char *json);

/* Changes what limit of requests is enforced, as POST /limits takes it. 0, or -1. */
int emulator_limit(struct emulator *emulator, const char *json);

/* A member of a service's limit, as GET /limits shows it: "largest_in_window", "refused" or "bans", for one. Or -1. */
int emulator_limit_member(struct emulator *emulator, const char *service, const char *member);

/* So much time passes for tokens, codes, bans, limits and counts. 0, or -1. */
int emulator_advance(struct emulator *emulator, long advance_ms);

/* No time passes for them but what is told. 0, or -1. */
int emulator_stop_clock(struct emulator *emulator);

/* Whether this access token is alive: 1, 0, or -1. */
int emulator_is_alive(struct emulator *emulator, const char *token);

/* What GET gives at a path of the control endpoint, such as "/answers". The caller frees it. NULL when it failed. */
char *emulator_show(struct emulator *emulator, const char *path);

/* Of a key such as "nex /v1.0/Token" or "nex other": all requests so far, the unanswered ones, the connections. Or -1.
 */
int emulator_count(struct emulator *emulator, const char *key);
int emulator_in_flight(struct emulator *emulator, const char *key);
int emulator_connections(struct emulator *emulator, const char *key);

/* A member of such a key's object, as GET /counts shows it: "unread", for one. window_ms: for "largest_in_window". Or
 * -1.
 */
int emulator_count_member(struct emulator *emulator, const char *key, const char *member, long window_ms);

/* How often something that serves once came again: "codes_reused" or "refresh_tokens_reused". Or -1. */
int emulator_total_reused(struct emulator *emulator, const char *key);

#endif
