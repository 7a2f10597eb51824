/*
 * Recorded answers: files as `curl -i` writes them, and what is none.
 */
#include "support/test.h"

#include "exchange.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A path in a directory of its own. */
static char *make_path(void)
{
    char directory[] = "/tmp/recorded-test-XXXXXX";
    char path[64];

    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/recorded", directory);
    return strdup(path);
}

static void remove_path(char *path)
{
    unlink(path);
    *strrchr(path, '/') = '\0';
    rmdir(path);
    free(path);
}

/* Tells the emulator that the file is the next answer; what it says to that. */
static void tell(const char *path, const char *more, struct response *response)
{
    static const char *const headers[] = {JSON_TYPE, NULL};
    char fault[256];

    snprintf(fault, sizeof(fault), "{\"service\":\"nex\",\"answer\":{\"file\":\"%s\"%s}}", path, more);
    assert_int_equal(exchange(emulator.control, "POST", "/faults", headers, fault, response), CURLE_OK);
}

/* Nobody writes to it: whoever opened it like a file would wait for ever. */
static void a_fifo_is_no_file(void **state)
{
    char *path = make_path();
    struct response response;

    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    tell(path, "", &response);
    assert_int_equal(response.status, 400);
    assert_non_null(strstr(response.body, "is no ordinary file"));
    remove_path(path);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

#define OK        "HTTP/1.1 200 OK\r\n"
#define TWO(x)    x x
#define SIXTEEN   TWO(TWO(TWO(TWO("X-A: b\r\n"))))
#define SIXTYFOUR TWO(TWO(SIXTEEN))

static const struct row {
    const char *name;
    const char *text;
    long status; /* of the answer; 0: the file is refused */
    const char *in_head;
    const char *body; /* or a part of the reason */
} rows[] = {
    {"an answer over HTTP/2", "HTTP/2 503 \r\nServer: x\r\n\r\nbusy", 503, "Server: x\r\n", "busy"},
    {"line feeds alone", "HTTP/1.1 404 Not Found\nServer: x\n\nno\n", 404, "Server: x\r\n", "no\n"},
    {"64 headers", OK SIXTYFOUR "\r\nbody", 200, SIXTYFOUR, "body"},
    {"a tab in a header", OK "X-A: \tb\tc\r\n\r\nbody", 200, "X-A: b c\r\n", "body"},
    {"a header without a value", OK "X-A:\r\nX-B: c\r\n\r\nbody", 200, "X-B: c\r\n", "body"},
    {"a connection that was kept", OK "Connection: keep-alive\r\nX-B: c\r\n\r\nbody", 200, "X-B: c\r\n", "body"},
    {"more to come", "HTTP/1.1 100 Continue\r\n\r\n" OK "X-B: c\r\n\r\nbody", 200, "X-B: c\r\n", "body"},
    {"a proxy, and early hints",
     "HTTP/1.1 200 Connection established\r\nX-A: b\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
     "HTTP/1.1 403 Forbidden\r\nX-B: c\r\n\r\n",
     403, "X-B: c\r\n", ""},
    {"a body that is nearly a status line", OK "X-B: c\r\n\r\nHTTP/1.1 is old", 200, "X-B: c\r\n", "HTTP/1.1 is old"},
    {"nothing", "", 0, "", "does not begin with a status line"},
    {"a body alone", "{}", 0, "", "does not begin with a status line"},
    {"a status that is none", "HTTP/1.1 600 OK\r\n\r\n", 0, "", "does not begin with a status line"},
    {"an interim answer alone", "HTTP/1.1 100 Continue\r\n\r\n", 0, "", "ends before an answer"},
    {"no empty line", OK "X-A: b\r\n", 0, "", "no empty line"},
    {"no empty line before the body", OK "X-A: b\r\n{}", 0, "", "no empty line"},
    {"a control character in a header", OK "X-A: b\x01\r\n\r\n", 0, "", "header that cannot be sent"},
    {"65 headers", OK SIXTYFOUR "X-B: c\r\n\r\nbody", 0, "", "more than 64 headers"},
    {"a body of status 204", "HTTP/1.1 204 No Content\r\n\r\nbody", 0, "", "answer has a body"},
};

static int check(const struct row *row, const char *path)
{
    struct response response;

    write_file(path, row->text);
    tell(path, "", &response);
    bool right = response.status == 400 && strstr(response.body, row->body);
    if (row->status && response.status == 204) {
        assert_int_equal(exchange(emulator.nex_http, "GET", "/", NULL, NULL, &response), CURLE_OK);
        right = response.status == row->status && strstr(response.head, row->in_head) &&
                strcmp(response.body, row->body) == 0;
    }
    if (!right)
        print_error("%s: %ld\n%s%s\n", row->name, response.status, response.head, response.body);
    return !right;
}

static void a_file_is_an_answer_as_it_was_recorded(void **state)
{
    char *path = make_path();
    int wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        wrong += check(&rows[i], path);
    remove_path(path);
    assert_int_equal(wrong, 0);
}

static void no_header_is_too_many_in_silence(void **state)
{
    char *path = make_path();
    struct response response;

    (void)state;
    write_file(path, OK SIXTYFOUR "\r\nbody");
    tell(path, ",\"headers\":{\"X-B\":\"c\"}", &response);
    remove_path(path);
    assert_int_equal(response.status, 400);
    assert_non_null(strstr(response.body, "more than 64 headers"));
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
        cmocka_unit_test(a_fifo_is_no_file),
        cmocka_unit_test(a_file_is_an_answer_as_it_was_recorded),
        cmocka_unit_test(no_header_is_too_many_in_silence),
    };

    curl_global_init(CURL_GLOBAL_DEFAULT);
    int failed = cmocka_run_group_tests(tests, start, stop);
    curl_global_cleanup();
    return failed;
}
