#include "support/journal.h"

#include "session/session.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *name_of(int kind)
{
    static const char *const names[] = {"NONE", "TOKEN", "SAME_TOKEN", "FAILED", "RETRY", "REJECTED", "SAVE_FAILED"};

    return kind > 0 && (size_t)kind < sizeof names / sizeof *names ? names[kind] : names[0];
}

/* With the mutex. */
static void add_line(char *text, const char *line)
{
    const size_t length = strlen(text);

    snprintf(text + length, JOURNAL_SIZE - length, "%s\n", line);
}

void journal_note(struct journal *journal, const char *format, ...)
{
    char line[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    pthread_mutex_lock(&journal->mutex);
    add_line(journal->text, line);
    pthread_mutex_unlock(&journal->mutex);
}

static void note_error(struct journal *journal, const struct nexauth_error *error)
{
    pthread_mutex_lock(&journal->mutex);
    add_line(journal->messages, error->message);
    journal->error = *error;
    pthread_mutex_unlock(&journal->mutex);
}

static void take_event(void *context, const struct nexauth_event *event)
{
    struct journal *journal = context;

    journal_note(journal, "%s%s%s%s%s%s", name_of(event->kind), event->error ? " " : "",
                 event->error ? nexauth_status_name(event->error->status) : "", event->token ? " " : "",
                 event->token ? nexauth_token_access_token(event->token) : "", event->source ? "" : " gone");
    if (event->error)
        note_error(journal, event->error);
    if (journal->on_event)
        journal->on_event(journal, event);
}

nexauth_status journal_save(void *context, nexauth_token *token)
{
    struct journal *journal = context;
    const char *refresh_token = nexauth_token_refresh_token(token);

    journal_note(journal, "save %s%s%s", nexauth_token_access_token(token), refresh_token ? " " : "",
                 refresh_token ? refresh_token : "");
    return journal->on_save ? journal->on_save(journal, token) : NEXAUTH_OK;
}

int journal_set_up(void **state)
{
    struct journal *journal = calloc(1, sizeof *journal);
    struct nexauth_session_options options = {.exchange_timeout_ms = 30000, .max_answer_bytes = 65536};
    struct nx_world world;

    if (!journal)
        return -1;
    pthread_mutex_init(&journal->mutex, NULL);
    script_init(&journal->fixture.script);
    world = script_world(&journal->fixture.script);
    options.event_callback = take_event;
    options.event_context = journal;
    *state = journal;
    return nx_session_new_in(&world, &options, &journal->fixture.session, NULL) == NEXAUTH_OK ? 0 : -1;
}

int journal_tear_down(void **state)
{
    struct journal *journal = *state;

    nexauth_session_free(journal->fixture.session);
    script_release(&journal->fixture.script);
    pthread_mutex_destroy(&journal->mutex);
    free(journal);
    return 0;
}

bool journal_holds(struct journal *journal, const char *lines)
{
    bool holds;

    pthread_mutex_lock(&journal->mutex);
    holds = strstr(journal->text, lines) != NULL;
    pthread_mutex_unlock(&journal->mutex);
    return holds;
}

nexauth_status journal_get(struct journal *journal, nexauth_source *source)
{
    nexauth_token *token = NULL;
    const nexauth_status status = nexauth_source_get_token(source, NULL, &token, NULL);

    journal_note(journal, "got %s", status ? nexauth_status_name(status) : nexauth_token_access_token(token));
    nexauth_token_unref(token);
    return status;
}

void journal_expect(struct journal *journal, const char *lines)
{
    char text[JOURNAL_SIZE];

    pthread_mutex_lock(&journal->mutex);
    memcpy(text, journal->text, sizeof text);
    journal->text[0] = '\0';
    pthread_mutex_unlock(&journal->mutex);
    assert_string_equal(text, lines); /* leaves by a jump when it is not so */
}
