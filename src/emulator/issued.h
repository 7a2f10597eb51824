#ifndef EMU_ISSUED_H
#define EMU_ISSUED_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * What was issued to be used once: authorization codes and refresh tokens, each for one app. Spent ones are remembered,
 * so that a second use is refused and counted.
 */

enum emu_kind { EMU_CODE, EMU_REFRESH_TOKEN, EMU_KINDS };

struct emu_issued {
    struct emu_once *newest;
    unsigned long reused[EMU_KINDS];
};

/* The prefix and 40 digits from the system's random generator. The caller frees it. */
char *emu_random_text(const char *prefix);

/* `app` is the identity of the account; it outlives what is issued. lifetime_s < 0: for ever. The text is borrowed. */
const char *emu_issued_add(struct emu_issued *issued, enum emu_kind kind, const cJSON *app, int64_t lifetime_s);

/* Uses it up. False when this app cannot use it: unknown, another app's, spent, revoked or expired. */
bool emu_issued_spend(struct emu_issued *issued, enum emu_kind kind, const cJSON *app, const char *text);

/* Revokes that refresh token, or all of them when `text` is NULL. False when there is no such token. */
bool emu_issued_revoke(struct emu_issued *issued, const char *text);

void emu_issued_clear(struct emu_issued *issued);

#endif
