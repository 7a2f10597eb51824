#include "ledger/limiters.h"

#include "ledger/agenda.h"
#include "ledger/door.h"
#include "ledger/network.h"

#include <inttypes.h>
#include <stdio.h>

#define WINDOW_US INT64_C(60000000)

enum { ALLOWED = 600, STEP_US = 10000, WINDOWS = 20 };

/* What a limiter knows: the times of what was sent. */
struct limiter {
    int64_t sent_us[ALLOWED]; /* the last ones, in a ring */
    uint64_t sent;
    double tokens;
    int64_t filled_us;
    int64_t window;            /* the number of the current one */
    int64_t current, previous; /* how many in it, and in the one before */
};

static void turn_window(struct limiter *limiter, int64_t now_us)
{
    const int64_t window = now_us / WINDOW_US;

    if (window == limiter->window)
        return;
    limiter->previous = window == limiter->window + 1 ? limiter->current : 0;
    limiter->current = 0;
    limiter->window = window;
}

static bool bucket_admits(struct limiter *limiter, int64_t now_us)
{
    limiter->tokens += (double)(now_us - limiter->filled_us) * ALLOWED / (double)WINDOW_US;
    limiter->filled_us = now_us;
    if (limiter->tokens > ALLOWED)
        limiter->tokens = ALLOWED;
    if (limiter->tokens < 1)
        return false;
    limiter->tokens--;
    return true;
}

static bool fixed_admits(struct limiter *limiter, int64_t now_us)
{
    turn_window(limiter, now_us);
    return limiter->current < ALLOWED;
}

/* It takes the window before to have been even. */
static bool sliding_admits(struct limiter *limiter, int64_t now_us)
{
    const int64_t left_us = WINDOW_US - now_us % WINDOW_US;

    turn_window(limiter, now_us);
    return limiter->previous * left_us / WINDOW_US + limiter->current < ALLOWED;
}

static bool log_admits(struct limiter *limiter, int64_t now_us)
{
    return limiter->sent < ALLOWED || now_us - limiter->sent_us[limiter->sent % ALLOWED] >= WINDOW_US;
}

static void note(struct limiter *limiter, int64_t now_us)
{
    limiter->sent_us[limiter->sent++ % ALLOWED] = now_us;
    limiter->current++;
}

enum { ARRIVES };

static void deliver(struct agenda *agenda, struct door *door)
{
    struct entry entry;

    while (agenda_next(agenda, &entry))
        door_count(door, entry.time_us);
}

/* A client that wants to send all it may, now and then; its clock is exact. */
static uint32_t try_one(bool (*admits)(struct limiter *, int64_t), const struct network *network)
{
    struct limiter limiter = {.tokens = ALLOWED};
    struct dice dice = {1};
    struct agenda agenda = {0};
    struct door door;

    door_open(&door, ALLOWED, WINDOW_US, 0);
    for (int64_t now_us = WINDOW_US * 3 / 4; now_us < WINDOWS * WINDOW_US; now_us += STEP_US) {
        while (now_us % (3 * WINDOW_US) > WINDOW_US / 2 && admits(&limiter, now_us)) {
            const int64_t there_us = network_up(network, &dice, now_us);

            note(&limiter, now_us);
            if (there_us != NETWORK_NEVER)
                agenda_add(&agenda, there_us, ARRIVES, 0, 0);
        }
    }
    deliver(&agenda, &door);
    agenda_free(&agenda);
    door_close(&door);
    return door.most;
}

bool limiters_fail(void)
{
    static const struct {
        const char *name;
        bool (*admits)(struct limiter *, int64_t);
    } limiters[] = {
        {"a token bucket with a full burst", bucket_admits},
        {"fixed windows", fixed_admits},
        {"a sliding-window counter", sliding_admits},
        {"an exact log of sending times", log_admits},
    };
    static const struct network falling = {
        .up_low_us = 2000, .up_high_us = 200000, .down_high_us = 2000, .fall_every_us = 7000000};
    bool all_fail = true;

    for (size_t i = 0; i < sizeof limiters / sizeof *limiters; i++) {
        const uint32_t most = try_one(limiters[i].admits, &falling);

        printf("%-34s %" PRIu32 " of %d in a window%s\n", limiters[i].name, most, ALLOWED,
               most > ALLOWED ? "" : ": NOT SEEN TO FAIL");
        all_fail = all_fail && most > ALLOWED;
    }
    return all_fail;
}
