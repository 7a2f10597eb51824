#include "support/test.h"

#include "performer.h"

#include "live.h"

#include <stdio.h>
#include <string.h>

static size_t take(char *bytes, size_t size, size_t count, void *context)
{
    struct performer *performer = context;
    const size_t room = sizeof performer->body - 1 - performer->size;
    const size_t taken = size * count < room ? size * count : room;

    memcpy(performer->body + performer->size, bytes, taken);
    performer->size += taken;
    performer->body[performer->size] = '\0';
    return size * count;
}

static size_t give(char *bytes, size_t size, size_t count, void *context)
{
    struct performer *performer = context;
    const size_t rest = performer->upload_size - performer->uploaded;
    const size_t given = size * count < rest ? size * count : rest;

    memcpy(bytes, performer->upload + performer->uploaded, given);
    performer->uploaded += given;
    return given;
}

void performer_begin(struct performer *performer)
{
    memset(performer, 0, sizeof *performer);
    performer->easy = curl_easy_init();
    assert_non_null(performer->easy);
    curl_easy_setopt(performer->easy, CURLOPT_CAINFO, live_emulator.ca_file);
    curl_easy_setopt(performer->easy, CURLOPT_PROXY, "");
    curl_easy_setopt(performer->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(performer->easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(performer->easy, CURLOPT_WRITEDATA, performer);
    performer->options.rewind = performer_rewind;
}

void performer_end(struct performer *performer)
{
    curl_easy_cleanup(performer->easy);
}

int performer_rewind(void *context)
{
    struct performer *performer = context;

    snprintf(performer->rewound, sizeof performer->rewound, "%.255s", performer->body);
    performer->body[0] = '\0';
    performer->size = 0;
    performer->uploaded = 0;
    performer->rewinds++;
    return performer->rewind_result;
}

int performer_judge(void *context, int http_status)
{
    struct performer *performer = context;

    performer->judged++;
    return strstr(performer->body, "\"code\":40031") ? 401 : http_status;
}

void performer_set_upload(struct performer *performer, const char *bytes, size_t size)
{
    performer->upload = bytes;
    performer->upload_size = size;
    performer->uploaded = 0;
    curl_easy_setopt(performer->easy, CURLOPT_POST, 1L);
    curl_easy_setopt(performer->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
    curl_easy_setopt(performer->easy, CURLOPT_READFUNCTION, give);
    curl_easy_setopt(performer->easy, CURLOPT_READDATA, performer);
}

nexauth_status performer_perform(struct performer *performer, nexauth_source *source, const char *url,
                                 struct nexauth_error *error)
{
    performer->options.url = url;
    performer->options.context = performer;
    performer->body[0] = '\0';
    performer->size = 0;
    performer->uploaded = 0;
    return nexauth_perform(source, performer->easy, &performer->options, error);
}

void performer_assert(struct performer *performer, nexauth_source *source, const char *url, int http_status)
{
    struct nexauth_error error = {0};

    if (performer_perform(performer, source, url, &error) != NEXAUTH_OK)
        fail_msg("%s: %s", nexauth_status_name(error.status), error.message);
    assert_int_equal(performer_status(performer), http_status);
}

int performer_status(const struct performer *performer)
{
    long status = 0;

    curl_easy_getinfo(performer->easy, CURLINFO_RESPONSE_CODE, &status);
    return (int)status;
}

const char *performer_url(const char *origin, const char *path)
{
    static char url[512];

    snprintf(url, sizeof url, "%s%s", origin, path);
    return url;
}
