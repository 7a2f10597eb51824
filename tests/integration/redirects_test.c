/* Every kind of redirect, from every endpoint that is sent a secret, to every kind of elsewhere: nothing follows it. */
#include "support/test.h"

#include "live.h"
#include "support/listener.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct endpoint {
    const char *name;
    const char *fault; /* its front */
    const char *origin;
    enum live_kind kind;
    int requests; /* up to the redirect, and with it */
} endpoints[] = {
    {"NEX user", "\"service\":\"nex\",\"path\":\"/v1.0/Token\"", live_emulator.nex_https, LIVE_NEX_USER, 1},
    {"NEX controller", "\"service\":\"nex\",\"path\":\"/v1.0/Token\"", live_emulator.nex_https, LIVE_NEX_CONTROLLER, 1},
    {"Quantoz", "\"service\":\"quantoz_test\",\"path\":\"/connect/token\"", live_emulator.quantoz_test_https,
     LIVE_QUANTOZ_TEST, 1},
    {"Nexusguard app", "\"service\":\"nexusguard\",\"path\":\"/oauth/credit/token\"", live_emulator.nexusguard_https,
     LIVE_NEXUSGUARD_APP, 1},
    {"Nexusguard connect", "\"service\":\"nexusguard\",\"path\":\"/oauth/connect\"", live_emulator.nexusguard_https,
     LIVE_NEXUSGUARD_USER, 1},
    {"Nexusguard code", "\"service\":\"nexusguard\",\"path\":\"/oauth/access_token\"", live_emulator.nexusguard_https,
     LIVE_NEXUSGUARD_USER, 2},
    {"Nexusguard refresh", "\"service\":\"nexusguard\",\"path\":\"/oauth/refresh_token\"",
     live_emulator.nexusguard_https, LIVE_NEXUSGUARD_SAVED, 1},
};

/* Where OTHER stands for the host and port of a server that nobody may visit, PORT
 * for that port alone, and ORIGIN and OWN for the endpoint's origin and its port. */
static const char *const targets[] = {
    "ORIGIN/elsewhere",            /* a path */
    "/elsewhere",                  /* the same, relative */
    "https://OTHER/oauth",         /* a port */
    "//OTHER/oauth",               /* the same, relative */
    "https://localhost:PORT/",     /* a host and a port */
    "https://localhost:OWN/",      /* a host alone: another name of the same server */
    "http://OTHER/",               /* a scheme */
    "https://user:word@OTHER/",    /* user information */
    "https://127.0.0.1:OWN@OTHER", /* the same, that looks like the origin */
};

static const int statuses[] = {301, 302, 303, 307, 308};

/* Writes `target` with its words replaced. */
static void write_target(const char *target, const char *origin, const struct listener *other, char *out, size_t size)
{
    char port[8];
    char place[32];
    const char *words[][2] = {{"OTHER", place}, {"PORT", port}, {"ORIGIN", origin}, {"OWN", strrchr(origin, ':') + 1}};
    size_t used = 0;

    snprintf(port, sizeof port, "%d", listener_port(other));
    snprintf(place, sizeof place, "127.0.0.1:%s", port);
    while (*target && used + 1 < size) {
        size_t i = 0;

        while (i < sizeof words / sizeof *words && strncmp(target, words[i][0], strlen(words[i][0])) != 0)
            i++;
        used += (size_t)snprintf(out + used, size - used, "%.*s", i < sizeof words / sizeof *words ? 64 : 1,
                                 i < sizeof words / sizeof *words ? words[i][1] : target);
        target += i < sizeof words / sizeof *words ? strlen(words[i][0]) : 1;
    }
}

static bool is_as_expected(const struct endpoint *endpoint, int status, const struct nexauth_error *error)
{
    const bool wrong_redirect = status == 302 && strcmp(endpoint->name, "Nexusguard connect") == 0;

    return error->status == (wrong_redirect ? NEXAUTH_PROTOCOL : NEXAUTH_CONFIG) && error->http_status == status;
}

static int run_cell(const struct endpoint *endpoint, int status, const char *target, struct listener *other)
{
    const struct live_who who = {.kind = endpoint->kind};
    nexauth_session *session = live_new_session(NULL);
    struct nexauth_error error;
    char location[256];
    char fault[512];

    assert_int_equal(emulator_reset(&live_emulator), 0);
    write_target(target, endpoint->origin, other, location, sizeof location);
    snprintf(fault, sizeof fault, "{%s,\"answer\":{\"status\":%d,\"headers\":{\"Location\":\"%s\"}}}", endpoint->fault,
             status, location);
    live_fault(fault);
    live_ask(session, &who, &error);
    const bool right = is_as_expected(endpoint, status, &error) && live_requests() == endpoint->requests;
    if (!right)
        print_error("%s, %d to %s: %s, HTTP %d, %d requests: %s\n", endpoint->name, status, location,
                    nexauth_status_name(error.status), error.http_status, live_requests(), error.message);
    nexauth_session_free(session);
    return !right;
}

static void a_redirect_is_followed_nowhere(void **state)
{
    struct listener *other = listener_start("127.0.0.1");
    int wrong = 0;

    (void)state;
    assert_non_null(other);
    for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++) {
        for (size_t j = 0; j < sizeof statuses / sizeof *statuses; j++) {
            for (size_t k = 0; k < sizeof targets / sizeof *targets; k++)
                wrong += run_cell(&endpoints[i], statuses[j], targets[k], other);
        }
    }
    assert_int_equal(wrong, 0);
    assert_int_equal(listener_connections(other), 0);
    assert_int_equal(listener_received(other), 0);
    listener_stop(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_redirect_is_followed_nowhere),
    };

    return cmocka_run_group_tests(tests, live_start, live_stop);
}
