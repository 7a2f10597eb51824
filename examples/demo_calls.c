/* The table of calls: the vendors' APIs, called in a row by one session, with one token of each vendor. */
#include "call.h"
#include "demo.h"
#include "envelope.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum vendor { NEX, QUANTOZ, NEXUSGUARD, VENDORS };

/* The emulator's, as no list of Nexusguard's codes is public. */
enum { REJECTION_CODE = 40031 };

struct row {
    enum vendor vendor;
    int iso8601;
    const char *path;
    const char *event;
    const char *told_path; /* what the emulator's control port is told first, if anything */
    const char *told_json;
    int64_t timeout_ms;

    const char *found; /* what is expected in the answer's body, and so on */
    int64_t retry_after_ms;
    int64_t jitter_ms; /* retry_after_ms may be longer by so much */
    nexauth_status status;
    int http_status;
    int attempts; /* 0: nothing was sent */
};

static const struct row rows[] = {
    {
        .vendor = NEX,
        .path = "/v1.0/Controller",
        .event = "-",
        .http_status = 200,
        .attempts = 1,
        .found = "\"ControllerID\":\"222bb\"",
    },
    {
        .vendor = QUANTOZ,
        .path = "/customer",
        .event = "request_iso8601: true",
        .iso8601 = 1,
        .http_status = 200,
        .attempts = 1,
        .found = "2023-05-04T09:08:07Z",
    },
    {
        .vendor = NEXUSGUARD,
        .path = "/api/spe/customers",
        .event = "-",
        .http_status = 200,
        .attempts = 1,
        .found = "\"customer_id\":\"C-1002\"",
    },
    {
        .vendor = NEX,
        .path = "/v1.0/Controller",
        .event = "all tokens have been revoked: 401",
        .told_path = "/revoke",
        .told_json = "{\"all_access_tokens\":true}",
        .http_status = 200,
        .attempts = 2,
        .found = "\"ControllerID\":\"222bb\"",
    },
    {
        .vendor = NEXUSGUARD,
        .path = "/api/spe/customers",
        .event = "its token too: 200 with code 40031",
        .http_status = 200,
        .attempts = 2,
        .found = "\"customer_id\":\"C-1002\"",
    },
    {
        .vendor = QUANTOZ,
        .path = "/customer",
        .event = "429 with Retry-After: 17",
        .told_path = "/faults",
        .told_json = "{\"service\":\"quantoz_test_api\",\"path\":\"/customer\","
                     "\"answer\":{\"status\":429,\"headers\":{\"Retry-After\":\"17\"}}}",
        .status = NEXAUTH_THROTTLED,
        .http_status = 429,
        .attempts = 1,
        .retry_after_ms = 17000,
        .jitter_ms = 4000,
    },
    {
        .vendor = QUANTOZ,
        .path = "/customer",
        .event = "right after it, with 0.2 s to wait",
        .timeout_ms = 200,
        .status = NEXAUTH_THROTTLED,
        .retry_after_ms = 7000,
        .jitter_ms = 14000,
    },
};

static const struct demo_column columns[] = {
    {"vendor", 10}, {"GET", 18},          {"what happens", 34}, {"attempts", -8},
    {"status", 9},  {"http_status", -11}, {"answer has", 24},   {NULL, 0},
};

static const char *const notes[] = {
    "Each by nexauth_perform() with one libcurl handle, whose callback empties the buffer before a second attempt.",
    "A 429 holds all calls that count in the limit: Quantoz's here; at NEX all of them, and token requests as well.",
    NULL,
};

/* What all rows share: tokens and connections are kept from one to the next. */
struct caller {
    nexauth_session *session;
    nexauth_source *sources[VENDORS];
    CURL *easy;
    struct call_answer answer;
};

/* What came of a row. */
struct result {
    struct nexauth_error error;
    int http_status;
    int attempts;
    bool found;
};

static const char *name_of(enum vendor vendor)
{
    static const char *const names[] = {"NEX", "Quantoz", "Nexusguard"};

    return names[vendor];
}

static const char *origin_of(const struct demo *demo, enum vendor vendor)
{
    const char *const origins[] = {demo->emulator.nex, demo->emulator.quantoz_test_api, demo->emulator.nexusguard};

    return origins[vendor];
}

static nexauth_status open_caller(const struct demo *demo, struct caller *caller, struct nexauth_error *error)
{
    const struct nexauth_session_options settings = {.ca_file = demo->emulator.ca_file};
    const struct nexauth_nex_controller_options nex = demo_nex_controller(demo);
    const struct nexauth_quantoz_options quantoz = demo_quantoz_test(demo);
    const struct nexauth_nexusguard_app_options nexusguard = demo_nexusguard_app(demo);
    nexauth_status status = nexauth_session_new(&settings, &caller->session, error);

    if (!status)
        status = nexauth_source_new_nex_controller(caller->session, &nex, &caller->sources[NEX], error);
    if (!status)
        status = nexauth_source_new_quantoz(caller->session, &quantoz, &caller->sources[QUANTOZ], error);
    if (!status)
        status = nexauth_source_new_nexusguard_app(caller->session, &nexusguard, &caller->sources[NEXUSGUARD], error);
    caller->answer.rejection_code = REJECTION_CODE;
    caller->easy = call_handle_new(demo->emulator.ca_file, &caller->answer);
    return status;
}

static void close_caller(struct caller *caller)
{
    curl_easy_cleanup(caller->easy);
    for (int i = 0; i < VENDORS; i++)
        nexauth_source_free(caller->sources[i]);
    nexauth_session_free(caller->session);
}

/* The one line that differs from curl_easy_perform(). */
static void perform(const struct demo *demo, struct caller *caller, const struct row *row, struct result *result)
{
    char url[128];
    long status = 0;
    const struct nexauth_perform_options options = {
        .url = url,
        .rewind = call_empty,
        .judge = row->vendor == NEXUSGUARD ? envelope_judge : NULL,
        .context = &caller->answer,
        .timeout_ms = row->timeout_ms,
        .quantoz_iso8601 = row->iso8601,
    };

    snprintf(url, sizeof url, "%s%s", origin_of(demo, row->vendor), row->path);
    if (nexauth_perform(caller->sources[row->vendor], caller->easy, &options, &result->error))
        status = result->error.http_status;
    else
        curl_easy_getinfo(caller->easy, CURLINFO_RESPONSE_CODE, &status);
    result->http_status = (int)status;
}

static void run_row(const struct demo *demo, struct caller *caller, const struct row *row, struct result *result)
{
    struct call_answer *answer = &caller->answer;

    call_empty(answer);
    answer->emptied = 0;
    if (row->told_path && !demo_emulator_tell(&demo->emulator, row->told_path, row->told_json))
        return;
    perform(demo, caller, row, result);
    result->attempts = result->http_status ? 1 + answer->emptied : 0;
    result->found = row->found && strstr(answer->text, row->found);
}

static bool is_as_expected(const struct row *row, const struct result *result)
{
    const int64_t retry_after_ms = result->error.retry_after_ms;

    return result->error.status == row->status && result->http_status == row->http_status &&
           result->attempts == row->attempts && result->found == (row->found != NULL) &&
           retry_after_ms >= row->retry_after_ms && retry_after_ms <= row->retry_after_ms + row->jitter_ms;
}

static void show_row(struct demo *demo, const struct row *row, const struct result *result)
{
    const bool as_expected = is_as_expected(row, result);
    char attempts[16];
    char http_status[16] = "-";

    demo->rows++;
    demo->surprises += !as_expected;
    snprintf(attempts, sizeof attempts, "%d", result->attempts);
    if (result->http_status)
        snprintf(http_status, sizeof http_status, "%d", result->http_status);
    demo_table_row(as_expected, columns,
                   (const char *const[]){name_of(row->vendor), row->path, row->event, attempts,
                                         nexauth_status_name(result->error.status), http_status,
                                         result->found ? row->found : "-"});
    if (result->error.status)
        printf("%*s%s; retry_after_ms: %" PRId64 "\n", 3 + columns[0].width + 2, "", result->error.message,
               result->error.retry_after_ms);
    if (!as_expected)
        printf("   surprise: %s with http_status %d, %d attempts, retry_after_ms %" PRId64
               " or a little more and '%s' in the answer was expected\n",
               nexauth_status_name(row->status), row->http_status, row->attempts, row->retry_after_ms,
               row->found ? row->found : "");
}

void demo_show_calls(struct demo *demo)
{
    struct caller caller = {0};
    struct nexauth_error error = {0};

    if (open_caller(demo, &caller, &error) || !caller.easy) {
        fprintf(stderr, "%s\n", error.status ? error.message : "memory ran out");
        demo->surprises++;
        close_caller(&caller);
        return;
    }
    demo_table_begin("Calls of the vendors' APIs", columns);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct result result = {0};

        run_row(demo, &caller, &rows[i], &result);
        show_row(demo, &rows[i], &result);
    }
    demo_table_end(columns, notes);
    close_caller(&caller);
}
