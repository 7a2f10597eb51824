/* Whatever happens, no secret is in what an application could log: messages, codes, events, figures, and what is
 * written to the standard streams. */
#include "support/test.h"

#include "scenes.h"
#include "scenes_https.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEAD = 24 }; /* of a secret, tells as much as all of it */

static struct emulator emulator;
static struct canaries canaries;
static struct needles needles;

static void assert_silent(struct record *record)
{
    char quote[512];

    needles_quote(&needles, record->bytes, record->size, quote, sizeof quote);
    if (*quote)
        fail_msg("this was told: %s", quote);
    print_message("           %zu errors, %zu events, %zu kB\n", record->errors, record->events, record->size / 1024);
    record_release(record);
}

/* Were it otherwise, the other tests would find nothing either. */
static void a_secret_is_found_in_every_wording(void **state)
{
    (void)state;
    for (int i = 0; i < CANARY_KINDS; i++) {
        for (int way = 0; way < CANARY_WAYS; way++) {
            char said[CANARY_NEEDLE];
            struct record record;

            record_begin(&record);
            canary_word(canaries.secrets[i], way, said, sizeof said);
            if (write(way % 2 ? STDOUT_FILENO : STDERR_FILENO, said, strlen(said)) < 0)
                record.errors++;
            record_end(&record);
            assert_true(needles_count(&needles, record.bytes, record.size) > 0);
            record_release(&record);
        }
    }
}

static void services_that_say_secrets_back_are_not_quoted(void **state)
{
    struct record record;

    (void)state;
    record_begin(&record);
    const size_t refused = scenes_of_echoes(&canaries, &record);
    record_end(&record);
    print_message("           %zu refused\n", refused);
    assert_in_range(refused, 10000, 20000);
    assert_true(record.events >= refused);
    assert_silent(&record);
}

static void tokens_that_come_and_go_are_not_told(void **state)
{
    struct record record;

    (void)state;
    record_begin(&record);
    const bool good = scenes_of_success(&canaries, &record);
    record_end(&record);
    assert_true(good);
    assert_silent(&record);
}

static void wrong_arguments_are_not_quoted(void **state)
{
    struct record record;

    (void)state;
    record_begin(&record);
    scenes_of_misuse(&canaries, &record);
    record_end(&record);
    assert_true(record.errors > 4 * (size_t)CANARY_KINDS);
    assert_silent(&record);
}

static void libcurl_is_not_quoted_with_secrets(void **state)
{
    struct record record;

    (void)state;
    record_begin(&record);
    const bool good = scenes_on_https(&canaries, &emulator, &record);
    record_end(&record);
    assert_true(good);
    assert_true(record.errors > 100);
    assert_silent(&record);
}

static int start(void **state)
{
    (void)state;
    canaries_hatch(&canaries);
    for (int i = 0; i < CANARY_KINDS; i++) {
        char head[HEAD + 1] = "";

        memcpy(head, canaries.secrets[i], HEAD);
        needles_add(&needles, head);
    }
    return canaries_start_emulator(&canaries, &emulator);
}

static int stop(void **state)
{
    (void)state;
    needles_release(&needles);
    return emulator_stop(&emulator);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_is_found_in_every_wording),
        cmocka_unit_test(services_that_say_secrets_back_are_not_quoted),
        cmocka_unit_test(tokens_that_come_and_go_are_not_told),
        cmocka_unit_test(wrong_arguments_are_not_quoted),
        cmocka_unit_test(libcurl_is_not_quoted_with_secrets),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
