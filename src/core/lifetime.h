/* How long a token lives, from what the service stated. */
#ifndef NX_LIFETIME_H
#define NX_LIFETIME_H

#include "core/members.h"

#include <stdint.h>

enum {
    NX_LIFETIME_UNSTATED_S = 300,    /* when the service states none that can be read, or 0 */
    NX_LIFETIME_LONGEST_S = 31536000 /* a year: nothing counts for longer */
};

/*
 * Reads expires_in (RFC 6749 section 5.1): an integral number, or a string of one with blanks around it (digits,
 * optionally '.' and zeros). Not negative. -1 when absent or unreadable (negative, fractional, NaN, infinite, other
 * characters); INT64_MAX when it is larger than that.
 */
int64_t nx_lifetime_stated(const struct nx_value *value);

/* The lifetime that counts, in seconds: `stated` within 1..min(longest, a year), and NX_LIFETIME_UNSTATED_S for 0 or
 * -1. `longest`: the vendor's own maximum; 0: none. */
int64_t nx_lifetime_counted(int64_t stated, int64_t longest);

#endif
