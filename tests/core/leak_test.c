#include "support/test.h"

#include "core/encode.h"
#include "core/leak.h"

#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static bool leaks(const char *text, const char *secret)
{
    return nx_leaks(text, &secret, 1);
}

static void a_text_holds_a_secret_in_any_of_its_wordings(void **state)
{
    static const struct {
        const char *text;
        const char *secret;
    } CASES[] = {
        {"s3cret", "s3cret"},
        {"the secret is s3cret.", "s3cret"},
        {"ss3cret", "s3cret"},
        {"a%41b", "a%41b"},
        {"a+b", "a+b"},
        {"a&amp;b", "a&amp;b"},
        {"a\\nb", "a\\nb"},
        {"no s%33cret", "s3cret"},
        {"%73%33%63%72%65%74", "s3cret"},
        {"100% of s%2bt", "s+t"},
        {"x%zzs%2Bt", "s+t"},
        {"user=a&secret=a%20b", "a b"},
        {"user=a&secret=a+b%2Bc&d", "a b+c"},
        {"a+b+%26c", "a+b+&c"}, /* percent-encoded in part, '+' as it is */
        {"p%C3%A4ss", "p\xc3\xa4ss"},
        {"{\"secret\":\"a\\\"b\\\\c\\/d\"}", "a\"b\\c/d"},
        {"\\b\\f\\n\\r\\t!", "\b\f\n\r\t!"},
        {"a\\u002Bb", "a+b"},
        {"p\\u00e4ss", "p\xc3\xa4ss"},
        {"\\u20ac\\ud83d\\udd11", "\xe2\x82\xac\xf0\x9f\x94\x91"},
        {"\\u00 \\q a\\u002bb", "a+b"},
        {"\\ud83d\\u0041b", "Ab"},
        {"\\ud83dAb", "Ab"},
        {"a&amp;b&lt;c&gt;d&quot;e&apos;f", "a&b<c>d\"e'f"},
        {"a&#39;b", "a'b"},
        {"a&#039;b&#x2b;c&#X2B;d", "a'b+c+d"},
        {"p&#228;ss&#x20AC;&#128273;", "p\xc3\xa4ss\xe2\x82\xac\xf0\x9f\x94\x91"},
        {"&#; &#x; &#x110000; &#99999999999; &#1a; & &nbsp; a&amp;b", "a&b"},
        {"a\\u0000s\\u002bt", "s+t"},
        {"a%00s%2bt", "s+t"},
        {"c2VjcmV0", "secret"},
        {"Basic c2VjcmV0Og==", "secret"},
        {"dXNlcjpzZWNyZXQ=", "secret"},
        {"YTpzZWNyZXQ", "secret"},
        {"(c2VjcmV0)", "secret"},
        {"xc2VjcmV0", "secret"},
        {"xxc2VjcmV0", "secret"},
        {"xxxc2VjcmV0", "secret"},
        {"a.c2VjcmV0", "secret"},
        {"cw", "s"},
        {"YWJzZA", "s"},
        {"+/+/", "\xfb\xff\xbf"},
        {"-_-_", "\xfb\xff\xbf"},
        {"+\\/+\\/", "\xfb\xff\xbf"},
        {"%2B%2F%2B%2F", "\xfb\xff\xbf"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++)
        assert_true(leaks(CASES[i].text, CASES[i].secret));
}

static void a_text_without_the_secret_is_free(void **state)
{
    static const struct {
        const char *text;
        const char *secret;
    } CASES[] = {
        {"", "s3cret"},
        {"anything", ""},
        {"", ""},
        {"s3cre", "s3cret"},
        {"s3cre t", "s3cret"},
        {"S3CRET", "s3cret"},
        {"s%33cre%7", "s3cret"},
        {"a%2", "a+"},
        {"a%", "a+"},
        {"a\\u00", "a+"},
        {"a\\", "a+"},
        {"a&#", "a+"},
        {"c2VjcmU", "secret"},
        {"c2Vj cmV0", "secret"},
        {"s%00ecret", "secret"},
        {"Invalid client credentials (40001).", "bf20940d16578e18765eb9f93b1827e9"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++)
        assert_false(leaks(CASES[i].text, CASES[i].secret));
}

/* A secret of each length at each place of something longer, as this library encodes it. */
static void base64_is_found_at_any_alignment_and_length(void **state)
{
    static const char SECRET[] = "Aa0/~?>-_ \xc3\xa4";

    (void)state;
    for (size_t length = 1; length < sizeof SECRET; length++) {
        for (size_t ahead = 0; ahead < 7; ahead++) {
            char secret[sizeof SECRET] = "";
            struct nx_text plain;
            struct nx_text coded;

            memcpy(secret, SECRET, length);
            nx_text_init(&plain, 100);
            nx_text_init(&coded, 200);
            nx_text_add_bytes(&plain, "1234567", ahead);
            nx_text_add(&plain, secret);
            nx_text_add_bytes(&plain, "7654321", 6 - ahead);
            nx_text_add(&coded, "token: ");
            nx_add_base64(&coded, plain.data, plain.length);
            assert_true(leaks(nx_text_string(&coded), secret));
            nx_text_release(&plain);
            nx_text_release(&coded);
        }
    }
}

static void a_long_text_is_searched_to_its_end_and_a_longer_one_withheld(void **state)
{
    char *text = test_malloc(NX_LEAK_LONGEST + 2);

    (void)state;
    memset(text, 'a', NX_LEAK_LONGEST + 1);
    text[NX_LEAK_LONGEST] = '\0';
    assert_false(leaks(text, "aaaaaaaaaaaaaaaaaaaaaaaab"));
    memcpy(text + NX_LEAK_LONGEST - 8, "s%2Bt&x;", 8);
    assert_true(leaks(text, "as+t"));
    memset(text, 'a', NX_LEAK_LONGEST + 1);
    text[NX_LEAK_LONGEST + 1] = '\0';
    assert_true(leaks(text, "b"));
    test_free(text);
}

static void any_of_several_secrets_is_found(void **state)
{
    const char *const secrets[] = {NULL, "", "first", "second"};

    (void)state;
    assert_true(nx_leaks("the second one", secrets, COUNT(secrets)));
    assert_false(nx_leaks("the third one", secrets, COUNT(secrets)));
    assert_false(nx_leaks("the second one", secrets, 0));
}

static void cleaning_replaces_what_is_no_text(void **state)
{
    static const struct {
        const char *text;
        const char *cleaned;
    } CASES[] = {
        {"", ""},
        {"plain text", "plain text"},
        {"a\r\nb\tc\x1b[31m\x7f", "a  b c [31m "},
        {"\xc2\x80\xc2\x9f\xc2\xa0\xc3\xbc", "  \xc2\xa0\xc3\xbc"},
        {"\xe2\x82\xac\xf0\x9f\x94\x91", "\xe2\x82\xac\xf0\x9f\x94\x91"},
        {"\xff"
         "a\xe9 \xc3",
         "?a? ?"},
        {"\xc0\x80\xed\xa0\x80", "?????"},
        {"\xe2\x82", "??"},
    };
    char out[100];

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        nx_clean(CASES[i].text, out, sizeof out);
        assert_string_equal(out, CASES[i].cleaned);
    }
}

static void cleaning_cuts_at_a_whole_character(void **state)
{
    static const struct {
        const char *text;
        size_t size;
        const char *cleaned;
    } CASES[] = {
        {"abc", 4, "abc"},
        {"abc", 3, "ab"},
        {"abc", 1, ""},
        {"a\xe2\x82\xac", 5, "a\xe2\x82\xac"},
        {"a\xe2\x82\xac", 4, "a"},
        {"a\xe2\x82\xac", 3, "a"},
        {"a\xc2\x80", 3, "a "},
        {"\xff\xff\xff", 3, "??"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        char *out = test_malloc(CASES[i].size);

        nx_clean(CASES[i].text, out, CASES[i].size);
        assert_string_equal(out, CASES[i].cleaned);
        test_free(out);
    }
}

static void cleaning_into_nothing_writes_nothing(void **state)
{
    char out = 'x';

    (void)state;
    nx_clean("abc", &out, 0);
    assert_int_equal(out, 'x');
}

static void what_is_quoted_holds_no_secret_before_cleaning_or_after(void **state)
{
    static const struct {
        const char *text;
        const char *quoted;
    } CASES[] = {
        {"", ""},
        {"wrong\nhorse", "wrong horse"},
        {"no correct horse here", ""},
        {"no correct\nhorse here", ""},
        {"no correct%20\xffhorse here", "no correct%20?horse here"},
        {"no sure\xff here", ""},
        {"no a%20b\tc here", ""},
        {"the rest is cut: correct\nhorse", ""},
        {"a\x01z", ""},
        {"a z", "a z"},
    };
    static const char *const SECRETS[] = {"correct horse", "sure?", "a b c", "a\x01z"};
    char out[26];

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        nx_quote(CASES[i].text, SECRETS, COUNT(SECRETS), out, sizeof out);
        assert_string_equal(out, CASES[i].quoted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_holds_a_secret_in_any_of_its_wordings),
        cmocka_unit_test(a_text_without_the_secret_is_free),
        cmocka_unit_test(base64_is_found_at_any_alignment_and_length),
        cmocka_unit_test(a_long_text_is_searched_to_its_end_and_a_longer_one_withheld),
        cmocka_unit_test(any_of_several_secrets_is_found),
        cmocka_unit_test(cleaning_replaces_what_is_no_text),
        cmocka_unit_test(cleaning_cuts_at_a_whole_character),
        cmocka_unit_test(cleaning_into_nothing_writes_nothing),
        cmocka_unit_test(what_is_quoted_holds_no_secret_before_cleaning_or_after),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
