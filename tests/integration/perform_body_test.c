/* What an application sends and receives with nexauth_perform(), and what becomes of it when there is a second attempt.
 */
#include "support/test.h"

#include "live.h"
#include "performer.h"
#include "support/listener.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STREAM     "/v1.0/Stream"
#define CONTROLLER "/v1.0/Controller"
#define NEX_TOKEN  "nex /v1.0/Token"
#define NEX_STREAM "nex /v1.0/Stream"
#define BYTES      "{\"Bytes\":307200}"
#define NOTHING    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

enum { UPLOAD = 300 * 1024 };

static const struct live_who nex = {.kind = LIVE_NEX_CONTROLLER};

/* How the application hands over what is to be sent. */
enum way { BY_CALLBACK, BY_CALLBACK_IN_CHUNKS, BY_POINTER, WAYS };

/* A call that uploads. */
struct uploading {
    struct performer performer;
    nexauth_source *source;
    struct curl_slist *headers;
    char *bytes;
};

static char *make_object(void)
{
    char *object = malloc(UPLOAD + 1);

    assert_non_null(object);
    assert_int_equal(snprintf(object, UPLOAD + 1, "{\"a\":\"%0*d\"}", UPLOAD - (int)strlen("{\"a\":\"\"}"), 0), UPLOAD);
    return object;
}

static void begin(struct uploading *uploading, nexauth_session *session, enum way way)
{
    assert_int_equal(emulator_reset(&live_emulator), 0);
    *uploading = (struct uploading){.source = live_new_source(session, &nex), .bytes = make_object()};
    performer_begin(&uploading->performer);
    uploading->headers = curl_slist_append(NULL, "Content-Type: application/json");
    if (way == BY_CALLBACK_IN_CHUNKS)
        curl_slist_append(uploading->headers, "Transfer-Encoding: chunked");
    uploading->performer.options.headers = uploading->headers;
    if (way == BY_POINTER) {
        curl_easy_setopt(uploading->performer.easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)UPLOAD);
        curl_easy_setopt(uploading->performer.easy, CURLOPT_POSTFIELDS, uploading->bytes);
    } else {
        performer_set_upload(&uploading->performer, uploading->bytes, UPLOAD);
    }
    if (way == BY_CALLBACK_IN_CHUNKS)
        curl_easy_setopt(uploading->performer.easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)-1);
}

static void end(struct uploading *uploading)
{
    performer_end(&uploading->performer);
    curl_slist_free_all(uploading->headers);
    nexauth_source_free(uploading->source);
    free(uploading->bytes);
}

static const char *stream(void)
{
    return performer_url(live_emulator.nex_https, STREAM);
}

static void an_upload_arrives_whole_and_once(void **state)
{
    for (int way = 0; way < WAYS; way++) {
        struct uploading uploading;

        begin(&uploading, *state, (enum way)way);
        performer_assert(&uploading.performer, uploading.source, stream(), 200);
        assert_string_equal(uploading.performer.body, BYTES);
        assert_int_equal(live_requests_at(NEX_STREAM), 1);
        end(&uploading);
    }
}

static void an_upload_that_is_rewound_arrives_whole_at_the_second_attempt(void **state)
{
    for (int way = 0; way < WAYS; way++) {
        struct uploading uploading;

        begin(&uploading, *state, (enum way)way);
        nexauth_token_unref(live_get(uploading.source));
        assert_int_equal(emulator_revoke_access(&live_emulator, NULL), 0);
        performer_assert(&uploading.performer, uploading.source, stream(), 200);
        assert_string_equal(uploading.performer.body, BYTES);
        assert_int_equal(uploading.performer.rewinds, 1);
        assert_int_equal(live_requests_at(NEX_STREAM), 2);
        assert_int_equal(live_requests_at(NEX_TOKEN), 2);
        end(&uploading);
    }
}

static void an_upload_that_is_not_rewound_is_not_sent_again(void **state)
{
    for (int way = 0; way < WAYS; way++) {
        struct uploading uploading;
        struct nexauth_error error = {0};

        begin(&uploading, *state, (enum way)way);
        nexauth_token_unref(live_get(uploading.source));
        assert_int_equal(emulator_revoke_access(&live_emulator, NULL), 0);
        uploading.performer.options.rewind = NULL;
        assert_int_equal(performer_perform(&uploading.performer, uploading.source, stream(), &error), NEXAUTH_DENIED);
        assert_int_equal(error.http_status, 401);
        assert_int_equal(live_requests_at(NEX_STREAM), 1);
        end(&uploading);
    }
}

/* What the first attempt brought lies in the application's buffer until it is told to empty it. */
static int keep(void *context)
{
    (void)context;
    return 0;
}

static void a_download_begins_anew_only_if_it_is_rewound(void **state)
{
    static const struct {
        nexauth_rewind_callback rewind;
        bool begins_with_the_list;
    } cases[] = {{performer_rewind, true}, {keep, false}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nexauth_source *source = live_new_source(*state, &nex);
        struct performer performer;

        performer_begin(&performer);
        performer.options.rewind = cases[i].rewind;
        nexauth_token_unref(live_get(source));
        assert_int_equal(emulator_revoke_access(&live_emulator, NULL), 0);
        performer_assert(&performer, source, performer_url(live_emulator.nex_https, CONTROLLER), 200);
        assert_int_equal(performer.body[0] == '[', cases[i].begins_with_the_list);
        assert_non_null(strstr(performer.body, "111aa"));
        performer_end(&performer);
        nexauth_source_free(source);
    }
}

static void set_method(struct performer *performer, const char *method)
{
    if (strcmp(method, "HEAD") == 0) {
        curl_easy_setopt(performer->easy, CURLOPT_NOBODY, 1L);
    } else if (strcmp(method, "PUT") == 0) {
        performer_set_upload(performer, "{}", 2);
        curl_easy_setopt(performer->easy, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(performer->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)2);
    } else if (strcmp(method, "GET") != 0) {
        curl_easy_setopt(performer->easy, CURLOPT_CUSTOMREQUEST, method);
    }
}

static void the_method_is_the_applications(void **state)
{
    static const char *const methods[] = {"GET", "HEAD", "PUT", "DELETE", "PATCH"};
    const struct nexauth_session_options options = {.loopback_http = 1};
    struct listener *listener = listener_start("127.0.0.1");
    nexauth_session *session = live_new_session(&options);
    nexauth_source *source = NULL;
    char line[64];

    (void)state;
    assert_non_null(listener);
    const struct nexauth_static_options fixed = {.access_token = "one", .api_origins = listener_origin(listener)};
    assert_int_equal(nexauth_source_new_static(session, &fixed, &source, NULL), NEXAUTH_OK);
    for (int i = 0; i < (int)(sizeof methods / sizeof *methods); i++) {
        struct performer performer;

        performer_begin(&performer);
        set_method(&performer, methods[i]);
        listener_answer(listener, (struct listener_answer){.text = NOTHING, .then = LISTENER_CLOSE});
        performer_assert(&performer, source, performer_url(listener_origin(listener), "/a?b=c#d"), 200);
        snprintf(line, sizeof line, "%s /a?b=c HTTP/1.1\r\n", methods[i]);
        assert_memory_equal(listener_request(listener, i), line, strlen(line));
        assert_non_null(strstr(listener_request(listener, i), "\r\nAuthorization: Bearer one\r\n"));
        performer_end(&performer);
    }
    nexauth_source_free(source);
    nexauth_session_free(session);
    listener_stop(listener);
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, live_set_up, live_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(an_upload_arrives_whole_and_once),
        LIVE(an_upload_that_is_rewound_arrives_whole_at_the_second_attempt),
        LIVE(an_upload_that_is_not_rewound_is_not_sent_again),
        LIVE(a_download_begins_anew_only_if_it_is_rewound),
        LIVE(the_method_is_the_applications),
    };

    return cmocka_run_group_tests(tests, live_start, live_stop);
}
