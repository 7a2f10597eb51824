/* The requests as they leave, byte for byte, and what the environment must not change about them. */
#include "support/test.h"

#include "nexauth/nexauth.h"
#include "support/listener.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOKEN                                                                                                          \
    "HTTP/1.1 200 OK\r\nContent-Length: 42\r\nSet-Cookie: crumb=1; Path=/\r\nSet-Cookie: other=2\r\n\r\n"              \
    "{\"access_token\":\"one\",\"expires_in\":\"3600\"}"
#define ENVELOPE                                                                                                       \
    "HTTP/1.1 200 OK\r\nContent-Length: 77\r\nSet-Cookie: crumb=1\r\n\r\n"                                             \
    "{\"code\":0,\"result\":{\"access_token\":\"two\",\"refresh_token\":\"r\",\"expires_in\":1}}"

struct wire {
    struct listener *listener;
    nexauth_session *session;
};

static int set_up(void **state)
{
    const struct nexauth_session_options options = {.loopback_http = 1};
    struct wire *wire = calloc(1, sizeof *wire);

    *state = wire;
    if (!wire)
        return -1;
    wire->listener = listener_start("127.0.0.1");
    if (!wire->listener)
        return -1;
    return nexauth_session_new(&options, &wire->session, NULL) == NEXAUTH_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    struct wire *wire = *state;

    nexauth_session_free(wire->session);
    listener_stop(wire->listener);
    free(wire);
    return 0;
}

/* Takes a token of a source that has just been made, and ends the source. */
static nexauth_status take(nexauth_source *source, struct nexauth_error *error)
{
    nexauth_token *token = NULL;
    const nexauth_status status = nexauth_source_get_token(source, NULL, &token, error);

    nexauth_token_unref(token);
    nexauth_source_free(source);
    return status;
}

static void take_well(nexauth_source *source)
{
    struct nexauth_error error = {0};

    if (take(source, &error) != NEXAUTH_OK)
        fail_msg("%s: %s", nexauth_status_name(error.status), error.message);
}

/* `expected` has %d for the port. */
static void check_request(struct wire *wire, int number, const char *expected, int port)
{
    char whole[2048];

    snprintf(whole, sizeof whole, expected, port); /* NOLINT(clang-diagnostic-format-nonliteral) */
    assert_string_equal(listener_request(wire->listener, number), whole);
}

static nexauth_source *new_user(struct wire *wire, const char *origin, int accept)
{
    const struct nexauth_nex_user_options options = {.client_id = "mycompany",
                                                     .client_secret = "abc123",
                                                     .username = "my\"name",
                                                     .password = "x yz/\\456",
                                                     .origin = origin,
                                                     .accept = accept};
    nexauth_source *source = NULL;
    struct nexauth_error error = {0};

    if (nexauth_source_new_nex_user(wire->session, &options, &source, &error) != NEXAUTH_OK)
        fail_msg("%s", error.message);
    return source;
}

#define NEX_USER_BODY                                                                                                  \
    "{\"grant_type\":\"password\",\"client_id\":\"mycompany\",\"client_secret\":\"abc123\","                           \
    "\"username\":\"my\\\"name\",\"password\":\"x yz/\\\\456\",\"scope\":\"user\"}"
#define NEX_USER(accept)                                                                                               \
    "POST /v1.0/Token HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\nAccept: " accept             \
    "\r\nContent-Length: 135\r\n\r\n" NEX_USER_BODY

static void nex_gets_its_json_and_nothing_else(void **state)
{
    struct wire *wire = *state;
    const int port = listener_port(wire->listener);

    assert_int_equal(strlen(NEX_USER_BODY), 135);
    listener_answer(wire->listener, (struct listener_answer){.text = TOKEN});
    take_well(new_user(wire, listener_origin(wire->listener), NEXAUTH_ACCEPT_JSON));
    check_request(wire, 0, NEX_USER("application/json"), port);
#ifdef NEXAUTH_XML
    listener_answer(wire->listener, (struct listener_answer){.text = TOKEN});
    take_well(new_user(wire, listener_origin(wire->listener), NEXAUTH_ACCEPT_XML));
    check_request(wire, 1, NEX_USER("application/xml"), port);
#endif
}

static void cookies_are_not_sent_back(void **state)
{
    struct wire *wire = *state;

    for (int i = 0; i < 2; i++) {
        listener_answer(wire->listener, (struct listener_answer){.text = TOKEN});
        take_well(new_user(wire, listener_origin(wire->listener), NEXAUTH_ACCEPT_JSON));
        check_request(wire, i, NEX_USER("application/json"), listener_port(wire->listener));
    }
    assert_int_equal(listener_connections(wire->listener), 1);
}

static void quantoz_gets_its_form_by_body_and_by_basic(void **state)
{
    static const struct {
        int client_auth;
        const char *request;
    } cases[] = {
        {NEXAUTH_CLIENT_AUTH_BODY,
         "POST /connect/token HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
         "Content-Type: application/x-www-form-urlencoded\r\nAccept: application/json\r\nContent-Length: 94\r\n\r\n"
         "client_id=a+client&client_secret=p%%26ss+w%%2Brd%%25%%3D1&scope=api1&grant_type=client_credentials"},
        {NEXAUTH_CLIENT_AUTH_BASIC,
         "POST /connect/token HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
         "Content-Type: application/x-www-form-urlencoded\r\nAccept: application/json\r\n"
         "Authorization: Basic YStjbGllbnQ6cCUyNnNzK3clMkJyZCUyNSUzRDE=\r\nContent-Length: 40\r\n\r\n"
         "scope=api1&grant_type=client_credentials"},
        {NEXAUTH_CLIENT_AUTH_BASIC_RAW,
         "POST /connect/token HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
         "Content-Type: application/x-www-form-urlencoded\r\nAccept: application/json\r\n"
         "Authorization: Basic YSBjbGllbnQ6cCZzcyB3K3JkJT0x\r\nContent-Length: 40\r\n\r\n"
         "scope=api1&grant_type=client_credentials"},
    };
    struct wire *wire = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct nexauth_quantoz_options options = {.client_id = "a client",
                                                        .client_secret = "p&ss w+rd%=1",
                                                        .origin = listener_origin(wire->listener),
                                                        .environment = NEXAUTH_QUANTOZ_TEST,
                                                        .client_auth = cases[i].client_auth};
        nexauth_source *source = NULL;

        listener_answer(wire->listener, (struct listener_answer){.text = TOKEN});
        assert_int_equal(nexauth_source_new_quantoz(wire->session, &options, &source, NULL), NEXAUTH_OK);
        take_well(source);
        check_request(wire, (int)i, cases[i].request, listener_port(wire->listener));
    }
}

static void nexusguard_gets_an_app_and_a_refresh(void **state)
{
    struct wire *wire = *state;
    const struct nexauth_nexusguard_app_options app = {
        .app_id = "app", .secret = "s/ecret", .origin = listener_origin(wire->listener)};
    const struct nexauth_nexusguard_user_options user = {
        .app_id = "app", .refresh_token = "saved+token", .origin = listener_origin(wire->listener)};
    nexauth_source *source = NULL;

    listener_answer(wire->listener, (struct listener_answer){.text = ENVELOPE});
    listener_answer(wire->listener, (struct listener_answer){.text = ENVELOPE});
    assert_int_equal(nexauth_source_new_nexusguard_app(wire->session, &app, &source, NULL), NEXAUTH_OK);
    take_well(source);
    check_request(wire, 0,
                  "POST /oauth/credit/token HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
                  "Content-Type: application/x-www-form-urlencoded\r\nAccept: application/json\r\n"
                  "Content-Length: 56\r\n\r\napp_id=app&secret=s%%2Fecret&grant_type=client_credential",
                  listener_port(wire->listener));
    assert_int_equal(nexauth_source_new_nexusguard_user(wire->session, &user, &source, NULL), NEXAUTH_OK);
    take_well(source);
    check_request(wire, 1,
                  "POST /oauth/refresh_token HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
                  "Content-Type: application/x-www-form-urlencoded\r\nAccept: application/json\r\n"
                  "Content-Length: 62\r\n\r\napp_id=app&refresh_token=saved%%2Btoken&grant_type=refresh_code",
                  listener_port(wire->listener));
}

/* What the connect is answered with holds the state that it was sent: it is made up when the connect has come. */
static void *answer_connect(void *context)
{
    static char redirect[512];
    struct wire *wire = context;
    const char *found;

    listener_await(wire->listener, 1);
    found = strstr(listener_request(wire->listener, 0), "&state=");
    snprintf(redirect, sizeof redirect,
             "HTTP/1.1 302 Found\r\nSet-Cookie: crumb=1\r\nContent-Length: 0\r\n"
             "Location: https://app.example.com/cb?code=the%%2Fcode&state=%.32s\r\n\r\n",
             found ? found + 7 : "");
    listener_answer(wire->listener, (struct listener_answer){.text = redirect});
    listener_answer(wire->listener, (struct listener_answer){.text = ENVELOPE});
    return NULL;
}

static void nexusguard_gets_a_connect_and_a_code(void **state)
{
    struct wire *wire = *state;
    const struct nexauth_nexusguard_user_options user = {.app_id = "app",
                                                         .secret = "s",
                                                         .redirect_uri = "https://app.example.com/cb",
                                                         .customer_id = "C 1",
                                                         .xspe = "spe&portal",
                                                         .origin = listener_origin(wire->listener)};
    char connect[1024];
    nexauth_source *source = NULL;
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, answer_connect, wire), 0);
    assert_int_equal(nexauth_source_new_nexusguard_user(wire->session, &user, &source, NULL), NEXAUTH_OK);
    take_well(source);
    pthread_join(thread, NULL);
    const char *found = strstr(listener_request(wire->listener, 0), "&state=");
    assert_non_null(found);
    assert_int_equal(strspn(found + 7, "0123456789abcdef"), 32);
    snprintf(connect, sizeof connect,
             "GET /oauth/connect?app_id=app&redirect_uri=https%%3A%%2F%%2Fapp.example.com%%2Fcb&response_type=code"
             "&scope=install_login&xspe=spe%%26portal&state=%.32s&customer_id=C%%201 HTTP/1.1\r\n"
             "Host: 127.0.0.1:%d\r\nAccept: application/json\r\n\r\n",
             found + 7, listener_port(wire->listener));
    assert_string_equal(listener_request(wire->listener, 0), connect);
    check_request(wire, 1,
                  "POST /oauth/access_token HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
                  "Content-Type: application/x-www-form-urlencoded\r\nAccept: application/json\r\n"
                  "Content-Length: 65\r\n\r\napp_id=app&secret=s&code=the%%2Fcode&grant_type=authorization_code",
                  listener_port(wire->listener));
    assert_int_equal(listener_requests(wire->listener), 2);
}

/* Writes a netrc that has credentials for everybody. The folder's name goes to `home`, as a template. */
static void write_netrc(char *home, char *path, size_t size)
{
    FILE *file;

    assert_non_null(mkdtemp(home));
    snprintf(path, size, "%s/.netrc", home);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs("machine 127.0.0.1 login l password p\ndefault login l password p\n", file);
    fclose(file);
    assert_int_equal(chmod(path, 0600), 0);
}

static void the_environment_changes_nothing(void **state)
{
    static const char *const proxies[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    struct wire *wire = *state;
    struct listener *proxy = listener_start("127.0.0.1");
    const nexauth_session *before = wire->session;
    char home[] = "/tmp/wire-test-XXXXXX";
    char netrc[64];
    void *own;

    assert_non_null(proxy);
    write_netrc(home, netrc, sizeof netrc);
    setenv("HOME", home, 1);
    setenv("CURL_HOME", home, 1);
    setenv("NETRC", netrc, 1);
    unsetenv("no_proxy");
    unsetenv("NO_PROXY");
    for (size_t i = 0; i < sizeof proxies / sizeof *proxies; i++)
        setenv(proxies[i], listener_origin(proxy), 1);
    assert_int_equal(set_up(&own), 0);
    struct wire *later = own;
    assert_ptr_not_equal(later->session, before);
    listener_answer(later->listener, (struct listener_answer){.text = TOKEN});
    take_well(new_user(later, listener_origin(later->listener), NEXAUTH_ACCEPT_JSON));
    check_request(later, 0, NEX_USER("application/json"), listener_port(later->listener));
    assert_int_equal(listener_connections(proxy), 0);
    tear_down(&own);
    for (size_t i = 0; i < sizeof proxies / sizeof *proxies; i++)
        unsetenv(proxies[i]);
    unlink(netrc);
    rmdir(home);
    listener_stop(proxy);
}

/* The wording of an origin is the caller's: Host shows it, and the port is right. */
static void an_origin_may_be_spelled_in_any_case(void **state)
{
    static const char *const schemes_and_hosts[] = {"HTTP://127.0.0.1", "http://LocalHost", "Http://LOCALHOST"};
    struct wire *wire = *state;

    for (size_t i = 0; i < sizeof schemes_and_hosts / sizeof *schemes_and_hosts; i++) {
        char origin[64];

        snprintf(origin, sizeof origin, "%s:%d", schemes_and_hosts[i], listener_port(wire->listener));
        listener_answer(wire->listener, (struct listener_answer){.text = TOKEN});
        take_well(new_user(wire, origin, NEXAUTH_ACCEPT_JSON));
    }
    assert_int_equal(listener_requests(wire->listener), 3);
}

static void ipv6_serves_too(void **state)
{
    struct wire *wire = *state;
    struct listener *six = listener_start("::1");

    if (!six) {
        print_message("this machine has no ::1\n");
        skip();
    }
    listener_answer(six, (struct listener_answer){.text = TOKEN});
    take_well(new_user(wire, listener_origin(six), NEXAUTH_ACCEPT_JSON));
    assert_int_equal(listener_requests(six), 1);
    assert_non_null(strstr(listener_request(six, 0), "\r\nHost: [::1]:"));
    listener_stop(six);
}

static const struct ending {
    const char *name;
    struct listener_answer answer;
    nexauth_status status;
    int http_status;
    int requests; /* 0: on a slow machine none may come */
    int64_t exchange_timeout_ms;
} endings[] = {
    {"half of a body",
     {.text = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"access_token\":\"x\"}", .then = LISTENER_CLOSE},
     NEXAUTH_NETWORK,
     0,
     2,
     0},
    {"HTTP/0.9", {.text = "{\"access_token\":\"x\"}\n", .then = LISTENER_CLOSE}, NEXAUTH_PROTOCOL, 0, 1, 0},
    {"an endless body",
     {.text = "HTTP/1.1 200 OK\r\n\r\n", .then = LISTENER_REPEAT, .again = " "},
     NEXAUTH_PROTOCOL,
     200,
     1,
     0},
    {"an endless refusal",
     {.text = "HTTP/1.1 401 no\r\n\r\n", .then = LISTENER_REPEAT, .again = "no "},
     NEXAUTH_DENIED,
     401,
     1,
     0},
    {"endless headers",
     {.text = "HTTP/1.1 500 no\r\n", .then = LISTENER_REPEAT, .again = "X-Endless: x\r\n"},
     NEXAUTH_UNAVAILABLE,
     500,
     1,
     0},
    {"one byte at a time, for ever",
     {.text = "HTTP/1.1 200 OK\r\nX-Slow: ", .then = LISTENER_REPEAT, .again = "x", .pause_ms = 10},
     NEXAUTH_TIMEOUT,
     0,
     0,
     500},
};

/* The slow one is cut off at exchange_timeout_ms: were it not, this would not end. */
static void an_answer_that_never_ends_well_has_its_status(void **state)
{
    struct wire *wire = *state;

    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        const struct nexauth_session_options options = {.loopback_http = 1,
                                                        .exchange_timeout_ms = endings[i].exchange_timeout_ms};
        struct wire own = {.listener = wire->listener};
        struct nexauth_error error = {0};
        const int before = listener_requests(wire->listener);

        assert_int_equal(nexauth_session_new(&options, &own.session, NULL), NEXAUTH_OK);
        for (int j = 0; j == 0 || j < endings[i].requests; j++)
            listener_answer(wire->listener, endings[i].answer);
        take(new_user(&own, listener_origin(wire->listener), NEXAUTH_ACCEPT_JSON), &error);
        if (error.status != endings[i].status || error.http_status != endings[i].http_status)
            fail_msg("%s: %s, HTTP %d: %s", endings[i].name, nexauth_status_name(error.status), error.http_status,
                     error.message);
        if (endings[i].requests)
            assert_int_equal(listener_requests(wire->listener) - before, endings[i].requests);
        nexauth_session_free(own.session);
    }
}

#define ON_A_WIRE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_WIRE(nex_gets_its_json_and_nothing_else),
        ON_A_WIRE(cookies_are_not_sent_back),
        ON_A_WIRE(quantoz_gets_its_form_by_body_and_by_basic),
        ON_A_WIRE(nexusguard_gets_an_app_and_a_refresh),
        ON_A_WIRE(nexusguard_gets_a_connect_and_a_code),
        ON_A_WIRE(the_environment_changes_nothing),
        ON_A_WIRE(an_origin_may_be_spelled_in_any_case),
        ON_A_WIRE(ipv6_serves_too),
        ON_A_WIRE(an_answer_that_never_ends_well_has_its_status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
