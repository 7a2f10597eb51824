#include "io/system.h"

#include "core/text.h"
#include "io/fork.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
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

uintptr_t nx_this_thread(void)
{
    return (uintptr_t)pthread_self();
}

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

static _Atomic uint64_t drawn;
static atomic_uint drawn_in; /* the generation of processes that `drawn` is of, and one more: 0 is nobody's */

/*
 * SplitMix64 (Steele, Lea and Flood, 2014): the system's generator costs a call of the system for each draw, this one a
 * call for each process. Forked children begin anew, or they would all draw the same.
 */
uint32_t nx_system_draw(void *context)
{
    const uint64_t step = UINT64_C(0x9e3779b97f4a7c15);
    const uint32_t generation = nx_fork_generation() + 1;
    uint64_t bits;

    if (atomic_load_explicit(&drawn_in, memory_order_acquire) != generation &&
        nx_system_entropy(context, &bits, sizeof bits)) {
        atomic_store_explicit(&drawn, bits, memory_order_relaxed);
        atomic_store_explicit(&drawn_in, generation, memory_order_release);
    }
    bits = atomic_fetch_add_explicit(&drawn, step, memory_order_relaxed) + step;
    bits = (bits ^ bits >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    bits = (bits ^ bits >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((bits ^ bits >> 31) >> 32);
}

enum { PEM_WITHIN = 65536, PIECE = 1024 };

/* Reads by pieces, each with the end of the one before it: whoever asks may have a small stack. What was read may be of
 * a private key, and leaves nothing behind. As far as a NUL, for this is about text. */
static bool finds_pem(int file)
{
    static const char MARK[] = "-----BEGIN ";
    char piece[PIECE + 1];
    size_t kept = 0;
    size_t left = PEM_WITHIN;
    bool found = false;
    bool ended = false;

    while (!found && !ended) {
        const size_t room = PIECE - kept;
        const ssize_t got = read(file, piece + kept, room < left ? room : left);
        const size_t size = kept + (got > 0 ? (size_t)got : 0);

        piece[size] = '\0';
        found = strstr(piece, MARK) != NULL;
        ended = got <= 0 || strlen(piece) < size;
        left -= size - kept;
        kept = size < sizeof MARK - 2 ? size : sizeof MARK - 2;
        memmove(piece, piece + size - kept, kept);
    }
    nx_wipe(piece, sizeof piece);
    return found;
}

nexauth_status nx_file_holds_pem(const char *path)
{
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    bool found;

    if (file < 0)
        return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? NEXAUTH_NO_MEMORY : NEXAUTH_INVALID;
    found = finds_pem(file);
    close(file);
    return found ? NEXAUTH_OK : NEXAUTH_INVALID;
}

int nx_above_streams(int descriptor)
{
    int above;

    if (descriptor < 0 || descriptor > STDERR_FILENO)
        return descriptor;
    above = fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    close(descriptor);
    return above;
}

void nx_pause(int64_t wait_ms)
{
    const int64_t longest_ms = 10;
    const struct timespec pause = {.tv_nsec = (wait_ms < longest_ms ? wait_ms : longest_ms) * 1000000};

    nanosleep(&pause, NULL);
}
