/*
 * A whole flight, and what an application may do around it. The input: a byte for the kind of source, one for its ways
 * (1: what it saves fails, 2: so does its xspe callback), operations, one byte each, to a 0x1e; then answers, each to a
 * 0x1e: three bytes (the status; how it is lost, or the status's lowest bit; how long it takes) and, separated by 0x1f,
 * body, Location and Retry-After. In these, 0x01 and a byte stand for a secret of the source's own, in some form.
 *
 * The rules are those of the public headers: exactly one outcome, a token or an error; no secret in a message; codes
 * and refresh tokens leave once; no token that is over; nobody waits longer than asked for.
 */
#include "fuzz/flight.h"

#include "session/session.h"

#include <stdlib.h>
#include <string.h>

enum { OPS_MOST = 32, ANSWERS_MOST = 24, CALLS_MOST = OPS_MOST, END = 0x1e, FIELD = 0x1f };

static const int64_t LAST_SECOND = 9000000000; /* of a clock that counts nanoseconds */

/* What a call was told. */
struct told {
    struct flight *flight;
    nexauth_call *call;
    int runs;
};

static struct flight flight;
static struct told calls[CALLS_MOST];
static size_t call_count;
static char *fields[ANSWERS_MOST][3];

/* ---- Answers ----------------------------------------------------------------------------------------------------- */

static char *take_field(struct target_input *input)
{
    char *raw = target_take(input, FIELD);
    struct nx_text text;
    char *field = NULL;

    nx_text_init(&text, (strlen(raw) + 1) * 64);
    for (const char *at = raw; *at; at++) {
        if (at[0] == '\x01' && at[1]) {
            at++;
            nx_text_add(&text, flight.secrets[*at & 1][(*at >> 1 & 3) % FLIGHT_FORMS]);
        } else {
            nx_text_add_char(&text, *at);
        }
    }
    field = target_copy((const uint8_t *)nx_text_string(&text), text.length);
    nx_text_release(&text);
    free(raw);
    return field;
}

static int status_of(uint8_t choice, uint8_t odd)
{
    static const int statuses[] = {200, 302, 400, 401, 403, 404, 408, 429, 500, 502, 503};

    if (choice < 64)
        return statuses[choice % (sizeof statuses / sizeof *statuses)];
    return 200 + (choice - 64) * 2 + (odd & 1);
}

static void take_answer(struct target_input *input, size_t number)
{
    static const int64_t times[] = {0, 100, 1000, 9000, 29999, 30001, 700000, INT64_MAX};
    uint8_t head[3] = {0};
    struct script_answer answer;

    for (size_t i = 0; i < sizeof head && input->size > 0; i++, input->at++, input->size--)
        head[i] = *input->at;
    for (size_t i = 0; i < 3; i++)
        fields[number][i] = take_field(input);
    answer = (struct script_answer){.status = status_of(head[0], head[1]),
                                    .takes_ms = times[head[2] & 7],
                                    .body = fields[number][0],
                                    .location = *fields[number][1] ? fields[number][1] : NULL,
                                    .retry_after = *fields[number][2] ? fields[number][2] : NULL};
    if (head[1] >> 4 > 7)
        answer.loss = (enum nx_loss)((head[1] >> 4) - 7);
    answer.unsent = answer.loss == NX_LOSS_CONNECT || answer.loss == NX_LOSS_TLS ||
                    (answer.loss == NX_LOSS_MEMORY && (head[1] & 8));
    script_answer(&flight.script, answer);
}

static void take_answers(struct target_input *input)
{
    for (size_t i = 0; i < ANSWERS_MOST && input->size > 0; i++) {
        const uint8_t *end = memchr(input->at, END, input->size);
        struct target_input piece = {input->at, end ? (size_t)(end - input->at) : input->size};
        const size_t taken = piece.size + (end != NULL);

        take_answer(&piece, i);
        input->at += taken;
        input->size -= taken;
    }
}

/* ---- Callbacks --------------------------------------------------------------------------------------------------- */

static nexauth_status save(void *context, nexauth_token *token)
{
    (void)context;
    flight_check_saved(&flight, token);
    flight_note_handout(&flight, nexauth_token_refresh_token(token));
    return flight.saves ? NEXAUTH_OK : NEXAUTH_UNAVAILABLE;
}

static void hear(void *context, const struct nexauth_event *event)
{
    (void)context;
    if (event->error)
        flight_check_error(&flight, event->error);
    if (event->token)
        HOLDS(nexauth_token_access_token(event->token) != NULL);
}

static void keep_token(nexauth_token *token)
{
    flight_check_token(&flight, token);
    nexauth_token_ref(token);
    nexauth_token_unref(flight.token);
    flight.token = token;
}

static void take_outcome(void *context, nexauth_token *token, const struct nexauth_error *error)
{
    struct told *told = context;

    HOLDS(++told->runs == 1);
    HOLDS((token == NULL) != (error == NULL));
    if (token)
        keep_token(token);
    else
        flight_check_error(&flight, error);
}

/* ---- What the application does ----------------------------------------------------------------------------------- */

static struct nexauth_get_options get_options(unsigned int argument)
{
    static const int64_t timeouts_ms[] = {30000, 1, 5000, 3600000};
    static const int64_t validities_s[] = {0, 60, 3600, 31536000};

    return (struct nexauth_get_options){.timeout_ms = timeouts_ms[argument & 3],
                                        .min_validity_s = validities_s[argument >> 2 & 3]};
}

static void get(unsigned int argument)
{
    const struct nexauth_get_options options = get_options(argument);
    const int64_t before_ms = flight.script.boot_ms;
    const size_t begun = flight.script.begun;
    struct nexauth_error error = {0};
    nexauth_token *token = NULL;
    const nexauth_status status = nexauth_source_get_token(flight.source, &options, &token, &error);

    HOLDS((status == NEXAUTH_OK) == (token != NULL));
    HOLDS(status == error.status);
    flight_check_time(&flight, before_ms, options.timeout_ms);
    if (token)
        keep_token(token);
    else
        flight_check_error(&flight, &error);
    if (!token && flight.script.begun > begun)
        flight_check_last_request(&flight, &error);
    nexauth_token_unref(token);
}

static void start(unsigned int argument)
{
    const struct nexauth_get_options options = get_options(argument);
    struct told *told = &calls[call_count++];

    *told = (struct told){.flight = &flight};
    HOLDS(nexauth_source_start(flight.source, &options, take_outcome, told, &told->call, NULL) == NEXAUTH_OK);
}

static void poll(unsigned int argument)
{
    static const int64_t waits_ms[] = {0, 1, 1000, 60000};
    const int64_t before_ms = flight.script.boot_ms;

    HOLDS(nexauth_session_timeout_ms(flight.session) >= -1);
    HOLDS(nexauth_session_poll(flight.session, waits_ms[argument & 3], NULL) == NEXAUTH_OK);
    flight_check_time(&flight, before_ms, waits_ms[argument & 3]);
}

static void copy(void)
{
    const struct nexauth_get_options options = get_options(0);
    struct nexauth_error error = {0};
    char buffer[sizeof flight.copied];
    size_t size = 0;

    if (nexauth_source_copy_token(flight.source, &options, buffer, sizeof buffer, &size, &error) != NEXAUTH_OK) {
        flight_check_error(&flight, &error);
        return;
    }
    HOLDS(strlen(buffer) == size);
    memcpy(flight.copied, buffer, size + 1);
}

static void reject(bool by_copy)
{
    struct nexauth_error error = {0};
    nexauth_status status = NEXAUTH_OK;

    if (by_copy && flight.copied[0])
        status = nexauth_source_reject_copy(flight.source, flight.copied, &error);
    else if (!by_copy && flight.token)
        status = nexauth_source_reject_token(flight.source, flight.token, &error);
    if (status)
        flight_check_error(&flight, &error);
}

static void authorize(void)
{
    struct nexauth_error error = {0};
    nexauth_authorization *authorization = NULL;

    if (nexauth_source_authorize(flight.source, &authorization, &error) != NEXAUTH_OK) {
        flight_check_error(&flight, &error);
        return;
    }
    HOLDS(strlen(nexauth_authorization_state(authorization)) == 32);
    HOLDS(strstr(nexauth_authorization_url(authorization), nexauth_authorization_state(authorization)) != NULL);
    nexauth_authorization_free(flight.authorization);
    flight.authorization = authorization;
}

/* The redirect as it should be, or with a wrong state, an error, no code, or the code and an error. */
static void accept(unsigned int argument)
{
    static const char *const queries[] = {"?code=Hush-code&state=",           "?code=Hush-code&state=0",
                                          "?error=access_denied&state=",      "?state=",
                                          "?code=Hush%2Bcode&error=x&state=", "?code=Hush%2Bcode-2&state="};
    const char *query = queries[argument % (sizeof queries / sizeof *queries)];
    struct nexauth_error error = {0};
    const char *state = flight.authorization ? nexauth_authorization_state(flight.authorization) : "none";
    struct nx_text url;

    nx_text_init(&url, 512);
    nx_text_add(&url, argument & 8 ? "/callback" : "https://app.example/callback");
    nx_text_add(&url, query);
    nx_text_add(&url, state);
    if (nexauth_source_accept_redirect(flight.source, nx_text_string(&url), state, &error) == NEXAUTH_OK)
        flight.accepted++;
    else
        flight_check_error(&flight, &error);
    nx_text_release(&url);
}

static void begin_permit(unsigned int argument)
{
    static const char *const urls[] = {"https://nexcloud.io/v1.0/a", "https://testapi.quantoz.com/a?b=c#d",
                                       "https://api.nexusguard.com/api", "https://api.example/a?access_token=b"};
    const struct nexauth_permit_options options = {.url = urls[argument & 3], .timeout_ms = 5000};
    const int64_t before_ms = flight.script.boot_ms;
    struct nexauth_error error = {0};
    nexauth_permit *permit = NULL;

    if (nexauth_permit_begin(flight.source, &options, &permit, &error) != NEXAUTH_OK) {
        HOLDS(permit == NULL);
        flight_check_error(&flight, &error);
    } else {
        HOLDS((nexauth_permit_header(permit) == NULL) == (strstr(nexauth_permit_url(permit), "access_token=") != NULL));
        nexauth_permit_free(flight.permit);
        flight.permit = permit;
    }
    flight_check_time(&flight, before_ms, options.timeout_ms);
}

static void end_permit(unsigned int argument)
{
    static const int statuses[] = {200, 401, 429, 503, 403, 0, 0, 0};
    const struct nexauth_answer answer = {.http_status = statuses[argument & 7],
                                          .loss = argument & 7 ? (int)(argument & 7) - 5 : 0,
                                          .content_type = argument & 8 ? "text/html" : "application/json"};
    const struct nexauth_answer whole = {.http_status = answer.http_status, .content_type = answer.content_type};
    struct nexauth_error error = {0};

    if (flight.permit && nexauth_permit_end(flight.permit, answer.http_status ? &whole : &answer, &error) != NEXAUTH_OK)
        flight_check_error(&flight, &error);
    nexauth_permit_free(flight.permit);
    flight.permit = NULL;
}

static void look_at_stats(void)
{
    struct nexauth_stats stats = {0};

    HOLDS(nexauth_source_stats(flight.source, &stats, NULL) == NEXAUTH_OK);
    HOLDS(stats.requests >= flight.script.begun); /* one of them may not have begun yet */
    if (stats.last_error.status)
        flight_check_error(&flight, &stats.last_error);
}

static void jump(unsigned int argument)
{
    static const int64_t jumps_s[] = {1, 3600, -3600, 86400, -86400, 1000000000, -1999999999, 31536000};
    const int64_t wall_s = flight.script.wall_s + jumps_s[argument & 7];

    flight.clock_jumped = true;
    if (wall_s > 0 && wall_s < LAST_SECOND)
        flight.script.wall_s = wall_s;
    if (argument & 8)
        flight.script.asleep_ms += 3600000;
}

static void let_pass(unsigned int argument)
{
    static const int64_t passes_ms[] = {1, 100, 1000, 5000, 30000, 100000, 600000, 3600000, 10800000, 1209600000};

    script_pass_ms(&flight.script, passes_ms[argument % (sizeof passes_ms / sizeof *passes_ms)]);
}

static void free_source(void)
{
    nexauth_source_free(flight.source);
    flight.source = NULL;
}

/* The order of the script "seeds". */
static void do_with_source(unsigned int op, unsigned int argument)
{
    switch (op) {
    case 0:
        get(argument);
        break;
    case 1:
        start(argument);
        break;
    case 4:
        reject(argument & 1);
        break;
    case 5:
        if (flight.token)
            nexauth_source_approve_token(flight.source, flight.token);
        break;
    case 7:
        copy();
        break;
    case 8:
        authorize();
        break;
    case 9:
        accept(argument);
        break;
    case 10:
        begin_permit(argument);
        break;
    case 12:
        look_at_stats();
        break;
    case 14:
        free_source();
        break;
    default:
        break;
    }
}

static void operate(uint8_t byte)
{
    const unsigned int argument = byte >> 4;

    switch (byte & 15) {
    case 2:
        poll(argument);
        break;
    case 3:
        if (call_count > 0)
            nexauth_call_cancel(calls[argument % call_count].call);
        break;
    case 6:
        let_pass(argument);
        break;
    case 11:
        end_permit(argument);
        break;
    case 13:
        jump(argument);
        break;
    default:
        if (flight.source)
            do_with_source(byte & 15, argument);
    }
}

/* ---- The whole --------------------------------------------------------------------------------------------------- */

static void set_up(uint8_t kind, uint8_t ways)
{
    const struct nexauth_session_options options = {
        .exchange_timeout_ms = 30000, .max_answer_bytes = 65536, .event_callback = hear};
    struct nx_world world;

    memset(&flight, 0, sizeof flight);
    call_count = 0;
    flight.saves = !(ways & 1);
    flight.supplies = !(ways & 2);
    script_init(&flight.script);
    world = script_world(&flight.script);
    HOLDS(nx_session_new_in(&world, &options, &flight.session, NULL) == NEXAUTH_OK);
    flight_new_source(&flight, kind);
    HOLDS(nexauth_source_set_save(flight.source, save, NULL, NULL) == NEXAUTH_OK);
}

static void tear_down(void)
{
    nexauth_permit_free(flight.permit);
    nexauth_authorization_free(flight.authorization);
    nexauth_source_free(flight.source);
    nexauth_session_free(flight.session);
    nexauth_token_unref(flight.token);
    HOLDS(flight.script.freed);
    for (size_t i = 0; i < call_count; i++) {
        HOLDS(calls[i].runs == 1);
        nexauth_call_unref(calls[i].call);
    }
    flight_check_one_time(&flight);
    flight_release_handouts(&flight);
    script_release(&flight.script);
    for (size_t i = 0; i < flight.script.answer_count; i++) {
        for (size_t j = 0; j < 3; j++)
            free(fields[i][j]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct target_input input = {data + 2, size > 2 ? size - 2 : 0};
    const uint8_t *end = NULL;

    if (size < 3)
        return 0;
    set_up(data[0], data[1]);
    end = memchr(input.at, END, input.size);
    end = end ? end : input.at + input.size;
    input = (struct target_input){end + (end < data + size), (size_t)(data + size - end) - (end < data + size)};
    take_answers(&input);
    for (size_t i = 2; i < OPS_MOST + 2 && data + i < end; i++)
        operate(data[i]);
    tear_down();
    return 0;
}
