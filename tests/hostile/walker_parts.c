#include "hostile/walker_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void walker_die(const struct walker *walker, const char *truth, int line)
{
    fprintf(stderr, "walker %llu: line %d: not so: %s\n", (unsigned long long)walker->seed, line, truth);
    abort();
}

uint64_t walker_draw(struct walker *walker, uint64_t below)
{
    walker->bits ^= walker->bits << 13;
    walker->bits ^= walker->bits >> 7;
    walker->bits ^= walker->bits << 17;
    return (walker->bits >> 11) % below;
}

void walker_judge(struct walker *walker, nexauth_status status, const struct nexauth_error *error)
{
    if (!status)
        return;
    MUST(walker, status <= NEXAUTH_CANCELED);
    MUST(walker, error->status == status);
    MUST(walker, *error->message && memchr(error->message, 0, sizeof error->message));
    MUST(walker, memchr(error->code, 0, sizeof error->code));
    MUST(walker, error->retry_after_ms >= 0);
    MUST(walker, !strstr(error->message, "the-secret"));
}

void walker_judge_token(struct walker *walker, const nexauth_token *token)
{
    const char *access_token = nexauth_token_access_token(token);
    const char *header = nexauth_token_header(token);
    const char *query = nexauth_token_query(token);

    MUST(walker, token && !header != !query);
    MUST(walker, strncmp(access_token, "t-", 2) == 0 && strlen(access_token) == 6);
    MUST(walker, !header || (strlen(header) == 28 && strcmp(header + 22, access_token) == 0));
    MUST(walker, !query || (strlen(query) == 19 && strcmp(query + 13, access_token) == 0));
    MUST(walker, nexauth_token_lifetime_s(token) >= 0);
    walker->went_well++;
}

/* ---- What the service says -------------------------------------------------------------------------------------- */

#define ENVELOPE(token)                                                                                                \
    "{\"code\":0,\"msg\":\"success\",\"result\":{\"access_token\":\"" token                                            \
    "\",\"expires_in\":100,\"refresh_token\":\"refresh\",\"scope\":\"install_login\"}}"

void walker_answer_otherwise(struct walker *walker)
{
    static const struct script_answer answers[] = {
        {.status = 200, .takes_ms = 50, .body = "{\"access_token\":\"t-0001\",\"expires_in\":60}"},
        {.status = 200, .body = "{\"access_token\":\"t-0002\",\"expires_in\":3600,\"scope\":\"s\"}"},
        {.status = 200, .takes_ms = 1500, .body = "{\"access_token\":\"t-0003\",\"expires_in\":1}"},
        {.status = 200, .takes_ms = 10, .body = ENVELOPE("t-0004")},
        {.status = 200, .takes_ms = 900, .body = ENVELOPE("t-0005")},
        {.status = 302, .location = "https://app.example.com/callback?code=the-code&state={state}"},
        {.status = 302, .takes_ms = 300, .location = "https://app.example.com/callback?code=the-code&state={state}"},
        {.status = 401, .body = "{\"error\":\"invalid_client\"}"},
        {.status = 400, .takes_ms = 20, .body = "{\"error\":\"invalid_grant\"}"},
        {.status = 429, .retry_after = "2"},
        {.status = 503, .takes_ms = 40000},
        {.status = 200, .body = "<html>"},
        {.status = 200, .body = "{\"access_token\":\"half"},
        {.loss = NX_LOSS_CUT},
        {.loss = NX_LOSS_CONNECT, .unsent = true, .takes_ms = 10},
        {.loss = NX_LOSS_MEMORY},
        {.takes_ms = INT64_MAX},
    };

    script_answer_always(walker->script, answers[walker_draw(walker, sizeof answers / sizeof *answers)]);
}

void walker_let_time_pass(struct walker *walker)
{
    static const int64_t steps_ms[] = {0, 10, 700, 2000, 20000, 100000, 4000000};

    script_pass_ms(walker->script, steps_ms[walker_draw(walker, sizeof steps_ms / sizeof *steps_ms)]);
}
