#ifndef NX_TEST_EXCHANGE_H
#define NX_TEST_EXCHANGE_H

#include "support/emulator.h"

#include <curl/curl.h>
#include <stddef.h>

/* The requests that the emulator's tests send: whatever a test wants to say, well formed or not. */

#define APP      "app_id=d7690800dc5d4cf885fac35fcb0c8184"
#define SECRET   "secret=bf20940d16578e18765eb9f93b1827e9"
#define REDIRECT "redirect_uri=https%3A%2F%2Fapp.example.com%2Fback"
#define CONNECT  "/oauth/connect?" APP "&response_type=code&scope=install_login"
#define CUSTOMER "&xspe=spe-portal&customer_id=C-1001"
#define NEX_USER                                                                                                       \
    "{\"grant_type\":\"password\",\"client_id\":\"mycompany\",\"client_secret\":\"abc123\","                           \
    "\"username\":\"myname\",\"password\":\"xyz456\",\"scope\":\"user\"}"
#define JSON_TYPE "Content-Type: application/json"
#define FORM_TYPE "Content-Type: application/x-www-form-urlencoded"

struct response {
    long status; /* 0: no answer */
    char head[4096];
    char body[32768];
};

/* The emulator of the running test program. */
extern struct emulator emulator;

/* For tests that send several requests over one connection. body: NULL for none. The texts have to outlive the handle's
 * use. */
void exchange_aim(CURL *curl, const char *method, const char *url, const char *body, struct response *response);
CURLcode exchange_with(CURL *curl, const char *const headers[], struct response *response);

/* One request over a connection of its own. headers: NULL at the end, or NULL. */
CURLcode exchange(const char *origin, const char *method, const char *path, const char *const headers[],
                  const char *body, struct response *response);

#endif
