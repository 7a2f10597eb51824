#include "service.h"

#include "text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

const struct emu_service *const emu_vendors[EMU_VENDORS] = {
    [EMU_NEX] = &emu_nex,
    [EMU_QUANTOZ_TEST] = &emu_quantoz_test,
    [EMU_QUANTOZ_PRODUCTION] = &emu_quantoz_production,
    [EMU_NEXUSGUARD] = &emu_nexusguard,
    [EMU_QUANTOZ_TEST_API] = &emu_quantoz_test_api,
    [EMU_QUANTOZ_PRODUCTION_API] = &emu_quantoz_production_api,
};

const struct emu_service *emu_service_by_name(const char *name)
{
    for (size_t i = 0; i < EMU_VENDORS; i++) {
        if (strcmp(emu_vendors[i]->name, name) == 0)
            return emu_vendors[i];
    }
    return NULL;
}

static bool is_path(const struct emu_service *service, size_t route, const char *path)
{
    const char *own = service->routes[route].path;

    return (service->path_ignores_case ? strcasecmp(own, path) : strcmp(own, path)) == 0;
}

size_t emu_service_path(const struct emu_service *service, const char *path)
{
    size_t route = 0;

    while (route < service->route_count && !is_path(service, route, path))
        route++;
    return route;
}

static void refuse_method(const struct emu_request *request, size_t route, struct emu_answer *answer)
{
    const struct emu_service *service = request->service;
    char *allow = emu_copy("", 0);

    for (; route < service->route_count; route++) {
        if (!is_path(service, route, request->target))
            continue;
        char *longer = emu_format("%s%s%s", allow, *allow ? ", " : "", service->routes[route].method);
        free(allow);
        allow = longer;
    }
    service->refuse(request, 405, answer);
    emu_answer_header(answer, "Allow", allow);
    free(allow);
}

void emu_service_answer(struct emu *emu, const struct emu_request *request, struct emu_answer *answer)
{
    const struct emu_service *service = request->service;
    size_t path = emu_service_path(service, request->target);
    size_t route = path;

    while (route < service->route_count &&
           (!is_path(service, route, request->target) || strcmp(service->routes[route].method, request->method) != 0))
        route++;
    if (path == service->route_count)
        service->refuse(request, 404, answer);
    else if (route == service->route_count)
        refuse_method(request, path, answer);
    else if (request->too_large)
        service->refuse(request, 413, answer);
    else if (request->header_twice)
        service->refuse(request, 400, answer);
    else
        service->routes[route].handler(emu, request, answer);
}

bool emu_media_type_is(const char *header, const char *type)
{
    size_t length = strlen(type);

    if (!header || strncasecmp(header, type, length) != 0)
        return false;
    header += length + strspn(header + length, " \t");
    return *header == '\0' || *header == ';';
}

static void clear_wire(struct emu_answer *answer)
{
    for (size_t i = 0; i < answer->header_count; i++) {
        free(answer->headers[i].name);
        free(answer->headers[i].value);
    }
    free(answer->body);
    answer->header_count = 0;
    answer->body = NULL;
    answer->length = 0;
}

void emu_answer_set(struct emu_answer *answer, unsigned int status, const char *content_type, char *body)
{
    clear_wire(answer);
    answer->status = status;
    answer->body = body;
    answer->length = body ? strlen(body) : 0;
    if (content_type)
        emu_answer_header(answer, "Content-Type", content_type);
}

void emu_answer_header(struct emu_answer *answer, const char *name, const char *value)
{
    if (answer->header_count == EMU_HEADERS_MAX)
        return;
    answer->headers[answer->header_count++] = (struct emu_header){
        .name = emu_copy(name, strlen(name)),
        .value = emu_copy(value, strlen(value)),
    };
}

void emu_answer_remove_header(struct emu_answer *answer, const char *name)
{
    size_t kept = 0;

    for (size_t i = 0; i < answer->header_count; i++) {
        struct emu_header header = answer->headers[i];
        if (strcasecmp(header.name, name) != 0) {
            answer->headers[kept++] = header;
            continue;
        }
        free(header.name);
        free(header.value);
    }
    answer->header_count = kept;
}

void emu_answer_copy(const struct emu_answer *from, struct emu_answer *answer)
{
    emu_answer_set(answer, from->status, NULL, emu_copy(from->body, from->length));
    answer->length = from->length;
    for (size_t i = 0; i < from->header_count; i++)
        emu_answer_header(answer, from->headers[i].name, from->headers[i].value);
}

void emu_answer_grant(struct emu_answer *answer, const char *name, const char *text)
{
    if (answer->value_count == EMU_VALUES_MAX)
        return;
    answer->values[answer->value_count++] = (struct emu_value){.name = name, .text = emu_copy(text, strlen(text))};
}

const char *emu_answer_granted(const struct emu_answer *answer, const char *name)
{
    for (size_t i = 0; i < answer->value_count; i++) {
        if (strcmp(answer->values[i].name, name) == 0)
            return answer->values[i].text;
    }
    return NULL;
}

void emu_answer_release(struct emu_answer *answer)
{
    clear_wire(answer);
    for (size_t i = 0; i < answer->value_count; i++)
        free(answer->values[i].text);
    *answer = (struct emu_answer){0};
}
