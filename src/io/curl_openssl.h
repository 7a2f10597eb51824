/*
 * OpenSSL, which libcurl commonly works with and the library is not linked to: libcurl may have been built with another
 * one. Its functions are looked up in what the process has loaded.
 */
#ifndef NX_CURL_OPENSSL_H
#define NX_CURL_OPENSSL_H

#include <stdbool.h>

/* `to`: a pointer to a function, which C does not convert a pointer to data to. False, and NULL, when there is none. */
bool nx_curl_openssl_find(const char *name, void *to);

/* Whether what is found is of the very version that libcurl works with: a process may have loaded two. */
bool nx_curl_openssl_is_curls(void);

#endif
