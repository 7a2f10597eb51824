#include "session/slot_rig.h"

#include "support/test.h"

#include <string.h>

static const char INTRO[] = "Authorization: Bearer ";

const struct slot_time slot_times[] = {
    {6000, 5000, 90000, true},     {6000, 5999, 90999, true},      {6000, 6000, 91000, false},
    {6000, 5000, 91000, true},     {6000, 5000, 91001, false},     {6000, 5000, 89000, true},
    {6000, 5000, 88999, false},    {INT64_MAX, 5000, 90000, true}, {INT64_MIN, 5000, 90000, false},
    {6000, 5000, 90000000, false}, {6000, 5000, -90000000, false}, {5000, 5000, 90000, false},
};

const size_t slot_times_count = sizeof slot_times / sizeof *slot_times;

struct nx_arena *slot_arena;

int slot_set_up(void **state)
{
    (void)state;
    slot_arena = nx_arena_new();
    return slot_arena ? 0 : -1;
}

int slot_tear_down(void **state)
{
    (void)state;
    nx_arena_unref(slot_arena);
    return 0;
}

struct nx_moment slot_at(int64_t mono_ms, int64_t wall_ms)
{
    return (struct nx_moment){.mono_ns = mono_ms * 1000000, .wall_ns = wall_ms * 1000000};
}

struct nx_moment slot_now(void)
{
    return slot_at(SLOT_MONO_MS, SLOT_WALL_MS);
}

void slot_set_fresh(struct nx_slot *slot, int64_t until_ms, int64_t skew_ms)
{
    const bool ever = until_ms == INT64_MAX || until_ms == INT64_MIN;

    nx_slot_set_fresh(slot, ever ? until_ms : until_ms * 1000000, skew_ms * 1000000);
}

void slot_open(struct nx_slot *slot)
{
    slot_set_fresh(slot, SLOT_ALWAYS_MS, SLOT_WALL_MS - SLOT_MONO_MS);
}

void slot_fill(struct nx_slot *slot, nexauth_token *token)
{
    assert_true(nx_slot_put(slot, token));
    slot_open(slot);
}

nexauth_token *slot_new_token(struct nx_slot *slot, int letter)
{
    struct nx_issue issue;
    nexauth_token *token;

    nx_issue_init(&issue, 65536);
    issue.lifetime_s = 100;
    for (int i = 0; i < 100 + 40 * letter; i++)
        nx_text_add_char(&issue.access_token, (char)('a' + letter));
    token = nx_token_new(slot_arena, slot, &issue, 0, 0);
    assert_non_null(token);
    return token;
}

size_t slot_token_size(int letter)
{
    return strlen(INTRO) + 100 + (size_t)40 * (size_t)letter;
}

bool slot_is_whole(const char *presented, size_t length)
{
    const char letter = presented[strlen(INTRO)];

    if (memcmp(presented, INTRO, strlen(INTRO)) != 0 || letter < 'a' || letter > 'z')
        return false;
    for (size_t i = strlen(INTRO); i < length; i++) {
        if (presented[i] != letter)
            return false;
    }
    return presented[length] == '\0' && length == slot_token_size(letter - 'a');
}

uint64_t slot_references(const nexauth_token *token)
{
    return atomic_load(token->references);
}

bool slot_gives(struct nx_slot *slot, struct nx_moment moment, int letter, bool fresh)
{
    nexauth_token *token = nx_slot_ref(slot, moment);
    char buffer[2048];
    size_t length = 0;
    const enum nx_slot_copied copied = nx_slot_copy(slot, moment, buffer, sizeof buffer, &length);

    nexauth_token_unref(token);
    if (!fresh)
        return !token && copied == NX_SLOT_NOT_FRESH && length == 0;
    return token && copied == NX_SLOT_COPIED && length == slot_token_size(letter) && slot_is_whole(buffer, length);
}
