/* Filling the caller's struct nexauth_error. */
#ifndef NX_ERROR_H
#define NX_ERROR_H

#include "nexauth/nexauth.h"

/* Overwrites `error` whole, unless it is NULL, with `status` and one sentence; returns `status`. */
nexauth_status nx_fail(struct nexauth_error *error, nexauth_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));

#endif
