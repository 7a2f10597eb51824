/* The beacon: one descriptor for two reasons to wake. */
#include "support/test.h"

#include "io/beacon.h"

#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

static bool is_readable(int descriptor)
{
    struct pollfd entry = {.fd = descriptor, .events = POLLIN};

    return poll(&entry, 1, 0) == 1;
}

static void a_beacon_is_readable_while_it_is_lit(void **state)
{
    struct nx_beacon *beacon = nx_beacon_new(-1);
    int descriptor;

    (void)state;
    assert_non_null(beacon);
    descriptor = nx_beacon_descriptor(beacon);
    assert_false(is_readable(descriptor));
    nx_beacon_quench(beacon);
    nx_beacon_light(beacon);
    nx_beacon_light(beacon);
    assert_true(is_readable(descriptor));
    assert_true(is_readable(descriptor));
    nx_beacon_quench(beacon);
    assert_false(is_readable(descriptor));
    nx_beacon_light(beacon);
    assert_true(is_readable(descriptor));
    nx_beacon_free(beacon);
}

static void a_beacon_is_readable_while_the_other_descriptor_is(void **state)
{
    const int other = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct nx_beacon *beacon = nx_beacon_new(other);
    eventfd_t value;

    (void)state;
    assert_non_null(beacon);
    assert_int_equal(eventfd_write(other, 1), 0);
    nx_beacon_light(beacon);
    nx_beacon_quench(beacon);
    assert_true(is_readable(nx_beacon_descriptor(beacon)));
    assert_int_equal(eventfd_read(other, &value), 0);
    assert_false(is_readable(nx_beacon_descriptor(beacon)));
    nx_beacon_free(beacon);
    assert_int_equal(eventfd_write(other, 1), 0); /* it was only watched */
    close(other);
}

/* The two descriptors are those that are free next. */
static void no_descriptor_outlives_an_exec(void **state)
{
    const int next = dup(STDERR_FILENO);
    struct nx_beacon *beacon;

    (void)state;
    close(next);
    beacon = nx_beacon_new(-1);
    assert_non_null(beacon);
    for (int descriptor = next; descriptor < next + 2; descriptor++)
        assert_true(fcntl(descriptor, F_GETFD) == FD_CLOEXEC);
    nx_beacon_free(beacon);
    assert_int_equal(fcntl(next, F_GETFD), -1);
    assert_int_equal(fcntl(next + 1, F_GETFD), -1);
}

static void without_descriptors_there_is_no_beacon_and_no_leak(void **state)
{
    const int next = dup(STDERR_FILENO);
    struct rlimit all;

    (void)state;
    close(next);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
    for (int spare = 0; spare < 2; spare++) {
        const struct rlimit few = {.rlim_cur = (rlim_t)next + (rlim_t)spare, .rlim_max = all.rlim_max};

        assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
        assert_null(nx_beacon_new(-1));
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
        assert_int_equal(fcntl(next, F_GETFD), -1);
    }
}

static void what_cannot_be_watched_makes_no_beacon(void **state)
{
    const int closed = dup(STDERR_FILENO);

    (void)state;
    close(closed);
    assert_null(nx_beacon_new(closed + 100));
    assert_int_equal(fcntl(closed, F_GETFD), -1);
    nx_beacon_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_beacon_is_readable_while_it_is_lit),
        cmocka_unit_test(a_beacon_is_readable_while_the_other_descriptor_is),
        cmocka_unit_test(no_descriptor_outlives_an_exec),
        cmocka_unit_test(without_descriptors_there_is_no_beacon_and_no_leak),
        cmocka_unit_test(what_cannot_be_watched_makes_no_beacon),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
