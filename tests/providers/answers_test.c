/*
 * What each provider makes of an answer, through the flight as it is, with no server and no clock. The cases are in
 * data/answers. A case may say:
 *
 * - source: nexusguard_user
 * - options: nexusguard_saved: the file with the source's options; the source's name when not given
 * - option.secret: ...: one option more, or another value
 * - step: connect, or credentials, code, refresh: the flight must take that course by itself
 * - grant.code: ...: what it goes out with: code, refresh_token, supplied_xspe (with xspe_callback)
 * - connected_before: yes: a connect has succeeded earlier: its xspe is used up
 * - what the endpoint has answered before, in this order: served_before: yes (a token to this identity),
 *   answered_before: yes (something else to another one), refusals_before: 2 (a bare 403 to each of so many other
 *   identities), refused_before: 2 (so often to this one), closed_before: 2 (so many connections closed in a row)
 * - loss: closed, instead of an answer: or canceled, connect, cut, garbled, memory, timeout, tls; with sendings: (1)
 * - lost_first: cut: the request is lost in this way first, and leaves once more; the outcome is that of the second
 * - over_cap: yes: the answer was larger than the session reads
 * - meaning: 40001=REAUTH: what the caller says that an envelope's code means
 *
 * and behind a line of ---, the answer: status line, headers, a blank line, the body; {state} in a Location stands for
 * the flight's state.
 *
 * Expected of a token: "expect: OK", token, stated, lifetime, refresh_token, scope (none when not given), presented.
 * Of a failure: expect, message, code ("" when not given), retry_after_ms (0), http_status (the answer's),
 * not_in_message, and waits (no): yes where there would be a second attempt, for which there is no time here. Of a
 * flight that goes on: "next: code" with "sends", or "next: connect". Of what it goes out with from then on:
 * keeps_code, keeps_refresh_token, in_doubt (yes or no).
 */
#include "support/case_source.h"

#include "core/encode.h"
#include "core/flight.h"
#include "session/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { BOUND = 65536, CASES_LEAST = 60 };

static const struct nx_siphash_key hash_key = {1, 2};

struct trip {
    struct case_file file;
    struct case_file options;
    struct case_source source;
    struct nx_grant grant;
    struct nx_exchange exchange;
    struct nx_flight flight;
    struct nx_history history;
    uint64_t who;
    char options_path[128];
};

static const char *const steps[] = {[NX_STEP_CREDENTIALS] = "credentials",
                                    [NX_STEP_CONNECT] = "connect",
                                    [NX_STEP_CODE] = "code",
                                    [NX_STEP_REFRESH] = "refresh"};

/* ---- Before the answer ------------------------------------------------------------------------------------------- */

static bool make_identity(struct trip *trip)
{
    const char *options = case_value(&trip->file, "options");
    struct nexauth_error error = {0};

    snprintf(trip->options_path, sizeof trip->options_path, "answers/%s.options",
             options ? options : case_value(&trip->file, "source"));
    case_open(&trip->options, trip->options_path);
    case_source_fill(&trip->source, &trip->options, "");
    case_source_fill(&trip->source, &trip->file, "option.");
    case_find_unused(&trip->options);
    if (trip->options.report[0])
        case_differs(&trip->file, "%s: %s", trip->options_path, trip->options.report);
    if (case_source_check(&trip->source, false, &error))
        case_differs(&trip->file, "the options are refused: %s", error.message);
    trip->who = nx_identity_hash(&trip->source.identity, &hash_key);
    return trip->file.report[0] == '\0';
}

static void fill_text(struct nx_text *text, const char *value, const char *fallback)
{
    nx_text_add(text, value ? value : fallback);
}

static void fill_grant(struct trip *trip, const char *step)
{
    struct case_file *file = &trip->file;

    fill_text(&trip->grant.code, case_value(file, "grant.code"), strcmp(step, "code") == 0 ? "code-of-a-case" : "");
    fill_text(&trip->grant.refresh_token, case_value(file, "grant.refresh_token"),
              strcmp(step, "refresh") == 0 ? "refresh-token-of-a-case" : "");
    trip->grant.connected = case_says_yes(file, "connected_before");
}

static void fill_history(struct trip *trip)
{
    const int64_t refusals = case_number(&trip->file, "refusals_before", 0);
    const int64_t refused = case_number(&trip->file, "refused_before", 0);
    const int64_t closed = case_number(&trip->file, "closed_before", 0);

    if (case_says_yes(&trip->file, "served_before"))
        nx_history_note(&trip->history, trip->who, NX_SIGN_TOKEN);
    if (case_says_yes(&trip->file, "answered_before"))
        nx_history_note(&trip->history, trip->who + 1, NX_SIGN_ANSWER);
    for (int64_t i = 0; i < refusals; i++)
        nx_history_note(&trip->history, trip->who + 2 + (uint64_t)i, NX_SIGN_BARE);
    for (int64_t i = 0; i < refused; i++)
        nx_history_note(&trip->history, trip->who, NX_SIGN_BARE);
    for (int64_t i = 0; i < closed; i++)
        nx_history_note(&trip->history, trip->who, NX_SIGN_CLOSED);
}

/* Begins the flight and brings it to its request. */
static bool take_off(struct trip *trip, const char *step)
{
    static const unsigned char random[NX_STATE_BYTES] = {0x0f, 0x1e, 0x2d, 0x3c, 0x4b, 0x5a, 0x69, 0x78,
                                                         0x87, 0x96, 0xa5, 0xb4, 0xc3, 0xd2, 0xe1, 0xf0};
    struct nx_flight *flight = &trip->flight;
    struct nx_text supplied;

    nx_flight_begin(flight, trip->source.provider, &trip->source.identity, &trip->grant, &trip->exchange, BOUND);
    if (flight->need == NX_NEED_XSPE) {
        nx_text_init(&supplied, NX_OPTION_LONGEST);
        fill_text(&supplied, case_value(&trip->file, "grant.supplied_xspe"), "");
        nx_flight_take_xspe(flight, &(struct nexauth_error){0}, &supplied);
        nx_text_release(&supplied);
    }
    if (flight->need == NX_NEED_STATE)
        nx_flight_take_random(flight, random);
    if (flight->need == NX_NEED_SEND && strcmp(steps[flight->step], step) == 0)
        return true;
    case_differs(&trip->file, "step: the flight takes another course: %s",
                 flight->need == NX_NEED_SEND ? steps[flight->step] : flight->error.message);
    return false;
}

/* ---- The answer -------------------------------------------------------------------------------------------------- */

static void add_location(struct trip *trip, const char *value, size_t size)
{
    static const char mark[] = "{state}";
    char copy[2048];
    const char *found = NULL;

    snprintf(copy, sizeof copy, "%.*s", (int)size, value);
    nx_text_clear(&trip->exchange.response.location);
    for (value = copy; (found = strstr(value, mark)) != NULL; value = found + sizeof mark - 1) {
        nx_text_add_bytes(&trip->exchange.response.location, value, (size_t)(found - value));
        nx_text_add(&trip->exchange.response.location, nx_text_string(&trip->grant.state));
    }
    nx_text_add(&trip->exchange.response.location, value);
}

/* One header line; those that nobody reads, such as Content-Type, are there for the reader. */
static void take_header(struct trip *trip, const char *line, size_t size)
{
    struct nx_response *response = &trip->exchange.response;
    const char *colon = memchr(line, ':', size);
    const char *value = colon ? colon + 1 : NULL;

    if (!colon) {
        case_differs(&trip->file, "below ---: not a header: %.*s", (int)size, line);
        return;
    }
    while (value < line + size && *value == ' ')
        value++;
    if (strncasecmp(line, "Location:", 9) == 0)
        add_location(trip, value, (size_t)(line + size - value));
    else if (strncasecmp(line, "Retry-After:", 12) == 0)
        nx_text_add_bytes(&response->retry_after, value, (size_t)(line + size - value));
    else if (strncasecmp(line, "Date:", 5) == 0)
        nx_text_add_bytes(&response->date, value, (size_t)(line + size - value));
}

static const char *line_end(const char *at, const char *end)
{
    const char *found = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;

    return found ? found : end;
}

static void take_answer(struct trip *trip)
{
    struct nx_response *response = &trip->exchange.response;
    const char *at = nx_text_string(&trip->file.rest);
    const char *end = at + trip->file.rest.length;
    const char *stop = line_end(at, end);

    if (strncmp(at, "HTTP/1.1 ", 9) != 0) {
        case_differs(&trip->file, "below ---: no status line");
        return;
    }
    response->http_status = (int)strtol(at + 9, NULL, 10);
    for (at = stop; at < end && (stop = line_end(at + 1, end)) > at + 1; at = stop)
        take_header(trip, at + 1, (size_t)(stop - at - 1));
    if (at < end && stop < end)
        nx_text_add_bytes(&response->body, stop + 1, (size_t)(end - stop - 1));
    response->over_cap = case_says_yes(&trip->file, "over_cap");
}

static void take_loss(struct trip *trip, const char *key)
{
    const char *loss = case_value(&trip->file, key);
    static const struct {
        const char *name;
        enum nx_loss loss;
    } losses[] = {{"canceled", NX_LOSS_CANCELED}, {"connect", NX_LOSS_CONNECT}, {"memory", NX_LOSS_MEMORY},
                  {"closed", NX_LOSS_CLOSED},     {"cut", NX_LOSS_CUT},         {"garbled", NX_LOSS_GARBLED},
                  {"timeout", NX_LOSS_TIMEOUT},   {"tls", NX_LOSS_TLS}};

    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        if (strcmp(losses[i].name, loss) == 0)
            trip->exchange.loss = losses[i].loss;
    }
    if (!trip->exchange.loss)
        case_differs(&trip->file, "%s: must be canceled, connect, closed, cut, garbled, memory, timeout or tls", key);
}

/* The first of two attempts. What leaves the second time is what left the first time. */
static void lose(struct trip *trip)
{
    struct nx_flight *flight = &trip->flight;
    struct nx_text body;

    nx_text_init(&body, BOUND);
    nx_text_add(&body, nx_text_string(&trip->exchange.request.body));
    take_loss(trip, "lost_first");
    trip->exchange.sendings = 1;
    nx_flight_take_exchange(flight, &trip->history, trip->who);
    if (flight->need == NX_NEED_WAIT)
        nx_flight_take_wait(flight, true);
    if (flight->need != NX_NEED_SEND)
        case_differs(&trip->file, "lost_first: there is no second attempt: %s", flight->error.message);
    else
        case_compare(&trip->file, "lost_first", nx_text_string(&body), nx_text_string(&trip->exchange.request.body));
    nx_text_release(&body);
}

static void take_outcome(struct trip *trip)
{
    const bool lost = case_value(&trip->file, "loss") != NULL;

    trip->exchange.sendings = (int)case_number(&trip->file, "sendings", 1);
    if (!lost)
        take_answer(trip);
    else if (trip->file.has_rest)
        case_differs(&trip->file, "there is both a loss and an answer");
    else
        take_loss(trip, "loss");
}

/* ---- What is expected -------------------------------------------------------------------------------------------- */

static const char *string_or_empty(const char *string)
{
    return string ? string : "";
}

static void compare_number_given(struct case_file *file, const char *what, int64_t got)
{
    if (!case_value(file, what))
        case_differs(file, "%s: is missing; it came out as %lld", what, (long long)got);
    else
        case_compare_numbers(file, what, case_number(file, what, 0), got);
}

static void compare_given(struct case_file *file, const char *what, const char *got)
{
    case_compare(file, what, string_or_empty(case_value(file, what)), got);
}

static void compare_presented(struct trip *trip)
{
    const char *presented = case_value(&trip->file, "presented");
    struct nx_arena *arena = nx_arena_new();
    nexauth_token *token = arena ? nx_token_new(arena, NULL, &trip->flight.issue, 1700000000, 5000) : NULL;

    nx_arena_unref(arena);
    if (!token) {
        case_differs(&trip->file, "no token could be made");
        return;
    }
    if (nexauth_token_header(token) && nexauth_token_query(token))
        case_differs(&trip->file, "the token is presented in two ways");
    if (presented && nexauth_token_header(token))
        case_compare(&trip->file, "presented", presented, nexauth_token_header(token));
    else if (presented)
        case_compare(&trip->file, "presented", presented, string_or_empty(nexauth_token_query(token)));
    case_compare_numbers(&trip->file, "expires_at", 1700000000 + nexauth_token_lifetime_s(token),
                         nexauth_token_expires_at(token));
    nexauth_token_unref(token);
}

static void compare_token(struct trip *trip)
{
    const struct nx_issue *issue = &trip->flight.issue;

    if (trip->flight.need != NX_NEED_SAVE) {
        case_differs(&trip->file, "there is no token: %s: %s", nexauth_status_name(trip->flight.error.status),
                     trip->flight.error.message);
        return;
    }
    nx_flight_take_saved(&trip->flight);
    if (trip->flight.need != NX_NEED_PUBLISH)
        case_differs(&trip->file, "the token is saved and not published");
    compare_given(&trip->file, "token", nx_text_string(&issue->access_token));
    compare_given(&trip->file, "refresh_token", nx_text_string(&issue->refresh_token));
    compare_given(&trip->file, "scope", nx_text_string(&issue->scope));
    compare_number_given(&trip->file, "stated", issue->stated_s);
    compare_number_given(&trip->file, "lifetime", issue->lifetime_s);
    compare_presented(trip);
}

static void compare_message(struct trip *trip)
{
    const struct nexauth_error *error = &trip->flight.error;
    const char *message = case_value(&trip->file, "message");
    const char *absent = case_value(&trip->file, "not_in_message");

    if (!message || !strstr(error->message, message))
        case_differs(&trip->file, "message: \"%s\" is not in \"%s\"", string_or_empty(message), error->message);
    if (absent && strstr(error->message, absent))
        case_differs(&trip->file, "not_in_message: \"%s\" is in \"%s\"", absent, error->message);
    if (!nx_is_free_of_controls(error->message) || !nx_is_free_of_controls(error->code))
        case_differs(&trip->file, "the error holds a control character");
    if (!nx_is_utf8(error->message) || !nx_is_utf8(error->code))
        case_differs(&trip->file, "the error is not UTF-8");
    case_source_find_leak(&trip->source, &trip->file, error->message);
    case_source_find_leak(&trip->source, &trip->file, error->code);
}

static void compare_error(struct trip *trip, const char *expected)
{
    const struct nexauth_error *error = &trip->flight.error;
    const int http_status = trip->exchange.loss ? 0 : trip->exchange.response.http_status;
    const bool waits = trip->flight.need == NX_NEED_WAIT;

    case_compare(&trip->file, "waits", case_says_yes(&trip->file, "waits") ? "yes" : "no", waits ? "yes" : "no");
    if (waits)
        nx_flight_take_wait(&trip->flight, false);
    if (trip->flight.need != NX_NEED_FAIL) {
        case_differs(&trip->file, "the flight did not fail, but needs %d", (int)trip->flight.need);
        return;
    }
    case_status(&trip->file, expected);
    case_compare(&trip->file, "expect", expected, nexauth_status_name(error->status));
    compare_given(&trip->file, "code", error->code);
    case_compare_numbers(&trip->file, "http_status", case_number(&trip->file, "http_status", http_status),
                         error->http_status);
    case_compare_numbers(&trip->file, "retry_after_ms", case_number(&trip->file, "retry_after_ms", 0),
                         error->retry_after_ms);
    compare_message(trip);
}

/* A flight that goes on needs no further outcome: what it does next is the assertion. */
static void compare_next(struct trip *trip, const char *next)
{
    const struct nx_flight *flight = &trip->flight;
    const char *got = flight->need == NX_NEED_SEND                                    ? steps[flight->step]
                      : flight->need == NX_NEED_STATE || flight->need == NX_NEED_XSPE ? "connect"
                                                                                      : "the end";

    case_compare(&trip->file, "next", next, got);
    if (flight->need == NX_NEED_SEND)
        compare_given(&trip->file, "sends", nx_text_string(&trip->exchange.request.body));
}

static void compare_kept(struct trip *trip, const char *what, bool kept)
{
    const char *expected = case_value(&trip->file, what);

    if (expected)
        case_compare(&trip->file, what, expected, kept ? "yes" : "no");
}

static void compare_outcome(struct trip *trip)
{
    const char *next = case_value(&trip->file, "next");
    const char *expected = string_or_empty(case_value(&trip->file, "expect"));

    if (next)
        compare_next(trip, next);
    else if (strcmp(expected, "OK") == 0)
        compare_token(trip);
    else
        compare_error(trip, expected);
    compare_kept(trip, "keeps_code", trip->grant.code.length > 0);
    compare_kept(trip, "keeps_refresh_token", trip->grant.refresh_token.length > 0);
    compare_kept(trip, "in_doubt", trip->grant.in_doubt);
}

static void fly(struct trip *trip)
{
    const char *step = string_or_empty(case_value(&trip->file, "step"));

    nx_grant_init(&trip->grant);
    nx_exchange_init(&trip->exchange, BOUND);
    fill_grant(trip, step);
    fill_history(trip);
    if (take_off(trip, step)) {
        if (case_value(&trip->file, "lost_first"))
            lose(trip);
        take_outcome(trip);
        nx_flight_take_exchange(&trip->flight, &trip->history, trip->who);
        compare_outcome(trip);
    }
    nx_flight_release(&trip->flight);
    nx_exchange_release(&trip->exchange);
    nx_grant_release(&trip->grant);
    nx_history_release(&trip->history);
}

static void a_case_holds(void **state)
{
    static struct trip trip;

    memset(&trip, 0, sizeof trip);
    case_open(&trip.file, *state);
    if (!case_fits_build(&trip.file)) {
        case_release(&trip.file);
        skip();
    }
    if (case_source_init(&trip.source, &trip.file) && make_identity(&trip))
        fly(&trip);
    case_source_release(&trip.source);
    case_release(&trip.options);
    case_close(&trip.file);
}

int main(void)
{
    return case_run_group("answers", CASES_LEAST, a_case_holds, NULL, 0);
}
