/* The doors of a service: which place a URL leads to, and what counts there. */
#include "session/limits.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

static const struct nx_siphash_key key = {1, 2};
static const struct nx_limit requests = {.name = "requests", .requests = 600, .window_ms = 60000};

static struct nx_site *find(struct nx_site **sites, const char *url, const struct nx_limits *limits)
{
    return nx_site_find(sites, url, &requests, limits, &key);
}

static void one_place_is_found_however_its_origin_is_spelled(void **state)
{
    static const char *const urls[] = {"https://NEXCLOUD.io/other", "https://nexcloud.io:443", "HTTPS://nexcloud.io?a",
                                       "https://nexcloud.io"};
    const struct nx_limits none = {0};
    struct nx_site *sites = NULL;
    const struct nx_site *site = find(&sites, "https://nexcloud.io/v1.0/Token", &none);

    (void)state;
    assert_non_null(site);
    assert_string_equal(site->origin, "https://nexcloud.io:443");
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
        assert_ptr_equal(find(&sites, urls[i], &none), site);
    assert_ptr_not_equal(find(&sites, "https://nexcloud.io:444/", &none), site);
    nx_sites_release(sites);
}

static void what_is_no_url_or_too_long_a_one_leads_nowhere(void **state)
{
    static const char *const urls[] = {"", "nexcloud.io", "mailto:a@nexcloud.io", "https://", "://"};
    const struct nx_limits none = {0};
    struct nx_last_place last = {0};
    struct nx_site *sites = NULL;
    char longest[512];

    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        assert_null(find(&sites, urls[i], &none));
        assert_null(nx_place_find(&last, &sites, urls[i], (struct nx_span){"/", 1}, &requests, &none, &key).site);
    }
    snprintf(longest, sizeof longest, "https://%0400d.io/", 0);
    assert_null(find(&sites, longest, &none));
    assert_null(sites);
}

/* The last one that is set counts; what it leaves out stays as it was. */
static void a_limit_that_is_set_counts_at_its_origin_or_at_all(void **state)
{
    static const struct nexauth_limit set[] = {{.name = "requests", .requests = 7},
                                               {.name = "api", .requests = 8, .window_ms = 8000},
                                               {.name = "requests", .window_ms = 9000},
                                               {.name = "requests", .origin = "https://There.io", .requests = 10}};
    static const struct {
        const char *url;
        uint32_t requests;
    } cases[] = {{"https://here.io/", 7}, {"https://there.io:443/", 10}, {"https://there.io:444/", 7}};
    struct nx_limits limits;
    struct nx_site *sites = NULL;

    (void)state;
    assert_int_equal(nx_limits_init(&limits, set, sizeof set / sizeof *set, NULL), NEXAUTH_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct nx_site *site = find(&sites, cases[i].url, &limits);

        assert_int_equal(site->doors[NX_SITE_LIMIT].requests, cases[i].requests);
        assert_int_equal(site->doors[NX_SITE_LIMIT].window_ms, 9000);
        assert_int_equal(site->doors[NX_SITE_ORIGIN].requests, 0);
    }
    nx_sites_release(sites);
    nx_limits_release(&limits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_place_is_found_however_its_origin_is_spelled),
        cmocka_unit_test(what_is_no_url_or_too_long_a_one_leads_nowhere),
        cmocka_unit_test(a_limit_that_is_set_counts_at_its_origin_or_at_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
