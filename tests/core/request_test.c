/* What no request can hold. */
#include "support/test.h"

#include "core/request.h"

static void a_header_too_many_spoils_the_request(void **state)
{
    (void)state;
    for (int surplus = 0; surplus < 3; surplus++) {
        struct nx_request request;

        nx_request_init(&request);
        nx_request_begin(&request, NX_CARRIER_QUERY, "https://example.com", "/token");
        for (int i = 0; i < NX_REQUEST_HEADERS + surplus; i++)
            nx_request_header(&request, "Name", "value");
        assert_int_equal(nx_request_end(&request), surplus ? NEXAUTH_INVALID : NEXAUTH_OK);
        assert_int_equal(request.header_count, NX_REQUEST_HEADERS);
        nx_request_release(&request);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_too_many_spoils_the_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
