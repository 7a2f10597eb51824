#include "call.h"

#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECT_MS = 10000, TRANSFER_MS = 30000, LONGEST_URL = 1024 };

/* ---- The answer -------------------------------------------------------------------------------------------------- */

/* An answer without end must not fill the memory: libcurl gives up when less is taken than came. */
static size_t take(char *bytes, size_t size, size_t count, void *context)
{
    struct call_answer *answer = context;
    const size_t length = size * count;

    if (length > CALL_LONGEST_ANSWER - answer->length)
        return 0;
    memcpy(answer->text + answer->length, bytes, length);
    answer->length += length;
    answer->text[answer->length] = '\0';
    return length;
}

/* What came to the token that was not accepted is no part of what comes to the next one. */
int call_empty(void *context)
{
    struct call_answer *answer = context;

    answer->length = 0;
    answer->text[0] = '\0';
    answer->emptied++;
    return 0;
}

/* ---- The call ---------------------------------------------------------------------------------------------------- */

/* The environment's proxy is not asked, as the library does not ask it for tokens. */
CURL *call_handle_new(const char *ca_file, struct call_answer *answer)
{
    CURL *easy = curl_easy_init();

    if (!easy)
        return NULL;
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)TRANSFER_MS);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, answer);
    if (ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
    return easy;
}

/* The URL, at the origin that is to be called. */
static void write_url(const struct call *call, char *out, size_t size)
{
    const char *path = strchr(call->url + strlen("https://"), '/');

    if (call->origin)
        snprintf(out, size, "%s%s", call->origin, path ? path : "");
    else
        snprintf(out, size, "%s", call->url);
}

/* The API's words are not the library's to judge: a status such as 404 is an answer too. */
static int show_answer(CURL *easy, const struct call_answer *answer)
{
    long status = 0;

    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    printf("status:    %ld\n%s\n", status, answer->text);
    return status < 400 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int perform(nexauth_source *source, const struct call *call, CURL *easy, struct call_answer *answer)
{
    char accept[128];
    char url[LONGEST_URL];
    struct curl_slist header = {.data = accept};
    struct nexauth_error error = {0};
    const struct nexauth_perform_options options = {
        .url = url,
        .headers = call->accept ? &header : NULL,
        .rewind = call_empty,
        .judge = call->judge,
        .context = answer,
        .quantoz_iso8601 = call->iso8601,
    };

    snprintf(accept, sizeof accept, "Accept: %s", call->accept ? call->accept : "");
    write_url(call, url, sizeof url);
    printf("called:    %s\n", url); /* the one with the token in it, for Nexusguard, is never seen here */
    if (nexauth_perform(source, easy, &options, &error))
        return report_error(&error);
    return show_answer(easy, answer);
}

int call_make(nexauth_source *source, const struct call *call)
{
    struct call_answer *answer = calloc(1, sizeof *answer);
    CURL *easy = answer ? call_handle_new(call->ca_file, answer) : NULL;
    int exit_status = EXIT_FAILURE;

    if (easy) {
        answer->rejection_code = call->rejection_code;
        exit_status = perform(source, call, easy, answer);
    } else {
        fputs("memory ran out\n", stderr);
    }
    curl_easy_cleanup(easy);
    free(answer);
    return exit_status;
}
