#include "counts.h"

#include "text.h"

#include <stdlib.h>

static struct emu_count *count_of(struct emu_counts *counts, const struct emu_request *request)
{
    return &counts->of[request->service->id][emu_service_path(request->service, request->target)];
}

struct emu_count *emu_counts_arrive(struct emu_counts *counts, const struct emu_request *request, int64_t now_us)
{
    struct emu_count *count = count_of(counts, request);

    emu_arrivals_add(&count->arrivals, now_us);
    emu_arrivals_add(&counts->arrivals[request->service->id], now_us);
    return count;
}

struct emu_count *emu_counts_begin(struct emu_counts *counts, const struct emu_request *request, struct emu_seen *seen)
{
    size_t path = emu_service_path(request->service, request->target);
    struct emu_count *count = count_of(counts, request);

    if (seen->resets != counts->resets)
        *seen = (struct emu_seen){.resets = counts->resets};
    count->requests++;
    count->in_flight++;
    count->connections += (seen->paths >> path & 1U) == 0;
    seen->paths |= 1U << path;
    return count;
}

static void report_path(cJSON *report, const char *service, const char *path, const struct emu_count *count,
                        int64_t window_us)
{
    char *key = emu_format("%s %s", service, path);
    cJSON *object = cJSON_AddObjectToObject(report, key);

    cJSON_AddNumberToObject(object, "requests", (double)count->requests);
    cJSON_AddNumberToObject(object, "in_flight", (double)count->in_flight);
    cJSON_AddNumberToObject(object, "unread", (double)count->unread);
    cJSON_AddNumberToObject(object, "connections", (double)count->connections);
    cJSON_AddNumberToObject(object, "largest_in_window", (double)emu_arrivals_largest(&count->arrivals, window_us));
    free(key);
}

static void report_service(cJSON *report, const struct emu_service *service, const struct emu_counts *counts,
                           int64_t window_us)
{
    const struct emu_count *of = counts->of[service->id];
    const struct emu_arrivals *arrivals = &counts->arrivals[service->id];
    unsigned long requests = 0;
    unsigned long unread = 0;

    for (size_t path = 0; path <= service->route_count; path++) {
        requests += of[path].requests;
        unread += of[path].unread;
        report_path(report, service->name, path < service->route_count ? service->routes[path].path : "other",
                    &of[path], window_us);
    }
    char *key = emu_format("%s *", service->name);
    cJSON *object = cJSON_AddObjectToObject(report, key);
    cJSON_AddNumberToObject(object, "requests", (double)requests);
    cJSON_AddNumberToObject(object, "unread", (double)unread);
    cJSON_AddNumberToObject(object, "largest_in_window", (double)emu_arrivals_largest(arrivals, window_us));
    free(key);
}

cJSON *emu_counts_report(const struct emu_counts *counts, int64_t window_us)
{
    cJSON *report = cJSON_CreateObject();

    for (size_t i = 0; i < EMU_VENDORS; i++)
        report_service(report, emu_vendors[i], counts, window_us);
    return report;
}

void emu_counts_reset(struct emu_counts *counts)
{
    counts->resets++;
    for (size_t i = 0; i < EMU_VENDORS; i++) {
        counts->arrivals[i].count = 0;
        for (size_t path = 0; path <= EMU_ROUTES_MAX; path++) {
            struct emu_count *count = &counts->of[i][path];
            count->requests = 0;
            count->unread = 0;
            count->connections = 0;
            count->arrivals.count = 0;
        }
    }
}

void emu_counts_release(struct emu_counts *counts)
{
    for (size_t i = 0; i < EMU_VENDORS; i++) {
        emu_arrivals_release(&counts->arrivals[i]);
        for (size_t path = 0; path <= EMU_ROUTES_MAX; path++)
            emu_arrivals_release(&counts->of[i][path].arrivals);
    }
}
