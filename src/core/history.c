#include "core/history.h"

#include <stdlib.h>

enum { FIRST_PLACES = 16 };

/* The place of `identity`, or the empty one where it belongs. The hashes are keyed: their low bits are good as they
 * are. */
static uint64_t *place_of(uint64_t *places, size_t count, uint64_t identity)
{
    size_t i = (size_t)identity & (count - 1);

    while (places[i] && places[i] != identity)
        i = (i + 1) & (count - 1);
    return &places[i];
}

static bool grow(struct nx_history *history)
{
    const size_t places = history->served_places ? history->served_places * 2 : FIRST_PLACES;
    uint64_t *served = calloc(places, sizeof *served);

    if (!served)
        return false;
    for (size_t i = 0; i < history->served_places; i++) {
        if (history->served[i])
            *place_of(served, places, history->served[i]) = history->served[i];
    }
    free(history->served);
    history->served = served;
    history->served_places = places;
    return true;
}

static bool was_served(const struct nx_history *history, uint64_t identity)
{
    return history->served_places && *place_of(history->served, history->served_places, identity) == identity;
}

static void remember_served(struct nx_history *history, uint64_t identity)
{
    if (was_served(history, identity))
        return;
    if (history->served_count * 2 >= history->served_places && !grow(history))
        return;
    *place_of(history->served, history->served_places, identity) = identity;
    history->served_count++;
}

/* Adds to the row of different identities that were refused one after the other. */
static void remember_refused(struct nx_history *history, uint64_t identity)
{
    for (size_t i = 0; i < history->refused_count; i++) {
        if (history->refused[i] == identity)
            return;
    }
    if (history->refused_count < NX_BAN_REFUSALS)
        history->refused[history->refused_count++] = identity;
}

static enum nx_ban note_refusal(struct nx_history *history, uint64_t identity, enum nx_sign sign, bool first)
{
    remember_refused(history, identity);
    if (was_served(history, identity) || history->refused_count == NX_BAN_REFUSALS)
        return NX_BAN_TOLD;
    return first && sign == NX_SIGN_HTML_403 ? NX_BAN_FIRST : NX_BAN_NONE;
}

enum nx_ban nx_history_note(struct nx_history *history, uint64_t identity, enum nx_sign sign)
{
    const bool first = !history->answered;

    if (sign == NX_SIGN_NOTHING)
        return NX_BAN_NONE;
    if (sign == NX_SIGN_CLOSED)
        return ++history->closed >= NX_BAN_CLOSED ? NX_BAN_TOLD : NX_BAN_NONE;
    history->answered = true;
    history->closed = 0;
    if (sign != NX_SIGN_TOKEN && sign != NX_SIGN_ANSWER)
        return note_refusal(history, identity ? identity : 1, sign, first);
    history->refused_count = 0;
    if (sign == NX_SIGN_TOKEN)
        remember_served(history, identity ? identity : 1);
    return NX_BAN_NONE;
}

void nx_history_release(struct nx_history *history)
{
    free(history->served);
    *history = (struct nx_history){0};
}
