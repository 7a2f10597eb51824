#include "faults.h"

#include "json.h"
#include "text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { DELAY_MAX_MS = 600000, TIMES_MAX = 1000000 };

static void fault_free(struct emu_fault *fault)
{
    cJSON_Delete(fault->description);
    free(fault);
}

/* A whole number between the two, `missing` when it is not there, -1 when it is something else. */
static long number(const cJSON *object, const char *name, long least, long most, long missing)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);

    if (!value)
        return missing;
    if (!cJSON_IsNumber(value) || value->valuedouble < (double)least || value->valuedouble > (double)most)
        return -1;
    long whole = (long)value->valuedouble;
    return (double)whole == value->valuedouble ? whole : -1;
}

static bool is_flag(const cJSON *value)
{
    return !value || cJSON_IsBool(value);
}

/* RFC 9110, section 5.5. */
static bool is_header_value(const char *value)
{
    while (*value && (unsigned char)*value >= 0x20 && *value != 0x7f)
        value++;
    return *value == '\0';
}

/* RFC 9110, section 5.1. The length is the server's own business. */
static bool is_header(const cJSON *header)
{
    const char *name = header->string;

    if (!cJSON_IsString(header) || *name == '\0' || strcasecmp(name, "Content-Length") == 0)
        return false;
    for (; *name; name++) {
        if (!isalnum((unsigned char)*name) && !strchr("!#$%&'*+-.^_`|~", *name))
            return false;
    }
    return is_header_value(header->valuestring);
}

static const char *check_headers(const cJSON *headers)
{
    const cJSON *header = NULL;

    if (!headers)
        return NULL;
    if (!cJSON_IsObject(headers) || cJSON_GetArraySize(headers) > EMU_HEADERS_MAX)
        return "answer.headers is not an object of at most 16 members.";
    cJSON_ArrayForEach(header, headers)
    {
        if (!is_header(header))
            return "answer.headers has a member that cannot be sent.";
    }
    return NULL;
}

static const char *check_answer(const cJSON *answer)
{
    static const char *const names[] = {"status", "headers", "body"};
    const cJSON *body = cJSON_GetObjectItemCaseSensitive(answer, "body");

    if (!answer)
        return NULL;
    if (!emu_json_only(answer, names, COUNT(names)))
        return "answer is not an object of status, headers and body.";
    if (number(answer, "status", 200, 599, 200) < 0)
        return "answer.status is not a whole number between 200 and 599.";
    if (body && !cJSON_IsString(body))
        return "answer.body is not a string.";
    return check_headers(cJSON_GetObjectItemCaseSensitive(answer, "headers"));
}

static const char *check_connect(const cJSON *connect)
{
    static const char *const names[] = {"state", "redirect", "error"};
    const cJSON *value = NULL;

    if (!connect)
        return NULL;
    if (!emu_json_only(connect, names, COUNT(names)))
        return "connect is not an object of state, redirect and error.";
    cJSON_ArrayForEach(value, connect)
    {
        if (!cJSON_IsString(value) || !is_header_value(value->valuestring))
            return "connect has a member that is not a string, or that cannot be sent in a header.";
    }
    return NULL;
}

static const char *read_place(const cJSON *description, struct emu_fault *fault)
{
    const char *service = emu_json_string(description, "service");
    const char *path = emu_json_string(description, "path");

    fault->service = service ? emu_service_by_name(service) : NULL;
    if (!fault->service)
        return "service is not one of nex, quantoz_test, quantoz_production and nexusguard.";
    fault->path = path ? emu_service_path(fault->service, path) : fault->service->route_count;
    return fault->path < fault->service->route_count ? NULL : "path is not one of the service's.";
}

static const char *read_fault(const cJSON *description, struct emu_fault *fault)
{
    const cJSON *drop = cJSON_GetObjectItemCaseSensitive(description, "drop");
    const cJSON *process = cJSON_GetObjectItemCaseSensitive(description, "process");

    fault->times = number(description, "times", 1, TIMES_MAX, 1);
    fault->delay_ms = number(description, "delay_ms", 0, DELAY_MAX_MS, 0);
    fault->answer = cJSON_GetObjectItemCaseSensitive(description, "answer");
    fault->connect = cJSON_GetObjectItemCaseSensitive(description, "connect");
    if (fault->times < 0)
        return "times is not a whole number between 1 and 1000000.";
    if (fault->delay_ms < 0)
        return "delay_ms is not a whole number between 0 and 600000.";
    if (!is_flag(drop) || !is_flag(process))
        return "drop or process is neither true nor false.";
    fault->drop = cJSON_IsTrue(drop);
    fault->process = process ? cJSON_IsTrue(process) : !fault->answer;
    const char *problem = check_answer(fault->answer);
    return problem ? problem : check_connect(fault->connect);
}

static const char *read_description(const cJSON *description, struct emu_fault *fault)
{
    static const char *const names[] = {"service", "path", "times", "delay_ms", "answer", "drop", "process", "connect"};

    if (!emu_json_only(description, names, COUNT(names)))
        return "The body is not a JSON object, or has a member that is not known or twice there.";
    const char *problem = read_place(description, fault);
    return problem ? problem : read_fault(description, fault);
}

const char *emu_faults_add(struct emu_faults *faults, const char *text, size_t length)
{
    struct emu_fault *fault = emu_allocate(sizeof(*fault));
    struct emu_fault **end = &faults->first;

    fault->description = emu_json_parse(text, length);
    const char *problem = read_description(fault->description, fault);
    if (problem) {
        fault_free(fault);
        return problem;
    }
    while (*end)
        end = &(*end)->next;
    *end = fault;
    return NULL;
}

struct emu_fault *emu_faults_take(struct emu_faults *faults, const struct emu_request *request)
{
    size_t path = emu_service_path(request->service, request->target);
    struct emu_fault **link = &faults->first;

    while (*link && ((*link)->service != request->service || (*link)->path != path))
        link = &(*link)->next;
    struct emu_fault *fault = *link;
    if (!fault)
        return NULL;
    fault->users++;
    if (--fault->times == 0)
        *link = fault->next;
    return fault;
}

void emu_fault_release(struct emu_fault *fault)
{
    if (fault && --fault->users == 0 && fault->times == 0)
        fault_free(fault);
}

void emu_fault_answer(const struct emu_fault *fault, struct emu_answer *answer)
{
    const char *body = emu_json_string(fault->answer, "body");
    const cJSON *header = NULL;

    if (!body)
        body = "";
    emu_answer_set(answer, (unsigned int)number(fault->answer, "status", 200, 599, 200), NULL,
                   emu_copy(body, strlen(body)));
    cJSON_ArrayForEach(header, cJSON_GetObjectItemCaseSensitive(fault->answer, "headers"))
        emu_answer_header(answer, header->string, header->valuestring);
}

void emu_faults_clear(struct emu_faults *faults)
{
    while (faults->first) {
        struct emu_fault *fault = faults->first;
        faults->first = fault->next;
        fault->times = 0;
        fault->users++;
        emu_fault_release(fault);
    }
}
