/*
 * What a fault's description means. Each member has a reader; whatever is wrong is told in a sentence, so that nobody
 * waits for a fault that never comes.
 */
#include "faults.h"

#include "bans.h"
#include "json.h"
#include "recorded.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { DELAY_MAX_MS = 600000, TIMES_MAX = 1000000, DRIP_MAX_MS = 60000, DRIP_MS = 1000 };

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static bool is_header(const cJSON *header)
{
    return cJSON_IsString(header) && *header->valuestring && emu_header_fits(header->string, header->valuestring) &&
           emu_header_is_sent(header->string, header->valuestring);
}

static const char *check_headers(const cJSON *headers)
{
    const cJSON *header = NULL;

    if (!headers)
        return NULL;
    if (!cJSON_IsObject(headers) || cJSON_GetArraySize(headers) > EMU_HEADERS_MAX)
        return "answer.headers is not an object of at most 64 members.";
    cJSON_ArrayForEach(header, headers)
    {
        if (!is_header(header))
            return "answer.headers has a member that cannot be sent, or not as it is: no header is empty, "
                   "Content-Length "
                   "is counted, Transfer-Encoding can only be chunked and Connection only close.";
    }
    return NULL;
}

/* Headers of the same name are replaced, others are added. */
static const char *put_headers(const cJSON *headers, struct emu_answer *answer)
{
    const cJSON *header = NULL;

    cJSON_ArrayForEach(header, headers)
    {
        emu_answer_remove_header(answer, header->string);
        if (answer->header_count == EMU_HEADERS_MAX)
            return "answer.headers and the answer's own are more than 64 headers.";
        emu_answer_header(answer, header->string, header->valuestring);
    }
    return NULL;
}

/* {"status", "headers", "body"} */
static const char *read_worded(const cJSON *description, struct emu_answer *answer)
{
    const cJSON *body = member(description, "body");
    const char *text = body ? cJSON_GetStringValue(body) : "";
    long status = emu_json_whole(description, "status", 200, 599, 200);

    if (status < 0)
        return "answer.status is not a whole number between 200 and 599.";
    if (!text)
        return "answer.body is not a string.";
    emu_answer_set(answer, (unsigned int)status, NULL, emu_copy(text, strlen(text)));
    return NULL;
}

/* A shape as it is, or with other headers, which only one without words can have. */
static const char *read_named(const struct emu_shapes *shapes, const char *name, const cJSON *headers,
                              struct emu_fault *fault)
{
    const struct emu_shape *shape = emu_shapes_find(shapes, fault->service, name);

    if (!shape)
        return "answer names no answer of this service: GET /answers lists them.";
    fault->shape = shape;
    if (!headers)
        return NULL;
    if (shape->granted)
        return "answer.headers cannot be given with an answer that carries what was granted.";
    fault->shape = NULL;
    emu_shape_give(shape, fault->answer);
    return NULL;
}

static const char *read_answer_object(const struct emu_shapes *shapes, const cJSON *description,
                                      struct emu_fault *fault)
{
    static const char *const worded[] = {"status", "headers", "body"};
    static const char *const named[] = {"name", "headers"};
    static const char *const recorded[] = {"file", "headers"};
    const char *name = emu_json_string(description, "name");
    const char *file = emu_json_string(description, "file");
    const char *problem = check_headers(member(description, "headers"));

    if (problem)
        return problem;
    if (name && emu_json_only(description, named, COUNT(named)))
        return read_named(shapes, name, member(description, "headers"), fault);
    if (file && emu_json_only(description, recorded, COUNT(recorded)))
        return emu_recorded_read(file, fault->answer);
    if (emu_json_only(description, worded, COUNT(worded)) && description->child)
        return read_worded(description, fault->answer);
    return "answer is not a name, or an object of status, headers and body, of name and headers, or of file and "
           "headers.";
}

static const char *read_answer(const struct emu_shapes *shapes, const cJSON *description, struct emu_fault *fault)
{
    const char *problem = NULL;

    if (!description)
        return NULL;
    if (cJSON_IsString(description))
        return read_named(shapes, description->valuestring, NULL, fault);
    fault->answer = emu_allocate(sizeof(*fault->answer));
    problem = read_answer_object(shapes, description, fault);
    return problem ? problem : put_headers(member(description, "headers"), fault->answer);
}

static const char *read_ban(const struct emu_shapes *shapes, const cJSON *description, struct emu_fault *fault)
{
    const struct emu_ban *ban = emu_ban_find(cJSON_IsString(description) ? description->valuestring : "");

    if (!description)
        return NULL;
    if (!ban)
        return "ban is not one of " EMU_BAN_NAMES ".";
    if (!fault->everywhere || fault->answer || fault->shape || fault->drop)
        return "ban goes with neither path nor answer nor drop.";
    if (ban->answer)
        return read_named(shapes, ban->answer, NULL, fault);
    fault->drop = EMU_DROP_AFTER_READING;
    return NULL;
}

static const char *check_connect(const cJSON *connect)
{
    static const char *const names[] = {"state", "redirect", "error"};
    const cJSON *value = NULL;

    if (!connect)
        return NULL;
    if (!emu_json_only(connect, names, COUNT(names)) || !connect->child)
        return "connect is not an object of state, redirect and error.";
    cJSON_ArrayForEach(value, connect)
    {
        if (!cJSON_IsString(value) || !emu_header_fits("Location", value->valuestring))
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
        return "service is not one of " EMU_SERVICE_NAMES ".";
    fault->everywhere = !member(description, "path");
    if (fault->everywhere)
        return NULL;
    fault->path = path ? emu_service_path(fault->service, path) : fault->service->route_count;
    return fault->path < fault->service->route_count ? NULL : "path is not one of the service's.";
}

static const char *read_times(const cJSON *description, int64_t now_us, struct emu_fault *fault)
{
    /* A fault with an end of its own meets as many requests as come until then. */
    long for_ms = emu_json_whole(description, "for_ms", 1, 1000L * DELAY_MAX_MS, 0);

    fault->times = emu_json_whole(description, "times", 0, TIMES_MAX, for_ms > 0 ? 0 : 1);
    fault->until_us = for_ms > 0 ? now_us + (int64_t)for_ms * 1000 : INT64_MAX;
    if (for_ms < 0)
        return "for_ms is not a whole number between 1 and 600000000.";
    return fault->times < 0 ? "times is not a whole number between 0 and 1000000." : NULL;
}

static const char *read_delays(const cJSON *description, struct emu_fault *fault)
{
    const cJSON *drip = member(description, "drip_ms");

    fault->read_delay_ms = emu_json_whole(description, "read_delay_ms", 0, DELAY_MAX_MS, 0);
    fault->delay_ms = emu_json_whole(description, "delay_ms", 0, DELAY_MAX_MS, 0);
    if (cJSON_IsBool(drip))
        fault->drip_ms = cJSON_IsTrue(drip) ? DRIP_MS : 0;
    else
        fault->drip_ms = emu_json_whole(description, "drip_ms", 0, DRIP_MAX_MS, 0);
    if (fault->read_delay_ms < 0)
        return "read_delay_ms is not a whole number between 0 and 600000.";
    if (fault->delay_ms < 0)
        return "delay_ms is not a whole number between 0 and 600000.";
    return fault->drip_ms < 0 ? "drip_ms is neither true nor false nor a whole number between 0 and 60000." : NULL;
}

static const char *read_drop(const cJSON *drop, struct emu_fault *fault)
{
    static const char *const names[] = {
        [EMU_DROP_BEFORE_READING] = "before_reading",
        [EMU_DROP_AFTER_READING] = "after_reading",
        [EMU_DROP_IN_ANSWER] = "in_answer",
    };

    if (!drop || cJSON_IsFalse(drop))
        return NULL;
    if (cJSON_IsTrue(drop)) {
        fault->drop = EMU_DROP_AFTER_READING;
        return NULL;
    }
    for (size_t i = EMU_DROP_BEFORE_READING; cJSON_IsString(drop) && i < COUNT(names); i++) {
        if (strcmp(names[i], drop->valuestring) == 0)
            fault->drop = (enum emu_drop)i;
    }
    return fault->drop ? NULL : "drop is neither true, false, before_reading, after_reading nor in_answer.";
}

/*
 * Unless it is told, the service sees a request whose answer is its own, or lost. It has to see one whose answer is
 * made of what it grants.
 */
static const char *read_process(const cJSON *description, struct emu_fault *fault)
{
    bool granted = fault->shape && fault->shape->granted;
    bool replaced = fault->shape || fault->answer || member(description, "ban");

    fault->process = granted || emu_json_flag(description, "process", !replaced);
    return emu_json_is_flag(description, "process") ? NULL : "process is neither true nor false.";
}

static bool is_at_connect(const struct emu_fault *fault)
{
    return fault->service == &emu_nexusguard &&
           (fault->everywhere || strcmp(fault->service->routes[fault->path].path, "/oauth/connect") == 0);
}

static const char *check_status(const struct emu_fault *fault)
{
    if (!fault->answer || (fault->answer->status != 204 && fault->answer->status != 304))
        return NULL;
    if (fault->answer->length > 0 || fault->drop == EMU_DROP_IN_ANSWER)
        return "answer has a body, or is dropped in one, which its status 204 or 304 does not have.";
    return NULL;
}

/* Members that are good by themselves, and of which one is never seen beside the other. */
static const char *check_together(const cJSON *description, const struct emu_fault *fault)
{
    bool replaced = fault->shape || fault->answer;
    bool unanswered = fault->drop == EMU_DROP_BEFORE_READING || fault->drop == EMU_DROP_AFTER_READING;
    bool told = member(description, "process") != NULL;

    if (replaced && unanswered)
        return "answer is never sent: drop closes the connection before.";
    if (fault->drip_ms > 0 && unanswered)
        return "drip_ms has no answer to send: drop closes the connection before.";
    if (fault->drop == EMU_DROP_BEFORE_READING && (fault->delay_ms > 0 || (told && fault->process)))
        return "drop before_reading goes with neither delay_ms nor process true: the request is never read.";
    if (fault->shape && fault->shape->granted && told && !emu_json_flag(description, "process", false))
        return "process false leaves nothing for this answer to carry, which is what the service grants.";
    if (!fault->process && !replaced && !unanswered)
        return "process false leaves nothing to answer: it goes with an answer, a ban or a drop.";
    if (fault->connect && !is_at_connect(fault))
        return "connect goes with /oauth/connect of nexusguard alone.";
    if (fault->connect && (replaced || unanswered))
        return "connect has no redirect to alter: answer, ban or drop is in its place.";
    return check_status(fault);
}

const char *emu_fault_read(const struct emu_shapes *shapes, cJSON *description, int64_t now_us, struct emu_fault *fault)
{
    static const char *const names[] = {"service", "path",   "times",   "for_ms", "read_delay_ms", "delay_ms",
                                        "drip_ms", "answer", "process", "drop",   "connect",       "ban"};
    const char *problem = NULL;

    fault->description = description;
    fault->connect = member(description, "connect");
    if (!emu_json_only(description, names, COUNT(names)))
        return "The fault is not a JSON object without a NUL, or has a member that is not known or twice there.";
    problem = read_place(description, fault);
    if (!problem)
        problem = read_times(description, now_us, fault);
    if (!problem)
        problem = read_delays(description, fault);
    if (!problem)
        problem = read_drop(member(description, "drop"), fault);
    if (!problem)
        problem = read_answer(shapes, member(description, "answer"), fault);
    if (!problem)
        problem = read_ban(shapes, member(description, "ban"), fault);
    if (!problem)
        problem = check_connect(fault->connect);
    if (!problem)
        problem = read_process(description, fault);
    return problem ? problem : check_together(description, fault);
}
