/* A server of the test's own that speaks HTTP/2 too, and can refuse: see the program h2-server. */
#ifndef NX_TEST_H2_SERVER_H
#define NX_TEST_H2_SERVER_H

#include <stdio.h>
#include <sys/types.h>

struct h2_server {
    char origin[64];
    char ca_file[1024];
    pid_t pid;
    FILE *orders; /* the server ends when this is closed */
    FILE *answers;
};

/* How many requests held a text, by the protocol over which they came; and how often it came where no request was
 * understood. */
struct h2_seen {
    int h2, h1, other;
};

/* These fail the test when they fail. */
void h2_server_start(struct h2_server *server);
void h2_server_stop(struct h2_server *server);

/* One line as the program takes it, such as "do refuse goaway" or "alpn h2 http/1.1". */
void h2_server_tell(struct h2_server *server, const char *order);

struct h2_seen h2_server_seen(struct h2_server *server, const char *text);

#endif
