/* The redirect that brings an authorization code (RFC 6749 section 4.1.2), as Nexusguard's connect or a web handler
 * sees it. */
#ifndef NX_REDIRECT_H
#define NX_REDIRECT_H

#include "core/text.h"

enum nx_redirect {
    NX_REDIRECT_NONE,   /* there was none to check */
    NX_REDIRECT_RIGHT,  /* it brings a code */
    NX_REDIRECT_DENIED, /* error=access_denied */
    NX_REDIRECT_ERROR,  /* another error */
    NX_REDIRECT_WRONG,  /* another place, a wrong state, or not exactly one code and one state */
    NX_REDIRECT_NO_MEMORY
};

/*
 * Checks `url` against `redirect_uri`: the same scheme, host, port and path, and a query that starts with
 * redirect_uri's own; behind that, exactly one `code` and exactly one `state`, equal to `state`; or `error`, once, in
 * which case a missing state is allowed. Other parameters are ignored (section 4.1.2), a fragment too. The code goes to
 * `code`, the error to `error`. With `from_path`, as a web server tells its handlers of a request, the url may also
 * start with its path.
 */
enum nx_redirect nx_redirect_read(const char *url, bool from_path, const char *redirect_uri, const char *state,
                                  struct nx_text *code, struct nx_text *error);

#endif
