/*
 * A token of a Nexusguard app, for itself or for a customer, and what it is good for: --call asks for the customers
 * that it may see.
 *
 *   nexauth-nexusguard app|user [--call] [--emulator]
 *
 *   NEXUSGUARD_APP_ID, NEXUSGUARD_SECRET   the app's, from the developer platform
 *   NEXUSGUARD_REDIRECT_URI                user: the app's; it is checked and not called
 *   NEXUSGUARD_CUSTOMER_ID                 user: as the SPE portal hands it to the app
 *   NEXUSGUARD_XSPE                        user: likewise; not needed while the saved refresh token is good
 *   NEXUSGUARD_REFRESH_TOKEN_FILE          user: where the refresh token is saved; not saved unless given
 *   NEXUSGUARD_REJECTION_CODE              --call: the code of an answer to a token that is no longer accepted, which
 *                                          Nexusguard does not publish; without it no other token is tried
 *
 * --emulator asks the emulator that examples/with-emulator starts; what the environment leaves out is then taken from
 * the emulator's own accounts. A variable that is empty stands for none.
 */
#include "call.h"
#include "envelope.h"
#include "report.h"
#include "saved.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_TOKEN = 8192 };

struct arguments {
    bool app, user, call, emulated;
};

static bool read_arguments(int count, char **values, struct arguments *arguments)
{
    for (int i = 1; i < count; i++) {
        if (strcmp(values[i], "app") == 0)
            arguments->app = true;
        else if (strcmp(values[i], "user") == 0)
            arguments->user = true;
        else if (strcmp(values[i], "--call") == 0)
            arguments->call = true;
        else if (strcmp(values[i], "--emulator") == 0)
            arguments->emulated = true;
        else
            return false;
    }
    return arguments->app != arguments->user;
}

/* From the environment, else, when the emulator is asked, the emulator's. */
static const char *setting(const struct arguments *arguments, const char *name, const char *emulated)
{
    const char *value = getenv(name);

    if (!value && arguments->emulated)
        return emulated;
    return value && *value ? value : NULL;
}

/* Of the emulator without its address the library makes INVALID: nothing goes to the vendor by mistake. */
static const char *origin(const struct arguments *arguments)
{
    const char *emulator = getenv("NEXUSGUARD_HTTPS");

    if (!arguments->emulated)
        return NULL;
    return emulator ? emulator : "";
}

static nexauth_status make_app(const struct arguments *arguments, nexauth_session *session, nexauth_source **out,
                               struct nexauth_error *error)
{
    const struct nexauth_nexusguard_app_options who = {
        .app_id = setting(arguments, "NEXUSGUARD_APP_ID", "d7690800dc5d4cf885fac35fcb0c8184"),
        .secret = setting(arguments, "NEXUSGUARD_SECRET", "bf20940d16578e18765eb9f93b1827e9"),
        .origin = origin(arguments),
    };

    return nexauth_source_new_nexusguard_app(session, &who, out, error);
}

/* With a saved refresh token the source refreshes; without one, or when it is refused, it connects if it has an xspe.
 */
static nexauth_status make_user(const struct arguments *arguments, nexauth_session *session, nexauth_source **out,
                                struct nexauth_error *error)
{
    const char *path = getenv("NEXUSGUARD_REFRESH_TOKEN_FILE");
    char saved[LONGEST_TOKEN + 2];
    const struct nexauth_nexusguard_user_options who = {
        .app_id = setting(arguments, "NEXUSGUARD_APP_ID", "d7690800dc5d4cf885fac35fcb0c8184"),
        .secret = setting(arguments, "NEXUSGUARD_SECRET", "bf20940d16578e18765eb9f93b1827e9"),
        .redirect_uri = setting(arguments, "NEXUSGUARD_REDIRECT_URI", "https://app.example.com/nexusguard/callback"),
        .customer_id = setting(arguments, "NEXUSGUARD_CUSTOMER_ID", "C-1001"),
        .xspe = setting(arguments, "NEXUSGUARD_XSPE", "spe-portal"),
        .refresh_token = path && saved_load(path, saved, sizeof saved) ? saved : NULL,
        .origin = origin(arguments),
    };

    if (who.refresh_token)
        puts("grant:     the saved refresh token");
    return nexauth_source_new_nexusguard_user(session, &who, out, error);
}

/* Each refresh token serves once: the newest is saved before its access token is used, also when that came in the
 * middle of a call. */
static nexauth_status save_refresh_token(void *context, nexauth_token *token)
{
    const char *refresh_token = nexauth_token_refresh_token(token);
    bool *lost = context;

    if (!refresh_token || saved_store(getenv("NEXUSGUARD_REFRESH_TOKEN_FILE"), refresh_token))
        return NEXAUTH_OK;
    perror("the refresh token cannot be saved");
    *lost = true;
    return NEXAUTH_CONFIG;
}

static nexauth_status make_source(const struct arguments *arguments, nexauth_session *session, bool *lost,
                                  nexauth_source **out, struct nexauth_error *error)
{
    const nexauth_status status = (arguments->app ? make_app : make_user)(arguments, session, out, error);

    if (status || arguments->app || !getenv("NEXUSGUARD_REFRESH_TOKEN_FILE"))
        return status;
    return nexauth_source_set_save(*out, save_refresh_token, lost, error);
}

static int call_api(const struct arguments *arguments, nexauth_source *source)
{
    const char *rejection_code = setting(arguments, "NEXUSGUARD_REJECTION_CODE", "40031");
    const struct call call = {
        .url = NEXAUTH_NEXUSGUARD_API "/spe/customers",
        .origin = origin(arguments),
        .ca_file = arguments->emulated ? getenv("CA_FILE") : NULL,
        .judge = envelope_judge,
        .rejection_code = rejection_code ? strtol(rejection_code, NULL, 10) : 0,
    };

    return call_make(source, &call);
}

static int refuse(const struct nexauth_error *error)
{
    const char *path = getenv("NEXUSGUARD_REFRESH_TOKEN_FILE");

    if (path && error->status == NEXAUTH_REAUTH)
        saved_drop(path);
    return report_error(error);
}

static int show_token(const struct arguments *arguments)
{
    const struct nexauth_session_options settings = {.ca_file = arguments->emulated ? getenv("CA_FILE") : NULL};
    nexauth_session *session = NULL;
    nexauth_source *source = NULL;
    nexauth_token *token = NULL;
    struct nexauth_error error = {0};
    bool lost = false;
    int exit_status = EXIT_SUCCESS;

    if (nexauth_session_new(&settings, &session, &error) || make_source(arguments, session, &lost, &source, &error) ||
        nexauth_source_get_token(source, NULL, &token, &error))
        exit_status = refuse(&error);
    else
        report_token(token);
    if (token && arguments->call)
        exit_status = call_api(arguments, source);

    nexauth_token_unref(token);
    nexauth_source_free(source);
    nexauth_session_free(session);
    return lost ? EXIT_FAILURE : exit_status;
}

int main(int count, char **values)
{
    struct arguments arguments = {0};

    if (read_arguments(count, values, &arguments))
        return show_token(&arguments);
    fputs("Usage: nexauth-nexusguard app|user [--call] [--emulator]\n", stderr);
    return EXIT_USAGE;
}
