/* Answers that are large, or that would be once they were unpacked: none is read beyond max_answer_bytes, and nothing
 * is unpacked that was not asked for. */
#include "support/test.h"

#include "nexauth/nexauth.h"
#include "support/listener.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* SOCKETS: so much may lie in the sockets' buffers, and in libcurl's, when the reader has had enough. */
enum { PACKED = 51200, BOMB_SIZE = PACKED + 16, SOCKETS = 16 << 20 };

/* What a gzip file is made of, bit by bit, the lowest first. */
struct packer {
    unsigned char bytes[BOMB_SIZE];
    size_t bits;
};

static void add_bits(struct packer *packer, unsigned int bits, int count)
{
    for (int i = 0; i < count; i++, packer->bits++) {
        if (bits >> i & 1)
            packer->bytes[packer->bits / 8] |= (unsigned char)(1u << packer->bits % 8);
    }
}

/* In RFC 1951's fixed code a repetition of 258 bytes takes 13 bits: 8 MB in 50 kB. */
static void pack_bomb(struct packer *packer)
{
    static const unsigned char head[10] = {0x1f, 0x8b, 8, [9] = 3};

    for (size_t i = 0; i < sizeof head; i++)
        add_bits(packer, head[i], 8);
    add_bits(packer, 3, 3);    /* the last block, of the fixed code */
    add_bits(packer, 0x0a, 8); /* a blank: 01010000, the highest bit first */
    while (packer->bits / 8 < PACKED)
        add_bits(packer, 0xa3, 13); /* 11000101 00000: of length 258, at distance 1 */
}

static nexauth_status ask(struct listener *listener, struct nexauth_error *error)
{
    const struct nexauth_session_options session_options = {.loopback_http = 1};
    const struct nexauth_nex_user_options options = {.client_id = "c",
                                                     .client_secret = "abc123",
                                                     .username = "u",
                                                     .password = "xyz456",
                                                     .origin = listener_origin(listener)};
    nexauth_session *session = NULL;
    nexauth_source *source = NULL;
    nexauth_token *token = NULL;

    assert_int_equal(nexauth_session_new(&session_options, &session, NULL), NEXAUTH_OK);
    assert_int_equal(nexauth_source_new_nex_user(session, &options, &source, NULL), NEXAUTH_OK);
    const nexauth_status status = nexauth_source_get_token(source, NULL, &token, error);
    nexauth_token_unref(token);
    nexauth_source_free(source);
    nexauth_session_free(session);
    return status;
}

static void twenty_megabytes_are_not_read_to_their_end(void **state)
{
    static const char *const heads[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 20971520\r\n\r\n{\"access_token\":\"one\",\"x\":\"",
        "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n{\"access_token\":\"one\",\"x\":\"",
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"access_token\":\"one\",\"x\":\"",
    };

    (void)state;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        struct listener *listener = listener_start("127.0.0.1");
        struct nexauth_error error = {0};

        listener_answer(listener, (struct listener_answer){.text = heads[i],
                                                           .then = LISTENER_REPEAT,
                                                           .again = "0123456789012345678901234567890123456789"});
        assert_int_equal(ask(listener, &error), NEXAUTH_PROTOCOL);
        assert_non_null(strstr(error.message, "more than max_answer_bytes"));
        assert_true(listener_sent(listener) < SOCKETS);
        listener_stop(listener);
    }
}

static const struct packing {
    const char *header;
    const char *more;  /* further headers, and what stands before the body */
    const char *words; /* of the message */
} packings[] = {
    {"Content-Encoding: gzip", "Content-Length: 51200\r\n\r\n", "in no form that can be read"},
    {"Content-Encoding: gzip, gzip, gzip", "Content-Length: 51200\r\n\r\n", "in no form that can be read"},
    {"Content-Encoding: deflate", "Content-Length: 51200\r\n\r\n", "in no form that can be read"},
    {"Content-Encoding: br", "Connection: close\r\n\r\n", "in no form that can be read"},
    {"Content-Encoding: gzip", "Transfer-Encoding: chunked\r\n\r\nc800\r\n", ""},
    /* Unasked for, too; but libcurl up to 7.88 unpacks it all the same, and later ones refuse it. */
    {"Transfer-Encoding: gzip", "Connection: close\r\n\r\n", ""},
    {"Transfer-Encoding: gzip, chunked", "Connection: close\r\n\r\nc800\r\n", ""},
};

static void run_packing(const struct packing *row, const struct packer *packer)
{
    struct listener *listener = listener_start("127.0.0.1");
    struct nexauth_error error = {0};
    char *text = malloc(256 + PACKED);

    assert_non_null(text);
    const size_t size = (size_t)snprintf(text, 256, "HTTP/1.1 200 OK\r\n%s\r\n%s", row->header, row->more);
    memcpy(text + size, packer->bytes, PACKED);
    for (int i = 0; i < 2; i++) /* a lost one leaves once more */
        listener_answer(listener,
                        (struct listener_answer){.text = text, .length = size + PACKED, .then = LISTENER_CLOSE});
    const nexauth_status status = ask(listener, &error);
    if ((status != NEXAUTH_PROTOCOL && (*row->words || status != NEXAUTH_NETWORK)) ||
        !strstr(error.message, row->words))
        fail_msg("%s: %s: %s", row->header, nexauth_status_name(error.status), error.message);
    listener_stop(listener);
    free(text);
}

static void what_is_packed_is_not_unpacked_beyond_the_bound(void **state)
{
    struct packer *packer = calloc(1, sizeof *packer);

    (void)state;
    assert_non_null(packer);
    pack_bomb(packer);
    for (size_t i = 0; i < sizeof packings / sizeof *packings; i++)
        run_packing(&packings[i], packer);
    free(packer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twenty_megabytes_are_not_read_to_their_end),
        cmocka_unit_test(what_is_packed_is_not_unpacked_beyond_the_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
