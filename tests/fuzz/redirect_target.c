/*
 * The redirect of an authorization: redirect_uri, the state expected and the redirect that came, a line each. What the
 * library takes for ours, libcurl takes for the same place, with one code and the state in its query.
 */
#include "fuzz/target.h"

#include "core/encode.h"
#include "core/redirect.h"
#include "core/url.h"

#include <curl/curl.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static char *part_of(CURLU *url, CURLUPart part, unsigned int flags)
{
    char *text = NULL;

    if (curl_url_get(url, part, &text, flags) != CURLUE_OK)
        return NULL;
    return text;
}

static void compare_part(CURLU *a, CURLU *b, CURLUPart part, bool any_case)
{
    char *of_a = part_of(a, part, CURLU_DEFAULT_PORT);
    char *of_b = part_of(b, part, CURLU_DEFAULT_PORT);

    HOLDS(of_a && of_b && (any_case ? strcasecmp(of_a, of_b) : strcmp(of_a, of_b)) == 0);
    curl_free(of_a);
    curl_free(of_b);
}

static void compare_places(const char *a, const char *b)
{
    const unsigned int flags = CURLU_PATH_AS_IS | CURLU_DISALLOW_USER;
    CURLU *of_a = curl_url();
    CURLU *of_b = curl_url();

    HOLDS(of_a && of_b);
    if (!curl_url_set(of_a, CURLUPART_URL, a, flags) && !curl_url_set(of_b, CURLUPART_URL, b, flags)) {
        compare_part(of_a, of_b, CURLUPART_SCHEME, true);
        compare_part(of_a, of_b, CURLUPART_HOST, true);
        compare_part(of_a, of_b, CURLUPART_PORT, false);
        compare_part(of_a, of_b, CURLUPART_PATH, false);
    }
    curl_url_cleanup(of_a);
    curl_url_cleanup(of_b);
}

/* How often the query (without a fragment) holds the parameter; its last value, decoded, is compared with `value`. */
static int count_parameter(const char *query, const char *name, const char *value)
{
    const size_t size = strlen(name);
    const char *end = query + strcspn(query, "#");
    int count = 0;

    while (query < end) {
        const size_t piece = strcspn(query, "&#");

        if (strncmp(query, name, size) == 0 && (query[size] == '=' || size == piece)) {
            char *raw = target_copy((const uint8_t *)query + size, piece - size);
            char *decoded = NULL;

            for (char *plus = strchr(raw, '+'); plus; plus = strchr(plus, '+'))
                *plus = ' ';
            decoded = curl_easy_unescape(NULL, *raw ? raw + 1 : raw, 0, NULL);
            HOLDS(decoded && (count > 0 || strcmp(decoded, value) == 0));
            curl_free(decoded);
            free(raw);
            count++;
        }
        query += piece + (query[piece] == '&');
    }
    return count;
}

/* A '?' within the fragment begins no query. */
static const char *query_of(const char *url)
{
    const char *query = url + strcspn(url, "?#");

    return *query == '?' ? query + 1 : "";
}

/* Behind redirect_uri's own query. */
static const char *find_query(const char *url, const char *redirect_uri)
{
    const char *query = query_of(url);

    return *query ? query + strcspn(query_of(redirect_uri), "#") : query;
}

static void check(const char *redirect_uri, const char *state, const char *url, bool from_path)
{
    const size_t bound = strlen(url);
    struct nx_text code;
    struct nx_text error;
    enum nx_redirect redirect;

    nx_text_init(&code, bound);
    nx_text_init(&error, bound);
    redirect = nx_redirect_read(url, from_path, redirect_uri, state, &code, &error);
    HOLDS(redirect == NX_REDIRECT_RIGHT || redirect == NX_REDIRECT_DENIED || redirect == NX_REDIRECT_ERROR ||
          redirect == NX_REDIRECT_WRONG);
    if (redirect != NX_REDIRECT_WRONG && !(from_path && url[0] == '/'))
        compare_places(url, redirect_uri);
    if (redirect == NX_REDIRECT_RIGHT) {
        const char *query = find_query(url, redirect_uri);

        HOLDS(nx_is_visible(nx_text_string(&code)));
        HOLDS(count_parameter(query, "code", nx_text_string(&code)) == 1);
        HOLDS(count_parameter(query, "state", state) == 1);
        HOLDS(count_parameter(query, "error", "") == 0);
    }
    nx_text_release(&code);
    nx_text_release(&error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct target_input input = {data, size};
    char *redirect_uri = target_take(&input, '\n');
    char *state = target_take(&input, '\n');
    char *url = target_take(&input, '\n');

    check(redirect_uri, state, url, false);
    check(redirect_uri, state, url, true);
    free(redirect_uri);
    free(state);
    free(url);
    return 0;
}
