/*
 * Nexusguard's API, as far as it shows what a token is good for: GET /api/spe/customers?access_token=... (its page
 * "Make API Calls").
 *
 * The token is a parameter of the query, as documented, and of nothing else. It is there once; other parameters do no
 * harm. That a token is refused by an envelope follows from "response code ... others indicate failed request"; the
 * code is the emulator's own. What a customer's members are is inferred from the connect request. An app's token shows
 * all of the app's customers; a user's, its own one, which is inferred from the pages' keeping the two kinds apart.
 */
#include "emulator.h"
#include "form.h"
#include "json.h"
#include "nexusguard.h"

#include <string.h>

static cJSON *describe(const cJSON *customer)
{
    cJSON *object = cJSON_CreateObject();

    cJSON_AddStringToObject(object, "customer_id", emu_json_string(customer, "customer_id"));
    cJSON_AddStringToObject(object, "xspe", emu_json_string(customer, "xspe"));
    return object;
}

/* account: an app, or a customer of one. */
static cJSON *list_customers(const cJSON *account)
{
    const cJSON *customers = cJSON_GetObjectItemCaseSensitive(account, "customers");
    const cJSON *customer = NULL;
    cJSON *list = cJSON_CreateArray();

    if (!customers)
        cJSON_AddItemToArray(list, describe(account));
    cJSON_ArrayForEach(customer, customers)
    {
        cJSON_AddItemToArray(list, describe(customer));
    }
    return list;
}

void emu_nexusguard_customers(struct emu *emu, const struct emu_request *request, struct emu_answer *answer)
{
    struct emu_form query = {0};
    const char *token = request->length == 0 ? emu_query_token(request->query, &query) : NULL;
    const cJSON *account = emu_tokens_account(&emu->tokens, request->service, token, emu_now_us(emu));

    if (!token)
        emu_nexusguard_refuse(EMU_WRONG_PARAMETER, answer);
    else if (!account)
        emu_nexusguard_refuse(EMU_WRONG_ACCESS_TOKEN, answer);
    else
        emu_nexusguard_answer(EMU_SUCCESS, list_customers(account), answer);
    emu_form_release(&query);
}
