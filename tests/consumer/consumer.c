/*
 * An application of the installed library: consumer [ORIGIN CA_FILE]. Takes a token from a static source and, given an
 * emulator's NEX_HTTPS and CA_FILE, one from NEX.
 */
#include <nexauth/nexauth.h>

#include <stdio.h>
#include <string.h>

/* Takes the source, which may be NULL. 0 when it gave a token that goes into a header. */
static int take_token(nexauth_source *source, struct nexauth_error *error)
{
    nexauth_token *token = NULL;
    const char *header = NULL;

    if (source && nexauth_source_get_token(source, NULL, &token, error) == NEXAUTH_OK)
        header = nexauth_token_header(token);
    const int taken = header && strncmp(header, "Authorization: Bearer ", 22) == 0;
    nexauth_token_unref(token);
    nexauth_source_free(source);
    return taken ? 0 : -1;
}

static int take_static(nexauth_session *session, struct nexauth_error *error)
{
    const struct nexauth_static_options options = {.access_token = "canary"};
    nexauth_source *source = NULL;

    nexauth_source_new_static(session, &options, &source, error);
    return take_token(source, error);
}

static int take_nex(nexauth_session *session, const char *origin, struct nexauth_error *error)
{
    const struct nexauth_nex_controller_options options = {
        .client_id = "5a5b",
        .client_secret = "abc123",
        .controller_id = "111aa",
        .controller_secret = "456",
        .origin = origin,
    };
    nexauth_source *source = NULL;

    nexauth_source_new_nex_controller(session, &options, &source, error);
    return take_token(source, error);
}

int main(int count, char **values)
{
    const struct nexauth_session_options options = {.ca_file = count == 3 ? values[2] : NULL};
    nexauth_session *session = NULL;
    struct nexauth_error error = {0};
    int failed = strcmp(nexauth_version(), NEXAUTH_VERSION);

    if (!failed)
        failed = nexauth_session_new(&options, &session, &error) != NEXAUTH_OK;
    if (!failed)
        failed = take_static(session, &error);
    if (!failed && count == 3)
        failed = take_nex(session, values[1], &error);
    nexauth_session_free(session);
    if (failed)
        fprintf(stderr, "%s: %s\n", nexauth_status_name(error.status), error.message);
    else
        puts("got a token");
    return failed ? 1 : 0;
}
