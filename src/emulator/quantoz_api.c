/*
 * Quantoz Nexus's API, which has an origin of its own in each environment (its page "Authentication":
 * testapi.quantoz.com and api.quantoz.com) and honours the tokens of that environment's identity service: GET
 * /customer.
 *
 * The envelope, the page inside it and the names of a customer's members are those of the vendor's .NET SDK. With
 * `request_iso8601: true` dates are yyyy-MM-ddTHH:mm:ssZ, as documented. How they look otherwise is not documented;
 * here they are as .NET writes a DateTimeOffset, with seven digits of a second and an offset. The customers are made
 * up.
 *
 * A refusal is inferred from the server that the SDK points to: ASP.NET Core answers 401 without a body, and names the
 * error only where there was a token (RFC 6750, section 3.1).
 */
#include "emulator.h"
#include "form.h"
#include "json.h"

#include <strings.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct customer {
    const char *code;
    const char *name;
    const char *created;
    const char *created_iso8601;
} made_up[] = {
    {"CUSTOMER-1", "First Customer", "2023-05-04T11:08:07.1234567+02:00", "2023-05-04T09:08:07Z"},
    {"CUSTOMER-2", "Second Customer", "2023-11-01T08:30:00.0000000+01:00", "2023-11-01T07:30:00Z"},
};

static void refuse_token(const struct emu_request *request, struct emu_answer *answer)
{
    emu_answer_set(answer, 401, NULL, NULL);
    emu_answer_header(answer, "WWW-Authenticate",
                      emu_bearer_token(request->authorization) ? "Bearer error=\"invalid_token\"" : "Bearer");
}

static cJSON *describe(const struct customer *customer, bool iso8601)
{
    cJSON *object = cJSON_CreateObject();

    cJSON_AddStringToObject(object, "customerCode", customer->code);
    cJSON_AddStringToObject(object, "name", customer->name);
    cJSON_AddStringToObject(object, "trustLevel", "Trusted");
    cJSON_AddStringToObject(object, "currencyCode", "EUR");
    cJSON_AddStringToObject(object, "status", "ACTIVE");
    cJSON_AddStringToObject(object, "created", iso8601 ? customer->created_iso8601 : customer->created);
    return object;
}

static cJSON *list_customers(bool iso8601)
{
    cJSON *page = cJSON_CreateObject();

    cJSON_AddNumberToObject(page, "page", 1);
    cJSON_AddNumberToObject(page, "total", (int)COUNT(made_up));
    cJSON_AddNumberToObject(page, "totalPages", 1);
    cJSON_AddObjectToObject(page, "filteringParameters");
    cJSON *records = cJSON_AddArrayToObject(page, "records");
    for (size_t i = 0; i < COUNT(made_up); i++)
        cJSON_AddItemToArray(records, describe(&made_up[i], iso8601));
    return page;
}

static void customers(struct emu *emu, const struct emu_request *request, struct emu_answer *answer)
{
    bool iso8601 = request->iso8601 && strcasecmp(request->iso8601, "true") == 0;

    if (!emu_tokens_account(&emu->tokens, request->service, emu_bearer_token(request->authorization),
                            emu_now_us(emu))) {
        refuse_token(request, answer);
        return;
    }
    cJSON *envelope = cJSON_CreateObject();
    cJSON_AddNullToObject(envelope, "message");
    cJSON_AddNullToObject(envelope, "errors");
    cJSON_AddItemToObject(envelope, "values", list_customers(iso8601));
    emu_answer_set(answer, 200, "application/json; charset=utf-8", emu_json_print(envelope));
}

static void refuse(const struct emu_request *request, unsigned int status, struct emu_answer *answer)
{
    (void)request;
    emu_answer_set(answer, status, NULL, NULL);
}

static const struct emu_route routes[] = {
    {.path = "/customer", .method = "GET", .handler = customers},
};

const struct emu_service emu_quantoz_test_api = {
    .name = "quantoz_test_api",
    .id = EMU_QUANTOZ_TEST_API,
    .issuer = &emu_quantoz_test,
    .routes = routes,
    .route_count = COUNT(routes),
    .refuse = refuse,
};

const struct emu_service emu_quantoz_production_api = {
    .name = "quantoz_production_api",
    .id = EMU_QUANTOZ_PRODUCTION_API,
    .issuer = &emu_quantoz_production,
    .routes = routes,
    .route_count = COUNT(routes),
    .refuse = refuse,
};
