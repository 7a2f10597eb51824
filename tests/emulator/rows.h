#ifndef NX_TEST_ROWS_H
#define NX_TEST_ROWS_H

#include "exchange.h"

/* Requests to the emulator's program and what their answers have to have, as tables. */

/* NULL and 0: as in the good request of the service. */
struct row {
    const char *name;
    const char *method;
    const char *path;
    const char *type;
    const char *header;
    const char *body;
    long status;
    const char *in_head;
    const char *in_body;
};

struct good {
    const char *origin;
    struct row row;
};

/* Sends each row's request; the test fails when an answer is another one, after telling which. */
void check_all(const struct good *good, const struct row *rows, size_t count);

#define CHECK_ALL(good, rows) check_all(good, rows, sizeof(rows) / sizeof((rows)[0]))

#endif
