/* SPDX-License-Identifier: MIT */
/*
 * API calls by libcurl: curl_easy_perform() with the token of a source, inside the vendor's limits. Not part of
 * nexauth/nexauth.h: who includes this file has libcurl's headers.
 *
 *     curl_easy_perform(easy)  ->  nexauth_perform(source, easy, &(struct nexauth_perform_options){.url = ...}, &error)
 */
#ifndef NEXAUTH_CURL_H
#define NEXAUTH_CURL_H

#include "nexauth/nexauth.h"

#include <curl/curl.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The request is about to be made a second time, with another token, as the first one was answered with 401. To be put
 * back as it was before the first time: what the write callback has taken, what the read callback has given. 0: done;
 * else there is no second time. Runs within nexauth_perform().
 */
typedef int (*nexauth_rewind_callback)(void *context);

/*
 * What an answer amounts to, for services that say in the body what others say by status, as Nexusguard's envelopes do:
 * the status that is to count, 200 to 999, such as 401 for a token that is no longer accepted; http_status itself when
 * there is nothing to add. Runs within nexauth_perform(), once the answer is complete.
 */
typedef int (*nexauth_judge_callback)(void *context, int http_status);

struct nexauth_perform_options {
    const char *url;                  /* as in struct nexauth_permit_options; required */
    const struct curl_slist *headers; /* the caller's own; NULL: none. They stay the caller's, and unchanged */
    nexauth_rewind_callback rewind;   /* NULL: there is no second attempt */
    nexauth_judge_callback judge;     /* NULL: the status counts */
    void *context;                    /* given to both */
    int64_t timeout_ms;  /* how long to wait for token and turn; default 30,000, at most 3,600,000. For how long the
                            transfer itself may last is set on the handle */
    int quantoz_iso8601; /* not 0: adds NEXAUTH_QUANTOZ_ISO8601 to the headers; see there */
    uintptr_t reserved[8];
};

/*
 * Performs the transfer that `easy` is set up for (method, body, callbacks, time-outs, TLS) to options->url, with the
 * source's token as its service wants it presented. Waits for a token and for the request's turn first. When the answer
 * is 401, the token is rejected as by nexauth_source_reject_token(), and if `rewind` allows it the transfer is made
 * once more with another token. No redirect is followed. Blocks; from any thread, with a handle of its own.
 *
 * The options URL, CURLU, PORT, REQUEST_TARGET, HTTPAUTH, HTTPHEADER, HEADEROPT, FOLLOWLOCATION and PREREQFUNCTION of
 * the handle, with PREREQDATA, are the library's during the call, and are at libcurl's defaults after it, whatever they
 * were: libcurl has no getters, so that nothing can be put back. (What is INVALID for its arguments leaves them alone.)
 * The handle then holds no token: a curl_easy_perform() on it sends none, CURLINFO_EFFECTIVE_URL is empty, and where
 * the token was in the URL, CURLINFO_REDIRECT_URL ends before any "access_token=". All else is the caller's: where
 * peers are not verified, or a debug callback writes down what is sent, tokens are not safe. A handle without
 * CURLOPT_PROXY takes its proxy from the environment, as libcurl does; "" is none. (libcurl does not wipe the
 * memory that it frees, and of a Nexusguard URL keeps the parts until the handle's next transfer or end, where no
 * interface of its reaches them.)
 *
 * OK: an answer was read, and is the application's, whatever its status, but for those of nexauth_permit_end(), which
 * are returned as there: DENIED or REAUTH (401, the second time, or without a second time), THROTTLED (429),
 * UNAVAILABLE (503), BLOCKED. error->http_status is the answer's then, and the body was delivered as ever. Else no
 * answer was read: what nexauth_permit_begin() fails with, with http_status 0; INVALID too for a
 * header that is the library's to send (Authorization), has control characters or begins with a blank, and for a handle
 * that libcurl does not perform; NETWORK, TIMEOUT, PROTOCOL, NO_MEMORY, or CANCELED when a callback of the caller's
 * ended the transfer. Then `message` has libcurl's words, and `code` its number, such as "CURLE 28".
 */
NEXAUTH_API nexauth_status nexauth_perform(nexauth_source *source, CURL *easy,
                                           const struct nexauth_perform_options *options, struct nexauth_error *error);

#ifdef __cplusplus
}
#endif

#endif
