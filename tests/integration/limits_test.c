/* Limits of time and size, who is trusted, and where plain http may go. */
#include "support/test.h"

#include "live.h"
#include "support/listener.h"

#include <stdio.h>
#include <string.h>

#define NEX_PATH     "nex /v1.0/Token"
#define REFRESH_PATH "nexusguard /oauth/refresh_token"
#define TOKEN        "HTTP/1.1 200 OK\r\nContent-Length: 42\r\n\r\n{\"access_token\":\"one\",\"expires_in\":\"3600\"}"

/* A machine that is slow may need several tries until a request has left at all: asks until one has arrived. */
static void an_answer_that_comes_too_late_is_a_timeout(void **state)
{
    const struct nexauth_session_options options = {.exchange_timeout_ms = 300};
    const struct live_who who = {.kind = LIVE_NEX_USER};
    struct nexauth_error error;
    int calls = 0;

    (void)state;
    live_fault("{\"service\":\"nex\",\"path\":\"/v1.0/Token\",\"delay_ms\":600000,\"times\":1000}");
    do {
        nexauth_session *session = live_new_session(&options);
        assert_int_equal(live_ask(session, &who, &error), NEXAUTH_TIMEOUT);
        assert_int_equal(error.http_status, 0);
        nexauth_session_free(session);
        calls++;
    } while (live_requests_at(NEX_PATH) == 0);
    assert_in_range(live_requests_at(NEX_PATH), 1, calls);
}

/* As long as nothing has left the token is unspent; once it has, it is in doubt and does not leave again. */
static void a_refresh_that_is_answered_too_late_is_not_repeated(void **state)
{
    const struct nexauth_session_options options = {.exchange_timeout_ms = 300};
    const struct live_who who = {.kind = LIVE_NEXUSGUARD_SAVED};
    struct nexauth_error error;

    (void)state;
    live_fault("{\"service\":\"nexusguard\",\"path\":\"/oauth/refresh_token\",\"delay_ms\":600000}");
    do {
        nexauth_session *session = live_new_session(&options);
        nexauth_source *source = live_new_source(session, &who);

        if (live_get_status(source, &error) != NEXAUTH_TIMEOUT)
            assert_int_equal(live_get_status(source, &error), NEXAUTH_REAUTH);
        assert_int_equal(live_tries(source), 1);
        nexauth_source_free(source);
        nexauth_session_free(session);
    } while (error.status == NEXAUTH_TIMEOUT);
    assert_true(live_requests_at(REFRESH_PATH) <= 1);
}

/* connect_timeout_ms counts TLS in: this server accepts the connection and says nothing. Credentials have a second
 * attempt; who asks once more is told the same at once. */
static void a_connection_that_never_comes_about_is_a_timeout_and_spends_nothing(void **state)
{
    const struct nexauth_session_options options = {.connect_timeout_ms = 200};
    struct listener *listener = listener_start("127.0.0.1");
    struct nexauth_error error;
    char origin[64];

    (void)state;
    assert_non_null(listener);
    snprintf(origin, sizeof origin, "https://127.0.0.1:%d", listener_port(listener));
    const struct live_who whose[] = {{.kind = LIVE_NEX_USER, .origin = origin},
                                     {.kind = LIVE_NEXUSGUARD_SAVED, .origin = origin}};
    static const int tries[] = {2, 1};
    nexauth_session *session = live_new_session(&options);

    for (size_t i = 0; i < sizeof whose / sizeof *whose; i++) {
        nexauth_source *source = live_new_source(session, &whose[i]);

        for (int j = 0; j < 2; j++)
            assert_int_equal(live_get_status(source, &error), NEXAUTH_TIMEOUT);
        assert_int_equal(live_tries(source), tries[i]);
        nexauth_source_free(source);
    }
    assert_int_equal(listener_requests(listener), 0);
    nexauth_session_free(session);
    listener_stop(listener);
}

/* The answer is held until the caller has given up. */
static void an_answer_that_the_caller_did_not_await_is_kept_for_the_next_call(void **state)
{
    const struct nexauth_session_options options = {.loopback_http = 1};
    const struct nexauth_get_options impatient = {.timeout_ms = 50};
    struct listener *listener = listener_start("127.0.0.1");

    (void)state;
    assert_non_null(listener);
    const struct live_who who = {.kind = LIVE_NEX_USER, .origin = listener_origin(listener)};
    nexauth_session *session = live_new_session(&options);
    nexauth_source *source = live_new_source(session, &who);
    nexauth_token *token = NULL;

    listener_answer(listener, (struct listener_answer){.text = TOKEN, .held = true});
    do
        assert_int_equal(nexauth_source_get_token(source, &impatient, &token, NULL), NEXAUTH_TIMEOUT);
    while (listener_requests(listener) == 0);
    listener_release(listener);
    token = live_get(source);
    assert_string_equal(nexauth_token_access_token(token), "one");
    assert_int_equal(listener_requests(listener), 1);
    nexauth_token_unref(token);
    nexauth_source_free(source);
    nexauth_session_free(session);
    listener_stop(listener);
}

/* 1,000 bytes hold a token of the emulator's with its headers: another identity gets one afterwards. */
static void an_answer_over_the_cap_counts_by_its_status_alone(void **state)
{
    static const struct {
        int status;
        nexauth_status expected;
    } cases[] = {{200, NEXAUTH_PROTOCOL}, {500, NEXAUTH_UNAVAILABLE}, {401, NEXAUTH_DENIED},
                 {400, NEXAUTH_CONFIG},   {429, NEXAUTH_THROTTLED},   {404, NEXAUTH_CONFIG}};
    const struct nexauth_session_options options = {.max_answer_bytes = 1000};
    const struct live_who who = {.kind = LIVE_NEX_USER};
    const struct live_who next = {.kind = LIVE_NEX_CONTROLLER};
    struct nexauth_error error;
    char fault[2048];
    char large[1200];

    (void)state;
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nexauth_session *session = live_new_session(&options);

        snprintf(fault, sizeof fault,
                 "{\"service\":\"nex\",\"path\":\"/v1.0/Token\",\"answer\":{\"status\":%d,\"body\":"
                 "\"{\\\"error\\\":\\\"invalid_client\\\",\\\"x\\\":\\\"%s\\\"}\"}}",
                 cases[i].status, large);
        live_fault(fault);
        assert_int_equal(live_ask(session, &who, &error), cases[i].expected);
        assert_int_equal(error.http_status, cases[i].status);
        assert_string_equal(error.code, "");
        assert_int_equal(live_ask(session, &next, &error), NEXAUTH_OK);
        nexauth_session_free(session);
    }
}

/* No request leaves: not for a token, not for a connect, not for what serves once. */
static void who_is_not_trusted_is_asked_nothing(void **state)
{
    static const enum live_kind kinds[] = {LIVE_NEX_USER, LIVE_NEXUSGUARD_USER, LIVE_NEXUSGUARD_SAVED};
    static const char *const ids[] = {"one", "two", "three", "four"}; /* never a ban, whoever asks */
    nexauth_session *session = NULL;
    struct nexauth_error error;

    (void)state;
    assert_int_equal(nexauth_session_new(NULL, &session, NULL), NEXAUTH_OK);
    for (size_t i = 0; i < 3 * sizeof ids / sizeof *ids; i++) {
        const struct live_who who = {.kind = kinds[i % 3], .id = ids[i / 3]};
        nexauth_source *source = live_new_source(session, &who);

        assert_int_equal(live_get_status(source, &error), NEXAUTH_NETWORK);
        assert_int_equal(error.http_status, 0);
        assert_int_equal(live_tries(source), 1);
        nexauth_source_free(source);
    }
    assert_int_equal(live_requests(), 0);
    nexauth_session_free(session);
}

static void another_authority_is_not_trusted(void **state)
{
    struct emulator other;
    const struct live_who who = {.kind = LIVE_NEX_USER};
    struct nexauth_error error;

    (void)state;
    assert_int_equal(emulator_start(&other, NULL), 0);
    const struct nexauth_session_options options = {.ca_file = other.ca_file};
    nexauth_session *session = live_new_session(&options);
    nexauth_source *source = live_new_source(session, &who);
    assert_int_equal(live_get_status(source, &error), NEXAUTH_NETWORK);
    assert_int_equal(live_requests(), 0);
    nexauth_source_free(source);
    nexauth_session_free(session);
    assert_int_equal(emulator_stop(&other), 0);
}

static void a_ca_file_that_cannot_be_read_is_refused(void **state)
{
    static const char *const files[] = {"/nonexistent/ca.pem", "", "/"};

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const struct nexauth_session_options options = {.ca_file = files[i]};
        nexauth_session *session = NULL;
        struct nexauth_error error = {0};

        if (nexauth_session_new(&options, &session, &error) != NEXAUTH_INVALID) {
            nexauth_session_free(session);
            fail_msg("\"%s\" is taken", files[i]);
        }
        assert_null(session);
        assert_int_equal(error.status, NEXAUTH_INVALID);
        assert_string_not_equal(error.message, "");
    }
}

static void plain_http_is_for_loopback_and_only_where_it_is_allowed(void **state)
{
    static const struct {
        const char *origin;
        int loopback_http;
        nexauth_status status;
    } cases[] = {
        {"http://192.0.2.1", 1, NEXAUTH_INVALID},
        {"http://nexcloud.io", 1, NEXAUTH_INVALID},
        {"http://localhost.example.com", 1, NEXAUTH_INVALID},
        {"http://127.0.0.1.example.com", 1, NEXAUTH_INVALID},
        {"http://user@127.0.0.1", 1, NEXAUTH_INVALID},
        {"http://[::ffff:127.0.0.1]", 1, NEXAUTH_INVALID},
        {"http://0.0.0.0", 1, NEXAUTH_INVALID},
        {"ftp://127.0.0.1", 1, NEXAUTH_INVALID},
        {"http://127.0.0.1", 0, NEXAUTH_INVALID},
        {"http://localhost", 0, NEXAUTH_INVALID},
        {"http://[::1]", 0, NEXAUTH_INVALID},
        {"http://127.0.0.1", 1, NEXAUTH_OK},
        {"http://127.255.0.9:1", 1, NEXAUTH_OK},
        {"http://LocalHost:65535", 1, NEXAUTH_OK},
        {"http://[::1]:8080", 1, NEXAUTH_OK},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct nexauth_session_options options = {.loopback_http = cases[i].loopback_http};
        nexauth_session *session = live_new_session(&options);

        for (int kind = 0; kind < LIVE_KINDS; kind++) {
            const struct live_who who = {.kind = (enum live_kind)kind, .origin = cases[i].origin};
            nexauth_source *source = NULL;

            if (live_try_source(session, &who, &source, NULL) != cases[i].status)
                fail_msg("%s (%d)", cases[i].origin, cases[i].loopback_http);
            nexauth_source_free(source);
        }
        nexauth_session_free(session);
    }
}

static void plain_http_to_loopback_works_for_every_grant(void **state)
{
    const char *const origins[LIVE_KINDS] = {
        [LIVE_NEX_USER] = live_emulator.nex_http,
        [LIVE_NEX_CONTROLLER] = live_emulator.nex_http,
        [LIVE_QUANTOZ_TEST] = live_emulator.quantoz_test_http,
        [LIVE_QUANTOZ_PRODUCTION] = live_emulator.quantoz_production_http,
        [LIVE_NEXUSGUARD_APP] = live_emulator.nexusguard_http,
        [LIVE_NEXUSGUARD_USER] = live_emulator.nexusguard_http,
    };
    const struct nexauth_session_options options = {.loopback_http = 1};
    nexauth_session *session = live_new_session(&options);

    (void)state;
    for (int kind = 0; kind < LIVE_KINDS; kind++) {
        const struct live_who who = {.kind = (enum live_kind)kind, .origin = origins[kind]};

        if (!origins[kind])
            continue;
        nexauth_source *source = live_new_source(session, &who);
        nexauth_token_unref(live_get(source));
        nexauth_source_free(source);
    }
    assert_int_equal(live_requests(), 7);
    nexauth_session_free(session);
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, live_set_up, live_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(an_answer_that_comes_too_late_is_a_timeout),
        LIVE(a_refresh_that_is_answered_too_late_is_not_repeated),
        LIVE(a_connection_that_never_comes_about_is_a_timeout_and_spends_nothing),
        LIVE(an_answer_that_the_caller_did_not_await_is_kept_for_the_next_call),
        LIVE(an_answer_over_the_cap_counts_by_its_status_alone),
        LIVE(who_is_not_trusted_is_asked_nothing),
        LIVE(another_authority_is_not_trusted),
        LIVE(a_ca_file_that_cannot_be_read_is_refused),
        LIVE(plain_http_is_for_loopback_and_only_where_it_is_allowed),
        LIVE(plain_http_to_loopback_works_for_every_grant),
    };

    return cmocka_run_group_tests(tests, live_start, live_stop);
}
