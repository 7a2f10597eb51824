#include "core/failures.h"

#include "core/draw.h"

#include <stdlib.h>

enum { FIRST_PLACES = 16 };

struct nx_failure {
    uint64_t key;
    int64_t until_ms; /* the end of the hold */
    int row;          /* how many failures came before the last one */
    struct nexauth_error error;
};

/* The place of `key`, or the empty one where it belongs. The hashes are keyed: their low bits are good as they are. */
static size_t place_of(const struct nx_failures *failures, uint64_t key)
{
    size_t i = (size_t)key & (failures->places - 1);

    while (failures->entries[i] && failures->entries[i]->key != key)
        i = (i + 1) & (failures->places - 1);
    return i;
}

static struct nx_failure *find(const struct nx_failures *failures, uint64_t key)
{
    return failures->places ? failures->entries[place_of(failures, key)] : NULL;
}

static bool is_past(const struct nx_failure *failure, int64_t now_ms)
{
    return now_ms - failure->until_ms > NX_FAILURES_KEPT_MS;
}

/* Four places for each entry that is to be kept, so that making room stays rare. */
static size_t places_needed(const struct nx_failures *failures, int64_t now_ms)
{
    size_t places = FIRST_PLACES;
    size_t kept = 0;

    for (size_t i = 0; i < failures->places; i++)
        kept += failures->entries[i] && !is_past(failures->entries[i], now_ms);
    while (places < kept * 4)
        places *= 2;
    return places;
}

/* Drops what is past, and moves the rest to a table with room; false without memory. */
static bool make_room(struct nx_failures *failures, int64_t now_ms)
{
    const struct nx_failures old = *failures;
    const size_t places = places_needed(&old, now_ms);
    struct nx_failure **entries = calloc(places, sizeof(struct nx_failure *));

    if (!entries)
        return false;
    *failures = (struct nx_failures){.entries = entries, .places = places};
    for (size_t i = 0; i < old.places; i++) {
        struct nx_failure *failure = old.entries[i];

        if (failure && !is_past(failure, now_ms)) {
            entries[place_of(failures, failure->key)] = failure;
            failures->count++;
        } else {
            free(failure);
        }
    }
    free(old.entries);
    return true;
}

static struct nx_failure *add(struct nx_failures *failures, uint64_t key, int64_t now_ms)
{
    struct nx_failure *failure;

    if (failures->count * 2 >= failures->places && !make_room(failures, now_ms))
        return NULL;
    failure = calloc(1, sizeof *failure);
    if (!failure)
        return NULL;
    failure->key = key;
    failures->entries[place_of(failures, key)] = failure;
    failures->count++;
    return failure;
}

/* How long a failure is held that `row` others came before. */
static int64_t draw_hold_ms(const struct nexauth_error *error, int row, uint32_t draw)
{
    const bool denied = error->status == NEXAUTH_DENIED || error->status == NEXAUTH_CONFIG;
    int64_t hold_ms = denied ? NX_FAILURES_FIRST_DENIED_MS : NX_FAILURES_FIRST_MS;

    for (; row > 0 && hold_ms < NX_FAILURES_LONGEST_MS; row--)
        hold_ms *= 2;
    if (hold_ms > NX_FAILURES_LONGEST_MS)
        hold_ms = NX_FAILURES_LONGEST_MS;
    hold_ms += nx_draw_ms(draw, hold_ms / 5);
    return hold_ms > error->retry_after_ms ? hold_ms : error->retry_after_ms;
}

int64_t nx_failures_note(struct nx_failures *failures, uint64_t key, const struct nexauth_error *error, int64_t now_ms,
                         uint32_t draw)
{
    struct nx_failure *failure = find(failures, key);
    const int row = failure && !is_past(failure, now_ms) ? failure->row + 1 : 0;
    const int64_t hold_ms = draw_hold_ms(error, row, draw);

    if (!failure)
        failure = add(failures, key, now_ms);
    if (!failure)
        return hold_ms;
    failure->row = row;
    if (failure->until_ms <= now_ms + hold_ms) {
        failure->until_ms = now_ms + hold_ms;
        failure->error = *error;
    }
    return failure->until_ms - now_ms;
}

bool nx_failures_recall(const struct nx_failures *failures, uint64_t key, int64_t now_ms, struct nexauth_error *error)
{
    const struct nx_failure *failure = find(failures, key);

    if (!failure || now_ms >= failure->until_ms)
        return false;
    if (error) {
        *error = failure->error;
        error->retry_after_ms = failure->until_ms - now_ms;
    }
    return true;
}

/* How far `place` lies behind the one where a search begins for the key `from`. */
static size_t distance(const struct nx_failures *failures, uint64_t from, size_t place)
{
    return (place - (size_t)from) & (failures->places - 1);
}

/* The hole is filled by whatever would no longer be found behind it, which leaves a hole in turn (Knuth, The Art of
 * Computer Programming, volume 3, section 6.4, algorithm R). */
void nx_failures_forget(struct nx_failures *failures, uint64_t key)
{
    struct nx_failure **entries = failures->entries;
    const size_t last = failures->places - 1;
    size_t hole;

    if (!find(failures, key))
        return;
    hole = place_of(failures, key);
    free(entries[hole]);
    for (size_t i = (hole + 1) & last; entries[i]; i = (i + 1) & last) {
        if (distance(failures, entries[i]->key, i) >= distance(failures, hole, i)) {
            entries[hole] = entries[i];
            hole = i;
        }
    }
    entries[hole] = NULL;
    failures->count--;
}

void nx_failures_release(struct nx_failures *failures)
{
    for (size_t i = 0; i < failures->places; i++)
        free(failures->entries[i]);
    free(failures->entries);
    *failures = (struct nx_failures){0};
}
