/* A call of an API over a kept https connection, beside the same with the header set by hand. */
#include "bench/bench.h"
#include "bench/server.h"

#include "nexauth/curl.h"

#include <stdio.h>

enum { URL_SIZE = 128, HEADER_SIZE = 1200 };

static struct {
    nexauth_session *session;
    nexauth_source *source;
    CURL *ours, *bare;
    struct curl_slist *headers;
    char url[URL_SIZE];
} own;

static size_t take(char *bytes, size_t size, size_t count, void *context)
{
    (void)bytes;
    (void)context;
    return size * count;
}

static CURL *open_handle(void)
{
    CURL *easy = curl_easy_init();

    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_CAINFO, bench_server().ca_file);
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    return easy;
}

/* NEX counts its calls: the ledger's work is a part of them. */
static bool open_source(void)
{
    const struct nexauth_limit limit = {.name = "requests", .requests = 100000, .window_ms = 1};
    const struct nexauth_session_options options = {
        .ca_file = bench_server().ca_file, .limits = &limit, .limits_count = 1};
    const struct nexauth_nex_controller_options who = {.client_id = "5a5b",
                                                       .client_secret = "abc123",
                                                       .controller_id = "111aa",
                                                       .controller_secret = "456",
                                                       .origin = bench_server().https,
                                                       .token_path = "/connect/token"};

    return nexauth_session_new(&options, &own.session, NULL) == NEXAUTH_OK &&
           nexauth_source_new_nex_controller(own.session, &who, &own.source, NULL) == NEXAUTH_OK;
}

static bool prepare(void)
{
    char header[HEADER_SIZE];
    size_t length;

    if (!*bench_server().https || !open_source())
        return false;
    snprintf(own.url, sizeof own.url, "%s/connect/token", bench_server().https);
    own.ours = open_handle();
    own.bare = open_handle();
    if (nexauth_source_copy_token(own.source, NULL, header, sizeof header, &length, NULL) != NEXAUTH_OK)
        return false;
    own.headers = curl_slist_append(NULL, header);
    curl_easy_setopt(own.bare, CURLOPT_URL, own.url);
    curl_easy_setopt(own.bare, CURLOPT_HTTPHEADER, own.headers);
    return own.headers != NULL;
}

static void finish(void)
{
    curl_easy_cleanup(own.ours);
    curl_easy_cleanup(own.bare);
    curl_slist_free_all(own.headers);
    nexauth_source_free(own.source);
    nexauth_session_free(own.session);
}

static bool was_answered(CURL *easy)
{
    long status = 0;

    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    return status == 200;
}

static bool run(size_t times)
{
    const struct nexauth_perform_options options = {.url = own.url};
    bool good = true;

    for (size_t i = 0; good && i < times; i++)
        good = nexauth_perform(own.source, own.ours, &options, NULL) == NEXAUTH_OK && was_answered(own.ours);
    return good;
}

static bool run_floor(size_t times)
{
    bool good = true;

    for (size_t i = 0; good && i < times; i++)
        good = curl_easy_perform(own.bare) == CURLE_OK && was_answered(own.bare);
    return good;
}

const struct bench bench_call = {
    .name = "call",
    .what = "call an API with a token over a kept https connection",
    .floor = "bare libcurl, a reused easy handle, the header set by hand",
    .bar = 1.03,
    .served = true,
    .cpu = true,
    .prepare = prepare,
    .finish = finish,
    .run = run,
    .run_floor = run_floor,
};
