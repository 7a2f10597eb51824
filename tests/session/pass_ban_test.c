/* What tells a ban where an API answers, and what does not. */
#include "session/pass_rig.h"
#include "support/test.h"

#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

enum { CALLERS = 4 };

/* By letters, so that a row of answers is a word: each call is another identity's in its turn. */
static struct nexauth_answer answer_of(char letter)
{
    static const struct {
        char letter;
        struct nexauth_answer answer;
    } answers[] = {
        {'h', {.http_status = 403, .content_type = "text/html"}},
        {'H', {.http_status = 404, .content_type = "TEXT/HTML; charset=iso-8859-1"}},
        {'x', {.http_status = 401, .content_type = "application/xhtml+xml"}},
        {'b', {.http_status = 403}},
        {'B', {.http_status = 404}},
        {'c', {.loss = NEXAUTH_LOSS_CLOSED}},
        {'j', {.http_status = 403, .content_type = "application/json"}},
        {'t', {.http_status = 404, .content_type = "text/plain"}},
        {'o', {.http_status = 200, .content_type = "application/json"}},
        {'O', {.http_status = 200, .content_type = "text/html"}},
        {'g', {.http_status = 502, .content_type = "text/html"}},
        {'e', {.http_status = 500, .content_type = "text/html"}},
        {'l', {.loss = NEXAUTH_LOSS_UNKNOWN}},
        {'u', {.loss = NEXAUTH_LOSS_UNSENT}},
    };

    for (size_t i = 0; i < COUNT(answers); i++) {
        if (answers[i].letter == letter)
            return answers[i].answer;
    }
    fail_msg("%c is no answer", letter);
    return (struct nexauth_answer){0};
}

struct callers {
    struct rig *rig;
    nexauth_source *sources[CALLERS];
};

static struct callers begin(void)
{
    struct callers callers = {.rig = rig_new_nex(1000)};

    for (int i = 0; i < CALLERS; i++) {
        callers.sources[i] = rig_controller(callers.rig, 1 + i);
        rig_get_token(callers.rig, callers.sources[i], "token");
    }
    return callers;
}

static void finish(struct callers *callers)
{
    for (int i = 0; i < CALLERS; i++)
        nexauth_source_free(callers->sources[i]);
    rig_free(callers->rig);
}

static nexauth_status call(struct callers *callers, int who, char letter, struct nexauth_error *error)
{
    const struct nexauth_answer answer = answer_of(letter);
    const nexauth_status status = rig_call(callers->sources[who], NEX_URL, &answer, error);

    if (status == NEXAUTH_DENIED)
        rig_get_token(callers->rig, callers->sources[who], "next");
    return status;
}

/* Whether the last of these answers, and no other, shows a ban. */
static bool ends_in_ban(const char *row, bool by_one)
{
    struct callers callers = begin();
    bool banned = false;

    for (int i = 0; row[i]; i++) {
        assert_false(banned);
        banned = call(&callers, by_one ? 0 : i % CALLERS, row[i], NULL) == NEXAUTH_BLOCKED;
    }
    finish(&callers);
    return banned;
}

static void three_signs_in_a_row_show_a_ban(void **state)
{
    static const struct {
        const char *row;
        bool by_one, bans;
    } cases[] = {
        {"hhh", false, true},    {"hhh", true, true},     {"hHx", true, true},     {"xxx", false, true},
        {"bbb", false, true},    {"bBb", false, true},    {"bbbb", true, false},   {"ccc", false, true},
        {"ccc", true, true},     {"hh", false, false},    {"bb", false, false},    {"cc", false, false},
        {"hhohh", false, false}, {"hhjhh", false, false}, {"hhthh", false, false}, {"hhghh", true, false},
        {"hhehh", true, false},  {"hhOhh", true, false},  {"hhlh", true, true},    {"hhuh", true, true},
        {"bbobb", false, false}, {"bblb", false, true},   {"ccocc", true, false},  {"cchcc", true, false},
        {"cclc", true, true},    {"ccuc", true, true},    {"ccbcc", true, false},  {"jjjj", false, false},
        {"tttt", false, false},  {"OOOO", false, false},  {"gggg", false, false},  {"eeee", false, false},
        {"llll", false, false},  {"uuuu", false, false},  {"hhohhh", true, true},  {"ccoccc", true, true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (ends_in_ban(cases[i].row, cases[i].by_one) != cases[i].bans)
            fail_msg("%s%s", cases[i].row, cases[i].by_one ? ", by one" : "");
    }
}

static void a_ban_holds_everything_at_the_origin(void **state)
{
    struct callers callers = begin();
    nexauth_source *other = rig_controller(callers.rig, 9);
    struct nexauth_error error = {0};
    nexauth_token *token = NULL;
    const struct nexauth_get_options hasty = {.timeout_ms = 1000};
    const size_t begun = callers.rig->fixture.script.begun;

    (void)state;
    for (int i = 0; i < 2; i++)
        assert_int_equal(call(&callers, i, 'h', NULL), NEXAUTH_OK);
    assert_int_equal(call(&callers, 2, 'h', &error), NEXAUTH_BLOCKED);
    assert_int_equal(error.status, NEXAUTH_BLOCKED);
    assert_int_equal(error.http_status, 403);
    assert_true(error.retry_after_ms >= 10000);
    assert_int_equal(rig_throttled(callers.sources[3], NEX_ORIGIN "/elsewhere", 1000), error.retry_after_ms);
    assert_int_equal(nexauth_source_get_token(other, &hasty, &token, NULL), NEXAUTH_THROTTLED);
    assert_int_equal(callers.rig->fixture.script.begun, begun);
    rig_pass_ms(callers.rig, error.retry_after_ms);
    rig_get_token(callers.rig, other, "token");
    nexauth_source_free(other);
    finish(&callers);
}

/* A page that refuses says nothing of the token when it is the third one. */
static void a_token_survives_a_ban(void **state)
{
    struct callers callers = begin();
    size_t begun;

    (void)state;
    assert_int_equal(call(&callers, 0, 'h', NULL), NEXAUTH_OK);
    assert_int_equal(call(&callers, 1, 'h', NULL), NEXAUTH_OK);
    begun = callers.rig->fixture.script.begun;
    assert_int_equal(call(&callers, 2, 'x', NULL), NEXAUTH_BLOCKED);
    assert_int_equal(fixture_get(callers.sources[2], "token", NULL), NEXAUTH_OK);
    assert_int_equal(callers.rig->fixture.script.begun, begun);
    finish(&callers);
}

/* Whatever the services call themselves, and whatever limit their calls count in. */
static void sources_of_several_kinds_meet_one_ban(void **state)
{
    static const struct nexauth_answer page = {.http_status = 403, .content_type = "text/html"};
    struct rig *rig = rig_new(NULL, 0);
    nexauth_source *sources[] = {rig_quantoz(rig), rig_static(rig, "key", "https://TESTAPI.quantoz.com:443")};
    nexauth_source *nex = rig_controller(rig, 1);
    nexauth_source *nex_static = rig_static(rig, "key", NEX_ORIGIN);

    (void)state;
    rig_get_token(rig, sources[0], "one");
    rig_get_token(rig, nex, "two");
    assert_int_equal(rig_call(sources[0], "https://testapi.quantoz.com/a", &page, NULL), NEXAUTH_OK);
    assert_int_equal(rig_call(nex, NEX_URL, &page, NULL), NEXAUTH_OK);
    assert_int_equal(rig_call(sources[1], "https://testapi.quantoz.com:443/b", &page, NULL), NEXAUTH_OK);
    assert_int_equal(rig_call(nex_static, NEX_URL, &page, NULL), NEXAUTH_OK);
    assert_int_equal(rig_call(sources[0], "https://TestApi.quantoz.com/a", &page, NULL), NEXAUTH_BLOCKED);
    assert_int_equal(rig_call(nex_static, NEX_URL, &page, NULL), NEXAUTH_BLOCKED);
    rig_throttled(sources[1], "https://testapi.quantoz.com/c", 1000);
    rig_throttled(nex, NEX_URL, 1000);
    for (int i = 0; i < 2; i++)
        nexauth_source_free(sources[i]);
    nexauth_source_free(nex);
    nexauth_source_free(nex_static);
    rig_free(rig);
}

static void a_ban_says_how_long_it_lasts(void **state)
{
    struct callers callers = begin();
    const struct nexauth_answer stated = {.http_status = 403, .content_type = "text/html", .retry_after = "120"};
    struct nexauth_error error = {0};

    (void)state;
    assert_int_equal(call(&callers, 0, 'h', NULL), NEXAUTH_OK);
    assert_int_equal(call(&callers, 0, 'h', NULL), NEXAUTH_OK);
    assert_int_equal(rig_call(callers.sources[0], NEX_URL, &stated, &error), NEXAUTH_BLOCKED);
    assert_in_range(error.retry_after_ms, 120000, 144001);
    finish(&callers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_signs_in_a_row_show_a_ban), cmocka_unit_test(a_ban_holds_everything_at_the_origin),
        cmocka_unit_test(a_token_survives_a_ban),          cmocka_unit_test(sources_of_several_kinds_meet_one_ban),
        cmocka_unit_test(a_ban_says_how_long_it_lasts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
