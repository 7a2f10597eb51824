#include "support/life.h"

#include "support/test.h"

#include <stdio.h>

const int64_t life_lifetimes_s[LIFE_COUNT] = {2, 10, 60, 300, 3600, 7200, 1209600, LIFE_YEAR_S};

static const struct script_answer unavailable = {.status = 500};

/* The service is one that does not clamp lifetimes. */
nexauth_source *life_new_source(struct fixture *fixture)
{
    static int number;
    char client_id[16];
    const struct nexauth_quantoz_options options = {
        .client_id = client_id, .client_secret = "hidden", .environment = NEXAUTH_QUANTOZ_TEST};
    nexauth_source *source = NULL;

    snprintf(client_id, sizeof client_id, "client-%d", number++);
    assert_int_equal(nexauth_source_new_quantoz(fixture->session, &options, &source, NULL), NEXAUTH_OK);
    return source;
}

void life_answer_token(struct fixture *fixture, const char *token, int64_t lifetime_s, int64_t takes_ms)
{
    char lifetime[24];

    snprintf(lifetime, sizeof lifetime, "%lld", (long long)lifetime_s);
    fixture_answer_token(fixture, token, lifetime);
    fixture->script.answers[fixture->script.answer_count - 1].takes_ms = takes_ms;
}

void life_answer_failure(struct fixture *fixture, int64_t takes_ms)
{
    struct script_answer answer = unavailable;

    answer.takes_ms = takes_ms;
    script_answer(&fixture->script, answer);
}

struct life life_begin(struct fixture *fixture, int64_t lifetime_s, unsigned char draw)
{
    const int64_t lifetime_ms = lifetime_s * 1000;
    struct nexauth_error error = {0};
    struct life life = {.fixture = fixture,
                        .source = life_new_source(fixture),
                        .end_ms = fixture->script.boot_ms + lifetime_ms,
                        .early_ms = lifetime_ms / 4 < 3600000 ? lifetime_ms / 4 : 3600000,
                        .late_ms = lifetime_ms / 10 < 60000 ? lifetime_ms / 10 : 60000};

    life_answer_token(fixture, "old", lifetime_s, 0);
    fixture->script.next_byte = draw;
    fixture_get(life.source, "old", &error);
    life.requests = fixture->script.begun;
    return life;
}

void life_end(struct life *life)
{
    nexauth_source_free(life->source);
}

void life_go_to(struct life *life, int64_t before_end_ms)
{
    script_pass_ms(&life->fixture->script, life->end_ms - before_end_ms - life->fixture->script.boot_ms);
}

void life_check_requests(const struct life *life, size_t expected)
{
    if (life->fixture->script.begun - life->requests != expected)
        fail_msg("%zu requests instead of %zu, %lld ms before the end", life->fixture->script.begun - life->requests,
                 expected, (long long)(life->end_ms - life->fixture->script.boot_ms));
}

int64_t life_get_with(struct life *life, const struct nexauth_get_options *options, const char *expected,
                      struct nexauth_error *error)
{
    const int64_t begun_ms = life->fixture->script.boot_ms;
    nexauth_token *token = NULL;

    nexauth_source_get_token(life->source, options, &token, error);
    if (!expected)
        assert_null(token);
    else if (!token)
        fail_msg("%s: %s", nexauth_status_name(error->status), error->message);
    else
        assert_string_equal(nexauth_token_access_token(token), expected);
    nexauth_token_unref(token);
    return life->fixture->script.boot_ms - begun_ms;
}

int64_t life_get(struct life *life, const char *expected)
{
    struct nexauth_error error = {0};

    return life_get_with(life, NULL, expected, &error);
}

void life_check_at_hand(struct life *life, const char *expected, size_t requests)
{
    assert_int_equal(life_get(life, expected), 0);
    life_check_requests(life, requests);
}
