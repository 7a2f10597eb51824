#include "support/test.h"

#include "h2_server.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Both ends are closed in programs that are started later. */
static void open_pipe(int ends[2])
{
    assert_int_equal(pipe(ends), 0);
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
}

void h2_server_start(struct h2_server *server)
{
    char program[] = NEXAUTH_H2_SERVER;
    char *arguments[] = {program, NULL};
    posix_spawn_file_actions_t actions;
    char line[sizeof server->origin + sizeof server->ca_file];
    int input[2];
    int output[2];

    open_pipe(input);
    open_pipe(output);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
    assert_int_equal(posix_spawn(&server->pid, program, &actions, NULL, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(input[0]);
    close(output[1]);
    server->orders = fdopen(input[1], "w");
    server->answers = fdopen(output[0], "r");
    assert_non_null(server->orders);
    assert_non_null(server->answers);
    assert_non_null(fgets(line, sizeof line, server->answers));
    assert_int_equal(sscanf(line, "%63s %1023s", server->origin, server->ca_file), 2);
}

void h2_server_stop(struct h2_server *server)
{
    int status = -1;

    fclose(server->orders);
    fclose(server->answers);
    assert_int_equal(waitpid(server->pid, &status, 0), server->pid);
    assert_int_equal(status, 0);
}

static void order(struct h2_server *server, const char *verb, const char *text, char *answer, int size)
{
    fprintf(server->orders, "%s%s\n", verb, text);
    fflush(server->orders);
    assert_non_null(fgets(answer, size, server->answers));
}

void h2_server_tell(struct h2_server *server, const char *line)
{
    char answer[64];

    order(server, "", line, answer, sizeof answer);
    assert_string_equal(answer, "done\n");
}

struct h2_seen h2_server_seen(struct h2_server *server, const char *text)
{
    struct h2_seen seen = {0};
    int *const counts[] = {&seen.h2, &seen.h1, &seen.other};
    char answer[64];
    char *at = answer;

    order(server, "seen ", text, answer, sizeof answer);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        at = strpbrk(at, "0123456789");
        assert_non_null(at);
        *counts[i] = (int)strtol(at, &at, 10);
    }
    return seen;
}
