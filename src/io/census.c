#include "io/census.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What /proc/PID/stat says (proc(5)), in fields that are counted from 1. */
enum { FIELD_STATE = 3, FIELD_THREADS = 20, FIELD_START = 22, LONGEST = 1024 };

struct status {
    int32_t pid;
    char state;
    uint64_t threads;
    uint64_t start;
};

/* The beginning of a field; `text` is that of the state. The name before it may hold anything, blanks too. */
static const char *field(const char *text, int number)
{
    for (int at = FIELD_STATE; text && at < number; at++) {
        text = strchr(text, ' ');
        text = text ? text + 1 : NULL;
    }
    return text ? text : "";
}

static bool read_status(const char *path, struct status *status)
{
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    char text[LONGEST + 1];
    const char *name_end;
    ssize_t size;

    if (file < 0)
        return false;
    size = read(file, text, LONGEST);
    close(file);
    text[size > 0 ? size : 0] = '\0';
    name_end = strrchr(text, ')');
    if (!name_end || !name_end[1])
        return false;
    status->pid = (int32_t)strtol(text, NULL, 10);
    status->state = name_end[2];
    status->threads = strtoull(field(name_end + 2, FIELD_THREADS), NULL, 10);
    status->start = strtoull(field(name_end + 2, FIELD_START), NULL, 10);
    return true;
}

/* A /proc of another counting of ids says nothing. */
struct nx_process nx_process_self(void)
{
    struct nx_process self = {.pid = (int32_t)getpid()};
    struct status status;
    struct stat space;

    if (read_status("/proc/self/stat", &status) && status.pid == self.pid)
        self.start = status.start;
    if (stat("/proc/self/ns/pid", &space) == 0)
        self.space = (uint64_t)space.st_ino;
    return self;
}

/* A process whose first thread has ended looks like a zombie while others of its threads live. */
static bool is_zombie(const struct status *status)
{
    return (status->state == 'Z' || status->state == 'X') && status->threads < 2;
}

bool nx_process_is_gone(const struct nx_process *process, const struct nx_process *self, bool thorough)
{
    struct status status;
    char path[32];

    if (process->space != self->space)
        return false;
    if (kill(process->pid, 0) != 0 && errno == ESRCH)
        return true;
    if (!thorough || !process->start || !self->start)
        return false;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)process->pid);
    return read_status(path, &status) && (status.start != process->start || is_zombie(&status));
}
