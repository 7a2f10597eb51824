/* Whose OpenSSL it is that the process has loaded: by libcurl's words of it, which the test makes up. */
#include "support/test.h"

#include "io/curl_openssl.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

curl_version_info_data *__real_curl_version_info(CURLversion age); /* NOLINT(bugprone-reserved-identifier) */
curl_version_info_data *__wrap_curl_version_info(CURLversion age); /* NOLINT(bugprone-reserved-identifier) */

static const char *words;

curl_version_info_data *__wrap_curl_version_info(CURLversion age)
{
    static curl_version_info_data changed;

    changed = *__real_curl_version_info(age);
    changed.ssl_version = words;
    return &changed;
}

/* Such as "OpenSSL/3.0.19". */
static const char *curls_own(void)
{
    return __real_curl_version_info(CURLVERSION_NOW)->ssl_version;
}

static bool is_curls(const char *before, const char *own, const char *after)
{
    char text[128];

    snprintf(text, sizeof text, "%s%s%s", before, own, after);
    words = text;
    return nx_curl_openssl_is_curls();
}

static void openssl_is_libcurls_when_their_versions_are_one(void **state)
{
    (void)state;
    if (!curls_own() || strncmp(curls_own(), "OpenSSL/", 8) != 0)
        skip();
    assert_true(is_curls("", curls_own(), ""));
    assert_true(is_curls("", curls_own(), " (GnuTLS/3.7.9)"));
}

static void another_library_or_version_is_not_libcurls(void **state)
{
    static const char *const others[] = {
        "",          "OpenSSL",      "OpenSSL/",       "OpenSSL/ 3",    "OpenSSL/1.1.1w",
        "BoringSSL", "GnuTLS/3.7.9", "LibreSSL/3.8.2", "quictls/3.0.19"};
    char shorter[128];

    (void)state;
    words = NULL;
    assert_false(nx_curl_openssl_is_curls());
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(is_curls("", others[i], ""));
    assert_false(is_curls("", curls_own(), "1"));
    assert_false(is_curls("", curls_own(), ".1"));
    assert_false(is_curls("(", curls_own(), ") GnuTLS/3.7.9"));
    snprintf(shorter, sizeof shorter, "%.*s", (int)strlen(curls_own()) - 1, curls_own());
    assert_false(is_curls("", shorter, ""));
}

static void what_there_is_not_is_not_found(void **state)
{
    int (*version)(void);

    (void)state;
    assert_false(nx_curl_openssl_find("nexauth_of_no_library", &version));
    assert_null(version);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openssl_is_libcurls_when_their_versions_are_one),
        cmocka_unit_test(another_library_or_version_is_not_libcurls),
        cmocka_unit_test(what_there_is_not_is_not_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
