/* The transport over libcurl: one multi handle, with its connections and TLS sessions kept for reuse. */
#ifndef NX_CURL_TRANSPORT_H
#define NX_CURL_TRANSPORT_H

#include "core/world.h"

struct nx_curl_settings {
    const char *ca_file;          /* NULL: the system's CAs */
    const char *proxy;            /* NULL: none */
    const char *client_cert_file; /* with client_key_file; NULL: none */
    const char *client_key_file;
    const char *pinned_key; /* NULL: any */
    int64_t connect_timeout_ms;
    int64_t max_connections;  /* to one host */
    int64_t max_answer_bytes; /* headers and body together */
};

/* Copies the settings. NULL when memory or libcurl's own start failed. */
struct nx_transport *nx_curl_transport_new(const struct nx_curl_settings *settings, const struct nx_clock *clock);

#endif
