/* Reads an answer as libcurl delivers it, within the size cap, and counts the sendings of its request. */
#include "io/curl_exchange.h"

#include "core/encode.h"

#include <string.h>

/* Counts towards the cap; false beyond it. */
static bool count(struct nx_curl_exchange *curl, size_t size)
{
    curl->received += size;
    if (curl->received > (size_t)curl->common->settings.max_answer_bytes)
        curl->exchange->response.over_cap = true;
    return !curl->exchange->response.over_cap;
}

static inline bool is_header(const char *name, const char *line, size_t size)
{
    const size_t end = strlen(name);

    return size > end && line[end] == ':' && nx_same_in_any_case(line, name, end);
}

/* Where the value of the header in `line` is kept; NULL: nowhere. */
static struct nx_text *value_of(struct nx_response *response, const char *line, size_t size)
{
    if (is_header("Location", line, size))
        return &response->location;
    if (is_header("Retry-After", line, size))
        return &response->retry_after;
    return is_header("Date", line, size) ? &response->date : NULL;
}

/* What is behind the colon. */
static void take_value(struct nx_text *value, const char *line, size_t size)
{
    const char *at = (const char *)memchr(line, ':', size) + 1;
    const char *end = line + size;

    while (at < end && nx_is_blank(*at))
        at++;
    while (at < end && nx_is_blank(end[-1]))
        end--;
    nx_text_clear(value);
    nx_text_add_bytes(value, at, (size_t)(end - at));
}

static bool starts_answer(const char *line, size_t size)
{
    return size > 5 && memcmp(line, "HTTP/", 5) == 0;
}

/* An interim answer (1xx) ends with a blank line too: only the final one's counts. */
static void note_end_of_headers(struct nx_curl_exchange *curl)
{
    long status = 0;

    curl_easy_getinfo(curl->easy, CURLINFO_RESPONSE_CODE, &status);
    curl->headers_ended = status >= 200;
}

size_t nx_curl_take_header(char *bytes, size_t size, size_t items, void *context)
{
    struct nx_curl_exchange *curl = context;
    struct nx_response *response = &curl->exchange->response;
    const size_t length = size * items;
    struct nx_text *value;

    if (!count(curl, length))
        return 0;
    if (curl->headers_ended) /* a trailer */
        return length;
    if (starts_answer(bytes, length)) {
        nx_text_clear(&response->location);
        nx_text_clear(&response->retry_after);
        nx_text_clear(&response->date);
    } else if (length && (bytes[0] == '\r' || bytes[0] == '\n')) {
        note_end_of_headers(curl);
    } else if ((value = value_of(response, bytes, length)) != NULL) {
        take_value(value, bytes, length);
        curl->no_memory = nx_text_failed(value);
    }
    return curl->no_memory ? 0 : length;
}

size_t nx_curl_take_body(char *bytes, size_t size, size_t items, void *context)
{
    struct nx_curl_exchange *curl = context;
    struct nx_text *body = &curl->exchange->response.body;
    const size_t length = size * items;

    if (!count(curl, length))
        return 0;
    nx_text_add_bytes(body, bytes, length);
    curl->no_memory = nx_text_failed(body);
    return curl->no_memory ? 0 : length;
}

/*
 * libcurl asks before each sending, its own repetitions on another connection included. A one-time request is not sent
 * again: what came of the first sending cannot be known. By a connection whose server may insist on a certificate
 * nothing is sent, by nobody: one over HTTP/2, which could carry others, is not kept.
 */
int nx_curl_before_sending(void *context, char *remote_ip, char *local_ip, int remote_port, int local_port)
{
    struct nx_curl_exchange *curl = context;
    struct nx_exchange *exchange = curl->exchange;

    (void)remote_ip;
    (void)local_ip;
    (void)remote_port;
    (void)local_port;
    if (nx_curl_may_insist(curl)) {
        curl_easy_setopt(curl->easy, CURLOPT_FORBID_REUSE, 1L);
        return CURL_PREREQFUNC_ABORT;
    }
    if (exchange->sendings &&
        (exchange->request.one_time || (exchange->again && !exchange->again(exchange, exchange->context))))
        return CURL_PREREQFUNC_ABORT;
    if (exchange->sendings++ == 0) {
        const struct nx_now now = nx_read_now(&curl->common->clock);

        exchange->sent_boot_ms = now.boot_ms;
        exchange->sent_wall_s = now.wall_s;
    }
    return CURL_PREREQFUNC_OK;
}
