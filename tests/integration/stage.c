#include "support/test.h"

#include "stage.h"

#include "live.h"

nexauth_source *stage_new_source(nexauth_session *session, const char *api_origins)
{
    const struct nexauth_static_options options = {.access_token = STAGE_TOKEN, .api_origins = api_origins};
    nexauth_source *source = NULL;

    assert_int_equal(nexauth_source_new_static(session, &options, &source, NULL), NEXAUTH_OK);
    return source;
}

void stage_begin(struct stage *stage, int requests)
{
    const struct nexauth_limit limit = {.name = "api", .requests = requests, .window_ms = STAGE_WINDOW_MS};
    const struct nexauth_session_options options = {
        .loopback_http = 1, .limits = requests ? &limit : NULL, .limits_count = requests ? 1 : 0};

    *stage = (struct stage){.session = live_new_session(&options), .listener = listener_start("127.0.0.1")};
    assert_non_null(stage->listener);
    stage->source = stage_new_source(stage->session, listener_origin(stage->listener));
    performer_begin(&stage->performer);
}

void stage_end(struct stage *stage)
{
    performer_end(&stage->performer);
    nexauth_source_free(stage->source);
    nexauth_session_free(stage->session);
    listener_stop(stage->listener);
}

const char *stage_url(const struct stage *stage)
{
    return performer_url(listener_origin(stage->listener), "/a");
}

void stage_answer(struct stage *stage, const char *text, enum listener_end then)
{
    listener_answer(stage->listener, (struct listener_answer){.text = text, .then = then});
}
