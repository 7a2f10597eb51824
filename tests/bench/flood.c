/* A hundred requests in flight in one thread. */
#include "bench/bare.h"
#include "bench/bench.h"
#include "bench/server.h"
#include "bench/token.h"

#include "core/json.h"
#include "io/curl_transport.h"
#include "io/system.h"

#include <stdio.h>

enum { IN_FLIGHT = 100, CONNECTIONS = 8, BOUND = 65536, WAIT_MS = 10000 };

static const char FLOOR[] = "bare libcurl, a multi of 100 easy handles and 8 connections, and cJSON";

static struct {
    const char *origin;
    struct nx_transport *transport;
    struct nx_exchange exchanges[IN_FLIGHT];
    CURLM *multi;
    struct bare bares[IN_FLIGHT];
} own;

/* ---- Ours -------------------------------------------------------------------------------------------------------- */

static bool begin(struct nx_exchange *exchange)
{
    struct nx_request *request = &exchange->request;

    nx_exchange_reset(exchange);
    nx_request_begin(request, NX_CARRIER_FORM, own.origin, "/connect/token");
    nx_request_header(request, "Accept", "application/json");
    nx_request_parameter(request, "client_id", "a client");
    nx_request_parameter(request, "client_secret", "abc123");
    nx_request_parameter(request, "scope", "api1");
    nx_request_parameter(request, "grant_type", "client_credentials");
    if (nx_request_end(request))
        return false;
    own.transport->verbs->begin(own.transport, exchange);
    return true;
}

static bool is_good(const struct nx_exchange *exchange)
{
    const struct nx_text *body = &exchange->response.body;
    struct nx_members members;
    bool good;

    if (exchange->loss || exchange->response.http_status != 200) {
        fprintf(stderr, "HTTP %d, loss %d: %s\n", exchange->response.http_status, (int)exchange->loss,
                exchange->reason);
        return false;
    }
    nx_members_init(&members, BOUND);
    good = nx_json_read(body->data, body->length, false, &members) == NX_PARSED &&
           members.values[NX_MEMBER_ACCESS_TOKEN].text.length == TOKEN_SIZE;
    nx_members_release(&members);
    return good;
}

/* Gets that many tokens, at most so many of them in flight at a time: all that a driver of another kind replaces. */
static bool drive(size_t tokens)
{
    size_t begun = 0, ended = 0;
    bool good = true;

    for (; good && begun < tokens && begun < IN_FLIGHT; begun++)
        good = begin(&own.exchanges[begun]);
    while (good && ended < tokens) {
        struct nx_exchange *finished = own.transport->verbs->turn(own.transport, WAIT_MS);

        while (finished && good) {
            struct nx_exchange *exchange = finished;

            finished = exchange->next;
            ended++;
            good = is_good(exchange) && (begun == tokens || (begun++, begin(exchange)));
        }
    }
    return good;
}

/* ---- The floor --------------------------------------------------------------------------------------------------- */

static bool begin_bare(struct bare *bare)
{
    bare->length = 0;
    return curl_multi_add_handle(own.multi, bare->easy) == CURLM_OK;
}

/* Takes in what has ended, and begins anew. */
static bool turn_bare(size_t tokens, size_t *begun, size_t *ended)
{
    CURLMsg *message;
    int left;
    bool good = true;

    while (good && (message = curl_multi_info_read(own.multi, &left)) != NULL) {
        CURL *easy = message->easy_handle;
        const CURLcode result = message->data.result;
        struct bare *bare = NULL;
        long status = 0;

        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&bare);
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        curl_multi_remove_handle(own.multi, easy);
        ++*ended;
        good = result == CURLE_OK && status == 200 && bare_read(bare);
        if (good && *begun < tokens) {
            ++*begun;
            good = begin_bare(bare);
        }
    }
    return good;
}

static bool drive_bare(size_t tokens)
{
    size_t begun = 0, ended = 0;
    bool good = true;

    for (; good && begun < tokens && begun < IN_FLIGHT; begun++)
        good = begin_bare(&own.bares[begun]);
    while (good && ended < tokens) {
        int running;

        good = curl_multi_perform(own.multi, &running) == CURLM_OK && turn_bare(tokens, &begun, &ended);
        if (good && ended < tokens)
            good = curl_multi_poll(own.multi, NULL, 0, WAIT_MS, NULL) == CURLM_OK;
    }
    return good;
}

/* ---- Both -------------------------------------------------------------------------------------------------------- */

static bool open_both(const char *origin, const char *ca_file)
{
    const struct nx_curl_settings settings = {
        .ca_file = ca_file, .connect_timeout_ms = WAIT_MS, .max_connections = CONNECTIONS, .max_answer_bytes = BOUND};
    bool good;

    own.origin = origin;
    own.transport = nx_curl_transport_new(&settings, &nx_system_clock);
    own.multi = curl_multi_init();
    good = *origin && own.transport && own.multi;
    if (good)
        curl_multi_setopt(own.multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)CONNECTIONS);
    for (size_t i = 0; i < IN_FLIGHT; i++) {
        nx_exchange_init(&own.exchanges[i], BOUND);
        good = bare_open(&own.bares[i], origin, ca_file, NULL) && good;
    }
    return good;
}

static bool prepare_http(void)
{
    return open_both(bench_server().http, NULL);
}

static bool prepare_https(void)
{
    return open_both(bench_server().https, bench_server().ca_file);
}

static bool prepare_h2(void)
{
    return open_both(bench_server().h2, bench_server().ca_file);
}

/* What went wrong may still be under way. */
static void finish(void)
{
    for (size_t i = 0; i < IN_FLIGHT; i++) {
        if (own.exchanges[i].handle)
            own.transport->verbs->give_up(own.transport, &own.exchanges[i]);
        nx_exchange_release(&own.exchanges[i]);
        curl_multi_remove_handle(own.multi, own.bares[i].easy);
        bare_close(&own.bares[i]);
    }
    if (own.transport)
        own.transport->verbs->free(own.transport);
    curl_multi_cleanup(own.multi);
}

#define FLOOD(name_, what_, prepare_)                                                                                  \
    {                                                                                                                  \
        .name = name_, .what = what_, .floor = FLOOR, .time_bar = 1.11, .served = true, .cpu = true, .rounds = 31,     \
        .least = 2000, .prepare = prepare_, .finish = finish, .run = drive, .run_floor = drive_bare,                   \
    }

const struct bench bench_flood_http = FLOOD("flood-http", "one of 100 tokens in flight, http", prepare_http);
const struct bench bench_flood_https = FLOOD("flood-https", "one of 100 tokens in flight, https", prepare_https);
const struct bench bench_flood_h2 = FLOOD("flood-h2", "one of 100 tokens in flight, HTTP/2 over TLS", prepare_h2);
