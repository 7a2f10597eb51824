/* Sessions: their options, their ends, and what their sources share. */
#include "session/session.h"
#include "session/pass.h"

#include "core/error.h"
#include "core/xml.h"
#include "io/curl_transport.h"
#include "io/system.h"
#include "io/tree_permits.h"

#include <stdlib.h>
#include <string.h>

/* Fills in the default, or refuses what is out of range. */
static nexauth_status take_limit(int64_t *value, int64_t fallback, int64_t most, const char *name,
                                 struct nexauth_error *error)
{
    if (*value == 0)
        *value = fallback;
    if (*value < 1 || *value > most)
        return nx_fail(error, NEXAUTH_INVALID, "%s must be from 1 to %lld", name, (long long)most);
    return NEXAUTH_OK;
}

static nexauth_status check_options(struct nexauth_session_options *options, struct nexauth_error *error)
{
    struct {
        int64_t *value;
        int64_t fallback, most;
        const char *name;
    } limits[] = {
        {&options->exchange_timeout_ms, 30000, 600000, "exchange_timeout_ms"},
        {&options->connect_timeout_ms, 10000, 600000, "connect_timeout_ms"},
        {&options->max_connections, 8, 1000, "max_connections"},
        {&options->max_answer_bytes, 65536, 1048576, "max_answer_bytes"},
    };
    nexauth_status status = nx_check_reserved(options->reserved, error);

    for (size_t i = 0; i < sizeof limits / sizeof *limits && !status; i++)
        status = take_limit(limits[i].value, limits[i].fallback, limits[i].most, limits[i].name, error);
    return status ? status : nx_check_network(options, error);
}

nexauth_status nexauth_session_new(const struct nexauth_session_options *options, nexauth_session **out,
                                   struct nexauth_error *error)
{
    struct nexauth_session_options checked = options ? *options : (struct nexauth_session_options){0};
    struct nx_world world = {.clock = nx_system_clock, .entropy = nx_system_entropy, .draw = nx_system_draw};
    nexauth_status status;

    if (!out)
        return nx_fail(error, NEXAUTH_INVALID, "out is missing");
    status = check_options(&checked, error);
    if (status)
        return status;
    const struct nx_curl_settings settings = {.ca_file = checked.ca_file,
                                              .proxy = checked.proxy,
                                              .client_cert_file = checked.client_cert_file,
                                              .client_key_file = checked.client_key_file,
                                              .pinned_key = checked.pinned_key,
                                              .connect_timeout_ms = checked.connect_timeout_ms,
                                              .max_connections = checked.max_connections,
                                              .max_answer_bytes = checked.max_answer_bytes};

    world.permits = nx_tree_permits();
    if (world.permits)
        world.transport = nx_curl_transport_new(&settings, &world.clock);
    if (!world.transport)
        return nx_fail(error, NEXAUTH_NO_MEMORY, "memory or file descriptors ran out");
    return nx_session_new_in(&world, &checked, out, error);
}

/* What a session has before it has an engine. */
static nexauth_status begin(nexauth_session *session, const struct nx_world *world,
                            const struct nexauth_session_options *options, struct nexauth_error *error)
{
    nexauth_status status = nx_limits_init(&session->limits, options->limits, options->limits_count, error);

    if (status)
        return status;
    session->world = *world;
    session->answer_bound = (size_t)options->max_answer_bytes;
    session->exchange_timeout_ms = options->exchange_timeout_ms;
    session->event_callback = options->event_callback;
    session->event_context = options->event_context;
    session->loopback_http = options->loopback_http != 0;
    session->references = 1;
    session->arena = nx_arena_new();
    session->secrets = nx_arena_new();
    if (!session->arena || !session->secrets ||
        !world->entropy(world->entropy_context, &session->hash_key, sizeof session->hash_key))
        return nx_fail(error, NEXAUTH_NO_MEMORY, "memory or randomness ran out");
    return NEXAUTH_OK;
}

static void undo(nexauth_session *session)
{
    nx_limits_release(&session->limits);
    nx_arena_unref(session->arena);
    nx_arena_unref(session->secrets);
    free(session);
}

nexauth_status nx_session_new_in(const struct nx_world *world, const struct nexauth_session_options *options,
                                 nexauth_session **out, struct nexauth_error *error)
{
    nexauth_session *session = calloc(1, sizeof *session);
    nexauth_status status = NEXAUTH_NO_MEMORY;

    nx_xml_prepare();
    if (session)
        status = begin(session, world, options, error);
    else
        nx_fail(error, status, "memory ran out");
    if (!status && !nx_fork_guard_init(&session->reading_guard, &session->reading, NX_FORK_READING, NULL, NULL))
        status = nx_fail(error, NEXAUTH_NO_MEMORY, "memory ran out");
    if (status) {
        world->transport->verbs->free(world->transport);
        if (session)
            undo(session);
        return status;
    }
    session->engine = nx_engine_new(world, options->exchange_timeout_ms);
    if (!session->engine) {
        nx_fork_guard_destroy(&session->reading_guard);
        undo(session);
        return nx_fail(error, NEXAUTH_NO_MEMORY, "memory ran out");
    }
    nx_engine_set_inherited(session->engine, nx_session_inherited, session);
    *out = session;
    return NEXAUTH_OK;
}

static void destroy(nexauth_session *session)
{
    while (session->endpoints) {
        struct nx_endpoint *endpoint = session->endpoints;

        session->endpoints = endpoint->next;
        nx_history_release(&endpoint->history);
        free(endpoint->url);
        free(endpoint);
    }
    nx_failures_release(&session->failures);
    nx_sites_release(session->sites);
    nx_limits_release(&session->limits);
    nx_beacon_free(session->beacon);
    nx_fork_guard_destroy(&session->reading_guard);
    nx_engine_free(session->engine);
    nx_arena_unref(session->arena);
    nx_arena_unref(session->secrets);
    free(session);
}

void nx_session_unref_unlock(nexauth_session *session)
{
    const bool last = --session->references == 0;

    nx_engine_unlock(session->engine);
    if (last)
        destroy(session);
}

void nexauth_session_free(nexauth_session *session)
{
    if (!session)
        return;
    nx_engine_lock(session->engine);
    session->closed = true;
    for (nexauth_source *next = session->sources; next; next = next->next)
        nx_current_close(next);
    for (struct nx_acquisition *next = session->acquisitions; next; next = next->next)
        nx_acquisition_cancel(next, "the session was freed");
    nx_passes_cancel(session, NULL, "the session was freed");
    nx_poll_attend(session);
    nx_passes_wait_for_none(session);
    nx_engine_unlock(session->engine);
    nx_engine_close(session->engine);
    nx_engine_lock(session->engine);
    nx_calls_renew(session);
    while (session->ready.first)
        nx_calls_run(session);
    nx_session_unref_unlock(session);
}

/* The endpoint of a request: its URL up to the query. NULL when memory ran out. */
static struct nx_endpoint *endpoint_of(nexauth_session *session, const char *url)
{
    const size_t size = strcspn(url, "?");
    struct nx_endpoint *endpoint = session->endpoints;

    while (endpoint && (strncmp(endpoint->url, url, size) != 0 || endpoint->url[size]))
        endpoint = endpoint->next;
    if (endpoint)
        return endpoint;
    endpoint = calloc(1, sizeof *endpoint);
    if (endpoint)
        endpoint->url = strndup(url, size);
    if (!endpoint || !endpoint->url) {
        free(endpoint);
        return NULL;
    }
    endpoint->next = session->endpoints;
    session->endpoints = endpoint;
    return endpoint;
}

void nx_session_read_answer(nexauth_session *session, struct nx_acquisition *acquisition)
{
    struct nx_history none = {0};
    struct nx_endpoint *endpoint;

    nx_lock_take(&session->reading);
    endpoint = endpoint_of(session, nx_text_string(&acquisition->exchange.request.url));
    nx_flight_take_exchange(&acquisition->flight, endpoint ? &endpoint->history : &none,
                            nx_identity_hash(&acquisition->source->identity, &session->hash_key));
    nx_history_release(&none);
    nx_lock_give(&session->reading);
}
