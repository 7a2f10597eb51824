/* JSON answers. What the library takes, cJSON takes too, and both read the same. */
#include "fuzz/target.h"

#include "core/json.h"

#include <cjson/cJSON.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { BOUND = 65536, NARROW = 12 };

static void read_with(const uint8_t *data, size_t size, bool envelope, size_t bound)
{
    struct nx_members members;
    char *copy = malloc(size > 0 ? size : 1); /* without a NUL behind it */
    enum nx_parsed parsed;

    HOLDS(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    nx_members_init(&members, bound);
    parsed = nx_json_read(copy, size, envelope, &members);
    target_check_members(&members, parsed, bound);
    nx_members_release(&members);
    free(copy);
}

static enum nx_member_kind kind_of(const cJSON *item)
{
    if (!item || cJSON_IsNull(item))
        return NX_KIND_ABSENT;
    if (cJSON_IsString(item))
        return NX_KIND_STRING;
    return cJSON_IsNumber(item) ? NX_KIND_NUMBER : NX_KIND_OTHER;
}

static void compare_value(const struct nx_value *value, const cJSON *item)
{
    HOLDS(value->kind == kind_of(item));
    if (value->kind == NX_KIND_STRING)
        HOLDS(strcmp(nx_text_string(&value->text), item->valuestring) == 0);
    if (value->kind == NX_KIND_NUMBER)
        HOLDS(!(value->number < item->valuedouble) && !(value->number > item->valuedouble));
}

/* Those that go by one spelling. */
static void compare_members(const struct nx_members *members, const cJSON *object)
{
    for (int i = 0; i < NX_MEMBER_COUNT; i++) {
        if (i == NX_MEMBER_MESSAGE_OTHERWISE || i == NX_MEMBER_MODEL_STATE)
            continue;
        compare_value(&members->values[i], cJSON_GetObjectItemCaseSensitive(object, nx_member_name((enum nx_member)i)));
    }
}

static void compare_with_cjson(const uint8_t *data, size_t size)
{
    struct nx_members members;
    char *copy = target_copy(data, size);

    nx_members_init(&members, BOUND);
    if (nx_json_read(copy, size, false, &members) == NX_PARSED) {
        cJSON *tree = cJSON_ParseWithLengthOpts(copy, size + 1, NULL, true);

        HOLDS(tree != NULL);
        compare_members(&members, cJSON_IsObject(tree) ? tree : NULL);
        if (cJSON_IsString(tree))
            HOLDS(strcmp(nx_text_string(&members.bare), tree->valuestring) == 0);
        cJSON_Delete(tree);
    }
    nx_members_release(&members);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_with(data, size, false, BOUND);
    read_with(data, size, true, BOUND);
    read_with(data, size, true, NARROW);
    compare_with_cjson(data, size);
    return 0;
}
