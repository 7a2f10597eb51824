#include "envelope.h"

#include "call.h"

#include <cjson/cJSON.h>

int envelope_judge(void *context, int http_status)
{
    const struct call_answer *answer = context;
    cJSON *envelope = cJSON_Parse(answer->text);
    const cJSON *code = cJSON_GetObjectItemCaseSensitive(envelope, "code");
    const int is_rejection = answer->rejection_code && cJSON_IsNumber(code) &&
                             code->valuedouble == (double)answer->rejection_code;

    cJSON_Delete(envelope);
    return is_rejection ? 401 : http_status;
}
