/* An application's easy handle, with its callbacks, and what they were told. */
#ifndef NX_TEST_PERFORMER_H
#define NX_TEST_PERFORMER_H

#include "nexauth/curl.h"

#include <stdbool.h>
#include <stddef.h>

enum { PERFORMER_BODY = 64 * 1024 };

struct performer {
    CURL *easy;
    struct nexauth_perform_options options; /* to be filled in; url and context are set by performer_perform() */
    char body[PERFORMER_BODY];              /* what the write callback took since the last rewind, ended by NUL */
    size_t size;
    const char *upload; /* what the read callback gives */
    size_t upload_size, uploaded;
    int rewinds;
    int rewind_result;
    char rewound[256]; /* the body that the last rewind threw away */
    int judged;
};

/* A handle that trusts the emulator and no proxy, and writes to `body`. */
void performer_begin(struct performer *performer);
void performer_end(struct performer *performer);

/* For the options: empties the body, begins the upload anew, and returns rewind_result. */
int performer_rewind(void *performer);

/* For the options: 401 where the body is an envelope with the emulator's code for a token that is not good. */
int performer_judge(void *performer, int http_status);

/* By POST and the read callback, as JSON. */
void performer_set_upload(struct performer *performer, const char *bytes, size_t size);

/* `error` may be NULL. */
nexauth_status performer_perform(struct performer *performer, nexauth_source *source, const char *url,
                                 struct nexauth_error *error);

/* That the call went well, with this status. */
void performer_assert(struct performer *performer, nexauth_source *source, const char *url, int http_status);

/* The status that the handle has. */
int performer_status(const struct performer *performer);

/* The same URL under another origin: "https://127.0.0.1:1" and "/v1.0/Controller", for one. Overwritten by the next
 * call. */
const char *performer_url(const char *origin, const char *path);

#endif
