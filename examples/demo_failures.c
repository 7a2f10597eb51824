/* The table of failures: one row for each status that can be brought about, as a caller sees it. */
#include "demo.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static nexauth_status make_incomplete(const struct demo *demo, nexauth_session *session, int choice,
                                      nexauth_source **out, struct nexauth_error *error)
{
    struct nexauth_nex_controller_options who = demo_nex_controller(demo);

    (void)choice;
    who.controller_secret = NULL;
    return nexauth_source_new_nex_controller(session, &who, out, error);
}

static nexauth_status make_wrong_scope(const struct demo *demo, nexauth_session *session, int choice,
                                       nexauth_source **out, struct nexauth_error *error)
{
    struct nexauth_quantoz_options who = demo_quantoz_test(demo);

    (void)choice;
    who.scope = "api2";
    return nexauth_source_new_quantoz(session, &who, out, error);
}

static nexauth_status make_wrong_password(const struct demo *demo, nexauth_session *session, int choice,
                                          nexauth_source **out, struct nexauth_error *error)
{
    struct nexauth_nex_user_options who = demo_nex_user(demo);

    (void)choice;
    who.password = "not the password";
    return nexauth_source_new_nex_user(session, &who, out, error);
}

static nexauth_status make_nex(const struct demo *demo, nexauth_session *session, int choice, nexauth_source **out,
                               struct nexauth_error *error)
{
    const struct nexauth_nex_controller_options who = demo_nex_controller(demo);

    (void)choice;
    return nexauth_source_new_nex_controller(session, &who, out, error);
}

static nexauth_status make_quantoz(const struct demo *demo, nexauth_session *session, int choice, nexauth_source **out,
                                   struct nexauth_error *error)
{
    const struct nexauth_quantoz_options who = demo_quantoz_production(demo);

    (void)choice;
    return nexauth_source_new_quantoz(session, &who, out, error);
}

static nexauth_status make_nexusguard(const struct demo *demo, nexauth_session *session, int choice,
                                      nexauth_source **out, struct nexauth_error *error)
{
    const struct nexauth_nexusguard_app_options who = demo_nexusguard_app(demo);

    (void)choice;
    return nexauth_source_new_nexusguard_app(session, &who, out, error);
}

static nexauth_status make_saved(const struct demo *demo, nexauth_session *session, int choice, nexauth_source **out,
                                 struct nexauth_error *error)
{
    const struct nexauth_nexusguard_user_options who = demo_nexusguard_saved_user(demo);

    (void)choice;
    return nexauth_source_new_nexusguard_user(session, &who, out, error);
}

struct row {
    struct nexauth_error expected; /* all of it but the message */
    int64_t jitter_ms;             /* retry_after_ms may be longer by so much */
    const char *cause;
    const char *told_path; /* what the emulator's control port is told first, if anything */
    const char *told_json;
    demo_maker *make;
    int64_t timeout_ms;
    bool distrustful;       /* a session that does not trust the emulator's CA */
    const char *freed_when; /* the source is freed when a request to this place is under way */
};

static const struct row rows[] = {
    {
        .expected = {.status = NEXAUTH_INVALID},
        .cause = "an option is missing",
        .make = make_incomplete,
    },
    {
        .expected = {.status = NEXAUTH_CONFIG, .http_status = 400, .code = "invalid_scope", .retry_after_ms = 5000},
        .jitter_ms = 1000,
        .cause = "a scope that is not the client's",
        .make = make_wrong_scope,
    },
    {
        .expected = {.status = NEXAUTH_DENIED, .http_status = 400, .code = "invalid_grant", .retry_after_ms = 5000},
        .jitter_ms = 1000,
        .cause = "a wrong password",
        .make = make_wrong_password,
    },
    {
        .expected = {.status = NEXAUTH_REAUTH, .http_status = 200, .code = "40030", .retry_after_ms = 1000},
        .jitter_ms = 200,
        .cause = "a refresh token that was revoked",
        .told_path = "/revoke",
        .told_json = "{\"all_refresh_tokens\":true}",
        .make = make_saved,
    },
    {
        .expected = {.status = NEXAUTH_THROTTLED, .http_status = 429, .retry_after_ms = 17000},
        .cause = "429 with Retry-After: 17",
        .told_path = "/faults",
        .told_json = "{\"service\":\"nex\",\"path\":\"/v1.0/Token\","
                     "\"answer\":{\"status\":429,\"headers\":{\"Retry-After\":\"17\"}}}",
        .make = make_nex,
    },
    {
        .expected = {.status = NEXAUTH_BLOCKED, .http_status = 403, .retry_after_ms = 60000},
        .cause = "403 with a page, as the very first answer",
        .told_path = "/faults",
        .told_json = "{\"service\":\"nex\",\"path\":\"/v1.0/Token\",\"answer\":{\"status\":403,"
                     "\"headers\":{\"Content-Type\":\"text/html\"},\"body\":\"<html><h1>Forbidden</h1></html>\"}}",
        .make = make_nex,
    },
    {
        .expected = {.status = NEXAUTH_UNAVAILABLE, .http_status = 500, .retry_after_ms = 1000},
        .jitter_ms = 200,
        .cause = "500",
        .told_path = "/faults",
        .told_json = "{\"service\":\"quantoz_production\",\"path\":\"/connect/token\",\"answer\":{\"status\":500}}",
        .make = make_quantoz,
    },
    {
        .expected = {.status = NEXAUTH_NETWORK, .retry_after_ms = 1000},
        .jitter_ms = 200,
        .cause = "a certificate of a CA that is not trusted",
        .make = make_quantoz,
        .distrustful = true,
    },
    {
        .expected = {.status = NEXAUTH_TIMEOUT},
        .cause = "an answer after a minute, waited for 0.2 s",
        .told_path = "/faults",
        .told_json = "{\"service\":\"quantoz_production\",\"path\":\"/connect/token\",\"delay_ms\":60000}",
        .make = make_quantoz,
        .timeout_ms = 200,
    },
    {
        .expected = {.status = NEXAUTH_PROTOCOL, .http_status = 200, .retry_after_ms = 1000},
        .jitter_ms = 200,
        .cause = "200 with something that is no token",
        .told_path = "/faults",
        .told_json = "{\"service\":\"nexusguard\",\"path\":\"/oauth/credit/token\",\"answer\":{\"body\":\"garbage\"}}",
        .make = make_nexusguard,
    },
    {
        .expected = {.status = NEXAUTH_CANCELED},
        .cause = "another thread frees the source",
        .told_path = "/faults",
        .told_json = "{\"service\":\"nexusguard\",\"path\":\"/oauth/credit/token\",\"delay_ms\":60000}",
        .make = make_nexusguard,
        .freed_when = "nexusguard /oauth/credit/token",
    },
};

static const struct demo_column columns[] = {
    {"status", 11},       {"cause, and the message below it", 45},
    {"http_status", -11}, {"retry_after_ms", -14},
    {"code", 14},         {NULL, 0},
};

static const char *const notes[] = {
    "NO_MEMORY is not shown: memory cannot be made to run out from here.",
    "A failure is remembered: until retry_after_ms is over, who asks again gets the same error, and nothing is sent.",
    NULL,
};

/* A caller in a thread of its own. */
struct waiter {
    nexauth_source *source;
    struct nexauth_get_options options;
    struct nexauth_error error;
};

static void *wait_for_token(void *context)
{
    struct waiter *waiter = context;
    nexauth_token *token = NULL;

    nexauth_source_get_token(waiter->source, &waiter->options, &token, &waiter->error);
    nexauth_token_unref(token);
    return NULL;
}

/* Frees the source while the other thread waits; when that never begins to wait, then only after its end. */
static void free_while_waiting(const struct demo *demo, const struct row *row, struct waiter *waiter)
{
    pthread_t thread;
    bool waiting;

    if (pthread_create(&thread, NULL, wait_for_token, waiter) == 0) {
        waiting = demo_emulator_await(&demo->emulator, row->freed_when);
        if (waiting)
            nexauth_source_free(waiter->source);
        pthread_join(thread, NULL);
        if (waiting)
            return;
    }
    nexauth_source_free(waiter->source);
}

static void get_token(const struct demo *demo, const struct row *row, nexauth_source *source,
                      struct nexauth_error *error)
{
    struct waiter waiter = {.source = source, .options = {.timeout_ms = row->timeout_ms}};

    if (row->freed_when) {
        free_while_waiting(demo, row, &waiter);
    } else {
        wait_for_token(&waiter);
        nexauth_source_free(source);
    }
    *error = waiter.error;
}

/* Each row has a session of its own: what a session has seen of a service changes what it makes of the next answer. */
static void provoke(const struct demo *demo, const struct row *row, struct nexauth_error *error)
{
    const struct nexauth_session_options settings = {.ca_file = row->distrustful ? NULL : demo->emulator.ca_file};
    nexauth_session *session = NULL;
    nexauth_source *source = NULL;

    if (row->told_path && !demo_emulator_tell(&demo->emulator, row->told_path, row->told_json))
        return;
    if (!nexauth_session_new(&settings, &session, error) && !row->make(demo, session, 0, &source, error))
        get_token(demo, row, source, error);
    nexauth_session_free(session);
}

static bool is_as_expected(const struct row *row, const struct nexauth_error *error)
{
    const struct nexauth_error *expected = &row->expected;

    return error->status == expected->status && error->http_status == expected->http_status &&
           error->retry_after_ms >= expected->retry_after_ms &&
           error->retry_after_ms <= expected->retry_after_ms + row->jitter_ms &&
           strcmp(error->code, expected->code) == 0;
}

/* "-" for 0, which in an error means that there is none. */
static void show_number(int64_t number, char *out, size_t size)
{
    if (number)
        snprintf(out, size, "%" PRId64, number);
    else
        snprintf(out, size, "-");
}

static void show_row(struct demo *demo, const struct row *row)
{
    struct nexauth_error error = {0};
    char http_status[24];
    char retry_after_ms[24];
    bool as_expected;

    provoke(demo, row, &error);
    as_expected = is_as_expected(row, &error);
    demo->rows++;
    demo->surprises += !as_expected;
    show_number(error.http_status, http_status, sizeof http_status);
    show_number(error.retry_after_ms, retry_after_ms, sizeof retry_after_ms);
    demo_table_row(as_expected, columns,
                   (const char *const[]){nexauth_status_name(error.status), row->cause, http_status, retry_after_ms,
                                         *error.code ? error.code : "-"});
    printf("%*s%s\n", 3 + columns[0].width + 2, "", error.message);
    if (!as_expected)
        printf("   surprise: %s with http_status %d, retry_after_ms %" PRId64
               " or a little more and code \"%s\" was expected\n",
               nexauth_status_name(row->expected.status), row->expected.http_status, row->expected.retry_after_ms,
               row->expected.code);
}

void demo_show_failures(struct demo *demo)
{
    demo_table_begin("Failures, as a caller sees them", columns);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        show_row(demo, &rows[i]);
    demo_table_end(columns, notes);
}
