/*
 * The URLs of API calls: api_origins and a URL, a line each. What the library lets pass, libcurl takes for a URL of one
 * of these origins; with the token in its query it is still one, and the token is all that was added.
 */
#include "fuzz/target.h"

#include "core/url.h"
#include "session/session.h"
#include "support/script.h"

#include <curl/curl.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static struct script script;

static bool is_same_part(CURLU *a, CURLU *b, CURLUPart part)
{
    char *of_a = NULL;
    char *of_b = NULL;
    bool same;

    HOLDS(curl_url_get(a, part, &of_a, CURLU_DEFAULT_PORT) == CURLUE_OK);
    HOLDS(curl_url_get(b, part, &of_b, CURLU_DEFAULT_PORT) == CURLUE_OK);
    same = strcasecmp(of_a, of_b) == 0;
    curl_free(of_a);
    curl_free(of_b);
    return same;
}

/* Whether libcurl reads the URL as one at this origin. */
static bool is_at(CURLU *url, const char *origin)
{
    CURLU *parsed = curl_url();
    bool at;

    HOLDS(parsed != NULL);
    at = curl_url_set(parsed, CURLUPART_URL, origin, 0) == CURLUE_OK && is_same_part(url, parsed, CURLUPART_SCHEME) &&
         is_same_part(url, parsed, CURLUPART_HOST) && is_same_part(url, parsed, CURLUPART_PORT);
    curl_url_cleanup(parsed);
    return at;
}

static bool is_at_any(CURLU *url, const char *origins)
{
    struct target_input input = {(const uint8_t *)origins, strlen(origins)};
    bool at = false;

    while (input.size > 0) {
        char *origin = target_take(&input, ' ');

        at = at || is_at(url, origin);
        free(origin);
    }
    return at;
}

/* As the library gives it to libcurl, and as applications do. */
static void check_place(const char *text, const char *origins)
{
    static const unsigned int flags[] = {0, CURLU_PATH_AS_IS | CURLU_DISALLOW_USER, CURLU_NON_SUPPORT_SCHEME};

    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        CURLU *url = curl_url();
        char *user = NULL;

        HOLDS(url != NULL);
        if (curl_url_set(url, CURLUPART_URL, text, flags[i]) == CURLUE_OK) {
            HOLDS(is_at_any(url, origins));
            HOLDS(curl_url_get(url, CURLUPART_USER, &user, 0) == CURLUE_NO_USER);
        }
        curl_url_cleanup(url);
    }
}

/* libcurl may read another way of writing it: 127.1. Only what the library calls loopback has to be. */
static void check_loopback(const char *text, const struct nx_url *parts)
{
    CURLU *url = curl_url();
    char *host = NULL;

    HOLDS(url != NULL);
    if (nx_url_is_loopback(parts) && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK) {
        HOLDS(curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK);
        HOLDS(strncmp(host, "127.", 4) == 0 || strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0);
        curl_free(host);
    }
    curl_url_cleanup(url);
}

/* The token is the last parameter, and no empty one comes before it by the library's doing. */
static void check_permit(const char *url, const char *sent, const char *origins)
{
    const size_t size = strcspn(url, "#");
    const char *query = memchr(url, '?', size);
    const bool separated = query && (url[size - 1] == '?' || url[size - 1] == '&');
    static const char token[] = "access_token=a%2Bb%2Fc";

    HOLDS(strncmp(sent, url, size) == 0);
    HOLDS(separated || sent[size] == (query ? '&' : '?'));
    HOLDS(strcmp(sent + size + !separated, token) == 0);
    check_place(sent, origins);
}

/* Through the public door: what is refused there is not sent, and what is not is what was asked for. */
static void carry(nexauth_session *session, const char *origins, const char *url)
{
    const struct nexauth_static_options options = {
        .access_token = "a+b/c", .api_origins = origins, .presentation = NEXAUTH_PRESENT_QUERY};
    const struct nexauth_permit_options permit_options = {.url = url};
    nexauth_source *source = NULL;
    nexauth_permit *permit = NULL;
    struct nexauth_error error = {0};

    if (nexauth_source_new_static(session, &options, &source, NULL) != NEXAUTH_OK)
        return;
    if (nexauth_permit_begin(source, &permit_options, &permit, &error) == NEXAUTH_OK)
        check_permit(url, nexauth_permit_url(permit), origins);
    else
        HOLDS(permit == NULL && error.status == NEXAUTH_INVALID);
    nexauth_permit_free(permit);
    nexauth_source_free(source);
}

static void carry_in_session(const char *origins, const char *url)
{
    const struct nexauth_session_options options = {
        .exchange_timeout_ms = 30000, .max_answer_bytes = 65536, .loopback_http = 1};
    nexauth_session *session = NULL;
    struct nx_world world;

    script_init(&script);
    world = script_world(&script);
    HOLDS(nx_session_new_in(&world, &options, &session, NULL) == NEXAUTH_OK);
    carry(session, origins, url);
    nexauth_session_free(session);
    script_release(&script);
}

/* Origins as an option has them: one space between two. */
static bool are_origins(const char *origins)
{
    struct target_input input = {(const uint8_t *)origins, strlen(origins)};
    bool all = input.size > 0 && origins[input.size - 1] != ' ';

    while (input.size > 0) {
        char *origin = target_take(&input, ' ');

        all = all && nx_url_is_origin(origin);
        free(origin);
    }
    return all;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct target_input input = {data, size};
    char *origins = target_take(&input, '\n');
    char *url = target_take(&input, '\n');
    struct nx_url parts;

    if (nx_url_split(url, &parts)) {
        check_loopback(url, &parts);
        if (are_origins(origins)) {
            if (nx_url_is_at(&parts, origins))
                check_place(url, origins);
            carry_in_session(origins, url);
        }
    }
    free(origins);
    free(url);
    return 0;
}
