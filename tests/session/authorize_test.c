/* The application's web handler receives the redirect: URL and state out, redirect in, and the code's exchange. */
#include "support/test.h"

#include "support/fixture.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

static const struct script_answer token_one = {
    .status = 200,
    .body = "{\"code\":0,\"result\":{\"access_token\":\"one\",\"expires_in\":100,\"refresh_token\":\"refresh-one\"}}"};
static const struct script_answer token_two = {
    .status = 200, .body = "{\"code\":0,\"result\":{\"access_token\":\"two\",\"expires_in\":100}}"};

static nexauth_source *new_handled(struct fixture *fixture)
{
    struct nexauth_nexusguard_user_options options = fixture_customer;

    options.web_handler = 1;
    options.redirect_uri = "https://app.example.com/callback?tenant=7";
    return fixture_new_customer(fixture, &options);
}

static nexauth_authorization *authorize(nexauth_source *source)
{
    nexauth_authorization *authorization = NULL;

    assert_int_equal(nexauth_source_authorize(source, &authorization, NULL), NEXAUTH_OK);
    return authorization;
}

/* Hands the handler's URL in: `format` has one %s, for the state. */
static nexauth_status hand_in(nexauth_source *source, const char *format, const char *state,
                              struct nexauth_error *error)
{
    const char *place = strstr(format, "%s");
    char url[512];

    if (place)
        snprintf(url, sizeof url, "%.*s%s%s", (int)(place - format), format, state, place + 2);
    else
        snprintf(url, sizeof url, "%s", format);
    return nexauth_source_accept_redirect(source, url, state, error);
}

static void expect_token(nexauth_source *source, const char *expected)
{
    nexauth_token *token = NULL;

    assert_int_equal(nexauth_source_get_token(source, NULL, &token, NULL), NEXAUTH_OK);
    assert_string_equal(nexauth_token_access_token(token), expected);
    nexauth_token_unref(token);
}

static void the_url_carries_everything_and_a_fresh_state(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = new_handled(fixture);
    nexauth_authorization *first = authorize(source);
    nexauth_authorization *second = authorize(source);
    char expected[512];

    snprintf(expected, sizeof expected,
             "https://api.nexusguard.com/oauth/connect?app_id=app&redirect_uri="
             "https%%3A%%2F%%2Fapp.example.com%%2Fcallback%%3Ftenant%%3D7&response_type=code&scope=install_login"
             "&xspe=spe-portal&state=%s&customer_id=C-1001",
             nexauth_authorization_state(first));
    assert_string_equal(nexauth_authorization_url(first), expected);
    assert_int_equal(strlen(nexauth_authorization_state(first)), 32);
    assert_int_equal(strspn(nexauth_authorization_state(first), "0123456789abcdef"), 32);
    assert_string_not_equal(nexauth_authorization_state(first), nexauth_authorization_state(second));
    assert_int_equal(fixture->script.begun, 0);
    nexauth_authorization_free(first);
    nexauth_authorization_free(second);
    nexauth_source_free(source);
}

static void the_right_redirect_brings_a_token_whole_or_from_its_path_on(void **state)
{
    struct fixture *fixture = *state;
    const char *const redirects[] = {"https://app.example.com/callback?tenant=7&code=c%2B1&state=%s",
                                     "HTTPS://App.Example.com:443/callback?tenant=7&state=%s&x=y&code=c%2B1#top",
                                     "/callback?tenant=7&code=c%2B1&state=%s"};

    for (size_t i = 0; i < sizeof redirects / sizeof *redirects; i++) {
        nexauth_source *source = new_handled(fixture);
        nexauth_authorization *authorization = authorize(source);

        script_answer(&fixture->script, token_one);
        assert_int_equal(hand_in(source, redirects[i], nexauth_authorization_state(authorization), NULL), NEXAUTH_OK);
        expect_token(source, "one");
        assert_string_equal(fixture->script.requests[i].body,
                            "app_id=app&secret=app-secret&code=c%2B1&grant_type=authorization_code");
        nexauth_authorization_free(authorization);
        nexauth_source_free(source);
    }
}

static void a_wrong_redirect_is_refused_and_sends_nothing(void **state)
{
    struct fixture *fixture = *state;
    const struct {
        const char *url;
        nexauth_status status;
        const char *code;
    } cases[] = {
        {"https://evil.example.com/callback?tenant=7&code=c&state=%s", NEXAUTH_PROTOCOL, ""},
        {"http://app.example.com/callback?tenant=7&code=c&state=%s", NEXAUTH_PROTOCOL, ""},
        {"https://app.example.com:8443/callback?tenant=7&code=c&state=%s", NEXAUTH_PROTOCOL, ""},
        {"https://app.example.com/other?tenant=7&code=c&state=%s", NEXAUTH_PROTOCOL, ""},
        {"https://app.example.com/callback?code=c&state=%s", NEXAUTH_PROTOCOL, ""},
        {"https://app.example.com/callback?tenant=70&code=c&state=%s", NEXAUTH_PROTOCOL, ""},
        {"https://user@app.example.com/callback?tenant=7&code=c&state=%s", NEXAUTH_PROTOCOL, ""},
        {"//evil.example.com/callback?tenant=7&code=c&state=%s", NEXAUTH_PROTOCOL, ""},
        {"/callback?tenant=7&code=c&state=00000000000000000000000000000000", NEXAUTH_PROTOCOL, ""},
        {"/callback?tenant=7&code=c", NEXAUTH_PROTOCOL, ""},
        {"/callback?tenant=7&state=%s", NEXAUTH_PROTOCOL, ""},
        {"/callback?tenant=7&code=c&code=d&state=%s", NEXAUTH_PROTOCOL, ""},
        {"/callback?tenant=7&code=&state=%s", NEXAUTH_PROTOCOL, ""},
        {"/callback?tenant=7&code=a%20b&state=%s", NEXAUTH_PROTOCOL, ""},
        {"/callback?tenant=7&code=a%00b&state=%s", NEXAUTH_PROTOCOL, ""},
        {"/callback?tenant=7&code=c&state=%s&state=", NEXAUTH_PROTOCOL, ""},
        {"/callback?tenant=7&code=c&error=access_denied&state=%s", NEXAUTH_PROTOCOL, ""},
        {"/callback?tenant=7&error=access_denied&state=wrong", NEXAUTH_PROTOCOL, ""},
        {"/callback?tenant=7&error=access_denied&state=%s", NEXAUTH_DENIED, "access_denied"},
        {"/callback?tenant=7&error=access_denied", NEXAUTH_DENIED, "access_denied"},
        {"/callback?tenant=7&error=invalid_scope&state=%s", NEXAUTH_CONFIG, "invalid_scope"},
        {"/callback?tenant=7&error=spe%2Dportal&state=%s", NEXAUTH_CONFIG, ""},
        {"/callback?tenant=7&error=no+%s", NEXAUTH_CONFIG, ""},
        {"nonsense", NEXAUTH_PROTOCOL, ""},
        {"", NEXAUTH_PROTOCOL, ""},
    };
    nexauth_source *source = new_handled(fixture);
    nexauth_authorization *authorization = authorize(source);
    nexauth_token *token = NULL;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct nexauth_error error = {0};
        const nexauth_status status = hand_in(source, cases[i].url, nexauth_authorization_state(authorization), &error);

        if (status != cases[i].status)
            fail_msg("%s: %s", cases[i].url, nexauth_status_name(status));
        assert_string_equal(error.code, cases[i].code);
    }
    assert_int_equal(nexauth_source_get_token(source, NULL, &token, NULL), NEXAUTH_REAUTH);
    assert_int_equal(fixture->script.begun, 0);
    nexauth_authorization_free(authorization);
    nexauth_source_free(source);
}

static void without_a_code_the_library_does_not_connect_by_itself(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = new_handled(fixture);
    struct nexauth_error error = {0};
    nexauth_token *token = NULL;

    assert_int_equal(nexauth_source_get_token(source, NULL, &token, &error), NEXAUTH_REAUTH);
    assert_non_null(strstr(error.message, "the user must authorize"));
    assert_int_equal(fixture->script.begun, 0);
    nexauth_source_free(source);
}

static void a_new_code_is_exchanged_whatever_token_is_at_hand(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = new_handled(fixture);
    nexauth_authorization *authorization = authorize(source);
    const char *expected = nexauth_authorization_state(authorization);

    script_answer(&fixture->script, token_one);
    script_answer(&fixture->script, token_two);
    assert_int_equal(hand_in(source, "/callback?tenant=7&code=first&state=%s", expected, NULL), NEXAUTH_OK);
    expect_token(source, "one");
    assert_int_equal(hand_in(source, "/callback?tenant=7&code=second&state=%s", expected, NULL), NEXAUTH_OK);
    expect_token(source, "two");
    assert_non_null(strstr(fixture->script.requests[1].body, "code=second"));
    expect_token(source, "two");
    assert_int_equal(fixture->script.begun, 2);
    nexauth_authorization_free(authorization);
    nexauth_source_free(source);
}

static void a_code_whose_answer_is_lost_is_dead(void **state)
{
    struct fixture *fixture = *state;
    nexauth_source *source = new_handled(fixture);
    nexauth_authorization *authorization = authorize(source);
    struct nexauth_error error = {0};
    nexauth_token *token = NULL;

    script_answer(&fixture->script, (struct script_answer){.loss = NX_LOSS_CUT});
    hand_in(source, "/callback?tenant=7&code=first&state=%s", nexauth_authorization_state(authorization), NULL);
    assert_int_equal(nexauth_source_get_token(source, NULL, &token, &error), NEXAUTH_REAUTH);
    assert_non_null(strstr(error.message, "unknown"));
    assert_int_equal(nexauth_source_get_token(source, NULL, &token, &error), NEXAUTH_REAUTH);
    assert_int_equal(fixture->script.begun, 1);
    nexauth_authorization_free(authorization);
    nexauth_source_free(source);
}

struct latecomer {
    struct fixture *fixture;
    nexauth_source *source;
    nexauth_authorization *authorization;
};

/* Hands a code in while another thread's refresh is under way, and then lets that be refused. */
static void *bring_a_code_meanwhile(void *context)
{
    struct latecomer *latecomer = context;

    while (script_begun(&latecomer->fixture->script) == 0)
        sched_yield();
    hand_in(latecomer->source, "/callback?tenant=7&code=late&state=%s",
            nexauth_authorization_state(latecomer->authorization), NULL);
    pthread_mutex_lock(&latecomer->fixture->script.mutex);
    latecomer->fixture->script.blocks = false;
    latecomer->fixture->script.due_ms[0] = latecomer->fixture->script.boot_ms;
    pthread_mutex_unlock(&latecomer->fixture->script.mutex);
    script_rouse(&latecomer->fixture->script);
    return NULL;
}

static void a_code_brought_during_a_refused_refresh_serves_who_waits(void **state)
{
    struct fixture *fixture = *state;
    struct nexauth_nexusguard_user_options options = fixture_customer;
    struct latecomer latecomer = {.fixture = fixture};
    pthread_t thread;

    options.web_handler = 1;
    options.redirect_uri = "https://app.example.com/callback?tenant=7";
    options.refresh_token = "saved";
    latecomer.source = fixture_new_customer(fixture, &options);
    latecomer.authorization = authorize(latecomer.source);
    script_answer(&fixture->script, (struct script_answer){.status = 200,
                                                           .takes_ms = INT64_MAX,
                                                           .body = "{\"code\":40030,\"msg\":\"no\",\"result\":[]}"});
    script_answer(&fixture->script, token_one);
    fixture->script.blocks = true;
    assert_int_equal(pthread_create(&thread, NULL, bring_a_code_meanwhile, &latecomer), 0);
    expect_token(latecomer.source, "one");
    pthread_join(thread, NULL);
    assert_non_null(strstr(fixture->script.requests[1].body, "code=late"));
    nexauth_authorization_free(latecomer.authorization);
    nexauth_source_free(latecomer.source);
}

/* While another call's refresh is under way. */
static void a_call_after_the_redirect_gets_the_token_of_its_code(void **state)
{
    struct fixture *fixture = *state;
    const struct nexauth_get_options impatient = {.timeout_ms = 10};
    struct nexauth_nexusguard_user_options options = fixture_customer;
    nexauth_authorization *authorization;
    nexauth_token *token = NULL;
    nexauth_source *source;

    options.web_handler = 1;
    options.redirect_uri = "https://app.example.com/callback?tenant=7";
    options.refresh_token = "saved";
    source = fixture_new_customer(fixture, &options);
    authorization = authorize(source);
    script_answer(&fixture->script,
                  (struct script_answer){
                      .status = 200,
                      .takes_ms = 500,
                      .body = "{\"code\":0,\"result\":{\"access_token\":\"of-the-old-user\",\"expires_in\":100}}"});
    script_answer(&fixture->script, token_one);
    assert_int_equal(nexauth_source_get_token(source, &impatient, &token, NULL), NEXAUTH_TIMEOUT);
    assert_int_equal(
        hand_in(source, "/callback?tenant=7&code=new&state=%s", nexauth_authorization_state(authorization), NULL),
        NEXAUTH_OK);
    expect_token(source, "one");
    assert_non_null(strstr(fixture->script.requests[1].body, "code=new"));
    nexauth_authorization_free(authorization);
    nexauth_source_free(source);
}

struct freeing {
    nexauth_source *source;
    nexauth_status nested;
};

static void *free_source(void *source)
{
    nexauth_source_free(source);
    return NULL;
}

/* Asks for its own source, which is wrong; and meanwhile another thread frees that. */
static nexauth_status be_freed_meanwhile(void *context, char *xspe, size_t size)
{
    struct freeing *freeing = context;
    nexauth_token *token = NULL;
    pthread_t thread;

    freeing->nested = nexauth_source_get_token(freeing->source, NULL, &token, NULL);
    pthread_create(&thread, NULL, free_source, freeing->source);
    pthread_join(thread, NULL);
    snprintf(xspe, size, "fresh");
    return NEXAUTH_OK;
}

static void a_source_freed_during_its_callback_cancels_the_authorization(void **state)
{
    struct fixture *fixture = *state;
    struct freeing freeing = {0};
    const struct nexauth_nexusguard_user_options options = fixture_with_callback(be_freed_meanwhile, &freeing);
    nexauth_authorization *authorization = NULL;

    freeing.source = fixture_new_customer(fixture, &options);
    assert_int_equal(nexauth_source_authorize(freeing.source, &authorization, NULL), NEXAUTH_CANCELED);
    assert_int_equal(freeing.nested, NEXAUTH_INVALID);
    assert_null(authorization);
}

static void the_url_takes_its_xspe_from_the_callback(void **state)
{
    struct fixture *fixture = *state;
    const struct {
        const char *xspe;
        nexauth_status status;
    } cases[] = {{"a&b", NEXAUTH_OK}, {"", NEXAUTH_INVALID}, {"a\tb", NEXAUTH_INVALID}, {NULL, NEXAUTH_UNAVAILABLE}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct nexauth_nexusguard_user_options options = fixture_with_callback(fixture_supply,
                                                                                     (void *)cases[i].xspe);
        nexauth_source *source = fixture_new_customer(fixture, &options);
        nexauth_authorization *authorization = NULL;

        assert_int_equal(nexauth_source_authorize(source, &authorization, NULL), cases[i].status);
        if (authorization)
            assert_non_null(strstr(nexauth_authorization_url(authorization), "&xspe=a%26b&"));
        nexauth_authorization_free(authorization);
        nexauth_source_free(source);
    }
}

/* What the callback supplied is in the URL that the service was given. */
static void a_redirect_that_says_the_xspe_of_its_url_back_is_not_quoted(void **state)
{
    struct nexauth_nexusguard_user_options options = fixture_with_callback(fixture_supply, (void *)"fresh xspe");
    const struct {
        const char *url;
        const char *code;
    } cases[] = {{"/callback?tenant=7&error=bad+fresh+xspe&state=%s", ""},
                 {"/callback?tenant=7&error=fresh%0Axspe&state=%s", ""},
                 {"/callback?tenant=7&error=bad+xspe&state=%s", "bad xspe"}};
    nexauth_authorization *authorization;
    nexauth_source *source;

    options.web_handler = 1;
    options.redirect_uri = "https://app.example.com/callback?tenant=7";
    source = fixture_new_customer(*state, &options);
    authorization = authorize(source);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct nexauth_error error = {0};

        assert_int_equal(hand_in(source, cases[i].url, nexauth_authorization_state(authorization), &error),
                         NEXAUTH_CONFIG);
        assert_string_equal(error.code, cases[i].code);
    }
    nexauth_authorization_free(authorization);
    nexauth_source_free(source);
}

/* The next authorization has another, that has not left yet. */
static void the_answer_to_a_code_that_says_its_xspe_back_is_not_quoted(void **state)
{
    struct fixture *fixture = *state;
    char xspe[] = "fresh xspe";
    struct nexauth_nexusguard_user_options options = fixture_with_callback(fixture_supply, xspe);
    struct nexauth_error error = {0};
    nexauth_authorization *authorizations[2];
    nexauth_source *source;

    options.web_handler = 1;
    source = fixture_new_customer(fixture, &options);
    authorizations[0] = authorize(source);
    assert_int_equal(
        hand_in(source, "/callback?code=the-code&state=%s", nexauth_authorization_state(authorizations[0]), &error),
        NEXAUTH_OK);
    memcpy(xspe, "other", sizeof "other");
    authorizations[1] = authorize(source);
    script_answer(&fixture->script, fixture_outspoken_refusal);
    assert_int_equal(fixture_get(source, NULL, &error), NEXAUTH_REAUTH);
    assert_null(strstr(error.message, "fresh"));
    assert_int_equal(
        hand_in(source, "/callback?error=the+other&state=%s", nexauth_authorization_state(authorizations[1]), &error),
        NEXAUTH_CONFIG);
    assert_string_equal(error.code, "");
    nexauth_authorization_free(authorizations[0]);
    nexauth_authorization_free(authorizations[1]);
    nexauth_source_free(source);
}

static void callers_that_are_wrong_are_told_so(void **state)
{
    struct fixture *fixture = *state;
    const struct nexauth_nexusguard_user_options saved = {.app_id = "app", .refresh_token = "saved"};
    nexauth_source *controller = fixture_new_controller(fixture);
    nexauth_source *refresher = fixture_new_customer(fixture, &saved);
    nexauth_source *source = new_handled(fixture);
    nexauth_authorization *authorization = NULL;
    const char *const right = "0123456789abcdef0123456789abcdef";
    struct nexauth_error error = {0};

    assert_int_equal(nexauth_source_authorize(NULL, &authorization, &error), NEXAUTH_INVALID);
    assert_int_equal(nexauth_source_authorize(source, NULL, &error), NEXAUTH_INVALID);
    assert_int_equal(nexauth_source_authorize(controller, &authorization, &error), NEXAUTH_INVALID);
    assert_int_equal(nexauth_source_authorize(refresher, &authorization, &error), NEXAUTH_INVALID);
    assert_int_equal(nexauth_source_accept_redirect(NULL, "/", right, &error), NEXAUTH_INVALID);
    assert_int_equal(nexauth_source_accept_redirect(source, NULL, right, &error), NEXAUTH_INVALID);
    assert_int_equal(nexauth_source_accept_redirect(source, "/", NULL, &error), NEXAUTH_INVALID);
    assert_int_equal(nexauth_source_accept_redirect(source, "/?code=c&state=", "", &error), NEXAUTH_INVALID);
    assert_int_equal(nexauth_source_accept_redirect(controller, "/", right, &error), NEXAUTH_INVALID);
    assert_null(authorization);
    fixture->script.entropy_fails = true;
    assert_int_equal(nexauth_source_authorize(source, &authorization, &error), NEXAUTH_UNAVAILABLE);
    nexauth_authorization_free(NULL);
    assert_null(nexauth_authorization_url(NULL));
    assert_null(nexauth_authorization_state(NULL));
    nexauth_source_free(controller);
    nexauth_source_free(refresher);
    nexauth_source_free(source);
}

static void a_url_beyond_all_measure_is_refused(void **state)
{
    static char url[70000];
    struct fixture *fixture = *state;
    nexauth_source *source = new_handled(fixture);

    memset(url, 'a', sizeof url - 1);
    url[0] = '/';
    assert_int_equal(nexauth_source_accept_redirect(source, url, "0123456789abcdef0123456789abcdef", NULL),
                     NEXAUTH_INVALID);
    nexauth_source_free(source);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(the_url_carries_everything_and_a_fresh_state),
        IN_A_WORLD(the_right_redirect_brings_a_token_whole_or_from_its_path_on),
        IN_A_WORLD(a_wrong_redirect_is_refused_and_sends_nothing),
        IN_A_WORLD(without_a_code_the_library_does_not_connect_by_itself),
        IN_A_WORLD(a_new_code_is_exchanged_whatever_token_is_at_hand),
        IN_A_WORLD(a_code_whose_answer_is_lost_is_dead),
        IN_A_WORLD(a_code_brought_during_a_refused_refresh_serves_who_waits),
        IN_A_WORLD(a_call_after_the_redirect_gets_the_token_of_its_code),
        IN_A_WORLD(a_source_freed_during_its_callback_cancels_the_authorization),
        IN_A_WORLD(the_url_takes_its_xspe_from_the_callback),
        IN_A_WORLD(a_redirect_that_says_the_xspe_of_its_url_back_is_not_quoted),
        IN_A_WORLD(the_answer_to_a_code_that_says_its_xspe_back_is_not_quoted),
        IN_A_WORLD(callers_that_are_wrong_are_told_so),
        IN_A_WORLD(a_url_beyond_all_measure_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
