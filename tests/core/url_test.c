#include "support/test.h"

#include "core/url.h"

#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void assert_span(struct nx_span span, const char *expected)
{
    assert_int_equal(span.size, strlen(expected));
    assert_memory_equal(span.start, expected, span.size);
}

static struct nx_url split(const char *url)
{
    struct nx_url parts = {0};

    assert_true(nx_url_split(url, &parts));
    return parts;
}

static void a_url_falls_into_its_parts(void **state)
{
    static const struct {
        const char *url, *scheme, *host, *path, *query;
        unsigned int port;
    } CASES[] = {
        {"https://nexcloud.io", "https", "nexcloud.io", "/", NULL, 443},
        {"https://nexcloud.io/", "https", "nexcloud.io", "/", NULL, 443},
        {"http://127.0.0.1:8080/v1.0/Token", "http", "127.0.0.1", "/v1.0/Token", NULL, 8080},
        {"HTTPS://Host_1-a.Example/a?b=c&d", "HTTPS", "Host_1-a.Example", "/a", "b=c&d", 443},
        {"https://h?q", "https", "h", "/", "q", 443},
        {"https://h/?", "https", "h", "/", "", 443},
        {"https://h#f?q", "https", "h", "/", NULL, 443},
        {"https://h/p?q=a/b?c#f?g", "https", "h", "/p", "q=a/b?c", 443},
        {"http://h:1", "http", "h", "/", NULL, 1},
        {"http://h:00080/", "http", "h", "/", NULL, 80},
        {"https://h:65535/~!$&'()*+,;=:@%7E", "https", "h", "/~!$&'()*+,;=:@%7E", NULL, 65535},
        {"http://[::1]:80/x", "http", "[::1]", "/x", NULL, 80},
        {"https://[2001:db8::192.0.2.1]", "https", "[2001:db8::192.0.2.1]", "/", NULL, 443},
        {"https://[FE80:0:0:0:0:0:0:1]?q", "https", "[FE80:0:0:0:0:0:0:1]", "/", "q", 443},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_url parts = split(CASES[i].url);

        assert_span(parts.scheme, CASES[i].scheme);
        assert_span(parts.host, CASES[i].host);
        assert_span(parts.path, CASES[i].path);
        assert_int_equal(parts.port, CASES[i].port);
        if (CASES[i].query)
            assert_span(parts.query, CASES[i].query);
        else
            assert_null(parts.query.start);
    }
}

static void anything_else_is_no_url(void **state)
{
    static const char *const CASES[] = {
        "",
        "h",
        "/path",
        "//h/path",
        "https:",
        "https:/h",
        "https:h",
        "https//h",
        "ftp://h",
        "httpss://h",
        "httpx://h",
        "file:///etc/passwd",
        "://h",
        "https://",
        "https:///path",
        "https://?q",
        "https://:443",
        "https://user@h",
        "https://user:secret@h/",
        "https://h@",
        "https://h:",
        "https://h:/",
        "https://h:0",
        "https://h:65536",
        "https://h:000080",
        "https://h:99999999999999999999",
        "https://h:80a",
        "https://h:-1",
        "https://h:8 0",
        "https://h h",
        " https://h",
        "https://h ",
        "https://h/a b",
        "https://h/a\tb",
        "https://h/a\r\nb",
        "https://h/\x7f",
        "https://h/\xc3\xbc",
        "https://\xc3\xbc/",
        "https://h\\a",
        "https://h/a\\b",
        "https://h/#a\\b",
        "https://h%41/",
        "https://h,i/",
        "https://h[::1]/",
        "https://[",
        "https://[]",
        "https://[::1",
        "https://[::1]x",
        "https://[::1]:",
        "https://[127.0.0.1]",
        "https://[h]",
        "https://[::1%25eth0]",
        "https://[:::1]",
        "https://[1:2:3:4:5:6:7:8:9]",
        "https://[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001]",
    };
    struct nx_url parts = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        assert_false(nx_url_split(CASES[i], &parts));
        assert_null(parts.scheme.start);
    }
}

static void an_origin_has_nothing_behind_it(void **state)
{
    static const struct {
        const char *url;
        bool origin;
    } CASES[] = {
        {"https://h", true},   {"https://h:8443", true},
        {"HTTP://H", true},    {"http://[::1]:80", true},
        {"https://h/", false}, {"https://h?", false},
        {"https://h#", false}, {"https://h/p", false},
        {"ftp://h", false},    {"h", false},
        {"", false},           {"https://h:", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++)
        assert_int_equal(nx_url_is_origin(CASES[i].url), CASES[i].origin);
}

static void a_path_goes_on_the_request_line_as_it_is(void **state)
{
    static const struct {
        const char *path;
        bool good;
    } CASES[] = {
        {"/", true},      {"/v1.0/Token", true}, {"/a%20b//c", true},   {"", false},      {"a", false},
        {"/a b", false},  {"/a?b", false},       {"/a#b", false},       {"/a\\b", false}, {"/a\r\nb", false},
        {"/\x7f", false}, {"/\xc3\xbc", false},  {"https://h/", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++)
        assert_int_equal(nx_url_is_path(CASES[i].path), CASES[i].good);
}

static void https_is_known_in_any_case(void **state)
{
    struct nx_url https = split("hTTpS://h");
    struct nx_url http = split("http://h");

    (void)state;
    assert_true(nx_url_is_https(&https));
    assert_false(nx_url_is_https(&http));
}

static void loopback_is_told_by_address_or_name(void **state)
{
    static const struct {
        const char *url;
        bool loopback;
    } CASES[] = {
        {"http://localhost", true},
        {"http://LocalHost:80/", true},
        {"http://127.0.0.1", true},
        {"http://127.255.0.3", true},
        {"http://[::1]", true},
        {"http://[0:0:0:0:0:0:0:1]", true},
        {"http://[0000::0001]", true},
        {"http://localhost.", false},
        {"http://localhost.example", false},
        {"http://xlocalhost", false},
        {"http://localhos", false},
        {"http://127.1", false},
        {"http://2130706433", false},
        {"http://0x7f.0.0.1", false},
        {"http://0177.0.0.1", false},
        {"http://127.0.0.1.example", false},
        {"http://127.0.0.256", false},
        {"http://128.0.0.1", false},
        {"http://10.127.0.1", false},
        {"http://[::2]", false},
        {"http://[::]", false},
        {"http://[1::1]", false},
        {"http://[::ffff:127.0.0.1]", false},
        {"http://a-host-with-a-name-longer-than-any-address-in-text", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_url parts = split(CASES[i].url);

        assert_int_equal(nx_url_is_loopback(&parts), CASES[i].loopback);
    }
}

static void the_same_place_is_scheme_host_port_and_path(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } CASES[] = {
        {"https://h/cb", "https://h/cb", true},   {"https://h/cb", "HTTPS://H:443/cb?code=1#f", true},
        {"https://h", "https://h/", true},        {"https://h:443/", "http://h:443/", false},
        {"https://h/", "https://h:444/", false},  {"https://h/", "https://i/", false},
        {"https://h/", "https://h.i/", false},    {"https://h/cb", "https://h/CB", false},
        {"https://h/cb", "https://h/cb/", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_url a = split(CASES[i].a);
        struct nx_url b = split(CASES[i].b);

        assert_int_equal(nx_url_same_place(&a, &b), CASES[i].same);
        assert_int_equal(nx_url_same_place(&b, &a), CASES[i].same);
    }
}

static void spans_equal_strings_of_their_bytes(void **state)
{
    const struct nx_span span = {"codex", 4};

    (void)state;
    assert_true(nx_span_equals(span, "code"));
    assert_false(nx_span_equals(span, "codex"));
    assert_false(nx_span_equals(span, "Code"));
    assert_false(nx_span_equals(span, ""));
}

static void a_query_is_walked_pair_by_pair(void **state)
{
    static const struct {
        const char *query;
        const char *pairs[4][2];
    } CASES[] = {
        {"", {{NULL}}},
        {"&&&", {{NULL}}},
        {"a=1", {{"a", "1"}}},
        {"a=1&b=2&c=3", {{"a", "1"}, {"b", "2"}, {"c", "3"}}},
        {"&a=1&&b=2&", {{"a", "1"}, {"b", "2"}}},
        {"a", {{"a", ""}}},
        {"a=&=b&=", {{"a", ""}, {"", "b"}, {"", ""}}},
        {"a=b=c&d%3D=+", {{"a", "b=c"}, {"d%3D", "+"}}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_span rest = {CASES[i].query, strlen(CASES[i].query)};
        struct nx_span name = {0};
        struct nx_span value = {0};

        for (size_t pair = 0; CASES[i].pairs[pair][0]; pair++) {
            assert_true(nx_query_next(&rest, &name, &value));
            assert_span(name, CASES[i].pairs[pair][0]);
            assert_span(value, CASES[i].pairs[pair][1]);
        }
        assert_false(nx_query_next(&rest, &name, &value));
    }
}

static void a_missing_query_has_no_pairs(void **state)
{
    struct nx_span rest = {NULL, 0};
    struct nx_span name = {0};
    struct nx_span value = {0};

    (void)state;
    assert_false(nx_query_next(&rest, &name, &value));
}

static void a_url_lies_at_one_of_several_origins_or_at_none(void **state)
{
    static const struct {
        const char *url, *origins;
        bool is_at;
    } CASES[] = {
        {"https://a.example/x", "https://a.example", true},
        {"https://A.EXAMPLE?q", "https://a.example", true},
        {"HTTPS://a.example:443", "https://a.example", true},
        {"https://a.example", "HTTPS://A.example:00443", true},
        {"https://a.example:8443/", "https://a.example:8443", true},
        {"https://[::1]:1/", "https://[::1]:1", true},
        {"http://a.example", "http://a.example:80", true},
        {"https://c.example", "https://a.example https://b.example:1 https://c.example", true},
        {"https://b.example:1", "https://a.example https://b.example:1 https://c.example", true},
        {"https://b.example", "https://a.example https://b.example:1 https://c.example", false},
        {"https://a.example:1", "https://a.example https://b.example:1 https://c.example", false},
        {"http://a.example", "https://a.example", false},
        {"http://a.example:443", "https://a.example", false},
        {"https://a.example:8443", "https://a.example", false},
        {"https://a.example", "https://a.example:8443", false},
        {"https://a.example.", "https://a.example", false},
        {"https://a.exampl", "https://a.example", false},
        {"https://a.examplee", "https://a.example", false},
        {"https://b.a.example", "https://a.example", false},
        {"https://a.example.b", "https://a.example", false},
        {"https://[::1]/", "https://[::2]", false},
        {"https://a.example", "", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        const struct nx_url parts = split(CASES[i].url);

        if (nx_url_is_at(&parts, CASES[i].origins) != CASES[i].is_at)
            fail_msg("%s at %s", CASES[i].url, CASES[i].origins);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_falls_into_its_parts),
        cmocka_unit_test(anything_else_is_no_url),
        cmocka_unit_test(an_origin_has_nothing_behind_it),
        cmocka_unit_test(a_path_goes_on_the_request_line_as_it_is),
        cmocka_unit_test(https_is_known_in_any_case),
        cmocka_unit_test(loopback_is_told_by_address_or_name),
        cmocka_unit_test(the_same_place_is_scheme_host_port_and_path),
        cmocka_unit_test(spans_equal_strings_of_their_bytes),
        cmocka_unit_test(a_query_is_walked_pair_by_pair),
        cmocka_unit_test(a_missing_query_has_no_pairs),
        cmocka_unit_test(a_url_lies_at_one_of_several_origins_or_at_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
