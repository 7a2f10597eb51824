/*
 * Tokens and calls of the API in one limit, as at NEX: both are counted by somebody else, at the service's door, and
 * both are served. On the real clock; what is judged is what the door saw, never how long it took.
 */
#include "support/test.h"

#include "crowd.h"
#include "support/emulator.h"

#include <unistd.h>

enum {
    REQUESTS = 60,
    WINDOW_MS = 1000,
    SOURCES = 2000,
    WORKERS = 8,
    THREADS = 32,
    API_THREADS = 8,
    PATIENCE_MS = 5500
};

static struct emulator emulator;
static char accounts[] = CROWD_ACCOUNTS;

static int start(void **state)
{
    const char *const arguments[] = {"--accounts", accounts, NULL};

    (void)state;
    crowd_write_accounts(accounts, SOURCES);
    return emulator_start(&emulator, arguments);
}

static int stop(void **state)
{
    (void)state;
    unlink(accounts);
    return emulator_stop(&emulator);
}

/* While both wait, calls of the API get one turn in four. */
static void assert_both_were_served(const struct crowd_outcome *outcome)
{
    const int all = outcome->tokens + outcome->calls;

    if (outcome->other > 0)
        fail_msg("%d callers: %s", outcome->other, outcome->why);
    assert_in_range(outcome->calls, all / 8, all / 2);
    assert_true(outcome->calls > WORKERS);
    assert_true(outcome->tokens > WORKERS);
}

static void tokens_and_calls_share_one_limit_and_both_are_served(void **state)
{
    const struct crowd crowd = {.origin = emulator.nex_https,
                                .ca_file = emulator.ca_file,
                                .requests = REQUESTS,
                                .window_ms = WINDOW_MS,
                                .sources = SOURCES,
                                .workers = WORKERS,
                                .threads = THREADS,
                                .api_threads = API_THREADS,
                                .patience_ms = PATIENCE_MS};

    (void)state;
    assert_int_equal(emulator_limit(&emulator, "{\"service\":\"nex\",\"requests\":60,\"window_ms\":1000}"), 0);
    const struct crowd_outcome outcome = crowd_ask(&crowd);
    const int largest = emulator_limit_member(&emulator, "nex", "largest_in_window");

    print_message("%d tokens, %d calls, largest window %d of %d, %d put off, %d otherwise %s\n", outcome.tokens,
                  outcome.calls, largest, REQUESTS, outcome.put_off, outcome.other, outcome.why);
    assert_in_range(largest, 1, REQUESTS);
    assert_int_equal(emulator_limit_member(&emulator, "nex", "refused"), 0);
    assert_int_equal(emulator_limit_member(&emulator, "nex", "bans"), 0);
    assert_true(emulator_count(&emulator, "nex /v1.0/Controller") >= outcome.calls);
    assert_true(emulator_count(&emulator, "nex /v1.0/Token") >= outcome.tokens + WORKERS);
    assert_both_were_served(&outcome);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_and_calls_share_one_limit_and_both_are_served),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
