/* Starts an emulator of its own and shows what the library does with it. */
#include "demo.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { USAGE_FAILED = 2 };

int64_t demo_now_ns(void)
{
    struct timespec now = {0};

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void show(struct demo *demo)
{
    printf("libnexauth %s\n", nexauth_version());
    demo_show_grants(demo);
    demo_show_calls(demo);
    demo_show_failures(demo); /* last: a ban holds all of NEX for a minute */
    printf("\n%d of %d rows came out as expected.\n", demo->rows - demo->surprises, demo->rows);
}

int main(int count, char **values)
{
    struct demo demo = {0};
    bool started;
    bool ended;

    if (count > 2 || (count == 2 && values[1][0] == '-')) {
        fprintf(stderr, "Usage: %s [PATH OF NEXAUTH-EMULATOR]\n", values[0]);
        return USAGE_FAILED;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    started = demo_emulator_start(&demo.emulator, count == 2 ? values[1] : NEXAUTH_EMULATOR_PATH);
    if (started)
        show(&demo);
    ended = demo_emulator_stop(&demo.emulator);
    curl_global_cleanup();
    return started && ended && demo.surprises == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
