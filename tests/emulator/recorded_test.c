/*
 * Recorded answers: files as `curl -i` writes them, and what is none.
 */
#include "support/test.h"

#include "exchange.h"

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
    };

    curl_global_init(CURL_GLOBAL_DEFAULT);
    int failed = cmocka_run_group_tests(tests, start, stop);
    curl_global_cleanup();
    return failed;
}
