#include "core/options.h"

#include "core/encode.h"
#include "core/error.h"
#include "core/text.h"
#include "core/url.h"

#include <string.h>

static const char **string_at(void *options, const struct nx_option *option)
{
    return (const char **)(void *)((char *)options + option->offset);
}

static const char *string_of(const void *options, const struct nx_option *option)
{
    const char *string;

    memcpy(&string, (const char *)options + option->offset, sizeof string);
    return string;
}

nexauth_status nx_check_reserved(const void *reserved, struct nexauth_error *error)
{
    static const uintptr_t zero[8];

    if (memcmp(reserved, zero, sizeof zero) != 0)
        return nx_fail(error, NEXAUTH_INVALID, "reserved must be zero: start the options as {0}");
    return NEXAUTH_OK;
}

static nexauth_status check_choice(const struct nx_option *option, const void *options, struct nexauth_error *error)
{
    int choice;

    memcpy(&choice, (const char *)options + option->offset, sizeof choice);
    if (choice < option->least || choice > option->most)
        return nx_fail(error, NEXAUTH_INVALID, "%s must be chosen from %d to %d", option->name, option->least,
                       option->most);
    return NEXAUTH_OK;
}

static nexauth_status check_origin(const char *name, const char *origin, bool loopback_http,
                                   struct nexauth_error *error)
{
    struct nx_url parts;

    if (!nx_url_is_origin(origin) || !nx_url_split(origin, &parts))
        return nx_fail(error, NEXAUTH_INVALID, "%s must be https://host or https://host:port", name);
    if (!nx_url_is_https(&parts) && !(loopback_http && nx_url_is_loopback(&parts)))
        return nx_fail(error, NEXAUTH_INVALID,
                       "%s must be https (http is for loopback addresses, where the session allows it)", name);
    return NEXAUTH_OK;
}

/* Each with the next behind one space. */
static nexauth_status check_origins(const char *name, const char *origins, bool loopback_http,
                                    struct nexauth_error *error)
{
    nexauth_status status;
    struct nx_text origin;

    nx_text_init(&origin, NX_OPTION_LONGEST);
    for (const char *at = origins;; at++) {
        const size_t size = strcspn(at, " ");

        nx_text_clear(&origin);
        nx_text_add_bytes(&origin, at, size);
        status = nx_text_failed(&origin) ? nx_fail(error, NEXAUTH_NO_MEMORY, "memory ran out")
                                         : check_origin(name, nx_text_string(&origin), loopback_http, error);
        at += size;
        if (status || !*at)
            break;
    }
    nx_text_release(&origin);
    return status;
}

static nexauth_status check_form(const struct nx_option *option, const char *string, bool loopback_http,
                                 struct nexauth_error *error)
{
    struct nx_url parts;

    switch (option->kind) {
    case NX_OPTION_TOKEN:
        if (!nx_is_visible(string))
            return nx_fail(error, NEXAUTH_INVALID, "%s holds a character that no token may hold", option->name);
        break;
    case NX_OPTION_ORIGIN:
        return check_origin(option->name, string, loopback_http, error);
    case NX_OPTION_ORIGINS:
        return check_origins(option->name, string, loopback_http, error);
    case NX_OPTION_PATH:
        if (!nx_url_is_path(string))
            return nx_fail(error, NEXAUTH_INVALID, "%s must start with / and hold neither ? nor #", option->name);
        break;
    case NX_OPTION_URL:
        if (!nx_url_split(string, &parts) || strchr(string, '#'))
            return nx_fail(error, NEXAUTH_INVALID, "%s must be an absolute http or https URL without fragment",
                           option->name);
        break;
    default:
        break;
    }
    return NEXAUTH_OK;
}

static nexauth_status check_string(const struct nx_option *option, const char *string, bool loopback_http,
                                   struct nexauth_error *error)
{
    if (!string && (option->flags & NX_REQUIRED))
        return nx_fail(error, NEXAUTH_INVALID, "%s is missing", option->name);
    if (!string)
        return NEXAUTH_OK;
    if (!*string && !(option->flags & NX_MAY_BE_EMPTY))
        return nx_fail(error, NEXAUTH_INVALID, "%s is empty", option->name);
    if (strnlen(string, NX_OPTION_LONGEST + 1) > NX_OPTION_LONGEST)
        return nx_fail(error, NEXAUTH_INVALID, "%s is longer than %d bytes", option->name, NX_OPTION_LONGEST);
    if (!nx_is_free_of_controls(string))
        return nx_fail(error, NEXAUTH_INVALID, "%s holds a control character", option->name);
    if ((option->flags & NX_UTF8) && !nx_is_utf8(string))
        return nx_fail(error, NEXAUTH_INVALID, "%s is not UTF-8", option->name);
    return check_form(option, string, loopback_http, error);
}

static void meanings_of(const struct nx_option_table *table, const void *options,
                        const struct nexauth_code_meaning **meanings, size_t *count)
{
    *meanings = NULL;
    *count = 0;
    if (table->meanings) {
        memcpy((void *)meanings, (const char *)options + table->meanings, sizeof(void *));
        memcpy(count, (const char *)options + table->meanings_count, sizeof *count);
    }
}

static bool is_meaning(int status)
{
    return status == NEXAUTH_CONFIG || status == NEXAUTH_DENIED || status == NEXAUTH_REAUTH ||
           status == NEXAUTH_THROTTLED || status == NEXAUTH_BLOCKED || status == NEXAUTH_UNAVAILABLE;
}

static nexauth_status check_meanings(const struct nx_option_table *table, const void *options,
                                     struct nexauth_error *error)
{
    const struct nexauth_code_meaning *meanings;
    size_t count;

    meanings_of(table, options, &meanings, &count);
    if (count > NX_MEANINGS_MOST || (count && !meanings))
        return nx_fail(error, NEXAUTH_INVALID, "meanings_count must be the number of meanings, at most %d",
                       NX_MEANINGS_MOST);
    for (size_t i = 0; i < count; i++) {
        if (!is_meaning(meanings[i].status))
            return nx_fail(error, NEXAUTH_INVALID, "meanings: this status cannot be the meaning of a code");
    }
    return NEXAUTH_OK;
}

/* The size of a struct without its `reserved`, which is zero and which nobody reads. */
static size_t used_size(const struct nx_option_table *table)
{
    return table->size - 8 * sizeof(uintptr_t);
}

static nexauth_status check(const struct nx_option_table *table, const void *options, bool loopback_http,
                            struct nexauth_error *error)
{
    nexauth_status status = nx_check_reserved((const char *)options + used_size(table), error);

    for (size_t i = 0; i < table->count && status == NEXAUTH_OK; i++) {
        const struct nx_option *option = &table->options[i];

        status = option->kind == NX_OPTION_CHOICE
                     ? check_choice(option, options, error)
                     : check_string(option, string_of(options, option), loopback_http, error);
    }
    return status ? status : check_meanings(table, options, error);
}

/* The caller's string; NULL when there is none, and for what is no string. */
static const char *given(const struct nx_option *option, const void *options)
{
    return option->kind == NX_OPTION_CHOICE ? NULL : string_of(options, option);
}

static size_t block_size(const struct nx_option_table *table, const void *options)
{
    const struct nexauth_code_meaning *meanings;
    size_t count;
    size_t size;

    meanings_of(table, options, &meanings, &count);
    size = used_size(table) + count * sizeof *meanings;
    for (size_t i = 0; i < table->count; i++) {
        const char *string = given(&table->options[i], options);

        size += string ? strlen(string) + 1 : 0;
    }
    return size;
}

/* Lays the struct, the meanings (which need its alignment) and the strings one after the other. Defaults stay where
 * they are. */
static void fill(char *block, const struct nx_option_table *table, const void *options)
{
    const struct nexauth_code_meaning *meanings;
    size_t count;
    char *next = block + used_size(table);

    memcpy(block, options, used_size(table));
    meanings_of(table, options, &meanings, &count);
    if (count) {
        memcpy(next, meanings, count * sizeof *meanings);
        memcpy(block + table->meanings, &next, sizeof next);
        next += count * sizeof *meanings;
    }
    for (size_t i = 0; i < table->count; i++) {
        const char *string = given(&table->options[i], options);

        if (string) {
            const size_t size = strlen(string) + 1;

            memcpy(next, string, size);
            *string_at(block, &table->options[i]) = next;
            next += size;
        } else if (table->options[i].kind != NX_OPTION_CHOICE) {
            *string_at(block, &table->options[i]) = table->options[i].fallback;
        }
    }
}

nexauth_status nx_identity_init(struct nx_identity *identity, const struct nx_option_table *table, const void *options,
                                bool loopback_http, struct nx_vault *vault, struct nexauth_error *error)
{
    nexauth_status status;

    if (!options)
        return nx_fail(error, NEXAUTH_INVALID, "options are missing");
    status = check(table, options, loopback_http, error);
    if (status)
        return status;
    identity->table = table;
    identity->block_size = block_size(table, options);
    identity->options = vault->take(vault, identity->block_size);
    if (!identity->options)
        return nx_fail(error, NEXAUTH_NO_MEMORY, "memory ran out");
    fill(identity->options, table, options);
    return NEXAUTH_OK;
}

void nx_identity_release(struct nx_identity *identity, struct nx_vault *vault)
{
    vault->give(vault, identity->options, identity->block_size);
    *identity = (struct nx_identity){0};
}

size_t nx_identity_secrets(const struct nx_identity *identity, const char **secrets)
{
    size_t count = 0;

    for (size_t i = 0; i < identity->table->count && count < NX_SECRETS_MOST; i++) {
        const struct nx_option *option = &identity->table->options[i];

        if ((option->flags & NX_SECRET) && string_of(identity->options, option))
            secrets[count++] = string_of(identity->options, option);
    }
    return count;
}

static uint64_t mix(uint64_t hash, uint64_t more)
{
    return (hash ^ more) * UINT64_C(0x9e3779b97f4a7c15);
}

uint64_t nx_identity_hash(const struct nx_identity *identity, const struct nx_siphash_key *key)
{
    uint64_t hash = 0;

    for (size_t i = 0; i < identity->table->count; i++) {
        const struct nx_option *option = &identity->table->options[i];
        const char *string = option->flags & NX_WHO ? string_of(identity->options, option) : NULL;

        if (string)
            hash = mix(hash, nx_siphash(key, string, strlen(string))) + i;
    }
    return hash;
}

/* Of what an option says, whatever its kind. */
static uint64_t hash_option(const struct nx_option *option, const void *options, const struct nx_siphash_key *key)
{
    const char *string;
    int choice;

    if (option->kind == NX_OPTION_CHOICE) {
        memcpy(&choice, (const char *)options + option->offset, sizeof choice);
        return nx_siphash(key, &choice, sizeof choice);
    }
    string = string_of(options, option);
    return string ? nx_siphash(key, string, strlen(string)) : 0;
}

uint64_t nx_identity_key(const struct nx_identity *identity, const char *service, const struct nx_siphash_key *key)
{
    uint64_t hash = nx_siphash(key, service, strlen(service));

    for (size_t i = 0; i < identity->table->count; i++)
        hash = mix(hash, hash_option(&identity->table->options[i], identity->options, key)) + i;
    return hash;
}

nexauth_status nx_identity_meaning(const struct nx_identity *identity, int64_t code)
{
    const struct nexauth_code_meaning *meanings;
    size_t count;

    meanings_of(identity->table, identity->options, &meanings, &count);
    for (size_t i = 0; i < count; i++) {
        if (meanings[i].code == code)
            return (nexauth_status)meanings[i].status;
    }
    return NEXAUTH_OK;
}
