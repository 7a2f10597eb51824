/* What the transport makes of a server's bytes: good answers, odd ones, and those that never end. */
#include "support/test.h"

#include "core/encode.h"
#include "io/curl_exchange.h"
#include "io/system.h"
#include "io/wire_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* SOCKETS: what the two sides' sockets may hold when the reader has had enough. */
enum { CAP = 4096, SOCKETS = 16 * 1024 * 1024 };

static int set_up(void **state)
{
    return wire_set_up_with(state, CAP);
}

static void word(struct wire *wire, bool one_time)
{
    struct nx_request *request = &wire->exchange.request;

    nx_exchange_reset(&wire->exchange);
    nx_request_begin(request, NX_CARRIER_FORM, listener_origin(wire->listener), "/token");
    nx_request_parameter(request, "secret", "abc123");
    request->one_time = one_time;
    assert_int_equal(nx_request_end(request), NEXAUTH_OK);
}

static void run(struct wire *wire)
{
    struct nx_exchange *finished = NULL;

    wire->transport->verbs->begin(wire->transport, &wire->exchange);
    while (!finished)
        finished = wire->transport->verbs->turn(wire->transport, 1000);
    assert_ptr_equal(finished, &wire->exchange);
    assert_null(finished->next);
}

#define OK_HEAD "HTTP/1.1 200 OK\r\n"

static const struct answer_case {
    const char *name;
    const char *text;
    const char *again; /* with LISTENER_REPEAT */
    const char *body;
    const char *location;
    const char *retry_after;
    const char *date;
    enum listener_end then;
    enum nx_loss loss;
    int status; /* this and the next are of no importance where the answer was lost */
    bool over_cap;
} answer_cases[] = {
    {.name = "a body of a stated length",
     .text = OK_HEAD "Content-Length: 5\r\nDate: Tue, 15 Nov 1994 08:12:31 GMT\r\n\r\nhello",
     .status = 200,
     .body = "hello",
     .date = "Tue, 15 Nov 1994 08:12:31 GMT"},
    {.name = "chunks",
     .text = OK_HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",
     .status = 200,
     .body = "hello"},
    {.name = "a body that ends with its connection",
     .text = OK_HEAD "\r\nhello",
     .then = LISTENER_CLOSE,
     .status = 200,
     .body = "hello"},
    {.name = "HTTP/1.0", .text = "HTTP/1.0 400 no\r\n\r\nno", .then = LISTENER_CLOSE, .status = 400, .body = "no"},
    {.name = "no body", .text = "HTTP/1.1 204 No Content\r\n\r\n", .status = 204},
    {.name = "a status line without a reason", .text = "HTTP/1.1 403\r\nContent-Length: 0\r\n\r\n", .status = 403},
    {.name = "bare line feeds", .text = "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", .status = 200, .body = "ok"},
    {.name = "interim answers first",
     .text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLocation: https://early\r\n"
             "Retry-After: 7\r\nDate: early\r\n\r\n" OK_HEAD "Content-Length: 2\r\n\r\nok",
     .status = 200,
     .body = "ok"},
    {.name = "trailers",
     .text = OK_HEAD "Transfer-Encoding: chunked\r\nTrailer: Retry-After\r\nRetry-After: 3\r\n\r\n"
                     "2\r\nok\r\n0\r\nRetry-After: 99\r\nLocation: https://late\r\n\r\n",
     .status = 200,
     .body = "ok",
     .retry_after = "3"},
    {.name = "names in any case, with blanks around the values",
     .text = "HTTP/1.1 429 slow down\r\nrEtRy-aFtEr:\t 17 \t\r\nLOCATION:https://else\r\ncontent-LENGTH:0\r\n\r\n",
     .status = 429,
     .location = "https://else",
     .retry_after = "17"},
    {.name = "names that only begin alike",
     .text = OK_HEAD "Retry-After-All: 5\r\nLocations: https://no\r\nDat: x\r\nContent-Length: 0\r\n\r\n",
     .status = 200},
    {.name = "a header twice: the last counts",
     .text = "HTTP/1.1 503 no\r\nRetry-After: 1\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n",
     .status = 503,
     .retry_after = "2"},
    {.name = "an empty value", .text = "HTTP/1.1 302 Found\r\nLocation:\r\nContent-Length: 0\r\n\r\n", .status = 302},
    {.name = "a folded header",
     .text =
         "HTTP/1.1 302 Found\r\nX-Odd: one\r\n two\r\n\tthree\r\nLocation: https://else\r\nContent-Length: 0\r\n\r\n",
     .status = 302,
     .location = "https://else"},
    {.name = "an encoding that nobody asked for is left as it is",
     .text = OK_HEAD "Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
     .status = 200,
     .body = "hello"},
    {.name = "a demand for other credentials",
     .text = "HTTP/1.1 401 no\r\nWWW-Authenticate: Basic realm=\"x\"\r\nWWW-Authenticate: Negotiate\r\n"
             "Content-Length: 0\r\n\r\n",
     .status = 401},
    {.name = "a demand for a proxy's credentials",
     .text = "HTTP/1.1 407 no\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n",
     .status = 407},
    {.name = "nothing at all", .then = LISTENER_CLOSE, .loss = NX_LOSS_CUT},
    {.name = "a reset", .then = LISTENER_RESET, .loss = NX_LOSS_CUT},
    {.name = "half a status line", .text = "HTTP/1.1 2", .then = LISTENER_CLOSE, .loss = NX_LOSS_CUT},
    {.name = "half of the headers", .text = OK_HEAD "Content-Le", .then = LISTENER_CLOSE, .loss = NX_LOSS_CUT},
    {.name = "only an interim answer",
     .text = "HTTP/1.1 100 Continue\r\n\r\n",
     .then = LISTENER_CLOSE,
     .loss = NX_LOSS_CUT},
    {.name = "half of a body",
     .text = OK_HEAD "Content-Length: 10\r\n\r\nhello",
     .then = LISTENER_CLOSE,
     .loss = NX_LOSS_CUT},
    {.name = "half of a chunk",
     .text = OK_HEAD "Transfer-Encoding: chunked\r\n\r\na\r\nhello",
     .then = LISTENER_CLOSE,
     .loss = NX_LOSS_CUT},
    {.name = "chunks without an end",
     .text = OK_HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
     .then = LISTENER_CLOSE,
     .loss = NX_LOSS_CUT},
    {.name = "a chunk of no size",
     .text = OK_HEAD "Transfer-Encoding: chunked\r\n\r\nhello\r\n0\r\n\r\n",
     .loss = NX_LOSS_CUT},
    {.name = "HTTP/0.9", .text = "{\"access_token\":\"x\"}\n", .then = LISTENER_CLOSE, .loss = NX_LOSS_GARBLED},
    {.name = "another protocol", .text = "220 mail ESMTP\r\n", .then = LISTENER_CLOSE, .loss = NX_LOSS_GARBLED},
    {.name = "a status that is no number",
     .text = "HTTP/1.1 banana\r\nContent-Length: 0\r\n\r\n",
     .then = LISTENER_CLOSE,
     .loss = NX_LOSS_GARBLED},
    {.name = "endless headers",
     .text = OK_HEAD,
     .then = LISTENER_REPEAT,
     .again = "X-Endless: 0123456789012345678901234567890123456789\r\n",
     .status = 200,
     .over_cap = true},
    {.name = "one endless header",
     .text = OK_HEAD "X-Endless: ",
     .then = LISTENER_REPEAT,
     .again = "0123456789012345678901234567890123456789",
     .status = 200,
     .over_cap = true},
    {.name = "an endless status line",
     .text = "HTTP/1.1 200 ",
     .then = LISTENER_REPEAT,
     .again = "OK ",
     .loss = NX_LOSS_CUT},
    {.name = "endless interim answers",
     .then = LISTENER_REPEAT,
     .again = "HTTP/1.1 100 Continue\r\n\r\n",
     .loss = NX_LOSS_CUT},
    {.name = "an endless body",
     .text = "HTTP/1.1 500 no\r\n\r\n",
     .then = LISTENER_REPEAT,
     .again = "0123456789012345678901234567890123456789",
     .status = 500,
     .over_cap = true},
    {.name = "endless chunks",
     .text = OK_HEAD "Transfer-Encoding: chunked\r\n\r\n",
     .then = LISTENER_REPEAT,
     .again = "8\r\n01234567\r\n",
     .status = 200,
     .over_cap = true},
    {.name = "endless trailers",
     .text = OK_HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n",
     .then = LISTENER_REPEAT,
     .again = "X-Endless: 0123456789012345678901234567890123456789\r\n",
     .status = 200,
     .over_cap = true},
};

static int check_text(const char *name, const char *what, const struct nx_text *text, const char *expected)
{
    if (strcmp(nx_text_string(text), expected ? expected : "") == 0)
        return 0;
    print_error("%s: %s is \"%s\"\n", name, what, nx_text_string(text));
    return 1;
}

static int check_headers(const struct nx_response *response, const struct answer_case *row)
{
    return check_text(row->name, "the body", &response->body, row->body) +
           check_text(row->name, "Location", &response->location, row->location) +
           check_text(row->name, "Retry-After", &response->retry_after, row->retry_after) +
           check_text(row->name, "Date", &response->date, row->date);
}

static int check_answer(struct wire *wire, const struct answer_case *row)
{
    const struct nx_exchange *exchange = &wire->exchange;
    const struct nx_response *response = &exchange->response;
    const int requests = listener_requests(wire->listener);
    const size_t sent = listener_sent(wire->listener);
    int wrong = 0;

    if (exchange->loss != row->loss ||
        (!row->loss && (response->over_cap != row->over_cap || response->http_status != row->status)))
        wrong = 1;
    if (exchange->sendings != 1 || requests != 1 || sent > SOCKETS || response->body.length > CAP)
        wrong = 1;
    if (wrong)
        print_error("%s: loss %d (%s), over_cap %d, status %d, sent %d times, arrived %d times, %zu bytes taken\n",
                    row->name, (int)exchange->loss, exchange->reason, response->over_cap, response->http_status,
                    exchange->sendings, requests, sent);
    return row->loss || row->over_cap ? wrong : wrong + check_headers(response, row);
}

static int run_answer_case(const struct answer_case *row)
{
    void *own;
    int wrong;

    assert_int_equal(set_up(&own), 0);
    struct wire *wire = own;
    listener_answer(wire->listener,
                    (struct listener_answer){.text = row->text, .then = row->then, .again = row->again});
    word(wire, false);
    run(wire);
    wrong = check_answer(wire, row);
    wire_tear_down(&own);
    return wrong;
}

static void an_answer_is_read_as_its_bytes_have_it(void **state)
{
    int wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof answer_cases / sizeof *answer_cases; i++)
        wrong += run_answer_case(&answer_cases[i]);
    assert_int_equal(wrong, 0);
}

/* Headers and body together may be as long as the cap, and not a byte longer. */
static void the_cap_counts_headers_and_body(void **state)
{
    static const struct {
        int body;
        bool over_cap;
    } cases[] = {{CAP - 43, false}, {CAP - 42, true}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[CAP + 2];
        void *own;

        assert_int_equal(set_up(&own), 0);
        struct wire *wire = own;
        const int head = snprintf(text, sizeof text, OK_HEAD "Content-Length: %06d\r\n\r\n", cases[i].body);
        assert_int_equal(head, 43);
        memset(text + head, 'x', (size_t)cases[i].body);
        text[head + cases[i].body] = '\0';
        listener_answer(wire->listener, (struct listener_answer){.text = text});
        word(wire, false);
        run(wire);
        assert_int_equal(wire->exchange.loss, NX_LOSS_NONE);
        assert_int_equal(wire->exchange.response.http_status, 200);
        assert_int_equal(wire->exchange.response.over_cap, cases[i].over_cap);
        wire_tear_down(&own);
    }
}

static const struct listener_answer plain_answer = {.text = OK_HEAD "Content-Length: 2\r\n\r\nok"};

static void what_is_sent_once_has_a_connection_of_its_own(void **state)
{
    struct wire *wire = *state;
    static const bool one_time[] = {false, true, true, false, false};

    for (size_t i = 0; i < sizeof one_time / sizeof *one_time; i++) {
        listener_answer(wire->listener, plain_answer);
        word(wire, one_time[i]);
        run(wire);
        assert_int_equal(wire->exchange.loss, NX_LOSS_NONE);
        assert_int_equal(wire->exchange.sendings, 1);
    }
    assert_int_equal(listener_requests(wire->listener), 5);
    assert_int_equal(listener_connections(wire->listener), 3); /* the ordinary ones share the first */
}

/* Fresh or not, what serves once leaves once, however its connection ends. */
static void what_is_sent_once_is_not_sent_again_when_its_connection_dies(void **state)
{
    struct wire *wire = *state;
    static const enum listener_end ends[] = {LISTENER_CLOSE, LISTENER_RESET};

    listener_answer(wire->listener, plain_answer);
    word(wire, false); /* leaves a connection that could be used again */
    run(wire);
    for (int i = 0; i < 2; i++) {
        listener_answer(wire->listener, (struct listener_answer){.then = ends[i]});
        word(wire, true);
        run(wire);
        assert_int_equal(wire->exchange.loss, NX_LOSS_CUT);
        assert_int_equal(wire->exchange.sendings, 1);
        assert_int_equal(listener_requests(wire->listener), 2 + i);
    }
}

/* libcurl repeats it by itself: at the most, and only because the connection had been used before. */
static void an_ordinary_request_survives_a_connection_that_dies_when_used_again(void **state)
{
    struct wire *wire = *state;

    listener_answer(wire->listener, plain_answer);
    listener_answer(wire->listener, (struct listener_answer){.then = LISTENER_CLOSE});
    listener_answer(wire->listener, plain_answer);
    word(wire, false);
    run(wire);
    word(wire, false);
    run(wire);
    assert_int_equal(wire->exchange.loss, NX_LOSS_NONE);
    assert_int_equal(wire->exchange.response.http_status, 200);
    assert_string_equal(nx_text_string(&wire->exchange.response.body), "ok");
    assert_int_equal(wire->exchange.sendings, 2);
    assert_int_equal(listener_requests(wire->listener), 3);
    assert_int_equal(listener_connections(wire->listener), 2);
}

static void nobody_who_listens_is_no_connection(void **state)
{
    struct wire *wire = *state;
    struct listener *gone = listener_start("127.0.0.1");
    char origin[64];

    assert_non_null(gone);
    snprintf(origin, sizeof origin, "%s", listener_origin(gone));
    listener_stop(gone);
    nx_exchange_reset(&wire->exchange);
    nx_request_begin(&wire->exchange.request, NX_CARRIER_QUERY, origin, "/");
    run(wire);
    assert_int_equal(wire->exchange.loss, NX_LOSS_CONNECT);
    assert_int_equal(wire->exchange.sendings, 0);
    assert_string_not_equal(wire->exchange.reason, "");
}

/* Not even to the same server. */
static void a_redirect_is_told_and_not_followed(void **state)
{
    static const int statuses[] = {301, 302, 303, 307, 308};
    struct wire *wire = *state;
    struct listener *other = listener_start("127.0.0.1");

    assert_non_null(other);
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        static char texts[5][160];

        snprintf(texts[i], sizeof texts[i], "HTTP/1.1 %d x\r\nLocation: %s/\r\nContent-Length: 0\r\n\r\n", statuses[i],
                 listener_origin(other));
        listener_answer(wire->listener, (struct listener_answer){.text = texts[i]});
        word(wire, false);
        run(wire);
        assert_int_equal(wire->exchange.response.http_status, statuses[i]);
        assert_memory_equal(nx_text_string(&wire->exchange.response.location), listener_origin(other),
                            strlen(listener_origin(other)));
    }
    assert_int_equal(listener_requests(wire->listener), 5);
    assert_int_equal(listener_connections(other), 0);
    listener_stop(other);
}

static void an_exchange_that_is_given_up_closes_its_connection(void **state)
{
    struct wire *wire = *state;

    listener_answer(wire->listener, (struct listener_answer){.then = LISTENER_STALL});
    listener_answer(wire->listener, plain_answer);
    word(wire, false);
    wire->transport->verbs->begin(wire->transport, &wire->exchange);
    while (listener_requests(wire->listener) == 0)
        assert_null(wire->transport->verbs->turn(wire->transport, 10));
    wire->transport->verbs->give_up(wire->transport, &wire->exchange);
    word(wire, false);
    run(wire);
    assert_int_equal(wire->exchange.response.http_status, 200);
    assert_int_equal(listener_connections(wire->listener), 2);
}

/* libcurl has not been seen to do so over HTTP/1.1 and a connection of its own. */
static void what_is_sent_once_is_refused_to_a_libcurl_that_would_repeat_it(void **state)
{
    static const bool one_time[] = {false, true};
    struct nx_curl_common shared = {.clock = nx_system_clock};
    char address[] = "127.0.0.1";

    (void)state;
    for (size_t i = 0; i < sizeof one_time / sizeof *one_time; i++) {
        struct nx_exchange exchange = {.request = {.one_time = one_time[i]}};
        struct nx_curl_exchange curl = {.common = &shared, .exchange = &exchange};

        assert_int_equal(nx_curl_before_sending(&curl, address, address, 80, 80), CURL_PREREQFUNC_OK);
        assert_int_equal(nx_curl_before_sending(&curl, address, address, 80, 80),
                         one_time[i] ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK);
        assert_int_equal(exchange.sendings, one_time[i] ? 1 : 2);
    }
}

/* libcurl takes no string of more than eight million bytes. */
static void what_cannot_be_begun_is_told_at_the_next_turn(void **state)
{
    enum { TOO_LONG = 8000001 };
    struct wire *wire = *state;
    char *ca_file = calloc(1, TOO_LONG + 1);

    assert_non_null(ca_file);
    memset(ca_file, 'x', TOO_LONG);
    const struct nx_curl_settings settings = {
        .ca_file = ca_file, .connect_timeout_ms = 60000, .max_connections = 8, .max_answer_bytes = CAP};
    struct nx_transport *transport = nx_curl_transport_new(&settings, &nx_system_clock);
    struct nx_exchange given_up;

    assert_non_null(transport);
    nx_exchange_init(&given_up, CAP);
    word(wire, false);
    transport->verbs->begin(transport, &given_up);
    transport->verbs->begin(transport, &wire->exchange);
    transport->verbs->give_up(transport, &given_up);
    assert_ptr_equal(transport->verbs->turn(transport, 1000), &wire->exchange);
    assert_null(wire->exchange.next);
    assert_int_equal(wire->exchange.loss, NX_LOSS_MEMORY);
    assert_int_equal(wire->exchange.sendings, 0);
    assert_int_equal(listener_connections(wire->listener), 0);
    nx_exchange_release(&given_up);
    transport->verbs->free(transport);
    free(ca_file);
}

#define ON_A_WIRE(test) cmocka_unit_test_setup_teardown(test, set_up, wire_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_read_as_its_bytes_have_it),
        cmocka_unit_test(the_cap_counts_headers_and_body),
        ON_A_WIRE(what_is_sent_once_has_a_connection_of_its_own),
        ON_A_WIRE(what_is_sent_once_is_not_sent_again_when_its_connection_dies),
        ON_A_WIRE(an_ordinary_request_survives_a_connection_that_dies_when_used_again),
        ON_A_WIRE(nobody_who_listens_is_no_connection),
        ON_A_WIRE(a_redirect_is_told_and_not_followed),
        ON_A_WIRE(an_exchange_that_is_given_up_closes_its_connection),
        cmocka_unit_test(what_is_sent_once_is_refused_to_a_libcurl_that_would_repeat_it),
        ON_A_WIRE(what_cannot_be_begun_is_told_at_the_next_turn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
