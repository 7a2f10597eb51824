/* Answers that end too early, at every byte that there is: none brings a token. */
#include "support/test.h"

#include "support/fixture.h"

#include <stdlib.h>
#include <string.h>

#define MEMBERS                                                                                                        \
    "{\"access_token\":\"one\",\"expires_in\":100,\"refresh_token\":\"r\",\"scope\":\"s\",\"token_type\":\"Bearer\"}"

static nexauth_source *new_app(struct fixture *fixture)
{
    const struct nexauth_nexusguard_app_options options = {.app_id = "app", .secret = "app-secret"};
    nexauth_source *source = NULL;

    assert_int_equal(nexauth_source_new_nexusguard_app(fixture->session, &options, &source, NULL), NEXAUTH_OK);
    return source;
}

/* In UTF-16, little end first, with its mark. The caller frees it. */
static char *widen(const char *text, size_t *size)
{
    char *wide = calloc(2, strlen(text) + 1);

    assert_non_null(wide);
    *size = 2 * (strlen(text) + 1);
    wide[0] = '\xff';
    wide[1] = '\xfe';
    for (size_t i = 0; text[i]; i++)
        wide[2 * (i + 1)] = text[i];
    return wide;
}

static void cut_everywhere(struct fixture *fixture, nexauth_source *source, const char *bytes, size_t size)
{
    struct nexauth_error error = {0};

    for (size_t i = 0; i < size; i++) {
        char *part = malloc(i + 1);

        assert_non_null(part);
        memcpy(part, bytes, i);
        part[i] = '\0';
        script_answer_always(&fixture->script, (struct script_answer){.status = 200, .body = part, .body_size = i});
        if (fixture_get(source, NULL, &error) != NEXAUTH_PROTOCOL)
            fail_msg("%zu bytes: %s: %s", i, nexauth_status_name(error.status), part);
        fixture_forget(fixture);
        free(part);
    }
    script_answer_always(&fixture->script, (struct script_answer){.status = 200, .body = bytes, .body_size = size});
    fixture_get(source, "one", &error);
    nexauth_source_free(source);
}

static void json_that_is_cut_brings_no_token(void **state)
{
    cut_everywhere(*state, fixture_new_controller(*state), MEMBERS, strlen(MEMBERS));
}

static void an_envelope_that_is_cut_brings_no_token(void **state)
{
    static const char envelope[] = "{\"code\":0,\"msg\":\"success\",\"result\":" MEMBERS "}";
    static const char code_last[] = "{\"result\":" MEMBERS ",\"msg\":\"success\",\"code\":0}";

    cut_everywhere(*state, new_app(*state), envelope, strlen(envelope));
    fixture_forget(*state);
    cut_everywhere(*state, new_app(*state), code_last, strlen(code_last));
}

static void xml_that_is_cut_brings_no_token(void **state)
{
#ifdef NEXAUTH_XML
    static const char xml[] =
        "<?xml version=\"1.0\"?><!-- a token --><TokenResponse xmlns=\"http://schemas.example.com/NEX.API.Models\">"
        "<access_token>one</access_token><expires_in>100</expires_in><scope><![CDATA[controller]]></scope>"
        "<token_type>Bearer</token_type></TokenResponse>";
    size_t size;
    char *wide = widen(xml, &size);

    cut_everywhere(*state, fixture_new_controller(*state), xml, strlen(xml));
    fixture_forget(*state);
    cut_everywhere(*state, fixture_new_controller(*state), wide, size);
    free(wide);
#else
    (void)state;
    (void)widen;
    skip();
#endif
}

#define IN_A_SCRIPT(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_SCRIPT(json_that_is_cut_brings_no_token),
        IN_A_SCRIPT(an_envelope_that_is_cut_brings_no_token),
        IN_A_SCRIPT(xml_that_is_cut_brings_no_token),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
