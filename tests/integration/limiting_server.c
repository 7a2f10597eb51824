#include "support/test.h"

#include "limiting_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TRIES = 5 };

extern char **environ;

/* One that was free a moment ago. */
static int find_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(descriptor, (const struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(descriptor, (struct sockaddr *)&address, &length), 0);
    close(descriptor);
    return ntohs(address.sin_port);
}

/* Both ends are closed in programs that are started later. */
static void open_pipe(int ends[2])
{
    assert_int_equal(pipe(ends), 0);
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
}

static void spawn(struct limiting_server *server, int port, int requests)
{
    char program[] = NEXAUTH_LIMITING_SERVER;
    char port_text[16];
    char requests_text[16];
    char *arguments[] = {program, port_text, requests_text, NULL};
    posix_spawn_file_actions_t actions;
    int input[2];
    int output[2];

    snprintf(port_text, sizeof port_text, "%d", port);
    snprintf(requests_text, sizeof requests_text, "%d", requests);
    open_pipe(input);
    open_pipe(output);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
    assert_int_equal(posix_spawn(&server->pid, program, &actions, NULL, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(input[0]);
    close(output[1]);
    server->input = input[1];
    server->answers = fdopen(output[0], "r");
    assert_non_null(server->answers);
}

static void end(struct limiting_server *server)
{
    int status = -1;

    fclose(server->answers);
    assert_int_equal(waitpid(server->pid, &status, 0), server->pid);
    assert_int_equal(status, 0);
}

bool limiting_server_start(struct limiting_server *server, int requests)
{
    for (int tries = 0; tries < TRIES; tries++) {
        char line[16] = "";
        int port = find_port();

        spawn(server, port, requests);
        assert_non_null(fgets(line, sizeof line, server->answers));
        snprintf(server->origin, sizeof server->origin, "http://127.0.0.1:%d", port);
        if (strcmp(line, "ready\n") == 0)
            return true;
        close(server->input);
        end(server);
        if (strcmp(line, "missing\n") == 0)
            return false;
    }
    fail_msg("nginx does not start");
    return false;
}

struct limiting_record limiting_server_stop(struct limiting_server *server)
{
    struct limiting_record record = {0};
    char line[64] = "";
    char *rest = NULL;

    close(server->input);
    assert_non_null(fgets(line, sizeof line, server->answers));
    end(server);
    record.taken = (int)strtol(line, &rest, 10);
    assert_int_equal(*rest, ' ');
    record.refused = (int)strtol(rest, &rest, 10);
    assert_int_equal(*rest, '\n');
    return record;
}
