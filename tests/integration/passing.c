#include "support/test.h"

#include "passing.h"

#include "io/curl_transport.h"
#include "io/system.h"
#include "session/session.h"

#include <stdatomic.h>

static _Atomic int64_t passed_ms;

static int64_t boot_ms(void *context)
{
    (void)context;
    return nx_boot_ms(&nx_system_clock) + passed_ms;
}

static int64_t wall_s(void *context)
{
    (void)context;
    return nx_wall_s(&nx_system_clock) + passed_ms / 1000;
}

static struct nx_moment coarse(void *context)
{
    struct nx_moment now;

    (void)context;
    now = nx_coarse(&nx_system_clock);
    now.mono_ns += passed_ms * 1000000;
    now.wall_ns += passed_ms * 1000000;
    return now;
}

nexauth_session *passing_new_session(const char *ca_file)
{
    const struct nexauth_session_options options = {
        .exchange_timeout_ms = 600000, .max_answer_bytes = 65536, .loopback_http = 1};
    const struct nx_curl_settings settings = {
        .ca_file = ca_file, .connect_timeout_ms = 60000, .max_connections = 8, .max_answer_bytes = 65536};
    struct nx_world world = {.clock = {.boot_ms = boot_ms, .wall_s = wall_s, .coarse = coarse},
                             .entropy = nx_system_entropy,
                             .draw = nx_system_draw};
    nexauth_session *session = NULL;

    world.transport = nx_curl_transport_new(&settings, &world.clock);
    assert_non_null(world.transport);
    assert_int_equal(nx_session_new_in(&world, &options, &session, NULL), NEXAUTH_OK);
    return session;
}

void passing_let_s(int64_t seconds)
{
    passed_ms += seconds * 1000;
}
