/*
 * A token of a Quantoz API client, or an API key, and what it is good for.
 *
 *   nexauth-quantoz [--basic] [--emulator]
 *
 *   QUANTOZ_ENVIRONMENT                        test or production; there is no default
 *   QUANTOZ_CLIENT_ID, QUANTOZ_CLIENT_SECRET   the API client's
 *   QUANTOZ_SCOPE                              "api1" unless given; several are separated by one space
 *   QUANTOZ_API_KEY                            a key from the portal, instead of the three above
 *   QUANTOZ_API_KEY_EXPIRES_AT                 when it expires, in Unix seconds, if known
 *
 * --basic sends id and secret by HTTP Basic instead of in the form. --emulator asks the emulator that
 * examples/with-emulator starts; what the environment leaves out is then taken from the emulator's own accounts.
 */
#include "report.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arguments {
    bool basic, emulated;
};

static bool read_arguments(int count, char **values, struct arguments *arguments)
{
    for (int i = 1; i < count; i++) {
        if (strcmp(values[i], "--basic") == 0)
            arguments->basic = true;
        else if (strcmp(values[i], "--emulator") == 0)
            arguments->emulated = true;
        else
            return false;
    }
    return true;
}

/* From the environment, else, when the emulator is asked, the emulator's. */
static const char *setting(const struct arguments *arguments, const char *name, const char *emulated)
{
    const char *value = getenv(name);

    return value || !arguments->emulated ? value : emulated;
}

/* 0, which the library refuses, when the environment names neither. */
static int read_environment(void)
{
    const char *name = getenv("QUANTOZ_ENVIRONMENT");

    if (name && strcmp(name, "test") == 0)
        return NEXAUTH_QUANTOZ_TEST;
    return name && strcmp(name, "production") == 0 ? NEXAUTH_QUANTOZ_PRODUCTION : 0;
}

static nexauth_status make_client(const struct arguments *arguments, nexauth_session *session, nexauth_source **out,
                                  struct nexauth_error *error)
{
    const int environment = read_environment();
    const bool test = environment == NEXAUTH_QUANTOZ_TEST;
    const struct nexauth_quantoz_options who = {
        .client_id = setting(arguments, "QUANTOZ_CLIENT_ID", test ? "nexus-test-client" : "nexus-production-client"),
        .client_secret = setting(arguments, "QUANTOZ_CLIENT_SECRET", test ? "p&ss w+rd%=1" : "Pr0duct!on s3cret"),
        .scope = getenv("QUANTOZ_SCOPE"),
        .origin = arguments->emulated ? setting(arguments, test ? "QUANTOZ_TEST_HTTPS" : "QUANTOZ_PRODUCTION_HTTPS", "")
                                      : NULL,
        .environment = environment,
        .client_auth = arguments->basic ? NEXAUTH_CLIENT_AUTH_BASIC : NEXAUTH_CLIENT_AUTH_BODY,
    };

    return nexauth_source_new_quantoz(session, &who, out, error);
}

static nexauth_status make_key(const char *api_key, nexauth_session *session, nexauth_source **out,
                               struct nexauth_error *error)
{
    const char *expires_at = getenv("QUANTOZ_API_KEY_EXPIRES_AT");
    const struct nexauth_static_options key = {
        .access_token = api_key,
        .expires_at = expires_at ? strtoll(expires_at, NULL, 10) : 0,
    };

    return nexauth_source_new_static(session, &key, out, error);
}

static int show_token(const struct arguments *arguments)
{
    const struct nexauth_session_options settings = {.ca_file = arguments->emulated ? getenv("CA_FILE") : NULL};
    const char *api_key = getenv("QUANTOZ_API_KEY");
    nexauth_session *session = NULL;
    nexauth_source *source = NULL;
    nexauth_token *token = NULL;
    struct nexauth_error error = {0};
    int exit_status = EXIT_SUCCESS;

    if (nexauth_session_new(&settings, &session, &error) ||
        (api_key ? make_key(api_key, session, &source, &error) : make_client(arguments, session, &source, &error)) ||
        nexauth_source_get_token(source, NULL, &token, &error))
        exit_status = report_error(&error);
    else
        report_token(token); /* a request to the API carries nexauth_token_header(token) */

    nexauth_token_unref(token);
    nexauth_source_free(source);
    nexauth_session_free(session);
    return exit_status;
}

int main(int count, char **values)
{
    struct arguments arguments = {0};

    if (read_arguments(count, values, &arguments))
        return show_token(&arguments);
    fputs("Usage: nexauth-quantoz [--basic] [--emulator]\n", stderr);
    return EXIT_USAGE;
}
