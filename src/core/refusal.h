/* Puts into words why an exchange brought no token: the caller's struct nexauth_error. */
#ifndef NX_REFUSAL_H
#define NX_REFUSAL_H

#include "core/flight.h"

/*
 * "<service> <why>[: <the service's own words>]". What the service says is cleaned of control characters, and withheld
 * whole when it holds a secret that was sent. `redirect_error`: of a redirect, or "".
 */
void nx_refusal_describe(struct nexauth_error *error, const struct nx_flight *flight, const struct nx_facts *facts,
                         struct nx_verdict verdict, const char *redirect_error);

/* Turns the error of a one-time value in doubt, at a source that cannot connect by itself, into REAUTH, and says so. */
void nx_refusal_doubt(struct nexauth_error *error);

#endif
