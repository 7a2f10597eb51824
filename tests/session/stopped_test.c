/*
 * A process may be stopped, or its machine paused, between any two instructions: so, between two readings of its clocks
 * too. Whichever two it is, no token is handed out beyond its end.
 */
#include "support/fixture.h"
#include "support/test.h"

#include "session/session.h"

enum { LIFETIME_S = 100, STOP_MS = 90000 };

static const char FIRST[] = "{\"access_token\":\"first\",\"expires_in\":100,\"token_type\":\"Bearer\"}";
static const char SECOND[] = "{\"access_token\":\"second\",\"expires_in\":100,\"token_type\":\"Bearer\"}";

static struct {
    struct script script;
    struct nx_clock clock; /* the script's own */
    int readings;
    int stop_before; /* which of them */
} own;

static void count_reading(void)
{
    if (++own.readings == own.stop_before)
        script_pass_ms(&own.script, STOP_MS);
}

static int64_t read_boot_ms(void *context)
{
    count_reading();
    return own.clock.boot_ms(context);
}

static int64_t read_wall_s(void *context)
{
    count_reading();
    return own.clock.wall_s(context);
}

static struct nx_moment read_coarse(void *context)
{
    struct nx_moment moment;

    count_reading();
    moment.mono_ns = own.clock.coarse(context).mono_ns;
    count_reading();
    moment.wall_ns = own.clock.coarse(context).wall_ns;
    return moment;
}

static nexauth_session *begin(int stop_before)
{
    const struct nexauth_session_options options = {.exchange_timeout_ms = 30000, .max_answer_bytes = 65536};
    nexauth_session *session = NULL;
    struct nx_world world;

    script_init(&own.script);
    world = script_world(&own.script);
    own.clock = world.clock;
    own.readings = 0;
    own.stop_before = stop_before;
    world.clock.boot_ms = read_boot_ms;
    world.clock.wall_s = read_wall_s;
    world.clock.coarse = read_coarse;
    assert_int_equal(nx_session_new_in(&world, &options, &session, NULL), NEXAUTH_OK);
    return session;
}

struct promise {
    nexauth_source *source;
    int64_t end_s; /* of its token, by the wall clock */
};

/* How a source comes to its first token. */

static struct promise be_answered(nexauth_session *session)
{
    struct promise promise = {0};
    nexauth_token *token = NULL;

    assert_int_equal(nexauth_source_new_nex_controller(session, &fixture_controller, &promise.source, NULL),
                     NEXAUTH_OK);
    script_answer(&own.script, (struct script_answer){.status = 200, .takes_ms = 10, .body = FIRST});
    if (nexauth_source_get_token(promise.source, NULL, &token, NULL) != NEXAUTH_OK) /* its time was over */
        assert_int_equal(nexauth_source_get_token(promise.source, NULL, &token, NULL), NEXAUTH_OK);
    promise.end_s = nexauth_token_expires_at(token);
    assert_in_range(promise.end_s, own.script.wall_s, own.script.wall_s + LIFETIME_S);
    nexauth_token_unref(token);
    return promise;
}

/* Asks once: a source that nobody has asked hands out nothing without its lock. */
static void ask(const struct promise *promise)
{
    nexauth_token *token = NULL;

    if (nexauth_source_get_token(promise->source, NULL, &token, NULL) == NEXAUTH_OK)
        assert_in_range(nexauth_token_expires_at(token), 1, promise->end_s);
    nexauth_token_unref(token);
}

static struct promise be_restored(nexauth_session *session)
{
    const int64_t now = own.script.wall_s;
    const struct nexauth_saved_token saved = {
        .access_token = "first", .obtained_at = now, .expires_at = now + LIFETIME_S, .lifetime_s = LIFETIME_S};
    struct promise promise = {.end_s = saved.expires_at};

    assert_int_equal(nexauth_source_new_nex_controller(session, &fixture_controller, &promise.source, NULL),
                     NEXAUTH_OK);
    assert_int_equal(nexauth_source_restore_token(promise.source, &saved, NULL), NEXAUTH_OK);
    ask(&promise);
    return promise;
}

static struct promise be_given(nexauth_session *session)
{
    const int64_t given_ms = own.script.boot_ms;
    const struct nexauth_static_options options = {.access_token = "first",
                                                   .expires_at = own.script.wall_s + LIFETIME_S};
    struct promise promise = {.end_s = options.expires_at};

    assert_int_equal(nexauth_source_new_static(session, &options, &promise.source, NULL), NEXAUTH_OK);
    ask(&promise);
    assert_in_range(promise.source->life.expires_ms, 0, given_ms + LIFETIME_S * 1000);
    return promise;
}

/* Whoever asks at the token's end gets another, or none. */
static void assert_over(const struct promise *promise)
{
    char header[64];
    size_t length;

    own.stop_before = 0;
    if (own.script.wall_s < promise->end_s)
        script_pass_ms(&own.script, (promise->end_s - own.script.wall_s) * 1000);
    script_answer_always(&own.script, (struct script_answer){.status = 200, .takes_ms = 10, .body = SECOND});
    if (nexauth_source_copy_token(promise->source, NULL, header, sizeof header, &length, NULL) == NEXAUTH_OK)
        assert_string_equal(header, "Authorization: Bearer second");
}

static void a_stop_between_two_readings_prolongs_no_token(void **state)
{
    static struct promise (*const ways[])(nexauth_session *) = {be_answered, be_restored, be_given};

    (void)state;
    for (size_t way = 0; way < sizeof ways / sizeof *ways; way++) {
        int readings = 1;

        for (int stop_before = 1; stop_before <= readings; stop_before++) {
            nexauth_session *session = begin(stop_before);
            const struct promise promise = ways[way](session);

            if (readings < own.readings)
                readings = own.readings;
            assert_over(&promise);
            nexauth_source_free(promise.source);
            nexauth_session_free(session);
            script_release(&own.script);
        }
        assert_true(readings > 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_stop_between_two_readings_prolongs_no_token)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
