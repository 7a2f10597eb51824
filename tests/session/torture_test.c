/*
 * Every allocation of one acquisition per vendor fails: once, and once and for ever from there; for who waits, and for
 * who polls. Nothing breaks or leaks (the sanitizers look), what is said and saved is true, and the source works
 * afterwards.
 */
#include "support/test.h"

#include "session/session.h"
#include "support/failing.h"
#include "support/fixture.h"
#include "support/torture.h"

#include <stdlib.h>
#include <string.h>

enum { HELD_MS = 6000 }; /* after which a first failure is held no longer */

#define ENVELOPE(token)                                                                                                \
    "{\"code\":0,\"msg\":\"success\",\"result\":{\"access_token\":\"" token                                            \
    "\",\"expires_in\":7200,\"refresh_token\":\"rotated\",\"scope\":\"install_login\"}}"

#define XML_TOKEN                                                                                                      \
    "<TokenResponse xmlns=\"http://schemas.datacontract.org/2004/07/NEX.API.Models\"><access_token>nex</access_token>" \
    "<expires_in>1209600</expires_in><scope>user</scope><token_type>Bearer</token_type></TokenResponse>"

#define XML_DICTIONARY                                                                                                 \
    "<ArrayOfKeyValueOfstringstring><KeyValueOfstringstring><Key>access_token</Key><Value>nex</Value>"                 \
    "</KeyValueOfstringstring></ArrayOfKeyValueOfstringstring>"

#define UTF16_TOKEN                                                                                                    \
    "\xff\xfe"                                                                                                         \
    "<\0r\0>\0<\0a\0c\0c\0e\0s\0s\0_\0t\0o\0k\0e\0n\0>\0"                                                              \
    "n\0e\0x\0"                                                                                                        \
    "<\0/\0a\0c\0c\0e\0s\0s\0_\0t\0o\0k\0e\0n\0>\0<\0/\0r\0>\0"

static const struct script_answer answer_json = {
    .status = 200,
    .body = "{\"\\u0061ccess_token\":\"n\\u0065x\",\"expires_in\":\"1209600\",\"token_type\":\"Bearer\"}"};
#ifdef NEXAUTH_XML
static const struct script_answer answer_xml = {.status = 200, .body = XML_TOKEN};
static const struct script_answer answer_utf16 = {
    .status = 200, .body = UTF16_TOKEN, .body_size = sizeof UTF16_TOKEN - 1};
static const struct script_answer answer_dictionary = {.status = 200, .body = XML_DICTIONARY};
static const struct script_answer answer_model_state = {
    .status = 400,
    .body = "<Error><Message>The request is invalid.</Message><ModelState><r.username>The field is required."
            "</r.username></ModelState></Error>"};
#endif
static const struct script_answer answer_quantoz = {
    .status = 200,
    .body = "{\"access_token\":\"quantoz\",\"expires_in\":3.6e3,\"token_type\":\"Bearer\",\"scope\":\"api1\"}"};
static const struct script_answer answer_envelope = {.status = 200, .body = ENVELOPE("guard")};
static const struct script_answer answer_redirect = {
    .status = 302, .location = "https://app.example.com/callback?code=the-code&state={state}"};
static const struct script_answer answer_refused = {
    .status = 400, .body = "{\"error\":\"invalid_client\",\"error_description\":\"No%20such &amp; client\"}"};

static nexauth_status new_nex_user(nexauth_session *session, nexauth_source **out, struct nexauth_error *error)
{
    const struct nexauth_nex_user_options options = {
        .client_id = "mycompany", .client_secret = "abc123", .username = "myname", .password = "xyz456"};

    return nexauth_source_new_nex_user(session, &options, out, error);
}

static nexauth_status new_nex_controller(nexauth_session *session, nexauth_source **out, struct nexauth_error *error)
{
    return nexauth_source_new_nex_controller(session, &fixture_controller, out, error);
}

static nexauth_status new_quantoz(nexauth_session *session, nexauth_source **out, struct nexauth_error *error)
{
    const struct nexauth_quantoz_options options = {.client_id = "client",
                                                    .client_secret = "p&ss w+rd",
                                                    .environment = NEXAUTH_QUANTOZ_TEST,
                                                    .client_auth = NEXAUTH_CLIENT_AUTH_BASIC};

    return nexauth_source_new_quantoz(session, &options, out, error);
}

static nexauth_status new_nexusguard_app(nexauth_session *session, nexauth_source **out, struct nexauth_error *error)
{
    const struct nexauth_code_meaning meanings[] = {{40001, NEXAUTH_DENIED}};
    const struct nexauth_nexusguard_app_options options = {
        .app_id = "app", .secret = "app-secret", .meanings = meanings, .meanings_count = 1};

    return nexauth_source_new_nexusguard_app(session, &options, out, error);
}

static nexauth_status supply(void *context, char *xspe, size_t size)
{
    (void)context;
    memcpy(xspe, "fresh", size < 6 ? size : 6);
    return NEXAUTH_OK;
}

static nexauth_status new_nexusguard_user(nexauth_session *session, nexauth_source **out, struct nexauth_error *error)
{
    const struct nexauth_nexusguard_user_options options = fixture_with_callback(supply, NULL);

    return nexauth_source_new_nexusguard_user(session, &options, out, error);
}

static nexauth_status new_nexusguard_saved(nexauth_session *session, nexauth_source **out, struct nexauth_error *error)
{
    struct nexauth_nexusguard_user_options options = fixture_customer;

    options.refresh_token = "saved";
    options.xspe = NULL;
    options.xspe_callback = supply;
    return nexauth_source_new_nexusguard_user(session, &options, out, error);
}

static nexauth_status new_static(nexauth_session *session, nexauth_source **out, struct nexauth_error *error)
{
    const struct nexauth_static_options options = {.access_token = "static", .scope = "all"};

    return nexauth_source_new_static(session, &options, out, error);
}

struct scenario {
    const char *name;
    nexauth_status (*make)(nexauth_session *session, nexauth_source **out, struct nexauth_error *error);
    const struct script_answer *answers[3];
    nexauth_status status; /* when no allocation fails */
    const char *token;
};

static const struct scenario scenarios[] = {
    {"a NEX user, JSON", new_nex_user, {&answer_json}, NEXAUTH_OK, "nex"},
#ifdef NEXAUTH_XML
    {"a NEX controller, XML", new_nex_controller, {&answer_xml}, NEXAUTH_OK, "nex"},
    {"a NEX controller, XML in UTF-16", new_nex_controller, {&answer_utf16}, NEXAUTH_OK, "nex"},
    {"a NEX controller, an XML dictionary", new_nex_controller, {&answer_dictionary}, NEXAUTH_OK, "nex"},
    {"a NEX controller, XML that refuses", new_nex_controller, {&answer_model_state}, NEXAUTH_DENIED, NULL},
#endif
    {"a NEX controller, refused", new_nex_controller, {&answer_refused}, NEXAUTH_DENIED, NULL},
    {"Quantoz", new_quantoz, {&answer_quantoz}, NEXAUTH_OK, "quantoz"},
    {"a Nexusguard app", new_nexusguard_app, {&answer_envelope}, NEXAUTH_OK, "guard"},
    {"a Nexusguard user", new_nexusguard_user, {&answer_redirect, &answer_envelope}, NEXAUTH_OK, "guard"},
    {"a Nexusguard user, refresh",
     new_nexusguard_saved,
     {&answer_envelope, &answer_redirect, &answer_envelope}, /* it connects when the refresh is in doubt */
     NEXAUTH_OK,
     "guard"},
    {"a static token", new_static, {NULL}, NEXAUTH_OK, "static"},
};

static const struct scenario connecting = {.answers = {&answer_redirect, &answer_envelope}};

/* What was told: the truth of this scenario, or that memory ran out. */
static void assert_true_outcome(const struct scenario *scenario, nexauth_status status, const nexauth_token *token,
                                const struct nexauth_error *error)
{
    if (status == NEXAUTH_OK)
        assert_string_equal(nexauth_token_access_token(token), scenario->token);
    else
        assert_null(token);
    if (status != scenario->status && status != NEXAUTH_NO_MEMORY)
        fail_msg("%s: %s: %s", scenario->name, nexauth_status_name(status), error->message);
}

static void add_answers(struct script *script, const struct scenario *scenario)
{
    for (size_t i = 0; i < 3 && scenario->answers[i]; i++)
        script_answer(script, *scenario->answers[i]);
}

/* With memory at hand again the source gives what it should, from wherever the lack of memory left its one-time values.
 */
static void assert_works_again(struct fixture *fixture, const struct scenario *scenario, nexauth_source *source)
{
    const struct nx_grant *grant = source->grant;
    struct script *script = &fixture->script;
    nexauth_token *token = NULL;
    struct nexauth_error error = {0};

    script->begun = 0;
    script->answer_count = 0;
    script_pass_ms(script, HELD_MS);
    if (grant && (grant->code.length || grant->refresh_token.length))
        script_answer(script, answer_envelope);
    else if (source->provider->authorizing)
        add_answers(script, &connecting);
    else
        add_answers(script, scenario);
    assert_int_equal(nexauth_source_get_token(source, NULL, &token, &error), scenario->status);
    assert_true_outcome(scenario, scenario->status, token, &error);
    nexauth_token_unref(token);
}

static nexauth_status save(void *context, nexauth_token *token)
{
    const struct scenario *scenario = context;

    assert_string_equal(nexauth_token_access_token(token), scenario->token);
    return NEXAUTH_OK;
}

struct ending {
    nexauth_token *token;
    struct nexauth_error error;
    bool called;
};

static void end(void *context, nexauth_token *token, const struct nexauth_error *error)
{
    struct ending *ending = context;

    assert_false(ending->called);
    ending->called = true;
    ending->token = nexauth_token_ref(token);
    if (error)
        ending->error = *error;
}

typedef nexauth_status getter(struct fixture *fixture, nexauth_source *source, nexauth_token **out,
                              struct nexauth_error *error);

static nexauth_status get_by_waiting(struct fixture *fixture, nexauth_source *source, nexauth_token **out,
                                     struct nexauth_error *error)
{
    (void)fixture;
    return nexauth_source_get_token(source, NULL, out, error);
}

static nexauth_status get_by_polling(struct fixture *fixture, nexauth_source *source, nexauth_token **out,
                                     struct nexauth_error *error)
{
    struct ending ending = {0};
    nexauth_status status = nexauth_source_start(source, NULL, end, &ending, NULL, error);

    while (!status && !ending.called)
        status = nexauth_session_poll(fixture->session, 1000, error);
    if (status)
        return status;
    *out = ending.token;
    *error = ending.error;
    return error->status;
}

/* One run of the whole scenario with one failing allocation. False when it was beyond the last. */
static bool run(const struct scenario *scenario, getter *get, size_t failing, bool for_ever)
{
    void *state = NULL;
    struct fixture *fixture;
    nexauth_source *source = NULL;
    nexauth_token *token = NULL;
    struct nexauth_error error = {0};
    nexauth_status status;
    size_t allocations;

    assert_int_equal(fixture_set_up(&state), 0);
    fixture = state;
    add_answers(&fixture->script, scenario);
    failing_arm(failing, for_ever);
    status = scenario->make(fixture->session, &source, &error);
    if (status == NEXAUTH_OK && scenario->token)
        status = nexauth_source_set_save(source, save, (void *)scenario, &error);
    if (status == NEXAUTH_OK)
        status = get(fixture, source, &token, &error);
    allocations = failing_disarm();
    assert_true_outcome(scenario, status, token, &error);
    nexauth_token_unref(token);
    if (source)
        assert_works_again(fixture, scenario, source);
    nexauth_source_free(source);
    fixture_tear_down(&state);
    return failing <= allocations;
}

static bool run_waiting(const void *scenario, size_t failing, bool for_ever)
{
    return run(scenario, get_by_waiting, failing, for_ever);
}

static bool run_polling(const void *scenario, size_t failing, bool for_ever)
{
    return run(scenario, get_by_polling, failing, for_ever);
}

static void every_allocation_may_fail(void **state)
{
    torture(run_waiting, *state, 2);
    torture(run_polling, *state, 2);
}

/* One run with one failing allocation, as all below. False when it was beyond the last. */
static bool run_start(const void *context, size_t failing, bool for_ever)
{
    static const struct nexauth_limit limits[] = {{.name = "api", .requests = 1},
                                                  {.name = "requests", .origin = "https://nexcloud.io", .requests = 2}};
    const struct nexauth_session_options options = {
        .ca_file = NEXAUTH_TEST_DATA "/tls/ca.pem", .limits = limits, .limits_count = 2};
    nexauth_session *session = NULL;
    nexauth_status status;
    size_t allocations;

    (void)context;
    failing_arm(failing, for_ever);
    status = nexauth_session_new(&options, &session, NULL);
    allocations = failing_disarm();
    assert_int_equal(status, failing <= allocations ? NEXAUTH_NO_MEMORY : NEXAUTH_OK);
    assert_true(status == NEXAUTH_OK ? session != NULL : session == NULL);
    nexauth_session_free(session);
    return failing <= allocations;
}

static void a_session_may_lack_memory_at_its_start(void **state)
{
    (void)state;
    torture(run_start, NULL, 3);
}

static nexauth_status bring_a_code(nexauth_source *source)
{
    nexauth_authorization *authorization = NULL;
    char url[128] = "/callback?code=the-code&state=";
    nexauth_status status = nexauth_source_authorize(source, &authorization, NULL);

    if (authorization) {
        memcpy(url + strlen(url), nexauth_authorization_state(authorization), 33);
        status = nexauth_source_accept_redirect(source, url, nexauth_authorization_state(authorization), NULL);
    }
    nexauth_authorization_free(authorization);
    return status;
}

static bool run_web_handler(const void *context, size_t failing, bool for_ever)
{
    void *world = NULL;
    struct nexauth_nexusguard_user_options options = fixture_customer;
    nexauth_source *source;
    nexauth_status status;
    size_t allocations;

    (void)context;
    assert_int_equal(fixture_set_up(&world), 0);
    options.web_handler = 1;
    source = fixture_new_customer(world, &options);
    failing_arm(failing, for_ever);
    status = bring_a_code(source);
    allocations = failing_disarm();
    assert_true(status == NEXAUTH_OK || status == NEXAUTH_NO_MEMORY);
    if (failing > allocations)
        assert_int_equal(status, NEXAUTH_OK);
    nexauth_source_free(source);
    fixture_tear_down(&world);
    return failing <= allocations;
}

static void the_web_handlers_way_may_lack_memory(void **state)
{
    (void)state;
    torture(run_web_handler, NULL, 4);
}

/* All of it or nothing. */
static bool run_restore(const void *context, size_t failing, bool for_ever)
{
    static const struct nexauth_saved_token saved = {.access_token = "saved",
                                                     .refresh_token = "saved-refresh",
                                                     .scope = "install_login",
                                                     .obtained_at = 1999999990,
                                                     .expires_at = 2000000090,
                                                     .lifetime_s = 100};
    void *world = NULL;
    nexauth_source *source;
    nexauth_status status;
    size_t allocations;

    (void)context;
    assert_int_equal(fixture_set_up(&world), 0);
    source = fixture_new_customer(world, &fixture_customer);
    failing_arm(failing, for_ever);
    status = nexauth_source_restore_token(source, &saved, NULL);
    allocations = failing_disarm();
    assert_int_equal(status, failing <= allocations ? NEXAUTH_NO_MEMORY : NEXAUTH_OK);
    if (status) {
        assert_null(source->token);
        assert_int_equal(source->grant->refresh_token.length, 0);
        assert_int_equal(nexauth_source_restore_token(source, &saved, NULL), NEXAUTH_OK);
    }
    assert_int_equal(fixture_get(source, "saved", NULL), NEXAUTH_OK);
    assert_string_equal(nx_text_string(&source->grant->refresh_token), "saved-refresh");
    nexauth_source_free(source);
    fixture_tear_down(&world);
    return failing <= allocations;
}

static void a_token_is_restored_wholly_or_not_at_all(void **state)
{
    (void)state;
    torture(run_restore, NULL, 4);
}

/* Fifteen seconds before its end the token cannot be renewed, and what is to be said of that may find no memory. */
static bool run_hold(const void *context, size_t failing, bool for_ever)
{
    static const struct nexauth_get_options demanding = {.min_validity_s = 50};
    void *world = NULL;
    struct fixture *fixture;
    nexauth_source *source;
    nexauth_token *token = NULL;
    struct nexauth_error error = {0};
    size_t allocations;

    (void)context;
    assert_int_equal(fixture_set_up(&world), 0);
    fixture = world;
    source = fixture_new_controller(fixture);
    fixture_answer_token(fixture, "old", "100");
    assert_int_equal(fixture_get(source, "old", NULL), NEXAUTH_OK);
    script_pass_ms(&fixture->script, 85000);
    script_answer_always(&fixture->script, (struct script_answer){.status = 500});
    failing_arm(failing, for_ever);
    assert_int_equal(fixture_get(source, "old", &error), NEXAUTH_OK);
    allocations = failing_disarm();
    nexauth_source_get_token(source, &demanding, &token, &error);
    assert_null(token);
    assert_true(error.status == NEXAUTH_UNAVAILABLE || error.status == NEXAUTH_NO_MEMORY);
    assert_string_not_equal(error.message, "");
    assert_true(error.retry_after_ms > 0);
    nexauth_source_free(source);
    fixture_tear_down(&world);
    return failing <= allocations;
}

static void why_a_token_is_not_renewed_is_told_whatever_memory_there_was(void **state)
{
    (void)state;
    torture(run_hold, NULL, 4);
}

int main(void)
{
    enum { OTHERS = 4, SCENARIOS = sizeof scenarios / sizeof *scenarios };
    struct CMUnitTest tests[OTHERS + SCENARIOS] = {
        cmocka_unit_test(a_session_may_lack_memory_at_its_start),
        cmocka_unit_test(the_web_handlers_way_may_lack_memory),
        cmocka_unit_test(a_token_is_restored_wholly_or_not_at_all),
        cmocka_unit_test(why_a_token_is_not_renewed_is_told_whatever_memory_there_was),
    };

    failing_hook_dependencies();
    for (size_t i = 0; i < SCENARIOS; i++)
        tests[OTHERS + i] = (struct CMUnitTest){
            .name = scenarios[i].name, .test_func = every_allocation_may_fail, .initial_state = (void *)&scenarios[i]};
    return cmocka_run_group_tests_name("every allocation may fail", tests, NULL, NULL);
}
