/*
 * Values that no caller should give to a verb: strings that are empty, too long or hold control characters, numbers out
 * of range, `reserved` that is not zero. Each is refused with INVALID, or taken where the header allows it, and what
 * was taken can be used.
 */
#include "support/test.h"

#include "nexauth/curl.h"
#include "session/pass_rig.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { TOO_LONG = 8192 + 1, HUGE_LENGTH = 3 * 1048576 };

static char too_long[TOO_LONG + 1];
static char huge[HUGE_LENGTH + 1];

static nexauth_status new_session(struct nexauth_session_options options)
{
    nexauth_session *session = NULL;
    struct nexauth_error error = {0};
    const nexauth_status status = nexauth_session_new(&options, &session, &error);

    assert_int_equal(session != NULL, status == NEXAUTH_OK);
    nexauth_session_free(session);
    return status;
}

static void a_session_refuses_such_numbers(void **state)
{
    static const int64_t beyond[] = {INT64_MIN, -1, 600001, INT64_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++) {
        const int64_t number = beyond[i];
        const int64_t larger = number == 600001 ? 1048577 : number;

        assert_int_equal(new_session((struct nexauth_session_options){.exchange_timeout_ms = number}), NEXAUTH_INVALID);
        assert_int_equal(new_session((struct nexauth_session_options){.connect_timeout_ms = number}), NEXAUTH_INVALID);
        assert_int_equal(new_session((struct nexauth_session_options){.max_connections = number}), NEXAUTH_INVALID);
        assert_int_equal(new_session((struct nexauth_session_options){.max_answer_bytes = larger}), NEXAUTH_INVALID);
    }
    for (size_t i = 0; i < 8; i++) {
        struct nexauth_session_options options = {0};

        options.reserved[i] = 1;
        assert_int_equal(new_session(options), NEXAUTH_INVALID);
    }
}

static void a_session_refuses_such_files(void **state)
{
    static const char *const files[] = {"", "/", "/dev/null", "/nowhere/at\nall", "\x01", too_long, huge};

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        assert_int_equal(new_session((struct nexauth_session_options){.ca_file = files[i]}), NEXAUTH_INVALID);
}

static void a_session_refuses_such_limits(void **state)
{
    static const struct nexauth_limit limits[] = {
        {.name = NULL, .requests = 1},
        {.name = "", .requests = 1},
        {.name = "a\nb", .requests = 1},
        {.name = huge, .requests = 1},
        {.name = "api", .requests = -1},
        {.name = "api", .requests = 100001},
        {.name = "api", .requests = INT64_MAX},
        {.name = "api", .window_ms = -1},
        {.name = "api", .window_ms = 86400001},
        {.name = "api", .window_ms = INT64_MIN},
        {.name = "api", .origin = "", .requests = 1},
        {.name = "api", .origin = "https://a/b", .requests = 1},
        {.name = "api", .origin = "https://a\n", .requests = 1},
        {.name = "api", .origin = huge, .requests = 1},
    };
    static struct nexauth_limit many[65];

    (void)state;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        if (new_session((struct nexauth_session_options){.limits = &limits[i], .limits_count = 1}) != NEXAUTH_INVALID)
            fail_msg("limit %zu is taken", i);
    }
    for (size_t i = 0; i < 65; i++)
        many[i] = (struct nexauth_limit){.name = "api", .requests = 1};
    assert_int_equal(new_session((struct nexauth_session_options){.limits = many, .limits_count = 64}), NEXAUTH_OK);
    assert_int_equal(new_session((struct nexauth_session_options){.limits = many, .limits_count = 65}),
                     NEXAUTH_INVALID);
    assert_int_equal(new_session((struct nexauth_session_options){.limits = many, .limits_count = SIZE_MAX}),
                     NEXAUTH_INVALID);
}

static void note_token(void *context, nexauth_token *token, const struct nexauth_error *problem)
{
    (void)context;
    (void)token;
    (void)problem;
}

/* In each of the ways to ask. */
static void assert_no_way_to_ask(nexauth_source *source, const struct nexauth_get_options *options)
{
    nexauth_token *token = NULL;
    nexauth_call *call = NULL;
    char buffer[64] = "";
    size_t size = 0;

    assert_int_equal(nexauth_source_get_token(source, options, &token, NULL), NEXAUTH_INVALID);
    assert_int_equal(nexauth_source_copy_token(source, options, buffer, sizeof buffer, &size, NULL), NEXAUTH_INVALID);
    assert_int_equal(nexauth_source_start(source, options, note_token, NULL, &call, NULL), NEXAUTH_INVALID);
    assert_null(token);
    assert_null(call);
    assert_string_equal(buffer, "");
}

static void a_wait_refuses_such_numbers(void **state)
{
    const struct rig *rig = *state;
    static const struct nexauth_get_options wrong[] = {
        {.timeout_ms = -1},
        {.timeout_ms = 3600001},
        {.timeout_ms = INT64_MAX},
        {.timeout_ms = INT64_MIN},
        {.min_validity_s = -1},
        {.min_validity_s = 31536001},
        {.min_validity_s = INT64_MIN},
        {.min_validity_s = INT64_MAX},
    };
    static const int64_t waits[] = {-1, 86400001, INT64_MIN, INT64_MAX};

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_no_way_to_ask(rig->source, &wrong[i]);
    for (size_t i = 0; i < 8; i++) {
        struct nexauth_get_options options = {0};

        options.reserved[i] = 1;
        assert_no_way_to_ask(rig->source, &options);
    }
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++)
        assert_int_equal(nexauth_session_poll(rig->fixture.session, waits[i], NULL), NEXAUTH_INVALID);
}

static void note_permit(void *context, nexauth_permit *permit, const struct nexauth_error *problem)
{
    (void)context;
    (void)permit;
    (void)problem;
}

static void assert_no_permit(nexauth_source *source, const struct nexauth_permit_options *options)
{
    const struct nexauth_perform_options same = {
        .url = options->url, .timeout_ms = options->timeout_ms, .reserved = {options->reserved[0]}};
    nexauth_permit *permit = NULL;
    nexauth_call *call = NULL;
    CURL *easy = curl_easy_init();

    if (nexauth_permit_begin(source, options, &permit, NULL) != NEXAUTH_INVALID)
        fail_msg("a permit for %.40s", options->url);
    assert_int_equal(nexauth_permit_start(source, options, note_permit, NULL, &call, NULL), NEXAUTH_INVALID);
    assert_int_equal(nexauth_perform(source, easy, &same, NULL), NEXAUTH_INVALID);
    assert_null(permit);
    assert_null(call);
    curl_easy_cleanup(easy);
}

static void a_permit_refuses_such_values(void **state)
{
    const struct rig *rig = *state;
    static const struct nexauth_permit_options wrong[] = {
        {.url = ""},
        {.url = "\n"},
        {.url = NEX_URL "\r\nHost: a"},
        {.url = NEX_URL " "},
        {.url = NEX_URL "\x7f"},
        {.url = NEX_URL "\xc3\xa9"},
        {.url = NEX_URL "\\"},
        {.url = "nexcloud.io"},
        {.url = "https://"},
        {.url = "https://nexcloud.io@127.0.0.1/"},
        {.url = "https://a:b@nexcloud.io/"},
        {.url = "file:///etc/passwd"},
        {.url = NEX_URL "?access_token=a"},
        {.url = huge},
        {.url = NEX_URL, .timeout_ms = -1},
        {.url = NEX_URL, .timeout_ms = 3600001},
        {.url = NEX_URL, .timeout_ms = INT64_MIN},
        {.url = NEX_URL, .reserved = {1}},
    };
    struct nexauth_permit_options longest = {.url = too_long};

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_no_permit(rig->source, &wrong[i]);
    memcpy(too_long, NEX_URL, sizeof NEX_URL - 1);
    assert_no_permit(rig->source, &longest);
}

static void an_answer_has_a_status_or_a_loss(void **state)
{
    const struct rig *rig = *state;
    static const struct nexauth_answer wrong[] = {
        {.http_status = -1},
        {.http_status = 100},
        {.http_status = 199},
        {.http_status = 1000},
        {.http_status = INT_MIN},
        {.http_status = INT_MAX},
        {.loss = -1},
        {.loss = 3},
        {.loss = INT_MAX},
        {.http_status = 200, .reserved = {1}},
        {.http_status = 200, .reserved = {0, 0, 0, 0, 0, 0, 0, 1}},
    };
    static const struct nexauth_answer strange[] = {
        {.http_status = 200, .retry_after = "", .date = "", .content_type = ""},
        {.http_status = 429, .retry_after = "-1\n\x7f", .date = "\x01", .content_type = "text/html\r\n\r\n"},
        {.http_status = 503, .retry_after = huge, .date = huge, .content_type = huge},
        {.http_status = 401, .retry_after = "99999999999999999999999999", .content_type = huge},
    };
    nexauth_permit *permit = rig_take(rig->source, NEX_URL);

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (nexauth_permit_end(permit, &wrong[i], NULL) != NEXAUTH_INVALID)
            fail_msg("answer %zu is taken", i);
    }
    assert_int_equal(nexauth_permit_send_again(permit, NULL), NEXAUTH_OK);
    assert_int_equal(rig_end(permit, &strange[0], NULL), NEXAUTH_OK);
    for (size_t i = 1; i < sizeof strange / sizeof *strange; i++) {
        struct nexauth_error error = {0};

        rig_pass_ms(*state, INT32_MAX);
        script_answer_always(&((struct rig *)*state)->fixture.script,
                             (struct script_answer){.status = 200, .body = "{\"access_token\":\"a\"}"});
        permit = rig_take(rig->source, NEX_URL);
        assert_int_not_equal(rig_end(permit, &strange[i], &error), NEXAUTH_INVALID);
        assert_in_range(error.retry_after_ms, 0, INT64_MAX / 2);
    }
}

static void a_saved_token_is_one(void **state)
{
    struct rig *rig = *state;
    static const struct nexauth_saved_token wrong[] = {
        {.access_token = "", .obtained_at = 1, .expires_at = 2, .lifetime_s = 1},
        {.access_token = "a b", .obtained_at = 1, .expires_at = 2, .lifetime_s = 1},
        {.access_token = "a\n", .obtained_at = 1, .expires_at = 2, .lifetime_s = 1},
        {.access_token = huge, .obtained_at = 1, .expires_at = 2, .lifetime_s = 1},
        {.access_token = "a", .scope = "\x01", .obtained_at = 1, .expires_at = 2, .lifetime_s = 1},
        {.access_token = "a", .scope = huge, .obtained_at = 1, .expires_at = 2, .lifetime_s = 1},
        {.access_token = "a", .refresh_token = "a", .obtained_at = 1, .expires_at = 2, .lifetime_s = 1},
        {.access_token = "a"},
        {.access_token = "a", .obtained_at = 1, .expires_at = 2, .lifetime_s = -1},
        {.access_token = "a", .obtained_at = 1, .expires_at = 2, .lifetime_s = INT64_MIN},
        {.access_token = "a", .obtained_at = 1, .expires_at = 2, .lifetime_s = 1, .reserved = {1}},
    };
    nexauth_source *source = rig_controller(rig, 2);

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (nexauth_source_restore_token(source, &wrong[i], NULL) != NEXAUTH_INVALID)
            fail_msg("saved token %zu is taken", i);
    }
    nexauth_source_free(source);
}

/* What is taken can be used, whatever the arithmetic comes to. */
static void extreme_times_can_be_used(void **state)
{
    static const int64_t times[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX};
    enum { TIMES = sizeof times / sizeof *times };
    struct rig *rig = *state;

    for (size_t i = 0; i < (size_t)TIMES * TIMES * TIMES; i++) {
        const struct nexauth_saved_token saved = {.access_token = "saved",
                                                  .obtained_at = times[i % TIMES],
                                                  .expires_at = times[i / TIMES % TIMES],
                                                  .lifetime_s = times[i / TIMES / TIMES]};
        const struct nexauth_static_options until = {.access_token = "static", .expires_at = saved.expires_at};
        nexauth_source *source = rig_controller(rig, 3);
        nexauth_source *other = NULL;
        struct nexauth_stats stats = {0};
        nexauth_token *token = NULL;

        script_answer_always(&rig->fixture.script,
                             (struct script_answer){.status = 200, .body = "{\"access_token\":\"a\"}"});
        assert_int_equal(nexauth_source_new_static(rig->fixture.session, &until, &other, NULL), NEXAUTH_OK);
        nexauth_source_restore_token(source, &saved, NULL);
        for (int both = 0; both < 2; both++) {
            if (nexauth_source_get_token(both ? source : other, NULL, &token, NULL))
                continue;
            assert_in_range(nexauth_token_lifetime_s(token), 0, INT64_MAX);
            assert_int_equal(nexauth_source_stats(both ? source : other, &stats, NULL), NEXAUTH_OK);
            nexauth_token_unref(token);
        }
        nexauth_source_free(other);
        nexauth_source_free(source);
        rig_pass_ms(rig, 2000);
    }
}

static void a_redirect_is_one(void **state)
{
    struct rig *rig = *state;
    static const char good[] = "0123456789abcdef0123456789abcdef";
    static const char *const states[] = {"", "0", "\n", too_long, huge, "0123456789abcdef0123456789abcde\n"};
    static const char *const urls[] = {"",       "\n", "/callback?code=\n&state=0123456789abcdef0123456789abcdef", "?",
                                       too_long, huge, "/callback?code=&state=0123456789abcdef0123456789abcdef"};
    struct nexauth_nexusguard_user_options options = fixture_customer;
    nexauth_source *source;

    options.web_handler = 1;
    source = fixture_new_customer(&rig->fixture, &options);
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        const nexauth_status status = nexauth_source_accept_redirect(source, "/callback?code=a&state=b", states[i],
                                                                     NULL);

        assert_true(status == NEXAUTH_INVALID || status == NEXAUTH_PROTOCOL);
    }
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        const nexauth_status status = nexauth_source_accept_redirect(source, urls[i], good, NULL);

        if (status != NEXAUTH_INVALID && status != NEXAUTH_PROTOCOL)
            fail_msg("url %zu: %s", i, nexauth_status_name(status));
    }
    nexauth_source_free(source);
}

static void texts_that_are_no_tokens_reject_none(void **state)
{
    const struct rig *rig = *state;
    static const char *const texts[] = {
        "", "\n", too_long, huge, "one", "Authorization: Bearer on", "Authorization: Bearer one\n"};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(nexauth_source_reject_copy(rig->source, texts[i], NULL), NEXAUTH_OK);
    assert_int_equal(fixture_get(rig->source, "one", NULL), NEXAUTH_OK);
}

static int set_up(void **state)
{
    memset(too_long, 'a', TOO_LONG);
    memset(huge, 'a', HUGE_LENGTH);
    *state = rig_new_nex(1000);
    return 0;
}

static int tear_down(void **state)
{
    rig_free(*state);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_session_refuses_such_numbers),
        TEST(a_session_refuses_such_files),
        TEST(a_session_refuses_such_limits),
        TEST(a_wait_refuses_such_numbers),
        TEST(a_permit_refuses_such_values),
        TEST(an_answer_has_a_status_or_a_loss),
        TEST(a_saved_token_is_one),
        TEST(extreme_times_can_be_used),
        TEST(a_redirect_is_one),
        TEST(texts_that_are_no_tokens_reject_none),
    };

    return cmocka_run_group_tests_name("values that are wrong", tests, NULL, NULL);
}
