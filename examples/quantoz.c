/*
 * A token of a Quantoz API client, or an API key, and what it is good for: --call asks Quantoz for the customers.
 *
 *   nexauth-quantoz [--basic] [--call [--iso8601]] [--emulator]
 *
 *   QUANTOZ_ENVIRONMENT                        test or production; there is no default, but for a key without --call
 *   QUANTOZ_CLIENT_ID, QUANTOZ_CLIENT_SECRET   the API client's
 *   QUANTOZ_SCOPE                              "api1" unless given; several are separated by one space
 *   QUANTOZ_API_KEY                            a key from the portal, instead of the three above
 *   QUANTOZ_API_KEY_EXPIRES_AT                 when it expires, in Unix seconds, if known
 *
 * --basic sends id and secret by HTTP Basic instead of in the form. --iso8601 has all dates of the call's answer
 * written as yyyy-MM-ddTHH:mm:ssZ. --emulator asks the emulator that examples/with-emulator starts; what the
 * environment leaves out is then taken from the emulator's own accounts.
 */
#include "call.h"
#include "report.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arguments {
    bool basic, call, iso8601, emulated;
};

static bool read_arguments(int count, char **values, struct arguments *arguments)
{
    for (int i = 1; i < count; i++) {
        if (strcmp(values[i], "--basic") == 0)
            arguments->basic = true;
        else if (strcmp(values[i], "--call") == 0)
            arguments->call = true;
        else if (strcmp(values[i], "--iso8601") == 0)
            arguments->iso8601 = true;
        else if (strcmp(values[i], "--emulator") == 0)
            arguments->emulated = true;
        else
            return false;
    }
    return arguments->call || !arguments->iso8601;
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

/* Where the API is in the place of the vendor's; NULL: there. */
static const char *api_origin(const struct arguments *arguments)
{
    const bool test = read_environment() == NEXAUTH_QUANTOZ_TEST;

    return arguments->emulated
               ? setting(arguments, test ? "QUANTOZ_TEST_API_HTTPS" : "QUANTOZ_PRODUCTION_API_HTTPS", "")
               : NULL;
}

static const char *api_url(void)
{
    return read_environment() == NEXAUTH_QUANTOZ_TEST ? NEXAUTH_QUANTOZ_TEST_API "/customer"
                                                      : NEXAUTH_QUANTOZ_API "/customer";
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
        .api_origins = api_origin(arguments),
        .environment = environment,
        .client_auth = arguments->basic ? NEXAUTH_CLIENT_AUTH_BASIC : NEXAUTH_CLIENT_AUTH_BODY,
    };

    return nexauth_source_new_quantoz(session, &who, out, error);
}

/* Whose key it is nobody knows but who has it: it is carried only to the environment that is named. */
static const char *key_origins(const struct arguments *arguments)
{
    switch (read_environment()) {
    case NEXAUTH_QUANTOZ_TEST:
        return arguments->emulated ? api_origin(arguments) : NEXAUTH_QUANTOZ_TEST_API;
    case NEXAUTH_QUANTOZ_PRODUCTION:
        return arguments->emulated ? api_origin(arguments) : NEXAUTH_QUANTOZ_API;
    default:
        return NULL;
    }
}

static nexauth_status make_key(const struct arguments *arguments, nexauth_session *session, nexauth_source **out,
                               struct nexauth_error *error)
{
    const char *expires_at = getenv("QUANTOZ_API_KEY_EXPIRES_AT");
    const struct nexauth_static_options key = {
        .access_token = getenv("QUANTOZ_API_KEY"),
        .api_origins = key_origins(arguments),
        .expires_at = expires_at ? strtoll(expires_at, NULL, 10) : 0,
    };

    return nexauth_source_new_static(session, &key, out, error);
}

static int call_api(const struct arguments *arguments, nexauth_source *source)
{
    const struct call call = {
        .url = api_url(),
        .origin = api_origin(arguments),
        .ca_file = arguments->emulated ? getenv("CA_FILE") : NULL,
        .accept = "application/json",
        .iso8601 = arguments->iso8601,
    };

    return call_make(source, &call);
}

static int show_token(const struct arguments *arguments)
{
    const struct nexauth_session_options settings = {.ca_file = arguments->emulated ? getenv("CA_FILE") : NULL};
    nexauth_session *session = NULL;
    nexauth_source *source = NULL;
    nexauth_token *token = NULL;
    struct nexauth_error error = {0};
    int exit_status = EXIT_SUCCESS;

    if (nexauth_session_new(&settings, &session, &error) ||
        (getenv("QUANTOZ_API_KEY") ? make_key : make_client)(arguments, session, &source, &error) ||
        nexauth_source_get_token(source, NULL, &token, &error))
        exit_status = report_error(&error);
    else
        report_token(token);
    if (token && arguments->call)
        exit_status = call_api(arguments, source);

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
    fputs("Usage: nexauth-quantoz [--basic] [--call [--iso8601]] [--emulator]\n", stderr);
    return EXIT_USAGE;
}
