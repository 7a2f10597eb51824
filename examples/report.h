/* What the vendors' examples tell whoever runs them. */
#ifndef REPORT_H
#define REPORT_H

#include <nexauth/nexauth.h>

/* Besides EXIT_SUCCESS and EXIT_FAILURE, which means that somebody has to act. */
enum { EXIT_USAGE = 2, EXIT_TRY_LATER = 75 };

/* Prints what a token is good for: its scope, its expiry, how it is presented. Never the token. */
void report_token(const nexauth_token *token);

/* Prints an error and what follows from it; returns the exit status. */
int report_error(const struct nexauth_error *error);

#endif
