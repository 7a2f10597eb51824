/*
 * What the emulator can be told to do wrong, what the library tells the caller of it, and how many requests it costs.
 * Where an answer is to be late, it never comes within the test: no test waits for one that comes just in time.
 */
#include "support/test.h"

#include "live.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NEX        "{\"service\":\"nex\",\"path\":\"/v1.0/Token\","
#define QUANTOZ    "{\"service\":\"quantoz_test\",\"path\":\"/connect/token\","
#define CONNECT    "{\"service\":\"nexusguard\",\"path\":\"/oauth/connect\","
#define CODE       "{\"service\":\"nexusguard\",\"path\":\"/oauth/access_token\","
#define REFRESH    "{\"service\":\"nexusguard\",\"path\":\"/oauth/refresh_token\","
#define BAN(mode)  "{\"service\":\"nex\",\"ban\":\"" mode "\"}"
#define LONGEST_MS 2000000000L

static const struct row {
    const char *name;
    enum live_kind kind;
    const char *fault;
    nexauth_status status;
    int64_t retry_after_ms; /* as the service states it; 0: it does not */
    int requests;           /* read to their end */
    int unread;
} rows[] = {
    {"a delay before reading", LIVE_NEX_USER, NEX "\"read_delay_ms\":1}", NEXAUTH_OK, 0, 1, 0},
    {"a delay before answering", LIVE_NEX_USER, NEX "\"delay_ms\":1}", NEXAUTH_OK, 0, 1, 0},
    {"a byte at a time", LIVE_NEX_USER, NEX "\"drip_ms\":1}", NEXAUTH_OK, 0, 1, 0},
    {"a byte at a time, in chunks", LIVE_QUANTOZ_TEST, QUANTOZ "\"drip_ms\":1,\"answer\":\"json\"}", NEXAUTH_OK, 0, 1,
     0},
    {"dropped before reading", LIVE_NEX_USER, NEX "\"drop\":\"before_reading\"}", NEXAUTH_OK, 0, 1, 1},
    {"dropped after reading", LIVE_NEX_USER, NEX "\"drop\":\"after_reading\"}", NEXAUTH_OK, 0, 2, 0},
    {"dropped in each answer by chunks", LIVE_QUANTOZ_TEST,
     QUANTOZ "\"drop\":\"in_answer\",\"answer\":\"json\",\"times\":0}", NEXAUTH_NETWORK, 0, 2, 0},
    /* Of a user, nothing has a second attempt. */
    {"a connect dropped in the answer", LIVE_NEXUSGUARD_USER, CONNECT "\"drop\":\"in_answer\"}", NEXAUTH_NETWORK, 0, 1,
     0},
    {"a connect dropped in an answer without a body", LIVE_NEXUSGUARD_USER,
     CONNECT "\"drop\":\"in_answer\",\"answer\":\"empty-500\"}", NEXAUTH_NETWORK, 0, 1, 0},
    {"a connect dropped before reading", LIVE_NEXUSGUARD_USER, CONNECT "\"drop\":\"before_reading\"}", NEXAUTH_NETWORK,
     0, 0, 1},
    {"a code dropped before reading", LIVE_NEXUSGUARD_USER, CODE "\"drop\":\"before_reading\"}", NEXAUTH_REAUTH, 0, 1,
     1},
    {"a code dropped in the answer", LIVE_NEXUSGUARD_USER, CODE "\"drop\":\"in_answer\"}", NEXAUTH_REAUTH, 0, 2, 0},
    {"a refresh dropped before reading", LIVE_NEXUSGUARD_SAVED, REFRESH "\"drop\":\"before_reading\"}", NEXAUTH_REAUTH,
     0, 0, 1},
    {"a refresh dropped in the answer", LIVE_NEXUSGUARD_SAVED, REFRESH "\"drop\":\"in_answer\"}", NEXAUTH_REAUTH, 0, 1,
     0},
    {"any Retry-After", LIVE_QUANTOZ_TEST,
     QUANTOZ "\"answer\":{\"name\":\"throttled\",\"headers\":{\"retry-after\":\"61\"}}}", NEXAUTH_THROTTLED, 61000, 1,
     0},
    {"an answer in one's own words", LIVE_QUANTOZ_TEST,
     QUANTOZ "\"answer\":{\"status\":503,\"headers\":{\"Retry-After\":\"5\"},\"body\":\"busy\"}}", NEXAUTH_THROTTLED,
     5000, 1, 0},
    {"a token in a shape", LIVE_NEX_USER, NEX "\"process\":true,\"answer\":{\"name\":\"json-bom\"}}", NEXAUTH_OK, 0, 1,
     0},
    {"a page", LIVE_NEX_USER, NEX "\"answer\":\"html-200\"}", NEXAUTH_PROTOCOL, 0, 1, 0},
    {"a refusal in place of a code's token", LIVE_NEXUSGUARD_USER, CODE "\"answer\":\"wrong-code\"}", NEXAUTH_REAUTH, 0,
     2, 0},
    /* A ban that meets a stranger, of whom nobody knows whether the door was ever open. */
    {"401 with a page", LIVE_NEX_USER, BAN("html-401"), NEXAUTH_DENIED, 0, 1, 0},
    {"403 with a page", LIVE_NEX_USER, BAN("html-403"), NEXAUTH_BLOCKED, 60000, 1, 0},
    {"404 with a page", LIVE_NEX_USER, BAN("html-404"), NEXAUTH_CONFIG, 0, 1, 0},
    {"401 with nothing", LIVE_NEX_USER, BAN("empty-401"), NEXAUTH_DENIED, 0, 1, 0},
    {"403 with nothing", LIVE_NEX_USER, BAN("empty-403"), NEXAUTH_DENIED, 0, 1, 0},
    {"404 with nothing", LIVE_NEX_USER, BAN("empty-404"), NEXAUTH_CONFIG, 0, 1, 0},
    {"a closed connection", LIVE_NEXUSGUARD_USER, "{\"service\":\"nexusguard\",\"ban\":\"close\"}", NEXAUTH_NETWORK, 0,
     1, 0},
};

static int count_all(const char *member)
{
    static const char *const services[] = {"nex *", "quantoz_test *", "quantoz_production *", "nexusguard *"};
    int sum = 0;

    for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
        const int count = emulator_count_member(&live_emulator, services[i], member, LONGEST_MS);
        assert_true(count >= 0);
        sum += count;
    }
    return sum;
}

static int run_row(const struct row *row)
{
    const struct live_who who = {.kind = row->kind};
    nexauth_session *session = live_new_session(NULL);
    nexauth_source *source = live_new_source(session, &who);
    struct nexauth_error error;
    int wrong;

    assert_int_equal(emulator_reset(&live_emulator), 0);
    live_fault(row->fault);
    const nexauth_status status = live_get_status(source, &error);
    wrong = status != row->status || !live_is_held(&error, row->retry_after_ms) ||
            count_all("requests") != row->requests || count_all("unread") != row->unread;
    if (wrong)
        print_error("%s: %s after %lld ms, %d requests, %d unread: %s\n", row->name, nexauth_status_name(status),
                    (long long)error.retry_after_ms, count_all("requests"), count_all("unread"), error.message);
    nexauth_source_free(source);
    nexauth_session_free(session);
    return wrong;
}

static void a_fault_has_its_status_and_costs_no_request_more(void **state)
{
    int wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        wrong += run_row(&rows[i]);
    assert_int_equal(wrong, 0);
}

/*
 * On a machine so slow that the request did not even leave in time, the next one may; or it arrives later, when the
 * next fault is there.
 */
static void an_answer_that_is_too_slow_is_a_timeout(void **state)
{
    static const char *const faults[] = {NEX "\"times\":0,\"read_delay_ms\":600000}",
                                         NEX "\"times\":0,\"delay_ms\":600000}", NEX "\"times\":0,\"drip_ms\":true}"};
    const struct nexauth_session_options options = {.exchange_timeout_ms = 300};
    const struct live_who who = {.kind = LIVE_NEX_USER};
    int tries = 0;

    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        assert_int_equal(emulator_reset(&live_emulator), 0);
        live_fault(faults[i]);
        do {
            tries++;
            nexauth_session *session = live_new_session(&options);
            nexauth_source *source = live_new_source(session, &who);
            struct nexauth_error error;
            assert_int_equal(live_get_status(source, &error), NEXAUTH_TIMEOUT);
            nexauth_source_free(source);
            nexauth_session_free(session);
        } while (count_all("largest_in_window") == 0);
        assert_in_range(count_all("largest_in_window"), 1, tries);
    }
}

static nexauth_status ask(nexauth_session *session, enum live_kind kind)
{
    const struct live_who who = {.kind = kind};
    struct nexauth_error error;

    return live_ask(session, &who, &error);
}

/* By a session that has not been answered before. */
static nexauth_status ask_anew(enum live_kind kind)
{
    nexauth_session *session = live_new_session(NULL);
    const nexauth_status status = ask(session, kind);

    nexauth_session_free(session);
    return status;
}

static void a_fault_meets_so_many_requests(void **state)
{
    (void)state;
    live_fault(QUANTOZ "\"times\":2,\"answer\":\"html-500\"}");
    for (int i = 0; i < 2; i++)
        assert_int_equal(ask_anew(LIVE_QUANTOZ_TEST), NEXAUTH_UNAVAILABLE);
    assert_int_equal(ask_anew(LIVE_QUANTOZ_TEST), NEXAUTH_OK);
}

static void a_fault_without_number_meets_all_until_it_is_cleared(void **state)
{
    (void)state;
    live_fault(QUANTOZ "\"times\":0,\"answer\":\"html-500\"}");
    for (int i = 0; i < 5; i++)
        assert_int_equal(ask_anew(LIVE_QUANTOZ_TEST), NEXAUTH_UNAVAILABLE);
    assert_int_equal(emulator_reset(&live_emulator), 0);
    assert_int_equal(ask_anew(LIVE_QUANTOZ_TEST), NEXAUTH_OK);
}

static void a_ban_of_who_was_served_is_seen_as_one(void **state)
{
    static const char *const modes[] = {"html-401", "html-403", "html-404", "empty-401", "empty-403", "empty-404"};

    (void)state;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        nexauth_session *session = live_new_session(NULL);
        char fault[128];
        assert_int_equal(ask(session, LIVE_NEX_USER), NEXAUTH_OK);
        snprintf(fault, sizeof fault, "{\"service\":\"nex\",\"ban\":\"%s\"}", modes[i]);
        live_fault(fault);
        assert_int_equal(ask(session, LIVE_NEX_USER), NEXAUTH_BLOCKED);
        nexauth_session_free(session);
    }
}

static void a_ban_meets_everything_at_the_origin_and_nothing_elsewhere(void **state)
{
    live_fault("{\"service\":\"nexusguard\",\"ban\":\"html-403\",\"times\":0}");
    assert_int_equal(ask(*state, LIVE_NEXUSGUARD_APP), NEXAUTH_BLOCKED);
    assert_int_equal(ask(*state, LIVE_NEXUSGUARD_USER), NEXAUTH_BLOCKED);
    assert_int_equal(ask(*state, LIVE_NEXUSGUARD_SAVED), NEXAUTH_BLOCKED);
    assert_int_equal(ask(*state, LIVE_QUANTOZ_TEST), NEXAUTH_OK);
    assert_int_equal(count_all("requests"), 4);
}

static void a_ban_ends_when_its_time_is_over(void **state)
{
    (void)state;
    live_fault("{\"service\":\"nex\",\"ban\":\"html-403\",\"for_ms\":3600000}");
    for (int i = 0; i < 3; i++)
        assert_int_equal(ask_anew(LIVE_NEX_USER), NEXAUTH_BLOCKED);
    assert_int_equal(emulator_advance(&live_emulator, 3600000), 0);
    assert_int_equal(ask_anew(LIVE_NEX_USER), NEXAUTH_OK);
}

/* A file of its own, with this text. The caller unlinks and frees its path. */
static char *write_file(const char *text)
{
    char *path = strdup("/tmp/faults-test-XXXXXX");

    assert_non_null(path);
    const int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, text, strlen(text)), (int)strlen(text));
    close(descriptor);
    return path;
}

static void a_recorded_answer_comes_from_a_file(void **state)
{
    char *path = write_file("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n"
                            "{\"access_token\":\"recorded\",\"expires_in\":60}");
    const struct live_who who = {.kind = LIVE_NEX_USER};
    nexauth_source *source = live_new_source(*state, &who);
    char fault[256];

    snprintf(fault, sizeof fault, NEX "\"answer\":{\"file\":\"%s\"}}", path);
    live_fault(fault);
    nexauth_token *token = live_get(source);
    assert_string_equal(nexauth_token_access_token(token), "recorded");
    assert_int_equal(nexauth_token_lifetime_s(token), 60);
    nexauth_token_unref(token);
    nexauth_source_free(source);
    unlink(path);
    free(path);
}

static void a_fault_on_the_command_line_is_there_from_the_start(void **state)
{
    static const char *const arguments[] = {"--fault", NEX "\"answer\":\"html-500\"}", "--fault",
                                            NEX "\"answer\":\"throttled\"}", NULL};
    static const nexauth_status expected[] = {NEXAUTH_UNAVAILABLE, NEXAUTH_THROTTLED, NEXAUTH_OK};
    struct emulator own;

    (void)state;
    assert_int_equal(emulator_start(&own, arguments), 0);
    const struct nexauth_session_options options = {.ca_file = own.ca_file};
    const struct live_who who = {.kind = LIVE_NEX_USER, .origin = own.nex_https};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        nexauth_session *session = live_new_session(&options);
        nexauth_source *source = live_new_source(session, &who);
        struct nexauth_error error;
        assert_int_equal(live_get_status(source, &error), expected[i]);
        nexauth_source_free(source);
        nexauth_session_free(session);
    }
    assert_int_equal(emulator_stop(&own), 0);
}

static const struct tls_row {
    const char *name;
    const char *origin;
    int connections;
    int requests;
    const char *words; /* part of the message */
} tls_rows[] = {
    {"tls_faults CLOSES_AT_ACCEPT", live_emulator.tls_closes_at_accept, 1, 0,
     "could not be reached: "}, /* before the handshake, or within it */
    {"tls_faults CLOSES_IN_HANDSHAKE", live_emulator.tls_closes_in_handshake, 1, 0,
     "could not be reached: the connection ended within the TLS handshake"},
    {"tls_faults PLAIN_TEXT", live_emulator.tls_plain_text, 1, 0, "the server does not speak TLS"},
    {"tls_faults TLS_1_1", live_emulator.tls_1_1, 1, 0, "the server speaks no TLS as new as 1.2"},
    {"tls_faults EXPIRED", live_emulator.tls_expired, 1, 0, "the server's certificate has expired"},
    {"tls_faults WRONG_NAME", live_emulator.tls_wrong_name, 1, 0, "the server's certificate is for another name"},
    {"tls_faults SELF_SIGNED", live_emulator.tls_self_signed, 1, 0,
     "the server's certificate is signed by nobody but itself"},
    {"tls_faults UNKNOWN_CA", live_emulator.tls_unknown_ca, 1, 0,
     "the server's certificate comes from an authority that is not trusted"},
    {"tls_faults CLIENTS_ONLY", live_emulator.tls_clients_only, 1, 0,
     "the server's certificate is not one for servers"},
    {"tls_faults WANTS_CERTIFICATE", live_emulator.tls_wants_certificate, 2, 0,
     "the server wants a certificate of the client"}, /* which asks by TLS 1.3, and refuses by TLS 1.2 */
    {"tls_faults WANTS_CERTIFICATE_1_2", live_emulator.tls_wants_certificate_1_2, 1, 0,
     "the server wants a certificate of the client"},
    {"tls_faults WANTS_CERTIFICATE_1_3", live_emulator.tls_wants_certificate_1_3, 2, 0,
     "the server wants a certificate of the client"},
    {"tls_faults WANTS_CERTIFICATE_LATER", live_emulator.tls_wants_certificate_later, 1, 1,
     "the server wants a certificate of the client"}, /* too late, but TLS failed: no second attempt */
    {"tls_faults CLOSES_AFTER_REQUEST", live_emulator.tls_closes_after_request, 2, 2,
     "did not answer before the connection ended"}, /* not TLS failed: a second attempt */
};

static int run_tls_row(const struct tls_row *row)
{
    const struct live_who who = {.kind = LIVE_NEX_USER, .origin = row->origin};
    nexauth_session *session = live_new_session(NULL);
    nexauth_source *source = live_new_source(session, &who);
    struct nexauth_error error;

    const nexauth_status status = live_get_status(source, &error);
    const int connections = emulator_count_member(&live_emulator, row->name, "connections", 1);
    const int requests = emulator_count_member(&live_emulator, row->name, "requests", 1);
    const int bytes = emulator_count_member(&live_emulator, row->name, "bytes", 1);
    const bool right = status == NEXAUTH_NETWORK && connections == row->connections && requests == row->requests &&
                       (bytes > 0) == (requests > 0) && strstr(error.message, row->words);
    if (!right)
        print_error("%s: %s, %d connections, %d requests, %d bytes: %s\n", row->name, nexauth_status_name(status),
                    connections, requests, bytes, error.message);
    nexauth_source_free(source);
    nexauth_session_free(session);
    return !right;
}

static void where_tls_fails_no_byte_of_a_request_leaves(void **state)
{
    int wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof tls_rows / sizeof *tls_rows; i++)
        wrong += run_tls_row(&tls_rows[i]);
    assert_int_equal(wrong, 0);
}

/* Three whole requests over fresh TLS, the first two of them one source's, and never an answer. */
static void connections_closed_below_http_are_a_ban_too(void **state)
{
    const struct live_who first = {.kind = LIVE_NEX_USER, .origin = live_emulator.tls_closes_after_request};
    const struct live_who second = {.kind = LIVE_NEX_CONTROLLER, .origin = live_emulator.tls_closes_after_request};
    struct nexauth_error error;

    assert_int_equal(live_ask(*state, &first, &error), NEXAUTH_NETWORK);
    assert_int_equal(live_ask(*state, &second, &error), NEXAUTH_BLOCKED);
    assert_int_equal(emulator_count_member(&live_emulator, "tls_faults CLOSES_AFTER_REQUEST", "requests", 1), 3);
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, live_set_up, live_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(a_fault_has_its_status_and_costs_no_request_more),
        LIVE(an_answer_that_is_too_slow_is_a_timeout),
        LIVE(a_fault_meets_so_many_requests),
        LIVE(a_fault_without_number_meets_all_until_it_is_cleared),
        LIVE(a_ban_of_who_was_served_is_seen_as_one),
        LIVE(a_ban_meets_everything_at_the_origin_and_nothing_elsewhere),
        LIVE(a_ban_ends_when_its_time_is_over),
        LIVE(a_recorded_answer_comes_from_a_file),
        LIVE(a_fault_on_the_command_line_is_there_from_the_start),
        LIVE(where_tls_fails_no_byte_of_a_request_leaves),
        LIVE(connections_closed_below_http_are_a_ban_too),
    };

    return cmocka_run_group_tests(tests, live_start, live_stop);
}
