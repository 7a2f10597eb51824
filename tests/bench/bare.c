#include "bench/bare.h"

#include "bench/token.h"

#include <cjson/cJSON.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char BODY[] = "client_id=a+client&client_secret=abc123&scope=api1&grant_type=client_credentials";

static size_t take(char *bytes, size_t size, size_t count, void *context)
{
    struct bare *bare = context;

    if (size * count > sizeof bare->answer - bare->length)
        return 0;
    memcpy(bare->answer + bare->length, bytes, size * count);
    bare->length += size * count;
    return size * count;
}

static void set_up(struct bare *bare, const char *ca_file, const char *ca_path)
{
    bare->headers = curl_slist_append(bare->headers, "Accept: application/json");
    curl_easy_setopt(bare->easy, CURLOPT_URL, bare->url);
    curl_easy_setopt(bare->easy, CURLOPT_HTTPHEADER, bare->headers);
    curl_easy_setopt(bare->easy, CURLOPT_POSTFIELDS, BODY);
    curl_easy_setopt(bare->easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(bare->easy, CURLOPT_WRITEDATA, bare);
    curl_easy_setopt(bare->easy, CURLOPT_PRIVATE, bare);
    curl_easy_setopt(bare->easy, CURLOPT_NOSIGNAL, 1L);
    if (ca_file || ca_path) {
        curl_easy_setopt(bare->easy, CURLOPT_CAINFO, ca_file);
        curl_easy_setopt(bare->easy, CURLOPT_CAPATH, ca_path);
    }
}

bool bare_open(struct bare *bare, const char *origin, const char *ca_file, const char *ca_path)
{
    bare->length = 0;
    bare->headers = NULL;
    bare->easy = curl_easy_init();
    snprintf(bare->url, sizeof bare->url, "%s/connect/token", origin);
    if (bare->easy)
        set_up(bare, ca_file, ca_path);
    return bare->easy && bare->headers;
}

void bare_close(struct bare *bare)
{
    curl_easy_cleanup(bare->easy);
    curl_slist_free_all(bare->headers);
    bare->easy = NULL;
    bare->headers = NULL;
}

static char *copy_of(const cJSON *top, const char *name)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(top, name);

    return cJSON_IsString(member) ? strdup(member->valuestring) : NULL;
}

bool bare_read(struct bare *bare)
{
    cJSON *top = cJSON_ParseWithLength(bare->answer, bare->length);
    const cJSON *expires_in = cJSON_GetObjectItemCaseSensitive(top, "expires_in");
    const bool dated = cJSON_IsNumber(expires_in) && expires_in->valuedouble > 0;
    char *token = copy_of(top, "access_token");
    char *type = copy_of(top, "token_type");
    char *scope = copy_of(top, "scope");
    const bool good = dated && token && strlen(token) == TOKEN_SIZE && type && scope;

    cJSON_Delete(top);
    free(token);
    free(type);
    free(scope);
    return good;
}

/* Of an idle connection that was closed libcurl learns by sending. It counts over all that a handle has done how often
 * it began again by itself, and leaves the sixth time to its caller. */
bool bare_get(struct bare *bare)
{
    CURLcode result;
    long status = 0;

    bare->length = 0;
    result = curl_easy_perform(bare->easy);
    if (result == CURLE_SEND_ERROR)
        result = curl_easy_perform(bare->easy);
    curl_easy_getinfo(bare->easy, CURLINFO_RESPONSE_CODE, &status);
    return result == CURLE_OK && status == 200 && bare_read(bare);
}
