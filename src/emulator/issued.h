#ifndef EMU_ISSUED_H
#define EMU_ISSUED_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * What was issued to be used once: authorization codes and refresh tokens, each for one app and one user of it. Spent
 * ones are remembered, so that a second use is refused and counted.
 */

enum emu_kind { EMU_CODE, EMU_REFRESH_TOKEN, EMU_KINDS };

struct emu_issued {
    struct emu_once *newest;
    unsigned long reused[EMU_KINDS];
};

/* The prefix and 40 digits from the system's random generator. The caller frees it. */
char *emu_random_text(const char *prefix);

/* Whose it is: members of the accounts, which outlive what is issued. */
struct emu_whose {
    const cJSON *app;
    const cJSON *user;
};

/* Good until then, in microseconds; INT64_MAX: for ever. The text is borrowed. */
const char *emu_issued_add(struct emu_issued *issued, enum emu_kind kind, struct emu_whose whose, int64_t until_us);

/*
 * Uses it up, or leaves it good when it serves again. The user, or NULL when this app cannot use it: unknown, another
 * app's, spent, revoked or expired.
 */
const cJSON *emu_issued_use(struct emu_issued *issued, enum emu_kind kind, const cJSON *app, const char *text,
                            int64_t now_us, bool again);

/* Revokes that refresh token, or all of them when `text` is NULL. False when there is no such token. */
bool emu_issued_revoke(struct emu_issued *issued, const char *text);

void emu_issued_clear(struct emu_issued *issued);

#endif
