#include "counts.h"

#include "text.h"

#include <stdlib.h>

struct emu_count *emu_counts_begin(struct emu_counts *counts, const struct emu_request *request, struct emu_seen *seen)
{
    size_t path = emu_service_path(request->service, request->target);
    struct emu_count *count = &counts->of[request->service->id][path];

    if (seen->resets != counts->resets)
        *seen = (struct emu_seen){.resets = counts->resets};
    count->requests++;
    count->in_flight++;
    count->connections += (seen->paths >> path & 1U) == 0;
    seen->paths |= 1U << path;
    return count;
}

static void report_path(cJSON *report, const char *service, const char *path, const struct emu_count *count)
{
    char *key = emu_format("%s %s", service, path);
    cJSON *object = cJSON_AddObjectToObject(report, key);

    cJSON_AddNumberToObject(object, "requests", (double)count->requests);
    cJSON_AddNumberToObject(object, "in_flight", (double)count->in_flight);
    cJSON_AddNumberToObject(object, "connections", (double)count->connections);
    free(key);
}

cJSON *emu_counts_report(const struct emu_counts *counts)
{
    cJSON *report = cJSON_CreateObject();

    for (size_t i = 0; i < EMU_VENDORS; i++) {
        const struct emu_service *service = emu_vendors[i];
        for (size_t path = 0; path < service->route_count; path++)
            report_path(report, service->name, service->routes[path].path, &counts->of[i][path]);
        report_path(report, service->name, "other", &counts->of[i][service->route_count]);
    }
    return report;
}

void emu_counts_reset(struct emu_counts *counts)
{
    counts->resets++;
    for (size_t i = 0; i < EMU_VENDORS; i++) {
        for (size_t path = 0; path <= EMU_ROUTES_MAX; path++) {
            counts->of[i][path].requests = 0;
            counts->of[i][path].connections = 0;
        }
    }
}
