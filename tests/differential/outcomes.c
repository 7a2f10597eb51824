/*
 * What the library makes of answers, for whoever wants to compare: a Quantoz source's flight, with no server and no
 * clock. Each answer comes on standard input as a line "STATUS SIZE" and SIZE bytes of body; each outcome leaves as one
 * form-encoded line: status, token, lifetime, scope, type, code.
 */
#include "core/encode.h"
#include "core/flight.h"
#include "providers/providers.h"
#include "session/session.h"
#include "support/vault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BOUND = 65536, LINE_LONGEST = 4 * BOUND };

/* The defaults, so that the scope asked for is api1. */
static bool make_identity(struct nx_identity *identity)
{
    const struct nexauth_quantoz_options options = {
        .client_id = "a-client", .client_secret = "chosen&by+the user", .environment = NEXAUTH_QUANTOZ_TEST};

    return nx_identity_init(identity, &nx_quantoz.options, &options, false, &vault_of_malloc, NULL) == NEXAUTH_OK &&
           nx_quantoz.check(identity->options, NULL) == NEXAUTH_OK;
}

/* False at the end of the input, or when it is no answer. */
static bool take_answer(struct nx_response *response)
{
    static char body[BOUND];
    char line[64];
    char *at = line;
    size_t size = 0;

    if (!fgets(line, sizeof line, stdin))
        return false;
    response->http_status = (int)strtol(line, &at, 10);
    size = strtoul(at, &at, 10);
    if (*at != '\n' || size > sizeof body || fread(body, 1, size, stdin) != size)
        return false;
    nx_text_add_bytes(&response->body, body, size);
    return true;
}

static void add_field(struct nx_text *line, const char *name, const char *value)
{
    if (line->length)
        nx_text_add_char(line, '&');
    nx_text_add(line, name);
    nx_text_add_char(line, '=');
    nx_add_form(line, value);
}

/* The type under which the token would be presented: the first word of its header's value. Takes the issue over. */
static void add_type(struct nx_text *line, struct nx_issue *issue)
{
    struct nx_arena *arena = nx_arena_new();
    nexauth_token *token = arena ? nx_token_new(arena, NULL, issue, 0, 0) : NULL;
    const char *header = token ? nexauth_token_header(token) : NULL;
    const char *value = header ? strchr(header, ' ') : NULL;
    char type[16] = "";

    if (value)
        snprintf(type, sizeof type, "%.*s", (int)strcspn(value + 1, " "), value + 1);
    add_field(line, "type", type);
    nexauth_token_unref(token);
    nx_arena_unref(arena);
}

static void add_token(struct nx_text *line, struct nx_issue *issue)
{
    char lifetime[32];

    snprintf(lifetime, sizeof lifetime, "%lld", (long long)issue->lifetime_s);
    add_field(line, "token", nx_text_string(&issue->access_token));
    add_field(line, "lifetime", lifetime);
    add_field(line, "scope", nx_text_string(&issue->scope));
    add_type(line, issue);
}

static void print_outcome(struct nx_flight *flight)
{
    const bool came = flight->need == NX_NEED_SAVE;
    struct nx_text line;

    nx_text_init(&line, LINE_LONGEST);
    add_field(&line, "status", nexauth_status_name(came ? NEXAUTH_OK : flight->error.status));
    if (came)
        add_token(&line, &flight->issue);
    else
        add_field(&line, "code", flight->error.code);
    puts(nx_text_string(&line));
    nx_text_release(&line);
}

/* One flight of its own for each answer: what one endpoint answered before is another question. */
static bool fly(const struct nx_identity *identity)
{
    struct nx_grant grant;
    struct nx_exchange exchange;
    struct nx_flight flight;
    struct nx_history history = {0};
    bool taken = false;

    nx_grant_init(&grant);
    nx_exchange_init(&exchange, BOUND);
    nx_flight_begin(&flight, &nx_quantoz, identity, &grant, &exchange, BOUND);
    exchange.sendings = 1;
    taken = flight.need == NX_NEED_SEND && take_answer(&exchange.response);
    if (taken) {
        nx_flight_take_exchange(&flight, &history, 1);
        print_outcome(&flight);
    }
    nx_flight_release(&flight);
    nx_exchange_release(&exchange);
    nx_grant_release(&grant);
    nx_history_release(&history);
    return taken;
}

int main(void)
{
    struct nx_identity identity = {0};
    bool done = false;

    if (make_identity(&identity)) {
        while (fly(&identity))
            ;
        done = feof(stdin);
    }
    nx_identity_release(&identity, &vault_of_malloc);
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
