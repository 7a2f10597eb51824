/*
 * nexauth-bench: the program behind tests/bench/run, which makes a table of what it says.
 *
 *     nexauth-bench list                      the benchmarks, one a line: name, bar, what, floor, with tabs between
 *     nexauth-bench versions                  what the program was built with and runs with
 *     nexauth-bench time NAME                 nanoseconds: ours, the floor's, and the ratio
 *     nexauth-bench run NAME ours|floor N     does the work N times, for a tool that counts
 *
 * A time is the median of many rounds. In each round the two sides take turns, so that whatever slows the machine down
 * slows both, and the ratio is the median of the rounds' ratios.
 */
#include "bench/bench.h"

#include <cjson/cJSON.h>
#ifdef NEXAUTH_XML
#include <libxml/xmlversion.h>
#endif

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 301, ROUND_NS = 1000000, TIMES_MOST = 1 << 24 };

static const struct bench *const benches[] = {
    &bench_json,
    &bench_json_escaped,
#ifdef NEXAUTH_XML
    &bench_xml,
#endif
    NULL,
};

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
        printf("%s\t%.2f\t%s\t%s\n", (*bench)->name, (*bench)->bar, (*bench)->what, (*bench)->floor);
    return true;
}

static bool print_versions(void)
{
#ifdef __clang__
    printf("clang %s, ", __clang_version__);
#else
    printf("gcc %s, ", __VERSION__);
#endif
    printf("cJSON %s", cJSON_Version());
#ifdef NEXAUTH_XML
    printf(", libxml2 %s", LIBXML_DOTTED_VERSION);
#endif
    printf("\n");
    return true;
}

/* ---- Time -------------------------------------------------------------------------------------------------------- */

static double now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Nanoseconds for each of so many times; negative when the work went wrong. */
static double measure(bool (*run)(size_t times), size_t times)
{
    const double start = now_ns();

    return run(times) ? (now_ns() - start) / (double)times : -1;
}

/* How often the work has to be done to take as long as a side of a round should; 0 when it goes wrong. */
static size_t find_times(bool (*run)(size_t times))
{
    size_t times = 1;
    double each = measure(run, times);

    while (each >= 0 && each * (double)times < ROUND_NS && times < TIMES_MOST) {
        times *= 2;
        each = measure(run, times);
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
    const size_t times = find_times(bench->run);
    const size_t floor_times = find_times(bench->run_floor);

    if (!times || !floor_times)
        return false;
    for (int i = 0; i < ROUNDS; i++) {
        ours[i] = measure(bench->run, times);
        floors[i] = measure(bench->run_floor, floor_times);
        if (ours[i] < 0 || floors[i] < 0)
            return false;
        ratios[i] = ours[i] / floors[i];
    }
    printf("%.0f %.0f %.2f\n", median(ours, ROUNDS), median(floors, ROUNDS), median(ratios, ROUNDS));
    return true;
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
    if (bench && ((count == 3 && strcmp(words[1], "time") == 0) || (count == 5 && strcmp(words[1], "run") == 0)))
        return work(bench, words + 3);
    fprintf(stderr, "usage: nexauth-bench list | versions | time NAME | run NAME ours|floor N\n");
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
