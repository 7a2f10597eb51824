/*
 * Calls that are wrong by themselves: a pointer that is missing. Each says INVALID, with and without an error to write
 * to, and does nothing; what has no status to return gives what there is to give for nothing.
 */
#include "support/test.h"

#include "nexauth/curl.h"
#include "session/pass_rig.h"

#include <string.h>

static struct nexauth_error error;
static struct nexauth_error *why; /* where the call under test says why */

static void assert_refused(const char *words, nexauth_status status)
{
    if (status != NEXAUTH_INVALID)
        fail_msg("%s: %s", words, nexauth_status_name(status));
    if (why && (why->status != NEXAUTH_INVALID || !*why->message || why->http_status || why->retry_after_ms))
        fail_msg("%s: says %s: %s", words, nexauth_status_name(why->status), why->message);
}

#define REFUSED(call)                                                                                                  \
    do {                                                                                                               \
        error = (struct nexauth_error){0};                                                                             \
        why = &error;                                                                                                  \
        assert_refused(#call, (call));                                                                                 \
        why = NULL;                                                                                                    \
        assert_refused(#call, (call));                                                                                 \
    } while (0)

/* Marks that no call may overwrite or free. */
static char mark[3];
#define MARK(type) ((type *)(void *)&mark)

static void a_session_needs_its_pointers(void **state)
{
    struct rig *rig = *state;
    nexauth_session *session = rig->fixture.session;
    const struct nexauth_session_options uncounted = {.limits_count = 1};
    nexauth_session *made = MARK(nexauth_session);
    struct nexauth_limit_state limit = {0};
    size_t count = 7;
    int descriptor = 7;

    REFUSED(nexauth_session_new(NULL, NULL, why));
    REFUSED(nexauth_session_new(&uncounted, &made, why));
    REFUSED(nexauth_session_poll(NULL, 0, why));
    REFUSED(nexauth_session_descriptor(NULL, &descriptor, why));
    REFUSED(nexauth_session_descriptor(session, NULL, why));
    REFUSED(nexauth_session_limits(NULL, &limit, 1, &count, why));
    REFUSED(nexauth_session_limits(session, NULL, 1, &count, why));
    REFUSED(nexauth_session_limits(session, &limit, 1, NULL, why));
    nexauth_session_free(NULL);
    nexauth_session_wakeup(NULL);
    assert_int_equal(nexauth_session_timeout_ms(NULL), -1);
    assert_ptr_equal(made, MARK(nexauth_session));
    assert_int_equal(count, 7);
    assert_int_equal(descriptor, 7);
}

static void a_constructor_needs_its_pointers(void **state)
{
    struct rig *rig = *state;
    nexauth_session *session = rig->fixture.session;
    const struct nexauth_nex_user_options user = {
        .client_id = "a", .client_secret = "b", .username = "c", .password = "d"};
    const struct nexauth_quantoz_options client = {
        .client_id = "a", .client_secret = "b", .environment = NEXAUTH_QUANTOZ_TEST};
    const struct nexauth_nexusguard_app_options app = {.app_id = "a", .secret = "b"};
    const struct nexauth_nexusguard_app_options uncounted = {.app_id = "a", .secret = "b", .meanings_count = 1};
    const struct nexauth_static_options fixed = {.access_token = "a"};
    nexauth_source *out = MARK(nexauth_source);

    REFUSED(nexauth_source_new_nex_user(NULL, &user, &out, why));
    REFUSED(nexauth_source_new_nex_user(session, NULL, &out, why));
    REFUSED(nexauth_source_new_nex_user(session, &user, NULL, why));
    REFUSED(nexauth_source_new_nex_controller(NULL, &fixture_controller, &out, why));
    REFUSED(nexauth_source_new_nex_controller(session, NULL, &out, why));
    REFUSED(nexauth_source_new_nex_controller(session, &fixture_controller, NULL, why));
    REFUSED(nexauth_source_new_quantoz(NULL, &client, &out, why));
    REFUSED(nexauth_source_new_quantoz(session, NULL, &out, why));
    REFUSED(nexauth_source_new_quantoz(session, &client, NULL, why));
    REFUSED(nexauth_source_new_nexusguard_app(NULL, &app, &out, why));
    REFUSED(nexauth_source_new_nexusguard_app(session, NULL, &out, why));
    REFUSED(nexauth_source_new_nexusguard_app(session, &app, NULL, why));
    REFUSED(nexauth_source_new_nexusguard_app(session, &uncounted, &out, why));
    REFUSED(nexauth_source_new_nexusguard_user(NULL, &fixture_customer, &out, why));
    REFUSED(nexauth_source_new_nexusguard_user(session, NULL, &out, why));
    REFUSED(nexauth_source_new_nexusguard_user(session, &fixture_customer, NULL, why));
    REFUSED(nexauth_source_new_static(NULL, &fixed, &out, why));
    REFUSED(nexauth_source_new_static(session, NULL, &out, why));
    REFUSED(nexauth_source_new_static(session, &fixed, NULL, why));
    assert_ptr_equal(out, MARK(nexauth_source));
}

static void note_token(void *context, nexauth_token *token, const struct nexauth_error *problem)
{
    (void)token;
    (void)problem;
    ++*(int *)context;
}

static void a_source_that_is_asked_needs_its_pointers(void **state)
{
    struct rig *rig = *state;
    nexauth_source *source = rig->source;
    nexauth_token *token = MARK(nexauth_token);
    nexauth_call *call = MARK(nexauth_call);
    struct nexauth_stats stats = {.hits = 7};
    char buffer[64] = "mark";
    size_t size = 7;
    int runs = 0;

    REFUSED(nexauth_source_get_token(NULL, NULL, &token, why));
    REFUSED(nexauth_source_get_token(source, NULL, NULL, why));
    REFUSED(nexauth_source_copy_token(NULL, NULL, buffer, sizeof buffer, &size, why));
    REFUSED(nexauth_source_copy_token(source, NULL, NULL, sizeof buffer, &size, why));
    REFUSED(nexauth_source_copy_token(source, NULL, buffer, sizeof buffer, NULL, why));
    REFUSED(nexauth_source_copy_token(source, NULL, buffer, 0, &size, why));
    REFUSED(nexauth_source_start(NULL, NULL, note_token, &runs, &call, why));
    REFUSED(nexauth_source_start(source, NULL, NULL, &runs, &call, why));
    REFUSED(nexauth_source_stats(NULL, &stats, why));
    REFUSED(nexauth_source_stats(source, NULL, why));
    assert_ptr_equal(token, MARK(nexauth_token));
    assert_ptr_equal(call, MARK(nexauth_call));
    assert_string_equal(buffer, "mark");
    assert_int_equal(size, 7);
    assert_int_equal(stats.hits, 7);
    assert_int_equal(runs, 0);
}

static nexauth_status save(void *context, nexauth_token *token)
{
    (void)context;
    (void)token;
    return NEXAUTH_OK;
}

static void a_source_that_is_told_needs_its_pointers(void **state)
{
    struct rig *rig = *state;
    nexauth_source *source = rig->source;
    const struct nexauth_saved_token saved = {.access_token = "a", .obtained_at = 1, .expires_at = 2, .lifetime_s = 1};
    nexauth_authorization *authorization = MARK(nexauth_authorization);
    nexauth_token *token = NULL;

    assert_int_equal(nexauth_source_get_token(source, NULL, &token, NULL), NEXAUTH_OK);
    REFUSED(nexauth_source_reject_token(NULL, token, why));
    REFUSED(nexauth_source_reject_token(source, NULL, why));
    REFUSED(nexauth_source_reject_copy(NULL, "Authorization: Bearer one", why));
    REFUSED(nexauth_source_reject_copy(source, NULL, why));
    REFUSED(nexauth_source_set_save(NULL, save, NULL, why));
    REFUSED(nexauth_source_set_save(source, NULL, NULL, why));
    REFUSED(nexauth_source_restore_token(NULL, &saved, why));
    REFUSED(nexauth_source_restore_token(source, NULL, why));
    REFUSED(nexauth_source_authorize(NULL, &authorization, why));
    REFUSED(nexauth_source_authorize(source, NULL, why));
    REFUSED(nexauth_source_accept_redirect(NULL, "/?code=a&state=b", "0123456789abcdef0123456789abcdef", why));
    REFUSED(nexauth_source_accept_redirect(source, NULL, "0123456789abcdef0123456789abcdef", why));
    REFUSED(nexauth_source_accept_redirect(source, "/?code=a&state=b", NULL, why));
    nexauth_source_approve_token(NULL, token);
    nexauth_source_approve_token(source, NULL);
    nexauth_source_free(NULL);
    assert_ptr_equal(authorization, MARK(nexauth_authorization));
    assert_int_equal(fixture_get(source, "one", NULL), NEXAUTH_OK);
    nexauth_token_unref(token);
}

static void note_permit(void *context, nexauth_permit *permit, const struct nexauth_error *problem)
{
    (void)problem;
    ++*(int *)context;
    nexauth_permit_free(permit);
}

static void a_permit_needs_its_pointers(void **state)
{
    struct rig *rig = *state;
    const struct nexauth_permit_options options = {.url = NEX_URL};
    const struct nexauth_permit_options nowhere = {0};
    const struct nexauth_answer answer = {.http_status = 200};
    nexauth_permit *permit = MARK(nexauth_permit);
    nexauth_call *call = MARK(nexauth_call);
    int runs = 0;

    REFUSED(nexauth_permit_begin(NULL, &options, &permit, why));
    REFUSED(nexauth_permit_begin(rig->source, NULL, &permit, why));
    REFUSED(nexauth_permit_begin(rig->source, &nowhere, &permit, why));
    REFUSED(nexauth_permit_begin(rig->source, &options, NULL, why));
    REFUSED(nexauth_permit_start(NULL, &options, note_permit, &runs, &call, why));
    REFUSED(nexauth_permit_start(rig->source, NULL, note_permit, &runs, &call, why));
    REFUSED(nexauth_permit_start(rig->source, &nowhere, note_permit, &runs, &call, why));
    REFUSED(nexauth_permit_start(rig->source, &options, NULL, &runs, &call, why));
    assert_ptr_equal(permit, MARK(nexauth_permit));
    assert_ptr_equal(call, MARK(nexauth_call));
    permit = rig_take(rig->source, NEX_URL);
    REFUSED(nexauth_permit_send_again(NULL, why));
    REFUSED(nexauth_permit_end(NULL, &answer, why));
    REFUSED(nexauth_permit_end(permit, NULL, why));
    nexauth_permit_free(NULL);
    assert_null(nexauth_permit_url(NULL));
    assert_null(nexauth_permit_header(NULL));
    assert_int_equal(rig_end(permit, &answer, NULL), NEXAUTH_OK);
    assert_int_equal(runs, 0);
}

static void a_transfer_needs_its_pointers(void **state)
{
    struct rig *rig = *state;
    const struct nexauth_perform_options options = {.url = NEX_URL};
    const struct nexauth_perform_options nowhere = {0};
    CURL *easy = curl_easy_init();

    REFUSED(nexauth_perform(NULL, easy, &options, why));
    REFUSED(nexauth_perform(rig->source, NULL, &options, why));
    REFUSED(nexauth_perform(rig->source, easy, NULL, why));
    REFUSED(nexauth_perform(rig->source, easy, &nowhere, why));
    curl_easy_cleanup(easy);
}

static void nothing_has_nothing_to_give(void **state)
{
    (void)state;
    assert_null(nexauth_token_ref(NULL));
    nexauth_token_unref(NULL);
    assert_null(nexauth_token_header(NULL));
    assert_null(nexauth_token_query(NULL));
    assert_null(nexauth_token_access_token(NULL));
    assert_null(nexauth_token_refresh_token(NULL));
    assert_null(nexauth_token_scope(NULL));
    assert_int_equal(nexauth_token_obtained_at(NULL), 0);
    assert_int_equal(nexauth_token_expires_at(NULL), 0);
    assert_int_equal(nexauth_token_lifetime_s(NULL), 0);
    assert_int_equal(nexauth_token_stated_lifetime_s(NULL), -1);
    assert_null(nexauth_call_ref(NULL));
    nexauth_call_unref(NULL);
    nexauth_call_cancel(NULL);
    assert_null(nexauth_authorization_url(NULL));
    assert_null(nexauth_authorization_state(NULL));
    nexauth_authorization_free(NULL);
}

static void every_number_has_a_name(void **state)
{
    static const int numbers[] = {-1, NEXAUTH_CANCELED + 1, INT32_MIN, INT32_MAX};

    (void)state;
    assert_string_equal(nexauth_version(), NEXAUTH_VERSION);
    assert_string_equal(nexauth_status_name(NEXAUTH_OK), "OK");
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        nexauth_status status;

        memcpy(&status, &numbers[i], sizeof status);
        assert_string_equal(nexauth_status_name(status), "UNKNOWN");
    }
}

/* libcurl has begun to allocate. */
static void a_process_is_hardened_first_or_not_at_all(void **state)
{
    (void)state;
    assert_int_equal(curl_global_init(CURL_GLOBAL_DEFAULT), CURLE_OK);
    REFUSED(nexauth_process_harden(why));
    curl_global_cleanup();
}

static int set_up(void **state)
{
    *state = rig_new_nex(1000);
    return 0;
}

static int tear_down(void **state)
{
    rig_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_session_needs_its_pointers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_constructor_needs_its_pointers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_source_that_is_asked_needs_its_pointers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_source_that_is_told_needs_its_pointers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_permit_needs_its_pointers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_transfer_needs_its_pointers, set_up, tear_down),
        cmocka_unit_test(nothing_has_nothing_to_give),
        cmocka_unit_test(every_number_has_a_name),
        cmocka_unit_test(a_process_is_hardened_first_or_not_at_all),
    };

    return cmocka_run_group_tests_name("pointers that are missing", tests, NULL, NULL);
}
