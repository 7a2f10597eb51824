/*
 * The limiters at the vendors' doors. The emulator's clock stands, and is moved on by the tests.
 */
#include "support/test.h"

#include "rows.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define HERE         "127.0.0.1"
#define QUANTOZ_FORM "grant_type=client_credentials&scope=api1&client_id=nexus-"

enum { CLOSED = 0 };

enum { NEX, QUANTOZ_TEST, QUANTOZ_PRODUCTION, NEXUSGUARD, DOORS };

/* A request that is right, so that only the limiter refuses it. */
static const struct door {
    const char *service;
    const char *origin;
    const char *path;
    const char *type;
    const char *body;
} doors[DOORS] = {
    {"nex", emulator.nex_http, "/v1.0/Token", JSON_TYPE, NEX_USER},
    {"quantoz_test", emulator.quantoz_test_http, "/connect/token", FORM_TYPE,
     QUANTOZ_FORM "test-client&client_secret=p%26ss+w%2Brd%25%3D1"},
    {"quantoz_production", emulator.quantoz_production_http, "/connect/token", FORM_TYPE,
     QUANTOZ_FORM "production-client&client_secret=Pr0duct%21on+s3cret"},
    {"nexusguard", emulator.nexusguard_http, "/oauth/credit/token", FORM_TYPE,
     APP "&" SECRET "&grant_type=client_credential"},
};

/* From that address of this machine; who comes from ::1 goes to ::1, on the same port. The status, or CLOSED. */
static long knock_from(const char *address, const struct door *door, const char *path, struct response *response)
{
    const char *const headers[] = {door->type, NULL};
    char url[128];
    CURL *curl = curl_easy_init();

    snprintf(url, sizeof(url), "http://%s%s%s", strchr(address, ':') ? "[::1]" : HERE, strrchr(door->origin, ':'),
             path);
    exchange_aim(curl, "POST", url, door->body, response);
    curl_easy_setopt(curl, CURLOPT_INTERFACE, address);
    CURLcode code = exchange_with(curl, headers, response);
    curl_easy_cleanup(curl);
    if (code != CURLE_OK && code != CURLE_GOT_NOTHING && code != CURLE_RECV_ERROR)
        fail_msg("%s: %s", url, curl_easy_strerror(code));
    return code == CURLE_OK ? response->status : CLOSED;
}

static long knock(size_t door)
{
    struct response response;

    return knock_from(HERE, &doors[door], doors[door].path, &response);
}

static long knock_at(size_t door, const char *path)
{
    struct response response;

    return knock_from(HERE, &doors[door], path, &response);
}

static void limit(const char *json)
{
    assert_int_equal(emulator_limit(&emulator, json), 0);
}

static void advance(long ms)
{
    assert_int_equal(emulator_advance(&emulator, ms), 0);
}

static int record_of(size_t door, const char *member)
{
    return emulator_limit_member(&emulator, doors[door].service, member);
}

static void nothing_is_refused_where_nothing_is_told(void **state)
{
    (void)state;
    for (size_t door = 0; door < DOORS; door++) {
        for (int i = 0; i < 70; i++)
            assert_int_equal(knock(door), 200);
        assert_int_equal(record_of(door, "largest_in_window"), 70);
        assert_int_equal(record_of(door, "refused"), 0);
        assert_int_equal(record_of(door, "bans"), 0);
    }
}

static void each_vendor_has_its_own_limit_and_its_own_words(void **state)
{
    static const struct {
        int requests;
        long status;
        const char *in_head;
        const char *in_body;
    } rows[DOORS] = {
        {600, 403, "Content-Type: text/html\r\n", "403 - Forbidden: Access is denied."},
        {60, 429, "Retry-After: 60\r\n", "API calls quota exceeded! maximum admitted 60 per 1m."},
        {60, 429, "Content-Type: text/plain\r\n", "API calls quota exceeded! maximum admitted 60 per 1m."},
        {60, 429, "Retry-After: 60\r\n", ""},
    };

    (void)state;
    limit("{}");
    for (size_t door = 0; door < DOORS; door++) {
        struct response response;
        for (int i = 0; i < rows[door].requests; i++)
            assert_int_equal(knock(door), 200);
        assert_int_equal(knock_from(HERE, &doors[door], doors[door].path, &response), rows[door].status);
        assert_non_null(strstr(response.head, rows[door].in_head));
        assert_non_null(strstr(response.body, rows[door].in_body));
        assert_null(strstr(response.head, "Retry-After: 17"));
    }
}

/* At what time: the status, and what is said to wait. What was refused does not count against the limit. */
static void a_window_slides_over_what_was_admitted(void **state)
{
    static const struct {
        long at_ms;
        long status;
        const char *in_head;
    } rows[] = {
        {0, 200, ""},    {400, 200, ""},
        {800, 200, ""},  {999, 429, "Retry-After: 1\r\n"},
        {1000, 200, ""}, {1000, 429, "Retry-After: 1\r\n"},
        {1399, 429, ""}, {1400, 200, ""},
        {1799, 429, ""}, {1800, 200, ""},
        {1800, 429, ""},
    };

    (void)state;
    limit("{\"requests\":3,\"window_ms\":1000,\"ban\":\"none\"}");
    for (size_t door = 0; door < DOORS; door++) {
        long now_ms = 0;
        for (size_t i = 0; i < COUNT(rows); i++) {
            struct response response;
            advance(rows[i].at_ms - now_ms);
            now_ms = rows[i].at_ms;
            if (knock_from(HERE, &doors[door], doors[door].path, &response) != rows[i].status ||
                !strstr(response.head, rows[i].in_head))
                fail_msg("%s after %ld ms:\n%s", doors[door].service, now_ms, response.head);
        }
        assert_int_equal(record_of(door, "refused"), 5);
        assert_int_equal(record_of(door, "bans"), 0);
        assert_int_equal(record_of(door, "largest_in_window"), 8); /* from 999 on */
    }
}

static void what_is_said_to_wait_is_in_whole_seconds_and_enough(void **state)
{
    struct response response;

    (void)state;
    limit("{\"requests\":1,\"window_ms\":2001}");
    assert_int_equal(knock(QUANTOZ_TEST), 200);
    assert_int_equal(knock_from(HERE, &doors[QUANTOZ_TEST], doors[QUANTOZ_TEST].path, &response), 429);
    assert_non_null(strstr(response.head, "Retry-After: 3\r\n"));
    assert_string_equal(response.body, "API calls quota exceeded! maximum admitted 1 per 2001ms.");
    advance(1);
    assert_int_equal(knock_from(HERE, &doors[QUANTOZ_TEST], doors[QUANTOZ_TEST].path, &response), 429);
    assert_non_null(strstr(response.head, "Retry-After: 2\r\n"));
}

static bool has_address(const char *address)
{
    struct in6_addr ignored;
    const struct sockaddr_in6 place = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};

    if (inet_pton(AF_INET6, address, &ignored) != 1)
        return true;
    int descriptor = socket(AF_INET6, SOCK_STREAM, 0);
    bool bound = descriptor >= 0 && bind(descriptor, (const struct sockaddr *)&place, sizeof(place)) == 0;
    if (descriptor >= 0)
        close(descriptor);
    return bound;
}

static void each_address_has_a_limit_and_a_record_of_its_own(void **state)
{
    static const char *const addresses[] = {HERE, "127.0.0.2", "::1"};
    struct response response;
    char object[128];

    (void)state;
    limit("{\"requests\":2,\"window_ms\":1000}");
    for (size_t door = 0; door < DOORS; door++) {
        for (size_t i = 0; i < COUNT(addresses) && has_address(addresses[i]); i++) {
            assert_int_equal(knock_from(addresses[i], &doors[door], doors[door].path, &response), 200);
            assert_int_equal(knock_from(addresses[i], &doors[door], doors[door].path, &response), 200);
            assert_int_equal(knock_from(addresses[i], &doors[door], doors[door].path, &response),
                             door == NEX ? 403 : 429);
            char *shown = emulator_show(&emulator, "/limits");
            snprintf(object, sizeof(object),
                     "{\"address\":\"%s\",\"largest_in_window\":3,\"refused\":1,\"bans\":%d,\"banned_for_ms\":%d}",
                     addresses[i], door == NEX, door == NEX ? 3600000 : 0);
            assert_non_null(strstr(strstr(shown, doors[door].service), object));
            free(shown);
        }
        assert_int_equal(record_of(door, "largest_in_window"), 3);
    }
}

static void a_ban_refuses_all_of_its_address_at_its_origin_until_it_ends(void **state)
{
    struct response response;

    (void)state;
    limit("{\"service\":\"nex\",\"requests\":2,\"window_ms\":500,\"ban_ms\":2000}");
    assert_int_equal(knock(NEX), 200);
    assert_int_equal(knock(NEX), 200);
    assert_int_equal(knock(NEX), 403);
    assert_int_equal(knock_at(NEX, "/"), 403);
    assert_int_equal(knock_from("127.0.0.2", &doors[NEX], "/v1.0/Token", &response), 200);
    assert_int_equal(knock(QUANTOZ_TEST), 200);
    advance(1999);
    assert_int_equal(knock(NEX), 403);
    advance(1);
    assert_int_equal(knock(NEX), 200);
    assert_int_equal(record_of(NEX, "bans"), 1);
    assert_int_equal(record_of(NEX, "refused"), 3);
    assert_int_equal(knock(NEX), 200);
    assert_int_equal(knock(NEX), 403);
    assert_int_equal(record_of(NEX, "bans"), 2);
}

static void a_ban_has_the_face_that_was_told(void **state)
{
    static const struct {
        const char *ban;
        long status;
    } rows[] = {{"html-401", 401},  {"html-403", 403},  {"html-404", 404}, {"empty-401", 401},
                {"empty-403", 403}, {"empty-404", 404}, {"close", CLOSED}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char json[128];
        snprintf(json, sizeof(json), "{\"requests\":1,\"window_ms\":1000,\"ban\":\"%s\",\"ban_ms\":60000}",
                 rows[i].ban);
        assert_int_equal(emulator_reset(&emulator), 0);
        limit(json);
        for (size_t door = 0; door < DOORS; door++) {
            assert_int_equal(knock(door), 200);
            assert_int_equal(knock(door), rows[i].status);
            assert_int_equal(knock_at(door, "/other"), rows[i].status);
        }
    }
}

/* The doors of which all paths count, and those of which only their own do. */
static void a_limit_counts_what_its_vendor_says(void **state)
{
    static const struct {
        size_t door;
        const char *path;
        bool counts;
    } rows[] = {
        {NEX, "/v1.0/TOKEN", true},
        {NEX, "/v1.0/Devices", true},
        {QUANTOZ_TEST, "/customer", false},
        {QUANTOZ_PRODUCTION, "/connect", false},
        {NEXUSGUARD, "/oauth/connect", true},
        {NEXUSGUARD, "/oauth/access_token", true},
        {NEXUSGUARD, "/oauth/refresh_token", true},
        {NEXUSGUARD, "/api/sites", false},
        {NEXUSGUARD, "/api/spe/customers", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(emulator_reset(&emulator), 0);
        limit("{\"requests\":1,\"ban\":\"none\"}");
        assert_int_not_equal(knock_at(rows[i].door, rows[i].path), 429);
        if (knock(rows[i].door) != (rows[i].counts ? 429 : 200))
            fail_msg("%s", rows[i].path);
        assert_int_equal(record_of(rows[i].door, "largest_in_window"), rows[i].counts ? 2 : 1);
    }
}

static long call_api(const char *origin, const char *path)
{
    struct response response;

    assert_int_equal(exchange(origin, "GET", path, NULL, NULL, &response), CURLE_OK);
    return response.status;
}

static void calls_at_quantoz_are_limited_by_name_alone_and_then_over_their_whole_origin(void **state)
{
    (void)state;
    limit("{\"requests\":1,\"window_ms\":1000}");
    for (int i = 0; i < 3; i++)
        assert_int_equal(call_api(emulator.quantoz_test_api_http, "/customer"), 401);
    assert_int_equal(emulator_limit_member(&emulator, "quantoz_test_api", "largest_in_window"), 3);
    assert_int_equal(knock(QUANTOZ_TEST), 200);
    advance(60000);
    limit("{\"service\":\"quantoz_test_api\",\"requests\":2,\"window_ms\":1000}");
    assert_int_equal(call_api(emulator.quantoz_test_api_http, "/customer"), 401);
    assert_int_equal(call_api(emulator.quantoz_test_api_https, "/other"), 404);
    assert_int_equal(call_api(emulator.quantoz_test_api_http, "/customer"), 429);
    assert_int_equal(call_api(emulator.quantoz_production_api_http, "/customer"), 401);
    assert_int_equal(emulator_limit_member(&emulator, "quantoz_test_api", "refused"), 1);
    assert_int_equal(knock(QUANTOZ_TEST), 200);
}

static void calls_at_nex_and_its_tokens_share_a_limit(void **state)
{
    (void)state;
    limit("{\"requests\":2,\"ban\":\"none\"}");
    assert_int_equal(call_api(emulator.nex_http, "/v1.0/Controller"), 401);
    assert_int_equal(call_api(emulator.nex_http, "/v1.0/Controller"), 401);
    assert_int_equal(knock(NEX), 429);
    assert_int_equal(call_api(emulator.nex_http, "/v1.0/Controller"), 429);
}

static void the_record_ends_a_window_where_the_next_one_begins(void **state)
{
    (void)state;
    limit("{\"requests\":5,\"window_ms\":1000}");
    assert_int_equal(knock(NEX), 200);
    advance(1000);
    assert_int_equal(knock(NEX), 200);
    assert_int_equal(record_of(NEX, "largest_in_window"), 1);
    advance(999);
    assert_int_equal(knock(NEX), 200);
    assert_int_equal(record_of(NEX, "largest_in_window"), 2);
    limit("{\"service\":\"nex\",\"window_ms\":2000}");
    assert_int_equal(record_of(NEX, "largest_in_window"), 3);
}

static void the_record_is_forgotten_and_the_limit_stays(void **state)
{
    struct response response;

    (void)state;
    limit("{\"requests\":1,\"window_ms\":60000}");
    assert_int_equal(knock(NEX), 200);
    assert_int_equal(knock(NEX), 403);
    assert_int_equal(exchange(emulator.control, "DELETE", "/limits", NULL, NULL, &response), CURLE_OK);
    assert_int_equal(response.status, 204);
    assert_int_equal(record_of(NEX, "largest_in_window"), 0);
    assert_int_equal(record_of(NEX, "refused"), 0);
    assert_int_equal(record_of(NEX, "bans"), 0);
    assert_int_equal(knock(NEX), 200);
    assert_int_equal(knock(NEX), 403);
}

/* Only the first line of it has come; no answer, and not even a whole head. */
static void a_request_counts_when_its_first_line_has_come(void **state)
{
    static const char line[] = "POST /connect/token HTTP/1.1\r\n";
    const long port = strtol(strrchr(emulator.quantoz_test_http, ':') + 1, NULL, 10);
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);

    (void)state;
    limit("{\"requests\":1,\"window_ms\":1000}");
    assert_int_equal(connect(descriptor, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(write(descriptor, line, sizeof(line) - 1), sizeof(line) - 1);
    while (record_of(QUANTOZ_TEST, "largest_in_window") == 0)
        ;
    assert_int_equal(knock(QUANTOZ_TEST), 429);
    close(descriptor);
}

static void a_request_that_is_refused_meets_no_fault_and_no_service(void **state)
{
    (void)state;
    limit("{\"requests\":1,\"window_ms\":1000,\"ban_ms\":1000}");
    for (size_t door = 0; door < DOORS; door++) {
        char fault[256];
        char key[64];
        snprintf(fault, sizeof(fault), "{\"service\":\"%s\",\"path\":\"%s\",\"answer\":{\"status\":418}}",
                 doors[door].service, doors[door].path);
        snprintf(key, sizeof(key), "%s %s", doors[door].service, doors[door].path);
        assert_int_equal(knock(door), 200);
        assert_int_equal(emulator_fault(&emulator, fault), 0);
        assert_int_equal(knock(door), door == NEX ? 403 : 429);
        advance(1000);
        assert_int_equal(knock(door), 418);
        assert_int_equal(emulator_count(&emulator, key), 3);
    }
}

static void a_limit_can_be_given_at_the_start_and_taken_back(void **state)
{
    static const char *const arguments[] = {"--limit", "{\"service\":\"nex\",\"requests\":1,\"ban\":\"none\"}", NULL};
    const struct emulator kept = emulator;

    (void)state;
    assert_int_equal(emulator_start(&emulator, arguments), 0);
    assert_int_equal(emulator_stop_clock(&emulator), 0);
    assert_int_equal(knock(NEX), 200);
    assert_int_equal(knock(NEX), 429);
    limit("{\"enforced\":false}");
    assert_int_equal(knock(NEX), 200);
    assert_int_equal(emulator_reset(&emulator), 0);
    assert_int_equal(record_of(NEX, "largest_in_window"), 0);
    assert_int_equal(knock(NEX), 200);
    assert_int_equal(knock(NEX), 429);
    assert_int_equal(knock(QUANTOZ_TEST), 200);
    assert_int_equal(knock(QUANTOZ_TEST), 200);
    assert_int_equal(emulator_stop(&emulator), 0);
    emulator = kept;
}

static const struct row wrong_rows[] = {
    {"no object", .body = "[]", .in_body = "not a JSON object"},
    {"another member", .body = "{\"limit\":1}", .in_body = "not known"},
    {"a limit of nobody", .body = "{\"service\":\"x\"}", .in_body = "service is not one of"},
    {"a service that is no name", .body = "{\"service\":1}", .in_body = "service is not one of"},
    {"no requests", .body = "{\"requests\":0}", .in_body = "requests is not"},
    {"too many requests", .body = "{\"requests\":1000001}", .in_body = "requests is not"},
    {"no window", .body = "{\"window_ms\":0}", .in_body = "window_ms is not"},
    {"a window without a number", .body = "{\"window_ms\":\"1s\"}", .in_body = "window_ms is not"},
    {"a ban of no time", .body = "{\"ban_ms\":0}", .in_body = "ban_ms is not"},
    {"a ban of another face", .body = "{\"ban\":\"html-500\"}", .in_body = "ban is not one of none"},
    {"a ban that is no name", .body = "{\"ban\":false}", .in_body = "ban is not one of none"},
    {"enforced that is no flag", .body = "{\"enforced\":1}", .in_body = "enforced is neither"},
};

static const struct row kept_rows[] = {
    {"nothing was told", .in_body = "\"nex\":{\"enforced\":false,\"requests\":600,\"window_ms\":60000,"
                                    "\"ban\":\"html-403\",\"ban_ms\":3600000,\"largest_in_window\":0,\"refused\":0,"
                                    "\"bans\":0,\"addresses\":[]}"},
    {"nor of another service", .in_body = "\"nexusguard\":{\"enforced\":false,\"requests\":60,\"window_ms\":60000,"
                                          "\"ban\":\"none\","},
};

static void what_is_no_limit_is_refused_and_changes_nothing(void **state)
{
    static const struct good telling = {emulator.control,
                                        {.method = "POST", .path = "/limits", .type = JSON_TYPE, .status = 400}};
    static const struct good showing = {emulator.control,
                                        {.method = "GET", .path = "/limits", .type = JSON_TYPE, .status = 200}};

    (void)state;
    CHECK_ALL(&telling, wrong_rows);
    CHECK_ALL(&showing, kept_rows);
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

static int reset(void **state)
{
    (void)state;
    return emulator_reset(&emulator) || emulator_stop_clock(&emulator) ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_is_refused_where_nothing_is_told, reset),
        cmocka_unit_test_setup(each_vendor_has_its_own_limit_and_its_own_words, reset),
        cmocka_unit_test_setup(a_window_slides_over_what_was_admitted, reset),
        cmocka_unit_test_setup(what_is_said_to_wait_is_in_whole_seconds_and_enough, reset),
        cmocka_unit_test_setup(each_address_has_a_limit_and_a_record_of_its_own, reset),
        cmocka_unit_test_setup(a_ban_refuses_all_of_its_address_at_its_origin_until_it_ends, reset),
        cmocka_unit_test_setup(a_ban_has_the_face_that_was_told, reset),
        cmocka_unit_test_setup(a_limit_counts_what_its_vendor_says, reset),
        cmocka_unit_test_setup(calls_at_quantoz_are_limited_by_name_alone_and_then_over_their_whole_origin, reset),
        cmocka_unit_test_setup(calls_at_nex_and_its_tokens_share_a_limit, reset),
        cmocka_unit_test_setup(the_record_ends_a_window_where_the_next_one_begins, reset),
        cmocka_unit_test_setup(the_record_is_forgotten_and_the_limit_stays, reset),
        cmocka_unit_test_setup(a_request_counts_when_its_first_line_has_come, reset),
        cmocka_unit_test_setup(a_request_that_is_refused_meets_no_fault_and_no_service, reset),
        cmocka_unit_test_setup(a_limit_can_be_given_at_the_start_and_taken_back, reset),
        cmocka_unit_test_setup(what_is_no_limit_is_refused_and_changes_nothing, reset),
    };

    curl_global_init(CURL_GLOBAL_DEFAULT);
    int failed = cmocka_run_group_tests(tests, start, stop);
    curl_global_cleanup();
    return failed;
}
