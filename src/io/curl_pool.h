/* Handles that have served and may serve again. Known to the curl_*.c files only. */
#ifndef NX_CURL_POOL_H
#define NX_CURL_POOL_H

#include "io/curl_exchange.h"

struct nx_curl_pool {
    struct nx_curl_exchange *idle; /* the last used first */
    size_t count;
    size_t most;
};

/* A handle set up for the exchange's request, rather one that knows its URL. NULL when memory ran out. */
struct nx_curl_exchange *nx_curl_pool_take(struct nx_curl_pool *pool, struct nx_curl_common *common,
                                           struct nx_exchange *exchange);

/* Keeps the handle, or frees it. It must have left its multi. */
void nx_curl_pool_return(struct nx_curl_pool *pool, struct nx_curl_exchange *curl);

/* Frees all that are idle. */
void nx_curl_pool_release(struct nx_curl_pool *pool);

#endif
