/*
 * One request, worded by a provider: method, URL, headers and body leave exactly as they stand here (besides Host and
 * Content-Length, which are the transport's). Built by appending; what fails is remembered, and checked once.
 */
#ifndef NX_REQUEST_H
#define NX_REQUEST_H

#include "core/text.h"

#include <stdbool.h>

/* How parameters are carried. */
enum nx_carrier {
    NX_CARRIER_QUERY, /* GET, in the URL's query, percent-encoded */
    NX_CARRIER_FORM,  /* POST, application/x-www-form-urlencoded */
    NX_CARRIER_JSON   /* POST, application/json: an object of strings */
};

enum { NX_REQUEST_HEADERS = 3 };

struct nx_request {
    enum nx_carrier carrier;
    bool one_time; /* carries a code or refresh token: must never be sent a second time */
    size_t parameters;
    size_t header_count;
    struct nx_text url;
    struct nx_text headers[NX_REQUEST_HEADERS]; /* "Name: value" */
    struct nx_text body;
};

void nx_request_init(struct nx_request *request);
void nx_request_release(struct nx_request *request);

/* Begins anew: the URL, and the Content-Type of the carrier. */
void nx_request_begin(struct nx_request *request, enum nx_carrier carrier, const char *origin, const char *path);
void nx_request_header(struct nx_request *request, const char *name, const char *value);

/* Adds a parameter; a value of NULL or "" leaves it out. */
void nx_request_parameter(struct nx_request *request, const char *name, const char *value);

/* Completes the body. Returns OK, or the first thing that failed. */
nexauth_status nx_request_end(struct nx_request *request);

#endif
