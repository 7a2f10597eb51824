/*
 * The control endpoint: plain http on a port of its own, for whoever runs the tests.
 *
 *   GET /counts?window_ms=60000     what was asked how often
 *   GET /answers                    the answers that are known by name
 *   GET /faults                     what is going to go wrong
 *   POST /faults                    what goes wrong next
 *   DELETE /faults                  nothing any more
 *   GET /limits                     how many requests the doors take, and who came and was refused
 *   POST /limits                    how many they take
 *   DELETE /limits                  nobody came, was refused or is banned
 *   POST /tokens                    how tokens are handed out
 *   POST /introspect                whether a token is alive
 *   POST /revoke                    refresh tokens and access tokens that no longer serve
 *   POST /clock                     time passes, or stands
 *   POST /reset                     forgets counts, faults, who came, all that was issued, and what was told of limits,
 *                                   tokens and time
 *
 * Answers are 200 with JSON, 204, or 400 with a sentence. The Content-Type of a request does not matter, so that
 * `curl -d` is enough.
 */
#include "emulator.h"
#include "form.h"
#include "json.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { WINDOW_MS = 60000, LONGEST_MS = 2000000000 };

static void answer_sentence(unsigned int status, const char *sentence, struct emu_answer *answer)
{
    emu_answer_set(answer, status, "text/plain; charset=utf-8", emu_format("%s\n", sentence));
}

/* 204, or 400 when there is a problem. */
static void answer_outcome(const char *problem, struct emu_answer *answer)
{
    if (problem)
        answer_sentence(400, problem, answer);
    else
        emu_answer_set(answer, 204, NULL, NULL);
}

static void answer_json(cJSON *report, struct emu_answer *answer)
{
    emu_answer_set(answer, 200, "application/json", emu_json_print(report));
}

/* What the query wants, the default without one, or 0 when it cannot be read. */
static long read_window(const char *query)
{
    static const char *const names[] = {"window_ms"};
    struct emu_form form = {0};
    char *end = NULL;
    long window_ms = 0;

    if (!query)
        return WINDOW_MS;
    if (emu_form_parse(query, strlen(query), &form) && emu_form_exactly(&form, names, 1)) {
        window_ms = strtol(form.pairs[0].value, &end, 10);
        if (*end != '\0' || window_ms < 0 || window_ms > LONGEST_MS)
            window_ms = 0;
    }
    emu_form_release(&form);
    return window_ms;
}

static void show_counts(struct emu *emu, const struct emu_request *request, struct emu_answer *answer)
{
    long window_ms = read_window(request->query);

    if (window_ms == 0) {
        answer_outcome("The query is not window_ms with a whole number between 1 and 2000000000.", answer);
        return;
    }
    cJSON *report = emu_counts_report(&emu->counts, (int64_t)window_ms * 1000);
    emu_tls_faults_report(&emu->tls_faults, report);
    cJSON_AddNumberToObject(report, "codes_reused", (double)emu->issued.reused[EMU_CODE]);
    cJSON_AddNumberToObject(report, "refresh_tokens_reused", (double)emu->issued.reused[EMU_REFRESH_TOKEN]);
    answer_json(report, answer);
}

static void show_answers(struct emu *emu, const struct emu_request *request, struct emu_answer *answer)
{
    (void)request;
    answer_json(emu_shapes_report(&emu->shapes), answer);
}

static void show_faults(struct emu *emu, const struct emu_request *request, struct emu_answer *answer)
{
    (void)request;
    answer_json(emu_faults_report(&emu->faults, emu_now_us(emu)), answer);
}

static void add_fault(struct emu *emu, const struct emu_request *request, struct emu_answer *answer)
{
    answer_outcome(emu_faults_add(&emu->faults, &emu->shapes, request->body, request->length, emu_now_us(emu)), answer);
}

static void clear_faults(struct emu *emu, const struct emu_request *request, struct emu_answer *answer)
{
    (void)request;
    emu_faults_clear(&emu->faults);
    answer_outcome(NULL, answer);
}

static void show_limits(struct emu *emu, const struct emu_request *request, struct emu_answer *answer)
{
    (void)request;
    answer_json(emu_limits_report(&emu->limits, emu_now_us(emu)), answer);
}

static void tell_limits(struct emu *emu, const struct emu_request *request, struct emu_answer *answer)
{
    cJSON *body = emu_json_parse(request->body, request->length);

    answer_outcome(emu_limits_tell(&emu->limits, body), answer);
    cJSON_Delete(body);
}

static void forget_limits(struct emu *emu, const struct emu_request *request, struct emu_answer *answer)
{
    (void)request;
    emu_limits_forget(&emu->limits);
    answer_outcome(NULL, answer);
}

static void tell_tokens(struct emu *emu, const struct emu_request *request, struct emu_answer *answer)
{
    cJSON *body = emu_json_parse(request->body, request->length);

    answer_outcome(emu_tokens_tell(&emu->tokens, body), answer);
    cJSON_Delete(body);
}

static void introspect(struct emu *emu, const struct emu_request *request, struct emu_answer *answer)
{
    static const char *const names[] = {"token"};
    cJSON *body = emu_json_parse(request->body, request->length);
    const char *token = emu_json_string(body, "token");

    if (token && emu_json_only(body, names, COUNT(names)))
        answer_json(emu_tokens_introspect(&emu->tokens, token, emu_now_us(emu)), answer);
    else
        answer_outcome("The body is not an object of token, a string.", answer);
    cJSON_Delete(body);
}

static const char *revoke_as_told(struct emu *emu, const cJSON *body)
{
    static const char *const names[] = {"refresh_token", "all_refresh_tokens", "access_token", "all_access_tokens"};
    const char *refresh_token = emu_json_string(body, "refresh_token");
    const char *access_token = emu_json_string(body, "access_token");
    bool all_refresh_tokens = emu_json_flag(body, "all_refresh_tokens", false);
    bool all_access_tokens = emu_json_flag(body, "all_access_tokens", false);

    if (!emu_json_only(body, names, COUNT(names)) || cJSON_GetArraySize(body) != 1 ||
        (!refresh_token && !access_token && !all_refresh_tokens && !all_access_tokens))
        return "The body is not an object of either refresh_token or access_token, a string, or all_refresh_tokens or "
               "all_access_tokens, true.";
    if (refresh_token || all_refresh_tokens)
        return emu_issued_revoke(&emu->issued, refresh_token) ? NULL : "This refresh token was not issued.";
    return emu_tokens_revoke(&emu->tokens, access_token, emu_now_us(emu)) ? NULL : "This access token was not issued.";
}

static void revoke(struct emu *emu, const struct emu_request *request, struct emu_answer *answer)
{
    cJSON *body = emu_json_parse(request->body, request->length);

    answer_outcome(revoke_as_told(emu, body), answer);
    cJSON_Delete(body);
}

static const char *move_as_told(struct emu *emu, const cJSON *body)
{
    static const char *const names[] = {"advance_ms", "stopped"};
    long advance_ms = emu_json_whole(body, "advance_ms", 0, LONGEST_MS, 0);

    if (!emu_json_only(body, names, COUNT(names)) || !body->child || advance_ms < 0 ||
        !emu_json_is_flag(body, "stopped"))
        return "The body is not an object of advance_ms, a whole number between 0 and 2000000000, and stopped, true or "
               "false.";
    emu_stop_clock(emu, emu_json_flag(body, "stopped", emu->stopped));
    emu->ahead_us += (int64_t)advance_ms * 1000;
    return NULL;
}

static void move_clock(struct emu *emu, const struct emu_request *request, struct emu_answer *answer)
{
    cJSON *body = emu_json_parse(request->body, request->length);

    answer_outcome(move_as_told(emu, body), answer);
    cJSON_Delete(body);
}

static void reset(struct emu *emu, const struct emu_request *request, struct emu_answer *answer)
{
    (void)request;
    emu_reset(emu);
    answer_outcome(NULL, answer);
}

static void refuse(const struct emu_request *request, unsigned int status, struct emu_answer *answer)
{
    (void)request;
    answer_sentence(status,
                    "There is GET /counts, GET /answers, GET, POST or DELETE /faults, GET, POST or DELETE /limits, "
                    "POST /tokens, POST /introspect, POST /revoke, POST /clock and POST /reset.",
                    answer);
}

static const struct emu_route routes[] = {
    {.path = "/counts", .method = "GET", .handler = show_counts},
    {.path = "/answers", .method = "GET", .handler = show_answers},
    {.path = "/faults", .method = "GET", .handler = show_faults},
    {.path = "/faults", .method = "POST", .handler = add_fault},
    {.path = "/faults", .method = "DELETE", .handler = clear_faults},
    {.path = "/limits", .method = "GET", .handler = show_limits},
    {.path = "/limits", .method = "POST", .handler = tell_limits},
    {.path = "/limits", .method = "DELETE", .handler = forget_limits},
    {.path = "/tokens", .method = "POST", .handler = tell_tokens},
    {.path = "/introspect", .method = "POST", .handler = introspect},
    {.path = "/revoke", .method = "POST", .handler = revoke},
    {.path = "/clock", .method = "POST", .handler = move_clock},
    {.path = "/reset", .method = "POST", .handler = reset},
};

const struct emu_service emu_control = {
    .name = "control",
    .id = EMU_VENDORS,
    .routes = routes,
    .route_count = COUNT(routes),
    .refuse = refuse,
};
