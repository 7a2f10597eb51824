/* Connections that end too early, at every byte of an answer, however its end is marked: none brings a token. What is
 * sent is a refresh token, which leaves once. */
#include "support/test.h"

#include "nexauth/nexauth.h"
#include "support/listener.h"

#include <string.h>

#define ENVELOPE                                                                                                       \
    "{\"code\":0,\"result\":{\"access_token\":\"two\",\"refresh_token\":\"r\",\"expires_in\":1}}" /* of 77 bytes */

static nexauth_status ask(struct listener_answer answer, struct nexauth_error *error)
{
    const struct nexauth_session_options session_options = {.loopback_http = 1};
    struct listener *listener = listener_start("127.0.0.1");
    const struct nexauth_nexusguard_user_options options = {
        .app_id = "app", .refresh_token = "saved", .origin = listener_origin(listener)};
    nexauth_session *session = NULL;
    nexauth_source *source = NULL;
    nexauth_token *token = NULL;

    assert_int_equal(nexauth_session_new(&session_options, &session, NULL), NEXAUTH_OK);
    assert_int_equal(nexauth_source_new_nexusguard_user(session, &options, &source, NULL), NEXAUTH_OK);
    listener_answer(listener, answer);
    const nexauth_status status = nexauth_source_get_token(source, NULL, &token, error);
    assert_int_equal(listener_requests(listener), 1);
    nexauth_token_unref(token);
    nexauth_source_free(source);
    nexauth_session_free(session);
    listener_stop(listener);
    return status;
}

/* `spare`: so many bytes at the end may be missing or not. */
static void cut_everywhere(const char *text, size_t spare)
{
    const size_t size = strlen(text);
    struct nexauth_error error = {0};

    for (size_t i = 1; i < size - spare; i++) {
        const nexauth_status status = ask((struct listener_answer){.text = text, .length = i, .then = LISTENER_CLOSE},
                                          &error);

        if (status != NEXAUTH_REAUTH)
            fail_msg("%zu of %zu bytes: %s: %s", i, size, nexauth_status_name(status), error.message);
    }
    assert_int_equal(ask((struct listener_answer){.text = text, .then = LISTENER_CLOSE}, &error), NEXAUTH_OK);
}

static void an_answer_of_stated_length_that_is_cut_brings_no_token(void **state)
{
    (void)state;
    cut_everywhere("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 77\r\n\r\n" ENVELOPE, 0);
}

/* libcurl needs the last line's end no more. */
static void an_answer_in_chunks_that_is_cut_brings_no_token(void **state)
{
    (void)state;
    cut_everywhere("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4d\r\n" ENVELOPE "\r\n0\r\n\r\n", 1);
}

static void an_answer_that_the_connection_ends_and_that_is_cut_brings_no_token(void **state)
{
    (void)state;
    cut_everywhere("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" ENVELOPE, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_of_stated_length_that_is_cut_brings_no_token),
        cmocka_unit_test(an_answer_in_chunks_that_is_cut_brings_no_token),
        cmocka_unit_test(an_answer_that_the_connection_ends_and_that_is_cut_brings_no_token),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
