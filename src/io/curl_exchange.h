/* One exchange on libcurl: an easy handle, and what it reads. Known to the curl_*.c files only. */
#ifndef NX_CURL_EXCHANGE_H
#define NX_CURL_EXCHANGE_H

#include "core/world.h"
#include "io/curl_transport.h"

#include <curl/curl.h>

/* What all exchanges of a transport have in common. */
struct nx_curl_common {
    struct nx_curl_settings settings;
    const char *ca_path; /* the system's folder of hashed CA certificates; NULL: libcurl's own default */
    struct nx_clock clock;
    CURLSH *share; /* TLS sessions */
};

struct nx_curl_exchange {
    const struct nx_curl_common *common;
    struct nx_exchange *exchange;
    CURL *easy;
    struct curl_slist *headers;
    size_t received;    /* bytes of headers and body */
    bool headers_ended; /* the final answer's */
    bool no_memory;
    char reason[CURL_ERROR_SIZE]; /* libcurl's own words */
};

/* Sets a handle up for the exchange's request. NULL when memory ran out. */
struct nx_curl_exchange *nx_curl_exchange_new(const struct nx_curl_common *common, struct nx_exchange *exchange);

/* Says in the exchange how it ended. */
void nx_curl_exchange_conclude(struct nx_curl_exchange *curl, CURLcode result);

/* The handle must have left its multi. The request's copies in libcurl go with it. */
void nx_curl_exchange_free(struct nx_curl_exchange *curl);

/* Where libcurl delivers an answer, and where it asks before it sends: for nx_curl_exchange_new(). */
size_t nx_curl_take_header(char *bytes, size_t size, size_t count, void *context);
size_t nx_curl_take_body(char *bytes, size_t size, size_t count, void *context);
int nx_curl_before_sending(void *context, char *remote_ip, char *local_ip, int remote_port, int local_port);

#endif
