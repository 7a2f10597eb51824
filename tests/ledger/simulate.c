/*
 * The rate ledger among hostile networks, in virtual time: ledger-simulate [HOURS [SCENE...]]. Ends with 0 if no door
 * saw more than N in any W, slots stood idle at most 1 % of the time while somebody waited, nobody waited longer than
 * the bound (traffic.c), and each scene's own check held; and if the limiters of others were seen to fail.
 */
#include "core/ledger.h"
#include "ledger/limiters.h"
#include "ledger/traffic.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_US   INT64_C(60000000)
#define HOUR_US     (60 * MINUTE_US)
#define ROUNDING    1e-6
#define MOST_IDLE   0.01
#define LEAST_SHARE 0.24

/* clang-format off */
#define CALM     .up_low_us = 1000, .up_high_us = 50000, .down_high_us = 50000
#define FALLING  .up_low_us = 2000, .up_high_us = 200000, .down_high_us = 2000, .fall_every_us = 7000000
#define BUNCHING .up_low_us = 1000, .up_high_us = 3000000, .down_high_us = 3000000, \
                 .jam_every_us = 23000000, .jam_us = 11000000
#define HOSTILE  .up_low_us = 1000, .up_high_us = 9000000, .down_high_us = 9000000, .jam_every_us = 97000000, \
                 .jam_us = 20000000, .lost = 200, .late = 200, .resent = 200, .unsent = 100, .gateway = 100
/* clang-format on */

enum { GATE_0 = 1, GATE_1 = 2, GATE_2 = 4 };

static const struct scene scenes[] = {
    {.name = "falling delay",
     .gates = {{600, MINUTE_US}},
     .streams = {{GATE_0, NX_LANE_TOKEN, 0, 20, 0, 0, 0}},
     .network = {FALLING},
     .busy = GATE_0},
    {.name = "bunching",
     .gates = {{600, MINUTE_US}},
     .streams = {{GATE_0, NX_LANE_TOKEN, 0, 20, 0, 0, 0}, {GATE_0, NX_LANE_API, 1, 20, 0, 0, 0}},
     .network = {BUNCHING},
     .busy = GATE_0,
     .shared = true},
    {.name = "hostile",
     .gates = {{600, MINUTE_US}},
     .streams = {{GATE_0, NX_LANE_TOKEN, 0, 20, 0, 0, 0}, {GATE_0, NX_LANE_API, 1, 20, 0, 0, 0}},
     .network = {HOSTILE},
     .busy = GATE_0,
     .shared = true},
    {.name = "client's clock fast",
     .gates = {{60, MINUTE_US}},
     .streams = {{GATE_0, NX_LANE_API, 0, 5, 0, 0, 0}},
     .network = {FALLING},
     .client_ppm = 100,
     .server_ppm = -100,
     .busy = GATE_0},
    {.name = "client's clock slow",
     .gates = {{60, MINUTE_US}},
     .streams = {{GATE_0, NX_LANE_API, 0, 5, 0, 0, 0}},
     .network = {HOSTILE},
     .client_ppm = -100,
     .server_ppm = 100,
     .busy = GATE_0},
    {.name = "coarse ticks",
     .gates = {{600, MINUTE_US}},
     .streams = {{GATE_0, NX_LANE_TOKEN, 0, 20, 0, 0, 0}},
     .network = {FALLING},
     .client_ppm = 100,
     .server_ppm = -100,
     .tick_us = 10000,
     .busy = GATE_0},
    {.name = "short window",
     .gates = {{100, 1000000}},
     .streams = {{GATE_0, NX_LANE_TOKEN, 0, 9, 0, 0, 0}, {GATE_0, NX_LANE_API, 1, 9, 0, 0, 0}},
     .network = {CALM, .lost = 1},
     .client_ppm = 100,
     .server_ppm = -100,
     .busy = GATE_0,
     .shared = true},
    {.name = "one slot",
     .gates = {{1, 10000000}},
     .streams = {{GATE_0, NX_LANE_TOKEN, 0, 2, 0, 0, 0}, {GATE_0, NX_LANE_API, 1, 2, 0, 0, 0}},
     .network = {HOSTILE},
     .busy = GATE_0,
     .shared = true},
    {.name = "two gates",
     .gates = {{600, MINUTE_US}, {60, MINUTE_US}},
     .streams = {{GATE_0, NX_LANE_API, 0, 9, 0, 0, 0}, {GATE_0 | GATE_1, NX_LANE_API, 1, 9, 0, 0, 0}},
     .network = {HOSTILE},
     .busy = GATE_0 | GATE_1},
    {.name = "two gates or one",
     .gates = {{1, 10000000}, {1, 10000000}},
     .streams = {{GATE_0, NX_LANE_API, 0, 2, 0, 0, 0},
                 {GATE_1, NX_LANE_API, 1, 2, 0, 0, 0},
                 {GATE_0 | GATE_1, NX_LANE_API, 2, 1, 0, 0, 0}},
     .network = {CALM}},
    {.name = "three gates",
     .gates = {{300, MINUTE_US}, {100, MINUTE_US}, {50, 20000000}},
     .streams = {{GATE_0, NX_LANE_API, 0, 9, 0, 0, 0},
                 {GATE_0 | GATE_1, NX_LANE_TOKEN, 1, 9, 0, 0, 0},
                 {GATE_0 | GATE_2, NX_LANE_API, 2, 9, 0, 0, 0},
                 {GATE_0 | GATE_1 | GATE_2, NX_LANE_API, 3, 9, 0, 0, 0}},
     .network = {HOSTILE},
     .busy = GATE_0},
    {.name = "cold start",
     .gates = {{600, MINUTE_US}},
     .streams = {{GATE_0, NX_LANE_TOKEN, 0, 0, 10000, 0, 0}, {GATE_0, NX_LANE_API, 1, 50, 0, 0, 0}},
     .network = {CALM},
     .busy = GATE_0,
     .shared = true},
    {.name = "deadlines",
     .gates = {{60, MINUTE_US}},
     .streams = {{GATE_0, NX_LANE_TOKEN, 0, 30, 0, MINUTE_US / 2, 0},
                 {GATE_0, NX_LANE_API, 1, 30, 0, MINUTE_US * 2, 0},
                 {GATE_0, NX_LANE_API, 2, 2, 0, 0, 0}},
     .network = {HOSTILE},
     .busy = GATE_0,
     .shared = true},
    {.name = "four owners",
     .gates = {{600, MINUTE_US}},
     .streams = {{GATE_0, NX_LANE_TOKEN, 0, 9, 0, 0, 0},
                 {GATE_0, NX_LANE_TOKEN, 1, 9, 0, 0, 0},
                 {GATE_0, NX_LANE_API, 2, 9, 0, 0, 0},
                 {GATE_0, NX_LANE_API, 3, 9, 0, 0, 0}},
     .network = {HOSTILE},
     .busy = GATE_0,
     .shared = true},
    {.name = "one owner sleeps",
     .gates = {{100, 1000000}},
     .streams = {{GATE_0, NX_LANE_TOKEN, 0, 9, 0, 0, 0},
                 {GATE_0, NX_LANE_TOKEN, 3, 9, 0, 0, 0},
                 {GATE_0, NX_LANE_API, 2, 9, 0, 0, 0}},
     .network = {CALM},
     .sleep_us = 5000000,
     .busy = GATE_0},
    {.name = "processes die",
     .gates = {{600, MINUTE_US}, {60, MINUTE_US}},
     .streams = {{GATE_0, NX_LANE_TOKEN, 0, 9, 0, 0, 0},
                 {GATE_0 | GATE_1, NX_LANE_TOKEN, 1, 9, 0, 0, 0},
                 {GATE_0, NX_LANE_API, 2, 9, 0, 0, 0},
                 {GATE_0 | GATE_1, NX_LANE_API, 3, 9, 0, 0, 0}},
     .network = {HOSTILE},
     .death_us = 20000000,
     .busy = GATE_0},
    {.name = "resends",
     .gates = {{4, MINUTE_US}},
     .streams = {{GATE_0, NX_LANE_TOKEN, 0, 1, 0, 0, 80000000}, {GATE_0, NX_LANE_API, 1, 2, 0, 0, 230000000}},
     .network = {.up_low_us = 1000, .up_high_us = 2000, .down_high_us = 5000, .late = 3000, .resent = 5000}},
    {.name = "refusals",
     .gates = {{600, MINUTE_US}},
     .streams = {{GATE_0, NX_LANE_TOKEN, 0, 20, 0, 0, 0}, {GATE_0, NX_LANE_API, 1, 20, 0, 0, 0}},
     .network = {HOSTILE},
     .refused = 20},
};

static bool complain(bool is_amiss, const char *what)
{
    if (is_amiss)
        printf("    AMISS: %s\n", what);
    return is_amiss;
}

static bool judge_gates(const struct scene *scene, const struct figures *figures)
{
    bool is_amiss = false;

    for (int i = 0; i < GATES && scene->gates[i].allowed; i++) {
        const struct gate_figures *gate = figures->gates + i;
        const double tick = ((double)scene->tick_us + 2) / (double)scene->gates[i].window_us;

        printf("    gate %d: %" PRIu64 " arrived, %" PRIu32 " of %" PRIu32 " in a window at most, idle %.2f %%\n", i,
               gate->arrivals, gate->most, scene->gates[i].allowed, 100 * fabs(gate->idle));
        is_amiss |= complain(gate->idle < -tick, "more slots are busy than there are");
        is_amiss |= complain(gate->over > 0, "a window holds more than N");
        is_amiss |= complain(gate->arrivals == 0, "nothing arrives");
        is_amiss |= complain(scene->busy >> i & 1 && gate->idle > MOST_IDLE, "slots stand idle");
    }
    return is_amiss;
}

static bool judge(const struct scene *scene, const struct figures *figures)
{
    const double tokens = (double)figures->contested[NX_LANE_TOKEN], calls = (double)figures->contested[NX_LANE_API];
    const double share = tokens + calls > 0 ? calls / (tokens + calls) : 0.25;
    bool is_amiss = judge_gates(scene, figures);

    printf("    %" PRIu64 " granted, %" PRIu64 " given up, %" PRIu64 " unsent, %" PRIu64 " resent (%" PRIu64
           " not), %" PRIu64 " never, %" PRIu64 " late, %" PRIu64 " deaths\n",
           figures->granted, figures->given_up, figures->unsent, figures->resent, figures->again_refused,
           figures->never, figures->late, figures->deaths);
    printf("    longest wait %.1f s, %.2f of its bound; API calls have %.1f %% of what both want\n",
           (double)figures->longest_wait_us / 1e6, figures->longest_round_us / (double)figures->longest_busy_us,
           100 * share);
    is_amiss |= complain(scene->streams[0].patience_us && figures->never == 0, "nobody is told at once");
    is_amiss |= complain(figures->asleep_granted == 0 && scene->sleep_us, "who sleeps gets nothing");
    is_amiss |= complain(scene->refused == 0 && figures->longest_round_us > (double)figures->longest_busy_us,
                         "somebody waits longer than the bound");
    is_amiss |= complain(scene->shared && share < LEAST_SHARE, "API calls do not get one in four");
    is_amiss |= complain(figures->fault != NULL, figures->fault);
    fflush(stdout);
    return is_amiss;
}

static bool is_wanted(const char *name, int count, char **names)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return count == 0;
}

static bool simulate(const struct scene *scene, int64_t hours, uint64_t *arrivals)
{
    struct scene ready = *scene;
    struct figures figures;

    if (ready.tick_us == 0)
        ready.tick_us = 1;
    printf("%s\n", scene->name);
    traffic_run(&ready, 1, hours * HOUR_US, &figures);
    *arrivals += figures.gates[0].arrivals;
    return !judge(&ready, &figures);
}

int main(int count, char **arguments)
{
    const int64_t hours = count > 1 ? strtoll(arguments[1], NULL, 10) : 1;
    uint64_t arrivals = 0;
    bool is_kept = true;

    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) {
        if (is_wanted(scenes[i].name, count > 2 ? count - 2 : 0, arguments + 2))
            is_kept = simulate(scenes + i, hours, &arrivals) && is_kept;
    }
    printf("%" PRIu64 " requests in all\n", arrivals);
    return limiters_fail() && is_kept ? 0 : 1;
}
