/* A token as anybody would get it: one easy handle of libcurl that is used over and over, and cJSON. */
#ifndef NX_BENCH_BARE_H
#define NX_BENCH_BARE_H

#include <curl/curl.h>

#include <stdbool.h>

enum { BARE_ANSWER = 16384 };

struct bare {
    CURL *easy;
    struct curl_slist *headers;
    char url[128];
    size_t length;
    char answer[BARE_ANSWER];
};

/* ca_file or ca_path, or both NULL. False when it cannot; to be closed all the same. */
bool bare_open(struct bare *bare, const char *origin, const char *ca_file, const char *ca_path);
void bare_close(struct bare *bare);

/* One request, and what bare_read() makes of its answer. */
bool bare_get(struct bare *bare);

/* Parses the answer, copies what counts, and lets go of it. False when it is not the token that it should be. */
bool bare_read(struct bare *bare);

#endif
