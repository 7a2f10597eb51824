#include "limits.h"

#include "json.h"
#include "text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { REQUESTS_MAX = 1000000, LONGEST_MS = 2000000000 };

/* An address, and what came from it. */
struct emu_client {
    struct emu_client *next;
    char address[INET6_ADDRSTRLEN];
    struct emu_arrivals all; /* what the limit is for, refused or not */
    struct emu_arrivals admitted;
    unsigned long refused;
    unsigned long bans;
    int64_t banned_until_us;
};

/*
 * What each vendor says of itself, or what may well be: nothing is published of Nexusguard, nor of the API of Quantoz.
 */
static const struct vendor {
    long requests;
    const char *ban;
    bool everywhere; /* the limit is for all that comes to the origin; else for the paths that are not unlimited */
    bool by_name;    /* there is a limit only when it is told by the service's name */
    const char *answer;
} vendors[EMU_VENDORS] = {
    [EMU_NEX] = {600, "html-403", true, false, "throttled-string"},
    [EMU_QUANTOZ_TEST] = {60, NULL, false, false, "throttled-text"},
    [EMU_QUANTOZ_PRODUCTION] = {60, NULL, false, false, "throttled-text"},
    [EMU_NEXUSGUARD] = {60, NULL, false, false, "throttled"},
    [EMU_QUANTOZ_TEST_API] = {60, NULL, true, true, "throttled-text"},
    [EMU_QUANTOZ_PRODUCTION_API] = {60, NULL, true, true, "throttled-text"},
};

void emu_limits_init(struct emu_limits *limits)
{
    *limits = (struct emu_limits){0};
    for (size_t i = 0; i < EMU_VENDORS; i++) {
        limits->of[i] = (struct emu_limit){
            .requests = vendors[i].requests,
            .window_ms = 60000,
            .ban = vendors[i].ban ? emu_ban_find(vendors[i].ban) : NULL,
            .ban_ms = 3600000,
        };
    }
}

/* A face, or "none". */
static const char *read_ban(const cJSON *description, struct emu_limit *limit)
{
    const cJSON *ban = cJSON_GetObjectItemCaseSensitive(description, "ban");
    const char *name = cJSON_IsString(ban) ? ban->valuestring : "";

    if (!ban)
        return NULL;
    limit->ban = emu_ban_find(name);
    return limit->ban || strcmp(name, "none") == 0 ? NULL : "ban is not one of none, " EMU_BAN_NAMES ".";
}

static const char *read_limit(const cJSON *description, struct emu_limit *limit)
{
    limit->enforced = emu_json_flag(description, "enforced", true);
    limit->requests = emu_json_whole(description, "requests", 1, REQUESTS_MAX, limit->requests);
    limit->window_ms = emu_json_whole(description, "window_ms", 1, LONGEST_MS, limit->window_ms);
    limit->ban_ms = emu_json_whole(description, "ban_ms", 1, LONGEST_MS, limit->ban_ms);
    if (!emu_json_is_flag(description, "enforced"))
        return "enforced is neither true nor false.";
    if (limit->requests < 0)
        return "requests is not a whole number between 1 and 1000000.";
    if (limit->window_ms < 0)
        return "window_ms is not a whole number between 1 and 2000000000.";
    if (limit->ban_ms < 0)
        return "ban_ms is not a whole number between 1 and 2000000000.";
    return read_ban(description, limit);
}

const char *emu_limits_tell(struct emu_limits *limits, const cJSON *description)
{
    static const char *const names[] = {"service", "enforced", "requests", "window_ms", "ban", "ban_ms"};
    const char *name = emu_json_string(description, "service");
    const struct emu_service *service = name ? emu_service_by_name(name) : NULL;
    struct emu_limit told[EMU_VENDORS];

    if (!emu_json_only(description, names, COUNT(names)))
        return "This is not a JSON object without a NUL, or has a member that is not known or twice there.";
    if (!service && cJSON_GetObjectItemCaseSensitive(description, "service"))
        return "service is not one of " EMU_SERVICE_NAMES ".";
    for (size_t i = 0; i < EMU_VENDORS; i++) {
        told[i] = limits->of[i];
        bool meant = service ? service->id == i : !vendors[i].by_name;
        const char *problem = meant ? read_limit(description, &told[i]) : NULL;
        if (problem)
            return problem;
    }
    memcpy(limits->of, told, sizeof(told));
    return NULL;
}

static struct emu_client *find_client(struct emu_client **first, const struct sockaddr *from)
{
    struct emu_client **link = first;
    char address[INET6_ADDRSTRLEN] = "";

    if (from->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr, address, sizeof(address));
    else
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)from)->sin_addr, address, sizeof(address));
    while (*link && strcmp((*link)->address, address) != 0)
        link = &(*link)->next;
    if (!*link) {
        *link = emu_allocate(sizeof(**link));
        **link = (struct emu_client){0};
        memcpy((*link)->address, address, sizeof(address));
    }
    return *link;
}

/* How long until another request is admitted, in microseconds; 0: now. */
static int64_t wait_of(const struct emu_limit *limit, const struct emu_arrivals *admitted, int64_t now_us)
{
    size_t requests = (size_t)limit->requests;

    if (!admitted->at_us || admitted->count < requests)
        return 0;
    int64_t free_us = admitted->at_us[admitted->count - requests] + (int64_t)limit->window_ms * 1000;
    return free_us > now_us ? free_us - now_us : 0;
}

static struct emu_verdict judge(const struct emu_limit *limit, struct emu_client *client, bool limited, int64_t now_us)
{
    struct emu_verdict verdict = {0};

    if (!limit->enforced)
        return verdict;
    verdict.refused = limit->ban && now_us < client->banned_until_us;
    verdict.ban = limit->ban;
    int64_t wait_us = limited && !verdict.refused ? wait_of(limit, &client->admitted, now_us) : 0;
    if (wait_us > 0) {
        verdict.refused = true;
        verdict.retry_after_s = (long)((wait_us + 999999) / 1000000);
        client->bans += limit->ban != NULL;
        if (limit->ban)
            client->banned_until_us = now_us + (int64_t)limit->ban_ms * 1000;
    }
    client->refused += verdict.refused;
    return verdict;
}

static bool is_limited(const struct emu_service *service, const char *target)
{
    size_t path = emu_service_path(service, target);

    return vendors[service->id].everywhere || (path < service->route_count && !service->routes[path].unlimited);
}

struct emu_verdict emu_limits_admit(struct emu_limits *limits, const struct emu_request *request,
                                    const struct sockaddr *from, int64_t now_us)
{
    const struct emu_service *service = request->service;
    struct emu_client *client = find_client(&limits->clients[service->id], from);
    bool limited = is_limited(service, request->target);
    struct emu_verdict verdict = judge(&limits->of[service->id], client, limited, now_us);

    if (limited)
        emu_arrivals_add(&client->all, now_us);
    if (limited && !verdict.refused)
        emu_arrivals_add(&client->admitted, now_us);
    return verdict;
}

/* As AspNetCoreRateLimit and WebApiThrottle write a limit. */
static char *word_quota(const struct emu_limit *limit, bool quoted)
{
    static const struct {
        long ms;
        const char *name;
        const char *letter;
    } periods[] = {
        {86400000, "Day", "d"}, {3600000, "Hour", "h"}, {60000, "Minute", "m"}, {1000, "Second", "s"}, {1, "ms", "ms"}};
    size_t i = 0;

    while (limit->window_ms % periods[i].ms != 0)
        i++;
    long number = limit->window_ms / periods[i].ms;
    if (!quoted)
        return emu_format("API calls quota exceeded! maximum admitted %ld per %ld%s.", limit->requests, number,
                          periods[i].letter);
    if (number == 1)
        return emu_format("\"API calls quota exceeded! maximum admitted %ld per %s.\"", limit->requests,
                          periods[i].name);
    return emu_format("\"API calls quota exceeded! maximum admitted %ld per %ld %s.\"", limit->requests, number,
                      periods[i].name);
}

bool emu_limits_refuse(const struct emu_limits *limits, const struct emu_shapes *shapes,
                       const struct emu_verdict *verdict, const struct emu_request *request, struct emu_answer *answer)
{
    enum emu_service_id id = request->service->id;
    const char *name = verdict->ban ? verdict->ban->answer : vendors[id].answer;

    if (!name)
        return false;
    emu_shape_give(emu_shapes_find(shapes, request->service, name), answer);
    if (verdict->ban)
        return true;
    char *seconds = emu_format("%ld", verdict->retry_after_s);
    emu_answer_remove_header(answer, "Retry-After");
    emu_answer_header(answer, "Retry-After", seconds);
    free(seconds);
    if (answer->length > 0) {
        free(answer->body);
        answer->body = word_quota(&limits->of[id], id == EMU_NEX);
        answer->length = strlen(answer->body);
    }
    return true;
}

static void report_client(cJSON *list, const struct emu_client *client, int64_t window_us, int64_t now_us)
{
    cJSON *object = cJSON_CreateObject();
    int64_t left_ms = (client->banned_until_us - now_us + 999) / 1000;

    cJSON_AddStringToObject(object, "address", client->address);
    cJSON_AddNumberToObject(object, "largest_in_window", (double)emu_arrivals_largest(&client->all, window_us));
    cJSON_AddNumberToObject(object, "refused", (double)client->refused);
    cJSON_AddNumberToObject(object, "bans", (double)client->bans);
    cJSON_AddNumberToObject(object, "banned_for_ms", left_ms > 0 ? (double)left_ms : 0);
    cJSON_AddItemToArray(list, object);
}

static void report_service(cJSON *report, const struct emu_limit *limit, const struct emu_client *first, int64_t now_us)
{
    int64_t window_us = (int64_t)limit->window_ms * 1000;
    cJSON *list = cJSON_CreateArray();
    size_t largest = 0;
    unsigned long refused = 0;
    unsigned long bans = 0;

    for (const struct emu_client *client = first; client; client = client->next) {
        size_t own = emu_arrivals_largest(&client->all, window_us);
        largest = own > largest ? own : largest;
        refused += client->refused;
        bans += client->bans;
        report_client(list, client, window_us, now_us);
    }
    cJSON_AddBoolToObject(report, "enforced", limit->enforced);
    cJSON_AddNumberToObject(report, "requests", (double)limit->requests);
    cJSON_AddNumberToObject(report, "window_ms", (double)limit->window_ms);
    cJSON_AddStringToObject(report, "ban", limit->ban ? limit->ban->name : "none");
    cJSON_AddNumberToObject(report, "ban_ms", (double)limit->ban_ms);
    cJSON_AddNumberToObject(report, "largest_in_window", (double)largest);
    cJSON_AddNumberToObject(report, "refused", (double)refused);
    cJSON_AddNumberToObject(report, "bans", (double)bans);
    cJSON_AddItemToObject(report, "addresses", list);
}

cJSON *emu_limits_report(const struct emu_limits *limits, int64_t now_us)
{
    cJSON *report = cJSON_CreateObject();

    for (size_t i = 0; i < EMU_VENDORS; i++)
        report_service(cJSON_AddObjectToObject(report, emu_vendors[i]->name), &limits->of[i], limits->clients[i],
                       now_us);
    return report;
}

static void client_free(struct emu_client *client)
{
    emu_arrivals_release(&client->all);
    emu_arrivals_release(&client->admitted);
    free(client);
}

void emu_limits_forget(struct emu_limits *limits)
{
    for (size_t i = 0; i < EMU_VENDORS; i++) {
        while (limits->clients[i]) {
            struct emu_client *client = limits->clients[i];
            limits->clients[i] = client->next;
            client_free(client);
        }
    }
}
