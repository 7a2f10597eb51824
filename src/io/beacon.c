#include "io/beacon.h"

#include "io/system.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* An epoll set is readable while one of its members is, and may itself be a member of another. */
struct nx_beacon {
    int set;
    int lamp;
};

static bool watch(const struct nx_beacon *beacon, int descriptor)
{
    struct epoll_event event = {.events = EPOLLIN};

    return epoll_ctl(beacon->set, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

struct nx_beacon *nx_beacon_new(int other)
{
    struct nx_beacon *beacon = calloc(1, sizeof *beacon);

    if (!beacon)
        return NULL;
    beacon->set = nx_above_streams(epoll_create1(EPOLL_CLOEXEC));
    beacon->lamp = nx_above_streams(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (beacon->set >= 0 && beacon->lamp >= 0 && watch(beacon, beacon->lamp) && (other < 0 || watch(beacon, other)))
        return beacon;
    nx_beacon_free(beacon);
    return NULL;
}

void nx_beacon_free(struct nx_beacon *beacon)
{
    if (!beacon)
        return;
    if (beacon->lamp >= 0)
        close(beacon->lamp);
    if (beacon->set >= 0)
        close(beacon->set);
    free(beacon);
}

int nx_beacon_descriptor(const struct nx_beacon *beacon)
{
    return beacon->set;
}

/* Neither fails: the count is far from its end, and there is something to read or there is not. */
void nx_beacon_light(struct nx_beacon *beacon)
{
    const uint64_t one = 1;

    (void)!write(beacon->lamp, &one, sizeof one);
}

void nx_beacon_quench(struct nx_beacon *beacon)
{
    uint64_t count;

    (void)!read(beacon->lamp, &count, sizeof count);
}
