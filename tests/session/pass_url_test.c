/* Where a token may be carried, and how a permit words it. */
#include "session/pass_rig.h"
#include "support/test.h"

#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

enum { LONGEST = 8192 };

static nexauth_status judge(nexauth_source *source, const char *url)
{
    const struct nexauth_permit_options options = {.url = url};
    struct carried carried = {0};
    nexauth_permit *permit = NULL;
    struct nexauth_error error = {0};
    struct nexauth_error again = {0};
    const nexauth_status status = nexauth_permit_begin(source, &options, &permit, &error);

    if (!status) {
        nexauth_permit_free(permit);
        return status;
    }
    assert_null(permit);
    assert_int_equal(error.status, status);
    /* The other way says the same, at once. */
    assert_int_equal(nexauth_permit_start(source, &options, carried_note, &carried, NULL, &again), status);
    assert_string_equal(again.message, error.message);
    assert_int_equal(carried.runs, 0);
    return status;
}

static void judge_all(nexauth_source *source, const char *const *urls, size_t count, nexauth_status expected)
{
    for (size_t i = 0; i < count; i++) {
        const nexauth_status status = judge(source, urls[i]);

        if (status != expected)
            fail_msg("%s: %s", urls[i], nexauth_status_name(status));
    }
}

static void a_token_goes_to_the_origins_of_its_api_alone(void **state)
{
    static const char *const right[] = {
        "https://nexcloud.io",
        "https://nexcloud.io/",
        "https://nexcloud.io?a",
        "https://nexcloud.io/#f",
        "https://NexCloud.IO/a",
        "HTTPS://nexcloud.io/a",
        "https://nexcloud.io:443/a",
        "https://nexcloud.io:00443/a",
        "https://nexcloud.io/a?xaccess_token=1",
        "https://nexcloud.io/?b#access_token=1",
        "https://nexcloud.io/access_token=1",
        "https://nexcloud.io/?a=access_token",
        "https://nexcloud.io/%0d%0a",
        "https://nexcloud.io/?access_tokens=1",
    };
    static const char *const wrong[] = {
        "",
        "/v1.0/Controller",
        "nexcloud.io/v1.0",
        "//nexcloud.io/v1.0",
        "ftp://nexcloud.io/",
        "http://nexcloud.io/",
        "http://nexcloud.io:443/",
        "https://nexcloud.io:80/",
        "https://nexcloud.io:8443/",
        "https://nexcloud.io:0/",
        "https://nexcloud.io.:443/",
        "https://nexcloud.io./",
        "https://nexcloud.io.example.com/",
        "https://www.nexcloud.io/",
        "https://nexcloud.i/",
        "https://nexcloud.ioo/",
        "https://xnexcloud.io/",
        "https://example.com/nexcloud.io",
        "https://example.com?https://nexcloud.io",
        "https://example.com#https://nexcloud.io",
        "https://user@nexcloud.io/",
        "https://user:word@nexcloud.io/",
        "https://nexcloud.io@example.com/",
        "https://nexcloud.io:443@example.com/",
        "https://nexcloud.io%2eexample.com/",
        "https://nexcloud.io\\@example.com/",
        "https://nexcloud.io\\.example.com/",
        "https://nexcloud.io/a\\b",
        "https:\\\\nexcloud.io/",
        "https:///nexcloud.io/",
        "https:/nexcloud.io/",
        " https://nexcloud.io/",
        "https://nexcloud.io/a b",
        "https://nexcloud.io/a\tb",
        "https://nexcloud.io/a\r\nX: y",
        "https://nexcloud.io/a\nb",
        "https://nexcloud.io/a#\n",
        "https://nexcloud.io/\x01",
        "https://nexcloud.io/\x7f",
        "https://nexcloud.io/\xc3\xa4",
        "https://nexcloud.io/?access_token=1",
        "https://nexcloud.io/?Access%5fTOKEN=1",
        "https://nexcloud.io/?access_token",
        "https://nexcloud.io/?a=b&access_token=1&c",
        "https://nexcloud.io?access_token=",
        "https://nexcloud.io/?access%5ftoken=1",
        "https://nexcloud.io/?a&%61ccess%5Ftoke%6E",
    };
    struct rig *rig = rig_new_nex(100);

    (void)state;
    judge_all(rig->source, right, COUNT(right), NEXAUTH_OK);
    judge_all(rig->source, wrong, COUNT(wrong), NEXAUTH_INVALID);
    rig_free(rig);
}

static void a_url_has_a_longest(void **state)
{
    struct rig *rig = rig_new_nex(100);
    char url[LONGEST + 2] = NEX_URL;

    (void)state;
    memset(url + strlen(NEX_URL), 'x', LONGEST + 1 - strlen(NEX_URL));
    assert_int_equal(judge(rig->source, url), NEXAUTH_INVALID);
    url[LONGEST] = '\0';
    assert_int_equal(judge(rig->source, url), NEXAUTH_OK);
    rig_free(rig);
}

/* A part of an origin that is the same says nothing: each is compared as a whole. */
static void there_may_be_several_origins(void **state)
{
    static const char *const right[] = {"https://one.example/", "https://two.example:8443/", "http://127.0.0.1:8080/",
                                        "http://localhost/a"};
    static const char *const wrong[] = {"https://two.example/",    "https://one.example:8443/", "http://127.0.0.1/",
                                        "https://127.0.0.1:8080/", "http://localhost:8080/",    "https://localhost/"};
    struct rig *rig = rig_new(NULL, 0);
    nexauth_source *source = rig_static(
        rig, "key", "https://one.example https://TWO.example:8443 http://127.0.0.1:8080 http://localhost");

    (void)state;
    judge_all(source, right, COUNT(right), NEXAUTH_OK);
    judge_all(source, wrong, COUNT(wrong), NEXAUTH_INVALID);
    nexauth_source_free(source);
    rig_free(rig);
}

static void a_static_token_goes_nowhere_unless_it_is_said_where(void **state)
{
    static const char *const wrong[] = {"https://testapi.quantoz.com/", "https://nexcloud.io/", "http://localhost/"};
    struct rig *rig = rig_new(NULL, 0);
    nexauth_source *source = rig_static(rig, "key", NULL);

    (void)state;
    judge_all(source, wrong, COUNT(wrong), NEXAUTH_INVALID);
    nexauth_source_free(source);
    rig_free(rig);
}

/* ---- Where the vendors' APIs are --------------------------------------------------------------------------------- */

static nexauth_status quantoz(nexauth_session *session, int environment, const char *origin, const char *api_origins,
                              nexauth_source **out)
{
    const struct nexauth_quantoz_options options = {.client_id = "client",
                                                    .client_secret = "the-secret",
                                                    .origin = origin,
                                                    .api_origins = api_origins,
                                                    .environment = environment};

    return nexauth_source_new_quantoz(session, &options, out, NULL);
}

static nexauth_status quantoz_test(nexauth_session *session, const char *origin, const char *apis, nexauth_source **out)
{
    return quantoz(session, NEXAUTH_QUANTOZ_TEST, origin, apis, out);
}

static nexauth_status quantoz_production(nexauth_session *session, const char *origin, const char *apis,
                                         nexauth_source **out)
{
    return quantoz(session, NEXAUTH_QUANTOZ_PRODUCTION, origin, apis, out);
}

static nexauth_status nex_user(nexauth_session *session, const char *origin, const char *apis, nexauth_source **out)
{
    const struct nexauth_nex_user_options options = {.client_id = "mycompany",
                                                     .client_secret = "abc123",
                                                     .username = "myname",
                                                     .password = "xyz456",
                                                     .origin = origin,
                                                     .api_origins = apis};

    return nexauth_source_new_nex_user(session, &options, out, NULL);
}

static nexauth_status nex_controller(nexauth_session *session, const char *origin, const char *apis,
                                     nexauth_source **out)
{
    struct nexauth_nex_controller_options options = fixture_controller;

    options.origin = origin;
    options.api_origins = apis;
    return nexauth_source_new_nex_controller(session, &options, out, NULL);
}

static nexauth_status app(nexauth_session *session, const char *origin, const char *apis, nexauth_source **out)
{
    const struct nexauth_nexusguard_app_options options = {
        .app_id = "app", .secret = "app-secret", .origin = origin, .api_origins = apis};

    return nexauth_source_new_nexusguard_app(session, &options, out, NULL);
}

static nexauth_status customer(nexauth_session *session, const char *origin, const char *apis, nexauth_source **out)
{
    struct nexauth_nexusguard_user_options options = fixture_customer;

    options.origin = origin;
    options.api_origins = apis;
    return nexauth_source_new_nexusguard_user(session, &options, out, NULL);
}

/* Carried there: the URL is none of the reasons to fail. No token comes in this world. */
static bool is_carried_to(nexauth_source *source, const char *url)
{
    const struct nexauth_permit_options options = {.url = url, .timeout_ms = 1};
    nexauth_permit *permit = NULL;

    return nexauth_permit_begin(source, &options, &permit, NULL) == NEXAUTH_TIMEOUT;
}

static void each_vendors_api_is_where_it_is_documented_or_said_to_be(void **state)
{
    static const struct {
        nexauth_status (*make)(nexauth_session *session, const char *origin, const char *apis, nexauth_source **out);
        const char *origin, *apis, *right, *wrong;
    } cases[] = {
        {nex_user, NULL, NULL, NEXAUTH_NEX_API, "https://api.nexcloud.io/"},
        {nex_user, "https://n.example", NULL, "https://n.example/", NEXAUTH_NEX_API},
        {nex_user, "https://n.example", "https://a.example", "https://a.example/", "https://n.example/"},
        {nex_controller, NULL, NULL, NEXAUTH_NEX_API, "https://api.nexcloud.io/"},
        {nex_controller, "https://n.example", NULL, "https://n.example/", NEXAUTH_NEX_API},
        {nex_controller, NULL, "https://a.example", "https://a.example/", NEXAUTH_NEX_API},
        {quantoz_test, NULL, NULL, NEXAUTH_QUANTOZ_TEST_API, NEXAUTH_QUANTOZ_API},
        {quantoz_test, "https://q.example", NULL, NEXAUTH_QUANTOZ_TEST_API, "https://q.example/"},
        {quantoz_test, NULL, "https://a.example", "https://a.example/", NEXAUTH_QUANTOZ_TEST_API},
        {quantoz_test, NULL, NULL, NEXAUTH_QUANTOZ_TEST_API "/a", "https://testidentity.quantoz.com/"},
        {quantoz_production, NULL, NULL, NEXAUTH_QUANTOZ_API, NEXAUTH_QUANTOZ_TEST_API},
        {quantoz_production, NULL, NULL, NEXAUTH_QUANTOZ_API "/a", "https://identity.quantoz.com/"},
        {quantoz_production, NULL, "https://a.example", "https://a.example/", NEXAUTH_QUANTOZ_API},
        {app, NULL, NULL, NEXAUTH_NEXUSGUARD_API, "https://nexusguard.com/api"},
        {app, "https://g.example", NULL, "https://g.example/", NEXAUTH_NEXUSGUARD_API},
        {app, NULL, "https://a.example", "https://a.example/", NEXAUTH_NEXUSGUARD_API},
        {customer, NULL, NULL, NEXAUTH_NEXUSGUARD_API, "https://nexusguard.com/api"},
        {customer, "https://g.example", NULL, "https://g.example/", NEXAUTH_NEXUSGUARD_API},
        {customer, NULL, "https://a.example", "https://a.example/", NEXAUTH_NEXUSGUARD_API},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct rig *rig = rig_new(NULL, 0);
        nexauth_source *source = NULL;

        assert_int_equal(cases[i].make(rig->fixture.session, cases[i].origin, cases[i].apis, &source), NEXAUTH_OK);
        if (!is_carried_to(source, cases[i].right) || judge(source, cases[i].wrong) != NEXAUTH_INVALID)
            fail_msg("case %zu: %s, not %s", i, cases[i].right, cases[i].wrong);
        nexauth_source_free(source);
        rig_free(rig);
    }
}

/* ---- How it is worded -------------------------------------------------------------------------------------------- */

static void a_permit_words_the_token_as_the_service_wants_it(void **state)
{
    static const struct {
        const char *token;
        int presentation;
        const char *url, *to_request, *header;
    } cases[] = {
        {"key", NEXAUTH_PRESENT_HEADER, "https://a.example", "https://a.example", "Authorization: Bearer key"},
        {"key", NEXAUTH_PRESENT_HEADER, "https://a.example/a?b=c#d", "https://a.example/a?b=c",
         "Authorization: Bearer key"},
        {"key", NEXAUTH_PRESENT_QUERY, "https://a.example", "https://a.example?access_token=key", NULL},
        {"key", NEXAUTH_PRESENT_QUERY, "https://a.example/a", "https://a.example/a?access_token=key", NULL},
        {"key", NEXAUTH_PRESENT_QUERY, "https://a.example/a?b", "https://a.example/a?b&access_token=key", NULL},
        {"key", NEXAUTH_PRESENT_QUERY, "https://a.example/a?b=c&d=e#f?g",
         "https://a.example/a?b=c&d=e&access_token=key", NULL},
        {"key", NEXAUTH_PRESENT_QUERY, "https://a.example/a?", "https://a.example/a?access_token=key", NULL},
        {"key", NEXAUTH_PRESENT_QUERY, "https://a.example/a?b&#f", "https://a.example/a?b&access_token=key", NULL},
        {"key", NEXAUTH_PRESENT_QUERY, "https://a.example/a#f?g=h", "https://a.example/a?access_token=key", NULL},
        {"a+b/c=&d%#", NEXAUTH_PRESENT_QUERY, "https://a.example/",
         "https://a.example/?access_token=a%2Bb%2Fc%3D%26d%25%23", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct nexauth_static_options options = {
            .access_token = cases[i].token, .api_origins = "https://a.example", .presentation = cases[i].presentation};
        struct rig *rig = rig_new(NULL, 0);
        nexauth_permit *permit;

        assert_int_equal(nexauth_source_new_static(rig->fixture.session, &options, &rig->source, NULL), NEXAUTH_OK);
        permit = rig_take(rig->source, cases[i].url);
        assert_string_equal(nexauth_permit_url(permit), cases[i].to_request);
        if (cases[i].header)
            assert_string_equal(nexauth_permit_header(permit), cases[i].header);
        else
            assert_null(nexauth_permit_header(permit));
        nexauth_permit_free(permit);
        rig_free(rig);
    }
}

static void nexusguard_has_its_token_in_the_query(void **state)
{
    struct rig *rig = rig_new(NULL, 0);
    nexauth_permit *permit;

    (void)state;
    rig->source = rig_app(rig);
    script_answer(&rig->fixture.script, fixture_first_token);
    permit = rig_take(rig->source, NEXAUTH_NEXUSGUARD_API "/sites?page=2#top");
    assert_string_equal(nexauth_permit_url(permit), NEXAUTH_NEXUSGUARD_API "/sites?page=2&access_token=one");
    assert_null(nexauth_permit_header(permit));
    nexauth_permit_free(permit);
    rig_free(rig);
}

static void what_is_lacking_or_out_of_range_is_refused(void **state)
{
    struct rig *rig = rig_new_nex(100);
    struct nexauth_permit_options options = {.url = NEX_URL};
    nexauth_permit *permit = NULL;
    struct carried carried = {0};

    (void)state;
    assert_int_equal(judge(rig->source, NULL), NEXAUTH_INVALID);
    assert_int_equal(nexauth_permit_begin(NULL, &options, &permit, NULL), NEXAUTH_INVALID);
    assert_int_equal(nexauth_permit_begin(rig->source, NULL, &permit, NULL), NEXAUTH_INVALID);
    assert_int_equal(nexauth_permit_begin(rig->source, &options, NULL, NULL), NEXAUTH_INVALID);
    assert_int_equal(nexauth_permit_start(NULL, &options, carried_note, &carried, NULL, NULL), NEXAUTH_INVALID);
    assert_int_equal(nexauth_permit_start(rig->source, NULL, carried_note, &carried, NULL, NULL), NEXAUTH_INVALID);
    assert_int_equal(nexauth_permit_start(rig->source, &options, NULL, &carried, NULL, NULL), NEXAUTH_INVALID);
    options.timeout_ms = -1;
    assert_int_equal(nexauth_permit_begin(rig->source, &options, &permit, NULL), NEXAUTH_INVALID);
    options.timeout_ms = 3600001;
    assert_int_equal(nexauth_permit_begin(rig->source, &options, &permit, NULL), NEXAUTH_INVALID);
    options.timeout_ms = 3600000;
    options.reserved[7] = 1;
    assert_int_equal(nexauth_permit_begin(rig->source, &options, &permit, NULL), NEXAUTH_INVALID);
    assert_int_equal(nexauth_permit_start(rig->source, &options, carried_note, &carried, NULL, NULL), NEXAUTH_INVALID);
    assert_null(permit);
    options.reserved[7] = 0;
    assert_int_equal(nexauth_permit_begin(rig->source, &options, &permit, NULL), NEXAUTH_OK);
    nexauth_permit_free(permit);
    nexauth_permit_free(NULL);
    assert_null(nexauth_permit_url(NULL));
    assert_null(nexauth_permit_header(NULL));
    assert_int_equal(nexauth_permit_send_again(NULL, NULL), NEXAUTH_INVALID);
    assert_int_equal(carried.runs, 0);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_goes_to_the_origins_of_its_api_alone),
        cmocka_unit_test(a_url_has_a_longest),
        cmocka_unit_test(there_may_be_several_origins),
        cmocka_unit_test(a_static_token_goes_nowhere_unless_it_is_said_where),
        cmocka_unit_test(each_vendors_api_is_where_it_is_documented_or_said_to_be),
        cmocka_unit_test(a_permit_words_the_token_as_the_service_wants_it),
        cmocka_unit_test(nexusguard_has_its_token_in_the_query),
        cmocka_unit_test(what_is_lacking_or_out_of_range_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
