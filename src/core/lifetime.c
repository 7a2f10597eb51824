#include "core/lifetime.h"

#include "core/encode.h"

#include <float.h>

static const double TWO_TO_63 = 9223372036854775808.0;

static int64_t from_number(double number)
{
    int64_t whole = 0;

    if (!(number >= 0) || number > DBL_MAX)
        return -1;
    if (number >= TWO_TO_63)
        return INT64_MAX;
    whole = (int64_t)number;
    return (double)whole == number ? whole : -1;
}

/* Takes digits off `at`; INT64_MAX when they say more than that. */
static int64_t take_digits(const char **at)
{
    int64_t number = 0;

    for (; nx_is_digit(**at); (*at)++) {
        int digit = **at - '0';

        number = number > (INT64_MAX - digit) / 10 ? INT64_MAX : number * 10 + digit;
    }
    return number;
}

/* What follows the digits: '.' and zeros, or nothing, and then blanks to the end. */
static bool is_whole_rest(const char *at)
{
    if (at[0] == '.' && at[1] == '0') {
        at++;
        while (*at == '0')
            at++;
    }
    while (nx_is_blank(*at))
        at++;
    return *at == '\0';
}

static int64_t from_string(const char *string)
{
    int64_t number = 0;

    while (nx_is_blank(*string))
        string++;
    if (!nx_is_digit(*string))
        return -1;
    number = take_digits(&string);
    return is_whole_rest(string) ? number : -1;
}

int64_t nx_lifetime_stated(const struct nx_value *value)
{
    switch (value->kind) {
    case NX_KIND_NUMBER:
        return from_number(value->number);
    case NX_KIND_STRING:
        return from_string(nx_text_string(&value->text));
    default:
        return -1;
    }
}

int64_t nx_lifetime_counted(int64_t stated, int64_t longest)
{
    int64_t most = longest > 0 && longest < NX_LIFETIME_LONGEST_S ? longest : NX_LIFETIME_LONGEST_S;

    if (stated <= 0)
        return NX_LIFETIME_UNSTATED_S;
    return stated < most ? stated : most;
}
