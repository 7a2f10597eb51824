/*
 * The control endpoint: plain http on a port of its own, for whoever runs the tests.
 *
 *   GET /counts      what was asked how often
 *   POST /faults     what goes wrong next        DELETE /faults  nothing any more
 *   POST /revoke     refresh tokens that no longer serve
 *   POST /reset      forgets counts, faults, and all that was issued
 *
 * Answers are 204, or 400 with a sentence. The Content-Type of a request does not matter, so that `curl -d` is enough.
 */
#include "emulator.h"
#include "json.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

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

static void show_counts(struct emu *emu, const struct emu_request *request, struct emu_answer *answer)
{
    cJSON *report = emu_counts_report(&emu->counts);

    (void)request;
    cJSON_AddNumberToObject(report, "codes_reused", (double)emu->issued.reused[EMU_CODE]);
    cJSON_AddNumberToObject(report, "refresh_tokens_reused", (double)emu->issued.reused[EMU_REFRESH_TOKEN]);
    emu_answer_set(answer, 200, "application/json", emu_json_print(report));
}

static void add_fault(struct emu *emu, const struct emu_request *request, struct emu_answer *answer)
{
    answer_outcome(emu_faults_add(&emu->faults, request->body, request->length), answer);
}

static void clear_faults(struct emu *emu, const struct emu_request *request, struct emu_answer *answer)
{
    (void)request;
    emu_faults_clear(&emu->faults);
    answer_outcome(NULL, answer);
}

static const char *revoke_as_told(struct emu *emu, const cJSON *body)
{
    static const char *const names[] = {"refresh_token", "all_refresh_tokens"};
    const char *text = emu_json_string(body, "refresh_token");
    bool all = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(body, "all_refresh_tokens"));

    if (!emu_json_only(body, names, COUNT(names)) || all == (text != NULL))
        return "The body is not an object of either refresh_token, a string, or all_refresh_tokens, true.";
    return emu_issued_revoke(&emu->issued, text) ? NULL : "This refresh token was not issued.";
}

static void revoke(struct emu *emu, const struct emu_request *request, struct emu_answer *answer)
{
    cJSON *body = emu_json_parse(request->body, request->length);

    answer_outcome(revoke_as_told(emu, body), answer);
    cJSON_Delete(body);
}

static void reset(struct emu *emu, const struct emu_request *request, struct emu_answer *answer)
{
    (void)request;
    emu_counts_reset(&emu->counts);
    emu_faults_clear(&emu->faults);
    emu_issued_clear(&emu->issued);
    answer_outcome(NULL, answer);
}

static void refuse(const struct emu_request *request, unsigned int status, struct emu_answer *answer)
{
    (void)request;
    answer_sentence(status, "There is GET /counts, POST or DELETE /faults, POST /revoke and POST /reset.", answer);
}

static const struct emu_route routes[] = {
    {.path = "/counts", .method = "GET", .handler = show_counts},
    {.path = "/faults", .method = "POST", .handler = add_fault},
    {.path = "/faults", .method = "DELETE", .handler = clear_faults},
    {.path = "/revoke", .method = "POST", .handler = revoke},
    {.path = "/reset", .method = "POST", .handler = reset},
};

const struct emu_service emu_control = {
    .name = "control",
    .id = EMU_VENDORS,
    .routes = routes,
    .route_count = COUNT(routes),
    .refuse = refuse,
};
