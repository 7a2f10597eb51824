/* Wiping memory (core/wiping.h) for libcurl, and for the TLS library below it. */
#ifndef NX_CURL_MEMORY_H
#define NX_CURL_MEMORY_H

#include "nexauth/nexauth.h"

/*
 * Starts libcurl with the wiping allocator, having given it to OpenSSL first, if that is there. INVALID when either has
 * allocated memory before, or when SSLKEYLOGFILE is set; NO_MEMORY when libcurl does not start.
 */
nexauth_status nx_curl_wipe_memory(struct nexauth_error *error);

#endif
