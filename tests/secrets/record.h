/* All that an application could log: what the library tells it, byte for byte, and what is written to the standard
 * streams meanwhile. */
#ifndef NX_TEST_RECORD_H
#define NX_TEST_RECORD_H

#include "canaries.h"
#include "nexauth/nexauth.h"

struct record {
    char *bytes;
    size_t size, room;
    size_t errors, events; /* that were told */
    int streams[2];        /* where the standard streams led before */
    int file;              /* where they lead */
};

/* The standard streams are the record's from now on, and their own again. */
void record_begin(struct record *record);
void record_end(struct record *record);
void record_release(struct record *record);

void record_bytes(struct record *record, const void *bytes, size_t size);

/* An error that the library may have filled in; it starts as {0}. */
void record_error(struct record *record, const struct nexauth_error *error);

/* All that can be asked about a source and its session. */
void record_figures(struct record *record, nexauth_session *session, nexauth_source *source);

/* An event callback; its context is the record. */
void record_event(void *record, const struct nexauth_event *event);

/* Asks for a token, records how that went, and drops it. */
nexauth_status record_get(struct record *record, nexauth_source *source);

/* The same by calls, of so many sources at once. */
void record_poll(struct record *record, nexauth_session *session, nexauth_source *const *sources, size_t count);

#endif
