#include "session/pass_rig.h"

#include "support/test.h"

#include "session/session.h"

#include <stdio.h>
#include <stdlib.h>

struct rig *rig_new(const struct nexauth_limit *limits, size_t count)
{
    const struct nexauth_session_options options = {.exchange_timeout_ms = 30000,
                                                    .max_answer_bytes = 65536,
                                                    .limits = limits,
                                                    .limits_count = count,
                                                    .loopback_http = 1};
    struct rig *rig = calloc(1, sizeof *rig);
    struct nx_world in;

    assert_non_null(rig);
    script_init(&rig->fixture.script);
    door_init(&rig->door, &rig->fixture.script);
    in = script_world(&rig->fixture.script);
    in.permits = &rig->door.keeper.base;
    assert_int_equal(nx_session_new_in(&in, &options, &rig->fixture.session, NULL), NEXAUTH_OK);
    return rig;
}

struct rig *rig_new_nex(int64_t requests)
{
    const struct nexauth_limit limit = {
        .origin = NEX_ORIGIN, .name = "requests", .requests = requests, .window_ms = 1000};
    struct rig *rig = rig_new(&limit, 1);

    rig->source = rig_controller(rig, 0);
    rig_get_token(rig, rig->source, "one");
    rig_pass_ms(rig, 2000);
    return rig;
}

void rig_free(struct rig *rig)
{
    nexauth_source_free(rig->source);
    nexauth_session_free(rig->fixture.session);
    door_release(&rig->door);
    script_release(&rig->fixture.script);
    free(rig);
}

nexauth_source *rig_controller(struct rig *rig, int number)
{
    struct nexauth_nex_controller_options options = fixture_controller;
    nexauth_source *source = NULL;
    char id[16];

    snprintf(id, sizeof id, "c-%d", number);
    options.controller_id = id;
    assert_int_equal(nexauth_source_new_nex_controller(rig->fixture.session, &options, &source, NULL), NEXAUTH_OK);
    return source;
}

nexauth_source *rig_quantoz(struct rig *rig)
{
    const struct nexauth_quantoz_options options = {
        .client_id = "client", .client_secret = "the-secret", .environment = NEXAUTH_QUANTOZ_TEST};
    nexauth_source *source = NULL;

    assert_int_equal(nexauth_source_new_quantoz(rig->fixture.session, &options, &source, NULL), NEXAUTH_OK);
    return source;
}

nexauth_source *rig_app(struct rig *rig)
{
    const struct nexauth_nexusguard_app_options options = {.app_id = "app", .secret = "app-secret"};
    nexauth_source *source = NULL;

    assert_int_equal(nexauth_source_new_nexusguard_app(rig->fixture.session, &options, &source, NULL), NEXAUTH_OK);
    return source;
}

nexauth_source *rig_static(struct rig *rig, const char *token, const char *api_origins)
{
    const struct nexauth_static_options options = {.access_token = token, .api_origins = api_origins};
    nexauth_source *source = NULL;

    assert_int_equal(nexauth_source_new_static(rig->fixture.session, &options, &source, NULL), NEXAUTH_OK);
    return source;
}

void rig_get_token(struct rig *rig, nexauth_source *source, const char *token)
{
    struct nexauth_error error = {0};

    fixture_answer_token(&rig->fixture, token, "3600");
    assert_int_equal(fixture_get(source, token, &error), NEXAUTH_OK);
}

void rig_pass_ms(struct rig *rig, int64_t ms)
{
    script_pass_ms(&rig->fixture.script, ms);
}

int64_t rig_now_ms(const struct rig *rig)
{
    return rig->fixture.script.boot_ms;
}

nexauth_status rig_try(nexauth_source *source, const char *url, int64_t timeout_ms, nexauth_permit **out,
                       struct nexauth_error *error)
{
    const struct nexauth_permit_options options = {.url = url, .timeout_ms = timeout_ms};

    return nexauth_permit_begin(source, &options, out, error);
}

nexauth_permit *rig_take(nexauth_source *source, const char *url)
{
    nexauth_permit *permit = NULL;
    struct nexauth_error error = {0};

    if (rig_try(source, url, 0, &permit, &error))
        fail_msg("%s: %s", nexauth_status_name(error.status), error.message);
    assert_non_null(permit);
    return permit;
}

int64_t rig_throttled(nexauth_source *source, const char *url, int64_t timeout_ms)
{
    nexauth_permit *permit = NULL;
    struct nexauth_error error = {0};

    assert_int_equal(rig_try(source, url, timeout_ms, &permit, &error), NEXAUTH_THROTTLED);
    assert_int_equal(error.status, NEXAUTH_THROTTLED);
    assert_null(permit);
    return error.retry_after_ms;
}

nexauth_status rig_end(nexauth_permit *permit, const struct nexauth_answer *answer, struct nexauth_error *error)
{
    const nexauth_status status = nexauth_permit_end(permit, answer, error);

    nexauth_permit_free(permit);
    return status;
}

nexauth_status rig_call(nexauth_source *source, const char *url, const struct nexauth_answer *answer,
                        struct nexauth_error *error)
{
    return rig_end(rig_take(source, url), answer, error);
}

void carried_note(void *context, nexauth_permit *permit, const struct nexauth_error *error)
{
    struct carried *carried = context;

    carried->runs++;
    carried->wrong |= !permit == !error;
    carried->permit = permit;
    if (error)
        carried->error = *error;
    if (carried->then)
        carried->then(carried->context);
}

void carried_start(nexauth_source *source, const char *url, int64_t timeout_ms, struct carried *carried,
                   nexauth_call **out)
{
    const struct nexauth_permit_options options = {.url = url, .timeout_ms = timeout_ms};
    struct nexauth_error error = {0};

    if (nexauth_permit_start(source, &options, carried_note, carried, out, &error))
        fail_msg("%s: %s", nexauth_status_name(error.status), error.message);
}

void carried_poll(struct rig *rig, const struct carried *carried)
{
    for (int i = 0; !carried->runs; i++) {
        assert_in_range(i, 0, 1000);
        assert_int_equal(nexauth_session_poll(rig->fixture.session, 10000, NULL), NEXAUTH_OK);
    }
}

void carried_finish(struct carried *carried)
{
    assert_int_equal(carried->runs, 1);
    assert_false(carried->wrong);
    assert_string_equal(carried->error.message, "");
    assert_int_equal(rig_end(carried->permit, &(struct nexauth_answer){.http_status = 200}, NULL), NEXAUTH_OK);
    carried->permit = NULL;
}

void carried_assert_status(const struct carried *carried, nexauth_status status)
{
    assert_int_equal(carried->runs, 1);
    assert_false(carried->wrong);
    assert_null(carried->permit);
    assert_string_equal(nexauth_status_name(carried->error.status), nexauth_status_name(status));
}
