/* Retry-After and, on the next line, Date, against the system's strptime() and a slow reading of numbers. */
#define _GNU_SOURCE /* strptime, timegm */
#include "fuzz/target.h"

#include "core/retry_after.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char blanks[] = " \t";

/* strptime() takes more, so only what the library takes is compared. Its years of two digits begin at 1969. */
static int64_t date_as_the_system_reads_it(const char *value)
{
    static const char *const formats[] = {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
                                          "%a %b %e %H:%M:%S %Y"};

    value += strspn(value, blanks);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        struct tm tm = {0};
        const char *end = strptime(value, formats[i], &tm);

        if (!end || end[strspn(end, blanks)] != '\0')
            continue;
        if (i == 1 && tm.tm_year == 69)
            tm.tm_year = 169;
        return timegm(&tm);
    }
    return -1;
}

static void check_date(const char *value)
{
    const int64_t date = nx_http_date(value);

    HOLDS(date >= -1 && date <= 253402300800);
    if (date >= 0)
        HOLDS(date == date_as_the_system_reads_it(value));
}

/* Whether these are digits, perhaps behind a minus, between blanks; if so, what is to be waited for. */
static bool read_number(const char *value, int64_t *ms)
{
    const char *at = value + strspn(value, blanks);
    const bool negative = *at == '-';
    size_t digits = 0;

    at += negative;
    digits = strspn(at, "0123456789");
    if (digits == 0 || at[digits + strspn(at + digits, blanks)] != '\0')
        return false;
    for (; digits > 1 && *at == '0'; digits--)
        at++;
    *ms = digits > 4 ? NX_RETRY_AFTER_MOST_MS : strtoll(at, NULL, 10) * 1000;
    if (negative || *ms < NX_RETRY_AFTER_LEAST_MS)
        *ms = NX_RETRY_AFTER_LEAST_MS;
    if (*ms > NX_RETRY_AFTER_MOST_MS)
        *ms = NX_RETRY_AFTER_MOST_MS;
    return true;
}

static int64_t clamp(int64_t seconds)
{
    if (seconds < 1)
        return NX_RETRY_AFTER_LEAST_MS;
    return seconds > 3600 ? NX_RETRY_AFTER_MOST_MS : seconds * 1000;
}

static void check_wait(const char *value, const char *date)
{
    const int64_t wait_ms = nx_retry_after_ms(value, date);
    const int64_t then = nx_http_date(value);
    const int64_t now = date ? nx_http_date(date) : -1;
    int64_t expected_ms = NX_RETRY_AFTER_UNSTATED_MS;

    if (!read_number(value, &expected_ms) && then >= 0 && now >= 0)
        expected_ms = clamp(then - now);
    HOLDS(wait_ms == expected_ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct target_input input = {data, size};
    char *value = target_take(&input, '\n');
    char *date = target_take(&input, '\n');

    check_date(value);
    check_date(date);
    check_wait(value, date);
    check_wait(value, NULL);
    free(value);
    free(date);
    return 0;
}
