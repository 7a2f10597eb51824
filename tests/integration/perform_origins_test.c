/* Where nexauth_perform() carries a token, and what the handle holds of it afterwards. */
#include "support/test.h"

#include "live.h"
#include "performer.h"
#include "support/listener.h"

#include <stdio.h>
#include <string.h>

/* Long enough to be found nowhere by chance; with reserved characters, of which the URL has other forms. */
#define CANARY       "canary-5d1f9b7e/+=&~end"
#define CANARY_START "canary-5d1f9b7e"
#define OK_CLOSE     "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
#define OK_KEEP      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Any: thing\r\n\r\n"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The API, and another origin that must never see the token. */
struct stage {
    nexauth_session *session;
    struct listener *api;
    struct listener *other;
    struct performer performer;
};

static void begin(struct stage *stage)
{
    const struct nexauth_session_options options = {.loopback_http = 1};

    *stage = (struct stage){.session = live_new_session(&options),
                            .api = listener_start("127.0.0.1"),
                            .other = listener_start("127.0.0.1")};
    assert_non_null(stage->api);
    assert_non_null(stage->other);
    performer_begin(&stage->performer);
}

static void end(struct stage *stage)
{
    performer_end(&stage->performer);
    nexauth_session_free(stage->session);
    listener_stop(stage->api);
    listener_stop(stage->other);
}

static nexauth_source *new_static(const struct stage *stage, const char *api_origins, int presentation)
{
    const struct nexauth_static_options options = {
        .access_token = CANARY, .api_origins = api_origins, .presentation = presentation};
    nexauth_source *source = NULL;

    assert_int_equal(nexauth_source_new_static(stage->session, &options, &source, NULL), NEXAUTH_OK);
    return source;
}

static const char *api_url(const struct stage *stage)
{
    return performer_url(listener_origin(stage->api), "/a?b=c#d");
}

static void assert_nothing_came(struct listener *listener)
{
    assert_int_equal(listener_connections(listener), 0);
    assert_int_equal(listener_received(listener), 0);
}

static void answer(struct listener *listener, const char *text, enum listener_end then)
{
    listener_answer(listener, (struct listener_answer){.text = text, .then = then});
}

/* As the application may have left the handle. */
static CURLU *set_as_if_for_another(struct performer *performer, const char *url)
{
    CURLU *handle = curl_url();

    assert_int_equal(curl_url_set(handle, CURLUPART_URL, url, 0), CURLUE_OK);
    curl_easy_setopt(performer->easy, CURLOPT_URL, url);
    curl_easy_setopt(performer->easy, CURLOPT_CURLU, handle);
    curl_easy_setopt(performer->easy, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(performer->easy, CURLOPT_UNRESTRICTED_AUTH, 1L);
    curl_easy_setopt(performer->easy, CURLOPT_AUTOREFERER, 1L);
    curl_easy_setopt(performer->easy, CURLOPT_HEADEROPT, (long)CURLHEADER_UNIFIED);
    return handle;
}

static void no_redirect_is_followed_whatever_the_handle_was_set_to(void **state)
{
    static const int codes[] = {301, 302, 303, 307, 308};
    char texts[COUNT(codes) * 4][160];
    struct stage stage;

    (void)state;
    begin(&stage);
    for (size_t i = 0; i < COUNT(texts); i++) {
        const int code = codes[i / 4];
        const bool to_another = i / 2 % 2 == 1;
        const int presentation = i % 2 ? NEXAUTH_PRESENT_QUERY : NEXAUTH_PRESENT_HEADER;
        const struct listener *target = to_another ? stage.other : stage.api;
        nexauth_source *source = new_static(&stage, listener_origin(stage.api), presentation);
        CURLU *handle = set_as_if_for_another(&stage.performer, listener_origin(stage.other));

        snprintf(texts[i], sizeof texts[i],
                 "HTTP/1.1 %d Elsewhere\r\nLocation: %s/b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", code,
                 listener_origin(target));
        answer(stage.api, texts[i], LISTENER_CLOSE);
        performer_assert(&stage.performer, source, api_url(&stage), code);
        assert_int_equal(listener_requests(stage.api), (int)i + 1);
        assert_non_null(strstr(listener_request(stage.api, (int)i), CANARY_START));
        nexauth_source_free(source);
        curl_url_cleanup(handle);
    }
    assert_nothing_came(stage.other);
    end(&stage);
}

/* Where the token is in a header, an access_token is another one. */
static void what_a_redirect_makes_of_the_url_has_no_token(void **state)
{
    static const char *const locations[][2] = {
        {"#f", NULL},
        {"/b?c=d", "/b?c=d"},
        {"/b?c=d&access_token=" CANARY_START, "/b?c=d&"},
        {"https://a.example/?access_token=" CANARY_START "&e=f", "https://a.example/?"},
    };
    static const char signed_elsewhere[] =
        "HTTP/1.1 302 Found\r\nLocation: https://a.example/?access_token=another\r\nContent-Length: 0\r\n\r\n";
    struct stage stage;
    nexauth_source *source;
    char *url = NULL;

    (void)state;
    begin(&stage);
    source = new_static(&stage, listener_origin(stage.api), NEXAUTH_PRESENT_QUERY);
    for (size_t i = 0; i < COUNT(locations); i++) {
        static char texts[COUNT(locations)][256]; /* they outlive the listener */

        snprintf(texts[i], sizeof texts[i], "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n",
                 locations[i][0]);
        answer(stage.api, texts[i], LISTENER_CLOSE);
        performer_assert(&stage.performer, source, api_url(&stage), 302);
        curl_easy_getinfo(stage.performer.easy, CURLINFO_REDIRECT_URL, &url);
        assert_non_null(url);
        assert_null(strstr(url, CANARY_START));
        if (locations[i][1])
            assert_string_equal(url + strlen(url) - strlen(locations[i][1]), locations[i][1]);
    }
    nexauth_source_free(source);
    source = new_static(&stage, listener_origin(stage.api), NEXAUTH_PRESENT_HEADER);
    answer(stage.api, signed_elsewhere, LISTENER_CLOSE);
    performer_assert(&stage.performer, source, api_url(&stage), 302);
    curl_easy_getinfo(stage.performer.easy, CURLINFO_REDIRECT_URL, &url);
    assert_string_equal(url, "https://a.example/?access_token=another");
    nexauth_source_free(source);
    end(&stage);
}

/* CURLOPT_PORT would win over the URL's. */
static void a_port_of_the_handles_leads_nowhere_else(void **state)
{
    struct stage stage;
    nexauth_source *source;

    (void)state;
    begin(&stage);
    source = new_static(&stage, listener_origin(stage.api), NEXAUTH_PRESENT_HEADER);
    curl_easy_setopt(stage.performer.easy, CURLOPT_PORT, (long)listener_port(stage.other));
    answer(stage.api, OK_CLOSE, LISTENER_CLOSE);
    answer(stage.other, OK_CLOSE, LISTENER_CLOSE);
    performer_assert(&stage.performer, source, api_url(&stage), 200);
    assert_nothing_came(stage.other);
    nexauth_source_free(source);
    end(&stage);
}

/* The tunnel is asked for without the token, although the handle said that all headers are for all. */
static void a_proxy_does_not_get_the_token(void **state)
{
    const struct live_who who = {.kind = LIVE_NEX_CONTROLLER};
    nexauth_source *source = live_new_source(*state, &who);
    struct curl_slist *headers = curl_slist_append(NULL, "X-Mine: one");
    struct stage stage;

    begin(&stage);
    stage.performer.options.headers = headers;
    curl_easy_setopt(stage.performer.easy, CURLOPT_PROXY, listener_origin(stage.other));
    curl_easy_setopt(stage.performer.easy, CURLOPT_NOPROXY, "");
    curl_easy_setopt(stage.performer.easy, CURLOPT_HEADEROPT, (long)CURLHEADER_UNIFIED);
    answer(stage.other, "HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n", LISTENER_CLOSE);
    assert_int_equal(
        performer_perform(&stage.performer, source, performer_url(live_emulator.nex_https, "/v1.0/Controller"), NULL),
        NEXAUTH_NETWORK);
    assert_memory_equal(listener_request(stage.other, 0), "CONNECT ", strlen("CONNECT "));
    assert_null(strstr(listener_request(stage.other, 0), "Authorization"));
    assert_null(strstr(listener_request(stage.other, 0), "X-Mine"));
    curl_slist_free_all(headers);
    nexauth_source_free(source);
    end(&stage);
}

static void a_token_goes_to_the_origins_of_its_source_alone(void **state)
{
    struct stage stage;
    char both[160];
    char near_misses[8][160];
    nexauth_source *source;

    (void)state;
    begin(&stage);
    const char *api = listener_origin(stage.api);
    const char *other = listener_origin(stage.other);
    snprintf(near_misses[0], sizeof *near_misses, "%s/a", other);
    snprintf(near_misses[1], sizeof *near_misses, "https%s/a", api + strlen("http"));
    snprintf(near_misses[2], sizeof *near_misses, "http://localhost:%d/a", listener_port(stage.api));
    snprintf(near_misses[3], sizeof *near_misses, "%s0/a", api);
    snprintf(near_misses[4], sizeof *near_misses, "http://me@127.0.0.1:%d/a", listener_port(stage.api));
    snprintf(near_misses[5], sizeof *near_misses, "%s@127.0.0.1:%d/a", api, listener_port(stage.other));
    snprintf(near_misses[6], sizeof *near_misses, "%s/a?access_token=mine", api);
    snprintf(near_misses[7], sizeof *near_misses, "http://127.0.0.1/a");
    source = new_static(&stage, api, NEXAUTH_PRESENT_HEADER);
    for (size_t i = 0; i < COUNT(near_misses); i++) {
        struct nexauth_error error = {0};

        if (performer_perform(&stage.performer, source, near_misses[i], &error) != NEXAUTH_INVALID)
            fail_msg("%s", near_misses[i]);
        assert_int_equal(error.http_status, 0);
    }
    assert_nothing_came(stage.api);
    assert_nothing_came(stage.other);
    nexauth_source_free(source);
    snprintf(both, sizeof both, "%s %s", api, other);
    source = new_static(&stage, both, NEXAUTH_PRESENT_HEADER);
    answer(stage.api, OK_CLOSE, LISTENER_CLOSE);
    answer(stage.other, OK_CLOSE, LISTENER_CLOSE);
    performer_assert(&stage.performer, source, performer_url(api, "/a"), 200);
    performer_assert(&stage.performer, source, performer_url(other, "/a"), 200);
    nexauth_source_free(source);
    end(&stage);
}

static void a_static_token_without_origins_is_carried_nowhere(void **state)
{
    struct stage stage;
    nexauth_source *source;

    (void)state;
    begin(&stage);
    source = new_static(&stage, NULL, NEXAUTH_PRESENT_HEADER);
    assert_int_equal(performer_perform(&stage.performer, source, api_url(&stage), NULL), NEXAUTH_INVALID);
    assert_nothing_came(stage.api);
    nexauth_source_free(source);
    end(&stage);
}

/* Of each vendor too: a URL elsewhere is refused before a token is asked for. */
static void a_vendors_token_goes_to_its_api_by_default(void **state)
{
    const struct {
        enum live_kind kind;
        const char *elsewhere;
    } cases[] = {
        {LIVE_NEX_USER, live_emulator.nexusguard_https},
        {LIVE_NEX_CONTROLLER, live_emulator.nex_http},
        {LIVE_QUANTOZ_TEST, live_emulator.quantoz_test_https},
        {LIVE_QUANTOZ_PRODUCTION, live_emulator.quantoz_test_api_https},
        {LIVE_NEXUSGUARD_APP, live_emulator.nex_https},
        {LIVE_NEXUSGUARD_USER, live_emulator.nex_https},
    };
    struct performer performer;

    performer_begin(&performer);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct live_who who = {.kind = cases[i].kind};
        nexauth_source *source = live_new_source(*state, &who);

        assert_int_equal(performer_perform(&performer, source, performer_url(cases[i].elsewhere, "/a"), NULL),
                         NEXAUTH_INVALID);
        nexauth_source_free(source);
    }
    assert_int_equal(live_requests(), 0);
    performer_end(&performer);
}

static void api_origins_replace_the_vendors_own(void **state)
{
    const struct nexauth_session_options options = {.loopback_http = 1};
    const struct live_who who = {.kind = LIVE_NEX_CONTROLLER, .api_origins = live_emulator.nex_http};
    nexauth_session *session = live_new_session(&options);
    nexauth_source *source = live_new_source(session, &who);
    struct performer performer;

    (void)state;
    performer_begin(&performer);
    assert_int_equal(
        performer_perform(&performer, source, performer_url(live_emulator.nex_https, "/v1.0/Controller"), NULL),
        NEXAUTH_INVALID);
    performer_assert(&performer, source, performer_url(live_emulator.nex_http, "/v1.0/Controller"), 200);
    performer_end(&performer);
    nexauth_source_free(source);
    nexauth_session_free(session);
}

static void plain_http_is_for_loopback_and_only_where_it_is_allowed(void **state)
{
    static const struct {
        const char *origins;
        int loopback_http;
        nexauth_status status;
    } cases[] = {
        {"http://127.0.0.1:1", 0, NEXAUTH_INVALID},
        {"http://127.0.0.1:1", 1, NEXAUTH_OK},
        {"https://api.example.com http://[::1]:1", 1, NEXAUTH_OK},
        {"https://api.example.com http://[::1]:1", 0, NEXAUTH_INVALID},
        {"http://api.example.com", 1, NEXAUTH_INVALID},
        {"https://api.example.com", 0, NEXAUTH_OK},
        {"https://api.example.com/", 0, NEXAUTH_INVALID},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct nexauth_session_options options = {.loopback_http = cases[i].loopback_http};
        const struct nexauth_static_options fixed = {.access_token = CANARY, .api_origins = cases[i].origins};
        nexauth_session *session = live_new_session(&options);
        nexauth_source *source = NULL;

        if (nexauth_source_new_static(session, &fixed, &source, NULL) != cases[i].status)
            fail_msg("%s (%d)", cases[i].origins, cases[i].loopback_http);
        nexauth_source_free(source);
        nexauth_session_free(session);
    }
}

static void assert_free_of_token(const char *text, const char *where)
{
    if (text && strstr(text, CANARY_START))
        fail_msg("%s has the token", where);
}

static void assert_strings_are_free_of_token(CURL *easy)
{
    struct curl_slist *cookies = NULL;

    for (int i = 1; i <= CURLINFO_LASTONE; i++) {
        const char *string = NULL;
        char where[32];

        snprintf(where, sizeof where, "CURLINFO %d", i);
        if (curl_easy_getinfo(easy, (CURLINFO)(CURLINFO_STRING + i), &string) == CURLE_OK)
            assert_free_of_token(string, where);
    }
    assert_int_equal(curl_easy_getinfo(easy, CURLINFO_COOKIELIST, &cookies), CURLE_OK);
    for (const struct curl_slist *cookie = cookies; cookie; cookie = cookie->next)
        assert_free_of_token(cookie->data, "a cookie");
    curl_slist_free_all(cookies);
}

static void assert_headers_are_free_of_token(CURL *easy)
{
    const unsigned int origins = CURLH_HEADER | CURLH_TRAILER | CURLH_CONNECT | CURLH_1XX | CURLH_PSEUDO;

    for (int request = -1; request <= 2; request++) {
        struct curl_header *header = NULL;

        while ((header = curl_easy_nextheader(easy, origins, request, header))) {
            assert_free_of_token(header->name, header->name);
            assert_free_of_token(header->value, header->name);
        }
    }
}

/* What a plain call sends, with this handle or a copy of it; the answer closes or keeps the connection. */
static void assert_sends_no_token(CURL *easy, struct listener *listener, const char *url)
{
    const int before = listener_requests(listener);

    answer(listener, OK_KEEP, LISTENER_KEEP);
    assert_int_equal(curl_easy_setopt(easy, CURLOPT_URL, url), CURLE_OK);
    assert_int_equal(curl_easy_perform(easy), CURLE_OK);
    assert_int_equal(listener_requests(listener), before + 1);
    assert_free_of_token(listener_request(listener, before), "the next request");
    assert_null(strstr(listener_request(listener, before), "Authorization"));
    assert_null(strstr(listener_request(listener, before), "access_token"));
}

/* An answer to the call: some lead nowhere, with words that libcurl completes by what was asked for. */
static const struct {
    const char *text;
    enum listener_end then;
    nexauth_status status;
} answers[] = {
    {OK_KEEP, LISTENER_KEEP, NEXAUTH_OK},
    {"HTTP/1.1 302 Found\r\nLocation: b\r\nContent-Length: 0\r\n\r\n", LISTENER_KEEP, NEXAUTH_OK},
    {"HTTP/1.1 302 Found\r\nLocation: ?b\r\nContent-Length: 0\r\n\r\n", LISTENER_KEEP, NEXAUTH_OK},
    {"HTTP/1.1 302 Found\r\nLocation: #b\r\nContent-Length: 0\r\n\r\n", LISTENER_KEEP, NEXAUTH_OK},
    {"HTTP/1.1 302 Found\r\nLocation: \r\nContent-Length: 0\r\n\r\n", LISTENER_KEEP, NEXAUTH_OK},
    {"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n", LISTENER_KEEP, NEXAUTH_OK},
    {"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n", LISTENER_KEEP, NEXAUTH_REAUTH},
    {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", LISTENER_CLOSE, NEXAUTH_NETWORK},
    {"nonsense\r\n\r\n", LISTENER_CLOSE, NEXAUTH_PROTOCOL},
    {NULL, LISTENER_CLOSE, NEXAUTH_NETWORK},
};

static void look_for_the_token(struct stage *stage, size_t number, int presentation)
{
    nexauth_source *source = new_static(stage, listener_origin(stage->api), presentation);
    CURL *easy = stage->performer.easy;
    const char *url = NULL;
    CURL *copy;

    answer(stage->api, answers[number].text, answers[number].then);
    curl_easy_setopt(easy, CURLOPT_COOKIEFILE, "");
    if (performer_perform(&stage->performer, source, api_url(stage), NULL) != answers[number].status)
        fail_msg("answer %zu", number);
    assert_non_null(strstr(listener_request(stage->api, listener_requests(stage->api) - 1), CANARY_START));
    curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);
    assert_string_equal(url, "");
    assert_strings_are_free_of_token(easy);
    assert_headers_are_free_of_token(easy);
    copy = curl_easy_duphandle(easy);
    assert_strings_are_free_of_token(copy);
    assert_sends_no_token(copy, stage->api, api_url(stage));
    curl_easy_cleanup(copy);
    assert_sends_no_token(easy, stage->api, api_url(stage));
    assert_strings_are_free_of_token(easy);
    nexauth_source_free(source);
}

static void the_handle_holds_no_token_afterwards(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(answers); i++) {
        for (int presentation = NEXAUTH_PRESENT_HEADER; presentation <= NEXAUTH_PRESENT_QUERY; presentation++) {
            struct stage stage;

            begin(&stage);
            look_for_the_token(&stage, i, presentation);
            end(&stage);
        }
    }
}

/* Whatever the call came to, the options are libcurl's defaults: the handle's old URL is gone too. */
static void the_options_are_at_their_defaults_afterwards(void **state)
{
    static const char redirect[] = "HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n";

    (void)state;
    for (int fails = 0; fails < 2; fails++) {
        struct stage stage;
        nexauth_source *source;
        CURLU *handle;

        begin(&stage);
        source = new_static(&stage, listener_origin(stage.api), NEXAUTH_PRESENT_HEADER);
        if (fails) { /* a rejected static token is the last one: no request is made */
            nexauth_token *token = live_get(source);
            assert_int_equal(nexauth_source_reject_token(source, token, NULL), NEXAUTH_OK);
            nexauth_token_unref(token);
        } else {
            answer(stage.api, OK_KEEP, LISTENER_KEEP);
        }
        answer(stage.other, OK_CLOSE, LISTENER_CLOSE);
        handle = set_as_if_for_another(&stage.performer, listener_origin(stage.other));
        assert_int_equal(performer_perform(&stage.performer, source, api_url(&stage), NULL),
                         fails ? NEXAUTH_REAUTH : NEXAUTH_OK);
        assert_int_equal(curl_easy_perform(stage.performer.easy), CURLE_URL_MALFORMAT);
        answer(stage.api, redirect, LISTENER_KEEP);
        assert_int_equal(curl_easy_setopt(stage.performer.easy, CURLOPT_URL, api_url(&stage)), CURLE_OK);
        assert_int_equal(curl_easy_perform(stage.performer.easy), CURLE_OK);
        assert_int_equal(performer_status(&stage.performer), 302);
        assert_nothing_came(stage.other);
        curl_url_cleanup(handle);
        nexauth_source_free(source);
        end(&stage);
    }
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, live_set_up, live_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(no_redirect_is_followed_whatever_the_handle_was_set_to),
        LIVE(what_a_redirect_makes_of_the_url_has_no_token),
        LIVE(a_port_of_the_handles_leads_nowhere_else),
        LIVE(a_proxy_does_not_get_the_token),
        LIVE(a_token_goes_to_the_origins_of_its_source_alone),
        LIVE(a_static_token_without_origins_is_carried_nowhere),
        LIVE(a_vendors_token_goes_to_its_api_by_default),
        LIVE(api_origins_replace_the_vendors_own),
        LIVE(plain_http_is_for_loopback_and_only_where_it_is_allowed),
        LIVE(the_handle_holds_no_token_afterwards),
        LIVE(the_options_are_at_their_defaults_afterwards),
    };

    return cmocka_run_group_tests(tests, live_start, live_stop);
}
