/*
 * What the control endpoint shows, takes and refuses.
 */
#include "support/test.h"

#include "rows.h"

#define NEX_FAULT "{\"service\":\"nex\",\"path\":\"/v1.0/Token\","

#define WORDED(members) NEX_FAULT "\"answer\":{" members "}}"
#define HEADER(member)  WORDED("\"headers\":{" member "}")
#define AT(path)        "{\"service\":\"nexusguard\",\"path\":\"" path "\","
#define ALTERED         "\"connect\":{\"state\":\"x\"}"

/* Each member is good, but not beside the other. */
static const struct row contradictory_rows[] = {
    {"connect where nobody connects", .body = NEX_FAULT ALTERED "}", .in_body = "connect goes with"},
    {"connect at another origin", .body = "{\"service\":\"nex\"," ALTERED "}", .in_body = "connect goes with"},
    {"connect at another path", .body = AT("/oauth/access_token") ALTERED "}", .in_body = "connect goes with"},
    {"connect with an answer", .body = AT("/oauth/connect") ALTERED ",\"answer\":\"html-500\"}",
     .in_body = "connect has no redirect"},
    {"connect with a ban", .body = "{\"service\":\"nexusguard\"," ALTERED ",\"ban\":\"html-403\"}",
     .in_body = "connect has no redirect"},
    {"connect with a ban by closing", .body = "{\"service\":\"nexusguard\"," ALTERED ",\"ban\":\"close\"}",
     .in_body = "connect has no redirect"},
    {"connect with a drop", .body = AT("/oauth/connect") ALTERED ",\"drop\":true}",
     .in_body = "connect has no redirect"},
    {"connect that alters nothing", .body = AT("/oauth/connect") "\"connect\":{}}", .in_body = "connect is not"},
    {"an answer to what is not read", .body = NEX_FAULT "\"answer\":\"html-500\",\"drop\":\"before_reading\"}",
     .in_body = "answer is never sent"},
    {"an answer that is dropped", .body = NEX_FAULT "\"answer\":\"html-500\",\"drop\":true}",
     .in_body = "answer is never sent"},
    {"a delay of what is not read", .body = NEX_FAULT "\"delay_ms\":1,\"drop\":\"before_reading\"}",
     .in_body = "drop before_reading goes with"},
    {"service for what is not read", .body = NEX_FAULT "\"process\":true,\"drop\":\"before_reading\"}",
     .in_body = "drop before_reading goes with"},
    {"a drip of nothing", .body = NEX_FAULT "\"drip_ms\":1,\"drop\":true}", .in_body = "drip_ms has no answer"},
    {"a token that nobody grants", .body = NEX_FAULT "\"answer\":\"json\",\"process\":false}",
     .in_body = "process false"},
    {"nobody to answer", .body = NEX_FAULT "\"process\":false}", .in_body = "process false"},
    {"half of nobody's answer", .body = NEX_FAULT "\"process\":false,\"drop\":\"in_answer\"}",
     .in_body = "process false"},
    {"a body of status 204", .body = WORDED("\"status\":204,\"body\":\"x\""), .in_body = "answer has a body"},
    {"a body of status 304", .body = WORDED("\"status\":304,\"body\":\"x\""), .in_body = "answer has a body"},
    {"a body of status 103", .body = WORDED("\"status\":103,\"body\":\"x\""), .in_body = "answer.status is not"},
    {"a drop in no body", .body = NEX_FAULT "\"drop\":\"in_answer\",\"answer\":{\"status\":204}}",
     .in_body = "answer has a body"},
    {"an encoding of one's own", .body = HEADER("\"transfer-encoding\":\"gzip\""), .in_body = "only be chunked"},
    {"a connection that is kept", .body = HEADER("\"Connection\":\"keep-alive\""), .in_body = "only be chunked"},
    {"a header without a value", .body = HEADER("\"X-A\":\"\""), .in_body = "no header is empty"},
    {"a tab in a header", .body = HEADER("\"X-A\":\"b\\tc\""), .in_body = "cannot be sent"},
    {"an answer without words", .body = WORDED(""), .in_body = "answer is not a name"},
    {"a NUL in a body", .body = WORDED("\"body\":\"a\\u0000b\""), .in_body = "without a NUL"},
    {"a NUL behind a backslash", .body = WORDED("\"body\":\"\\\\\\u0000\""), .in_body = "without a NUL"},
    {"a NUL in the name of a header", .body = HEADER("\"X-A\\u0000b\":\"c\""), .in_body = "without a NUL"},
    {"a NUL in the name of a member", .body = NEX_FAULT "\"drop\\u0000s\":true}", .in_body = "without a NUL"},
    {"a NUL in another request", .path = "/tokens", .body = "{\"service\":\"nex\\u0000\"}",
     .in_body = "not a JSON object"},
};

/* Faults that are alike, and those near to what is refused. */
static const struct row accepted_rows[] = {
    {"no drop", .body = NEX_FAULT "\"drop\":false}"},
    {"no drip", .body = NEX_FAULT "\"drip_ms\":false}"},
    {"a backslash before what looks like a NUL", .body = WORDED("\"body\":\"\\\\u0000\"")},
    {"status 204 without a body", .body = WORDED("\"status\":204")},
    {"chunks", .body = HEADER("\"Transfer-Encoding\":\"chunked\"")},
    {"a connection that is closed", .body = HEADER("\"Connection\":\"close\"")},
    {"a drop that spends nothing", .body = NEX_FAULT "\"process\":false,\"drop\":true}"},
    {"connect at its path", .body = AT("/oauth/connect") ALTERED "}"},
    {"connect at its origin", .body = "{\"service\":\"nexusguard\"," ALTERED "}"},
};

static const struct row control_rows[] = {
    {"no service", .in_body = "service is not one of nex, quantoz_test, quantoz_production, nexusguard, "
                              "quantoz_test_api and quantoz_production_api."},
    {"no JSON", .body = "x", .in_body = "not a JSON object"},
    {"an unknown path", .body = "{\"service\":\"nex\",\"path\":\"/x\"}", .in_body = "path is not one of"},
    {"an unknown member", .body = NEX_FAULT "\"x\":1}", .in_body = "not known"},
    {"a negative number of times", .body = NEX_FAULT "\"times\":-1}", .in_body = "times is not"},
    {"half a time", .body = NEX_FAULT "\"times\":1.5}", .in_body = "times is not"},
    {"a negative delay", .body = NEX_FAULT "\"delay_ms\":-1}", .in_body = "delay_ms is not"},
    {"drop that is no moment", .body = NEX_FAULT "\"drop\":1}", .in_body = "drop is neither"},
    {"a drop at no moment", .body = NEX_FAULT "\"drop\":\"later\"}", .in_body = "drop is neither"},
    {"process that is no flag", .body = NEX_FAULT "\"process\":1}", .in_body = "process is neither"},
    {"status 100", .body = NEX_FAULT "\"answer\":{\"status\":100}}", .in_body = "answer.status is not"},
    {"an answer that is no object", .body = NEX_FAULT "\"answer\":200}", .in_body = "answer is not"},
    {"a body that is no string", .body = NEX_FAULT "\"answer\":{\"body\":{}}}", .in_body = "answer.body is not"},
    {"headers that are no object", .body = NEX_FAULT "\"answer\":{\"headers\":[]}}",
     .in_body = "answer.headers is not"},
    {"a header that cannot be sent", .body = NEX_FAULT "\"answer\":{\"headers\":{\"A\":\"b\\r\\nC: d\"}}}",
     .in_body = "answer.headers has a member"},
    {"a length of one's own", .body = NEX_FAULT "\"answer\":{\"headers\":{\"content-length\":\"1\"}}}",
     .in_body = "answer.headers has a member"},
    {"a redirect that cannot be sent", .body = NEX_FAULT "\"connect\":{\"redirect\":\"a\\nb\"}}",
     .in_body = "connect has a member"},
    {"a drip that is no time", .body = NEX_FAULT "\"drip_ms\":\"1\"}", .in_body = "drip_ms is neither"},
    {"a negative delay of reading", .body = NEX_FAULT "\"read_delay_ms\":-1}", .in_body = "read_delay_ms is not"},
    {"a time of nothing", .body = NEX_FAULT "\"for_ms\":0}", .in_body = "for_ms is not"},
    {"a path that is no string", .body = "{\"service\":\"nex\",\"path\":1}", .in_body = "path is not one of"},
    {"an answer that nobody gives", .body = NEX_FAULT "\"answer\":\"x\"}", .in_body = "GET /answers lists them"},
    {"another vendor's answer", .body = NEX_FAULT "\"answer\":\"app-token\"}", .in_body = "GET /answers lists them"},
    {"a named answer with a body", .body = NEX_FAULT "\"answer\":{\"name\":\"html-200\",\"body\":\"\"}}",
     .in_body = "answer is not a name"},
    {"headers for a token", .body = NEX_FAULT "\"answer\":{\"name\":\"json\",\"headers\":{}}}",
     .in_body = "answer.headers cannot be given"},
    {"a file that is not there", .body = NEX_FAULT "\"answer\":{\"file\":\"/nonexistent\"}}",
     .in_body = "cannot be read"},
    {"a file that is a device", .body = NEX_FAULT "\"answer\":{\"file\":\"/dev/null\"}}",
     .in_body = "is no ordinary file"},
    {"an unknown ban", .body = "{\"service\":\"nex\",\"ban\":\"x\"}", .in_body = "ban is not one of"},
    {"a ban of a path", .body = NEX_FAULT "\"ban\":\"close\"}", .in_body = "ban goes with"},
    {"a ban with an answer", .body = "{\"service\":\"nex\",\"ban\":\"close\",\"answer\":\"json\"}",
     .in_body = "ban goes with"},
    {"no manner", .path = "/tokens", .body = "[]", .in_body = "not a JSON object"},
    {"a manner that is not known", .path = "/tokens", .body = "{\"x\":1}", .in_body = "not known"},
    {"a manner of nobody", .path = "/tokens", .body = "{\"service\":\"x\"}", .in_body = "service is not one of"},
    {"a manner of who hands out nothing", .path = "/tokens", .body = "{\"service\":\"quantoz_test_api\"}",
     .in_body = "service is not one of nex, quantoz_test, quantoz_production and nexusguard."},
    {"rotation that is no flag", .path = "/tokens", .body = "{\"rotation\":1}", .in_body = "neither true nor false"},
    {"a lifetime that is no number", .path = "/tokens", .body = "{\"lifetime_s\":\"1\"}", .in_body = "lifetime_s, "},
    {"no token", .path = "/introspect", .in_body = "token, a string"},
    {"time that goes back", .path = "/clock", .body = "{\"advance_ms\":-1}", .in_body = "advance_ms"},
    {"no time", .path = "/clock", .in_body = "advance_ms"},
    {"time that stands a little", .path = "/clock", .body = "{\"stopped\":1}", .in_body = "stopped, true or"},
    {"a window of nothing", .method = "GET", .path = "/counts?window_ms=0", .in_body = "window_ms"},
    {"a window without a number", .method = "GET", .path = "/counts?window_ms=1s", .in_body = "window_ms"},
    {"an unknown query", .method = "GET", .path = "/counts?x=1", .in_body = "window_ms"},
    {"connect that is no object", .body = NEX_FAULT "\"connect\":1}", .in_body = "connect is not"},
    {"to revoke nothing", .path = "/revoke", .in_body = "either refresh_token"},
    {"to revoke one and all", .path = "/revoke", .body = "{\"refresh_token\":\"x\",\"all_refresh_tokens\":true}",
     .in_body = "either refresh_token"},
    {"to revoke what was not issued", .path = "/revoke", .body = "{\"refresh_token\":\"x\"}", .in_body = "not issued"},
    {"to revoke two kinds", .path = "/revoke", .body = "{\"refresh_token\":\"x\",\"all_access_tokens\":true}",
     .in_body = "either refresh_token"},
    {"to revoke an access token that was not issued", .path = "/revoke", .body = "{\"access_token\":\"x\"}",
     .in_body = "This access token was not issued."},
    {"to revoke not all access tokens", .path = "/revoke", .body = "{\"all_access_tokens\":false}",
     .in_body = "either refresh_token"},
    {"another method", .path = "/faults", .method = "PUT", .status = 405, .in_head = "Allow: GET, POST, DELETE\r\n"},
    {"another path", .path = "/fault", .status = 404, .in_body = "There is GET /counts"},
};

static const struct row shown_rows[] = {
    {"nothing goes wrong", .path = "/faults", .in_body = "[]"},
    {"answers by their groups", .path = "/answers", .in_body = "{\"any\":{\"html-200\":\"a page"},
    {"counts by their paths", .path = "/counts",
     .in_body = "{\"nex /v1.0/Token\":{\"requests\":0,\"in_flight\":0,\"unread\":0,\"connections\":0,"
                "\"largest_in_window\":0}"},
    {"a fault is queued", .method = "POST", .path = "/faults", .body = NEX_FAULT "\"delay_ms\":1,\"times\":2}",
     .status = 204},
    {"it is shown", .path = "/faults",
     .in_body = "[{\"service\":\"nex\",\"path\":\"/v1.0/Token\",\"delay_ms\":1,\"times\":2}]"},
    {"all is forgotten", .method = "POST", .path = "/reset", .body = "", .status = 204},
    {"nothing goes wrong any more", .path = "/faults", .in_body = "[]"},
};

static void the_control_endpoint_shows_what_it_knows(void **state)
{
    static const struct good good = {emulator.control, {.method = "GET", .type = JSON_TYPE, .status = 200}};

    (void)state;
    assert_int_equal(emulator_reset(&emulator), 0);
    CHECK_ALL(&good, shown_rows);
}

static void the_control_endpoint_refuses_what_it_does_not_understand(void **state)
{
    static const struct good good = {
        emulator.control, {.method = "POST", .path = "/faults", .type = JSON_TYPE, .body = "{}", .status = 400}};

    (void)state;
    CHECK_ALL(&good, control_rows);
}

static void it_refuses_what_contradicts_itself(void **state)
{
    static const struct good good = {emulator.control,
                                     {.method = "POST", .path = "/faults", .type = JSON_TYPE, .status = 400}};

    (void)state;
    CHECK_ALL(&good, contradictory_rows);
}

static void it_takes_what_makes_sense(void **state)
{
    static const struct good good = {emulator.control,
                                     {.method = "POST", .path = "/faults", .type = JSON_TYPE, .status = 204}};

    (void)state;
    CHECK_ALL(&good, accepted_rows);
    assert_int_equal(emulator_reset(&emulator), 0);
}

static int start(void **state)
{
    (void)state;
    return emulator_start(&emulator, NULL);
}

static int stop(void **state)
{
    (void)state;
    return emulator_stop(&emulator);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_control_endpoint_shows_what_it_knows),
        cmocka_unit_test(the_control_endpoint_refuses_what_it_does_not_understand),
        cmocka_unit_test(it_refuses_what_contradicts_itself),
        cmocka_unit_test(it_takes_what_makes_sense),
    };

    curl_global_init(CURL_GLOBAL_DEFAULT);
    int failed = cmocka_run_group_tests(tests, start, stop);
    curl_global_cleanup();
    return failed;
}
