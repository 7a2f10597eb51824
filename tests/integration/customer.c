#include "support/test.h"

#include "customer.h"
#include "live.h"
#include "passing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static nexauth_status save(void *context, nexauth_token *token)
{
    struct customer_journal *journal = context;

    journal->saves++;
    snprintf(journal->newest, sizeof journal->newest, "%s", nexauth_token_refresh_token(token));
    return NEXAUTH_OK;
}

void customer_note(void *context, nexauth_token *token, const struct nexauth_error *error)
{
    struct customer_outcome *outcome = context;

    assert_false(outcome->ended);
    *outcome = (struct customer_outcome){.ended = true, .status = token ? NEXAUTH_OK : error->status};
    if (token)
        snprintf(outcome->refresh_token, CUSTOMER_TOKEN, "%s", nexauth_token_refresh_token(token));
    else
        snprintf(outcome->message, sizeof outcome->message, "%s", error->message);
}

struct customer_outcome customer_block(nexauth_session *session, nexauth_source *source)
{
    struct customer_outcome outcome = {0};
    struct nexauth_error error = {0};
    nexauth_token *token = NULL;

    (void)session;
    nexauth_source_get_token(source, NULL, &token, &error);
    customer_note(&outcome, token, &error);
    nexauth_token_unref(token);
    return outcome;
}

struct customer_outcome customer_poll(nexauth_session *session, nexauth_source *source)
{
    struct customer_outcome outcome = {0};

    assert_int_equal(nexauth_source_start(source, NULL, customer_note, &outcome, NULL, NULL), NEXAUTH_OK);
    while (!outcome.ended)
        assert_int_equal(nexauth_session_poll(session, 1000, NULL), NEXAUTH_OK);
    return outcome;
}

customer_ask *const customer_askers[CUSTOMER_CALLERS] = {customer_block, customer_poll};

static nexauth_status supply(void *context, char *xspe, size_t size)
{
    (void)context;
    snprintf(xspe, size, "spe-portal");
    return NEXAUTH_OK;
}

const struct nexauth_nexusguard_user_options customer_by_xspe = {.app_id = LIVE_APP,
                                                                 .secret = LIVE_SECRET,
                                                                 .redirect_uri = LIVE_REDIRECT,
                                                                 .customer_id = "C-1001",
                                                                 .xspe = "spe-portal"};
const struct nexauth_nexusguard_user_options customer_by_callback = {.app_id = LIVE_APP,
                                                                     .secret = LIVE_SECRET,
                                                                     .redirect_uri = LIVE_REDIRECT,
                                                                     .customer_id = "C-1001",
                                                                     .xspe_callback = supply};
const struct nexauth_nexusguard_user_options customer_by_web = {.app_id = LIVE_APP,
                                                                .secret = LIVE_SECRET,
                                                                .redirect_uri = LIVE_REDIRECT,
                                                                .customer_id = "C-1001",
                                                                .xspe = "spe-portal",
                                                                .web_handler = 1};
const struct nexauth_nexusguard_user_options customer_by_nothing = {.app_id = LIVE_APP};

nexauth_source *customer_new_source(nexauth_session *session, const struct nexauth_nexusguard_user_options *who,
                                    const char *refresh_token, struct customer_journal *journal)
{
    struct nexauth_nexusguard_user_options options = *who;
    nexauth_source *source = NULL;

    options.refresh_token = refresh_token;
    if (!options.origin)
        options.origin = live_emulator.nexusguard_https;
    assert_int_equal(nexauth_source_new_nexusguard_user(session, &options, &source, NULL), NEXAUTH_OK);
    assert_int_equal(nexauth_source_set_save(source, save, journal, NULL), NEXAUTH_OK);
    return source;
}

struct customer_start customer_begin(void)
{
    struct customer_start start = {.session = passing_new_session(live_emulator.ca_file)};

    assert_int_equal(emulator_reset(&live_emulator), 0);
    start.saved = live_connect_and_save(start.session);
    passing_let_s(CUSTOMER_FORGOTTEN_S);
    return start;
}

void customer_end(struct customer_start *start)
{
    nexauth_session_free(start->session);
    free(start->saved);
}

int customer_presented(const char *path)
{
    return live_requests_at(path) + emulator_count_member(&live_emulator, path, "unread", 1);
}

void customer_assert_nothing_twice(void)
{
    assert_int_equal(emulator_total_reused(&live_emulator, "refresh_tokens_reused"), 0);
    assert_int_equal(emulator_total_reused(&live_emulator, "codes_reused"), 0);
}

void customer_assert_good(const char *refresh_token)
{
    nexauth_session *session = passing_new_session(live_emulator.ca_file);
    struct customer_journal journal = {0};
    nexauth_source *source = customer_new_source(session, &customer_by_nothing, refresh_token, &journal);
    const struct customer_outcome outcome = customer_block(session, source);

    if (outcome.status)
        fail_msg("what was saved last is not good: %s", outcome.message);
    nexauth_source_free(source);
    nexauth_session_free(session);
    customer_assert_nothing_twice();
}

void customer_befall(const char *path, const char *fault)
{
    char json[256];

    snprintf(json, sizeof json, "{\"service\":\"nexusguard\",\"path\":\"%s\",%s}", strchr(path, '/'), fault);
    live_fault(json);
}

void customer_assert_outcome(const struct customer_outcome *outcome, nexauth_status status, const char *words,
                             const char *fault)
{
    if (outcome->status != status || !strstr(outcome->message, words))
        fail_msg("%s: %s: %s", fault, nexauth_status_name(outcome->status), outcome->message);
}
