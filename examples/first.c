/*
 * A first program: gets one token of a NEX controller and says when it expires.
 *
 *   nexauth-first                            the controller that the environment names
 *   nexauth-first --emulator ORIGIN CA_FILE  the emulator's, whose lines NEX_HTTPS and CA_FILE give the two
 */
#include <nexauth/nexauth.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void print_expiry(const nexauth_token *token)
{
    const time_t expires_at = (time_t)nexauth_token_expires_at(token);
    char text[32] = "";
    struct tm utc;

    if (gmtime_r(&expires_at, &utc))
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &utc);
    printf("expires at %s\n", text);
}

int main(int count, char **values)
{
    const bool emulated = count == 4 && strcmp(values[1], "--emulator") == 0;
    const struct nexauth_session_options settings = {.ca_file = emulated ? values[3] : NULL};
    const struct nexauth_nex_controller_options who = {
        .client_id = emulated ? "5a5b" : getenv("NEX_CLIENT_ID"),
        .client_secret = emulated ? "abc123" : getenv("NEX_CLIENT_SECRET"),
        .controller_id = emulated ? "111aa" : getenv("NEX_CONTROLLER_ID"),
        .controller_secret = emulated ? "456" : getenv("NEX_CONTROLLER_SECRET"),
        .origin = emulated ? values[2] : NULL,
    };
    nexauth_session *session = NULL;
    nexauth_source *controller = NULL;
    nexauth_token *token = NULL;
    struct nexauth_error error = {0};
    nexauth_status status = nexauth_session_new(&settings, &session, &error);

    if (!status)
        status = nexauth_source_new_nex_controller(session, &who, &controller, &error);
    if (!status)
        status = nexauth_source_get_token(controller, NULL, &token, &error);
    if (status)
        fprintf(stderr, "%s: %s\n", nexauth_status_name(status), error.message);
    else
        print_expiry(token); /* a request to the API would carry nexauth_token_header(token) */

    nexauth_token_unref(token);
    nexauth_source_free(controller);
    nexauth_session_free(session);
    return status ? EXIT_FAILURE : EXIT_SUCCESS;
}
