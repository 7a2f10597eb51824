#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void report_expiry(const nexauth_token *token)
{
    const time_t expires_at = (time_t)nexauth_token_expires_at(token);
    char text[32] = "";
    struct tm utc;

    if (expires_at && gmtime_r(&expires_at, &utc))
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &utc);
    if (expires_at)
        printf("expires:   %s, %lld s after it was asked for\n", text, (long long)nexauth_token_lifetime_s(token));
    else
        printf("expires:   not known\n");
}

void report_token(const nexauth_token *token)
{
    const char *scope = nexauth_token_scope(token);

    printf("scope:     %s\n", scope ? scope : "not stated");
    report_expiry(token);
    printf("presented: %s\n", nexauth_token_header(token) ? "in the header Authorization, as Bearer"
                                                          : "in the URL, as the query parameter access_token");
}

/*
 * One reaction for each status. A program that ends, as these do, leaves trying again to whoever starts it; one that
 * goes on waits, at least for retry_after_ms, and longer each time.
 */
int report_error(const struct nexauth_error *error)
{
    fprintf(stderr, "%s: %s\n", nexauth_status_name(error->status), error->message);
    switch (error->status) {
    case NEXAUTH_THROTTLED:
        fprintf(stderr, "ask again in %lld s, no sooner\n", (long long)error->retry_after_ms / 1000);
        return EXIT_TRY_LATER;
    case NEXAUTH_BLOCKED: /* whoever goes on asking stays banned */
        fprintf(stderr, "ask again in %lld s, no sooner; is this address on the service's list?\n",
                (long long)error->retry_after_ms / 1000);
        return EXIT_TRY_LATER;
    case NEXAUTH_UNAVAILABLE:
    case NEXAUTH_NETWORK:
    case NEXAUTH_TIMEOUT:
        fputs("ask again later, and wait longer each time\n", stderr);
        return EXIT_TRY_LATER;
    case NEXAUTH_DENIED: /* repeated with the same credentials, a request looks like guessing */
        fputs("correct the credentials, or have them given the right to this\n", stderr);
        return EXIT_FAILURE;
    case NEXAUTH_REAUTH:
        fputs("have the user authorize again\n", stderr);
        return EXIT_FAILURE;
    case NEXAUTH_INVALID:
    case NEXAUTH_CONFIG:
        fputs("correct the settings\n", stderr);
        return EXIT_FAILURE;
    case NEXAUTH_PROTOCOL:
        fputs("find out who answers there: this is not what the service is known to say\n", stderr);
        return EXIT_FAILURE;
    case NEXAUTH_NO_MEMORY:
    case NEXAUTH_CANCELED: /* by a callback that takes no more of an answer; these programs have one thread */
    case NEXAUTH_OK:
        break;
    }
    return EXIT_FAILURE;
}
