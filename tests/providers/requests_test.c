/*
 * How each provider words its requests, byte for byte, and which options it refuses. The cases are in data/requests.
 *
 *     source: quantoz
 *     client_id: ...           the options, by the names of the provider's table
 *     step: credentials        or connect, code, refresh
 *     loopback_http: yes       as the session's option
 *     grant.code: ...          what the source goes out with: code, state, refresh_token, supplied_xspe
 *     ---
 *     POST https://...         the request line, the headers in order, a blank line and the body
 *
 * or, instead of a request, "expect: INVALID" with a piece of its "message".
 */
#include "support/case_source.h"

#include "core/flight.h"
#include "core/request.h"
#include "providers/providers.h"
#include "support/vault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REQUEST_LONGEST = 1024 * 1024 };

static enum nx_step step_of(struct case_file *file)
{
    static const char *const names[] = {[NX_STEP_CREDENTIALS] = "credentials",
                                        [NX_STEP_CONNECT] = "connect",
                                        [NX_STEP_CODE] = "code",
                                        [NX_STEP_REFRESH] = "refresh"};
    const char *name = case_value(file, "step");

    for (size_t i = 0; name && i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i], name) == 0)
            return (enum nx_step)i;
    }
    case_differs(file, "step: must be credentials, connect, code or refresh");
    return NX_STEP_CREDENTIALS;
}

static void fill_text(struct nx_text *text, const char *value)
{
    if (value)
        nx_text_add(text, value);
}

static void fill_grant(struct nx_grant *grant, struct case_file *file)
{
    nx_grant_init(grant);
    fill_text(&grant->code, case_value(file, "grant.code"));
    fill_text(&grant->state, case_value(file, "grant.state"));
    fill_text(&grant->refresh_token, case_value(file, "grant.refresh_token"));
    fill_text(&grant->supplied, case_value(file, "grant.supplied_xspe"));
}

/* The request as the case files show one. */
static void show(const struct nx_request *request, struct nx_text *out)
{
    nx_text_add(out, request->carrier == NX_CARRIER_QUERY ? "GET" : "POST");
    nx_text_add_char(out, ' ');
    nx_text_add(out, nx_text_string(&request->url));
    for (size_t i = 0; i < request->header_count; i++) {
        nx_text_add_char(out, '\n');
        nx_text_add(out, nx_text_string(&request->headers[i]));
    }
    if (request->body.length) {
        nx_text_add(out, "\n\n");
        nx_text_add_bytes(out, request->body.data, request->body.length);
    }
}

static void compare_request(struct case_source *source, struct case_file *file)
{
    struct nx_request request;
    struct nx_grant grant;
    struct nx_text shown;

    nx_request_init(&request);
    nx_text_init(&shown, REQUEST_LONGEST);
    fill_grant(&grant, file);
    source->provider->word(source->identity.options, step_of(file), &grant, &request);
    case_compare_numbers(file, "the outcome of wording the request", NEXAUTH_OK, nx_request_end(&request));
    show(&request, &shown);
    case_compare_bytes(file, "the request", &file->rest, &shown);
    nx_text_release(&shown);
    nx_request_release(&request);
    nx_grant_release(&grant);
}

static void compare_refusal(struct case_source *source, struct case_file *file, nexauth_status status,
                            const struct nexauth_error *error)
{
    const char *message = case_value(file, "message");

    case_compare(file, "the status", case_value(file, "expect"), nexauth_status_name(status));
    case_compare_numbers(file, "the error's status", status, error->status);
    if (!message || !strstr(error->message, message))
        case_differs(file, "message: \"%s\" is not in \"%s\"", message ? message : "", error->message);
    case_source_find_leak(source, file, error->message);
}

static void judge(struct case_source *source, struct case_file *file)
{
    struct nexauth_error error = {0};
    nexauth_status status;

    case_source_fill(source, file, "");
    status = case_source_check(source, case_says_yes(file, "loopback_http"), &error);
    if (case_value(file, "expect"))
        compare_refusal(source, file, status, &error);
    else if (status)
        case_differs(file, "the options are refused: %s", error.message);
    else
        compare_request(source, file);
}

static void a_case_holds(void **state)
{
    struct case_file file;
    struct case_source source;

    case_open(&file, *state);
    if (!case_fits_build(&file)) {
        case_release(&file);
        skip();
    }
    if (case_source_init(&source, &file))
        judge(&source, &file);
    case_source_release(&source);
    case_close(&file);
}

static const struct nx_provider *const every_provider[] = {
    &nx_nex_user, &nx_nex_controller, &nx_quantoz, &nx_nexusguard_app, &nx_nexusguard_user, &nx_static, NULL};

static void reserved_words_that_are_not_zero_are_refused(void **state)
{
    (void)state;
    for (const struct nx_provider *const *provider = every_provider; *provider; provider++) {
        const struct nx_option_table *table = &(*provider)->options;
        unsigned char *options = calloc(1, table->size);

        assert_non_null(options);
        for (size_t at = table->size - 8 * sizeof(uintptr_t); at < table->size; at++) {
            struct nx_identity identity = {0};
            struct nexauth_error error = {0};

            options[at] = 1;
            assert_int_equal(nx_identity_init(&identity, table, options, false, &vault_of_malloc, &error),
                             NEXAUTH_INVALID);
            assert_non_null(strstr(error.message, "reserved"));
            assert_null(identity.options);
            options[at] = 0;
        }
        free(options);
    }
}

static void missing_options_are_refused(void **state)
{
    (void)state;
    for (const struct nx_provider *const *provider = every_provider; *provider; provider++) {
        struct nx_identity identity = {0};
        struct nexauth_error error = {0};

        assert_int_equal(nx_identity_init(&identity, &(*provider)->options, NULL, false, &vault_of_malloc, &error),
                         NEXAUTH_INVALID);
    }
}

/* Every byte that is a control character, in a string of each kind of body: JSON, form and query. */
static void no_control_character_is_let_through(void **state)
{
    (void)state;
    for (int byte = 1; byte < 0x80; byte++) {
        const char secret[] = {'a', (char)byte, 'b', '\0'};
        const struct nexauth_quantoz_options quantoz = {
            .client_id = "id", .client_secret = secret, .environment = NEXAUTH_QUANTOZ_TEST};
        const struct nexauth_nexusguard_app_options app = {.app_id = secret, .secret = "secret"};
        const struct nexauth_nex_user_options user = {
            .client_id = "id", .client_secret = "secret", .username = "name", .password = secret};
        const nexauth_status expected = byte < 0x20 || byte == 0x7f ? NEXAUTH_INVALID : NEXAUTH_OK;
        struct nx_identity identities[3] = {{0}};

        assert_int_equal(nx_identity_init(&identities[0], &nx_quantoz.options, &quantoz, false, &vault_of_malloc, NULL),
                         expected);
        assert_int_equal(
            nx_identity_init(&identities[1], &nx_nexusguard_app.options, &app, false, &vault_of_malloc, NULL),
            expected);
        assert_int_equal(nx_identity_init(&identities[2], &nx_nex_user.options, &user, false, &vault_of_malloc, NULL),
                         expected);
        for (size_t i = 0; i < 3; i++)
            nx_identity_release(&identities[i], &vault_of_malloc);
    }
}

static nexauth_status init_app(const struct nexauth_nexusguard_app_options *app)
{
    struct nx_identity identity = {0};
    nexauth_status status = nx_identity_init(&identity, &nx_nexusguard_app.options, app, false, &vault_of_malloc, NULL);

    nx_identity_release(&identity, &vault_of_malloc);
    return status;
}

static void meanings_are_statuses_that_a_code_can_have(void **state)
{
    static const int allowed[] = {NEXAUTH_CONFIG,    NEXAUTH_DENIED,  NEXAUTH_REAUTH,
                                  NEXAUTH_THROTTLED, NEXAUTH_BLOCKED, NEXAUTH_UNAVAILABLE};
    struct nexauth_code_meaning meanings[257] = {{0}};
    struct nexauth_nexusguard_app_options app = {
        .app_id = "id", .secret = "secret", .meanings = meanings, .meanings_count = 1};

    (void)state;
    for (int status = -1; status <= NEXAUTH_CANCELED + 1; status++) {
        bool good = false;

        for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
            good = good || allowed[i] == status;
        meanings[0] = (struct nexauth_code_meaning){.code = 40001, .status = status};
        assert_int_equal(init_app(&app), good ? NEXAUTH_OK : NEXAUTH_INVALID);
    }
    for (size_t i = 0; i < 257; i++)
        meanings[i] = (struct nexauth_code_meaning){.code = (int64_t)i, .status = NEXAUTH_DENIED};
    app.meanings_count = 256;
    assert_int_equal(init_app(&app), NEXAUTH_OK);
    app.meanings_count = 257;
    assert_int_equal(init_app(&app), NEXAUTH_INVALID);
    app.meanings = NULL;
    app.meanings_count = 1;
    assert_int_equal(init_app(&app), NEXAUTH_INVALID);
}

static void a_static_token_needs_no_request(void **state)
{
    const struct nexauth_static_options options = {
        .access_token = "key-123", .scope = "api1", .expires_at = 1900000000, .presentation = NEXAUTH_PRESENT_QUERY};
    struct nx_identity identity = {0};
    struct nx_exchange exchange;
    struct nx_grant grant;
    struct nx_flight flight;

    (void)state;
    assert_int_equal(nx_identity_init(&identity, &nx_static.options, &options, false, &vault_of_malloc, NULL),
                     NEXAUTH_OK);
    nx_exchange_init(&exchange, 65536);
    nx_grant_init(&grant);
    nx_flight_begin(&flight, &nx_static, &identity, &grant, &exchange, 65536);
    assert_int_equal(flight.need, NX_NEED_PUBLISH);
    assert_string_equal(nx_text_string(&flight.issue.access_token), "key-123");
    assert_string_equal(nx_text_string(&flight.issue.scope), "api1");
    assert_int_equal(flight.issue.lifetime_s, 0);
    assert_int_equal(flight.issue.expires_at, 1900000000);
    assert_int_equal(flight.issue.presentation, NEXAUTH_PRESENT_QUERY);
    nx_flight_release(&flight);
    nx_grant_release(&grant);
    nx_exchange_release(&exchange);
    nx_identity_release(&identity, &vault_of_malloc);
}

int main(void)
{
    const struct CMUnitTest more[] = {
        cmocka_unit_test(reserved_words_that_are_not_zero_are_refused),
        cmocka_unit_test(missing_options_are_refused),
        cmocka_unit_test(no_control_character_is_let_through),
        cmocka_unit_test(meanings_are_statuses_that_a_code_can_have),
        cmocka_unit_test(a_static_token_needs_no_request),
    };

    return case_run_group("requests", 5, a_case_holds, more, sizeof more / sizeof *more);
}
