#include "core/retry_after.h"

#include "core/encode.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { NOT_A_NAME = -1, SECONDS_PER_DAY = 86400, UNIX_EPOCH_YEAR = 1970, CENTURY_PIVOT = 70 };

struct moment {
    int year, month, day, hour, minute, second; /* month and day from 1 */
};

static const char *skip_blanks(const char *at)
{
    while (*at == ' ' || *at == '\t')
        at++;
    return at;
}

/* Takes exactly `count` digits off `at`. */
static bool take_number(const char **at, int count, int *number)
{
    *number = 0;
    for (int i = 0; i < count; i++, (*at)++) {
        if (!nx_is_digit(**at))
            return false;
        *number = *number * 10 + (**at - '0');
    }
    return true;
}

/* Takes one of the names off `at`: its place in `names`, or NOT_A_NAME. */
static int take_name(const char **at, const char *const *names, int count)
{
    for (int i = 0; i < count; i++) {
        size_t size = strlen(names[i]);

        if (strncmp(*at, names[i], size) == 0) {
            *at += size;
            return i;
        }
    }
    return NOT_A_NAME;
}

static bool take_month(const char **at, int *month)
{
    static const char *const MONTHS[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

    *month = take_name(at, MONTHS, 12) + 1;
    return *month > 0;
}

static bool take_short_day_name(const char **at)
{
    static const char *const DAYS[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

    return take_name(at, DAYS, 7) != NOT_A_NAME;
}

static bool take_long_day_name(const char **at)
{
    static const char *const DAYS[] = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};

    return take_name(at, DAYS, 7) != NOT_A_NAME;
}

/* A day of the month in two places, the first of which may be a blank. */
static bool take_padded_day(const char **at, int *day)
{
    if (**at != ' ')
        return take_number(at, 2, day);
    (*at)++;
    return take_number(at, 1, day);
}

static bool take_short_year(const char **at, int *year)
{
    if (!take_number(at, 2, year))
        return false;
    *year += *year < CENTURY_PIVOT ? 2000 : 1900;
    return true;
}

/* Takes one field off `at`; the letters are those of strptime. */
static bool take_field(const char **at, char field, struct moment *moment)
{
    switch (field) {
    case 'a':
        return take_short_day_name(at);
    case 'A':
        return take_long_day_name(at);
    case 'b':
        return take_month(at, &moment->month);
    case 'd':
        return take_number(at, 2, &moment->day);
    case 'e':
        return take_padded_day(at, &moment->day);
    case 'Y':
        return take_number(at, 4, &moment->year);
    case 'y':
        return take_short_year(at, &moment->year);
    case 'H':
        return take_number(at, 2, &moment->hour);
    case 'M':
        return take_number(at, 2, &moment->minute);
    default: /* 'S' */
        return take_number(at, 2, &moment->second);
    }
}

/* Reads `at` as the format tells, blanks around it aside: %x is a field, anything else stands for itself. */
static bool read_format(const char *at, const char *format, struct moment *moment)
{
    at = skip_blanks(at);
    for (; *format; format++) {
        if (*format == '%') {
            format++;
            if (!take_field(&at, *format, moment))
                return false;
        } else if (*at++ != *format) {
            return false;
        }
    }
    return *skip_blanks(at) == '\0';
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static bool is_real(const struct moment *moment)
{
    static const int DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int days = DAYS[moment->month - 1] + (moment->month == 2 && is_leap(moment->year));

    return moment->year >= UNIX_EPOCH_YEAR && moment->day >= 1 && moment->day <= days && moment->hour <= 23 &&
           moment->minute <= 59 && moment->second <= 60;
}

/* Days since 1970-01-01 in the Gregorian calendar. A year is taken to begin in March, so that the leap day ends it. */
static int64_t days_since_epoch(const struct moment *moment)
{
    int year = moment->month > 2 ? moment->year : moment->year - 1;
    int month = moment->month > 2 ? moment->month - 3 : moment->month + 9;
    int64_t leap_days = year / 4 - year / 100 + year / 400;

    return (int64_t)year * 365 + leap_days + (month * 153 + 2) / 5 + moment->day - 1 - 719468;
}

static int second_of_day(const struct moment *moment)
{
    return (moment->hour * 60 + moment->minute) * 60 + moment->second;
}

int64_t nx_http_date(const char *value)
{
    static const char *const FORMATS[] = {
        "%a, %d %b %Y %H:%M:%S GMT", /* IMF-fixdate */
        "%A, %d-%b-%y %H:%M:%S GMT", /* RFC 850 */
        "%a %b %e %H:%M:%S %Y",      /* asctime */
    };

    for (size_t i = 0; i < sizeof FORMATS / sizeof FORMATS[0]; i++) {
        struct moment moment = {0};

        if (!read_format(value, FORMATS[i], &moment))
            continue;
        return is_real(&moment) ? days_since_epoch(&moment) * SECONDS_PER_DAY + second_of_day(&moment) : -1;
    }
    return -1;
}

static int64_t within_limits(int64_t seconds)
{
    if (seconds <= NX_RETRY_AFTER_LEAST_MS / 1000)
        return NX_RETRY_AFTER_LEAST_MS;
    if (seconds >= NX_RETRY_AFTER_MOST_MS / 1000)
        return NX_RETRY_AFTER_MOST_MS;
    return seconds * 1000;
}

/* Reads a whole number, negative ones too, with blanks around it. More than the longest wait is read as that. */
static bool read_seconds(const char *value, int64_t *seconds)
{
    const char *at = skip_blanks(value);
    bool negative = *at == '-';
    int64_t number = 0;

    at += negative;
    if (!nx_is_digit(*at))
        return false;
    for (; nx_is_digit(*at); at++) {
        if (number < NX_RETRY_AFTER_MOST_MS)
            number = number * 10 + (*at - '0');
    }
    *seconds = negative ? -number : number;
    return *skip_blanks(at) == '\0';
}

int64_t nx_retry_after_ms(const char *value, const char *date)
{
    int64_t seconds = 0;
    int64_t then = -1;
    int64_t now = -1;

    if (value == NULL)
        return NX_RETRY_AFTER_UNSTATED_MS;
    if (read_seconds(value, &seconds))
        return within_limits(seconds);
    then = nx_http_date(value);
    if (then >= 0 && date != NULL)
        now = nx_http_date(date);
    return now >= 0 ? within_limits(then - now) : NX_RETRY_AFTER_UNSTATED_MS;
}
