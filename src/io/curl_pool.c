#include "io/curl_pool.h"

#include <string.h>

static struct nx_curl_exchange *take_idle(struct nx_curl_pool *pool, const struct nx_request *request)
{
    const char *url = nx_text_string(&request->url);
    struct nx_curl_exchange **at = &pool->idle;
    struct nx_curl_exchange *curl;

    while (*at && strcmp(nx_text_string(&(*at)->spelling), url) != 0)
        at = &(*at)->next;
    if (!*at)
        at = &pool->idle;
    curl = *at;
    if (!curl)
        return NULL;
    *at = curl->next;
    pool->count--;
    return curl;
}

struct nx_curl_exchange *nx_curl_pool_take(struct nx_curl_pool *pool, struct nx_curl_common *common,
                                           struct nx_exchange *exchange)
{
    struct nx_curl_exchange *curl = take_idle(pool, &exchange->request);

    if (!curl)
        curl = nx_curl_exchange_new(common);
    if (curl && nx_curl_exchange_begin(curl, exchange))
        return curl;
    nx_curl_exchange_free(curl);
    return NULL;
}

void nx_curl_pool_return(struct nx_curl_pool *pool, struct nx_curl_exchange *curl)
{
    if (pool->count == pool->most || !nx_curl_exchange_end(curl)) {
        nx_curl_exchange_free(curl);
        return;
    }
    curl->next = pool->idle;
    pool->idle = curl;
    pool->count++;
}

void nx_curl_pool_release(struct nx_curl_pool *pool)
{
    while (pool->idle) {
        struct nx_curl_exchange *curl = pool->idle;

        pool->idle = curl->next;
        nx_curl_exchange_free(curl);
    }
    pool->count = 0;
}
