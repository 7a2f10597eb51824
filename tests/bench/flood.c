/* A hundred requests in flight in one thread: polled calls, each of a source of its own. */
#include "bench/bare.h"
#include "bench/bench.h"
#include "bench/server.h"
#include "bench/stock.h"
#include "bench/token.h"

#include "nexauth/nexauth.h"

#include <stdio.h>
#include <string.h>

enum { IN_FLIGHT = STOCK_LENT_MOST, CONNECTIONS = 100, WAIT_MS = 10000 };

static const char FLOOR[] = "bare libcurl, a multi of 100 easy handles, and cJSON";

static struct {
    nexauth_session *session;
    size_t wanted, begun, ended;
    bool good;
    CURLM *multi;
    struct bare bares[IN_FLIGHT];
} own;

/* ---- Ours -------------------------------------------------------------------------------------------------------- */

static void take(void *context, nexauth_token *token, const struct nexauth_error *error);

static bool begin(void)
{
    nexauth_source *source = stock_take();

    own.begun++;
    if (source && nexauth_source_start(source, NULL, take, source, NULL, NULL) == NEXAUTH_OK)
        return true;
    stock_put_away(source);
    return false;
}

/* Puts the source away, and begins with another. */
static void take(void *context, nexauth_token *token, const struct nexauth_error *error)
{
    own.ended++;
    if (!token) {
        fprintf(stderr, "%s\n", error->message);
        own.good = false;
    } else if (strlen(nexauth_token_access_token(token)) != TOKEN_SIZE) {
        own.good = false;
    }
    stock_put_away(context);
    if (own.good && own.begun < own.wanted)
        own.good = begin();
}

static bool drive(size_t tokens)
{
    own.wanted = tokens;
    own.begun = own.ended = 0;
    own.good = true;
    while (own.good && own.begun < tokens && own.begun < IN_FLIGHT)
        own.good = begin();
    while (own.good && own.ended < tokens)
        own.good = nexauth_session_poll(own.session, WAIT_MS, NULL) == NEXAUTH_OK && own.good;
    return own.good;
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
    const struct nexauth_session_options options = {.ca_file = ca_file,
                                                    .max_connections = CONNECTIONS,
                                                    .limits = &bench_limit,
                                                    .limits_count = 1,
                                                    .loopback_http = 1};
    bool good = *origin && nexauth_session_new(&options, &own.session, NULL) == NEXAUTH_OK;

    stock_open(own.session, origin);
    own.multi = curl_multi_init();
    if (own.multi)
        curl_multi_setopt(own.multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)CONNECTIONS);
    for (size_t i = 0; i < IN_FLIGHT; i++)
        good = bare_open(&own.bares[i], origin, ca_file, NULL) && good;
    return good && own.multi;
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

static void finish(void)
{
    nexauth_session_free(own.session);
    stock_close();
    own.session = NULL;
    for (size_t i = 0; i < IN_FLIGHT; i++) {
        curl_multi_remove_handle(own.multi, own.bares[i].easy);
        bare_close(&own.bares[i]);
    }
    curl_multi_cleanup(own.multi);
}

#define FLOOD(name_, what_, prepare_)                                                                                  \
    {                                                                                                                  \
        .name = (name_), .what = (what_), .floor = FLOOR, .time_bar = 1.11, .served = true, .cpu = true, .rounds = 31, \
        .least = 2000, .prepare = (prepare_), .finish = finish, .run = drive, .run_floor = drive_bare,                 \
    }

const struct bench bench_flood_http = FLOOD("flood-http", "one of 100 tokens in flight, http", prepare_http);
const struct bench bench_flood_https = FLOOD("flood-https", "one of 100 tokens in flight, https", prepare_https);
const struct bench bench_flood_h2 = FLOOD("flood-h2", "one of 100 tokens in flight, HTTP/2 over TLS", prepare_h2);
