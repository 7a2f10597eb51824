/* What nexauth_perform() takes for a ban of the address, and what not: three answers in a row. */
#include "support/test.h"

#include "live.h"
#include "performer.h"

#define CONTROLLER "/v1.0/Controller"
#define ALWAYS     "{\"service\":\"nex\",\"path\":\"/v1.0/Controller\",\"times\":0,\"answer\":"
#define HTML       "\"headers\":{\"Content-Type\":\"text/html; charset=utf-8\"},\"body\":\"<p>\""

enum { ANSWERS = 3 };

static const struct live_who one[ANSWERS] = {
    {.kind = LIVE_NEX_CONTROLLER}, {.kind = LIVE_NEX_CONTROLLER}, {.kind = LIVE_NEX_CONTROLLER}};
static const struct live_who three[ANSWERS] = {{.kind = LIVE_NEX_CONTROLLER, .id = "111aa", .other = "456"},
                                               {.kind = LIVE_NEX_CONTROLLER, .id = "222bb", .other = "789"},
                                               {.kind = LIVE_NEX_CONTROLLER, .id = "333cc", .other = "012"}};

static const struct row {
    const char *name;
    const char *fault;
    const struct live_who *callers;
    nexauth_status first; /* and second */
    nexauth_status third;
} rows[] = {
    {"a page with 401", ALWAYS "{\"status\":401," HTML "}}", one, NEXAUTH_DENIED, NEXAUTH_BLOCKED},
    {"a page with 403", ALWAYS "{\"status\":403," HTML "}}", one, NEXAUTH_OK, NEXAUTH_BLOCKED},
    {"a page with 404", ALWAYS "{\"status\":404," HTML "}}", one, NEXAUTH_OK, NEXAUTH_BLOCKED},
    {"a page with 500", ALWAYS "{\"status\":500," HTML "}}", one, NEXAUTH_OK, NEXAUTH_OK},
    {"a page with 200", ALWAYS "{\"status\":200," HTML "}}", one, NEXAUTH_OK, NEXAUTH_OK},
    {"JSON with 403", ALWAYS "{\"status\":403,\"headers\":{\"Content-Type\":\"application/json\"},\"body\":\"{}\"}}",
     three, NEXAUTH_OK, NEXAUTH_OK},
    {"nothing with 403, for one", ALWAYS "\"empty-403\"}", one, NEXAUTH_OK, NEXAUTH_OK},
    {"nothing with 403, for three", ALWAYS "\"empty-403\"}", three, NEXAUTH_OK, NEXAUTH_BLOCKED},
    {"nothing with 404, for three", ALWAYS "\"empty-404\"}", three, NEXAUTH_OK, NEXAUTH_BLOCKED},
    {"nothing with 401, for three", ALWAYS "\"empty-401\"}", three, NEXAUTH_DENIED, NEXAUTH_BLOCKED},
    /* Quantoz's 401 has no body, but a challenge: no firewall knows of that. */
    {"a challenge, for three", ALWAYS "{\"status\":401,\"headers\":{\"WWW-Authenticate\":\"Bearer\"}}}", three,
     NEXAUTH_DENIED, NEXAUTH_DENIED},
    {"a page with a challenge",
     ALWAYS "{\"status\":401,\"headers\":{\"WWW-Authenticate\":\"Negotiate\","
            "\"Content-Type\":\"text/html\"},\"body\":\"<p>\"}}",
     one, NEXAUTH_DENIED, NEXAUTH_BLOCKED},
};

/* Each caller has a source of its own, in one session. */
static int run_row(const struct row *row)
{
    nexauth_session *session = live_new_session(NULL);
    struct performer performer;
    int wrong = 0;

    assert_int_equal(emulator_reset(&live_emulator), 0);
    live_fault(row->fault);
    performer_begin(&performer);
    performer.options.rewind = NULL;
    for (int i = 0; i < ANSWERS; i++) {
        nexauth_source *source = live_new_source(session, &row->callers[i]);
        const nexauth_status status = performer_perform(&performer, source,
                                                        performer_url(live_emulator.nex_https, CONTROLLER), NULL);

        if (status != (i < ANSWERS - 1 ? row->first : row->third)) {
            print_error("%s: answer %d: %s\n", row->name, i + 1, nexauth_status_name(status));
            wrong = 1;
        }
        nexauth_source_free(source);
    }
    performer_end(&performer);
    nexauth_session_free(session);
    return wrong;
}

static void three_answers_in_a_row_show_a_ban(void **state)
{
    int wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        wrong += run_row(&rows[i]);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_answers_in_a_row_show_a_ban),
    };

    return cmocka_run_group_tests(tests, live_start, live_stop);
}
