/* API calls by libcurl's easy interface: what nexauth/curl.h declares. */
#include "nexauth/curl.h"

#include "core/encode.h"
#include "core/error.h"
#include "core/text.h"
#include "session/pass.h"
#include "session/session.h"

#include <stdio.h>
#include <string.h>

/* Sticky: after the first option that fails the others are skipped. */
#define SET(option, value)                                                                                             \
    do {                                                                                                               \
        if (!result)                                                                                                   \
            result = curl_easy_setopt(easy, option, value);                                                            \
    } while (0)

/* One transfer, on the stack of who performs it. */
struct performance {
    struct nx_pass pass;
    CURL *easy;
    const struct nexauth_perform_options *options;
    struct nx_text url;         /* with the token, where it goes there */
    struct curl_slist added[2]; /* before the caller's headers, in the order of their making */
    int sendings;
    bool refused; /* it was to leave once more, for which there is no slot */
};

static nexauth_status check_headers(const struct curl_slist *header, struct nexauth_error *error)
{
    static const char own[] = "Authorization";
    const size_t size = sizeof own - 1;

    for (; header; header = header->next) {
        const char *line = header->data;

        if (!line)
            return nx_fail(error, NEXAUTH_INVALID, "a header has no data");
        if (!nx_is_free_of_controls(line) || *line == ' ') /* which would belong to the line before, the token's */
            return nx_fail(error, NEXAUTH_INVALID, "a header has a control character, or begins with a blank");
        if (nx_same_in_any_case(line, own, size) && strchr(":; \t", line[size]))
            return nx_fail(error, NEXAUTH_INVALID, "the header Authorization is the library's to send");
    }
    return NEXAUTH_OK;
}

/* libcurl asks before each sending, its own repetitions on another connection included. */
static int before_sending(void *context, char *remote_ip, char *local_ip, int remote_port, int local_port)
{
    struct performance *performance = context;

    (void)remote_ip;
    (void)local_ip;
    (void)remote_port;
    (void)local_port;
    if (performance->sendings && !nx_pass_again(&performance->pass)) {
        performance->refused = true;
        return CURL_PREREQFUNC_ABORT;
    }
    performance->sendings++;
    return CURL_PREREQFUNC_OK;
}

/* libcurl reads the list, and changes nothing: what is added points at the caller's. */
static struct curl_slist *list_headers(struct performance *performance)
{
    static char iso8601[] = NEXAUTH_QUANTOZ_ISO8601;
    const struct nexauth_perform_options *options = performance->options;
    char *lines[2];
    size_t count = 0;
    union {
        const char *text;
        char *data;
    } token = {.text = nexauth_token_header(performance->pass.token)};
    union {
        const struct curl_slist *given;
        struct curl_slist *list;
    } rest = {.given = options->headers};

    if (token.text)
        lines[count++] = token.data;
    if (options->quantoz_iso8601)
        lines[count++] = iso8601;
    while (count--) {
        performance->added[count] = (struct curl_slist){lines[count], rest.list};
        rest.list = &performance->added[count];
    }
    return rest.list;
}

/* What would win over the URL, or take the token on from there, or to a proxy: to libcurl's defaults, where they stay.
 * None of these fails. */
static void lead_nowhere_else(CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_CURLU, NULL);
    curl_easy_setopt(easy, CURLOPT_PORT, 0L);
    curl_easy_setopt(easy, CURLOPT_REQUEST_TARGET, NULL);
    curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC); /* a 401 is the token's */
    curl_easy_setopt(easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
}

static CURLcode set_up(struct performance *performance)
{
    CURL *easy = performance->easy;
    const char *url = performance->options->url;
    CURLcode result = CURLE_OK;

    if (nexauth_token_query(performance->pass.token)) {
        nx_text_clear(&performance->url);
        nx_pass_add_url(&performance->pass, url, &performance->url);
        if (nx_text_failed(&performance->url))
            return CURLE_OUT_OF_MEMORY;
        url = nx_text_string(&performance->url);
    }
    SET(CURLOPT_URL, url);
    SET(CURLOPT_HTTPHEADER, list_headers(performance));
    SET(CURLOPT_PREREQFUNCTION, before_sending);
    SET(CURLOPT_PREREQDATA, performance);
    return result;
}

/* What a Location made of a URL with a token, from the token's place on: a fragment alone keeps the query (libcurl 8),
 * and a service may repeat it. The text is libcurl's, until the next transfer. */
static void wipe_redirect(CURL *easy)
{
    char *url = NULL;
    char *token;

    curl_easy_getinfo(easy, CURLINFO_REDIRECT_URL, &url);
    token = url ? strstr(url, "access_token=") : NULL;
    if (token)
        nx_wipe(token, strlen(token));
}

/* Back to libcurl's defaults. None of these fails. */
static void clear(CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_URL, NULL);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, NULL);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, NULL);
}

/* The whole request left on a connection made for it over TLS, and the connection ended before an answer began. What is
 * to be uploaded libcurl knows only where the caller said. */
static bool was_closed(const struct performance *performance, CURLcode result)
{
    long connects = 0;
    curl_off_t uploaded = 0;
    curl_off_t to_upload = 0;
    curl_off_t handshake_us = 0;

    if ((result != CURLE_GOT_NOTHING && result != CURLE_RECV_ERROR) || performance->sendings != 1)
        return false;
    curl_easy_getinfo(performance->easy, CURLINFO_NUM_CONNECTS, &connects);
    curl_easy_getinfo(performance->easy, CURLINFO_SIZE_UPLOAD_T, &uploaded);
    curl_easy_getinfo(performance->easy, CURLINFO_CONTENT_LENGTH_UPLOAD_T, &to_upload);
    curl_easy_getinfo(performance->easy, CURLINFO_APPCONNECT_TIME_T, &handshake_us);
    return connects > 0 && handshake_us > 0 && uploaded >= to_upload;
}

/* The value of a header of the final answer; NULL: it has none. */
static const char *header_of(CURL *easy, const char *name)
{
    struct curl_header *header;

    return curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &header) ? NULL : header->value;
}

/* What tells a ban's answer from the API's: "", where the API has spoken otherwise, by its envelope or a challenge (RFC
 * 6750 section 3). */
static const char *content_type_of(const struct performance *performance, long status)
{
    const char *type = NULL;

    if (status < 400)
        return "";
    curl_easy_getinfo(performance->easy, CURLINFO_CONTENT_TYPE, &type);
    return type || !header_of(performance->easy, "WWW-Authenticate") ? type : "";
}

/* A status that was read counts, whatever became of the body. */
static struct nexauth_answer answer_of(const struct performance *performance, CURLcode result)
{
    const struct nexauth_perform_options *options = performance->options;
    struct nexauth_answer answer = {0};
    long status = 0;

    curl_easy_getinfo(performance->easy, CURLINFO_RESPONSE_CODE, &status);
    if (!performance->sendings)
        answer.loss = NEXAUTH_LOSS_UNSENT;
    else if (status >= 200)
        answer.http_status = (int)status;
    else if (was_closed(performance, result))
        answer.loss = NEXAUTH_LOSS_CLOSED;
    if (answer.http_status && !result && options->judge) {
        answer.http_status = options->judge(options->context, answer.http_status);
        if (!answer.http_status) /* what was read cannot amount to nothing: no status either */
            answer.http_status = -1;
    }
    if (answer.http_status >= 400) {
        answer.content_type = content_type_of(performance, status);
        answer.retry_after = header_of(performance->easy, "Retry-After");
        answer.date = header_of(performance->easy, "Date");
    }
    return answer;
}

/* What libcurl's failure asks of the caller. */
static nexauth_status status_of(const struct performance *performance, CURLcode result)
{
    static const struct {
        CURLcode result;
        nexauth_status status;
    } meanings[] = {
        {CURLE_OPERATION_TIMEDOUT, NEXAUTH_TIMEOUT},    {CURLE_OUT_OF_MEMORY, NEXAUTH_NO_MEMORY},
        {CURLE_ABORTED_BY_CALLBACK, NEXAUTH_CANCELED},  {CURLE_WRITE_ERROR, NEXAUTH_CANCELED},
        {CURLE_READ_ERROR, NEXAUTH_CANCELED},           {CURLE_FAILED_INIT, NEXAUTH_INVALID},
        {CURLE_BAD_FUNCTION_ARGUMENT, NEXAUTH_INVALID}, {CURLE_UNSUPPORTED_PROTOCOL, NEXAUTH_INVALID},
        {CURLE_URL_MALFORMAT, NEXAUTH_INVALID},         {CURLE_UNKNOWN_OPTION, NEXAUTH_INVALID},
        {CURLE_NOT_BUILT_IN, NEXAUTH_INVALID},          {CURLE_RECURSIVE_API_CALL, NEXAUTH_INVALID},
        {CURLE_WEIRD_SERVER_REPLY, NEXAUTH_PROTOCOL},   {CURLE_BAD_CONTENT_ENCODING, NEXAUTH_PROTOCOL},
        {CURLE_FILESIZE_EXCEEDED, NEXAUTH_PROTOCOL},    {CURLE_HTTP2, NEXAUTH_PROTOCOL},
        {CURLE_HTTP2_STREAM, NEXAUTH_PROTOCOL},         {CURLE_HTTP3, NEXAUTH_PROTOCOL},
        {CURLE_RANGE_ERROR, NEXAUTH_PROTOCOL},
    };

    if (performance->sendings && result == CURLE_UNSUPPORTED_PROTOCOL)
        return NEXAUTH_PROTOCOL; /* what came is no HTTP, or HTTP/0.9 */
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
        if (meanings[i].result == result)
            return meanings[i].status;
    }
    return NEXAUTH_NETWORK;
}

static nexauth_status refuse(const struct performance *performance, CURLcode result, int http_status,
                             struct nexauth_error *error)
{
    nexauth_status status;

    if (performance->refused)
        return nx_fail(error, NEXAUTH_NETWORK, "the connection was lost, and the limit leaves no slot to send again");
    if (!result)
        return nx_fail(error, NEXAUTH_INVALID, "the handle is set up to make no request");
    status = status_of(performance, result);
    nx_fail(error, status, "the transfer failed: %s", curl_easy_strerror(result));
    if (error) {
        snprintf(error->code, sizeof error->code, "CURLE %d", (int)result);
        error->http_status = http_status;
    }
    return status;
}

/* One sending, with its token and turn. */
static nexauth_status perform_once(struct performance *performance, int64_t deadline_ms, struct nexauth_error *error)
{
    nexauth_status status = nx_pass_wait(&performance->pass, deadline_ms, error);
    struct nexauth_answer answer;
    CURLcode result;

    if (status)
        return status;
    performance->sendings = 0;
    result = set_up(performance);
    if (!result)
        result = curl_easy_perform(performance->easy);
    answer = answer_of(performance, result);
    status = nx_pass_end(&performance->pass, &answer, error);
    if (status || (answer.http_status && (!result || result == CURLE_HTTP_RETURNED_ERROR)))
        return status;
    return refuse(performance, result, answer.http_status, error);
}

/* Whether another token is to be tried: this one was rejected, there is another, and the caller is ready. */
static bool may_try_again(const struct performance *performance, const struct nexauth_error *error)
{
    const struct nexauth_perform_options *options = performance->options;

    return error->status == NEXAUTH_DENIED && error->http_status == 401 && !error->retry_after_ms && options->rewind &&
           options->rewind(options->context) == 0;
}

static nexauth_status perform(struct performance *performance, int64_t timeout_ms, struct nexauth_error *error)
{
    const struct nx_world *world = &performance->pass.source->session->world;
    const int64_t deadline_ms = nx_boot_ms(&world->clock) + timeout_ms;
    nexauth_status status;

    lead_nowhere_else(performance->easy);
    status = perform_once(performance, deadline_ms, error);
    if (status && may_try_again(performance, error)) {
        nx_pass_renew(&performance->pass);
        status = perform_once(performance, deadline_ms, error);
    }
    if (performance->url.data)
        wipe_redirect(performance->easy);
    clear(performance->easy);
    nx_pass_release(&performance->pass);
    nx_text_release(&performance->url);
    return status;
}

static nexauth_status check(const nexauth_source *source, const CURL *easy,
                            const struct nexauth_perform_options *options, int64_t *timeout_ms,
                            struct nexauth_error *error)
{
    if (!source || !easy || !options)
        return nx_fail(error, NEXAUTH_INVALID, "source, easy and options are required");
    if (nx_check_reserved(options->reserved, error) || nx_timeout_of(options->timeout_ms, timeout_ms, error))
        return NEXAUTH_INVALID;
    return check_headers(options->headers, error);
}

nexauth_status nexauth_perform(nexauth_source *source, CURL *easy, const struct nexauth_perform_options *options,
                               struct nexauth_error *error)
{
    struct performance performance = {.easy = easy, .options = options, .url = {.bound = NX_PASS_URL_LONGEST}};
    struct nexauth_error failure = {0};
    int64_t timeout_ms = 0;
    nexauth_status status = check(source, easy, options, &timeout_ms, error);

    if (status)
        return status;
    status = nx_pass_init(&performance.pass, source, options->url, error);
    if (status)
        return status;
    status = perform(&performance, timeout_ms, &failure);
    if (status && error)
        *error = failure;
    return status;
}
