/*
 * Both libraries take an allocator only before they have allocated anything. OpenSSL says so when it comes too late;
 * libcurl takes it for good and ignores it, so it is made to allocate, and the allocator counts. OpenSSL comes first,
 * as libcurl starts it.
 */
#include "io/curl_memory.h"

#include "core/error.h"
#include "core/wiping.h"
#include "io/curl_openssl.h"

#include <curl/curl.h>
#include <stdbool.h>

/* <openssl/crypto.h>, since 1.1.0. */
typedef void *openssl_malloc(size_t size, const char *file, int line);
typedef void *openssl_realloc(void *memory, size_t size, const char *file, int line);
typedef void openssl_free(void *memory, const char *file, int line);
typedef int openssl_set_memory(openssl_malloc *, openssl_realloc *, openssl_free *);

struct openssl {
    openssl_set_memory *set_memory;
    openssl_malloc *malloc;
    openssl_free *free;
};

static void *allocate(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return nx_wiping_malloc(size);
}

static void *reallocate(void *memory, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return nx_wiping_realloc(memory, size);
}

static void release(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    nx_wiping_free(memory);
}

static bool find_openssl(struct openssl *openssl)
{
    return nx_curl_openssl_find("CRYPTO_set_mem_functions", &openssl->set_memory) &&
           nx_curl_openssl_find("CRYPTO_malloc", &openssl->malloc) &&
           nx_curl_openssl_find("CRYPTO_free", &openssl->free);
}

/* True when OpenSSL has the allocator, since now or an earlier attempt, or is not there. */
static bool wipe_openssl(void)
{
    const unsigned int before = nx_wiping_count();
    struct openssl openssl;

    if (!find_openssl(&openssl))
        return true;
    openssl.set_memory(allocate, reallocate, release);
    openssl.free(openssl.malloc(1, __FILE__, __LINE__), __FILE__, __LINE__);
    return nx_wiping_count() != before;
}

static bool has_curl(void)
{
    const unsigned int before = nx_wiping_count();

    curl_url_cleanup(curl_url());
    return nx_wiping_count() != before;
}

/* libcurl opens the file when it starts. It reads the name in this way. */
static bool is_keylog_set(void)
{
    char *file = curl_getenv("SSLKEYLOGFILE");
    const bool is_set = file && *file;

    curl_free(file);
    return is_set;
}

nexauth_status nx_curl_wipe_memory(struct nexauth_error *error)
{
    if (is_keylog_set())
        return nx_fail(error, NEXAUTH_INVALID, "SSLKEYLOGFILE is set: the keys of connections would be written to it");
    if (!wipe_openssl())
        return nx_fail(error, NEXAUTH_INVALID, "this came too late: OpenSSL has allocated memory before");
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, nx_wiping_malloc, nx_wiping_free, nx_wiping_realloc, nx_wiping_strdup,
                             nx_wiping_calloc))
        return nx_fail(error, NEXAUTH_NO_MEMORY, "libcurl did not start: memory ran out");
    if (!has_curl())
        return nx_fail(error, NEXAUTH_INVALID, "this came too late: libcurl has been started before");
    return NEXAUTH_OK;
}
