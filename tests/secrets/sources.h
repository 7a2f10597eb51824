/* A source for each way to a token, whose secrets are canaries. */
#ifndef NX_TEST_SECRET_SOURCES_H
#define NX_TEST_SECRET_SOURCES_H

#include "canaries.h"
#include "nexauth/nexauth.h"

enum secret_source {
    SECRET_NEX_USER,
    SECRET_NEX_QUERY, /* presents its tokens in URLs */
    SECRET_STRANGER,  /* a NEX user with another's password */
    SECRET_CONTROLLER,
    SECRET_QUANTOZ,
    SECRET_QUANTOZ_BASIC,
    SECRET_APP,
    SECRET_CUSTOMER, /* connects by itself */
    SECRET_WEB,      /* by a web handler */
    SECRET_SAVED,    /* begins with the refresh token of an earlier process, and may connect after it */
    SECRET_STATIC,
    SECRET_STATIC_QUERY,
    SECRET_SOURCES
};

struct secret_services {
    const struct canaries *canaries;
    const char *nex, *quantoz, *nexusguard;
};

nexauth_status secret_source_new(enum secret_source kind, const struct secret_services *services,
                                 nexauth_session *session, nexauth_source **out, struct nexauth_error *error);

/* A customer that begins with this refresh token. */
nexauth_status secret_customer_new(const char *refresh_token, const struct secret_services *services,
                                   nexauth_session *session, nexauth_source **out, struct nexauth_error *error);

/* The secrets of a source's own, including what its service gives it. Returns how many. */
size_t secret_source_canaries(enum secret_source kind, enum canary out[CANARY_KINDS]);

#endif
