/* The same on a real network, where libcurl has its words. */
#ifndef NX_TEST_SCENES_HTTPS_H
#define NX_TEST_SCENES_HTTPS_H

#include "record.h"
#include "support/emulator.h"

#include <stdbool.h>

/* Each grant, permits, and API calls by libcurl, and how they fail. False when something did not succeed that is to. */
bool scenes_on_https(const struct canaries *canaries, const struct emulator *emulator, struct record *record);

#endif
