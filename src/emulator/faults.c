#include "faults.h"

#include "json.h"
#include "text.h"

#include <stdlib.h>

static void fault_free(struct emu_fault *fault)
{
    if (fault->answer)
        emu_answer_release(fault->answer);
    free(fault->answer);
    cJSON_Delete(fault->description);
    free(fault);
}

const char *emu_faults_add(struct emu_faults *faults, const struct emu_shapes *shapes, const char *text, size_t length,
                           int64_t now_us)
{
    struct emu_fault *fault = emu_allocate(sizeof(*fault));
    struct emu_fault **end = &faults->first;
    const char *problem = emu_fault_read(shapes, emu_json_parse(text, length), now_us, fault);

    if (problem) {
        fault_free(fault);
        return problem;
    }
    while (*end)
        end = &(*end)->next;
    fault->queued = true;
    *end = fault;
    return NULL;
}

static struct emu_fault *unlink_fault(struct emu_fault **link)
{
    struct emu_fault *fault = *link;

    *link = fault->next;
    fault->queued = false;
    return fault;
}

static void unqueue(struct emu_fault **link)
{
    struct emu_fault *fault = unlink_fault(link);

    if (fault->users == 0)
        fault_free(fault);
}

static void drop_expired(struct emu_faults *faults, int64_t now_us)
{
    struct emu_fault **link = &faults->first;

    while (*link) {
        if (now_us >= (*link)->until_us)
            unqueue(link);
        else
            link = &(*link)->next;
    }
}

static struct emu_fault **find(struct emu_faults *faults, const struct emu_service *service, bool everywhere,
                               size_t path)
{
    struct emu_fault **link = &faults->first;

    while (*link &&
           ((*link)->service != service || (*link)->everywhere != everywhere || (!everywhere && (*link)->path != path)))
        link = &(*link)->next;
    return link;
}

struct emu_fault *emu_faults_take(struct emu_faults *faults, const struct emu_request *request, int64_t now_us)
{
    size_t path = emu_service_path(request->service, request->target);

    drop_expired(faults, now_us);
    struct emu_fault **link = find(faults, request->service, true, 0);
    if (!*link)
        link = find(faults, request->service, false, path);
    struct emu_fault *fault = *link;
    if (!fault)
        return NULL;
    fault->users++;
    if (fault->times > 0 && --fault->times == 0)
        unlink_fault(link); /* lives on: it has a user now */
    return fault;
}

void emu_fault_release(struct emu_fault *fault)
{
    if (fault && --fault->users == 0 && !fault->queued)
        fault_free(fault);
}

void emu_fault_answer(const struct emu_fault *fault, struct emu_answer *answer)
{
    if (fault->shape)
        emu_shape_give(fault->shape, answer);
    else if (fault->answer)
        emu_answer_copy(fault->answer, answer);
}

cJSON *emu_faults_report(struct emu_faults *faults, int64_t now_us)
{
    cJSON *report = cJSON_CreateArray();

    drop_expired(faults, now_us);
    for (const struct emu_fault *fault = faults->first; fault; fault = fault->next) {
        cJSON *copy = cJSON_Duplicate(fault->description, 1);
        cJSON_DeleteItemFromObjectCaseSensitive(copy, "times");
        cJSON_AddNumberToObject(copy, "times", (double)fault->times);
        cJSON_AddItemToArray(report, copy);
    }
    return report;
}

void emu_faults_clear(struct emu_faults *faults)
{
    while (faults->first)
        unqueue(&faults->first);
}
