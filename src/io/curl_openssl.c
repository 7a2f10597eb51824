#include "io/curl_openssl.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <string.h>

#define NAME "OpenSSL"

/* <openssl/crypto.h>, since 1.1.0. */
typedef const char *openssl_version(int part);

bool nx_curl_openssl_find(const char *name, void *to)
{
    void *const symbol = dlsym(RTLD_DEFAULT, name);

    memcpy(to, &symbol, sizeof symbol);
    return symbol != NULL;
}

/* libcurl says "OpenSSL/3.0.19", and OpenSSL "OpenSSL 3.0.19 27 Jan 2026". */
bool nx_curl_openssl_is_curls(void)
{
    const char *words = curl_version_info(CURLVERSION_NOW)->ssl_version;
    const size_t length = words ? strcspn(words, " ") : 0;
    openssl_version *version;

    return length > sizeof NAME && nx_curl_openssl_find("OpenSSL_version", &version) &&
           strncmp(words, NAME, sizeof NAME - 1) == 0 && strncmp(version(0), NAME, sizeof NAME - 1) == 0 &&
           strncmp(version(0) + sizeof NAME, words + sizeof NAME, length - sizeof NAME) == 0 &&
           strcspn(version(0) + sizeof NAME, " ") == length - sizeof NAME;
}
