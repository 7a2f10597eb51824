/* Names and versions. */
#include "nexauth/nexauth.h"

const char *nexauth_version(void)
{
    return NEXAUTH_VERSION;
}

const char *nexauth_status_name(nexauth_status status)
{
    static const char *const names[] = {"OK",      "INVALID",   "NO_MEMORY", "CONFIG",      "DENIED",
                                        "REAUTH",  "THROTTLED", "BLOCKED",   "UNAVAILABLE", "NETWORK",
                                        "TIMEOUT", "PROTOCOL",  "CANCELED"};
    const unsigned int number = (unsigned int)status;

    return number < sizeof names / sizeof *names ? names[number] : "UNKNOWN";
}
