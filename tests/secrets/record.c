#define _GNU_SOURCE /* memfd_create() */
#include "record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LIMITS = 8 };

void record_begin(struct record *record)
{
    *record = (struct record){0};
    fflush(NULL);
    record->file = memfd_create("record", MFD_CLOEXEC);
    for (int i = 0; i < 2; i++) {
        record->streams[i] = dup(STDOUT_FILENO + i);
        if (dup2(record->file, STDOUT_FILENO + i) < 0)
            abort();
    }
}

/* What went to the streams is recorded as well. */
void record_end(struct record *record)
{
    char bytes[4096];
    ssize_t got;

    fflush(NULL);
    for (int i = 0; i < 2; i++) {
        dup2(record->streams[i], STDOUT_FILENO + i);
        close(record->streams[i]);
    }
    lseek(record->file, 0, SEEK_SET);
    while ((got = read(record->file, bytes, sizeof bytes)) > 0)
        record_bytes(record, bytes, (size_t)got);
    close(record->file);
}

void record_release(struct record *record)
{
    free(record->bytes);
}

void record_bytes(struct record *record, const void *bytes, size_t size)
{
    if (record->size + size > record->room) {
        record->room = record->room * 2 + size;
        record->bytes = realloc(record->bytes, record->room);
        if (!record->bytes)
            abort();
    }
    memcpy(record->bytes + record->size, bytes, size);
    record->size += size;
}

void record_error(struct record *record, const struct nexauth_error *error)
{
    record->errors += error->status != NEXAUTH_OK;
    record_bytes(record, error, sizeof *error);
}

static void record_string(struct record *record, const char *string)
{
    record_bytes(record, string, strlen(string) + 1);
}

void record_figures(struct record *record, nexauth_session *session, nexauth_source *source)
{
    struct nexauth_limit_state limits[LIMITS] = {0};
    struct nexauth_stats stats = {0};
    struct nexauth_error error = {0};
    size_t count = 0;

    nexauth_source_stats(source, &stats, &error);
    nexauth_session_limits(session, limits, LIMITS, &count, &error);
    record_bytes(record, &stats, sizeof stats);
    record_error(record, &error);
    for (size_t i = 0; i < count && i < LIMITS; i++) {
        record_string(record, limits[i].origin);
        record_string(record, limits[i].name);
    }
}

void record_event(void *record, const struct nexauth_event *event)
{
    struct record *all = record;

    all->events++;
    if (event->error)
        record_error(record, event->error);
}

nexauth_status record_get(struct record *record, nexauth_source *source)
{
    struct nexauth_error error = {0};
    nexauth_token *token = NULL;
    const nexauth_status status = nexauth_source_get_token(source, NULL, &token, &error);

    record_error(record, &error);
    nexauth_token_unref(token);
    return status;
}

struct calls {
    struct record *record;
    size_t under_way;
};

static void note_end(void *context, nexauth_token *token, const struct nexauth_error *error)
{
    struct calls *calls = context;

    (void)token;
    if (error)
        record_error(calls->record, error);
    calls->under_way--;
}

void record_poll(struct record *record, nexauth_session *session, nexauth_source *const *sources, size_t count)
{
    struct calls calls = {record, 0};
    struct nexauth_error error = {0};

    for (size_t i = 0; i < count; i++)
        calls.under_way += nexauth_source_start(sources[i], NULL, note_end, &calls, NULL, &error) == NEXAUTH_OK;
    while (calls.under_way && nexauth_session_poll(session, 10000, &error) == NEXAUTH_OK)
        continue;
    record_error(record, &error);
}
