/* Scenes in which secrets are at stake. They assert nothing, as what they print would be recorded. */
#ifndef NX_TEST_SCENES_H
#define NX_TEST_SCENES_H

#include "record.h"
#include "sources.h"

/* Services that say each secret back, in each way of wording it, in each place of an answer, to a source that asks for
 * the first time, renews its token while it is good or later, or had it rejected. Returns how many were refused so. */
size_t scenes_of_echoes(const struct canaries *canaries, struct record *record);

/* What succeeds: each grant, its refresh, saving and restoring, rejecting, copying. False when something did not. */
bool scenes_of_success(const struct canaries *canaries, struct record *record);

/* Misuse: arguments that are secrets and wrong. */
void scenes_of_misuse(const struct canaries *canaries, struct record *record);

#endif
