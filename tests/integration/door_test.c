/*
 * The limit of requests, counted where it counts: at the service's door, by somebody else. On the real clock; what is
 * judged is what the door saw, never how long it took. Patience bounds the time, so that most of the crowd is told that
 * its turn does not come in time.
 */
#include "support/test.h"

#include "crowd.h"
#include "limiting_server.h"
#include "support/emulator.h"

#include <stdio.h>
#include <unistd.h>

enum { REQUESTS = 60, WINDOW_MS = 1000, SOURCES = 2000, WORKERS = 8, THREADS = 64, PATIENCE_MS = 5500 };

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

static int reset(void **state)
{
    char json[128];

    (void)state;
    snprintf(json, sizeof json, "{\"service\":\"nex\",\"requests\":%d,\"window_ms\":%d}", REQUESTS, WINDOW_MS);
    return emulator_reset(&emulator) || emulator_limit(&emulator, json) ? -1 : 0;
}

/* At most: full windows one after the other, from the first question on. A process tree that keeps its promise to who
 * was there before it takes half of the first. */
static void print_utilisation(const struct crowd_outcome *outcome, int largest)
{
    const int most = REQUESTS * ((PATIENCE_MS + WINDOW_MS - 1) / WINDOW_MS);

    print_message("%d tokens of %d at most (%d %%), largest window %d of %d, %d put off, %d otherwise %s\n",
                  outcome->tokens, most, 100 * outcome->tokens / most, largest, REQUESTS, outcome->put_off,
                  outcome->other, outcome->why);
}

static void assert_nobody_was_refused(const struct crowd_outcome *outcome)
{
    if (outcome->other > 0)
        fail_msg("%d callers: %s", outcome->other, outcome->why);
    assert_true(outcome->tokens > 0);
}

static void ask_at_the_emulator(int threads)
{
    const struct crowd crowd = {.origin = emulator.nex_https,
                                .ca_file = emulator.ca_file,
                                .requests = REQUESTS,
                                .window_ms = WINDOW_MS,
                                .sources = SOURCES,
                                .workers = WORKERS,
                                .threads = threads,
                                .patience_ms = PATIENCE_MS};
    const struct crowd_outcome outcome = crowd_ask(&crowd);
    const int largest = emulator_limit_member(&emulator, "nex", "largest_in_window");

    print_utilisation(&outcome, largest);
    assert_in_range(largest, 1, REQUESTS);
    assert_int_equal(emulator_limit_member(&emulator, "nex", "refused"), 0);
    assert_int_equal(emulator_limit_member(&emulator, "nex", "bans"), 0);
    assert_nobody_was_refused(&outcome);
}

static void no_window_at_the_door_holds_more_than_the_limit_whoever_asks(void **state)
{
    (void)state;
    ask_at_the_emulator(THREADS);
}

static void nor_when_sessions_are_polled(void **state)
{
    (void)state;
    ask_at_the_emulator(0);
}

static void a_limiter_of_another_make_refuses_nothing(void **state)
{
    struct limiting_server server = {0};

    (void)state;
    if (!limiting_server_start(&server, REQUESTS * 1000 / WINDOW_MS))
        skip();
    const struct crowd crowd = {.origin = server.origin,
                                .requests = REQUESTS,
                                .window_ms = WINDOW_MS,
                                .sources = SOURCES,
                                .workers = WORKERS,
                                .threads = THREADS,
                                .patience_ms = PATIENCE_MS};
    const struct crowd_outcome outcome = crowd_ask(&crowd);
    const struct limiting_record record = limiting_server_stop(&server);

    print_utilisation(&outcome, 0);
    assert_int_equal(record.refused, 0);
    assert_true(record.taken >= outcome.tokens);
    assert_nobody_was_refused(&outcome);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(no_window_at_the_door_holds_more_than_the_limit_whoever_asks, reset),
        cmocka_unit_test_setup(nor_when_sessions_are_polled, reset),
        cmocka_unit_test(a_limiter_of_another_make_refuses_nothing),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
