/*
 * HTTP/2 lets a server refuse a request that it has received, and libcurl repeats it then. That is right for
 * credentials, and never for what serves once: by the server's own count, over each protocol. And what connections that
 * are kept do where the server asks for certificates.
 */
#include "support/test.h"

#include "customer.h"
#include "h2_server.h"
#include "passing.h"

#include <stdio.h>

#define UNKNOWN "what came of it is unknown"
#define A_CODE  "code-" /* in a request: every code of the server begins so */

static struct h2_server server;

static int set_up(void **state)
{
    h2_server_tell(&server, "alpn h2 http/1.1");
    h2_server_tell(&server, "tls 1.3");
    h2_server_tell(&server, "ask never");
    h2_server_tell(&server, "do");
    *state = passing_new_session(server.ca_file);
    return 0;
}

static int tear_down(void **state)
{
    nexauth_session_free(*state);
    passing_let_s(CUSTOMER_FORGOTTEN_S);
    return 0;
}

static nexauth_source *new_controller(nexauth_session *session, const char *secret)
{
    const struct nexauth_nex_controller_options who = {.client_id = "5a5b",
                                                       .client_secret = "abc123",
                                                       .controller_id = "111aa",
                                                       .controller_secret = secret,
                                                       .origin = server.origin};
    nexauth_source *source = NULL;

    assert_int_equal(nexauth_source_new_nex_controller(session, &who, &source, NULL), NEXAUTH_OK);
    return source;
}

static nexauth_source *new_customer(nexauth_session *session, const struct nexauth_nexusguard_user_options *who,
                                    const char *refresh_token, struct customer_journal *journal)
{
    struct nexauth_nexusguard_user_options options = *who;

    options.origin = server.origin;
    return customer_new_source(session, &options, refresh_token, journal);
}

/* Something that no other test presents. */
static const char *fresh_value(void)
{
    static char value[32];
    static int number;

    snprintf(value, sizeof value, "value-%d-of-this-test", ++number);
    return value;
}

static void assert_seen(const char *text, struct h2_seen before, struct h2_seen more, const char *what)
{
    const struct h2_seen seen = h2_server_seen(&server, text);

    if (seen.h2 != before.h2 + more.h2 || seen.h1 != before.h1 + more.h1 || seen.other != before.other + more.other)
        fail_msg("%s: %d over h2, %d over http/1.1, %d otherwise", what, seen.h2 - before.h2, seen.h1 - before.h1,
                 seen.other - before.other);
}

static const struct h2_seen never = {0};

static void get_controller(nexauth_session *session, const char *secret)
{
    nexauth_source *source = new_controller(session, secret);
    nexauth_token *token = NULL;
    struct nexauth_error error = {0};

    if (nexauth_source_get_token(source, NULL, &token, &error))
        fail_msg("%s", error.message);
    nexauth_token_unref(token);
    nexauth_source_free(source);
}

/* After REFUSED_STREAM by libcurl, after GOAWAY by the library's second attempt. */
static void credentials_that_were_refused_unread_come_again(void **state)
{
    static const struct {
        const char *orders;
        int refusals;
    } cases[] = {{"do", 0}, {"do refuse", 1}, {"do goaway", 1}, {"do refuse refuse goaway", 3}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *secret = fresh_value();

        h2_server_tell(&server, cases[i].orders);
        get_controller(*state, secret);
        assert_seen(secret, never, (struct h2_seen){.h2 = cases[i].refusals + 1}, cases[i].orders);
    }
}

/* Not by a connection that another one made, either. The one by TLS 1.2 is kept, and serves both. */
static void a_server_that_may_insist_on_a_certificate_is_sent_nothing_by_tls_1_3(void **state)
{
    static const struct {
        const char *protocols, *tls;
        struct h2_seen one, two;
    } cases[] = {{"alpn h2 http/1.1", "tls 1.3", {.h2 = 1}, {.h2 = 2}},
                 {"alpn http/1.1", "tls 1.3", {.h1 = 1}, {.h1 = 2}},
                 {"alpn http/1.1", "tls 1.2", {.h1 = 1}, {.h1 = 2}}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct h2_seen handshakes = h2_server_seen(&server, "a handshake by TLSv1.2");
        const struct h2_seen by_1_2 = h2_server_seen(&server, "a request by TLSv1.2");
        const struct h2_seen by_1_3 = h2_server_seen(&server, "a request by TLSv1.3");
        nexauth_session *session = passing_new_session(server.ca_file);

        h2_server_tell(&server, cases[i].protocols);
        h2_server_tell(&server, cases[i].tls);
        h2_server_tell(&server, "ask at-once");
        get_controller(session, fresh_value());
        get_controller(session, fresh_value());
        assert_seen("a handshake by TLSv1.2", handshakes, cases[i].one, cases[i].protocols);
        assert_seen("a request by TLSv1.2", by_1_2, cases[i].two, cases[i].protocols);
        assert_seen("a request by TLSv1.3", by_1_3, never, cases[i].protocols);
        nexauth_session_free(session);
    }
}

static void a_server_that_asks_no_more_is_spoken_to_by_tls_1_3_again(void **state)
{
    h2_server_tell(&server, "ask at-once");
    get_controller(*state, fresh_value());
    h2_server_tell(&server, "ask never");
    const struct h2_seen before = h2_server_seen(&server, "a request by TLSv1.3");
    get_controller(*state, fresh_value());
    assert_seen("a request by TLSv1.3", before, (struct h2_seen){.h2 = 1}, "never");
}

/* The handle that made the connection is gone, as its URL held a secret. */
static void a_server_may_ask_whoever_comes_by_anothers_connection(void **state)
{
    const struct h2_seen before = h2_server_seen(&server, "a handshake by TLSv1.3");
    struct customer_journal journal = {0};

    h2_server_tell(&server, "alpn http/1.1");
    h2_server_tell(&server, "ask later");
    nexauth_source *source = new_customer(*state, &customer_by_xspe, NULL, &journal);
    const struct customer_outcome outcome = customer_askers[0](*state, source);
    customer_assert_outcome(&outcome, NEXAUTH_OK, "", "later");
    get_controller(*state, fresh_value());
    assert_seen("a handshake by TLSv1.3", before, (struct h2_seen){.h1 = 2}, "later"); /* a code has its own */
    nexauth_source_free(source);
}

/* What is ready for a one-time request, should it come over HTTP/2. */
static const char *const traps[] = {"do refuse", "do goaway", "do leave"};

enum { TRAPS = sizeof traps / sizeof *traps };

/* With a connection over HTTP/2 at hand. */
static void a_refresh_token_comes_once_over_http_1_1(void **state)
{
    for (size_t i = 0; i < TRAPS * CUSTOMER_CALLERS; i++) {
        const char *trap = traps[i / CUSTOMER_CALLERS];
        struct customer_journal journal = {0};

        h2_server_tell(&server, "do");
        get_controller(*state, fresh_value());
        const char *value = fresh_value();
        nexauth_source *source = new_customer(*state, &customer_by_nothing, value, &journal);
        h2_server_tell(&server, trap);
        const struct customer_outcome outcome = customer_askers[i % CUSTOMER_CALLERS](*state, source);
        customer_assert_outcome(&outcome, NEXAUTH_OK, "", trap);
        assert_string_equal(outcome.refresh_token, journal.newest);
        assert_seen(value, never, (struct h2_seen){.h1 = 1}, trap);
        nexauth_source_free(source);
    }
}

/* The connect, which may come again, is over HTTP/2, and perhaps refused first. Then its code would meet the trap. */
static void a_code_comes_once_over_http_1_1(void **state)
{
    static const char *const orders[] = {"do refuse answer refuse", "do answer goaway", "do answer leave"};

    for (size_t i = 0; i < TRAPS * CUSTOMER_CALLERS; i++) {
        const struct h2_seen before = h2_server_seen(&server, A_CODE);
        struct customer_journal journal = {0};
        nexauth_source *source = new_customer(*state, &customer_by_xspe, NULL, &journal);

        h2_server_tell(&server, orders[i / CUSTOMER_CALLERS]);
        const struct customer_outcome outcome = customer_askers[i % CUSTOMER_CALLERS](*state, source);
        customer_assert_outcome(&outcome, NEXAUTH_OK, "", orders[i / CUSTOMER_CALLERS]);
        assert_string_equal(outcome.refresh_token, journal.newest);
        assert_seen(A_CODE, before, (struct h2_seen){.h1 = 1}, orders[i / CUSTOMER_CALLERS]);
        nexauth_source_free(source);
    }
}

/* Whatever the answer asks for. Each of the callers makes one attempt. */
static void no_answer_over_http_1_1_makes_a_refresh_token_come_twice(void **state)
{
    static const char *const orders[] = {"do close", "do 307", "do 308", "do 401", "do 407",
                                         "do 408",   "do 417", "do 421", "do 425", "do 426"};

    for (size_t i = 0; i < sizeof orders / sizeof *orders * CUSTOMER_CALLERS; i++) {
        const char *value = fresh_value();
        struct customer_journal journal = {0};
        nexauth_source *source = new_customer(*state, &customer_by_nothing, value, &journal);

        h2_server_tell(&server, orders[i / CUSTOMER_CALLERS]);
        const struct customer_outcome outcome = customer_askers[i % CUSTOMER_CALLERS](*state, source);
        assert_int_not_equal(outcome.status, NEXAUTH_OK);
        assert_seen(value, never, (struct h2_seen){.h1 = 1}, orders[i / CUSTOMER_CALLERS]);
        nexauth_source_free(source);
    }
}

/* What is presented there is lost on the server, and may be known to it all the same. */
static void a_server_of_http_2_alone_sees_a_refresh_token_once_at_most(void **state)
{
    for (size_t i = 0; i < CUSTOMER_CALLERS; i++) {
        const char *value = fresh_value();
        struct customer_journal journal = {0};
        nexauth_source *source = new_customer(*state, &customer_by_nothing, value, &journal);

        h2_server_tell(&server, "alpn h2");
        struct customer_outcome outcome = customer_askers[i](*state, source);
        customer_assert_outcome(&outcome, NEXAUTH_REAUTH, UNKNOWN, "once");
        passing_let_s(CUSTOMER_FORGOTTEN_S);
        outcome = customer_askers[i](*state, source);
        customer_assert_outcome(&outcome, NEXAUTH_REAUTH, "", "again");
        assert_seen(value, never, (struct h2_seen){.other = 1}, "alpn h2");
        nexauth_source_free(source);
    }
}

/* It can connect, over HTTP/2, and gets another code each time. */
static void a_server_of_http_2_alone_sees_each_code_once_at_most(void **state)
{
    for (size_t i = 0; i < CUSTOMER_CALLERS; i++) {
        const struct h2_seen before = h2_server_seen(&server, A_CODE);
        struct customer_journal journal = {0};
        nexauth_source *source = new_customer(*state, &customer_by_callback, NULL, &journal);

        h2_server_tell(&server, "alpn h2");
        for (int attempt = 1; attempt <= 2; attempt++) {
            const struct customer_outcome outcome = customer_askers[i](*state, source);
            assert_int_not_equal(outcome.status, NEXAUTH_OK);
            assert_seen(A_CODE, before, (struct h2_seen){.other = attempt}, "alpn h2");
            passing_let_s(CUSTOMER_FORGOTTEN_S);
        }
        nexauth_source_free(source);
    }
}

#define SERVED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static int start(void **state)
{
    (void)state;
    h2_server_start(&server);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    h2_server_stop(&server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVED(credentials_that_were_refused_unread_come_again),
        SERVED(a_server_that_may_insist_on_a_certificate_is_sent_nothing_by_tls_1_3),
        SERVED(a_server_that_asks_no_more_is_spoken_to_by_tls_1_3_again),
        SERVED(a_server_may_ask_whoever_comes_by_anothers_connection),
        SERVED(a_refresh_token_comes_once_over_http_1_1),
        SERVED(a_code_comes_once_over_http_1_1),
        SERVED(no_answer_over_http_1_1_makes_a_refresh_token_come_twice),
        SERVED(a_server_of_http_2_alone_sees_a_refresh_token_once_at_most),
        SERVED(a_server_of_http_2_alone_sees_each_code_once_at_most),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
