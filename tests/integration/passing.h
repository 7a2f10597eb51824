/* Sessions on the real network whose time passes when the test says so, besides passing by itself. */
#ifndef NX_TEST_PASSING_H
#define NX_TEST_PASSING_H

#include "nexauth/nexauth.h"

#include <stdint.h>

/* Trusts that CA. An exchange has ten minutes: none is given up because the test lets time pass. */
nexauth_session *passing_new_session(const char *ca_file);

/* For all these sessions. */
void passing_let_s(int64_t seconds);

#endif
