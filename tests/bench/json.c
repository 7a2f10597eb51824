/* A JSON answer, read by the library and by bare cJSON. */
#include "bench/bench.h"
#include "bench/token.h"

#include "core/json.h"

#include <cjson/cJSON.h>

enum { BOUND = 65536 };

static const char FLOOR[] = "bare cJSON: parse, get four members, delete";

static struct nx_text answer;

static bool fill(const char *plus)
{
    nx_text_init(&answer, BOUND);
    nx_text_add(&answer, "{\"access_token\":\"");
    bench_add_token(&answer, plus);
    nx_text_add(&answer, "\",\"expires_in\":3600,\"token_type\":\"Bearer\",\"scope\":\"api1 sanctionlist "
                         "customers.read customers.write accounts.read accounts.write payments.read\"}");
    return !nx_text_failed(&answer);
}

static bool prepare(void)
{
    return fill("+");
}

/* As System.Text.Json writes it. */
static bool prepare_escaped(void)
{
    return fill("\\u002B");
}

static void finish(void)
{
    nx_text_release(&answer);
}

static bool run(size_t times)
{
    struct nx_members members;
    bool good = true;

    nx_members_init(&members, BOUND);
    for (size_t i = 0; good && i < times; i++) {
        good = nx_json_read(answer.data, answer.length, false, &members) == NX_PARSED &&
               members.values[NX_MEMBER_ACCESS_TOKEN].text.length == TOKEN_SIZE;
        nx_members_release(&members);
    }
    return good;
}

static bool read_bare(void)
{
    cJSON *top = cJSON_ParseWithLength(answer.data, answer.length);
    const cJSON *token = cJSON_GetObjectItemCaseSensitive(top, "access_token");
    const cJSON *expires_in = cJSON_GetObjectItemCaseSensitive(top, "expires_in");
    const cJSON *type = cJSON_GetObjectItemCaseSensitive(top, "token_type");
    const cJSON *scope = cJSON_GetObjectItemCaseSensitive(top, "scope");
    const bool good = cJSON_IsString(token) && cJSON_IsNumber(expires_in) && cJSON_IsString(type) &&
                      cJSON_IsString(scope);

    cJSON_Delete(top);
    return good;
}

static bool run_floor(size_t times)
{
    bool good = true;

    for (size_t i = 0; good && i < times; i++)
        good = read_bare();
    return good;
}

const struct bench bench_json = {
    .name = "json",
    .what = "read a JSON answer of 1.2 kB",
    .floor = FLOOR,
    .bar = 1.15,
    .prepare = prepare,
    .finish = finish,
    .run = run,
    .run_floor = run_floor,
};

const struct bench bench_json_escaped = {
    .name = "json-escaped",
    .what = "the same with each + of the token as \\u002B",
    .floor = FLOOR,
    .bar = 1.15,
    .prepare = prepare_escaped,
    .finish = finish,
    .run = run,
    .run_floor = run_floor,
};
