#include "support/case_source.h"

#include "providers/providers.h"
#include "support/vault.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    const struct nx_provider *provider;
} providers[] = {
    {"nex_user", &nx_nex_user},
    {"nex_controller", &nx_nex_controller},
    {"quantoz", &nx_quantoz},
    {"nexusguard_app", &nx_nexusguard_app},
    {"nexusguard_user", &nx_nexusguard_user},
    {"static", &nx_static},
};

bool case_source_init(struct case_source *source, struct case_file *file)
{
    const char *name = case_value(file, "source");

    *source = (struct case_source){0};
    for (size_t i = 0; name && i < sizeof providers / sizeof *providers; i++) {
        if (strcmp(providers[i].name, name) == 0)
            source->provider = providers[i].provider;
    }
    if (source->provider)
        source->options = calloc(1, source->provider->options.size);
    if (!source->options)
        case_differs(file, "source: names no provider");
    return source->options != NULL;
}

void case_source_release(struct case_source *source)
{
    nx_identity_release(&source->identity, &vault_of_malloc);
    free(source->options);
    source->options = NULL;
}

static void fill_option(struct case_source *source, struct case_file *file, const struct nx_option *option,
                        const char *key)
{
    char *const place = (char *)source->options + option->offset;
    const char *value = case_value(file, key);
    int choice;

    if (!value)
        return;
    if (option->kind == NX_OPTION_CHOICE) {
        choice = (int)case_number(file, key, 0);
        memcpy(place, &choice, sizeof choice);
    } else {
        memcpy(place, &value, sizeof value);
    }
}

/* One "40001=REAUTH", of which `at` is the start: past its end, or NULL. */
static const char *read_meaning(struct case_file *file, const char *at, struct nexauth_code_meaning *meaning)
{
    char name[16];
    char *end = NULL;

    meaning->code = strtoll(at, &end, 10);
    if (end == at || *end != '=' || strcspn(end + 1, " ") >= sizeof name)
        return NULL;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(end + 1, " "), end + 1);
    meaning->status = (int)case_status(file, name);
    at = end + 1 + strlen(name);
    return *at == ' ' ? at + 1 : at;
}

static void fill_meanings(struct case_source *source, struct case_file *file)
{
    const struct nx_option_table *table = &source->provider->options;
    const void *meanings = source->meanings;
    const char *at = case_value(file, "meaning");
    size_t count = 0;

    if (!at)
        return;
    while (at && *at && count < sizeof source->meanings / sizeof *source->meanings)
        at = read_meaning(file, at, &source->meanings[count++]);
    if (!at || *at || !table->meanings) {
        case_differs(file, "meaning: must be up to four like 40001=REAUTH, at a source that has meanings");
        return;
    }
    memcpy((char *)source->options + table->meanings, &meanings, sizeof meanings);
    memcpy((char *)source->options + table->meanings_count, &count, sizeof count);
}

static nexauth_status supply_nothing(void *context, char *xspe, size_t size)
{
    (void)context;
    (void)xspe;
    (void)size;
    return NEXAUTH_CANCELED;
}

void case_source_fill(struct case_source *source, struct case_file *file, const char *prefix)
{
    const struct nx_option_table *table = &source->provider->options;
    struct nexauth_nexusguard_user_options *user = source->provider == &nx_nexusguard_user ? source->options : NULL;

    for (size_t i = 0; i < table->count; i++) {
        char key[64];

        snprintf(key, sizeof key, "%s%s", prefix, table->options[i].name);
        fill_option(source, file, &table->options[i], key);
    }
    fill_meanings(source, file);
    if (user && case_says_yes(file, "web_handler"))
        user->web_handler = 1;
    if (user && case_says_yes(file, "xspe_callback"))
        user->xspe_callback = supply_nothing;
}

nexauth_status case_source_check(struct case_source *source, bool loopback_http, struct nexauth_error *error)
{
    const struct nx_provider *provider = source->provider;
    nexauth_status status = nx_identity_init(&source->identity, &provider->options, source->options, loopback_http,
                                             &vault_of_malloc, error);

    if (status == NEXAUTH_OK && provider->check)
        status = provider->check(source->identity.options, error);
    return status;
}

void case_source_find_leak(const struct case_source *source, struct case_file *file, const char *text)
{
    const struct nx_option_table *table = &source->provider->options;

    for (size_t i = 0; i < table->count; i++) {
        const struct nx_option *option = &table->options[i];
        const char *secret = NULL;

        if (option->flags & NX_SECRET)
            memcpy(&secret, (const char *)source->options + option->offset, sizeof secret);
        if (secret && strlen(secret) >= 4 && strstr(text, secret))
            case_differs(file, "a message holds the %s: %s", option->name, text);
    }
}
