#ifndef DEMO_H
#define DEMO_H

/*
 * The demo: a table of tokens, one row for each grant, a table of calls of the vendors' APIs, and a table of
 * failures, one row for each status. Each row says what it expects, and the demo succeeds only if all of them got it.
 */
#include <nexauth/nexauth.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* ---- The emulator (demo_emulator.c). What fails is told on standard error. --------------------------------------- */

/* A nexauth-emulator of the demo's own: it ends with the demo, however the demo ends. */
struct demo_emulator {
    char nex[64]; /* origins */
    char quantoz_test[64];
    char quantoz_test_api[64];
    char quantoz_production[64];
    char nexusguard[64];
    char control[64];
    char ca_file[1024];
    pid_t pid;
    int input; /* the emulator ends when this is closed */
};

bool demo_emulator_start(struct demo_emulator *emulator, const char *program);

/* Ends it and waits for its end. Takes one that did not start. False when it did not end cleanly. */
bool demo_emulator_stop(struct demo_emulator *emulator);

/* Posts JSON to a path of the control port: a fault to come, or what to revoke. */
bool demo_emulator_tell(const struct demo_emulator *emulator, const char *path, const char *json);

/* Waits until a request to `place`, such as "nex /v1.0/Token", is held back by a fault. */
bool demo_emulator_await(const struct demo_emulator *emulator, const char *place);

/* Plays the browser: asks for `url` and writes where it is redirected to. */
bool demo_emulator_browse(const struct demo_emulator *emulator, const char *url, char *location, size_t size);

/* ---- What all rows share ----------------------------------------------------------------------------------------- */

struct demo {
    struct demo_emulator emulator;
    char refresh_token[256]; /* the newest, as an application would save it; "" before the first */
    int rows;
    int surprises; /* rows that did not come out as expected */
};

/* Makes the source that a row asks; the caller frees it, on failure too. `choice` is the row's own. */
typedef nexauth_status demo_maker(const struct demo *demo, nexauth_session *session, int choice, nexauth_source **out,
                                  struct nexauth_error *error);

void demo_show_grants(struct demo *demo);
void demo_show_calls(struct demo *demo);
void demo_show_failures(struct demo *demo);

/* On a monotonic clock. */
int64_t demo_now_ns(void);

/* ---- Who the emulator knows (demo_accounts.c) -------------------------------------------------------------------- */

struct nexauth_nex_user_options demo_nex_user(const struct demo *demo);
struct nexauth_nex_controller_options demo_nex_controller(const struct demo *demo);
struct nexauth_quantoz_options demo_quantoz_test(const struct demo *demo);
struct nexauth_quantoz_options demo_quantoz_production(const struct demo *demo);
struct nexauth_nexusguard_app_options demo_nexusguard_app(const struct demo *demo);

/* A user who is connected, and one who was: by the saved refresh token alone. */
struct nexauth_nexusguard_user_options demo_nexusguard_user(const struct demo *demo);
struct nexauth_nexusguard_user_options demo_nexusguard_saved_user(const struct demo *demo);

/* ---- Tables (demo_table.c) --------------------------------------------------------------------------------------- */

struct demo_column {
    const char *title;
    int width; /* negative: aligned to the right */
};

/* A table is its columns, the last of which has no title. */
void demo_table_begin(const char *title, const struct demo_column *columns);
void demo_table_row(bool as_expected, const struct demo_column *columns, const char *const *cells);
void demo_table_end(const struct demo_column *columns, const char *const *notes);

#endif
