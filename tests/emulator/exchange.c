#include "exchange.h"

#include <stdio.h>
#include <string.h>

struct emulator emulator;

static size_t append(char *text, size_t capacity, const char *data, size_t length)
{
    size_t used = strlen(text);

    if (length >= capacity - used)
        return 0;
    memcpy(text + used, data, length);
    text[used + length] = '\0';
    return length;
}

static size_t keep_head(char *data, size_t size, size_t count, void *context)
{
    struct response *response = context;

    return append(response->head, sizeof(response->head), data, size * count);
}

static size_t keep_body(char *data, size_t size, size_t count, void *context)
{
    struct response *response = context;

    return append(response->body, sizeof(response->body), data, size * count);
}

void exchange_aim(CURL *curl, const char *method, const char *url, const char *body, struct response *response)
{
    curl_easy_setopt(curl, CURLOPT_URL, url);
    if (body)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_CAINFO, emulator.ca_file);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 20000L);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, keep_head);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, response);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, response);
}

CURLcode exchange_with(CURL *curl, const char *const headers[], struct response *response)
{
    struct curl_slist *list = NULL;

    *response = (struct response){0};
    for (size_t i = 0; headers && headers[i]; i++)
        list = curl_slist_append(list, headers[i]);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &response->status);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(list);
    return code;
}

CURLcode exchange(const char *origin, const char *method, const char *path, const char *const headers[],
                  const char *body, struct response *response)
{
    char url[1024];
    CURL *curl = curl_easy_init();

    if (!curl)
        return CURLE_OUT_OF_MEMORY;
    snprintf(url, sizeof(url), "%s%s", origin, path);
    exchange_aim(curl, method, url, body, response);
    CURLcode code = exchange_with(curl, headers, response);
    curl_easy_cleanup(curl);
    return code;
}
