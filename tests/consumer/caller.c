/*
 * An application of the installed library that makes API calls by libcurl: caller [ORIGIN CA_FILE]. Given an emulator's
 * NEX_HTTPS and CA_FILE, it asks NEX for the controllers; else it is refused a call to somebody else's origin.
 */
#include <nexauth/curl.h>

#include <stdio.h>
#include <string.h>

/* 0 when it was refused, with nothing sent. */
static int call_elsewhere(nexauth_session *session, CURL *easy, struct nexauth_error *error)
{
    const struct nexauth_static_options who = {.access_token = "canary", .api_origins = "https://api.example.com"};
    const struct nexauth_perform_options call = {.url = "https://api.example.org/"};
    nexauth_source *source = NULL;
    nexauth_status status = nexauth_source_new_static(session, &who, &source, error);

    if (!status)
        status = nexauth_perform(source, easy, &call, error);
    nexauth_source_free(source);
    return status == NEXAUTH_INVALID && strstr(error->message, "origin") ? 0 : -1;
}

static size_t take(char *bytes, size_t size, size_t count, void *context)
{
    (void)bytes;
    *(size_t *)context += size * count;
    return size * count;
}

/* 0 when NEX answered with 200 and a body. */
static int call_nex(nexauth_session *session, CURL *easy, const char *origin, const char *ca_file,
                    struct nexauth_error *error)
{
    const struct nexauth_nex_controller_options who = {
        .client_id = "5a5b",
        .client_secret = "abc123",
        .controller_id = "111aa",
        .controller_secret = "456",
        .origin = origin,
    };
    char url[128];
    const struct nexauth_perform_options call = {.url = url};
    nexauth_source *source = NULL;
    size_t bytes = 0;
    long http_status = 0;

    snprintf(url, sizeof url, "%s/v1.0/Controller", origin);
    curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &bytes);
    if (!nexauth_source_new_nex_controller(session, &who, &source, error) &&
        !nexauth_perform(source, easy, &call, error))
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &http_status);
    nexauth_source_free(source);
    return http_status == 200 && bytes > 0 ? 0 : -1;
}

int main(int count, char **values)
{
    const struct nexauth_session_options options = {.ca_file = count == 3 ? values[2] : NULL};
    nexauth_session *session = NULL;
    CURL *easy = curl_easy_init();
    struct nexauth_error error = {0};
    int failed = easy == NULL;

    if (!failed)
        failed = nexauth_session_new(&options, &session, &error) != NEXAUTH_OK;
    if (!failed)
        failed = call_elsewhere(session, easy, &error);
    if (!failed && count == 3)
        failed = call_nex(session, easy, values[1], values[2], &error);
    nexauth_session_free(session);
    curl_easy_cleanup(easy);
    if (failed)
        fprintf(stderr, "%s: %s\n", nexauth_status_name(error.status), error.message);
    else
        puts("made a call");
    return failed ? 1 : 0;
}
