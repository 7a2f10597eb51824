/*
 * A token of a NEX user or controller, and what it is good for: --call asks NEX which controllers there are.
 *
 *   nexauth-nex user|controller [--xml] [--call] [--emulator]
 *
 *   NEX_CLIENT_ID, NEX_CLIENT_SECRET           the company's, or the product family's
 *   NEX_USERNAME, NEX_PASSWORD                 the user's
 *   NEX_CONTROLLER_ID, NEX_CONTROLLER_SECRET   the controller's
 *
 * --xml asks for answers in XML. --emulator asks the emulator that examples/with-emulator starts; what the
 * environment leaves out is then taken from the emulator's own accounts.
 */
#include "call.h"
#include "report.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arguments {
    bool user, controller, xml, call, emulated;
};

static bool read_arguments(int count, char **values, struct arguments *arguments)
{
    for (int i = 1; i < count; i++) {
        if (strcmp(values[i], "user") == 0)
            arguments->user = true;
        else if (strcmp(values[i], "controller") == 0)
            arguments->controller = true;
        else if (strcmp(values[i], "--xml") == 0)
            arguments->xml = true;
        else if (strcmp(values[i], "--call") == 0)
            arguments->call = true;
        else if (strcmp(values[i], "--emulator") == 0)
            arguments->emulated = true;
        else
            return false;
    }
    return arguments->user != arguments->controller;
}

/* From the environment, else, when the emulator is asked, the emulator's. */
static const char *setting(const struct arguments *arguments, const char *name, const char *emulated)
{
    const char *value = getenv(name);

    return value || !arguments->emulated ? value : emulated;
}

static nexauth_status make_user(const struct arguments *arguments, nexauth_session *session, nexauth_source **out,
                                struct nexauth_error *error)
{
    const struct nexauth_nex_user_options who = {
        .client_id = setting(arguments, "NEX_CLIENT_ID", "mycompany"),
        .client_secret = setting(arguments, "NEX_CLIENT_SECRET", "abc123"),
        .username = setting(arguments, "NEX_USERNAME", "myname"),
        .password = setting(arguments, "NEX_PASSWORD", "xyz456"),
        .origin = arguments->emulated ? setting(arguments, "NEX_HTTPS", "") : NULL,
        .accept = arguments->xml ? NEXAUTH_ACCEPT_XML : NEXAUTH_ACCEPT_JSON,
    };

    return nexauth_source_new_nex_user(session, &who, out, error);
}

static nexauth_status make_controller(const struct arguments *arguments, nexauth_session *session, nexauth_source **out,
                                      struct nexauth_error *error)
{
    const struct nexauth_nex_controller_options who = {
        .client_id = setting(arguments, "NEX_CLIENT_ID", "5a5b"),
        .client_secret = setting(arguments, "NEX_CLIENT_SECRET", "abc123"),
        .controller_id = setting(arguments, "NEX_CONTROLLER_ID", "111aa"),
        .controller_secret = setting(arguments, "NEX_CONTROLLER_SECRET", "456"),
        .origin = arguments->emulated ? setting(arguments, "NEX_HTTPS", "") : NULL,
        .accept = arguments->xml ? NEXAUTH_ACCEPT_XML : NEXAUTH_ACCEPT_JSON,
    };

    return nexauth_source_new_nex_controller(session, &who, out, error);
}

static int call_api(const struct arguments *arguments, nexauth_source *source)
{
    const struct call call = {
        .url = NEXAUTH_NEX_API "/Controller",
        .origin = arguments->emulated ? setting(arguments, "NEX_HTTPS", "") : NULL,
        .ca_file = arguments->emulated ? getenv("CA_FILE") : NULL,
        .accept = arguments->xml ? "application/xml" : "application/json",
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
        (arguments->user ? make_user : make_controller)(arguments, session, &source, &error) ||
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
    fputs("Usage: nexauth-nex user|controller [--xml] [--call] [--emulator]\n", stderr);
    return EXIT_USAGE;
}
