/*
 * What the emulator does beyond single answers: codes and refresh tokens that serve once, faults, counts, TLS, and how
 * it starts and ends.
 */
#include "support/test.h"

#include "exchange.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A form that Nexusguard reads. */
static void post_nexusguard(const char *path, const char *body, struct response *response)
{
    static const char *const headers[] = {FORM_TYPE, NULL};

    assert_int_equal(exchange(emulator.nexusguard_https, "POST", path, headers, body, response), CURLE_OK);
}

static void post_nex_user(struct response *response)
{
    static const char *const headers[] = {JSON_TYPE, NULL};

    assert_int_equal(exchange(emulator.nex_https, "POST", "/v1.0/Token", headers, NEX_USER, response), CURLE_OK);
}

/* Copies what is between `before` and the first of `after`. */
static void cut(const char *text, const char *before, const char *after, char *value, size_t size)
{
    const char *found = strstr(text, before);

    assert_non_null(found);
    found += strlen(before);
    snprintf(value, size, "%.*s", (int)strcspn(found, after), found);
}

static void tokens_are_unique(void **state)
{
    struct response first;
    struct response second;

    (void)state;
    post_nex_user(&first);
    post_nex_user(&second);
    assert_string_not_equal(first.body, second.body);
}

static void plain_http_answers_too(void **state)
{
    static const char *const headers[] = {JSON_TYPE, NULL};
    struct response response;

    (void)state;
    assert_int_equal(exchange(emulator.nex_http, "POST", "/v1.0/Token", headers, NEX_USER, &response), CURLE_OK);
    assert_int_equal(response.status, 200);
}

static void a_client_without_the_ca_does_not_trust_it(void **state)
{
    struct response response = {0};
    CURL *curl = curl_easy_init();

    (void)state;
    exchange_aim(curl, "GET", emulator.nex_https, NULL, &response);
    curl_easy_setopt(curl, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    CURLcode code = exchange_with(curl, NULL, &response);
    curl_easy_cleanup(curl);
    assert_int_equal(code, CURLE_PEER_FAILED_VERIFICATION);
}

static void connect_for_code(char *code, size_t size)
{
    struct response response;

    assert_int_equal(
        exchange(emulator.nexusguard_https, "GET", CONNECT CUSTOMER "&state=s1&" REDIRECT, NULL, NULL, &response),
        CURLE_OK);
    assert_int_equal(response.status, 302);
    assert_non_null(strstr(response.head, "Location: https://app.example.com/back?code="));
    assert_non_null(strstr(response.head, "&state=s1\r\n"));
    cut(response.head, "?code=", "&\r\n", code, size);
}

static void exchange_code(const char *code, struct response *response)
{
    char body[512];

    snprintf(body, sizeof(body), APP "&" SECRET "&grant_type=authorization_code&code=%s", code);
    post_nexusguard("/oauth/access_token", body, response);
}

static void refresh(const char *token, struct response *response)
{
    char body[512];

    snprintf(body, sizeof(body), APP "&grant_type=refresh_code&refresh_token=%s", token);
    post_nexusguard("/oauth/refresh_token", body, response);
}

static void take_refresh_token(const struct response *response, char *token, size_t size)
{
    assert_non_null(
        strstr(response->body, "{\"code\":0,\"msg\":\"success\",\"result\":{\"access_token\":\"nexusguard-"));
    assert_non_null(strstr(response->body, "\"expires_in\":7200"));
    assert_non_null(strstr(response->body, "\"scope\":\"install_login\""));
    cut(response->body, "\"refresh_token\":\"", "\"", token, size);
}

static void a_code_serves_once(void **state)
{
    struct response response;
    char code[128];
    char token[128];

    (void)state;
    connect_for_code(code, sizeof(code));
    exchange_code(code, &response);
    take_refresh_token(&response, token, sizeof(token));
    exchange_code(code, &response);
    assert_non_null(strstr(response.body, "\"code\":40029"));
    assert_int_equal(emulator_total_reused(&emulator, "codes_reused"), 1);
    assert_int_equal(emulator_total_reused(&emulator, "refresh_tokens_reused"), 0);
}

static void a_refresh_token_serves_once_and_is_replaced(void **state)
{
    struct response response;
    char code[128];
    char first[128];
    char second[128];

    (void)state;
    connect_for_code(code, sizeof(code));
    exchange_code(code, &response);
    take_refresh_token(&response, first, sizeof(first));
    refresh(first, &response);
    take_refresh_token(&response, second, sizeof(second));
    assert_string_not_equal(first, second);
    refresh(first, &response);
    assert_non_null(strstr(response.body, "{\"code\":40030,"));
    assert_non_null(strstr(response.body, "\"result\":[]}"));
    assert_int_equal(emulator_total_reused(&emulator, "refresh_tokens_reused"), 1);
    refresh(second, &response);
    assert_non_null(strstr(response.body, "\"code\":0,"));
}

static void a_revoked_refresh_token_serves_no_more(void **state)
{
    static const bool all[] = {false, true};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct response response;
        char code[128];
        char token[128];
        connect_for_code(code, sizeof(code));
        exchange_code(code, &response);
        take_refresh_token(&response, token, sizeof(token));
        assert_int_equal(emulator_revoke(&emulator, all[i] ? NULL : token), 0);
        refresh(token, &response);
        assert_non_null(strstr(response.body, "\"code\":40030"));
    }
    assert_int_equal(emulator_total_reused(&emulator, "refresh_tokens_reused"), 0);
}

static void a_fault_answers_so_many_times(void **state)
{
    struct response response;

    (void)state;
    assert_int_equal(emulator_fault(&emulator, "{\"service\":\"nex\",\"path\":\"/V1.0/token\",\"times\":2,\"answer\":{"
                                               "\"status\":429,\"headers\":{\"Retry-After\":\"17\"},\"body\":\"no\"}}"),
                     0);
    for (int i = 0; i < 2; i++) {
        post_nex_user(&response);
        assert_int_equal(response.status, 429);
        assert_non_null(strstr(response.head, "Retry-After: 17\r\n"));
        assert_string_equal(response.body, "no");
    }
    post_nex_user(&response);
    assert_int_equal(response.status, 200);
}

static void faults_of_a_path_are_a_queue(void **state)
{
    struct response response;

    (void)state;
    emulator_fault(&emulator, "{\"service\":\"nex\",\"path\":\"/v1.0/Token\",\"answer\":{\"status\":503}}");
    emulator_fault(&emulator, "{\"service\":\"quantoz_test\",\"path\":\"/connect/token\",\"answer\":{\"status\":500}}");
    emulator_fault(&emulator, "{\"service\":\"nex\",\"path\":\"/v1.0/Token\",\"drop\":true}");
    post_nex_user(&response);
    assert_int_equal(response.status, 503);
    static const char *const headers[] = {JSON_TYPE, NULL};
    CURLcode code = exchange(emulator.nex_https, "POST", "/v1.0/Token", headers, NEX_USER, &response);
    assert_true(code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR);
    assert_int_equal(response.status, 0);
    post_nex_user(&response);
    assert_int_equal(response.status, 200);
}

static void cleared_faults_do_nothing(void **state)
{
    struct response response;

    (void)state;
    emulator_fault(&emulator, "{\"service\":\"nex\",\"path\":\"/v1.0/Token\",\"answer\":{\"status\":503}}");
    assert_int_equal(exchange(emulator.control, "DELETE", "/faults", NULL, NULL, &response), CURLE_OK);
    assert_int_equal(response.status, 204);
    post_nex_user(&response);
    assert_int_equal(response.status, 200);
}

static void a_lost_answer_spends_the_refresh_token_but_a_refused_request_does_not(void **state)
{
    static const char *const headers[] = {FORM_TYPE, NULL};
    struct response response;
    char code[128];
    char token[128];
    char body[512];

    (void)state;
    connect_for_code(code, sizeof(code));
    exchange_code(code, &response);
    take_refresh_token(&response, token, sizeof(token));
    emulator_fault(&emulator,
                   "{\"service\":\"nexusguard\",\"path\":\"/oauth/refresh_token\",\"answer\":{\"status\":429}}");
    refresh(token, &response);
    refresh(token, &response);
    take_refresh_token(&response, token, sizeof(token));
    emulator_fault(&emulator, "{\"service\":\"nexusguard\",\"path\":\"/oauth/refresh_token\",\"drop\":true}");
    snprintf(body, sizeof(body), APP "&grant_type=refresh_code&refresh_token=%s", token);
    exchange(emulator.nexusguard_https, "POST", "/oauth/refresh_token", headers, body, &response);
    assert_int_equal(response.status, 0);
    refresh(token, &response);
    assert_non_null(strstr(response.body, "\"code\":40030"));
    assert_int_equal(emulator_total_reused(&emulator, "refresh_tokens_reused"), 1);
}

static void a_fault_alters_the_redirect(void **state)
{
    static const struct {
        const char *connect;
        const char *location;
    } rows[] = {
        {"{\"state\":\"forged one\"}", "&state=forged%20one\r\n"},
        {"{\"redirect\":\"https://evil.example/cb?a=1\"}", "Location: https://evil.example/cb?a=1&code=code-"},
        {"{\"error\":\"access_denied\"}", "Location: https://app.example.com/back?error=access_denied&state=s1\r\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct response response;
        char fault[256];
        snprintf(fault, sizeof(fault), "{\"service\":\"nexusguard\",\"path\":\"/oauth/connect\",\"connect\":%s}",
                 rows[i].connect);
        assert_int_equal(emulator_fault(&emulator, fault), 0);
        exchange(emulator.nexusguard_https, "GET", CONNECT CUSTOMER "&state=s1&" REDIRECT, NULL, NULL, &response);
        assert_int_equal(response.status, 302);
        assert_non_null(strstr(response.head, rows[i].location));
    }
}

static void a_delayed_answer_keeps_no_other_waiting(void **state)
{
    static const char *const headers[] = {JSON_TYPE, NULL};
    struct response response = {0};
    char url[128];
    CURL *curl = curl_easy_init();

    (void)state;
    emulator_fault(&emulator, "{\"service\":\"nex\",\"path\":\"/v1.0/Token\",\"delay_ms\":600000}");
    snprintf(url, sizeof(url), "%s/v1.0/Token", emulator.nex_https);
    exchange_aim(curl, "POST", url, NEX_USER, &response);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 500L);
    while (emulator_count(&emulator, "nex /v1.0/Token") == 0)
        assert_int_equal(exchange_with(curl, headers, &response), CURLE_OPERATION_TIMEDOUT);
    curl_easy_cleanup(curl);
    assert_int_equal(emulator_in_flight(&emulator, "nex /v1.0/Token"), 1);
    post_nex_user(&response);
    assert_int_equal(response.status, 200);
    assert_int_equal(emulator_count(&emulator, "nex /v1.0/Token"), 2);
    assert_int_equal(emulator_in_flight(&emulator, "nex /v1.0/Token"), 1);
}

static void requests_and_connections_are_counted(void **state)
{
    static const char *const headers[] = {JSON_TYPE, NULL};
    struct response response = {0};
    char url[128];
    CURL *curl = curl_easy_init();

    (void)state;
    snprintf(url, sizeof(url), "%s/V1.0/TOKEN", emulator.nex_https);
    exchange_aim(curl, "POST", url, NEX_USER, &response);
    for (int i = 0; i < 3; i++)
        assert_int_equal(exchange_with(curl, headers, &response), CURLE_OK);
    curl_easy_cleanup(curl);
    assert_int_equal(emulator_count(&emulator, "nex /v1.0/Token"), 3);
    assert_int_equal(emulator_connections(&emulator, "nex /v1.0/Token"), 1);
    assert_int_equal(emulator_in_flight(&emulator, "nex /v1.0/Token"), 0);
    exchange(emulator.nex_https, "GET", "/", NULL, NULL, &response);
    assert_int_equal(emulator_count(&emulator, "nex other"), 1);
    assert_int_equal(emulator_reset(&emulator), 0);
    assert_int_equal(emulator_count(&emulator, "nex /v1.0/Token"), 0);
}

static void a_connection_is_counted_again_after_a_reset(void **state)
{
    static const char *const headers[] = {JSON_TYPE, NULL};
    struct response response = {0};
    char url[128];
    CURL *curl = curl_easy_init();

    (void)state;
    snprintf(url, sizeof(url), "%s/v1.0/Token", emulator.nex_https);
    exchange_aim(curl, "POST", url, NEX_USER, &response);
    assert_int_equal(exchange_with(curl, headers, &response), CURLE_OK);
    assert_int_equal(emulator_reset(&emulator), 0);
    assert_int_equal(exchange_with(curl, headers, &response), CURLE_OK);
    curl_easy_cleanup(curl);
    assert_int_equal(emulator_connections(&emulator, "nex /v1.0/Token"), 1);
}

static void it_ends_at_the_end_of_its_input_and_takes_its_ca_file_away(void **state)
{
    struct emulator own;

    (void)state;
    assert_int_equal(emulator_start(&own, NULL), 0);
    assert_int_equal(access(own.ca_file, R_OK), 0);
    close(own.input);
    own.input = -1;
    assert_int_equal(emulator_wait(&own), 0);
    assert_int_not_equal(access(own.ca_file, R_OK), 0);
}

static void it_ends_when_it_is_told_to(void **state)
{
    static const int signals[] = {SIGTERM, SIGINT};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct emulator own;
        assert_int_equal(emulator_start(&own, NULL), 0);
        assert_int_equal(kill(own.pid, signals[i]), 0);
        assert_int_equal(emulator_wait(&own), 0);
        close(own.input);
    }
}

/* A file of its own, with this text. The caller unlinks and frees its path. */
static char *write_file(const char *text)
{
    char *path = strdup("/tmp/emulator-test-XXXXXX");

    assert_non_null(path);
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, text, strlen(text)), (int)strlen(text));
    close(descriptor);
    return path;
}

static void accounts_and_lifetime_can_be_given(void **state)
{
    char *path = write_file("{\"nexusguard\":[{\"app_id\":\"app\",\"secret\":\"s\",\"redirect_uri\":\"http://[::1]/\","
                            "\"code_lifetime\":0,\"customers\":[{\"customer_id\":\"c\",\"xspe\":\"x\"}]}]}");
    const char *const arguments[] = {"--accounts", path, "--lifetime", "5", NULL};
    static const char *const headers[] = {FORM_TYPE, NULL};
    struct emulator own;
    struct response response;
    char code[128];
    char body[256];

    (void)state;
    assert_int_equal(emulator_start(&own, arguments), 0);
    exchange(own.nexusguard_http, "POST", "/oauth/credit/token", headers,
             "app_id=app&secret=s&grant_type=client_credential", &response);
    assert_non_null(strstr(response.body, "\"expires_in\":5"));
    exchange(own.nexusguard_http, "GET",
             "/oauth/connect?app_id=app&redirect_uri=http://[::1]:80/cb&response_type=code&scope=install_login&xspe=x"
             "&state=1&customer_id=c",
             NULL, NULL, &response);
    cut(response.head, "Location: http://[::1]:80/cb?code=", "&", code, sizeof(code));
    snprintf(body, sizeof(body), "app_id=app&secret=s&grant_type=authorization_code&code=%s", code);
    exchange(own.nexusguard_http, "POST", "/oauth/access_token", headers, body, &response);
    assert_non_null(strstr(response.body, "\"code\":40029"));
    assert_int_equal(emulator_stop(&own), 0);
    unlink(path);
    free(path);
}

/* Runs it without its output; the status it exits with. */
static int run(const char *first, const char *second)
{
    pid_t pid = fork();
    int status = 0;

    if (pid == 0) {
        int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
        dup2(nowhere, STDIN_FILENO);
        dup2(nowhere, STDOUT_FILENO);
        dup2(nowhere, STDERR_FILENO);
        execl(NEXAUTH_EMULATOR_PATH, NEXAUTH_EMULATOR_PATH, first, second, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void wrong_arguments_and_wrong_accounts_have_their_exit_status(void **state)
{
    static const char *const wrong_accounts[] = {
        "",
        "[]",
        "{\"nex\":[]} x",
        "{\"next\":[]}",
        "{\"nex\":[],\"nex\":[]}",
        "{\"nex\":[{\"client_id\":\"a\"}]}",
        "{\"nex\":[{\"client_id\":\"a\",\"client_secret\":\"\"}]}",
        "{\"quantoz_test\":[{\"client_id\":\"a\",\"client_secret\":\"b\",\"scopes\":\"api1\"}]}",
        "{\"quantoz_test\":[{\"client_id\":\"a\",\"client_secret\":\"b\",\"scopes\":[1]}]}",
    };

    (void)state;
    assert_int_equal(run("--help", NULL), 0);
    assert_int_equal(run("--version", NULL), 0);
    assert_int_equal(run("--unknown", NULL), 2);
    assert_int_equal(run("operand", NULL), 2);
    assert_int_equal(run("--list-answers", NULL), 0);
    assert_int_equal(run("--lifetime", "0"), 2);
    assert_int_equal(run("--fault", "{}"), 2);
    assert_int_equal(run("--tokens", "{\"x\":1}"), 2);
    assert_int_equal(run("--limit", "{\"x\":1}"), 2);
    assert_int_equal(run("--accounts", "/nonexistent/accounts.json"), 1);
    assert_int_equal(run("--ca-file", "/nonexistent/ca.pem"), 1);
    for (size_t i = 0; i < sizeof(wrong_accounts) / sizeof(wrong_accounts[0]); i++) {
        char *path = write_file(wrong_accounts[i]);
        assert_int_equal(run("--accounts", path), 1);
        unlink(path);
        free(path);
    }
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
    return emulator_reset(&emulator);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(tokens_are_unique, reset),
        cmocka_unit_test_setup(plain_http_answers_too, reset),
        cmocka_unit_test_setup(a_client_without_the_ca_does_not_trust_it, reset),
        cmocka_unit_test_setup(a_code_serves_once, reset),
        cmocka_unit_test_setup(a_refresh_token_serves_once_and_is_replaced, reset),
        cmocka_unit_test_setup(a_revoked_refresh_token_serves_no_more, reset),
        cmocka_unit_test_setup(a_fault_answers_so_many_times, reset),
        cmocka_unit_test_setup(faults_of_a_path_are_a_queue, reset),
        cmocka_unit_test_setup(cleared_faults_do_nothing, reset),
        cmocka_unit_test_setup(a_lost_answer_spends_the_refresh_token_but_a_refused_request_does_not, reset),
        cmocka_unit_test_setup(a_fault_alters_the_redirect, reset),
        cmocka_unit_test_setup(requests_and_connections_are_counted, reset),
        cmocka_unit_test_setup(a_connection_is_counted_again_after_a_reset, reset),
        cmocka_unit_test_setup(it_ends_at_the_end_of_its_input_and_takes_its_ca_file_away, reset),
        cmocka_unit_test_setup(it_ends_when_it_is_told_to, reset),
        cmocka_unit_test_setup(accounts_and_lifetime_can_be_given, reset),
        cmocka_unit_test_setup(wrong_arguments_and_wrong_accounts_have_their_exit_status, reset),
        /* Last: its request is still unanswered when the emulator is told to end. */
        cmocka_unit_test_setup(a_delayed_answer_keeps_no_other_waiting, reset),
    };

    curl_global_init(CURL_GLOBAL_DEFAULT);
    int failed = cmocka_run_group_tests(tests, start, stop);
    curl_global_cleanup();
    return failed;
}
