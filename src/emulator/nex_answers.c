#include "nex.h"

#include "json.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

/* Web API takes the first media type that it can write; none that it knows means JSON. */
static bool wants_xml(const struct emu_request *request)
{
    const char *accept = request->accept ? request->accept : "";

    while (*accept) {
        size_t length = strcspn(accept, ",");
        char *range = emu_copy(accept, length);
        const char *type = range + strspn(range, " \t");
        bool xml = emu_media_type_is(type, "application/xml") || emu_media_type_is(type, "text/xml");
        bool json = emu_media_type_is(type, "application/json") || emu_media_type_is(type, "*/*");
        free(range);
        if (xml || json)
            return xml;
        accept += length + (accept[length] == ',');
    }
    return false;
}

void emu_nex_either(const struct emu_request *request, unsigned int status, cJSON *json, char *xml,
                    struct emu_answer *answer)
{
    if (wants_xml(request)) {
        cJSON_Delete(json);
        emu_answer_set(answer, status, "application/xml; charset=utf-8", xml);
    } else {
        free(xml);
        emu_answer_set(answer, status, "application/json; charset=utf-8", emu_json_print(json));
    }
}

void emu_nex_message(const struct emu_request *request, unsigned int status, const char *message,
                     struct emu_answer *answer)
{
    cJSON *json = cJSON_CreateObject();
    char *escaped = emu_xml_escape(message);

    cJSON_AddStringToObject(json, "Message", message);
    emu_nex_either(request, status, json, emu_format("<Error><Message>%s</Message></Error>", escaped), answer);
    free(escaped);
}

void emu_nex_refuse_media_type(const struct emu_request *request, struct emu_answer *answer)
{
    char *message = request->content_type
                        ? emu_format("The request entity's media type '%.*s' is not supported for this resource.",
                                     (int)strcspn(request->content_type, "; \t"), request->content_type)
                        : emu_format("The request contains an entity body but no Content-Type header.");

    emu_nex_message(request, 415, message, answer);
    free(message);
}
