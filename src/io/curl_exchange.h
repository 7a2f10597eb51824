/*
 * One exchange on libcurl: an easy handle, and what it reads. Known to the curl_*.c files only.
 *
 * A handle serves one exchange after another. What never changes is told to it once, in curl_handle.c; what is a
 * request's own is told for each, and taken back at its end. A handle whose URL held a secret is not used again:
 * libcurl keeps a copy of the last URL's parts that nothing but the handle's end removes.
 */
#ifndef NX_CURL_EXCHANGE_H
#define NX_CURL_EXCHANGE_H

#include "core/world.h"
#include "io/curl_sockets.h"
#include "io/curl_transport.h"

#include <curl/curl.h>

/* What all exchanges of a transport have in common. */
struct nx_curl_common {
    struct nx_curl_settings settings;
    const char *ca_path; /* the system's folder of hashed CA certificates; NULL: libcurl's own default */
    struct nx_clock clock;
    CURLSH *share; /* TLS sessions */
    struct nx_curl_sockets *sockets;
    bool doubtful_cas; /* a handshake failed, or memory ran out: what libcurl keeps of ca_file may be half of it */
};

struct nx_curl_exchange {
    curl_socket_t socket; /* first, for curl_sockets.h: the connection that it uses, or used last */
    struct nx_curl_common *common;
    struct nx_exchange *exchange; /* NULL between two */
    CURL *easy;
    CURLU *url;                                        /* what libcurl made of `spelling` */
    struct nx_text spelling;                           /* of the last request's URL */
    struct curl_slist headers[NX_REQUEST_HEADERS + 1]; /* their data are the request's own */
    bool one_time;                                     /* as the handle was last told */
    bool lowered;                                      /* to TLS 1.2: as the handle was last told */
    int asked;          /* by which version of TLS for a certificate, as OpenSSL counts; 0: it was not */
    bool done;          /* the answer was read to its end */
    size_t received;    /* bytes of headers and body */
    bool headers_ended; /* the final answer's */
    bool no_memory;
    char reason[CURL_ERROR_SIZE];  /* libcurl's own words */
    struct nx_curl_exchange *next; /* in the pool */
};

/* A handle that has no request yet. NULL when memory ran out. */
struct nx_curl_exchange *nx_curl_exchange_new(struct nx_curl_common *common);

/* Tells the handle the exchange's request. False when memory ran out. */
bool nx_curl_exchange_begin(struct nx_curl_exchange *curl, struct nx_exchange *exchange);

/* Whether the handle was kept from sending, as the server may insist on a certificate, and goes on by TLS 1.2. */
bool nx_curl_exchange_goes_without(struct nx_curl_exchange *curl, CURLcode result);

/* Says in the exchange how it ended. */
void nx_curl_exchange_conclude(struct nx_curl_exchange *curl, CURLcode result);

/* Takes the request back from the handle, which must have left its multi. False when it may not serve again. */
bool nx_curl_exchange_end(struct nx_curl_exchange *curl);

/* The handle must have left its multi. NULL is fine. */
void nx_curl_exchange_free(struct nx_curl_exchange *curl);

/* Tells a new handle what never changes. */
CURLcode nx_curl_handle_set_up(CURL *easy, const struct nx_curl_common *common);

/* Why a handshake failed, in a sentence of ours, for libcurl's `words`; NULL when none fits. */
const char *nx_curl_tls_reason(const char *words);

/* Whether the server refuses the client for want of a certificate when the request has left already, by TLS 1.3. */
bool nx_curl_client_was_refused(CURLcode result, const char *words);

/* Finds what the following takes of OpenSSL: once, when libcurl has started. */
void nx_curl_asked_start(void);

/* Has the exchange know when a server asks for a certificate that the session does not have. */
CURLcode nx_curl_asked_set_up(struct nx_curl_exchange *curl);

/* Whether the server asked, and would say only after the request that it insists. */
bool nx_curl_may_insist(const struct nx_curl_exchange *curl);

/* Whether the server asked, and refused the handshake. */
bool nx_curl_insists(const struct nx_curl_exchange *curl, CURLcode result);

/* Where libcurl delivers an answer, and where it asks before it sends. */
size_t nx_curl_take_header(char *bytes, size_t size, size_t count, void *context);
size_t nx_curl_take_body(char *bytes, size_t size, size_t count, void *context);
int nx_curl_before_sending(void *context, char *remote_ip, char *local_ip, int remote_port, int local_port);

#endif
