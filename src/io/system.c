#include "io/system.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
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

const struct nx_clock nx_system_clock = {.boot_ms = boot_ms, .wall_s = wall_s};

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

bool nx_file_holds_pem(const char *path)
{
    static const char MARK[] = "-----BEGIN ";
    char bytes[65536 + 1];
    size_t size = 0;
    ssize_t got;
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (file < 0)
        return false;
    while ((got = read(file, bytes + size, sizeof bytes - 1 - size)) > 0)
        size += (size_t)got;
    close(file);
    bytes[size] = '\0';
    return strstr(bytes, MARK) != NULL;
}

void nx_pause(int64_t wait_ms)
{
    const int64_t longest_ms = 10;
    const struct timespec pause = {.tv_nsec = (wait_ms < longest_ms ? wait_ms : longest_ms) * 1000000};

    nanosleep(&pause, NULL);
}
