/* A call of a vendor's API with a source's token, as an application makes it that has libcurl: nexauth/curl.h. */
#ifndef CALL_H
#define CALL_H

#include <nexauth/curl.h>

enum { CALL_LONGEST_ANSWER = 65536 };

/* What came, and what its callbacks have to know. */
struct call_answer {
    char text[CALL_LONGEST_ANSWER + 1]; /* the body, ended by NUL */
    size_t length;
    int emptied;         /* how often it was: once for each token that the API did not accept, if it was made again */
    long rejection_code; /* what an envelope says when the token is no longer accepted; 0: not known */
};

/* A handle that reads into the answer. NULL: memory ran out. ca_file: NULL for the system's CAs. */
CURL *call_handle_new(const char *ca_file, struct call_answer *answer);

/* A nexauth_rewind_callback, whose context is a struct call_answer. */
int call_empty(void *context);

struct call {
    const char *url;              /* as the vendor documents it */
    const char *origin;           /* whom to call in the place of the URL's origin; NULL: nobody */
    const char *ca_file;          /* NULL: the system's */
    const char *accept;           /* the header Accept; NULL: none */
    nexauth_judge_callback judge; /* whose context is a struct call_answer; NULL: the status counts */
    long rejection_code;
    int iso8601;
};

/* Makes the call, and prints the answer's status and body, or the error. Returns the exit status. */
int call_make(nexauth_source *source, const struct call *call);

#endif
