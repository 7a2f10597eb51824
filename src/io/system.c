#include "io/system.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static int64_t boot_ms(void *context)
{
    struct timespec now;

    (void)context;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t wall_s(void *context)
{
    struct timespec now;

    (void)context;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec;
}

const struct nx_clock nx_system_clock = {boot_ms, wall_s, NULL};

bool nx_system_entropy(void *context, void *bytes, size_t size)
{
    unsigned char *next = bytes;

    (void)context;
    while (size > 0) {
        const ssize_t got = getrandom(next, size, 0);

        if (got < 0 && errno != EINTR)
            return false;
        next += got > 0 ? got : 0;
        size -= got > 0 ? (size_t)got : 0;
    }
    return true;
}

/* A folder can be opened, but not read. */
bool nx_file_is_readable(const char *path)
{
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    char byte;
    bool readable;

    if (file < 0)
        return false;
    readable = read(file, &byte, 1) >= 0;
    close(file);
    return readable;
}
