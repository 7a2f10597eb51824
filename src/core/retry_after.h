/* Retry-After (RFC 9110 section 10.2.3), made safe to wait for. */
#ifndef NX_RETRY_AFTER_H
#define NX_RETRY_AFTER_H

#include <stdint.h>

enum { NX_RETRY_AFTER_LEAST_MS = 1000, NX_RETRY_AFTER_MOST_MS = 3600000, NX_RETRY_AFTER_UNSTATED_MS = 10000 };

/*
 * `value`: the header's value, or NULL; `date`: the answer's own Date, or NULL. Seconds, or an HTTP-date relative to
 * `date` (without a readable Date it is ignored), clamped to 1 s..1 h: 0, negative numbers and 2147483647 occur. Absent
 * or unreadable: 10 s.
 */
int64_t nx_retry_after_ms(const char *value, const char *date);

/*
 * Reads an HTTP-date in its three forms (RFC 9110 section 5.6.7), case-sensitive, blanks around it aside, to Unix
 * seconds; -1 when it is none or lies before 1970. Years of two digits are 1970 to 2069. Whether the name of the day
 * fits the date is not asked.
 */
int64_t nx_http_date(const char *value);

#endif
