#include "core/error.h"

#include <stdarg.h>
#include <stdio.h>

nexauth_status nx_fail(struct nexauth_error *error, nexauth_status status, const char *format, ...)
{
    if (error) {
        va_list arguments;

        *error = (struct nexauth_error){.status = status};
        va_start(arguments, format);
        vsnprintf(error->message, sizeof error->message, format, arguments);
        va_end(arguments);
    }
    return status;
}
