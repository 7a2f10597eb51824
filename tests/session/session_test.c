/* Sessions: what their options allow, and names and versions. */
#include "support/test.h"

#include "session/session.h"
#include "support/script.h"

#include <stdio.h>
#include <string.h>

#define CERT NEXAUTH_TEST_DATA "/tls/client.pem"
#define KEY  NEXAUTH_TEST_DATA "/tls/client-key.pem"
#define PIN  "sha256//ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop+="

static void a_session_is_made_of_no_options_at_all(void **state)
{
    const struct nexauth_session_options none = {0};
    nexauth_session *session = NULL;

    (void)state;
    assert_int_equal(nexauth_session_new(NULL, &session, NULL), NEXAUTH_OK);
    nexauth_session_free(session);
    assert_int_equal(nexauth_session_new(&none, &session, NULL), NEXAUTH_OK);
    nexauth_session_free(session);
}

static void limits_are_taken_to_their_ends_and_refused_beyond(void **state)
{
    const struct {
        struct nexauth_session_options options;
        nexauth_status status;
        const char *name;
    } cases[] = {
        {{.exchange_timeout_ms = 1}, NEXAUTH_OK, ""},
        {{.exchange_timeout_ms = 600000}, NEXAUTH_OK, ""},
        {{.exchange_timeout_ms = 600001}, NEXAUTH_INVALID, "exchange_timeout_ms"},
        {{.exchange_timeout_ms = -1}, NEXAUTH_INVALID, "exchange_timeout_ms"},
        {{.connect_timeout_ms = 600000}, NEXAUTH_OK, ""},
        {{.connect_timeout_ms = 600001}, NEXAUTH_INVALID, "connect_timeout_ms"},
        {{.connect_timeout_ms = INT64_MIN}, NEXAUTH_INVALID, "connect_timeout_ms"},
        {{.max_connections = 1000}, NEXAUTH_OK, ""},
        {{.max_connections = 1001}, NEXAUTH_INVALID, "max_connections"},
        {{.max_connections = -1}, NEXAUTH_INVALID, "max_connections"},
        {{.max_answer_bytes = 1048576}, NEXAUTH_OK, ""},
        {{.max_answer_bytes = 1048577}, NEXAUTH_INVALID, "max_answer_bytes"},
        {{.max_answer_bytes = INT64_MAX}, NEXAUTH_INVALID, "max_answer_bytes"},
        {{.ca_file = NEXAUTH_TEST_DATA "/tls/ca.pem"}, NEXAUTH_OK, ""},
        {{.ca_file = "/dev/null"}, NEXAUTH_INVALID, "ca_file"},
        {{.ca_file = NEXAUTH_TEST_DATA}, NEXAUTH_INVALID, "ca_file"},
        {{.ca_file = "/nowhere/ca.pem"}, NEXAUTH_INVALID, "ca_file"},
        {{.ca_file = ""}, NEXAUTH_INVALID, "ca_file"},
        {{.client_cert_file = CERT, .client_key_file = KEY}, NEXAUTH_OK, ""},
        {{.client_cert_file = CERT}, NEXAUTH_INVALID, "client_cert_file and client_key_file"},
        {{.client_key_file = KEY}, NEXAUTH_INVALID, "client_cert_file and client_key_file"},
        {{.client_cert_file = "/nowhere", .client_key_file = KEY}, NEXAUTH_INVALID, "client_cert_file cannot"},
        {{.client_cert_file = CERT, .client_key_file = "/dev/null"}, NEXAUTH_INVALID, "client_key_file cannot"},
        {{.pinned_key = PIN}, NEXAUTH_OK, ""},
        {{.pinned_key = PIN ";" PIN}, NEXAUTH_OK, ""},
        {{.pinned_key = PIN ";"}, NEXAUTH_INVALID, "pinned_key"},
        {{.pinned_key = PIN PIN}, NEXAUTH_INVALID, "pinned_key"},
        {{.pinned_key = PIN "="}, NEXAUTH_INVALID, "pinned_key"},
        {{.pinned_key = "A" PIN}, NEXAUTH_INVALID, "pinned_key"},
        {{.pinned_key = ""}, NEXAUTH_INVALID, "pinned_key"},
        {{.pinned_key = "sha256//AAAA="}, NEXAUTH_INVALID, "pinned_key"},
        {{.pinned_key = "/etc/ssl/certs"}, NEXAUTH_INVALID, "pinned_key"},
        {{.proxy = "http://proxy.example.com:3128"}, NEXAUTH_OK, ""},
        {{.proxy = "HTTP://[::1]:3128"}, NEXAUTH_OK, ""},
        {{.proxy = ""}, NEXAUTH_INVALID, "proxy"},
        {{.proxy = "proxy.example.com:3128"}, NEXAUTH_INVALID, "proxy"},
        {{.proxy = "http://proxy.example.com"}, NEXAUTH_INVALID, "proxy"},
        {{.proxy = "http://proxy.example.com:3128/"}, NEXAUTH_INVALID, "proxy"},
        {{.proxy = "http://user:word@proxy.example.com:3128"}, NEXAUTH_INVALID, "proxy"},
        {{.proxy = "https://proxy.example.com:3128"}, NEXAUTH_INVALID, "proxy"},
        {{.proxy = "socks5://proxy.example.com:1080"}, NEXAUTH_INVALID, "proxy"},
        {{.reserved = {1}}, NEXAUTH_INVALID, "reserved"},
        {{.reserved = {0, 0, 0, 0, 0, 0, 0, 1}}, NEXAUTH_INVALID, "reserved"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nexauth_session *session = NULL;
        struct nexauth_error error = {0};

        assert_int_equal(nexauth_session_new(&cases[i].options, &session, &error), cases[i].status);
        assert_true((session != NULL) == (cases[i].status == NEXAUTH_OK));
        assert_int_equal(error.status, cases[i].status);
        assert_memory_equal(error.message, cases[i].name, strlen(cases[i].name));
        nexauth_session_free(session);
    }
}

static void without_randomness_there_is_no_session(void **state)
{
    const struct nexauth_session_options options = {.exchange_timeout_ms = 1, .max_answer_bytes = 1};
    nexauth_session *session = NULL;
    struct script script;
    struct nx_world world;

    (void)state;
    script_init(&script);
    script.entropy_fails = true;
    world = script_world(&script);
    assert_int_equal(nx_session_new_in(&world, &options, &session, NULL), NEXAUTH_NO_MEMORY);
    assert_null(session);
    assert_true(script.freed);
    script_release(&script);
}

static void a_session_needs_a_place_to_go(void **state)
{
    struct nexauth_error error = {0};

    (void)state;
    assert_int_equal(nexauth_session_new(NULL, NULL, &error), NEXAUTH_INVALID);
    assert_string_equal(error.message, "out is missing");
}

static void a_source_needs_session_options_and_out(void **state)
{
    const struct nexauth_static_options options = {.access_token = "key"};
    nexauth_session *session = NULL;
    nexauth_source *source = NULL;

    (void)state;
    assert_int_equal(nexauth_session_new(NULL, &session, NULL), NEXAUTH_OK);
    assert_int_equal(nexauth_source_new_static(NULL, &options, &source, NULL), NEXAUTH_INVALID);
    assert_int_equal(nexauth_source_new_static(session, NULL, &source, NULL), NEXAUTH_INVALID);
    assert_int_equal(nexauth_source_new_static(session, &options, NULL, NULL), NEXAUTH_INVALID);
    assert_null(source);
    nexauth_session_free(session);
}

static void every_status_has_its_name(void **state)
{
    static const char *const names[] = {"OK",      "INVALID",   "NO_MEMORY", "CONFIG",      "DENIED",
                                        "REAUTH",  "THROTTLED", "BLOCKED",   "UNAVAILABLE", "NETWORK",
                                        "TIMEOUT", "PROTOCOL",  "CANCELED",  "UNKNOWN"};

    (void)state;
    for (int status = NEXAUTH_OK; status <= NEXAUTH_CANCELED + 1; status++)
        assert_string_equal(nexauth_status_name((nexauth_status)status), names[status]);
    assert_string_equal(nexauth_status_name((nexauth_status)-1), "UNKNOWN");
}

static void the_version_is_that_of_the_header(void **state)
{
    char version[32];

    (void)state;
    snprintf(version, sizeof version, "%d.%d.%d", NEXAUTH_VERSION_MAJOR, NEXAUTH_VERSION_MINOR, NEXAUTH_VERSION_PATCH);
    assert_string_equal(NEXAUTH_VERSION, version);
    assert_string_equal(nexauth_version(), version);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_is_made_of_no_options_at_all),
        cmocka_unit_test(limits_are_taken_to_their_ends_and_refused_beyond),
        cmocka_unit_test(without_randomness_there_is_no_session),
        cmocka_unit_test(a_session_needs_a_place_to_go),
        cmocka_unit_test(a_source_needs_session_options_and_out),
        cmocka_unit_test(every_status_has_its_name),
        cmocka_unit_test(the_version_is_that_of_the_header),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
