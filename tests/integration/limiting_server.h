/* nginx, whose own limiter stands at the door: see the program limiting-server. */
#ifndef NX_TEST_LIMITING_SERVER_H
#define NX_TEST_LIMITING_SERVER_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

struct limiting_server {
    char origin[64];
    pid_t pid;
    FILE *answers;
    int input; /* the server ends when this is closed */
};

/* What its log says. */
struct limiting_record {
    int taken;
    int refused;
};

/* So many requests a second. False when there is no nginx. These fail the test when they fail. */
bool limiting_server_start(struct limiting_server *server, int requests);
struct limiting_record limiting_server_stop(struct limiting_server *server);

#endif
