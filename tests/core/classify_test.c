/* The rules at their edges, and what they do not tell: signs of a ban, and of a fault. What they make of whole answers
 * is in tests/data/answers. */
#include "support/test.h"

#include "core/classify.h"

#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

enum { BOUND = 1000 };

static void read_body(struct nx_answer *answer, const char *body)
{
    struct nx_exchange exchange;

    nx_exchange_init(&exchange, BOUND);
    nx_answer_init(answer, BOUND);
    nx_text_add(&exchange.response.body, body);
    assert_int_equal(nx_answer_read(answer, &exchange.response, NX_SYNTAX_JSON), NEXAUTH_OK);
    nx_exchange_release(&exchange);
}

static void each_status_belongs_to_its_hundred(void **state)
{
    static const struct {
        int http_status;
        nexauth_status status;
        const char *sentence;
    } CASES[] = {
        {199, NEXAUTH_CONFIG, "rejects the request"},
        {200, NEXAUTH_PROTOCOL, "answers without a usable token"},
        {299, NEXAUTH_PROTOCOL, "answers without a usable token"},
        {300, NEXAUTH_CONFIG, "redirects elsewhere, which is not followed: check origin and path"},
        {399, NEXAUTH_CONFIG, "redirects elsewhere, which is not followed: check origin and path"},
        {400, NEXAUTH_CONFIG, "rejects the request"},
        {499, NEXAUTH_CONFIG, "rejects the request"},
        {500, NEXAUTH_UNAVAILABLE, "has a fault"},
        {599, NEXAUTH_UNAVAILABLE, "has a fault"},
    };
    struct nx_answer answer;

    (void)state;
    read_body(&answer, "{}");
    for (size_t i = 0; i < COUNT(CASES); i++) {
        const struct nx_facts facts = {.http_status = CASES[i].http_status, .answer = &answer};
        const struct nx_verdict verdict = nx_classify(&facts);

        assert_int_equal(verdict.status, CASES[i].status);
        assert_string_equal(verdict.sentence, CASES[i].sentence);
    }
    nx_answer_release(&answer);
}

static void a_token_comes_with_success_and_within_the_cap(void **state)
{
    static const struct {
        int http_status;
        enum nx_step step;
        bool over_cap, came;
    } CASES[] = {
        {199, NX_STEP_CREDENTIALS, false, false}, {200, NX_STEP_CREDENTIALS, false, true},
        {299, NX_STEP_CREDENTIALS, false, true},  {300, NX_STEP_CREDENTIALS, false, false},
        {200, NX_STEP_CODE, false, true},         {200, NX_STEP_REFRESH, false, true},
        {200, NX_STEP_CONNECT, false, false},     {200, NX_STEP_CREDENTIALS, true, false},
    };
    struct nx_answer answer;

    (void)state;
    read_body(&answer, "{\"access_token\":\"one\"}");
    for (size_t i = 0; i < COUNT(CASES); i++) {
        const struct nx_exchange exchange = {
            .response = {.http_status = CASES[i].http_status, .over_cap = CASES[i].over_cap}};
        const struct nx_facts facts = nx_facts_of(CASES[i].step, &exchange, &answer, NULL, false, NX_REDIRECT_NONE);

        assert_int_equal(facts.token_came, CASES[i].came);
        assert_int_equal(nx_facts_sign(&facts), CASES[i].came ? NX_SIGN_TOKEN : NX_SIGN_ANSWER);
    }
    nx_answer_release(&answer);
}

/* Either of the two: what speaks of codes knows of no tokens. */
static void a_code_and_a_token_are_the_same_sign(void **state)
{
    static const struct {
        enum nx_redirect redirect;
        bool token_came;
        enum nx_sign sign;
    } CASES[] = {
        {NX_REDIRECT_RIGHT, false, NX_SIGN_TOKEN},   {NX_REDIRECT_NONE, true, NX_SIGN_TOKEN},
        {NX_REDIRECT_NONE, false, NX_SIGN_ANSWER},   {NX_REDIRECT_WRONG, false, NX_SIGN_ANSWER},
        {NX_REDIRECT_DENIED, false, NX_SIGN_ANSWER},
    };
    struct nx_answer answer;

    (void)state;
    read_body(&answer, "");
    for (size_t i = 0; i < COUNT(CASES); i++) {
        const struct nx_facts facts = {.http_status = CASES[i].redirect ? 302 : 200,
                                       .redirect = CASES[i].redirect,
                                       .token_came = CASES[i].token_came,
                                       .answer = &answer};

        assert_int_equal(nx_facts_sign(&facts), CASES[i].sign);
    }
    nx_answer_release(&answer);
}

static void a_fault_is_shown_by_the_status_or_the_error(void **state)
{
    static const struct {
        const char *body;
        int http_status;
        bool fault;
    } CASES[] = {
        {"", 200, false},
        {"", 400, false},
        {"", 407, false},
        {"", 408, true},
        {"", 409, false},
        {"", 429, false},
        {"", 499, false},
        {"", 500, true},
        {"", 502, true},
        {"", 503, false},
        {"", 504, true},
        {"{\"error\":\"server_error\"}", 200, true},
        {"{\"error\":\"server_error\"}", 400, true},
        {"{\"error\":\"server_error\"}", 408, true},
        {"{\"error\":\"server_error\"}", 429, false},
        {"{\"error\":\"server_error\"}", 503, false},
        {"{\"error\":\"temporarily_unavailable\"}", 400, false},
        {"{\"error\":\"\"}", 400, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct nx_answer answer;

        read_body(&answer, CASES[i].body);
        if (nx_facts_show_fault(&(struct nx_facts){.http_status = CASES[i].http_status, .answer = &answer}) !=
            CASES[i].fault)
            fail_msg("%d %s", CASES[i].http_status, CASES[i].body);
        nx_answer_release(&answer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_status_belongs_to_its_hundred),
        cmocka_unit_test(a_token_comes_with_success_and_within_the_cap),
        cmocka_unit_test(a_code_and_a_token_are_the_same_sign),
        cmocka_unit_test(a_fault_is_shown_by_the_status_or_the_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
