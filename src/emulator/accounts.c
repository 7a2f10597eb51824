/*
 * Accounts: who may ask for tokens.
 *
 * A JSON object with one list for each service; a service without a list knows nobody.
 *
 *   "nex":                [{"client_id", "client_secret",
 *                           "users":       [{"username", "password", "scope"}],
 *                           "controllers": [{"controller_id", "controller_secret", "scope"}]}]
 *   "quantoz_test",
 *   "quantoz_production": [{"client_id", "client_secret", "scopes": ["api1"]}]
 *   "nexusguard":         [{"app_id", "secret", "redirect_uri", "code_lifetime": 300,
 *                           "customers":   [{"customer_id", "xspe"}]}]
 *
 * All values are strings but `code_lifetime`, in seconds. `users`, `controllers` and `code_lifetime` may be left out.
 * The tree is checked once, when it is loaded, and only read from then on.
 */
#include "accounts.h"

#include "json.h"
#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ACCOUNTS_MAX ((size_t)16 * 1024 * 1024)

static const char builtin[] =
    "{\"nex\":["
    "  {\"client_id\":\"mycompany\",\"client_secret\":\"abc123\",\"users\":["
    "    {\"username\":\"myname\",\"password\":\"xyz456\",\"scope\":\"user\"}]},"
    "  {\"client_id\":\"5a5b\",\"client_secret\":\"abc123\",\"controllers\":["
    "    {\"controller_id\":\"111aa\",\"controller_secret\":\"456\",\"scope\":\"controller\"},"
    "    {\"controller_id\":\"222bb\",\"controller_secret\":\"789\",\"scope\":\"controller\"},"
    "    {\"controller_id\":\"333cc\",\"controller_secret\":\"012\",\"scope\":\"controller\"}]}],"
    "\"quantoz_test\":["
    "  {\"client_id\":\"nexus-test-client\",\"client_secret\":\"p&ss "
    "w+rd%=1\",\"scopes\":[\"api1\",\"sanctionlist\"]}],"
    "\"quantoz_production\":["
    "  {\"client_id\":\"nexus-production-client\",\"client_secret\":\"Pr0duct!on s3cret\",\"scopes\":[\"api1\"]}],"
    "\"nexusguard\":["
    "  {\"app_id\":\"d7690800dc5d4cf885fac35fcb0c8184\",\"secret\":\"bf20940d16578e18765eb9f93b1827e9\","
    "   \"redirect_uri\":\"https://app.example.com/nexusguard/callback\",\"customers\":["
    "    {\"customer_id\":\"C-1001\",\"xspe\":\"spe-portal\"},"
    "    {\"customer_id\":\"C-1002\",\"xspe\":\"spe-portal\"}]}]}";

enum kind { STRING, SECONDS, STRINGS, OBJECTS };

/* One member of an object: a row of a table that ends with a row without a name. */
struct member {
    const char *name;
    enum kind kind;
    int optional;
    const struct member *inner; /* of each object of OBJECTS */
};

static const struct member user_members[] = {
    {.name = "username"},
    {.name = "password"},
    {.name = "scope"},
    {0},
};

static const struct member controller_members[] = {
    {.name = "controller_id"},
    {.name = "controller_secret"},
    {.name = "scope"},
    {0},
};

static const struct member nex_members[] = {
    {.name = "client_id"},
    {.name = "client_secret"},
    {.name = "users", .kind = OBJECTS, .optional = 1, .inner = user_members},
    {.name = "controllers", .kind = OBJECTS, .optional = 1, .inner = controller_members},
    {0},
};

static const struct member quantoz_members[] = {
    {.name = "client_id"},
    {.name = "client_secret"},
    {.name = "scopes", .kind = STRINGS},
    {0},
};

static const struct member customer_members[] = {
    {.name = "customer_id"},
    {.name = "xspe"},
    {0},
};

static const struct member nexusguard_members[] = {
    {.name = "app_id"},
    {.name = "secret"},
    {.name = "redirect_uri"},
    {.name = "code_lifetime", .kind = SECONDS, .optional = 1},
    {.name = "customers", .kind = OBJECTS, .inner = customer_members},
    {0},
};

static const struct member root_members[] = {
    {.name = "nex", .kind = OBJECTS, .optional = 1, .inner = nex_members},
    {.name = "quantoz_test", .kind = OBJECTS, .optional = 1, .inner = quantoz_members},
    {.name = "quantoz_production", .kind = OBJECTS, .optional = 1, .inner = quantoz_members},
    {.name = "nexusguard", .kind = OBJECTS, .optional = 1, .inner = nexusguard_members},
    {0},
};

static char *check_object(const cJSON *object, const struct member *members, const char *where);

static int is_filled_string(const cJSON *value)
{
    return cJSON_IsString(value) && value->valuestring[0] != '\0';
}

static char *check_strings(const cJSON *list, const char *where)
{
    const cJSON *value = NULL;

    if (!cJSON_IsArray(list))
        return emu_format("%s is not a list of strings.", where);
    cJSON_ArrayForEach(value, list)
    {
        if (!is_filled_string(value))
            return emu_format("%s has a member that is not a string with text.", where);
    }
    return NULL;
}

static char *check_objects(const cJSON *list, const struct member *members, const char *where)
{
    const cJSON *object = NULL;
    char *problem = NULL;
    int index = 0;

    if (!cJSON_IsArray(list))
        return emu_format("%s is not a list of objects.", where);
    cJSON_ArrayForEach(object, list)
    {
        char *inside = emu_format("%s[%d]", where, index++);
        problem = check_object(object, members, inside);
        free(inside);
        if (problem)
            break;
    }
    return problem;
}

static char *check_member(const cJSON *value, const struct member *member, const char *where)
{
    switch (member->kind) {
    case SECONDS:
        if (cJSON_IsNumber(value) && value->valuedouble >= 0 && value->valuedouble <= 86400)
            return NULL;
        return emu_format("%s is not a number of seconds between 0 and 86400.", where);
    case STRINGS:
        return check_strings(value, where);
    case OBJECTS:
        return check_objects(value, member->inner, where);
    case STRING:
    default:
        return is_filled_string(value) ? NULL : emu_format("%s is not a string with text.", where);
    }
}

static char *check_names(const cJSON *object, const struct member *members, const char *where)
{
    const char *names[8] = {0};
    size_t count = 0;

    for (; members[count].name; count++)
        names[count] = members[count].name;
    if (!emu_json_only(object, names, count))
        return emu_format("%s is not an object, or has a member that is not known or twice there.", where);
    return NULL;
}

/* The first problem as a sentence, or NULL. */
static char *check_object(const cJSON *object, const struct member *members, const char *where)
{
    char *problem = check_names(object, members, where);

    for (; !problem && members->name; members++) {
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, members->name);
        char *inside = emu_format("%s.%s", where, members->name);
        if (value)
            problem = check_member(value, members, inside);
        else if (!members->optional)
            problem = emu_format("%s is missing.", inside);
        free(inside);
    }
    return problem;
}

static cJSON *parse(const char *text, size_t length, const char *name, char **problem)
{
    cJSON *accounts = emu_json_parse(text, length);
    char *found = accounts ? check_object(accounts, root_members, "accounts") : emu_format("It is not JSON.");

    if (!found)
        return accounts;
    *problem = emu_format("The accounts in %s cannot be used: %s", name, found);
    free(found);
    cJSON_Delete(accounts);
    return NULL;
}

cJSON *emu_accounts_load(const char *path, char **problem)
{
    size_t length = 0;

    if (!path)
        return parse(builtin, strlen(builtin), "the program", problem);
    char *text = emu_read_file(path, ACCOUNTS_MAX, &length);
    if (!text) {
        *problem = emu_format("The accounts file %s cannot be read: %s.", path, emu_read_problem(errno));
        return NULL;
    }
    cJSON *accounts = parse(text, length, path, problem);
    free(text);
    return accounts;
}
