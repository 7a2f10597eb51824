/*
 * nexauth-bench: the program behind tests/bench/run, which makes a table of what it says.
 *
 *     nexauth-bench list                      the benchmarks, one a line, with tabs between: name, bar, bar of time,
 *                                             whether it is served, how many at once, what, floor
 *     nexauth-bench versions                  what the program was built with and runs with
 *     nexauth-bench time NAME                 nanoseconds: ours, the floor's, and the ratio
 *     nexauth-bench run NAME ours|floor N     does the work N times, for a tool that counts
 *     nexauth-bench ports N                   so many ports of 127.0.0.1 that nobody uses now
 *     nexauth-bench first ours|floor          gets one token, in a process that does nothing else
 *     nexauth-bench sources N                 makes N sources, each with a token: bytes and nanoseconds a source
 *     nexauth-bench answer                    what the server is to answer
 *
 * A time is the median of many rounds. In each round the two sides take turns, so that whatever slows the machine down
 * slows both, and the ratio is the median of the rounds' ratios.
 */
#include "bench/bench.h"
#include "bench/token.h"

#include <arpa/inet.h>
#include <cjson/cJSON.h>
#ifdef NEXAUTH_XML
#include <libxml/xmlversion.h>
#endif
#include <curl/curl.h>

#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 301, ROUND_NS = 1000000, TIMES_MOST = 1 << 24, PORTS_MOST = 16 };

static const struct bench *const benches[] = {
    &bench_json,       &bench_json_escaped,
#ifdef NEXAUTH_XML
    &bench_xml,
#endif
    &bench_get,        &bench_get_two,      &bench_copy,     &bench_copy_two, &bench_permit,
    &bench_permit_two, &bench_http,         &bench_https,    &bench_dropped,  &bench_first_token,
    &bench_flood_http, &bench_flood_https,  &bench_flood_h2, &bench_call,     NULL,
};

const struct nexauth_limit bench_limit = {.name = "token", .requests = 100000, .window_ms = 1};

static const struct bench *find_bench(const char *name)
{
    const struct bench *const *bench = benches;

    while (*bench && strcmp((*bench)->name, name) != 0)
        bench++;
    return *bench;
}

static bool list(void)
{
    for (const struct bench *const *bench = benches; *bench; bench++)
        printf("%s\t%.2f\t%.2f\t%s\t%zu\t%s\t%s\n", (*bench)->name, (*bench)->bar, (*bench)->time_bar,
               (*bench)->served ? "served" : "-", (*bench)->least ? (*bench)->least : 1, (*bench)->what,
               (*bench)->floor);
    return true;
}

static bool print_versions(void)
{
#ifdef __clang__
    printf("clang %s, ", __clang_version__);
#else
    printf("gcc %s, ", __VERSION__);
#endif
    printf("libcurl %s, cJSON %s", curl_version_info(CURLVERSION_NOW)->version, cJSON_Version());
#ifdef NEXAUTH_XML
    printf(", libxml2 %s", LIBXML_DOTTED_VERSION);
#endif
    printf("\n");
    return true;
}

/* ---- Time -------------------------------------------------------------------------------------------------------- */

static struct {
    clockid_t clock;
    double ran_ns;
    double since_ns;
} watch = {.clock = CLOCK_MONOTONIC};

static double now_ns(void)
{
    struct timespec now;

    clock_gettime(watch.clock, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

void bench_stop_watch(void)
{
    watch.ran_ns += now_ns() - watch.since_ns;
}

void bench_start_watch(void)
{
    watch.since_ns = now_ns();
}

/* Nanoseconds for each of so many times; negative when the work went wrong. */
static double measure(const struct bench *bench, bool (*run)(size_t times), size_t times)
{
    bool good;

    watch.clock = bench->cpu ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC;
    watch.ran_ns = 0;
    bench_start_watch();
    good = run(times);
    bench_stop_watch();
    return good ? watch.ran_ns / (double)times : -1;
}

/* How often the work has to be done to take as long as a side of a round should; 0 when it goes wrong. */
static size_t find_times(const struct bench *bench, bool (*run)(size_t times))
{
    size_t times = bench->least ? bench->least : 1;
    double each = measure(bench, run, times);

    while (each >= 0 && each * (double)times < ROUND_NS && times < TIMES_MOST) {
        times *= 2;
        each = measure(bench, run, times);
    }
    return each < 0 ? 0 : times;
}

static int compare_numbers(const void *a, const void *b)
{
    const double *x = a;
    const double *y = b;

    return (*x > *y) - (*x < *y);
}

static double median(double *numbers, size_t count)
{
    qsort(numbers, count, sizeof *numbers, compare_numbers);
    return numbers[count / 2];
}

static bool time_bench(const struct bench *bench)
{
    static double ours[ROUNDS], floors[ROUNDS], ratios[ROUNDS];
    const size_t times = find_times(bench, bench->run);
    const size_t floor_times = find_times(bench, bench->run_floor);
    const int rounds = bench->rounds ? bench->rounds : ROUNDS;

    if (!times || !floor_times)
        return false;
    for (int i = 0; i < rounds; i++) {
        ours[i] = measure(bench, bench->run, times);
        floors[i] = measure(bench, bench->run_floor, floor_times);
        if (ours[i] < 0 || floors[i] < 0)
            return false;
        ratios[i] = ours[i] / floors[i];
    }
    printf("%.0f %.0f %.2f\n", median(ours, (size_t)rounds), median(floors, (size_t)rounds),
           median(ratios, (size_t)rounds));
    return true;
}

/* ---- For the server ---------------------------------------------------------------------------------------------- */

static bool print_port(int *held)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;

    *held = socket(AF_INET, SOCK_STREAM, 0);
    if (*held < 0 || bind(*held, (struct sockaddr *)&address, size) != 0 ||
        getsockname(*held, (struct sockaddr *)&address, &size) != 0)
        return false;
    printf("%d\n", ntohs(address.sin_port));
    return true;
}

/* All are held until the last is found, so that no two are the same. */
static bool print_ports(size_t count)
{
    int held[PORTS_MOST];
    size_t found = 0;

    while (found < count && found < PORTS_MOST && print_port(&held[found]))
        found++;
    for (size_t i = 0; i < found; i++)
        close(held[i]);
    return found == count;
}

static bool print_answer(void)
{
    struct nx_text token;
    bool good;

    nx_text_init(&token, TOKEN_SIZE);
    bench_add_token(&token, "+");
    good = !nx_text_failed(&token);
    printf("{\"access_token\":\"%s\",\"expires_in\":3600,\"token_type\":\"Bearer\",\"scope\":\"api1\"}\n",
           nx_text_string(&token));
    nx_text_release(&token);
    return good;
}

/* ---- The command line -------------------------------------------------------------------------------------------- */

static bool run_side(const struct bench *bench, const char *side, const char *times)
{
    return (strcmp(side, "floor") == 0 ? bench->run_floor : bench->run)(strtoul(times, NULL, 10));
}

static bool work(const struct bench *bench, char **arguments)
{
    bool good = bench->prepare();

    if (good)
        good = arguments[0] ? run_side(bench, arguments[0], arguments[1]) : time_bench(bench);
    bench->finish();
    if (!good)
        fprintf(stderr, "nexauth-bench: %s went wrong\n", bench->name);
    return good;
}

static bool obey(int count, char **words)
{
    const struct bench *bench = count > 2 ? find_bench(words[2]) : NULL;

    if (count == 2 && strcmp(words[1], "list") == 0)
        return list();
    if (count == 2 && strcmp(words[1], "versions") == 0)
        return print_versions();
    if (count == 2 && strcmp(words[1], "answer") == 0)
        return print_answer();
    if (count == 3 && strcmp(words[1], "ports") == 0)
        return print_ports(strtoul(words[2], NULL, 10));
    if (count == 3 && strcmp(words[1], "sources") == 0)
        return bench_sources(strtoul(words[2], NULL, 10));
    if (count == 3 && strcmp(words[1], "first") == 0)
        return bench_first(words[2]);
    if (bench && ((count == 3 && strcmp(words[1], "time") == 0) || (count == 5 && strcmp(words[1], "run") == 0)))
        return work(bench, words + 3);
    fprintf(stderr, "usage: nexauth-bench list | versions | answer | ports N | first ours|floor | time NAME | "
                    "run NAME ours|floor N\n");
    return false;
}

static bool is_optimised(void)
{
#ifdef __OPTIMIZE__
    return true;
#else
    fprintf(stderr, "nexauth-bench: built without optimisation, its figures say nothing: use the preset release\n");
    return false;
#endif
}

int main(int count, char **words)
{
    return is_optimised() && obey(count, words) ? EXIT_SUCCESS : EXIT_FAILURE;
}
