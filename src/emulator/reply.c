/*
 * Answers on their way out. An ordinary one is handed over as it is; one that goes out in chunks, byte by byte or not
 * to its end is read by libmicrohttpd piece by piece, in the connection's own thread, which may wait.
 */
#include "reply.h"

#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { BLOCK = 4096 };

struct reply {
    struct emu *emu;
    char *body;
    size_t length;
    size_t stop; /* where the connection is dropped; else behind the end */
    long drip_ms;
};

static void reply_free(void *context)
{
    struct reply *reply = context;

    free(reply->body);
    free(reply);
}

static bool wait_for_turn(struct emu *emu, long drip_ms)
{
    pthread_mutex_lock(&emu->lock);
    bool going_on = emu_wait_ms(emu, drip_ms);
    pthread_mutex_unlock(&emu->lock);
    return going_on;
}

static ssize_t read_piece(void *context, uint64_t position, char *piece, size_t most)
{
    struct reply *reply = context;
    size_t at = (size_t)position;
    size_t end = reply->stop < reply->length ? reply->stop : reply->length;

    if (reply->drip_ms > 0 && !wait_for_turn(reply->emu, reply->drip_ms))
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (at >= end)
        return reply->stop > reply->length ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
    if (reply->drip_ms > 0)
        most = 1;
    if (most > end - at)
        most = end - at;
    memcpy(piece, reply->body + at, most);
    return (ssize_t)most;
}

/* Transfer-Encoding is not for libmicrohttpd to send, but for it to do. */
static bool is_chunked(const struct emu_answer *answer)
{
    for (size_t i = 0; i < answer->header_count; i++) {
        if (strcasecmp(answer->headers[i].name, "Transfer-Encoding") == 0)
            return strcasecmp(answer->headers[i].value, "chunked") == 0;
    }
    return false;
}

static struct MHD_Response *make_pieces(struct emu *emu, const struct emu_answer *answer, const struct emu_fault *fault,
                                        bool chunked)
{
    bool dropped = fault && fault->drop == EMU_DROP_IN_ANSWER;
    struct reply *reply = emu_allocate(sizeof(*reply));
    /* Of an answer without a body, one byte is promised and not sent. */
    uint64_t promised = dropped && answer->length == 0 ? 1 : answer->length;

    *reply = (struct reply){
        .emu = emu,
        .body = emu_copy(answer->body, answer->length),
        .length = answer->length,
        .stop = dropped ? answer->length / 2 : answer->length + 1,
        .drip_ms = fault ? fault->drip_ms : 0,
    };
    struct MHD_Response *response = MHD_create_response_from_callback(chunked ? MHD_SIZE_UNKNOWN : promised, BLOCK,
                                                                      read_piece, reply, reply_free);
    if (!response)
        reply_free(reply);
    return response;
}

static struct MHD_Response *make_response(struct emu *emu, const struct emu_answer *answer,
                                          const struct emu_fault *fault)
{
    bool chunked = is_chunked(answer);

    if (chunked || (fault && (fault->drip_ms > 0 || fault->drop == EMU_DROP_IN_ANSWER)))
        return make_pieces(emu, answer, fault, chunked);
    return MHD_create_response_from_buffer(answer->length, answer->body, MHD_RESPMEM_MUST_COPY);
}

/* What cannot be sent was refused before: an answer that lacks something does not go unnoticed. */
static void add_header(struct MHD_Response *response, const struct emu_header *header)
{
    if (strcasecmp(header->name, "Transfer-Encoding") != 0 &&
        MHD_add_response_header(response, header->name, header->value) != MHD_YES)
        fprintf(stderr, "nexauth-emulator: The header %s cannot be sent.\n", header->name);
}

enum MHD_Result emu_reply(struct emu *emu, struct MHD_Connection *connection, const struct emu_answer *answer,
                          const struct emu_fault *fault)
{
    struct MHD_Response *response = make_response(emu, answer, fault);

    if (!response)
        return MHD_NO;
    for (size_t i = 0; i < answer->header_count; i++)
        add_header(response, &answer->headers[i]);
    enum MHD_Result queued = MHD_queue_response(connection, answer->status, response);
    MHD_destroy_response(response);
    return queued;
}
